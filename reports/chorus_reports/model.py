# SPDX-License-Identifier: BSD-2-Clause
"""results.json as typed objects. Members that are not known are ignored; wrong ones are named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

RUN_VERDICTS = ("none", "unsupported", "pass", "warn", "inconclusive", "fail", "error")
RULE_VERDICTS = (
    "not-exercised",
    "unsupported",
    "pass",
    "waived",
    "warn",
    "inconclusive",
    "fail",
    "error",
)
ITEM_KINDS = ("expectation", "required", "sweep", "harness")
SUT_ROLES = ("", "server", "client", "proxy", "pair")
# What a program under test can do beside the protocol; the last two leave nothing to be judged.
PROGRAM_VERDICTS = (
    "crash",
    "hang",
    "flood",
    "sanitizer",
    "leftover",
    "lie",
    "protocol",
    "no-start",
    "bad-exit",
)


class BadResults(Exception):
    """A results file that cannot be used; the text names the file and the place in it."""


@dataclass(frozen=True)
class RuleText:
    """What the catalogue says of a rule."""

    id: str
    document: str
    section: str
    title: str
    requirement: str
    role: str = ""  # "client, server"; empty where the results do not tell


@dataclass(frozen=True)
class Finding:
    frame: int
    time_ns: int
    expected: str
    actual: str
    message: str


@dataclass(frozen=True)
class RuleResult:
    """One rule on one node."""

    id: str
    node: str
    level: str
    verdict: str
    activations: int
    findings: tuple[Finding, ...]
    finding_total: int
    reason: str


@dataclass(frozen=True)
class Item:
    """Something checked beside the rules: a row of `expect`, a required rule, the closing sweep."""

    kind: str
    verdict: str
    text: str
    line: int
    frame: int
    expected: str
    actual: str


@dataclass(frozen=True)
class Impairment:
    name: str
    sender: str
    receiver: str
    line: int
    used: int


@dataclass(frozen=True)
class Delivery:
    """A message at one receiver: arrived at `time_ns`, or `lost` for the cause given."""

    node: str
    time_ns: int | None
    frame: int
    lost: str
    clause: str


@dataclass(frozen=True)
class Message:
    frame: int
    time_ns: int
    node: str
    text: str
    to: str
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class Node:
    name: str
    role: str
    addresses: tuple[str, ...]
    sut: str = ""  # the stack that runs it; empty: ours, or not told


@dataclass(frozen=True)
class Version:
    """A stack and its version."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Sut:
    """What a run tested: a stack in one role, or (role "pair") a client against a server."""

    name: str = ""
    version: str = ""
    role: str = ""
    client: Version | None = None
    server: Version | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Unsupported:
    """A line of the scenario that asks for what the stack's manifest declares missing."""

    line: int
    why: str


@dataclass(frozen=True)
class ProgramVerdict:
    """A program under test crashed, hung, ...; `datagram` (hexadecimal) came before."""

    node: str
    verdict: str
    text: str
    datagram: str
    time_ns: int | None
    stderr: str


@dataclass(frozen=True)
class Tolerance:
    """What real time may add to a bound."""

    name: str
    value_ns: int
    about: str


@dataclass(frozen=True)
class Stack:
    """A stack of an interop run, whether it could be started or not."""

    name: str
    version: str
    adapter: str
    roles: tuple[str, ...]
    manifest: str
    available: bool
    why: str


@dataclass(frozen=True)
class Interop:
    stacks: tuple[Stack, ...]
    statistical: frozenset[str]


@dataclass(frozen=True)
class Waiver:
    """A waiver and what is wrong with it, if anything is (expired, unused, passes unexpectedly)."""

    rule: str
    reason: str
    link: str
    expires: str
    problem: str


