"""Where the tests' files lie: in memory, where the machine offers enough of it.

Thousands of small databases are made, and SQLite waits for the disk after each transaction: two
processors were idle a quarter of the time. With ``TMPDIR`` set, files lie there.

What a run with failures leaves can be looked at until the next run begins.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import util
from pathlib import Path
from typing import Final

import pytest

MEMORY: Final = Path("/dev/shm")
NEEDED: Final = 2 * 2**30
"""Bytes: several times what a run takes."""
_PREFIX: Final = "pipeline-sync-"
_FOLDER: Final = pytest.StashKey[Path]()
_FAILED: Final = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)  # before pytest chooses its own folder
def pytest_configure(config: pytest.Config) -> None:
    if "TMPDIR" in os.environ or not is_enough(MEMORY):
        return  # a process of xdist has its folder from the one that started it
    for folder in left_behind(MEMORY):
        shutil.rmtree(folder, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY))
    made.chmod(0o1777)  # as /tmp: a PostgreSQL runs as another account
    os.environ["TMPDIR"] = str(made)
    tempfile.tempdir = None
    config.stash[_FOLDER] = made


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_FAILED] = exitstatus == pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_FOLDER, None)
    if folder is not None and not config.stash.get(_FAILED, False):
        # After the module has removed its own folder in there, when Python ends.
        util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-1_000)


def is_enough(memory: Path) -> bool:
    try:
        found = os.statvfs(memory)
    except OSError:
        return False
    runs_programs = not found.f_flag & os.ST_NOEXEC
    return runs_programs and found.f_bavail * found.f_frsize >= NEEDED


def left_behind(memory: Path) -> Iterator[Path]:
    """Yields the folders of runs that have ended."""
    for folder in memory.glob(f"{_PREFIX}*"):
        with suppress(OSError, ValueError):
            number = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
            if folder.stat().st_uid == os.getuid() and not Path(f"/proc/{number}").exists():
                yield folder
