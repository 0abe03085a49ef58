# SPDX-License-Identifier: BSD-2-Clause
"""docs/integrity.md: every hole has its row, and every test that a row names is there."""

from __future__ import annotations

import re
from pathlib import Path


def rows(home: Path) -> dict[str, list[str]]:
    """The tests in the last column, by hole."""
    text = (home / "docs/integrity.md").read_text()
    found = re.findall(r"^\| (W\d+): .* \| ([^|]+) \|$", text, re.MULTILINE)
    return {hole: re.findall(r"`([^`]+)`", tests) for hole, tests in found}


def test_every_hole_has_a_row(home: Path) -> None:
    assert list(rows(home)) == [f"W{number}" for number in range(1, 26)]


def test_every_test_of_a_row_is_there(home: Path) -> None:
    sources = [*(home / "tests").rglob("*.py"), *(home / "tests/unit").rglob("*.c")]
    texts = "\n".join(file.read_text() for file in sources)
    defined = set(re.findall(r"^(?:def |START_TEST\()(\w+)", texts, re.MULTILINE))
    for hole, tests in rows(home).items():
        assert tests, hole
        for test in tests:
            assert test in defined or (home / test).is_file(), f"{hole}: {test}"
