"""Which whole days an event of a calendar takes. Pure.

Time off is counted in days, so the hours of an event have to become days. A day counts as off if an
event covers it from `NOON_BEGINS` to `NOON_ENDS` and at least `ENOUGH` of the time from
`DAY_BEGINS` to `DAY_ENDS`: Monday 08:00 to Friday 17:00 are five days, a morning is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue

DAY: Final = timedelta(days=1)
HALF_DAY: Final = timedelta(hours=12)
MAX_DAYS: Final = 3660

DAY_BEGINS: Final = time(7)
DAY_ENDS: Final = time(19)
NOON_BEGINS: Final = time(11)
NOON_ENDS: Final = time(14)
ENOUGH: Final = timedelta(hours=6, minutes=30)
RULE: Final = (
    "a day counts as off if an event covers 11:00 to 14:00 and at least six and a half hours "
    "between 07:00 and 19:00"
)

_OFFICE_BEGINS: Final = time(8)
_OFFICE_ENDS: Final = time(17)
_SATURDAY: Final = 5
_LAST_MINUTE: Final = timedelta(hours=23, minutes=59)
_OFFSETS: Final = timedelta(hours=1)
"""A day on which the clocks change is longer or shorter by so much."""


@dataclass(frozen=True, slots=True)
class DaysTaken:
    """The whole days from ``first`` to ``last``, None if there are none; and the working days that
    are taken in ``part``."""

    first: date | None
    last: date | None
    part: tuple[date, ...] = ()


def days_taken(start: date, end: date, zone: tzinfo, *, is_all_day: bool = False) -> DaysTaken:
    """Returns the days of an event; ``end`` is the moment after it, or the day after it.

    Days as such, and midnights of the event's own time zone, are those days. Other moments are
    seen in ``zone``. With ``is_all_day`` the event is marked as one of whole days, whatever its
    hours.

    :raises InvalidValue: it ends before it begins, has no length, or is too long.
    """
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        return _whole(start, max(end - DAY, start)) if start <= end else _backwards()
    begin, finish = _moment(start), _moment(end)
    if is_all_day or _is_midnight(begin):
        finish = _up_to_midnight(finish)
    if not (_is_midnight(begin) and _is_midnight(finish)) or begin.date() >= finish.date():
        begin, finish = _in_zone(begin, zone), _in_zone(finish, zone)
    if finish < begin:
        _backwards()
    if is_all_day:
        return _marked(begin, finish)
    if begin == finish:
        raise InvalidValue("has no length")
    if _is_midnight(begin) and _is_midnight(finish):
        return _whole(begin.date(), finish.date() - DAY)
    return _by_coverage(begin, finish)


def _backwards() -> DaysTaken:
    raise InvalidValue("ends before it begins")


def _whole(first: date, last: date) -> DaysTaken:
    if (last - first).days >= MAX_DAYS:
        raise InvalidValue(f"takes {(last - first).days + 1:,} days, which is not time off")
    return DaysTaken(first, last)


def _moment(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def _is_midnight(moment: datetime) -> bool:
    return moment.time() == time()


def _up_to_midnight(moment: datetime) -> datetime:
    """Takes 23:59, with or without seconds, for the midnight after it."""
    since_midnight = moment - datetime.combine(moment.date(), time(), moment.tzinfo)
    return moment - since_midnight + DAY if since_midnight >= _LAST_MINUTE else moment


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Returns what a clock on the wall shows there, without a zone; as it is if it has none."""
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def _marked(begin: datetime, finish: datetime) -> DaysTaken:
    """Returns the days of an event that is marked as one of whole days, whose midnights are those
    of some other time zone."""
    if finish - begin < DAY - _OFFSETS:
        return _whole(begin.date(), begin.date())
    first = (begin + HALF_DAY).date()
    return _whole(first, first + DAY * max(round((finish - begin) / DAY) - 1, 0))


def _by_coverage(begin: datetime, finish: datetime) -> DaysTaken:
    begin, finish = begin.replace(tzinfo=None), finish.replace(tzinfo=None)
    length = (finish.date() - begin.date()).days + 1
    if length > MAX_DAYS:
        raise InvalidValue(f"takes {length:,} days, which is not time off")
    days = [begin.date() + DAY * number for number in range(length)]
    whole = [day for day in days if _is_covered(day, begin, finish)]
    part = tuple(day for day in days if day not in whole and _is_touched(day, begin, finish))
    return DaysTaken(whole[0] if whole else None, whole[-1] if whole else None, part)


def _is_covered(day: date, begin: datetime, finish: datetime) -> bool:
    noon = datetime.combine(day, NOON_BEGINS), datetime.combine(day, NOON_ENDS)
    if not begin <= noon[0] < noon[1] <= finish:
        return False
    return _shared(day, DAY_BEGINS, DAY_ENDS, begin, finish) >= ENOUGH


def _is_touched(day: date, begin: datetime, finish: datetime) -> bool:
    """Whether some working time of a day is taken."""
    if day.weekday() >= _SATURDAY:
        return False
    return _shared(day, _OFFICE_BEGINS, _OFFICE_ENDS, begin, finish) > timedelta()


def _shared(day: date, since: time, until: time, begin: datetime, finish: datetime) -> timedelta:
    first = max(datetime.combine(day, since), begin)
    return min(datetime.combine(day, until), finish) - first
