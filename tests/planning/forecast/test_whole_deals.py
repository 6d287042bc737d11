"""What decided deals tell whose stages are not on record, and stages that are so since a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import TODAY, TOO_LOW, TRUTH, Shape  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.fitting import fit_funnel  # noqa: E402
from taiga_pipeline.planning.forecast.funnel.whole_deals import Path, WholeDeals  # noqa: E402
from taiga_pipeline.planning.forecast.record import NEVER, make_record  # noqa: E402
from taiga_pipeline.planning.history.model import History, PastDeal, StageSpell  # noqa: E402

PATH = Path(3, np.array([0.4, 0.2, 0.1]), 1 / 20)


def test_wins_are_fewer_beside_losses_the_less_time_there_was() -> None:
    odds = PATH.relative_odds(np.array([5, 20, 60, 1000]))
    assert (np.diff(odds) > 0).all()
    assert odds[0] < 0.1
    assert odds[-1] == pytest.approx(1.0, abs=1e-6)


def test_few_wins_of_new_deals_say_less_against_them_than_few_wins_of_old_ones() -> None:
    """One win of eight decisions, in a month and in three years."""

    def best(days_ago: int) -> float:
        record = make_record(History(simulate(Shape("", 300, 1), 3).history.deals), TODAY)
        decided = np.flatnonzero(~record.is_open)[:8]
        entered = record.entered.copy()
        entered[decided] = record.today - days_ago
        won = np.zeros_like(record.won)
        won[decided[0]] = True
        which = np.isin(np.arange(len(won)), decided)
        seen = WholeDeals.of(replace(record, entered=entered, won=won), which, record.today, PATH)
        chances = np.linspace(0.01, 0.99, 99)
        return float(chances[seen.likelihood(chances).argmax()])

    assert best(1095) == pytest.approx(1 / 8, abs=0.02)
    assert best(30) > 0.2


def test_stages_are_learnt_from_the_day_on_which_they_are_on_record() -> None:
    """Columns were renamed: the mapping does not know the names before."""
    off: dict[int, list[float]] = {400: [], 1: []}
    for seed in range(5):
        for renamed in off:
            case = simulate(Shape("", 60, 3, mapping=TOO_LOW, renamed=renamed), seed)
            record = make_record(case.history, TODAY)
            first = TODAY - timedelta(days=renamed)
            known = first.toordinal() <= record.staged_since <= first.toordinal() + 30
            assert known if renamed == 400 else record.staged_since == NEVER
            found = fit_funnel(record, case.history.chances)
            by_name = dict(zip(found.record.stages, found.chances().tolist(), strict=True))
            pairs = zip(Shape("").stages, TRUTH, strict=True)
            off[renamed] += [(by_name.get(name, truth) - truth) ** 2 for name, truth in pairs]
    assert np.mean(off[400]) < 0.8 * np.mean(off[1])


def test_stages_that_hardly_any_decision_has_seen_yet_are_not_learnt_from() -> None:
    case = simulate(Shape("", 30, 2, renamed=20), 1)
    assert make_record(case.history, TODAY).staged_since == NEVER


def test_stages_in_which_no_deal_is_today_are_passed_all_the_same() -> None:
    """Where stages are not on record, only those of open deals are seen, and a funnel without the
    others was thought to be passed too soon."""
    case = simulate(Shape("", 60, 3, mapping=TRUTH, stage_history=False), 3)
    found = fit_funnel(make_record(case.history, TODAY), case.history.chances)
    assert set(found.record.stages) == {"", *Shape("").stages}
    fewer = [
        replace(deal, closed=deal.stages[-1].since, won=False, stages=())
        if deal.closed is None and deal.stage == "Needs"
        else deal
        for deal in case.history.deals
    ]
    history = replace(case.history, deals=tuple(fewer))
    without = fit_funnel(make_record(history, TODAY), history.chances)
    assert set(without.record.stages) == {"", *Shape("").stages}
    assert without.leaves.mean() == pytest.approx(found.leaves.mean(), rel=0.05)
    known = {name: chance for name, chance in history.chances.items() if name != "Needs"}
    assert fit_funnel(make_record(history, TODAY), known).leaves.mean() < without.leaves.mean()


def test_stages_before_the_first_one_that_deals_are_in_are_not_passed() -> None:
    deal = replace(PastDeal("D", TODAY - timedelta(9)), stages=(StageSpell(TODAY, "Needs"),))
    funnel = fit_funnel(
        make_record(History((deal,)), TODAY), dict(zip(Shape("").stages, TRUTH, strict=True))
    )
    assert set(funnel.record.stages) == {"", "Needs", "Proposal"}
