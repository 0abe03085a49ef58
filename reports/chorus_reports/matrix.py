# SPDX-License-Identifier: BSD-2-Clause
"""The two matrices of several stacks: stack x rule for each role, and client x server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chorus_reports import evidence
from chorus_reports.evidence import BESIDE_RULES, PAIR, ROLES, Evidence, Names, Seat
from chorus_reports.model import (
    RULE_VERDICTS,
    RUN_VERDICTS,
    Results,
    RuleText,
    Run,
    Stack,
    worst_rule,
    worst_run,
)
from chorus_reports.summary import Shown, document_order, of_waivers
from chorus_reports.words import section_key, tally

PLAIN = ("pass", "not-exercised")


def staged(results: Sequence[Results]) -> bool:
    """Whether stacks are under test in |results|, be it one alone."""
    return wanted(results) or any(r.tested.role for one in results for r in one.runs)


def wanted(results: Sequence[Results]) -> bool:
    """Whether |results| compare stacks: they say so, or there are several in them."""
    if any(one.interop for one in results):
        return True
    return len({(r.tested.name, r.tested.role) for one in results for r in one.runs}) > 1


@dataclass
class Cell:
    """A rule on a stack in a role, over all runs."""

    seat: Seat
    text: RuleText
    statistical: bool
    level: str = ""
    evidence: list[Evidence] = field(default_factory=list)  # what was exercised
    unsupported: dict[int, tuple[str, ...]] = field(default_factory=dict)  # run -> reasons

    @property
    def verdict(self) -> str:
        worst = worst_rule(e.rule.verdict for e in self.evidence)
        return "unsupported" if worst == "not-exercised" and self.unsupported else worst

    @property
    def by_run(self) -> dict[int, str]:
        """Index of the run -> its worst verdict here."""
        table: dict[int, str] = {}
        for e in self.evidence:
            known = table.get(e.run_index, "not-exercised")
            table[e.run_index] = worst_rule((known, e.rule.verdict))
        return table

    @property
    def counts(self) -> list[tuple[str, int]]:
        return tally(self.by_run.values(), reversed(RULE_VERDICTS))

    @property
    def has_page(self) -> bool:
        """Whether there is more to tell than a list of runs."""
        noted = any(e.rule.findings for e in self.evidence)
        return self.verdict not in PLAIN or noted

    @property
    def said(self) -> str:
        """Of how many runs: "12", or "3/12" where not all have the cell's verdict."""
        verdict, by_run = self.verdict, self.by_run
        alike = sum(v == verdict for v in by_run.values())
        if not by_run:
            return ""
        return str(alike) if alike == len(by_run) else f"{alike}/{len(by_run)}"


@dataclass(frozen=True)
class Row:
    text: RuleText
    level: str
    cells: dict[str, Cell]  # by stack
    first_of_section: bool


@dataclass(frozen=True)
class Table:
    """One role: a row for each rule, by document; a column for each stack."""

    role: str
    stacks: tuple[str, ...]
    documents: tuple[tuple[str, tuple[Row, ...]], ...]

    @property
    def title(self) -> str:
        names = {"server": "Servers", "client": "Clients", "proxy": "Proxies"}
        return names.get(self.role, "All roles")

    def rows(self) -> Iterable[Row]:
        return (row for _, rows in self.documents for row in rows)

    def counts(self, stack: str) -> list[tuple[str, int]]:
        """How many rules of the catalogue have which verdict."""
        rules = [r for r in self.rows() if r.text.document != evidence.BESIDE]
        verdicts = [r.cells[stack].verdict if stack in r.cells else "not-exercised" for r in rules]
        return tally(verdicts, reversed(RULE_VERDICTS))


