"""Who is short of which role in which week, and because of which deals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.public_holidays import public_holidays
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.capacity.drivers import Drawn, RoleDrivers, driver_candidates
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.overload import overload_notices
from taiga_pipeline.planning.capacity.result import CapacityReport, RoleCapacity
from taiga_pipeline.planning.capacity.rows import Row, Shape, Table, expected_hours
from taiga_pipeline.planning.capacity.simulation import Simulation
from taiga_pipeline.planning.demand.deals import Booked, Demand, Situation
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import WEEK, Weeks
from tests.mapping.support import deal, mappings

NOW = date(2026, 11, 23)
ANA = Person("ana@example.org", "Ana", role="Back", team="Consulting")
BO = Person("bo@example.org", "Bo", role="Design", team="Other")
BACK = RoleDemand("Back", Decimal(40), 2)


def week(number: int) -> date:
    return NOW + WEEK * number


def open_deal(key: str = "D-1", **changes: Any) -> Deal:
    return deal(
        **{"key": key, "start": week(1), "expected_close": NOW, "roles": (BACK,), **changes}
    )


def won(key: str, hours: int) -> Deal:
    role = RoleDemand("Back", Decimal(hours), 2)
    return deal(key=key, stage="Won", start=week(1), roles=(role,))


def report(
    *deals: Deal, chance: float = 0.5, common_shock_sd: float = 0.0, weeks: int = 4, **changes: Any
) -> CapacityReport:
    outlooks = Outlooks(
        {each.key: Outlook(each.key, chance, ((NOW, 1.0),)) for each in deals}, common_shock_sd
    )
    options: dict[str, Any] = {"trials": 4_000}
    for name in ("trials", "seed", "quantile", "team", "default_country", "first"):
        if name in changes:
            options[name] = changes.pop(name)
    first = options.pop("first", NOW)
    situation = Situation(NOW, deals, **{"people": (ANA, BO), **changes})
    asked = Options(Weeks(first, weeks), public_holidays, **options)
    return find_capacity(situation, mappings(), outlooks, asked)


def role(found: CapacityReport, name: str = "Back") -> RoleCapacity:
    (one,) = (each for each in found.roles if each.role == name)
    return one


def test_a_cell_has_capacity_confirmed_weighted_exposure_and_quantile() -> None:
    cell = role(report(open_deal(), won("D-2", 30))).weeks[1]
    assert (cell.capacity, cell.confirmed, cell.weighted, cell.exposure) == (40, 30, 50, 70)
    assert (cell.quantile, cell.gap) == (70, 30)
    assert cell.chance_short == pytest.approx(0.5, abs=0.03)
    assert cell.expected_gap == pytest.approx(15, abs=1)


def test_weeks_without_demand_have_room() -> None:
    cells = role(report(open_deal())).weeks
    assert [cell.quantile for cell in cells] == [0, 40, 40, 0]
    assert [cell.gap for cell in cells] == [0, 0, 0, 0]


def test_the_quantile_can_be_chosen() -> None:
    likely = report(open_deal(), open_deal("D-2"), quantile=0.5)
    careful = report(open_deal(), open_deal("D-2"), quantile=0.9)
    assert role(likely).weeks[1].quantile == 40
    assert role(careful).weeks[1].quantile == 80


def test_totals_come_from_the_trials_and_not_from_sums_of_quantiles() -> None:
    deals = [open_deal(f"D-{n}", start=week(n)) for n in range(4)]
    found = role(report(*deals, weeks=6, chance=0.3))
    assert found.total.quantile < sum(cell.quantile for cell in found.weeks)
    assert found.total.expected_gap == pytest.approx(
        sum(cell.expected_gap for cell in found.weeks), rel=1e-4
    )


def test_hours_of_one_role_do_not_make_up_for_those_of_another() -> None:
    found = report(won("D-1", 60))
    assert role(found, "Design").weeks[1].capacity == 40
    assert found.by_week[1].capacity == 80
    assert (found.by_week[1].gap, found.total.gap) == (20, 40)


def test_drivers_are_the_deals_that_add_to_the_gap_the_largest_first() -> None:
    large = replace(BACK, hours_per_week=Decimal(60))
    small = replace(BACK, hours_per_week=Decimal(10))
    found = report(
        open_deal("large", roles=(large,)),
        open_deal("small", roles=(small,)),
        open_deal("late", start=week(3)),
        won("D-2", 40),
    )
    drivers = role(found).weeks[1].drivers
    assert [driver.deal_key for driver in drivers] == ["large", "D-2", "small"]
    # Nothing is left of Ana's time, so that all hours of each open deal are missing.
    assert [driver.added for driver in drivers] == pytest.approx([30, 22.5, 5], abs=1.5)
    # The late one finds all of it free.
    behind = role(found).total.drivers
    assert [driver.deal_key for driver in behind] == ["large", "D-2", "small"]


def test_won_deals_stand_behind_the_gaps_that_they_make() -> None:
    found = report(won("D-1", 60), won("D-2", 10), weeks=4)
    cells = role(found).weeks
    assert [[(each.deal_key, each.added) for each in cell.drivers] for cell in cells] == [
        [],
        [("D-1", 30), ("D-2", 10)],
        [("D-1", 30), ("D-2", 10)],
        [],
    ]
    first, second = role(found).total.drivers
    assert (first.deal_key, first.added, first.weighted, first.is_won) == ("D-1", 60, 120, True)
    assert (second.deal_key, second.added, second.weighted) == ("D-2", 20, 20)


def test_who_works_outside_the_own_role_is_behind_the_gap_of_the_own_role() -> None:
    helping = Allocation("D-1", BO.email, "Back", Decimal(20))
    design = RoleDemand("Design", Decimal(30), 2)
    found = report(
        won("D-1", 20),
        deal(key="D-2", stage="Won", start=week(1), roles=(design,)),
        allocations=(helping,),
    )
    behind = role(found, "Design").weeks[1].drivers
    assert [(each.deal_key, each.added) for each in behind] == [("D-1", 10), ("D-2", 10)]
    assert role(found).weeks[1].drivers == ()


def test_what_a_deal_adds_is_the_gap_less_the_gap_without_it_in_the_same_trials() -> None:
    source = np.random.default_rng(5)
    shape = Shape(1, 6)
    rows = [
        Row(
            float(source.uniform(0.2, 0.9)),
            ((n % 4, 0.5), (n % 4 + 2, 0.5)),
            ((0, int(source.integers(-2, 2)), 20.0), (0, 3, -20.0)),
        )
        for n in range(9)
    ]
    capacity = np.full(6, 50.0)
    table = Table.of(rows, shape.weeks)
    expected = list(expected_hours(table, shape))
    futures = Simulation(rows, shape).run(3_000, 1, driver_candidates(expected))
    found = RoleDrivers(0, Drawn(rows, table, futures, expected, shape), capacity)
    for number in range(6):
        for added in found.of_week(number):
            without = list(rows)
            without[added.row] = replace(rows[added.row], probability=0.0)
            fewer = Simulation(without, shape).run(3_000, 1).hours[0, number]
            gap = np.maximum(futures.hours[0, number] - 50, 0).mean()
            assert added.hours == pytest.approx(gap - np.maximum(fewer - 50, 0).mean(), abs=1e-4)


def test_the_same_seed_gives_the_same_report() -> None:
    deals = [open_deal(f"D-{n}") for n in range(5)]
    again = report(*deals, common_shock_sd=0.25)
    assert report(*deals, common_shock_sd=0.25) == again
    assert report(*deals, common_shock_sd=0.25, seed=2) != again


def test_projects_that_begin_before_the_weeks_shown_reach_into_them() -> None:
    found = role(report(open_deal(), chance=1.0, first=week(2), weeks=2))
    assert [cell.quantile for cell in found.weeks] == [40, 0]
    assert found.total.quantile == 40


def test_weeks_of_the_past_can_be_looked_at() -> None:
    earlier = deal(stage="Won", start=week(-2), roles=(BACK,))
    found = role(report(earlier, first=week(-2), weeks=3))
    assert [cell.confirmed for cell in found.weeks] == [40, 40, 0]


def test_time_off_and_holidays_take_capacity_away() -> None:
    off = TimeOff(ANA.email, week(1), week(1) + timedelta(days=1))
    found = role(report(time_off=(off,), default_country="SE", weeks=6))
    assert [cell.capacity for cell in found.weeks] == [40, 24, 40, 40, 32, 32]


def test_somebody_counts_for_their_own_role_once() -> None:
    both = replace(ANA, skills=("Design",))
    assert role(report(people=(both, BO)), "Design").weeks[0].capacity == 40


def test_an_empty_roster_is_all_gap_and_is_said() -> None:
    found = report(won("D-1", 30), people=())
    assert role(found).weeks[1].gap == 30
    assert role(found).weeks[1].load is None
    assert "the roster is empty" in found.notices[0]


def test_nothing_at_all_is_an_empty_report() -> None:
    found = report(people=())
    assert found.roles == ()
    assert found.total.quantile == found.total.gap == 0


def test_a_role_that_nobody_has_is_a_gap_and_is_said_with_the_nearest() -> None:
    found = report(open_deal(roles=(RoleDemand("Bakc", Decimal(10), 2),)), chance=1.0)
    assert role(found, "Bakc").weeks[1].gap == 10
    assert "no person has the role 'Bakc' that D-1 asks for; did you mean 'Back'?" in found.notices


def test_roles_are_the_same_in_any_letter_case() -> None:
    found = report(open_deal(roles=(RoleDemand("BACK", Decimal(10), 2),)), chance=1.0)
    assert [each.role for each in found.roles] == ["Back", "Design"]
    assert role(found).weeks[1].quantile == 10


def test_people_without_a_role_are_said() -> None:
    found = report(people=(ANA, replace(BO, role="")))
    assert "without a role, and so not counted: bo@example.org" in found.notices


def test_negative_hours_count_as_none_and_are_said() -> None:
    found = report(people=(replace(ANA, hours_per_week=Decimal(-40)),))
    assert role(found).weeks[0].capacity == 0
    assert "ana@example.org has -40 hours per week; counted as 0" in found.notices


def test_a_team_has_its_own_people_and_deals() -> None:
    found = report(won("D-1", 30), replace(won("D-2", 99), team="Other"), team="consulting")
    assert [each.role for each in found.roles] == ["Back"]
    assert role(found).weeks[1].confirmed == 30


def test_an_unknown_team_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'Consulting'"):
        report(team="Consultng")


@pytest.mark.parametrize(
    "wrong", [{"quantile": 0.0}, {"quantile": 1.0}, {"trials": 0}, {"seed": -1}]
)
def test_what_makes_no_sense_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        report(**wrong)


# --- people over their limit


def overload(*sure: Booked, reserved: tuple[Booked, ...] = ()) -> list[str]:
    return list(overload_notices([ANA], Demand((), sure, reserved, ())))


def booked(number: int, hours: float, key: str = "D-1") -> Booked:
    return Booked(key, "Back", week(number), hours, ANA.email)


def test_somebody_twice_in_a_week_over_the_limit_is_warned_of_once_for_equal_weeks() -> None:
    sure = [booked(n, hours, key) for n in (0, 1) for hours, key in ((30, "D-1"), (20, "D-2"))]
    assert overload(*sure, booked(2, 40)) == [
        "ana@example.org is booked 50 h a week of 40 h in 2026-W48 to 2026-W49 (D-1 30 h, D-2 20 h)"
    ]


def test_exactly_the_limit_is_fine() -> None:
    assert overload(booked(0, 20), booked(0, 20, "D-2")) == []


def test_reservations_are_named_as_such() -> None:
    (notice,) = overload(booked(0, 30), reserved=(booked(0, 20, "D-3"),))
    assert notice.startswith("ana@example.org is booked, with reservations, 50 h a week of 40 h")


def test_the_report_warns_of_people_over_their_limit() -> None:
    twice = tuple(Allocation(key, ANA.email, "Back", Decimal(30)) for key in ("D-1", "D-2"))
    found = report(won("D-1", 30), won("D-2", 30), allocations=twice)
    assert any("is booked 60 h a week of 40 h" in notice for notice in found.notices)
