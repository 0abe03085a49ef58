# SPDX-License-Identifier: BSD-2-Clause
"""A resource has one path, however a file writes it: scenario, events, statement, links."""

from __future__ import annotations

import json
from pathlib import Path

from chorus_pytest import Chorus

SCENARIO = """\
id: percent
title: Paths that need percent-encoding
network: {groups: {$g: {4: 239.255.0.1, 6: "[ff35::1]"}}}
nodes:
  c1: {role: client}
  t: {role: tester, groups: [$g], answers: [{when: {path: /t%20t}, message: {code: 2.05}}]}
  s:
    role: server
    count: 2
    groups: [$g]
    leisure: 1s
    resources: {"/a b": {payload: x}, /é: {payload: y}, "/x%2Fy": {payload: z}, /%75: {}}
steps:
  - {at: 1s, node: c1, request: {id: q1, uri: "coap://$g/a%20b"}}
  - {at: 10s, node: c1, request: {id: q2, uri: "coap://$g/%c3%a9?q=1%262"}}
  - {at: 20s, node: c1, request: {id: q3, uri: "coap://$g/x%2fy"}}
  - {at: 30s, node: c1, request: {id: q4, uri: "coap://$g/x/y"}}
  - {at: 50s, node: c1, request: {id: q5, uri: "coap://$s1/.well-known/core"}}
  - {at: 80s, node: s1, set: {path: "/a b", payload: n}}
  - {at: 81s, node: t, send: {to: $s1, message: {code: GET, token: "01", uri-path: "/a%20b"}}}
  - {at: 90s, node: c1, request: {id: q6, uri: "coap://$g/t t"}}
expect:
  - {request: q1, from: s, each: 1, payload: x}
  - {request: q2, from: s, each: 1, payload: y}
  - {request: q3, from: s, each: 1, payload: z}
  - {request: q4, from: s, times: 0, code: 2.05}
  - {request: q5, times: 1, payload: "</a%20b>,</%C3%A9>,</x%2Fy>,</u>"}
  - {request: q6, from: t, times: 1}
  - {executes: {node: s1, path: "/%61 b", times: 2}}
  - {event: state, node: s1, path: "/a%20b", times: 1}
  - {event: request, path: "/é?q=1%262", times: 1}
  - {packet: {from: c1, path: "/é"}, times: 1}
"""


def test_one_resource_whatever_its_spelling(tool: Chorus, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SCENARIO, encoding="utf-8")
    result = tool.call("run", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stdout
    lines = (tmp_path / "out" / "percent.jsonl").read_text(encoding="utf-8").splitlines()
    paths = {event["path"] for event in map(json.loads, lines) if "path" in event}
    assert paths == {
        "/a%20b",
        "/%C3%A9?q=1%262",
        "/x%2Fy",
        "/x/y",
        "/.well-known/core",
        "/t%20t",
    }


def test_a_statement_names_it_as_it_likes(tool: Chorus, tmp_path: Path) -> None:
    """It says that one resource refuses groups, and the capture shows that it does not."""
    (tmp_path / "a.yaml").write_text(SCENARIO, encoding="utf-8")
    tool.call("run", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "out"))
    capture = tmp_path / "out" / "percent.pcapng"
    for path, code in (("/a b", 1), ("/%61%20b", 1), ("/other", 0)):
        ics = tmp_path / "ics.yaml"
        ics.write_text(f's1: {{resources: {{"{path}": {{multicast: false}}}}}}\n', encoding="utf-8")
        result = tool.call("check", str(capture), "--ics", str(ics), "--strict")
        assert result.exit_code == code, (path, result.stdout[-2000:])
