# SPDX-License-Identifier: BSD-2-Clause
"""Makes tests/captures/libcoap-*.pcap* anew. Root only; see the README there."""

from __future__ import annotations

import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import run
from libcoap import make_captures

TARGET = Path(__file__).resolve().parent.parent / "captures"
CASES = [(ip, snooping) for ip in (4, 6) for snooping in (False, True)]


def make(case: tuple[int, bool]) -> None:
    ip, snooping = case
    name = f"libcoap-ipv{ip}-{'snooping' if snooping else 'flooding'}"
    with tempfile.TemporaryDirectory() as directory:
        captures = make_captures(ip, snooping, Path(directory))
        # The tests want both formats: the bridge's as pcapng, the client's as it is.
        run("editcap", "-F", "pcapng", str(captures.bridge), str(TARGET / f"{name}-bridge.pcapng"))
        shutil.copyfile(captures.client, TARGET / f"{name}-client.pcap")


def main() -> int:
    with ThreadPoolExecutor(len(CASES)) as pool:
        list(pool.map(make, CASES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
