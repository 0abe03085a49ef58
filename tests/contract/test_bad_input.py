# SPDX-License-Identifier: BSD-2-Clause
"""Bad input gets one clear message that names the place, and the right exit code (W11)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from chorus_pytest import Chorus

GOOD = """\
id: tiny
title: One server answers
about: A scenario of the tests.
covers: [GC-2.3.1-02]
nodes:
  c1: {role: client}
  s1: {role: server, groups: ["[ff35::1]:5683"], resources: {/light: {payload: "on"}}}
steps:
  - {at: 0s, node: c1, request: {id: q1, uri: "coap://[ff35::1]/light"}}
expect:
  - {request: q1, from: s1, each: 1}
"""

USAGE = [
    (["frobnicate"], "frobnicate"),
    (["rnu"], "did you mean run"),
    ([], "usage"),
    (["run", "no-such-scenario"], "no-such-scenario"),
    (["run", "--no-such-option"], "--no-such-option"),
    (["run", "--sede", "7"], "did you mean --seed"),
    (["run", "--seed"], "--seed needs a value"),
    (["run", "--seed", "seven"], '"seven"'),
    (["run", "--seed", "18446744073709551616"], "18446744073709551616"),
    (["run", "--jobs", "0"], "--jobs"),
    (["run", "--profile", "dijk-3"], "did you mean dijk-03"),
    (["run", "--backend", "nosuch"], "nosuch"),
    (["run", "--set", "novalue"], "KEY=VALUE"),
    (["run", "--set", "ip=4", "--set", "network.ip=6"], "ip is set to 4 already"),
    (["run", "--fuzz", "-1"], "--fuzz"),
    (["run", "--role", "server"], "what --sut plays"),
    (["run", "--today", "2027-02-29"], '"2027-02-29"'),
    (["run", "/nonexistent/x.yaml"], "/nonexistent/x.yaml"),
    (["run", "--waivers", "/nonexistent/w.yaml"], "/nonexistent/w.yaml"),
    (["scenarios", "no-such-scenario"], "no-such-scenario"),
    (["rules", "NO-SUCH-RULE"], "NO-SUCH-RULE"),
    (["rules", "GC-2.3.1-0"], "GC-2.3.1-0"),
    (["check"], "which capture"),
    (["check", "x.pcap", "--ics"], "--ics needs a value"),
    (["bench", "nosuch"], "nosuch"),
    (["mutants", "no-such-mutant"], "no-such-mutant"),
    (["report"], "RESULTS"),
    (["diff", "one"], "NEW"),
]


@pytest.mark.parametrize(("arguments", "told"), USAGE, ids=[" ".join(a) for a, _ in USAGE])
def test_w1_usage_is_exit_2_and_names_what_is_wrong(
    tool: Chorus, arguments: list[str], told: str
) -> None:
    result = tool.call(*arguments)
    result.check_exit_code(2).check_stderr("")
    assert told.lower() in result.stderr.lower()
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", *["server"] * 257], "256 selectors"),
        (["scenarios", *["server"] * 257], "256 selectors"),
        (["mutants", *["no-op-policies"] * 257], "256 selectors"),
        (["check", "x.pcapng", *["--rule", "NR-02"] * 65], "64 rules"),
    ],
    ids=["run", "scenarios", "mutants", "check"],
)
def test_more_than_fits_is_told(tool: Chorus, arguments: list[str], told: str) -> None:
    tool.call(*arguments).check_exit_code(2).check_stderr(f"more than {told}")


SCENARIOS = [
    ("nodez: []", 'id: tiny\nnodez: []\n', ":2:1:"),
    ("unknown key", GOOD.replace("role: client", "rolle: client"), ":6:"),
    ("wrong unit", GOOD.replace("at: 0s", "at: 5 parsecs"), ":9:"),
    ("no unit", GOOD.replace("at: 0s", "at: 5"), ":9:"),
    ("unknown node", GOOD.replace("node: c1", "node: c2"), ":9:"),
    ("unknown rule", GOOD.replace("GC-2.3.1-02", "GC-2.3.1-99"), ":4:"),
    ("bad address", GOOD.replace("[ff35::1]:5683", "[ff35::zz]:5683"), ":7:"),
    ("twice the same key", GOOD.replace("title:", "id: other\ntitle:"), ":2:1:"),
    ("not YAML", GOOD + "  - {at: 0s\n", "yaml:"),
    ("tabs", GOOD.replace("  c1:", "\tc1:"), ":6:1:"),
    ("empty", "", ".yaml:"),
    ("a list", "- id: x\n", ":1:1:"),
    ("octets", "id: \udcff\udcfe\n", "yaml:"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "place"), SCENARIOS, ids=[s[0] for s in SCENARIOS])
def test_a_wrong_scenario_is_exit_2_with_file_line_and_column(
    tool: Chorus, tmp_path: Path, name: str, text: str, place: str
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    result = tool.call("run", str(file)).check_exit_code(2)
    assert f"{file}"[-10:] + place.removeprefix(".yaml").removeprefix("yaml") in result.stderr or (
        place in result.stderr and "wrong.yaml" in result.stderr
    )


def test_the_good_scenario_of_these_tests_is_good(tool: Chorus, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    file = tmp_path / "tiny.yaml"
    file.write_text(GOOD)
    tool.run(str(file)).check_passed().check_exercised("GC-2.3.1-02")


def test_w2_a_scenario_that_checks_nothing_cannot_be_loaded(tool: Chorus, tmp_path: Path) -> None:
    file = tmp_path / "nothing.yaml"
    head, _, _ = GOOD.partition("expect:")
    file.write_text(head.replace("covers: [GC-2.3.1-02]\n", ""))
    tool.call("run", str(file)).check_exit_code(2).check_stderr("nothing.yaml")


# ---- captures ----


@pytest.fixture
def capture(tool: Chorus, tmp_path: Path) -> Path:
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(GOOD)
    tool.run(str(scenario), out=tmp_path / "out").check_passed()
    return next((tmp_path / "out").glob("*.pcapng"))


def test_a_good_capture_is_exit_0(tool: Chorus, capture: Path) -> None:
    tool.check(capture).check_exit_code(0).check_rule("GC-2.3.1-02")


def test_the_results_of_check_are_what_the_schema_says(
    tool: Chorus, home: Path, capture: Path
) -> None:
    asked = ["check", str(capture), "--profile", "bis-18", "--rule", "GC-2.3.1-02", "--strict"]
    runs = json.loads(tool.call(*asked, "--json").check_exit_code(0).stdout)
    schema = json.loads((home / "reports/schema/results.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(runs)
    assert runs[0]["nodes"] == [
        {"name": "c1", "roles": ["client"]},
        {"name": "s1", "roles": ["server"]},
    ]
    assert runs[0]["reproduce"] == " ".join(["chorus", *asked])


def test_names_that_no_node_has_are_told(tool: Chorus, tmp_path: Path, capture: Path) -> None:
    ics, events = tmp_path / "mine.yaml", tmp_path / "mine.jsonl"
    ics.write_text('s1: {leisure: 5s}\ns9: {leisure: 5s}\n"2001:db8::77": {leisure: 5s}\n')
    events.write_text('{"time_ns": 0, "node": "c9", "event": "note"}\n')
    result = tool.check(capture, ics=ics, events=events).check_exit_code(0)
    assert result.stderr.count("there is no node") == 2
    result.check_stderr('mine.yaml: there is no node "s9"')
    result.check_stderr('mine.jsonl: there is no node "c9"')


@pytest.mark.parametrize(
    "arguments",
    [["run", "--waivers"], ["check", "x.pcapng", "--ics"], ["check", "x.pcapng", "--events"]],
)
def test_a_folder_for_a_file_is_told(tool: Chorus, tmp_path: Path, arguments: list[str]) -> None:
    result = tool.call(*arguments, str(tmp_path)).check_exit_code(2)
    result.check_stderr("cannot be read: Is a directory")


@pytest.mark.parametrize(
    ("name", "data"),
    [("junk", bytes(range(256)) * 12), ("empty", b""), ("text", b"hello world, no capture\n" * 9)],
)
def test_what_is_no_capture_is_exit_3(tool: Chorus, tmp_path: Path, name: str, data: bytes) -> None:
    file = tmp_path / f"{name}.pcap"
    file.write_bytes(data)
    tool.call("check", str(file)).check_exit_code(3).check_stderr(f"{name}.pcap")


def test_a_capture_that_is_not_there_is_exit_3(tool: Chorus) -> None:
    tool.call("check", "/nonexistent.pcap").check_exit_code(3).check_stderr("/nonexistent.pcap")


@pytest.mark.parametrize("less", [1, 7, 30])
def test_w8_a_capture_cut_in_a_record_is_judged_as_far_as_it_goes(
    tool: Chorus, capture: Path, tmp_path: Path, less: int
) -> None:
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(capture.read_bytes()[:-less])
    result = tool.check(cut).check_exit_code(3).check_stderr("cut.pcapng")
    assert result.runs[0].verdict == "error"
    assert result.runs[0].counts["packets"] > 0


def test_w8_a_damaged_frame_is_told_with_its_number(
    tool: Chorus, capture: Path, tmp_path: Path
) -> None:
    """A receiver drops it, so no rule can look at it; but nobody has to guess that it was there."""
    octets = capture.read_bytes()
    assert octets.count(b"\xffon") > 1  # the answer: at the server, and at the client
    damaged = tmp_path / "damaged.pcapng"
    damaged.write_bytes(octets.replace(b"\xffon", b"\xffoN", 1))
    result = tool.check(damaged).check_exit_code(0)
    result.check_stderr("damaged.pcapng: damaged and not judged: 1 of")
    result.check_stderr("UDP checksum is wrong")
    assert tool.check(capture).stderr == ""


def test_as_many_captures_as_a_run_makes(tool: Chorus, capture: Path) -> None:
    runs = tool.check(*[capture] * 300, rule="GC-2.3.1-02").check_exit_code(0).runs
    assert len(runs) == 300


def test_one_bad_capture_among_good_ones_does_not_hide(
    tool: Chorus, capture: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.pcap"
    junk.write_bytes(b"x" * 100)
    result = tool.check(capture, junk, capture)
    result.check_exit_code(3)
    assert [run.verdict for run in result.runs if run.capture != str(junk)] == ["pass", "pass"]


# ---- disks and interrupts ----


def test_a_full_disk_is_exit_3_and_says_so(tool: Chorus, tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the same failed write."""
    scenario = tmp_path / "tiny.yaml"
    scenario.write_text(GOOD)

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))

    done = subprocess.run(
        [tool.path, "run", str(scenario), "--out", str(tmp_path / "out"), "--no-report"],
        env={**os.environ, **tool.environment},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=small_files,
        check=False,
    )
    assert done.returncode == 3
    assert "cannot write" in done.stderr
    assert str(tmp_path / "out") in done.stderr


