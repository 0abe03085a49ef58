# SPDX-License-Identifier: BSD-2-Clause
"""Holes of other suites, each fed to ours (docs/integrity.md): what must not look passed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chorus_pytest import Chorus, ChorusResult

BASE = """\
id: hole
title: A hole
about: A scenario of the tests.
covers: [{covers}]
network: {{ip: 6{network}}}
nodes:
  c1: {{role: client}}
  s1: {{role: server, groups: ["[ff35::1]:5683"], resources: {{/light: {{payload: "on"}}}}}}
  t1: {{role: tester}}
steps:
  - {{at: 0s, node: c1, request: {{id: q1, method: GET, uri: "coap://[ff35::1]/{path}"}}}}
{steps}expect:
  - {expect}
"""


def run(tool: Chorus, directory: Path, **parts: str) -> ChorusResult:
    words = {
        "covers": "GC-2.3.1-02",
        "network": "",
        "path": "light",
        "steps": "",
        "expect": "{request: q1, from: s1, each: 1}",
    } | parts
    file = directory / "hole.yaml"
    file.write_text(BASE.format(**words))
    return tool.run(str(file))


def items(result: ChorusResult, verdict: str) -> list[str]:
    return [i.kind for run in result.runs for i in run.items if i.verdict == verdict]


def test_the_base_passes(tool: Chorus, tmp_path: Path) -> None:
    """Else the tests below would show nothing."""
    run(tool, tmp_path).check_exit_code(0).check_passed().check_exercised("GC-2.3.1-02")


def test_w4_a_required_rule_that_is_not_exercised_is_an_error(tool: Chorus, tmp_path: Path) -> None:
    result = run(tool, tmp_path, covers="GC-2.3.1-02, GC-2.3.1-12")
    result.check_exit_code(3).check_verdict("error")
    assert items(result, "error") == ["required"]


def test_w13_a_silent_server_fails(tool: Chorus, tmp_path: Path) -> None:
    result = run(tool, tmp_path, path="not-there")
    result.check_exit_code(1).check_verdict("fail")
    assert items(result, "fail") == ["expectation"]


def test_w13_a_chatty_server_fails(tool: Chorus, tmp_path: Path) -> None:
    result = run(tool, tmp_path, expect="{never: {from: s1, type: NON}}")
    result.check_exit_code(1).check_verdict("fail")


def test_w18_an_impairment_that_touched_no_packet_is_an_error(tool: Chorus, tmp_path: Path) -> None:
    unused = ", impairments: [{from: c1, to: s1, drop: [40]}]"
    result = run(tool, tmp_path, network=unused)
    result.check_exit_code(3).check_verdict("error")
    assert items(result, "error") == ["harness"]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({}, 0),
        ({"path": "not-there"}, 1),
        ({"covers": "GC-0-00"}, 2),
        ({"covers": "GC-2.3.1-12"}, 3),
    ],
)
def test_w11_every_exit_code(
    tool: Chorus, tmp_path: Path, parts: dict[str, str], code: int
) -> None:
    run(tool, tmp_path, **parts).check_exit_code(code)


def test_w11_inconclusive_is_exit_4_when_strict(tool: Chorus, home: Path, tmp_path: Path) -> None:
    """Whether a server has to answer a stranger that relaxes suppression stays undecided."""
    scenario = home / "scenarios/server/no-response-relaxed-for-strangers.yaml"
    file = tmp_path / "undecided.yaml"
    file.write_text(re.sub(r"(?m)^covers: .*", "covers: [NR-04]", scenario.read_text()))
    tool.run(str(file)).check_exit_code(0).check_verdict("inconclusive")
    tool.run(str(file), strict=True).check_exit_code(4)


CUT = "network: {name: cut, from: c1, to: s1, loss: 100%}"


def test_a_repair_ends_all_impairments_of_that_name(tool: Chorus, tmp_path: Path) -> None:
    """The second outage has the name of the first; after its repair requests arrive again."""
    steps = f"""\
  - {{at: 10s, {CUT}}}
  - {{at: 11s, node: c1, request: {{id: lost, uri: "coap://[ff35::1]/light"}}}}
  - {{at: 20s, repair: cut}}
  - {{at: 30s, {CUT}}}
  - {{at: 31s, node: c1, request: {{id: also-lost, uri: "coap://[ff35::1]/light"}}}}
  - {{at: 40s, repair: cut}}
  - {{at: 41s, node: c1, request: {{id: heard, uri: "coap://[ff35::1]/light"}}}}
