# SPDX-License-Identifier: BSD-2-Clause
"""What changed between two results: broke, fixed, no longer exercised, newly exercised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chorus_reports.model import Results, Run
from chorus_reports.words import counted

# Verdicts that a maintainer would call broken.
_BAD = ("fail", "error")
# Verdicts that say something about the behaviour.
_DECIDED = ("pass", "warn", "inconclusive", "fail", "error", "waived")
_GRADES = ("pass", "waived", "warn", "inconclusive", "fail", "error")
KINDS = ("broke", "fixed", "no longer exercised", "newly exercised", "worse", "better")


@dataclass(frozen=True, order=True)
class Key:
    """What is compared: a rule on a node in a run, or the run itself (rule and node empty)."""

    scenario: str
    sut: str
    profile: str
    seed: str
    rule: str = ""
    node: str = ""

    def __str__(self) -> str:
        what = f"{self.rule} [{self.node}] in " if self.rule else ""
        return what + self.scenario + (f" ({self.sut})" if self.sut else "")


@dataclass(frozen=True)
class Change:
    kind: str
    key: Key
    old: str
    new: str
    message: str
    reproduce: str


@dataclass(frozen=True)
class Cell:
    verdict: str
    message: str
    reproduce: str


def _sut_name(run: Run, versions_differ: bool) -> str:
    """Without its version where each side has one version: a new version is what is compared."""
    return run.sut.partition(" ")[0] if versions_differ else run.sut


def _cells(results: Results, by_name: bool, by_seed: bool) -> dict[Key, Cell]:
    cells: dict[Key, Cell] = {}
    for run in results.runs:
        seed = str(run.seed) if by_seed and run.seed is not None else ""
        base = (run.scenario, _sut_name(run, by_name), run.profile, seed)
        items = [i for i in run.items if i.verdict in _BAD]
        message = items[0].text if items else ""
        cells[Key(*base)] = Cell(run.verdict, message, run.reproduce)
        for rule in run.rules:
            text = rule.findings[0].message if rule.findings else ""
            cells[Key(*base, rule.id, rule.node)] = Cell(rule.verdict, text, run.reproduce)
    return cells


def _suts(results: Results) -> set[str]:
    return {run.sut for run in results.runs}


def _several_seeds(results: Results) -> bool:
    """Whether the file has one scenario under several seeds: only then do seeds tell runs apart."""
    names = [(run.scenario, run.sut, run.profile) for run in results.runs]
    return len(set(names)) != len(names)


def kind_of(old: str, new: str, bad: Sequence[str] = _BAD) -> str:
    """What a change from |old| to |new| is called; "" for none. |bad|: what counts as broken."""
    before, after = old in _DECIDED, new in _DECIDED
    if old == new or not (before or after):
        return ""
    if new in bad and old not in bad:
        return "broke"
    if before and not after:
        return "no longer exercised"
    if after and not before:
        return "newly exercised"
    if old in bad and new not in bad:
        return "fixed"
    return "worse" if _GRADES.index(new) > _GRADES.index(old) else "better"


def compare(old: Results, new: Results) -> list[Change]:
    """Every change, by kind (worst news first) and then by name."""
    by_name = _suts(old) != _suts(new)
    by_seed = _several_seeds(old) or _several_seeds(new)
    before, after = _cells(old, by_name, by_seed), _cells(new, by_name, by_seed)
    nothing = Cell("not-exercised", "", "")
    changes = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key, nothing), after.get(key, nothing)
        kind = kind_of(was.verdict, now.verdict)
        if kind:
            changes.append(Change(kind, key, was.verdict, now.verdict, now.message, now.reproduce))
    return sorted(changes, key=lambda c: (KINDS.index(c.kind), c.key))


def _without_shadows(changes: list[Change]) -> Iterator[Change]:
    """Leaves a run's own change out where one of its rules tells the same."""
    told = {(c.kind, c.key.scenario, c.key.sut, c.key.seed) for c in changes if c.key.rule}
    for c in changes:
        if c.key.rule or (c.kind, c.key.scenario, c.key.sut, c.key.seed) not in told:
            yield c


def render(changes: Iterable[Change]) -> str:
    """The differences for people."""
    shown = list(_without_shadows(list(changes)))
    lines: list[str] = []
    for kind in KINDS:
        group = [c for c in shown if c.kind == kind]
        if not group:
            continue
        lines += ["", f"{kind} ({len(group)})"]
        for c in group:
            lines.append(f"  {c.key}: {c.old} -> {c.new}")
            if c.kind in ("broke", "worse") and c.message:
                lines.append(f"      {c.message}")
            if c.kind == "broke" and c.reproduce:
                lines.append(f"      reproduce: {c.reproduce}")
    counts = [counted(sum(c.kind == k for c in shown), k, k) for k in KINDS[:4]]
    return "\n".join([*lines[1:], *([""] if lines else []), ", ".join(counts)]) + "\n"


def as_json(changes: Iterable[Change]) -> dict[str, list[dict[str, str]]]:
    """The differences for programs: a list for each kind."""
    table: dict[str, list[dict[str, str]]] = {kind.replace(" ", "-"): [] for kind in KINDS}
    for c in changes:
        table[c.kind.replace(" ", "-")].append(
            {
                "scenario": c.key.scenario,
                "sut": c.key.sut,
                "profile": c.key.profile,
                "seed": c.key.seed,
                "rule": c.key.rule,
                "node": c.key.node,
                "old": c.old,
                "new": c.new,
                "message": c.message,
                "reproduce": c.reproduce,
            }
        )
    return table


def broke(changes: Iterable[Change]) -> bool:
    return any(c.kind == "broke" for c in changes)
