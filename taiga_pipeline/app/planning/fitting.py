"""When a deal fits without taking hours from another, and who can take it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.planning.inputs import attendance_of, options_for, plan_input
from taiga_pipeline.app.planning.staffing import Wanted, solved_case
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownDeal
from taiga_pipeline.planning.weeks import Weeks, monday, week_name
from taiga_pipeline.problems import nearest

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.fits import Fit, Start
    from taiga_pipeline.planning.staffing.build import Case
    from taiga_pipeline.planning.staffing.candidates import Asked

_FURTHER: Final = 26
"""Weeks beyond those asked for that are looked at: a deal that begins in the last of them ends
later."""


def fit_for(workspace: Workspace, key: str, chances: str | None, **asked: Any) -> Fit:
    """Returns when a deal fits. ``asked`` are the arguments of `options_for`; its weeks are those
    in which the deal may begin.

    :raises UnknownDeal: there is no such deal.
    :raises InvalidValue: the deal asks for nobody, or is lost.
    """
    from taiga_pipeline.mapping.errors import NotMapped
    from taiga_pipeline.pipeline.model import Category
    from taiga_pipeline.planning.capacity.fits import fit_of
    from taiga_pipeline.planning.demand.starts import beginning

    given = plan_input(workspace, chances)
    situation = given.situation
    by_key = {deal.key: deal for deal in situation.deals}
    if key not in by_key:
        raise UnknownDeal(key, nearest(key, by_key))
    deal = by_key[key]
    try:
        rules, stage = given.mappings.stage_of(deal)
    except NotMapped as error:
        raise InvalidValue(f"{key} cannot be looked at: {error}") from None
    if stage.category is Category.LOST:
        raise InvalidValue(f"{key} is lost, and needs no one")
    options = options_for(workspace, **asked)
    options = replace(options, weeks=Weeks(options.weeks.first, len(options.weeks) + _FURTHER))
    begins = beginning(deal, rules, stage, situation.milestones.get(key, ()))
    planned = monday(begins.day(situation.as_of) or situation.as_of)
    attendance = attendance_of(workspace, situation, options.weeks)
    plan = given.mappings, given.outlooks
    starts = planned, begins.soonest(situation.as_of)
    return fit_of(deal, starts, situation, plan, (options, attendance))


def fit_json(fit: Fit) -> dict[str, Any]:
    """Returns when a deal fits, as plain data."""
    return {
        "deal": fit.deal.key,
        "quantile": fit.quantile,
        "planned": _start_json(fit.planned),
        "earliest": None if fit.earliest is None else _start_json(fit.earliest),
        "earliest_beside_won_deals": None if fit.sure is None else _start_json(fit.sure),
        "lacks_least": _start_json(fit.best),
        "from": week_name(fit.looked.first),
        "to": week_name(fit.looked.last),
    }


def _start_json(start: Start) -> dict[str, Any]:
    return {
        "week": week_name(start.week),
        "monday": start.week,
        "fits": not start.missing,
        "missing": [
            {"role": each.role, "hours": round(each.hours, 1), "weeks": each.weeks}
            for each in start.missing
        ],
    }


@dataclass(frozen=True, slots=True)
class Who:
    """Who can take a deal."""

    key: str
    case: Case
    asked: tuple[Asked, ...]


def who_for(workspace: Workspace, key: str, wanted: Wanted) -> Who:
    """Returns who can take a deal: the parts that nobody is allocated to, with who could do them.

    :raises UnknownDeal: no deal of this key needs people.
    :raises EmptyRoster: nobody is on the roster.
    """
    from taiga_pipeline.planning.staffing.candidates import who_can

    case, _ = solved_case(workspace, replace(wanted, quick=True))
    keys = [work.key for work in case.works]
    if key not in keys:
        raise UnknownDeal(key, nearest(key, keys))
    return Who(key, case, who_can(case, key))


def needing_people(workspace: Workspace, wanted: Wanted) -> tuple[tuple[str, str], ...]:
    """Returns the deals that need people, by key and name.

    :raises EmptyRoster: nobody is on the roster.
    """
    case, _ = solved_case(workspace, replace(wanted, quick=True))
    return tuple((work.key, work.name) for work in case.works)


def who_json(who: Who) -> dict[str, Any]:
    """Returns who can take a deal, as plain data."""
    return {"deal": who.key, "asked": [_asked_json(who.case, each) for each in who.asked]}


def _asked_json(case: Case, asked: Asked) -> dict[str, Any]:
    return {
        "role": asked.role,
        "skills": list(asked.skills),
        "from": week_name(case.week(asked.first)),
        "to": week_name(case.week(asked.after - 1)),
        "hours": round(asked.hours, 1),
        "people": [
            {
                "email": each.person.email,
                "name": each.person.name,
                "role": each.person.role,
                "lacks": list(each.lacks),
                "free": round(each.free, 1),
                "gives": round(each.gives, 1),
                "share": round(each.gives / asked.hours, 4) if asked.hours else None,
                "on": list(each.other_deals),
            }
            for each in asked.able
        ],
    }
