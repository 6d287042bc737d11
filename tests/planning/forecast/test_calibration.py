"""Past forecasts beside what came, to look at."""

from __future__ import annotations

from itertools import pairwise

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.calibration import WINDOW_DAYS, Calibration  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import make_forecast, prepare  # noqa: E402
from taiga_pipeline.planning.forecast.notes import in_words, notes, shows_any  # noqa: E402
from taiga_pipeline.planning.forecast.simulate import Range, range_of  # noqa: E402
from taiga_pipeline.planning.history.model import History  # noqa: E402


@pytest.fixture(scope="module")
def history() -> History:
    return simulate(Shape("", 60, 3), 5).history


@pytest.fixture(scope="module")
def calibration(history: History) -> Calibration:
    return prepare(history, TODAY, 90).calibration


def test_chances_of_one_size_come_true_about_as_often_as_said(calibration: Calibration) -> None:
    assert calibration.days == 90
    large = [each for each in calibration.groups if each.number >= 60]
    assert large
    for each in large:
        assert each.came == pytest.approx(each.said, abs=0.15)


def test_what_came_of_a_window_is_what_is_on_record(
    calibration: Calibration, history: History
) -> None:
    assert calibration.windows
    for each in calibration.windows:
        closes = [deal.closed for deal in history.deals if deal.won and deal.closed]
        came = sum(0 < (day - each.made).days <= WINDOW_DAYS for day in closes)
        assert each.came == came


def test_windows_do_not_overlap_and_their_ranges_hold_most_of_what_came(
    calibration: Calibration,
) -> None:
    windows = calibration.windows
    assert all((after.made - each.made).days >= WINDOW_DAYS for each, after in pairwise(windows))
    assert sum(each.held for each in windows) >= 0.6 * len(windows)
    spans = [each.expected for each in windows]
    assert all(each.low <= each.middle <= each.high for each in spans)


def test_a_forecast_says_how_many_of_its_past_ranges_held(history: History) -> None:
    forecast = make_forecast(history, TODAY)
    windows = forecast.calibration.windows
    held = sum(each.held for each in windows)
    assert f"{held} of {len(windows)} ranges of wins in 30 days held" in " ".join(
        notes(forecast, history)
    )


def test_without_decisions_there_is_nothing_to_compare() -> None:
    found = prepare(History((), {}), TODAY, 90).calibration
    assert found.groups == found.windows == ()


def test_where_the_median_is_nothing_the_chance_of_at_least_one_is_said() -> None:
    found = range_of(np.array([0.0] * 70 + [1.0] * 25 + [2.0] * 5))
    assert (found.middle, found.any) == (0, pytest.approx(0.3))
    assert in_words(found) == "0 / 0 / 1 (30% for 1+)"
    assert in_words(Range(0, 2, 4, 0.9)) == "0 / 2 / 4"
    assert in_words(Range(0, 0, 0, 0.0)) == "0 / 0 / 0"
    assert found.plus(2).any == 1.0
    assert not shows_any(found.plus(2))
