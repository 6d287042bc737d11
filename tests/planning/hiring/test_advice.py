"""Ways to get hours: what each meets, idles, and by when it has to be decided."""

from __future__ import annotations

from dataclasses import replace

from taiga_pipeline.planning.hiring.advice import IDLE_COST, Leads, Movable, Option, Way, advise
from taiga_pipeline.planning.hiring.resolve import quick
from taiga_pipeline.planning.staffing.greedy import greedy_plan
from taiga_pipeline.planning.staffing.problem import Problem, Project
from tests.planning.staffing.support import problem, request, worker

LEADS = Leads({Way.HIRE: 4, Way.PART_TIME: 4, Way.TEMPORARY: 2, Way.SUBCONTRACT: 1, Way.TRAIN: 3})
WEEKS = 20
SHORT = problem(
    weeks=WEEKS,
    workers=(worker("ann", WEEKS), worker("bo", WEEKS)),
    projects=(Project("D-1", 100.0, confirmed=True), Project("D-2", 30.0)),
    requests=(
        request(40.0, weeks=5, first=6),
        request(40.0, weeks=4, first=6, project=1),
    ),
)
"""Ann alone can do both, and is asked for twice in the weeks 6 to 9; Bo has nothing to do."""


def found(asked: Problem = SHORT, leads: Leads = LEADS) -> dict[Way, Option]:
    movable = Movable([1], asked)
    return {each.way: each for each in advise(asked, greedy_plan(asked), movable, leads, quick)}


def test_each_way_tells_hours_met_and_idle() -> None:
    ways = found()
    assert {way: (each.met, each.idle) for way, each in ways.items()} == {
        Way.HIRE: (160, 14 * 40 - 160),
        Way.PART_TIME: (80, 14 * 20 - 80),
        Way.TEMPORARY: (160, 0),
        Way.SUBCONTRACT: (160, 0),
        Way.TRAIN: (160, 14 * 40 - 160),
        Way.LATER: (160, 0),
    }
    assert all(each.projects == (1,) for each in ways.values())


def test_what_idles_takes_from_what_a_way_is_worth() -> None:
    ways = found()
    assert ways[Way.HIRE].worth == ways[Way.HIRE].saved - IDLE_COST * 400
    assert ways[Way.TEMPORARY].worth == ways[Way.TEMPORARY].saved == 160 * 30
    order = list(ways)
    assert order.index(Way.SUBCONTRACT) < order.index(Way.HIRE)


def test_a_way_has_to_be_decided_so_long_before_its_first_week() -> None:
    ways = found()
    assert {way: (each.first, each.decide) for way, each in ways.items() if each.role} == {
        Way.HIRE: (6, 2),
        Way.PART_TIME: (6, 2),
        Way.TEMPORARY: (6, 4),
        Way.SUBCONTRACT: (6, 5),
        Way.TRAIN: (6, 3),
    }
    assert (ways[Way.TEMPORARY].after, ways[Way.LATER].project) == (10, 1)
    assert (ways[Way.LATER].later_weeks, ways[Way.LATER].decide) == (8, 6)


def test_what_takes_effect_too_late_meets_less_or_is_not_named() -> None:
    slow = Leads({Way.HIRE: 30, Way.TEMPORARY: 8, Way.TRAIN: 30, Way.PART_TIME: 30})
    ways = found(leads=slow)
    assert not {Way.HIRE, Way.PART_TIME, Way.TRAIN} & ways.keys()
    assert (ways[Way.TEMPORARY].first, ways[Way.TEMPORARY].decide) == (8, 0)
    assert ways[Way.TEMPORARY].met == 80


def test_nobody_is_trained_who_has_no_hours_to_spare() -> None:
    busy = replace(SHORT, workers=(SHORT.workers[0], worker("bo", WEEKS, hours=(0.0,) * WEEKS)))
    assert Way.TRAIN not in found(busy)
    assert found()[Way.TRAIN].worker == 1


def test_projects_that_have_begun_are_not_moved() -> None:
    plan = greedy_plan(SHORT)
    none = Movable([], SHORT)
    assert Way.LATER not in {each.way for each in advise(SHORT, plan, none, LEADS, quick)}


def test_a_delay_that_costs_more_than_it_brings_is_not_named() -> None:
    dear = replace(SHORT.projects[1], delay_cost=10_000.0)
    assert Way.LATER not in found(replace(SHORT, projects=(SHORT.projects[0], dear)))


def test_nothing_helps_where_nothing_lacks() -> None:
    assert found(replace(SHORT, requests=SHORT.requests[:1])) == {}


def test_a_week_that_has_begun_is_no_week_of_the_lead() -> None:
    leads = replace(
        LEADS, weeks={**LEADS.weeks, Way.TEMPORARY: 6, Way.SUBCONTRACT: 0}, has_begun=True
    )
    ways = found(leads=leads)
    # Decided on a Friday, six weeks end on a Friday: the first whole week is the seventh.
    assert (ways[Way.TEMPORARY].first, ways[Way.TEMPORARY].decide) == (7, 1)
    assert ways[Way.TEMPORARY].met == 120
    assert (ways[Way.HIRE].first, ways[Way.SUBCONTRACT].first) == (6, 6)


def test_hours_paid_and_met_are_told_by_week() -> None:
    ways = found()
    hire, outside = ways[Way.HIRE], ways[Way.SUBCONTRACT]
    assert hire.paid == (40,) * 14 and hire.met_in == (40,) * 4 + (0,) * 10
    assert outside.paid == outside.met_in == (40,) * 4
    assert ways[Way.LATER].paid == ()
