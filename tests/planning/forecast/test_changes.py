"""A change of how many deals move on: it counts once it shows, and luck does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import make_forecast  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.changes import latest_change  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.fitting import fit_funnel  # noqa: E402
from taiga_pipeline.planning.forecast.notes import notes  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402


def change(before: float, after: float) -> tuple[float, float]:
    """What is found of 300 departures in two years, the last 60 of them after a change."""
    day = np.linspace(700_000, 700_730, 300).astype(np.int64)
    share = np.where(np.arange(300) < 240, before, after)
    on = (np.arange(300) * 0.618 % 1.0 < share).astype(float)
    return latest_change(day, on, 1.0 - on, np.full(300, on.mean()))


def test_what_did_not_change_is_left_alone() -> None:
    shift, variance = change(0.6, 0.6)
    assert abs(shift) < 0.05
    assert variance < 0.01


@pytest.mark.parametrize(("before", "after"), [(0.75, 0.4), (0.4, 0.75)])
def test_a_change_counts_once_it_shows(before: float, after: float) -> None:
    whole = 0.8 * before + 0.2 * after
    due = np.log(after / (1 - after)) - np.log(whole / (1 - whole))
    shift, variance = change(before, after)
    assert 0.7 * due <= shift <= 1.2 * due if due > 0 else 1.2 * due <= shift <= 0.7 * due
    assert variance > 0.01


def test_few_departures_show_no_change() -> None:
    day = np.arange(700_000, 700_012)
    on = np.repeat([1.0, 0.0], 6)
    assert latest_change(day, on, 1.0 - on, np.full(12, 0.5)) == (0.0, 0.0)


def test_chances_are_those_after_the_change() -> None:
    dropped = simulate(Shape("", 150, 2, easier=(150, 3.0)), 1).history
    steady = simulate(Shape("", 150, 2), 1).history
    now, always = (
        fit_funnel(make_record(history, TODAY), history.chances) for history in (dropped, steady)
    )
    assert now.shift < -0.4
    assert abs(always.shift) < 0.2


@pytest.mark.parametrize(("shift", "said"), [(-0.5, "fewer"), (0.5, "more")])
def test_a_forecast_says_that_deals_move_on_otherwise_of_late(shift: float, said: str) -> None:
    history = simulate(Shape("", 15, 0.4), 1).history
    found = make_forecast(history, TODAY, months_ahead=1)
    changed = replace(found, basis=replace(found.basis, shift=shift))
    assert any(f"Of late {said} deals moved on" in note for note in notes(changed, history))
    assert not any("Of late" in note for note in notes(found, history))
