"""When a deal fits, and who can take it, on a terminal; and the command ``staff who``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.planning.fitting import Who, who_for, who_json
from taiga_pipeline.app.planning.staffing import Wanted
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table, style
from taiga_pipeline.language import figure, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.capacity.fits import Fit, Start
    from taiga_pipeline.planning.staffing.candidates import Asked


def print_fit(fit: Fit) -> None:
    """Prints when a deal fits."""
    name = f"P{100 * fit.quantile:g}"
    click.echo(style(f"{safe(fit.deal.key)} {safe(fit.deal.name)}".strip(), bold=True))
    last = week_name(fit.looked.last)
    click.echo(_("As planned, {said}", said=_said(fit.planned)))
    if fit.earliest:
        click.echo(
            _(
                "Earliest start beside all others at {name}: {week}",
                name=name,
                week=_week(fit.earliest),
            )
        )
    else:
        click.echo(
            _("It fits in no week until {last} beside all others at {name}", last=last, name=name)
        )
        click.echo(_("Least is missing in {said}", said=_said(fit.best)))
    if fit.sure:
        click.echo(_("Earliest start if no open deal is won: {week}", week=_week(fit.sure)))
    else:
        click.echo(_("It does not fit until {last} even if no open deal is won", last=last))


def _week(start: Start) -> str:
    return f"{week_name(start.week)} ({start.week})"


def _said(start: Start) -> str:
    if not start.missing:
        return _("{week}: it fits", week=_week(start))
    missing = ", ".join(
        plural(
            "{role} {hours:,.0f} h in {number} week",
            "{role} {hours:,.0f} h in {number} weeks",
            each.weeks,
            role=safe(each.role),
            hours=each.hours,
        )
        for each in start.missing
    )
    return _("{week}: {missing} missing", week=_week(start), missing=missing)


@click.command("who")
@click.argument("key")
@click.option("--weeks", type=click.IntRange(1, 520), help="How far ahead projects may begin.")
@json_option
@pass_context
def who(context: CommandContext, key: str, weeks: int | None, as_json: bool) -> None:
    """Show who can take a deal: by role, skills and free hours, the best first.

    What people are allocated to already is taken off. Free hours are those of the weeks that the
    deal asks for.
    """
    found = who_for(context, key, Wanted(weeks=weeks))
    if as_json:
        print_json(who_json(found))
        return
    if not found.asked:
        click.echo(safe(_("{key}: all that it asks for is allocated", key=key)))
    for number, asked in enumerate(found.asked):
        if number:
            click.echo("")
        _print_asked(found, asked)


def _print_asked(who: Who, asked: Asked) -> None:
    first, last = who.case.week(asked.first), who.case.week(asked.after - 1)
    skills = f" ({', '.join(asked.skills)})" if asked.skills else ""
    click.echo(
        style(
            safe(
                _(
                    "{role}{skills}, {hours:,.0f} h, {week_name} to {week_name2}",
                    role=asked.role,
                    skills=skills,
                    hours=asked.hours,
                    week_name=week_name(first),
                    week_name2=week_name(last),
                )
            ),
            bold=True,
        )
    )
    if not asked.able:
        click.echo(_("no person has this role; see: pipeline-sync staff advise"))
        return
    rows = [
        [
            safe(each.person.name),
            safe(each.person.role),
            f"{figure(each.free, ',.0f')} h",
            f"{figure(each.gives, ',.0f')} h",
            figure(each.gives / asked.hours, ".0%") if asked.hours else "",
            safe(", ".join(each.other_deals)),
            safe(", ".join(each.lacks)),
        ]
        for each in asked.able
    ]
    print_table(
        [_("Person"), _("Role"), _("Free"), _("Could do"), "", _("On"), _("Lacks")],
        rows,
        right=(2, 3, 4),
    )
