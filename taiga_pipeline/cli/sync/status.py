"""``status`` and ``conflicts``: how the sync stands, and what waits for a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from sync.clock import SKEW
from sync.state.health import Health
from taiga_pipeline.app.expiry import expiring_as_noted
from taiga_pipeline.app.notify.telling import undelivered_messages
from taiga_pipeline.app.sync import looking
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.errors import report_notice
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, print_pairs
from taiga_pipeline.cli.paint import painter
from taiga_pipeline.language import counted, marked, plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.plan_json import issue_json
from taiga_pipeline.report.plan_text import issue_lines
from taiga_pipeline.report.terminal import safe
from taiga_pipeline.report.ways_out import commands, kept_words

if TYPE_CHECKING:
    from sync.state.store import OpenIssue, RunRow

AHEAD: Final = marked(
    "The last success is dated in the future, so its age is unknown. A clock is wrong: this "
    "machine's, or the clock of that run. The next successful run corrects it."
)
NO_RUN: Final = marked(
    "There was no run yet. 'pipeline-sync plan' shows what a first one would do."
)


class Age(click.ParamType[timedelta]):
    """An age such as ``90m``, ``1h`` or ``2d``."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Returns the age; fails on anything else."""
        match = re.fullmatch(r"([0-9]{1,6})([smhd])", str(value).strip())
        if match is None:
            self.fail(_("{value!r} is not an age; write 90m, 1h or 2d", value=value), param, ctx)
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@click.command()
@click.option(
    "--max-age", type=Age(), metavar="AGE", help="Exit with 7 if the last success is older (1h)."
)
@click.option("--all", "every", is_flag=True, help="All pipelines that workers run.")
@click.option(
    "--fleet",
    "fleet_path",
    metavar="FILE",
    help="Which these are (default: workers.toml here, or $PIPELINE_SYNC_FLEET).",
)
@json_option
@pass_context
def status(
    context: CommandContext,
    max_age: timedelta | None,
    every: bool,
    fleet_path: str | None,
    as_json: bool,
) -> ExitCode:
    """Show how the last run went and what is open; also for monitoring.

    Exits with 0 when all is well, with 3 while something waits for a person, and with 7 if the last
    success is older than --max-age (or there was none). A success is a run that finished, even if
    it left something open. With --all, one pipeline is enough for each code.
    """
    if every:
        from taiga_pipeline.cli.fleet.status import fleet_status

        return fleet_status(context, fleet_path, max_age, as_json=as_json)
    if fleet_path is not None:
        raise click.UsageError(_("--fleet goes with --all."))
    health = looking.sync_health(context)
    missed = undelivered_messages(context)
    ending = expiring_as_noted(context)
    if as_json:
        secrets = {each.section: each.day for each in ending}
        print_json({**_health_json(health), "undelivered": missed, "expiring": secrets})
    elif health.last_run is None:
        click.echo(_(NO_RUN))
    else:
        _show_health(health, health.last_run)
    for line in () if as_json else missed:
        click.echo(_("message to {line}", line=line))
    for each in () if as_json else ending:
        click.echo(str(each))
    if health.is_ahead:
        report_notice(_(AHEAD))
    if max_age is not None and not health.is_fresh(max_age):
        return ExitCode.STALE
    return ExitCode.PARTIAL if health.waiting else ExitCode.DONE


def _health_json(health: Health) -> dict[str, object]:
    success = health.last_success
    return {
        "pipeline": health.pipeline,
        "last_run": _run_json(health.last_run) if health.last_run else None,
        "last_success": success.finished_at if success else None,
        "last_success_is_ahead": health.is_ahead,
        "age_seconds": None if health.age is None else round(health.age.total_seconds()),
        "projects": dict(sorted(health.states.items())),
        "open": sum(health.issues.values()),
        "issues": dict(sorted(health.issues.items())),
        "waiting": health.waiting,
        "taken_away": dict(sorted(health.taken_away.items())),
        "open_intents": health.open_intents,
    }


def _run_json(run: RunRow) -> dict[str, object]:
    return {
        "id": run.id,
        "started": run.started_at,
        "finished": run.finished_at,
        "outcome": run.outcome,
        "full": run.is_full,
        "summary": kept_words(run.summary),
    }


def _show_health(health: Health, run: RunRow) -> None:
    counts = ", ".join(f"{n} {_(state or 'unknown')}" for state, n in sorted(health.states.items()))
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(health.issues.items()))
    error = kept_words(run.summary).get("error")
    why = f" ({safe(str(error))})" if error else ""
    print_pairs(
        {
            _("pipeline"): health.pipeline,
            _("last run"): f"{run.id}: {_(run.outcome)}, {ago(health.now - run.started_at)}{why}",
            _("last success"): _last_success(health),
            _("projects"): counts or _("none"),
            _("open"): _("{kinds} (pipeline-sync conflicts)", kinds=kinds)
            if kinds
            else _("nothing"),
            **_kept_away(health.taken_away),
            **_unread(run),
            **_cut_off(health.open_intents),
        }
    )


def _kept_away(taken: Mapping[str, int]) -> dict[str, str]:
    if not taken:
        return {}
    counts = ", ".join(counted(n, kind) for kind, n in sorted(taken.items()))
    return {
        _("kept away"): _("{counts}, taken away by people (pipeline-sync history)", counts=counts)
    }


def _unread(run: RunRow) -> dict[str, str]:
    why = str(run.summary.get("unread") or "")
    return (
        {_("not read back"): _("what the last run wrote ({why})", why=safe(translated(why)))}
        if why
        else {}
    )


def _last_success(health: Health) -> str:
    if health.is_ahead:
        return _(
            "in the future ({last_success})",
            last_success=health.last_success and health.last_success.finished_at,
        )
    return _("never") if health.age is None else ago(health.age)


def _cut_off(open_intents: int) -> dict[str, str]:
    if not open_intents:
        return {}
    return {
        _("cut off"): _(
            "{open_intents} writes; the next run finds out what became of them",
            open_intents=open_intents,
        )
    }


def ago(age: timedelta) -> str:
    """Returns an age as people say it."""
    if age < -SKEW:
        return _("in the future (a clock was wrong)")
    seconds = max(0, int(age.total_seconds()))
    if seconds >= 86_400:
        return plural("{number} day ago", "{number} days ago", seconds // 86_400)
    if seconds >= 3_600:
        return plural("{number} hour ago", "{number} hours ago", seconds // 3_600)
    if seconds >= 60:
        return plural("{number} minute ago", "{number} minutes ago", seconds // 60)
    return _("just now")


@click.command()
@json_option
@pass_context
def conflicts(context: CommandContext, as_json: bool) -> None:
    """List everything that waits for a person, with the commands that settle it."""
    found = looking.waiting(context)
    if as_json:
        print_json([_issue_json(item) for item in found.issues])
    elif not found.issues:
        click.echo(_("Nothing waits for you."))
    else:
        _show_issues(found)


def _issue_json(item: OpenIssue) -> dict[str, object]:
    return {
        **issue_json(item.issue),
        "since": item.since,
        "commands": list(commands(item.issue.ways_out)),
    }


def _show_issues(found: looking.Waiting) -> None:
    for item in found.issues:
        first, *rest = issue_lines([item.issue], found.tool, painter())
        click.echo(f"{first} ({ago(found.now - item.since)})")
        for line in rest:
            click.echo(line)
