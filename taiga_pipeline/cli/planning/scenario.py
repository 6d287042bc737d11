"""``scenario``: what if, saved under a name and compared with today. Nothing real changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.people.history import scenario_history
from taiga_pipeline.app.planning import scenarios as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option, plan_options
from taiga_pipeline.cli.output import print_json, print_pairs, print_table
from taiga_pipeline.cli.planning_changes import most_rows, show_changes
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.language import figure
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from taiga_pipeline.planning.scenario.compare import Column
    from taiga_pipeline.planning.scenario.model import Scenario

_CHANGES = (
    click.option("--win", multiple=True, metavar="DEAL", help="Suppose that it is won now."),
    click.option("--lose", multiple=True, metavar="DEAL", help="Suppose that it is lost."),
    click.option("--delay", multiple=True, metavar="DEAL=4w", help="It comes later (-2w: sooner)."),
    click.option("--resize", multiple=True, metavar="DEAL=150%", help="More or fewer hours."),
    click.option(
        "--hire", multiple=True, metavar="ROLE:40h@DATE", help="Someone joins; DATE: the first day."
    ),
    click.option(
        "--leave",
        multiple=True,
        metavar="EMAIL=DATE",
        help="Someone leaves; DATE: the first day without them.",
    ),
)


def _change_options(function: Any) -> Any:
    for option in reversed(_CHANGES):
        function = option(function)
    return function


@click.group(cls=TranslatedGroup)
def scenario() -> None:
    """What if: win, lose, delay, resize deals; hire, leave. Nothing real changes."""


@scenario.command("add")
@click.argument("name")
@_change_options
@click.option("--replace", "again", is_flag=True, help="Replace a scenario of the same name.")
@json_option
@pass_context
def add_scenario(
    context: CommandContext, /, name: str, again: bool, as_json: bool, **texts: tuple[str, ...]
) -> None:
    """Save a scenario under NAME. Each option may be given several times."""
    new = use.save_scenario(context, name, texts, replace_same=again, by=context.by)
    _report(new, as_json, heading=_("saved {name}", name=safe(new.name)))


@scenario.command("list")
@json_option
@pass_context
def list_scenarios(context: CommandContext, as_json: bool) -> None:
    """List the scenarios."""
    found = use.saved_scenarios(context)
    if as_json:
        print_json([scenario_json(each) for each in found.values()])
    elif found:
        rows = [[safe(name), safe("; ".join(_lines(each)))] for name, each in found.items()]
        print_table([_("Scenario"), _("Supposes")], rows)
    else:
        click.echo(_("no scenario is saved; make one with: pipeline-sync scenario add"), err=True)


@scenario.command("show")
@click.argument("name")
@json_option
@pass_context
def show_scenario(context: CommandContext, name: str, as_json: bool) -> None:
    """Show what a scenario assumes."""
    _report(use.saved_scenario(context, name), as_json, heading=safe(name))


@scenario.command("delete")
@click.argument("name")
@json_option
@pass_context
def delete_scenario(context: CommandContext, name: str, as_json: bool) -> None:
    """Delete a scenario."""
    gone = use.delete_scenario(context, name, by=context.by)
    _report(gone, as_json, heading=_("deleted {name}", name=safe(name)))


@scenario.command("history")
@click.argument("name", default="")
@most_rows
@json_option
@pass_context
def history(context: CommandContext, name: str, limit: int, as_json: bool) -> None:
    """Show who saved, changed and deleted scenarios, the newest first; of one NAME or of all.

    What people write into scenarios.toml by hand is not in it.
    """
    show_changes(scenario_history(context, name, limit=limit), as_json)


def _report(saved: Scenario, as_json: bool, heading: str) -> None:
    if as_json:
        print_json(scenario_json(saved))
        return
    click.echo(heading)
    for line in _lines(saved):
        click.echo(f"  {safe(line)}")


def _lines(saved: Scenario) -> list[str]:
    from taiga_pipeline.planning.scenario.model import written_hire, written_leave

    return [
        *(_("win {key}", key=key) for key in saved.win),
        *(_("lose {key}", key=key) for key in saved.lose),
        *(
            _("delay {key} by {weeks} weeks", key=key, weeks=weeks)
            for key, weeks in saved.delay.items()
        ),
        *(
            _("resize {key} to {size:.0%}", key=key, size=size)
            for key, size in saved.resize.items()
        ),
        *(_("hire {written_hire}", written_hire=written_hire(each)) for each in saved.hire),
        *(_("leave {written_leave}", written_leave=written_leave(each)) for each in saved.leave),
    ]


def scenario_json(saved: Scenario) -> dict[str, Any]:
    """Returns a scenario as plain data, in the notation of the command line."""
    from taiga_pipeline.planning.scenario.model import written_hire, written_leave

    return {
        "name": saved.name,
        "win": list(saved.win),
        "lose": list(saved.lose),
        "delay_weeks": dict(saved.delay),
        "resize": dict(saved.resize),
        "hire": [written_hire(each) for each in saved.hire],
        "leave": [written_leave(each) for each in saved.leave],
    }


@scenario.command("compare")
@click.argument("names", nargs=-1)
@plan_options
@json_option
@pass_context
def compare(
    context: CommandContext,
    /,
    names: tuple[str, ...],
    as_json: bool,
    chances: str | None,
    **asked: Any,
) -> None:
    """Compare scenarios (all, if none is named) with today, side by side."""
    from taiga_pipeline.cli.planning.capacity_text import print_notices

    found = use.compare(context, names, chances=chances, brief=True, **asked)
    if as_json:
        print_json([_column_json(column) for column in found.columns])
        return
    _print_columns(found.columns)
    print_notices(found.notices)


def _column_json(column: Column) -> dict[str, Any]:
    from taiga_pipeline.app.planning.capacity_data import cell_json

    report = column.report
    return {
        **scenario_json(column.scenario),
        "as_of": report.as_of,
        "quantile": report.quantile,
        "trials": report.trials,
        "seed": report.seed,
        "won_value": column.open_value.decided,
        "expected_value": column.open_value.expected,
        "utilisation": None if column.utilisation is None else round(column.utilisation, 4),
        "short_role_weeks": column.short_weeks,
        "total": cell_json(report.total),
        "roles": {role.role: cell_json(role.total) for role in report.roles},
    }


def _print_columns(columns: Sequence[Column]) -> None:
    from taiga_pipeline.cli.planning.capacity_text import percentile
    from taiga_pipeline.planning.weeks import week_name

    report = columns[0].report
    name = percentile(report.quantile)
    span = _(
        "{week_name} to {week_name2}",
        week_name=week_name(report.weeks.first),
        week_name2=week_name(report.weeks.last),
    )
    print_pairs(
        {
            _("Weeks"): span,
            _("As of"): _(
                "{as_of}; {trials:,} futures, seed {seed}, the same for each column",
                as_of=report.as_of,
                trials=report.trials,
                seed=report.seed,
            ),
        }
    )
    click.echo("")
    rows = [
        [_("Won value"), *(_money(each.open_value.decided) for each in columns)],
        [_("Expected value of the rest"), *(_money(each.open_value.expected) for each in columns)],
        [_("Capacity"), *(_hours(each.report.total.capacity) for each in columns)],
        [_("Confirmed"), *(_hours(each.report.total.confirmed) for each in columns)],
        [_("Weighted"), *(_hours(each.report.total.weighted) for each in columns)],
        [_("Utilisation"), *(_share(each.utilisation) for each in columns)],
        [_("Short {name}", name=name), *(_hours(each.report.total.gap) for each in columns)],
        [_("Expected short"), *(_hours(each.report.total.expected_gap) for each in columns)],
        [_("Role-weeks short"), *(str(each.short_weeks) for each in columns)],
    ]
    for role in dict.fromkeys(role.role for each in columns for role in each.report.roles):
        rows.append(
            [_("Expected short: {role}", role=safe(role)), *(_role(each, role) for each in columns)]
        )
    headings = ["", _("today"), *(safe(each.name) for each in columns[1:])]
    print_table(headings, rows, right=range(1, len(headings)))


def _role(column: Column, name: str) -> str:
    found = [role.total.expected_gap for role in column.report.roles if role.role == name]
    return _hours(found[0]) if found else ""


def _hours(hours: float) -> str:
    return f"{figure(hours, ',.0f')} h"


def _share(share: float | None) -> str:
    return "" if share is None else figure(share, ".0%")


def _money(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(
        f"{figure(amount, ',.0f')} {safe(name)}".rstrip() for name, amount in amounts.items()
    )
