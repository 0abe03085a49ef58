# SPDX-License-Identifier: BSD-2-Clause
"""Whose verdict is whose: every verdict of a run as evidence on a stack in a role, on a pair, or on
the reference.

Where stacks are under test the other nodes of a run are the reference: a finding of theirs is an
error of ours, never one of a stack's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chorus_reports.model import (
    PROGRAM_VERDICTS,
    Finding,
    Item,
    ProgramVerdict,
    Results,
    RuleResult,
    RuleText,
    Run,
    worst_rule,
)

REFERENCE = "chorus-reference"
PAIR = "pair"
ROLES = ("server", "client", "proxy", "")
# Verdicts of the reference that are errors of ours.
BAD = ("warn", "fail", "error")
# Of a program: with these, nothing can be said about the stack.
_NOTHING_JUDGED = ("protocol", "no-start")

BESIDE = "Beside the rules"
_BESIDE_TEXTS = {
    "expectation": ("Expectations of the scenarios", "What a scenario says must happen, happens."),
    "sweep": (
        "Closing sweep",
        "After the last step there is no packet that nothing explains, and no state is left over.",
    ),
    "required": ("Required rules", "Each scenario gives the rules it covers something to look at."),
    "harness": ("The scenario could be played", "Every step was done and did what it is for."),
    "run": ("The run as a whole", "A verdict of the run that none of its parts explains."),
    "crash": ("Crash", "The program does not end by itself, whatever it receives."),
    "hang": ("Hang", "The program answers a CoAP request before and after every scenario."),
    "flood": ("Flood", "The program does not send without end."),
    "sanitizer": ("Sanitizer report", "The program was built with sanitizers: they are silent."),
    "leftover": ("Leftover process", "When it is stopped, no process of the program stays."),
    "lie": ("Lie", "The program refuses what it cannot do, as the manifest says."),
    "protocol": ("Plug-in protocol", "The adapter speaks the protocol of docs/plugins.md."),
    "no-start": ("Readiness", "The program says that it is ready in the time given."),
    "bad-exit": ("End", "The program ends with status 0 when it is told to stop."),
}
BESIDE_RULES = tuple(_BESIDE_TEXTS)


def text_of(rule: str, texts: dict[str, RuleText], fallback: Results) -> RuleText:
    """The words on |rule|, which may be one of the things beside the rules."""
    if rule in _BESIDE_TEXTS:
        title, requirement = _BESIDE_TEXTS[rule]
        return RuleText(rule, BESIDE, "", title, requirement)
    return texts.get(rule) or fallback.text(rule)


@dataclass(frozen=True, order=True)
class Seat:
    """A stack in a role; for role "pair" the stack is "client > server"."""

    stack: str
    role: str

    def __str__(self) -> str:
        return self.stack if self.role == PAIR else f"{self.stack} {self.role}".strip()


@dataclass(frozen=True)
class Evidence:
    """What one run says of one rule on one node; without a seat, of the reference."""

    run_index: int
    seat: Seat | None
    rule: RuleResult


class Names:
    """What stacks are called: by name; with the version where several versions of one occur."""

    def __init__(self, results: Sequence[Results]) -> None:
        self.versions: dict[str, dict[str, None]] = {}
        self.listed: set[str] = set()
        self.interop = any(one.interop for one in results)
        for one in results:
            for stack in one.interop.stacks if one.interop else ():
                self.listed.add(stack.name)
                self._add(stack.name, stack.version)
            for run in one.runs:
                self._add_run(run)

    def _add(self, name: str, version: str) -> None:
        known = self.versions.setdefault(name, {})
        if version:
            known[version] = None

    def _add_run(self, run: Run) -> None:
        sut = run.tested
        for side in (sut.client, sut.server):
            if side:
                self._add(side.name, side.version)
        if sut.role != PAIR and sut.name:
            self._add(sut.name, sut.version)

    def label(self, name: str, version: str) -> str:
        several = len(self.versions.get(name, ())) > 1
        return f"{name} {version}".strip() if several else name

    def version(self, stack: str) -> str:
        """Of a stack as `label` calls it."""
        return next(iter(self.versions.get(stack, {"": None})), "")

    def is_ours(self, name: str) -> bool:
        """The reference is a stack among stacks only where it is listed as one."""
        return self.interop and name == REFERENCE and name not in self.listed

    def pair(self, run: Run) -> tuple[str, str]:
        """Client and server of a pair."""
        client, server = run.tested.client, run.tested.server
        assert client and server
        return self.label(client.name, client.version), self.label(server.name, server.version)

    def of_run(self, run: Run) -> Seat:
        """Whom things beside the rules are told of."""
        if run.tested.role == PAIR:
            return Seat(" > ".join(self.pair(run)), PAIR)
        return Seat(self.label(run.tested.name, run.tested.version), run.tested.role)


def _seat_of_name(run: Run, name: str, role: str, names: Names) -> Seat | None:
    if not name or names.is_ours(name):
        return None
    sides = {"client": run.tested.client, "server": run.tested.server}
    side = sides.get(role) if run.tested.role == PAIR else None
    version = side.version if side and side.name == name else run.tested.version
    return Seat(names.label(name, "" if run.tested.role == PAIR and not side else version), role)


def seats(run: Run, names: Names) -> dict[str, Seat]:
    """The nodes of |run| that are under test."""
    told = any(node.sut for node in run.nodes)
    table: dict[str, Seat] = {}
    for node in run.nodes:
        name = node.sut
        if not told and run.tested.role == PAIR:
            side = {"client": run.tested.client, "server": run.tested.server}.get(node.role)
            name = side.name if side else ""
        elif not told and run.tested.role in ("", node.role) and node.role != "tester":
            name = run.tested.name
        seat = _seat_of_name(run, name, node.role, names)
        if seat:
            table[node.name] = seat
    return table


def ours_of(run: Run, names: Names) -> frozenset[str]:
    """The nodes of the reference, where it is not what is under test."""
    staged = run.tested.role != "" or any(node.sut for node in run.nodes)
    if not (staged or names.interop):
        return frozenset()
    under_test = seats(run, names)
    others = (n.name for n in run.nodes if n.role != "tester")
    return frozenset(n for n in others if n not in under_test)


def _beside(name: str, node: str, verdict: str, findings: Iterable[Finding]) -> RuleResult:
    kept = tuple(findings)
    return RuleResult(name, node, "", verdict, 1, kept, len(kept), "")


def _of_items(run: Run) -> Iterator[RuleResult]:
    kinds: dict[str, list[Item]] = {}
    for item in run.items:
        kinds.setdefault(item.kind, []).append(item)
    for kind, items in kinds.items():
        bad = [i for i in items if i.verdict not in ("pass", "unsupported")]
        findings = [Finding(i.frame, 0, i.expected, i.actual, i.text) for i in bad]
        yield _beside(kind, "", worst_rule(i.verdict for i in items), findings)


def program_severity(verdict: str) -> str:
    """fail: the stack's fault; error: it kept the run from saying anything."""
    return "error" if verdict in _NOTHING_JUDGED else "fail"


