# SPDX-License-Identifier: BSD-2-Clause
"""The public contract of `run`: results, captures and events, and that they are always the same."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from machine import needs

from chorus_pytest import Chorus, ChorusResult


@pytest.fixture(scope="session")
def everything(tool: Chorus, tmp_path_factory: pytest.TempPathFactory) -> tuple[ChorusResult, Path]:
    """All scenarios, once."""
    out = tmp_path_factory.mktemp("everything")
    return tool.run(seed=7, out=out), out


def schema(home: Path, name: str) -> jsonschema.Draft202012Validator:
    text = (home / f"reports/schema/{name}.schema.json").read_text()
    validator = jsonschema.Draft202012Validator(json.loads(text))
    validator.check_schema(validator.schema)
    return validator


def test_all_scenarios_pass_with_the_reference(everything: tuple[ChorusResult, Path]) -> None:
    result, _ = everything
    result.check_exit_code(0).check_passed().check_no_findings()
    assert len(result.runs) >= 30


def test_results_are_what_the_schema_says(
    everything: tuple[ChorusResult, Path], home: Path
) -> None:
    schema(home, "results").validate(json.loads(everything[0].stdout))


@pytest.mark.parametrize("command", ["rules", "scenarios", "mutants"])
def test_listings_are_what_the_schema_says(tool: Chorus, home: Path, command: str) -> None:
    listed = tool.listing(command)
    assert listed
    schema(home, command).validate(listed)


def test_standard_output_is_json_alone(everything: tuple[ChorusResult, Path]) -> None:
    result, out = everything
    assert result.stdout.startswith("{")
    assert json.loads(result.stdout) == json.loads((out / "results.json").read_text())


def test_every_run_has_its_files(everything: tuple[ChorusResult, Path]) -> None:
    result, out = everything
    names = [name for run in result.runs for name in (run.capture, run.events)]
    assert len(set(names)) == len(names)
    assert all((out / name).is_file() for name in names)


def test_events_are_json_lines_in_order_of_time(everything: tuple[ChorusResult, Path]) -> None:
    result, out = everything
    for run in result.runs:
        times = [json.loads(line)["time_ns"] for line in (out / run.events).open()]
        assert times == sorted(times)


def test_nothing_depends_on_path_or_clock(everything: tuple[ChorusResult, Path]) -> None:
    result, out = everything
    assert str(out) not in (out / "results.json").read_text()
    for run in result.runs:
        assert os.fsencode(out) not in (out / run.capture).read_bytes()


def test_the_reproduction_command_gives_the_same_run(
    everything: tuple[ChorusResult, Path], tool: Chorus
) -> None:
    result, _ = everything
    raw = json.loads(result.stdout)["runs"]
    for run in raw[:: max(1, len(raw) // 8)]:
        words = run["reproduce"].split()
        assert words[:2] == ["./chorus", "run"] or words[:2] == ["chorus", "run"]
        again = tool.call("run", *shlex.split(run["reproduce"])[2:], "--json")
        (same,) = json.loads(again.stdout)["runs"]
        for key in ("scenario", "seed", "verdict", "rules", "trace", "expectations"):
            assert same[key] == run[key]


@needs("tshark")
def test_captures_open_in_wireshark_with_the_same_frames(
    everything: tuple[ChorusResult, Path],
) -> None:
    """Frame numbers, names of interfaces and comments are those that Wireshark shows."""
    result, out = everything
    for run in result.runs[:6]:
        lines = subprocess.run(
            ["tshark", "-r", out / run.capture, "-T", "fields", "-e", "frame.number",
             "-e", "frame.interface_name", "-e", "frame.time_epoch"],
            capture_output=True, text=True, timeout=120, check=True,
        ).stdout.splitlines()  # fmt: skip
        frames = {int(n): (name, t) for n, name, t in (line.split("\t") for line in lines)}
        assert len(frames) == run.counts["packets"]
        assert run.trace
        for message in run.trace:
            name, at = frames[message.frame]
            assert name == message.node
            seconds, _, nanoseconds = at.partition(".")
            assert int(seconds) * 10**9 + int(nanoseconds) == message.time_ns


# ---- the same every time ----


def digests(directory: Path) -> dict[str, str]:
    files = [f for f in sorted(directory.rglob("*")) if f.suffix in (".pcapng", ".jsonl", ".json")]
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@pytest.fixture
def again(everything: tuple[ChorusResult, Path], tmp_path: Path) -> Callable[..., None]:
    """Runs everything once more and compares every octet."""

    def run(tool: Chorus, **options: Any) -> None:
        tool.run(out=tmp_path, **{"seed": 7, **options}).check_exit_code(0)
        first, second = digests(everything[1]), digests(tmp_path)
        assert len(first) >= 61
        assert first.keys() == second.keys()
        assert [name for name in first if first[name] != second[name]] == []

    return run


def test_w15_a_rerun_is_the_same_octet_by_octet(tool: Chorus, again: Callable[..., None]) -> None:
    again(tool)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_number_of_jobs_changes_nothing(
    tool: Chorus, again: Callable[..., None], jobs: int
) -> None:
    again(tool, jobs=jobs)


@pytest.fixture
def other(tool: Chorus) -> Chorus:
    """The same program, built by another compiler."""
    clang = os.environ.get("CHORUS_CLANG")
    if not clang:
        pytest.skip("there is no build by clang here (./chorus test clang makes one)")
    return Chorus(clang, environment=tool.environment)


def test_w15_another_compiler_changes_nothing(other: Chorus, again: Callable[..., None]) -> None:
    again(other)


def test_another_compiler_makes_the_same_random_runs(tool: Chorus, other: Chorus) -> None:
    """Of as many runs, as many looks of rules: no scenario and no verdict is another one."""
    totals = [each.call("run", "--fuzz", "300", "--seed", "7").stdout for each in (tool, other)]
    assert re.match(
        r"300 random runs from seed 7, .* [1-9][0-9]{4,} activations: no fail", totals[0]
    )
    assert totals[0] == totals[1]


def test_another_seed_changes_something(
    tool: Chorus, everything: tuple[ChorusResult, Path], tmp_path: Path
) -> None:
    """Else the comparisons above would show nothing."""
    tool.run(seed=8, out=tmp_path).check_exit_code(0)
    first, second = digests(everything[1]), digests(tmp_path)
    assert first["results.json"] != second["results.json"]
    assert sum(first.get(name) != digest for name, digest in second.items()) > len(first) // 2


def test_every_capture_is_judged_offline_as_it_was_in_the_run(
    everything: tuple[ChorusResult, Path], tool: Chorus
) -> None:
    """The same code, the same octets: `check` finds no fault where `run` found none."""
    result, out = everything
    captures = [out / run.capture for run in result.runs]
    for start in range(0, len(captures), 200):
        checked = tool.check(*captures[start : start + 200]).check_exit_code(0)
        wrong = ("fail", "error", "warn")
        bad = [(run.capture, r.id) for run in checked.runs for r in run.rules if r.verdict in wrong]
        assert bad == []


Verdicts = dict[tuple[str, str], tuple[str, int]]


def verdicts_of(run: dict[str, Any]) -> Verdicts:
    """By node and rule: the verdict, and how often the rule looked."""
    return {(r["node"], r["id"]): (r["verdict"], r["activations"]) for r in run["rules"]}


def verdicts_offline(tool: Chorus, out: Path, run: dict[str, Any], *more: str) -> Verdicts:
    done = tool.call("check", "--json", "--events", str(out / run["events"]), *more,
                     str(out / run["capture"]))  # fmt: skip
    assert all("damaged and not judged" in line for line in done.stderr.splitlines())
    (checked,) = json.loads(done.stdout)
    return verdicts_of(checked)


def test_every_verdict_offline_is_that_of_the_run(
    everything: tuple[ChorusResult, Path], tool: Chorus
) -> None:
    """Rule by rule: the capture holds what nodes said of themselves, and when the run was over."""
    result, out = everything
    runs = json.loads(result.stdout)["runs"]
    for run in runs[::3]:
        assert verdicts_offline(tool, out, run) == verdicts_of(run), run["capture"]


def test_a_capture_states_what_the_manifest_of_the_stack_states(
    tool: Chorus, home: Path, tmp_path: Path
) -> None:
    manifest = home / "examples/stdio-server/manifest.yaml"
    names = ("answers-at-once", "suppression-inconsistent")
    done = tool.call("run", *names, "--server", str(manifest), "--json", "--out", str(tmp_path))
    runs = [r for r in json.loads(done.stdout)["runs"] if r["verdict"] != "unsupported"]
    assert runs
    for run in runs:
        assert verdicts_offline(tool, tmp_path, run) == verdicts_of(run), run["capture"]


def test_a_statement_of_the_user_goes_before_that_of_the_capture(
    everything: tuple[ChorusResult, Path], tool: Chorus, tmp_path: Path
) -> None:
    """By name; `*` replaces nothing. Without a statement fewer rules have anything to look at."""
    result, out = everything
    run = next(r for r in json.loads(result.stdout)["runs"] if ("s1", "COAP-8.2-01") in looked(r))
    statement = tmp_path / "mine.yaml"
    statement.write_text('"*": {leisure: 1ns}\n')
    assert verdicts_offline(tool, out, run, "--ics", str(statement)) == verdicts_of(run)
    statement.write_text("s1: {}\n")
    named = verdicts_offline(tool, out, run, "--ics", str(statement))
    silent = {key for key, now in named.items() if now != verdicts_of(run)[key]}
    assert silent
    assert {node for node, _ in silent} == {"s1"}


def looked(run: dict[str, Any]) -> set[tuple[str, str]]:
    return {key for key, (verdict, _) in verdicts_of(run).items() if verdict == "pass"}


def test_a_statement_in_a_capture_that_cannot_be_read_is_an_error(
    everything: tuple[ChorusResult, Path], tool: Chorus, tmp_path: Path
) -> None:
    result, out = everything
    octets = (out / next(r.capture for r in result.runs)).read_bytes()
    assert octets.count(b"  processing: ") > 0
    (tmp_path / "bad.pcapng").write_bytes(octets.replace(b"  processing: ", b"  procesing : ", 1))
    done = tool.call("check", str(tmp_path / "bad.pcapng"))
    assert done.exit_code == 3
    assert "statement of interface" in done.stderr
    assert 'did you mean "processing"?' in done.stderr
    assert tool.check(tmp_path / "bad.pcapng").runs[0].verdict == "error"


UNASKED = """\
id: unasked
title: What rfc7390 does not ask
covers: [GC-2.3.1-38]
nodes:
  c1: {role: client}
  s1: {role: server, groups: ["[ff35::1]:5683"], resources: {/light: {payload: "on"}}}
