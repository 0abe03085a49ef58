# SPDX-License-Identifier: BSD-2-Clause
"""Results as cells, for comparison and for the baselines that CI keeps.

A cell is a rule on the nodes of one family (s1, s2, ...: "s") of a stack in a role, in a scenario
with its parameters; or one of the things beside the rules (see evidence.py). A baseline holds the
cells that are not simply pass, and which ones were exercised: sorted, one entry a line.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chorus_reports import evidence
from chorus_reports.evidence import BAD, PAIR, REFERENCE, Evidence, Names, Seat
from chorus_reports.model import (
    RULE_VERDICTS,
    BadResults,
    Reader,
    Results,
    Run,
    decoded,
    read,
    worst_rule,
)
from chorus_reports.words import section_key

FORMAT = 1
MARK = "chorus-baseline"
# The stack under which findings of the reference are told: errors of ours.
OURS = f"{REFERENCE} (ours)"


@dataclass(frozen=True, order=True)
class Key:
    """Of a cell. |pair|: "client > server" where the stack was one side of a pair."""

    stack: str
    role: str
    pair: str
    scenario: str
    rule: str
    nodes: str

    @property
    def seat(self) -> str:
        return str(Seat(self.stack, self.role))

    @property
    def involved(self) -> set[str]:
        """The stacks that took part."""
        if self.stack == OURS:
            return {OURS}
        both = self.pair or (self.stack if self.role == PAIR else "")
        return set(both.split(" > ")) if both else {self.stack}


@dataclass
class Cells:
    """All exercised or unsupported cells of a results file or a baseline."""

    path: str
    asserts: bool  # a baseline, or results of several stacks: anything unexpected counts
    chorus: str = ""
    profile: str = ""
    backend: str = ""
    stacks: dict[str, str] = field(default_factory=dict)  # with their versions
    absent: dict[str, str] = field(default_factory=dict)  # and why
    statistical: frozenset[str] = frozenset()
    verdicts: dict[Key, str] = field(default_factory=dict)
    told: dict[Key, tuple[str, str]] = field(default_factory=dict)  # message, reproduction

    def add(self, key: Key, verdict: str, message: str = "", reproduce: str = "") -> None:
        worst = worst_rule((self.verdicts.get(key, "not-exercised"), verdict))
        if worst != self.verdicts.get(key):
            self.verdicts[key] = worst
            if message or reproduce:
                self.told[key] = (message, reproduce)

    def of(self, stacks: Sequence[str]) -> Cells:
        """Only what concerns |stacks|, and what went wrong with ours."""
        wanted = {*stacks, OURS}
        kept = {k: v for k, v in self.verdicts.items() if k.involved <= wanted}
        versions = {s: v for s, v in self.stacks.items() if s in wanted}
        return dataclasses.replace(self, verdicts=kept, stacks=versions)

    def matrix(self) -> Cells:
        """The worst of each rule over all scenarios: the cells of the report's matrices."""
        merged = dataclasses.replace(self, verdicts={}, told={})
        for key, verdict in self.verdicts.items():
            wide = dataclasses.replace(key, pair="", scenario="", nodes="")
            merged.add(wide, verdict, *self.told.get(key, ()))
        return merged


def family(node: str) -> str:
    """s1, s2, ... are one family, s; an address is one of its own."""
    found = re.fullmatch(r"([A-Za-z_-]+)\d+", node)
    return found[1] if found else node


def _key(
    run: Run, e: Evidence, scenario: str, names: Names, reference: frozenset[str]
) -> Key | None:
    nodes = family(e.rule.node)
    if e.seat:
        pair = ""
        if run.tested.role == PAIR and e.seat.role != PAIR:
            pair = " > ".join(names.pair(run))
        return Key(e.seat.stack, e.seat.role, pair, scenario, e.rule.id, nodes)
    whole = not e.rule.node and names.interop
    if e.rule.verdict in BAD and (e.rule.node in reference or whole):
        role = next((n.role for n in run.nodes if n.name == e.rule.node), "")
        return Key(OURS, role, str(names.of_run(run)), scenario, e.rule.id, nodes)
    return None


def of_results(results: Results) -> Cells:
    """The cells of a results file."""
    names = Names([results])
    cells = Cells(
        results.path, results.interop is not None, results.chorus, results.profile, results.backend
    )
    for stack in results.interop.stacks if results.interop else ():
        if not stack.available:
            cells.absent[stack.name] = stack.why
    cells.statistical = results.interop.statistical if results.interop else frozenset()
    several = len({run.profile for run in results.runs}) > 1
    for index, run in enumerate(results.runs):
        scenario = f"{run.scenario} by {run.profile}" if several else run.scenario
        reference = evidence.ours_of(run, names)
        for e in evidence.of_run(index, run, names):
            key = _key(run, e, scenario, names, reference)
            if key and e.rule.verdict != "not-exercised":
                message = e.rule.findings[0].message if e.rule.findings else ""
                cells.add(key, e.rule.verdict, message, run.reproduce)
    seen = {name for key in cells.verdicts for name in key.involved} - {OURS, ""}
    cells.stacks = {name: names.version(name) for name in sorted(seen)}
    return cells


# ---- baselines ----


def _split(scenario: str) -> tuple[str, str]:
    """A scenario's name and its parameters."""
    found = re.fullmatch(r"(.+?)\[(.+)\]", scenario)
    return (found[1], found[2]) if found else (scenario, "")


