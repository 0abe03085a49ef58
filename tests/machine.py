# SPDX-License-Identifier: BSD-2-Clause
"""What this machine has."""

from __future__ import annotations

import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skips a test, with the reason, where a program of others is not installed."""
    missing = [p for p in programs if not shutil.which(p)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
