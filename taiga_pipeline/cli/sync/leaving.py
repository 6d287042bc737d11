"""``unlink --clean`` and ``unlink --all``: to leave without a trace that claims to be current."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import click

from sync.errors import Rejected, Stale, Vanished
from sync.plan.model import Change
from sync.run import manual_actions
from sync.run.leaving import Leaving, Traces, leave, plan_leaving
from sync.state.store import StateStore
from sync.target import Target
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.records import PORTFOLIO, TRACES, Kind, Project
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.terminal import safe

STOP_THE_SCHEDULE = (
    "All deals are let go of. Take the schedule away, too: the next run would make projects for "
    "deals that are new by then."
)


def linked(store: StateStore, *, clean: bool) -> list[str]:
    """Returns the deals that there is something to let go of; ``clean``: also unlinked ones."""
    rows = store.index()
    return sorted(key for key, row in rows.items() if row.root_id and (clean or not row.unlinked))


def demand_linked(store: StateStore, deal: str) -> None:
    """Makes sure that a deal has a project.

    :raises Rejected: it has none.
    """
    row = store.index().get(deal)
    if row is None or not row.root_id:
        raise Rejected(f"{deal}: no project is kept in step with this deal")


def let_go(
    store: StateStore, target: Target, deals: Sequence[str], *, clean: bool, dry_run: bool
) -> ExitCode:
    """Lets go of deals one by one; one that cannot be is reported, and the others are done."""
    failed = 0
    for deal in deals:
        try:
            for line in _one(store, target, deal, clean=clean, dry_run=dry_run):
                click.echo(safe(line))
        except (Rejected, Stale, Vanished) as error:
            failed += 1
            report_error(str(error))
    return ExitCode.PARTIAL if failed else ExitCode.DONE


def _one(
    store: StateStore, target: Target, deal: str, *, clean: bool, dry_run: bool
) -> Iterator[str]:
    if not clean:
        if not dry_run:
            manual_actions.unlink(store, target, deal)
        would = "would no longer be followed" if dry_run else "no longer followed"
        yield f"{deal}: {would}; its project stays as it is."
        return
    act: Callable[..., Leaving] = plan_leaving if dry_run else leave
    leaving = act(store, target, deal, traces_of(deal))
    if leaving.root is None:
        yield f"{deal}: its project is not there any more."
        return
    would = "would be let go of, without" if dry_run else "let go of, without"
    yield f"{deal}: project {leaving.root.id} {would} its marker"
    for action in leaving.actions:
        record = "" if action.key.is_root else f"{action.key.kind} {action.key.name}: "
        for change in action.changes:
            yield f"    {record}{_change(change)}"


def traces_of(key: str) -> Mapping[str, Traces]:
    """Returns what is left on a project. The portfolio's text says that it is kept current."""
    if not key.startswith(PORTFOLIO):
        return TRACES
    project = TRACES[Kind.PROJECT]
    shared = {**project.shared, Project.TEXT: ""}
    return {**TRACES, Kind.PROJECT: replace(project, shared=shared)}


def _change(change: Change) -> str:
    before, after = change.observed, change.desired
    if isinstance(before, frozenset) and isinstance(after, frozenset):
        return f"{change.field}: without {shown(before - after)}"
    return f"{change.field}: {shown(before)} -> {shown(after)}"
