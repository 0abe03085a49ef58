# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces for adapters, and every adapter whose stack is installed as a parameter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from lab import Lab, make_lab

from .driver import Manifest, Program, manifests

TOOLS = ("ip", "setpriv", "sysctl")
Start = Callable[[Manifest, str, str], Program]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for role in ("server", "client", "proxy"):
        if role in metafunc.fixturenames:
            having = [m for m in manifests() if role in m.roles]
            metafunc.parametrize(role, having, ids=lambda m: m.name, scope="module")
    if "ip" in metafunc.fixturenames:
        metafunc.parametrize("ip", [4, 6], ids=["ipv4", "ipv6"], scope="module")


@pytest.fixture(scope="session")
def versions() -> dict[str, str | None]:
    """What is installed, by the name of the stack."""
    return {manifest.name: manifest.version() for manifest in manifests()}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Three hosts on a bridge that floods multicast."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with make_lab(snooping=False) as made:
        for name in ("one", "two", "three"):
            made.add_host(name)
        yield made


@pytest.fixture
def start(lab: Lab, versions: dict[str, str | None], tmp_path: Path) -> Iterator[Start]:
    """Starts an adapter in a role on a host; skips where its stack is not installed."""
    running: list[Program] = []

    def start_one(manifest: Manifest, role: str, host: str) -> Program:
        if versions[manifest.name] is None:
            pytest.skip(f"{manifest.name} is not installed; ./chorus interop setup installs it")
        log = tmp_path / f"{manifest.name}-{role}-{host}.log"
        program = Program(manifest, role, lab.hosts[host], log)
        running.append(program)
        return program

    yield start_one
    for program in running:
        with suppress(OSError):
            program.kill()
