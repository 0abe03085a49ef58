# SPDX-License-Identifier: BSD-2-Clause
"""Resources as an application developer writes them with aiocoap.resource."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiocoap import Message
from aiocoap.error import NotFound
from aiocoap.numbers.codes import Code
from aiocoap.resource import ObservableResource, Resource
from aiocoap.util import hostportsplit
from arguments import BadArgument, Refused, endpoint, octets
from lines import say_event

METHODS = {str(code): code for code in Code if code.is_request()}
DEFAULT_METHODS = {
    "state": ["GET", "PUT"],
    "counter": ["GET", "POST"],
    "fixed": list(METHODS),
}
KIND_METHODS = {"state": list(METHODS), "counter": ["GET", "POST", "FETCH"], "fixed": list(METHODS)}
READING = (Code.GET, Code.FETCH)
# Bits of the No-Response option (RFC 7967), which aiocoap also takes from the application.
CLASS_BITS = {"2xx": 2, "4xx": 8, "5xx": 16}
EVERYTHING = 2 | 8 | 16


def parse_code(text: str) -> Code:
    found = re.fullmatch(r"([2-5])\.([0-9]{2})", text)
    if not found or int(found[2]) > 31:
        raise BadArgument(f"code: {text} is no Response Code such as 2.05")
    return Code(int(found[1]) * 32 + int(found[2]))


class ChorusResource(Resource):
    """One resource of a start message: what it is and what it is at the moment."""

    def __init__(self, path: str, what: dict[str, Any]) -> None:
        super().__init__()
        self._path = path
        self._kind = what.get("kind", "state")
        if self._kind not in DEFAULT_METHODS:
            raise Refused(f"{path}: kind {self._kind} is not known")
        self._what = what
        self._initial = octets("payload", what.get("payload", ""))
        self._fixed_code = parse_code(what.get("code", "2.05"))
        self._processing = int(what.get("processing_ns", 0)) / 1e9
        self._suppressed = set(what.get("suppress", []))
        self._describe()
        self._allow(what.get("methods", DEFAULT_METHODS[self._kind]))
        self._restore()

    def _describe(self) -> None:
        if "content_format" in self._what:
            self.ct = self._what["content_format"]
        if self._what.get("rt"):
            self.rt = self._what["rt"]
        if self._what.get("if"):
            self.if_ = self._what["if"]

    def get_link_description(self) -> dict[str, Any] | None:
        if self._what.get("hidden"):
            return None
        attributes = re.findall(
            r'([^;="]+)(?:=("[^"]*"|[^;"]*))?', self._what.get("attributes", "")
        )
        named = {name: value.strip('"') or None for name, value in attributes}
        return {**super().get_link_description(), **named}

    def _allow(self, methods: list[str]) -> None:
        """aiocoap looks for a method `render_get` and answers 4.05 where there is none."""
        for method in methods:
            if method not in METHODS:
                raise Refused(f"{self._path}: method {method} is not known to aiocoap")
            if method in KIND_METHODS[self._kind]:
                setattr(self, f"render_{method.lower()}", self._handle)

    def _restore(self) -> None:
        self._payload = self._initial
        self._exists = True
        self._override: Code | None = None

    def reset(self) -> None:
        """What a restart does."""
        changed = self._payload != self._initial or not self._exists or self._override is not None
        self._restore()
        if changed:
            self._say_state("restart")

    def change(self, payload: bytes | None, recode: bool, code: Code | None) -> None:
        """What `set` asks for."""
        if payload is not None and self._kind == "counter" and not payload.isdigit():
            raise BadArgument("payload: a counter is a decimal number")
        before = (self._payload, self._override, self._exists)
        if payload is not None:
            self._payload, self._exists = payload, True
        if recode:
            self._override = code
        if before != (self._payload, self._override, self._exists):
            self._changed("set")

    def _say_state(self, detail: str) -> None:
        code = self._override and self._override.dotted
        shown = self._payload.hex() if self._exists else None
        say_event("state", path=self._path, detail=detail, payload=shown, code=code)

    def _changed(self, detail: str) -> None:
        self._say_state(detail)

    async def _handle(self, request: Message) -> Message:
        group = request.remote.is_multicast_locally
        if group and self._what.get("multicast") is False:
            return Message(code=Code.METHOD_NOT_ALLOWED, no_response=EVERYTHING)
        notification = getattr(request, "chorus_seen", False)
        request.chorus_seen = True  # aiocoap renders the same object again for each notification
        if not notification:
            self._say_execute(request)
        response = self._outcome(request)
        if self._processing and not group and not notification:
            await asyncio.sleep(self._processing)
        self._suppress(request, response, group)
        return response

    def _say_execute(self, request: Message) -> None:
        query = "&".join(request.opt.uri_query)
        say_event(
            "execute",
            peer=endpoint(*hostportsplit(request.remote.hostinfo)),
            code=str(request.code),
            path=f"{self._path}?{query}" if query else self._path,
            token=request.token.hex(),
            mid=request.mid,
            type=str(request.mtype),
            group=request.remote.is_multicast_locally,
            payload=request.payload.hex(),
        )

    def _outcome(self, request: Message) -> Message:
        if self._override is not None or self._kind == "fixed":
            return self._content(self._override or self._fixed_code)
        if request.code in READING:
            if not self._exists:
                raise NotFound()
            return self._content(Code.CONTENT)
        if self._kind == "counter":
            self._payload = str(int(self._payload or b"0") + 1).encode()
            self._changed("request")
            return Message(code=Code.CHANGED)
        return self._write(request)

    def _content(self, code: Code) -> Message:
        response = Message(code=code, payload=self._payload)
        if "content_format" in self._what:
            response.opt.content_format = self._what["content_format"]
        return response

    def _write(self, request: Message) -> Message:
        before = (self._payload, self._exists)
        if request.code is Code.DELETE:
            self._exists, code = False, Code.DELETED
        else:
            code = Code.CHANGED if self._exists else Code.CREATED
            appends = request.code in (Code.POST, Code.PATCH) and self._exists
            self._payload = (self._payload if appends else b"") + request.payload
            self._exists = True
        if before != (self._payload, self._exists):
            self._changed("request")
        return Message(code=code)

    def _suppress(self, request: Message, response: Message, group: bool) -> None:
        """The resource's own wishes, told to aiocoap by the option that it keeps for that."""
        deaf = self._what.get("no_response") is False
        wanted = None
        if group and (deaf or request.opt.no_response is None):
            wanted = self._default_suppression(response)
        if wanted is None and deaf:
            wanted = 0
        if wanted is not None:
            response.opt.no_response = wanted

    def _default_suppression(self, response: Message) -> int | None:
        wanted = sum(CLASS_BITS.get(name, 0) for name in self._suppressed)
        empty = response.code is Code.CONTENT and not response.payload
        if empty and "empty-2.05" in self._suppressed:
            wanted |= CLASS_BITS["2xx"]
        return wanted or None


class ChorusObservable(ChorusResource, ObservableResource):
    def _changed(self, detail: str) -> None:
        super()._changed(detail)
        self.updated_state()


def make_resource(path: str, what: dict[str, Any]) -> ChorusResource:
    if not path.startswith("/"):
        raise Refused(f"resource {path}: a path begins with /")
    return (ChorusObservable if what.get("observable") else ChorusResource)(path, what)
