"""Losses that are recorded late, in clean-ups, or taken out of the record."""

from __future__ import annotations

from dataclasses import replace

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, TRUTH, Shape, even  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import make_forecast  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.fitting import fit_funnel  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.hidden_losses import (  # noqa: E402
    LeftOver,
    last_clean_up,
    unrecorded_losses,
)
from taiga_pipeline.planning.forecast.notes import notes  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.history.model import History  # noqa: E402

HALF_YEAR = 182


def test_clean_ups_are_known_by_their_bulk() -> None:
    history = simulate(Shape("", 40, 3, clean_up=HALF_YEAR), 1).history
    record = make_record(history, TODAY)
    assert last_clean_up(record) == TODAY.toordinal() - TODAY.toordinal() % HALF_YEAR
    assert unrecorded_losses(record) == last_clean_up(record)


def test_a_forecast_says_that_lost_deals_are_closed_in_clean_ups() -> None:
    history = simulate(Shape("", 30, 1, clean_up=HALF_YEAR), 2).history
    found = make_forecast(history, TODAY, months_ahead=1)
    cleaned = replace(found, basis=replace(found.basis, cleans_up=True))
    said = "Lost deals are closed many at a time"
    assert any(said in note for note in notes(cleaned, history))


@pytest.mark.parametrize(
    "shape",
    [Shape("", 300, 2), Shape("", 60, 2, month_ends=True), Shape("", 60, 3, quarter_ends=True)],
    ids=["many deals", "month ends", "quarter ends"],
)
def test_days_with_many_decisions_are_no_clean_ups(shape: Shape) -> None:
    assert last_clean_up(make_record(simulate(shape, 1).history, shape.today)) is None


@pytest.mark.parametrize("seed", [18, 20, 22])
def test_a_year_without_a_loss_is_noticed_after_few_wins_where_many_losses_were_due(
    seed: int,
) -> None:
    history = simulate(Shape("", 30, 3, silent=1.0), seed).history
    assert unrecorded_losses(make_record(history, TODAY)) is not None
    lately = [deal for deal in history.decided if deal.closed and (TODAY - deal.closed).days < 440]
    asleep = History(tuple(deal for deal in history.deals if deal not in lately))
    # Where nothing at all was decided, it is not that losses are missing.
    assert unrecorded_losses(make_record(asleep, TODAY)) is None


def test_a_stay_is_as_long_where_losses_are_recorded_no_longer() -> None:
    """Only those who moved on tell it: losses of before must not count as if they took no time."""
    days = []
    for seed in range(6):
        case = simulate(Shape("", 60, 3, mapping=TRUTH, silent=1.0), seed)
        funnel = fit_funnel(make_record(case.history, TODAY), case.history.chances)
        assert funnel.silent is not None
        days.append(float(np.mean(1.0 / funnel.leaves[1:])))
    assert np.mean(days) == pytest.approx(90 / 4, rel=0.12)


def test_the_stages_of_open_deals_tell_where_deals_are_lost_that_no_one_closed() -> None:
    """The mapping says that each stage loses a third; nearly all are lost in the second one."""
    truth = (0.15, 0.2, 0.75, 0.8)
    shape = Shape("", 60, 3, truth, even(0.2), losses=False, stage_history=False)
    found = []
    for seed in range(4):
        case = simulate(shape, seed)
        funnel = fit_funnel(make_record(case.history, TODAY), case.history.chances)
        chances = dict(zip(funnel.record.stages, funnel.chances().tolist(), strict=True))
        found.append([chances[stage] for stage in shape.stages])
    assert np.mean(found, axis=0) == pytest.approx(truth, abs=0.12)


def test_how_many_deals_are_left_tells_how_many_were_lost_and_removed() -> None:
    weeks = np.arange(150)
    lost = 1.0 - np.exp(-weeks / 8)
    chances = np.array([0.03, 0.2, 0.7])
    for at, chance in enumerate(chances.tolist()):
        left = LeftOver(weeks + 0.5, 3.0 * (1 - lost * (1 - chance)), lost)
        assert int(left.likelihood(chances).argmax()) == at
