"""``status --all``: how all pipelines of a fleet are doing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from sync.clock import is_ahead
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.workspace import shortest
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import report_notice
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.fleet.worker import find_fleet
from taiga_pipeline.cli.output import print_json, print_table, shorten
from taiga_pipeline.language import marked, plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.workers.overview import Line
    from taiga_pipeline.workers.picture import Picture

_HEADINGS: Final = (
    marked("pipeline"),
    marked("last run"),
    marked("outcome"),
    marked("last success"),
    marked("open"),
    marked("now"),
    marked("worker"),
)
_TOLD: Final = 20
"""How many pipelines are named of which the times are wrong."""
_LONGEST_OUTCOME: Final = 100
"""The cells of an outcome, so that no line wraps because of a long error."""
_SILENT: Final = marked("No worker is alive: nothing runs until one is started.")


def fleet_status(
    context: CommandContext, fleet_path: str | None, max_age: timedelta | None, *, as_json: bool
) -> ExitCode:
    """Prints all pipelines; returns what a monitor should make of it."""
    need_extra("status --all", "workers", "procrastinate", "psycopg", "croniter")
    from taiga_pipeline.workers.picture import picture_of

    picture = picture_of(find_fleet(context, fleet_path), context.environment)
    if as_json:
        print_json(_json(picture))
    else:
        _show(picture)
    if max_age is not None and any(line.is_stale(picture.now, max_age) for line in picture.lines):
        return ExitCode.STALE
    waits = bool(picture.fleet.problems) or any(line.needs_person for line in picture.lines)
    return ExitCode.PARTIAL if waits else ExitCode.DONE


def _show(picture: Picture) -> None:
    rows = [_row(line, picture.now) for line in picture.lines]
    if rows:
        print_table([_(each) for each in _HEADINGS], rows, right=[4])
    for problem in picture.fleet.problems:
        report_notice(safe(_("left out: {problem}", problem=translated(str(problem)))))
    troubled = [line for line in picture.lines if line.trouble]
    for line in troubled[:_TOLD]:
        report_notice(safe(f"{line.name}: {line.trouble}"))
    if len(troubled) > _TOLD:
        report_notice(
            _("and {count} more such pipelines (--json has all)", count=len(troubled) - _TOLD)
        )
    for host, until in sorted(picture.held.items()):
        report_notice(
            safe(
                _(
                    "{host} does not answer; asked again in {span}",
                    host=host,
                    span=_span(until - picture.now),
                )
            )
        )
    click.echo(_summary(picture))
    if not picture.workers:
        report_notice(_(_SILENT))


def _summary(picture: Picture) -> str:
    outcomes = Counter(line.run.ending or _("not run yet") for line in picture.lines)
    parts = [f"{count} {name}" for name, count in outcomes.most_common()]
    alive = plural("{number} worker alive", "{number} workers alive", picture.workers)
    return _(
        "{count} pipelines: {parts}. {alive}.",
        count=len(picture.lines),
        parts=", ".join(parts) or _("none"),
        alive=alive,
    )


def _row(line: Line, now: datetime) -> tuple[str, ...]:
    run = line.run
    outcome = f"{run.ending}: {run.message}" if run.message else run.ending
    return (
        line.name,
        _ago(run.started_at, now) if run.started_at else "–",
        shorten(safe(" ".join(outcome.split())), _LONGEST_OUTCOME) or "–",
        _ago(run.succeeded_at, now) if run.succeeded_at else _("never"),
        str(run.waiting or "–"),
        _now(line, now),
        run.worker or "–",
    )


def _now(line: Line, now: datetime) -> str:
    from taiga_pipeline.workers.overview import Now

    if line.now is Now.RUNNING:
        return (
            _("running, {span}", span=_span(now - line.run.started_at))
            if line.run.started_at
            else _("running")
        )
    if line.now in (Now.QUEUED, Now.OFF) or line.next is None:
        return _(line.now.value)
    return _("in {span}", span=_span(line.next - now)) + (" (held)" if line.now is Now.HELD else "")


def _ago(moment: datetime, now: datetime) -> str:
    return (
        _("in the future") if is_ahead(moment, now) else _("{span} ago", span=_span(now - moment))
    )


def _span(span: timedelta) -> str:
    """Returns a length of time in short: ``42 s``, ``5 min``, ``3 h``, ``2 d``."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _json(picture: Picture) -> dict[str, object]:
    return {
        "now": picture.now,
        "workers": picture.workers,
        "pipelines": [_line_json(line, picture.now) for line in picture.lines],
        "left_out": [{"config": str(shortest(path))} for path in picture.fleet.broken],
        "problems": [str(problem) for problem in picture.fleet.problems],
        "held_hosts": dict(picture.held),
    }


def _line_json(line: Line, now: datetime) -> dict[str, object]:
    run, age = line.run, line.age(now)
    return {
        "pipeline": line.name,
        "host": line.host,
        "now": line.now.value,
        "next": line.next,
        "outcome": run.ending or None,
        "exit_code": run.code,
        "message": run.message,
        "started": run.started_at,
        "finished": run.finished_at,
        "last_success": run.succeeded_at,
        "age_seconds": None if age is None else round(age.total_seconds()),
        "trouble": line.trouble,
        "waiting": run.waiting,
        "failures": run.failures,
        "applied": run.applied,
        "requests": run.requests,
        "seconds": round(run.seconds, 3),
        "worker": run.worker,
    }