FULL = [["run", "--json"], ["rules", "--json"], ["scenarios"], ["mutants", "no-op-*"], ["--help"]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", FULL, ids=" ".join)
def test_a_full_standard_output_is_exit_3(tool: Chorus, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [tool.path, *arguments], env={**os.environ, **tool.environment},
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert "No space left" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_full_standard_output_is_exit_3_whatever_it_would_have_said(
    tool: Chorus, home: Path, tmp_path: Path, command: str, options: list[str]
) -> None:
    """An error weighs more than a failure, for each command, and is told once."""
    unmet = tmp_path / "unmet.yaml"
    unmet.write_text(GOOD.replace("each: 1", "each: 2"))
    what = {"check": home / "tests/captures/aiocoap-ipv4-bridge.pcap", "run": unmet}[command]
    out = ["--out", str(tmp_path / "out")] if command == "run" else []
    tool.call(command, str(what), *out, *options).check_exit_code(1)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [tool.path, command, str(what), *out, *options],
            env={**os.environ, **tool.environment},
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.count("cannot write to standard output: No space left") == 1


def test_without_the_package_for_reports_it_is_exit_3(tool: Chorus, tmp_path: Path) -> None:
    """Python would end with 1, which is what `diff` says when something broke."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    environment = {**os.environ, **tool.environment, "CHORUS_PYTHON": str(bare)}
    done = subprocess.run(
        [tool.path, "diff", "a", "b"], env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "CHORUS_PYTHON" in done.stderr


def test_no_place_to_write_is_exit_3(tool: Chorus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = tool.call("run", "--out", str(tmp_path / "file" / "out"))
    result.check_exit_code(3).check_stderr("file/out")


def test_more_runs_than_memory_are_refused(tool: Chorus, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = tool.call("run", "--repeat", "1000000", "--out", str(out))
    result.check_exit_code(2).check_stderr("10000 runs").check_stderr("--fuzz")
    assert result.stderr.count("more than") == 2  # one message, which says it of runs and of memory
    assert not out.exists()


def test_ctrl_c_leaves_what_was_captured_complete(tool: Chorus, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [tool.path, "run", "--repeat", "30", "--jobs", "1", "--out", str(out), "--no-report"],
        env={**os.environ, **tool.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and len(list(out.glob("*.pcapng"))) < 3:
        pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    captures = sorted(out.glob("*.pcapng"))
    checked = tool.check(*captures[:20])
    assert checked.exit_code in (0, 1)
    assert all(run.verdict != "error" for run in checked.runs)
    results = tool.call("report", str(out / "results.json")).check_exit_code(0)
    assert "# Conformance" in results.stdout
