"""A brief report has what a terminal shows of single weeks, and says what the full one says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import isnan
from typing import Final

import pytest

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

from taiga_pipeline.people.public_holidays import public_holidays
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport, Cell
from taiga_pipeline.planning.demand.deals import Situation
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.weeks import Weeks
from tests.mapping.support import deal, mappings
from tests.planning.scenario.test_scenario import NOW
from tests.planning.scenario.test_what_if import PEOPLE, RULES

DEALS: Final = tuple(
    deal(
        key=f"D-{number}",
        stage="Proposal",
        start=NOW + timedelta(days=5 * number % 90),
        roles=(
            RoleDemand("Back", Decimal(7 + 5 * number % 31), 2 + number % 7, number % 3),
            RoleDemand("Front", Decimal(4 + number % 9), 3, 0),
        ),
    )
    for number in range(600)
)
OPTIONS: Final = Options(Weeks(NOW, 12), public_holidays, trials=500)


@pytest.fixture(scope="module")
def full() -> CapacityReport:
    return made(OPTIONS)


@pytest.fixture(scope="module")
def brief() -> CapacityReport:
    return made(replace(OPTIONS, brief=True))


def made(options: Options) -> CapacityReport:
    outlooks = plain_outlooks(DEALS, mappings(), NOW)
    return find_capacity(Situation(NOW, DEALS, PEOPLE), RULES, outlooks, options)


def cells(report: CapacityReport) -> list[Cell]:
    return [cell for role in report.roles for cell in role.weeks]


def test_a_brief_report_has_the_figures_of_weeks_that_a_terminal_shows(
    full: CapacityReport, brief: CapacityReport
) -> None:
    for long, short in zip(cells(full), cells(brief), strict=True):
        for name in ("capacity", "confirmed", "weighted", "exposure", "quantile", "gap", "load"):
            assert getattr(short, name) == getattr(long, name)
        assert short.expected_gap == pytest.approx(long.expected_gap)
        assert short.idle.expected == pytest.approx(long.idle.expected)
        assert short.chance_short == long.chance_short


def test_totals_of_a_brief_report_have_everything_with_the_deals_behind_them(
    full: CapacityReport, brief: CapacityReport
) -> None:
    pairs = [(role.total, other.total) for role, other in zip(full.roles, brief.roles, strict=True)]
    assert any(long.drivers for long, _ in pairs)
    for long, short in (*pairs, (full.total, brief.total)):
        assert [each.deal_key for each in short.drivers] == [each.deal_key for each in long.drivers]
        for driver, same in zip(long.drivers, short.drivers, strict=True):
            assert same.added == pytest.approx(driver.added)
        for name in ("median", "quantile", "high", "gap", "chance_short"):
            assert getattr(short, name) == getattr(long, name)
        assert short.expected_gap == pytest.approx(long.expected_gap)
        assert short.idle.middle == long.idle.middle


def test_what_a_brief_report_left_out_is_no_figure(brief: CapacityReport) -> None:
    sampled = [cell for cell in cells(brief) if isnan(cell.median)]
    assert sampled  # where few deals ask for hours, all of it is exact
    assert not any(cell.drivers for cell in cells(brief))
    assert all(isnan(cell.high) and isnan(cell.idle.middle) for cell in sampled)
    assert all(isnan(cell.gap) for cell in brief.by_week)
