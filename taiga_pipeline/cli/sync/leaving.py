"""``unlink --clean`` and ``unlink --all``: to leave without a trace that claims to be current."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from sync.plan.model import Change
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.sync.leaving import UnlinkedDeal

STOP_THE_SCHEDULE = marked(
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
        would = _("would no longer be followed") if dry_run else _("no longer followed")
        yield _("{deal}: {would}; its project stays as it is.", deal=deal, would=would)
        return
    if leaving.root is None:
        yield _("{deal}: its project no longer exists.", deal=deal)
        return
    would = _("would be unlinked, without") if dry_run else _("unlinked, without")
    yield _("{deal}: project {id} {would} its marker", deal=deal, id=leaving.root.id, would=would)
    for action in leaving.actions:
        record = "" if action.key.is_root else f"{action.key.kind} {action.key.name}: "
        for change in action.changes:
            yield f"    {record}{_change(change)}"


def _change(change: Change) -> str:
    before, after = change.observed, change.desired
    if isinstance(before, frozenset) and isinstance(after, frozenset):
        return _("{field}: without {shown}", field=change.field, shown=shown(before - after))
    return f"{change.field}: {shown(before)} -> {shown(after)}"
