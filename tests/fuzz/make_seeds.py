#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seed corpora of fuzz_coap, fuzz_frame and fuzz_capture: one small file per idea."""

from pathlib import Path
from struct import pack

CORPUS = Path(__file__).parent / "corpus"

GET = bytes.fromhex("52011234a1b2") + b"\xb5light\xd1\xea\x1a"
MESSAGES = {
    "get": GET,
    "query": bytes.fromhex("41020001a1") + b"\xb1a\x01b\x43x=1\xffpayload",
    "response": bytes.fromhex("5145000207c0ff") + b"on",
    "empty-ack": bytes.fromhex("60000003"),
    "reset": bytes.fromhex("70000003"),
    "ping": bytes.fromhex("40000003"),
    "observe": bytes.fromhex("510100040960") + b"\x51s",
    "blocks": bytes.fromhex("52450005a1b260d10c1ed1071cff") + bytes(16),
    "extended-14": bytes.fromhex("50010006e1fcdc05"),
    "long-value": bytes.fromhex("50010007bd07") + b"a" * 20,
    "longest-value": bytes.fromhex("50010008ee0100") + b"\x00\x10" + b"b" * 285,
    "token-9": bytes.fromhex("59010001") + bytes(9),
    "marker-alone": bytes.fromhex("50020001ff"),
    "nibble-15": bytes.fromhex("50010001f161"),
    "number-65536": bytes.fromhex("50010001e0fef2e00000"),
    "version-2": bytes.fromhex("90011234"),
    "many-options": bytes.fromhex("50010001b0") + bytes(60),
    "accept-twice": bytes.fromhex("50010001d1040000"),
    "echo-tag": bytes.fromhex("50010001d8ef0102030405060708d11b07"),
}

A6 = bytes.fromhex("fe80000000000000000000000000000a")
B6 = bytes.fromhex("ff350030fd0000000000000000000001")
A4, B4 = bytes([192, 0, 2, 1]), bytes([224, 0, 1, 187])


def checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(data[i] << 8 | data[i + 1] for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(protocol: int, addresses: bytes, header: bytes, at: int, payload: bytes) -> bytes:
    whole = header + payload
    pseudo = addresses + pack(">HH", len(whole), protocol) if addresses else b""
    return whole[:at] + pack(">H", checksum(pseudo + whole)) + whole[at + 2 :]


def udp(addresses: bytes, payload: bytes) -> bytes:
    return transport(17, addresses, pack(">HHHH", 40000, 5683, len(payload) + 8, 0), 6, payload)


def ip6(body: bytes, protocol: int = 17) -> bytes:
    return pack(">IHBB", 0x60000000, len(body), protocol, 64) + A6 + B6 + body


def ip4(body: bytes, protocol: int = 17, flags: int = 0) -> bytes:
    head = pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, flags, 64, protocol, 0) + A4 + B4
    return head[:10] + pack(">H", checksum(head)) + head[12:] + body


def fragments6(body: bytes) -> list[bytes]:
    cut = len(body) // 16 * 8
    first = pack(">BBHI", 17, 0, 1, 9) + body[:cut]
    return [ip6(first, 44), ip6(pack(">BBHI", 17, 0, cut, 9) + body[cut:], 44)]


