# SPDX-License-Identifier: BSD-2-Clause
"""Correct conversations that look odd, and other protocols on the same link: nothing is held
against anybody, under any profile."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pcap_by_hand import (
    ACK,
    CHANGED,
    CON,
    CONTENT,
    GET,
    LIGHT,
    NON,
    POST,
    PUT,
    RST,
    Pcap,
    mac_of,
    message,
)

from chorus_pytest import Chorus

C, S1, S2, G = "2001:db8::1", "2001:db8::3", "2001:db8::4", "ff35::1"
C4, S41, S42, G4 = "192.0.2.1", "192.0.2.3", "192.0.2.4", "239.255.0.1"
P = 40001
Options = tuple[tuple[int, bytes], ...]
CASES: dict[str, Callable[[Pcap], None]] = {}


def case(build: Callable[[Pcap], None]) -> Callable[[Pcap], None]:
    CASES[build.__name__] = build
    return build


def ask(
    p: Pcap,
    mid: int,
    tok: bytes,
    c: str = C,
    g: str = G,
    opts: Options = LIGHT,
    kind: int = NON,
    code: int = GET,
    dport: int = 5683,
    sport: int = P,
    payload: bytes = b"",
    **k: Any,
) -> None:
    p.add(c, g, message(kind, code, mid, tok, opts, payload), sport=sport, dport=dport, **k)


def ans(
    p: Pcap,
    s: str,
    mid: int,
    tok: bytes,
    c: str = C,
    kind: int = NON,
    code: int = CONTENT,
    opts: Options = (),
    payload: bytes = b"on",
    sport: int = 5683,
    dport: int = P,
    **k: Any,
) -> None:
    p.add(s, c, message(kind, code, mid, tok, opts, payload), sport=sport, dport=dport, **k)


@case
def mid_echo(p: Pcap) -> None:
    for i in range(5):
        t = bytes([7, i])
        ask(p, 100 + i, t)
        ans(p, S1, 100 + i, t, after=0.5 + 0.3 * i)
        ans(p, S2, 100 + i, t, after=0.7)


@case
def mid_zero_and_wrap(p: Pcap) -> None:
    for i, m in enumerate((65534, 65535, 0, 1)):
        t = bytes([9, i])
        ask(p, m, t)
        ans(p, S1, 0 if i == 0 else i, t, after=0.5)
        ans(p, S2, (65533 + i) % 65536, t)


@case
def empty_tokens(p: Pcap) -> None:
    ask(p, 5, b"")
    ans(p, S1, 9, b"", after=0.4)
    ans(p, S2, 10, b"", after=0.6)
    p.now += 300
    ask(p, 6, b"", opts=((11, b"temp"),))
    ans(p, S1, 11, b"", after=0.4)


@case
def empty_token_unicast_series(p: Pcap) -> None:
    for i in range(4):
        p.add(C, S1, message(CON, GET, 20 + i, b"", LIGHT), sport=P)
        p.add(S1, C, message(ACK, CONTENT, 20 + i, b"", (), b"x"), dport=P)


@case
def other_port(p: Pcap) -> None:
    ask(p, 5, b"a1")
    ans(p, S1, 9, b"a1", sport=49152)
    ans(p, S2, 9, b"a1", sport=61616)


@case
def other_address_same_host(p: Pcap) -> None:
    ask(p, 5, b"a1")
    ans(p, S1, 9, b"a1")
    p.add(
        "2001:db8::33", C, message(NON, CONTENT, 10, b"a1", (), b"other"), dport=P, smac=mac_of(S1)
    )


@case
def linklocal_and_global(p: Pcap) -> None:
    p.add(
        "fe80::1", "ff02::fd", message(NON, GET, 1, b"l1", LIGHT), sport=P, hops=1, smac=mac_of(C)
    )
    p.add(
        "fe80::3",
        "fe80::1",
        message(NON, CONTENT, 2, b"l1", (), b"x"),
        dport=P,
        smac=mac_of(S1),
        dmac=mac_of(C),
    )
    p.add(C, S1, message(CON, GET, 2, b"l2", LIGHT), sport=P)
    p.add(S1, C, message(ACK, CONTENT, 2, b"l2", (), b"x"), dport=P)


@case
def con_retransmitted_unicast(p: Pcap) -> None:
    for dt in (0, 2.5, 5, 10, 20):
        p.add(C, S1, message(CON, GET, 77, b"r1", LIGHT), sport=P, after=dt or 0.1)
    p.add(S1, C, message(ACK, CONTENT, 77, b"r1", (), b"x"), dport=P)
    p.add(C, S1, message(CON, GET, 78, b"r2", LIGHT), sport=P)
    p.add(S1, C, message(ACK, 0, 78), dport=P)
    for dt in (0.5, 2.2, 4.5):
        p.add(S1, C, message(CON, CONTENT, 500, b"r2", (), b"late"), dport=P, after=dt)
    p.add(C, S1, message(ACK, 0, 500), sport=P)
    p.add(C, S1, message(CON, GET, 79, b"r3", LIGHT), sport=P)
    p.add(S1, C, message(CON, CONTENT, 501, b"r3", (), b"no ack first"), dport=P)
    p.add(C, S1, message(ACK, 0, 501), sport=P)
    p.add(C, S1, message(CON, GET, 80, b"r4", LIGHT), sport=P)
    p.add(S1, C, message(ACK, 0, 80), dport=P)
    p.add(S1, C, message(NON, CONTENT, 502, b"r4", (), b"x"), dport=P)


@case
def ping(p: Pcap) -> None:
    p.add(C, S1, message(CON, 0, 90), sport=P)
    p.add(S1, C, message(RST, 0, 90), dport=P)


@case
def rst_to_late_response(p: Pcap) -> None:
    ask(p, 5, b"a1")
    ans(p, S1, 9, b"a1", after=1)
    ans(p, S2, 10, b"a1", after=30)
    p.add(C, S2, message(RST, 0, 10), sport=P)


@case
def proxy(p: Pcap) -> None:
    X = "2001:db8::9"
    u = (35, b"coap://[ff35::1]/light")
    p.add(C, X, message(CON, GET, 5, b"p1", (u,)), sport=P)
    p.add(X, C, message(ACK, 0, 5), dport=P)
    p.add(X, G, message(NON, GET, 900, b"xx", LIGHT), sport=50000)
    for s, m in ((S1, 1), (S2, 2)):
        p.add(s, X, message(NON, CONTENT, m, b"xx", (), b"v"), dport=50000, after=1)
        p.add(X, C, message(NON, CONTENT, 7000 + m, b"p1", (), b"v"), dport=P)
    p.add(C, X, message(CON, GET, 6, b"p2", ((3, b"host"), (11, b"light"), (39, b"coap"))), sport=P)
    p.add(X, S1, message(CON, GET, 901, b"xy", LIGHT), sport=50000)
    p.add(S1, X, message(ACK, CONTENT, 901, b"xy", (), b"v"), dport=50000)
    p.add(X, C, message(ACK, CONTENT, 6, b"p2", (), b"v"), dport=P)


@case
def reverse_proxy_from_other_port(p: Pcap) -> None:
    p.add(C, S1, message(CON, GET, 5, b"p1", LIGHT), sport=P, dport=61616)
    p.add(S1, C, message(ACK, CONTENT, 5, b"p1", (), b"v"), sport=61616, dport=P)


@case
def port_61616(p: Pcap) -> None:
    for i in range(3):
        t = bytes([3, i])
        ask(p, 5 + i, t, dport=61616)
        ans(p, S1, 9 + i, t, sport=61616, after=0.5)
        ans(p, S2, 9 + i, t, sport=61617, after=0.5)


@case
def mdns_and_ssdp(p: Pcap) -> None:
    q = struct.pack("!HHHHHH", 0, 0, 1, 0, 0, 0) + b"\x05_coap\x04_udp\x05local\0\0\x0c\0\1"
    for i in range(3):
        p.add(C, "ff02::fb", q, sport=5353, dport=5353, hops=255)
        p.add(
            S1,
            "ff02::fb",
            struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + q[12:],
            sport=5353,
            dport=5353,
            hops=255,
        )
        p.add(C, "ff02::c", b"M-SEARCH * HTTP/1.1\r\n\r\n", sport=50123, dport=1900)
        p.add(C, "ff02::1:3", b"\x40\x01\x00\x00\x00\x01" + b"\0" * 10, sport=50124, dport=5355)
        ask(p, 5 + i, b"m" + bytes([i]))
        ans(p, S1, 5 + i, b"m" + bytes([i]), after=0.4)


@case
def random_multicast_noise(p: Pcap) -> None:
    r = random.Random(5)
    for _ in range(400):
        d = bytes(r.randrange(256) for _ in range(r.randrange(4, 200)))
        p.add(
            C,
            f"ff05::{r.randrange(2, 400):x}",
            d,
            sport=r.randrange(1024, 65535),
            dport=r.choice([12345, 5004, 6000, 49152, 1234]),
            after=0.001,
        )
        p.add(
            S1,
            C,
            d[::-1],
            sport=r.choice([12345, 5004, 6000]),
            dport=r.randrange(1024, 65535),
            after=0.001,
        )


@case
def dtls_5684(p: Pcap) -> None:
    h = (
        b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x30"
        + b"\1\0\0\x24\0\0\0\0\0\0\0\x24"
        + b"\xfe\xfd"
        + b"r" * 34
    )
    for _ in range(3):
        p.add(C, S1, h, sport=P, dport=5684)
        p.add(S1, C, b"\x16" + h[1:], sport=5684, dport=P)
    for i in range(20):
        p.add(
            C,
            S1,
            b"\x17\xfe\xfd\0\1\0\0\0\0\0"
            + bytes([i])
            + b"\0\x20"
            + bytes((i * 37 + j * 11) % 256 for j in range(32)),
            sport=P,
            dport=5684,
        )
        p.add(
            S1,
            C,
            b"\x17\xfe\xfd\0\1\0\0\0\0\0"
            + bytes([i])
            + b"\0\x20"
            + bytes((i * 57 + j * 13) % 256 for j in range(32)),
            sport=5684,
            dport=P,
        )
    p.add(C, S1, b"\x15\xfe\xfd\0\1\0\0\0\0\0\x30\0\x02\1\0", sport=P, dport=5684)
    for i in range(20):
        p.add(
            C,
            S1,
            b"\x19\xfe\xfd\x05\0\1\0\0\0\0\0"
            + bytes([i])
            + b"\0\x20"
            + bytes((i * 37 + j * 11) % 256 for j in range(32)),
            sport=P,
            dport=5684,
        )
    for i in range(20):
        p.add(
            C,
            S1,
            bytes([0x2C | i % 3]) + bytes((i * 37 + j * 11) % 256 for j in range(42)),
            sport=P,
            dport=5684,
        )  # DTLS 1.3 unified header


@case
def dtls_1_0_and_stun_on_5684(p: Pcap) -> None:
    p.add(C, S1, b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x30" + b"x" * 48, sport=P, dport=5684)
    p.add(C, S1, b"\0\1\0\x08\x21\x12\xa4\x42" + b"t" * 12 + b"\0" * 8, sport=P, dport=5684)


@case
def dtls_on_5683(p: Pcap) -> None:
    p.add(C, S1, b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x30" + b"x" * 48, sport=P)
    p.add(S1, C, b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\x28", dport=P)


@case
def broadcast_v4(p: Pcap) -> None:
    for to in ("255.255.255.255", "192.0.2.255"):
        tok = to.encode()[-3:]
        p.add(C4, to, message(NON, GET, len(to), tok, LIGHT), sport=P)
        for s in (S41, S42):
            p.add(s, C4, message(NON, CONTENT, 4, tok, (), b"v"), dport=P, after=0.5)
    p.add(C4, S41, message(CON, GET, 50, b"u", LIGHT), sport=P)
    p.add(S41, C4, message(ACK, CONTENT, 50, b"u", (), b"v"), dport=P)


@case
def vlan(p: Pcap) -> None:
    p.vlan = 42
    for i in range(3):
        t = bytes([7, i])
        ask(p, 100 + i, t)
        ans(p, S1, 100 + i, t, after=0.5)
        ask(p, 200 + i, t + b"4", c=C4, g=G4)
        ans(p, S41, 200 + i, t + b"4", c=C4, after=0.5)


@case
def vlan_trunk_seen_twice(p: Pcap) -> None:
    for i in range(3):
        t = bytes([7, i])
        for v in (0, 42):
            p.vlan = v
            ask(p, 100 + i, t, after=0.001)
        for v in (42, 0):
            p.vlan = v
            ans(p, S1, 55 + i, t, after=0.001 if not v else 0.4)
        for v in (0, 42):
            p.vlan = v
            p.add(C, S1, message(CON, GET, 300 + i, t + b"u", LIGHT), sport=P, after=0.001)
        for v in (42, 0):
            p.vlan = v
            p.add(S1, C, message(ACK, CONTENT, 300 + i, t + b"u", (), b"v"), dport=P, after=0.001)


@case
def fragments(p: Pcap) -> None:
    big = b"z" * 900
    ask(p, 5, b"f1", code=PUT, payload=big, fragment=512)
    ans(p, S1, 6, b"f1", code=CHANGED, payload=b"", after=0.5)
    ask(p, 15, b"f2", c=C4, g=G4, code=PUT, payload=big, fragment=512)
    ans(p, S41, 16, b"f2", c=C4, code=CHANGED, payload=b"", after=0.5)
    p.add(C, S1, message(CON, GET, 33, b"f3", LIGHT), sport=P)
    p.add(S1, C, message(ACK, CONTENT, 33, b"f3", (), big), dport=P, fragment=512)


@case
def fragments_first_only(p: Pcap) -> None:
    ask(p, 5, b"f1", code=PUT, payload=b"z" * 900, fragment=512)
    p.frames = p.frames[:1]
    ask(p, 6, b"f2")
    ans(p, S1, 7, b"f2", after=0.3)


@case
def observe_group(p: Pcap) -> None:
    ask(p, 5, b"o1", opts=((6, b""), (11, b"light")))
    for n in range(1, 9):
        for s in (S1, S2):
            ans(
                p,
                s,
                1000 + n,
                b"o1",
                opts=((6, bytes([n])),),
                kind=CON if n == 4 else NON,
                after=0.7,
            )
        if n == 4:
            for s in (S1, S2):
                p.add(C, s, message(ACK, 0, 1004), sport=P)
    for s in (S1, S2):
        p.add(
            C, s, message(CON, GET, 70 + int(s[-1]), b"o1", ((6, b"\1"), (11, b"light"))), sport=P
        )
        p.add(s, C, message(ACK, CONTENT, 70 + int(s[-1]), b"o1", (), b"v"), dport=P)


@case
def observe_cancel_by_rst(p: Pcap) -> None:
    ask(p, 5, b"o1", opts=((6, b""), (11, b"light")))
    ans(p, S1, 10, b"o1", opts=((6, b"\1"),))
    ans(p, S1, 11, b"o1", opts=((6, b"\2"),))
    p.add(C, S1, message(RST, 0, 11), sport=P)


@case
def observe_reregister_group(p: Pcap) -> None:
    for i in range(3):
        ask(p, 5 + i, b"o1", opts=((6, b""), (11, b"light")), after=60)
        ans(p, S1, 50 + i, b"o1", opts=((6, bytes([i + 1])),), after=1)
        ans(p, S2, 50 + i, b"o1", opts=((6, bytes([i + 1])),), after=1)


@case
def started_midway(p: Pcap) -> None:
    ans(p, S1, 10, b"z1")
    ans(p, S2, 11, b"z1")
    p.add(S1, C, message(ACK, CONTENT, 900, b"z2", (), b"v"), dport=P)
    p.add(S1, C, message(CON, CONTENT, 901, b"z3", (), b"v"), dport=P)
    p.add(C, S1, message(ACK, 0, 901), sport=P)
    p.add(C, S1, message(ACK, 0, 902), sport=P)
    p.add(C, S1, message(RST, 0, 903), sport=P)
    ans(p, S1, 12, b"o1", opts=((6, b"\x10"),))
    ans(p, S1, 13, b"o1", opts=((6, b"\x11"),))
    ans(p, S1, 14, b"blk", opts=((23, b"\x1e"),), payload=b"b" * 1024)
    p.add(C, S1, message(CON, GET, 41, b"z9", ((11, b"light"), (23, b"\x26"))), sport=P)
    p.add(S1, C, message(ACK, CONTENT, 41, b"z9", ((23, b"\x26"),), b"v"), dport=P)


@case
def block_followups_same_token(p: Pcap) -> None:
    ask(p, 5, b"b1", opts=((11, b"large"),))
    for s in (S1, S2):
        ans(p, s, 9, b"b1", opts=((23, b"\x0e"),), payload=b"x" * 1024, after=0.5)
    for s in (S1, S2):
        for n, (v, size) in enumerate(((b"\x1e", 1024), (b"\x26", 400))):
            m = 40 + n + 10 * int(s[-1])
            p.add(
                C,
                s,
                message(CON, GET, m, b"b1", ((11, b"large"), (23, bytes([v[0] & 0xF6])))),
                sport=P,
            )
            p.add(s, C, message(ACK, CONTENT, m, b"b1", ((23, v),), b"x" * size), dport=P)


@case
def block_followups_non_same_token(p: Pcap) -> None:
    ask(p, 5, b"b1", opts=((11, b"large"),))
    ans(p, S1, 9, b"b1", opts=((23, b"\x0e"),), payload=b"x" * 1024, after=0.5)
    for n, (v, size) in enumerate(((b"\x1e", 1024), (b"\x26", 400))):
        p.add(
            C,
            S1,
            message(NON, GET, 40 + n, b"b1", ((11, b"large"), (23, bytes([v[0] & 0xF6])))),
            sport=P,
        )
        p.add(S1, C, message(NON, CONTENT, 400 + n, b"b1", ((23, v),), b"x" * size), dport=P)


@case
def network_duplicates(p: Pcap) -> None:
    for k in range(3):
        t = bytes([1, k])
        for _ in range(3):
            ask(p, 5 + k, t, after=0.01)
        for _ in range(3):
            ans(p, S1, 9 + k, t, after=0.2)
        for _ in range(2):
            ans(p, S2, 9 + k, t, after=0.2)


@case
def reordered(p: Pcap) -> None:
    ans(p, S1, 9, b"q1")
    ask(p, 5, b"q1", after=0.001)
    ans(p, S2, 9, b"q1", after=0.3)
    ans(p, S1, 12, b"q2")
    ask(p, 6, b"q2", after=0.001)


@case
def repeats_same_token(p: Pcap) -> None:
    for i in range(3):
        ask(p, 5 + i, b"k1", after=20)
        ans(p, S1, 9 + i, b"k1", after=1)
    ans(p, S2, 9, b"k1", after=1)


@case
def routed_two_servers(p: Pcap) -> None:
    R = b"\x02\xaa\xaa\xaa\xaa\x01"
    A, B = "2001:db8:1::5", "2001:db8:2::6"
    ask(p, 5, b"r1")
    p.add(A, C, message(NON, CONTENT, 1, b"r1", (), b"v"), dport=P, hops=62, smac=R)
    p.add(B, C, message(NON, CONTENT, 1, b"r1", (), b"w"), dport=P, hops=61, smac=R)
    for i, s in enumerate((A, B)):
        p.add(C, s, message(CON, GET, 7 + i, b"r2" + bytes([i]), LIGHT), sport=P, dmac=R)
        p.add(
            s,
            C,
            message(ACK, CONTENT, 7 + i, b"r2" + bytes([i]), (), b"v"),
            dport=P,
            hops=62 - i,
            smac=R,
        )
    ask(p, 25, b"r5")
    p.add(A, C, message(NON, CONTENT, 2, b"r5", (), b"v"), dport=P, hops=62, smac=R)
    p.add(B, C, message(NON, CONTENT, 2, b"r5", (), b"w"), dport=P, hops=61, smac=R)


@case
def routed_two_clients(p: Pcap) -> None:
    R = b"\x02\xaa\xaa\xaa\xaa\x01"
    A, B = "2001:db8:1::5", "2001:db8:2::6"
    for i in range(3):
        for c in (A, B):
            p.add(
                c,
                S1,
                message(CON, GET, 70 + i, b"rc" + bytes([i]), LIGHT),
                sport=P,
                hops=60,
                smac=R,
            )
            p.add(
                S1, c, message(ACK, CONTENT, 70 + i, b"rc" + bytes([i]), (), b"v"), dport=P, dmac=R
            )
    for c in (A, B):
        p.add(S1, c, message(CON, CONTENT, 500, b"ob", ((6, b"\1"),), b"v"), dport=P, dmac=R)
        p.add(c, S1, message(ACK, 0, 500), sport=P, hops=60, smac=R)


@case
def routed_servers_then_shared_mac(p: Pcap) -> None:
    R = b"\x02\xaa\xaa\xaa\xaa\x01"
    A, B = "2001:db8:1::5", "2001:db8:2::6"
    for i, s in enumerate((A, B)):
        p.add(C, s, message(NON, GET, 7 + i, b"r2" + bytes([i]), LIGHT), sport=P, dmac=R)
        p.add(
            s,
            C,
            message(NON, CONTENT, 7 + i, b"r2" + bytes([i]), (), b"v"),
            dport=P,
            hops=62 - i,
            smac=R,
        )
    for i in range(4):
        ask(p, 25 + i, b"r5" + bytes([i]))
        p.add(
            A,
            C,
            message(NON, CONTENT, 200 + i, b"r5" + bytes([i]), (), b"v"),
            dport=P,
            hops=62,
            smac=R,
        )
        p.add(
            B,
            C,
            message(NON, CONTENT, 200 + i, b"r5" + bytes([i]), ((12, b""),), b"w"),
            dport=P,
            hops=61,
            smac=R,
        )


@case
def no_response(p: Pcap) -> None:
    for i, v in enumerate((b"", b"\2", b"\x08", b"\x10", b"\x1a")):
        ask(p, 5 + i, b"n" + bytes([i]), opts=((11, b"light"), (258, v)))
        if i == 0:
            ans(p, S1, 9, b"n\0", after=0.5)
    p.add(C, S1, message(CON, PUT, 55, b"nn", ((11, b"light"), (258, b"\x1a")), b"on"), sport=P)
    p.add(S1, C, message(ACK, 0, 55), dport=P)


@case
def unknown_elective_and_repeatable(p: Pcap) -> None:
    ask(p, 5, b"e1", opts=((11, b"a"), (11, b"b"), (15, b"x=1"), (15, b"y"), (65000, b"zz")))
    ans(p, S1, 9, b"e1", opts=((4, b"etag1"), (14, b"\x3c"), (28, b"\5"), (65000, b"q")))


@case
def uri_host_port(p: Pcap) -> None:
    ask(p, 5, b"h1", opts=((3, b"lights.example"), (11, b"light")))
    ans(p, S1, 9, b"h1")


@case
def valid_2_03(p: Pcap) -> None:
    p.add(C, S1, message(CON, GET, 5, b"v1", ((4, b"e"), (11, b"light"))), sport=P)
    p.add(S1, C, message(ACK, 0x43, 5, b"v1", ((4, b"e"),)), dport=P)


@case
def oscore(p: Pcap) -> None:
    for i in range(3):
        ask(
            p,
            5 + i,
            b"s" + bytes([i]),
            opts=((9, b"\x19" + bytes([i]) + b"\1g\1"),),
            code=POST,
            payload=b"c" * 30,
        )
        ans(p, S1, 9 + i, b"s" + bytes([i]), code=CHANGED, opts=((9, b""),), payload=b"d" * 20)
        ans(p, S2, 9 + i, b"s" + bytes([i]), code=CHANGED, opts=((9, b""),), payload=b"d" * 20)


@case
def same_token_two_clients_nat(p: Pcap) -> None:
    for sp in (P, P + 1):
        ask(p, 5, b"aa", sport=sp)
        ans(p, S1, 9, b"aa", dport=sp, after=0.4)
        ans(p, S2, 9, b"aa", dport=sp, after=0.4)


@case
def client_on_5683(p: Pcap) -> None:
    for i in range(3):
        ask(p, 5 + i, bytes([i]), sport=5683)
        ans(p, S1, 5 + i, bytes([i]), dport=5683, after=0.4)
        ans(p, S2, 700 + i, bytes([i]), dport=5683, after=0.4)
    for i in range(3):
        ask(p, 5 + i, bytes([i, 9]), c=S1, sport=5683)
        ans(p, C, 30 + i, bytes([i, 9]), c=S1, dport=5683, after=0.4)


@case
def con_response_to_group_observe(p: Pcap) -> None:
    ask(p, 5, b"o1", opts=((6, b""), (11, b"light")))
    ans(p, S1, 9, b"o1", kind=CON, opts=((6, b"\1"),))
    p.add(C, S1, message(ACK, 0, 9), sport=P)


@case
def extended_tokens_and_codes(p: Pcap) -> None:
    ask(p, 5, b"12345678", code=5, opts=((11, b"x"), (12, b"\0")), payload=b"q")
    ans(p, S1, 9, b"12345678")
    ask(p, 6, b"12345679", code=7, opts=((11, b"x"), (12, b"\0")), payload=b"q")
    ans(p, S1, 10, b"12345679", code=0x85, payload=b"")
    ask(p, 7, b"a", code=6, opts=((11, b"x"), (12, b"\0")), payload=b"q")
    ans(p, S1, 11, b"a", code=CHANGED, payload=b"")


@case
def all_nodes_groups(p: Pcap) -> None:
    for i, g in enumerate(("ff02::fd", "ff03::fd", "ff04::fd", "ff05::fd", "ff02::1", "ff05::1")):
        ask(p, 5 + i, b"g" + bytes([i]), g=g, opts=((11, b".well-known"), (11, b"core")))
        ans(
            p,
            S1,
            9 + i,
            b"g" + bytes([i]),
            opts=((12, b"\x28"),),
            payload=b'</light>;rt="l"',
            after=0.6,
        )
    ask(
        p,
        50,
        b"g4",
        c=C4,
        g="224.0.1.187",
        opts=((11, b".well-known"), (11, b"core"), (15, b"rt=l")),
    )
    ans(p, S41, 9, b"g4", c=C4, opts=((12, b"\x28"),), payload=b'</light>;rt="l"', after=0.6)


@case
def separate_ack_lost_then_copy(p: Pcap) -> None:
    p.add(C, S1, message(CON, POST, 5, b"c1", LIGHT, b"1"), sport=P)
    p.add(C, S1, message(CON, POST, 5, b"c1", LIGHT, b"1"), sport=P, after=2.6)
    p.add(S1, C, message(ACK, 0, 5), dport=P)
    p.add(S1, C, message(ACK, 0, 5), dport=P)
    p.add(S1, C, message(CON, CHANGED, 6, b"c1"), dport=P, after=3)
    p.add(S1, C, message(CON, CHANGED, 6, b"c1"), dport=P, after=2.4)
    p.add(C, S1, message(ACK, 0, 6), sport=P)
    p.add(C, S1, message(ACK, 0, 6), sport=P)


@case
def two_hours(p: Pcap) -> None:
    for i in range(20):
        ask(p, 9 + i, b"zz", after=400)
        ans(p, S1, 90 + i, b"zz", after=2)
        ans(p, S2, 90 + i, b"zz", after=2)


@pytest.mark.parametrize("profile", ["dijk-03", "rfc7390", "bis-18"])
@pytest.mark.parametrize("name", CASES)
def test_nothing_is_held_against_it(tool: Chorus, tmp_path: Path, name: str, profile: str) -> None:
    pcap = Pcap()
    CASES[name](pcap)
    result = tool.check(pcap.write(tmp_path / f"{name}.pcap"), profile=profile)
    wrong = [r.id for r in result.runs[0].rules if r.verdict in ("fail", "warn", "error")]
    assert not wrong, result.describe()
    result.check_exit_code(0)


def build(name: str, file: Path) -> Path:
    pcap = Pcap()
    CASES[name](pcap)
    return pcap.write(file)


def test_dtls_is_not_counted_as_coap(tool: Chorus, tmp_path: Path) -> None:
    result = tool.check(build("dtls_5684", tmp_path / "dtls.pcap"))
    assert result.runs[0].counts["coap_messages"] == 0


def test_hosts_behind_one_router_stay_apart(tool: Chorus, tmp_path: Path) -> None:
    """The router's address is where both are sent to; it is neither's."""
    result = tool.check(build("routed_servers_then_shared_mac", tmp_path / "routed.pcap"))
    assert {"2001:db8:1::5", "2001:db8:2::6"} <= {r.node for r in result.runs[0].rules}


def test_cooked_v1_names_no_interface(tool: Chorus, tmp_path: Path) -> None:
    """What passes several interfaces of a bridge is one message; what comes later is another."""
    pcap = Pcap(cooked=True)
    for after in (0.1, 0.0001, 0.0001, 0.5):
        ask(pcap, 5, b"c1", after=after)
    result = tool.check(pcap.write(tmp_path / "any.pcap"))
    assert result.runs[0].counts["coap_messages"] == 2
