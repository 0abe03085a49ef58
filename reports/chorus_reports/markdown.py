# SPDX-License-Identifier: BSD-2-Clause
"""A Markdown summary, for a pull request or a CI job's page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chorus_reports.model import Results, Run
from chorus_reports.summary import Shown, Summary, summarise
from chorus_reports.words import counted, moment, rule_name

SHOWN_FINDINGS = 25
SYMBOL = {
    "pass": "✓",
    "warn": "!",
    "fail": "✗",
    "error": "✗✗",
    "inconclusive": "?",
    "waived": "~",
    "unsupported": "-",
    "not-exercised": "·",
    "none": "·",
}


def _cell(text: str) -> str:
    """|text| inside a table or a line: nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text.replace("\n", " "))


def _code(text: str) -> str:
    """|text| as one line of code, whatever it holds."""
    text = " ".join(text.splitlines())
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _counts(pairs: list[tuple[str, int]]) -> str:
    return ", ".join(f"{n} {verdict}" for verdict, n in pairs) or "none"


def _head(summary: Summary) -> list[str]:
    first = summary.results[0]
    about = [f"Chorus {first.chorus}" if first.chorus else "Chorus"]
    about += [f"profile {p}" for p in summary.profiles]
    about += [f"backend {first.backend}"] if first.backend else []
    about += sorted({run.sut for run in summary.runs if run.sut})
    return [
        f"# Conformance: {summary.verdict}",
        "",
        _cell(" · ".join(about)),
        "",
        f"- {counted(len(summary.runs), 'run')}: {_counts(summary.run_counts)}",
        f"- {counted(sum(n for _, n in summary.rule_counts), 'rule')}: "
        f"{_counts(summary.rule_counts)}",
    ]


def _finding(shown: Shown) -> list[str]:
    rule, text, finding = shown.rule, shown.text, shown.finding
    lines = [
        "",
        f"### {SYMBOL[rule.verdict]} {rule.verdict}: {_cell(rule_name(text))}",
        "",
        f"{_cell(text.document)}, section {_cell(text.section)} ({rule.level}), "
        f"node {_code(rule.node)}, scenario {_code(shown.run.scenario)}",
        "",
    ]
    if text.requirement:
        lines += [f"> {_cell(text.requirement)}", ""]
    lines += [f"- expected: {_code(finding.expected)}", f"- actual: {_code(finding.actual)}"]
    if finding.message:
        lines.append(f"- {_cell(finding.message)}")
    if finding.frame:
        where = f" of {_code(shown.run.capture)}" if shown.run.capture else ""
        lines.append(f"- frame {finding.frame}{where}, {moment(finding.time_ns)}")
    if shown.run.reproduce:
        lines.append(f"- reproduce: {_code(shown.run.reproduce)}")
    return lines


def _findings(summary: Summary) -> list[str]:
    if not summary.findings:
        return []
    lines = ["", "## Findings"]
    for shown in summary.findings[:SHOWN_FINDINGS]:
        lines += _finding(shown)
    left = len(summary.findings) - SHOWN_FINDINGS
    return lines + (["", f"… and {left} more."] if left > 0 else [])


def _items(run: Run) -> list[str]:
    bad = [i for i in run.items if i.verdict != "pass"]
    return [
        f"- {_code(run.scenario)}: {i.kind}: {_cell(i.text)}: expected {_code(i.expected)}, "
        f"actual {_code(i.actual)}"
        for i in bad
    ]


def _expectations(summary: Summary) -> list[str]:
    lines = [line for run in summary.runs for line in _items(run)]
    return ["", "## Expectations not met", "", *lines] if lines else []


def _waivers(summary: Summary) -> list[str]:
    bad = [w for results in summary.results for w in results.waivers if w.problem]
    lines = [f"- {_cell(w.rule)}: {_cell(w.problem)} ({_cell(w.reason)})" for w in bad]
    return ["", "## Waivers that fail the run", "", *lines] if lines else []


def _runs(summary: Summary) -> list[str]:
    lines = ["", "## Runs", "", "| | scenario | SUT | verdict | rules |", "|-|-|-|-|-|"]
    for run in summary.runs:
        exercised = sum(1 for _ in run.exercised())
        lines.append(
            f"| {SYMBOL[run.verdict]} | {_cell(run.scenario)} | {_cell(run.sut)} "
            f"| {run.verdict} | {exercised} |"
        )
    return lines


def render(results: Sequence[Results]) -> str:
    """The Markdown document for |results|."""
    summary = summarise(results)
    lines = _head(summary) + _waivers(summary) + _findings(summary)
    lines += _expectations(summary) + _runs(summary)
    return "\n".join(lines) + "\n"