def _of_program(p: ProgramVerdict) -> RuleResult:
    return _beside(
        p.verdict,
        p.node,
        program_severity(p.verdict),
        [Finding(0, p.time_ns or 0, "", "", p.text)],
    )


def _rest(run: Run, worst: str) -> RuleResult:
    """What the run's own verdict says beyond |worst|, the worst of its parts."""
    match run.verdict:
        case "none":
            verdict = "not-exercised"
        case "unsupported":
            verdict = "unsupported"
        case told:
            verdict = told if _rank(told) > _rank(worst) else "pass"
    finding = Finding(0, 0, "", "", f"the run's verdict is {verdict}")
    return _beside("run", "", verdict, [finding] if verdict in BAD else [])


def of_run(index: int, run: Run, names: Names) -> Iterator[Evidence]:
    """All verdicts of |run|, those of rules that were not exercised among them."""
    under_test = seats(run, names)
    whole = names.of_run(run)
    ours = names.is_ours(run.tested.name)
    worst = "pass"
    for rule in run.rules:
        seat = under_test.get(rule.node)
        if not run.nodes and run.tested.name and run.tested.role != PAIR and not ours:
            seat = whole
        if rule.verdict != "not-exercised":
            worst = max(worst, rule.verdict, key=_rank)
        yield Evidence(index, seat, rule)
    for beside in _of_items(run):
        worst = max(worst, beside.verdict, key=_rank)
        yield Evidence(index, None if ours else whole, beside)
    for program in run.programs:
        result = _of_program(program)
        worst = max(worst, "error", key=_rank)
        yield Evidence(index, under_test.get(program.node, whole), result)
    yield Evidence(index, None if ours else whole, _rest(run, worst))


def _rank(verdict: str) -> int:
    order = ("none", "not-exercised", "unsupported", "pass", "waived", "warn", "inconclusive")
    return order.index(verdict) if verdict in order else len(order) + (verdict == "error")


def is_program(rule: str) -> bool:
    return rule in PROGRAM_VERDICTS