"""
    expect = "{request: heard, from: s1, each: 1}\n  - {request: '*lost', times: 0}"
    run(tool, tmp_path, steps=steps, expect=expect).check_exit_code(0).check_passed()


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("{request: q1, from: [t1, s1], times: 1}", 0),
        ("{request: q1, from: [t1, s1], each: 1}", 1),
        ("{packet: {from: [s1, t1], to: [c1]}, times: 1}", 0),
        ("{event: execute, node: [c1, t1]}", 1),
    ],
)
def test_expectations_take_lists_of_nodes(
    tool: Chorus, tmp_path: Path, expect: str, code: int
) -> None:
    run(tool, tmp_path, expect=expect).check_exit_code(code)


def test_a_lost_request_is_drawn_and_the_expectation_fails(tool: Chorus, tmp_path: Path) -> None:
    lossy = ", impairments: [{from: c1, to: s1, drop: [1]}]"
    result = run(tool, tmp_path, network=lossy).check_exit_code(1)
    lost = [d for m in result.runs[0].trace for d in m.deliveries if d.lost]
    assert [(d.node, d.clause) for d in lost] == [("s1", "5")]


# ---- W20: waivers ----

WAIVER = """\
- rule: {rule}
  sut: {sut}
  versions: "{versions}"
  reason: known, and being worked on
  link: https://example.org/issues/1
  expires: {expires}
"""


def waived(tool: Chorus, directory: Path, **parts: str) -> ChorusResult:
    """The passing base under a waiver, which therefore cannot be right."""
    words = {"rule": "GC-2.3.1-02", "sut": "chorus-reference", "versions": "*"} | parts
    file = directory / "waivers.yaml"
    file.write_text(WAIVER.format(**{"expires": "2099-12-31", **words}))
    scenario = directory / "hole.yaml"
    scenario.write_text(
        BASE.format(
            covers="GC-2.3.1-02", network="", path="light", steps="",
            expect="{request: q1, from: s1, each: 1}",
        )
    )  # fmt: skip
    return tool.run(str(scenario), waivers=file, today="2026-01-01")


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({}, "the rule passes"),
        ({"sut": "somebody-else"}, "used by nothing"),
        ({"expires": "2025-12-31"}, "expired"),
    ],
)
def test_w20_a_waiver_that_outlived_its_reason_fails_the_run(
    tool: Chorus, tmp_path: Path, parts: dict[str, str], problem: str
) -> None:
    result = waived(tool, tmp_path, **parts).check_exit_code(1)
    told = json.loads(result.stdout)["summary"]["waivers"]
    assert [w["problem"] for w in told] == [problem]
    assert result.results
    assert [w.problem for w in result.results.waivers] == [problem]


@pytest.mark.parametrize("missing", ["rule", "reason", "link", "expires"])
def test_w20_a_waiver_without_reason_link_or_end_is_refused(
    tool: Chorus, tmp_path: Path, missing: str
) -> None:
    text = WAIVER.format(rule="NR-02", sut="x", versions="*", expires="2099-12-31")
    lines = [line for line in text.splitlines() if not line.strip(" -").startswith(missing)]
    lines[0] = "- " + lines[0].strip(" -")
    file = tmp_path / "waivers.yaml"
    file.write_text("\n".join(lines) + "\n")
    tool.call("run", "--waivers", str(file)).check_exit_code(2).check_stderr(missing)


def test_w20_a_waiver_for_a_rule_that_does_not_exist_is_refused(
    tool: Chorus, tmp_path: Path
) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(WAIVER.format(rule="NO-1-01", sut="x", versions="*", expires="2099-12-31"))
    tool.call("run", "--waivers", str(file)).check_exit_code(2).check_stderr("NO-1-01")
