"""Reads everything that planning starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.pipeline_data import Pipeline, read_pipeline
from taiga_pipeline.app.source_needs import people_notices
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.pipeline.tables.joins import joins_of, main_deals, own_share
from taiga_pipeline.sources.port import TellsTimeOff

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.calendar import HolidaysOf
    from taiga_pipeline.people.model import TimeOff
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.planning.attendance import Attendance
    from taiga_pipeline.planning.capacity.find import Options
    from taiga_pipeline.planning.demand.deals import Situation
    from taiga_pipeline.planning.demand.milestones import Milestones
    from taiga_pipeline.planning.outlook import Outlooks
    from taiga_pipeline.planning.weeks import Weeks

LEARNT: Final = "learnt"
STATED: Final = "stated"
NO_HOLIDAYS: Final = "public holidays are not counted: install them with: {how}"


@dataclass(frozen=True, slots=True)
class PlanInput:
    """A situation with the rules for it and what is expected of its deals.

    ``notices`` tell what could not be read, ``learnt`` where the chances come from, ``coming`` how
    many wins are expected, week by week, of deals that are not there yet (empty if not asked for).
    """

    situation: Situation
    mappings: MappingSet
    outlooks: Outlooks
    learnt: bool
    notices: tuple[str, ...] = ()
    coming: tuple[tuple[date, float], ...] = ()

    def names(self) -> dict[str, str]:
        """Returns what deals are called beside their keys, by key."""
        return {each.key: deal_name(each) for each in self.situation.deals}


def deal_name(deal: Deal) -> str:
    """Returns what a deal is called beside its key."""
    return ": ".join(filter(None, (deal.customer, deal.name)))


@dataclass(frozen=True, slots=True)
class Learnt:
    """What history tells: of open deals, and (by Monday, if asked for) of wins of others."""

    outlooks: Outlooks
    coming: tuple[tuple[date, float], ...] = ()


def plan_input(
    workspace: Workspace,
    chances: str | None,
    read: Pipeline | None = None,
    known: Learnt | None = None,
    coming_until: date | None = None,
) -> PlanInput:
    """Returns deals, people, time off and what delivery reported.

    ``read`` is the pipeline if it was read already, ``known`` what was learnt from its history;
    without them, it is read and learnt here. ``coming_until`` is the last week of which new deals'
    wins are wanted.

    :raises ProblemsError: what is wrong with the configuration, the mappings or the packages.
    :raises Unreachable: the source does not answer.
    """
    need_extra("capacity", "planning", "numpy")
    from taiga_pipeline.planning.demand.deals import Situation
    from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks

    read = read or read_pipeline(workspace)
    notices = (*read.notices, *(() if read.people else people_notices(workspace)))
    situation = Situation(
        as_of=workspace.today,
        deals=read.deals,
        people=read.people,
        time_off=_time_off(workspace),
        allocations=read.allocations,
        milestones=reported_milestones(read.facts, joins_of(read.deals)),
        left=read.left,
    )
    if chances == STATED:
        plain = plain_outlooks(read.deals, read.mappings, situation.as_of)
        return PlanInput(situation, read.mappings, plain, False, notices)
    known = known or _learn(workspace, read, situation.as_of, coming_until)
    # What history cannot tell is as deals state it.
    learnt = known.outlooks.by_deal
    untold = [deal for deal in read.deals if deal.key not in learnt]
    plain = plain_outlooks(untold, read.mappings, situation.as_of)
    outlooks = replace(known.outlooks, by_deal={**plain.by_deal, **learnt})
    return PlanInput(situation, read.mappings, outlooks, True, notices, known.coming)


def _time_off(workspace: Workspace) -> tuple[TimeOff, ...]:
    source = workspace.make_deal_source()
    return tuple(source.time_off()) if isinstance(source, TellsTimeOff) else ()


def reported_milestones(
    facts: Mapping[str, Mapping[str, object]], joins: Mapping[str, str]
) -> dict[str, Milestones]:
    """Returns the milestones of deals' projects, of those that have any.

    ``joins`` are the deals that joined another one's project; each deal has its own milestones.
    """
    from taiga_pipeline.pipeline.delivery import delivery_facts

    found = {key: delivery_facts(key, each, None, "").milestones for key, each in facts.items()}
    main_of = main_deals(joins)
    joined: dict[str, list[str]] = {}
    for key, main in main_of.items():
        joined.setdefault(main, []).append(key)
    for main, keys in joined.items():
        whole = found.get(main, ())
        found |= {key: own_share(whole, key, keys) for key in (main, *keys)}
    return {key: milestones for key, milestones in found.items() if milestones}


def _learn(workspace: Workspace, read: Pipeline, as_of: date, coming_until: date | None) -> Learnt:
    """Learns from the pipeline's history."""
    from taiga_pipeline.app.planning.record import read_history
    from taiga_pipeline.planning.forecast.forecast import prepare
    from taiga_pipeline.planning.forecast.outlooks import (
        COMMON_SHOCK_DAYS,
        coming_wins,
        outlooks_of,
    )

    ahead = (coming_until - as_of).days + 7 if coming_until else 0
    history = read_history(workspace, as_of, read, with_filled=False)
    ground = prepare(history, as_of, max(COMMON_SHOCK_DAYS, ahead))
    return Learnt(outlooks_of(ground), coming_wins(ground) if coming_until else ())


def options_for(
    workspace: Workspace,
    *,
    team: str,
    first: str | None,
    weeks: int | None,
    quantile: float | None,
    trials: int,
    seed: int,
    brief: bool = False,
) -> Options:
    """Returns what was asked, with what the configuration says where nothing was.

    ``brief`` leaves out what only details of single weeks show; see `Options`.

    :raises InvalidValue: a week that is none.
    """
    need_extra("capacity", "planning", "numpy")
    from taiga_pipeline.planning.capacity.find import Options
    from taiga_pipeline.planning.weeks import Weeks, monday, parse_week

    planning = workspace.settings.planning
    start = parse_week(first) if first else monday(workspace.today)
    return Options(
        weeks=Weeks(start, weeks or planning.horizon_weeks),
        holidays_of=holidays_source(),
        quantile=planning.quantile if quantile is None else quantile,
        trials=trials,
        seed=seed,
        team=team,
        default_country=planning.calendar,
        brief=brief,
    )


def attendance_of(workspace: Workspace, situation: Situation, weeks: Weeks) -> Attendance:
    """Returns when everybody of a situation can work in some weeks."""
    from taiga_pipeline.people.calendar import working_hours
    from taiga_pipeline.planning.attendance import Attendance

    mondays = list(weeks)
    hours = working_hours(
        situation.people,
        situation.time_off,
        mondays,
        holidays_of=holidays_source(),
        default_country=workspace.settings.planning.calendar,
    )
    return Attendance(situation.people, situation.time_off, mondays, hours)


def holidays_source() -> HolidaysOf:
    """Returns where public holidays are looked up; nowhere without the extra."""
    from taiga_pipeline.people.calendar import UnknownCountry

    def look_up(country: str, years: Collection[int]) -> Collection[date]:
        if find_spec("holidays") is None:
            raise UnknownCountry(NO_HOLIDAYS.format(how=how_to_get("planning")))
        # Loaded at the first country only: many a roster names none.
        from taiga_pipeline.people.public_holidays import public_holidays

        return public_holidays(country, years)

    return look_up
