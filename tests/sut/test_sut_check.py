# SPDX-License-Identifier: BSD-2-Clause
"""`chorus sut check`: the examples prove their manifests, and each bad stack is found out."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chorus_pytest import Chorus

HOME = Path(__file__).resolve().parents[2]
EXAMPLES = HOME / "examples"

MANIFEST = """\
name: bad
version: "1"
rung: b
roles:
  server:
    start: ["{python}", -E, "{{manifest}}/bad.py"]
    environment: {{PYTHONPATH: "{path}", PYTHONDONTWRITEBYTECODE: "1"}}
    verbs: {{set: [path, payload], restart: []}}
    features: [leisure]
    ip: [6]
    groups: 1
    {more}
"""

PROGRAM = """\
import os, subprocess, sys, time
sys.path.insert(0, {path!r})
from chorus_plugin import Unsupported, run, say
from server import Server

class Bad(Server):
{body}

run(Bad)
{after}
"""


@dataclass
class Outcome:
    code: int
    report: dict[str, Any]

    def failed(self) -> list[str]:
        return [c["check"] for c in self.report["checks"] if c["result"] == "failed"]

    def line(self, check: str) -> dict[str, Any]:
        return next(c for c in self.report["checks"] if c["check"] == check)


def check(tool: Chorus, manifest: Path, *options: str) -> Outcome:
    result = tool.call("sut", "check", str(manifest), "--json", *options)
    assert result.stdout, result.stderr
    return Outcome(result.exit_code, json.loads(result.stdout))


def bad(folder: Path, body: str, after: str = "", more: str = "") -> Path:
    """A stack that is the example, but for |body|, and for |after| its last call."""
    path = str(EXAMPLES / "stdio-server")
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    (folder / "bad.py").write_text(PROGRAM.format(path=path, body=indented, after=after))
    manifest = folder / "manifest.yaml"
    manifest.write_text(MANIFEST.format(python=sys.executable, path=path, more=more))
    return manifest


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C examples, compiled in the way that their comments tell."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLES, folder / "examples")
    shutil.copytree(HOME / "include", folder / "include")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "jansson"], check=True, capture_output=True, text=True
    ).stdout
    for where, options in (
        ("stdio-server", "-o hello hello.c"),
        ("linked", "-shared -fPIC -I../../include -o hello.so hello.c"),
    ):
        subprocess.run(
            ["cc", *shlex.split(options), *shlex.split(flags)],
            check=True,
            cwd=folder / "examples" / where,
        )
    return folder / "examples"


# ---- what is right ----


def test_python_example_proves_its_manifest(tool: Chorus) -> None:
    outcome = check(tool, EXAMPLES / "stdio-server/manifest.yaml")
    assert outcome.code == 0
    assert outcome.failed() == []
    assert outcome.report["verdict"] == "proved"


@pytest.mark.parametrize("manifest", ["stdio-server/hello.yaml", "linked/manifest.yaml"])
def test_c_examples_prove_their_manifests(tool: Chorus, compiled: Path, manifest: str) -> None:
    outcome = check(tool, compiled / manifest)
    assert outcome.failed() == []
    assert outcome.code == 0


def test_every_declared_feature_has_a_control(tool: Chorus) -> None:
    manifest = yaml.safe_load((EXAMPLES / "stdio-server/manifest.yaml").read_text())
    names = " ".join(
        c["check"] for c in check(tool, EXAMPLES / "stdio-server/manifest.yaml").report["checks"]
    )
    for feature in manifest["roles"]["server"]["features"]:
        assert f"feature {feature}" in names
    for verb in manifest["roles"]["server"]["verbs"]:
        assert f"verb {verb}" in names


def test_same_seed_same_report(tool: Chorus) -> None:
    manifest = str(EXAMPLES / "stdio-server/manifest.yaml")
    first = tool.call("sut", "check", manifest, "--seed", "7").stdout
    assert tool.call("sut", "check", manifest, "--seed", "7").stdout == first


# ---- what is wrong ----


def test_unsupported_for_what_is_declared_is_a_lie(tool: Chorus, tmp_path: Path) -> None:
    body = "def set(self, given):\n    raise Unsupported('set')"
    outcome = check(tool, bad(tmp_path, body))
    assert "lie" in outcome.failed()
    assert "verb set: payload" in outcome.failed()
    assert outcome.code == 1


def test_ok_to_anything_is_a_lie(tool: Chorus, tmp_path: Path) -> None:
    outcome = check(tool, bad(tmp_path, "def on_command(self, verb, arguments):\n    pass"))
    assert outcome.failed()[:2] == ["honesty: a verb", "honesty: an argument"]
    assert outcome.code == 1


def test_feature_that_is_not_there(tool: Chorus, tmp_path: Path) -> None:
    body = "def __init__(self, start):\n    super().__init__(start)\n    self.leisure = 1"
    outcome = check(tool, bad(tmp_path, body))
    assert outcome.failed() == ["feature leisure"]
    assert outcome.code == 1


def test_crash_tells_the_datagram_before(tool: Chorus, tmp_path: Path) -> None:
    body = (
        "def on_datagram(self, source, destination, payload):\n"
        "    sys.stderr.write('about to fall\\n')\n    sys.stderr.flush()\n    os.abort()"
    )
    outcome = check(tool, bad(tmp_path, body))
    line = outcome.line("crash")
    assert "signal 6" in line["text"]
    assert line["stderr"].endswith("about to fall\n")
    assert line["last_datagram"].endswith("b5" + b"state".hex())
    assert outcome.code == 3


def test_exception_is_a_crash_with_its_traceback(tool: Chorus, tmp_path: Path) -> None:
    outcome = check(tool, bad(tmp_path, "def on_wake(self):\n    raise RuntimeError('why not')"))
    assert "why not" in outcome.line("crash")["stderr"]
    assert outcome.code == 3


def test_hang_is_found_by_the_watchdog(tool: Chorus, tmp_path: Path) -> None:
    body = "def on_datagram(self, *arguments):\n    time.sleep(60)"
    outcome = check(tool, bad(tmp_path, body), "--watchdog", "300ms")
    assert "silent for 300 ms" in outcome.line("hang")["text"]
    assert outcome.code == 3


def test_no_end_after_stop_is_a_hang(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(tmp_path, "pass", after="time.sleep(60)", more="stop: {within: 300ms}")
    outcome = check(tool, manifest)
    assert "does not end within 300 ms" in outcome.line("hang")["text"]
    assert outcome.code == 3


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("def on_datagram(self, *a):\n    print('hello')", "not a JSON object"),
        ("def on_datagram(self, *a):\n    say({'what': 1})", "no message of the protocol"),
        ("def on_datagram(self, *a):\n    say({'send': {'destination': 'x:y'}})", "destination"),
        (
            "def on_datagram(self, *a):\n    say({'event': {'event': 'party'}})",
            "no event of this name",
        ),
        (
            "def on_datagram(self, *a):\n    say({'reply': 1, 'status': 'ok'})",
            "nothing that was asked",
        ),
        ("def on_datagram(self, *a):\n    print('x' * 300000)", "256 KiB"),
        (
            "def on_datagram(self, *a):\n    for i in range(100001): self.join(('ff35::1', 5683))",
            "does not stop talking",
        ),
    ],
)
def test_babble_is_a_protocol_error(tool: Chorus, tmp_path: Path, body: str, why: str) -> None:
    outcome = check(tool, bad(tmp_path, body))
    assert why in outcome.line("protocol")["text"]
    assert outcome.code == 3


def test_flood_is_counted(tool: Chorus, tmp_path: Path) -> None:
    body = (
        "def on_datagram(self, source, destination, payload):\n"
        "    for i in range(1001): self.send(source, b'x')"
    )
    outcome = check(tool, bad(tmp_path, body))
    assert "more than 1000 datagrams" in outcome.line("flood")["text"]
    assert outcome.code == 3


def ends(status: Path, seconds: float) -> bool:
    """Whether the process is gone by then: a busy machine takes its time over a kill."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if "State:\tZ" in status.read_text():
                return True
        except OSError:
            return True
    return False