def _joined(scenario: str, parameters: str) -> str:
    return f"{scenario}[{parameters}]" if parameters else scenario


def _place(key: Key) -> dict[str, Any]:
    pair = {"pair": key.pair} if key.pair else {}
    return {"stack": key.stack, "role": key.role, **pair}


def _told_cells(cells: Cells) -> Iterator[dict[str, Any]]:
    for key in sorted(cells.verdicts):
        verdict = cells.verdicts[key]
        if verdict != "pass" and key.stack != OURS:
            yield _place(key) | {
                "scenario": key.scenario, "rule": key.rule, "nodes": key.nodes, "verdict": verdict,
            }  # fmt: skip


def _exercised(cells: Cells) -> Iterator[dict[str, Any]]:
    """By scenario; parameters that exercise the same rules share an entry."""
    variants: dict[tuple[Key, str], set[str]] = {}
    for key, verdict in cells.verdicts.items():
        if verdict != "unsupported" and key.stack != OURS:
            scenario, parameters = _split(key.scenario)
            place = dataclasses.replace(key, scenario=scenario, rule="")
            variants.setdefault((place, key.rule), set()).add(parameters)
    alike: dict[tuple[Key, tuple[str, ...]], list[str]] = {}
    for (place, rule), found in variants.items():
        alike.setdefault((place, tuple(sorted(found))), []).append(rule)
    for place, shared in sorted(alike):
        yield _place(place) | {
            "scenario": place.scenario,
            "parameters": list(shared),
            "nodes": place.nodes,
            "rules": sorted(alike[place, shared], key=lambda r: (section_key(r), r)),
        }


def _lines(entries: Iterable[dict[str, Any]]) -> str:
    rows = ",\n".join("    " + json.dumps(e, ensure_ascii=False) for e in entries)
    return f"[\n{rows}\n  ]" if rows else "[\n  ]"


def baseline(cells: Cells) -> str:
    """The text of a baseline. What went wrong with the reference is never expected."""
    about = {
        MARK: FORMAT,
        "profile": cells.profile,
        "backend": cells.backend,
        "stacks": dict(sorted(cells.stacks.items())),
        "statistical": sorted(cells.statistical, key=section_key),
    }
    head = json.dumps(about, indent=2, ensure_ascii=False).removesuffix("\n}")
    return (
        f'{head},\n  "cells": {_lines(_told_cells(cells))},\n'
        f'  "exercised": {_lines(_exercised(cells))}\n}}\n'
    )


def ours(cells: Cells) -> int:
    """How many cells tell errors of ours."""
    return sum(key.stack == OURS for key in cells.verdicts)


class _Baseline:
    """Reads a baseline; wrong members are named with their places."""

    def __init__(self, path: str) -> None:
        self.reader = Reader(path)
        self.cells = Cells(path, asserts=True)

    def texts(self, o: dict[str, Any], key: str, place: str) -> list[str]:
        values = self.reader.list(o, key, place, needed=True)
        for i, value in enumerate(values):
            if not isinstance(value, str):
                raise self.reader.fail(f"{place}.{key}[{i}]", "a string", value)
        return values

    def key(self, o: dict[str, Any], place: str, scenario: str, rule: str) -> Key:
        text = self.reader.text
        return Key(
            text(o, "stack", place, needed=True),
            text(o, "role", place, needed=True),
            text(o, "pair", place),
            scenario,
            rule,
            text(o, "nodes", place, needed=True),
        )

    def exercised(self, value: object, place: str) -> None:
        o = self.reader.mapping(value, place)
        scenario = self.reader.text(o, "scenario", place, needed=True)
        for rule in self.texts(o, "rules", place):
            for parameters in self.texts(o, "parameters", place):
                key = self.key(o, place, _joined(scenario, parameters), rule)
                self.cells.verdicts[key] = "pass"

    def cell(self, value: object, place: str) -> None:
        o = self.reader.mapping(value, place)
        scenario = self.reader.text(o, "scenario", place, needed=True)
        key = self.key(o, place, scenario, self.reader.text(o, "rule", place, needed=True))
        verdict = self.reader.choice(o, "verdict", place, RULE_VERDICTS)
        if verdict != "unsupported" and key not in self.cells.verdicts:
            raise BadResults(f"{self.reader.path}: {place}: not among those that were exercised")
        self.cells.verdicts[key] = verdict

    def read(self, o: dict[str, Any]) -> Cells:
        reader, cells = self.reader, self.cells
        if o[MARK] != FORMAT:
            raise reader.fail(f"top level.{MARK}", f"{FORMAT}, the format of this version", o[MARK])
        cells.profile = reader.text(o, "profile", "top level")
        cells.backend = reader.text(o, "backend", "top level")
        stacks = reader.mapping(o.get("stacks"), "stacks")
        cells.stacks = {name: reader.text(stacks, name, "stacks") for name in stacks}
        cells.statistical = frozenset(self.texts(o, "statistical", "top level"))
        reader.each(o, "exercised", "top level", self.exercised)
        reader.each(o, "cells", "top level", self.cell)
        return cells


def load(path: Path) -> tuple[Cells, Results | None]:
    """A baseline, or results (which are given too)."""
    name, text = read(path)
    value = decoded(name, text)
    if isinstance(value, dict) and MARK in value:
        return _Baseline(name).read(value), None
    results = Reader(name).results(value)
    return of_results(results), results
