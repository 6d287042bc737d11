"""``unlink --clean`` and ``unlink --all``: to leave without a trace that claims to be current."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from sync.plan.model import Change
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.sync.leaving import UnlinkedDeal

STOP_THE_SCHEDULE = (
    "All deals are unlinked. Remove the schedule too: the next run would create projects for new "
    "deals."
)


def print_leaving(deals: Iterable[UnlinkedDeal], *, dry_run: bool) -> ExitCode:
    """Prints each deal once it is unlinked; those that cannot be are reported."""
    failed = 0
    for each in deals:
        if each.problem:
            failed += 1
            report_error(each.problem)
        for line in _lines(each, dry_run=dry_run):
            click.echo(safe(line))
    return ExitCode.PARTIAL if failed else ExitCode.DONE


def _lines(unlinked: UnlinkedDeal, *, dry_run: bool) -> Iterator[str]:
    deal, leaving = unlinked.deal, unlinked.leaving
    if unlinked.problem:
        return
    if leaving is None:
        would = "would no longer be followed" if dry_run else "no longer followed"
        yield f"{deal}: {would}; its project stays as it is."
        return
    if leaving.root is None:
        yield f"{deal}: its project no longer exists."
        return
    would = "would be unlinked, without" if dry_run else "unlinked, without"
    yield f"{deal}: project {leaving.root.id} {would} its marker"
    for action in leaving.actions:
        record = "" if action.key.is_root else f"{action.key.kind} {action.key.name}: "
        for change in action.changes:
            yield f"    {record}{_change(change)}"


def _change(change: Change) -> str:
    before, after = change.observed, change.desired
    if isinstance(before, frozenset) and isinstance(after, frozenset):
        return f"{change.field}: without {shown(before - after)}"
    return f"{change.field}: {shown(before)} -> {shown(after)}"
