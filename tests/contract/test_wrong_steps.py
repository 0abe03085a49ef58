# SPDX-License-Identifier: BSD-2-Clause
"""What the loader can know of a scenario's faults is told before anything runs, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from chorus_pytest import Chorus

HEAD = """\
id: tiny
title: One server answers
about: A scenario of the tests.
parameters: {scheme: coap, path: /light}
nodes:
  c1: {role: client}
  s1: {role: server, groups: ["[ff35::1]"], resources: {/light: {payload: "on"}}}
steps:
  - {at: 0s, node: c1, request: {id: q1, uri: "$scheme://[ff35::1]/light"}}
  - {at: 1s, node: s1, set: {path: $path, payload: "off"}}
"""
TAIL = """\
expect:
  - {request: q1, from: s1, each: 1}
"""

FAULTS = [
    ("c1, request: {id: q2, uri: 'http://[ff35::1]/a'}", ":11:47:", "coap://"),
    ("c1, request: {id: q2, uri: 'coap://example.org/a'}", ":11:47:", "no DNS"),
    ("c1, request: {id: q2, uri: 'coap://[ff35::1]:65536/a'}", ":11:47:", "1 to 65535"),
    ("c1, request: {id: q2, uri: 'coap://192.0.2.1/a'}", ":11:47:", "network.ip is 6"),
    ("c1, repeat: {of: q1, to: '[ff35::1]'}", ":11:45:", "is a group"),
    ("c1, restart: {port: 5684}", ":11:40:", "5684"),
    ("s1, restart: {port: 7000}", ":11:40:", "only clients"),
    ("s1, set: {path: /ligth, payload: a}", ":11:36:", 'did you mean "/light"?'),
    ("s1, leave: {group: '[ff35::2]'}", ":11:5:", "no member"),
    ("s1, join: {group: '[2001:db8::9]'}", ":11:38:", "no multicast address"),
    ("s1, forget: {of: q1}", ":11:32:", 'knows no "forget"'),
]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(("step", "place", "told"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_step_that_no_node_could_take_is_exit_2(
    tool: Chorus, tmp_path: Path, step: str, place: str, told: str
) -> None:
    file = write(tmp_path / "wrong.yaml", f"{HEAD}  - {{at: 1s, node: {step}}}\n{TAIL}")
    result = tool.call("run", str(file)).check_exit_code(2)
    assert f"wrong.yaml{place}" in result.stderr
    assert told in result.stderr
    assert result.stdout == ""


def test_without_the_fault_it_passes(tool: Chorus, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    tool.run(str(write(tmp_path / "right.yaml", HEAD + TAIL))).check_passed()


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("scheme=http", ":9:47:"),
        ("path=/ligth", ":10:36:"),
        ("steps.1.at=1", ":9:10:"),
        ("nodes.s1.leisur=1s", ":7:7:"),
    ],
)
def test_values_of_set_and_sweep_are_checked_where_they_are_used(
    tool: Chorus, tmp_path: Path, setting: str, place: str
) -> None:
    file = write(tmp_path / "set.yaml", HEAD + TAIL)
    result = tool.call("run", str(file), "--set", setting).check_exit_code(2)
    assert f"set.yaml{place}" in result.stderr
    key, _, value = setting.partition("=")
    good = {"scheme": "coap", "path": "/light", "steps.1.at": "0s", "nodes.s1.leisur": "1s"}[key]
    swept = write(tmp_path / "swept.yaml", f"{HEAD}{TAIL}sweep: {{{key}: [{good}, {value}]}}\n")
    result = tool.call("run", str(swept)).check_exit_code(2)
    lines = swept.read_text(encoding="utf-8").splitlines()
    if "." in key:  # a place in the file: what is wrong stands in the sweep alone
        place = f":{len(lines)}:"
    assert f"swept.yaml{place}" in result.stderr


def test_a_stack_under_test_may_have_resources_of_its_own(
    tool: Chorus, tmp_path: Path, home: Path
) -> None:
    file = write(tmp_path / "own.yaml", (HEAD + TAIL).replace("path: /light}", "path: /own}"))
    tool.call("run", str(file)).check_exit_code(2).check_stderr("no resource /own")
    stack = home / "examples/stdio-server/manifest.yaml"
    tried = tool.run(str(file), sut=str(stack))
    assert "no resource /own" not in tried.stderr
    assert [run.verdict for run in tried.runs] == ["error"]  # this stack has none: it says so


def test_a_rule_that_nothing_looks_for_cannot_be_covered(tool: Chorus, tmp_path: Path) -> None:
    planned = next(rule for rule in tool.listing("rules") if rule["status"] == "planned")
    file = write(tmp_path / "planned.yaml", f"{HEAD}{TAIL}covers: [{planned['id']}]\n")
    result = tool.call("run", str(file)).check_exit_code(2)
    assert "planned.yaml:13:10:" in result.stderr
    assert "not implemented" in result.stderr


@pytest.mark.parametrize(
    ("topology", "told"),
    [
        ("{nodes: {a: {}}, network: {mtu: 65522}}", 'net.yaml:1:33: "65522" is not a number'),
        ("nodes: {a: {addresses: ['::1']}}", "net.yaml:1:9: a cannot have the address ::1"),
        ("nodes: {a: {addresses: ['2001:db8::1', '2001:db8::1']}}", "net.yaml:1:9: a cannot have"),
        (
            "nodes: {a: {groups: ['2001:db8::1']}}",
            "net.yaml:1:22: [2001:db8::1]:5683 is no multicast",
        ),
    ],
)
def test_what_no_network_could_be_made_of_is_exit_2(
    tool: Chorus, tmp_path: Path, topology: str, told: str
) -> None:
    """Before any namespace is made, so that it needs none."""
    file = write(tmp_path / "net.yaml", topology + "\n")
    result = tool.call("emulate", str(file), "--", "true").check_exit_code(2)
    assert told in result.stderr
