"""Which adapters are installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taiga_pipeline.adapters import installed, rivals

GROUP = "taiga_pipeline.targets"


def install(place: Path, package: str, kind: str) -> None:
    """Lays down what pip writes of a package that offers a target."""
    information = place / f"{package}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{kind} = {package}:create\n")


def test_what_is_installed_while_the_program_runs_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    os.utime(tmp_path, (1, 1))  # long ago: file systems tell only coarse moments apart
    assert "cards" not in installed(GROUP)
    install(tmp_path, "cards_one", "cards")
    assert installed(GROUP)["cards"].value == "cards_one:create"
    assert rivals(GROUP, "cards") == []
    os.utime(tmp_path, (1, 1))
    install(tmp_path, "cards_two", "cards")
    assert rivals(GROUP, "cards") == ["cards_one:create", "cards_two:create"]


def test_what_is_installed_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = installed(GROUP)
    monkeypatch.setattr("taiga_pipeline.adapters.entry_points", lambda **_: ())
    assert installed(GROUP) == known
