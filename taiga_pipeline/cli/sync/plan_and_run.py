"""``plan`` and ``run``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from sync.plan.model import Action, ActionType, Plan
from sync.run.runner import Outcome, RunReport
from taiga_pipeline.app.engine import make_runner
from taiga_pipeline.app.monitoring import send_heartbeat, write_metrics
from taiga_pipeline.app.portfolio import run_for_portfolio
from taiga_pipeline.app.state_access import locked_state, state_to_read
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.errors import exit_code, report_error
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, to_json
from taiga_pipeline.cli.paint import painter
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.cli.progress import Progress
from taiga_pipeline.cli.signals import stopping_in_good_order
from taiga_pipeline.files import is_stdout
from taiga_pipeline.http.bounds import decode_json, read_file
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.plan_text import (
    group_lines,
    issue_lines,
    note_line,
    plan_lines,
    taken_lines,
    unreported,
)
from taiga_pipeline.report.terminal import safe
from taiga_pipeline.sources.port import Remembers

PAST: Final = {
    ActionType.CREATE: "created",
    ActionType.ADOPT: "adopted",
    ActionType.UPDATE: "updated",
    ActionType.RETIRE: "retired",
    ActionType.RESTORE: "restored",
}

full_option = click.option(
    "--full", is_flag=True, help="Compare everything, also where nothing seems to have moved."
)


@click.command()
@click.option(
    "--out",
    metavar="FILE",
    type=WrittenFile(dir_okay=False),
    help="Save the plan for 'run --plan FILE'.",
)
@click.option(
    "--exit-code", "use_code", is_flag=True, help="Exit with 10 if there is something to do."
)
@full_option
@json_option
@pass_context
def plan(
    context: CommandContext, out: Path | None, use_code: bool, full: bool, as_json: bool
) -> ExitCode:
    """Show what a run would change, field by field, and why.

    Writes nothing, neither in the target nor here.
    """
    with state_to_read(context) as store:
        runner = make_runner(context, store)
        drawn = runner.plan(look_at_all=full)
        tool = runner.target.name
    if out is not None:
        save_plan(drawn, out)
    if out is not None and is_stdout(out):
        pass  # that is what was printed
    elif as_json:
        print_json(drawn.to_json())
    else:
        for line in plan_lines(drawn, tool, painter()):
            click.echo(line)
    return _plan_code(drawn) if use_code else ExitCode.DONE


def _plan_code(drawn: Plan) -> ExitCode:
    if drawn.breaches:
        return ExitCode.REFUSED
    return ExitCode.PENDING if drawn.actions else ExitCode.DONE


def save_plan(drawn: Plan, path: Path) -> None:
    """Writes a plan to a file that only its owner may read: it holds customers' names."""
    write_result(path, to_json(drawn.to_json()) + "\n")


def saved_fingerprint(path: Path, pipeline: str) -> str:
    """Returns the fingerprint in a saved plan.

    :raises ProblemsError: no plan, or another pipeline's.
    """
    try:
        data = decode_json(read_file(path))
        fingerprint, owner = data["fingerprint"], data["pipeline"]
    except (OSError, ValueError, TypeError, KeyError):
        raise ProblemsError(
            [Problem("is no plan that 'pipeline-sync plan --out FILE' saved", str(path))]
        ) from None
    if owner != pipeline:
        raise ProblemsError(
            [Problem(f"is a plan for the pipeline {owner!r}, not for {pipeline!r}", str(path))]
        )
    return str(fingerprint)


@click.command()
@click.option(
    "--plan",
    "saved",
    metavar="FILE",
    type=ReadFile(exists=True, dir_okay=False),
    help="Apply this saved plan, and refuse if there is anything else to do by now.",
)
@full_option
@click.option(
    "--allow", metavar="LIMIT", multiple=True, help="Lift a limit this once; may be repeated."
)
@json_option
@pass_context
def run(
    context: CommandContext, saved: Path | None, full: bool, allow: tuple[str, ...], as_json: bool
) -> ExitCode:
    """Plan and apply.

    Prints what changed. Prints nothing when nothing changed and nobody watches, so that cron
    sends no mail.
    """
    expect = saved_fingerprint(saved, context.settings.pipeline) if saved else None
    progress, stop = Progress("projects"), threading.Event()
    with stopping_in_good_order(stop):
        done = perform(context, stop, progress, full=full, allow=allow, expect=expect)
    progress.clear()
    if as_json:
        print_json(results_json(done.results, done.moved))
    else:
        for line in done.lines(watched=sys.stdout.isatty()):
            click.echo(line)
    return worst(map(run_code, done.results))


