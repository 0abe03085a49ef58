# SPDX-License-Identifier: BSD-2-Clause
"""The commands `chorus report` and `chorus diff`.

Exit codes: 0 done (and, for diff, nothing broke), 1 diff: something broke, 2 usage, 3 a file cannot
be read or written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from chorus_reports import __version__, diff, html, interop_html, junit, markdown, matrix
from chorus_reports.model import BadResults, Results, load


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chorus", description="Reports from results.json")
    parser.add_argument("--version", action="version", version=f"chorus-reports {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    report = commands.add_parser(
        "report",
        help="HTML, JUnit and Markdown from results",
        description="Writes reports. Without an option, prints the Markdown summary.",
    )
    report.add_argument(
        "results", nargs="+", type=Path, metavar="RESULTS", help="results.json, or its directory"
    )
    report.add_argument("--html", type=Path, metavar="DIR", help="a page per run and an index")
    report.add_argument("--junit", metavar="FILE", help="JUnit XML; - for standard output")
    report.add_argument("--markdown", metavar="FILE", help="a summary; - for standard output")

    compare = commands.add_parser(
        "diff",
        help="what broke, what got fixed",
        description="Compares two results. Exit code 1: something broke.",
    )
    compare.add_argument("old", type=Path, metavar="OLD", help="results.json, or its directory")
    compare.add_argument("new", type=Path, metavar="NEW", help="results.json, or its directory")
    compare.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _write(text: str, where: str) -> None:
    if where == "-":
        sys.stdout.write(text)
        return
    path = Path(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _load_all(paths: Sequence[Path]) -> list[Results]:
    results = [load(path) for path in paths]
    if not any(one.runs for one in results):
        raise BadResults(f"{paths[0]}: there is no run in it, so there is nothing to report")
    return results


def _report(arguments: argparse.Namespace) -> int:
    results = _load_all(arguments.results)
    if arguments.html:
        pages = interop_html if matrix.wanted(results) else html
        index = pages.write(results, arguments.html)
        said = sys.stderr if "-" in (arguments.junit, arguments.markdown) else sys.stdout
        print(f"report: {index}", file=said)
    if arguments.junit:
        _write(junit.render(results), arguments.junit)
    if arguments.markdown or not (arguments.html or arguments.junit):
        _write(markdown.render(results), arguments.markdown or "-")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    changes = diff.compare(load(arguments.old), load(arguments.new))
    if arguments.json:
        _write(json.dumps(diff.as_json(changes), indent=2, ensure_ascii=False) + "\n", "-")
    else:
        _write(diff.render(changes), "-")
    return 1 if diff.broke(changes) else 0


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return _report(arguments) if arguments.command == "report" else _diff(arguments)
    except BadResults as error:
        print(f"chorus: {error}", file=sys.stderr)
    except OSError as error:
        print(f"chorus: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
