# SPDX-License-Identifier: BSD-2-Clause
"""The schemas for editors and the loader say the same of scenarios and of topologies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chorus_pytest import Chorus

HOME = Path(__file__).resolve().parents[2]
FOLDER = HOME / "scenarios/schema"
SCENARIOS = sorted(HOME.glob("scenarios/*/*.yaml"))
NOBODY = ["--", "@nobody-is-called-so", "true"]  # an error that comes after the file was read

SCENARIO = """\
id: tiny
title: One server answers
nodes:
  c1: {role: client}
  s1: {role: server, groups: ["[ff35::1]"], resources: {/light: {payload: "on"}}}
steps:
  - {at: 0s, node: c1, request: {id: q1, uri: "coap://[ff35::1]/light"}}
expect:
  - {request: q1, from: s1, each: 1}
"""
TOPOLOGY = """\
network:
  ip: 6
  latency: 5ms
  links: {left: {realm: 1}}
  groups: {$light: "[ff35::1]:5683"}
  impairments:
    - {from: s2, to: client, loss: 30%}
nodes:
  client: {}
  s: {count: 3, groups: [$light], link: left}
"""

GOOD_TOPOLOGIES = [
    "nodes: {alone: {}}\n",
    "nodes: {a: {role: host, link-local: true, no-icmp: true, multicast-loopback: false}}\n",
    'nodes: {a: {addresses: ["2001:db8::7"]}, b: {count: $n}}\nparameters: {n: 4}\n',
    "network: {ip: 4, mtu: 576, flood: true}\nnodes: {a: {count: 2}}\nsweep: {ip: [4, 6]}\n",
    "nodes: {a: {}, b: {}}\n"
    "steps: [{at: 1s, network: {name: cut, loss: 100%}}, {at: 2s, repair: cut}]\n",
    "nodes: {a: {}, c: {role: client}, s: {role: server, leisure: 2s}, t: {role: tester}}\n",
    TOPOLOGY,
    SCENARIO,
]

WRONG_TOPOLOGIES = [
    ("", "{}\n"),
    ("", "network: {ip: 6}\n"),
    ("", "nodes: {}\n"),
    ("", "nodes: [client]\n"),
    ("", "- nodes\n"),
    ("client: {}", "client:"),
    ("client: {}", "client: here"),
    ("client: {}", "client: {role: clent}"),
    ("client: {}", "client: {role: [host]}"),
    ("client: {}", "client: {leisure: 5s}"),
    ("client: {}", "client: {resources: {/light: {}}}"),
    ("client: {}", "client: {port: 5683}"),
    ("client: {}", "client: {processing: 1s}"),
    ("client: {}", "client: {role: client, groups: [$light]}"),
    ("client: {}", "client: {role: server, token-length: 2}"),
    ("client: {}", "client: {link-local: perhaps}"),
    ("client: {}", 'client: {addresses: "2001:db8::7"}'),
    ("client: {}", "1client: {}"),
    ("client: {}", "cli.ent: {}"),
    ("count: 3", "count: 0"),
    ("count: 3", "count: 100001"),
    ("count: 3", "count: three"),
    ("count: 3", "cuont: 3"),
    ("groups: [$light]", "groups: $light"),
    ("$light: ", "light: "),
    ("network:\n", "netwrok:\n"),
    ("ip: 6", "ip: 5"),
    ("latency: 5ms", "latency: 5"),
    ("latency: 5ms", "latency: 5 parsecs"),
    ("latency: 5ms", "latencey: 5ms"),
    ("ip: 6", "mtu: 67"),
    ("ip: 6", "reassembly-limit: 0"),
    ("realm: 1", "relm: 1"),
    ("loss: 30%", "loss: 30"),
    ("loss: 30%", "lost: 30%"),
    ("loss: 30%", "delay: soon"),
    ("loss: 30%", "delay: 1ms, distribution: gauss"),
    ("loss: 30%", "gemodel: {r: 10%}"),
    ("loss: 30%", "drop: 3"),
    ("loss: 30%", "rate: 250"),
    ("loss: 30%", "loss: 30%, during: 3s"),
    ("nodes:\n", "steps: {}\nnodes:\n"),
    ("nodes:\n", "steps: [{network: {loss: 100%}}]\nnodes:\n"),
    ("nodes:\n", "steps: [{at: 1, repair: cut}]\nnodes:\n"),
    ("nodes:\n", "end: 5\nnodes:\n"),
    ("nodes:\n", "seed: -1\nnodes:\n"),
    ("nodes:\n", "programs: {}\nnodes:\n"),
]  # fmt: skip

WRONG_SCENARIOS = [
    ("id: tiny\n", ""),
    ("title: One server answers\n", ""),
    ("id: tiny", "id: Tiny one"),
    ("role: client", "rolle: client"),
    ("role: client", "role: host"),
    ("c1: {role: client}", "c1: {}"),
    ("c1: {role", "1c: {role"),
    ("at: 0s", "at: 5"),
    ("at: 0s, ", ""),
    ("coap://[ff35::1]", "http://[ff35::1]"),
    ("coap://[ff35::1]", "[ff35::1]"),
    ("id: q1, uri", "id: q1, no-response: 256, uri"),
    ("id: q1, uri", "id: q1, method: LOOK, uri"),
    ("steps:\n", "steps:\n  - {at: 1s, node: s1, set: {path: light, payload: a}}\n"),
    ("steps:\n", "steps:\n  - {at: 1s, node: s1, set: {payload: a}}\n"),
    ("steps:\n", "steps:\n  - {at: 1s, node: c1, repeat: {of: q1, mid: other}}\n"),
    ("each: 1", "eech: 1"),
    ("expect:\n", "expect:\n  - {executes: {path: light}}\n"),
    ("expect:\n", "expect:\n  - {never: {from: s1, type: RESET}}\n"),
    ("expect:\n", "expect:\n  - {event: dome}\n"),
    ("expect:\n  - {request: q1, from: s1, each: 1}\n", ""),
]  # fmt: skip


def read_schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text())
    return loaded


@pytest.fixture(scope="module", params=["topology", "scenario"])
def any_schema(request: pytest.FixtureRequest) -> jsonschema.Draft202012Validator:
    return validator(request.param)


def validator(name: str) -> jsonschema.Draft202012Validator:
    """A topology's schema refers to the file beside it: here that stands in it, under one name."""
    schema = read_schema(name)
    if name == "topology":
        text = json.dumps(schema).replace('"scenario.schema.json#/', '"#/$defs/beside/')
        beside = json.dumps(read_schema("scenario")).replace('"#/', '"#/$defs/beside/')
        schema = json.loads(text)
        schema["$defs"]["beside"] = {k: v for k, v in json.loads(beside).items() if k[0] != "$"}
        schema["$defs"]["beside"]["$defs"] = json.loads(beside)["$defs"]
    return jsonschema.Draft202012Validator(schema)


