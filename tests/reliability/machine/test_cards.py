"""What the random schedules of a board found once, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sync.plan.model import IssueKind
from taiga_pipeline.app.deals.editing import (
    add_deal,
    edit_deal,
    move_deal,
    remove_deal,
    rename_deal,
)
from taiga_pipeline.app.deals.values import read_fields

from .cards import Board, Item
from .office import GATE, Office


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    for key, stage in (("A-1", "Needs"), ("A-2", "Lead")):
        add_deal(made.workspace, key, f"Deal {key}", by="Sales", stage=stage)
    made.run()
    yield made
    made.close()


def before_request(office: Office, number: int, act: Callable[[], object]) -> None:
    """Has somebody act right before a request of the next run."""
    count = 0

    def look(method: str, path: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            act()

    office.wire.before = look


def test_a_deal_that_reaches_a_stage_gets_tasks_of_its_own_not_those_that_another_leaves(
    office: Office,
) -> None:
    move_deal(office.workspace, "A-1", "Lead", by="Sales")
    move_deal(office.workspace, "A-2", "Needs", by="Sales")
    office.run()
    board = Board(office)
    card = board.find(Item("A-2"), board.cards())
    assert card is not None
    assert GATE in [task["subject"] for task in card["tasks"]]


def test_what_sales_write_while_a_run_reads_the_board_is_not_written_over(office: Office) -> None:
    board = Board(office)
    card = board.find(Item("A-2"), board.cards())
    assert card is not None
    day = {"due_date": "2028-01-01", "version": card["version"]}
    office.admin.patch(f"/userstories/{card['id']}", day)
    values = {"expected_close": "2029-01-01"}
    before_request(office, 7, lambda: edit_deal(office.workspace, "A-2", _read(values), by="Sales"))
    office.run()
    office.run()
    assert str(office.deals()["A-2"].expected_close) == "2029-01-01"
    assert [i.field for i in office.issues() if i.kind is IssueKind.CONFLICT] == ["due_date"]


def test_a_card_of_a_deal_that_is_removed_is_not_given_to_another_deal(office: Office) -> None:
    board = Board(office)
    before = board.find(Item("A-2"), board.cards())
    remove_deal(office.workspace, "A-2", by="Sales")
    add_deal(office.workspace, "A-3", "Deal A-2", by="Sales", stage="Lead")
    office.run()
    after = board.find(Item("A-3"), board.cards())
    assert before is not None and after is not None
    assert before["id"] != after["id"]


def test_a_deal_that_is_renamed_twice_between_two_runs_keeps_its_card(office: Office) -> None:
    board = Board(office)
    before = board.find(Item("A-1"), board.cards())
    rename_deal(office.workspace, "A-1", "B-1", by="Sales")
    rename_deal(office.workspace, "B-1", "C-1", by="Sales")
    office.run()
    after = board.find(Item("C-1"), board.cards())
    assert before is not None and after is not None
    assert (after["id"], len(board.cards())) == (before["id"], 2)
    assert [task["id"] for task in after["tasks"]] == [task["id"] for task in before["tasks"]]


def test_of_one_card_one_deal_is_made_however_many_machines_ask(office: Office) -> None:
    keys = {
        add_deal(office.workspace, "", "Made", by="Ana", card="taiga:1:77").deal.key
        for _ in range(2)
    }
    assert len(keys) == 1


@pytest.mark.parametrize("cut_off_after", [False, True], ids=["before it", "after it"])
def test_a_run_that_is_killed_while_it_answers_a_card_answers_it_once(
    office: Office, cut_off_after: bool
) -> None:
    board, moved = Board(office), _move_too_early(office)

    class CutOff(BaseException):
        pass

    def die(method: str, path: str) -> None:
        if method == "PATCH" and path == f"/userstories/{moved}":
            raise CutOff

    setattr(office.wire, "after" if cut_off_after else "before", die)
    with pytest.raises(CutOff):
        office.run()
    office.wire.before = office.wire.after = lambda method, path: None
    office.clock.advance(hours=30)
    office.run(full=True)
    office.run(full=True)
    said = office.admin.get(f"/history/userstory/{moved}?type=comment")
    assert len([row for row in said if "went back" in row["comment"]]) == 1
    column = board.cards()[moved]["status_extra_info"]["name"]
    assert column == "Needs"
    _move_too_early(office)
    office.run()
    said = office.admin.get(f"/history/userstory/{moved}?type=comment")
    assert len([row for row in said if "went back" in row["comment"]]) == 2


def _move_too_early(office: Office) -> int:
    """Moves a card past a gate that is closed; returns the card's number."""
    board = Board(office)
    columns = {row["name"]: row["id"] for row in board.project["us_statuses"]}
    card = board.find(Item("A-1"), board.cards())
    assert card is not None
    body = {"status": columns["Proposal"], "version": card["version"]}
    office.admin.patch(f"/userstories/{card['id']}", body)
    return int(card["id"])


def _read(texts: dict[str, str]) -> dict[str, object]:
    return read_fields(texts)
