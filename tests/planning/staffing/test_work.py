"""Which deals need people, and which are left out, with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.staffing.work import About, Work, Works, find_works
from tests.mapping.support import deal, mappings

TODAY = date(2026, 11, 25)
START = date(2026, 12, 7)
ROLE = RoleDemand("Back", Decimal(30), 4, skills=("python",))
MILESTONES = '[[milestone]]\nname = "Build"\nstart = "+0w"\nfinish = "+27d"\n'


def subject(stage: str = "Won", **changes: Any) -> Deal:
    values = {"start": START, "roles": (ROLE,), **changes}
    return replace(deal(stage=stage), **values)


def find(*deals: Deal, **settings: Any) -> Works:
    rules = settings.pop("rules", None) or mappings()
    return find_works(deals, rules, TODAY, About(**settings))


def only(found: Works) -> Work:
    (work,) = found.works
    return work


def test_won_deals_are_sure_and_open_ones_by_their_chance() -> None:
    won = only(find(subject()))
    assert (won.confirmed, won.probability, won.start) == (True, 1.0, START)
    open_ = only(find(subject("Proposal", probability=Decimal("0.3"))))
    assert (open_.confirmed, open_.probability) == (False, 0.3)


def test_an_open_deal_does_not_begin_in_the_past() -> None:
    late = {"start": date(2026, 11, 2)}
    assert only(find(subject("Proposal", **late))).start == TODAY
    assert only(find(subject(**late))).start == late["start"]


def test_lost_deals_give_their_people_back() -> None:
    found = find(subject("Lost"))
    assert (found.works, found.spared, found.notes) == ((), {"D-1"}, ())


def test_what_cannot_be_staffed_is_named_with_the_reason() -> None:
    negative = replace(ROLE, hours_per_week=Decimal(-8))
    found = find(
        subject(key="A", stage="Nowhere"),
        subject("Proposal", key="B", start=None, expected_close=None),
        subject(key="C", roles=(ROLE, negative)),
    )
    assert found.works == ()
    unknown, dateless, wrong = found.notes
    assert 'A is left out: the stage "Nowhere"' in unknown
    assert dateless == "B is left out: it has neither a start nor an expected close"
    assert wrong == "C is left out: hours and weeks are numbers from 0 up, not Back:-8h x4w"


def test_demand_moves_with_the_milestones_and_keeps_its_skills() -> None:
    first = START + timedelta(weeks=2)
    moved = {"D-1": (("Build", first, first + timedelta(weeks=4, days=-1)),)}
    work = only(find(subject(), rules=mappings(MILESTONES), milestones=moved))
    (role,) = work.roles
    assert work.start == first
    assert (role.start_week, role.weeks, role.hours_per_week) == (0, 4, 30)
    assert role.skills == ("python",)


def test_a_won_deal_without_dates_begins_now_and_that_is_said() -> None:
    found = find(subject(start=None, expected_close=None))
    assert only(found).start == TODAY
    assert found.notes == ("D-1 is won without a start or a close: it starts now",)


def test_priorities_are_by_deal_and_unknown_ones_are_named() -> None:
    found = find(subject(), priorities={"D-1": 2.0, "D-11": 3.0})
    assert only(found).priority == 2.0
    assert found.notes == ("no deal 'D-11' has a project that needs people; did you mean 'D-1'?",)
