#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts the list of scenarios into docs/scenarios.md.

    chorus scenarios --json | docs/make_scenario_list.py
"""

import json
import pathlib
import sys
from typing import Any

BEGIN = "<!-- list: begin -->"
END = "<!-- list: end -->"
TOPICS = {
    "client": "What clients get wrong: Tokens, Message IDs, matching of responses, pace",
    "server": "What servers get wrong: when, how often and whether they answer",
    "message": "Messages that are malformed, unusual or large, and what becomes of them",
    "discovery": "Servers that want to be found",
    "amplification": "Servers that are misused against others",
    "interop": "Exchanges between a client and servers of different stacks",
    "sampled": "Statistical rules, in as little time as their samples need",
    "network": "Loss, bursts, copies, delay, damage, fragments, scopes, and many members",
}


def row(scenario: dict[str, Any]) -> str:
    """One line of a topic's table."""
    covers = ", ".join(scenario["covers"])
    catalogue = ", ".join(scenario["catalogue"])
    return (
        f"| `{scenario['id']}` | {scenario['title']} | {catalogue} | {covers} "
        f"| {len(scenario['runs'])} |"
    )


def section(topic: str, scenarios: list[dict[str, Any]]) -> str:
    """A topic with its table."""
    head = [
        f"### {topic}",
        "",
        TOPICS.get(topic, ""),
        "",
        "| scenario | what holds | catalogue | covers | runs |",
        "|---|---|---|---|---|",
    ]
    return "\n".join(head + [row(s) for s in scenarios if s["topic"] == topic])


def make_list(scenarios: list[dict[str, Any]]) -> str:
    """All topics, the known ones first, and how many there are."""
    others = sorted({s["topic"] for s in scenarios} - TOPICS.keys())
    runs = sum(len(s["runs"]) for s in scenarios)
    rules = len({rule for s in scenarios for rule in s["covers"]})
    total = f"{len(scenarios)} scenarios, {runs} runs, {rules} rules covered."
    sections = [section(topic, scenarios) for topic in [*TOPICS, *others]]
    return "\n\n".join([total, *sections])


def main() -> None:
    """Replaces what stands between the marks."""
    path = pathlib.Path(__file__).with_name("scenarios.md")
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = make_list(json.load(sys.stdin))
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
