"""Firms that close for a part of the year win nothing then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import BEFORE_SUMMER, TODAY, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import make_forecast  # noqa: E402
from taiga_pipeline.planning.forecast.notes import notes  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.forecast.replay import Referee, look  # noqa: E402
from taiga_pipeline.planning.forecast.times_of_year import year_weights  # noqa: E402
from taiga_pipeline.planning.history.model import History  # noqa: E402

CLOSED = Shape("", 60, 3, summers=True)


def history(shape: Shape, seed: int) -> History:
    return simulate(shape, seed).history


def test_a_summer_in_which_nothing_was_decided_for_years_is_expected_to_be_like_that() -> None:
    weights = year_weights(make_record(history(CLOSED, 1), BEFORE_SUMMER), 365)
    assert weights is not None
    july = slice(16, 62)  # From the first of July to the middle of August.
    assert weights[july].mean() < 0.3
    assert weights.mean() == pytest.approx(1.0, abs=0.05)


def test_wins_of_a_quarter_with_a_closed_summer_are_fewer_and_come_after_it() -> None:
    found = [look(history(CLOSED, seed), BEFORE_SUMMER, Referee(), 90) for seed in range(5)]
    won = np.sum([view.open.daily()[0] for view in found], axis=0)
    assert won[20:60].mean() < 0.4 * won[:14].mean()
    assert won[65:].mean() > 2 * won[20:60].mean()


def test_over_years_as_many_are_won_as_without() -> None:
    view = look(history(CLOSED, 2), BEFORE_SUMMER, Referee(), 730)
    ever, _ = view.open.within(1, 730)
    plain, _ = view.model.open_curves(730).within(1, 730)
    assert ever == pytest.approx(plain, abs=0.02)


@pytest.mark.parametrize(
    "shape", [Shape("", 60, 3), Shape("", 300, 3), Shape("", 60, 3, shock=0.5)]
)
def test_luck_is_not_taken_for_a_time_of_the_year(shape: Shape) -> None:
    found = [year_weights(make_record(history(shape, seed), TODAY), 90) for seed in range(10)]
    assert sum(each is not None for each in found) <= 1


def test_one_year_says_nothing_of_a_time_of_the_year() -> None:
    short = replace(CLOSED, years=1.5)
    assert year_weights(make_record(history(short, 1), BEFORE_SUMMER), 90) is None


def test_a_year_is_judged_by_what_was_known_on_the_day() -> None:
    """What comes after a day moves nothing that was expected on it."""
    whole = history(CLOSED, 3)
    day = BEFORE_SUMMER - timedelta(days=120)
    known, more = (
        year_weights(make_record(each, day), 90) for each in (whole.known_on(day), whole)
    )
    assert known is not None
    assert more is not None
    assert (known == more).all()


def test_a_forecast_says_when_little_is_decided() -> None:
    found = history(CLOSED, 1)
    said = notes(make_forecast(found, BEFORE_SUMMER, months_ahead=2), found)
    assert "Little is decided from 2026-07-01 to 2026-08-15, as in the years on record." in said
