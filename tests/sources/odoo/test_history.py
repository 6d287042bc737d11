"""How leads came to be as they are, as far as Odoo tells the account."""

from __future__ import annotations

import pytest

from taiga_pipeline.pipeline.model import FieldChange, StageMove
from tests.odoo.fake import FakeOdoo
from tests.sources.odoo.conftest import Make
from tests.targets.support import ManualClock


@pytest.fixture
def seen_by(request: pytest.FixtureRequest, odoo: FakeOdoo) -> str:
    """Who reads: one that may see tracking values, or one that sees them with messages alone."""
    odoo.is_admin = request.param == "admin"
    return str(request.param)


to_whom_it_is_shown = pytest.mark.parametrize(
    ("odoo", "seen_by"), [(14, "admin"), (14, "robot"), (19, "admin")], indirect=True
)
"""From Odoo 17 on, nobody but an administrator is shown what is tracked."""


def steps(moves: list[StageMove]) -> list[tuple[str, str, str]]:
    return [(move.deal_key, move.from_stage, move.to_stage) for move in moves]


def story(odoo: FakeOdoo, clock: ManualClock) -> int:
    """An opportunity that was lost, taken up again and won."""
    lead = odoo.lead()
    for step in (
        lambda: odoo.move(lead, "Qualified"),
        lambda: odoo.lose(lead),
        lambda: odoo.take_up(lead),
        lambda: odoo.move(lead, "Won"),
    ):
        clock.sleep(3600)
        step()
    return lead


@to_whom_it_is_shown
def test_stage_moves_begin_with_the_making_and_go_through_lost_and_won(
    odoo: FakeOdoo, make: Make, clock: ManualClock, seen_by: str
) -> None:
    lead = story(odoo, clock)
    with make().past() as past:
        moves = list(past.moves)
    key = str(lead)
    assert steps(moves) == [
        (key, "", "New"),
        (key, "New", "Qualified"),
        (key, "Qualified", "Lost"),
        (key, "Lost", "Qualified"),
        (key, "Qualified", "Won"),
    ]
    assert [m.at for m in moves] == sorted(m.at for m in moves)
    assert {move.by for move in moves} == {"Administrator"}


@to_whom_it_is_shown
def test_stages_are_called_as_the_configuration_calls_them(
    odoo: FakeOdoo, make: Make, clock: ManualClock, seen_by: str
) -> None:
    story(odoo, clock)
    stages = {"New": "Lead", "lost": "Declined", "Won": "Order"}
    with make(stages=stages).past() as past:
        assert [move.to_stage for move in past.moves] == [
            "Lead",
            "Qualified",
            "Declined",
            "Qualified",
            "Order",
        ]


@to_whom_it_is_shown
def test_one_deal_can_be_asked_for_with_the_newest_first(
    odoo: FakeOdoo, make: Make, clock: ManualClock, seen_by: str
) -> None:
    odoo.lead()
    lead = story(odoo, clock)
    with make().past(str(lead), newest=2) as past:
        assert [(m.deal_key, m.to_stage) for m in past.moves] == [
            (str(lead), "Won"),
            (str(lead), "Qualified"),
        ]


@pytest.mark.parametrize("odoo", [14], indirect=True)
def test_changes_of_tracked_fields_are_told_as_a_file_would_write_them(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.is_admin = True
    lead = odoo.lead(expected_revenue=10.0)
    odoo._track(lead, "expected_revenue", "float", 10.0, 1200000.5, 0)
    odoo._track(lead, "date_deadline", "datetime", False, "2027-03-31 00:00:00", 0)
    with make().past(fields=("value", "expected_close")) as past:
        changes = {change.field: change for change in past.changes}
    assert isinstance(changes["value"], FieldChange)
    assert (changes["value"].before, changes["value"].after) == ("10.0", "1200000.5")
    assert changes["expected_close"].after == "2027-03-31"
    with make().past(fields=("owner",)) as past:
        assert not list(past.changes)


@pytest.mark.parametrize("odoo", [19], indirect=True)
def test_an_account_that_is_not_shown_what_is_tracked_has_no_history_and_check_says_so(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.move(odoo.lead(), "Qualified")
    with make().past() as past:
        assert not list(past.moves)
    assert "Administration: Settings" in " ".join(make().examine())


@to_whom_it_is_shown
def test_a_lead_that_became_an_opportunity_was_a_lead_before(
    odoo: FakeOdoo, make: Make, clock: ManualClock, seen_by: str
) -> None:
    lead = odoo.lead(type="lead")
    clock.sleep(3600)
    odoo.change("crm.lead", lead, type="opportunity", date_conversion=odoo._moment())
    clock.sleep(3600)
    odoo.move(lead, "Qualified")
    with make().past() as past:
        assert [move.to_stage for move in past.moves] == ["Lead", "New", "Qualified"]
