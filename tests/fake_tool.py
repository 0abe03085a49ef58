# SPDX-License-Identifier: BSD-2-Clause
"""A tool that answers as it is told, and a pytest inside the test that uses it (fixtures)."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FAKE = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path({directory!r})
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads((here / "answers.json").read_text())
answer = answers[sys.argv[1] if sys.argv[1] in answers else "other"]
sys.stdout.write(answer["stdout"])
sys.stderr.write(answer.get("stderr", ""))
if answer.get("exit", 0) < 0:
    os.kill(os.getpid(), -answer["exit"])
sys.exit(answer.get("exit", 0))
"""


class FakeTool:
    """Writes what the tool shall answer, and reads what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "fake-chorus"
        self.path.write_text(FAKE.format(python=sys.executable, directory=str(directory)))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self.answers: dict[str, Any] = {"other": {"stdout": "chorus 0.1.0\n"}}
        listed = [{"id": "light-group", "title": "A light group answers", "covers": ["NR-02"]}]
        self.answer("scenarios", stdout=json.dumps(listed))

    def answer(self, command: str, stdout: str = "", stderr: str = "", exit: int = 0) -> None:
        self.answers[command] = {"stdout": stdout, "stderr": stderr, "exit": exit}
        (self.directory / "answers.json").write_text(json.dumps(self.answers))

    def calls(self, command: str) -> list[list[str]]:
        lines = (self.directory / "calls").read_text().splitlines()
        return [call for call in map(json.loads, lines) if call[0] == command]


SCENARIO = "id: light-group\ntitle: A light group answers\nnodes: {}\nsteps: []\n"


@pytest.fixture
def fake(tmp_path: Path) -> FakeTool:
    return FakeTool(tmp_path)


@pytest.fixture
def inner(
    pytester: pytest.Pytester, fake: FakeTool, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Runs a pytest of its own, with the plugin as a user has it, on one scenario file."""
    for name in [n for n in os.environ if n.startswith("PYTEST_")]:
        monkeypatch.delenv(name)
    pytester.path.joinpath("light-group.yaml").write_text(SCENARIO)

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", "--chorus", str(fake.path), "-rs", *arguments
        )

    return run