@dataclass
class Pair:
    """A client against a server: the indices of their runs, with verdicts."""

    client: str
    server: str
    verdicts: dict[int, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return worst_run(self.verdicts.values())

    @property
    def run_count(self) -> int:
        return sum(v != "unsupported" for v in self.verdicts.values())

    @property
    def passed(self) -> int:
        return sum(v in ("pass", "warn") for v in self.verdicts.values())

    @property
    def unsupported(self) -> int:
        return len(self.verdicts) - self.run_count


@dataclass(frozen=True)
class Matrix:
    results: tuple[Results, ...]
    runs: tuple[Run, ...]
    names: Names
    stacks: tuple[Stack, ...]
    tables: tuple[Table, ...]
    pairs: dict[tuple[str, str], Pair]
    ours: tuple[Shown, ...]  # errors of ours: findings of the reference
    cells: dict[tuple[Seat, str], Cell]
    run_verdicts: tuple[str, ...]  # as the matrices count them: error where ours is at fault
    texts: dict[str, RuleText]
    statistical: frozenset[str]

    @property
    def verdict(self) -> str:
        ours = ["error"] if self.ours else []
        return worst_run([*self.run_verdicts, *ours, *of_waivers(self.results)])

    def text(self, rule: str) -> RuleText:
        return evidence.text_of(rule, self.texts, self.results[0])

    def tables_of(self, stack: str) -> list[Table]:
        """The roles in which |stack| was judged."""
        return [table for table in self.tables if stack in table.stacks]

    def run_counts(self, stack: str, role: str) -> list[tuple[str, int]]:
        """Verdicts of the conformance runs of |stack| in |role|."""
        verdicts = [
            self.run_verdicts[i]
            for i, run in enumerate(self.runs)
            if run.tested.role != PAIR and self.names.of_run(run) == Seat(stack, role)
        ]
        return tally(verdicts, reversed(RUN_VERDICTS))

    def programs(self, stack: str, role: str = "") -> list[tuple[str, int]]:
        """What its programs did (in |role|) beside the protocol, in how many runs."""
        counts = {
            cell.text.id: len(cell.by_run)
            for (seat, rule), cell in self.cells.items()
            if seat.stack == stack and role in ("", seat.role) and evidence.is_program(rule)
        }
        return sorted(counts.items())


class _Builder:
    def __init__(self, results: Sequence[Results]) -> None:
        self.results = results
        self.names = Names(results)
        self.runs = tuple(run for one in results for run in one.runs)
        self.texts = {t: x for one in reversed(results) for t, x in one.rules.items()}
        statistical = (one.interop.statistical for one in results if one.interop)
        self.statistical = frozenset[str]().union(*statistical)
        self.cells: dict[tuple[Seat, str], Cell] = {}
        self.known: dict[str, dict[str, str]] = {}  # role -> rule -> level
        self.declared: list[tuple[int, Seat, str]] = []
        self.pairs: dict[tuple[str, str], Pair] = {}
        self.ours: list[Shown] = []
        self.run_verdicts: list[str] = []
        self.reference = frozenset[str]()  # nodes of the run that is being taken

    def text(self, rule: str) -> RuleText:
        return evidence.text_of(rule, self.texts, self.results[0])

    def cell(self, seat: Seat, rule: str) -> Cell:
        key = (seat, rule)
        if key not in self.cells:
            self.cells[key] = Cell(seat, self.text(rule), rule in self.statistical)
        return self.cells[key]

    def take_run(self, index: int, run: Run) -> None:
        ours_before, exercised = len(self.ours), set[tuple[Seat, str]]()
        self.reference = evidence.ours_of(run, self.names)
        for e in evidence.of_run(index, run, self.names):
            self.take(run, e)
            if e.seat and e.rule.verdict not in ("not-exercised", "unsupported"):
                exercised.add((e.seat, e.rule.id))
        self.take_declared(index, run, exercised)
        verdict = "error" if len(self.ours) > ours_before else run.verdict
        self.run_verdicts.append(verdict)
        if run.tested.role == PAIR:
            both = self.names.pair(run)
            self.pairs.setdefault(both, Pair(*both)).verdicts[index] = verdict

    def take(self, run: Run, e: Evidence) -> None:
        rule = e.rule
        if e.seat is None:
            self.take_ours(run, e)
            return
        self.known.setdefault(e.seat.role, {}).setdefault(rule.id, rule.level)
        if rule.verdict == "unsupported":
            reasons = (rule.reason,) if rule.reason else tuple(u.why for u in run.unsupported)
            self.cell(e.seat, rule.id).unsupported[e.run_index] = reasons
        elif rule.verdict != "not-exercised":
            cell = self.cell(e.seat, rule.id)
            cell.level = cell.level or rule.level
            cell.evidence.append(e)

    def take_ours(self, run: Run, e: Evidence) -> None:
        told = e.rule.node in self.reference or (not e.rule.node and self.names.interop)
        if e.rule.verdict not in evidence.BAD or not told:
            return
        text = self.text(e.rule.id)
        self.ours += [Shown(run, e.run_index, e.rule, text, f) for f in e.rule.findings]

    def take_declared(self, index: int, run: Run, exercised: set[tuple[Seat, str]]) -> None:
        """Rules that the scenario covers and that the manifest kept from being exercised."""
        if run.verdict != "unsupported" and not run.unsupported:
            return
        seats = set(evidence.seats(run, self.names).values())
        if run.tested.role != PAIR:
            seats.add(self.names.of_run(run))
        for seat in seats:
            for rule in run.covers:
                if (seat, rule) not in exercised:
                    self.declared.append((index, seat, rule))

    def settle_declared(self) -> None:
        """Where the rule concerns that role at all, or nobody's runs show whom it concerns."""
        judged = {rule: role for role, rules in self.known.items() for rule in rules}
        for index, seat, rule in self.declared:
            told = seat.role and seat.role in self.text(rule).role
            if rule not in judged or told or rule in self.known.get(seat.role, ()):
                self.known.setdefault(seat.role, {}).setdefault(rule, "")
                reasons = tuple(u.why for u in self.runs[index].unsupported)
                self.cell(seat, rule).unsupported.setdefault(index, reasons)

    def stacks(self) -> tuple[Stack, ...]:
        """As the results list them; then others that were seen, by name."""
        listed = {s.name: s for one in self.results if one.interop for s in one.interop.stacks}
        seen = {s.stack for s, _ in self.cells if s.role != PAIR and s.stack}
        table = {}
        for name, stack in listed.items():
            labels = (
                [name] if name in seen else [x for x in sorted(seen) if x.startswith(name + " ")]
            )
            for label in labels or [name]:
                table[label] = stack
        for label in sorted(seen - table.keys()):
            version = self.names.version(label)
            table[label] = Stack(label, version, "", (), "", True, "")
        return tuple(_renamed(label, stack) for label, stack in table.items())

    def table(self, role: str, order: Sequence[str], rank: dict[str, int]) -> Table:
        stacks = tuple(
            s for s in order if any(k.stack == s and k.role == role for k, _ in self.cells)
        )
        rules = [r for r in self.known[role] if r not in BESIDE_RULES]
        documents: dict[str, list[RuleText]] = {evidence.BESIDE: self.beside(role, stacks)}
        for text in sorted(map(self.text, rules), key=lambda t: rank.get(t.id, len(rank))):
            documents.setdefault(text.document, []).append(text)
        for document, texts in documents.items():
            if document != evidence.BESIDE:
                texts.sort(key=lambda t: (section_key(t.section), section_key(t.id)))
        return Table(
            role,
            stacks,
            tuple(
                (d, tuple(self.rows(role, stacks, texts)))
                for d, texts in documents.items()
                if texts
            ),
        )

    def beside(self, role: str, stacks: Sequence[str]) -> list[RuleText]:
        """What was looked at beside the rules; the run as a whole only where it says more."""
        table = []
        for rule in BESIDE_RULES:
            cells = [
                self.cells[Seat(s, role), rule]
                for s in stacks
                if (Seat(s, role), rule) in self.cells
            ]
            if any(rule != "run" or c.verdict not in (*PLAIN, "unsupported") for c in cells):
                table.append(self.text(rule))
        return table

    def rows(self, role: str, stacks: Sequence[str], texts: Sequence[RuleText]) -> Iterable[Row]:
        before = None
        for text in texts:
            keys = {s: (Seat(s, role), text.id) for s in stacks}
            cells = {s: self.cells[k] for s, k in keys.items() if k in self.cells}
            yield Row(text, self.known[role].get(text.id, ""), cells, text.section != before)
            before = text.section

    def build(self) -> Matrix:
        for index, run in enumerate(self.runs):
            self.take_run(index, run)
        self.settle_declared()
        stacks = self.stacks()
        order = [s.name for s in stacks]
        rank = document_order(self.results)
        roles = [r for r in ROLES if any(k.role == r and k.stack for k, _ in self.cells)]
        return Matrix(
            tuple(self.results),
            self.runs,
            self.names,
            stacks,
            tuple(self.table(role, order, rank) for role in roles),
            self.pairs,
            tuple(self.ours),
            self.cells,
            tuple(self.run_verdicts),
            self.texts,
            self.statistical,
        )


def _renamed(label: str, stack: Stack) -> Stack:
    version = label.removeprefix(stack.name).strip() or stack.version
    return Stack(
        label, version, stack.adapter, stack.roles, stack.manifest, stack.available, stack.why
    )


def build(results: Sequence[Results]) -> Matrix:
    """Both matrices of |results|."""
    return _Builder(results).build()


def sides(pairs: Iterable[Pair], order: Sequence[str]) -> tuple[list[str], list[str]]:
    """Clients and servers of |pairs|, in |order|, others after."""
    ranks = {name: n for n, name in enumerate(order)}

    def sorted_names(names: Iterable[str]) -> list[str]:
        return sorted(set(names), key=lambda n: (ranks.get(n, len(ranks)), n))

    pairs = list(pairs)
    return sorted_names(p.client for p in pairs), sorted_names(p.server for p in pairs)
