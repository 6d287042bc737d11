"""Ranges come from a shock that all deals share."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy", reason="needs the extra planning: numpy")

from taiga_pipeline.planning.forecast.common_shock import (  # noqa: E402
    BIAS_SD,
    PRIOR_SD,
    CommonShock,
    Window,
    independent_windows,
    learn_common_shock,
)
from taiga_pipeline.planning.forecast.forecast import MOST_OFF  # noqa: E402
from taiga_pipeline.planning.forecast.simulate import (  # noqa: E402
    FEW_WINS,
    Newcomers,
    NewPrice,
    Prices,
    draw_factors,
    range_of,
    simulate_new,
    simulate_open,
    under_shock,
)


def windows(ratio: float, number: int = 40) -> list[Window]:
    return [Window(7 * place, 100.0, 100.0 * ratio) for place in range(number)]


def test_without_past_forecasts_the_prior_stands_alone() -> None:
    common_shock = learn_common_shock([], 90)
    assert (common_shock.mean, common_shock.windows) == (0.0, 0.0)
    assert common_shock.sd == pytest.approx(np.hypot(PRIOR_SD, BIAS_SD))


def test_windows_that_overlap_count_once() -> None:
    assert independent_windows([0, 7, 14, 21, 90, 180], 90) == pytest.approx(3.0)


def test_forecasts_that_were_too_high_for_years_are_corrected_for_most_of_it() -> None:
    common_shock = learn_common_shock(windows(0.8, 300), 30)
    assert np.log(0.8) < common_shock.mean < 0.5 * np.log(0.8)


def test_one_bad_window_is_hardly_believed() -> None:
    assert -0.12 < learn_common_shock([Window(0, 100, 50)], 90).mean < 0.0


def test_good_forecasts_make_narrower_ranges_and_bad_ones_wider() -> None:
    swinging = [Window(w.made, 100, 160 if n % 8 < 4 else 60) for n, w in enumerate(windows(1.0))]
    good, bad = learn_common_shock(windows(1.0), 30), learn_common_shock(swinging, 30)
    assert good.sd < np.hypot(PRIOR_SD, BIAS_SD) < bad.sd


def simulated(
    common_shock: CommonShock, deals: int = 2000, seed: int = 5
) -> tuple[float, float, float]:
    random = np.random.default_rng(seed)
    chances = np.full(deals, 0.2)
    factor = draw_factors(common_shock, random, 2000)
    sums = simulate_open((chances, chances), {}, factor, random)
    found = range_of(sums.won)
    return found.low, found.middle, found.high


def test_the_common_shock_does_not_average_out_over_many_deals() -> None:
    low, middle, high = simulated(CommonShock(0.0, 0.2))
    assert middle == pytest.approx(400, rel=0.03)
    assert (high - low) / middle == pytest.approx(2 * 1.2816 * 0.2, rel=0.15)


def test_deals_are_won_as_often_as_their_chance_says_in_good_and_bad_times_together() -> None:
    shock = CommonShock(-0.05, 0.3)
    factor = draw_factors(shock, np.random.default_rng(1), 20_000)
    for chance in (0.05, 0.6, 0.9, 0.99):
        before = under_shock(np.full(20, chance), shock)
        sums = simulate_open((before, before), {}, factor, np.random.default_rng(2))
        assert sums.won.mean() / 20 == pytest.approx(chance * np.exp(shock.mean), abs=0.01)
    for sd in (0.3, MOST_OFF):
        factor = draw_factors(CommonShock(0.0, sd), np.random.default_rng(1), 20_000)
        sure = under_shock(np.array([1.0, 1 - 1e-12]), CommonShock(0.0, sd))
        assert simulate_open((sure, sure), {}, factor, np.random.default_rng(2)).won.min() >= 1


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert simulated(CommonShock()) == simulated(CommonShock())
    assert simulated(CommonShock()) != simulated(CommonShock(), seed=6)


def test_values_add_up_what_is_won() -> None:
    random = np.random.default_rng(1)
    chances = np.array([0.5, 0.5])
    prices = {"EUR": Prices(np.array([10.0, 1000.0]), np.zeros(2))}
    sums = simulate_open((chances, chances), prices, np.ones(500), random)
    assert set(np.round(sums.value["EUR"])) == {0.0, 10.0, 1000.0, 1010.0}


def test_over_dispersed_arrivals_spread_wider_than_a_poisson_process() -> None:
    def spread(dispersion: float) -> float:
        expected = Newcomers(50.0, 100.0, dispersion, {"EUR": NewPrice(10.0, 4.0)})
        sums = simulate_new(expected, np.ones(4000), np.random.default_rng(2))
        assert sums.decided.mean() == pytest.approx(100, rel=0.05)
        assert sums.won.mean() == pytest.approx(50, rel=0.05)
        assert sums.value["EUR"].mean() == pytest.approx(500, rel=0.05)
        return float(sums.decided.var() / sums.decided.mean())

    assert spread(1.0) == pytest.approx(1.0, rel=0.15)
    assert spread(6.0) == pytest.approx(6.0, rel=0.2)


@pytest.mark.parametrize(
    ("mean", "least", "most"), [(0.75, 0.74, 0.88), (1.5, 0.74, 0.88), (3.0, 0.74, 0.88)]
)
def test_the_range_of_few_different_numbers_holds_about_what_it_says(
    mean: float, least: float, most: float
) -> None:
    """From P10 to P90, 96 of 100 small firms' quarters lay within the range."""
    trials = np.random.default_rng(1).poisson(mean, 20_000).astype(float)
    found = range_of(trials)
    assert found.low <= found.middle <= found.high
    assert least < ((found.low <= trials) & (trials <= found.high)).mean() < most