class AsWritten(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `on` is text, and so is each key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


BOOLEAN = ("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"))
AsWritten.yaml_implicit_resolvers = {
    first: [BOOLEAN if tag == BOOLEAN[0] else (tag, pattern) for tag, pattern in rows]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def is_valid(schema: jsonschema.Draft202012Validator, text: str) -> bool:
    return bool(schema.is_valid(yaml.load(text, AsWritten)))


def topology_loads(tool: Chorus, tmp_path: Path, text: str) -> bool:
    """Whether it gets as far as to the command, whose node there is not."""
    file = tmp_path / "net.yaml"
    file.write_text(text)
    said = tool.call("emulate", str(file), *NOBODY).check_exit_code(2).stderr
    loaded = 'no node is called "nobody-is-called-so"' in said
    assert loaded or "net.yaml:" in said, said
    return loaded


def scenario_loads(tool: Chorus, tmp_path: Path, text: str) -> bool:
    file = tmp_path / "tiny.yaml"
    file.write_text(text)
    result = tool.call("scenarios", str(file))
    assert result.exit_code == 0 or "tiny.yaml:" in result.stderr, result.stderr
    return result.exit_code == 0


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1) if old else new


def examples_in_docs() -> list[Any]:
    """Each YAML file that a page shows in a terminal before `emulate`."""
    found = []
    for page in sorted([HOME / "README.md", *HOME.glob("docs/*.md")]):
        for block in re.findall(r"^```console\n(.*?)^```", page.read_text(), re.M | re.S):
            shown = re.match(r"\$ cat \S+\.yaml\n(.*?)\n\n\$ \S*chorus emulate", block, re.S)
            if shown:
                found.append(pytest.param(shown[1] + "\n", id=page.name))
    return found


TOPOLOGY_FILES = [HOME / "tests/kernel/one.yaml", *SCENARIOS]


def test_the_schemas_are_schemas(any_schema: jsonschema.Draft202012Validator) -> None:
    any_schema.check_schema(any_schema.schema)
    assert "schema.json#" not in json.dumps(any_schema.schema)


def test_docs_show_a_topology() -> None:
    """Else the next test would look at nothing."""
    assert examples_in_docs()


@pytest.mark.parametrize(
    "text",
    [
        *examples_in_docs(),
        *(pytest.param(text, id=f"good{i}") for i, text in enumerate(GOOD_TOPOLOGIES)),
        *(pytest.param(file.read_text(), id=file.stem) for file in TOPOLOGY_FILES),
    ],
)
def test_schema_and_loader_take_every_example_topology(
    tool: Chorus, tmp_path: Path, text: str
) -> None:
    problems = [e.message for e in validator("topology").iter_errors(yaml.load(text, AsWritten))]
    assert problems == []
    assert topology_loads(tool, tmp_path, text)


@pytest.mark.parametrize(("old", "new"), WRONG_TOPOLOGIES)
def test_schema_and_loader_refuse_the_same_topologies(
    tool: Chorus, tmp_path: Path, old: str, new: str
) -> None:
    text = changed(TOPOLOGY, old, new)
    assert not topology_loads(tool, tmp_path, text)
    assert not is_valid(validator("topology"), text)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_the_schema_takes_every_scenario(file: Path) -> None:
    document = yaml.load(file.read_text(), AsWritten)
    assert [e.message for e in validator("scenario").iter_errors(document)] == []


def test_schema_and_loader_take_the_scenario_of_these_tests(tool: Chorus, tmp_path: Path) -> None:
    assert is_valid(validator("scenario"), SCENARIO)
    assert scenario_loads(tool, tmp_path, SCENARIO)


@pytest.mark.parametrize(("old", "new"), WRONG_SCENARIOS)
def test_schema_and_loader_refuse_the_same_scenarios(
    tool: Chorus, tmp_path: Path, old: str, new: str
) -> None:
    text = changed(SCENARIO, old, new)
    assert not scenario_loads(tool, tmp_path, text)
    assert not is_valid(validator("scenario"), text)
