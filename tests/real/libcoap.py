# SPDX-License-Identifier: BSD-2-Clause
"""Debian's libcoap programs in a lab: two group members, two clients, and what they ask of them."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import Host, make_lab, wait_for

SERVER, CLIENT = "coap-server-notls", "coap-client-notls"
GROUPS = {4: "239.255.0.1", 6: "ff35::1"}


@dataclass(frozen=True)
class Captures:
    """The same traffic, seen by the bridge and by the client's own interface."""

    bridge: Path
    client: Path


def _literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _start_server(host: Host, ip: int, directory: Path) -> None:
    any_address = {4: "0.0.0.0", 6: "::"}[ip]
    log = directory / f"{host.name}.log"
    host.start(SERVER, "-A", any_address, "-g", GROUPS[ip], "-G", "eth0", "-d", "5", log=log)
    wait_for(f"{SERVER} on {host.name}", lambda: host.listens(5683, ip))
    wait_for(f"{host.name} to join {GROUPS[ip]}", lambda: host.joined(GROUPS[ip]))


def _ask(client: Host, *arguments: str) -> str:
    """One request by the client program, which ends when it has what it waits for."""
    done = subprocess.run(
        ("ip", "netns", "exec", client.namespace, CLIENT, "-v", "6", *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def group_of(ip: int) -> str:
    return f"coap://{_literal(GROUPS[ip])}"


def ask_what_is_usual(client: Host, servers: list[Host], ip: int) -> None:
    """Group and unicast, with and without No-Response, a resource that is not there."""
    group = group_of(ip)
    one = f"coap://{_literal(servers[0].ipv4 if ip == 4 else servers[0].ipv6)}"
    port = ("-p", "40001")
    _ask(client, *port, "-T", "a1", "-N", "-m", "get", f"{group}/")
    _ask(client, *port, "-T", "a2", "-N", "-m", "get", f"{group}/.well-known/core?rt=ticks")
    _ask(client, *port, "-T", "a3", "-N", "-m", "get", f"{group}/not-there")
    _ask(client, *port, "-T", "a4", "-N", "-m", "put", "-e", "on", f"{group}/example_data")
    _ask(client, *port, "-T", "a5", "-N", "-m", "get", "-O", "258,0x02", f"{group}/")
    _ask(client, *port, "-T", "b1", "-m", "get", f"{one}/")
    _ask(client, *port, "-T", "b2", "-N", "-m", "get", f"{one}/not-there")
    _ask(client, *port, "-T", "b3", "-m", "put", "-e", "off", f"{one}/example_data")


def ask_what_is_odd(client: Host, servers: list[Host], ip: int) -> None:
    """What stacks get wrong: filters that match nothing, critical options, CON to a group."""
    group = group_of(ip)
    one = f"coap://{_literal(servers[1].ipv4 if ip == 4 else servers[1].ipv6)}"
    port = ("-p", "40002")
    _ask(client, *port, "-T", "c1", "-N", "-m", "get", f"{group}/.well-known/core?rt=no-such")
    _ask(client, *port, "-T", "c2", "-N", "-m", "get", "-O", "65001,0x01", f"{group}/")
    _ask(client, *port, "-T", "c3", "-m", "get", f"{group}/")
    _ask(client, *port, "-T", "c4", "-N", "-m", "get", f"{group}/.well-known/core")
    _ask(client, *port, "-T", "c5", "-N", "-m", "get", "-O", "258,0x08", f"{group}/not-there")
    _ask(client, *port, "-T", "d1", "-m", "get", "-O", "65001,0x01", "-B", "2", f"{one}/")
    _ask(client, *port, "-T", "d2", "-N", "-m", "get", "-O", "65001,0x01", "-B", "2", f"{one}/")
    _ask(client, *port, "-T", "d3", "-N", "-m", "get", f"{one}/.well-known/core?rt=no-such")


def make_captures(ip: int, snooping: bool, directory: Path) -> Captures:
    """Builds the network, lets the stacks talk, and returns the two captures."""
    captures = Captures(directory / "bridge.pcap", directory / "client.pcap")
    with make_lab(snooping) as lab:
        usual, odd, *servers = (lab.add_host(name) for name in ("c1", "c2", "s1", "s2"))
        for server in servers:
            _start_server(server, ip, directory)
        with (
            lab.capture(lab.switch, "br0", captures.bridge),
            lab.capture(usual.namespace, "eth0", captures.client),
            ThreadPoolExecutor(2) as pool,
        ):
            both = [
                pool.submit(ask_what_is_usual, usual, servers, ip),
                pool.submit(ask_what_is_odd, odd, servers, ip),
            ]
            for one in both:
                one.result()
    return captures
