# SPDX-License-Identifier: BSD-2-Clause
"""Scenario files as test items: what is collected, and what each verdict becomes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
import samples
from fake_tool import FakeTool

Inner = Callable[..., pytest.RunResult]


def answer_with(fake: FakeTool, *runs: dict[str, Any], exit: int = 0) -> None:
    fake.answer("run", stdout=json.dumps(samples.results(*runs)), exit=exit)


def passing() -> dict[str, Any]:
    return samples.run("light-group", "pass", [samples.rule("NR-02", "s1", "pass")])


def failing() -> dict[str, Any]:
    rules = [samples.rule("GC-2.3.1-02", "c1", "fail", [samples.finding()])]
    return samples.run("light-group", "fail", rules)


def test_pass(fake: FakeTool, inner: Inner) -> None:
    answer_with(fake, passing())
    inner().assert_outcomes(passed=1)


def test_fail_shows_the_whole_finding_and_no_traceback(fake: FakeTool, inner: Inner) -> None:
    answer_with(fake, failing(), exit=1)
    result = inner()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*does not conform: light-group*",
            "*fail: GC-2.3.1-02 Group requests are Non-confirmable [[]c1[]]*",
            "*section 2.3.1 (MUST)*",
            "*expected: NON GET coap://[[]ff35::1[]]/light*",
            "*actual:   CON GET coap://[[]ff35::1[]]/light*",
            "*frame 12 of light-group.pcapng at 3.000 s*",
            "*reproduce: ./chorus run light-group --seed 7*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_warn_passes(fake: FakeTool, inner: Inner) -> None:
    rules = [samples.rule("COAP-8.2-01", "s1", "warn", [samples.finding()])]
    answer_with(fake, samples.run("light-group", "warn", rules))
    inner().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("exit", "stdout", "stderr"),
    [
        (3, "", "the server under test crashed"),
        (2, "", "no scenario 'light-group'"),
        (3, json.dumps(samples.results(samples.run("x", "error", []))), "capture: cut"),
        (0, "not JSON", "half a line"),
        (0, json.dumps(samples.results()), "nothing selected"),
        (-9, "", ""),
    ],
)
def test_harness_trouble_is_an_error_not_a_failure(
    fake: FakeTool, inner: Inner, exit: int, stdout: str, stderr: str
) -> None:
    fake.answer("run", stdout=stdout, stderr=stderr, exit=exit)
    result = inner()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{stderr}*"])


def test_failure_beside_an_error_is_an_error(fake: FakeTool, inner: Inner) -> None:
    answer_with(fake, failing(), samples.run("b", "error", []), exit=3)
    inner().assert_outcomes(errors=1)


def test_unsupported_is_skipped_with_its_reason(fake: FakeTool, inner: Inner) -> None:
    answer_with(
        fake, samples.run("light-group", "pass", [samples.rule("NR-02", "s1", "unsupported")])
    )
    result = inner()
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*declares no support: NR-02*"])


def test_inconclusive_is_skipped_and_fails_when_strict(fake: FakeTool, inner: Inner) -> None:
    doubtful = samples.run(
        "light-group", "inconclusive", [samples.rule("NR-02", "s1", "inconclusive")]
    )
    answer_with(fake, doubtful)
    result = inner()
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*inconclusive: light-group*"])
    answer_with(fake, doubtful, exit=4)
    inner("--chorus-strict").assert_outcomes(failed=1)
    assert "--strict" in fake.calls("run")[-1]


def test_exit_code_1_fails_even_where_no_run_says_fail(fake: FakeTool, inner: Inner) -> None:
    """A waiver that nobody used, for one: the tool's word counts."""
    answer_with(fake, passing(), exit=1)
    inner().assert_outcomes(failed=1)


def test_repeated_options_multiply_the_items(fake: FakeTool, inner: Inner) -> None:
    answer_with(fake, passing())
    result = inner(
        "-v", "--chorus-seed", "1", "--chorus-seed", "2",
        "--chorus-profile", "dijk-03", "--chorus-profile", "bis-18",
        "--chorus-sut", "suts/libcoap.yaml", "--chorus-backend", "sim",
    )  # fmt: skip
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*light-group[[]sim-libcoap-bis-18-2[]] PASSED*"])
    calls = fake.calls("run")
    assert len(calls) == 4
    assert {c[c.index("--seed") + 1] for c in calls} == {"1", "2"}
    assert {c[c.index("--profile") + 1] for c in calls} == {"dijk-03", "bis-18"}
    assert all(c[c.index("--sut") + 1] == "suts/libcoap.yaml" for c in calls)


def test_out_is_a_directory_of_the_item(fake: FakeTool, inner: Inner) -> None:
    answer_with(fake, passing())
    inner("--chorus-out", "kept", "--chorus-seed", "3").assert_outcomes(passed=1)
    call = fake.calls("run")[-1]
    assert call[call.index("--out") + 1] == "kept/light-group-3"


def test_only_scenarios_are_collected(
    fake: FakeTool, inner: Inner, pytester: pytest.Pytester
) -> None:
    answer_with(fake, passing())
    pytester.path.joinpath("compose.yaml").write_text("services: {}\n")
    pytester.path.joinpath("workflow.yml").write_text("id: x\non: push\n")
    inner().assert_outcomes(passed=1)


def test_a_broken_scenario_is_a_collection_error_in_the_tools_words(
    fake: FakeTool, inner: Inner
) -> None:
    fake.answer("scenarios", stderr="light-group.yaml:3:1: unknown key 'nodez'", exit=2)
    result = inner()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*light-group.yaml:3:1: unknown key 'nodez'*"])


def test_a_missing_tool_is_a_usage_error(pytester: pytest.Pytester, inner: Inner) -> None:
    result = pytester.runpytest_subprocess("--chorus", "no-such-program")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no-such-program: no such program*"])


def test_works_with_xdist(fake: FakeTool, inner: Inner) -> None:
    pytest.importorskip("xdist")
    answer_with(fake, passing())
    seeds = [word for n in range(6) for word in ("--chorus-seed", str(n))]
    inner("-n", "2", *seeds).assert_outcomes(passed=6)
    assert len(fake.calls("run")) == 6


def test_junit_keeps_fail_error_and_skip_apart(
    fake: FakeTool, inner: Inner, pytester: pytest.Pytester
) -> None:
    file = pytester.path / "junit.xml"
    seen = []
    for exit, runs in ((1, [failing()]), (3, []), (0, [passing()])):
        fake.answer("run", stdout=json.dumps(samples.results(*runs)), exit=exit)
        inner(f"--junitxml={file}")
        case = next(ET.parse(file).iter("testcase"))
        seen.append([c.tag for c in case if c.tag != "properties"])
        assert case.find("properties/property[@name='rule'][@value='NR-02']") is not None
    assert seen == [["failure"], ["error"], []]
