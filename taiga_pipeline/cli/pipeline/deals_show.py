"""``deals show``: everything about a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.deals import looking, staffing
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.deal_text import (
    CLOSE,
    allocation_json,
    change_json,
    deal_json,
    delivery_json,
    move_json,
    print_allocations,
    print_deal,
    print_facts,
    print_history,
    print_projects,
    print_taken,
    print_waiting,
)
from taiga_pipeline.cli.pipeline.deals_lessons import lessons_json, print_lessons
from taiga_pipeline.cli.pipeline.deals_list import waiting_json
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.delivery import left_of
from taiga_pipeline.report.plan_json import key_json
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.looking import DealDetails
    from taiga_pipeline.pipeline.fields.field import FieldTable


@click.command("show")
@click.argument("key")
@json_option
@pass_context
def show_deal(context: CommandContext, key: str, as_json: bool) -> None:
    """Show a deal with its history, its people, its project, and similar past deals."""
    found = looking.show_deal(context, key)
    if as_json:
        lessons = lessons_json(context, found.deal.key)
        print_json({**_details_json(found, context.fields), **lessons})
        return
    print_deal(found.deal, found.chance, found.changes, context.fields)
    print_waiting(found.waiting, found.score)
    if found.allocations:
        click.echo(_("\nStaffed"))
        won = staffing.won_among(context, [found.deal.key])
        print_allocations(found.allocations, left_of(found.taken_away), won=won)
    if len(found.in_project) > 1:
        main, *others = found.in_project
        named = {"main": main, "others": ", ".join(others)}
        click.echo(safe("\n" + _("One project: {main}, {others}", **named)))
    print_facts(_facts_json(found))
    print_projects(found.projects)
    print_taken(found.taken_away)
    print_lessons(context, found.deal.key)
    print_history(found.moves, found.changes)


def _view_json(view: DealDetails, table: FieldTable) -> dict[str, Any]:
    """Returns a deal with the chance that counts, beside the one that it states."""
    known = view.chance
    close = view.deal.closed_on or view.deal.expected_close
    return {
        **deal_json(view.deal, table),
        "chance": None if known is None else format(known, "f"),
        CLOSE: close and close.isoformat(),
    }


def _details_json(found: DealDetails, table: FieldTable) -> dict[str, Any]:
    return {
        **_view_json(found, table),
        **waiting_json(found.waiting, found.score),
        "history": [move_json(move) for move in found.moves],
        "changes": [change_json(change) for change in found.changes],
        "allocations": [allocation_json(each) for each in found.allocations],
        "project": _facts_json(found),
        "projects": [delivery_json(each) for each in found.projects],
        "in_project": list(found.in_project),
        "taken_away": [key_json(each) for each in found.taken_away],
    }


def _facts_json(found: DealDetails) -> dict[str, Any]:
    """Returns what was last read of the deal's project; nothing of one that was never synced."""
    if not found.facts:
        return {}
    return {**found.facts, "seen_at": found.seen_at.isoformat() if found.seen_at else None}
