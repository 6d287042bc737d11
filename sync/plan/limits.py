"""Limits: how much one run may change before it asks.

A typo in a rule, or a source that lost half of its rows, must not retire forty groups. A limit is a
count (``50``) or a share of the groups that are kept in step (``"20%"``); a share never holds back
fewer than `FLOOR` changes, so that small pipelines are not refused for one change. (For a source
that shrank it is not more than half: of five groups, three are not lost in a day.)

What is counted is reported in `sync.plan.counting`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sync.plan.limit_settings import DEFAULTS, FLOOR, Limit
from sync.records.model import counted
from sync.way_out import WayOut
from sync.ways_out import AllowOnce, FindCause, RaiseLimit


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of one kind a plan holds, and what it is about.

    ``groups`` is what a share is compared with, where that is not the count itself: of children,
    the groups that they are made in. ``detail`` says what the number is about, where that is not
    plain, and ``examples`` where it comes from. ``origin`` names what asks for it, as whoever made
    the desired records says it. ``unit`` is what groups are counted in: the kind of their roots.
    """

    count: int
    groups: int | None = None
    unit: str = ""
    detail: str = ""
    examples: str = ""
    origin: str = ""

    def compared(self, limit: Limit) -> int:
        """Returns the number that ``limit`` is about."""
        return self.groups if limit.is_share and self.groups is not None else self.count


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan exceeds. ``allowed`` and ``planned`` are numbers of the same thing."""

    name: str
    limit: Limit
    allowed: int
    amount: Amount
    bound: int

    @property
    def planned(self) -> int:
        """The number that is too high."""
        return self.amount.compared(self.limit)

    @property
    def message(self) -> str:
        """Says the numbers, the setting and what asks for it."""
        detail = f" ({self.amount.detail})" if self.amount.detail else ""
        examples = f": {self.amount.examples}" if self.amount.examples else ""
        origin = f"; requested by {self.amount.origin}" if self.amount.origin else ""
        is_of_groups = self.limit.is_share and self.amount.groups is not None
        planned = counted(self.planned, self.amount.unit) if is_of_groups else str(self.planned)
        return (
            f"limit '{self.name}': {planned} planned{detail}, {self._allowance} allowed"
            f"{examples}{origin}"
        )

    @property
    def ways_out(self) -> tuple[WayOut, ...]:
        """What can be done about it."""
        name = self.name
        return FindCause(name), AllowOnce(name), RaiseLimit(name, self.planned)

    @property
    def _allowance(self) -> str:
        """The number that is allowed, and where it comes from: the share, or what it allows at
        least."""
        if not self.limit.is_share:
            return str(self.allowed)
        share = self.limit.share_of(self.bound)
        if share >= self.allowed:
            return f"{self.allowed} ({self.limit} of {self.bound})"
        return f"{self.allowed} (the least of any share; {self.limit} of {self.bound} is {share})"


def check_limits(
    counts: Mapping[str, int | Amount],
    bound: int,
    limits: Mapping[str, Limit] = DEFAULTS,
    allow: Collection[str] = (),
    details: Mapping[str, str] | None = None,
) -> tuple[Breach, ...]:
    """Returns the limits that ``counts`` exceed.

    ``counts`` and ``limits`` go by the names in `DEFAULTS`; ``bound`` is the number of groups
    kept in step; ``allow`` names the limits that are lifted this once; ``details`` are added to
    what is reported about a plain count.
    """
    breaches = []
    for name, count in counts.items():
        detail = (details or {}).get(name, "")
        amount = count if isinstance(count, Amount) else Amount(count, detail=detail)
        limit = limits.get(name, DEFAULTS[name])
        allowed = limit.allowed(bound, _floor(name, bound))
        if amount.compared(limit) > allowed and name not in allow:
            breaches.append(Breach(name, limit, allowed, amount, bound))
    return tuple(breaches)


def _floor(name: str, bound: int) -> int:
    """A source that lost more than half of its rows is broken, however small it is."""
    return min(FLOOR, bound // 2) if name == "source_shrink" else FLOOR
