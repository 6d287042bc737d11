"""Who is short, of which role, in which week, because of which deals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from taiga_pipeline.app.planning.inputs import PlanInput, options_for, plan_input
from taiga_pipeline.app.planning.places import scenario_path
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName, UnknownPerson
from taiga_pipeline.problems import nearest

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.find import Options
    from taiga_pipeline.planning.capacity.result import (
        CapacityReport,
        PersonCapacity,
        RoleCapacity,
    )
    from taiga_pipeline.planning.demand.unseen import Unseen

_STATED: Final = "chances come from deals and stages, with a usual delay; history is not used"


class UnknownRole(UnknownName):
    """No person has a role, and no deal asks for it. ``known`` are those of the plan."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = nearest(name, known)
        meant = f"; did you mean {near!r}?" if near else ""
        super().__init__(
            f"no person has the role {name!r}, and no deal asks for it{meant} (roles: "
            f"{', '.join(known) or 'none'})",
            name,
            near,
            known,
        )


class WeekNotShown(InvalidValue):
    """A week that the plan does not reach: it goes from ``first`` to ``last``."""

    def __init__(self, week: str, first: str, last: str) -> None:
        super().__init__(f"{week} is not among the weeks {first} to {last}")
        self.week, self.first, self.last = week, first, last


@dataclass(frozen=True, slots=True)
class CapacityAnswer:
    """Capacity and demand, and if asked for, the same (``more``) with what deals that are not there
    yet may ask for (``unseen``). ``roles`` are those that were asked for."""

    report: CapacityReport
    roles: tuple[RoleCapacity, ...]
    unseen: Unseen | None = None
    more: CapacityReport | None = None


def capacity_of(
    workspace: Workspace,
    *,
    roles: Sequence[str] = (),
    scenario: str | None = None,
    with_unseen: bool = False,
    chances: str | None = None,
    **asked: Any,
) -> CapacityAnswer:
    """Returns capacity, demand and gaps by role and week, and the deals behind them.

    ``roles`` are the only ones wanted (none: all), ``scenario`` is a saved one to suppose,
    ``chances`` "learnt" or "stated" (None: as the configuration has it). ``asked`` are the
    arguments of `options_for`.

    :raises UnknownRole: no person has a role, and no deal asks for it.
    :raises UnknownName: there is no such scenario or team.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    options = options_for(workspace, **asked)
    until = options.weeks.last if with_unseen else None
    given = _supposed(workspace, plan_input(workspace, chances, coming_until=until), scenario)
    answer = _answer(given, options, with_unseen=with_unseen)
    if not roles:
        return answer
    chosen = tuple(find_role(answer.report, name) for name in roles)
    if answer.more is None:
        return replace(answer, roles=chosen)
    names = {role.role for role in chosen}
    more = tuple(role for role in answer.more.roles if role.role in names)
    return replace(answer, roles=chosen, more=replace(answer.more, roles=more))


def _supposed(workspace: Workspace, given: PlanInput, scenario: str | None) -> PlanInput:
    """Returns what is given, with the saved scenario of this name."""
    if scenario is None:
        return given
    from taiga_pipeline.planning.scenario.file import ScenarioFile
    from taiga_pipeline.planning.scenario.model import apply_scenario

    saved = ScenarioFile(scenario_path(workspace)).get(scenario)
    return replace(given, situation=apply_scenario(given.situation, saved))


def _answer(given: PlanInput, options: Options, *, with_unseen: bool) -> CapacityAnswer:
    from taiga_pipeline.planning.capacity.find import capacity_for, demand_for

    situation, outlooks = given.situation, given.outlooks
    demand = demand_for(situation, given.mappings, outlooks, options)
    report = capacity_for(situation, demand, outlooks, options)
    learnt = () if given.learnt else (_STATED,)
    report = replace(report, notices=(*given.notices, *learnt, *report.notices))
    if not with_unseen:
        return CapacityAnswer(report, report.roles)
    from taiga_pipeline.planning.demand.unseen import past_wins, unseen_demand

    past, share = past_wins(situation.deals, given.mappings, situation.as_of, options.team)
    unseen = unseen_demand(given.coming, past, share, options.weeks)
    quiet = replace(options, with_drivers=False)
    more = capacity_for(situation, demand, outlooks, quiet, unseen.rows)
    return CapacityAnswer(report, report.roles, unseen, more)


def find_role(report: CapacityReport, name: str) -> RoleCapacity:
    """Returns a role of a plan, whatever its case.

    :raises UnknownRole: no such role; names the nearest.
    """
    from taiga_pipeline.mapping.text import normalise

    for role in report.roles:
        if normalise(role.role) == normalise(name):
            return role
    raise UnknownRole(name, [role.role for role in report.roles])


def find_people(
    report: CapacityReport, roles: Sequence[str], emails: Sequence[str] = ()
) -> tuple[PersonCapacity, ...]:
    """Returns the people of a plan by their addresses; without any, all who have one of ``roles``.

    :raises UnknownPerson: no person of the plan has an address; names the nearest.
    """
    known = {person.email: person for person in report.people}
    wanted = [email.strip().lower() for email in emails]
    for email in wanted:
        if email not in known:
            raise UnknownPerson(email, nearest(email, known) or "")
    if wanted:
        return tuple(known[email] for email in dict.fromkeys(wanted))
    from taiga_pipeline.mapping.text import normalise

    names = {normalise(role) for role in roles}
    return tuple(person for person in report.people if normalise(person.role) in names)


def week_at(report: CapacityReport, text: str) -> int:
    """Returns the number of a week of a plan, from 0.

    :raises WeekNotShown: it is none of those of the plan.
    :raises InvalidValue: it is not a week.
    """
    from taiga_pipeline.planning.weeks import parse_week, week_name

    at = report.weeks.index(parse_week(text))
    if not 0 <= at < len(report.weeks):
        raise WeekNotShown(text, week_name(report.weeks.first), week_name(report.weeks.last))
    return at
