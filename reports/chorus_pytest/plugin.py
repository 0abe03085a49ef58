# SPDX-License-Identifier: BSD-2-Clause
"""The plugin: options, the `chorus` fixture, and scenario files as test items.

A YAML file that has the top-level members of a scenario is collected; the tool itself is asked what
is in it. Options that may be repeated multiply the items. What does not conform fails; what keeps
the tool from deciding is an error, in the item's set-up; what is declared unsupported is skipped.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chorus_pytest.result import ChorusError, ChorusFailure, ChorusResult
from chorus_pytest.tool import Chorus, find_tool
from chorus_reports.words import slug

_TOP_LEVEL = re.compile(r"^(id|nodes|steps|network|covers|expect):", re.MULTILINE)
_TOOL = pytest.StashKey[Chorus]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chorus", "CoAP group communication conformance")
    group.addoption("--chorus", metavar="PATH", help="the chorus program (default: on the path)")
    for name, text in (
        ("backend", "network to run on: sim, kernel, ns3, wire"),
        ("sut", "manifest of the system under test"),
        ("profile", "profile to judge by: dijk-03, rfc7390, bis-18"),
        ("seed", "seed of the run"),
    ):
        group.addoption(
            f"--chorus-{name}",
            action="append",
            default=[],
            metavar=name.upper(),
            help=f"{text}; may be repeated",
        )
    group.addoption("--chorus-strict", action="store_true", help="warnings and doubts fail")
    group.addoption("--chorus-waivers", metavar="FILE", help="findings that are known and waived")
    group.addoption("--chorus-out", metavar="DIR", help="keep captures and events of every item")


def _tool(config: pytest.Config) -> Chorus:
    if _TOOL not in config.stash:
        config.stash[_TOOL] = Chorus(find_tool(config.getoption("--chorus")))
    return config.stash[_TOOL]


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.getoption("--chorus"):
        return None
    try:
        return f"chorus: {_tool(config).version()} ({_tool(config).path})"
    except ChorusError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def chorus(request: pytest.FixtureRequest) -> Chorus:
    """The tool, with the options of the command line as defaults where one value was given."""
    config = request.config
    try:
        tool = _tool(config)
    except ChorusError as error:
        pytest.fail(str(error), pytrace=False)
    defaults = {}
    for name in ("backend", "sut", "profile", "seed"):
        values = config.getoption(f"--chorus-{name}")
        if len(values) == 1:
            defaults[name] = values[0]
    return Chorus(tool.path, defaults, tool.environment)


@dataclass(frozen=True)
class Variant:
    """One combination of the repeatable options."""

    options: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "-".join(Path(v).stem if k == "sut" else v for k, v in self.options)


def _variants(config: pytest.Config) -> list[Variant]:
    axes = []
    for name in ("backend", "sut", "profile", "seed"):
        values = config.getoption(f"--chorus-{name}")
        if values:
            axes.append([(name, value) for value in dict.fromkeys(values)])
    return [Variant(options) for options in itertools.product(*axes)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    found = set(_TOP_LEVEL.findall(file_path.read_text(encoding="utf-8", errors="replace")))
    if "id" not in found or not found & {"nodes", "steps"}:
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


class ScenarioFile(pytest.File):
    """A scenario file; the tool says what is in it."""

    def collect(self) -> Iterable[pytest.Item]:
        try:
            tool = _tool(self.config)
            listed = tool.listing("scenarios", str(self.path))
        except ChorusError as error:
            raise self.CollectError(str(error)) from error
        for scenario in listed:
            for variant in _variants(self.config):
                name = scenario["id"] + (f"[{variant}]" if variant.options else "")
                yield ScenarioItem.from_parent(self, name=name, entry=scenario, variant=variant)


class ScenarioItem(pytest.Item):
    """A scenario under one combination of options: its whole sweep is one item."""

    def __init__(self, *, entry: dict[str, Any], variant: Variant, **more: Any) -> None:
        super().__init__(**more)
        self.entry = entry
        self.variant = variant
        self.result: ChorusResult | None = None
        for rule in entry.get("covers", []):
            self.user_properties.append(("rule", rule))
        self.user_properties.extend(variant.options)

    def _options(self) -> dict[str, Any]:
        config = self.config
        options: dict[str, Any] = dict(self.variant.options)
        options["strict"] = config.getoption("--chorus-strict")
        options["waivers"] = config.getoption("--chorus-waivers")
        out = config.getoption("--chorus-out")
        options["out"] = Path(out) / slug(self.name) if out else None
        return options

    def setup(self) -> None:
        """Runs the scenario: what goes wrong here is an error, not a failure."""
        try:
            self.result = _tool(self.config).run(str(self.path), **self._options())
            self.result.check_no_error()
        except ChorusError as error:
            pytest.fail(str(error), pytrace=False)

    def runtest(self) -> None:
        result = self.result
        if result is None:
            raise ChorusError("the scenario was not run")
        reason = result.unsupported()
        if reason:
            pytest.skip(reason)
        result.check_conforms()
        if result.exit_code == 4:
            raise ChorusFailure(f"inconclusive, and that fails here\n{result.describe()}")
        doubtful = [run.scenario for run in result.runs if run.verdict == "inconclusive"]
        if doubtful:
            pytest.skip(f"inconclusive: {', '.join(doubtful)}\n{result.describe()}")

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | Any:
        """Findings instead of a Python traceback."""
        if isinstance(excinfo.value, ChorusFailure | ChorusError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.name}: {self.entry.get('title', '')}".rstrip(": ")
