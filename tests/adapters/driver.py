# SPDX-License-Identifier: BSD-2-Clause
"""Speaks the protocol of docs/plugins.md with a program in a namespace, as Chorus does."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lab import Host

HOME = Path(__file__).resolve().parent.parent.parent
ADAPTERS = HOME / "adapters"
STACKS = Path(os.environ.get("CHORUS_STACKS", HOME / "build/stacks"))
BIN = Path(os.environ.get("CHORUS_BIN", HOME / "build/harness/cli/chorus")).parent
PATIENCE = 30.0
# Memory that malloc gives is full of the digit 7: what a program reads beyond what it wrote shows.
DIRTY = {
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=200",
    "ASAN_OPTIONS": "max_malloc_fill_size=4096:malloc_fill_byte=55",
}
Json = dict[str, Any]


class Silence(Exception):
    """A program did not say what it was waited for."""


@dataclass(frozen=True)
class Manifest:
    """A manifest as far as these tests need it."""

    folder: Path
    content: Json

    @property
    def name(self) -> str:
        return str(self.content["name"])

    @property
    def roles(self) -> dict[str, Json]:
        return dict(self.content["roles"])

    def fill(self, text: str) -> str:
        for name, path in (("stacks", STACKS), ("manifest", self.folder), ("bin", BIN)):
            text = text.replace("{" + name + "}", str(path))
        return text

    def command(self, role: str) -> list[str]:
        return [self.fill(part) for part in self.roles[role]["start"]]

    def environment(self, role: str) -> dict[str, str]:
        given = self.roles[role].get("environment", {})
        return {name: self.fill(str(value)) for name, value in given.items()}

    def version(self) -> str | None:
        """The first line that the version command says; None when the stack is not installed."""
        command = [self.fill(part) for part in self.content["version"]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except OSError:
            return None
        lines = done.stdout.splitlines()
        return lines[0].strip() if done.returncode == 0 and lines else None


def manifests() -> list[Manifest]:
    """Those that speak the protocol; unmodified programs have none."""
    found = sorted(ADAPTERS.glob("*/manifest.yaml"))
    every = [Manifest(file.parent, yaml.safe_load(file.read_text())) for file in found]
    return [m for m in every if all(r.get("protocol") != "none" for r in m.roles.values())]


class Program:
    """An adapter that runs in a host's namespace. Reads all it says; nothing waits for ever."""

    def __init__(self, manifest: Manifest, role: str, host: Host, log: Path) -> None:
        self.manifest, self.role, self.host, self.log = manifest, role, host, log
        self.seen: list[Json] = []
        self._said: queue.Queue[Json | None] = queue.Queue()
        self._ids = 0
        wrapped = ["ip", "netns", "exec", host.namespace, "setpriv", "--pdeathsig", "KILL"]
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [*wrapped, *manifest.command(role)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env={**os.environ, **DIRTY, **manifest.environment(role)},
            )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            assert len(line) <= 256 * 1024
            self._said.put(json.loads(line))
        self._said.put(None)

    def write(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def send(self, message: Json) -> None:
        self.write(json.dumps(message) + "\n")

    def wait(self, what: str, wanted: Callable[[Json], bool], patience: float = PATIENCE) -> Json:
        """The first message, seen already or to come, that is |wanted|."""
        for message in self.seen:
            if wanted(message):
                return message
        deadline = time.monotonic() + patience
        while True:
            message = self._next(what, deadline)
            if wanted(message):
                return message

    def _next(self, what: str, deadline: float) -> Json:
        try:
            message = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise Silence(self._complaint(f"did not say {what} in time")) from None
        if message is None:
            raise Silence(self._complaint(f"ended before it said {what}"))
        self.seen.append(message)
        return message

    def _complaint(self, text: str) -> str:
        name = f"{self.manifest.name} {self.role}"
        return f"{name} {text}; it said {self.seen}; {self.log.read_text(errors='replace')[-2000:]}"

    def start(self, ip: int, **members: Any) -> Json:
        """Sends `start` and returns the first answer."""
        address = self.host.ipv4 if ip == 4 else self.host.ipv6
        port = 5683 if self.role != "client" else 0
        self.send({"start": {
            "protocol": 1, "name": self.host.name, "role": self.role, "now": 0, "seed": 1,
            "addresses": [address], "interface": "eth0", "port": port, **members,
        }})  # fmt: skip
        return self.wait("ready or refused", lambda m: "ready" in m or "refused" in m)

    def command(self, verb: str, *arguments: tuple[str, str]) -> Json:
        """Sends a command and returns the reply to it."""
        self._ids += 1
        number = self._ids
        pairs = [list(pair) for pair in arguments]
        self.send({"command": {"verb": verb, "arguments": pairs}, "id": number})
        return self.wait(f"the reply to {verb}", lambda m: m.get("reply") == number)

    def event(self, name: str, patience: float = PATIENCE, **members: Any) -> Json:
        """Waits for an event with these members."""

        def fits(message: Json) -> bool:
            event = message.get("event", {})
            return bool(event.get("event") == name and members.items() <= event.items())

        return dict(self.wait(f"event {name} {members}", fits, patience)["event"])

    def events(self, name: str, **members: Any) -> list[Json]:
        """The events that were seen already."""
        found = [m["event"] for m in self.seen if m.get("event", {}).get("event") == name]
        return [event for event in found if members.items() <= event.items()]

    def request(self, name: str, uri: str, **arguments: str) -> list[Json]:
        """Sends a request, waits until it is over, and returns what was delivered."""
        pairs = [(key.replace("_", "-"), value) for key, value in arguments.items()]
        reply = self.command("request", ("id", name), ("uri", uri), *pairs)
        assert reply["status"] == "ok", reply
        self.event("done", request=name)
        return self.events("deliver", request=name)

    def end(self, by_stop: bool = True) -> tuple[int, float]:
        """Ends the program by stop, or by end of file; returns its status and how long it took."""
        assert self.process.stdin
        began = time.monotonic()
        if by_stop:
            self.send({"stop": True})
        else:
            self.process.stdin.close()
        return self.process.wait(10), time.monotonic() - began

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
