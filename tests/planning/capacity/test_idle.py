"""Hours that nobody asks for: of roles in every future, and of people after reservations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest

from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.capacity.exact import Distribution
from taiga_pipeline.planning.capacity.idle import exact_idle, sampled_idle
from taiga_pipeline.planning.capacity.result import PersonCapacity
from tests.planning.capacity.test_capacity import ANA, BACK, open_deal, report, role, week, won


def test_free_hours_are_capacity_less_demand_at_each_quantile() -> None:
    found = role(report(open_deal(), won("D-2", 10), chance=0.5))
    cell = found.weeks[1]
    # 30 h are left by what is sure; the open deal takes all of it in half of the futures.
    assert (cell.idle.low, cell.idle.high) == (0, 30)
    assert cell.idle.expected == pytest.approx(15, abs=1)
    assert (cell.utilisation, cell.expected_utilisation) == (0.25, 0.75)
    assert (found.weeks[0].idle.low, found.weeks[0].idle.expected) == (40, 40)


def test_hours_that_lack_in_one_week_do_not_fill_the_free_hours_of_another() -> None:
    found = report(won("D-1", 60))
    back = role(found)
    assert [cell.idle.expected for cell in back.weeks] == [40, 0, 0, 40]
    assert (back.total.idle.low, back.total.idle.expected) == (80, 80)
    assert found.total.idle.expected == 80 + 160


def test_exact_and_sampled_free_hours_agree() -> None:
    source = np.random.default_rng(3)
    for _ in range(40):
        hours = np.sort(source.integers(0, 60, 5)).astype(float)
        chances = source.dirichlet(np.ones(5))
        room = float(source.integers(-10, 70))
        drawn = source.choice(hours, 40_000, p=chances)
        exact = exact_idle(Distribution(hours, chances), room)
        sampled = sampled_idle(np.maximum(room - drawn, 0))
        assert exact.expected == pytest.approx(sampled.expected, abs=0.5)
        free = np.maximum(room - hours, 0)
        for share, found in zip(
            (0.2, 0.5, 0.8), (exact.low, exact.middle, exact.high), strict=True
        ):
            assert chances[free <= found].sum() >= share - 1e-9
            assert chances[free < found].sum() < share


def reserved(key: str, hours: int, **changes: Any) -> Allocation:
    return Allocation(key, ANA.email, "Back", Decimal(hours), confirmed=False, **changes)


def ana(*deals: Deal, **changes: Any) -> PersonCapacity:
    found = report(*deals, **changes)
    (person,) = (each for each in found.people if each.email == ANA.email)
    return person


def test_a_reservation_takes_a_persons_hours_with_the_chance_of_its_deal() -> None:
    person = ana(open_deal(), allocations=(reserved("D-1", 16),), chance=0.5)
    booked = person.weeks[1]
    assert (booked.capacity, booked.confirmed, booked.tentative) == (40, 0, 16)
    assert booked.expected == pytest.approx(8)
    assert (booked.idle.low, booked.idle.high) == (24, 40)
    assert booked.idle.expected == pytest.approx(32)
    assert booked.utilisation == 0
    assert booked.expected_utilisation == pytest.approx(0.2)
    assert booked.tentative_deals == (("D-1", 16),)


def test_a_confirmed_allocation_is_taken_for_sure() -> None:
    sure = Allocation("D-2", ANA.email, "Back", Decimal(30))
    person = ana(won("D-2", 30), allocations=(sure,))
    assert [each.confirmed for each in person.weeks] == [0, 30, 30, 0]
    assert person.total.idle.low == person.total.idle.high == 40 + 10 + 10 + 40
    assert person.total.utilisation == 60 / 160


def test_weeks_together_follow_the_same_deals_as_each_week() -> None:
    """Every outcome of three deals, by hand, against what is worked out."""
    roles = (RoleDemand("Back", Decimal(8), 1),)
    starts = (0, 1, 1)
    deals = [
        open_deal(f"D-{n}", start=week(start), roles=roles) for n, start in enumerate(starts, 1)
    ]
    hours = (30, 24, 24)
    allocations = tuple(
        reserved(f"D-{n}", each, start=week(start), end=week(start))
        for n, (each, start) in enumerate(zip(hours, starts, strict=True), 1)
    )
    person = ana(*deals, allocations=allocations, chance=0.3, weeks=2)
    free: dict[float, float] = {}
    for won_ones in product((False, True), repeat=3):
        chance = float(np.prod([0.3 if each else 0.7 for each in won_ones]))
        asked = [each / 5 if won else 0 for each, won in zip(hours, won_ones, strict=True)]
        left = (40 - asked[0]) + (40 - asked[1] - asked[2])
        free[left] = free.get(left, 0.0) + chance
    assert person.total.idle.expected == pytest.approx(sum(f * c for f, c in free.items()))
    reached, low = 0.0, None
    for left in sorted(free):
        reached += free[left]
        if low is None and reached >= 0.2:
            low = left
    assert person.total.idle.low == pytest.approx(low)


def test_more_reservations_than_can_be_told_apart_still_count() -> None:
    deals = [open_deal(f"D-{n:02}") for n in range(14)]
    allocations = tuple(reserved(f"D-{n:02}", 1) for n in range(14))
    person = ana(*deals, allocations=allocations, chance=1.0)
    assert person.weeks[1].idle.high == 26


def test_a_role_that_nobody_has_has_nothing_free() -> None:
    other = role(report(open_deal(roles=(RoleDemand("Data", Decimal(8), 2),))), "Data")
    assert (other.total.idle.high, other.total.utilisation) == (0, None)


def test_a_window_that_begins_later_shows_its_own_weeks() -> None:
    sure = Allocation("D-2", ANA.email, "Back", Decimal(30))
    later = report(won("D-2", 30), allocations=(sure,), first=week(1), weeks=2)
    (person,) = (each for each in later.people if each.email == ANA.email)
    assert [each.confirmed for each in person.weeks] == [30, 30]
    assert BACK.hours_per_week == 40 and isinstance(week(0), date)
