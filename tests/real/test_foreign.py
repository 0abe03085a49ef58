# SPDX-License-Identifier: BSD-2-Clause
"""Captures of aiocoap, node-coap, go-coap, Californium and libcoap: exactly what is wrong is found.

tests/captures/README.md says how they were made; foreign.json lists the findings with their frames,
each checked by hand against the text. Needs neither the stacks nor root.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chorus_pytest import Chorus

CAPTURES = Path(__file__).parent.parent / "captures"
EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "foreign.json").read_text())
CASES = [(name, profile) for name, by in EXPECTED["captures"].items() for profile in by]


@pytest.mark.parametrize(("name", "profile"), CASES, ids=[f"{n}-{p}" for n, p in CASES])
def test_findings(tool: Chorus, name: str, profile: str) -> None:
    result = tool.check(CAPTURES / name, profile=profile)
    found = sorted(
        [r.id, r.verdict, r.node, " ".join(str(f.frame) for f in r.findings)]
        for r in result.runs[0].rules
        if r.verdict in ("fail", "warn", "error")
    )
    assert found == EXPECTED["captures"][name][profile], result.describe()
    result.check_exit_code(1)
    assert result.runs[0].counts["unreadable_frames"] == 0


def test_every_finding_has_its_reason() -> None:
    found = {row[0] for by in EXPECTED["captures"].values() for rows in by.values() for row in rows}
    assert found == set(EXPECTED["reasons"])
