# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report: an index and a page per run. No script, no network, readable on paper."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from chorus_reports import lanes, words
from chorus_reports.model import RULE_VERDICTS, Results, Run
from chorus_reports.summary import REMARKS, TOLD, Shown, Summary, summarise

SYMBOL = {
    "pass": "✓",
    "warn": "!",
    "fail": "✗",
    "error": "✗",
    "inconclusive": "?",
    "waived": "~",
    "unsupported": "-",
    "not-exercised": "·",
    "none": "·",
}


@dataclass(frozen=True)
class Page:
    """A run and the file that shows it."""

    run: Run
    index: int
    href: str


def _pages(summary: Summary) -> list[Page]:
    taken: set[str] = set()
    pages = []
    for index, run in enumerate(summary.runs):
        several = len(summary.profiles) > 1
        base = words.slug(f"{run.scenario}-{run.profile}" if several else run.scenario)
        name, n = base, 2
        while name.lower() in taken:
            name, n = f"{base}-{n}", n + 1
        taken.add(name.lower())
        pages.append(Page(run, index, f"run-{name}.html"))
    return pages


def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("chorus_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        moment=words.moment,
        duration=words.duration,
        counted=words.counted,
        marked=lambda pair: words.marked(*pair),
    )
    loader = env.loader
    assert loader is not None
    source = loader.get_source(env, "style.css")[0]
    env.globals.update(symbol=SYMBOL, style=Markup(source), told=TOLD, shared=False)
    return env


def _started(run: Run) -> int:
    """What times are counted from: the first message of a capture, 0 in a run."""
    first = min((m.time_ns for m in run.trace), default=0)
    return first if first > words.EPOCH_FROM else 0


def run_context(
    summary: Summary, page: Page, shown: Sequence[Shown], ours: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """What run.html needs; |shown|: findings of this run, |ours|: nodes whose findings are ours."""
    run = page.run
    told = [s for s in shown if s.rule.verdict not in REMARKS]
    at_fault = [s for s in told if s.rule.node in ours]
    mine = at_fault + [s for s in told if s.rule.node not in ours]
    numbered = list(enumerate(mine, 1))
    remarks = [s for s in shown if s.rule.verdict in REMARKS]
    bad = {s.finding.frame for s in mine if s.rule.verdict in ("fail", "warn", "error")}
    judged = {r.id for r in run.exercised()}
    return {
        "page": page,
        "run": run,
        "started": _started(run),
        "ours": numbered[: len(at_fault)],
        "findings": numbered[len(at_fault) :],
        "remarks": list(enumerate(remarks, len(mine) + 1)),
        "more": [r for r in run.rules if r.finding_total > len(r.findings)],
        "diagram": lanes.draw(run.trace, bad, run.nodes),
        "frames": {m.frame for m in run.trace},
        "idle": sorted({r.id for r in run.rules} - judged, key=words.section_key),
        "counts": words.tally((r.verdict for r in run.rules), reversed(RULE_VERDICTS)),
        "nodes_of": _nodes_of(run),
    }


def by_run(shown: Iterable[Shown]) -> dict[int, list[Shown]]:
    """Findings by the index of their run."""
    table: dict[int, list[Shown]] = {}
    for one in shown:
        table.setdefault(one.run_index, []).append(one)
    return table


def _alone(summary: Summary, run: Run) -> Results:
    first = summary.results[0]
    texts = {t: text for one in reversed(summary.results) for t, text in one.rules.items()}
    exercised = dataclasses.replace(run, rules=tuple(run.exercised()))
    return Results(first.path, first.chorus, first.backend, run.profile, (exercised,), texts)


def _nodes_of(run: Run) -> dict[str, list[tuple[str, str]]]:
    """Rule -> nodes with their verdicts, for the rules that were exercised."""
    table: dict[str, list[tuple[str, str]]] = {}
    for rule in run.exercised():
        table.setdefault(rule.id, []).append((rule.node, rule.verdict))
    return table


@dataclass(frozen=True)
class Group:
    """All findings of one rule: the first is shown, the others are counted by run."""

    first: Shown
    others: list[tuple[int, str, int]]  # index of the run, its scenario, findings in it


def _by_rule(summary: Summary, findings: Sequence[Shown], first: int) -> list[tuple[int, Group]]:
    groups: dict[tuple[str, str], list[Shown]] = {}
    for shown in findings:
        groups.setdefault((shown.rule.verdict, shown.rule.id), []).append(shown)
    table = []
    for number, alike in enumerate(groups.values(), first):
        counts: dict[int, int] = {}
        for shown in alike[1:]:
            counts[shown.run_index] = counts.get(shown.run_index, 0) + 1
        others = [(i, summary.runs[i].scenario, n) for i, n in counts.items()]
        table.append((number, Group(alike[0], others)))
    return table


def write(results: Sequence[Results], directory: Path) -> Path:
    """Writes the report into |directory| and returns the path of its index."""
    summary = summarise(results)
    pages = _pages(summary)
    env = environment()
    directory.mkdir(parents=True, exist_ok=True)
    common = {"summary": summary, "pages": pages, "first": results[0]}
    template = env.get_template("run.html")
    shown = by_run((*summary.findings, *summary.remarks))
    for page in pages:
        context = run_context(summary, page, shown.get(page.index, []))
        sections = summarise([_alone(summary, page.run)]).sections
        text = template.render(**common, **context, sections=sections, matrix=None)
        (directory / page.href).write_text(text, encoding="utf-8")
    index = directory / "index.html"
    groups = _by_rule(summary, summary.findings, 1)
    remarks = _by_rule(summary, summary.remarks, len(groups) + 1)
    hrefs = {page.index: page.href for page in pages}
    text = env.get_template("index.html").render(
        **common, hrefs=hrefs, groups=groups, remarks=remarks
    )
    index.write_text(text, encoding="utf-8")
    return index
