# SPDX-License-Identifier: BSD-2-Clause
"""The documents say what the tool does: options, examples and links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from machine import needs

from chorus_pytest import Chorus

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(file: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(file.read_text()) if kind == language]


def options(tool: Chorus, command: str) -> set[str]:
    listed = tool.call(command, "--help").check_exit_code(0).stdout
    return set(re.findall(r"^ +(--[a-z-]+)", listed, re.MULTILINE))


@pytest.mark.parametrize("command", ["run", "check"])
def test_the_man_page_has_every_option(tool: Chorus, home: Path, command: str) -> None:
    page = (home / "docs/chorus.1").read_text().replace("\\-", "-")
    section = page.split(f".SH OPTIONS OF {command.upper()}")[1].split(".SH ")[0]
    told = set(re.findall(r"^\.BI? (--[a-z-]+)", section, re.MULTILINE))
    assert options(tool, command) - {"--keys"} == told - {"--keys"}


def test_every_command_is_in_the_man_page_and_the_reference(tool: Chorus, home: Path) -> None:
    commands = re.findall(r"^  (\w+)  ", tool.call("--help").stdout, re.MULTILINE)
    assert len(commands) >= 8
    page, reference = ((home / "docs" / name).read_text() for name in ("chorus.1", "reference.md"))
    for command in commands:
        assert re.search(rf"^\.BR {command}\b|^\.BR \"?{command}", page, re.MULTILINE), command
        assert f"| `{command} " in reference, command


def test_the_scenario_of_the_tutorial_passes(tool: Chorus, home: Path, tmp_path: Path) -> None:
    texts = [t for t in blocks(home / "docs/tutorial.md", "yaml") if t.startswith("id:")]
    assert len(texts) == 1
    file = tmp_path / "late-light-missed.yaml"
    file.write_text(texts[0])
    result = tool.run(str(file)).check_passed().check_exercised("GC-2.3.1-22")
    assert len(result.runs) == 2


def test_the_statements_of_the_tutorial_are_read(tool: Chorus, home: Path, tmp_path: Path) -> None:
    (text,) = [t for t in blocks(home / "docs/tutorial.md", "yaml") if "multicast-aware" in t]
    statements = tmp_path / "mine.yaml"
    statements.write_text(text)
    capture = home / "tests/captures/libcoap-ipv6-flooding-bridge.pcapng"
    assert tool.check(capture, ics=statements).exit_code in (0, 1)


def test_the_waiver_of_the_tutorial_is_read(tool: Chorus, home: Path, tmp_path: Path) -> None:
    (text,) = [t for t in blocks(home / "docs/tutorial.md", "yaml") if "expires:" in t]
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(text)
    result = tool.run("GC-2.3.1-02", waivers=waivers, today="2026-01-01").check_exit_code(1)
    assert result.results
    assert [w.problem for w in result.results.waivers] == ["used by nothing"]


@needs("git")
def test_links_between_documents_lead_somewhere(home: Path) -> None:
    for file in [home / "README.md", home / "CONTRIBUTING.md", *(home / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
            assert (file.parent / link).exists(), f"{file.name}: {link}"


def test_finding_in_how_to_read_is_what_the_tool_says(tool: Chorus, home: Path) -> None:
    text = (home / "docs/how-to-read-a-failure.md").read_text()
    shown = blocks(home / "docs/how-to-read-a-failure.md", "")[0]
    said = tool.call("check", str(home / "tests/captures/libcoap-ipv6-flooding-bridge.pcapng"))
    for line in shown.splitlines():
        if line.strip().startswith(("rule", "expected", "actual")):
            assert line in said.stdout, line
    assert "  note  " not in said.stdout  # it would say again what the rule asks
    assert "COAP-8.1-03" in text
