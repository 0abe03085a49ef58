# SPDX-License-Identifier: BSD-2-Clause
"""The chorus program as an object."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chorus_pytest.result import ChorusError, ChorusResult
from chorus_reports.model import BadResults, Results, parse

TIMEOUT = 600.0


def find_tool(given: str | None) -> str:
    """The program: as given, from the environment (CHORUS), or on the path."""
    wanted = given or os.environ.get("CHORUS") or "chorus"
    found = shutil.which(wanted)
    if not found:
        raise ChorusError(f"{wanted}: no such program; say where it is with --chorus PATH")
    return str(Path(found).absolute())


def _parsed(stdout: str) -> Results | None:
    try:
        return parse("standard output", stdout)
    except BadResults:
        return None


@dataclass(frozen=True)
class Chorus:
    """Calls the tool. Options are keyword arguments: seed=7 is --seed 7, strict=True --strict."""

    path: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def call(self, *arguments: str, timeout: float = TIMEOUT) -> ChorusResult:
        """Any command line; results are there when it printed some."""
        command = (self.path, *arguments)
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **self.environment},
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ChorusError(
                f"{' '.join(command)}: still running after {timeout:.0f} s"
            ) from error
        return ChorusResult(
            command, done.returncode, done.stdout, done.stderr, _parsed(done.stdout)
        )

    def _options(self, options: Mapping[str, Any]) -> list[str]:
        words: list[str] = []
        for key, value in {**self.defaults, **options}.items():
            name = "--" + key.replace("_", "-")
            values = value if isinstance(value, list | tuple) else [value]
            for one in values:
                if one is None or one is False:
                    continue
                words += [name] if one is True else [name, str(one)]
        return words

    def run(self, *selectors: str, **options: Any) -> ChorusResult:
        """`chorus run`: scenarios on an emulated network."""
        return self.call("run", *selectors, *self._options(options), "--json")

    def check(self, *captures: str | Path, **options: Any) -> ChorusResult:
        """`chorus check`: judges captures."""
        chosen = {k: v for k, v in self.defaults.items() if k in ("profile", "strict")}
        words = Chorus(self.path, chosen, self.environment)._options(options)
        return self.call("check", *map(str, captures), *words, "--json")

    def listing(self, command: str, *selectors: str) -> list[dict[str, Any]]:
        """What `scenarios`, `rules` or `mutants` list; a wrong selector is a ChorusError."""
        result = self.call(command, *selectors, "--json")
        try:
            value = json.loads(result.stdout)
        except json.JSONDecodeError:
            value = None
        if isinstance(value, dict):
            value = value.get(command)
        if not isinstance(value, list):
            raise ChorusError(result.describe())
        return value

    def version(self) -> str:
        return self.call("--version").stdout.strip()
