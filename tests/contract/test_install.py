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
#include <chorus/emulator.h>
#include <chorus/endpoint_text.h>
#include <chorus/reference.h>

static unsigned add(struct emu_network *network, const char *name, const char *address,
                    struct chorus_node node) {
  struct chorus_endpoint own;
  chorus_address_parse(address, 0, &own);
  struct emu_node_config config = {
      .name = name, .node = node, .addresses = &own, .address_count = 1};
  return emu_add_node(network, &config);
}

int main(void) {
  const char *why = 0;
  struct ref_resource light = {.path = "/light", .methods = REF_GET};
  struct ref_server_config server = {.resources = &light, .resource_count = 1};
  struct ref_client_config client = {.port = 40001, .token_length = 4};
  struct emu_config config = {.seed = 1, .latency = CHORUS_MILLISECOND};
  struct emu_network *network = emu_network_new(&config);
  struct chorus_node c = ref_client_new(&client, &why), s = ref_server_new(&server, &why);
  if (!network || !c.ops || !s.ops) return 1;
  unsigned node = add(network, "c1", "2001:db8::1", c);
  add(network, "s1", "2001:db8::2", s);
  struct chorus_argument arguments[] = {{"id", "q"}, {"uri", "coap://[2001:db8::2]/light"}};
  struct chorus_command get = {.verb = "request", .arguments = arguments, .count = 2};
  if (emu_start(network) != CHORUS_OK) return 2;
  if (emu_command(network, node, &get, &why) != CHORUS_OK) return 3;
  emu_run_until(network, 10 * CHORUS_SECOND);
  if (emu_counters(network).fate[EMU_DELIVERED] != 2) return 4; /* the request, its answer */
  emu_stop(network);
  emu_network_free(network);
  ref_client_free(c);
  ref_server_free(s);
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
def test_the_installed_libraries_link(prefix: Path, tmp_path: Path) -> None:
    source = tmp_path / "user.c"
    source.write_text(PROGRAM)
    (described,) = prefix.rglob("chorus.pc")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "chorus"], check=True, capture_output=True, text=True,
        env=os.environ | {"PKG_CONFIG_PATH": str(described.parent)},
    ).stdout.split()  # fmt: skip
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", str(source), *flags,
         "-o", str(tmp_path / "user")], check=True,
    )  # fmt: skip
    subprocess.run([str(tmp_path / "user")], check=True, timeout=10)


@needs("pkg-config")
def test_pkg_config_tells_the_version_of_the_tool(prefix: Path, tool: Chorus) -> None:
    (described,) = prefix.rglob("chorus.pc")
    version = subprocess.run(
        ["pkg-config", "--modversion", str(described)], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert version in tool.call("--version").stdout
