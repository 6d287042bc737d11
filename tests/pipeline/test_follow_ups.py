"""What an open deal waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from taiga_pipeline.pipeline.follow_ups import FollowUp, Standing, Usual, follow_ups, usual_days
from taiga_pipeline.pipeline.model import Deal

FRIDAY = date(2026, 11, 27)
DEAL = Deal("D-1", "Portal", next_step="Call", next_step_on=date(2026, 12, 24))
CALM = Standing(3, Usual(10))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ()),
        ({"next_step_on": date(2026, 11, 26)}, (FollowUp.OVERDUE,)),
        ({"next_step_on": FRIDAY}, (FollowUp.TODAY,)),
        ({"next_step_on": date(2026, 11, 29)}, (FollowUp.THIS_WEEK,)),
        ({"next_step_on": date(2026, 11, 30)}, ()),
        ({"next_step_on": None}, ()),
        ({"next_step_on": None, "next_step": ""}, (FollowUp.NO_STEP,)),
        ({"expected_close": date(2026, 11, 26)}, (FollowUp.CLOSE_PASSED,)),
        ({"expected_close": FRIDAY}, ()),
        (
            {"expected_close": date(2027, 2, 1), "start": date(2027, 1, 31)},
            (FollowUp.START_BEFORE_CLOSE,),
        ),
    ],
)
def test_a_deal_waits_for(change: dict[str, object], expected: tuple[FollowUp, ...]) -> None:
    assert follow_ups(replace(DEAL, **change), CALM, FRIDAY) == expected  # type: ignore[arg-type]


def test_a_deal_is_stale_after_more_days_than_usual_and_never_at_rest() -> None:
    passed = replace(DEAL, expected_close=date(2026, 1, 1), next_step="", next_step_on=None)
    assert follow_ups(DEAL, Standing(10, Usual(10)), FRIDAY) == ()
    assert follow_ups(DEAL, Standing(11, Usual(10)), FRIDAY) == (FollowUp.STALE,)
    assert follow_ups(DEAL, Standing(None, Usual(10)), FRIDAY) == ()
    assert follow_ups(DEAL, Standing(99, None), FRIDAY) == ()
    assert follow_ups(passed, Standing(99, Usual(10), rests=True), FRIDAY) == ()


def test_what_is_usual_is_told_by_enough_won_deals() -> None:
    few = [("Lead", days) for days in (1, 2, 3, 4)]
    assert usual_days(few) == {}
    assert usual_days([*few, ("Lead", 90), ("Proposal", 5)]) == {"Lead": Usual(4, 5)}