steps:
  - {at: 0s, node: c1, request: {id: q1, uri: "coap://[ff35::1]/light"}}
"""


def test_a_run_whose_rules_the_profile_does_not_ask_is_no_pass(
    tool: Chorus, home: Path, tmp_path: Path
) -> None:
    """The reason is in the listing, in the results and in JUnit; waivers do not make it a pass."""
    file, out = tmp_path / "unasked.yaml", tmp_path / "out"
    file.write_text(UNASKED, encoding="utf-8")
    told = tool.call("run", str(file), "--profile", "rfc7390", "--out", str(out))
    told.check_exit_code(0)
    reason = "not asked by rfc7390: covers GC-2.3.1-38"
    assert f"unsupported unasked: {reason}" in told.stdout
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    schema(home, "results").validate(results)
    [run] = results["runs"]
    assert run["verdict"] == "unsupported"
    assert run["unsupported"] == [{"line": 0, "why": reason}]
    asked = [i for i in run["expectations"] if i["kind"] == "required"]
    assert [i["actual"] for i in asked] == ["not asked by rfc7390"]
    assert (out / run["capture"]).is_file()
    junit = tmp_path / "junit.xml"
    tool.call("report", str(out / "results.json"), "--junit", str(junit)).check_exit_code(0)
    skipped = ET.parse(junit).findall(".//testcase/skipped")
    assert f"unsupported: {reason}" in [s.get("message") for s in skipped]
    seed = tool.call("run", str(file), "--no-report", "--out", str(tmp_path / "seed"))
    assert "1 run: 1 pass" in seed.stdout
