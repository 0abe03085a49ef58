# SPDX-License-Identifier: BSD-2-Clause
"""What several runs say together: verdict counts, rules by section, findings in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chorus_reports.model import (
    RULE_VERDICTS,
    RUN_VERDICTS,
    Finding,
    Results,
    RuleResult,
    RuleText,
    Run,
    worst_rule,
    worst_run,
)
from chorus_reports.words import section_key, tally

# The order in which counts are told: what matters first.
TOLD = tuple(reversed(RULE_VERDICTS))


@dataclass(frozen=True)
class RuleSummary:
    """A rule over all runs of a profile: its worst verdict, and where that was seen."""

    text: RuleText
    level: str
    verdicts: dict[str, str]  # profile -> worst verdict
    activations: int
    nodes: int
    shown_by: tuple[tuple[int, str], ...]  # (index of the run, scenario) that exercise it

    @property
    def verdict(self) -> str:
        return worst_rule(self.verdicts.values())


@dataclass(frozen=True)
class Section:
    document: str
    section: str
    rules: tuple[RuleSummary, ...]


@dataclass(frozen=True)
class Shown:
    """A finding with everything that is needed to believe it."""

    run: Run
    run_index: int
    rule: RuleResult
    text: RuleText
    finding: Finding


# Verdicts whose findings are remarks: nothing that anybody would have to mend.
REMARKS = ("pass", "not-exercised", "unsupported")


@dataclass(frozen=True)
class Summary:
    results: tuple[Results, ...]
    runs: tuple[Run, ...]
    profiles: tuple[str, ...]
    sections: tuple[Section, ...]
    findings: tuple[Shown, ...]
    remarks: tuple[Shown, ...]
    verdict: str

    @property
    def run_counts(self) -> list[tuple[str, int]]:
        return tally((r.verdict for r in self.runs), reversed(RUN_VERDICTS))

    @property
    def rule_counts(self) -> list[tuple[str, int]]:
        return tally((r.verdict for s in self.sections for r in s.rules), TOLD)

    def text(self, rule: str) -> RuleText:
        for results in self.results:
            if rule in results.rules:
                return results.rules[rule]
        return self.results[0].text(rule)


class _Gathering:
    def __init__(self) -> None:
        self.verdicts: dict[str, list[str]] = {}
        self.level = ""
        self.activations = 0
        self.nodes: set[tuple[int, str]] = set()
        self.shown_by: dict[int, str] = {}

    def add(self, index: int, run: Run, rule: RuleResult) -> None:
        self.verdicts.setdefault(run.profile, []).append(rule.verdict)
        self.level = self.level or rule.level
        self.activations += rule.activations
        if rule.verdict != "not-exercised":
            self.nodes.add((index, rule.node))
            self.shown_by[index] = run.scenario


def document_order(results: Sequence[Results]) -> dict[str, int]:
    """Rank of each rule: as the catalogue in the results lists them."""
    order: dict[str, int] = {}
    for one in results:
        for rule in one.rules:
            order.setdefault(rule, len(order))
    return order


def _sections(summaries: list[RuleSummary], order: dict[str, int]) -> tuple[Section, ...]:
    groups: dict[tuple[str, str], list[RuleSummary]] = {}
    for summary in summaries:
        groups.setdefault((summary.text.document, summary.text.section), []).append(summary)
    first: dict[str, int] = {}
    for (document, _), rules in groups.items():
        rank = min(order.get(r.text.id, len(order)) for r in rules)
        first[document] = min(first.get(document, rank), rank)
    keys = sorted(groups, key=lambda k: (first[k[0]], k[0], section_key(k[1])))
    return tuple(
        Section(k[0], k[1], tuple(sorted(groups[k], key=lambda r: section_key(r.text.id))))
        for k in keys
    )


def of_waivers(results: Sequence[Results]) -> list[str]:
    """A waiver that expired, that nobody used or that was not needed fails the whole."""
    return ["fail" for one in results if any(w.problem for w in one.waivers)]


def summarise(results: Sequence[Results]) -> Summary:
    """Everything that the reports say about |results| (one or more files)."""
    runs = tuple(run for one in results for run in one.runs)
    texts = {rule: text for one in reversed(results) for rule, text in one.rules.items()}
    gathered: dict[str, _Gathering] = {}
    findings: list[Shown] = []
    for index, run in enumerate(runs):
        for rule in run.rules:
            gathered.setdefault(rule.id, _Gathering()).add(index, run, rule)
            text = texts.get(rule.id) or results[0].text(rule.id)
            findings += [Shown(run, index, rule, text, f) for f in rule.findings]
    summaries = [
        RuleSummary(
            texts.get(rule) or results[0].text(rule),
            g.level,
            {p: worst_rule(v) for p, v in g.verdicts.items()},
            g.activations,
            len(g.nodes),
            tuple(g.shown_by.items()),
        )
        for rule, g in gathered.items()
    ]
    findings.sort(key=lambda s: -RULE_VERDICTS.index(s.rule.verdict))
    return Summary(
        tuple(results),
        runs,
        tuple(dict.fromkeys(run.profile for run in runs if run.profile)),
        _sections(summaries, document_order(results)),
        tuple(s for s in findings if s.rule.verdict not in REMARKS),
        tuple(s for s in findings if s.rule.verdict in REMARKS),
        worst_run([*(run.verdict for run in runs), *of_waivers(results)]),
    )
