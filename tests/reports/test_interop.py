# SPDX-License-Identifier: BSD-2-Clause
"""The report on several stacks, from real results told of other stacks, with faults planted."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import interop_samples as samples
import jsonschema
import pytest
from browser import chromium, measure, pixels, screenshot
from interop_samples import STATISTICAL, TOKEN, TWICE, Value
from test_html import checked

from chorus_pytest import Chorus, ChorusResult
from chorus_reports import interop_html, junit, markdown, matrix
from chorus_reports.__main__ import main
from chorus_reports.evidence import Seat
from chorus_reports.model import BadResults, Results, parse


@pytest.fixture(scope="session")
def base(tool: Chorus) -> Value:
    return samples.real(tool, *samples.SELECTORS)


def parsed(results: Value) -> Results:
    return parse("sample", json.dumps(results))


@pytest.fixture
def faulty(base: Value) -> Results:
    return parsed(samples.faulty(base))


@pytest.fixture
def report(faulty: Results, tmp_path: Path) -> Path:
    return interop_html.write([faulty], tmp_path / "report").parent


def cell(built: matrix.Matrix, stack: str, role: str, rule: str) -> matrix.Cell:
    return built.cells[Seat(stack, role), rule]


# ---- the format ----


@pytest.mark.parametrize("make", [samples.clean, samples.faulty, samples.with_fault_of_ours])
def test_the_samples_are_what_the_schema_says(base: Value, make: object, home: Path) -> None:
    schema = json.loads((home / "reports/schema/results.schema.json").read_text())
    assert callable(make)
    jsonschema.Draft202012Validator(schema).validate(make(base))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sut": {"name": "x", "role": "king"}}, "runs[0].sut.role: expected one of"),
        ({"sut": {"name": "a > b", "role": "pair"}}, "runs[0].sut.client: expected an object"),
        ({"unsupported": [{"line": 3}]}, "runs[0].unsupported[0].why: expected a string"),
        (
            {"sut_verdicts": [{"node": "s1", "verdict": "sad", "text": ""}]},
            "runs[0].sut_verdicts[0].verdict: expected one of crash, hang",
        ),
        (
            {"tolerances": [{"name": "x", "value_ns": "5"}]},
            "runs[0].tolerances[0].value_ns: expected an integer",
        ),
    ],
)
def test_wrong_members_are_named(base: Value, change: Value, place: str, home: Path) -> None:
    results = samples.clean(base)
    results["runs"][0] |= change
    with pytest.raises(BadResults, match=re.escape(place)):
        parsed(results)
    schema = json.loads((home / "reports/schema/results.schema.json").read_text())
    assert not jsonschema.Draft202012Validator(schema).is_valid(results)


# ---- the matrix ----


def test_a_cell_is_the_worst_over_its_runs_with_counts(faulty: Results) -> None:
    built = matrix.build([faulty])
    bad = cell(built, "libcoap", "server", "COAP-3-03")
    runs = len(bad.by_run)
    assert runs > 2
    assert (bad.verdict, bad.said) == ("fail", f"1/{runs}")
    good = cell(built, "aiocoap", "server", "COAP-3-03")
    assert good.verdict == "fail"  # in the pair with libcoap as its client
    assert cell(built, "libcoap", "client", "COAP-8.1-01").verdict == "pass"
    assert cell(built, "aiocoap", "client", "COAP-8.1-01").verdict == "fail"
    assert cell(built, "libcoap", "server", STATISTICAL).statistical


def test_only_nodes_under_test_are_in_the_matrix(base: Value) -> None:
    """Of a server's conformance runs nothing is said of clients: those were the reference."""
    results = samples.clean(base)
    results["runs"] = [r for r in results["runs"] if r["sut"]["role"] == "server"]
    built = matrix.build([parsed(results)])
    assert [table.role for table in built.tables] == ["server"]
    assert {seat for seat, _ in built.cells} == {Seat(s, "server") for s in ("libcoap", "aiocoap")}


def test_nodes_without_a_name_belong_to_the_stack_with_their_role(base: Value) -> None:
    named, unnamed = samples.clean(base), samples.clean(base)
    for run in unnamed["runs"]:
        for node in run["nodes"]:
            node.pop("sut", None)
    one, other = (matrix.build([parsed(r)]) for r in (named, unnamed))
    assert one.cells.keys() == other.cells.keys()
    assert all(one.cells[k].by_run == other.cells[k].by_run for k in one.cells)


