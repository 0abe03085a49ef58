# SPDX-License-Identifier: BSD-2-Clause
"""aiocoap's own forward proxy (aiocoap.proxy.server), as aiocoap-proxy --forward starts it."""

from __future__ import annotations

from typing import Any

from aiocoap import Context
from aiocoap.proxy.server import ForwardProxyWithPooledObservations
from arguments import Arguments
from lines import say_event


class ForwardProxy:
    def __init__(self, start: dict[str, Any]) -> None:
        self._port = int(start.get("port") or 5683)
        self._incoming: Context | None = None
        self._outgoing: Context | None = None
        self.verbs = {"restart": self.restart}

    async def open(self) -> None:
        self._outgoing = await Context.create_client_context(transports=["udp6"])
        site = ForwardProxyWithPooledObservations(self._outgoing)
        self._incoming = await Context.create_server_context(
            site, bind=("::", self._port), transports=["udp6"]
        )

    async def close(self) -> None:
        await self._outgoing.shutdown()
        await self._incoming.shutdown()

    async def restart(self, pairs: Any) -> None:
        Arguments(pairs, set())
        await self.close()
        await self.open()
        say_event("restart")
