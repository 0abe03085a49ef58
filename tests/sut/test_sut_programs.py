# SPDX-License-Identifier: BSD-2-Clause
"""Programs on the real IP stack: unmodified servers, membership by a helper, dilated time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chorus_pytest import Chorus

HOME = Path(__file__).resolve().parents[2]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

CLIENT = """\
name: clock
version: "1"
rung: d
faketime: {faketime}
roles:
  client:
    start: ["{python}", -E, -S, "{{manifest}}/clock.py"]
    verbs: {{request: [id, uri], wait: [for]}}
    ip: [6]
"""

# A client that does nothing but say when a time is over, by its own clock or by one outside.
CLOCK = """\
import json, subprocess, sys, time

def wait(seconds):
    {wait}

for line in sys.stdin:
    message = json.loads(line)
    if "start" in message:
        print(json.dumps({{"ready": {{"protocol": 1, "stack": "clock"}}}}), flush=True)
    if "command" in message:
        given = dict(message["command"]["arguments"])
        if "for" in given:
            wait(int(given["for"].removesuffix("ms")) / 1000)
        print(json.dumps({{"reply": message["id"], "status": "ok"}}), flush=True)
    if "stop" in message:
        break
"""

STATIC = """\
name: fixed
version: "1"
rung: d
faketime: true
roles:
  server: {start: ["{manifest}/fixed"], protocol: none, resources: {/: {payload: x}}, ip: [6]}
"""

SCENARIO = """\
id: at-rest
title: A client and a server
expect: [{request: q, times: 0..9}]
nodes:
  c1: {role: client, msrd: 30s}
  s1: {role: server, resources: {/: {payload: x}}}
steps:
  - {at: 1s, node: c1, request: {id: q, uri: "coap://$s1/"}}
end: 10s
"""


@dataclass
class User:
    """The tool as one user, in a folder that this user can read and write."""

    program: str
    folder: Path
    prefix: list[str]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "CHORUS_HOME": str(self.folder),
            "CHORUS_PYTHON": sys.executable,
            "NO_COLOR": "1",
        }
        return subprocess.run(
            [*self.prefix, self.program, *arguments],
            capture_output=True, text=True, env=environment, cwd=self.folder, timeout=170,
            check=False,
        )  # fmt: skip

    def check(self, manifest: str) -> dict[str, Any]:
        result = self.call("sut", "check", manifest, "--json")
        if "namespace" in result.stderr:
            pytest.skip(result.stderr.strip())
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    def run(self, *arguments: str) -> dict[str, Any]:
        result = self.call("run", *arguments, "--json")
        assert result.stdout, result.stderr
        if "user namespace" in result.stderr:
            pytest.skip(result.stderr.strip())
        (run,) = json.loads(result.stdout)["runs"]
        return dict(run)


def make_user(tool: Chorus, prefix: list[str]) -> User:
    folder = Path(tempfile.mkdtemp(prefix="chorus-sut-", dir="/tmp"))
    folder.chmod(0o777)
    program = shutil.copy(tool.path, folder / "chorus")
    for name in ("examples", "scenarios", "adapters/coap-server"):
        shutil.copytree(HOME / name, folder / name)
    return User(str(program), folder, prefix)


@pytest.fixture(params=["root", "nobody"])
def user(request: pytest.FixtureRequest, tool: Chorus) -> Iterator[User]:
    is_root = os.geteuid() == 0
    if not is_root and request.param == "root":
        pytest.skip("not root")
    made = make_user(tool, NOBODY if is_root and request.param == "nobody" else [])
    yield made
    shutil.rmtree(made.folder)


@pytest.fixture
def me(tool: Chorus) -> Iterator[User]:
    made = make_user(tool, [])
    yield made
    shutil.rmtree(made.folder)


# ---- unmodified servers ----


def failed(report: dict[str, Any]) -> list[str]:
    return [
        f"{c['check']}: {c['text']}"
        for c in report["checks"]
        if c["result"] == "failed"
    ]


def test_server_that_joins_nothing_is_a_member(user: User) -> None:
    report = user.check("examples/unjoined-server/manifest.yaml")
    assert failed(report) == []
    assert sum(c["check"].startswith("group ") for c in report["checks"]) == 3


def test_debian_server_as_it_is(user: User) -> None:
    if not shutil.which("coap-server-notls"):
        pytest.skip("libcoap3-bin is not installed")
    report = user.check("adapters/coap-server/manifest.yaml")
    assert failed(report) == []
    assert {c.get("ip") for c in report["checks"]} >= {4, 6}


def test_deaf_server_is_found_and_told_why(me: User) -> None:
    """A socket on :: that serves IPv4 as well hears no group of IPv4 by a helper's membership."""
    server = me.folder / "examples/unjoined-server/server.py"
    server.write_text(server.read_text().replace("IPV6_V6ONLY, 1", "IPV6_V6ONLY, 0"))
    manifest = server.parent / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("ip: [6]", "ip: [4]"))
    found = failed(me.check(str(manifest)))
    assert any("hears no group of IPv4" in line for line in found)


