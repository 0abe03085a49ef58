# SPDX-License-Identifier: BSD-2-Clause
"""The resources to serve: those of the start message, else the standard tree."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from arguments import Refused


def resources_of(start: dict[str, Any]) -> dict[str, dict[str, Any]]:
    given = start.get("resources")
    if given is None:
        given = _standard()
    if not isinstance(given, dict) or not all(isinstance(what, dict) for what in given.values()):
        raise Refused("resources: an object of resources by path is needed")
    return given


def _standard() -> Any:
    file = os.environ.get("CHORUS_TREE")
    if not file:
        raise Refused("no resources are given, and CHORUS_TREE does not name the standard tree")
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise Refused(f"CHORUS_TREE: {e}") from e
