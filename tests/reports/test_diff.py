# SPDX-License-Identifier: BSD-2-Clause
"""Differences: every pair of verdicts has one name, and only `broke` makes the exit code 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import samples

from chorus_reports import diff
from chorus_reports.__main__ import main
from chorus_reports.model import Results, parse


def results(*runs: dict[str, Any]) -> Results:
    return parse("sample", json.dumps(samples.results(*runs)))


def one(verdict: str, **more: Any) -> Results:
    findings = [samples.finding()] if verdict in ("fail", "warn") else []
    return results(
        samples.run("a", "pass", [samples.rule("NR-02", "s1", verdict, findings)], **more)
    )


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("pass", "fail", "broke"),
        ("warn", "fail", "broke"),
        ("not-exercised", "fail", "broke"),
        ("waived", "fail", "broke"),
        ("pass", "error", "broke"),
        ("fail", "pass", "fixed"),
        ("error", "pass", "fixed"),
        ("fail", "warn", "fixed"),
        ("pass", "not-exercised", "no longer exercised"),
        ("fail", "not-exercised", "no longer exercised"),
        ("pass", "unsupported", "no longer exercised"),
        ("not-exercised", "pass", "newly exercised"),
        ("unsupported", "warn", "newly exercised"),
        ("pass", "warn", "worse"),
        ("warn", "inconclusive", "worse"),
        ("inconclusive", "pass", "better"),
        ("warn", "pass", "better"),
        ("pass", "pass", None),
        ("fail", "fail", None),
        ("not-exercised", "unsupported", None),
    ],
)
def test_kinds(old: str, new: str, kind: str | None) -> None:
    changes = diff.compare(one(old), one(new))
    assert [c.kind for c in changes] == ([kind] if kind else [])
    assert diff.broke(changes) == (kind == "broke")


def test_a_failure_that_is_no_longer_exercised_is_not_called_fixed() -> None:
    text = diff.render(diff.compare(one("fail"), one("not-exercised")))
    assert "fixed (" not in text
    assert "no longer exercised (1)" in text


def test_a_rule_or_run_that_vanished_is_told() -> None:
    before = results(samples.run("a", "pass", [samples.rule("NR-02", "s1", "pass")]))
    after = results(samples.run("b", "pass", [samples.rule("NR-02", "s1", "pass")]))
    changes = diff.compare(before, after)
    told = sorted((c.kind, c.key.scenario, c.key.rule) for c in changes)
    assert told == [
        ("newly exercised", "b", ""),
        ("newly exercised", "b", "NR-02"),
        ("no longer exercised", "a", ""),
        ("no longer exercised", "a", "NR-02"),
    ]


def test_the_next_version_of_a_stack_is_compared_with_the_last() -> None:
    old = one("pass", sut={"name": "libcoap", "version": "4.3.1"})
    new = one("fail", sut={"name": "libcoap", "version": "4.3.5"})
    assert [c.kind for c in diff.compare(old, new)] == ["broke"]


def test_two_stacks_in_one_file_are_kept_apart() -> None:
    def both(second: str) -> Results:
        a = samples.run("a", "pass", [samples.rule("NR-02", "s1", "pass")], sut={"name": "x"})
        b = samples.run("a", "pass", [samples.rule("NR-02", "s1", second)], sut={"name": "y"})
        return results(a, b)

    changes = diff.compare(both("pass"), both("fail"))
    assert [(c.kind, c.key.sut) for c in changes] == [("broke", "y")]


def test_seeds_tell_runs_apart_only_where_there_are_several() -> None:
    assert diff.compare(one("pass", seed=1), one("pass", seed=2)) == []

    def two(verdict: str) -> Results:
        rules = [samples.rule("NR-02", "s1", "pass")], [samples.rule("NR-02", "s1", verdict)]
        return results(
            samples.run("a", "pass", rules[0], seed=1), samples.run("a", "pass", rules[1], seed=2)
        )

    changes = diff.compare(two("pass"), two("fail"))
    assert [(c.kind, c.key.seed) for c in changes] == [("broke", "2")]


def test_broken_rules_tell_how_to_reproduce() -> None:
    text = diff.render(diff.compare(one("pass"), one("fail")))
    assert "broke (1)\n  NR-02 [s1] in a (reference 0.1.0): pass -> fail\n" in text
    assert "      a Confirmable request went to a group\n" in text
    assert "      reproduce: ./chorus run a --seed 7\n" in text
    assert text.endswith("1 broke, 0 fixed, 0 no longer exercised, 0 newly exercised\n")


def test_exit_codes_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for directory, verdict in ((old, "pass"), (new, "fail")):
        directory.mkdir()
        run = samples.run("a", verdict, [samples.rule("NR-02", "s1", verdict)])
        (directory / "results.json").write_text(json.dumps(samples.results(run)))
    assert main(["diff", str(old), str(new), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [c["rule"] for c in told["broke"]] == ["", "NR-02"]
    assert main(["diff", str(new), str(old)]) == 0
    assert main(["diff", str(old), str(tmp_path / "nosuch")]) == 3
    assert "nosuch: cannot be read: No such file" in capsys.readouterr().err


def test_a_side_without_a_run_is_exit_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """W1, for diff: where nothing ran, nothing broke, and that is no good news."""
    good, empty = tmp_path / "good.json", tmp_path / "empty.json"
    run = samples.run("a", "pass", [samples.rule("NR-02", "s1", "pass")])
    good.write_text(json.dumps(samples.results(run)))
    empty.write_text(json.dumps(samples.results()))
    assert main(["diff", str(good), str(empty)]) == 3
    assert f"{empty}: there is no run in it" in capsys.readouterr().err
