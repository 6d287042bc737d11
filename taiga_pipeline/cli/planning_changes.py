"""The history of people and plans on a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from taiga_pipeline.cli.output import print_json, print_table
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.model import PlanningChange
from taiga_pipeline.report.planning_changes import action_in_words, fields_in_words, subject
from taiga_pipeline.report.terminal import safe

most_rows: Final = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many."
)


def show_changes(changes: Sequence[PlanningChange], as_json: bool) -> None:
    """Prints changes, as they come."""
    if as_json:
        print_json([_as_json(each) for each in changes])
    elif changes:
        headings = (_("when (UTC)"), _("who"), _("action"), _("record"), _("changed"))
        print_table(headings, [_row(each) for each in changes])
    else:
        click.echo(_("no change is recorded"), err=True)


def _row(change: PlanningChange) -> list[str]:
    cells = (
        change.by,
        action_in_words(change),
        subject(change),
        ", ".join(fields_in_words(change)),
    )
    return [f"{change.at:%Y-%m-%d %H:%M:%S}", *map(safe, cells)]


def _as_json(change: PlanningChange) -> dict[str, Any]:
    return {
        "at": change.at,
        "by": change.by,
        "kind": change.kind.value,
        "action": change.action,
        "person": change.email,
        "deal": change.deal_key,
        "what": change.what,
        "before": dict(change.before),
        "after": dict(change.after),
    }
