# SPDX-License-Identifier: BSD-2-Clause
"""JUnit XML: one suite per run, one case per rule and node and per expectation.

A failure is the fault of what was tested, an error that of the test: a required rule that was
never exercised is an error. Unsupported, waived, inconclusive and required by another profile are
skipped, with the reason. A rule that was not exercised and was not required is no case of this run;
a property counts them.

Of several stacks: one suite per stack and role, or pair; one case per scenario.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from chorus_reports import evidence
from chorus_reports.evidence import Evidence, Names, Seat
from chorus_reports.matrix import Matrix, build, wanted
from chorus_reports.model import Finding, Item, Results, RuleResult, RuleText, Run
from chorus_reports.words import moment, rule_name

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    """Octets of a packet may end up in a message; XML does not take all of them."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _finding_text(run: Run, text: RuleText, finding: Finding) -> str:
    lines = [
        f"{text.id} ({text.document}, section {text.section}): {text.requirement or text.title}",
    ]
    if finding.expected:  # a remark compares nothing
        lines += [f"  expected: {finding.expected}", f"  actual:   {finding.actual}"]
    lines.append(f"  {finding.message}")
    if finding.frame:
        lines.append(f"  frame {finding.frame} of {run.capture} at {moment(finding.time_ns)}")
    if run.reproduce:
        lines.append(f"  reproduce: {run.reproduce}")
    return "\n".join(lines)


def _case(suite: ET.Element, run: Run, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_clean(run.scenario), name=_clean(name))


def _result(case: ET.Element, tag: str, message: str, body: str = "") -> None:
    ET.SubElement(case, tag, message=_clean(message)).text = _clean(body)


def _rule_case(
    suite: ET.Element, run: Run, rule: RuleResult, text: RuleText, ours: frozenset[str]
) -> None:
    case = _case(suite, run, f"{rule_name(text)} [{rule.node}]")
    body = "\n\n".join(_finding_text(run, text, f) for f in rule.findings)
    first = rule.findings[0].message if rule.findings else text.title
    if rule.node in ours and rule.verdict in evidence.BAD:
        _result(case, "error", f"error of ours: {first}", body)
        return
    match rule.verdict:
        case "fail":
            _result(case, "failure", first, body)
        case "error":
            _result(case, "error", first, body)
        case "warn":
            ET.SubElement(case, "system-out").text = _clean(f"warning ({rule.level}):\n{body}")
        case "inconclusive":
            _result(case, "skipped", f"inconclusive: {first}", body)
        case "unsupported" | "waived":
            _result(case, "skipped", f"{rule.verdict}: {rule.reason or first}", body)


def _item_case(suite: ET.Element, run: Run, item: Item) -> None:
    place = f" (line {item.line})" if item.line else ""
    case = _case(suite, run, f"{item.kind}: {item.text}{place}")
    body = f"expected: {item.expected}\nactual:   {item.actual}"
    if item.frame:
        body += f"\nframe {item.frame} of {run.capture}"
    match item.verdict:
        case "fail":
            _result(case, "failure", item.text, body)
        case "error":
            _result(case, "error", item.text, body)
        case "inconclusive":
            _result(case, "skipped", f"inconclusive: {item.text}", body)
        case "unsupported":
            _result(case, "skipped", f"{item.text}: {item.actual}")


def _required_cases(suite: ET.Element, run: Run) -> None:
    """Required rules that were not exercised, unless an item of the run says so already.

    One that no node was judged by is not asked by the profile: else the run were an error.
    """
    if run.verdict == "unsupported":
        return
    exercised = {r.id for r in run.exercised()}
    judged = {r.id for r in run.rules}
    told = " ".join(i.text for i in run.items if i.kind == "required")
    for rule in run.covers:
        if rule in exercised or rule in told:
            continue
        case = _case(suite, run, f"required: {rule}")
        if rule in judged or run.verdict == "error":
            _result(case, "error", f"{rule} is required and was not exercised")
        else:
            _result(case, "skipped", f"{rule} is not asked by the profile {run.profile}")


def _run_case(suite: ET.Element, run: Run) -> None:
    """The run's own verdict, where no case shows it: JUnit must never look better than the run."""
    wanted = {"fail": "failure", "error": "error"}.get(run.verdict)
    if any(evidence.program_severity(p.verdict) == "fail" for p in run.programs):
        wanted = "failure"  # the program did it, not the harness
    if wanted and suite.find(f"testcase/{wanted}") is None:
        _result(_case(suite, run, "run"), wanted, f"the run's verdict is {run.verdict}")
    elif not len(suite.findall("testcase")):
        _result(_case(suite, run, "run"), "error", "nothing was exercised")


def _count(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))


def _properties(suite: ET.Element, pairs: Iterable[tuple[str, str]]) -> None:
    properties = ET.SubElement(suite, "properties")
    for key, value in pairs:
        ET.SubElement(properties, "property", name=key, value=_clean(value))


