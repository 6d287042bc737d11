"""``capacity``: who is short, of which role, in which week, because of which deals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.capacity_input import PlanInput, options_for, plan_input, plan_options
from taiga_pipeline.cli.context import Context, pass_context
from taiga_pipeline.cli.file_text import writing_to
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.problems import did_you_mean

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity import Options
    from taiga_pipeline.planning.capacity_report import CapacityReport, RoleCapacity

SCENARIOS: Final = "scenarios.toml"
_STATED: Final = (
    "chances are those that deals and stages state, with a usual delay; nothing is learnt from "
    "history"
)


@click.command()
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only this role; repeatable.")
@plan_options
@click.option("--scenario", metavar="NAME", help="Suppose a saved scenario.")
@click.option("--explain", nargs=2, metavar="ROLE WEEK", help="Everything about one cell.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), metavar="FILE")
@json_option
@pass_context
def capacity(
    context: Context,
    /,
    roles: tuple[str, ...],
    scenario: str | None,
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
    given = plan_input(context, chances)
    options = options_for(context, **asked)
    report = _report(context, given, options, scenario)
    shown = _chosen(report, roles)
    if csv_file is not None:
        from taiga_pipeline.cli.capacity_data import write_csv

        with writing_to(csv_file) as stream:
            write_csv(replace(report, roles=tuple(shown)), stream)
    if as_json:
        _print_json(report, shown, explain)
        return
    _print(report, shown, explain, only=len(roles) == 1)


def _report(
    context: Context, given: PlanInput, options: Options, scenario: str | None
) -> CapacityReport:
    from taiga_pipeline.planning.capacity import find_capacity
    from taiga_pipeline.planning.scenario import apply_scenario
    from taiga_pipeline.planning.scenario_file import ScenarioFile

    situation = given.situation
    if scenario is not None:
        saved = ScenarioFile(scenario_path(context)).get(scenario)
        situation = apply_scenario(situation, saved)
    report = find_capacity(situation, given.mappings, given.outlooks, options)
    learnt = () if given.learnt else (_STATED,)
    return replace(report, notices=(*given.notices, *learnt, *report.notices))


def scenario_path(context: Context) -> Path:
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
    report: CapacityReport, shown: Sequence[RoleCapacity], explain: tuple[str, str] | None
) -> None:
    from taiga_pipeline.cli.capacity_data import cell_json, report_json

    if explain is None:
        print_json(report_json(replace(report, roles=tuple(shown))))
        return
    role = _find(report, explain[0])
    at = _week(report, explain[1])
    week = list(report.weeks)[at]
    print_json({"role": role.role, "monday": week, **cell_json(role.weeks[at])})


def _print(
    report: CapacityReport,
    shown: Sequence[RoleCapacity],
    explain: tuple[str, str] | None,
    *,
    only: bool,
) -> None:
    from taiga_pipeline.cli.capacity_text import (
        print_cell,
        print_notices,
        print_report,
        print_weeks,
    )

    if explain is not None:
        role, at = _find(report, explain[0]), _week(report, explain[1])
        print_cell(report, role, list(report.weeks)[at], role.weeks[at])
    else:
        print_report(report, shown)
        if only:
            print_weeks(report, shown[0])
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
