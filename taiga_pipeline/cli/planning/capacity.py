"""``capacity``: who is short, of which role, in which week, because of which deals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.app.planning_input import (
    STATED,
    PlanInput,
    options_for,
    plan_input,
)
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import WrittenFile
from taiga_pipeline.cli.options import json_option, plan_options
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.file_text import writing_to
from taiga_pipeline.files import is_stdout
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.problems import did_you_mean

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.find import Options
    from taiga_pipeline.planning.capacity.result import CapacityReport, RoleCapacity
    from taiga_pipeline.planning.demand.unseen import Unseen

SCENARIOS: Final = "scenarios.toml"
_STATED: Final = "chances come from deals and stages, with a usual delay; history is not used"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown: capacity and demand, and if asked for, the same ``more``: with what deals that
    are not there yet may ask for."""

    report: CapacityReport
    unseen: Unseen | None = None
    more: CapacityReport | None = None


@click.command()
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only this role; repeatable.")
@plan_options
@click.option("--scenario", metavar="NAME", help="Apply a saved scenario.")
@click.option(
    "--with-unseen",
    is_flag=True,
    help="Also show, separately, deals that are not in the pipeline yet.",
)
@click.option("--explain", nargs=2, metavar="ROLE WEEK", help="Everything about one cell.")
@click.option("--csv", "csv_file", type=WrittenFile(), metavar="FILE")
@json_option
@pass_context
def capacity(
    context: CommandContext,
    /,
    roles: tuple[str, ...],
    scenario: str | None,
    with_unseen: bool,
    explain: tuple[str, str] | None,
    csv_file: Path | None,
    as_json: bool,
    chances: str | None,
    **asked: Any,
) -> None:
    """Show capacity, demand and gaps by role and week, and the deals behind them.

    Demand is simulated: open deals are won or not, sooner or later, and good and bad times hit
    all of them together. A gap is what is missing at the chosen quantile (default: P80).
    """
    if with_unseen and chances == STATED:
        raise click.UsageError("--with-unseen needs history: add --chances learnt")
    options = options_for(context, **asked)
    given = plan_input(context, chances, coming_until=options.weeks.last if with_unseen else None)
    given = _supposed(context, given, scenario)
    answer = _answer(given, options, with_unseen=with_unseen)
    shown = _chosen(answer.report, roles)
    if answer.more and roles:
        names = {role.role for role in shown}
        more = tuple(role for role in answer.more.roles if role.role in names)
        answer = replace(answer, more=replace(answer.more, roles=more))
    if csv_file is not None:
        from taiga_pipeline.app.capacity_data import write_csv

        with writing_to(csv_file) as stream:
            write_csv(replace(answer.report, roles=tuple(shown)), stream, answer.more)
        if is_stdout(csv_file):
            return
    if as_json:
        _print_json(answer, shown, explain)
        return
    _print(answer, shown, explain, only=len(roles) == 1)


def _supposed(context: CommandContext, given: PlanInput, scenario: str | None) -> PlanInput:
    """Returns what is given, with the saved scenario of this name."""
    from taiga_pipeline.planning.scenario.file import ScenarioFile
    from taiga_pipeline.planning.scenario.model import apply_scenario

    if scenario is None:
        return given
    saved = ScenarioFile(scenario_path(context)).get(scenario)
    return replace(given, situation=apply_scenario(given.situation, saved))


def _answer(given: PlanInput, options: Options, *, with_unseen: bool) -> Answer:
    from taiga_pipeline.planning.capacity.find import capacity_for, demand_for
    from taiga_pipeline.planning.demand.unseen import past_wins, unseen_demand

    situation, outlooks = given.situation, given.outlooks
    demand = demand_for(situation, given.mappings, outlooks, options)
    report = capacity_for(situation, demand, outlooks, options)
    learnt = () if given.learnt else (_STATED,)
    report = replace(report, notices=(*given.notices, *learnt, *report.notices))
    if not with_unseen:
        return Answer(report)
    past, share = past_wins(situation.deals, given.mappings, situation.as_of, options.team)
    unseen = unseen_demand(given.coming, past, share, options.weeks)
    quiet = replace(options, with_drivers=False)
    more = capacity_for(situation, demand, outlooks, quiet, unseen.rows)
    return Answer(report, unseen, more)


def scenario_path(context: CommandContext) -> Path:
    """Returns where scenarios are kept: beside the configuration."""
    return context.config_path.absolute().parent / SCENARIOS


def _chosen(report: CapacityReport, roles: Sequence[str]) -> list[RoleCapacity]:
    """Returns the roles that were asked for, all if none was.

    :raises UnknownName: no such role; names the nearest.
    """
    return [_find(report, name) for name in roles] if roles else list(report.roles)


def _find(report: CapacityReport, name: str) -> RoleCapacity:
    from taiga_pipeline.mapping.text import normalise

    for role in report.roles:
        if normalise(role.role) == normalise(name):
            return role
    known = [role.role for role in report.roles]
    raise UnknownName(
        f"nobody has the role {name!r}, and no deal asks for it{did_you_mean(name, known)} "
        f"(roles: {', '.join(known) or 'none'})"
    )


def _print_json(
    answer: Answer, shown: Sequence[RoleCapacity], explain: tuple[str, str] | None
) -> None:
    from taiga_pipeline.app.capacity_data import cell_json, report_json, unseen_json

    report = answer.report
    if explain is None:
        data = report_json(replace(report, roles=tuple(shown)))
        if answer.unseen and answer.more:
            data["with_unseen"] = unseen_json(report, answer.unseen, answer.more)
        print_json(data)
        return
    role = _find(report, explain[0])
    at = _week(report, explain[1])
    week = list(report.weeks)[at]
    print_json({"role": role.role, "monday": week, **cell_json(role.weeks[at])})


def _print(
    answer: Answer,
    shown: Sequence[RoleCapacity],
    explain: tuple[str, str] | None,
    *,
    only: bool,
) -> None:
    from taiga_pipeline.cli.planning.capacity_text import (
        print_cell,
        print_notices,
        print_report,
        print_unseen,
        print_weeks,
    )

    report = answer.report
    if explain is not None:
        role, at = _find(report, explain[0]), _week(report, explain[1])
        print_cell(report, role, list(report.weeks)[at], role.weeks[at])
    else:
        print_report(report, shown)
        if only:
            print_weeks(report, shown[0])
        if answer.unseen and answer.more:
            print_unseen(report, answer.unseen, answer.more)
    print_notices(report.notices)


def _week(report: CapacityReport, text: str) -> int:
    """Returns the number of a week.

    :raises InvalidValue: it is none of those shown.
    """
    from taiga_pipeline.planning.weeks import parse_week, week_name

    at = report.weeks.index(parse_week(text))
    if not 0 <= at < len(report.weeks):
        span = f"{week_name(report.weeks.first)} to {week_name(report.weeks.last)}"
        raise InvalidValue(f"{text} is not among the weeks {span}; see --from and --weeks")
    return at