def test_unsupported_is_neither_pass_nor_not_exercised(faulty: Results) -> None:
    found = cell(matrix.build([faulty]), "aiocoap", "server", "COAP-4.5-02")
    assert found.verdict == "unsupported"
    assert set(found.unsupported.values()) == {("no deduplication",)}
    assert not found.by_run


def test_a_role_that_could_run_nothing_is_shown_all_the_same(base: Value) -> None:
    results = samples.clean(base)
    results["runs"] = [r for r in results["runs"] if r["sut"]["role"] == "server"]
    for run in results["runs"]:
        samples.unsupported(run, "no such role")
    built = matrix.build([parsed(results)])
    (table,) = built.tables
    assert [row.text.id for row in table.rows() if row.text.id == "COAP-4.5-02"]
    assert {c.verdict for row in table.rows() for c in row.cells.values()} == {"unsupported"}


def test_a_rule_supported_elsewhere_is_judged_by_that(base: Value) -> None:
    results = samples.clean(base)
    samples.unsupported(samples.find(results, "aiocoap", "server", TWICE), "no such method")
    found = cell(matrix.build([parsed(results)]), "aiocoap", "server", "COAP-4.5-02")
    assert found.verdict == "pass"
    assert len(found.unsupported) == 1


def test_pairs_count_passed_of_run(faulty: Results) -> None:
    pairs = matrix.build([faulty]).pairs
    told = {k: (p.verdict, p.passed, p.run_count, p.unsupported) for k, p in pairs.items()}
    assert told == {
        ("libcoap", "libcoap"): ("pass", 2, 2, 0),
        ("libcoap", "aiocoap"): ("fail", 1, 2, 0),
        ("aiocoap", "libcoap"): ("pass", 2, 2, 0),
        ("aiocoap", "aiocoap"): ("pass", 1, 1, 1),
    }


def test_a_fault_of_the_reference_is_an_error_of_ours(base: Value) -> None:
    built = matrix.build([parsed(samples.with_fault_of_ours(base))])
    assert [(s.rule.id, s.rule.node) for s in built.ours] == [("COAP-3-03", "s1")]
    assert built.verdict == "error"
    assert {c.verdict for c in built.cells.values()} <= {"pass", "inconclusive"}


def test_crashes_are_cells_beside_the_rules(faulty: Results) -> None:
    built = matrix.build([faulty])
    crash = cell(built, "aiocoap", "client", "crash")
    assert (crash.verdict, crash.said) == ("fail", "1")
    assert built.programs("aiocoap") == [("crash", 1)]
    (clients,) = (t for t in built.tables if t.role == "client")
    assert [row.text.id for row in clients.documents[0][1]][-1] == "crash"


def test_rules_stand_as_the_documents_read(faulty: Results) -> None:
    for table in matrix.build([faulty]).tables:
        catalogue = list(faulty.rules)
        documents = [d for d, _ in table.documents if d != "Beside the rules"]
        first: dict[str, int] = {}
        for rule in catalogue:
            first.setdefault(faulty.rules[rule].document, len(first))
        assert documents == sorted(documents, key=first.__getitem__)


def test_two_versions_of_one_stack_are_two_columns(base: Value) -> None:
    old, new = samples.clean(base), samples.clean(base)
    for run in new["runs"]:
        if run["sut"]["role"] != "pair":
            run["sut"]["version"] = "9.9"
    for results in (old, new):
        del results["interop"]
        results["runs"] = [r for r in results["runs"] if r["sut"]["role"] == "server"]
    built = matrix.build([parsed(old), parsed(new)])
    names = {s.name for s in built.stacks}
    assert names == {"libcoap 4.3.1", "libcoap 9.9", "aiocoap 0.4.17", "aiocoap 9.9"}


def test_the_reference_may_be_a_side_of_a_pair(base: Value, tmp_path: Path) -> None:
    """It gets a row in client x server, and no column among the stacks."""
    results = samples.clean(base)
    run = samples.find(results, "aiocoap > libcoap", "pair", TOKEN)
    run["sut"] |= {"name": "chorus-reference > libcoap"}
    run["sut"]["client"] = {"name": "chorus-reference", "version": "0.1.0"}
    for node in run["nodes"]:
        node["sut"] = "chorus-reference" if node["role"] == "client" else "libcoap"
    samples.plant(run, "COAP-8.1-01", "c1", "fail", "our own fault")
    built = matrix.build([parsed(results)])
    assert built.pairs["chorus-reference", "libcoap"].verdict == "error"
    assert [s.rule.node for s in built.ours] == ["c1"]
    assert "chorus-reference" not in {s.name for s in built.stacks}
    interop_html.write([parsed(results)], tmp_path)
    page = checked(tmp_path / "pair-chorus-reference--libcoap.html")
    assert all((tmp_path / link.partition("#")[0]).is_file() for link in page.links)


