# SPDX-License-Identifier: BSD-2-Clause
"""The Markdown summary."""

from __future__ import annotations

import json
from typing import Any

import samples

from chorus_reports import markdown
from chorus_reports.model import parse


def rendered(results: dict[str, Any]) -> str:
    return markdown.render([parse("sample", json.dumps(results))])


def test_says_the_verdict_the_counts_and_every_run() -> None:
    text = rendered(samples.one_per_verdict())
    assert text.startswith("# Conformance: error\n")
    assert "- 8 runs: 2 error, 1 fail, 1 inconclusive, 1 warn, 3 pass" in text
    for run in samples.one_per_verdict()["runs"]:
        assert f"| {run['scenario']} |" in text


def test_a_finding_is_complete() -> None:
    text = rendered(samples.results(samples.full_run()))
    expected = text.index("- expected: `NON GET coap://[ff35::1]/light`")
    assert text.index("- actual: `CON GET coap://[ff35::1]/light`") > expected
    assert "section 2.3.1 (MUST), node `c1`" in text
    assert "> A client sends every request" in text
    assert "- frame 12 of `light-group.pcapng`, 30.000 s" in text
    assert "- reproduce: `./chorus run light-group --seed 7`" in text


def test_failed_rules_come_before_warnings() -> None:
    text = rendered(samples.results(samples.full_run()))
    assert text.index("### ✗ fail: GC-2.3.1-02") < text.index("### ! warn: COAP-8.2-01")


def test_expectations_that_do_not_hold_are_told() -> None:
    text = rendered(samples.results(samples.full_run()))
    assert "- `light-group`: sweep: no unexpected packet: expected `nothing`" in text


def test_what_a_packet_says_is_never_markup() -> None:
    finding = samples.finding() | {
        "actual": "a`b``c",
        "message": "| <script>alert(1)</script> [x](y)\n# head",
    }
    run = samples.run("x", "fail", [samples.rule("GC-2.3.1-02", "c1", "fail", [finding])])
    text = rendered(samples.results(run))
    assert "- actual: ```a`b``c```\n" in text
    assert "\\<script\\>" in text
    assert "\n# head" not in text


def test_many_findings_are_cut_and_counted() -> None:
    findings = [samples.finding(n, n) for n in range(1, 41)]
    run = samples.run("x", "fail", [samples.rule("GC-2.3.1-02", "c1", "fail", findings)])
    text = rendered(samples.results(run))
    assert text.count("### ") == markdown.SHOWN_FINDINGS
    assert "… and 15 more." in text


def test_w20_a_waiver_with_a_problem_makes_the_whole_fail() -> None:
    waiver = {"rule": "NR-02", "reason": "known", "link": "#1", "problem": "nobody used it"}
    passing = samples.run("x", "pass", [samples.rule("NR-02", "s1", "pass")])
    text = rendered(samples.results(passing) | {"summary": {"waivers": [waiver]}})
    assert text.startswith("# Conformance: fail\n")
    assert "- NR-02: nobody used it (known)" in text
