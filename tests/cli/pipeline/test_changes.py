"""``changes``: what became of deals since a day, taken over the whole time."""

from __future__ import annotations

import json
from datetime import date

import pytest

from taiga_pipeline.app.deals.changes import read_since
from taiga_pipeline.pipeline.errors import InvalidValue
from tests.cli.conftest import Run

FRIDAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("monday", date(2026, 11, 23)),
        ("Fri", FRIDAY),
        ("saturday", date(2026, 11, 21)),
        ("7d", date(2026, 11, 20)),
        ("2 weeks", date(2026, 11, 13)),
        ("yesterday", date(2026, 11, 26)),
        ("2026-01-31", date(2026, 1, 31)),
    ],
)
def test_a_beginning_is_read_as_people_say_it(text: str, day: date) -> None:
    assert read_since(text, FRIDAY) == day


@pytest.mark.parametrize("text", ["blah", "", "2026-11-28", "2026-02-30"])
def test_another_beginning_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read_since(text, FRIDAY)


def test_everything_that_became_of_deals_is_told_once(run: Run) -> None:
    run("init", "--taiga-url", "http://127.0.0.1:9", "--username", "bot")
    deal = ("--value", "100 EUR", "--expected-close", "2027-01-31", "--start", "2027-03-01")
    for key in ("A", "B", "C"):
        run("deals", "add", key, key, "--stage", "Proposal", *deal)
    run("deals", "move", "B", "Won", "--force")
    run("deals", "rename", "C", "C-2")
    run("deals", "edit", "A", "--value", "150")
    run("deals", "edit", "A", "--value", "100")
    run("deals", "add", "D", "D")
    run("deals", "remove", "D")
    found = json.loads(run("changes", "--since", "today", "--json").stdout)
    happened = [(each["what"], each["key"], each["days"]) for each in found["deals"]]
    assert happened == [
        ("new", "A", None),
        ("new", "B", None),
        ("new", "C-2", None),
        ("won", "B", None),
        ("removed", "D", None),
    ]
    text = run("changes", "--since", "today").stdout
    assert "Won: 1\n  B, B:  → Won" in text or "Won: 1\n  B, B: Won" in text
    assert run("changes", "--since", "tomorrow-ish").exit_code == 2
