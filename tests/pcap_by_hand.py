# SPDX-License-Identifier: BSD-2-Clause
"""Captures made by hand: pcap files of UDP datagrams over IPv4 or IPv6 on Ethernet."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from pathlib import Path

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = 1, 2, 3, 4
CONTENT, CHANGED, NOT_FOUND = 0x45, 0x44, 0x84
LIGHT = ((11, b"light"),)
MULTICAST = {4: "239.255.0.1", 6: "ff35::1"}


def _nibble(value: int) -> tuple[int, bytes]:
    if value < 13:
        return value, b""
    return (13, bytes([value - 13])) if value < 269 else (14, struct.pack("!H", value - 269))


def _options(options: tuple[tuple[int, bytes], ...]) -> bytes:
    out, last = b"", 0
    for number, value in options:
        delta, more = _nibble(number - last)
        length, even_more = _nibble(len(value))
        out += bytes([delta << 4 | length]) + more + even_more + value
        last = number
    return out


def message(
    kind: int,
    code: int,
    mid: int,
    token: bytes = b"",
    options: tuple[tuple[int, bytes], ...] = (),
    payload: bytes = b"",
) -> bytes:
    """A CoAP message (RFC 7252, section 3)."""
    head = bytes([0x40 | kind << 4 | len(token), code]) + struct.pack("!H", mid)
    return head + token + _options(options) + (b"\xff" + payload if payload else b"")


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _udp(source: str, sport: int, to: str, dport: int, data: bytes) -> bytes:
    a, b = ipaddress.ip_address(source).packed, ipaddress.ip_address(to).packed
    length = 8 + len(data)
    pseudo = (
        a
        + b
        + (struct.pack("!BBH", 0, 17, length) if len(a) == 4 else struct.pack("!IxxxB", length, 17))
    )
    check = _sum(pseudo + struct.pack("!HHHH", sport, dport, length, 0) + data) or 0xFFFF
    return struct.pack("!HHHH", sport, dport, length, check) + data


def _ipv4(source: str, to: str, hops: int, ident: int, flags: int, body: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, flags, hops, 17, 0)
    head += ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed
    return head[:10] + struct.pack("!H", _sum(head)) + head[12:] + body


def _ipv6(source: str, to: str, hops: int, following: int, body: bytes) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(body), following, hops)
    return head + ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed + body


def mac_of(address: str) -> bytes:
    ip = ipaddress.ip_address(address)
    if str(ip) == "255.255.255.255" or str(ip).endswith(".255"):
        return b"\xff" * 6
    if ip.is_multicast:
        return (
            b"\x01\x00\x5e" + bytes([ip.packed[1] & 127]) + ip.packed[2:]
            if ip.version == 4
            else b"\x33\x33" + ip.packed[12:]
        )
    return b"\x02\x00\x00\x00\x00" + ip.packed[-1:]


@dataclass
class Pcap:
    """Frames in the order in which they are added; |now| in seconds goes on by itself."""

    now: float = 0.0
    vlan: int = 0
    cooked: bool = False  # "any" of Linux, version 1
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    ident: int = 0

    def add(
        self,
        source: str,
        to: str,
        data: bytes,
        *,
        sport: int = 5683,
        dport: int = 5683,
        hops: int = 64,
        fragment: int = 0,
        smac: bytes = b"",
        dmac: bytes = b"",
        after: float = 0.1,
    ) -> None:
        self.now += after
        udp = _udp(source, sport, to, dport, data)
        self.ident += 1
        head = (dmac or mac_of(to)) + (smac or mac_of(source))
        if self.vlan:
            head += struct.pack("!HH", 0x8100, self.vlan)
        for packet in self._packets(source, to, hops, fragment, udp):
            kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
            link = struct.pack("!HHH", 0, 1, 6) + head[6:12] + b"\0\0" if self.cooked else head
            self.frames.append((self.now, link + struct.pack("!H", kind) + packet))

    def _packets(self, source: str, to: str, hops: int, fragment: int, udp: bytes) -> list[bytes]:
        v4 = ":" not in source
        if not fragment:
            return [
                _ipv4(source, to, hops, self.ident, 0, udp)
                if v4
                else _ipv6(source, to, hops, 17, udp)
            ]
        out = []
        for at in range(0, len(udp), fragment):
            part, more = udp[at : at + fragment], at + fragment < len(udp)
            if v4:
                out.append(
                    _ipv4(source, to, hops, self.ident, (0x2000 if more else 0) | at // 8, part)
                )
            else:
                extension = struct.pack("!BBHI", 17, 0, at | more, self.ident)
                out.append(_ipv6(source, to, hops, 44, extension + part))
        return out

    def write(self, file: Path) -> Path:
        with file.open("wb") as out:
            out.write(
                struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 113 if self.cooked else 1)
            )
            for time, frame in self.frames:
                at = round(time * 1e9)
                out.write(
                    struct.pack("<IIII", 1000 + at // 10**9, at % 10**9, len(frame), len(frame))
                    + frame
                )
        return file
