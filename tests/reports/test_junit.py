# SPDX-License-Identifier: BSD-2-Clause
"""JUnit: a golden file for every verdict (W10), and the difference between fail, error and skipped.

CHORUS_UPDATE_GOLDEN=1 writes the files anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import samples

from chorus_reports import junit
from chorus_reports.model import Results, parse

GOLDEN = Path(__file__).parent / "golden"
ALL = samples.one_per_verdict()["runs"]


def results_of(*runs: dict[str, Any]) -> Results:
    return parse("sample", json.dumps(samples.results(*runs)))


def rendered(*runs: dict[str, Any]) -> ET.Element:
    return ET.fromstring(junit.render([results_of(*runs)]))


def outcome(case: ET.Element) -> str:
    kinds = [c.tag for c in case if c.tag in ("failure", "error", "skipped")]
    assert len(kinds) <= 1
    return kinds[0] if kinds else "passed"


@pytest.mark.parametrize("run", ALL, ids=lambda run: run["scenario"])
def test_w10_golden_file_per_verdict(run: dict[str, Any]) -> None:
    text = junit.render([results_of(run)])
    file = GOLDEN / f"junit-{run['scenario']}.xml"
    if os.environ.get("CHORUS_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("passes", ["passed"]),
        ("warns", ["passed", "passed"]),
        ("fails", ["failure", "passed"]),
        ("is-inconclusive", ["skipped", "passed"]),
        ("required-not-exercised", ["passed", "error"]),
        ("unsupported", ["skipped", "passed"]),
        ("waived", ["skipped", "passed"]),
        ("crashes", ["passed", "error"]),
    ],
)
def test_outcomes(scenario: str, expected: list[str]) -> None:
    run = next(r for r in ALL if r["scenario"] == scenario)
    assert [outcome(c) for c in rendered(run).iter("testcase")] == expected


def test_every_verdict_of_a_rule_has_a_sample() -> None:
    seen = {rule["verdict"] for run in ALL for rule in run["rules"]}
    assert seen >= {
        "pass", "warn", "fail", "inconclusive", "not-exercised", "unsupported", "waived",
    }  # fmt: skip


def test_totals_are_those_of_the_cases() -> None:
    root = rendered(*ALL)
    cases = list(root.iter("testcase"))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.get(name, "")) == sum(outcome(c) == tag for c in cases)
    assert int(root.get("tests", "")) == len(cases)


def test_required_rule_without_an_item_is_an_error_still() -> None:
    """`covers` alone is enough: nothing of the run needs to say it again."""
    run = samples.run(
        "x", "error", [samples.rule("NR-02", "s1", "not-exercised")], covers=["NR-02"]
    )
    assert [outcome(c) for c in rendered(run).iter("testcase")] == ["error"]


def test_a_required_rule_that_the_profile_does_not_ask_is_skipped() -> None:
    """The tool passes such a run: JUnit has no error that nobody else has."""
    run = samples.run("x", "pass", [samples.rule("NR-02", "s1", "pass")], covers=["GC-2.3.1-33"])
    case = rendered(run).find(".//testcase[@name='required: GC-2.3.1-33']")
    assert case is not None
    assert outcome(case) == "skipped"
    assert "profile" in str(case.find("skipped").get("message"))  # type: ignore[union-attr]


def test_a_failed_run_never_looks_passed() -> None:
    """The run's own verdict gets a case where no rule and no item shows it."""
    run = samples.run("x", "fail", [samples.rule("NR-02", "s1", "pass")])
    assert [outcome(c) for c in rendered(run).iter("testcase")] == ["passed", "failure"]


def test_a_run_that_exercised_nothing_is_an_error() -> None:
    run = samples.run("x", "pass", [samples.rule("NR-02", "s1", "not-exercised")])
    assert [outcome(c) for c in rendered(run).iter("testcase")] == ["error"]


def test_octets_that_xml_cannot_hold_are_replaced() -> None:
    finding = samples.finding() | {"actual": "payload \x00\x1b[31m\ud800 & <b>"}
    run = samples.run("x", "fail", [samples.rule("GC-2.3.1-02", "c1", "fail", [finding])])
    failure = next(rendered(run).iter("failure"))
    assert failure.text is not None
    assert "payload \ufffd\ufffd[31m\ufffd & <b>" in failure.text


def test_w20_a_waiver_with_a_problem_is_a_failure_of_its_own() -> None:
    good = {"rule": "NR-02", "reason": "known", "link": "#1", "expires": "2099-01-01"}
    bad = good | {"rule": "GC-2.3.1-02", "problem": "expired"}
    results = samples.results(ALL[0]) | {"summary": {"waivers": [good, bad]}}
    root = ET.fromstring(junit.render([parse("sample", json.dumps(results))]))
    suite = root.find("testsuite[@name='waivers']")
    assert suite is not None
    assert [outcome(c) for c in suite.findall("testcase")] == ["passed", "failure"]
    assert root.get("failures") == "1"
