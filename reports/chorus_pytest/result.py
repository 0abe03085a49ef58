# SPDX-License-Identifier: BSD-2-Clause
"""What came of one call of the tool, with check_* methods whose failure text shows everything."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from chorus_reports.model import Finding, Item, Results, RuleResult, Run
from chorus_reports.words import moment, rule_name

STDERR_LINES = 30


class ChorusFailure(AssertionError):
    """What was tested does not conform."""


class ChorusError(Exception):
    """The test itself did not work: nothing can be said about what was tested."""


def _finding_lines(results: Results, run: Run, rule: RuleResult, finding: Finding) -> list[str]:
    text = results.text(rule.id)
    where = f"frame {finding.frame} of {run.capture} at " if finding.frame else "at "
    lines = [
        f"{rule.verdict}: {rule_name(text)} [{rule.node}]",
        f"  {text.document}, section {text.section} ({rule.level})",
        f"  {text.requirement}" if text.requirement else "",
        f"  expected: {finding.expected}" if finding.expected else "",
        f"  actual:   {finding.actual}" if finding.actual else "",
        f"  {finding.message}" if finding.message else "",
        f"  {where}{moment(finding.time_ns)}",
    ]
    return [line for line in lines if line]


def _item_lines(item: Item) -> list[str]:
    place = f" (line {item.line})" if item.line else ""
    lines = [f"{item.verdict}: {item.kind}: {item.text}{place}"]
    if item.expected or item.actual:
        lines += [f"  expected: {item.expected}", f"  actual:   {item.actual}"]
    if item.frame:
        lines.append(f"  frame {item.frame}")
    return lines


def describe_run(results: Results, run: Run) -> str:
    """Everything that is wrong with a run, for people."""
    lines = [f"{run.scenario}: {run.verdict}"]
    for rule in run.rules:
        if rule.verdict not in ("fail", "error", "warn", "inconclusive"):
            continue
        for finding in rule.findings:
            lines += _finding_lines(results, run, rule, finding)
        if not rule.findings:
            lines.append(f"{rule.verdict}: {rule.id} [{rule.node}]")
    for item in run.items:
        if item.verdict not in ("pass", "unsupported"):
            lines += _item_lines(item)
    if run.reproduce:
        lines.append(f"reproduce: {run.reproduce}")
    return "\n".join(lines)


@dataclass(frozen=True)
class ChorusResult:
    """One call of the tool. Every check returns the result, so that checks can be chained."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    results: Results | None

    def describe(self) -> str:
        """The command, every run that is not clean, and the end of what the tool said."""
        lines = [f"$ {shlex.join(self.command)}", f"exit code {self.exit_code}"]
        if self.results:
            bad = [r for r in self.results.runs if r.verdict not in ("pass", "none")]
            lines += [describe_run(self.results, run) for run in bad]
        said = self.stderr.splitlines()
        if said:
            lines += ["it said:", *("  " + line for line in said[-STDERR_LINES:])]
        return "\n".join(lines)

    def _fail(self, reason: str) -> ChorusFailure:
        return ChorusFailure(f"{reason}\n{self.describe()}")

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs; an error where the tool gave none."""
        if self.results is None:
            raise ChorusError(f"there are no results\n{self.describe()}")
        return self.results.runs

    def _rules(self, rule: str, node: str | None) -> Iterator[tuple[Run, RuleResult]]:
        for run in self.runs:
            for entry in run.rules:
                if entry.id == rule and node in (None, entry.node):
                    yield run, entry

    def check_no_error(self) -> ChorusResult:
        """The tool worked: raises ChorusError otherwise, never ChorusFailure."""
        if self.results is None or self.exit_code in (2, 3) or self.exit_code < 0:
            raise ChorusError(self.describe())
        if not self.results.runs:
            raise ChorusError(f"nothing was run\n{self.describe()}")
        return self

    def check_exit_code(self, code: int) -> ChorusResult:
        if self.exit_code != code:
            raise self._fail(f"expected exit code {code}, got {self.exit_code}")
        return self

    def check_conforms(self) -> ChorusResult:
        """Nothing failed. Warnings, and what is undecided or unsupported, are allowed."""
        self.check_no_error()
        bad = [r for r in self.runs if r.verdict in ("fail", "none")]
        if bad or self.exit_code == 1:
            names = ", ".join(r.scenario for r in bad) or "the run"
            raise self._fail(f"does not conform: {names}")
        return self

    def check_passed(self) -> ChorusResult:
        """Every run passed, warnings allowed. What is undecided or unsupported did not pass."""
        self.check_conforms()
        idle = [r for r in self.runs if r.verdict not in ("pass", "warn")]
        if idle:
            told = ", ".join(f"{r.scenario} ({r.verdict})" for r in idle)
            raise self._fail(f"did not pass: {told}")
        return self

    def check_verdict(self, verdict: str, scenario: str | None = None) -> ChorusResult:
        """All runs (of |scenario|) have this verdict."""
        runs = [r for r in self.runs if scenario in (None, r.scenario)]
        if not runs:
            raise self._fail(f"there is no run of {scenario}")
        for run in runs:
            if run.verdict != verdict:
                raise self._fail(f"expected {run.scenario} to be {verdict}, it is {run.verdict}")
        return self

    def check_rule(self, rule: str, verdict: str = "pass", node: str | None = None) -> ChorusResult:
        """The rule was judged (on |node|), and always with this verdict where it was exercised."""
        judged = [(r, e) for r, e in self._rules(rule, node)]
        exercised = [(r, e) for r, e in judged if e.verdict != "not-exercised"]
        if not exercised and verdict != "not-exercised":
            raise self._fail(f"expected {rule} to be {verdict}, it was not exercised")
        for run, entry in exercised:
            if entry.verdict != verdict:
                raise self._fail(
                    f"expected {rule} to be {verdict} on {entry.node} in {run.scenario}, "
                    f"it is {entry.verdict}"
                )
        return self

    def check_exercised(self, *rules: str) -> ChorusResult:
        """Every one of the rules looked at something at least once."""
        idle = [r for r in rules if not any(e.activations for _, e in self._rules(r, None))]
        if idle:
            raise self._fail(f"not exercised: {', '.join(idle)}")
        return self

    def check_no_findings(self) -> ChorusResult:
        """No rule is broken, not even a SHOULD."""
        bad = ("fail", "error", "warn")
        rules = sorted({e.id for run in self.runs for e in run.rules if e.verdict in bad})
        if rules:
            raise self._fail(f"expected no finding, there are some of {', '.join(rules)}")
        return self

    def check_stderr(self, text: str) -> ChorusResult:
        if text not in self.stderr:
            raise self._fail(f"expected it to say {text!r}")
        return self

    def unsupported(self) -> str:
        """Why nothing of it could be tested: the reason, or "" when something was."""
        judged = [run for run in self.runs if run.verdict != "unsupported"]
        entries = [e for run in judged for e in run.rules]
        if any(e.verdict not in ("unsupported", "not-exercised") for e in entries):
            return ""
        declared = sorted({e.id for e in entries if e.verdict == "unsupported"})
        reasons = [u.why for run in self.runs for u in run.unsupported]
        why = ", ".join(dict.fromkeys((*declared, *reasons)))
        return f"the system under test declares no support: {why}" * bool(why)
