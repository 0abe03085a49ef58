# SPDX-License-Identifier: BSD-2-Clause
"""The real network twice: as root, and as a user without rights (who has no TAP devices)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chorus_pytest import Chorus

from .lab import AS_NOBODY, Lab, folder_for

HERE = Path(__file__).parent
TOPOLOGY = "nodes: {client: {}, s: {count: 2}}\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.kernel)


def make_lab(tool: Chorus, home: Path, user: str, prefix: list[str]) -> Lab:
    """Program and scenarios are copied: another user may not be let into our folders."""
    folder = folder_for(prefix)
    program = Path(shutil.copy(tool.path, folder / "chorus"))
    scenarios = shutil.copytree(home / "scenarios", folder / "scenarios")
    environment = {**os.environ, **tool.environment, "CHORUS_SCENARIOS": str(scenarios)}
    return Lab(str(program), user, folder, environment, prefix)


@pytest.fixture(params=["root", "nobody"])
def lab(request: pytest.FixtureRequest, tool: Chorus, home: Path) -> Iterator[Lab]:
    """The tool as root and as nobody; who is somebody else runs it as himself, once."""
    is_root = os.geteuid() == 0
    if not is_root and request.param == "root":
        pytest.skip("not root")
    prefix = AS_NOBODY if is_root and request.param == "nobody" else []
    made = make_lab(tool, home, request.param, prefix)
    tried = made.call("emulate", made.write("try.yaml", TOPOLOGY), "--", "true")
    if tried.returncode != 0 and "namespace" in tried.stderr:
        pytest.skip(tried.stderr.strip())
    yield made
    shutil.rmtree(made.folder)