def test_w7_child_left_behind_is_found_and_ended(tool: Chorus, tmp_path: Path) -> None:
    body = (
        "def on_start(self):\n    super().on_start()\n"
        "    child = subprocess.Popen(['sleep', '600'], start_new_session=True,\n"
        "        stdin=-3, stdout=-3, stderr=-3)\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))"
    )
    outcome = check(tool, bad(tmp_path, body))
    assert "left 1 process behind" in outcome.line("leftover")["text"]
    assert outcome.code == 3
    status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/status")
    assert ends(status, 20)


def test_w7_report_of_a_sanitizer_is_a_trouble(tool: Chorus, tmp_path: Path) -> None:
    body = (
        "def on_stop(self):\n"
        "    sys.stderr.write('==7==ERROR: AddressSanitizer: heap-use-after-free\\n')"
    )
    outcome = check(tool, bad(tmp_path, body))
    assert "heap-use-after-free" in outcome.line("sanitizer")["text"]
    assert outcome.code == 3


def test_w7_exit_status_counts(tool: Chorus, tmp_path: Path) -> None:
    outcome = check(tool, bad(tmp_path, "pass", after="sys.exit(3)"))
    assert "ended with status 3 after stop" in outcome.line("bad-exit")["text"]
    assert outcome.code == 3


