"""What an open deal waits for: its next step, and what is odd about its stage and its dates. Pure.

A deal that is decided waits for nothing. One that rests (on hold) waits for its next step alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from taiga_pipeline.pipeline.model import Deal

FEWEST: Final = 5
"""Won deals that have to tell how long a stage takes; below, the mapping says it."""


class FollowUp(StrEnum):
    """What there is to do about a deal, or odd about it."""

    OVERDUE = "overdue"
    TODAY = "today"
    THIS_WEEK = "this week"
    NO_STEP = "no next step"
    STALE = "stale"
    CLOSE_PASSED = "close date passed"
    START_BEFORE_CLOSE = "start before close"


@dataclass(frozen=True, slots=True)
class Usual:
    """How many days a deal that is won usually stays in a stage: four of five are out by then.

    ``deals`` is how many won deals tell that; 0 for what the mapping says.
    """

    days: int
    deals: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an open deal's place in the funnel.

    ``days`` is how long it has been in its stage, None if that is not known.
    """

    days: int | None
    usual: Usual | None
    rests: bool = False


def follow_ups(deal: Deal, standing: Standing, today: date) -> tuple[FollowUp, ...]:
    """Returns what an open deal waits for, in the order of `FollowUp`."""
    found = set(_of_step(deal, today, rests=standing.rests))
    if not standing.rests:
        found.update(_of_dates(deal, today))
        usual = standing.usual
        if usual and standing.days is not None and standing.days > usual.days:
            found.add(FollowUp.STALE)
    return tuple(each for each in FollowUp if each in found)


def _of_step(deal: Deal, today: date, *, rests: bool) -> Iterator[FollowUp]:
    day = deal.next_step_on
    if day is None:
        if not deal.next_step and not rests:
            yield FollowUp.NO_STEP
    elif day < today:
        yield FollowUp.OVERDUE
    elif day == today:
        yield FollowUp.TODAY
    elif day <= today + timedelta(days=6 - today.weekday()):
        yield FollowUp.THIS_WEEK


def _of_dates(deal: Deal, today: date) -> Iterator[FollowUp]:
    if deal.expected_close and deal.expected_close < today:
        yield FollowUp.CLOSE_PASSED
    if deal.start and deal.expected_close and deal.start < deal.expected_close:
        yield FollowUp.START_BEFORE_CLOSE


def usual_days(stays: Iterable[tuple[str, int]]) -> Mapping[str, Usual]:
    """Returns how long won deals usually stayed in stages that enough of them went through.

    ``stays`` are stages with the days that a won deal was in them.
    """
    by_stage: dict[str, list[int]] = defaultdict(list)
    for stage, days in stays:
        by_stage[stage].append(days)
    return {
        stage: Usual(_nearly_all(days), len(days))
        for stage, days in by_stage.items()
        if len(days) >= FEWEST
    }


def _nearly_all(days: list[int]) -> int:
    """Returns the days within which four of five were out again."""
    return sorted(days)[max(0, -(-len(days) * 4 // 5) - 1)]
