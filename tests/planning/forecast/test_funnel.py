"""The funnel model: what the mapping says without data, what the data say with much of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import Case, simulate  # noqa: E402
from bench.small_firms_shape import TODAY, TOO_LOW, TRUTH, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import make_forecast  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.fitting import CYCLE_DAYS, fit_funnel  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.hidden_losses import unrecorded_losses  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.model import Funnel  # noqa: E402
from taiga_pipeline.planning.forecast.model import MAPPING as MAPPING_ALONE  # noqa: E402
from taiga_pipeline.planning.forecast.notes import notes  # noqa: E402
from taiga_pipeline.planning.forecast.record import make_record  # noqa: E402
from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell  # noqa: E402
from taiga_pipeline.planning.outlook import Outlooks  # noqa: E402

MAPPING = dict(zip(Shape("").stages, TOO_LOW, strict=True))


def funnel_of(history: History, day: date = TODAY) -> Funnel:
    return fit_funnel(make_record(history, day), history.chances)


def newly_in(stage: str, day: date = TODAY) -> PastDeal:
    return PastDeal(stage, day, stages=(StageSpell(day, stage),))


def chances(case: Case | History) -> dict[str, float]:
    """The chance of a deal that just came into each stage."""
    funnel = funnel_of(case.history if isinstance(case, Case) else case)
    return dict(zip(funnel.record.stages, funnel.chances().tolist(), strict=True))


def test_without_history_a_chance_is_the_mappings_chance_of_that_very_stage() -> None:
    found = chances(History(tuple(map(newly_in, Shape("").stages)), MAPPING))
    for stage, chance in MAPPING.items():
        assert found[stage] == pytest.approx(chance, abs=0.015)


def test_without_history_a_win_takes_the_documented_time() -> None:
    funnel = funnel_of(History(tuple(map(newly_in, Shape("").stages)), MAPPING))
    won = funnel.open_curves(1500).won
    days = np.arange(1, 1501)
    means = [float(days @ column / column.sum()) for column in won.T]
    # A quarter of it in each of the stages that are left.
    assert means == pytest.approx([CYCLE_DAYS * left / 4 for left in (4, 3, 2, 1)], rel=0.05)


@pytest.mark.parametrize("mapping", [TOO_LOW, (0.4, 0.5, 0.65, 0.85)], ids=["low", "high"])
def test_with_much_history_chances_are_the_true_ones_whatever_the_mapping_says(
    mapping: tuple[float, ...],
) -> None:
    found = chances(simulate(Shape("", 300, 4, mapping=mapping), 1))
    for stage, chance in zip(Shape("").stages, TRUTH, strict=True):
        assert found[stage] == pytest.approx(chance, abs=0.06)


def test_a_mapping_that_says_the_same_of_all_stages_is_soon_left_in_the_last_one_too() -> None:
    """That a third is won of leads and of proposals alike cannot be true of both."""
    shape = Shape("", 60, 2, mapping=(0.3,) * 4)
    found = [chances(simulate(shape, seed))["Proposal"] for seed in range(4)]
    assert np.mean(found) == pytest.approx(TRUTH[-1], abs=0.1)


def test_a_mapping_that_has_held_is_kept_more_firmly_than_one_that_has_not() -> None:
    """A year of a small firm: with a right mapping, hardly a move; with a wrong one, most of it."""
    moved: dict[str, list[float]] = {"right": [], "wrong": []}
    for seed in range(12):
        for name, mapping in (("right", TRUTH), ("wrong", TOO_LOW)):
            found = chances(simulate(Shape("", 60, 1, mapping=mapping), seed))
            for stage, truth in zip(Shape("").stages, TRUTH, strict=True):
                moved[name].append((found.get(stage, truth) - truth) ** 2)
    before = np.mean((np.array(TOO_LOW) - np.array(TRUTH)) ** 2)
    assert np.mean(moved["right"]) < 0.003
    assert np.mean(moved["wrong"]) < 0.4 * before


def test_lost_leads_say_little_of_proposals() -> None:
    """Ten deals that were lost as leads once pulled proposals from .50 to .32."""
    day = TODAY - timedelta(days=40)
    lost = [
        replace(newly_in("Lead", day), key=f"L{n}", closed=day + timedelta(days=9 + n), won=False)
        for n in range(10)
    ]
    found = chances(History((*lost, *map(newly_in, Shape("").stages)), MAPPING))
    assert found["Proposal"] > 0.45
    assert found["Lead"] < MAPPING["Lead"]


def test_won_proposals_raise_the_chance_of_proposals_above_the_mapping() -> None:
    """3 of 5 won and a mapping of .50 once gave .45."""
    day = TODAY - timedelta(days=60)
    decided = [
        replace(newly_in("Proposal", day), key=f"P{n}", closed=day + timedelta(9 + n), won=n < 3)
        for n in range(5)
    ]
    found = chances(History((*decided, *map(newly_in, Shape("").stages)), MAPPING))
    assert 0.5 <= found["Proposal"] < 0.6


def test_chances_rise_along_the_funnel_and_with_the_time_given() -> None:
    for seed in range(5):
        funnel = funnel_of(simulate(Shape("", 60, 2), seed).history)
        by_stage = funnel.chances()[1:]
        in_order = by_stage[np.argsort([MAPPING[name] for name in funnel.record.stages[1:]])]
        assert (np.diff(in_order) > 0).all()
        curves = funnel.open_curves(200)
        assert (curves.won >= 0).all()
        assert (curves.decided >= curves.won - 1e-12).all()
        assert (curves.decided.sum(axis=0) <= 1 + 1e-9).all()


def test_deals_that_stay_long_are_lost_where_such_deals_were_lost_before() -> None:
    """Age acts on losing by itself: quick deals win, slow ones are lost."""
    deals = []
    for number in range(200):
        first = TODAY - timedelta(days=400 - number)
        wait, won = (10, True) if number % 2 else (100, False)
        deal = replace(newly_in("Proposal", first), key=str(number))
        deals.append(replace(deal, closed=first + timedelta(days=wait), won=won))
    old = replace(newly_in("Proposal", TODAY - timedelta(days=90)), key="old")
    funnel = funnel_of(History((*deals, newly_in("Proposal"), old), {"Proposal": 0.5}))
    new, stale = funnel.open_curves(400).won.sum(axis=0)
    assert stale < 0.6 * new


def test_no_losses_on_record_for_long_are_noticed_and_few_wins_are_not() -> None:
    def noticed(case: Case) -> bool:
        return unrecorded_losses(make_record(case.history, TODAY)) is not None

    assert noticed(simulate(Shape("", 30, 3, losses=False), 1))
    assert not noticed(simulate(Shape("", 15, 1, losses=False), 1))
    assert not any(noticed(simulate(Shape("", 60, 3), seed)) for seed in range(10))
    mostly_won = tuple(0.8 ** (left / 4) for left in (4, 3, 2, 1))
    assert not any(noticed(simulate(Shape("", 30, 2, truth=mostly_won), n)) for n in range(10))


def test_without_losses_old_deals_are_not_over_forecast_and_new_ones_are_as_the_mapping_says() -> (
    None
):
    case = simulate(Shape("", 30, 3, losses=False, mapping=TRUTH), 4)
    funnel = funnel_of(case.history)
    assert funnel.silent is not None
    expected = funnel.open_curves(730).won.sum()
    true = sum(each.ever for each in case.open)
    assert expected < 0.15 * sum(case.history.chances[each.stage] for each in case.history.open)
    assert expected == pytest.approx(true, abs=3)
    fresh = replace(case.history, deals=(*case.history.deals, newly_in("Proposal")))
    assert funnel_of(fresh).open_curves(730).won[:, -1].sum() == pytest.approx(0.67, abs=0.03)


@pytest.mark.parametrize("stage_history", [True, False], ids=["stages", "no-stages"])
def test_lost_deals_that_stay_open_tell_that_the_mapping_is_too_low(stage_history: bool) -> None:
    shape = Shape("", 60, 3, losses=False, stage_history=stage_history)
    found = [chances(simulate(shape, seed))["Lead"] for seed in range(6)]
    assert funnel_of(simulate(shape, 0).history).silent is not None
    assert np.mean(found) == pytest.approx(TRUTH[0], abs=0.05)  # The mapping says .05.


@pytest.mark.parametrize("mapping", [TOO_LOW, TRUTH], ids=["low", "right"])
def test_where_lost_deals_are_taken_out_of_the_record_chances_are_from_mapping_to_truth(
    mapping: tuple[float, ...],
) -> None:
    """All that is left was won or is new: that every deal is won would be the wrong lesson. How few
    of the old ones are left tells the truth in part."""
    shape = Shape("", 60, 3, losses=False, removed=True, mapping=mapping)
    for seed in range(4):
        case = simulate(shape, seed)
        assert funnel_of(case.history).silent is not None
        found = chances(case)
        for stage, chance, truth in zip(shape.stages, mapping, TRUTH, strict=True):
            assert chance - 0.06 <= found[stage] <= truth + 0.14
        old = replace(newly_in("Lead", TODAY - timedelta(days=60)), key="old")
        aged = funnel_of(replace(case.history, deals=(*case.history.deals, old)))
        ever = float(aged.open_curves(730).won[:, -1].sum())
        assert mapping[0] - 0.06 <= ever <= TRUTH[0] + 0.14


def test_losses_that_were_recorded_once_still_count() -> None:
    shape = Shape("", 100, 4, silent=1.0, mapping=(0.4, 0.5, 0.65, 0.85))
    found = chances(simulate(shape, 3))
    for stage, chance in zip(shape.stages, TRUTH, strict=True):
        assert found[stage] == pytest.approx(chance, abs=0.1)


def test_without_stages_on_record_whole_deals_tell_how_far_the_mapping_is_off() -> None:
    shape = Shape("", 200, 3, stage_history=False)
    found = chances(simulate(shape, 2))
    for stage, chance in zip(Shape("").stages, TRUTH, strict=True):
        assert found[stage] == pytest.approx(chance, abs=0.08)


def test_a_forecast_says_that_no_losses_are_recorded() -> None:
    case = simulate(Shape("", 30, 3, losses=False), 4)
    forecast = make_forecast(case.history, TODAY)
    said = " ".join(notes(forecast, case.history))
    assert forecast.basis.no_losses_since is not None
    assert f"No loss is on record after {forecast.basis.no_losses_since}" in said
    usual = simulate(Shape("", 30, 3), 4)
    assert "No loss" not in " ".join(notes(make_forecast(usual.history, TODAY), usual.history))


def test_a_forecast_says_that_the_plain_mapping_did_better() -> None:
    case = simulate(Shape("", 30, 1), 4)
    forecast = make_forecast(case.history, TODAY)
    plain = replace(forecast, basis=replace(forecast.basis, variant=MAPPING_ALONE))
    assert "in this pipeline's own past that was better" in " ".join(notes(plain, case.history))


def test_what_planning_multiplies_chances_by_is_one_on_average() -> None:
    """So that weighted hours are the mean of the futures that the quantiles are taken of."""
    found = Outlooks(common_shock_sd=0.4)
    draws = np.random.default_rng(1).standard_normal(200_000)
    factors = np.exp(found.median + found.common_shock_sd * draws)
    assert factors.mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "mapping", [(0.1, None, None, 0.5), (0.3, 0.3, 0.3, 0.3)], ids=["gaps", "flat"]
)
def test_stages_that_the_mapping_does_not_tell_apart_are_told_apart_by_how_deals_move(
    mapping: tuple[float | None, ...],
) -> None:
    found = [chances(simulate(Shape("", 60, 2, mapping=mapping), seed)) for seed in range(4)]
    for stage, truth in zip(Shape("").stages, TRUTH, strict=True):
        assert np.mean([each[stage] for each in found]) == pytest.approx(truth, abs=0.1)


def test_where_days_of_stages_are_not_on_record_deals_in_late_ones_are_not_lost_for_old() -> None:
    """A deal of 200 days in the last stage was not there for 200 days: it passed the others."""
    shape = Shape("", 30, 3, losses=False, stage_history=False)
    expected = true = 0.0
    for seed in range(200, 216):
        case = simulate(shape, seed)
        won, _ = funnel_of(case.history).open_curves(90).within(1, 90)
        expected, true = expected + won.sum(), true + sum(fate.soon for fate in case.open)
    assert expected == pytest.approx(true, rel=0.2)


def off_by(history: History) -> float:
    funnel = funnel_of(history)
    wins, _ = funnel.open_curves(90).within(1, 90)
    return funnel.off_by(wins, 1.0, 1.0)


def test_what_is_learnt_from_few_decisions_may_be_off_by_more() -> None:
    few, many = (
        np.mean([off_by(simulate(Shape("", size, years), seed).history) for seed in range(4)])
        for size, years in ((15, 1), (200, 3))
    )
    assert few > 0.2 > 0.1 > many


def test_chances_are_off_by_about_as_much_as_is_said() -> None:
    """Mean squares of log (expected / true) of firms with the true mapping unknown to them."""
    said, came = [], []
    for seed in range(30):
        case = simulate(Shape("", 60, 1), seed)
        funnel = funnel_of(case.history)
        wins, _ = funnel.open_curves(730).within(1, 730)
        said.append(funnel.off_by(wins, 0.0, 0.0) ** 2)
        came.append(np.log(wins.sum() / sum(fate.ever for fate in case.open)) ** 2)
    assert 0.5 < np.sqrt(np.mean(said) / np.mean(came)) < 2.0


def test_an_import_of_open_deals_without_their_dates_tells_in_which_stage_deals_begin() -> None:
    """They are no arrivals, and yet the first stage that they are in is the one that won and lost
    deals passed first: else what was won of all would be taken for what is won of late stages."""
    found = funnel_of(simulate(Shape("", 30, 2, imported=1), 1).history)
    begins = found.record.stages[int(found.entry.argmax())]
    assert begins == "Lead"
