# SPDX-License-Identifier: BSD-2-Clause
"""Small things that several reports say in the same way."""

from __future__ import annotations

import difflib
import functools
import re
from collections import Counter
from collections.abc import Iterable

from chorus_reports.model import RuleText

SECOND = 1_000_000_000
# Times of captures made elsewhere are since the epoch; those of runs are since their start.
EPOCH_FROM = 10**17


def duration(ns: int) -> str:
    """Nanoseconds as people write them: "12 ns", "3.2 ms", "5.000 s", "4 min 10 s"."""
    if ns < 1_000:
        return f"{ns} ns"
    if ns < 1_000_000:
        return f"{ns / 1_000:.3g} µs"
    if ns < SECOND:
        return f"{ns / 1_000_000:.3g} ms"
    if ns < 120 * SECOND:
        return f"{ns / SECOND:.3f} s"
    return f"{ns // (60 * SECOND)} min {ns / SECOND % 60:.0f} s"


def moment(ns: int, start: int = 0) -> str:
    """A time as seconds with milliseconds after |start|."""
    return f"{(ns - start) / SECOND:.3f} s"


def counted(number: int, word: str, plural: str = "") -> str:
    """Says "1 run", "2 runs"."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def tally(verdicts: Iterable[str], order: Iterable[str]) -> list[tuple[str, int]]:
    """How often each verdict occurs, in |order|, those that occur only."""
    counts = Counter(verdicts)
    return [(v, counts[v]) for v in order if counts[v]]


@functools.cache
def section_key(section: str) -> tuple[tuple[int, str], ...]:
    """Sorts sections as the document does: 2.3.2 before 2.3.10, appendices last."""
    parts = re.findall(r"\d+|[A-Za-z]+", section)
    return tuple((int(p), "") if p.isdigit() else (10**6, p) for p in parts)


def marked(text: str, other: str) -> list[tuple[str, bool]]:
    """|text| cut in pieces; True: the piece does not stand in |other|."""
    mine, theirs = re.findall(r"\s+|\S+", text), re.findall(r"\s+|\S+", other)
    matcher = difflib.SequenceMatcher(a=mine, b=theirs, autojunk=False)
    if matcher.ratio() < 0.4:  # two different sentences: marks would only disturb
        return [(text, False)]
    pieces = []
    for tag, a, b, _, _ in matcher.get_opcodes():
        if a < b:
            pieces.append(("".join(mine[a:b]), tag != "equal"))
    return pieces


def rule_name(rule: RuleText) -> str:
    """Id and title; the id alone where the results do not hold the catalogue's words."""
    return rule.id if rule.title == rule.id else f"{rule.id} {rule.title}"


def slug(name: str) -> str:
    """|name| as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", name).strip("-.") or "run"
