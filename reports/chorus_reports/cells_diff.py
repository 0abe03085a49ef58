# SPDX-License-Identifier: BSD-2-Clause
"""What changed between two sets of cells, where one of them says what is expected.

Unlike the plain comparison of two results, everything unexpected counts: what broke, what got
fixed (a baseline that still expects the fault is wrong) and what is no longer exercised. A broken
SHOULD is a finding like any other. Statistical rules are told, and never count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chorus_reports.cells import OURS, Cells, Key
from chorus_reports.diff import KINDS, kind_of
from chorus_reports.words import counted, section_key

COUNTING = ("broke", "fixed", "no longer exercised")
_BAD = ("warn", "fail", "error")
# Names that are listed before the rest is counted only.
SHOWN_SCENARIOS = 6
SHOWN_NEW = 12


@dataclass(frozen=True)
class Change:
    kind: str
    key: Key
    old: str
    new: str
    message: str
    reproduce: str
    statistical: bool

    @property
    def counts(self) -> bool:
        return self.kind in COUNTING and not self.statistical


def _kind(old: str, new: str) -> str:
    """As for plain results; and one finding is not as good as another."""
    if old != new and old in _BAD and new in _BAD:
        return "broke" if _BAD.index(new) > _BAD.index(old) else "fixed"
    return kind_of(old, new, _BAD)


def compare(old: Cells, new: Cells) -> list[Change]:
    """Every change: by kind (worst news first), then by stack, rule and scenario."""
    statistical = old.statistical | new.statistical
    changes = []
    for key in old.verdicts.keys() | new.verdicts.keys():
        was = old.verdicts.get(key, "not-exercised")
        now = new.verdicts.get(key, "not-exercised")
        kind = _kind(was, now)
        if kind:
            message, reproduce = new.told.get(key, ("", ""))
            change = Change(kind, key, was, now, message, reproduce, key.rule in statistical)
            changes.append(change)
    return sorted(changes, key=_order)


def _order(c: Change) -> tuple[object, ...]:
    k = c.key
    return (KINDS.index(c.kind), k.stack, k.role, section_key(k.rule), k.rule, k)


_RunName = tuple[str, str, str]  # stack or pair, role, scenario


def _runs(cells: Cells, *, unsupported: bool) -> set[_RunName]:
    """What was run, or was not because the manifest forbids it."""
    return {
        (k.stack, k.role, k.scenario)
        for k, verdict in cells.verdicts.items()
        if k.rule == "run" and (verdict == "unsupported") == unsupported
    }


class _Told:
    """Which changes belong to runs that one side does not have at all: told in one line each."""

    def __init__(self, old: Cells, new: Cells) -> None:
        before, after = _runs(old, unsupported=False), _runs(new, unsupported=False)
        self.gone = before - after
        self.come = after - before
        self.refused = self.gone & _runs(new, unsupported=True)

    def lines(self, kind: str) -> dict[str, list[str]]:
        """By seat: the scenarios that only one side has."""
        if kind == "newly exercised":
            return _run_lines((self.come, "run now"))
        if kind == "no longer exercised":
            gone = self.gone - self.refused
            return _run_lines((gone, "not run any more"), (self.refused, "unsupported now"))
        return {}

    def whole(self, c: Change) -> bool:
        """Whether |c| needs no line of its own."""
        role = "pair" if c.key.pair else c.key.role
        run = (c.key.pair or c.key.stack, role, c.key.scenario)
        if c.kind == "no longer exercised":
            return run in self.gone
        return c.kind == "newly exercised" and run in self.come


def _listed(names: Iterable[str]) -> str:
    names = list(dict.fromkeys(names))
    shown = ", ".join(names[:SHOWN_SCENARIOS])
    left = len(names) - SHOWN_SCENARIOS
    return shown + (f" and {left} more" if left > 0 else "")


def _where(c: Change) -> str:
    return c.key.scenario + (f" ({c.key.pair})" if c.key.pair else "")


def _alike(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Changes of one rule that differ in their scenario only."""
    groups: dict[tuple[str, ...], list[Change]] = {}
    for c in changes:
        key = (c.key.stack, c.key.role, c.key.rule, c.key.nodes, c.old, c.new)
        groups.setdefault(key, []).append(c)
    yield from groups.values()


def _rule_lines(group: list[Change]) -> list[str]:
    first = group[0]
    nodes = f" [{first.key.nodes}]" if first.key.nodes else ""
    line = f"    {first.key.rule}{nodes}: {first.old} -> {first.new}"
    if first.key.scenario:
        several = f" in {counted(len(group), 'scenario')}:" if len(group) > 1 else " in"
        line += f"{several} {_listed(_where(c) for c in group)}"
    lines = [line]
    if first.kind in ("broke", "worse"):
        lines += [f"        {first.message}"] * bool(first.message)
        lines += [f"        reproduce: {first.reproduce}"] * bool(first.reproduce)
    return lines


