"""``digest``: what waits for whom, shown here or sent to the channels of ``[notify]``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from sync.state.outbox import MessageStatus
from taiga_pipeline.app.deals.changes import changes_since, read_since
from taiga_pipeline.app.notify.digest import digest_of, last_digest, send_digest
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.pipeline.changes import changes_json, changes_text
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated, use
from taiga_pipeline.notify.digest import Digest, digest_lines, headline
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.changes import ChangesSince
    from taiga_pipeline.app.notify.telling import ChannelResult


@click.command()
@click.option(
    "--since",
    metavar="DAY",
    help="Tell what changed since then: monday, 7d, a date (default: the last digest's day).",
)
@click.option("--no-send", is_flag=True, help="Only show it.")
@json_option
@pass_context
def digest(context: CommandContext, since: str | None, no_send: bool, as_json: bool) -> ExitCode:
    """Tell what waits for whom: follow-ups, undecided deals that hold people, open issues, gaps.

    Is sent to the channels that [notify] names, once a day; meant for cron, daily or weekly. It is
    shown on a terminal, and where no channel is named.
    """
    with use(context.language_of_pages()):
        return _digest(context, since, no_send=no_send, as_json=as_json)


def _digest(
    context: CommandContext, since: str | None, *, no_send: bool, as_json: bool
) -> ExitCode:
    found = digest_of(context)
    day = read_since(since, context.today) if since else last_digest(context)
    changed = changes_since(context, day)
    sends = context.settings.notify.is_wanted and not no_send
    lines = _lines(found, changed)
    results = send_digest(context, headline(found), lines) if sends and lines else []
    if as_json:
        print_json({**digest_json(found), "changes": changes_json(changed), "sent": _sent(results)})
    elif not sends or sys.stdout.isatty():
        _show(found, lines)
    missed = any(each.delivery.status is not MessageStatus.SENT for each in results)
    return ExitCode.PARTIAL if missed else ExitCode.DONE


def _lines(found: Digest, changed: ChangesSince) -> list[str]:
    """Returns all sections; none if nothing waits and nothing changed."""
    lines = digest_lines(found)
    if changed.deals or changed.delivery:
        changes = [line.strip() for line in changes_text(changed)]
        lines += [*([""] if lines else []), *(line for line in changes if line)]
    return lines


def _show(found: Digest, lines: list[str]) -> None:
    for notice in found.notices:
        click.echo(_("note: {notice}", notice=safe(translated(notice))), err=True)
    click.echo(safe(headline(found)))
    for line in ["", *lines] if lines else []:
        click.echo(safe(line))


def digest_json(found: Digest) -> dict[str, Any]:
    """Returns a digest as JSON-compatible data."""
    data: dict[str, Any] = _plain(asdict(found))
    for deal, each in zip(found.holding, data["holding"], strict=True):
        each["hours"] = deal.hours
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _sent(results: list[ChannelResult]) -> list[dict[str, str]]:
    return [
        {"channel": each.channel, "status": each.delivery.status.value, "why": each.delivery.detail}
        for each in results
    ]
