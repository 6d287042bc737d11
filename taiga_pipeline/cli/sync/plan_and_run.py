"""``plan`` and ``run``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sync.plan.model import Action, ActionType, Plan
from taiga_pipeline.app.sync.running import (
    Performed,
    draw_plan,
    perform,
    saved_fingerprint,
)
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.errors import report_error
from taiga_pipeline.cli.exit_codes import ExitCode, code_for
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, to_json
from taiga_pipeline.cli.paint import painter
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.cli.progress import Progress
from taiga_pipeline.cli.signals import stopping_in_good_order
from taiga_pipeline.cli.sync.card_words import card_words
from taiga_pipeline.files import is_stdout
from taiga_pipeline.language import marked, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.report.plan_json import plan_json, run_json, why_ended
from taiga_pipeline.report.plan_text import (
    group_lines,
    issue_lines,
    note_line,
    plan_lines,
    taken_lines,
    unreported,
)
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.run.runner import RunReport

PAST: Final = {
    ActionType.CREATE: marked("created"),
    ActionType.ADOPT: marked("adopted"),
    ActionType.UPDATE: marked("updated"),
    ActionType.RETIRE: marked("retired"),
    ActionType.RESTORE: marked("restored"),
}

full_option = click.option(
    "--full", is_flag=True, help="Compare everything, even where nothing seems to have changed."
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
    drawn = draw_plan(context, full=full)
    if out is not None:
        save_plan(drawn.plan, out)
    if out is not None and is_stdout(out):
        pass  # that is what was printed
    elif as_json:
        print_json(plan_json(drawn.plan))
    else:
        for line in plan_lines(drawn.plan, drawn.tool, painter()):
            click.echo(line)
    return _plan_code(drawn.plan) if use_code else ExitCode.DONE


def _plan_code(drawn: Plan) -> ExitCode:
    if drawn.breaches:
        return ExitCode.REFUSED
    return ExitCode.PENDING if drawn.actions else ExitCode.DONE


def save_plan(drawn: Plan, path: Path) -> None:
    """Writes a plan to a file that only its owner may read: it holds customers' names."""
    write_result(path, to_json(plan_json(drawn)) + "\n")


@click.command()
@click.option(
    "--plan",
    "saved",
    metavar="FILE",
    type=ReadFile(exists=True, dir_okay=False),
    help="Apply this saved plan; refuse if the plan has changed since.",
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

    Prints what changed. Off a terminal, prints nothing when nothing changed, so that cron sends no
    mail.
    """
    expect = saved_fingerprint(saved, context.settings.pipeline) if saved else None
    stop = threading.Event()
    with stopping_in_good_order(stop), Progress("projects") as progress:
        done = perform(context, stop, progress, full=full, allow=allow, expect=expect)
    if as_json:
        print_json(results_json(done.results, list(map(card_words, done.changes))))
    else:
        for line in performed_lines(done, watched=sys.stdout.isatty()):
            click.echo(line)
    _say_why(done)
    return code_for(done.trouble)


def performed_lines(done: Performed, *, watched: bool) -> Iterator[str]:
    """Yields what was done."""
    first, *later = done.results
    yield from run_lines(first, done.tool, watched=watched)
    yield from map(safe, map(card_words, done.changes))
    for report in later:
        yield from run_lines(report, done.tool, watched=watched)


def results_json(results: Sequence[RunReport], cards: Sequence[str]) -> dict[str, object]:
    """Returns a run; those that followed because of the portfolio are in it as ``follow_up``."""
    first, *later = map(run_json, results)
    extra = {"moved_in_target": list(cards), "follow_up": later}
    return {**first, **extra} if cards or later else first


def run_lines(result: RunReport, tool: str, *, watched: bool) -> Iterator[str]:
    """Yields what a run did.

    Someone who watches sees all that is open; a log or a mail only what is new.
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
        yield safe(
            _(
                "! not read back; the next run reads what was written ({unread})",
                unread=result.unread,
            )
        )
    if result.adopted_by_marker:
        yield found_again(result.adopted_by_marker)
    for issue in result.ended_issues:
        yield safe(_("settled: {key} {field}", key=issue.key, field=issue.field).rstrip())
    yield from map(note_line, result.new_notes)
    has_news = by_group or issues or result.ended_issues or result.write_back.written or taken
    if watched or has_news:
        yield summary(result)


def found_again(count: int) -> str:
    """Says that the state store did not know of projects that were there already."""
    found = plural(
        "{number} project was found by its marker and adopted, none was made again",
        "{number} projects were found by their marker and adopted, none was made again",
        count,
    )
    why = _(
        "the state store did not know of them (it is new or restored, or another machine "
        "made them)."
    )
    return f"{found}: {why}"


def summary(result: RunReport) -> str:
    """Returns the run in one line."""
    roots = [action.type for action in result.applied if action.key.is_root]
    parts = [f"{roots.count(kind)} {_(word)}" for kind, word in PAST.items() if kind in roots]
    inside = len(result.applied) - len(roots)
    if inside:
        parts.append(_("{inside} changes inside projects", inside=inside))
    parts.append(_("{unchanged} unchanged", unchanged=result.plan.summary()["unchanged"]))
    if result.write_back.written:
        parts.append(_("{written} written back to the source", written=result.write_back.written))
    if result.issues:
        parts.append(_("{count} to look at (pipeline-sync conflicts)", count=len(result.issues)))
    seconds = (result.finished - result.started).total_seconds()
    requests = plural("{number} request", "{number} requests", result.requests)
    return _(
        "Run {run_id}: {parts}. {requests}, {seconds:.1f} s.",
        run_id=result.run_id,
        parts=", ".join(parts),
        requests=requests,
        seconds=seconds,
    )


def _say_why(done: Performed) -> None:
    """Says on stderr why runs ended early, and what could not be written back."""
    for result in done.results:
        for message in filter(None, (why_ended(result), *result.write_back.problems)):
            report_error(message)