def test_scenario_is_played_with_the_resource_that_is_there(me: User) -> None:
    manifest = "examples/unjoined-server/manifest.yaml"
    run = me.run("token-mangled[ip=6,token=01]", "--server", manifest, "--out", "out")
    assert run["verdict"] in ("pass", "warn", "inconclusive")
    assert not run.get("sut_verdicts")
    captured = b"".join(p.read_bytes() for p in me.folder.glob("out/*.pcapng"))
    assert b"\xb5hello" in captured and b"\xffhello" in captured  # Uri-Path and payload


def test_scenario_that_needs_more_is_unsupported(me: User) -> None:
    manifest = "examples/unjoined-server/manifest.yaml"
    run = me.run("group-duplicated[ip=6]", "--server", manifest)
    assert run["verdict"] == "unsupported"


# ---- dilated time ----


@pytest.fixture
def faketime() -> None:
    if not any(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")):
        pytest.skip("libfaketime is not installed")


def dilated(
    me: User, wait: str, faketime: str = "true"
) -> subprocess.CompletedProcess[str]:
    (me.folder / "clock.py").write_text(CLOCK.format(wait=wait))
    (me.folder / "clock.yaml").write_text(
        CLIENT.format(faketime=faketime, python=sys.executable)
    )
    (me.folder / "at-rest.yaml").write_text(SCENARIO)
    return me.call(
        "run", "./at-rest.yaml", "--client", "./clock.yaml", "--dilate", "10", "--json"
    )


def troubles(result: subprocess.CompletedProcess[str]) -> str:
    (run,) = json.loads(result.stdout)["runs"]
    return json.dumps(run.get("sut_verdicts", []))


def test_program_that_follows_is_run(me: User, faketime: None) -> None:
    assert "no-start" not in troubles(dilated(me, "time.sleep(seconds)"))


def test_program_that_does_not_follow_is_refused(me: User, faketime: None) -> None:
    outside = 'subprocess.run(["sleep", str(seconds)], env={})'
    said = troubles(dilated(me, outside))
    assert "no-start" in said
    assert "does not follow the dilated clock" in said


def test_program_that_answers_at_once_is_refused(me: User, faketime: None) -> None:
    assert "does not follow the dilated clock" in troubles(dilated(me, "pass"))


def test_program_without_faketime_is_refused_at_once(me: User) -> None:
    result = dilated(me, "time.sleep(seconds)", faketime="false")
    assert result.returncode == 2
    assert "does not say faketime: true" in result.stderr


def test_static_program_is_refused(me: User, faketime: None) -> None:
    (me.folder / "fixed.c").write_text("int main(void) { for (;;) continue; }\n")
    made = subprocess.run(
        ["cc", "-static", "-o", str(me.folder / "fixed"), str(me.folder / "fixed.c")],
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("no static C library")
    (me.folder / "fixed.yaml").write_text(STATIC)
    (me.folder / "at-rest.yaml").write_text(SCENARIO)
    result = me.call(
        "run", "./at-rest.yaml", "--server", "./fixed.yaml", "--dilate", "2", "--json"
    )
    assert "linked statically" in troubles(result)
