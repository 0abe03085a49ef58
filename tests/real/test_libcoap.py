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
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text())


def check_against_expected(tool: Chorus, capture: Path) -> None:
    result = tool.check(capture)
    run = result.runs[0]
    assert run.counts["unreadable_frames"] == 0
    assert run.counts["malformed_messages"] == 0
    assert run.counts["coap_messages"] >= 17
    assert run.counts["group_requests"] == 5
    assert run.counts["requests"] == 8
    assert run.counts["responses"] == 9
    found = {(r.id, r.verdict) for r in run.rules if r.verdict in ("fail", "warn", "error")}
    expected = {(e["rule"], e["verdict"]) for e in EXPECTED["findings"]}
    assert found == expected, result.describe()
    assert result.exit_code == (1 if any(v == "fail" for _, v in expected) else 0)


@pytest.mark.parametrize("capture", FIXTURES, ids=lambda file: file.name)
def test_captures_in_the_repository(tool: Chorus, capture: Path) -> None:
    check_against_expected(tool, capture)


def test_there_are_captures_in_the_repository() -> None:
    assert len(FIXTURES) == 8


def test_every_expected_finding_has_its_reason() -> None:
    for entry in EXPECTED["findings"]:
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
    check_against_expected(tool, getattr(captures[case], where))


@needs("ip")
def test_nothing_is_left_behind(captures: dict[tuple[int, bool], Captures]) -> None:
    left = list(Path("/run/netns").glob(f"chorus{os.getpid()}-*"))
    assert left == []
