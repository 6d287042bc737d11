"""``history``: who changed what, when and why, on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from sync.plan.model import ActionType
from sync.records.merge import Verdict
from sync.state.rows import BY_PEOPLE, KEEP, READ, TAKE_OVER
from taiga_pipeline.app.sync import looking
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_table, shorten
from taiga_pipeline.cli.sync.status import NO_RUN
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import FieldChange, PlanningChange, StageMove
from taiga_pipeline.records import deal_of
from taiga_pipeline.report.planning_changes import (
    action_in_words,
    differences,
    fields_in_words,
    subject,
)
from taiga_pipeline.report.record_words import differing_lines, field_in_words, value_in_words
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.state.store import JournalEntry


@dataclass(frozen=True, slots=True)
class _Event:
    """One line of the history, as a row of the table and as JSON. ``at`` is UTC."""

    at: datetime
    row: tuple[str, ...]
    data: Mapping[str, object]


@click.command()
@click.argument("deal", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@json_option
@pass_context
def history(context: CommandContext, deal: str | None, limit: int, as_json: bool) -> None:
    """Show who changed what, when and why, the newest first; of one DEAL or of all.

    Changes by sales show who made them, and no run. The connector's own writes are those for sales.
    Edits by people that it found and kept are listed as theirs, with the time at which it found
    them; so is what they removed. Edits that it replaced are marked "written back".
    """
    past = looking.past_of(context, deal, limit)
    # What sales did comes before what was written because of it, and nothing before a deal was
    # added, though it is all of one second; the newest is on top.
    events = [
        *map(_written, past.written),
        *(_moved(move) for move in past.moves if move.from_stage),
        *map(_changed, past.changes),
        *map(_planned, past.planning),
        *(_moved(move) for move in past.moves if not move.from_stage),
    ]
    events.sort(key=lambda event: event.at, reverse=True)
    if as_json:
        print_json([event.data for event in events[:limit]])
    elif not events:
        click.echo(_("Nothing was written for {deal} yet.", deal=safe(deal)) if deal else _(NO_RUN))
    else:
        print_table(
            (
                _("when (UTC)"),
                _("run"),
                _("who"),
                _("action"),
                _("record"),
                _("changed"),
                _("because"),
                _("outcome"),
            ),
            [event.row for event in events[:limit]],
            right=[1],
        )


# --- what sales changed in the pipeline


def _moved(move: StageMove) -> _Event:
    action = "move" if move.from_stage else "add"
    because = _("skipping: {forced}", forced="; ".join(move.forced)) if move.forced else ""
    return _sales_event(move, action, "stage", (move.from_stage, move.to_stage), because)


def _changed(change: FieldChange) -> _Event:
    return _sales_event(change, "edit", change.field, (change.before, change.after), "")


def _sales_event(
    step: StageMove | FieldChange, action: str, field: str, values: tuple[str, str], because: str
) -> _Event:
    before, after = (value or None for value in values)
    name = _(BUILT_IN[field].label) if field in BUILT_IN else field
    text = f"{name}: {_brief(before)} → {_brief(after)}"
    who = step.by or _("sales")
    key = step.deal_key
    when = f"{step.at:%Y-%m-%d %H:%M:%S}"
    return _Event(
        step.at,
        (
            when,
            "",
            *map(safe, (who, _(action), _("deal {key}", key=key), text, because)),
            _("done"),
        ),
        {
            **{"id": None, "run": None, "who": "sales", "by": step.by, "where": "pipeline"},
            **{"deal": key, "kind": "deal", "key": key, "action": action, "reason": because},
            "changes": [{"field": field, "base": before, "desired": after}],
            **{"status": "done", "error": "", "intended": step.at, "finished": step.at},
        },
    )


# --- what was changed of people and plans


def _planned(change: PlanningChange) -> _Event:
    when = f"{change.at:%Y-%m-%d %H:%M:%S}"
    record, text = subject(change), ", ".join(fields_in_words(change, _brief))
    cells = (change.by or _("sales"), action_in_words(change), record, text, "", _("done"))
    return _Event(
        change.at,
        (when, "", *map(safe, cells)),
        {
            **{"id": None, "run": None, "who": "sales", "by": change.by, "where": "plan"},
            **{"deal": change.deal_key, "kind": change.kind.value},
            **{"key": " ".join(filter(None, (change.email, change.what)))},
            **{"action": change.action, "reason": ""},
            "changes": [
                {"field": name, "base": before or None, "desired": after or None}
                for name, before, after in differences(change)
            ],
            **{"status": "done", "error": "", "intended": change.at, "finished": change.at},
        },
    )


# --- what the connector wrote, and what it found


def _written(entry: JournalEntry) -> _Event:
    who = "people" if entry.action in BY_PEOPLE else "sales"
    changes: Iterable[str] = (_change(entry, change) for change in _written_fields(entry))
    outcome = _(entry.status)
    if entry.error:
        outcome = f"{outcome}: {translated(entry.error)}"
    because = translated(entry.reason)
    cells = (_(who), _(entry.action), _record(entry), ", ".join(changes), because, outcome)
    when = f"{entry.intended_at:%Y-%m-%d %H:%M:%S}"
    return _Event(
        entry.intended_at,
        (when, str(entry.run_id), *map(safe, cells)),
        {
            "id": entry.id,
            "run": entry.run_id,
            "who": who,
            "by": "",
            "where": "project",
            "deal": deal_of(entry.key.group),
            "kind": entry.key.kind,
            "key": str(entry.key),
            "action": entry.action,
            "reason": entry.reason,
            "changes": list(_changes(entry)),
            "status": entry.status,
            "error": entry.error,
            "intended": entry.intended_at,
            "finished": entry.finished_at,
        },
    )


def _written_fields(entry: JournalEntry) -> Iterable[Mapping[str, object]]:
    """Returns what was changed, without the texts as they were read before."""
    return (change for change in _changes(entry) if change.get("verdict") != READ)


def _changes(entry: JournalEntry) -> Iterable[Mapping[str, object]]:
    """Returns an entry's changes; where a project changed hands, that of its deal."""
    if entry.action != TAKE_OVER:
        return entry.changes
    return [{**change, "field": "deal"} for change in entry.changes]


def _change(entry: JournalEntry, change: Mapping[str, object]) -> str:
    """Returns a changed field in a few words; the values of a creation would be too many."""
    field = str(change.get("field", ""))
    name = field_in_words(field, BUILT_IN)
    if entry.action in (ActionType.CREATE, ActionType.REMOVE):
        return name
    sides = ("base", "observed") if entry.action == KEEP else ("observed", "desired")
    old, new = (change.get(side) for side in sides)
    back = _(" (written back)") if change.get("verdict") == Verdict.WRITE_BACK else ""
    if lines := differing_lines(old, new):
        return f"{name} ({'; '.join(map(_brief, lines))}){back}"
    before, after = (_brief(value_in_words(field, value)) for value in (old, new))
    return f"{name}: {before} → {after}{back}"


def _brief(value: object) -> str:
    if isinstance(value, list | tuple):
        text = "{" + ", ".join(map(str, value)) + "}"
    else:
        text = "–" if value is None else str(value)
    return shorten(" ".join(text.split()), _BRIEF)


_BRIEF: Final = 40


def _record(entry: JournalEntry) -> str:
    key = entry.key
    return key.group if key.is_root else f"{key.group} {_(key.kind)} {key.name}"
