"""``staff advise``: what to do about hours that lack, and by when to decide."""

from __future__ import annotations

import click

from taiga_pipeline.app.planning.advice import Advice, Advices, advice_for, advice_json
from taiga_pipeline.app.planning.inputs import LEARNT, STATED
from taiga_pipeline.app.planning.staffing import Wanted
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.cli.planning.money_text import amounts
from taiga_pipeline.language import figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.hiring.advice import Way
from taiga_pipeline.report.terminal import safe


@click.command("advise")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=3600), default=10, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--weeks", type=click.IntRange(1, 520), help="Projects that begin within this many weeks."
)
@click.option(
    "--chances",
    type=click.Choice([LEARNT, STATED]),
    default=LEARNT,
    show_default=True,
    help="Of open deals: from the pipeline's history, or as deals and stages state them.",
)
@click.option("--quick", is_flag=True, help="Use the quick rule, not the optimiser.")
@json_option
@pass_context
def advise(
    context: CommandContext,
    seconds: float,
    seed: int,
    weeks: int | None,
    chances: str,
    quick: bool,
    as_json: bool,
) -> None:
    """Advise on hours that lack: hire, part-time, temporary, subcontract, train, start later.

    Each way is tried on the plan, from the week on in which it can take effect, and the plan is
    solved again. It tells hours met, hours idle, the cost, and by when to decide. The lead times
    are in the configuration (planning.hiring).
    """
    wanted = Wanted(seconds=seconds, seed=seed, weeks=weeks, chances=chances, quick=quick)
    found = advice_for(context, wanted)
    if as_json:
        print_json(advice_json(found))
        return
    _print(found)


def _print(found: Advices) -> None:
    click.echo(_("{lacking:,.0f} h lack in the plan", lacking=found.lacking))
    if found.ways:
        headings = [
            _("Way"),
            _("Who or what"),
            _("From"),
            _("To"),
            _("Decide by"),
            _("Met"),
            _("Idle"),
            _("Cost"),
        ]
        rows = [_row(each) for each in found.ways]
        print_table([*headings, _("Brings"), _("For")], rows, right=(5, 6, 7, 8))
    elif found.lacking >= 0.5:
        click.echo(_("nothing that was tried helps"))
    for notice in found.notices:
        click.echo(safe(_("note: {notice}", notice=translated(notice))), err=True)


def _row(advice: Advice) -> list[str]:
    option = advice.option
    last = "" if option.way in (Way.HIRE, Way.PART_TIME, Way.TRAIN, Way.LATER) else advice.last
    return [
        _(option.way.value),
        safe(_what(advice)),
        str(advice.start or advice.first),
        str(last),
        str(advice.decide_by),
        f"{figure(option.met, ',.0f')} h",
        f"{figure(option.idle, ',.0f')} h",
        _("unknown") if advice.cost is None else amounts(advice.cost),
        amounts(advice.brings),
        safe(", ".join(advice.deals[:4]) + (" …" if len(advice.deals) > 4 else "")),
    ]


def _what(advice: Advice) -> str:
    option = advice.option
    if option.way is Way.LATER:
        return _(
            "{deal}, {later_weeks} weeks later", deal=advice.deal, later_weeks=option.later_weeks
        )
    if option.way is Way.TRAIN:
        return _("{person} as {role}", person=advice.person, role=option.role)
    return _("{role}, {hours:g} h a week", role=option.role, hours=option.hours_per_week)
