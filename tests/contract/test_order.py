# SPDX-License-Identifier: BSD-2-Clause
"""Captures of several interfaces lie in batches, one interface after the other, as dumpcap and its
kind write them: `check` finds the same in them as in the order of time."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from chorus_pytest import Chorus

ENHANCED_PACKET = 6
BATCH_NS = 400_000_000
SELECTION = ("client", "server", "message", "discovery")
Verdicts = dict[tuple[str, str], tuple[str, int]]


def blocks(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        found.append(data[at : at + length])
        at += length
    return found


def place(block: bytes) -> tuple[int, int]:
    """The batch that a packet is written in, and its interface."""
    interface, high, low = struct.unpack_from("<III", block, 8)
    return (high << 32 | low) // BATCH_NS, interface


def in_batches(capture: Path, to: Path) -> int:
    """Writes |capture| in batches to |to|; how many packets went elsewhere."""
    every = blocks(capture.read_bytes())
    packets = [b for b in every if struct.unpack_from("<I", b)[0] == ENHANCED_PACKET]
    first = every.index(packets[0]) if packets else len(every)
    moved = sorted(packets, key=place)
    to.write_bytes(b"".join(every[:first] + moved + every[first + len(packets) :]))
    return sum(a is not b for a, b in zip(packets, moved, strict=True))


def verdicts(tool: Chorus, capture: Path, events: Path) -> Verdicts:
    answer = tool.call("check", str(capture), "--events", str(events), "--json")
    (run,) = json.loads(answer.stdout)
    return {
        (rule["id"], rule["node"]): (rule["verdict"], rule["activations"]) for rule in run["rules"]
    }


@pytest.fixture(scope="module")
def runs(tool: Chorus, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("order")
    result = tool.run(*SELECTION, seed=3, out=out)
    return [dict(run, folder=out) for run in json.loads(result.stdout)["runs"]]


def test_batches_change_no_verdict(
    tool: Chorus, runs: list[dict[str, Any]], tmp_path: Path
) -> None:
    moved = 0
    for run in runs:
        capture, events = run["folder"] / run["capture"], run["folder"] / run["events"]
        batched = tmp_path / capture.name
        moved += in_batches(capture, batched)
        assert verdicts(tool, batched, events) == verdicts(tool, capture, events), run["scenario"]
    assert moved > 1000