def _suite(root: ET.Element, results: Results, run: Run) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(run.scenario))
    idle = sum(r.verdict == "not-exercised" for r in run.rules)
    _properties(
        suite,
        (
            ("chorus", results.chorus),
            ("backend", results.backend),
            ("profile", run.profile),
            ("sut", run.sut),
            ("seed", "" if run.seed is None else str(run.seed)),
            ("not-exercised", str(idle)),
        ),
    )
    ours = evidence.ours_of(run, Names([results]))
    for rule in run.exercised():
        _rule_case(suite, run, rule, results.text(rule.id), ours)
    for program in run.programs:
        case = _case(suite, run, f"program {program.node}: {program.verdict}")
        tag = "failure" if evidence.program_severity(program.verdict) == "fail" else "error"
        _result(case, tag, f"{program.verdict}: {program.text}", program.stderr)
    if run.verdict == "unsupported":
        reasons = "; ".join(u.why for u in run.unsupported)
        _result(_case(suite, run, "run"), "skipped", f"unsupported: {reasons}")
    for item in run.items:
        _item_case(suite, run, item)
    _required_cases(suite, run)
    _run_case(suite, run)
    _count(suite)


def _waiver_suite(root: ET.Element, results: Results) -> None:
    """One case per waiver: one that expired, was not used or not needed is a failure."""
    if not results.waivers:
        return
    suite = ET.SubElement(root, "testsuite", name="waivers")
    for waiver in results.waivers:
        case = ET.SubElement(suite, "testcase", classname="waivers", name=_clean(waiver.rule))
        if waiver.problem:
            _result(case, "failure", waiver.problem, f"{waiver.reason}\n{waiver.link}")
    _count(suite)


# ---- several stacks ----


def _told(matrix: Matrix, run: Run, found: Sequence[Evidence]) -> str:
    """Everything that |found| says of a run."""
    parts = []
    for e in found:
        text = matrix.text(e.rule.id)
        mark = " (statistical)" if e.rule.id in matrix.statistical else ""
        who = "the reference" if e.seat is None else str(e.seat)
        head = f"{e.rule.verdict}{mark}: {who}, node {e.rule.node or '-'}"
        parts += ["\n".join((head, _finding_text(run, text, f))) for f in e.rule.findings]
    for p in run.programs:
        before = f"\n  datagram before: {p.datagram}" if p.datagram else ""
        parts.append(f"{p.verdict} of {p.node}: {p.text}{before}\n{p.stderr}".rstrip())
    return "\n\n".join(parts)


def _interop_case(suite: ET.Element, matrix: Matrix, index: int, classname: str) -> None:
    run = matrix.runs[index]
    case = ET.SubElement(suite, "testcase", classname=classname, name=_clean(run.scenario))
    everything = list(evidence.of_run(index, run, matrix.names))
    bad = [e for e in everything if e.rule.verdict in (*evidence.BAD, "inconclusive")]
    ours = [s for s in matrix.ours if s.run_index == index]
    programs = [p for p in run.programs if evidence.program_severity(p.verdict) == "fail"]
    body = _told(matrix, run, [e for e in bad if not evidence.is_program(e.rule.id)])
    first = next((f.message for e in bad for f in e.rule.findings if f.message), "")
    if ours:
        _result(case, "error", f"error of ours: {ours[0].rule.id} on {ours[0].rule.node}", body)
    elif programs:
        _result(case, "failure", f"{programs[0].verdict}: {programs[0].text}", body)
    elif run.verdict == "unsupported":
        _result(case, "skipped", "unsupported: " + "; ".join(u.why for u in run.unsupported))
    elif run.verdict in ("fail", "error"):
        tag = "failure" if run.verdict == "fail" else "error"
        _result(case, tag, first or f"the run's verdict is {run.verdict}", body)
    elif run.verdict == "inconclusive":
        _result(case, "skipped", f"inconclusive: {first}", body)
    elif run.verdict == "none":
        _result(case, "error", "nothing was exercised")
    elif body:
        ET.SubElement(case, "system-out").text = _clean(body)


def _interop_suites(root: ET.Element, results: Sequence[Results]) -> None:
    matrix = build(results)
    groups: dict[Seat, list[int]] = {}
    for index, run in enumerate(matrix.runs):
        groups.setdefault(matrix.names.of_run(run), []).append(index)
    for seat, indices in groups.items():
        run = matrix.runs[indices[0]]
        suite = ET.SubElement(root, "testsuite", name=_clean(str(seat)))
        _properties(
            suite,
            [
                ("chorus", results[0].chorus),
                ("backend", results[0].backend),
                ("profile", run.profile),
                ("sut", run.sut),
                ("role", seat.role),
            ],
        )
        for index in indices:
            _interop_case(suite, matrix, index, _clean(f"{seat.stack}.{seat.role}".strip(".")))
        _count(suite)
    for stack in matrix.stacks:
        if not stack.available:
            suite = ET.SubElement(root, "testsuite", name=_clean(stack.name))
            case = ET.SubElement(suite, "testcase", classname=_clean(stack.name), name="available")
            _result(case, "skipped", f"not available: {stack.why}")
            _count(suite)


def render(all_results: Sequence[Results]) -> str:
    """The JUnit document for |all_results|."""
    root = ET.Element("testsuites", name="chorus")
    several = wanted(all_results)
    if several:
        _interop_suites(root, all_results)
    for results in all_results:
        for run in () if several else results.runs:
            _suite(root, results, run)
        _waiver_suite(root, results)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
