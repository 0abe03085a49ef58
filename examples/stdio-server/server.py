# SPDX-License-Identifier: BSD-2-Clause
"""A CoAP server for groups on rung b: draft-dijk-core-groupcomm-bis-03, RFC 7252, 7967, 6690.

It serves what a scenario asks for, and shows how little of a stack has to know of Chorus: the class
Server is protocol, and its base class is all that speaks to the harness.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

import coap
from chorus_plugin import (
    BadArgument,
    Endpoint,
    Node,
    Refused,
    Unsupported,
    endpoint_text,
    parse_endpoint,
    run,
)
from coap import ACK, CON, NON, RST, Message, code, code_text
from resources import Resource, filtered_links, well_known

SECOND = 10**9
NON_LIFETIME, EXCHANGE_LIFETIME = 145 * SECOND, 247 * SECOND
MAX_RETRANSMIT, ACK_TIMEOUT = 4, 2 * SECOND
ALL_COAP_NODES = ("ff02::fd", "ff03::fd", "ff04::fd", "ff05::fd", "224.0.1.187")


def is_group(endpoint: Endpoint) -> bool:
    address = ipaddress.ip_address(endpoint[0].partition("%")[0])
    return address.is_multicast or str(address) == "255.255.255.255"


@dataclass
class Request:
    """A request while it is served."""

    message: Message
    source: Endpoint
    destination: Endpoint
    group: bool
    path: str = ""  # with query, as in a URI
    resource: Resource | None = None
    no_response: int | None = None
    accept: int | None = None
    block: tuple[int, int] | None = None  # number and size exponent


@dataclass
class Response:
    code: int
    payload: bytes = b""
    content_format: int | None = None


@dataclass
class Pending:
    """A message that goes out later; a Confirmable one again and again."""

    due: int
    order: int
    destination: Endpoint
    source: Endpoint
    octets: bytes
    left: int = 0  # retransmissions
    interval: int = 0


class Server(Node):
    stack, version = "chorus-stdio-server", "1"

    def __init__(self, start: dict[str, Any]) -> None:
        super().__init__(start)
        self.start = start
        self.port: int = start["port"]
        self.leisure: int = start["leisure_ns"]
        self.only_widen: bool = start["authorised_relaxation_only"]
        self.rate: int = start.get("response_rate", 20)
        self.resources = {path: Resource(path, r) for path, r in start["resources"].items()}
        self.discovery = well_known() if start["discovery"] else None
        self.configured = [parse_endpoint(g) for g in start["groups"]]
        self.groups: list[Endpoint] = []
        self.mid = self.random.randrange(65536)
        self.order = 0
        self.forget()

    def forget(self) -> None:
        """What a restart loses."""
        self.seen: dict[tuple[Endpoint, int], int] = {}  # NON messages: when they came
        self.exchanges: dict[tuple[Endpoint, int], tuple[int, bytes | None, Endpoint]] = {}
        self.pending: list[Pending] = []
        self.periods: dict[Endpoint, tuple[int, int]] = {}  # Leisure periods by membership
        self.next_response: dict[str, int] = {}  # by source address, for the rate

    # ---- groups ----

    def on_start(self) -> None:
        self.open(self.port)
        if self.discovery and self.port != 5683:
            self.open(5683)
        for group in self.standing_groups():
            self.add_group(group)

    def standing_groups(self) -> list[Endpoint]:
        versions = {":" in address for address in self.start["addresses"]}
        nodes = [(a, 5683) for a in ALL_COAP_NODES if self.discovery and (":" in a) in versions]
        return nodes + self.configured

    def add_group(self, group: Endpoint) -> None:
        if group in self.groups:
            return
        self.open(group[1])
        self.join(group)
        self.groups.append(group)
        self.event("join", peer=endpoint_text(group), group=True)

    def drop_group(self, group: Endpoint) -> None:
        self.groups.remove(group)
        self.leave(group)
        needed = {self.port} | {port for _, port in self.groups}
        if self.discovery:
            needed.add(5683)
        if group[1] not in needed:
            self.close(group[1])
        self.event("leave", peer=endpoint_text(group), group=True)

    # ---- commands ----

    def on_command(self, verb: str, arguments: list[tuple[str, str]]) -> None:
        known = {
            "set": {"path", "payload", "payload-hex", "code"},
            "join": {"group"},
            "leave": {"group"},
            "restart": set(),
        }
        if verb not in known:
            raise Unsupported(f"a server has no verb {verb}")
        for name, _ in arguments:
            if name not in known[verb]:
                raise Unsupported(f"{verb} has no argument {name}")
        given = dict(arguments)
        if verb == "restart":
            self.restart()
        elif verb == "set":
            self.set(given)
        else:
            self.change_group(verb, given)
        self.schedule()

    def set(self, given: dict[str, str]) -> None:
        resource = self.resources.get(given.get("path", ""))
        if resource is None:
            raise BadArgument("no resource has this path")
        payload = None
        if "payload" in given:
            payload = given["payload"].encode()
        elif "payload-hex" in given:
            payload = bytes.fromhex(given["payload-hex"])
        if resource.set(payload, given.get("code")):
            self.tell_state(resource, "set")

    def change_group(self, verb: str, given: dict[str, str]) -> None:
        group = parse_endpoint(given.get("group", ""))
        if not is_group(group):
            raise BadArgument("no group")
        if group[1] == 5684:
            raise Refused("port 5684 is not for groups")
        if verb == "join":
            self.add_group(group)
        elif group in self.groups:
            self.drop_group(group)
        else:
            raise BadArgument("not a member of this group")

    def restart(self) -> None:
        self.forget()
        self.event("restart")
        for resource in self.resources.values():
            if resource.reset():
                self.tell_state(resource, "restart")
        if self.discovery:
            self.discovery.answered = False
        standing = self.standing_groups()
        for group in [g for g in self.groups if g not in standing]:
            self.drop_group(group)
        for group in standing:
            self.add_group(group)

    def tell_state(self, resource: Resource, detail: str) -> None:
        self.event(
            "state",
            path=resource.path,
            detail=detail,
            payload=resource.representation().hex() if resource.exists else None,
        )

    # ---- messages that come in ----

    def on_datagram(self, source: Endpoint, destination: Endpoint, payload: bytes) -> None:
        if source[1] == 0 or is_group(source):
            return
        group = is_group(destination)
        if group and destination[1] == 5684:
            return
        message = coap.decode(payload)
        if message is None:
            return
        if message.type in (ACK, RST):
            if not group and not message.malformed:
                self.acknowledged(source, message.mid)
        else:
            self.receive(Request(message, source, destination, group))
        self.schedule()

    def receive(self, request: Request) -> None:
        message = request.message
        if message.malformed or message.code == 0 or message.code >> 5 != 0:
            self.reject(request, None)
        elif request.group and message.type == CON:
            return
        elif not self.is_duplicate(request):
            self.serve(request)

    def reject(self, request: Request, response: int | None) -> None:
        """A Reset, or an error for Confirmable requests; a group gets neither (section 8.1)."""
        if request.group and self.start["multicast_aware"]:
            return
        if response is None:
            octets = Message(RST, 0, request.message.mid).encode()
            self.reply(request, octets)
        else:
            request.group = False
            request.resource = None
            self.respond_unicast(request, Response(response))

    def is_duplicate(self, request: Request) -> bool:
        key = (request.source, request.message.mid)
        if request.message.type == NON:
            last = self.seen.get(key)
            if last is not None and self.now - last < NON_LIFETIME and self.start["dedup"]:
                return True
            self.seen[key] = self.now
            return False
        exchange = self.exchanges.get(key)
        if exchange is None or self.now - exchange[0] >= EXCHANGE_LIFETIME:
            return False
        if exchange[1] is not None:
            self.send(request.source, exchange[1], exchange[2])
        return True

    def acknowledged(self, peer: Endpoint, mid: int) -> None:
        octets = mid.to_bytes(2, "big")
        self.pending = [
            p
            for p in self.pending
            if not (
                p.left >= 0
                and p.destination == peer
                and p.octets[2:4] == octets
                and p.octets[0] >> 4 & 3 == CON
            )
        ]

    # ---- requests ----

    def read(self, request: Request) -> int | None:
        """Takes the options in; a Response Code when the request is to be rejected, -1: Reset."""
        fault: int | None = None
        previous = -1
        segments: list[bytes] = []
        queries: list[bytes] = []
        for number, value in request.message.options:
            low, high, repeats = coap.KNOWN.get(number, (1, 0, False))
            known = low <= len(value) <= high and (repeats or number != previous)
            previous = number
            if not known:
                if number & 1 and fault is None:
                    fault = code("4.02") if request.message.type == CON else -1
                continue
            if number in (coap.PROXY_URI, coap.PROXY_SCHEME) and fault is None:
                fault = code("5.05")
            if number == coap.URI_PATH:
                segments.append(value)
            elif number == coap.URI_QUERY:
                queries.append(value)
            elif number == coap.NO_RESPONSE:
                request.no_response = int.from_bytes(value, "big")
            elif number == coap.ACCEPT:
                request.accept = int.from_bytes(value, "big")
            elif number == coap.BLOCK2:
                block = int.from_bytes(value, "big")
                request.block = (block >> 4, block & 7)
        request.path = uri_text(segments, queries)
        if fault is None and request.block:
            number, exponent = request.block
            if exponent == 7 or (request.group and number):
                fault = code("4.00")
        return fault

    def serve(self, request: Request) -> None:
        fault = self.read(request)
        if fault is not None:
            self.reject(request, None if fault == -1 else fault)
            return
        path = request.path.partition("?")[0]
        if self.discovery and path == self.discovery.path:
            request.resource = self.discovery
            response = self.discover(request)
        else:
            request.resource = self.resources.get(path)
            if request.group and request.resource and not request.resource.multicast:
                return
            response = self.execute(request)
        if response:
            self.respond(request, response)

    def discover(self, request: Request) -> Response | None:
        if request.message.code != coap.GET:
            return Response(code("4.05"))
        if request.accept not in (None, 40):
            return Response(code("4.06"))
        queries = [v for n, v in request.message.options if n == coap.URI_QUERY]
        links, count = filtered_links(
            self.resources.values(), queries if self.start["filter"] else []
        )
        self.tell("execute", request)
        if queries and request.group and (not self.start["filter"] or count == 0):
            self.tell("suppress", request, code=code_text(code("2.05")), detail="filter")
            return None
        return Response(code("2.05"), links, 40)

    def execute(self, request: Request) -> Response:
        resource, message = request.resource, request.message
        against = resource.precondition(message, request.accept) if resource else code("4.04")
        if against or resource is None:
            return Response(against)
        self.tell("execute", request, payload=message.payload.hex())
        result, changed = resource.run(message.code, message.payload)
        if changed:
            self.tell_state(resource, "request")
        reads = result == code("2.05") or resource.fixed_code is not None
        if not reads:
            return Response(result)
        return Response(result, resource.representation(), resource.content_format)

    def tell(self, event: str, request: Request, **members: Any) -> None:
        m = request.message
        about = {
            "peer": endpoint_text(request.source),
            "path": request.path,
            "group": request.group or None,
            "type": coap.TYPES[m.type],
            "code": code_text(m.code),
            "mid": m.mid,
            "token": m.token.hex(),
        }
        self.event(event, **(about | members))

    # ---- responses ----

    def withheld(self, request: Request, response: Response) -> str | None:
        """Which policy withholds the response, or None (seed 2.3.1, RFC 7967)."""
        resource = request.resource
        base = request.group and (
            resource is None or resource.suppresses(response.code, response.payload)
        )
        flags = request.no_response if resource and resource.no_response else None
        silent = base
        if flags is not None:
            unwanted = bool(flags & 1 << ((response.code >> 5) - 1))
            silent = unwanted or (self.only_widen and base)
        if not silent:
            return None
        return "default" if flags is None or (base and self.only_widen) else "no-response"

    def within_rate(self, source: Endpoint) -> bool:
        earliest = max(self.next_response.get(source[0], 0), self.now)
        if earliest - self.now > SECOND - SECOND // self.rate:
            return False
        self.next_response[source[0]] = earliest + SECOND // self.rate
        return True

    def respond(self, request: Request, response: Response) -> None:
        confirmable = request.message.type == CON
        why = self.withheld(request, response)
        if not why and not confirmable and not self.within_rate(request.source):
            why = "rate"
        if why:
            self.tell("suppress", request, code=code_text(response.code), detail=why)
            if confirmable:
                self.reply(request, Message(ACK, 0, request.message.mid).encode())
            return
        if not request.group:
            self.respond_unicast(request, response)
            return
        if request.resource and response.code == code("2.05") and request.no_response is None:
            request.resource.answered = True
        due = self.leisure_due(request.destination)
        octets = self.encode(request, response, NON, self.next_mid())
        self.later(due, request, octets)

    def leisure_due(self, group: Endpoint) -> int:
        """A moment in the Leisure; while one runs for this membership, in the next (8.2)."""
        begin, end = self.periods.get(group, (0, 0))
        if begin <= self.now:
            begin = max(end, self.now)
            end = begin + self.leisure
        self.periods[group] = (begin, end)
        return begin + self.random.randrange(self.leisure)

    def respond_unicast(self, request: Request, response: Response) -> None:
        processing = request.resource.processing if request.resource else 0
        if request.message.type != CON:
            octets = self.encode(request, response, NON, self.next_mid())
            self.later(self.now + processing, request, octets)
        elif processing == 0:
            self.reply(request, self.encode(request, response, ACK, request.message.mid))
        else:
            self.reply(request, Message(ACK, 0, request.message.mid).encode())
            octets = self.encode(request, response, CON, self.next_mid())
            interval = ACK_TIMEOUT + self.random.randrange(SECOND)
            self.later(self.now + processing, request, octets, MAX_RETRANSMIT, interval)

    def encode(self, request: Request, response: Response, kind: int, mid: int) -> bytes:
        message = Message(kind, response.code, mid, request.message.token)
        payload, block = response.payload, None
        size = 7 + len(message.token) + len(payload)
        exponent = request.block[1] if request.block else None
        if request.group and size > 152 and (exponent is None or exponent > 2):
            exponent = 2
        if exponent is not None and response.code == code("2.05"):
            start = (request.block[0] << request.block[1] + 4) if request.block else 0
            if start and start >= len(payload):
                message.code, payload = code("4.00"), b""
            else:
                length = 1 << exponent + 4
                more = len(payload) - start > length
                block = (start // length) << 4 | more << 3 | exponent
                message.options.append((coap.ETAG, etag(payload)))
                payload = payload[start : start + length]
        elif exponent is not None:
            payload = b"" if request.group else payload[: 1 << exponent + 4]
        if response.content_format is not None and message.code != code("4.00"):
            message.options.append((coap.CONTENT_FORMAT, coap.uint(response.content_format)))
        if block is not None:
            message.options.append((coap.BLOCK2, coap.uint(block)))
        message.payload = payload
        return message.encode()

    def next_mid(self) -> int:
        self.mid = (self.mid + 1) % 65536
        return self.mid

    def source_of(self, request: Request) -> Endpoint:
        """Where the answer comes from: the port that was asked, and never a group's address."""
        host, port = request.destination
        return (
            ("::" if ":" in host else "0.0.0.0") if is_group(request.destination) else host,
            port,
        )

    def reply(self, request: Request, octets: bytes) -> None:
        source = self.source_of(request)
        self.send(request.source, octets, source)
        self.exchanges[request.source, request.message.mid] = (self.now, octets, source)

    def later(
        self, due: int, request: Request, octets: bytes, left: int = 0, interval: int = 0
    ) -> None:
        pending = Pending(
            due, self.order, request.source, self.source_of(request), octets, left, interval
        )
        self.order += 1
        if due <= self.now and not interval:
            self.send(pending.destination, octets, pending.source)
        else:
            self.pending.append(pending)

    # ---- time ----

    def on_wake(self) -> None:
        for p in sorted(self.pending, key=lambda p: (p.due, p.order)):
            if p.due > self.now:
                break
            self.send(p.destination, p.octets, p.source)
            if p.interval and p.left > 0:
                p.left -= 1
                p.due += p.interval
                p.interval *= 2
            else:
                self.pending.remove(p)
        self.schedule()

    def schedule(self) -> None:
        self.deadline = min((p.due for p in self.pending), default=None)
        for known, lifetime in ((self.seen, NON_LIFETIME),):
            if len(known) > 4096:
                self.seen = {k: at for k, at in known.items() if self.now - at < lifetime}

    def on_stop(self) -> None:
        for p in self.pending:
            if p.due < self.now:
                self.event(
                    "leak", detail="a response that was due", peer=endpoint_text(p.destination)
                )


def etag(payload: bytes) -> bytes:
    """FNV-1a: the same representation always has the same tag."""
    h = 2166136261
    for octet in payload:
        h = (h ^ octet) * 16777619 & 0xFFFFFFFF
    return h.to_bytes(4, "big")


def percent(value: bytes, plain: str) -> str:
    return "".join(chr(c) if chr(c) in plain else f"%{c:02X}" for c in value)


def uri_text(segments: list[bytes], queries: list[bytes]) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$'()*+,;=:@"
    path = "".join("/" + percent(s, letters + "&") for s in segments) or "/"
    return path + ("?" + "&".join(percent(q, letters + "/?") for q in queries) if queries else "")


if __name__ == "__main__":
    run(Server)
