# SPDX-License-Identifier: BSD-2-Clause
"""The command `mutants`: what it selects, what it prints, and that its list is in the documents."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chorus_pytest import Chorus


@pytest.fixture(scope="module")
def mutants(tool: Chorus) -> list[dict[str, Any]]:
    return tool.listing("mutants")


def list_maker(home: Path) -> ModuleType:
    path = home / "docs" / "make_mutant_list.py"
    spec = importlib.util.spec_from_file_location("make_mutant_list", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_are_as_they_should(tool: Chorus) -> None:
    tool.call("mutants").check_exit_code(0)


def test_every_mutant_was_applied_in_a_scenario(mutants: list[dict[str, Any]]) -> None:
    assert [m["id"] for m in mutants if m["applied"] == 0 or not m["scenario"]] == []


def test_jobs_change_nothing(tool: Chorus) -> None:
    one = tool.call("mutants", "--json", "--jobs", "1")
    many = tool.call("mutants", "--json", "--jobs", "8")
    assert one.stdout == many.stdout


@pytest.mark.parametrize("selector", ["no-leisure", "GC-2.3.4-06", "M7", "no-leis*"])
def test_selectors(tool: Chorus, selector: str) -> None:
    assert "no-leisure" in {m["id"] for m in tool.listing("mutants", selector)}


def test_a_near_miss_is_named(tool: Chorus) -> None:
    result = tool.call("mutants", "no-leisur").check_exit_code(2)
    assert "no-leisure" in result.stderr


def test_a_rule_without_mutant_is_a_usage_error(tool: Chorus) -> None:
    assert "no mutant" in tool.call("mutants", "NR-17").check_exit_code(2).stderr


def test_numbers_of_real_bugs_are_explained(home: Path, mutants: list[dict[str, Any]]) -> None:
    text = (home / "docs" / "mutants.md").read_text()
    explained = set(re.findall(r"^\| (M\d+) \|", text, re.MULTILINE))
    assert {m["historical"] for m in mutants if m["historical"]} == explained


def test_rules_without_mutant_are_explained(
    tool: Chorus, home: Path, mutants: list[dict[str, Any]]
) -> None:
    implemented = {r["id"] for r in tool.listing("rules") if r["status"] == "implemented"}
    text = (home / "docs" / "mutants.md").read_text()
    section = text.partition("## Rules without a mutant")[2].partition("\n## ")[0]
    missing = implemented - {m["rule"] for m in mutants}
    assert {rule for rule in missing if rule not in section} == set()


def test_the_list_in_the_documents_is_this_one(home: Path, mutants: list[dict[str, Any]]) -> None:
    """Else: chorus mutants --json | docs/make_mutant_list.py"""
    maker = list_maker(home)
    text = (home / "docs" / "mutants.md").read_text()
    listed = text.partition(maker.BEGIN)[2].partition(maker.END)[0].strip()
    assert listed == maker.make_list(mutants)