@dataclass(frozen=True, slots=True)
class Performed:
    """A run, and those that followed because people moved cards in the portfolio (``moved``)."""

    results: tuple[RunReport, ...]
    moved: tuple[str, ...]
    tool: str

    def lines(self, *, watched: bool) -> Iterator[str]:
        """Yields what was done."""
        first, *later = self.results
        yield from run_lines(first, self.tool, watched=watched)
        yield from map(safe, self.moved)
        for report in later:
            yield from run_lines(report, self.tool, watched=watched)


def perform(
    context: CommandContext,
    stop: threading.Event,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    full: bool = False,
    allow: Sequence[str] = (),
    expect: str | None = None,
) -> Performed:
    """Runs the pipeline, and tells monitors of it; once ``stop`` is set, it ends in good order.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Stop: nothing could be done; says why.
    """
    with locked_state(context) as store:
        runner = make_runner(context, store, allow, stop)
        runner.progress = progress
        remembers = runner.source if isinstance(runner.source, Remembers) else None
        if remembers and full:
            remembers.read_anew()
        try:
            result = runner.run(look_at_all=full, expect=expect)
            if remembers:
                remembers.keep()
            follow_up = run_for_portfolio(context, runner, result)
        finally:
            write_metrics(context, store)
        tool = runner.target.name
    send_heartbeat(context, result)
    return Performed((result, *follow_up.reports), tuple(follow_up.moved), tool)


def results_json(results: Sequence[RunReport], moved: Sequence[str]) -> dict[str, object]:
    """Returns a run; those that followed because of the portfolio are in it as ``follow_up``."""
    first, *later = (result.to_json() for result in results)
    extra = {"moved_in_target": list(moved), "follow_up": later}
    return {**first, **extra} if moved or later else first


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Returns the first code that is not "done"."""
    return next((code for code in codes if code is not ExitCode.DONE), ExitCode.DONE)


def run_lines(result: RunReport, tool: str, *, watched: bool) -> Iterator[str]:
    """Yields what a run did.

    Somebody who watches sees all that is open; a log or a mail only what is new.
    """
    paint = painter()
    by_group: dict[str, list[Action]] = {}
    for action in result.applied:
        by_group.setdefault(action.key.group, []).append(action)
    for group in result.plan.groups:
        if group.key in by_group:
            done = replace(group, actions=tuple(by_group[group.key]))
            yield from group_lines(done, paint, brief=True)
    issues = result.issues if watched else result.new_issues
    yield from issue_lines(issues, tool, paint)
    taken = unreported(result.taken_away, result.issues)
    yield from taken_lines(taken, paint)
    if result.unread:
        yield safe(f"! not read back: what was written, the next run reads it ({result.unread})")
    if result.adopted_by_marker:
        yield found_again(result.adopted_by_marker)
    for issue in result.ended_issues:
        yield safe(f"settled: {issue.key} {issue.field}".rstrip())
    yield from map(note_line, result.new_notes)
    has_news = by_group or issues or result.ended_issues or result.write_back.written or taken
    if watched or has_news:
        yield summary(result)


def found_again(count: int) -> str:
    """Says that the state store did not know of projects that were there already."""
    found = "1 project was found by its" if count == 1 else f"{count} projects were found by their"
    return (
        f"{found} marker and adopted, none was made again: the state store did not know of them "
        "(it is new or restored, or another machine made them)."
    )


def summary(result: RunReport) -> str:
    """Returns the run in one line."""
    roots = [action.type for action in result.applied if action.key.is_root]
    parts = [f"{roots.count(kind)} {word}" for kind, word in PAST.items() if kind in roots]
    inside = len(result.applied) - len(roots)
    if inside:
        parts.append(f"{inside} changes inside projects")
    parts.append(f"{result.plan.summary()['unchanged']} unchanged")
    if result.write_back.written:
        parts.append(f"{result.write_back.written} written back to the source")
    if result.issues:
        parts.append(f"{len(result.issues)} to look at (pipeline-sync conflicts)")
    seconds = (result.finished - result.started).total_seconds()
    requests = f"{result.requests} request{'' if result.requests == 1 else 's'}"
    return f"Run {result.run_id}: {', '.join(parts)}. {requests}, {seconds:.1f} s."


def run_code(result: RunReport) -> ExitCode:
    """Returns the exit code for a run; says on stderr why it ended early."""
    why = result.refusal or str(result.stopped_by or "")
    for message in filter(None, (why, *result.write_back.problems)):
        report_error(message)
    return code_of(result)


def code_of(result: RunReport) -> ExitCode:
    """Returns the exit code for a run."""
    if result.outcome is Outcome.REFUSED:
        return ExitCode.REFUSED
    if result.stopped_by is not None:
        return exit_code(result.stopped_by) or ExitCode.PARTIAL
    return ExitCode.DONE if result.outcome is Outcome.DONE else ExitCode.PARTIAL
