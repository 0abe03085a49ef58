# SPDX-License-Identifier: BSD-2-Clause
"""Resources of the example server: state, counter, fixed (docs/plugins.md), and links to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chorus_plugin import BadArgument
from coap import (
    DELETE,
    FETCH,
    GET,
    IF_MATCH,
    IF_NONE_MATCH,
    IPATCH,
    METHODS,
    PATCH,
    POST,
    PUT,
    Message,
    code,
)

MAX_PAYLOAD = 1024
LISTS = {"rel", "rev", "rt", "if", "ct"}  # attributes that hold several values


class Resource:
    def __init__(self, path: str, config: dict[str, Any]) -> None:
        self.path = path
        self.kind: str = config["kind"]
        self.methods: list[str] = config["methods"]
        self.initial = bytes.fromhex(config["payload"])
        self.content_format: int | None = config.get("content_format")
        self.attributes: str = config["attributes"]
        self.hidden: bool = config["hidden"]
        self.suppress: list[str] = config["suppress"]
        self.no_response: bool = config["no_response"]
        self.multicast: bool = config["multicast"]
        self.processing: int = config["processing_ns"]
        self.initial_code = code(config["code"]) if self.kind == "fixed" else None
        self.reset()

    def reset(self) -> bool:
        """The representation from the start; whether that changed anything."""
        before = getattr(self, "now", None)
        self.exists, self.answered = True, False
        self.payload, self.fixed_code = self.initial, self.initial_code
        self.now = (True, self.payload, self.fixed_code)
        return before is not None and before != self.now

    def note(self) -> bool:
        """Whether the state is another one than when this was last asked."""
        before, self.now = self.now, (self.exists, self.payload, self.fixed_code)
        return before != self.now

    def representation(self) -> bytes:
        return self.payload

    def set(self, payload: bytes | None, new_code: str | None) -> bool:
        if payload is not None:
            if self.kind == "counter" and not payload.isdigit():
                raise BadArgument("the payload of a counter is a decimal number")
            self.exists, self.payload = True, payload
        if new_code is not None:
            self.fixed_code = None if new_code == "auto" else code(new_code)
        return self.note()

    def precondition(self, message: Message, accept: int | None) -> int:
        """The Response Code of what speaks against the method, or 0."""
        method = METHODS[message.code] if message.code < len(METHODS) else ""
        able = ("GET", "POST", "FETCH") if self.kind == "counter" else METHODS
        if method not in self.methods or method not in able:
            return code("4.05")
        if not self.exists and message.code not in (PUT, DELETE):
            return code("4.04")
        numbers = [number for number, _ in message.options]
        if IF_NONE_MATCH in numbers and self.exists:
            return code("4.12")
        if IF_MATCH in numbers and not self.matches(message):
            return code("4.12")
        reads = message.code in (GET, FETCH)
        if reads and accept is not None and accept != self.content_format:
            return code("4.06")
        if not reads and self.kind == "state" and len(message.payload) > MAX_PAYLOAD:
            return code("4.13")
        return 0

    def matches(self, message: Message) -> bool:
        return self.exists and any(n == IF_MATCH and not v for n, v in message.options)

    def run(self, method: int, payload: bytes) -> tuple[int, bool]:
        """The Response Code, and whether the state changed."""
        if self.fixed_code is not None:
            return self.fixed_code, False
        if method in (GET, FETCH):
            return code("2.05"), False
        if self.kind == "counter":
            self.payload = str(int(self.payload or b"0") + 1).encode()
            self.note()
            return code("2.04"), True
        if method == DELETE:
            self.exists = False
            return code("2.02"), self.note()
        created = not self.exists
        if method in (PUT, IPATCH):
            self.payload = payload
        elif method in (POST, PATCH):
            if len(self.payload) + len(payload) > MAX_PAYLOAD:
                return code("4.13"), False
            self.payload += payload
        self.exists = True
        return code("2.01" if created else "2.04"), self.note()

    def suppresses(self, response: int, payload: bytes) -> bool:
        """Default suppression, the same for each outcome at all times (seed 2.3.1)."""
        if f"{response >> 5}xx" in self.suppress:
            return True
        empty = response == code("2.05") and not payload
        return empty and "empty-2.05" in self.suppress and not self.answered


def well_known() -> Resource:
    return Resource(
        "/.well-known/core",
        {
            "kind": "fixed",
            "methods": ["GET"],
            "payload": "",
            "attributes": "",
            "hidden": True,
            "suppress": ["4xx", "5xx", "empty-2.05"],
            "no_response": True,
            "multicast": True,
            "processing_ns": 0,
            "code": "2.05",
        },
    )


# ---- links (RFC 6690) ----


def attributes_of(text: str) -> Iterable[tuple[str, str]]:
    """Name and value of link attributes such as rt="light lamp";sz=3."""
    for part in text.split(";"):
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def fits(pattern: str, value: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def is_wanted(resource: Resource, query: bytes) -> bool:
    name, equals, pattern = query.decode("utf-8", "replace").partition("=")
    if not equals or not name:
        return False
    if name.lower() == "href":
        return fits(pattern, resource.path)
    for key, value in attributes_of(resource.attributes):
        values = value.split(" ") if key in LISTS else [value]
        if key == name.lower() and any(fits(pattern, v) for v in values):
            return True
    return False


def filtered_links(resources: Iterable[Resource], queries: list[bytes]) -> tuple[bytes, int]:
    """The links that fit all queries, and how many they are."""
    wanted = [
        r for r in resources if r.exists and not r.hidden and all(is_wanted(r, q) for q in queries)
    ]
    links = (f"<{r.path}>" + (";" + r.attributes if r.attributes else "") for r in wanted)
    return ",".join(links).encode(), len(wanted)
