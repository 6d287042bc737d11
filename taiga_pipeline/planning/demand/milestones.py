"""Demand that moves with the milestones that project managers have moved.

The plan of a deal's project and what became of it are two time lines. Milestones that stand on
both tie them together; between two ties time runs evenly, before the first and after the last it
is merely shifted. Each planned week's hours are spread evenly over the time that it became, so
that moving or stretching a project neither adds nor loses hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby, pairwise
from math import floor

from taiga_pipeline.mapping.rules import Rules
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.mapping.values import Values

Milestones = Sequence[tuple[str, date | None, date | None]]
"""Name, first day and last day, as in `DeliveryFacts`."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many hours a week of a role, for some weeks, counted from the project's first week.

    ``email`` is who is reserved for them, "" for no one.
    """

    role: str
    hours: float
    first: int
    weeks: int
    email: str = ""

    @property
    def after(self) -> int:
        """The week after the last."""
        return self.first + self.weeks


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Ties between planned and actual days, both counted from the planned start.

    ``planned`` rises, ``actual`` never falls; they are equally long, and not empty.
    """

    planned: tuple[float, ...]
    actual: tuple[float, ...]

    def actual_day(self, planned: float) -> float:
        """Returns what became of a planned day."""
        after = bisect_right(self.planned, planned)
        if after in (0, len(self.planned)):
            tie = 0 if after == 0 else -1
            return planned + self.actual[tie] - self.planned[tie]
        low, high = self.planned[after - 1], self.planned[after]
        part = (planned - low) / (high - low)
        return self.actual[after - 1] + part * (self.actual[after] - self.actual[after - 1])


def time_line(rules: Rules, values: Values, start: date, milestones: Milestones) -> TimeLine | None:
    """Returns how a project's time runs, None if no milestone was moved.

    ``start`` is the planned first day. Milestones are known by their names under the mapping.
    """
    planned = {
        normalise(rule.name.render(values) or rule.id): (rule.start, rule.finish + 1)
        for rule in rules.milestones
    }
    ties: dict[float, float] = {}
    for name, first, last in milestones:
        plan = planned.get(normalise(name))
        if plan is None:
            continue
        for days, day, end in ((plan[0], first, 0), (plan[1], last, 1)):
            if day is not None:
                actual = (day - start).days + end
                ties[days] = max(actual, ties.get(days, actual))
    if all(before == after for before, after in ties.items()):
        return None
    return _rising(ties)


def _rising(ties: Mapping[float, float]) -> TimeLine:
    planned = sorted(ties)
    actual: list[float] = []
    for day in planned:
        actual.append(max(ties[day], actual[-1] if actual else ties[day]))
    return TimeLine(tuple(planned), tuple(actual))


def moved(stretches: Iterable[Stretch], line: TimeLine) -> tuple[Stretch, ...]:
    """Returns demand as it falls on the actual time line, by weeks from the actual start."""
    begin = line.actual_day(0)
    since = TimeLine(line.planned, tuple([day - begin for day in line.actual]))
    return _moved(tuple(stretches), since)


@lru_cache(maxsize=4096)  # projects that are late in the same way, and ask for the same
def _moved(stretches: tuple[Stretch, ...], line: TimeLine) -> tuple[Stretch, ...]:
    hours: dict[str, dict[int, float]] = {}
    for stretch in stretches:
        weeks = hours.setdefault(stretch.role, {})
        planned = range(stretch.first, stretch.after + 1)
        for first, after in pairwise([line.actual_day(7 * week) for week in planned]):
            for week, part in _parts(first, after):
                weeks[week] = weeks.get(week, 0.0) + part * stretch.hours
    return tuple(each for role in hours for each in in_stretches(role, hours[role]))


def _parts(begin: float, end: float) -> Iterator[tuple[int, float]]:
    """Yields the weeks from day ``begin`` to ``end`` with the part of that time in each."""
    if end <= begin:
        yield floor(begin / 7), 1.0
        return
    for week in range(floor(begin / 7), floor(end / 7) + 1):
        days = min(end, 7 * week + 7) - max(begin, 7 * week)
        if days > 0:
            yield week, days / (end - begin)


def in_stretches(role: str, hours: Mapping[int, float], email: str = "") -> Iterator[Stretch]:
    """Yields hours by week, weeks of equal hours together."""
    weeks = [(week, round(hours[week], 6)) for week in sorted(hours)]
    for (_, each), run in groupby(
        enumerate(weeks), lambda item: (item[1][0] - item[0], item[1][1])
    ):
        first = [week for _, (week, _) in run]
        if each:
            yield Stretch(role, each, first[0], len(first), email)
