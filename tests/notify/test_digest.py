"""What waits on a day, in words."""

from __future__ import annotations

from datetime import date

from taiga_pipeline.language import use
from taiga_pipeline.notify.digest import Digest, digest_lines

DIGEST = Digest(
    "acme",
    date(2026, 11, 27),
    open=(
        "failed D-1/project/D-1: the adapter for X is at fault: its read failed (KeyError: 'a')",
    ),
)


def test_the_kind_of_an_issue_is_said_in_the_readers_language() -> None:
    assert f"– {DIGEST.open[0]}" in digest_lines(DIGEST)
    with use("sv"):
        (line,) = (each for each in digest_lines(DIGEST) if "D-1" in each)
    assert line.startswith("– misslyckad D-1/project/D-1: adaptern för X gör fel")
