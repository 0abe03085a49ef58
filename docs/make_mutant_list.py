#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts the list of mutants into docs/mutants.md.

    chorus mutants --json | docs/make_mutant_list.py
"""

import json
import pathlib
import sys
from typing import Any

BEGIN = "<!-- list: begin -->"
END = "<!-- list: end -->"


def row(mutant: dict[str, Any]) -> str:
    """One line of the table."""
    number = mutant["historical"] or ""
    what = mutant["breaks"] or "Nothing: a control."
    return f"| `{mutant['id']}` | {mutant['rule'] or ''} | {number} | {what} |"


def make_list(mutants: list[dict[str, Any]]) -> str:
    """The table, and how many rows it has."""
    rules = len({m["rule"] for m in mutants if m["rule"]})
    head = [
        f"{len(mutants)} mutants of {rules} rules.",
        "",
        "| mutant | rule | bug | what is wrong |",
        "|---|---|---|---|",
    ]
    return "\n".join(head + [row(m) for m in mutants])


def main() -> None:
    """Replaces what stands between the marks."""
    path = pathlib.Path(__file__).with_name("mutants.md")
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = make_list(json.load(sys.stdin))
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