def test_a_waiver_with_a_problem_fails_the_whole(base: Value) -> None:
    results = samples.clean(base)
    waiver = {"rule": "NR-02", "reason": "known", "problem": "nobody used it"}
    results["summary"] = {"waivers": [waiver]}
    assert matrix.build([parsed(results)]).verdict == "fail"
    assert "nobody used it" in markdown.render([parsed(results)])


def test_one_stack_alone_is_reported_as_ever(base: Value, tmp_path: Path) -> None:
    assert not matrix.wanted([parsed(base)])
    file = tmp_path / "results.json"
    file.write_text(json.dumps(base))
    assert main(["report", str(file), "--html", str(tmp_path / "html")]) == 0
    assert "Conformance report" in (tmp_path / "html/index.html").read_text()


def alone(base: Value) -> Value:
    """One stack in one role, as `chorus run --sut` tells it: no `interop`."""
    results = samples.faulty(base)
    del results["interop"]
    results["runs"] = [
        r for r in results["runs"] if (r["sut"]["name"], r["sut"]["role"]) == ("libcoap", "server")
    ]
    samples.plant(results["runs"][1], "COAP-8.1-01", "c1", "fail", "our own fault")
    return results


def test_a_single_stack_has_one_column_and_the_reference_is_ours_there_too(base: Value) -> None:
    results = parsed(alone(base))
    assert not matrix.wanted([results])
    assert matrix.staged([results])
    built = matrix.build([results])
    assert [table.stacks for table in built.tables] == [("libcoap",)]
    assert [(s.rule.id, s.rule.node) for s in built.ours] == [("COAP-8.1-01", "c1")]
    assert markdown.render([results]).startswith("# Conformance of stacks: error\n")


def test_junit_of_a_single_stack_has_a_case_per_rule(base: Value) -> None:
    results = alone(base)
    samples.unsupported(results["runs"][2], "no such method")
    samples.program(results["runs"][3], "s1", "hang")
    root = ET.fromstring(junit.render([parsed(results)]))
    names = {c.get("name", ""): c for c in root.iter("testcase") if len(c)}
    (ours,) = (c for c in root.iter("error") if c.get("message", "").startswith("error of ours"))
    assert "our own fault" in ours.get("message", "")
    assert any(
        n.startswith("COAP-3-03") and c.find("failure") is not None for n, c in names.items()
    )
    assert names["run"].find("skipped") is not None
    assert names["program s1: hang"].find("failure") is not None
    assert len(list(root.iter("error"))) == 1


# ---- the pages ----


