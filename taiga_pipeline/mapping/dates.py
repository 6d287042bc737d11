"""Dates of a project: offsets as written in a mapping file, and where a project starts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from taiga_pipeline.pipeline.model import Deal

OFFSET_PATTERN: Final = r"^[+-]?[0-9]{1,4}[dw]$"
OFFSET_HELP: Final = 'must be weeks or days such as "+2w", "-3d" or "0w"'


def parse_offset(text: str) -> int:
    """Returns the days in an offset such as ``+2w`` or ``-3d``.

    :raises ValueError: it is not an offset.
    """
    if not re.match(OFFSET_PATTERN, text):
        raise ValueError(OFFSET_HELP)
    return int(text[:-1]) * (7 if text[-1] == "w" else 1)


def shift(day: date | None, days: int) -> date | None:
    """Returns the date ``days`` later; None if there is no such date in the calendar."""
    if day is None:
        return None
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def closed_day(deal: Deal, today: date | None = None) -> date | None:
    """Returns the day on which a closed deal was decided, as far as it is known.

    Where it is not stated, that is at the latest when it came into its stage, or the expected close
    if that has passed by ``today``; None if nothing tells.
    """
    if deal.closed_on is not None:
        return deal.closed_on
    latest = [deal.stage_since.date()] if deal.stage_since is not None else []
    if today is not None and deal.expected_close is not None and deal.expected_close < today:
        latest.append(deal.expected_close)
    return min(latest, default=None)


def project_start(deal: Deal, *, won: bool, lead_time_weeks: int) -> date | None:
    """Returns the first day of a deal's project, None if nothing tells.

    That is the start that the deal states; else its expected close plus the lead time; else, for
    a deal that is won, the day it was won plus the lead time.
    """
    if deal.start is not None:
        return deal.start
    close = deal.expected_close
    if close is None and won:
        close = closed_day(deal)
    return shift(close, lead_time_weeks * 7)
