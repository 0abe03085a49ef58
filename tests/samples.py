# SPDX-License-Identifier: BSD-2-Clause
"""Hand-made results: one run per verdict, and one with everything that a report can show."""

from __future__ import annotations

from typing import Any

S = 1_000_000_000
GROUP = "[ff35::1]:5683"

RULES: dict[str, Any] = {
    "GC-2.3.1-02": {
        "document": "draft-dijk-core-groupcomm-bis-03",
        "section": "2.3.1",
        "title": "Group requests are Non-confirmable",
        "requirement": "A client sends every request to a multicast address as Non-confirmable.",
    },
    "GC-2.3.1-20": {
        "document": "draft-dijk-core-groupcomm-bis-03",
        "section": "2.3.1",
        "title": "Response goes to the request's source port",
        "requirement": "A server answers to the address and port that the request came from.",
    },
    "GC-2.3.10-01": {
        "document": "draft-dijk-core-groupcomm-bis-03",
        "section": "2.3.10",
        "title": "A made-up section that sorts after 2.3.2",
        "requirement": "",
    },
    "COAP-8.2-01": {
        "document": "RFC 7252",
        "section": "8.2",
        "title": "Response delayed by a random part of Leisure",
        "requirement": "An answer to a group request waits a random time within Leisure.",
    },
    "NR-02": {"document": "RFC 7967", "section": "2", "title": "Bit map of classes"},
}


def rule(
    id: str, node: str, verdict: str, findings: list[dict[str, Any]] | None = None, **more: Any
) -> dict[str, Any]:
    idle = verdict in ("not-exercised", "unsupported")
    return {
        "id": id,
        "node": node,
        "level": "SHOULD" if id.startswith("COAP") else "MUST",
        "verdict": verdict,
        "activations": 0 if idle else 3,
        "findings": findings or [],
    } | more


def finding(frame: int = 12, at: int = 3 * S) -> dict[str, Any]:
    return {
        "frame": frame,
        "time_ns": at,
        "expected": "NON GET coap://[ff35::1]/light",
        "actual": "CON GET coap://[ff35::1]/light",
        "message": "a Confirmable request went to a group",
    }


def run(scenario: str, verdict: str, rules: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "seed": 7,
        "sut": {"name": "reference", "version": "0.1.0"},
        "verdict": verdict,
        "capture": f"{scenario}.pcapng",
        "events": f"{scenario}.jsonl",
        "counts": {"packets": 12},
        "rules": rules,
        "expectations": [],
        "impairments": [],
        "trace": [],
        "trace_total": 0,
        "reproduce": f"./chorus run {scenario} --seed 7",
    } | more


def results(*runs: dict[str, Any], profile: str = "dijk-03") -> dict[str, Any]:
    return {
        "chorus": "0.1.0",
        "profile": profile,
        "backend": "sim",
        "rules": RULES,
        "runs": list(runs),
        "summary": {},
    }


def one_per_verdict() -> dict[str, Any]:
    """Every verdict that a rule can have, each in a run of its own; the required one among them."""
    other = rule("GC-2.3.1-20", "s1", "pass")
    bad = "GC-2.3.1-02"
    required = {
        "kind": "required",
        "verdict": "error",
        "text": "rule GC-2.3.1-02 is exercised",
        "line": 6,
        "expected": "GC-2.3.1-02 exercised",
        "actual": "never activated",
    }
    return results(
        run("passes", "pass", [rule(bad, "c1", "pass"), rule("NR-02", "s1", "not-exercised")]),
        run("warns", "warn", [rule("COAP-8.2-01", "s1", "warn", [finding()]), other]),
        run("fails", "fail", [rule(bad, "c1", "fail", [finding()]), other]),
        run("is-inconclusive", "inconclusive", [rule(bad, "c1", "inconclusive"), other]),
        run(
            "required-not-exercised",
            "error",
            [rule(bad, "c1", "not-exercised"), other],
            covers=[bad],
            expectations=[required],
        ),
        run("unsupported", "pass", [rule(bad, "c1", "unsupported"), other]),
        run("waived", "pass", [rule(bad, "c1", "waived", reason="tracked upstream"), other]),
        run("crashes", "error", [other]),
    )


def message(frame: int, at: int, node: str, text: str, to: str, *deliveries: Any) -> dict[str, Any]:
    return {
        "frame": frame,
        "time_ns": at,
        "node": node,
        "text": text,
        "to": to,
        "deliveries": [
            {"node": n, "time_ns": at + t} if isinstance(t, int) else {"node": n} | t
            for n, t in deliveries
        ],
    }


def full_run(scenario: str = "light-group") -> dict[str, Any]:
    """A group request that one of four servers misses, answers, a repeat, a finding."""
    ms = S // 1000
    c1 = "[2001:db8::1]:40001"
    get = "NON GET /light T=9f3c Mid=4711"
    trace = [
        message(
            1, 0, "c1", get, GROUP,
            ("s1", 5 * ms), ("s2", 5 * ms),
            ("s3", {"lost": "loss", "clause": 14, "time_ns": 0}), ("s4", 6 * ms),
        ),
        message(6, 1_200 * ms, "s2", "NON 2.05 T=9f3c Mid=1 on", c1, ("c1", 5 * ms)),
        message(8, 2_900 * ms, "s4", "NON 2.05 T=9f3c Mid=77 off", c1, ("c1", 5 * ms)),
        message(
            10, 3_300 * ms, "s1", "NON 2.05 T=9f3c Mid=31000 on", c1,
            ("c1", {"lost": "drop list", "clause": 15, "time_ns": 3_300 * ms}),
        ),
        message(
            12, 30_000 * ms, "c1", "CON GET /light T=9f3c Mid=4712", GROUP,
            ("s1", 5 * ms), ("s2", 5 * ms), ("s3", 9 * ms), ("s4", 6 * ms),
        ),
        message(17, 32_000 * ms, "s3", "NON 2.05 T=9f3c Mid=5 on", c1, ("c1", 5 * ms)),
        message(19, 32_000 * ms, "s1", "NON 4.04 T=9f3c Mid=31001", c1, ("c1", 7 * ms)),
        message(21, 32_100 * ms, "c1", "RST Mid=31001", "[2001:db8::11]:5683", ("s1", 5 * ms)),
    ]  # fmt: skip
    return run(
        scenario,
        "fail",
        [
            rule("GC-2.3.1-02", "c1", "fail", [finding(12, 30 * S)], finding_total=4),
            rule("GC-2.3.1-20", "s1", "pass"),
            rule("GC-2.3.1-20", "s2", "pass"),
            rule("GC-2.3.10-01", "s2", "pass"),
            rule("COAP-8.2-01", "s1", "warn", [finding(10, 3 * S)]),
            rule("NR-02", "s1", "not-exercised"),
        ],
        nodes=[
            {"name": name, "role": "client" if name == "c1" else "server", "addresses": []}
            for name in ("c1", "s1", "s2", "s3", "s4")
        ],
        title="A light group answers, and one member misses the question",
        expectations=[
            {"kind": "expectation", "verdict": "pass", "text": "{request: q1, from: s1, each: 1}"},
            {
                "kind": "sweep",
                "verdict": "fail",
                "text": "no unexpected packet",
                "line": 0,
                "frame": 21,
                "expected": "nothing",
                "actual": "RST Mid=31001",
            },
        ],
        impairments=[{"from": "c1", "to": "s3", "line": 14, "used": 1}],
        trace=trace,
        trace_total=len(trace),
    )
