# SPDX-License-Identifier: BSD-2-Clause
"""The commands `chorus report` and `chorus diff`.

Exit codes: 0 done (and, for diff, nothing broke), 1 diff: something broke, 2 usage, 3 a file cannot
be read or written. Where one side is a baseline or holds several stacks, what was unexpectedly
fixed and what is no longer exercised is exit code 1, too.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from chorus_reports import (
    __version__,
    cells,
    cells_diff,
    diff,
    html,
    interop_html,
    junit,
    markdown,
    matrix,
)
from chorus_reports.cells import Cells
from chorus_reports.model import BadResults, Results, load
from chorus_reports.words import counted


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
    report.add_argument(
        "--html",
        type=Path,
        metavar="DIR",
        help="a page per run and an index; of several stacks: the matrices, a page per cell",
    )
    report.add_argument("--junit", metavar="FILE", help="JUnit XML; - for standard output")
    report.add_argument("--markdown", metavar="FILE", help="a summary; - for standard output")
    report.add_argument(
        "--baseline",
        metavar="FILE",
        help="what is expected from now on, for diff; - for standard output",
    )

    compare = commands.add_parser(
        "diff",
        help="what broke, what got fixed",
        description="Compares two results. Exit code 1: something broke. With a baseline (of"
        " report --baseline) or results of several stacks: also where something is fixed that the"
        " old side expects, or is no longer exercised; statistical rules are told and never count.",
    )
    what = "results.json, its directory, or a baseline"
    compare.add_argument("old", type=Path, metavar="OLD", help=what)
    compare.add_argument("new", type=Path, metavar="NEW", help=what)
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.add_argument(
        "--matrix",
        action="store_true",
        help="compare the worst verdict of each rule per stack and role, over all scenarios",
    )
    compare.add_argument(
        "--stack",
        action="append",
        default=[],
        metavar="NAME",
        help="compare this stack only; may be repeated",
    )
    return parser


def _write(text: str, where: str) -> None:
    if where == "-":
        if sys.stdout is None:  # closed by whoever started us
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
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
        pages = interop_html if matrix.staged(results) else html
        index = pages.write(results, arguments.html)
        said = (
            sys.stderr
            if "-" in (arguments.junit, arguments.markdown, arguments.baseline)
            else sys.stdout
        )
        print(f"report: {index}", file=said)
    if arguments.junit:
        _write(junit.render(results), arguments.junit)
    if arguments.baseline:
        _baseline(results, arguments.baseline)
    if arguments.markdown or not (arguments.html or arguments.junit or arguments.baseline):
        _write(markdown.render(results), arguments.markdown or "-")
    return 0


def _baseline(results: Sequence[Results], where: str) -> None:
    if len(results) != 1:
        raise BadResults("a baseline is made of one results file; several were given")
    if results[0].interrupted:
        raise BadResults(f"{results[0].path}: interrupted; a baseline needs the whole run")
    table = cells.of_results(results[0])
    ours = cells.ours(table)
    if ours:
        count = counted(ours, "finding")
        print(
            f"chorus: baseline: {count} of the reference left out: never expected", file=sys.stderr
        )
    _write(cells.baseline(table), where)


def _print(value: object) -> None:
    _write(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "-")


def _diff_of_runs(old: Results, new: Results, as_json: bool) -> int:
    changes = diff.compare(old, new)
    if as_json:
        _print(diff.as_json(changes))
    else:
        _write(diff.render(changes), "-")
    return 1 if diff.broke(changes) else 0


def _diff_of_cells(old: Cells, new: Cells, arguments: argparse.Namespace) -> int:
    if arguments.stack:
        known = {name for side in (old, new) for key in side.verdicts for name in key.involved}
        for name in arguments.stack:
            if name not in known:
                raise BadResults(f"--stack {name}: neither {old.path} nor {new.path} has it")
        old, new = old.of(arguments.stack), new.of(arguments.stack)
    if arguments.matrix:
        old, new = old.matrix(), new.matrix()
    changes = cells_diff.compare(old, new)
    if arguments.json:
        _print(cells_diff.as_json(changes))
    else:
        _write(cells_diff.render(changes, old, new), "-")
    return 1 if cells_diff.unexpected(changes) else 0


def _diff(arguments: argparse.Namespace) -> int:
    (old, old_runs), (new, new_runs) = cells.load(arguments.old), cells.load(arguments.new)
    for side in (old_runs, new_runs):
        if side and not side.runs:
            raise BadResults(f"{side.path}: there is no run in it, so there is nothing to compare")
    asserts = old.asserts or new.asserts or arguments.matrix or arguments.stack
    if old_runs and new_runs and not asserts:
        return _diff_of_runs(old_runs, new_runs, arguments.json)
    return _diff_of_cells(old, new, arguments)


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
