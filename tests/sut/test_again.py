# SPDX-License-Identifier: BSD-2-Clause
"""The command under a finding, given to a new shell in another folder, finds the same."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chorus_pytest import Chorus

HOME = Path(__file__).resolve().parents[2]

PIPED = """\
name: careless
version: "1"
rung: b
roles:
  server:
    start: ["{python}", -E, "{{manifest}}/bad.py"]
    environment: {{PYTHONDONTWRITEBYTECODE: "1"}}
    features: [leisure]
    ip: [6]
    groups: 1
"""

# The example, which answers under a Token of its own.
PIPED_PROGRAM = """\
import sys
sys.path.insert(0, {path!r})
from chorus_plugin import run
from server import Server

class Bad(Server):
    def serve(self, request):
        request.message.token = bytes(len(request.message.token))
        super().serve(request)

run(Bad)
"""

NAMESPACED = """\
name: careless
version: "1"
rung: d
roles:
  server:
    start: ["{python}", -E, -S, "{{manifest}}/bad.py", "{{port}}"]
    protocol: none
    ready: {{output: "^ready$", timeout: 20s}}
    resources: {{/light: {{methods: [GET, PUT], payload: "on"}}}}
    ip: [6]
    statement: {{leisure: 0s, dedup: false, discovery: false, filter: false}}
"""

# It answers everything under a Token of zeros, and a ping with a Reset.
NAMESPACED_PROGRAM = """\
import socket, sys

s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", int(sys.argv[1])))
print("ready", flush=True)
while True:
    m, client = s.recvfrom(2000)
    if m[1] == 0:
        s.sendto(b"\\x70\\0" + m[2:4], client)
        continue
    length = m[0] & 15
    first = 0x60 if m[0] >> 4 & 3 == 0 else 0x50
    s.sendto(bytes([first + length, 0x45]) + m[2:4] + bytes(length) + b"\\xffx", client)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose name needs quotes in a shell."""
    folder = tmp_path / "it's a  folder"
    (folder / "stacks").mkdir(parents=True)
    return folder


@pytest.fixture
def piped(place: Path) -> str:
    path = str(HOME / "examples" / "stdio-server")
    (place / "stacks" / "bad.py").write_text(PIPED_PROGRAM.format(path=path))
    (place / "stacks" / "my manifest.yaml").write_text(PIPED.format(python=sys.executable))
    return "./stacks/my manifest.yaml"


@pytest.fixture
def namespaced(place: Path) -> str:
    (place / "stacks" / "bad.py").write_text(NAMESPACED_PROGRAM)
    (place / "stacks" / "my manifest.yaml").write_text(NAMESPACED.format(python=sys.executable))
    return "stacks/my manifest.yaml"


@pytest.fixture
def elsewhere(tool: Chorus, tmp_path: Path) -> Iterator[Path]:
    """Another folder, with the tool under its name for a shell beside it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "chorus").symlink_to(Path(tool.path).resolve())
    yield folder


def give(tool: Chorus, place: Path, *words: str) -> str:
    """What the tool prints in that folder."""
    result = subprocess.run(
        [str(Path(tool.path).resolve()), *words],
        cwd=place, capture_output=True, text=True, timeout=170, check=False,
        env={**os.environ, **tool.environment},
    )  # fmt: skip
    if "namespace" in result.stderr:
        pytest.skip(result.stderr.strip())
    assert result.stdout, result.stderr
    return result.stdout


def paste(tool: Chorus, elsewhere: Path, command: str) -> str:
    """What a shell prints that knows nothing but the folder of the tool."""
    bare = {"PATH": f"{elsewhere.parent / 'bin'}:{os.environ['PATH']}", **tool.environment}
    result = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=elsewhere, capture_output=True, text=True, timeout=170, check=False, env=bare,
    )  # fmt: skip
    assert result.stdout, result.stderr
    return result.stdout


def findings(text: str) -> list[tuple[str, str]]:
    """The failures, each with its text but for frame and time, and the command under it."""
    blocks = re.findall(r"^FAIL (.*?)^  again     (.*?)$", text, re.MULTILINE | re.DOTALL)
    return [
        (re.sub(r", frame \d+|, at [0-9.]+ s|  tolerance.*\n|0x[0-9a-f]+", "", block), command)
        for block, command in blocks
    ]


# Over soon in real time, too.
SHORT = """\
id: short
title: One request
about: Section 5.3.1 of RFC 7252.
covers: [COAP-5.3.1-01]
nodes:
  t1: {role: tester, port: 61000}
  s1: {role: server, resources: {/light: {payload: "on"}}}
steps:
  - at: 0s
    node: t1
    send: {to: $s1, message: {type: NON, code: GET, uri-path: /light, token: "01"}}
expect: [{packet: {from: s1}, times: 1}]
network: {ip: 6}
end: 1s
"""

SCENARIO = ["non-confirmable-request-answered-confirmably", "--set", "ip=6"]


def compare(tool: Chorus, elsewhere: Path, text: str) -> None:
    first, command = next(f for f in findings(text) if f[0].startswith("COAP-5.3.1-0"))
    assert first in [again for again, _ in findings(paste(tool, elsewhere, command))]


def test_in_virtual_time(tool: Chorus, place: Path, piped: str, elsewhere: Path) -> None:
    text = give(tool, place, "run", *SCENARIO, "--sut", piped, "--no-report")
    compare(tool, elsewhere, text)


@pytest.fixture
def short(place: Path) -> str:
    (place / "my scenario.yaml").write_text(SHORT)
    return "my scenario.yaml"


def test_with_a_scenario_of_ones_own(
    tool: Chorus, place: Path, piped: str, short: str, elsewhere: Path
) -> None:
    text = give(tool, place, "run", short, "--server", piped, "--strict", "--no-report")
    compare(tool, elsewhere, text)


def test_on_the_real_ip_stack(
    tool: Chorus, place: Path, namespaced: str, short: str, elsewhere: Path
) -> None:
    text = give(tool, place, "run", short, "--sut", namespaced, "--no-report")
    compare(tool, elsewhere, text)


def test_of_interop(
    tool: Chorus, place: Path, namespaced: str, short: str, elsewhere: Path
) -> None:
    asked = ["--select", short, "--json", "--out", "out"]
    (run,) = json.loads(give(tool, place, "interop", namespaced, *asked))["runs"]
    command = run["reproduce"] + " --json"
    (again,) = json.loads(paste(tool, elsewhere, command))["runs"]
    failed = [r["id"] for r in run["rules"] if r["verdict"] == "fail"]
    assert "COAP-5.3.1-01" in failed
    assert [r["id"] for r in again["rules"] if r["verdict"] == "fail"] == failed


def test_long_runs_are_long_again(tool: Chorus, place: Path, namespaced: str) -> None:
    """What `run` would leave out by itself, its options let in again."""
    asked = ["--select", "unicast-duplicate-executed", "--ip", "6", "--json", "--out", "out"]
    (run,) = json.loads(give(tool, place, "interop", namespaced, *asked))["runs"]
    words = shlex.split(run["reproduce"])
    assert words[words.index("--longest") + 1] == "100s"
    assert str(place / "stacks/my manifest.yaml") in words