def _run_lines(*told: tuple[set[_RunName], str]) -> dict[str, list[str]]:
    by_seat: dict[str, list[str]] = {}
    for runs, what in told:
        names: dict[str, list[str]] = {}
        for stack, role, scenario in sorted(runs):
            names.setdefault(stack if role == "pair" else f"{stack} {role}", []).append(scenario)
        for seat, listed in names.items():
            line = f"    {counted(len(listed), 'scenario')} {what}: {_listed(listed)}"
            by_seat.setdefault(seat, []).append(line)
    return by_seat


def _section(title: str, changes: Sequence[Change], runs: dict[str, list[str]]) -> list[str]:
    seats: dict[str, list[str]] = {seat: list(lines) for seat, lines in runs.items()}
    limit = SHOWN_NEW if title.startswith(("newly", "better")) else len(changes)
    for n, group in enumerate(_alike(changes)):
        lines = seats.setdefault(group[0].key.seat, [])
        if n < limit:
            lines += _rule_lines(group)
    left = max(len(list(_alike(changes))) - limit, 0)
    told = [line for seat in sorted(seats) for line in (f"  {seat}", *seats[seat]) if seats[seat]]
    if not told:
        return []
    return ["", title, *told, *([f"  and {left} more"] if left else [])]


def _versions(old: Cells, new: Cells) -> list[str]:
    lines = []
    for stack in sorted(old.stacks.keys() | new.stacks.keys()):
        was, now = old.stacks.get(stack), new.stacks.get(stack)
        if was is not None and now is None:
            why = new.absent.get(stack)
            lines.append(
                f"{stack}: not in {new.path}" + (f" (not available: {why})" if why else "")
            )
        elif was is None:
            lines.append(f"{stack} {now}: not in {old.path}")
        elif was != now:
            lines.append(f"{stack}: version {was or '?'} -> {now or '?'}")
    if old.profile and new.profile and old.profile != new.profile:
        lines.append(f"profile: {old.profile} -> {new.profile}")
    if old.backend and new.backend and old.backend != new.backend:
        lines.append(f"backend: {old.backend} -> {new.backend}")
    return lines


def _totals(changes: Sequence[Change]) -> list[str]:
    """A line for each stack, then one for all."""
    counting = [c for c in changes if not c.statistical]

    def line(some: Sequence[Change]) -> str:
        return ", ".join(f"{sum(c.kind == kind for c in some)} {kind}" for kind in KINDS[:4])

    stacks = sorted({c.key.stack for c in counting if c.kind in KINDS[:4]})
    lines = [f"{stack}: {line([c for c in counting if c.key.stack == stack])}" for stack in stacks]
    statistical = len(changes) - len(counting)
    more = f"; {statistical} statistical, not counted" if statistical else ""
    return [*lines, *([f"all: {line(counting)}{more}"] if lines or more else [line(counting)])]


def render(changes: Sequence[Change], old: Cells, new: Cells) -> str:
    """The differences for people."""
    told = _Told(old, new)
    lines = _versions(old, new)
    for kind in KINDS:
        group = [c for c in changes if c.kind == kind and not c.statistical]
        hint = ": the baseline expects a fault that is gone" if kind == "fixed" else ""
        single = [c for c in group if not told.whole(c)]
        lines += _section(f"{kind} ({counted(len(group), 'cell')}){hint}", single, told.lines(kind))
    statistical = [c for c in changes if c.statistical and not told.whole(c)]
    title = f"statistical, told but not counted ({counted(len(statistical), 'cell')})"
    lines += _section(title, statistical, {})
    if any(c.key.stack == OURS for c in changes):
        lines += ["", f"{OURS}: findings of the reference are errors of Chorus, not of a stack"]
    lines += ["", *_totals(changes)]
    return "\n".join(lines).lstrip("\n") + "\n"


def as_json(changes: Iterable[Change]) -> dict[str, list[dict[str, object]]]:
    """The differences for programs: a list for each kind, and one for the statistical rules."""
    table: dict[str, list[dict[str, object]]] = {k.replace(" ", "-"): [] for k in KINDS}
    table["statistical"] = []
    for c in changes:
        entry: dict[str, object] = {
            "scenario": c.key.scenario,
            "sut": c.key.stack,
            "role": c.key.role,
            "pair": c.key.pair,
            "rule": c.key.rule,
            "node": c.key.nodes,
            "old": c.old,
            "new": c.new,
            "message": c.message,
            "reproduce": c.reproduce,
        }
        if c.statistical:
            table["statistical"].append(entry | {"kind": c.kind})
        else:
            table[c.kind.replace(" ", "-")].append(entry)
    return table


def unexpected(changes: Iterable[Change]) -> bool:
    """Whether anything differs that counts."""
    return any(c.counts for c in changes)
