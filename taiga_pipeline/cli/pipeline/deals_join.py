"""``deals join`` and ``deals leave``: several deals in one project."""

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
@click.argument("key")
@click.argument("project_deal")
@json_option
@pass_context
def join_deal(context: CommandContext, key: str, project_deal: str, as_json: bool) -> None:
    """Make a deal a part of the project of another one: an extension, a change order.

    Demand, value, people, milestones and stories add up in the project of PROJECT_DEAL from the
    next run on. Each deal keeps its stage and its history. One that is lost takes only its own
    part away. To undo it: deals leave KEY.
    """
    joined = use.join_deal(context, key, project_deal, by=context.by)
    if as_json:
        print_json({**deal_json(joined.deal, context.fields), "project_deal": joined.main.key})
        return
    named = {"key": joined.deal.key, "main": joined.main.key, "name": joined.main.name}
    click.echo(safe(_("{key} is part of the project of {main} ({name})", **named)))
    if joined.had_project:
        click.echo(
            safe(
                _(
                    "note: {key} has a project of its own, which the next run retires. What people "
                    "did there stays there: pipeline-sync plan shows it",
                    key=joined.deal.key,
                )
            ),
            err=True,
        )


@click.command("leave")
@click.argument("key")
@json_option
@pass_context
def leave_project(context: CommandContext, key: str, as_json: bool) -> None:
    """Let a deal stand for itself again after: deals join.

    The next run takes out of the other project what the deal brought, as far as people left it as
    it was, and makes or restores the deal's own.
    """
    left = use.leave_project(context, key, by=context.by)
    if as_json:
        print_json(deal_json(left.deal, context.fields))
        return
    text = _("{key} stands for itself again, apart from {main}", key=left.deal.key, main=left.main)
    click.echo(safe(text))