def test_a_value_that_is_often_nothing_has_a_range_from_nothing() -> None:
    random = np.random.default_rng(1)
    trials = np.where(random.random(20_000) < 0.4, 0.0, random.gamma(4.0, 1000.0, 20_000))
    found = range_of(trials)
    assert found.low == 0.0
    assert ((found.low <= trials) & (trials <= found.high)).mean() == pytest.approx(0.8, abs=0.01)


def test_chance_variation_of_few_deals_is_not_taken_for_a_common_shock() -> None:
    random = np.random.default_rng(1)
    few = [Window(90 * n, 3.0, float(random.poisson(3.0))) for n in range(40)]
    assert learn_common_shock(few, 90).sd < PRIOR_SD


def test_a_common_shock_of_few_deals_is_seen_in_full() -> None:
    """Not only as far as ratios of small numbers, which are tempered, show it."""
    random = np.random.default_rng(1)
    came = random.poisson(4.0 * np.exp(0.6 * random.standard_normal(200)))
    few = [Window(90 * n, 4.0, float(number)) for n, number in enumerate(came)]
    assert learn_common_shock(few, 90).sd == pytest.approx(0.6, abs=0.1)


def test_ranges_of_few_different_numbers_hold_80_of_100_over_many_of_them() -> None:
    """Each is a range of whole numbers, and holds more or less; what they hold evens out."""
    shares = []
    for mean in np.linspace(0.6, 4.0, 18):
        trials = np.random.default_rng(1).poisson(mean, 10_000).astype(float)
        found = range_of(trials)
        shares.append(((found.low <= trials) & (trials <= found.high)).mean())
    assert np.mean(shares) == pytest.approx(0.8, abs=0.02)


def test_guessed_values_with_a_long_tail_are_never_negative_and_right_on_average() -> None:
    """Normal noise would be cut off at nothing in every second future of one win, and its mean be
    too high by half."""
    random = np.random.default_rng(3)
    prices = {"EUR": Prices(np.array([1000.0]), np.array([3000.0**2]))}
    won = np.ones(1)
    sums = simulate_open((won, won), prices, np.ones(100_000), random).value["EUR"]
    assert sums.min() > 0
    assert sums.mean() == pytest.approx(1000, rel=0.05)
    new = Newcomers(1.0, 1.0, 1.0, {"EUR": NewPrice(1000.0, 3000.0**2)})
    found = simulate_new(new, np.ones(100_000), random).value["EUR"]
    assert found.min() == 0
    assert found.mean() == pytest.approx(1000, rel=0.05)


def test_guessed_values_of_open_and_new_deals_are_off_together() -> None:
    """Both are guessed from the same few wins."""
    random, often = np.random.default_rng(5), np.ones(4000)
    off = random.standard_normal(4000)
    won = np.ones(200)
    guessed = {"EUR": Prices(np.full(200, 10.0), np.full(200, 1.0), doubt=0.3)}
    coming = Newcomers(200.0, 200.0, 1.0, {"EUR": NewPrice(10.0, 1.0, doubt=0.3)})
    of_open = simulate_open((won, won), guessed, often, random, off).value["EUR"]
    of_new = simulate_new(coming, often, random, off)
    each = of_new.value["EUR"] / of_new.won
    assert np.corrcoef(of_open, each)[0, 1] > 0.95


def test_wins_of_which_some_bring_nothing_may_bring_nothing() -> None:
    """One sum of log-normal shape for all of them would always be something."""
    random = np.random.default_rng(4)
    one, often = np.ones(1), np.ones(20_000)
    guessed = {"EUR": Prices(np.array([600.0]), np.array([800.0**2]), nothing=0.4)}
    coming = {"EUR": NewPrice(600.0, 800.0**2, nothing=0.4)}
    of_open = simulate_open((one, one), guessed, often, random).value["EUR"]
    of_new = simulate_new(Newcomers(1.0, 1.0, 1.0, coming), often, random)
    assert (of_open == 0).mean() == pytest.approx(0.4, abs=0.02)
    assert (of_new.value["EUR"] == 0)[of_new.won == 1].mean() == pytest.approx(0.4, abs=0.02)
    for found in (of_open, of_new.value["EUR"]):
        assert found.mean() == pytest.approx(600, rel=0.05)
    assert of_open.std() == pytest.approx(800, rel=0.05)


@pytest.mark.parametrize("wins", [FEW_WINS - 1, FEW_WINS + 1])
def test_many_wins_bring_what_each_of_them_would(wins: int) -> None:
    """Drawn one by one or together."""
    prices = {"EUR": Prices(np.full(wins, 10.0), np.full(wins, 400.0), nothing=0.3)}
    won = np.ones(wins)
    found = simulate_open((won, won), prices, np.ones(20_000), np.random.default_rng(2))
    assert found.value["EUR"].mean() == pytest.approx(wins * 10, rel=0.02)
    assert found.value["EUR"].std() == pytest.approx(wins**0.5 * 20, rel=0.05)


def test_what_values_are_worth_on_average_may_be_off_for_all_of_them() -> None:
    def width(doubt: float) -> float:
        prices = {"EUR": Prices(np.full(400, 10.0), np.full(400, 25.0), doubt)}
        won = np.ones(400)
        sums = simulate_open((won, won), prices, np.ones(4000), np.random.default_rng(2))
        found = range_of(sums.value["EUR"])
        return (found.high - found.low) / found.middle

    assert width(0.0) < 0.1
    assert width(0.3) == pytest.approx(2 * 1.2816 * 0.3, rel=0.1)
