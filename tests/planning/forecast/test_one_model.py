"""What is said of one deal and of all of them is one model."""

from __future__ import annotations

from datetime import timedelta

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from bench.small_firms import simulate  # noqa: E402
from bench.small_firms_shape import Shape  # noqa: E402
from taiga_pipeline.planning.forecast.forecast import prepare, simulate_period  # noqa: E402
from taiga_pipeline.planning.forecast.outlooks import explain, outlooks_of  # noqa: E402

FIRMS = [
    Shape("as usual", 40, 1),
    Shape("with dates that hold", 30, 1, stated=True),
    Shape("with wins entered when won", 45, 1, unseen=0.5),
    Shape("with clean-ups", 40, 1.5, clean_up=150),
    Shape("without stages", 40, 1, stage_history=False),
]


@pytest.mark.parametrize("shape", FIRMS, ids=lambda shape: shape.name)
def test_the_chances_of_single_deals_sum_to_what_is_expected_of_them_together(
    shape: Shape,
) -> None:
    ground = prepare(simulate(shape, 3).history, shape.today, 90)
    told = [explain(ground, deal.key) for deal in ground.deals]
    for days in (30, 60, 90):
        one_by_one = sum(each.within[days] for each in told if each)
        together = simulate_period(ground, 1, days, 0, trials=20_000)["open"].won.mean()
        assert float(together) == pytest.approx(one_by_one, rel=0.03, abs=0.03)
    found = outlooks_of(ground).by_deal
    for each in told:
        assert each is not None
        assert found[each.deal.key].probability == pytest.approx(each.chance)
        if each.closes:
            assert each.closes[0] > shape.today - timedelta(days=1)
