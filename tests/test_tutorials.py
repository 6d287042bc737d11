"""Tutorials and how-to guides are followed, command by command: what they show is what happens."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.tutorials import DOCS, PAGES, Reader, first_lines, follow, follow_page

HINT = "out of date; look at the difference, then: python -m tests.tutorials"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_what_a_page_shows_is_what_the_program_prints(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == follow_page(page), HINT


def test_each_role_has_a_tutorial() -> None:
    roles = {"sales", "project-manager", "administrator", "operator"}
    assert {page.stem for page in DOCS.glob("tutorials/*.md")} == roles


def test_the_practice_server_says_what_the_pages_show() -> None:
    command = [sys.executable, "-m", "taiga_pipeline", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(3)]
        server.terminate()
    port = lines[0].rstrip().rpartition(":")[2]
    assert "".join(lines) == first_lines(port)


@pytest.mark.parametrize(
    ("shown", "right"),
    [
        ("$ echo one\none\n", True),
        ("$ echo one\ntwo\n", False),
        ("$ seq 4\n1\n…\n4\n", True),
        ("$ seq 4\n1\n…\n5\n", False),
        ("$ false\n$ echo $?\n1\n", True),
        ("$ pipeline-sync status\n$ echo $?\n0\n", False),
        ("$ export WHO=maya\n$ echo $WHO\nmaya\n", True),
        ("$ echo took 3.1 s\ntook 2.0 s\n", True),
    ],
)
def test_a_reader_notices_what_differs(shown: str, right: bool, tmp_path: Path) -> None:
    page = f"Do this:\n\n```console\n{shown}```\n"
    with ExitStack() as stack:
        assert (follow(page, Reader(tmp_path, stack)) == page) is right


def test_a_reader_makes_the_edits_of_a_page(tmp_path: Path) -> None:
    page = (
        "```console\n$ printf 'a\\nb\\n' > f\n```\n\n"
        "```diff\n--- f\n+++ f\n a\n-b\n+c\n```\n\n"
        "```console\n$ cat f\na\nc\n```\n"
    )
    with ExitStack() as stack:
        assert follow(page, Reader(tmp_path, stack)) == page
