# SPDX-License-Identifier: BSD-2-Clause
"""`chorus emulate`: programs of others on the emulated network."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from machine import needs

from .lab import Lab, ended, left_of, links, processes_in, wait_for_spaces

NETWORK = """\
network:
  groups: {$light: "[ff35::1]:5683"}
nodes:
  client: {}
  s: {count: 2, groups: [$light]}
"""

LOSSY = NETWORK.replace("nodes:", "  impairments:\n    - {from: client, to: s1, drop: [1]}\nnodes:")

# Answers each datagram with its own name; says what it got.
SERVER = """\
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 5683))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(99)
    print("got", data.decode(), flush=True)
    s.sendto(sys.argv[1].encode(), peer)
"""

# Sends to an address until so many have answered, at most ten times a quarter of a second.
CLIENT = """\
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(0.25)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 8)
names = set()
for _ in range(40):
    s.sendto(b"hello", (sys.argv[1], 5683))
    try:
        while len(names) < int(sys.argv[2]):
            names.add(s.recvfrom(99)[0].decode())
        break
    except TimeoutError:
        pass
print(*sorted(names))
"""


def write_network(lab: Lab, text: str = NETWORK) -> str:
    lab.write("server.py", SERVER)
    lab.write("client.py", CLIENT)
    return lab.write("net.yaml", text)


SERVE = ["/usr/bin/env", "python3", "server.py", "{name}"]


def test_one_command_is_run_as_it_is(lab: Lab) -> None:
    """Octets through, nothing added, standard input given, and its exit code."""
    net = write_network(lab)
    done = lab.call("emulate", net, "--", "sh", "-c", "cat; echo no >&2; exit 7", stdin="a\n\tb")
    assert (done.stdout, done.stderr, done.returncode) == ("a\n\tb", "no\n", 7)


def test_a_signal_is_told_as_shells_do(lab: Lab) -> None:
    done = lab.call("emulate", write_network(lab), "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + 9


def test_placeholders(lab: Lab) -> None:
    words = ["{client}", "{s2}", "{light}", "{iface}", "{name}", "{address}"]
    done = lab.call("emulate", write_network(lab), "--", "@s1", "echo", *words)
    expected = ["2001:db8::1", "2001:db8::3", "ff35::1", "lan0", "s1", "2001:db8::2"]
    assert done.stdout.split() == expected


def test_what_is_no_placeholder_stays(lab: Lab) -> None:
    words = ["{{x}", '{"a":1}', "{}", "{1}", "@@s"]
    done = lab.call("emulate", write_network(lab), "--", "echo", *words)
    assert done.stdout.split() == ["{x}", '{"a":1}', "{}", "{1}", "@s"]


def test_several_commands_and_their_names(lab: Lab) -> None:
    """All members of a family answer a group that the file makes them members of."""
    net = write_network(lab)
    done = lab.call(
        "emulate", net, "--", "@s", *SERVE, "--", "@client", *SERVE[:2], "client.py", "{light}", "2"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "client: s1 s2" in lines
    assert {"s1: ready", "s2: ready", "s1: got hello", "s2: got hello"} <= set(lines)


def test_a_word_with_at_begins_a_block_as_well(lab: Lab) -> None:
    net = write_network(lab)
    done = lab.call("emulate", net, "--", "@s1", "echo", "one", "@client", "echo", "two")
    assert sorted(done.stdout.splitlines()) == ["client: two", "s1: one"]


def test_a_command_that_fails_in_the_background_is_told(lab: Lab) -> None:
    net = write_network(lab)
    done = lab.call("emulate", net, "--", "@s1", "false", "--", "@client", "echo", "on")
    assert (done.returncode, done.stdout) == (0, "client: on\n")
    assert "s1: false ended with exit code 1" in done.stderr


def test_the_capture_tells_what_the_switch_did(lab: Lab) -> None:
    net = write_network(lab, LOSSY)
    capture = lab.folder / "net.pcapng"
    done = lab.call(
        "emulate", net, "--out", str(capture),
        "--", "@s1", *SERVE, "--", "@client", *SERVE[:2], "client.py", "{s1}", "1",
    )  # fmt: skip
    assert "client: s1" in done.stdout.splitlines()
    assert f"frames in {capture}" in done.stderr
    octets = capture.read_bytes()
    assert b"dropped towards s1: line 4: drop list" in octets
    assert octets.count(b"hello") == 3  # lost; sent again; arrived


def test_ipv4_and_whole_scenarios(lab: Lab) -> None:
    scenario = str(lab.folder / "scenarios/client/token-freed-after-first-response.yaml")
    done = lab.call("emulate", scenario, "--set", "ip=4", "--", "@c1", "ip", "-br", "addr")
    assert done.returncode == 0, done.stderr
    assert "192.0.2.1/32" in done.stdout
    assert "steps of nodes" in done.stderr


def test_commands_see_nothing_outside(lab: Lab) -> None:
    """Neither services on the host's loopback, nor abstract sockets, nor the host's addresses."""
    service = socket.create_server(("127.0.0.1", 0))
    name = f"\0chorus-test-{os.getpid()}"
    local = socket.socket(socket.AF_UNIX)
    local.bind(name)
    local.listen()
    tries = (
        "import socket, sys\n"
        "def tell(family, address):\n"
        "    s = socket.socket(family)\n"
        "    s.settimeout(1)\n"
        "    try:\n"
        "        s.connect(address)\n"
        "        print('reached', address)\n"
        "    except OSError as error:\n"
        "        print('closed')\n"
        f"tell(socket.AF_INET, ('127.0.0.1', {service.getsockname()[1]}))\n"
        f"tell(socket.AF_UNIX, {name!r})\n"
        f"tell(socket.AF_INET, ({host_address()!r}, {service.getsockname()[1]}))\n"
    )
    lab.write("tries.py", tries)
    with service, local:
        there = subprocess.run(
            [sys.executable, lab.folder / "tries.py"], capture_output=True, encoding="utf-8"
        )
        done = lab.call("emulate", write_network(lab), "--", *SERVE[:2], "tries.py")
    assert there.stdout.count("reached") >= 2
    assert done.stdout == "closed\n" * 3, done.stderr


def host_address() -> str:
    """An address of the host beside its loopback, if it has one."""
    done = subprocess.run(["hostname", "-I"], capture_output=True, encoding="utf-8", check=False)
    addresses = [a for a in done.stdout.split() if ":" not in a]
    return addresses[0] if addresses else "127.0.0.1"


SLEEPERS = ["--", "@s", "sleep", "1000", "--", "@client", "sh", "-c", "echo up; sleep 1000"]


def read_until(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stdout
    while (line := process.stdout.readline()) and wanted not in line:
        continue
    assert line


def test_a_kill_leaves_no_process_of_the_commands(lab: Lab) -> None:
    before = links()
    with lab.started("emulate", write_network(lab), "--settle", "0", *SLEEPERS) as process:
        read_until(process, "client: up")
        spaces = wait_for_spaces(process, 3)
        holders = processes_in(spaces)
        programs = holders - {process.pid}
        assert len(programs) >= 6  # three commands, and the first process of each
        process.send_signal(signal.SIGKILL)
        assert all(ended(pid, 5) for pid in programs)
        process.wait()
    assert left_of(holders, spaces) == set()
    assert links() - before == set()


def test_an_interrupt_ends_all_of_it(lab: Lab) -> None:
    capture = lab.folder / "cut.pcapng"
    arguments = ["--settle", "0", "--out", str(capture), *SLEEPERS]
    with lab.started("emulate", write_network(lab), *arguments) as process:
        read_until(process, "client: up")
        spaces = wait_for_spaces(process, 3)
        holders = processes_in(spaces)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130
    assert left_of(holders, spaces) == set()
    assert capture.read_bytes()[:4] == b"\n\r\r\n"


def test_background_commands_that_ignore_the_request_to_end_are_killed(lab: Lab) -> None:
    stubborn = "trap '' TERM; while :; do sleep 1; done"
    done = lab.call(
        "emulate", write_network(lab), "--settle", "0",
        "--", "@s1", "sh", "-c", stubborn, "--", "@client", "true",
    )  # fmt: skip
    assert done.returncode == 0


@needs("nsenter")
def test_keep_says_how_to_enter(lab: Lab) -> None:
    with lab.started("emulate", write_network(lab), "--keep") as process:
        assert process.stdout
        listed = [process.stdout.readline() for _ in range(4)]
        assert "Ctrl-C" in listed[0]
        enter = shlex.split(listed[2][listed[2].index("nsenter") :])
        inside = subprocess.run(
            [*lab.prefix, *enter, "ip", "-br", "addr"], capture_output=True, encoding="utf-8"
        )
        assert "2001:db8::2/128" in inside.stdout, inside.stderr
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


@needs("coap-server-notls", "coap-client-notls")
def test_libcoap_as_it_is(lab: Lab) -> None:
    done = lab.call(
        "emulate", write_network(lab),
        "--", "@s1", "coap-server-notls", "-A", "{s1}",
        "--", "@client", "coap-client-notls", "-m", "get", "coap://[{s1}]/",
    )  # fmt: skip
    assert done.returncode == 0
    assert "client: This is a test server made with libcoap" in done.stdout


@pytest.mark.skipif(
    not list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), reason="no libfaketime"
)
def test_programs_follow_dilated_time(lab: Lab) -> None:
    """Three seconds of the program's clock are less than one of ours."""
    start = time.monotonic()
    script = "import time; a = time.time(); time.sleep(3); print(round(time.time() - a))"
    arguments = ["--dilate", "20", "--", *SERVE[:2], "-c", script]
    done = lab.call("emulate", write_network(lab), *arguments)
    assert time.monotonic() - start < 2.5
    assert int(done.stdout) >= 3


