"""What becomes of a test whose server, or program, is not there.

Such a test is skipped, with the reason. Where ``PIPELINE_SYNC_LIVE`` says that it has to run, it
fails instead: ``required`` means all of them, else it lists names (``postgresql,chromium``).
"""

from __future__ import annotations

import os
import shutil
from typing import Final, NoReturn

import pytest

VARIABLE: Final = "PIPELINE_SYNC_LIVE"


def is_required(name: str) -> bool:
    """Tells whether tests with this server or program must not be left out."""
    names = os.environ.get(VARIABLE, "").replace(",", " ").split()
    return "required" in names or name in names


def leave_out(name: str, reason: str) -> NoReturn:
    """Skips the present test, as a server or program is not there; fails it where it has to be."""
    if is_required(name):
        pytest.fail(f"{VARIABLE} requires {name}, and {reason}", pytrace=False)
    pytest.skip(f"without {name}: {reason}")


def program(name: str, *others: str) -> str:
    """Returns the path of a program, under one of its names; leaves the test out if it has none."""
    for each in (name, *others):
        found = shutil.which(each) or shutil.which(each, path="/usr/sbin")
        if found is not None:
            return found
    leave_out(name, "it is not installed")
