# SPDX-License-Identifier: BSD-2-Clause
"""The `chorus` fixture and the result's checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import samples
from fake_tool import FakeTool

from chorus_pytest import Chorus, ChorusError, ChorusFailure, ChorusResult


def answered(fake: FakeTool, results: dict[str, Any], exit: int = 0) -> ChorusResult:
    fake.answer("run", stdout=json.dumps(results), stderr="noise\n", exit=exit)
    return Chorus(str(fake.path)).run("light-group", seed=7, strict=True, jobs=None, set=["a=1"])


def test_options_become_arguments(fake: FakeTool) -> None:
    answered(fake, samples.one_per_verdict())
    assert fake.calls("run") == [
        ["run", "light-group", "--seed", "7", "--strict", "--set", "a=1", "--json"]
    ]


def test_checks_chain_when_they_hold(fake: FakeTool) -> None:
    result = answered(fake, samples.one_per_verdict())
    result.check_exit_code(0).check_no_error().check_exercised("GC-2.3.1-02").check_stderr("noise")
    result.check_verdict("fail", "fails").check_rule("NR-02", "not-exercised")
    result.check_rule("COAP-8.2-01", "warn", node="s1")


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda r: r.check_exit_code(0), "expected exit code 0, got 1"),
        (lambda r: r.check_passed(), "does not conform: fails"),
        (lambda r: r.check_verdict("pass"), "expected warns to be pass, it is warn"),
        (lambda r: r.check_verdict("pass", "nosuch"), "there is no run of nosuch"),
        (lambda r: r.check_rule("NR-02"), "expected NR-02 to be pass, it was not exercised"),
        (lambda r: r.check_rule("COAP-8.2-01"), "pass on s1 in warns, it is warn"),
        (lambda r: r.check_exercised("NR-02", "NO-1-01"), "not exercised: NR-02, NO-1-01"),
        (lambda r: r.check_no_findings(), "there are some of COAP-8.2-01, GC-2.3.1-02"),
        (lambda r: r.check_stderr("music"), "expected it to say 'music'"),
    ],
)
def test_a_check_that_does_not_hold_shows_everything(
    fake: FakeTool, check: Callable[[ChorusResult], object], text: str
) -> None:
    result = answered(fake, samples.one_per_verdict(), exit=1)
    with pytest.raises(ChorusFailure) as caught:
        check(result)
    shown = str(caught.value)
    assert text in shown
    for part in ("$ ", "exit code 1", "actual:   CON GET", "frame 12 of fails.pcapng", "noise"):
        assert part in shown


@pytest.mark.parametrize("verdict", ["inconclusive", "unsupported"])
def test_what_was_not_decided_did_not_pass(fake: FakeTool, verdict: str) -> None:
    """W5: a run that shows nothing fails no check that asks for no failure, and passes none."""
    run = samples.run("x", verdict, [samples.rule("NR-02", "s1", verdict)])
    result = answered(fake, samples.results(run)).check_conforms()
    with pytest.raises(ChorusFailure) as caught:
        result.check_passed()
    assert f"did not pass: x ({verdict})" in str(caught.value)


def test_no_results_is_an_error_not_a_failure(fake: FakeTool) -> None:
    fake.answer("run", stderr="disk full", exit=3)
    result = Chorus(str(fake.path)).run("light-group")
    for check in (result.check_passed, result.check_no_error, result.check_no_findings):
        with pytest.raises(ChorusError, match="disk full"):
            check()


def test_check_judges_captures(fake: FakeTool) -> None:
    fake.answer("check", stdout=json.dumps([samples.run("x", "pass", [])]))
    tool = Chorus(str(fake.path), {"seed": 7, "profile": "bis-18"})
    assert [r.verdict for r in tool.check("a.pcap", ics="x.yaml").runs] == ["pass"]
    assert fake.calls("check") == [
        ["check", "a.pcap", "--profile", "bis-18", "--ics", "x.yaml", "--json"]
    ]


def test_the_fixture_in_a_test_of_a_user(fake: FakeTool, pytester: pytest.Pytester) -> None:
    fake.answer("run", stdout=json.dumps(samples.one_per_verdict()), exit=1)
    pytester.makepyfile(
        """
        def test_mine(chorus):
            chorus.run("light-group").check_rule("GC-2.3.1-20")
        """
    )
    result = pytester.runpytest_subprocess("--chorus", str(fake.path), "--chorus-sut", "m.yaml")
    result.assert_outcomes(passed=1)
    assert fake.calls("run") == [["run", "light-group", "--sut", "m.yaml", "--json"]]


def test_a_tool_that_hangs_is_an_error(fake: FakeTool) -> None:
    fake.path.write_text("#!/bin/sh\nexec sleep 30\n")
    with pytest.raises(ChorusError, match="still running after 0 s"):
        Chorus(str(fake.path)).call("run", timeout=0.3)
