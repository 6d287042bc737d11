"""The earliest start of a deal that takes no hours from any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from taiga_pipeline.people.model import Allocation
from taiga_pipeline.people.public_holidays import public_holidays
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.attendance import Attendance
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.fits import Fit, fit_of
from taiga_pipeline.planning.demand.deals import Fate, Situation
from taiga_pipeline.planning.demand.starts import Beginning
from taiga_pipeline.planning.outlook import Outlook, Outlooks
from taiga_pipeline.planning.weeks import Weeks
from tests.mapping.support import mappings
from tests.planning.capacity.test_capacity import ANA, BO, NOW, open_deal, week, won

COUNT = 12


def fit(
    deal: Deal,
    *others: Deal,
    chance: float = 0.5,
    allocations: tuple[Allocation, ...] = (),
    **changes: Any,
) -> Fit:
    known = (deal, *others)
    found = {each.key: Outlook(each.key, chance, ((NOW, 1.0),)) for each in known}
    outlooks = Outlooks(found, 0.0)
    weeks = Weeks(NOW, COUNT)
    options = Options(weeks, public_holidays, **{"trials": 2_000, **changes})
    situation = Situation(NOW, known, (ANA, BO), allocations=allocations)
    attendance = Attendance(situation.people, (), list(weeks))
    return fit_of(deal, (week(1), NOW), situation, (mappings(), outlooks), (options, attendance))


def test_a_deal_fits_after_what_won_deals_ask_for() -> None:
    found = fit(open_deal(), won("D-2", 30))  # Ana's 40 h, of which 30 are taken in weeks 1 and 2
    assert found.earliest is not None and found.earliest.week == week(3)
    assert [(each.role, each.hours, each.weeks) for each in found.planned.missing] == [
        ("Back", 60, 2)
    ]


def test_open_deals_count_at_the_quantile_and_not_beside_won_ones_alone() -> None:
    other = open_deal("D-2")
    found = fit(open_deal(), other)
    assert found.earliest is not None and found.earliest.week == week(3)
    assert found.sure is not None and found.sure.week == week(0)
    unlikely = fit(open_deal(), other, chance=0.1)
    assert unlikely.earliest is not None and unlikely.earliest.week == week(0)


def test_what_fits_nowhere_says_what_lacks_least() -> None:
    large = open_deal(roles=(RoleDemand("Back", Decimal(50), 2),))
    found = fit(large, won("D-2", 10))
    assert (found.earliest, found.sure) == (None, None)
    assert (found.best.week, found.best.hours) == (week(3), 20) or found.best.hours == 20


@pytest.mark.parametrize("stage", ["Proposal", "Won"])
def test_people_on_the_deal_use_the_hours_of_their_own_role(stage: str) -> None:
    """Ana, a back-end developer, is to design: the deal fits where the back end has her hours."""
    design = replace(open_deal(roles=(RoleDemand("Design", Decimal(40), 2),)), stage=stage)
    ana = Allocation("D-1", ANA.email, "Design", Decimal(40), confirmed=stage == "Won")
    found = fit(design, won("D-2", 30), allocations=(ana,))
    assert [(each.role, each.hours) for each in found.planned.missing] == [("Back", 60)]
    assert found.earliest is not None and found.earliest.week == week(3)


def test_what_no_one_is_reserved_for_is_asked_of_the_role() -> None:
    ana = Allocation("D-1", ANA.email, "Design", Decimal(10), confirmed=False)
    design = open_deal(roles=(RoleDemand("Design", Decimal(100), 2),))
    missing = {each.role: each.hours for each in fit(design, allocations=(ana,)).best.missing}
    assert missing == {"Design": 2 * (90 - 40)}


def test_a_role_that_nobody_has_never_fits() -> None:
    found = fit(open_deal(roles=(RoleDemand("Data", Decimal(5), 1),)))
    assert found.earliest is None and found.best.missing[0].role == "Data"


def test_a_deal_that_asks_for_nobody_or_longer_than_looked_at_is_refused() -> None:
    with pytest.raises(InvalidValue, match="states no roles"):
        fit(open_deal(roles=()))
    with pytest.raises(InvalidValue, match="takes 20 weeks"):
        fit(open_deal(roles=(RoleDemand("Back", Decimal(5), 20),)))


@pytest.mark.parametrize("seed", range(6))
def test_at_its_earliest_start_nobody_is_shorter_than_without_it(seed: int) -> None:
    """The whole is simulated again with the deal won at that start, and a week before."""
    others = [
        replace(
            open_deal(f"O-{n}", start=week((n * 3 + seed) % 7)),
            roles=(RoleDemand("Back", Decimal(12 + 4 * (n + seed) % 20), 2 + (n + seed) % 3),),
        )
        for n in range(3)
    ]
    deal = open_deal(roles=(RoleDemand("Back", Decimal(24), 3),))
    found = fit(deal, *others)
    assert found.earliest is not None

    def gap(start: date | None) -> list[float]:
        known = {each.key: Outlook(each.key, 0.5, ((NOW, 1.0),)) for each in (deal, *others)}
        moved = () if start is None else (replace(deal, start=start, expected_close=start),)
        fates = {deal.key: Fate(won=True)}
        situation = Situation(NOW, (*moved, *others), (ANA, BO), fates=fates)
        options = Options(Weeks(NOW, COUNT), public_holidays, trials=2_000)
        report = find_capacity(situation, mappings(), Outlooks(known, 0.0), options)
        return [cell.gap for role in report.roles if role.role == "Back" for cell in role.weeks]

    assert gap(found.earliest.week) == pytest.approx(gap(None))
    before = [start for start in found.looked if start < found.earliest.week]
    for start in before[-1:]:
        assert sum(gap(start)) > sum(gap(None)) + 0.1


def test_no_start_is_proposed_before_the_project_can_begin() -> None:
    friday = NOW + timedelta(days=4)
    sold = Beginning(NOW, 2, is_open=False, is_fixed=True)
    assert (sold.soonest(NOW), sold.soonest(friday)) == (week(0), week(1))
    # Won on that Friday at the earliest, and two weeks later it begins: as in capacity.
    assert Beginning(NOW, 2, is_open=True).soonest(friday) == week(2)
    plan = mappings(), Outlooks({}, 0.0)
    asked = Options(Weeks(NOW, COUNT), public_holidays, trials=500)
    situation = Situation(NOW, (open_deal(),), (ANA, BO))
    attendance = Attendance(situation.people, (), list(asked.weeks))
    found = fit_of(open_deal(), (week(0), week(3)), situation, plan, (asked, attendance))
    assert found.planned.week == week(0)
    assert found.earliest is not None and found.earliest.week == week(3)
    assert found.looked.first == week(3)


def test_who_is_on_a_deal_without_roles_for_good_is_needed_to_the_end_of_the_weeks() -> None:
    """As in capacity: from whichever week the deal begins, and of each week in the first half."""
    ana = Allocation("D-1", ANA.email, "Back", Decimal(30), confirmed=False)
    plain = open_deal(roles=())
    for end in (None, week(COUNT + 8)):
        found = fit(plain, won("D-2", 30), allocations=(replace(ana, end=end),))
        assert found.earliest is not None and found.earliest.week == week(3)
        assert [each.weeks for each in found.planned.missing] == [2]
        assert len(found.looked) == COUNT // 2 + 1
    short = fit(plain, won("D-2", 30), allocations=(replace(ana, end=week(1)),))
    assert len(short.looked) == COUNT
