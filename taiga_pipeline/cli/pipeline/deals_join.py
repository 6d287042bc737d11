"""``join``: several deals in one project."""

from __future__ import annotations

import click

from taiga_pipeline.app.deals import joining as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_text import deal_json
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe


@click.command("join")
@click.argument("deal")
@click.argument("project_deal", required=False)
@click.option("--undo", is_flag=True, help="Let the deal stand for itself again.")
@json_option
@pass_context
def join(
    context: CommandContext, deal: str, project_deal: str | None, undo: bool, as_json: bool
) -> None:
    """Make DEAL a part of the project of PROJECT_DEAL: an extension, a change order.

    Demand, value, people, milestones and stories add up there from the next run on. Each deal keeps
    its stage and its history. One that is lost takes only its own part away.

    With --undo, the next run takes out of the other project what the deal brought, as far as people
    left it as it was, and makes or restores the deal's own.
    """
    if undo:
        if project_deal:
            raise click.UsageError(_("--undo takes the deal alone."))
        _leave(context, deal, as_json)
    elif project_deal:
        _join(context, deal, project_deal, as_json)
    else:
        raise click.UsageError(_("Name the deal whose project it joins, or use --undo."))


def _join(context: CommandContext, key: str, project_deal: str, as_json: bool) -> None:
    joined = use.join_deal(context, key, project_deal, by=context.by)
    if as_json:
        print_json({**deal_json(joined.deal, context.fields), "project_deal": joined.main.key})
        return
    named = {"key": joined.deal.key, "main": joined.main.key, "name": joined.main.name}
    click.echo(safe(_("{key} is part of the project of {main} ({name})", **named)))
    if joined.other_customer:
        customers = {"customer": joined.deal.customer, "other": joined.main.customer}
        note = _(
            "note: {key} is a deal with {customer}, {main} one with {other}", **named, **customers
        )
        click.echo(safe(note), err=True)
    if joined.had_project:
        note = _(
            "note: {key} has a project of its own, which the next run retires. What people did "
            "there stays there: pipeline-sync plan shows it",
            key=joined.deal.key,
        )
        click.echo(safe(note), err=True)


def _leave(context: CommandContext, key: str, as_json: bool) -> None:
    left = use.leave_project(context, key, by=context.by)
    if as_json:
        print_json(deal_json(left.deal, context.fields))
        return
    text = _("{key} stands for itself again, apart from {main}", key=left.deal.key, main=left.main)
    click.echo(safe(text))
