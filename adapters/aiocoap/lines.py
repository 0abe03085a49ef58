# SPDX-License-Identifier: BSD-2-Clause
"""The protocol of docs/plugins.md from the program's side: JSON Lines in and out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

LONGEST_LINE = 256 * 1024


def complain(text: str) -> None:
    print(f"adapter: {text}", file=sys.stderr, flush=True)


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def say_event(event: str, **members: Any) -> None:
    """Says an event; members that are None or empty say nothing and are left out."""
    told = {name: value for name, value in members.items() if value not in (None, "", False)}
    say({"event": {"event": event, **told}})


class Input:
    """The messages of standard input. A thread reads, so that input of any kind will do."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, daemon=True).start()

    async def next(self) -> dict[str, Any] | None:
        """The next message; None at the end of input."""
        return await self._queue.get()

    def _read(self) -> None:
        for line in _lines():
            message = _decode(line)
            if message is not None:
                self._put(message)
        self._put(None)

    def _put(self, message: dict[str, Any] | None) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody listens any more
            self._loop.call_soon_threadsafe(self._queue.put_nowait, message)


def _lines() -> Iterator[bytes]:
    """The lines of standard input, without Python's buffer: its lock outlives the interpreter."""
    pending, skipping = b"", False
    while octets := os.read(0, 65536):
        *complete, pending = (pending + octets).split(b"\n")
        for line in complete:
            if not skipping and len(line) <= LONGEST_LINE:
                yield line
            elif not skipping:
                complain(f"a line of more than {LONGEST_LINE} octets was skipped")
            skipping = False
        if len(pending) > LONGEST_LINE:
            if not skipping:
                complain(f"a line of more than {LONGEST_LINE} octets was skipped")
            pending, skipping = b"", True


def _decode(line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        message = json.loads(line)
    except ValueError as e:
        complain(f"a line is not JSON ({e}): {line[:80]!r}")
        return None
    if not isinstance(message, dict):
        complain(f"a line is no JSON object: {line[:80]!r}")
        return None
    return message
