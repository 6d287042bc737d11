"""The resource plan as a page, and its picture."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.capacity.result import (
    CapacityReport,
    Cell,
    Driver,
    Idle,
    PersonCapacity,
    PersonWeek,
    RoleCapacity,
)
from taiga_pipeline.planning.demand.silent import Silent
from taiga_pipeline.planning.weeks import Weeks
from taiga_pipeline.portfolio.plan_page import Heat, heat_of, plan_lines
from tests.mapping.support import deal

FIRST = date(2026, 11, 23)
DRIVER = Driver("D-1", 33.3, 50.0, 0.5, date(2026, 12, 1))


def cell(quantile: float, capacity: float = 40.0, drivers: tuple[Driver, ...] = ()) -> Cell:
    gap = max(0.0, quantile - capacity)
    return Cell(capacity, 0, 0, 0, 0, quantile, quantile, gap, gap, 0.0, drivers)


def report(*roles: RoleCapacity) -> CapacityReport:
    return CapacityReport(
        as_of=FIRST,
        weeks=Weeks(FIRST, 2),
        quantile=0.8,
        trials=10,
        seed=1,
        common_shock_sd=0.5,
        roles=roles,
        by_week=(),
        total=cell(0),
        open_deals=1,
        notices=(),
    )


FRONT = RoleCapacity("Front", 1, (cell(20), cell(60)), cell(60, drivers=(DRIVER,)))


def test_the_page_says_who_is_short_when_and_because_of_which_deal() -> None:
    lines = plan_lines(report(FRONT), {"D-1": deal()}, {}, [])
    assert lines[0] == (
        "To decide: how to get 20 h of Front from 2026-W49 on, most of it for Acme: New portal, "
        "or which work to move."
    )
    # Only weeks in which hours are missing are shown.
    assert "| Role | People | Missing, h | Free, h | W49 |" in lines
    assert "| Front | 1 | 20 | · | -20 |" in lines
    assert "| Front | Acme: New portal | 33 | 50 % | 2026-12-01 |" in lines


def test_the_page_is_the_same_for_what_rounds_to_the_same() -> None:
    almost = replace(FRONT, weeks=(cell(20.2), cell(60.3)))
    assert plan_lines(report(FRONT), {}, {}, []) == plan_lines(report(almost), {}, {}, [])
    assert heat_of(report(FRONT)).digest() == heat_of(report(almost)).digest()


def test_another_gap_is_another_picture() -> None:
    other = replace(FRONT, weeks=(cell(20), cell(90)))
    assert heat_of(report(FRONT)).digest() != heat_of(report(other)).digest()


def test_staffing_that_ended_is_left_out_and_the_rest_is_named() -> None:
    person = Person("ana@example.com", "Ana")
    now = Allocation("D-1", "ana@example.com", "Front", Decimal(20), confirmed=False)
    past = replace(now, role="Back", end=date(2026, 11, 1))
    lines = plan_lines(report(FRONT), {"D-1": deal()}, {"ana@example.com": person}, [now, past])
    assert "| Ana | Acme: New portal | Front |  | 20 |  |  |" in lines
    assert not [line for line in lines if "Back" in line]


def test_the_page_shows_who_has_hours_to_spare() -> None:
    free = Idle(8.2, 16, 24, 15)
    ana = PersonWeek(40, 30, 10, 35, Idle(0, 10, 10, 5))
    people = (PersonCapacity("ana@example.com", "Ana", "Front", (ana, ana), ana),)
    role = replace(FRONT, total=replace(cell(20), confirmed=10, weighted=20, idle=free))
    lines = plan_lines(replace(report(role), people=people), {}, {}, [])
    assert "### Who has hours to spare" in lines
    assert "| **Front** | 40 | 8 | 16 | 24 | 15 | 25 % | 50 % |" in lines
    assert "| Ana | 40 | · | 10 | 10 | 5 | 75 % | 88 % |" in lines


def test_names_cannot_break_out_of_their_cell() -> None:
    evil = "x|y\n# <img> @all [[z]]"
    role = replace(FRONT, role=evil)
    lines = plan_lines(report(role), {"D-1": deal(customer=evil, name=evil)}, {}, [])
    for line in lines:
        assert "\n" not in line
        assert not set("<@[") & set(line)
        if line.startswith("| x"):
            assert line.count("|") == 6


def test_no_demand_and_nobody_is_said_plainly() -> None:
    lines = plan_lines(report(), {}, {}, [])
    assert "No deal makes a role short." in lines
    assert "No person is staffed on a deal yet." in lines


def test_every_shade_is_in_the_picture_as_it_is() -> None:
    image = pytest.importorskip("PIL.Image", reason="drawing needs Pillow, of 'planning'")
    heat_map = importlib.import_module("taiga_pipeline.portfolio.heat_map")
    loads = (None, 40, 70, 90, 110, 140, 300)
    map_of_all = Heat(("Back",), ("2026-W48",) * 7, (loads,), ((0,) * 7,))
    picture = image.open(BytesIO(heat_map.draw(map_of_all))).convert("RGB")
    seen = {"#{:02x}{:02x}{:02x}".format(*color) for _, color in picture.getcolors()}
    assert {heat_map.shade(load) for load in loads} <= seen


def test_the_picture_is_a_small_png() -> None:
    pytest.importorskip("PIL", reason="drawing needs Pillow, of the extra 'planning'")
    heat_map = importlib.import_module("taiga_pipeline.portfolio.heat_map")
    roles = [replace(FRONT, role=f"Role {number} 设计 {'x' * 40}") for number in range(30)]
    picture = heat_map.draw(heat_of(report(*roles)))
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) < 50_000
    assert len({heat_map.shade(load) for load in (None, 40, 100, 400)}) == 4


def test_the_page_shows_week_by_week_what_is_sure_and_what_is_reserved() -> None:
    none = Idle(0, 0, 0, 0)
    weeks = (PersonWeek(40, 30, 10, 35, none), PersonWeek(40, 0, 16, 8, none))
    total = PersonWeek(80, 30, 26, 43, none)
    people = (
        PersonCapacity("ana@example.com", "Ana|x", "Front", weeks, total),
        PersonCapacity(
            "bo@example.com", "Bo", "Front", (replace(total, confirmed=20, tentative=0),) * 2, total
        ),
        PersonCapacity("idle@example.com", "Idle", "Front", (), PersonWeek(80, 0, 0, 0, none)),
    )
    lines = plan_lines(replace(report(FRONT), people=people), {}, {}, [])
    start = lines.index("### Who is busy when")
    table = lines[start : lines.index("### Who is staffed")]
    assert "| | W48 | W49 |" in table
    assert any(line.endswith("| 30 (10) | (16) |") and "Ana" in line for line in table)
    assert "| Bo | 20 | 20 |" in table
    assert not [line for line in table if "Idle" in line]
    assert "### Who is busy when" not in plan_lines(report(FRONT), {}, {}, [])


def test_deals_that_state_no_roles_are_on_the_page_as_plain_text() -> None:
    usual = (RoleDemand("Back|end", Decimal(30), 8),)
    silent = Silent(
        "[web](x)", ("D-1",), ("D-2",), {"EUR": Decimal(1_500), "SEK": Decimal(2)}, usual
    )
    lines = plan_lines(replace(report(FRONT), silent=(silent,)), {}, {}, [])
    (row,) = [line for line in lines if "1,500 EUR, 2 SEK" in line]
    assert "[web](x)" not in row
    assert "| 2 |" in row
    assert "Back|end" not in row
    assert "### Deals that state no roles, and so are not counted" in lines
    assert "no roles" not in "".join(plan_lines(report(FRONT), {}, {}, []))


def test_who_is_staffed_has_the_dates_of_the_role_where_none_are_stated() -> None:
    sold = replace(
        deal(), start=date(2026, 11, 30), roles=(RoleDemand("Front", Decimal(20), 4, 1),)
    )
    both = [Allocation("D-1", "ana@example.com", "Front", Decimal(20))]
    lines = plan_lines(report(FRONT), {"D-1": sold}, {}, both)
    row = "| ana@example.com | Acme: New portal | Front | 20 |  | 2026-12-07 | 2027-01-03 |"
    assert row.replace("@", "&#64;") in lines


def test_where_nothing_is_short_there_is_nothing_to_decide_and_no_week_matters() -> None:
    quiet = replace(FRONT, weeks=(cell(20), cell(20)), total=cell(40))
    lines = plan_lines(report(quiet), {}, {}, [])
    assert lines[0] == "Nothing to decide: no role lacks hours in these weeks."
    assert "| Role | People | Missing, h | Free, h |" in lines
