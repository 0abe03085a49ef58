# SPDX-License-Identifier: BSD-2-Clause
"""A Markdown summary, for a pull request or a CI job's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chorus_reports.evidence import BESIDE, PAIR
from chorus_reports.matrix import PLAIN, Cell, Matrix, Pair, Table, build, sides, staged
from chorus_reports.model import RUN_VERDICTS, Results, Run
from chorus_reports.summary import Shown, Summary, summarise
from chorus_reports.words import counted, moment, rule_name, tally

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
    about += sorted({run.sut for run in summary.runs if run.sut and run.tested.role != PAIR})
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
        f"node {_code(rule.node)}, scenario {_code(shown.run.scenario)}"
        + (f", {_cell(shown.run.sut)}" if shown.run.tested.role else ""),
        "",
    ]
    if text.requirement:
        lines += [f"> {_cell(text.requirement)}", ""]
    if finding.expected:  # a remark compares nothing
        lines += [f"- expected: {_code(finding.expected)}", f"- actual: {_code(finding.actual)}"]
    if finding.message:
        lines.append(f"- {_cell(finding.message)}")
    if finding.frame:
        where = f" of {_code(shown.run.capture)}" if shown.run.capture else ""
        lines.append(f"- frame {finding.frame}{where}, {moment(finding.time_ns)}")
    if shown.run.reproduce:
        lines.append(f"- reproduce: {_code(shown.run.reproduce)}")
    return lines


def _findings(findings: Sequence[Shown], total: int) -> list[str]:
    if not findings:
        return []
    lines = ["", "## Findings"]
    for shown in findings[:SHOWN_FINDINGS]:
        lines += _finding(shown)
    left = total - min(len(findings), SHOWN_FINDINGS)
    return lines + (["", f"… and {left} more."] if left > 0 else [])


def _items(run: Run) -> list[str]:
    bad = [i for i in run.items if i.verdict not in ("pass", "unsupported")]
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


# ---- several stacks ----


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "-|" * len(head)]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _matrix_cell(cell: Cell | None) -> str:
    if cell is None or cell.verdict == "not-exercised":
        return SYMBOL["not-exercised"]
    if cell.verdict == "unsupported":
        return "n/s"
    text = f"{SYMBOL[cell.verdict]} {cell.said}" + (" ≈" if cell.statistical else "")
    return _cell(f"{cell.verdict} {text}" if cell.verdict not in PLAIN else text)


def _pair_cell(pair: Pair | None) -> str:
    if pair is None:
        return SYMBOL["not-exercised"]
    if not pair.run_count:
        return "n/s"
    more = f" (+{pair.unsupported} n/s)" if pair.unsupported else ""
    worst = "" if pair.verdict == "pass" else f"{pair.verdict} "
    return f"{worst}{SYMBOL[pair.verdict]} {pair.passed}/{pair.run_count}{more}"


def _stack_rows(matrix: Matrix) -> Iterable[Sequence[str]]:
    for stack in matrix.stacks:
        name = _cell(stack.name)
        if not stack.available:
            yield name, _cell(stack.version), "", f"not available: {_cell(stack.why)}", ""
        for table in matrix.tables_of(stack.name):
            counts = [(v, n) for v, n in table.counts(stack.name) if v != "not-exercised"]
            programs = ", ".join(f"{v} ({n})" for v, n in matrix.programs(stack.name, table.role))
            yield name, _cell(stack.version), table.role, _counts(counts), programs


def _pairs(matrix: Matrix) -> list[str]:
    if not matrix.pairs:
        return []
    clients, servers = sides(matrix.pairs.values(), [s.name for s in matrix.stacks])
    rows = [[_cell(c), *(_pair_cell(matrix.pairs.get((c, s))) for s in servers)] for c in clients]
    head = ["client ↓ server →", *map(_cell, servers)]
    about = "Interop scenarios passed of those run, and the worst verdict among them."
    return ["", "## Client x server", "", about, "", *_table(head, rows)]


def _rules(table: Table) -> list[str]:
    rows = []
    idle = 0
    for row in table.rows():
        cells = [row.cells.get(s) for s in table.stacks]
        if all(c is None or c.verdict == "not-exercised" for c in cells):
            idle += 1
            continue
        where = f"{row.text.document} {row.text.section}".strip()
        name = row.text.title if row.text.document == BESIDE else rule_name(row.text)
        rows.append([_cell(name), _cell(where), *map(_matrix_cell, cells)])
    lines = ["", f"## {table.title} x rule", ""]
    lines += _table(["rule", "where", *map(_cell, table.stacks)], rows)
    left = f"{counted(idle, 'rule')} that no stack exercised are left out."
    return [*lines, *(["", left] if idle else [])]


def _ours(matrix: Matrix) -> list[str]:
    if not matrix.ours:
        return []
    lines = ["", "## Errors of ours", "", "The reference broke a rule: no stack's fault."]
    for shown in matrix.ours[:SHOWN_FINDINGS]:
        lines += _finding(shown)
    return lines


def _interop(results: Sequence[Results]) -> str:
    matrix, summary = build(results), summarise(results)
    head = ["stack", "version", "role", "rules", "program"]
    lines = [
        f"# {'Interoperability' if matrix.pairs else 'Conformance of stacks'}: {matrix.verdict}",
        *_head(summary)[1:4],
    ]
    counts = tally(matrix.run_verdicts, reversed(RUN_VERDICTS))
    lines += [f"- {counted(len(matrix.runs), 'run')}: {_counts(counts)}", *_waivers(summary)]
    lines += [*_ours(matrix), "", "## Stacks", "", *_table(head, _stack_rows(matrix))]
    lines += _pairs(matrix)
    for table in matrix.tables:
        lines += _rules(table)
    lines += [
        "",
        "✓ 12: pass in all 12 runs that exercised it; fail ✗ 3/12: fail in 3 of 12; n/s: not"
        " supported, as the manifest declares; ·: not exercised, never a pass; ≈: statistical.",
    ]
    ours = {id(s.finding) for s in matrix.ours}
    theirs = [s for s in summary.findings if id(s.finding) not in ours]
    first: dict[tuple[str, str], Shown] = {}
    for shown in theirs:
        first.setdefault((shown.run.sut, shown.rule.id), shown)
    return "\n".join([*lines, *_findings(list(first.values()), len(theirs))]) + "\n"


def render(results: Sequence[Results]) -> str:
    """The Markdown document for |results|."""
    if staged(results):
        return _interop(results)
    summary = summarise(results)
    lines = _head(summary) + _waivers(summary)
    lines += _findings(summary.findings, len(summary.findings))
    lines += _expectations(summary) + _runs(summary)
    return "\n".join(lines) + "\n"
