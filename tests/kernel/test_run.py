# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios on the real network: verdicts, ends of all kinds, and what is left behind."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from chorus_pytest import Chorus

from .lab import Lab, ended, left_of, links, processes_in, spaces_of, wait_for_spaces

SHORT = ["unicast-get", "group-get", "group-fragmented", "unaware-server-resets"]
LONG = "token-freed-after-first-response"

Verdicts = dict[tuple[str, ...], str]


def verdicts(results: dict[str, Any]) -> Verdicts:
    """What was decided: runs, and the rules of each that said yes or no."""
    found: Verdicts = {}
    for run in results["runs"]:
        found[(run["scenario"],)] = run["verdict"]
        for rule in run["rules"]:
            if rule["verdict"] in ("pass", "fail"):
                found[(run["scenario"], rule["id"], rule["node"])] = rule["verdict"]
    return found


def test_verdicts_are_those_of_the_simulator(lab: Lab) -> None:
    simulated = lab.call("run", *SHORT, "--json")
    real = lab.call("run", *SHORT, "--json", "--backend", "kernel")
    assert (simulated.returncode, real.returncode) == (0, 0), real.stderr
    expected = verdicts(json.loads(simulated.stdout))
    assert len(expected) > 50
    assert verdicts(json.loads(real.stdout)) == expected


@pytest.mark.parametrize("attach", ["tap", "packet"])
def test_the_attachment_can_be_chosen(lab: Lab, attach: str) -> None:
    done = lab.call("run", "unicast-get", "--json", "--backend", "kernel", "--attach", attach)
    if attach == "tap" and "/dev/net/tun" in done.stdout + done.stderr:
        pytest.skip("/dev/net/tun is closed to this user")
    assert done.returncode == 0, done.stdout


def test_dilated_time_is_faster(lab: Lab) -> None:
    """The reference follows: 30 s and more of virtual time take a tenth, with the same verdict."""
    start = time.monotonic()
    done = lab.call("run", LONG, "--backend", "kernel", "--dilate", "10", "--json")
    passed = time.monotonic() - start
    assert done.returncode == 0, done.stdout
    runs = json.loads(done.stdout)["runs"]
    assert [run["verdict"] for run in runs] == ["pass"] * len(runs)
    assert passed < 20


def test_a_kill_leaves_nothing(lab: Lab) -> None:
    before = links()
    out = str(lab.folder / "out")
    with lab.started("run", LONG, "--backend", "kernel", "--out", out) as process:
        spaces = wait_for_spaces(process, 4)
        holders = processes_in(spaces)
        process.send_signal(signal.SIGKILL)
        assert ended(process.pid, 5)
        process.wait()
    assert left_of(holders, spaces) == set()
    assert links() - before == set()


def test_an_interrupt_ends_with_130_and_a_capture(lab: Lab, tool: Chorus) -> None:
    out = lab.folder / "out"
    with lab.started("run", LONG, "--backend", "kernel", "--out", str(out)) as process:
        wait_for_spaces(process, 4)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130, errors
    captures = sorted(out.glob("*.pcapng"))
    assert captures
    assert all(tool.check(capture).exit_code in (0, 1) for capture in captures)
    assert json.loads((out / "results.json").read_text())["runs"]


def test_nothing_is_left_after_the_end(lab: Lab) -> None:
    before = links()
    out = str(lab.folder / "out")
    with lab.started("run", "unicast-get", "--backend", "kernel", "--out", out) as process:
        spaces = wait_for_spaces(process, 2)
        holders = processes_in(spaces)
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert spaces_of(process.pid) == set()
    assert left_of(holders, spaces) == set()
    assert links() - before == set()
