# SPDX-License-Identifier: BSD-2-Clause
"""Headless Chromium for tests: what a page looks like, measured in frames of given widths."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip

MEASURE = """
<script>
addEventListener("load", () => {
  const told = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement;
    const style = (e) => frame.contentWindow.getComputedStyle(e);
    const scrolls = (e) =>
      e && (/auto|scroll/.test(style(e).overflowX) || scrolls(e.parentElement));
    const wide = [...page.querySelectorAll("body *")].filter((e) =>
      e.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(e));
    told[frame.width] = {
      clientWidth: root.clientWidth, scrollWidth: root.scrollWidth,
      overflowing: wide.map((e) => e.tagName + "." + e.getAttribute("class")),
      lanes: [...page.querySelectorAll("svg.lanes text.node")].map((e) => e.dataset.lane),
      laneCentres: [...page.querySelectorAll("svg.lanes line.lane")].map(
        (e) => Math.round(e.getBoundingClientRect().left)),
      messages: page.querySelectorAll("svg.lanes g.message").length,
      lost: [...page.querySelectorAll("svg.lanes g.lost")].map((e) => e.dataset.to),
      findings: page.querySelectorAll("article.finding").length,
      fontSize: parseFloat(style(page.body).fontSize),
    };
  }
  document.body.dataset.told = JSON.stringify(told);
});
</script>
"""


def chromium() -> str:
    found = shutil.which("chromium")
    if not found:
        pytest.skip("chromium is not installed")
    return found


def _start(scratch: Path, *arguments: str) -> str:
    profile = scratch / "profile"
    done = subprocess.run(
        (chromium(), *FLAGS, f"--user-data-dir={profile}", *arguments),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    shutil.rmtree(profile, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def measure(page: Path, scratch: Path, *widths: int) -> dict[int, Any]:
    """Opens |page| in a frame of each width and says what is in it and what sticks out."""
    source = escape(page.read_text(encoding="utf-8"), quote=True)
    frames = [f'<iframe width="{w}" height="900" srcdoc="{source}"></iframe>' for w in widths]
    probe = scratch / "probe.html"
    body = "".join(frames) + MEASURE
    probe.write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{body}</body>')
    dom = _start(scratch, "--virtual-time-budget=10000", "--dump-dom", probe.as_uri())
    told = re.search(r'data-told="([^"]*)"', dom)
    assert told, dom[-2000:]
    return {int(width): value for width, value in json.loads(unescape(told[1])).items()}


def screenshot(page: Path, scratch: Path, width: int, height: int, *more: str) -> Path:
    picture = scratch / f"{page.stem}-{width}.png"
    _start(
        scratch, f"--window-size={width},{height}", f"--screenshot={picture}", *more, page.as_uri()
    )
    return picture


def _unfilter(kind: int, row: bytearray, above: bytes, step: int) -> None:
    """Undoes one of PNG's line filters (PNG specification, section 9.2) in place."""
    for i, value in enumerate(row):
        left = row[i - step] if i >= step else 0
        up = above[i]
        corner = above[i - step] if i >= step else 0
        if kind == 4:
            guess = left + up - corner
            near = min((abs(guess - c), n, c) for n, c in enumerate((left, up, corner)))
            row[i] = (value + near[2]) & 255
        else:
            row[i] = (value + (0, left, up, (left + up) // 2)[kind]) & 255


def pixels(picture: Path) -> list[bytes]:
    """The rows of an 8-bit RGB or RGBA PNG, every pixel as it is."""
    data = picture.read_bytes()
    at, body, header = 8, b"", b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        chunk = data[at + 8 : at + 8 + length]
        header = chunk if kind == b"IHDR" else header
        body += chunk if kind == b"IDAT" else b""
        at += length + 12
    width, _, _, colour = struct.unpack(">IIBB", header[:10])
    step = {2: 3, 6: 4}[colour]
    raw, rows, above = zlib.decompress(body), [], bytes(width * step)
    for start in range(0, len(raw), width * step + 1):
        row = bytearray(raw[start + 1 : start + 1 + width * step])
        _unfilter(raw[start], row, above, step)
        above = bytes(row)
        rows.append(above)
    return rows


def corner_colour(picture: Path) -> tuple[int, int, int]:
    """The colour of the page's upper left corner: its background."""
    red, green, blue = pixels(picture)[0][:3]
    return red, green, blue
