# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report: complete without script and network, and looked at in a real browser."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import samples
from browser import chromium, corner_colour, measure, pixels, screenshot

from chorus_reports import html, lanes
from chorus_reports.model import parse

VOID = {"meta", "br", "link", "img", "hr", "input", "col"}


def write(directory: Path, *results: dict[str, Any]) -> Path:
    parsed = [parse("sample", json.dumps(one)) for one in results]
    return html.write(parsed, directory)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    results = samples.results(samples.full_run(), *samples.one_per_verdict()["runs"])
    return write(tmp_path / "report", results).parent


class Checker(HTMLParser):
    """Elements that are not closed, everything that would be loaded, and all targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [v or "" for k, v in attrs if k in ("src", "srcset", "data", "action")]
        self.loads += [tag] if tag in ("script", "link", "object", "iframe") else []
        self.links += [v or "" for k, v in attrs if k == "href"]
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(page: Path) -> Checker:
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    checker.close()
    return checker


def test_pages_stand_alone_and_are_well_formed(report: Path) -> None:
    pages = list(report.glob("*.html"))
    assert len(pages) == 10
    for page in pages:
        checker = checked(page)
        assert checker.open == []
        assert checker.loads == []
        assert not re.search(r"url\(|@import|https?:", re.sub(
            r'xmlns="[^"]*"', "", page.read_text(encoding="utf-8")))  # fmt: skip
        assert len(set(checker.ids)) == len(checker.ids)


def test_every_link_leads_somewhere(report: Path) -> None:
    for page in report.glob("*.html"):
        checker = checked(page)
        for link in checker.links:
            file, _, fragment = link.partition("#")
            target = report / file if file else page
            assert target.is_file(), link
            assert not fragment or fragment in checked(target).ids, link


def test_index_says_what_was_run_and_found(report: Path) -> None:
    text = checked(report / "index.html").text
    for wanted in ("Chorus 0.1.0", "profile dijk-03", "backend sim", "reference 0.1.0", "9 runs"):
        assert wanted in text
    # As the documents read: the profile's document first, 2.3.1 before 2.3.10.
    order = ["Section 2.3.1Verdict", "Section 2.3.10", "RFC 7252", "RFC 7967"]
    rules = text[text.index("Rules, as the documents read") :]
    places = [rules.index(words) for words in order]
    assert places == sorted(places)


def test_a_finding_has_everything(report: Path) -> None:
    text = checked(report / "run-light-group.html").text
    wanted = [
        "fail GC-2.3.1-02 Group requests are Non-confirmable",
        "draft-dijk-core-groupcomm-bis-03, section 2.3.1 · MUST · node c1",
        "A client sends every request to a multicast address",
        "expected", "NON GET coap://[ff35::1]/light",
        "actual", "CON GET coap://[ff35::1]/light",
        "frame 12", "light-group.pcapng", "30.000 s",
        "./chorus run light-group --seed 7",
    ]  # fmt: skip
    at = text.index("Findings")
    for words in wanted:
        at = text.index(words, at)


def test_what_a_packet_says_is_never_markup(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x>'
    finding = samples.finding() | {"actual": evil, "expected": evil, "message": evil}
    run = samples.run(
        evil, "fail", [samples.rule("GC-2.3.1-02", evil, "fail", [finding])],
        title=evil, capture=evil, reproduce=evil, sut={"name": evil},
        trace=[samples.message(1, 0, evil, evil, evil, (evil, 5), ("s1", {"lost": evil}))],
        expectations=[{"kind": "sweep", "verdict": "fail", "text": evil, "expected": evil}],
        impairments=[{"from": evil, "to": evil, "line": 1, "used": 0}],
    )  # fmt: skip
    for page in write(tmp_path, samples.results(run)).parent.glob("*.html"):
        checker = checked(page)
        assert checker.loads == []
        assert evil in checker.text


def test_the_head_says_what_failed_beside_rules(tmp_path: Path) -> None:
    missed = {"kind": "expectation", "verdict": "fail", "text": "x", "expected": "1", "actual": "0"}
    met = {"kind": "expectation", "verdict": "pass", "text": "y"}
    run = samples.run(
        "a", "fail", [samples.rule("NR-02", "s1", "pass")], expectations=[missed, met]
    )
    page = write(tmp_path, samples.results(run)).parent / "run-a.html"
    assert "1 rule and node judged, 0 findings, 1 expectation not met" in checked(page).text


def test_names_that_differ_in_what_files_cannot_hold_get_pages_of_their_own(
    tmp_path: Path,
) -> None:
    runs = [samples.run(name, "pass", []) for name in ("a[ip=4]", "a(ip=4)", "A-ip=4", "../x")]
    directory = write(tmp_path, samples.results(*runs)).parent
    assert len(list(directory.glob("run-*.html"))) == 4
    assert sorted(p.parent for p in tmp_path.rglob("*.html")) == [tmp_path] * 5


def test_profiles_stand_side_by_side(tmp_path: Path) -> None:
    files = [
        samples.results(
            samples.run("a", verdict, [samples.rule("GC-2.3.1-02", "c1", verdict)]), profile=profile
        )
        for profile, verdict in (("dijk-03", "fail"), ("rfc7390", "pass"), ("bis-18", "warn"))
    ]
    index = write(tmp_path, *files)
    row = next(
        r for r in re.findall(r"<tr.*?</tr>", index.read_text(), re.DOTALL) if "GC-2.3.1-02" in r
    )
    assert re.findall(r'verdict (\S+)"><b>', row) == ["fail", "pass", "warn"]
    assert len(list(tmp_path.glob("run-*.html"))) == 3


# ---- the lane diagram ----


def picture() -> ET.Element:
    run = parse("x", json.dumps([samples.full_run()])).runs[0]
    drawing = lanes.draw(run.trace, {12})
    assert drawing
    return ET.fromstring(drawing.svg)


def classes(element: ET.Element) -> list[str]:
    return element.get("class", "").split()


def find(root: ET.Element, name: str) -> list[ET.Element]:
    return [e for e in root.iter() if name in classes(e)]


def test_lanes_begin_with_who_asks() -> None:
    names = [e.get("data-lane") for e in find(picture(), "node")]
    assert names == ["c1", "s1", "s2", "s3", "s4"]


def test_nodes_are_ordered_as_people_count() -> None:
    trace = [
        samples.message(1, 0, "c1", "NON GET /", "g", *((f"s{n}", 5) for n in (10, 2, 1))),
    ]
    run = parse("x", json.dumps([samples.run("x", "pass", [], trace=trace)])).runs[0]
    assert lanes.lane_names(list(run.trace)) == ["c1", "s1", "s2", "s10"]


def test_every_delivery_and_every_loss_is_drawn() -> None:
    root = picture()
    messages = find(root, "message")
    assert len(messages) == 8
    assert [len(find(m, "head")) for m in messages] == [3, 1, 1, 0, 4, 1, 1, 1]
    lost = find(root, "lost")
    assert [e.get("data-to") for e in lost] == ["s3", "c1"]
    assert [e.text for e in find(root, "cause")] == ["loss, line 14", "drop list, line 15"]


def test_a_lost_message_ends_before_the_lane_of_its_receiver() -> None:
    root = picture()
    lane = {e.get("data-lane"): float(e.get("x", "")) for e in find(root, "node")}
    lost = find(root, "lost")[0]
    line = find(lost, "line")[0]
    assert lane["s2"] < float(line.get("x2", "")) < lane["s3"]


def test_only_frames_with_a_finding_are_marked() -> None:
    assert [m.get("id") for m in find(picture(), "bad")] == ["frame-12"]


def test_time_only_goes_down() -> None:
    """Sends come in order of time, and nothing arrives above where it was sent."""
    sent = [float(e.get("cy", "")) for e in find(picture(), "sent")]
    assert sent == sorted(sent)
    assert len(set(sent)) == len(sent)
    for message in find(picture(), "message"):
        start = float(find(message, "sent")[0].get("cy", ""))
        for line in find(message, "line"):
            assert float(line.get("y2", "")) > start


def test_labels_have_room() -> None:
    at = [float(e.get("y", "")) for e in find(picture(), "label")]
    assert all(b - a >= 16 for a, b in pairwise(at))


# ---- in a browser ----


@pytest.mark.parametrize("page", ["index.html", "run-light-group.html"])
def test_nothing_sticks_out_at_400_and_1400_pixels(report: Path, tmp_path: Path, page: str) -> None:
    for width, told in measure(report / page, tmp_path, 400, 1400).items():
        assert told["clientWidth"] == width
        assert told["scrollWidth"] <= width
        assert told["overflowing"] == []
        assert told["fontSize"] >= 15


def test_the_browser_shows_lanes_losses_and_findings(report: Path, tmp_path: Path) -> None:
    told = measure(report / "run-light-group.html", tmp_path, 1400)[1400]
    assert told["lanes"] == ["c1", "s1", "s2", "s3", "s4"]
    gaps = [b - a for a, b in pairwise(told["laneCentres"])]
    assert len(gaps) == 4
    assert min(gaps) > 60
    assert told["messages"] == 8
    assert told["lost"] == ["s3", "c1"]
    assert told["findings"] == 2


def test_the_measure_sees_what_sticks_out(tmp_path: Path) -> None:
    """The probe itself is tested: a page that is too wide must be told."""
    page = tmp_path / "wide.html"
    page.write_text('<!DOCTYPE html><body><div class="w" style="width: 900px">x</div></body>')
    told = measure(page, tmp_path, 400)[400]
    assert told["scrollWidth"] > 400
    assert told["overflowing"] == ["DIV.w"]


def test_light_and_dark(report: Path, tmp_path: Path) -> None:
    chromium()
    page = report / "run-light-group.html"
    light = screenshot(page, tmp_path, 700, 500)
    assert min(corner_colour(light)) > 240
    assert len({row[i : i + 3] for row in pixels(light) for i in range(0, len(row), 3)}) > 50
    dark = screenshot(page, tmp_path, 701, 500, "--blink-settings=preferredColorScheme=0")
    assert max(corner_colour(dark)) < 60
