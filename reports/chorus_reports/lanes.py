# SPDX-License-Identifier: BSD-2-Clause
"""The lane diagram: one lane per node, time downwards, a line for every message to every receiver.

Time is not to scale: the order of events is kept exactly, longer waits get more room up to a limit,
and a wait of more than a second is written between the lanes. A lost message ends, broken, before
the lane of the receiver that missed it, with the cause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from chorus_reports.model import Delivery, Message, Node
from chorus_reports.words import SECOND, duration, moment

LABEL_WIDTH = 400
LABEL_LETTERS = 45
LANE_GAPS = (72, 108)  # narrowest and widest
LANES_WIDTH = 584  # what the lanes may take before they need more room than a page has
HEAD = 58
ROW = 30
FALL = 15  # how far a line falls at least between its sender and its receivers
RIGHT_MARGIN = 100
LOST_AT = 0.72


@dataclass(frozen=True)
class Drawing:
    svg: str
    width: int
    height: int


class _Time:
    """Maps times to heights: strictly increasing over everything that happens."""

    def __init__(self, messages: list[Message]) -> None:
        sends: dict[int, int] = {}
        arrivals: set[int] = set()
        for m in messages:
            sends[m.time_ns] = sends.get(m.time_ns, 0) + 1
            arrivals.update(d.time_ns for d in m.deliveries if d.time_ns is not None)
        self.at: dict[int, float] = {}
        self.waits: list[tuple[float, int]] = []
        self.last = 0
        y, last, rows, was_send = float(HEAD), None, 0, False
        for t in sorted(arrivals | set(sends)):
            if last is not None:
                self.last = last
                y += self._step(t - last, rows, t in sends, was_send)
            self.at[t] = y
            last, rows, was_send = t, sends.get(t, 0), t in sends
        self.bottom = y + max(rows, 1) * ROW

    def _step(self, wait: int, rows: int, now_send: bool, was_send: bool) -> float:
        room = 3 + 3.2 * math.log10(1 + wait / 100_000)
        step = min(room, 30.0) + max(rows - 1, 0) * ROW
        if now_send:
            step = max(step, ROW * max(rows, 1) if was_send else ROW * 0.7)
        elif was_send:
            step = max(step, FALL + max(rows - 1, 0) * ROW)
        if wait > SECOND and now_send:
            room = (max(rows, 1) * ROW if was_send else 18) + 30
            step = max(step, room)
            self.waits.append((self.at[self.last] + step - 24, wait))
        return step


def kind_of(message: Message) -> str:
    """request, response or empty: what the colour of a line says."""
    if re.search(r"\b[2-5]\.\d\d\b", message.text):
        return "response"
    if re.search(r"\b(GET|POST|PUT|DELETE|FETCH|PATCH|iPATCH)\b", message.text):
        return "request"
    return "empty"


def lane_names(messages: list[Message], nodes: Sequence[Node] = ()) -> list[str]:
    """Every node that takes part: as the scenario lists them; where nobody does, senders of
    requests first, then by name as people count."""
    listed = {node.name: n for n, node in enumerate(nodes)}
    names = {m.node for m in messages} | {d.node for m in messages for d in m.deliveries}
    asks = {m.node for m in messages if kind_of(m) == "request"}

    def order(name: str) -> tuple[int, bool, list[tuple[int, str]]]:
        parts = re.findall(r"\d+|\D+", name)
        return (
            listed.get(name, len(listed)),
            name not in asks,
            [(int(p), "") if p.isdigit() else (-1, p) for p in parts],
        )

    return sorted(names, key=order)


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _cause(d: Delivery) -> str:
    """Why |d| was lost, or "" when it was not."""
    return d.lost + (f", line {d.clause}" if d.lost and d.clause else "")


def _label(text: str) -> str:
    """The text of a message as far as it fits: a long Token keeps its beginning."""
    return _shortened(re.sub(r"(token=[0-9a-f]{4})[0-9a-f]{4,}", r"\1…", text), LABEL_LETTERS)


class _Picture:
    def __init__(
        self, messages: list[Message], bad_frames: set[int], nodes: Sequence[Node]
    ) -> None:
        # The stack, where one is under test: the name of a node tells its role.
        self.roles = {node.name: _shortened(node.sut or node.role, 14) for node in nodes}
        self.messages = messages
        self.bad = bad_frames
        self.lanes = lane_names(messages, nodes)
        fitting = LANES_WIDTH // max(len(self.lanes) - 1, 1)
        self.gap = min(max(fitting, LANE_GAPS[0]), LANE_GAPS[1])
        self.x = {n: LABEL_WIDTH + 46 + i * self.gap for i, n in enumerate(self.lanes)}
        self.time = _Time(messages)
        self.start = min((m.time_ns for m in messages), default=0)
        # Runs begin at 0; captures made elsewhere begin at some moment since the epoch.
        self.start = self.start if self.start > 10**17 else 0
        self.width = LABEL_WIDTH + 46 + (len(self.lanes) - 1) * self.gap + RIGHT_MARGIN
        self.parts: list[str] = []

    def add(self, part: str) -> None:
        self.parts.append(part)

    def draw(self) -> Drawing:
        height = math.ceil(self.time.bottom + 14)
        self.draw_lanes(height)
        for y, wait in self.time.waits:
            self.draw_wait(y, wait)
        rows: dict[int, int] = {}
        for m in self.messages:
            row = rows.get(m.time_ns, 0)
            rows[m.time_ns] = row + 1
            self.draw_message(m, self.time.at[m.time_ns] + row * ROW)
        title = f"Messages between {', '.join(self.lanes)}, time downwards"
        svg = (
            f'<svg class="lanes" role="img" aria-label="{escape(title)}" '
            f'viewBox="0 0 {self.width} {height}" width="{self.width}" height="{height}" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(self.parts)}</svg>'
        )
        return Drawing(svg, self.width, height)

    def draw_lanes(self, height: int) -> None:
        for name in self.lanes:
            x = self.x[name]
            self.add(f'<line class="lane" x1="{x}" y1="40" x2="{x}" y2="{height}"/>')
            role = escape(self.roles.get(name, ""))
            self.add(f'<text class="role" x="{x}" y="32" text-anchor="middle">{role}</text>')
            self.add(
                f'<text class="node" data-lane="{escape(name)}" x="{x}" y="18" '
                f'text-anchor="middle">{escape(_shortened(name, 16))}'
                f"<title>{escape(name)}</title></text>"
            )

    def draw_wait(self, y: float, wait: int) -> None:
        x2 = self.width - 10
        self.add(f'<line class="wait" x1="8" y1="{y:.1f}" x2="{x2}" y2="{y:.1f}"/>')
        self.add(
            f'<text class="wait-text" x="{LABEL_WIDTH}" y="{y + 3:.1f}" text-anchor="end">'
            f"{escape(duration(wait))} later</text>"
        )

    def draw_message(self, m: Message, y: float) -> None:
        bad = bool({m.frame, *(d.frame for d in m.deliveries)} & self.bad - {0})
        kind = kind_of(m)
        fan = " fan" if len(m.deliveries) > 1 else ""
        self.add(f'<g class="message {kind}{fan}{" bad" if bad else ""}" id="frame-{m.frame}">')
        self.add(f"<title>{escape(self.describe(m))}</title>")
        self.draw_label(m, y, bad)
        # The cause is written once: at the last of those that share it, where it has room.
        causes = {_cause(d): d for d in sorted(m.deliveries, key=lambda d: self.x[d.node])}
        for d in sorted(m.deliveries, key=lambda d: d.lost != ""):
            self.draw_delivery(m, d, y, causes[_cause(d)] is d)
        self.add(f'<circle class="sent" cx="{self.x[m.node]}" cy="{y:.1f}" r="3.2"/></g>')

    def draw_label(self, m: Message, y: float, bad: bool) -> None:
        mark = "✗ " if bad else ""
        self.add(
            f'<text class="time" x="64" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(moment(m.time_ns, self.start))}</text>"
            f'<text class="label" x="74" y="{y + 4:.1f}">'
            f"{escape(mark + _label(m.text))}</text>"
            f'<line class="lead" x1="{LABEL_WIDTH}" y1="{y:.1f}" '
            f'x2="{self.x[m.node]}" y2="{y:.1f}"/>'
        )

    def draw_delivery(self, m: Message, d: Delivery, y: float, say_why: bool) -> None:
        x1, x2 = self.x[m.node], self.x[d.node]
        if d.lost:
            self.draw_loss(d, x1, y, x2, say_why)
            return
        y2 = self.arrival(d, m, y)
        if x1 == x2:  # a multicast looped back to its own sender
            self.add(f'<path class="line" d="M{x1} {y:.1f} q22 4 0 {max(y2 - y, 8):.1f}"/>')
            return
        side = 1 if x2 > x1 else -1
        self.add(f'<line class="line" x1="{x1}" y1="{y:.1f}" x2="{x2 - side * 2}" y2="{y2:.1f}"/>')
        angle = math.atan2(y2 - y, x2 - x1)
        points = [
            (x2 + 9 * math.cos(angle + turn), y2 + 9 * math.sin(angle + turn))
            for turn in (math.pi - 0.36, math.pi + 0.36)
        ]
        corners = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        self.add(f'<polygon class="head" points="{x2},{y2:.1f} {corners}"/>')

    def arrival(self, d: Delivery, m: Message, y: float) -> float:
        if d.time_ns is None:
            return y + FALL
        offset = y - self.time.at[m.time_ns]
        return max(self.time.at[d.time_ns] + offset, y + FALL)

    def draw_loss(self, d: Delivery, x1: float, y: float, x2: float, say_why: bool) -> None:
        """Broken off in the last gap before the receiver's lane, where the cause fits."""
        side = 1 if x2 > x1 else -1
        end = x2 - side * self.gap * (1 - LOST_AT) if x1 != x2 else x1 + 12
        y2 = y + FALL * LOST_AT
        cause = escape(_cause(d))
        anchor = "start" if side > 0 else "end"
        said = (
            f'<text class="cause" x="{end + side * 8:.1f}" y="{y2 + 3.5:.1f}" '
            f'text-anchor="{anchor}">{cause}</text>'
        )
        self.add(
            f'<g class="lost" data-to="{escape(d.node)}"><title>lost towards '
            f"{escape(d.node)}: {cause}</title>"
            f'<line class="line" x1="{x1}" y1="{y:.1f}" x2="{end:.1f}" y2="{y2:.1f}"/>'
            f'<path class="cross" d="M{end - 4:.1f} {y2 - 4:.1f} l8 8 m0 -8 l-8 8"/>'
            f"{said if say_why else ''}</g>"
        )

    def describe(self, m: Message) -> str:
        lines = [f"frame {m.frame}, {moment(m.time_ns, self.start)}: {m.node} to {m.to}", m.text]
        for d in m.deliveries:
            if d.lost:
                where = f", line {d.clause} of the scenario" if d.clause else ""
                lines.append(f"{d.node}: lost ({d.lost}{where})")
            elif d.time_ns is not None:
                lines.append(f"{d.node}: after {duration(max(d.time_ns - m.time_ns, 0))}")
        return "\n".join(lines)


def draw(
    messages: Sequence[Message], bad_frames: set[int], nodes: Sequence[Node] = ()
) -> Drawing | None:
    """The diagram of |messages|, frames with a finding marked; None without any message."""
    if not messages:
        return None
    ordered = sorted(messages, key=lambda m: (m.time_ns, m.frame))
    return _Picture(ordered, bad_frames, nodes).draw()