@dataclass
class Tables(HTMLParser):
    """The cells of all tables, by the id of the heading above: rows of (class, text, link)."""

    rows: dict[str, list[list[tuple[str, str, str]]]] = field(default_factory=dict)
    heading: str = ""
    inside: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "h2":
            self.heading = values.get("id") or ""
        if tag == "tr":
            self.rows.setdefault(self.heading, []).append([])
        if tag in ("td", "th"):
            self.inside = True
            self.rows[self.heading][-1].append((values.get("class") or "", "", ""))
        if tag == "a" and self.inside:
            kind, text, _ = self.rows[self.heading][-1][-1]
            self.rows[self.heading][-1][-1] = (kind, text, values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            kind, text, link = self.rows[self.heading][-1][-1]
            self.rows[self.heading][-1][-1] = (kind, f"{text} {data}", link)


def row_of(page: Path, heading: str, begins: str) -> list[tuple[str, str, str]]:
    tables = Tables()
    tables.feed(page.read_text(encoding="utf-8"))
    for row in tables.rows[heading]:
        if any(kind == "stack" for kind, _, _ in row):
            continue  # the names of the columns
        texts = [" ".join(text.split()) for _, text, _ in row]
        if any(t.startswith(begins) for t in texts[:2]):
            return [(k, t, link) for (k, _, link), t in zip(row, texts, strict=True)]
    raise AssertionError(f"no row {begins} under {heading}")


def test_the_index_shows_both_matrices(report: Path) -> None:
    index = report / "index.html"
    _, _, libcoap, aiocoap = row_of(index, "table-server", "COAP-3-03")
    assert libcoap[0] == "cell fail"
    assert re.search(r"✗ fail 1/\d+$", libcoap[1])
    assert libcoap[2] == "cell-libcoap-server-COAP-3-03.html"
    assert aiocoap[2] == "cell-aiocoap-server-COAP-3-03.html"
    _, _, libcoap, aiocoap = row_of(index, "table-server", "COAP-4.5-02")
    assert (libcoap[0], aiocoap[0]) == ("cell pass", "cell unsupported")
    assert libcoap[2] == "stack-libcoap.html#server-COAP-4.5-02"
    assert "n/s" in aiocoap[1]
    _, _, libcoap, _ = row_of(index, "table-server", STATISTICAL)
    assert libcoap[1].endswith("≈ statistical")
    row = row_of(index, "pairs", "libcoap")
    assert [(k, t) for k, t, _ in row[1:]] == [
        ("cell pass", "✓ pass 2/2"),
        ("cell fail", "✗ fail 1/2"),
    ]
    stacks = row_of(index, "stacks", "go-coap")
    assert "not available go is not installed" in stacks[-1][1]


def test_every_page_is_well_formed_and_every_link_leads_somewhere(report: Path) -> None:
    pages = {page.name: checked(page) for page in report.glob("*.html")}
    assert len(pages) > 30
    for name, page in pages.items():
        assert page.open == [], name
        assert page.loads == ["link"], name
        assert len(set(page.ids)) == len(page.ids), name
        for link in page.links:
            file, _, fragment = link.partition("#")
            if file == "style.css":
                continue
            target = pages.get(file or name)
            assert target, f"{name}: {link}"
            assert not fragment or fragment in target.ids, f"{name}: {link}"


def test_a_cell_page_has_everything(report: Path, faulty: Results) -> None:
    page = checked(report / "cell-libcoap-server-COAP-3-03.html")
    wanted = [
        "COAP-3-03", "libcoap 4.3.1, as server", faulty.rules["COAP-3-03"].requirement,
        "RFC 7252, section 3", "Findings", f"{TOKEN}[ip=4", "evil <b>",
        "expected", "NON 2.05 token=01", "actual", "RST mid=0x9185", "frame", "lane diagram",
        "chorus interop libcoap --only", "scheduling", "20 ms", "Runs that exercised it",
    ]  # fmt: skip
    at = 0
    for words in wanted:
        assert words in page.text[at:], words
        at = page.text.index(words, at)
    assert any(re.match(r"run-libcoap-server-.*#frame-\d+", link) for link in page.links)


def test_the_lane_diagram_is_drawn_once_per_run(report: Path) -> None:
    drawn = [p.name for p in report.glob("*.html") if "<svg" in p.read_text(encoding="utf-8")]
    assert drawn
    assert all(name.startswith("run-") for name in drawn)
    assert not [p for p in report.glob("run-*.html") if p.read_text().count("<svg") > 1]


def test_the_page_of_a_crash_has_the_datagram_before_it(report: Path) -> None:
    text = checked(report / "cell-aiocoap-client-crash.html").text
    for words in ("crash", "1.500 s", "4 octets", "5801a1b2", "at <handler>", TOKEN):
        assert words in text


def test_a_statistic_is_told_even_where_it_passes(base: Value, tmp_path: Path) -> None:
    results = samples.clean(base)
    run = samples.find(results, "libcoap", "server", TOKEN)
    entry = next(r for r in run["rules"] if (r["id"], r["node"]) == (STATISTICAL, "s1"))
    entry["findings"] = [samples.finding(run, "Kolmogorov-Smirnov, 120 samples: D = 0.07")]
    interop_html.write([parsed(results)], tmp_path)
    text = checked(tmp_path / f"cell-libcoap-server-{STATISTICAL}.html").text
    assert "D = 0.07" in text
    assert "may differ from run to run" in text


def test_an_error_of_ours_stands_on_top_and_blames_nobody(base: Value, tmp_path: Path) -> None:
    index = interop_html.write([parsed(samples.with_fault_of_ours(base))], tmp_path)
    text = checked(index).text
    assert text.index("Errors of ours") < text.index("our own fault") < text.index("Stacks\n")
    assert not list(tmp_path.glob("cell-*-COAP-3-03.html"))
    run = next(p for p in tmp_path.glob("run-libcoap-client-*.html") if "our own" in p.read_text())
    assert "Errors of ours" in checked(run).text


@pytest.mark.parametrize(
    "page", ["index.html", "stack-aiocoap.html", "cell-libcoap-server-COAP-3-03.html"]
)
def test_nothing_sticks_out_at_400_and_1280_pixels(report: Path, page: str) -> None:
    for width, told in measure(report / page, report, 400, 1280).items():
        assert told["clientWidth"] == width
        assert told["scrollWidth"] <= width
        assert told["overflowing"] == []
        assert told["fontSize"] == 16


def test_the_browser_paints_verdicts_in_their_colours(report: Path, tmp_path: Path) -> None:
    """The shared style sheet is there and is used: red and green are to be seen."""
    chromium()
    rows = pixels(screenshot(report / "index.html", tmp_path, 1280, 2400))
    step = len(rows[0]) // 1280
    seen = {row[i : i + 3] for row in rows for i in range(0, len(row), step)}
    assert bytes.fromhex("23713f") in seen  # --pass
    assert bytes.fromhex("b3261e") in seen  # --fail


# ---- JUnit and Markdown ----


def test_junit_has_a_case_per_stack_and_scenario(faulty: Results) -> None:
    root = ET.fromstring(junit.render([faulty]))
    suites = {s.get("name"): s for s in root}
    assert set(suites) >= {"libcoap server", "aiocoap client", "libcoap > aiocoap", "go-coap"}

    def outcomes(suite: str) -> dict[str, str]:
        return {
            c.get("name", ""): next((x.tag for x in c if x.tag != "system-out"), "passed")
            for c in suites[suite].iter("testcase")
        }

    assert outcomes("libcoap server")[f"{TOKEN}[ip=4]"] == "failure"
    assert outcomes("libcoap server")[f"{TOKEN}[ip=6]"] == "passed"
    assert set(outcomes("aiocoap client").values()) == {"failure"}  # a finding and a crash
    twice = {v for k, v in outcomes("aiocoap server").items() if k.startswith(TWICE)}
    assert twice == {"skipped"}
    assert outcomes("go-coap") == {"available": "skipped"}
    assert len(list(root.iter("testcase"))) == len(faulty.runs) + 1
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.get(name, "")) == len(list(root.iter(tag)))