@dataclass(frozen=True)
class Run:
    scenario: str
    title: str
    seed: int | None
    sut: str
    verdict: str
    profile: str
    capture: str
    events: str
    counts: dict[str, Any]
    covers: tuple[str, ...]
    nodes: tuple[Node, ...]
    rules: tuple[RuleResult, ...]
    items: tuple[Item, ...]
    impairments: tuple[Impairment, ...]
    trace: tuple[Message, ...]
    trace_total: int
    reproduce: str
    tested: Sut = Sut()
    id: str = ""  # of the scenario, without parameters
    unsupported: tuple[Unsupported, ...] = ()
    programs: tuple[ProgramVerdict, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()

    def exercised(self) -> Iterable[RuleResult]:
        return (r for r in self.rules if r.verdict != "not-exercised")

    def failed(self) -> Iterable[RuleResult]:
        return (r for r in self.rules if r.verdict in ("fail", "error"))


@dataclass(frozen=True)
class Results:
    path: str
    chorus: str
    backend: str
    profile: str
    runs: tuple[Run, ...]
    rules: dict[str, RuleText] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    interrupted: bool = False
    interop: Interop | None = None

    def text(self, rule: str) -> RuleText:
        """The catalogue's words on |rule|, or what its id tells."""
        return self.rules.get(rule) or _text_from_id(rule)


# Prefix of a rule id -> document, for results without the catalogue's texts.
_DOCUMENTS = {
    "GC": "draft-dijk-core-groupcomm-bis-03",
    "COAP": "RFC 7252",
    "RFC7390": "RFC 7390",
    "OBS": "RFC 7641",
    "BLK": "RFC 7959",
    "NR": "RFC 7967",
    "LF": "RFC 6690",
    "GO": "draft-ietf-core-oscore-groupcomm-07",
    "OSC": "RFC 8613",
}


def _text_from_id(rule: str) -> RuleText:
    prefix, _, rest = rule.partition("-")
    section = rest.rpartition("-")[0]
    return RuleText(rule, _DOCUMENTS.get(prefix, prefix), section, rule, "")


class Reader:
    """Takes members out of JSON objects and says where a wrong one stands."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.idle: dict[tuple[str, str, str], RuleResult] = {}

    def fail(self, place: str, wanted: str, value: object) -> BadResults:
        shown = json.dumps(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return BadResults(f"{self.path}: {place}: expected {wanted}, found {shown}")

    def mapping(self, value: object, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(place, "an object", value)
        return value

    def list(self, owner: dict[str, Any], key: str, place: str, needed: bool = False) -> list[Any]:
        value = owner.get(key)
        if value is None and not needed:
            return []
        if not isinstance(value, list):
            raise self.fail(f"{place}.{key}", "a list", value)
        return value

    def text(self, owner: dict[str, Any], key: str, place: str, needed: bool = False) -> str:
        value = owner.get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str):
            raise self.fail(f"{place}.{key}", "a string", value)
        return value

    def number(self, owner: dict[str, Any], key: str, place: str, default: int = 0) -> int:
        value: object = owner.get(key, default)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(f"{place}.{key}", "an integer", value)
        return value

    def choice(self, owner: dict[str, Any], key: str, place: str, choices: tuple[str, ...]) -> str:
        value = owner.get(key)
        if value not in choices:
            raise self.fail(f"{place}.{key}", "one of " + ", ".join(choices), value)
        return str(value)

    def each(
        self, owner: dict[str, Any], key: str, place: str, read: Callable[[Any, str], T]
    ) -> tuple[T, ...]:
        values = self.list(owner, key, place)
        return tuple(read(v, f"{place}.{key}[{i}]") for i, v in enumerate(values))

    # ---- what results.json consists of ----

    def finding(self, value: object, place: str) -> Finding:
        o = self.mapping(value, place)
        return Finding(
            self.number(o, "frame", place),
            self.number(o, "time_ns", place),
            self.text(o, "expected", place),
            self.text(o, "actual", place),
            self.text(o, "message", place),
        )

    def idle_rule(self, o: dict[str, Any], place: str) -> RuleResult:
        """A rule that was not exercised: most of the entries, and many of them alike."""
        rule = self.text(o, "id", place, needed=True)
        node = self.text(o, "node", place, needed=True)
        level = self.text(o, "level", place)
        key = (rule, node, level)
        if key not in self.idle:
            self.idle[key] = RuleResult(rule, node, level, "not-exercised", 0, (), 0, "")
        return self.idle[key]

    def rule(self, value: object, place: str) -> RuleResult:
        o = self.mapping(value, place)
        if o.get("verdict") == "not-exercised" and o.get("findings") == []:
            return self.idle_rule(o, place)
        findings = self.each(o, "findings", place, self.finding)
        return RuleResult(
            self.text(o, "id", place, needed=True),
            self.text(o, "node", place, needed=True),
            self.text(o, "level", place),
            self.choice(o, "verdict", place, RULE_VERDICTS),
            self.number(o, "activations", place),
            findings,
            self.number(o, "finding_total", place, len(findings)),
            self.text(o, "reason", place),
        )

    def item(self, value: object, place: str) -> Item:
        o = self.mapping(value, place)
        return Item(
            self.choice(o, "kind", place, ITEM_KINDS),
            self.choice(o, "verdict", place, RUN_VERDICTS),
            self.text(o, "text", place),
            self.number(o, "line", place),
            self.number(o, "frame", place),
            self.text(o, "expected", place),
            self.text(o, "actual", place),
        )

    def impairment(self, value: object, place: str) -> Impairment:
        o = self.mapping(value, place)
        return Impairment(
            self.text(o, "name", place),
            self.text(o, "from", place),
            self.text(o, "to", place),
            self.number(o, "line", place),
            self.number(o, "used", place),
        )

    def delivery(self, value: object, place: str) -> Delivery:
        o = self.mapping(value, place)
        lost = self.text(o, "lost", place)
        clause = o.get("clause")
        return Delivery(
            self.text(o, "node", place, needed=True),
            self.number(o, "time_ns", place) if "time_ns" in o else None,
            self.number(o, "frame", place),
            lost,
            "" if clause in (None, 0) else str(clause),
        )

    def message(self, value: object, place: str) -> Message:
        o = self.mapping(value, place)
        return Message(
            self.number(o, "frame", place),
            self.number(o, "time_ns", place),
            self.text(o, "node", place, needed=True),
            self.text(o, "text", place),
            self.text(o, "to", place),
            self.each(o, "deliveries", place, self.delivery),
        )

    def node(self, value: object, place: str) -> Node:
        o = self.mapping(value, place)
        return Node(
            self.text(o, "name", place, needed=True),
            self.text(o, "role", place),
            tuple(map(str, self.list(o, "addresses", place))),
            self.text(o, "sut", place),
        )

    def unsupported(self, value: object, place: str) -> Unsupported:
        o = self.mapping(value, place)
        return Unsupported(self.number(o, "line", place), self.text(o, "why", place, needed=True))

    def program(self, value: object, place: str) -> ProgramVerdict:
        o = self.mapping(value, place)
        return ProgramVerdict(
            self.text(o, "node", place, needed=True),
            self.choice(o, "verdict", place, PROGRAM_VERDICTS),
            self.text(o, "text", place),
            self.text(o, "datagram", place),
            None if o.get("time_ns") is None else self.number(o, "time_ns", place),
            self.text(o, "stderr", place),
        )

    def tolerance(self, value: object, place: str) -> Tolerance:
        o = self.mapping(value, place)
        return Tolerance(
            self.text(o, "name", place, needed=True),
            self.number(o, "value_ns", place),
            self.text(o, "about", place),
        )

    def stack(self, value: object, place: str) -> Stack:
        o = self.mapping(value, place)
        return Stack(
            self.text(o, "name", place, needed=True),
            self.text(o, "version", place),
            self.text(o, "adapter", place),
            tuple(map(str, self.list(o, "roles", place))),
            self.text(o, "manifest", place),
            o.get("available") is not False,
            self.text(o, "why", place),
        )

    def interop(self, value: object) -> Interop | None:
        if value is None:
            return None
        o = self.mapping(value, "interop")
        statistical = self.list(o, "statistical", "interop")
        return Interop(
            self.each(o, "stacks", "interop", self.stack), frozenset(map(str, statistical))
        )

    def waiver(self, value: object, place: str) -> Waiver:
        o = self.mapping(value, place)
        keys = ("rule", "reason", "link", "expires", "problem")
        return Waiver(*(self.text(o, key, place) for key in keys))

    def version(self, owner: dict[str, Any], key: str, place: str) -> Version | None:
        if owner.get(key) is None:
            return None
        o = self.mapping(owner[key], f"{place}.{key}")
        name = self.text(o, "name", f"{place}.{key}", needed=True)
        return Version(name, self.text(o, "version", f"{place}.{key}"))

    def sut(self, owner: dict[str, Any], place: str) -> Sut:
        value = owner.get("sut")
        if value is None or isinstance(value, str):
            return Sut(value or "")
        o, place = self.mapping(value, place + ".sut"), place + ".sut"
        pair = o.get("role") == "pair"
        for key in ("client", "server") if pair else ():
            self.mapping(o.get(key), f"{place}.{key}")
        return Sut(
            self.text(o, "name", place, needed=True),
            self.text(o, "version", place),
            self.choice({"role": ""} | o, "role", place, SUT_ROLES),
            self.version(o, "client", place),
            self.version(o, "server", place),
        )

    def run(self, value: object, place: str, profile: str) -> Run:
        o = self.mapping(value, place)
        capture = self.text(o, "capture", place)
        trace = self.each(o, "trace", place, self.message)
        tested = self.sut(o, place)
        return Run(
            scenario=self.text(o, "scenario", place) or capture or place,
            title=self.text(o, "title", place),
            seed=None if o.get("seed") is None else self.number(o, "seed", place),
            sut=str(tested),
            verdict=self.choice(o, "verdict", place, RUN_VERDICTS),
            profile=self.text(o, "profile", place) or profile,
            capture=capture,
            events=self.text(o, "events", place),
            counts=self.mapping(o.get("counts", {}), place + ".counts"),
            covers=tuple(map(str, self.list(o, "covers", place))),
            nodes=self.each(o, "nodes", place, self.node),
            rules=self.each(o, "rules", place, self.rule),
            items=self.each(o, "expectations", place, self.item),
            impairments=self.each(o, "impairments", place, self.impairment),
            trace=trace,
            trace_total=self.number(o, "trace_total", place, len(trace)),
            reproduce=self.text(o, "reproduce", place),
            tested=tested,
            id=self.text(o, "id", place),
            unsupported=self.each(o, "unsupported", place, self.unsupported),
            programs=self.each(o, "sut_verdicts", place, self.program),
            tolerances=self.each(o, "tolerances", place, self.tolerance),
        )

    def rule_texts(self, value: object) -> dict[str, RuleText]:
        texts = {}
        for rule, entry in self.mapping(value or {}, "rules").items():
            place = f"rules.{rule}"
            o = self.mapping(entry, place)
            role = o.get("role") or ""
            texts[rule] = RuleText(
                rule,
                self.text(o, "document", place),
                self.text(o, "section", place),
                self.text(o, "title", place) or rule,
                self.text(o, "requirement", place),
                role if isinstance(role, str) else ", ".join(map(str, role)),
            )
        return texts

    def results(self, value: object) -> Results:
        # `check --json` prints the list of runs alone.
        o = self.mapping({"runs": value} if isinstance(value, list) else value, "top level")
        profile = self.text(o, "profile", "top level")
        runs = self.list(o, "runs", "top level", needed=True)
        summary = self.mapping(o.get("summary", {}), "summary")
        return Results(
            self.path,
            self.text(o, "chorus", "top level"),
            self.text(o, "backend", "top level"),
            profile,
            tuple(self.run(r, f"runs[{i}]", profile) for i, r in enumerate(runs)),
            self.rule_texts(o.get("rules")),
            self.each(summary, "waivers", "summary", self.waiver),
            summary.get("interrupted") is True,
            self.interop(o.get("interop")),
        )


def decoded(path: str, text: str) -> object:
    """The JSON value in |text|; |path| is used in messages only."""
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadResults(f"{path}: {where}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise BadResults(f"{path}: lists in lists, too deep to be read") from error
    return value


def parse(path: str, text: str) -> Results:
    """Reads the text of a results file; |path| is used in messages only."""
    return Reader(path).results(decoded(path, text))


def read(path: Path) -> tuple[str, str]:
    """Name and text of a results file, or of results.json in a directory."""
    file = path / "results.json" if path.is_dir() else path
    try:
        return str(file), file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadResults(f"{file}: cannot be read: {reason}") from error


def load(path: Path) -> Results:
    """Reads a results file, or results.json in a directory."""
    return parse(*read(path))


def worst_run(verdicts: Iterable[str]) -> str:
    """The lattice of runs: none < unsupported < pass < warn < inconclusive < fail < error."""
    return max(verdicts, key=RUN_VERDICTS.index, default="none")


def worst_rule(verdicts: Iterable[str]) -> str:
    return max(verdicts, key=RULE_VERDICTS.index, default="not-exercised")
