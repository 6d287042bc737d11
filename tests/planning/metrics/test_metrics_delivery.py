"""Planned against actual delivery, and what it says about default demand."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal

import pytest

from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal, RoleDemand
from taiga_pipeline.planning.metrics.delivery import Delivered, delivery_metrics, suggest_demand

BACK = RoleDemand("Back", Decimal(30), 10)


def won(key: str, hours: int, weeks: int = 10, service: str = "web", **facts) -> Delivered:
    """Returns a won deal that was staffed with so many hours per week of Back."""
    start = date(2026, 3, 2)
    end = date.fromordinal(start.toordinal() + 7 * weeks - 1)
    allocation = Allocation(key, "a@x.test", "Back", Decimal(hours), start, end)
    return Delivered(Deal(key, key, service=service), start, (BACK,), (allocation,), facts)


def test_hours_progress_and_start_are_reported_by_service():
    late = won("A", 30, milestones=[{"name": "K", "start": "2026-03-16", "finish": None}])
    counted = won("B", 20, progress=0.5, spent_hours=120.0)
    (web,) = delivery_metrics([late, counted])
    assert (web.service, web.deals) == ("web", 2)
    assert web.start_slip_days == 14
    assert web.planned_hours == pytest.approx(300)
    assert web.staffed_hours == pytest.approx(250)
    assert (web.spent_hours, web.progress) == (120.0, 0.5)


def test_without_facts_nothing_is_made_up():
    (web,) = delivery_metrics([won("A", 30)])
    assert (web.start_slip_days, web.spent_hours, web.progress) == (None, None, None)


def test_demand_is_suggested_where_enough_deals_were_staffed_otherwise():
    delivered = [won("A", 44), won("B", 40), won("C", 36)]
    (found,) = suggest_demand(delivered, {"web": (BACK,)})
    assert (found.hours_per_week, found.weeks, found.deals) == (Decimal(40), 10, 3)
    assert found.assumed == BACK
    (role,) = tomllib.loads(found.to_toml())["role"]
    assert role == {"role": "Back", "hours_per_week": 40.0, "weeks": 10, "services": ["web"]}


def test_nothing_is_suggested_from_few_deals_or_for_small_differences():
    assert not suggest_demand([won("A", 44), won("B", 40)], {"web": (BACK,)})
    alike = [won("A", 31), won("B", 33), won("C", 30)]
    assert not suggest_demand(alike, {"web": (BACK,)})


def test_hostile_names_stay_text_in_a_suggestion():
    name = 'web"]\n[mapping]\nname="x'
    delivered = [won(f"D{n}", 44, service=name) for n in range(3)]
    (found,) = suggest_demand(delivered, {})
    assert set(tomllib.loads(found.to_toml())) == {"role"}
