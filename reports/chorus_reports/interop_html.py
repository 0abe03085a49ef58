# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report on several stacks: the matrices, and a page for each cell that needs one.

index.html            both matrices
stack-NAME.html       a stack: its rules with the runs that show them, what it does not support
cell-NAME-ROLE-RULE.html   one cell that is not simply pass or not-exercised
pair-CLIENT--SERVER.html   a client against a server
run-….html            a run with its lane diagram: drawn once, linked from all the others
style.css             shared, since there are many pages
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment

from chorus_reports import evidence, html, words
from chorus_reports.evidence import PAIR, Seat
from chorus_reports.matrix import Cell, Matrix, Pair, build, sides
from chorus_reports.model import (
    PROGRAM_VERDICTS,
    RULE_VERDICTS,
    ProgramVerdict,
    Results,
    Run,
    Tolerance,
)
from chorus_reports.summary import Shown, Summary, summarise

# Findings that a cell's page shows in full: of different runs first.
FULL_FINDINGS = 12
TABLED_FINDINGS = 200


def _file(*parts: str) -> str:
    return "-".join(words.slug(p) for p in parts if p) + ".html"


def stack_href(stack: str) -> str:
    return _file("stack", stack)


def pair_href(pair: Pair) -> str:
    return f"pair-{words.slug(pair.client)}--{words.slug(pair.server)}.html"


def anchor(rule: str, role: str) -> str:
    return words.slug(f"{role}-{rule}")


def cell_href(cell: Cell) -> str:
    """A page of its own, or the cell's line on the page of its stack."""
    if cell.has_page:
        return _file("cell", cell.seat.stack, cell.seat.role, cell.text.id)
    return f"{stack_href(cell.seat.stack)}#{anchor(cell.text.id, cell.seat.role)}"


def _run_pages(matrix: Matrix) -> list[html.Page]:
    several = len({run.profile for run in matrix.runs}) > 1
    taken: dict[str, int] = {}
    pages = []
    for index, run in enumerate(matrix.runs):
        seat = matrix.names.of_run(run)
        parts = (seat.stack, "" if seat.role == PAIR else seat.role, run.scenario)
        base = "run-" + "-".join(words.slug(p) for p in parts if p)
        base += f"-{words.slug(run.profile)}" if several else ""
        taken[base.lower()] = taken.get(base.lower(), 0) + 1
        number = taken[base.lower()]
        pages.append(html.Page(run, index, f"{base}{f'-{number}' if number > 1 else ''}.html"))
    return pages


@dataclass(frozen=True)
class CellFinding:
    """A finding on a cell's page, with the run page's place for its frame."""

    shown: Shown
    href: str
    lanes: str


