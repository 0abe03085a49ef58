# SPDX-License-Identifier: BSD-2-Clause
"""Debian's libcoap programs on a real bridge, judged from captures that know nothing of Chorus.

expected.json lists every finding, each with the reason checked by hand against the text. The
captures under tests/captures are judged the same way without root.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from libcoap import CLIENT, SERVER, Captures, make_captures
from machine import needs

from chorus_pytest import Chorus

pytestmark = pytest.mark.xdist_group("real")
CASES = [(ip, snooping) for ip in (4, 6) for snooping in (False, True)]
FIXTURES = sorted((Path(__file__).parent.parent / "captures").glob("libcoap-*.pcap*"))
# 8 requests of one client and 7 of the other: libcoap's client sends no CON to a group.
SENT = {"coap_messages": 33, "requests": 15, "group_requests": 9, "responses": 15}
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text())


def check_against_expected(tool: Chorus, capture: Path, where: str) -> None:
    """Everything that was sent was read, and what was found is what was expected, no more."""
    result = tool.check(capture)
    run = result.runs[0]
    for kind in ("unreadable_frames", "damaged_frames", "malformed_messages", "icmp_errors"):
        assert run.counts[kind] == 0, kind
    if where == "bridge":
        shown = {k: run.counts[k] for k in SENT}
        assert shown == SENT
    else:
        assert run.counts["responses"] == 9
        assert run.counts["group_requests"] >= 5
    found = {(r.id, r.verdict) for r in run.rules if r.verdict in ("fail", "warn", "error")}
    expected = {(e["rule"], e["verdict"]) for e in EXPECTED[where]}
    assert found == expected, result.describe()
    result.check_exit_code(1 if any(verdict == "fail" for _, verdict in expected) else 0)
    result.check_rule("GC-2.3.1-02").check_rule("COAP-5.3.1-01").check_rule("GC-2.3.1-20")


@pytest.mark.parametrize("capture", FIXTURES, ids=lambda file: file.name)
def test_captures_in_the_repository(tool: Chorus, capture: Path) -> None:
    check_against_expected(tool, capture, capture.stem.rpartition("-")[2])


def test_there_are_captures_in_the_repository() -> None:
    assert len(FIXTURES) == 8


def test_every_expected_finding_has_its_reason() -> None:
    for entry in EXPECTED["bridge"] + EXPECTED["client"]:
        assert len(entry["reason"].split()) >= 10, entry


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, bool], Captures]:
    """Four networks at the same time: each waits for Leisure most of its life."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
    directories = [tmp_path_factory.mktemp("lab") for _ in CASES]
    with ThreadPoolExecutor(len(CASES)) as pool:
        made = pool.map(make_captures, *zip(*CASES, strict=True), directories)
        return dict(zip(CASES, made, strict=True))


@needs(SERVER, CLIENT, "ip", "tcpdump", "setpriv", "ss", "sysctl")
@pytest.mark.parametrize("where", ["bridge", "client"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"ipv{c[0]}-snooping-{int(c[1])}")
def test_live(
    tool: Chorus, captures: dict[tuple[int, bool], Captures], case: tuple[int, bool], where: str
) -> None:
    check_against_expected(tool, getattr(captures[case], where), where)


@needs("ip")
def test_nothing_is_left_behind(captures: dict[tuple[int, bool], Captures]) -> None:
    left = list(Path("/run/netns").glob(f"chorus{os.getpid()}-*"))
    assert left == []
