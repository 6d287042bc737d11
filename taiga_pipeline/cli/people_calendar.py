"""Time off from and to iCalendar files (``.ics``), for ``people off import`` and ``export``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from sync.errors import Unreachable
from taiga_pipeline.cli.context import Context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.extras import need_extra
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.cli.store_access import people_store
from taiga_pipeline.files import writing
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.errors import InvalidValue, RequestError
from taiga_pipeline.report.terminal import safe

_SUFFIXES: Final = (".ics", ".ical", ".icalendar")
_BACK: Final = timedelta(weeks=52)
_AHEAD: Final = timedelta(weeks=104)
_LARGEST: Final = 50_000_000
_SHOWN: Final = 50


def is_calendar(file: Path | None) -> bool:
    """Tells an iCalendar file by its name."""
    return file is not None and file.suffix.lower() in _SUFFIXES


def import_calendar(context: Context, file: Path, person: str, as_json: bool) -> int:
    """Imports time off of the past year and the next two from an iCalendar file.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: it is no iCalendar file, or ``person`` is not on the roster.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.icalendar import read_time_off

    today = context.today
    with people_store(context) as store:
        email = store.get(person).email if person else ""
        known = {each.email for each in store.people()}
        reading = read_time_off(
            _content(file), first=today - _BACK, last=today + _AHEAD, known=known, email=email
        )
        outcomes = store.add_each_time_off(reading.time_off)
    refused = [str(outcome) for outcome in outcomes if isinstance(outcome, RequestError)]
    left_out = [*reading.left_out, *refused]
    counts = {outcome.value: outcomes.count(outcome) for outcome in Outcome}
    if as_json:
        print_json({**counts, "left_out": left_out})
    else:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        click.echo(f"{told}, {len(left_out):,} left out")
        for reason in left_out[:_SHOWN]:
            click.echo(f"{file}: left out: {safe(reason)}", err=True)
        if len(left_out) > _SHOWN:
            click.echo(f"and {len(left_out) - _SHOWN:,} more; --json lists all", err=True)
    return ExitCode.PARTIAL if left_out else ExitCode.DONE


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST:
            raise InvalidValue(f"{file} is larger than {_LARGEST // 1_000_000} MB")
        return file.read_bytes()
    except OSError as error:
        raise Unreachable(f"{file} cannot be read: {error.strerror}") from error


def export_calendar(context: Context, file: Path) -> None:
    """Writes everybody's time off to an iCalendar file, whole or not at all.

    :raises Unreachable: the store cannot be used.
    """
    need_extra("iCalendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.people.icalendar import write_time_off

    with people_store(context) as store:
        content = write_time_off(store.time_off(), now=context.clock.now())
    with writing(file) as stream:
        stream.write(content)
