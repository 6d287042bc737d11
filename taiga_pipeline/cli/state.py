"""``status``, ``history`` and ``conflicts``: what the state store knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import click

from sync.plan import PARTIAL
from sync.state import JournalEntry, OpenIssue, RunRow, StateStore
from taiga_pipeline.cli.context import Context, pass_context
from taiga_pipeline.cli.engine import state_to_read
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_pairs, print_table
from taiga_pipeline.cli.paint import painter
from taiga_pipeline.report.plan_text import issue_lines, ways_out
from taiga_pipeline.report.terminal import safe

NO_RUN: Final = "There was no run yet. 'pipeline-sync plan' shows what a first one would do."


@click.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> ExitCode:
    """Show how the last run went and what is open.

    Exits with 3 while something waits for a person, else with 0.
    """
    with state_to_read(context) as store:
        runs = store.runs(limit=1)
        finished = _last_success(store)
        issues = store.issues()
        states = Counter(row.state for row in store.index().values() if row.is_followed)
    waiting = [item for item in issues if item.issue.kind in PARTIAL]
    if as_json:
        print_json(
            {
                "pipeline": context.settings.pipeline,
                "last_run": _run_json(runs[0]) if runs else None,
                "last_success": finished,
                "projects": dict(sorted(states.items())),
                "open": len(issues),
            }
        )
    elif not runs:
        click.echo(NO_RUN)
    else:
        _show_status(context, runs[0], finished, states, len(issues))
    return ExitCode.PARTIAL if waiting else ExitCode.DONE


def _last_success(store: StateStore) -> datetime | None:
    for run in store.runs(limit=1000):
        if run.outcome in ("done", "partial"):
            return run.finished_at
    return None


def _run_json(run: RunRow) -> dict[str, object]:
    return {
        "id": run.id,
        "started": run.started_at,
        "finished": run.finished_at,
        "outcome": run.outcome,
        "full": run.is_full,
        "summary": dict(run.summary),
    }


def _show_status(
    context: Context,
    run: RunRow,
    finished: datetime | None,
    states: Mapping[str, int],
    waiting: int,
) -> None:
    now = context.clock.now()
    counts = ", ".join(f"{n} {state or 'unknown'}" for state, n in sorted(states.items()))
    print_pairs(
        {
            "pipeline": context.settings.pipeline,
            "last run": f"{run.id}: {run.outcome}, {ago(now - run.started_at)}",
            "last success": ago(now - finished) if finished else "never",
            "projects": counts or "none",
            "open": f"{waiting} (pipeline-sync conflicts)" if waiting else "nothing",
        }
    )


def ago(age: timedelta) -> str:
    """Returns an age as people say it."""
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


@click.command()
@click.argument("deal", required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@json_option
@pass_context
def history(context: Context, deal: str | None, limit: int, as_json: bool) -> None:
    """Show what the connector wrote, the newest first; of one DEAL or of all."""
    with state_to_read(context) as store:
        entries = store.history(deal, limit)
    if as_json:
        print_json([_entry_json(entry) for entry in entries])
    elif not entries:
        click.echo(f"Nothing was written for {safe(deal)} yet." if deal else NO_RUN)
    else:
        print_table(
            ("when (UTC)", "run", "action", "record", "changed", "because", "outcome"),
            [_entry_row(entry) for entry in entries],
            right=[1],
        )


def _entry_row(entry: JournalEntry) -> tuple[str, ...]:
    fields = ", ".join(str(change.get("field", "")) for change in entry.changes)
    outcome = f"{entry.status}: {entry.error}" if entry.error else entry.status
    return (
        f"{entry.intended_at:%Y-%m-%d %H:%M:%S}",
        str(entry.run_id),
        entry.action,
        safe(_record(entry)),
        safe(fields),
        safe(entry.reason),
        safe(outcome),
    )


def _record(entry: JournalEntry) -> str:
    key = entry.key
    return key.group if key.is_root else f"{key.group} {key.kind} {key.name}"


def _entry_json(entry: JournalEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "run": entry.run_id,
        "deal": entry.key.group,
        "kind": entry.key.kind,
        "key": str(entry.key),
        "action": entry.action,
        "reason": entry.reason,
        "changes": list(entry.changes),
        "status": entry.status,
        "error": entry.error,
        "intended": entry.intended_at,
        "finished": entry.finished_at,
    }


@click.command()
@json_option
@pass_context
def conflicts(context: Context, as_json: bool) -> None:
    """List everything that waits for a person, with the commands that settle it."""
    with state_to_read(context) as store:
        issues = store.issues()
    if as_json:
        print_json([_issue_json(item) for item in issues])
    elif not issues:
        click.echo("Nothing waits for you.")
    else:
        _show_issues(context, issues)


def _issue_json(item: OpenIssue) -> dict[str, object]:
    return {
        **item.issue.to_json(),
        "since": item.since,
        "commands": list(ways_out(item.issue)),
    }


def _show_issues(context: Context, issues: Sequence[OpenIssue]) -> None:
    now = context.clock.now()
    tool = context.settings.target.kind.capitalize()
    for item in issues:
        first, *rest = issue_lines([item.issue], tool, painter())
        click.echo(f"{first} ({ago(now - item.since)})")
        for line in rest:
            click.echo(line)
