"""The part of the report about who does what, and when: people by weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from taiga_pipeline.language import figure
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.weeks import week_name
from taiga_pipeline.report.page.model import Bar, Timeline, Track

if TYPE_CHECKING:
    from taiga_pipeline.app.planning.inputs import PlanInput
    from taiga_pipeline.people.model import Person
    from taiga_pipeline.planning.demand.deals import Booked, Demand
    from taiga_pipeline.planning.weeks import Weeks

MOST_PEOPLE: Final = 150
MOST_LANES: Final = 8
"""So many deals of one person are shown beside each other; the others are only counted."""
_SHOWN: Final = 0.05

_Hours = dict[str, dict[int, float]]


def timeline(
    given: PlanInput, demand: Demand, people: Sequence[Person], weeks: Weeks
) -> Timeline | None:
    """Returns what people are booked and reserved for; None if no one is.

    ``people`` are those shown, in their order; who has nothing to do is left out.
    """
    sure, maybe = _by_person(demand.booked, weeks), _by_person(demand.reserved, weeks)
    names = given.names()
    chances = {key: each.probability for key, each in given.outlooks.by_deal.items()}
    week_names = [week_name(week) for week in weeks]
    busy = [person for person in people if sure.get(person.email) or maybe.get(person.email)]
    tracks = []
    for person in busy[:MOST_PEOPLE]:
        bars = [
            *_bars(sure.get(person.email, {}), names, week_names),
            *_bars(maybe.get(person.email, {}), names, week_names, chances),
        ]
        lanes, left_out = _in_lanes(bars)
        tracks.append(Track(person.name, person.role, lanes, left_out))
    if not tracks:
        return None
    return Timeline(week_names, tracks, max(len(busy) - MOST_PEOPLE, 0))


def _by_person(booked: Iterable[Booked], weeks: Weeks) -> Mapping[str, _Hours]:
    found: dict[str, _Hours] = defaultdict(lambda: defaultdict(dict))
    for each in booked:
        at = weeks.index(each.week)
        if each.email and 0 <= at < len(weeks) and each.hours > _SHOWN:
            hours = found[each.email][each.deal_key]
            hours[at] = hours.get(at, 0.0) + each.hours
    return found


def _bars(
    deals: _Hours,
    names: Mapping[str, str],
    weeks: Sequence[str],
    chances: Mapping[str, float] | None = None,
) -> Iterator[Bar]:
    """Yields a bar for each run of weeks of a deal; with ``chances`` they are tentative ones."""
    for key, hours in sorted(deals.items()):
        state = _("confirmed")
        if chances is not None:
            chance = chances.get(key)
            state = _("tentative")
            if chance is not None:
                state = _("tentative, {chance:.0f} %", chance=100 * chance)
        for first, last in _runs(sorted(hours)):
            yield Bar(
                deal=key,
                name=names.get(key) or key,
                first=first,
                weeks=last - first + 1,
                is_sure=chances is None,
                state=state,
                begins=weeks[first],
                ends=weeks[last],
                hours=_hours([hours[at] for at in range(first, last + 1)]),
            )


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yields first and last of places that follow each other."""
    first = last = places[0]
    for place in places[1:]:
        if place != last + 1:
            yield first, last
            first = place
        last = place
    yield first, last


def _hours(hours: Sequence[float]) -> str:
    low, high = figure(min(hours), ",.0f"), figure(max(hours), ",.0f")
    return low if low == high else _("{low} to {high}", low=low, high=high)


def _in_lanes(bars: Sequence[Bar]) -> tuple[list[list[Bar]], int]:
    """Returns bars side by side in as few lanes as hold them, and how many had no place."""
    lanes: list[list[Bar]] = []
    left_out = 0
    for bar in sorted(bars, key=lambda each: (each.first, not each.is_sure, each.deal)):
        free = next((lane for lane in lanes if lane[-1].first + lane[-1].weeks <= bar.first), None)
        if free is not None:
            free.append(bar)
        elif len(lanes) < MOST_LANES:
            lanes.append([bar])
        else:
            left_out += 1
    return lanes, left_out
