# SPDX-License-Identifier: BSD-2-Clause
"""A CoAP server of one resource on the IPv6 wildcard address, which knows nothing of groups.

Linux gives a group that anybody joined to every socket on the wildcard address; `join: helper` in
the manifest makes Chorus that anybody. GET of /hello is 2.05, everything else 4.04 or 4.05.
"""

from __future__ import annotations

import socket
import sys

CON, NON, ACK, RST = range(4)
GET, CONTENT, NOT_FOUND, NOT_ALLOWED = 0x01, 0x45, 0x84, 0x85
URI_PATH = 11


def path_of(options: bytes) -> str:
    """The Uri-Path of a request; options are told by the difference of their numbers."""
    path, number, at = "", 0, 0
    while at < len(options) and options[at] != 0xFF:
        fields = [options[at] >> 4, options[at] & 15]
        at += 1
        for i, field in enumerate(fields):
            if field in (13, 14):
                size = field - 12
                extended = int.from_bytes(options[at : at + size], "big")
                fields[i] = extended + (13 if size == 1 else 269)
                at += size
        number += fields[0]
        if number == URI_PATH:
            path += "/" + options[at : at + fields[1]].decode(errors="replace")
        at += fields[1]
    return path or "/"


def answer(message: bytes, mid: int) -> bytes | None:
    """The reply to a message, None: silence."""
    if len(message) < 4 or message[0] >> 6 != 1 or message[0] & 15 > 8:
        return None
    kind, length, code = message[0] >> 4 & 3, message[0] & 15, message[1]
    if code == 0 or code >= 32 or kind in (ACK, RST):  # ping, or nothing to answer
        return bytes([0x70, 0, *message[2:4]]) if kind == CON else None
    token, options = message[4 : 4 + length], message[4 + length :]
    result, body = NOT_FOUND, b""
    if path_of(options) == "/hello":
        result, body = (CONTENT, b"\xffhello") if code == GET else (NOT_ALLOWED, b"")
    own = message[2:4] if kind == CON else mid.to_bytes(2, "big")
    return (
        bytes([0x40 | (ACK if kind == CON else NON) << 4 | length, result])
        + own
        + token
        + body
    )


def serve(port: int) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        udp.bind(("::", port))
        print(f"serving port {port}", flush=True)
        mid = 0
        while True:
            message, peer = udp.recvfrom(2048)
            mid = (mid + 1) % 65536
            reply = answer(message, mid)
            if reply is not None:
                udp.sendto(reply, peer)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
