"""``adopt --renumbered``: every deal whose key changed takes its project along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.sync.deciding import adopt_renumbered
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.records.similar_keys import Match


def print_renumbered(context: CommandContext, *, dry_run: bool) -> ExitCode:
    """Has deals whose key changed take their projects along, and prints what became of each."""
    done = adopt_renumbered(context, dry_run=dry_run)
    for _unused, problem in done.failures:
        report_error(problem)
    for match in done.taken:
        click.echo(
            safe(_("{new}: has the project of {former}", new=match.new, former=match.former[0]))
        )
    for line in _lines(done.matches, dry_run=dry_run):
        click.echo(safe(line))
    return ExitCode.DONE if done.is_whole else ExitCode.PARTIAL


def _lines(matches: Sequence[Match], *, dry_run: bool) -> list[str]:
    if not matches:
        return [_("No deal is held back because its key changed.")]
    unsure = [
        _(
            "{new}: may be any of {former}; choose: 'pipeline-sync adopt {new} --from OLD'",
            new=match.new,
            former=", ".join(match.former),
        )
        for match in matches
        if not match.is_certain
    ]
    if not dry_run:
        return unsure
    would = [
        _("{new}: would take the project of {former}", new=m.new, former=m.former[0])
        for m in matches
        if m.is_certain
    ]
    return would + unsure
