# SPDX-License-Identifier: BSD-2-Clause
"""Rung b in Python: everything that docs/plugins.md asks of a program, in about 100 lines.

A stack derives from Node, overrides what it needs, and ends with run(ItsNode). There is no socket
and no clock here: the time comes with each call, and datagrams go out by send(). Standard output
belongs to the protocol; print() to standard error.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterable
from typing import Any

Endpoint = tuple[str, int]  # address and port


def parse_endpoint(text: str) -> Endpoint:
    """ "[2001:db8::1]:5683" or "192.0.2.1:5683" to its address and port."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def endpoint_text(endpoint: Endpoint) -> str:
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Unsupported(Exception):
    """A verb or an argument that this stack does not know."""


class BadArgument(Exception):
    """A value that makes no sense."""


class Refused(Exception):
    """Understood, and refused on purpose."""


class Node:
    """What Chorus calls. Times are integer nanoseconds."""

    stack, version = "example", "1"

    def __init__(self, start: dict[str, Any]) -> None:
        self.now: int = start["now"]
        self.random = random.Random(start["seed"])
        self.deadline: int | None = None

    def on_start(self) -> None: ...

    def on_datagram(self, source: Endpoint, destination: Endpoint, payload: bytes) -> None: ...

    def on_wake(self) -> None: ...

    def on_command(self, verb: str, arguments: list[tuple[str, str]]) -> None:
        raise Unsupported(verb)

    def on_unreachable(self, destination: Endpoint) -> None: ...

    def on_stop(self) -> None: ...

    # ---- what a stack may ask of Chorus ----

    def send(self, destination: Endpoint, payload: bytes, source: Endpoint | None = None) -> None:
        message = {"destination": endpoint_text(destination), "payload": payload.hex()}
        if source:
            message["source"] = endpoint_text(source)
        say({"send": message})

    def open(self, port: int) -> None:
        say({"open": port})

    def close(self, port: int) -> None:
        say({"close": port})

    def join(self, group: Endpoint) -> None:
        say({"join": endpoint_text(group)})

    def leave(self, group: Endpoint) -> None:
        say({"leave": endpoint_text(group)})

    def event(self, name: str, **members: Any) -> None:
        say({"event": {"event": name} | {k: v for k, v in members.items() if v is not None}})


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")


def reply_to(node: Node, call: dict[str, Any]) -> None:
    command, answer = call["command"], {"reply": call["id"], "status": "ok"}
    statuses = {Unsupported: "unsupported", BadArgument: "bad-argument", Refused: "refused"}
    try:
        node.on_command(command["verb"], [(name, value) for name, value in command["arguments"]])
    except tuple(statuses) as error:
        answer |= {"status": statuses[type(error)], "why": str(error)}
    say(answer)


def serve(node: Node, call: dict[str, Any]) -> bool:
    """One call; False when it was the last one."""
    node.now = call.get("now", node.now)
    if "datagram" in call:
        d = call["datagram"]
        ends = parse_endpoint(d["source"]), parse_endpoint(d["destination"])
        node.on_datagram(*ends, bytes.fromhex(d["payload"]))
    elif "wake" in call:
        node.on_wake()
    elif "command" in call:
        reply_to(node, call)
    elif "unreachable" in call:
        node.on_unreachable(parse_endpoint(call["unreachable"]))
    elif "stop" in call:
        node.on_stop()
        return False
    return True


def done(node: Node | None) -> None:
    say({"done": {"deadline": node.deadline} if node and node.deadline is not None else {}})
    sys.stdout.flush()


def run(factory: type[Node], lines: Iterable[str] = sys.stdin) -> None:
    """Serves until Chorus says `stop`, or its end of the pipe is closed."""
    node: Node | None = None
    for line in lines:
        call = json.loads(line)
        if node is None:
            node = factory(call["start"])
            node.on_start()
            say({"ready": {"protocol": 1, "stack": node.stack, "version": node.version}})
        elif not serve(node, call):
            node.deadline = None
            done(node)
            return
        done(node)
