"""Moments as text, and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from taiga_pipeline.pipeline.errors import InvalidValue


def moment_in_utc(moment: datetime, zone: tzinfo = UTC) -> datetime:
    """Returns the moment in UTC; one without a time zone is taken to be in ``zone``.

    :raises OverflowError: it is too near the first or the last day that there is.
    """
    aware = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    return aware.astimezone(UTC)


def format_time(moment: datetime) -> str:
    """Writes a moment in ISO 8601, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Reads a moment as `format_time` writes it, and returns it in UTC.

    :raises InvalidValue: it is not written so.
    """
    try:
        return moment_in_utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise InvalidValue(f"{text.strip()[:40]!r} is not a time in ISO 8601") from None
