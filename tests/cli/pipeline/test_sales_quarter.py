"""What salespeople write and ask in a quarter, as they say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, environment, run, taiga
from tests.cli.sync.test_cards import Board, acme, board, deal

__all__ = ["acme", "board", "environment", "run", "taiga"]


@pytest.fixture
def sales(run: Run, tmp_path: Path) -> Run:
    """A pipeline on Monday, 2026-11-23."""
    run("init")
    run("deals", "add", "D-1", "Shop", "--customer", "Acme")
    return run


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-11-23"),
        ("tomorrow", "2026-11-24"),
        ("Friday", "2026-11-27"),
        ("monday", "2026-11-30"),
        ("fredag", "2026-11-27"),
        ("i morgon", "2026-11-24"),
        ("3d", "2026-11-26"),
        ("+2w", "2026-12-07"),
        ("2026-12-01", "2026-12-01"),
    ],
)
def test_a_day_to_come_is_said_as_people_say_it(sales: Run, said: str, day: str) -> None:
    options = ("--next-step", "Call", "--next-step-on", said, "--expected-close", said)
    assert sales("deals", "edit", "D-1", *options).exit_code == 0
    found = deal(sales, "D-1")
    assert (found["next_step_on"], found["expected_close"]) == (day, day)


def test_what_is_no_day_is_refused_as_ever(sales: Run) -> None:
    result = sales("deals", "edit", "D-1", "--start", "someday")
    assert result.exit_code == 2 and "someday" in result.stderr


def test_a_deal_that_got_another_key_is_named_by_it_and_one_that_was_removed_as_such(
    sales: Run,
) -> None:
    sales("deals", "rename", "D-1", "WEB-1")
    assert "deal 'D-1' has the key 'WEB-1' now" in sales("deals", "show", "D-1").stderr
    sales("deals", "remove", "WEB-1")
    for key in ("WEB-1", "web-1"):
        assert "was removed; its history is kept" in sales("deals", "show", key).stderr
    assert "there is no deal 'X'" in sales("deals", "show", "X").stderr


def test_a_deal_that_is_asked_for_by_name_is_suggested_by_its_key(sales: Run) -> None:
    for said in ("shop", "Acme", "Acme: Shop"):
        assert "did you mean 'D-1'" in sales("deals", "show", said).stderr
    sales("deals", "add", "D-2", "Web shop")
    assert "did you mean" not in sales("deals", "show", "shop").stderr


def test_an_owner_who_is_written_in_two_ways_is_spoken_of_once(sales: Run) -> None:
    assert sales("deals", "edit", "D-1", "--owner", "Maya Lindqvist").stderr == ""
    assert "'Maya Lindqvist'" in sales("deals", "add", "Portal", "--owner", "maya").stderr
    assert sales("deals", "add", "App", "--owner", "Maya Lindqvist").stderr == ""
    assert sales("deals", "add", "Audit", "--owner", "Tom").stderr == ""
    assert sales("deals", "add", "Data", "--owner", "maya").stderr == ""


def test_keys_are_listed_in_the_order_in_which_people_count(sales: Run) -> None:
    for key in ("D-10", "D-2", "A-3", "D-1b"):
        sales("deals", "add", key, "x")
    found = json.loads(sales("deals", "list", "--json").stdout)
    assert [each["key"] for each in found] == ["A-3", "D-1", "D-1b", "D-2", "D-10"]


def test_a_loss_without_a_reason_is_asked_for_it(sales: Run) -> None:
    sales("deals", "add", "D-2", "Portal")
    assert "why it was lost" in sales("deals", "move", "D-1", "Lost").stderr
    assert sales("deals", "move", "D-2", "Lost", "--reason", "price").stderr == ""


def test_what_a_deal_waits_for_is_asked_for_in_the_words_of_the_list(sales: Run) -> None:
    assert "D-1" in sales("deals", "list", "--follow-up", "no next step").stdout


def test_a_card_that_skips_columns_is_told_to_go_one_by_one(
    acme: Run, taiga: Sandbox, board: Board
) -> None:
    board.add("Delta: Intranet", "Lead")
    acme("run")
    board.move("Intranet", "Won")
    acme("run")
    assert "one column at a time" in " ".join(board.comments("Intranet"))
    board.move("Portal", "Won")
    acme("run")
    assert "Close these tasks on the card" in " ".join(board.comments("Portal"))