class _Writer:
    def __init__(self, results: Sequence[Results], directory: Path) -> None:
        self.matrix = build(results)
        self.summary: Summary = summarise(results)
        self.directory = directory
        self.pages = _run_pages(self.matrix)
        self.env: Environment = html.environment()
        self.frames = [{m.frame for m in run.trace} for run in self.matrix.runs]
        self.env.globals.update(
            shared=True,
            matrix=self.matrix,
            first=results[0],
            summary=self.summary,
            hrefs=[page.href for page in self.pages],
            cell_href=cell_href,
            stack_href=stack_href,
            pair_href=pair_href,
            anchor=anchor,
            symbol=html.SYMBOL | {"error": "✗✗"},
            shown_by=self.shown_by,
            programs=PROGRAM_VERDICTS,
        )

    def put(self, name: str, template: str, **context: Any) -> Path:
        path = self.directory / name
        path.write_text(self.env.get_template(template).render(**context), encoding="utf-8")
        return path

    def shown_by(self, cell: Cell) -> list[tuple[int, str, int]]:
        """The runs of a cell by scenario: index of the first, its name, how many there are."""
        table: dict[str, tuple[int, str, int]] = {}
        for i in cell.by_run or cell.unsupported:
            run = self.matrix.runs[i]
            name = run.id or run.scenario
            first, _, count = table.get(name, (i, "", 0))
            table[name] = (first, name, count + 1)
        return list(table.values())

    # ---- the index ----

    def index(self) -> Path:
        clients, servers = sides(self.matrix.pairs.values(), [s.name for s in self.matrix.stacks])
        return self.put(
            "index.html",
            "interop_index.html",
            clients=clients,
            servers=servers,
            ours=_one_per_rule(self.matrix.ours),
        )

    # ---- cells ----

    def shown(self, cell: Cell) -> list[CellFinding]:
        """All findings of a cell: the worst first, and of different runs before more of one run."""
        turns: dict[int, int] = {}
        ranked: list[tuple[tuple[int, int, int], CellFinding]] = []
        for e in cell.evidence:
            run = self.matrix.runs[e.run_index]
            for finding in e.rule.findings:
                turn = turns[e.run_index] = turns.get(e.run_index, 0) + 1
                key = (-RULE_VERDICTS.index(e.rule.verdict), turn, e.run_index)
                one = Shown(run, e.run_index, e.rule, cell.text, finding)
                ranked.append((key, self.placed(one)))
        return [found for _, found in sorted(ranked, key=lambda pair: pair[0])]

    def placed(self, shown: Shown) -> CellFinding:
        href = self.pages[shown.run_index].href
        frame = shown.finding.frame
        drawn = frame in self.frames[shown.run_index]
        place = f"{href}#frame-{frame}" if drawn else f"{href}#messages"
        return CellFinding(shown, href, place if shown.run.trace else "")

    def cell(self, cell: Cell) -> None:
        findings = self.shown(cell)
        runs = [self.matrix.runs[i] for i in (*cell.by_run, *cell.unsupported)]
        self.put(
            cell_href(cell),
            "interop_cell.html",
            cell=cell,
            version=self.matrix.names.version(cell.seat.stack),
            full=list(enumerate(findings[:FULL_FINDINGS], 1)),
            tabled=findings[FULL_FINDINGS : FULL_FINDINGS + TABLED_FINDINGS],
            left=max(len(findings) - FULL_FINDINGS - TABLED_FINDINGS, 0),
            happened=self.programs(cell),
            reasons=_reasons(cell),
            dropped=sum(e.rule.finding_total - len(e.rule.findings) for e in cell.evidence),
            tolerances=_tolerances(runs),
            unsupported_runs=[(self.pages[i], cell.unsupported[i]) for i in cell.unsupported],
            runs=[(self.pages[i], verdict) for i, verdict in _worst_first(cell.by_run)],
        )

    def programs(self, cell: Cell) -> list[tuple[html.Page, ProgramVerdict]]:
        """For a cell of a program's crash, hang, ...: each with the datagram before."""
        if not evidence.is_program(cell.text.id):
            return []
        told = {(e.run_index, e.rule.node) for e in cell.evidence}
        return [
            (self.pages[i], p)
            for i in sorted({index for index, _ in told})
            for p in self.matrix.runs[i].programs
            if p.verdict == cell.text.id and (i, p.node) in told
        ]

    # ---- stacks, pairs, runs ----

    def stack(self, name: str) -> None:
        (about,) = (s for s in self.matrix.stacks if s.name == name)
        own = [
            i
            for i, run in enumerate(self.matrix.runs)
            if run.tested.role != PAIR and self.matrix.names.of_run(run).stack == name
        ]
        self.put(
            stack_href(name),
            "interop_stack.html",
            about=about,
            tables=self.matrix.tables_of(name),
            own=own,
            pairs=[p for p in self.matrix.pairs.values() if name in (p.client, p.server)],
        )

    def pair(self, pair: Pair) -> None:
        findings = [
            self.placed(Shown(run, i, e.rule, self.matrix.text(e.rule.id), f))
            for i in pair.verdicts
            for run in [self.matrix.runs[i]]
            for e in evidence.of_run(i, run, self.matrix.names)
            if e.seat and e.rule.verdict in evidence.BAD
            for f in e.rule.findings
        ]
        versions = {n: self.matrix.names.version(n) for n in (pair.client, pair.server)}
        self.put(
            pair_href(pair),
            "interop_pair.html",
            pair=pair,
            versions=versions,
            full=list(enumerate(findings[:FULL_FINDINGS], 1)),
            tabled=findings[FULL_FINDINGS : FULL_FINDINGS + TABLED_FINDINGS],
            left=max(len(findings) - FULL_FINDINGS - TABLED_FINDINGS, 0),
        )

    def run(self, page: html.Page, shown: Sequence[Shown]) -> None:
        run = page.run
        seats = evidence.seats(run, self.matrix.names)
        ours = evidence.ours_of(run, self.matrix.names)
        context = html.run_context(self.summary, page, shown, ours)
        context["idle"] = _idle(run, seats)
        self.put(
            page.href,
            "run.html",
            **context,
            short=_short(run, seats),
            up=self.above(run),
            seats=[(n, seats.get(n.name)) for n in run.nodes],
        )

    def above(self, run: Run) -> list[tuple[str, str]]:
        """Where a run's page belongs."""
        if run.tested.role == PAIR:
            pair = self.matrix.pairs[self.matrix.names.pair(run)]
            return [(pair_href(pair), f"{pair.client} > {pair.server}")]
        stack = self.matrix.names.of_run(run).stack
        known = any(s.name == stack for s in self.matrix.stacks)
        return [(stack_href(stack), stack)] if known else []

    def everything(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "style.css").write_text(str(self.env.globals["style"]), encoding="utf-8")
        for cell in self.matrix.cells.values():
            if cell.has_page and cell.seat.role != PAIR:
                self.cell(cell)
        for stack in self.matrix.stacks:
            self.stack(stack.name)
        for pair in self.matrix.pairs.values():
            self.pair(pair)
        shown = html.by_run((*self.summary.findings, *self.summary.remarks))
        for page in self.pages:
            self.run(page, shown.get(page.index, []))
        return self.index()


