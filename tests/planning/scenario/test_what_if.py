"""What if, again and again: the draws are kept, and the answer is that of a plan made anew."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.public_holidays import public_holidays
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import RoleDemand
from taiga_pipeline.planning.capacity import kept
from taiga_pipeline.planning.capacity.find import Options, find_capacity
from taiga_pipeline.planning.capacity.result import CapacityReport
from taiga_pipeline.planning.demand.deals import Situation
from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
from taiga_pipeline.planning.outlook import Outlooks
from taiga_pipeline.planning.scenario.model import Hire, Leave, Scenario, apply_scenario
from taiga_pipeline.planning.scenario.what_if import WhatIf
from taiga_pipeline.planning.weeks import WEEK, Weeks
from tests.mapping.support import deal, mappings
from tests.planning.scenario.test_scenario import NOW
from tests.profiles import examples

ROLES: Final = ("Back", "Front", "Design")
PEOPLE: Final = tuple(
    Person(f"{role}.{number}@example.org", "x", role=role, country="SE")
    for role in ROLES
    for number in range(3)
)
DEALS: Final = tuple(
    deal(
        key=f"D-{number}",
        stage="Won" if number % 9 == 0 else "Proposal",
        start=NOW + timedelta(days=5 * number % 90),
        roles=tuple(
            RoleDemand(role, Decimal(7 + 5 * number % 31), 2 + number % 7, number % 3)
            for role in ROLES[number % 2 : 2 + number % 3]
        ),
    )
    for number in range(60)
)
ALLOCATIONS: Final = (
    Allocation("D-9", PEOPLE[0].email, "Back", Decimal(20), NOW, NOW + 6 * WEEK),
    Allocation("D-2", PEOPLE[1].email, "Back", Decimal(12), NOW, None, confirmed=False),
)
SITUATION: Final = Situation(NOW, DEALS, PEOPLE, (), ALLOCATIONS)
RULES: Final = mappings()
OUTLOOKS: Final = plain_outlooks(DEALS, RULES, NOW)
OPTIONS: Final = Options(Weeks(NOW, 20), public_holidays, trials=700, with_drivers=False)


def anew(scenario: Scenario, outlooks: Outlooks = OUTLOOKS) -> CapacityReport:
    return find_capacity(apply_scenario(SITUATION, scenario), RULES, outlooks, OPTIONS)


@pytest.fixture(scope="module")
def what_if() -> WhatIf:
    return WhatIf(SITUATION, RULES, OUTLOOKS, OPTIONS)


keys = st.sampled_from([each.key for each in DEALS])


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    won, lost = draw(st.sets(keys, max_size=2)), draw(st.sets(keys, max_size=2))
    others = keys.filter(lambda key: key not in lost)
    return Scenario(
        "supposed",
        win=tuple(sorted(won - lost)),
        lose=tuple(sorted(lost)),
        delay=draw(st.dictionaries(others, st.integers(-3, 9), max_size=2)),
        resize=draw(st.dictionaries(others, st.sampled_from([0.0, 0.5, 1.7]), max_size=2)),
        hire=draw(st.sampled_from([(), (), (Hire("Front", Decimal(30), NOW + 3 * WEEK),)])),
        leave=draw(st.sampled_from([(), (), (Leave(PEOPLE[0].email, NOW + 2 * WEEK),)])),
    )


@given(scenarios())
@example(Scenario("won, and nothing left of it", win=("D-1",), resize={"D-1": 0.0}))
@example(Scenario("nothing left", resize={"D-1": 0.0}, delay={"D-2": 3}))
@settings(max_examples=examples(15), deadline=None)
def test_the_answer_is_that_of_a_plan_made_anew(what_if: WhatIf, scenario: Scenario) -> None:
    assert figures(what_if.suppose(scenario)) == pytest.approx(figures(anew(scenario)), abs=0.01)


def figures(report: CapacityReport) -> list[float]:
    """Returns all hours and chances."""
    cells = [cell for role in report.roles for cell in (*role.weeks, role.total)]
    cells += [*report.by_week, report.total]
    names = [each.name for each in fields(cells[0]) if each.name not in {"drivers", "idle"}]
    return [
        figure
        for cell in cells
        for figure in (
            *(getattr(cell, name) for name in names),
            *(getattr(cell.idle, each.name) for each in fields(cell.idle)),
        )
    ]


def test_questions_do_not_add_up(what_if: WhatIf) -> None:
    first = what_if.suppose(Scenario("a", win=("D-1", "D-2")))
    what_if.suppose(Scenario("b", lose=("D-3",), leave=(Leave(PEOPLE[1].email),)))
    assert what_if.suppose(Scenario("a", win=("D-1", "D-2"))) == first
    assert what_if.suppose(Scenario("nothing")) == what_if.before


def test_today_is_what_capacity_says(what_if: WhatIf) -> None:
    assert what_if.before == anew(Scenario("today"))


def test_a_few_deals_are_looked_at_again_and_the_rest_is_not_drawn(
    what_if: WhatIf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("all is drawn again")

    monkeypatch.setattr(kept.Simulation, "run", fail)
    what_if.suppose(Scenario("one", win=("D-1",), lose=("D-4",), delay={"D-5": 2}))
    monkeypatch.setattr(kept, "MOST_CHANGED", 2)
    with pytest.raises(AssertionError, match="all is drawn again"):
        what_if.suppose(Scenario("three", win=("D-1", "D-2", "D-4")))


def test_people_who_come_change_nothing_of_deals_that_nobody_is_reserved_for(
    what_if: WhatIf,
) -> None:
    hire = Scenario("one more", hire=(Hire("Front", Decimal(30), NOW),))
    found = what_if._demand_of(apply_scenario(SITUATION, hire)).open
    same = [after is before for after, before in zip(found, what_if._demand.open, strict=True)]
    assert [each.deal_key for each, kept in zip(found, same, strict=True) if not kept] == ["D-2"]


def test_what_is_not_there_is_an_error_and_spoils_nothing(what_if: WhatIf) -> None:
    with pytest.raises(InvalidValue, match="there is no deal 'D-99'"):
        what_if.suppose(Scenario("x", win=("D-99",)))
    assert what_if.suppose(Scenario("nothing")) == what_if.before


def test_an_empty_pipeline_can_be_asked_as_well() -> None:
    empty = replace(SITUATION, deals=(), allocations=())
    what_if = WhatIf(empty, RULES, OUTLOOKS, OPTIONS)
    hired = what_if.suppose(Scenario("x", hire=(Hire("Ops", Decimal(40)),)))
    assert [role.role for role in hired.roles] == ["Back", "Design", "Front", "Ops"]
