# SPDX-License-Identifier: BSD-2-Clause
"""Arguments of commands (docs/commands.md): all text, in pairs of name and value."""

from __future__ import annotations

import re
import socket
from typing import Any

NANOSECONDS = {
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip


class CommandError(Exception):
    """A command that was not carried out; `status` is the word for it."""

    status = "refused"


class Unsupported(CommandError):
    status = "unsupported"


class BadArgument(CommandError):
    status = "bad-argument"


class Refused(CommandError):
    status = "refused"


class Arguments:
    """The arguments of one command. Names outside `known` make it unsupported."""

    def __init__(self, pairs: Any, known: set[str], lists: frozenset[str] = frozenset()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in _checked(pairs):
            if name not in known:
                raise Unsupported(f"argument {name}")
            if name in self._values and name not in lists:
                raise BadArgument(f"{name} is given twice")
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str | None:
        return self._values.get(name, [None])[0]

    def texts(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise BadArgument(f"{name} is needed")
        return value

    def number(self, name: str, most: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) > most:
            raise BadArgument(f"{name}: {value} is no number from 0 to {most}")
        return int(value)

    def duration(self, name: str) -> float | None:
        """In seconds."""
        value = self.text(name)
        if value is None:
            return None
        found = re.fullmatch(r"([0-9]{1,15})(ns|us|ms|s|min|h)", value)
        if not found:
            raise BadArgument(f"{name}: {value} is no duration such as 200ms or 5s")
        return int(found[1]) * NANOSECONDS[found[2]] / 1e9

    def payload(self) -> bytes | None:
        if "payload" in self and "payload-hex" in self:
            raise BadArgument("payload and payload-hex exclude each other")
        text = self.text("payload")
        if text is not None:
            return text.encode()
        value = self.text("payload-hex")
        return None if value is None else octets("payload-hex", value)


def _checked(pairs: Any) -> list[tuple[str, str]]:
    if not isinstance(pairs, list):
        raise BadArgument("arguments are a list of pairs")
    for pair in pairs:
        good = isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, str) for x in pair)
        if not good:
            raise BadArgument(f"{pair!r} is no pair of texts")
    return [(name, value) for name, value in pairs]


def octets(name: str, value: str) -> bytes:
    if not re.fullmatch(r"([0-9a-fA-F]{2})*", value):
        raise BadArgument(f"{name}: {value[:40]} is not hexadecimal octets")
    return bytes.fromhex(value)


def split_endpoint(text: str) -> tuple[str, int]:
    """`[ff35::1]:5683` or `224.0.1.187:5683`, the port may be missing."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)(?:%\w+)?\]|([0-9.]+))(?::([0-9]{1,5}))?", text)
    port = int(found[3] or 5683) if found else 0
    if not found or port > 65535:
        raise BadArgument(f"{text} is no endpoint such as [ff35::1]:5683")
    return found[1] or found[2], port


def endpoint(host: str, port: int | None) -> str:
    """An endpoint as the events have it: zones are interface numbers."""
    address, _, zone = host.partition("%")
    if zone and not zone.isdigit():
        zone = str(socket.if_nametoindex(zone))
    shown = f"{address}%{zone}" if zone else address
    return f"[{shown}]:{port or 5683}" if ":" in address else f"{shown}:{port or 5683}"