def _worst_first(by_run: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(by_run.items(), key=lambda item: (-RULE_VERDICTS.index(item[1]), item[0]))


def _reasons(cell: Cell) -> list[tuple[str, int]]:
    """Why rules are waived, with the number of runs."""
    counts: dict[str, int] = {}
    for e in cell.evidence:
        if e.rule.verdict == "waived":
            counts[e.rule.reason] = counts.get(e.rule.reason, 0) + 1
    return list(counts.items())


def _tolerances(runs: Iterable[Run]) -> list[Tolerance]:
    return list(dict.fromkeys(t for run in runs for t in run.tolerances))


def _one_per_rule(ours: Sequence[Shown]) -> list[tuple[Shown, list[Shown]]]:
    """The first finding of each rule of the reference, with the others."""
    groups: dict[str, list[Shown]] = {}
    for shown in ours:
        groups.setdefault(shown.rule.id, []).append(shown)
    return [(alike[0], alike[1:]) for alike in groups.values()]


def _short(run: Run, seats: dict[str, Seat]) -> list[tuple[str, list[str]]]:
    """The rules that were exercised by the stacks of a run, by their worst verdict."""
    table: dict[str, str] = {}
    for rule in run.exercised():
        if rule.node in seats or not run.nodes:
            worst = max(table.get(rule.id, "pass"), rule.verdict, key=RULE_VERDICTS.index)
            table[rule.id] = worst
    return [
        (v, sorted((r for r, w in table.items() if w == v), key=words.section_key))
        for v in reversed(RULE_VERDICTS)
        if v in table.values()
    ]


def _idle(run: Run, seats: dict[str, Seat]) -> list[str]:
    exercised = {rule.id for rule in run.exercised() if rule.node in seats}
    asked = {rule.id for rule in run.rules if rule.node in seats}
    return sorted(asked - exercised, key=words.section_key)


def write(results: Sequence[Results], directory: Path) -> Path:
    """Writes the report into |directory| and returns the path of its index."""
    return _Writer(results, directory).everything()
