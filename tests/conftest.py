# SPDX-License-Identifier: BSD-2-Clause
"""What all tests share: the built tool, and the capabilities of this machine, found out once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from chorus_pytest import Chorus

pytest_plugins = ["pytester", "fake_tool"]

HOME = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def home() -> Path:
    """The root of the repository."""
    return HOME


@pytest.fixture(scope="session")
def tool() -> Chorus:
    """The tool as the launcher built it."""
    path = Path(os.environ.get("CHORUS_BIN", HOME / "build/harness/cli/chorus"))
    if not path.is_file():
        pytest.fail(f"{path} is not there; ./chorus builds it", pytrace=False)
    environment = {"CHORUS_HOME": str(HOME), "CHORUS_PYTHON": sys.executable, "NO_COLOR": "1"}
    return Chorus(str(path), environment=environment)


@pytest.fixture
def root_only() -> None:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
