# SPDX-License-Identifier: BSD-2-Clause
"""Reading results.json: what is wrong is named with its place; the schema says the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import samples

from chorus_reports.__main__ import main
from chorus_reports.model import BadResults, load, parse

SCHEMA = Path(__file__).resolve().parents[2] / "reports/schema/results.schema.json"


def schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def broken(path: list[str | int], value: Any) -> dict[str, Any]:
    results: Any = copy.deepcopy(samples.results(samples.full_run()))
    owner = results
    for step in path[:-1]:
        owner = owner[step]
    owner[path[-1]] = value
    return dict(results)


@pytest.mark.parametrize("make", [samples.one_per_verdict, samples.full_run])
def test_the_samples_are_what_the_schema_says(make: Any) -> None:
    value = make()
    schema().validate(value if "runs" in value else [value])


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["runs"], None, "top level.runs: expected a list, found null"),
        (["runs", 0], 5, "runs[0]: expected an object, found 5"),
        (
            ["runs", 0, "verdict"],
            "fine",
            "runs[0].verdict: expected one of none, unsupported, pass",
        ),
        (["runs", 0, "rules", 1, "verdict"], "ok", "runs[0].rules[1].verdict: expected one of"),
        (["runs", 0, "rules", 0, "id"], 7, "runs[0].rules[0].id: expected a string, found 7"),
        (
            ["runs", 0, "rules", 0, "activations"],
            "3",
            'expected an integer, found "3"',
        ),
        (["runs", 0, "rules", 0, "activations"], True, "activations: expected an integer"),
        (["runs", 0, "rules", 0, "findings"], {}, "findings: expected a list"),
        (["runs", 0, "rules", 0, "findings", 0], "x", "findings[0]: expected an object"),
        (["runs", 0, "trace", 2, "node"], None, "runs[0].trace[2].node: expected a string"),
        (["runs", 0, "expectations", 0, "kind"], "hope", "kind: expected one of expectation"),
    ],
)
def test_wrong_members_are_named(path: list[str | int], value: Any, place: str) -> None:
    results = broken(path, value)
    with pytest.raises(BadResults) as caught:
        parse("r.json", json.dumps(results))
    assert str(caught.value).startswith("r.json: ")
    assert place in str(caught.value)
    assert not schema().is_valid(results)


def test_what_is_not_json_is_named_with_line_and_column() -> None:
    with pytest.raises(BadResults, match=r"r\.json: line 2, column 3: not JSON"):
        parse("r.json", '{"runs": [],\n  oops}')


def test_lists_that_never_end_are_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "results.json"
    file.write_text("[" * 200_000)
    assert main(["diff", str(file), str(file)]) == 3
    assert f"{file}: lists in lists" in capsys.readouterr().err


def test_a_closed_output_is_exit_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(samples.one_per_verdict()))
    monkeypatch.setattr("sys.stdout", None)
    assert main(["report", str(file)]) == 3


def test_a_cut_file_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(samples.one_per_verdict())[:-40])
    assert main(["report", str(file)]) == 3
    assert f"{file}: line 1, column" in capsys.readouterr().err


def test_nothing_to_report_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """W1, for reports: results without a run are no success."""
    file = tmp_path / "results.json"
    file.write_text(json.dumps(samples.results()))
    assert main(["report", str(file)]) == 3
    assert "there is no run in it" in capsys.readouterr().err


def test_no_place_to_write_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    file.write_text(json.dumps(samples.one_per_verdict()))
    assert main(["report", str(file), "--junit", f"{file}/x.xml"]) == 3
    assert "results.json" in capsys.readouterr().err


def test_usage_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["report"], ["diff", "one"], ["report", "--nosuch", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2


def test_a_list_of_runs_as_check_prints_it() -> None:
    runs = [samples.full_run(), samples.run("b", "pass", [])]
    assert [r.scenario for r in parse("x", json.dumps(runs)).runs] == ["light-group", "b"]


def test_a_directory_stands_for_its_results(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(samples.one_per_verdict()))
    assert len(load(tmp_path).runs) == 8


def test_members_that_are_not_known_are_no_error() -> None:
    """Additions are allowed: a report of today reads the results of tomorrow."""
    results = broken(["runs", 0, "brand-new"], {"x": 1})
    assert parse("x", json.dumps(results)).runs
    assert schema().is_valid(results)
