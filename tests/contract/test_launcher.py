# SPDX-License-Identifier: BSD-2-Clause
"""./chorus: quick once set up, quiet on standard output, honest where it cannot set up."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chorus_pytest import Chorus


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """As a user has it: nothing of the test suite's own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CHORUS_", "PYTEST_"))}
    if not (home / "build/build.ninja").exists() or not (home / ".venv").exists():
        pytest.skip("./chorus has not set this tree up")
    return kept


def launch(
    home: Path, environment: dict[str, str], *arguments: str, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(home / "chorus"), *arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_says_nothing_of_its_own_once_set_up(home: Path, environment: dict[str, str]) -> None:
    launch(home, environment, "--version")
    done = launch(home, environment, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "chorus 0.1.0\n", "")


def test_is_quick_once_set_up(home: Path, environment: dict[str, str]) -> None:
    """Processor time, the best of five: other work on the machine is not the launcher's."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        launch(home, environment, "--version")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.3


def test_works_from_anywhere_and_through_a_link(
    home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    link = tmp_path / "my-chorus"
    link.symlink_to(home / "chorus")
    done = subprocess.run(
        [str(link), "scenarios", "--json"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) >= 18


def test_passes_arguments_and_exit_codes_on(
    home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    done = launch(home, environment, "run", "no such; thing $HOME", cwd=tmp_path)
    assert done.returncode == 2
    assert "no such; thing $HOME" in done.stderr


def test_several_at_once_do_not_collide(home: Path, environment: dict[str, str]) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: launch(home, environment, "rules", "--json"), range(6)))
    assert [d.returncode for d in done] == [0] * 6
    assert len({d.stdout for d in done}) == 1


def poor_machine(directory: Path, *without: str) -> str:
    """A search path without some programs, for a user who is not root."""
    bin_directory = directory / "bin"
    bin_directory.mkdir()
    for folder in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(folder).iterdir():
            target = bin_directory / program.name
            if program.name not in (*without, "sudo", "id") and not target.exists():
                target.symlink_to(program)
    fake = bin_directory / "id"
    fake.write_text("#!/bin/sh\necho 1000\n")
    fake.chmod(0o755)
    return str(bin_directory)


def test_without_root_it_says_what_to_install(
    home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    path = poor_machine(tmp_path, "cmake", "ninja")
    poor = environment | {"PATH": path, "CHORUS_BUILD": str(tmp_path / "build")}
    done = launch(home, poor, "run", "--json")
    assert done.returncode == 3
    assert "apt-get install cmake ninja-build\n" in done.stderr
    assert done.stdout == ""


def test_a_build_that_fails_is_exit_3_with_the_reason(
    home: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    broken = environment | {"CC": "/bin/false", "CHORUS_BUILD": str(tmp_path / "build")}
    done = launch(home, broken, "run", "--json")
    assert done.returncode == 3
    assert "cmake failed" in done.stderr
    assert "is not able to compile" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("there", [False, True], ids=["read-only checkout", "built by root"])
def test_a_folder_that_cannot_be_written_is_exit_3_and_says_what_helps(
    home: Path, environment: dict[str, str], tmp_path: Path, there: bool
) -> None:
    """A file in the way stands for missing rights, which root does not miss."""
    build = tmp_path / "build"
    if there:
        (build / ".lock").mkdir(parents=True)
    else:
        build.write_text("")
    done = launch(home, environment | {"CHORUS_BUILD": str(build)}, "rules", "NR-01")
    assert done.returncode == 3
    assert f"cannot write to {build}; CHORUS_BUILD" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_suite_refuses_a_part_that_it_does_not_know(home: Path) -> None:
    """W1, for the test suite itself."""
    environment = {"CHORUS_HOME": str(home), "CHORUS_PYTHON": sys.executable}
    done = subprocess.run(
        [str(home / "tests/suite"), "nosuch"], env=os.environ | environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no part 'nosuch'" in done.stderr


# ---- what hangs on the launcher's environment ----


def test_report_and_diff_are_commands_of_the_tool(tool: Chorus, tmp_path: Path) -> None:
    for seed in (1, 2):
        tool.run("GC-2.3.1-02", seed=seed, out=tmp_path / str(seed)).check_passed()
    one, two = (str(tmp_path / n / "results.json") for n in ("1", "2"))
    tool.call(
        "report", one, "--html", str(tmp_path / "html"), "--junit", str(tmp_path / "j.xml")
    ).check_exit_code(0)
    assert (tmp_path / "html/index.html").is_file()
    assert (tmp_path / "j.xml").is_file()
    tool.call("diff", one, two).check_exit_code(0)


def test_run_ends_with_a_listing_the_counts_and_the_report(tool: Chorus, tmp_path: Path) -> None:
    result = tool.call("run", "--out", str(tmp_path)).check_exit_code(0)
    lines = result.stdout.splitlines()
    assert lines[0] == "draft-dijk-core-groupcomm-bis-03"
    assert lines[1].strip().startswith("section ")
    assert lines[-2] == f"results  {tmp_path}/results.json"
    assert lines[-1] == f"report   {tmp_path}/report/index.html"
    assert (tmp_path / "report/index.html").is_file()


def place(section: str) -> list[tuple[int, str]]:
    """A key by which sections sort as they are read: 2.2 before 2.10, appendices last."""
    return [(int(p), "") if p.isdigit() else (10**6, p) for p in section.split(".")]


def test_the_listing_reads_as_the_documents_do(tool: Chorus, tmp_path: Path) -> None:
    done = tool.call("run", "GC-2.3.1-02", "--out", str(tmp_path), "--no-report")
    sections: list[str] = []
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            sections = []
        elif line.startswith("  section "):
            sections.append(line.split()[1])
            assert sections == sorted(set(sections), key=place), line
    assert done.stdout.count("  section ") > 40