def test_program_that_is_not_there(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(tmp_path, "pass")
    manifest.write_text(manifest.read_text().replace(sys.executable, "/no/such/python"))
    outcome = check(tool, manifest)
    assert "No such file" in outcome.line("no-start")["text"]
    assert outcome.code == 3


def test_version_command_that_fails(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(tmp_path, "pass")
    manifest.write_text(manifest.read_text().replace('version: "1"', "version: [false]"))
    assert "version" in check(tool, manifest).failed()


# ---- scenarios ----


def test_server_scenarios_pass_and_repeat(tool: Chorus, tmp_path: Path) -> None:
    """Criterion: the example passes the server scenarios, octet by octet the same each time."""
    manifest = str(EXAMPLES / "stdio-server/manifest.yaml")
    for name in ("one", "two"):
        result = tool.call(
            "run", "server", "--sut", manifest, "--out", str(tmp_path / name), "--jobs", "2"
        )
        assert result.exit_code == 0, result.stdout + result.stderr
    files = sorted(p.name for p in (tmp_path / "one").iterdir() if p.is_file())
    assert sum(name.endswith(".pcapng") for name in files) > 50
    assert files == sorted(p.name for p in (tmp_path / "two").iterdir() if p.is_file())
    for name in files:
        if name.endswith((".pcapng", ".jsonl")):
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    results = json.loads((tmp_path / "one" / "results.json").read_text())
    assert {run["verdict"] for run in results["runs"]} <= {"pass", "warn"}


def test_other_than_the_reference_is_no_failure(tool: Chorus, tmp_path: Path) -> None:
    """A silent server does nothing that is expected, breaks no MUST, and leaves rules open."""
    manifest = bad(tmp_path, "def on_datagram(self, source, destination, payload):\n    pass")
    text = (EXAMPLES / "stdio-server/manifest.yaml").read_text()
    manifest.write_text(text.replace("{manifest}/server.py", str(tmp_path / "bad.py")))
    out = tmp_path / "out"
    result = tool.call("run", "answers-at-once", "--sut", str(manifest), "--out", str(out))
    assert result.exit_code == 0, result.stdout + result.stderr
    runs = json.loads((out / "results.json").read_text())["runs"]
    assert {run["verdict"] for run in runs} <= {"warn", "inconclusive"}
    items = [item for run in runs for item in run["expectations"]]
    assert {item["verdict"] for item in items} == {"pass", "inconclusive"}
    softened = {item["kind"] for item in items if item["verdict"] == "inconclusive"}
    assert softened == {"expectation", "required"}


def test_silence_about_groups_is_no_deviation(tool: Chorus, tmp_path: Path) -> None:
    """It joins and leaves as it is told, and never says so: what it is a member of is not known."""
    body = "def event(self, name, **members):\n    pass"
    manifest = bad(tmp_path, body)
    text = (EXAMPLES / "stdio-server/manifest.yaml").read_text()
    manifest.write_text(text.replace("{manifest}/server.py", str(tmp_path / "bad.py")))
    out = tmp_path / "out"
    tool.call("run", "members-on-different-ports", "--sut", str(manifest), "--out", str(out))
    runs = json.loads((out / "results.json").read_text())["runs"]
    assert not [e for run in runs for e in events_of(out / run["events"]) if e == "join"]
    verdicts = {(r["id"], r["verdict"]) for run in runs for r in run["rules"]}
    assert ("GC-2.1-01", "pass") in verdicts
    assert not {id for id, verdict in verdicts if verdict in ("fail", "warn")}


def events_of(path: Path) -> list[str]:
    """What the servers said."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line["event"] for line in lines if not line["node"].startswith("c")]


def test_rules_find_a_wrong_server(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(tmp_path, "def is_duplicate(self, request):\n    return False")
    text = (EXAMPLES / "stdio-server/manifest.yaml").read_text()
    manifest.write_text(text.replace("{manifest}/server.py", str(tmp_path / "bad.py")))
    out = tmp_path / "out"
    result = tool.call("run", "duplicate-executed", "--sut", str(manifest), "--out", str(out))
    assert result.exit_code == 0, result.stdout
    runs = json.loads((out / "results.json").read_text())["runs"]
    assert {run["verdict"] for run in runs} == {"warn"}
    strict = tool.call("run", "duplicate-executed", "--sut", str(manifest), "--strict")
    assert strict.exit_code == 1, strict.stdout
    broken = {rule["id"] for run in runs for rule in run["rules"] if rule["verdict"] == "warn"}
    assert {"GC-2.3.1-13", "COAP-4.5-02"} <= broken


def test_w7_crash_in_a_run_is_an_error(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(
        tmp_path, "def on_datagram(self, *a):\n    os.abort()", more="statement: {dedup: true}"
    )
    out = tmp_path / "out"
    result = tool.call(
        "run", "token-mangled[ip=6,token=01]", "--sut", str(manifest), "--out", str(out)
    )
    assert result.exit_code == 3, result.stdout
    (run,) = json.loads((out / "results.json").read_text())["runs"]
    assert run["verdict"] == "error"
    assert "signal 6" in json.dumps(run["sut_verdicts"])


def test_w5_scenario_beyond_the_manifest_is_unsupported(tool: Chorus, tmp_path: Path) -> None:
    manifest = bad(tmp_path, "pass")
    out = tmp_path / "out"
    tool.call("run", "members-on-different-ports[ip=6]", "--sut", str(manifest), "--out", str(out))
    (run,) = json.loads((out / "results.json").read_text())["runs"]
    assert run["verdict"] == "unsupported"
    assert "verb leave" in json.dumps(run)


def unsupported_runs(tool: Chorus, manifest: str, out: Path) -> tuple[set[str], set[str]]:
    """Of the topic `message`: the runs that are unsupported, and the verdicts of the others."""
    tool.call("run", "message", "--sut", manifest, "--out", str(out), "--no-report")
    runs = json.loads((out / "results.json").read_text())["runs"]
    missing = {run["scenario"] for run in runs if run["verdict"] == "unsupported"}
    return missing, {run["verdict"] for run in runs if run["scenario"] not in missing}


def test_w5_a_server_that_fails_everywhere_is_not_called_unsupported(
    tool: Chorus, tmp_path: Path
) -> None:
    """What is unsupported follows from the manifest alone, whatever the program does."""
    manifest = bad(tmp_path, "def on_datagram(self, *a):\n    pass")
    missing, others = unsupported_runs(tool, str(manifest), tmp_path / "silent")
    bad(tmp_path, "pass")
    expected, right = unsupported_runs(tool, str(manifest), tmp_path / "right")
    assert missing == expected
    assert "error" not in right
    assert others <= {"fail", "error", "inconclusive"}


def test_w6_words_do_not_make_a_program_unsupported(tool: Chorus, tmp_path: Path) -> None:
    """A program that says "unsupported", says 127 and ends with 1 did not work: an error."""
    words = "sys.stderr.write('unsupported: exited with code 127\\n')"
    manifest = bad(tmp_path, f"def on_start(self):\n    {words}\n    os._exit(1)")
    out = tmp_path / "out"
    result = tool.call("run", "token-mangled[ip=6,token=01]", "--sut", str(manifest),
                       "--out", str(out))  # fmt: skip
    assert result.exit_code == 3, result.stdout
    (run,) = json.loads((out / "results.json").read_text())["runs"]
    assert run["verdict"] == "error"


# ---- manifests ----


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("*/*.yaml"), *HOME.glob("adapters/*/manifest.yaml")]), ids=str
)
def test_manifests_fit_the_schema(path: Path) -> None:
    schema = json.loads((HOME / "scenarios/schema/manifest.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_mistake_is_shown_with_its_place(tool: Chorus, tmp_path: Path) -> None:
    manifest = tmp_path / "wrong.yaml"
    manifest.write_text(
        'name: x\nversion: "1"\nrung: b\nroles:\n  server:\n    start: [a]\n'
        "    features: [supress]\n"
    )
    result = tool.call("sut", "check", str(manifest))
    assert result.exit_code == 2
    assert f"{manifest}:7:16" in result.stderr
    assert 'did you mean "suppress"?' in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "check MANIFEST"),
        (["chekc", "x"], "only check"),
        (["check"], "needs a manifest"),
        (["check", "a.yaml", "b.yaml"], "too much"),
        (["check", "/no/such.yaml"], "cannot be read"),
        (["check", "x.yaml", "--role", "servr"], "did you mean server"),
        (
            ["check", str(EXAMPLES / "stdio-server/manifest.yaml"), "--role", "client"],
            "no role client",
        ),
    ],
)
def test_usage(tool: Chorus, arguments: list[str], said: str) -> None:
    result = tool.call("sut", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