def fragments4(body: bytes) -> list[bytes]:
    cut = len(body) // 16 * 8
    return [ip4(body[:cut], 17, 0x2000), ip4(body[cut:], 17, cut // 8)]


UDP6, UDP4 = udp(A6 + B6, GET), udp(A4 + B4, GET)
ICMP6 = transport(58, A6 + B6, bytes([1, 4, 0, 0, 0, 0, 0, 0]), 2, ip6(UDP6))
ICMP4 = transport(1, b"", bytes([3, 3, 0, 0, 0, 0, 0, 0]), 2, ip4(UDP4))
EXTENDED = bytes.fromhex("3c000502000001001100010400000000") + UDP6
MACS = bytes.fromhex("3333000000010a0b0c0d0e0f")
COOKED = bytes.fromhex("0004000100060a0b0c0d0e0f0000")
COOKED2 = bytes.fromhex("86dd000000000002000104060a0b0c0d0e0f0000")

# The first octet is an index into the list of link types in fuzz_frame.c.
FRAMES = {
    "raw": (4, [ip6(UDP6), ip4(UDP4)]),
    "ethernet": (1, [MACS + b"\x86\xdd" + ip6(UDP6)]),
    "vlan": (1, [MACS + bytes.fromhex("88a80005810000060800") + ip4(UDP4)]),
    "cooked": (6, [COOKED + b"\x86\xdd" + ip6(UDP6)]),
    "cooked2": (9, [COOKED2 + ip6(UDP6)]),
    "null": (0, [bytes([2, 0, 0, 0]) + ip4(UDP4), bytes([0, 0, 0, 30]) + ip6(UDP6)]),
    "fragments6": (4, fragments6(UDP6)),
    "fragments4": (4, fragments4(UDP4)),
    "reversed": (4, fragments6(UDP6)[::-1]),
    "duplicated": (4, fragments6(UDP6)[:1] * 2 + fragments6(UDP6)[1:]),
    "icmp": (4, [ip6(ICMP6, 58), ip4(ICMP4, 1)]),
    "extensions": (8, [ip6(EXTENDED, 0)]),
}


def frames(link: int, packets: list[bytes]) -> bytes:
    return bytes([link]) + b"".join(pack(">HBB", len(p), 2, 0) + p for p in packets)


def option(order: str, code: int, value: bytes) -> bytes:
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(order: str, kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return pack(order + "II", kind, length) + body + pack(order + "I", length)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int, *options: bytes) -> bytes:
    return block(order, 1, pack(order + "HHI", link, 0, 0) + b"".join(options) + bytes(4))


def packet(order: str, number: int, data: bytes, *options: bytes) -> bytes:
    head = pack(order + "IIIII", number, 1, 2, len(data), len(data))
    tail = b"".join(options) + bytes(4) if options else b""
    return block(order, 6, head + data + bytes(-len(data) % 4) + tail)


def pcapng(order: str) -> bytes:
    name = option(order, 2, b"client") + option(order, 9, b"\x09") + option(order, 5, A6 + b"\x40")
    offset = option(order, 9, b"\x94") + option(order, 14, pack(order + "q", -5))
    simple = pack(order + "I", len(ip4(UDP4))) + ip4(UDP4)
    obsolete = pack(order + "HHIIII", 1, 0, 0, 9, 4, 9) + b"data"
    notes = (option(order, 1, b"comment"), option(order, 2, pack(order + "I", 2)))
    return b"".join(
        [
            section(order),
            interface(order, 101, name, option(order, 4, A4 + b"\xff\xff\xff\x00")),
            interface(order, 1, offset),
            packet(order, 0, ip6(UDP6), *notes, option(order, 5, bytes(8))),
            block(order, 5, pack(order + "III", 0, 0, 0)),
            packet(order, 1, MACS + b"\x86\xdd" + ip6(UDP6)),
            block(order, 3, simple + bytes(-len(simple) % 4)),
            block(order, 2, obsolete),
        ]
    )


def pcap(order: str, magic: int, link: int, data: bytes, extra: int = 0) -> bytes:
    head = pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)
    record = pack(order + "IIII", 1, 2, len(data), len(data)) + bytes(extra) + data
    return head + record + record


CAPTURES = {
    "little.pcapng": pcapng("<"),
    "big.pcapng": pcapng(">"),
    "sections.pcapng": pcapng("<") + pcapng(">"),
    "cut.pcapng": pcapng("<")[:-7],
    "micro.pcap": pcap("<", 0xA1B2C3D4, 101, ip6(UDP6)),
    "nano.pcap": pcap(">", 0xA1B23C4D, 113, COOKED + b"\x86\xdd" + ip6(UDP6)),
    "modified.pcap": pcap("<", 0xA1B2CD34, 1, MACS + b"\x08\x00" + ip4(UDP4), 8),
    "cut.pcap": pcap("<", 0xA1B2C3D4, 101, ip6(UDP6))[:-3],
}


def write(target: str, seeds: dict[str, bytes]) -> None:
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    for name, octets in seeds.items():
        (directory / name).write_bytes(octets)


def main() -> None:
    write("coap", MESSAGES)
    write("frame", {name: frames(*seed) for name, seed in FRAMES.items()})
    write("capture", CAPTURES)


if __name__ == "__main__":
    main()