BAD = [
    ([], "which TOPOLOGY"),
    (["net.yaml"], "nothing to run"),
    (["none.yaml", "--", "true"], "none.yaml: cannot be read"),
    (["net.yaml", "ls"], "stands behind --"),
    (["net.yaml", "--", "@s1"], "no command for s1"),
    (["net.yaml", "--", "@s9", "true"], 'no node is called "s9"; did you mean s1?'),
    (["net.yaml", "--", "echo", "{s9}"], "nothing is called {s9}; did you mean {s1}?"),
    (["net.yaml", "--", "echo", "{s1.2}"], "nothing is called {s1.2}"),
    (["net.yaml", "--sede", "1", "--", "true"], "did you mean --seed"),
    (["net.yaml", "--attach", "wire", "--", "true"], "auto, tap or packet"),
    (["net.yaml", "--settle", "soon", "--", "true"], '"soon"'),
    (["net.yaml", "--dilate", "0", "--", "true"], "--dilate"),
    (["net.yaml", "--set", "nodes.x.count=2", "--", "true"], "no such place"),
    (["role.yaml", "--", "true"], "role.yaml:2:18"),
    (["key.yaml", "--", "true"], 'did you mean "latency"?'),
    (["empty.yaml", "--", "true"], "needs nodes"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD, ids=[" ".join(a) or "none" for a, _ in BAD])
def test_bad_input_is_named(lab: Lab, arguments: list[str], told: str) -> None:
    write_network(lab)
    lab.write("role.yaml", "nodes:\n  client: {role: clent}\n")
    lab.write("key.yaml", "network: {latencey: 1ms}\nnodes: {client: {}}\n")
    lab.write("empty.yaml", "network: {ip: 4}\n")
    done = lab.call("emulate", *arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr


def test_a_program_that_is_not_there_is_an_error_of_the_harness(lab: Lab) -> None:
    done = lab.call("emulate", write_network(lab), "--", "no-such-program")
    assert done.returncode == 3
    assert "no-such-program" in done.stderr
