"""Which day it is: a day in the pipeline's time zone, decided here and nowhere else."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from taiga_pipeline.problems import did_you_mean

FIRST_YEAR: Final = 1971
LAST_YEAR: Final = 2199
"""Programs write days before and after these where they know none (1900-01-01, 9999-12-31)."""

_LOCAL: Final = Path("/etc/localtime")


def zone_named(name: str) -> tzinfo:
    """Returns a time zone by its name in the IANA database ("Europe/Stockholm", "UTC").

    :raises ValueError: unknown time zone; names the nearest.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no file name, a folder, not there
        hint = did_you_mean(name, available_timezones())
        message = f"unknown time zone {name!r}{hint}; write Europe/Stockholm"
        raise ValueError(message) from None


def local_zone(variable: str | None = None) -> tzinfo:
    """Returns this machine's time zone: that of the variable ``TZ``, else of ``/etc/localtime``.

    UTC where neither says anything that is known. ``variable`` stands for ``TZ`` in tests.
    """
    name = (os.environ.get("TZ", "") if variable is None else variable).removeprefix(":")
    if name:
        try:
            return zone_named(name)
        except ValueError:
            return UTC
    with suppress(ValueError):
        return zone_named(str(_LOCAL.resolve()).partition("/zoneinfo/")[2])
    try:
        with _LOCAL.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return UTC


def known_day(day: date | None) -> date | None:
    """Returns a day, None for one that means "no date"; no pipeline reaches so far."""
    return day if day is not None and FIRST_YEAR <= day.year <= LAST_YEAR else None


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Returns the day on which an aware moment falls in a time zone."""
    return moment.astimezone(zone).date()
