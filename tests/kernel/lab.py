# SPDX-License-Identifier: BSD-2-Clause
"""Calls of the tool as a certain user, and a look at what it has made on this machine."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
TIMEOUT = 120.0


@dataclass(frozen=True)
class Lab:
    """The tool as one user, with a folder that this user can write to."""

    program: str
    user: str
    folder: Path
    environment: dict[str, str]
    prefix: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return str(path)

    def command(self, *arguments: str) -> list[str]:
        return [*self.prefix, self.program, *arguments]

    def call(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            cwd=self.folder,
            timeout=TIMEOUT,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A call under way; it is killed at the end of the block if it still runs."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=self.environment,
            cwd=self.folder,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def folder_for(prefix: list[str]) -> Path:
    """A folder in /tmp: those of pytest are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="chorus-kernel-"))
    folder.chmod(0o777 if prefix else 0o755)
    return folder


def link_of(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def own_space() -> str:
    return link_of(Path("/proc/self/ns/net"))


def spaces_of(pid: int) -> set[str]:
    """Network namespaces that a process holds by descriptors, but for the one it lives in."""
    try:
        links = {link_of(path) for path in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return set()
    return {link for link in links if link.startswith("net:[")} - {own_space()}


def processes_in(spaces: set[str]) -> set[int]:
    """Processes that live in one of the namespaces or hold it."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return {
        pid
        for pid in pids
        if link_of(Path(f"/proc/{pid}/ns/net")) in spaces or spaces_of(pid) & spaces
    }


def left_of(holders: set[int], spaces: set[str]) -> set[int]:
    """Who of them is still there. Numbers of namespaces are given again: others do not count."""
    return processes_in(spaces) & holders


def ended(pid: int, seconds: float) -> bool:
    """Whether the process ends within that time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def wait_for_spaces(process: subprocess.Popen[str], count: int) -> set[str]:
    """Waits until the process holds so many namespaces; it must not end before."""
    while len(spaces := spaces_of(process.pid)) < count:
        assert not ended(process.pid, 0.02), process.communicate()
    return spaces


def links() -> set[str]:
    """Names of the interfaces here, and of named namespaces."""
    done = subprocess.run(
        "ip -o link; ip netns list", shell=True, capture_output=True, encoding="utf-8", check=True
    )
    return {line.split("@")[0].split(" state ")[0] for line in done.stdout.splitlines()}
