"""Deals as use cases: plain arguments in, results out, and errors that carry their reasons."""

from __future__ import annotations

from decimal import Decimal

import pytest

from taiga_pipeline.app.deals.editing import (
    add_deal,
    check_off,
    edit_deal,
    gate_of,
    move_deal,
    take_back,
)
from taiga_pipeline.app.deals.filters import UnknownFilters
from taiga_pipeline.app.deals.looking import find_deals, show_deal
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import (
    AlreadyInStage,
    EditConflict,
    FieldConflict,
    GateClosed,
    InvalidFields,
    InvalidValue,
    KeyTaken,
    NotDone,
    NothingToChange,
    UnknownAction,
    UnknownDeal,
    UnknownStage,
)


@pytest.fixture
def deal(workspace: Workspace) -> str:
    """A deal at the stage with the gate."""
    values = read_fields({"value": "1200 EUR", "owner": "Ann"})
    add_deal(workspace, "D-1", "Portal", by="ann", stage="Proposal", values=values)
    return "D-1"


def test_a_deal_that_is_added_later_counts_what_was_asked_before_as_done(
    workspace: Workspace,
) -> None:
    added = add_deal(workspace, "D-1", "Portal", by="ann", stage="Won")
    assert added.counted_as_done == ("price agreed", "needs documented")
    assert added.deal.done == {"price agreed", "needs documented"}


def test_a_closed_gate_names_its_actions(workspace: Workspace, deal: str) -> None:
    check_off(workspace, deal, ["price agreed"], by="ann")
    with pytest.raises(GateClosed) as caught:
        move_deal(workspace, deal, "won", by="ann")
    error = caught.value
    assert (error.deal, error.stage, error.missing) == ("D-1", "Proposal", ("needs documented",))
    assert "pipeline-sync" not in str(error) and "--" not in str(error)


def test_what_stands_open_is_there_for_a_form(workspace: Workspace, deal: str) -> None:
    assert gate_of(workspace, deal).open == ("price agreed", "needs documented")
    gate = check_off(workspace, deal, ["Price agreed"], by="ann")
    assert (gate.requires, gate.open) == (
        ("price agreed", "needs documented"),
        ("needs documented",),
    )
    assert take_back(workspace, deal, ["price agreed"], by="ann").open == gate.requires


def test_a_move_by_force_says_what_was_skipped_and_who_did_it(
    workspace: Workspace, deal: str
) -> None:
    move = move_deal(workspace, deal, "Won", by="bo", force=True)
    assert (move.by, move.forced) == ("bo", ("price agreed", "needs documented"))
    with pytest.raises(AlreadyInStage) as caught:
        move_deal(workspace, deal, "Won", by="bo")
    assert (caught.value.deal, caught.value.stage) == ("D-1", "Won")


def test_a_move_from_a_stage_where_the_deal_no_longer_is_is_a_conflict(
    workspace: Workspace, deal: str
) -> None:
    move_deal(workspace, deal, "Lost", by="bo", lost_reason="price")
    with pytest.raises(EditConflict) as caught:
        move_deal(workspace, deal, "Lead", by="ann", seen_stage="Proposal")
    assert caught.value.fields == (FieldConflict("stage", "Proposal", "Lost", "Lead"),)
    assert show_deal(workspace, deal).deal.stage == "Lost"


def test_names_that_nobody_has_carry_the_nearest_one(workspace: Workspace, deal: str) -> None:
    with pytest.raises(UnknownDeal) as no_deal:
        show_deal(workspace, "D-11")
    assert (no_deal.value.name, no_deal.value.nearest) == ("D-11", "D-1")
    with pytest.raises(UnknownStage) as no_stage:
        move_deal(workspace, deal, "Wonn", by="ann")
    assert (no_stage.value.name, no_stage.value.nearest) == ("Wonn", "Won")
    assert no_stage.value.known == ("Lead", "Proposal", "Won", "Lost")
    with pytest.raises(UnknownAction) as no_action:
        check_off(workspace, deal, ["price agreed", "price agreeed!"], by="ann")
    assert no_action.value.nearest == "price agreed"
    assert gate_of(workspace, deal).open == ("price agreed", "needs documented")
    with pytest.raises(NotDone) as not_done:
        take_back(workspace, deal, ["price agreed"], by="ann")
    assert (not_done.value.deal, not_done.value.name) == ("D-1", "price agreed")


