"""``adopt --renumbered``: every deal whose key changed takes its project along."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sync.errors import Rejected, Vanished
from sync.plan.pipeline_planner import PipelinePlanner
from sync.records.model import RecordKey
from sync.records.similar_keys import Match
from sync.run.server_identity import refuse_another
from sync.run.take_over import take_over
from sync.state.store import StateStore
from sync.target import Target
from taiga_pipeline.app.engine import make_source, make_target
from taiga_pipeline.app.state_access import locked_state
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.records import Kind
from taiga_pipeline.report.terminal import safe


def adopt_renumbered(context: CommandContext, *, dry_run: bool) -> ExitCode:
    """Gives each deal that a plan holds back the project of the one that it was before.

    Those of which it cannot be told which they were are listed, and left to be done one by one.
    """
    with locked_state(context) as store:
        target = make_target(context)
        target.connect()
        refuse_another(store, target)
        matches = PipelinePlanner(make_source(context), target, store).renumbered()
        certain = [match for match in matches if match.is_certain]
        failed = 0 if dry_run else _take_all(store, target, certain)
    for line in _lines(matches, dry_run=dry_run):
        click.echo(safe(line))
    return ExitCode.PARTIAL if failed or len(certain) < len(matches) else ExitCode.DONE


def _take_all(store: StateStore, target: Target, matches: Sequence[Match]) -> int:
    """Returns how many could not be done; each is reported, and the others are done."""
    failed = 0
    for match in matches:
        try:
            take_over(store, target, RecordKey(match.new, Kind.PROJECT), match.former[0])
        except (Rejected, Vanished) as error:
            failed += 1
            report_error(str(error))
        else:
            click.echo(safe(f"{match.new}: has the project of {match.former[0]}"))
    return failed


def _lines(matches: Sequence[Match], *, dry_run: bool) -> list[str]:
    if not matches:
        return ["No deal is held back because its key changed."]
    unsure = [
        f"{match.new}: may be any of {', '.join(match.former)}; "
        f"choose: 'pipeline-sync adopt {match.new} --from OLD'"
        for match in matches
        if not match.is_certain
    ]
    if not dry_run:
        return unsure
    would = [f"{m.new}: would take the project of {m.former[0]}" for m in matches if m.is_certain]
    return would + unsure
