"""The report in a real browser: Debian's Chromium, headless, without a network."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from taiga_pipeline.report.page.html import render
from tests.live.leaving_out import program
from tests.report.test_page import HOSTILE, whole

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip


def browse(folder: Path, *arguments: str) -> str:
    """Opens the page in ``folder``; returns what Chromium prints."""
    page = (folder / "report.html").as_uri()
    chromium = program("chromium", "chromium-browser")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [chromium, *FLAGS, profile, *arguments, page]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


def picture_size(path: Path) -> tuple[int, int]:
    """Returns width and height of a PNG."""
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_it_is_painted_on_a_desk_and_on_a_phone(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "report.html").write_text(render(whole()), encoding="utf-8")
    shot = tmp_path / "shot.png"
    browse(tmp_path, f"--window-size={width},{height}", f"--screenshot={shot}")
    assert picture_size(shot) == (width, height)
    assert shot.stat().st_size > 8_000  # more than an empty page


def test_hostile_text_stays_text_in_the_browsers_own_tree(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render(whole(HOSTILE)), encoding="utf-8")
    tree = browse(tmp_path, "--dump-dom")
    assert "<script" not in tree
    assert "<img" not in tree
    assert "&lt;script&gt;" in tree


def test_it_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render(whole()), encoding="utf-8")
    paper = tmp_path / "report.pdf"
    browse(tmp_path, f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF")
