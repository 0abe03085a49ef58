# SPDX-License-Identifier: BSD-2-Clause
"""Catalogue, scenarios, mutants and documents fit each other (W17, W19, W21, W25)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from chorus_pytest import Chorus

LOCK = Path(__file__).with_name("rule-ids.lock")


@pytest.fixture(scope="session")
def rules(tool: Chorus) -> list[dict[str, Any]]:
    return tool.listing("rules")


@pytest.fixture(scope="session")
def scenarios(tool: Chorus) -> list[dict[str, Any]]:
    return tool.listing("scenarios")


def implemented(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if rule["status"] == "implemented"]


def test_enough_rules_are_implemented(rules: list[dict[str, Any]]) -> None:
    assert len(implemented(rules)) >= 70


def test_w21_ids_are_locked(rules: list[dict[str, Any]]) -> None:
    """An id is never reused, renamed or taken away, and keeps document and section.

    New rows: CHORUS_UPDATE_GOLDEN=1 adds them to the lock file; it takes nothing out.
    """
    lines = [
        f"{r['id']} | {r['documents'][0]['document']} | {r['documents'][0]['section']}"
        for r in rules
    ]
    locked = LOCK.read_text().splitlines() if LOCK.exists() else []
    if os.environ.get("CHORUS_UPDATE_GOLDEN"):
        locked += [line for line in lines if line not in locked]
        LOCK.write_text("\n".join(locked) + "\n")
    assert [line for line in locked if line not in lines] == [], "taken away or changed"
    assert [line for line in lines if line not in locked] == [], "not locked yet"
    assert len({r["id"] for r in rules}) == len(rules)


def test_w25_every_implemented_rule_cites_its_text(rules: list[dict[str, Any]]) -> None:
    for rule in implemented(rules):
        assert rule["documents"][0]["document"], rule["id"]
        assert rule["documents"][0]["section"], rule["id"]
        assert len(rule["requirement"].split()) >= 4, rule["id"]
        assert rule["activation"], rule["id"]


def test_every_implemented_rule_has_a_scenario(rules: list[dict[str, Any]]) -> None:
    assert [rule["id"] for rule in implemented(rules) if not rule["scenarios"]] == []


def test_scenarios_name_rules_that_are_implemented(
    rules: list[dict[str, Any]], scenarios: list[dict[str, Any]]
) -> None:
    known = {rule["id"] for rule in implemented(rules)}
    wrong = {(s["id"], r) for s in scenarios for r in s["covers"] if r not in known}
    assert wrong == set()


def test_w19_every_scenario_file_is_found(home: Path, scenarios: list[dict[str, Any]]) -> None:
    files = {f.resolve() for f in (home / "scenarios").rglob("*.yaml")}
    assert {Path(s["path"]).resolve() for s in scenarios} == files
    assert len({s["id"] for s in scenarios}) == len(files)


def test_w19_a_stray_file_is_found_without_being_listed_anywhere(
    tool: Chorus, home: Path, tmp_path: Path
) -> None:
    topic = tmp_path / "stray"
    topic.mkdir()
    original = next((home / "scenarios").rglob("*.yaml"))
    text = re.sub(r"^id: .*$", "id: a-stray-one", original.read_text(), flags=re.MULTILINE)
    (topic / "a-stray-one.yaml").write_text(text)
    elsewhere = Chorus(
        tool.path, environment={**tool.environment, "CHORUS_SCENARIOS": str(tmp_path)}
    )
    assert [s["id"] for s in elsewhere.listing("scenarios")] == ["a-stray-one"]


def test_scenarios_are_short_and_say_why(home: Path) -> None:
    for file in (home / "scenarios").rglob("*.yaml"):
        text = file.read_text()
        assert len(text.splitlines()) <= 80, file
        assert re.search(r"^about:", text, re.MULTILINE), file


@pytest.fixture(scope="session")
def mutants(tool: Chorus) -> list[dict[str, Any]]:
    return tool.listing("mutants")


def test_every_mutant_is_killed_by_its_rule(mutants: list[dict[str, Any]]) -> None:
    broken = [m for m in mutants if m["breaks"]]
    assert len({m["rule"] for m in broken}) >= 60
    assert [m["id"] for m in broken if m["verdict"] != "killed"] == []
    assert [m["id"] for m in broken if m["rule"] not in m["killed_by"]] == []


def test_w17_the_no_op_mutant_survives(mutants: list[dict[str, Any]]) -> None:
    controls = [m for m in mutants if not m["breaks"]]
    assert controls
    assert all(m["verdict"] == "survived" and m["killed_by"] == [] for m in controls)


def test_rules_and_mutants_name_each_other(
    rules: list[dict[str, Any]], mutants: list[dict[str, Any]]
) -> None:
    from_rules = {(rule["id"], m) for rule in rules for m in rule["mutants"]}
    from_mutants = {(m["rule"], m["id"]) for m in mutants if m["breaks"]}
    assert from_rules == from_mutants
