# SPDX-License-Identifier: BSD-2-Clause
"""A server as an application of aiocoap: a site of resources, groups joined when it opens."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import unquote

from aiocoap import Context
from aiocoap.numbers.constants import MCAST_ALL
from aiocoap.resource import Site, WKCResource
from arguments import Arguments, BadArgument, Refused, endpoint, split_endpoint
from lines import say_event
from resources import ChorusResource, make_resource, parse_code
from tree import resources_of


class JoinWatch(logging.Handler):
    """aiocoap only logs that it could not join: this remembers it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Could not join"):
            self.complaints.append(record.getMessage())

    def failed(self, group: str) -> bool:
        """aiocoap tells the IP version only."""
        version = "IPv6" if ":" in group else "IPv4"
        return any(version in complaint for complaint in self.complaints)


class Server:
    def __init__(self, start: dict[str, Any]) -> None:
        self._port = int(start.get("port") or 5683)
        self._interface = str(start.get("interface") or "lan0")
        self._discovery = start.get("discovery", True) is not False
        self._groups = [self._group(text) for text in start.get("groups", [])]
        self._resources: dict[str, ChorusResource] = {
            path: make_resource(path, what) for path, what in resources_of(start).items()
        }
        self._context: Context | None = None
        self.verbs = {"set": self.set, "restart": self.restart}

    def _group(self, text: str) -> str:
        address, port = split_endpoint(text)
        if port != self._port:
            raise Refused(f"group {text}: aiocoap has one socket, and that serves {self._port}")
        return address

    async def open(self) -> None:
        watch = JoinWatch()
        log = logging.getLogger("coap-server")
        log.addHandler(watch)
        self._context = await Context.create_server_context(
            self._site(),
            bind=("::", self._port),
            multicast=self._memberships(),
            transports=["udp6"],
        )
        log.removeHandler(watch)
        for group in self._groups:
            if watch.failed(group):
                raise Refused(f"aiocoap: {'; '.join(watch.complaints)} ({group})")
            say_event("join", peer=endpoint(group, self._port))
        for group in self._everyone():
            if not watch.failed(group):
                say_event("join", peer=endpoint(group, self._port))

    def _everyone(self) -> list[str]:
        """The groups that discovery asks for, as far as they are not joined anyway."""
        if not self._discovery or self._port != 5683:
            return []
        return [group for group in MCAST_ALL if group not in self._groups]

    def _memberships(self) -> list[Any]:
        """A bare interface name is aiocoap's word for the All CoAP Nodes groups that it knows."""
        everyone = self._everyone()
        if len(everyone) == len(MCAST_ALL):
            return [*((group, self._interface) for group in self._groups), self._interface]
        return [(group, self._interface) for group in [*self._groups, *everyone]]

    def _site(self) -> Site:
        site = Site()
        if self._discovery:
            site.add_resource(
                [".well-known", "core"], WKCResource(site.get_resources_as_linkheader)
            )
        for path, resource in self._resources.items():
            site.add_resource([unquote(segment) for segment in path.split("/")[1:]], resource)
        return site

    async def close(self) -> None:
        if self._context is not None:
            await self._context.shutdown()
            self._context = None

    async def set(self, pairs: Any) -> None:
        given = Arguments(pairs, {"path", "payload", "payload-hex", "code"})
        path = given.needed("path")
        resource = self._resources.get(path)
        if resource is None:
            raise BadArgument(f"path: there is no resource {path}")
        code = given.text("code")
        payload = given.payload()
        if code is None and payload is None:
            raise BadArgument("payload, payload-hex or code is needed")
        parsed = parse_code(code) if code not in (None, "auto") else None
        resource.change(payload, code is not None, parsed)

    async def restart(self, pairs: Any) -> None:
        Arguments(pairs, set())
        await self.close()
        say_event("restart")
        for resource in self._resources.values():
            resource.reset()
        await self.open()
