"""What becomes of a live test whose server is not there.

Such a test is skipped, with the reason. Where ``PIPELINE_SYNC_LIVE`` says that it has to run, it
fails instead: ``required`` means all servers, else it lists names (``postgresql,redmine``).
"""

from __future__ import annotations

import os
from typing import Final, NoReturn

import pytest

VARIABLE: Final = "PIPELINE_SYNC_LIVE"


def is_required(server: str) -> bool:
    """Tells whether live tests on ``server`` must not be left out."""
    names = os.environ.get(VARIABLE, "").replace(",", " ").split()
    return "required" in names or server in names


def leave_out(server: str, reason: str) -> NoReturn:
    """Skips the present test because ``server`` is not there; fails it where it has to be."""
    if is_required(server):
        pytest.fail(f"{VARIABLE} requires {server}, and {reason}", pytrace=False)
    pytest.skip(f"no live {server}: {reason}")
