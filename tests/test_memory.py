"""The tests' files lie in memory where there is enough, and are gone when the tests have ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import memory

TESTS = """
import pathlib, os
def test_passes(tmp_path):
    pathlib.Path("place.txt").write_text(os.environ["TMPDIR"])
    assert tmp_path.is_relative_to(os.environ["TMPDIR"])
"""


def test_the_files_of_a_run_lie_there_and_are_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(
        "import pathlib\nfrom tests import memory\n"
        f"memory.MEMORY = pathlib.Path({str(tmp_path)!r})\nmemory.NEEDED = 1\n"
        "from tests.memory import pytest_configure, pytest_sessionfinish, pytest_unconfigure\n"
    )
    environment = {
        **{name: text for name, text in os.environ.items() if name != "TMPDIR"},
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    place = Path((tmp_path / "place.txt").read_text())
    assert place.parent == tmp_path
    assert not place.exists()


def test_what_a_run_that_was_killed_has_left_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for number in (ended.pid, os.getpid()):
        (tmp_path / f"pipeline-sync-{number}-x").mkdir()
    (tmp_path / "pipeline-sync-of-others").mkdir()
    found = [folder.name for folder in memory.left_behind(tmp_path)]
    assert found == [f"pipeline-sync-{ended.pid}-x"]


def test_a_small_memory_or_none_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not memory.is_enough(tmp_path / "none")
    monkeypatch.setattr(memory, "NEEDED", 2**62)
    assert not memory.is_enough(tmp_path)
