# SPDX-License-Identifier: BSD-2-Clause
"""What docs/plugins.md asks of every adapter, whichever stack is behind it.

The peers are aiocoap's server and client: both are there wherever anything of this can run.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Start
from .driver import HOME, Manifest, Program, manifests

GROUPS = {4: "239.1.2.3:5683", 6: "[ff35::1234]:5683"}
RESOURCES = {
    "/light": {"kind": "state", "methods": ["GET", "PUT"], "payload": b"off".hex(), "rt": "light"},
    "/counter": {"kind": "counter", "payload": b"0".hex()},
    "/broken": {"kind": "fixed", "code": "5.03"},
    "/watched": {"kind": "state", "payload": b"0".hex(), "observable": True},
    "/separate": {"kind": "state", "payload": b"later".hex(), "processing_ns": 700_000_000},
}
# Stacks whose request function gives the application one response, also to a group request.
FIRST_RESPONSE_ONLY = {"aiocoap"}
LEISURE_NS = 1_000_000_000  # for stacks that can be told; libcoap takes no less
GROUP_PATIENCE = "3s"  # twice the Leisure, and then some


@pytest.fixture
def peer() -> Manifest:
    return next(m for m in manifests() if m.name == "aiocoap")


def text(event: dict[str, Any]) -> str:
    return bytes.fromhex(event.get("payload", "")).decode()


def unicast(program: Program, ip: int, path: str) -> str:
    host = program.host.ipv4 if ip == 4 else f"[{program.host.ipv6}]"
    return f"coap://{host}{path}"


def serve(start: Start, server: Manifest, ip: int, host: str = "one", **members: Any) -> Program:
    if ip not in server.roles["server"].get("ip", [4, 6]):
        pytest.skip(f"{server.name} does not serve IPv{ip}")
    program = start(server, "server", host)
    usual = {"resources": RESOURCES, "groups": [GROUPS[ip]], "leisure_ns": LEISURE_NS}
    members = {**usual, **members}
    assert "ready" in program.start(ip, **members), program.seen
    return program


def ask(start: Start, client: Manifest, ip: int, host: str = "three") -> Program:
    if ip not in client.roles["client"].get("ip", [4, 6]):
        pytest.skip(f"{client.name} does not send over IPv{ip}")
    program = start(client, "client", host)
    assert "ready" in program.start(ip), program.seen
    return program


def can(manifest: Manifest, role: str, verb: str) -> None:
    if verb not in manifest.roles[role].get("verbs", {}):
        pytest.skip(f"{manifest.name} has no verb {verb}")


class TestServer:
    def test_says_its_version(
        self, start: Start, server: Manifest, versions: dict[str, str | None], ip: int
    ) -> None:
        program = serve(start, server, ip)
        ready = program.seen[-1]["ready"]
        assert ready["protocol"] == 1
        assert ready["version"] == versions[server.name]
        assert ready["stack"] == server.name

    def test_joins_what_it_is_told(self, start: Start, server: Manifest, ip: int) -> None:
        program = serve(start, server, ip)
        joins_itself = server.roles["server"]["join"] == "self"
        group = GROUPS[ip].rpartition(":")[0].strip("[]")
        assert program.host.joined(group) == joins_itself
        joined = [e["peer"] for e in program.events("join")]
        assert joined.count(GROUPS[ip]) == int(joins_itself)

    def test_joins_all_coap_nodes(self, start: Start, server: Manifest, ip: int) -> None:
        """Who offers discovery is there where discovery asks (RFC 7252, section 12.8)."""
        serves = server.roles["server"]
        if serves["join"] != "self" or "discovery" not in serves["features"]:
            pytest.skip(f"{server.name} offers no discovery by itself")
        everyone = "224.0.1.187" if ip == 4 else "ff02::fd"
        program = serve(start, server, ip)
        assert program.host.joined(everyone)
        assert any(everyone in e["peer"] for e in program.events("join"))

    def test_answers_unicast(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        program, client = serve(start, server, ip), ask(start, peer, ip)
        (answer,) = client.request("q", unicast(program, ip, "/light"))
        assert (answer["code"], text(answer)) == ("2.05", "off")
        assert program.event("execute", path="/light")["code"] == "GET"

    def test_answers_a_group(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        if server.roles["server"]["join"] != "self":
            pytest.skip(f"{server.name} needs a helper to join")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        answers = client.request("q", f"coap://{GROUPS[ip]}/light", timeout=GROUP_PATIENCE)
        assert [(a["code"], text(a)) for a in answers] == [("2.05", "off")]
        host = program.host.ipv4 if ip == 4 else f"[{program.host.ipv6}]"
        assert answers[0]["peer"] == f"{host}:5683"
        program.event("execute", path="/light", code="GET")

    def test_put_changes_the_state(
        self, start: Start, server: Manifest, peer: Manifest, ip: int
    ) -> None:
        program, client = serve(start, server, ip), ask(start, peer, ip)
        uri = unicast(program, ip, "/light")
        (answer,) = client.request("put", uri, method="PUT", payload="on")
        assert answer["code"] == "2.04"
        assert text(program.event("state", path="/light", detail="request")) == "on"
        program.event("execute", path="/light", code="PUT")
        (answer,) = client.request("get", uri)
        assert text(answer) == "on"

    def test_counter_counts(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        program, client = serve(start, server, ip), ask(start, peer, ip)
        uri = unicast(program, ip, "/counter")
        for n in (1, 2):
            (answer,) = client.request(f"post{n}", uri, method="POST")
            assert answer["code"] == "2.04"
            program.event("state", path="/counter", payload=str(n).encode().hex())
        (answer,) = client.request("get", uri)
        assert text(answer) == "2"
        assert len(program.events("execute", code="POST")) == 2

    def test_errors(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        program, client = serve(start, server, ip), ask(start, peer, ip)
        for method, path, code in (
            ("GET", "/nowhere", "4.04"), ("POST", "/light", "4.05"), ("GET", "/broken", "5.03"),
        ):  # fmt: skip
            (answer,) = client.request(path, unicast(program, ip, path), method=method)
            assert answer["code"] == code, path
        assert not program.events("execute", path="/nowhere")
        assert not program.events("execute", code="POST")

    def test_separate_response(
        self, start: Start, server: Manifest, peer: Manifest, ip: int
    ) -> None:
        if "separate" not in server.roles["server"]["features"]:
            pytest.skip(f"{server.name} cannot be told to respond later")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        (answer,) = client.request("q", unicast(program, ip, "/separate"))
        assert (answer["code"], text(answer), answer["type"]) == ("2.05", "later", "CON")
        program.event("execute", path="/separate")
        assert len(program.events("execute")) == 1

    def test_set(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        can(server, "server", "set")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        uri = unicast(program, ip, "/light")
        assert program.command("set", ("path", "/light"), ("payload", "dim"))["status"] == "ok"
        assert text(program.event("state", path="/light", detail="set")) == "dim"
        assert text(client.request("q1", uri)[0]) == "dim"
        program.command("set", ("path", "/light"), ("code", "5.03"))
        assert client.request("q2", uri)[0]["code"] == "5.03"
        program.command("set", ("path", "/light"), ("code", "auto"))
        assert client.request("q3", uri)[0]["code"] == "2.05"
        bad = program.command("set", ("path", "/nowhere"), ("payload", "x"))
        assert bad["status"] == "bad-argument"

    def test_restart(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        can(server, "server", "restart")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        uri = unicast(program, ip, "/light")
        client.request("put", uri, method="PUT", payload="on")
        assert program.command("restart")["status"] == "ok"
        program.event("restart")
        assert text(program.event("state", path="/light", detail="restart")) == "off"
        assert text(client.request("get", uri)[0]) == "off"

    def test_observe(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        if "observe" not in server.roles["server"]["features"]:
            pytest.skip(f"{server.name} cannot be told to be observed")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        uri = unicast(program, ip, "/watched")
        client.command("request", ("id", "w"), ("uri", uri), ("observe", "0"))
        client.event("deliver", request="w", payload=b"0".hex())
        program.command("set", ("path", "/watched"), ("payload", "1"))
        client.event("deliver", request="w", payload=b"1".hex())
        assert len(program.events("execute", path="/watched")) == 1
        client.command("forget", ("of", "w"))
        client.event("done", request="w", detail="cancelled")

    def test_standard_tree(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        program = start(server, "server", "one")
        assert "ready" in program.start(ip, groups=[]), program.seen
        client = ask(start, peer, ip)
        tree = json.loads((HOME / "adapters/tree.json").read_text())
        assert len(tree) == 7
        for path, what in tree.items():
            (answer,) = client.request(path, unicast(program, ip, path))
            assert answer["code"] == what.get("code", "2.05"), path
            if what["kind"] != "fixed":
                assert answer["payload"] == what["payload"], path

    def test_discovery(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        if "discovery" not in server.roles["server"]["features"]:
            pytest.skip(f"{server.name} has no discovery")
        program, client = serve(start, server, ip), ask(start, peer, ip)
        (answer,) = client.request("q", unicast(program, ip, "/.well-known/core"))
        assert answer["code"] == "2.05"
        assert "</light>" in text(answer) and "rt=" in text(answer)

    def test_suppression(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        if "suppress" not in server.roles["server"]["features"]:
            pytest.skip(f"{server.name} cannot be told to suppress")
        quiet = {"/quiet": {"kind": "fixed", "code": "4.03", "suppress": ["4xx"]},
                 "/loud": {"kind": "fixed", "code": "4.03", "suppress": ["2xx"]}}  # fmt: skip
        program, client = serve(start, server, ip, resources=quiet), ask(start, peer, ip)
        assert client.request("u", unicast(program, ip, "/quiet"))[0]["code"] == "4.03"
        patience, group = {"timeout": GROUP_PATIENCE}, f"coap://{GROUPS[ip]}"
        assert client.request("q", f"{group}/quiet", **patience) == []
        assert len(client.request("l", f"{group}/loud", **patience)) == 1
        assert len(program.events("execute", path="/quiet")) <= 2

    def test_another_port(self, start: Start, server: Manifest, peer: Manifest, ip: int) -> None:
        if "ports" not in server.roles["server"]["features"]:
            pytest.skip(f"{server.name} cannot serve another port")
        program, client = serve(start, server, ip, port=6000, groups=[]), ask(start, peer, ip)
        host = program.host.ipv4 if ip == 4 else f"[{program.host.ipv6}]"
        (answer,) = client.request("q", f"coap://{host}:6000/light")
        assert answer["peer"] == f"{host}:6000"


class TestClient:
    def test_unicast(self, start: Start, client: Manifest, peer: Manifest, ip: int) -> None:
        server, program = serve(start, peer, ip), ask(start, client, ip)
        (answer,) = program.request("q", unicast(server, ip, "/light?a=1"), method="GET")
        assert (answer["code"], text(answer)) == ("2.05", "off")
        host = server.host.ipv4 if ip == 4 else f"[{server.host.ipv6}]"
        assert answer["peer"] == f"{host}:5683"
        assert program.event("done", request="q")["detail"] == "answered"
        assert server.event("execute", path="/light?a=1")["type"] == "CON"

    def test_put(self, start: Start, client: Manifest, peer: Manifest, ip: int) -> None:
        server, program = serve(start, peer, ip), ask(start, client, ip)
        uri = unicast(server, ip, "/light")
        (answer,) = program.request("q", uri, method="PUT", payload="on")
        assert answer["code"] == "2.04"
        assert text(server.event("state", path="/light")) == "on"

    def test_a_large_representation(
        self, start: Start, client: Manifest, peer: Manifest, ip: int
    ) -> None:
        """The application gets all of it, in however many blocks it came (RFC 7959)."""
        large = {"/large": {"kind": "state", "payload": (b"0123456789" * 150).hex()}}
        server, program = serve(start, peer, ip, resources=large), ask(start, client, ip)
        (answer,) = program.request("q", unicast(server, ip, "/large"))
        assert answer["payload"] == large["/large"]["payload"]

    def test_observe(self, start: Start, client: Manifest, peer: Manifest, ip: int) -> None:
        if "observe" not in client.roles["client"]["verbs"]["request"]:
            pytest.skip(f"{client.name} cannot observe")
        server, program = serve(start, peer, ip), ask(start, client, ip)
        uri = ("uri", unicast(server, ip, "/watched"))
        program.command("request", ("id", "w"), uri, ("observe", "0"))
        program.event("deliver", request="w", payload=b"0".hex())
        for value in ("1", "2"):
            server.command("set", ("path", "/watched"), ("payload", value))
            program.event("deliver", request="w", payload=value.encode().hex())
        program.command("forget", ("of", "w"))
        program.event("done", request="w", detail="cancelled")

    def test_works_after_restart(
        self, start: Start, client: Manifest, peer: Manifest, ip: int
    ) -> None:
        can(client, "client", "restart")
        server, program = serve(start, peer, ip), ask(start, client, ip)
        assert program.command("restart", ("port", "40000"))["status"] == "ok"
        program.event("restart")
        assert len(program.request("q", unicast(server, ip, "/light"))) == 1
        assert server.event("execute", path="/light")["peer"].endswith(":40000")

    def test_link_local(self, start: Start, client: Manifest, peer: Manifest) -> None:
        server, program = serve(start, peer, 6, groups=["[ff02::1234]:5683"]), ask(start, client, 6)
        (answer,) = program.request("q", "coap://[ff02::1234]/light", timeout="1s")
        assert answer["peer"].startswith("[fe80::") and "%" in answer["peer"]
        assert server.event("execute", path="/light", group=True)

    def test_group(self, start: Start, client: Manifest, peer: Manifest, ip: int) -> None:
        """Two servers answer; a stack may give its application only one of them."""
        servers = [serve(start, peer, ip, "one"), serve(start, peer, ip, "two")]
        program = ask(start, client, ip)
        answers = program.request("q", f"coap://{GROUPS[ip]}/light", timeout="2s")
        for server in servers:
            assert server.event("execute", path="/light", group=True)["type"] == "NON"
        several = client.name not in FIRST_RESPONSE_ONLY
        assert len(answers) == (2 if several else 1)
        detail = program.event("done", request="q")["detail"]
        assert detail == ("timeout" if several else "answered")

    def test_silence(self, start: Start, client: Manifest, ip: int) -> None:
        program = ask(start, client, ip)
        assert program.request("q", f"coap://{GROUPS[ip]}/light", timeout="500ms") == []
        assert program.event("done", request="q")["detail"] == "timeout"

    def test_forget(self, start: Start, client: Manifest, ip: int) -> None:
        can(client, "client", "forget")
        program = ask(start, client, ip)
        uri = f"coap://{GROUPS[ip]}/light"
        assert program.command("request", ("id", "q"), ("uri", uri))["status"] == "ok"
        assert program.command("forget", ("of", "q"))["status"] == "ok"
        assert program.event("done", request="q")["detail"] == "cancelled"
        assert program.command("forget", ("of", "q"))["status"] == "bad-argument"

    def test_options_reach_the_server(
        self, start: Start, client: Manifest, peer: Manifest, ip: int
    ) -> None:
        if "no-response" not in client.roles["client"]["verbs"]["request"]:
            pytest.skip(f"{client.name} cannot send No-Response")
        server, program = serve(start, peer, ip), ask(start, client, ip)
        arguments = {"type": "NON", "no_response": "2", "timeout": "2s"}
        assert program.request("q", unicast(server, ip, "/light"), **arguments) == []
        server.event("execute", path="/light")

    def test_refuses_what_makes_no_sense(self, start: Start, client: Manifest, ip: int) -> None:
        program = ask(start, client, ip)
        uri = ("uri", f"coap://{GROUPS[ip]}/light")
        for arguments, status in (
            ([uri], "bad-argument"),
            ([("id", "q")], "bad-argument"),
            ([("id", "q"), ("uri", "coap://nobody.example/x")], "bad-argument"),
            ([("id", "q"), uri, ("method", "JUMP")], "bad-argument"),
            ([("id", "q"), uri, ("timeout", "soon")], "bad-argument"),
        ):
            reply = program.command("request", *arguments)
            assert (reply["status"], bool(reply.get("why"))) == (status, True), arguments
        assert program.events("request") == []


class TestProxy:
    def test_forwards(self, start: Start, proxy: Manifest, peer: Manifest, ip: int) -> None:
        """By Proxy-Scheme or by Proxy-Uri (RFC 7252, section 5.10.2): a stack may know one only.

        Uri-Path is there both times: node-coap does not look at the path in Proxy-Uri.
        """
        if ip not in proxy.roles["proxy"].get("ip", [4, 6]):
            pytest.skip(f"{proxy.name} does not forward over IPv{ip}")
        server, client = serve(start, peer, ip), ask(start, peer, ip)
        program = start(proxy, "proxy", "two")
        assert "ready" in program.start(ip), program.seen
        host = server.host.ipv4 if ip == 4 else f"[{server.host.ipv6}]"
        name = (server.host.ipv4 if ip == 4 else server.host.ipv6).encode().hex()
        split = (("option", f"3={name}"), ("option", "7=1633"), ("option", "39=636f6170"))
        whole = (("option", "35=" + f"coap://{host}:5683/light".encode().hex()),)
        for number, options in enumerate((split, whole)):
            uri = ("uri", unicast(program, ip, "/light"))
            reply = client.command("request", ("id", str(number)), uri, ("timeout", "3s"), *options)
            assert reply["status"] == "ok", reply
            client.event("done", request=str(number))
        answers = [text(a) for a in client.events("deliver", code="2.05")]
        assert answers.count("off") in (1, 2), client.seen
        proxy_host = program.host.ipv4 if ip == 4 else f"[{program.host.ipv6}]"
        assert server.event("execute", path="/light")["peer"].startswith(proxy_host)


class TestProtocol:
    """The same for every role."""

    @pytest.fixture(params=["server", "client", "proxy"])
    def role(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture(params=manifests(), ids=lambda m: m.name)
    def program(self, request: pytest.FixtureRequest, start: Start, role: str) -> Program:
        if role not in request.param.roles:
            pytest.skip(f"{request.param.name} has no role {role}")
        return start(request.param, role, "one")

    def test_stop(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        status, took = program.end()
        assert status == 0 and took < 2

    def test_end_of_file(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        status, took = program.end(by_stop=False)
        assert status == 0 and took < 2

    def test_end_before_start(self, program: Program) -> None:
        status, took = program.end(by_stop=False)
        assert status == 0 and took < 2

    def test_stop_with_work_going_on(self, program: Program, role: str) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        if role == "client":
            for n in range(3):
                uri = f"coap://{GROUPS[6]}/x"
                program.command("request", ("id", f"q{n}"), ("uri", uri))
        status, took = program.end()
        assert status == 0 and took < 2

    def test_honesty(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        assert program.command("levitate", ("of", "q"))["status"] == "unsupported"
        for verb in program.manifest.roles[program.role].get("verbs", {}):
            reply = program.command(verb, ("no-such-argument", "1"))
            assert (verb, reply["status"]) == (verb, "unsupported")

    def test_undeclared_verbs_are_not_there(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        declared = set(program.manifest.roles[program.role].get("verbs", {}))
        for verb in {"request", "repeat", "forget", "set", "join", "leave", "restart"} - declared:
            assert (verb, program.command(verb)["status"]) == (verb, "unsupported")

    def test_undeclared_arguments_are_not_there(self, program: Program, role: str) -> None:
        if role != "client":
            pytest.skip("only requests have arguments that stacks differ in")
        assert "ready" in program.start(6)
        declared = set(program.manifest.roles["client"]["verbs"]["request"])
        values = {"token": "0102", "hop-limit": "3", "observe": "0", "no-response": "2"}
        uri = f"coap://{GROUPS[6]}/light"
        for name in set(values) - declared:
            reply = program.command("request", ("id", "q"), ("uri", uri), (name, values[name]))
            assert (name, reply["status"]) == (name, "unsupported")

    @pytest.mark.parametrize(
        "line", ["{", "7", "[]", '{"command": 3, "id": 1}', '{"neither": "nor"}', "\xff", ""]
    )
    def test_malformed_lines(self, program: Program, line: str) -> None:
        program.write(line + "\n")
        assert "ready" in program.start(6, resources=RESOURCES)
        program.write(line + "\n")
        assert program.command("levitate")["status"] == "unsupported"
        if line:
            assert "adapter: " in program.log.read_text(errors="replace")

    def test_lines_that_are_too_long(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        program.write('{"x": "' + "y" * 300_000 + '"}\n')
        assert program.command("levitate")["status"] == "unsupported"

    def test_malformed_arguments(self, program: Program) -> None:
        assert "ready" in program.start(6, resources=RESOURCES)
        for verb in program.manifest.roles[program.role].get("verbs", {}):
            program.send({"command": {"verb": verb, "arguments": [["id"]]}, "id": 4711})
            reply = program.wait("a reply", lambda m: m.get("reply") == 4711)
            assert reply["status"] == "bad-argument"
            program.seen.remove(reply)

    def test_refuses_what_it_cannot_be(self, program: Program) -> None:
        assert "refused" in program.start(6, role="oracle")
        assert program.process.wait(5) == 0

    def test_refuses_another_protocol(self, program: Program) -> None:
        assert "refused" in program.start(6, protocol=99)
