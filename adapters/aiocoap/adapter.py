# SPDX-License-Identifier: BSD-2-Clause
"""Makes aiocoap drivable by Chorus: docs/plugins.md, rung d; roles server, client and proxy."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import sys
import warnings
from typing import Any, Protocol

from arguments import Arguments, BadArgument, CommandError, Refused, Unsupported
from client import Client
from lines import Input, complain, say
from proxy import ForwardProxy
from server import Server

WAITING: set[asyncio.Task[None]] = set()  # asyncio itself holds tasks weakly
CLOSING_TIME = 1.5  # of the 2 s that a program has to end


class Node(Protocol):
    verbs: dict[str, Any]

    async def open(self) -> None: ...
    async def close(self) -> None: ...


ROLES: dict[str, Any] = {"server": Server, "client": Client, "proxy": ForwardProxy}


async def first_message(source: Input) -> dict[str, Any] | None:
    while (message := await source.next()) is not None:
        if "stop" in message:
            return None
        if isinstance(message.get("start"), dict):
            return message["start"]
        complain('expected {"start": {...}} before anything else')
    return None


async def make_node(start: dict[str, Any]) -> Node:
    if start.get("protocol") != 1:
        raise Refused(f"protocol {start.get('protocol')}: this adapter speaks 1")
    if start.get("role") not in ROLES:
        raise Refused(f"role {start.get('role')}: this adapter knows {', '.join(ROLES)}")
    node: Node = ROLES[start["role"]](start)
    await node.open()
    return node


async def obey(node: Node, message: dict[str, Any]) -> None:
    command, number = message.get("command"), message.get("id")
    if not isinstance(command, dict) or not isinstance(number, int):
        complain(f"neither a command with an id nor stop: {str(message)[:80]}")
        return
    try:
        if command.get("verb") == "wait":
            begin_to_wait(number, command.get("arguments", []))
            return
        await run_verb(node, command)
    except CommandError as e:
        say({"reply": number, "status": e.status, "why": str(e)})
    else:
        say({"reply": number, "status": "ok"})


async def wait(number: int, seconds: float) -> None:
    """Says by asyncio's clock, which is aiocoap's, when a time is over."""
    await asyncio.sleep(seconds)
    say({"reply": number, "status": "ok"})


def begin_to_wait(number: int, pairs: Any) -> None:
    seconds = Arguments(pairs, {"for"}).duration("for")
    if seconds is None:
        raise BadArgument("for is needed")
    task = asyncio.create_task(wait(number, seconds))
    WAITING.add(task)
    task.add_done_callback(WAITING.discard)


async def run_verb(node: Node, command: dict[str, Any]) -> None:
    verb = command.get("verb")
    if not isinstance(verb, str):
        raise BadArgument("a command needs a verb")
    if verb not in node.verbs:
        raise Unsupported(f"verb {verb}")
    await node.verbs[verb](command.get("arguments", []))


async def serve(node: Node, source: Input) -> None:
    while (message := await source.next()) is not None and "stop" not in message:
        await obey(node, message)
    await asyncio.wait_for(node.close(), CLOSING_TIME)


async def main() -> int:
    source = Input()
    start = await first_message(source)
    if start is None:
        return 0
    try:
        node = await make_node(start)
    except (CommandError, OSError, ValueError, TypeError, KeyError) as e:
        say({"refused": f"{e}" if isinstance(e, CommandError) else f"{type(e).__name__}: {e}"})
        return 0
    version = importlib.metadata.version("aiocoap")
    say({"ready": {"protocol": 1, "stack": "aiocoap", "version": version, "adapter": "1"}})
    try:
        await serve(node, source)
    except TimeoutError:
        complain(f"aiocoap was not shut down within {CLOSING_TIME} s")
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    warnings.simplefilter("ignore", DeprecationWarning)
    sys.exit(asyncio.run(main()))
