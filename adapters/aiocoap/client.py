# SPDX-License-Identifier: BSD-2-Clause
"""A client as an application of aiocoap: requests by Context.request, responses as they come."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import aiocoap.error
from aiocoap import Context, Message, Reliable, Unreliable
from aiocoap.numbers.codes import Code
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.util import hostportsplit
from arguments import Arguments, BadArgument, Refused, endpoint, octets
from lines import complain, say_event

METHODS = {str(code): code for code in Code if code.is_request()}
KNOWN = {
    "id", "uri", "method", "type", "payload", "payload-hex", "no-response", "accept",
    "content-format", "observe", "option", "timeout",
}  # fmt: skip
GROUP_PATIENCE, UNICAST_PATIENCE = 20.0, 93.0  # docs/commands.md


class Target:
    """Where a request goes to: a URI that aiocoap takes, and the endpoint in it."""

    def __init__(self, uri: str, interface: str) -> None:
        try:
            parts = urlsplit(uri)
            port = parts.port
            found = re.fullmatch(r"(?:\[(.+)\]|([0-9.]+))(:[0-9]*)?", parts.netloc)
            address, _, zone = ((found[1] or found[2]) if found else "").partition("%")
            ip = ipaddress.ip_address(address)
        except ValueError as e:
            raise BadArgument(f"uri: {uri}: {e}") from e
        if parts.scheme not in ("coap", "coaps"):
            raise BadArgument(f"uri: {uri}: the scheme is coap")
        self.group = ip.is_multicast or address == "255.255.255.255"
        if ip.version == 6 and (ip.is_link_local or address.lower()[:4] in ("ff01", "ff02")):
            zone = interface  # the only one there is; a number says nothing to aiocoap
        host = f"{address}%{zone}" if zone else address
        self.endpoint = endpoint(host, port)
        netloc = f"[{host}]" if ip.version == 6 else host
        netloc += f":{port}" if port else ""
        self.uri = parts._replace(netloc=netloc).geturl()
        self.path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def make_message(given: Arguments, target: Target) -> Message:
    method = given.text("method") or "GET"
    if method not in METHODS:
        raise BadArgument(f"method: {method} is none")
    tuning = {"auto": None, "NON": Unreliable, "CON": Reliable}
    kind = given.text("type") or "auto"
    if kind not in tuning:
        raise BadArgument(f"type: {kind} is none of auto, NON, CON")
    if kind == "CON" and target.group:
        raise Refused("type: aiocoap makes group requests NON")
    try:
        message = Message(code=METHODS[method], uri=target.uri, transport_tuning=tuning[kind])
    except (aiocoap.error.Error, ValueError) as e:
        raise BadArgument(f"uri: aiocoap says {e!r}") from e
    message.payload = given.payload() or b""
    _set_options(message, given)
    return message


def _set_options(message: Message, given: Arguments) -> None:
    message.opt.no_response = given.number("no-response", 255)
    message.opt.accept = given.number("accept", 65535)
    message.opt.content_format = given.number("content-format", 65535)
    message.opt.observe = given.number("observe", 0xFFFFFF)
    for text in given.texts("option"):
        number, equals, value = text.partition("=")
        if not equals or not number.isdigit() or int(number) > 65535:
            raise BadArgument(f"option: {text} is not of the form number=hex")
        decoded = OptionNumber(int(number)).create_option(decode=octets("option", value))
        message.opt.add_option(decoded)


class Exchange:
    """One request of the application, from the call of the library to `done`."""

    def __init__(self, name: str, given: Arguments, target: Target) -> None:
        self.name = name
        self.message = make_message(given, target)
        self.target = target
        self.explicit = given.duration("timeout")
        patience = GROUP_PATIENCE if target.group else UNICAST_PATIENCE
        self.patience = patience if self.explicit is None else self.explicit
        self.task: asyncio.Task[None] | None = None
        self.ended_by = "cancelled"

    def say_request(self) -> None:
        say_event(
            "request", request=self.name, peer=self.target.endpoint, path=self.target.path,
            code=str(self.message.code), payload=self.message.payload.hex(),
            group=self.target.group, timeout_ns=int(self.patience * 1e9),
        )  # fmt: skip

    def deliver(self, response: Message) -> None:
        say_event(
            "deliver", request=self.name, group=self.target.group,
            peer=endpoint(*hostportsplit(response.remote.hostinfo)), code=response.code.dotted,
            payload=response.payload.hex(), token=response.token.hex(), mid=response.mid,
            type=str(response.mtype),
        )  # fmt: skip

    async def run(self, context: Context) -> str | None:
        """Returns how the request ended; None when it was never sent."""
        began = asyncio.get_running_loop().time()
        exchange = context.request(self.message)
        try:
            response = await asyncio.wait_for(exchange.response, self.patience)
        except TimeoutError:
            return "timeout"
        self.deliver(response)
        if self.message.opt.observe != 0 or response.opt.observe is None:
            return "answered"
        left = None if self.explicit is None else began + self.explicit
        return await self._observe(exchange.observation, left)

    async def _observe(self, observation: Any, until: float | None) -> str:
        try:
            async with asyncio.timeout_at(until):
                async for response in observation:
                    self.deliver(response)
        except TimeoutError:
            return "timeout"
        finally:
            if not observation.cancelled:
                observation.cancel()
        return "answered"


class Client:
    def __init__(self, start: dict[str, Any]) -> None:
        self._port = int(start.get("port") or 0)
        self._interface = str(start.get("interface") or "lan0")
        self._exchanges: dict[str, Exchange] = {}
        self._context: Context | None = None
        self.verbs = {"request": self.request, "forget": self.forget, "restart": self.restart}

    async def open(self) -> None:
        if self._port:
            self._context = await Context.create_server_context(
                None, bind=("::", self._port), transports=["udp6"]
            )
        else:
            self._context = await Context.create_client_context(transports=["udp6"])

    async def close(self) -> None:
        await self._end_all("cancelled")
        if self._context is not None:
            await self._context.shutdown()
            self._context = None

    async def request(self, pairs: Any) -> None:
        given = Arguments(pairs, KNOWN, frozenset({"option"}))
        name = given.needed("id")
        if name in self._exchanges:
            raise Refused(f"id: {name} is going on")
        exchange = Exchange(name, given, Target(given.needed("uri"), self._interface))
        self._exchanges[name] = exchange
        exchange.say_request()
        exchange.task = asyncio.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        name = exchange.name
        try:
            detail = await exchange.run(self._context)
        except asyncio.CancelledError:
            detail = exchange.ended_by
        except (aiocoap.error.ConToMulticast, aiocoap.error.NoRequestInterface) as e:
            say_event("refused", request=name, detail=f"aiocoap: {type(e).__name__}")
            detail = None
        except aiocoap.error.Error as e:
            detail = _reason(e)
        except Exception as e:  # a defect of the stack must not end the adapter
            complain(f"request {name}: aiocoap raised {e!r}")
            detail = "failed"
        self._exchanges.pop(name, None)
        if detail:
            say_event("done", request=name, detail=detail, group=exchange.target.group)

    async def forget(self, pairs: Any) -> None:
        name = Arguments(pairs, {"of"}).needed("of")
        if name not in self._exchanges:
            raise BadArgument(f"of: no request {name} is going on")
        await self._end(self._exchanges[name], "cancelled")

    async def restart(self, pairs: Any) -> None:
        port = Arguments(pairs, {"port"}).number("port", 65535)
        await self._end_all("restart")
        await self._context.shutdown()
        self._port = self._port if port is None else port
        await self.open()
        say_event("restart")

    async def _end(self, exchange: Exchange, why: str) -> None:
        exchange.ended_by = why
        exchange.task.cancel()
        await asyncio.wait([exchange.task])

    async def _end_all(self, why: str) -> None:
        for exchange in list(self._exchanges.values()):
            await self._end(exchange, why)


def _reason(e: aiocoap.error.Error) -> str:
    if isinstance(e, aiocoap.error.TimeoutError):
        return "timeout"
    if isinstance(e, aiocoap.error.MessageError):
        return "reset"
    complain(f"aiocoap ended a request: {e!r}")
    return "unreachable" if isinstance(e, aiocoap.error.NetworkError) else "failed"
