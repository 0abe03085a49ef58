# SPDX-License-Identifier: BSD-2-Clause
"""cmake --install: everything in its place, and usable from there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jinja2
import markupsafe
import pytest
from machine import needs

from chorus_pytest import Chorus

PROGRAM = """\
#include <chorus/reference.h>
int main(void) {
  struct ref_client_config config = {.port = 40001, .token_length = 4};
  const char *why = 0;
  struct chorus_node client = ref_client_new(&config, &why);
  if (!client.state) return 1;
  ref_client_free(client);
  return 0;
}
"""


@pytest.fixture(scope="module")
def prefix(tool: Chorus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = Path(tool.path).parents[2]
    target = tmp_path_factory.mktemp("prefix")
    subprocess.run(["ninja", "-C", str(build), "all"], check=True, capture_output=True)
    subprocess.run(
        ["cmake", "--install", str(build), "--prefix", str(target)], check=True, capture_output=True
    )
    return target


def test_everything_is_in_its_place(prefix: Path) -> None:
    for name in (
        "bin/chorus", "include/chorus/reference.h", "include/chorus/emulator.h",
        "include/chorus/node.h", "share/man/man1/chorus.1", "share/doc/chorus/README.md",
        "share/chorus/schema/results.schema.json", "share/chorus/schema/scenario.schema.json",
        "share/chorus/schema/topology.schema.json", "share/chorus/schema/manifest.schema.json",
    ):  # fmt: skip
        assert (prefix / name).is_file(), name
    assert list(prefix.rglob("libchorus_reference.a"))
    assert list((prefix / "share/chorus/scenarios").rglob("*.yaml"))


def test_the_installed_tool_finds_its_scenarios(prefix: Path, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHORUS")}
    done = subprocess.run(
        [prefix / "bin/chorus", "run", "GC-2.3.1-02", "--out", str(tmp_path)],
        env=kept, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("*.pcapng"))


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """An interpreter that has Jinja2, as Debian packages it, and nothing of ours."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for module in (jinja2, markupsafe):
        folder = Path(str(module.__file__)).parent
        (packages / folder.name).symlink_to(folder)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec env PYTHONPATH={packages} {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    return python


def test_the_installed_tool_writes_its_report(
    prefix: Path, tmp_path: Path, bare_python: Path
) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHORUS")}
    out = tmp_path / "out"
    done = subprocess.run(
        [prefix / "bin/chorus", "run", "GC-2.3.1-02", "--out", str(out)],
        env=kept | {"CHORUS_PYTHON": str(bare_python)}, cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "report   " in done.stdout
    assert (out / "report/index.html").is_file()


def test_a_run_without_python_says_that_there_is_no_report(prefix: Path, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHORUS")}
    done = subprocess.run(
        [prefix / "bin/chorus", "run", "GC-2.3.1-02", "--out", str(tmp_path / "out")],
        env=kept | {"CHORUS_PYTHON": "/nonexistent/python"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "cannot start /nonexistent/python" in done.stderr
    assert "report   " not in done.stdout


def test_the_installed_tool_finds_its_adapters(prefix: Path, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CHORUS")}
    done = subprocess.run(
        [prefix / "bin/chorus", "interop", "setup", "no-such-stack"],
        env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    folder = done.stderr.partition(" in ")[2].partition(";")[0]
    assert Path(folder).resolve() == (prefix / "share/chorus/adapters").resolve()


@needs("cc", "pkg-config")
def test_the_installed_library_links(prefix: Path, tmp_path: Path) -> None:
    source = tmp_path / "user.c"
    source.write_text(PROGRAM)
    (library,) = prefix.rglob("libchorus_reference.a")
    coap = subprocess.run(
        ["pkg-config", "--libs", "libcoap-3-notls"], capture_output=True, text=True, check=True
    ).stdout.split()
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{prefix}/include", str(source),
         str(library), *coap, "-o", str(tmp_path / "user")], check=True,
    )  # fmt: skip
    subprocess.run([str(tmp_path / "user")], check=True, timeout=10)
