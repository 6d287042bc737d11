"""The lock's file is the lock's own: whatever else stands under its name stays as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.clock import SystemClock
from sync.errors import Locked, StateUnusable
from sync.run.lock import run_lock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state.db'}"


def hold(url: str) -> None:
    with run_lock(url, "acme", SystemClock()):
        pass


@pytest.mark.parametrize("exists", [True, False])
def test_a_planted_link_is_not_followed(url: str, tmp_path: Path, exists: bool) -> None:
    victim = tmp_path / "victim"
    if exists:
        victim.write_text("dear to somebody")
    (tmp_path / "state.db.lock").symlink_to(victim)
    with pytest.raises(StateUnusable, match="this is something else"):
        hold(url)
    assert victim.exists() == exists
    assert not exists or victim.read_text() == "dear to somebody"


def test_what_has_a_second_name_is_locked_and_not_written(url: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("dear to somebody")
    (tmp_path / "state.db.lock").hardlink_to(victim)
    with run_lock(url, "acme", SystemClock()), pytest.raises(Locked):
        hold(url)
    assert victim.read_text() == "dear to somebody"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_a_folder_or_a_pipe_is_no_lock_and_holds_nobody_up(
    url: str, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "state.db.lock"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(StateUnusable, match="this is something else"):
        hold(url)
