"""``capacity``: who is short, of which role, in which week, because of which deals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.planning.capacity import (
    CapacityAnswer,
    capacity_of,
    find_people,
    find_role,
    week_at,
)
from taiga_pipeline.app.planning.inputs import STATED
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import WrittenFile
from taiga_pipeline.cli.options import json_option, plan_options
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.files import is_stdout
from taiga_pipeline.language import text as _

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.result import RoleCapacity


@click.command()
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Only this role; repeatable.")
@plan_options
@click.option("--scenario", metavar="NAME", help="Apply a saved scenario.")
@click.option(
    "--with-unseen",
    is_flag=True,
    help="Also show, separately, deals that are not in the pipeline yet.",
)
@click.option("--people", "by_person", is_flag=True, help="Show people, not roles.")
@click.option(
    "--person", "persons", multiple=True, metavar="EMAIL", help="Only this person; repeatable."
)
@click.option("--fits", metavar="DEAL", help="When the deal can begin without breaking another.")
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
    by_person: bool,
    persons: tuple[str, ...],
    fits: str | None,
    explain: tuple[str, str] | None,
    csv_file: Path | None,
    as_json: bool,
    chances: str | None,
    **asked: Any,
) -> None:
    """Show capacity, demand, gaps and free hours by role and week, and the deals behind them.

    Demand is simulated: open deals are won or not, sooner or later, and a common shock hits all of
    them. A gap is the hours that are missing at the chosen quantile (default: P80). Free hours are
    those that no one asks for. With --people or --person, they are shown by person.
    """
    if fits is not None:
        _show_fit(context, fits, chances, asked, as_json)
        return
    if with_unseen and chances == STATED:
        raise click.UsageError(_("--with-unseen needs history: add --chances learnt"))
    answer = capacity_of(
        context,
        roles=roles,
        scenario=scenario,
        with_unseen=with_unseen,
        chances=chances,
        brief=not (as_json or csv_file or explain or len(roles) == 1),
        **asked,
    )
    shown = answer.roles
    if by_person or persons:
        _show_people(answer, roles, persons, csv_file, as_json)
        return
    if csv_file is not None:
        from taiga_pipeline.app.planning.capacity_data import write_csv
        from taiga_pipeline.cli.pipeline.file_text import writing_to

        with writing_to(csv_file) as stream:
            write_csv(replace(answer.report, roles=shown), stream, answer.more)
        if is_stdout(csv_file):
            return
    if as_json:
        _print_json(answer, shown, explain)
        return
    _print(answer, shown, explain, only=len(roles) == 1)


def _show_fit(
    context: CommandContext, key: str, chances: str | None, asked: Mapping[str, Any], as_json: bool
) -> None:
    from taiga_pipeline.app.planning.fitting import fit_for, fit_json
    from taiga_pipeline.cli.planning.fitting_text import print_fit

    found = fit_for(context, key, chances, **asked)
    if as_json:
        print_json(fit_json(found))
    else:
        print_fit(found)


def _show_people(
    answer: CapacityAnswer,
    roles: Sequence[str],
    persons: Sequence[str],
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """Writes what `capacity --people` is asked for: as CSV, as JSON or on the terminal."""
    from taiga_pipeline.app.planning.capacity_data import report_json, write_people_csv
    from taiga_pipeline.cli.planning.capacity_text import print_notices
    from taiga_pipeline.cli.planning.idle_text import print_people

    people = find_people(answer.report, [role.role for role in answer.roles], persons)
    report = replace(answer.report, people=people)
    if csv_file is not None:
        from taiga_pipeline.cli.pipeline.file_text import writing_to

        with writing_to(csv_file) as stream:
            write_people_csv(report, stream)
        if is_stdout(csv_file):
            return
    if as_json:
        whole = report_json(report)
        kept = ("as_of", "from", "weeks", "people", "notices")
        print_json({name: whole[name] for name in kept})
        return
    print_people(report, people)
    print_notices(report.notices)


def _print_json(
    answer: CapacityAnswer, shown: Sequence[RoleCapacity], explain: tuple[str, str] | None
) -> None:
    from taiga_pipeline.app.planning.capacity_data import cell_json, report_json, unseen_json

    report = answer.report
    if explain is None:
        data = report_json(replace(report, roles=tuple(shown)))
        if answer.unseen and answer.more:
            data["with_unseen"] = unseen_json(report, answer.unseen, answer.more)
        print_json(data)
        return
    role = find_role(report, explain[0])
    at = week_at(report, explain[1])
    week = list(report.weeks)[at]
    print_json({"role": role.role, "monday": week, **cell_json(role.weeks[at])})


def _print(
    answer: CapacityAnswer,
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
    from taiga_pipeline.cli.planning.idle_text import print_idle, print_idle_weeks

    report = answer.report
    if explain is not None:
        role, at = find_role(report, explain[0]), week_at(report, explain[1])
        print_cell(report, role, list(report.weeks)[at], role.weeks[at])
    else:
        print_report(report, shown)
        if shown:
            print_idle(report, shown)
        if only:
            print_weeks(report, shown[0])
            print_idle_weeks(report, shown[0])
        if answer.unseen and answer.more:
            print_unseen(report, answer.unseen, answer.more)
    print_notices(report.notices)