def test_a_key_is_taken_once_whatever_its_case(workspace: Workspace, deal: str) -> None:
    with pytest.raises(KeyTaken) as caught:
        add_deal(workspace, "d-1", "Other", by="ann")
    assert (caught.value.key, caught.value.other) == ("d-1", "D-1")


def test_texts_that_cannot_be_read_are_told_by_field() -> None:
    with pytest.raises(InvalidFields) as caught:
        read_fields({"value": "much", "start": "soon", "owner": "Ann"}, ["Bo | not an address"])
    assert set(caught.value.fields) >= {"value", "start"}
    with pytest.raises(InvalidFields) as apart:
        read_fields({"value": "€5", "currency": "USD"})
    assert set(apart.value.fields) == {"value+currency"}


def test_two_people_who_edit_other_fields_both_get_their_way(
    workspace: Workspace, deal: str
) -> None:
    seen = show_deal(workspace, deal)
    form = {"owner": seen.deal.owner, "value": seen.deal.value, "team": seen.deal.team}
    edit_deal(workspace, deal, {**form, "owner": "Bo"}, by="bo", seen=seen.version)
    edited = edit_deal(workspace, deal, {**form, "team": "North"}, by="ann", seen=seen.version)
    assert (edited.deal.owner, edited.deal.team) == ("Bo", "North")
    assert edited.changed == ("team",)


def test_two_people_who_edit_one_field_apart_conflict_and_nothing_is_lost(
    workspace: Workspace, deal: str
) -> None:
    seen = show_deal(workspace, deal)
    edit_deal(workspace, deal, {"value": Decimal(1500)}, by="bo", seen=seen.version)
    with pytest.raises(EditConflict) as caught:
        edit_deal(
            workspace, deal, {"value": Decimal(900), "team": "x"}, by="ann", seen=seen.version
        )
    assert caught.value.deal == "D-1"
    assert caught.value.fields == (FieldConflict("value", "1200", "1500", "900"),)
    now = show_deal(workspace, deal)
    assert (now.deal.value, now.deal.team) == (Decimal(1500), "")
    edit_deal(workspace, deal, {"value": Decimal(900)}, by="ann", seen=now.version)
    assert show_deal(workspace, deal).deal.value == 900


def test_the_same_edit_by_two_people_is_no_conflict(workspace: Workspace, deal: str) -> None:
    seen = show_deal(workspace, deal)
    for by in ("ann", "bo"):
        edit_deal(workspace, deal, {"value": Decimal(1500)}, by=by, seen=seen.version)
    assert [change.by for change in show_deal(workspace, deal).changes] == ["ann"]


def test_an_edit_of_what_another_store_showed_is_a_conflict(
    workspace: Workspace, deal: str
) -> None:
    with pytest.raises(EditConflict):
        edit_deal(workspace, deal, {"owner": "Cy"}, by="ann", seen="v7-0123456789ab")
    with pytest.raises(InvalidValue, match="not a version"):
        edit_deal(workspace, deal, {"owner": "Cy"}, by="ann", seen="yesterday")
    with pytest.raises(NothingToChange):
        edit_deal(workspace, deal, {}, by="ann")


def test_a_filter_by_a_name_that_nobody_has_says_which_there_are(
    workspace: Workspace, deal: str
) -> None:
    assert [view.deal.key for view in find_deals(workspace, owner="ann")] == ["D-1"]
    with pytest.raises(UnknownFilters) as caught:
        find_deals(workspace, owner="Anna", stages=["Propsal"])
    fields = {each.field: each.known for each in caught.value.unknown}
    assert fields["owner"] == ("Ann",)
    assert "Proposal" in fields["stage"]


def test_what_is_won_counts_as_certain(workspace: Workspace, deal: str) -> None:
    move_deal(workspace, deal, "Won", by="ann", force=True)
    assert show_deal(workspace, deal).chance == 1
