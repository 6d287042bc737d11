"""Won deals behind a gap: what each adds to the hours that are missing.

As of open deals (`drivers`), it is the expected gap less the expected gap without that deal, in the
same trials. What a won deal asks for is sure, so that it adds those hours, or what is missing if
that is less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from taiga_pipeline.planning.capacity.drivers import PER_ROLE, SHOWN, TOLERANCE
from taiga_pipeline.planning.capacity.rows import Floats, Single

MOST_TRIALS: Final = 2_000
"""Trials that are looked at, about."""

Sure = Mapping[str, Floats]
"""Hours of won deals in one role, by deal and week."""


@dataclass(frozen=True, slots=True)
class AddedByWon:
    """What a won deal adds to a gap, and what it asks for there (both hours)."""

    deal_key: str
    hours: float
    asked: float


class WonDrivers:
    """What won deals add to the gaps of one role.

    ``hours`` are those that all deals ask for (week x trial), ``capacity`` is by week.
    """

    def __init__(self, sure: Sure, hours: Single, capacity: Floats) -> None:
        self._sure, self._hours, self._capacity = sure, hours, capacity
        self._every = max(1, hours.shape[1] // MOST_TRIALS)
        self._known: dict[int, Single] = {}

    def of_week(self, week: int) -> tuple[AddedByWon, ...]:
        """Returns the deals that add most to the gap of one week, the largest first.

        Those that ask for most add most, so that no others need be looked at.
        """
        asked = {key: float(hours[week]) for key, hours in self._sure.items()}
        asking = [key for key in asked if asked[key] > TOLERANCE]
        largest = sorted(asking, key=lambda key: (-asked[key], key))[:SHOWN]
        added = dict(zip(largest, self._added(week, [asked[key] for key in largest]), strict=True))
        return _largest(added, asked)

    def of_all(self, weeks: Iterable[int]) -> tuple[AddedByWon, ...]:
        """Returns the deals that add most to the gaps of some weeks together."""
        if not self._sure:
            return ()
        every = list(weeks)
        short = [week for week in every if len(self._missing(week))]
        asked = {key: float(hours[every].sum()) for key, hours in self._sure.items()}
        most = {key: float(hours[short].sum()) for key, hours in self._sure.items()}
        leading = sorted(most, key=lambda key: (-most[key], key))[:PER_ROLE]
        added = np.zeros(len(leading))
        for week in short:
            added += self._added(week, [float(self._sure[key][week]) for key in leading])
        return _largest(dict(zip(leading, added.tolist(), strict=True)), asked)

    def _missing(self, week: int) -> Single:
        """Returns the hours that are missing in the trials that are short, of those looked at.

        Trials come by rising factor: every so many of them are of good and of bad times alike.
        """
        if week not in self._known:
            some = self._hours[week, :: self._every]
            over = some - np.float32(self._capacity[week])
            self._known[week] = over[over > TOLERANCE]
        return self._known[week]

    def _added(self, week: int, asked: Sequence[float]) -> Floats:
        missing = self._missing(week)
        less = np.minimum(missing, np.array(asked, dtype=np.float32)[:, None])
        looked_at = -(-self._hours.shape[1] // self._every)
        found: Floats = less.sum(axis=1, dtype=np.float64) / looked_at
        return found


def _largest(added: Mapping[str, float], asked: Mapping[str, float]) -> tuple[AddedByWon, ...]:
    found = (AddedByWon(key, float(hours), asked[key]) for key, hours in added.items())
    some = [each for each in found if each.hours > TOLERANCE]
    return tuple(sorted(some, key=lambda each: (-each.hours, each.deal_key))[:SHOWN])


def by_role(
    booked: Iterable[tuple[int, int, str, float]], roles: int, weeks: int
) -> list[dict[str, Floats]]:
    """Returns what won deals ask for, by role, deal and week, of (role, week, deal, hours)."""
    found: list[dict[str, Floats]] = [{} for _ in range(roles)]
    for role, week, key, hours in booked:
        of_role = found[role]
        if key not in of_role:
            of_role[key] = np.zeros(weeks)
        of_role[key][week] += hours
    return found
