# SPDX-License-Identifier: BSD-2-Clause
"""CoAP messages as octets (RFC 7252, section 3), and their options."""

from __future__ import annotations

from dataclasses import dataclass, field

CON, NON, ACK, RST = range(4)
TYPES = ("CON", "NON", "ACK", "RST")
METHODS = ("EMPTY", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH")
GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH = range(1, 8)

IF_MATCH, URI_HOST, ETAG, IF_NONE_MATCH, URI_PORT = 1, 3, 4, 5, 7
URI_PATH, CONTENT_FORMAT, URI_QUERY, ACCEPT, BLOCK2 = 11, 12, 15, 17, 23
PROXY_URI, PROXY_SCHEME, NO_RESPONSE = 35, 39, 258

# What the server understands in a request: shortest and longest value, and whether it may repeat.
KNOWN = {
    IF_MATCH: (0, 8, True),
    URI_HOST: (1, 255, False),
    ETAG: (1, 8, True),
    IF_NONE_MATCH: (0, 0, False),
    URI_PORT: (0, 2, False),
    URI_PATH: (0, 255, True),
    CONTENT_FORMAT: (0, 2, False),
    URI_QUERY: (0, 255, True),
    ACCEPT: (0, 2, False),
    BLOCK2: (0, 3, False),
    PROXY_URI: (1, 1034, False),
    PROXY_SCHEME: (1, 255, False),
    NO_RESPONSE: (0, 1, False),
}


def code(text: str) -> int:
    """ "2.05" or "GET" as an octet."""
    if text in METHODS:
        return METHODS.index(text)
    major, _, minor = text.partition(".")
    return int(major) << 5 | int(minor)


def code_text(value: int) -> str:
    return METHODS[value] if value < len(METHODS) else f"{value >> 5}.{value & 31:02d}"


class Malformed(Exception):
    """A message format error; the header could be read."""


@dataclass
class Message:
    type: int
    code: int
    mid: int
    token: bytes = b""
    options: list[tuple[int, bytes]] = field(default_factory=list)
    payload: bytes = b""
    malformed: bool = False

    def encode(self) -> bytes:
        head = bytes([0x40 | self.type << 4 | len(self.token), self.code])
        out = head + self.mid.to_bytes(2, "big") + self.token
        last = 0
        for number, value in sorted(self.options, key=lambda option: option[0]):
            out += option_head(number - last, len(value)) + value
            last = number
        return out + (b"\xff" + self.payload if self.payload else b"")


def uint(value: int) -> bytes:
    """The value of a uint option, without leading zeros (section 3.2)."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def option_head(delta: int, length: int) -> bytes:
    nibbles, extra = 0, b""
    for number in (delta, length):
        if number < 13:
            nibble = number
        elif number < 269:
            nibble, extra = 13, extra + bytes([number - 13])
        else:
            nibble, extra = 14, extra + (number - 269).to_bytes(2, "big")
        nibbles = nibbles << 4 | nibble
    return bytes([nibbles]) + extra


def extended(nibble: int, data: bytes, at: int) -> tuple[int, int]:
    """A delta or length, and where the next field is."""
    if nibble < 13:
        return nibble, at
    size = nibble - 12
    if nibble == 15 or at + size > len(data):
        raise Malformed
    return int.from_bytes(data[at : at + size], "big") + (13 if size == 1 else 269), at + size


def read_options(message: Message, data: bytes, at: int) -> None:
    number = 0
    while at < len(data):
        if data[at] == 0xFF:
            message.payload = data[at + 1 :]
            if not message.payload:
                raise Malformed
            return
        head = data[at]
        delta, at = extended(head >> 4, data, at + 1)
        length, at = extended(head & 15, data, at)
        number += delta
        if at + length > len(data) or number > 65535:
            raise Malformed
        message.options.append((number, data[at : at + length]))
        at += length


def decode(data: bytes) -> Message | None:
    """None: no CoAP of version 1, to be ignored. A malformed message says so of itself."""
    if len(data) < 4 or data[0] >> 6 != 1:
        return None
    message = Message(data[0] >> 4 & 3, data[1], int.from_bytes(data[2:4], "big"))
    length = data[0] & 15
    try:
        if length > 8 or len(data) < 4 + length or (message.code == 0 and len(data) > 4):
            raise Malformed
        message.token = data[4 : 4 + length]
        read_options(message, data, 4 + length)
    except Malformed:
        message.malformed = True
    return message
