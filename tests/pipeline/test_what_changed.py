"""What became of a deal is taken over the whole time: there and back is nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from taiga_pipeline.pipeline.model import Category, Deal, FieldChange, StageMove
from taiga_pipeline.pipeline.what_changed import Since, What, what_happened

AT = datetime(2026, 11, 24, tzinfo=UTC)
DEAL = Deal(
    "D-1",
    "Portal",
    stage="Proposal",
    value=Decimal(80),
    currency="EUR",
    expected_close=date(2027, 1, 31),
    start=date(2027, 3, 1),
)
CATEGORIES = {"Lead": Category.LEAD, "Proposal": Category.PROPOSAL, "Lost": Category.LOST}


def told(deal: Deal, *steps: StageMove | FieldChange) -> list[tuple[object, ...]]:
    since = Since(
        [each for each in steps if isinstance(each, StageMove)],
        [each for each in steps if isinstance(each, FieldChange)],
    )
    found = what_happened(deal, since, lambda _, stage: CATEGORIES.get(stage))
    return [(each.what, each.days or each.amount) for each in found]


def changed(field: str, before: str, after: str) -> FieldChange:
    return FieldChange("D-1", field, before, after, AT, "maya")


def moved(before: str, after: str) -> StageMove:
    return StageMove("D-1", before, after, AT, "maya")


def test_dates_slip_by_days_and_values_grow_or_shrink() -> None:
    steps = (
        changed("expected_close", "2027-01-01", "2027-01-15"),
        changed("expected_close", "2027-01-15", "2027-01-31"),
        changed("start", "2027-03-08", "2027-03-01"),
        changed("value", "100", "80"),
    )
    assert told(DEAL, *steps) == [
        (What.CLOSE_SLIPPED, 30),
        (What.START_SLIPPED, -7),
        (What.SHRUNK, Decimal(-20)),
    ]
    assert told(DEAL, changed("value", "80", "90"), changed("value", "90", "80")) == []
    rated = (changed("value", "800", "80"), changed("currency", "SEK", "EUR"))
    assert told(DEAL, *rated) == []


def test_a_deal_is_moved_reopened_or_neither() -> None:
    assert told(DEAL, moved("Lead", "Proposal")) == [(What.MOVED, None)]
    assert told(DEAL, moved("Lost", "Proposal")) == [(What.REOPENED, None)]
    assert told(DEAL, moved("Proposal", "Lost"), moved("Lost", "Proposal")) == []
    assert told(DEAL, moved("", "Proposal"), changed("value", "1", "80")) == [(What.NEW, None)]
