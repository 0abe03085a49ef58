# SPDX-License-Identifier: BSD-2-Clause
"""A small real network: one namespace per host, joined by a bridge in a namespace of its own.

Everything has names of this process and goes away with the context manager, processes first, also
when a test fails; processes die with their parent (setpriv --pdeathsig) when it is killed.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_numbers = itertools.count(1)
PATIENCE = 20.0


class LabError(Exception):
    """The network could not be made, or a program in it did not do what it was started for."""


def run(*command: str) -> str:
    """Runs a command to its end and returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    """Waits until |condition| holds; a real kernel gives no other sign."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> int:
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait(5)


@dataclass
class Host:
    """A namespace with one interface, `eth0`."""

    name: str
    namespace: str
    mac: str
    ipv4: str
    ipv6: str
    lab: Lab

    def run(self, *command: str) -> str:
        return run("ip", "netns", "exec", self.namespace, *command)

    def start(self, *command: str, log: Path) -> subprocess.Popen[bytes]:
        """Starts a program here; the lab stops it at the latest when it goes away."""
        wrapped = ("ip", "netns", "exec", self.namespace, "setpriv", "--pdeathsig", "KILL")
        with log.open("wb") as output:
            process = subprocess.Popen(
                (*wrapped, *command), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self.lab.cleanup.callback(stop, process)
        return process

    def listens(self, port: int, ip: int) -> bool:
        return bool(self.run("ss", "-Hlun", f"-{ip}", f"sport = :{port}").strip())

    def joined(self, group: str) -> bool:
        shown = self.run("ip", "maddress", "show", "dev", "eth0")
        return group in shown.split()


@dataclass
class Lab:
    """Hosts on one bridge."""

    prefix: str
    switch: str
    cleanup: ExitStack
    hosts: dict[str, Host] = field(default_factory=dict)

    def add_host(self, name: str) -> Host:
        n = len(self.hosts) + 1
        host = Host(
            name,
            f"{self.prefix}-{name}",
            f"02:00:00:00:00:{n:02x}",
            f"192.0.2.{n}",
            f"2001:db8::{n:x}",
            self,
        )
        _add_namespace(host.namespace, self.cleanup)
        port = f"port{n}"
        run("ip", "-n", self.switch, "link", "add", port, "type", "veth",
            "peer", "name", "eth0", "netns", host.namespace)  # fmt: skip
        run("ip", "-n", self.switch, "link", "set", port, "master", "br0", "up")
        _quieten(host.namespace, "eth0")
        in_host = ("ip", "-n", host.namespace)
        run(*in_host, "link", "set", "eth0", "address", host.mac, "up")
        run(*in_host, "link", "set", "lo", "up")
        run(*in_host, "address", "add", f"{host.ipv4}/24", "dev", "eth0")
        run(*in_host, "address", "add", f"{host.ipv6}/64", "dev", "eth0", "nodad")
        run(*in_host, "route", "add", "224.0.0.0/4", "dev", "eth0")
        self.hosts[name] = host
        return host

    @contextmanager
    def capture(self, where: str, interface: str, file: Path) -> Iterator[None]:
        """A tcpdump in namespace |where| while the body runs; complete when it ends."""
        log = file.with_suffix(".tcpdump.log")
        switch = Host("switch", where, "", "", "", self)
        process = switch.start(
            "tcpdump", "-Z", "root", "-U", "--immediate-mode", "-n", "-i", interface, "-w",
            str(file), "udp port 5683 or icmp or icmp6", log=log,
        )  # fmt: skip
        wait_for("tcpdump", lambda: "listening on" in log.read_text())
        try:
            yield
        finally:
            stop(process, signal.SIGINT)


def _add_namespace(name: str, cleanup: ExitStack) -> None:
    run("ip", "netns", "add", name)
    cleanup.callback(subprocess.run, ("ip", "netns", "delete", name), check=False)


def _quieten(namespace: str, *interfaces: str) -> None:
    """No router solicitations and no duplicate address detection: nothing but what is tested."""
    for setting in ("router_solicitations=0", "accept_ra=0", "dad_transmits=0", "accept_dad=0"):
        for scope in ("all", "default", *interfaces):
            run("ip", "netns", "exec", namespace, "sysctl", "-q", "-w",
                f"net.ipv6.conf.{scope}.{setting}")  # fmt: skip


@contextmanager
def make_lab(snooping: bool) -> Iterator[Lab]:
    """A bridge that floods multicast, or forwards it to members only (RFC 4541)."""
    with ExitStack() as cleanup:
        prefix = f"chorus{os.getpid()}-{next(_numbers)}"
        switch = f"{prefix}-sw"
        _add_namespace(switch, cleanup)
        _quieten(switch)
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "stp_state", "0",
            "forward_delay", "0", "mcast_snooping", str(int(snooping)),
            "mcast_querier", str(int(snooping)))  # fmt: skip
        run("ip", "-n", switch, "link", "set", "br0", "up")
        yield Lab(prefix, switch, cleanup)
