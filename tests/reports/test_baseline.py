# SPDX-License-Identifier: BSD-2-Clause
"""Baselines and the comparison of stacks: what counts, what is only told, and what it says."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import interop_samples as samples
import jsonschema
import pytest
from interop_samples import STATISTICAL, TOKEN, TWICE, Value

from chorus_pytest import Chorus
from chorus_reports import cells, cells_diff
from chorus_reports.__main__ import main
from chorus_reports.model import parse

RULE = "COAP-3-03"


@pytest.fixture(scope="session")
def base(tool: Chorus) -> Value:
    return samples.real(tool, *samples.SELECTORS)


def planted(base: Value, verdict: str, rule: str = RULE) -> Value:
    """libcoap as server has |verdict| for |rule| in one scenario."""
    results = samples.clean(base)
    samples.plant(samples.find(results, "libcoap", "server", TOKEN), rule, "s1", verdict)
    return results


def put(directory: Path, name: str, results: Value) -> str:
    file = directory / f"{name}.json"
    file.write_text(json.dumps(results))
    return str(file)


def baseline(directory: Path, results: Value) -> str:
    source = put(directory, "source", results)
    target = str(directory / "baseline.json")
    assert main(["report", source, "--baseline", target]) == 0
    return target


def changes(old: Value, new: Value) -> list[tuple[str, str, str, str]]:
    """Kind, seat, rule and family of every change, nothing merged."""
    told = cells_diff.compare(
        *(cells.of_results(parse("x", json.dumps(one))) for one in (old, new))
    )
    return [(c.kind, c.key.seat, c.key.rule, c.key.nodes) for c in told]


# ---- the file ----


@pytest.mark.parametrize("make", [samples.clean, samples.faulty])
def test_a_baseline_says_the_same_as_its_results(
    base: Value, make: Callable[[Value], Value], tmp_path: Path, home: Path
) -> None:
    file = Path(baseline(tmp_path, make(base)))
    schema = json.loads((home / "reports/schema/baseline.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(file.read_text()))
    read, _ = cells.load(file)
    made, _ = cells.load(tmp_path / "source.json")
    assert read.verdicts == made.verdicts
    assert (read.stacks, read.statistical) == (made.stacks, made.statistical)
    assert cells.baseline(read) == file.read_text()


def test_a_baseline_is_sorted_and_each_cell_has_a_line(base: Value, tmp_path: Path) -> None:
    lines = Path(baseline(tmp_path, samples.faulty(base))).read_text().splitlines()
    found = [line for line in lines if '"verdict": "fail"' in line]
    assert len(found) == 4  # two rules of stacks alone, one of a pair, one crash
    assert sum('"rule": "crash"' in line for line in found) == 1
    told = [json.loads(line.strip().rstrip(",")) for line in lines if '"verdict"' in line]
    keys = [(c["stack"], c["role"], c.get("pair", ""), c["scenario"], c["rule"]) for c in told]
    assert keys == sorted(keys)


def test_the_order_of_the_runs_changes_nothing(base: Value, tmp_path: Path) -> None:
    results = samples.faulty(base)
    first = Path(baseline(tmp_path, results)).read_text()
    results["runs"].reverse()
    assert Path(baseline(tmp_path, results)).read_text() == first


def test_one_more_fault_is_one_more_line(base: Value, tmp_path: Path) -> None:
    clean = Path(baseline(tmp_path, samples.clean(base))).read_text().splitlines()
    bad = Path(baseline(tmp_path, planted(base, "fail"))).read_text().splitlines()
    more = [line for line in bad if line not in clean and '"verdict"' in line]
    assert len(more) == 1
    assert len(bad) - len(clean) == 1


def test_faults_of_the_reference_are_never_expected(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = samples.with_fault_of_ours(base)
    file = baseline(tmp_path, results)
    assert "1 finding of the reference left out" in capsys.readouterr().err
    assert (
        json.loads(Path(file).read_text())["cells"]
        == json.loads(Path(baseline(tmp_path, samples.clean(base))).read_text())["cells"]
    )
    assert main(["diff", file, put(tmp_path, "new", results)]) == 1
    told = capsys.readouterr().out
    assert "chorus-reference (ours) server" in told
    assert "our own fault" in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chorus-baseline": 2}, "top level.chorus-baseline: expected 1, the format of this"),
        ({"cells": [{"stack": 5}]}, "top level.cells[0].scenario: expected a string, found null"),
        ({"exercised": {}}, "top level.exercised: expected a list"),
        (
            {"cells": [{"stack": "x", "role": "server", "scenario": "a", "rule": "NR-02",
                        "nodes": "s", "verdict": "fail"}]},
            "top level.cells[0]: not among those that were exercised",
        ),
    ],
)  # fmt: skip
def test_a_wrong_baseline_is_named_with_its_place(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Value, message: str
) -> None:
    file = Path(baseline(tmp_path, samples.clean(base)))
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert main(["diff", str(file), str(tmp_path / "source.json")]) == 3
    assert f"{file}: {message}" in capsys.readouterr().err


def test_an_interrupted_run_makes_no_baseline(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = samples.clean(base) | {"summary": {"interrupted": True}}
    target = tmp_path / "baseline.json"
    file = put(tmp_path, "cut", results)
    assert main(["report", file, "--baseline", str(target)]) == 3
    assert "interrupted" in capsys.readouterr().err
    assert not target.exists()


# ---- what counts ----


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("pass", "fail", "broke"),
        ("pass", "warn", "broke"),
        ("warn", "fail", "broke"),
        ("not-exercised", "fail", "broke"),
        ("fail", "pass", "fixed"),
        ("warn", "pass", "fixed"),
        ("fail", "warn", "fixed"),
        ("fail", "inconclusive", "fixed"),
        ("pass", "not-exercised", "no longer exercised"),
        ("fail", "not-exercised", "no longer exercised"),
        ("pass", "unsupported", "no longer exercised"),
        ("not-exercised", "pass", "newly exercised"),
        ("pass", "inconclusive", "worse"),
        ("inconclusive", "pass", "better"),
        ("pass", "pass", ""),
        ("fail", "fail", ""),
    ],
)
def test_kinds_and_exit_codes(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, kind: str
) -> None:
    """Each way: baseline and results, results and results, baseline and baseline."""
    before, after = planted(base, old), planted(base, new)
    for results in (before, after):  # one server alone, so that no other node exercises the rule
        for run in results["runs"]:
            run["rules"] = [r for r in run["rules"] if r["node"] in ("c1", "s1")]
    told = changes(before, after)
    assert told == ([(kind, "libcoap server", RULE, "s")] if kind else [])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [
        (put(tmp_path / d, "r", r), baseline(tmp_path / d, r))
        for d, r in (("a", before), ("b", after))
    ]
    expected = int(kind in ("broke", "fixed", "no longer exercised"))
    for one, other in ((1, 0), (0, 0), (1, 1), (0, 1)):
        capsys.readouterr()
        assert main(["diff", files[0][one], files[1][other]]) == expected
        said = capsys.readouterr().out
        if kind:
            assert f"{kind} (1 cell)" in said
            assert "\n  libcoap server\n" in said
            assert f"    {RULE} [s]: {old} -> {new} in {TOKEN}[ip=4]\n" in said


@pytest.mark.parametrize(("old", "new"), [("pass", "fail"), ("fail", "pass")])
def test_statistical_rules_are_told_and_never_count(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    files = [
        put(tmp_path, name, planted(base, verdict, STATISTICAL))
        for name, verdict in (("old", old), ("new", new))
    ]
    assert main(["diff", *files]) == 0
    said = capsys.readouterr().out
    assert "statistical, told but not counted (1 cell)" in said
    assert f"{STATISTICAL} [s]: {old} -> {new}" in said
    assert main(["diff", *files, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [c["rule"] for c in told.pop("statistical")] == [STATISTICAL]
    assert not any(told.values())


def test_a_broken_rule_tells_how_to_reproduce(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = baseline(tmp_path, samples.clean(base))
    assert main(["diff", old, put(tmp_path, "new", samples.faulty(base))]) == 1
    said = capsys.readouterr().out
    assert "        evil <b>\n" in said
    assert f"        reproduce: chorus interop libcoap --only {TOKEN}[ip=4]" in said
    assert f"    COAP-3-03 [s]: pass -> fail in {TOKEN}[ip=4] (libcoap > aiocoap)\n" in said
    assert "    crash [c]: not-exercised -> fail" in said


def test_scenarios_that_are_gone_are_told_in_one_line(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, part = samples.clean(base), samples.clean(base)
    part["runs"] = [r for r in part["runs"] if r["id"] != TWICE]
    old = baseline(tmp_path, whole)
    new = put(tmp_path, "new", part)
    assert main(["diff", old, new]) == 1
    said = capsys.readouterr().out
    assert f"    4 scenarios not run any more: {TWICE}[" in said
    assert len(said.splitlines()) < 15
    assert main(["diff", new, old]) == 0  # what is new is welcome
    assert "    4 scenarios run now: " in capsys.readouterr().out


def test_scenarios_that_a_manifest_forbids_now_are_told_in_one_line(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = samples.clean(base)
    samples.unsupported(samples.find(results, "libcoap", "server", TWICE), "no such method")
    assert main(["diff", baseline(tmp_path, samples.clean(base)), put(tmp_path, "n", results)]) == 1
    said = capsys.readouterr().out
    assert f"  libcoap server\n    1 scenario unsupported now: {TWICE}[" in said
    assert "->" not in said


def test_a_stack_that_is_gone_counts_and_says_why(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, part = samples.clean(base), samples.clean(base)
    part["runs"] = [r for r in part["runs"] if "aiocoap" not in r["sut"]["name"]]
    part["interop"]["stacks"][1] |= {"available": False, "why": "pip failed"}
    old, new = baseline(tmp_path, whole), put(tmp_path, "new", part)
    assert main(["diff", old, new]) == 1
    said = capsys.readouterr().out
    assert f"aiocoap: not in {new} (not available: pip failed)\n" in said
    assert main(["diff", old, new, "--stack", "libcoap"]) == 0
    assert main(["diff", old, new, "--stack", "nosuch"]) == 3
    assert "--stack nosuch: neither" in capsys.readouterr().err


def test_one_stack_alone_is_compared_on_request(base: Value, tmp_path: Path) -> None:
    old, new = baseline(tmp_path, samples.clean(base)), put(tmp_path, "new", planted(base, "fail"))
    assert main(["diff", old, new]) == 1
    assert main(["diff", old, new, "--stack", "aiocoap"]) == 0
    assert main(["diff", old, new, "--stack", "libcoap"]) == 1


def test_the_matrix_alone_forgives_another_scenario(base: Value, tmp_path: Path) -> None:
    """--matrix: the same worst verdict, found in another scenario, is no change."""
    one, other = samples.clean(base), samples.clean(base)
    samples.plant(samples.find(one, "libcoap", "server", f"{TOKEN}[ip=4"), RULE, "s1", "fail")
    samples.plant(samples.find(other, "libcoap", "server", f"{TOKEN}[ip=6"), RULE, "s1", "fail")
    files = [put(tmp_path, name, r) for name, r in (("old", one), ("new", other))]
    assert main(["diff", *files]) == 1
    assert main(["diff", *files, "--matrix"]) == 0
    files[0] = put(tmp_path, "old", samples.clean(base))
    assert main(["diff", *files, "--matrix"]) == 1


def test_another_member_of_the_family_is_no_change(base: Value) -> None:
    one, other = samples.clean(base), samples.clean(base)
    samples.plant(samples.find(one, "libcoap", "server", TOKEN), RULE, "s1", "fail")
    samples.plant(samples.find(other, "libcoap", "server", TOKEN), RULE, "s3", "fail")
    assert changes(one, other) == []


def test_another_version_is_told_and_no_change(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = json.loads(json.dumps(samples.clean(base)).replace("0.4.17", "0.4.18"))
    old, new = baseline(tmp_path, samples.clean(base)), put(tmp_path, "new", newer)
    assert main(["diff", old, new]) == 0
    assert "aiocoap: version 0.4.17 -> 0.4.18\n" in capsys.readouterr().out


def test_a_failed_expectation_and_a_bare_verdict_are_cells_too(base: Value) -> None:
    item, bare = samples.clean(base), samples.clean(base)
    run = samples.find(item, "aiocoap", "server", TWICE)
    wrong = next(e for e in run["expectations"] if e["kind"] == "expectation")
    wrong |= {"verdict": "fail", "expected": "2.05", "actual": "nothing"}
    run["verdict"] = "fail"
    assert changes(samples.clean(base), item) == [("broke", "aiocoap server", "expectation", "")]
    samples.find(bare, "aiocoap", "server", TWICE)["verdict"] = "error"
    assert changes(samples.clean(base), bare) == [("broke", "aiocoap server", "run", "")]


def test_plain_results_keep_their_contract(
    base: Value, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without stacks and without a baseline: only what broke counts, as ever."""
    broken = copy.deepcopy(base)
    samples.plant(broken["runs"][0], RULE, "s1", "fail")
    good, bad = put(tmp_path, "good", base), put(tmp_path, "bad", broken)
    assert main(["diff", good, bad]) == 1
    assert main(["diff", bad, good]) == 0
    assert "1 fixed" in capsys.readouterr().out
    assert main(["diff", baseline(tmp_path, broken), good]) == 1  # a baseline asserts


def test_the_tool_passes_the_options_on(tool: Chorus, base: Value, tmp_path: Path) -> None:
    source = put(tmp_path, "results", samples.faulty(base))
    file = tmp_path / "expected.json"
    tool.call("report", source, "--baseline", str(file)).check_exit_code(0)
    tool.call("diff", str(file), source, "--matrix").check_exit_code(0)
    tool.call("diff", str(file), put(tmp_path, "clean", samples.clean(base))).check_exit_code(1)
