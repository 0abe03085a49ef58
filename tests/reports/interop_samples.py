# SPDX-License-Identifier: BSD-2-Clause
"""Interop results made from real ones: runs of the tool, told of other stacks, faults planted."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from chorus_pytest import Chorus

Value = dict[str, Any]
VERDICTS = ("none", "unsupported", "pass", "warn", "inconclusive", "fail", "error")
VERSIONS = {
    "libcoap": "4.3.1", "aiocoap": "0.4.17", "californium": "4.0.0-M4", "go-coap": "3.4.1",
    "node-coap": "1.4.2", "coap-rs": "0.24.0",
}  # fmt: skip


def real(tool: Chorus, *selectors: str) -> Value:
    """What the tool says of the reference, on as many scenarios as |selectors| name."""
    result = tool.run(*selectors, seed=7)
    return dict(json.loads(result.check_exit_code(0).stdout))


def stack(name: str, **more: Any) -> Value:
    return {
        "name": name, "version": VERSIONS[name], "adapter": f"adapters/{name}",
        "roles": ["server", "client"], "manifest": f"adapters/{name}/manifest.yaml",
        "available": True,
    } | more  # fmt: skip


def conformance(run: Value, name: str, role: str) -> Value:
    """|run| as if |name| had been under test in |role|."""
    one = copy.deepcopy(run)
    one["sut"] = {"name": name, "version": VERSIONS[name], "role": role}
    for node in one["nodes"]:
        if node["role"] == role:
            node["sut"] = name
    one["tolerances"] = [
        {"name": "scheduling", "value_ns": 20_000_000, "about": "added to every upper bound"}
    ]
    one["reproduce"] = f"chorus interop {name} --only {one['scenario']}"
    return one


def pair(run: Value, client: str, server: str) -> Value:
    one = copy.deepcopy(run)
    both = {"client": client, "server": server}
    one["sut"] = {
        "name": f"{client} > {server}", "version": f"{VERSIONS[client]} > {VERSIONS[server]}",
        "role": "pair", **{r: {"name": n, "version": VERSIONS[n]} for r, n in both.items()},
    }  # fmt: skip
    for node in one["nodes"]:
        if node["role"] in both:
            node["sut"] = both[node["role"]]
    return one


def interop(
    base: Value, runs: Iterable[Value], stacks: Iterable[Value], *statistical: str
) -> Value:
    return {
        "chorus": base["chorus"], "profile": base["profile"], "backend": "kernel",
        "interop": {"stacks": list(stacks), "statistical": list(statistical)},
        "rules": base["rules"], "runs": list(runs), "summary": {"waivers": []},
    }  # fmt: skip


# ---- planting ----


def finding(run: Value, text: str = "planted") -> Value:
    message = run["trace"][0] if run["trace"] else {"frame": 0, "time_ns": 0}
    return {
        "frame": message["frame"], "time_ns": message["time_ns"],
        "expected": "NON 2.05 token=01", "actual": "RST mid=0x9185", "message": text,
    }  # fmt: skip


def plant(run: Value, rule: str, node: str, verdict: str, text: str = "planted") -> Value:
    """Gives |rule| at |node| another verdict; the run's own follows. Says so if it cannot."""
    entries = [r for r in run["rules"] if (r["id"], r["node"]) == (rule, node)]
    assert entries, f"{rule} is not judged on {node} in {run['scenario']}"
    idle = verdict in ("not-exercised", "unsupported")
    findings = [finding(run, text)] if verdict in ("fail", "warn", "error") else []
    entries[0] |= {
        "verdict": verdict, "activations": 0 if idle else 3, "findings": findings,
    }  # fmt: skip
    run["verdict"] = max(run["verdict"], verdict if not idle else "none", key=VERDICTS.index)
    return run


def unsupported(run: Value, why: str) -> Value:
    """|run| as it looks when the manifest forbids it: nothing was sent."""
    run |= {
        "verdict": "unsupported", "unsupported": [{"line": 12, "why": why}], "rules": [],
        "trace": [], "trace_total": 0, "expectations": [], "capture": None, "events": None,
    }  # fmt: skip
    return run


def program(run: Value, node: str, verdict: str) -> Value:
    run["sut_verdicts"] = [
        {
            "node": node, "verdict": verdict, "text": f"{verdict}: the program ended by signal 11",
            "datagram": "5801a1b2", "time_ns": 1_500_000_000,
            "stderr": "Segmentation fault\n  at <handler>",
        }
    ]  # fmt: skip
    run["verdict"] = "error"
    return run


# ---- one sample with everything ----

TOKEN = "token-freed-after-first-response"
TWICE = "duplicate-executed"
SELECTORS = (TOKEN, TWICE)
STATISTICAL = "COAP-4.3-02"


def runs_of(results: Value, scenario: str) -> list[Value]:
    found = [run for run in results["runs"] if run["id"] == scenario]
    assert found, scenario
    return found


def clean(base: Value) -> Value:
    """libcoap and aiocoap as servers and clients, and against each other: everything passes."""
    names = ("libcoap", "aiocoap")
    runs = [conformance(run, name, "server") for name in names for run in base["runs"]]
    runs += [conformance(run, n, "client") for n in names for run in runs_of(base, TOKEN)]
    runs += [pair(run, a, b) for a in names for b in names for run in runs_of(base, TOKEN)]
    absent = stack("go-coap", available=False, why="go is not installed")
    return interop(base, runs, [*map(stack, names), absent], STATISTICAL)


def find(results: Value, sut: str, role: str, scenario: str) -> Value:
    """The run of a stack (or "client > server") whose name begins with |scenario|."""
    for run in results["runs"]:
        tested = run["sut"]
        if (tested["name"], tested["role"]) == (sut, role) and run["scenario"].startswith(scenario):
            return dict_of(run)
    raise AssertionError(f"there is no run of {sut} {role} {scenario}")


def dict_of(run: Any) -> Value:
    assert isinstance(run, dict)
    return run


def faulty(base: Value) -> Value:
    """The same with one of everything that a report on stacks can show."""
    results = clean(base)
    plant(
        find(results, "libcoap", "server", f"{TOKEN}[ip=4"), "COAP-3-03", "s1", "fail", "evil <b>"
    )
    plant(find(results, "libcoap", "server", f"{TOKEN}[ip=4"), STATISTICAL, "s1", "warn", "p=0.003")
    plant(find(results, "aiocoap", "client", f"{TOKEN}[ip=4"), "COAP-8.1-01", "c1", "fail")
    program(find(results, "aiocoap", "client", f"{TOKEN}[ip=6"), "c1", "crash")
    for run in results["runs"]:
        if run["sut"]["name"] == "aiocoap" and run["id"] == TWICE:
            unsupported(run, "no deduplication")
    plant(find(results, "libcoap > aiocoap", "pair", TOKEN), "COAP-3-03", "s2", "fail")
    unsupported(find(results, "aiocoap > aiocoap", "pair", TOKEN), "no IPv4")
    return results


def with_fault_of_ours(base: Value) -> Value:
    """The reference, as server of a client under test, breaks a rule."""
    results = clean(base)
    plant(find(results, "libcoap", "client", TOKEN), "COAP-3-03", "s1", "fail", "our own fault")
    return results
