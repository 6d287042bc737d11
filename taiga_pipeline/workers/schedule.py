"""When a pipeline is due.

Every pipeline has *slots*: moments at which it is to run. They follow from its schedule and its
name alone, so that all workers agree on them without asking each other, and pipelines with the
same schedule are spread over time instead of starting in the same second.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]

_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Every:
    """A slot each ``period``, at a place in it that the pipeline's name decides."""

    period: timedelta

    def latest(self, name: str, now: datetime) -> datetime:
        """Returns the last slot that is not after ``now`` (UTC)."""
        shift = share(name, self.period)
        whole = (now - _EPOCH - shift) // self.period
        return _EPOCH + shift + whole * self.period

    def next(self, name: str, now: datetime) -> datetime:
        """Returns the first slot after ``now`` (UTC)."""
        return self.latest(name, now) + self.period


@dataclass(frozen=True, slots=True)
class Cron:
    """A slot at each time of a cron expression, in a time zone, put off by up to ``spread``."""

    expression: str
    zone: ZoneInfo
    spread: timedelta

    def latest(self, name: str, now: datetime) -> datetime:
        """Returns the last slot that is not after ``now`` (UTC)."""
        shift = share(name, self.spread)
        # The library looks for times before the one that it is given.
        begin = (now - shift).replace(microsecond=0) + _MOMENT
        return self._utc(begin, forward=False) + shift

    def next(self, name: str, now: datetime) -> datetime:
        """Returns the first slot after ``now`` (UTC)."""
        shift = share(name, self.spread)
        return self._utc(now - shift, forward=True) + shift

    def _utc(self, begin: datetime, *, forward: bool) -> datetime:
        times = croniter(self.expression, begin.astimezone(self.zone))
        found: datetime = times.get_next(datetime) if forward else times.get_prev(datetime)
        return found.astimezone(UTC)


Schedule = Every | Cron


def share(name: str, span: timedelta) -> timedelta:
    """Returns a part of ``span`` in whole seconds: always the same one for the same name."""
    seconds = int(span.total_seconds())
    return timedelta(seconds=zlib.crc32(name.encode()) % seconds) if seconds > 0 else timedelta()


def parse_span(text: str) -> timedelta:
    """Returns a length of time such as ``90s``, ``15m``, ``2h`` or ``1d``.

    :raises ValueError: it is none.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a length of time; write 90s, 15m, 2h or 1d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_cron(expression: str) -> str:
    """Returns a cron expression of the usual five fields, checked.

    :raises ValueError: it is none, or it never comes true.
    """
    if len(expression.split()) != 5:
        raise ValueError(f"{expression!r} does not have the five fields of cron ('0 6 * * 1-5')")
    try:
        croniter(expression, _EPOCH).get_next(datetime)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error}") from error
    return expression