def test_junit_calls_a_fault_of_the_reference_an_error(base: Value) -> None:
    root = ET.fromstring(junit.render([parsed(samples.with_fault_of_ours(base))]))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    (error,) = root.iter("error")
    assert error.get("message") == "error of ours: COAP-3-03 on s1"


def test_junit_keeps_a_program_that_never_served_apart(base: Value) -> None:
    results = samples.clean(base)
    samples.program(samples.find(results, "libcoap", "server", TOKEN), "s1", "no-start")
    root = ET.fromstring(junit.render([parsed(results)]))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")


def test_markdown_has_both_matrices(faulty: Results) -> None:
    text = markdown.render([faulty])
    assert text.startswith("# Interoperability: error\n")
    assert "| client ↓ server → | libcoap | aiocoap |" in text
    assert "| libcoap | ✓ 2/2 | fail ✗ 1/2 |" in text
    assert "| aiocoap | ✓ 2/2 | ✓ 1/1 (+1 n/s) |" in text
    (row,) = re.findall(r"^\| COAP-4\.5-02 .*$", text.split("## Servers x rule")[1], re.MULTILINE)
    assert re.search(r"\| ✓ \d+ \| n/s \|$", row)
    assert re.search(r"^\| COAP-3-03 .*\| fail ✗ 1/\d+ \| fail ✗ 1/\d+ \|$", text, re.MULTILINE)
    assert "not available: go is not installed" in text


def test_markdown_tells_errors_of_ours_first(base: Value) -> None:
    text = markdown.render([parsed(samples.with_fault_of_ours(base))])
    assert text.index("## Errors of ours") < text.index("our own fault") < text.index("## Stacks")
    assert "## Findings" not in text


def test_the_plugin_skips_what_is_unsupported_as_a_whole(base: Value) -> None:
    results = copy.deepcopy(base)
    results["runs"] = [samples.unsupported(run, "no such role") for run in results["runs"][:2]]
    result = ChorusResult(("chorus",), 0, "", "", parsed(results))
    assert result.unsupported() == "the system under test declares no support: no such role"
