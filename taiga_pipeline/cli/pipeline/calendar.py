"""``calendar``: days of the pipeline, for calendars."""

from __future__ import annotations

from pathlib import Path

import click

from taiga_pipeline.app.deals.calendar_feed import calendar_feed
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.file_arguments import STDOUT, WrittenFile
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.files import is_stdout, writing
from taiga_pipeline.language import text as _


@click.group("calendar", cls=TranslatedGroup)
def calendar() -> None:
    """Expected decisions, starts and next steps as a calendar."""


@calendar.command("export")
@click.argument("file", type=WrittenFile(), required=False)
@pass_context
def export_calendar(context: CommandContext, file: Path | None) -> None:
    """Write the calendar (iCalendar, .ics) to FILE or stdout.

    A run keeps it current where [calendar] file says so; calendars subscribe to that file.
    """
    content = calendar_feed(context)
    if file is None or is_stdout(file):
        with writing(STDOUT) as stream:
            stream.write(content)
        return
    with writing(file, context.settings.calendar.mode) as stream:
        stream.write(content)
    events = content.count(b"BEGIN:VEVENT")
    click.echo(_("{events:,} events written to {file}", events=events, file=file), err=True)
