"""Whatever the caller did to stdin, stdout and stderr: an exit code of the table, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sampled_tests(6)

COMMANDS = ["--version", "deals list", "deals export /dev/stdout"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pipeline")
    init = "init . --sample --taiga-url http://127.0.0.1:9 --username bot"
    assert shell(init, place).returncode == 0
    return place


def shell(command: str, folder: Path, redirection: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command line as people do: what is printed is buffered, whatever this machine says."""
    line = f"{sys.executable} -m taiga_pipeline {command} {redirection}"
    environment = {k: value for k, value in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_stdout_is_said(folder: Path, command: str) -> None:
    done = shell(command, folder, ">/dev/full")
    assert done.returncode == 2
    assert "cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "<&- >&- 2>&-"])
def test_a_closed_stdout_is_one_that_nobody_reads(folder: Path, redirection: str) -> None:
    for command in COMMANDS:
        done = shell(command, folder, redirection)
        assert (done.returncode, done.stdout) == (0, "")
        assert "Traceback" not in done.stderr


def test_what_is_printed_never_ends_in_a_store_that_took_the_number(folder: Path) -> None:
    before = shell("deals list --json", folder).stdout
    assert shell("deals edit D-101 --value 5", folder, "<&- >&- 2>&-").returncode == 0
    assert shell("deals list --json", folder).stdout != before
    assert (folder / "pipeline.db").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_what_cannot_be_said_leaves_its_exit_code(folder: Path, redirection: str) -> None:
    assert shell("nope", folder, redirection).returncode == 2
    assert shell("deals show nope", folder, redirection).returncode == 2
    assert shell("run", folder, redirection).returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_what_an_encoding_cannot_hold_is_escaped_as_json_reads_it(
    folder: Path, encoding: str
) -> None:
    shell("deals edit D-101 --customer 'Łódź ✓ 🙂'", folder)
    command = f"{sys.executable} -m taiga_pipeline deals show D-101"
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    written = "utf-8" if encoding == "ascii" else encoding  # click takes ASCII for a mistake
    for flags in ("", " --json"):
        done = subprocess.run(
            ["/bin/sh", "-c", command + flags], cwd=folder, env=environment, capture_output=True,
            check=True, timeout=60,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr
        if flags:
            assert json.loads(done.stdout.decode(written))["customer"] == "Łódź ✓ 🙂"
