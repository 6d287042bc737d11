"""Budget hours of won deals against the hours that delivery reports, and when the two part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from statistics import quantiles
from types import MappingProxyType
from typing import Final

from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.planning.money.deals import DealMoney, added_up

PARTED: Final = 0.15
"""So much more of the hours than of the work may be gone before it is a warning."""
LATE: Final = 0.25
"""So much more of the planned hours than of the work may be due before it is a warning."""
TOLD: Final = 0.1
"""From so much progress on, it says what the whole will take."""
ENOUGH: Final = 5
"""A range of overruns needs at least so many finished deals."""


class Alarm(StrEnum):
    """What is wrong with a budget."""

    OVERSPENT = "overspent"
    """More hours are reported than there are in the budget."""
    PARTED = "hours run ahead of progress"
    LATE = "progress runs behind the plan"


@dataclass(frozen=True, slots=True)
class Budget:
    """A won deal: hours planned, reported, left. None: delivery reports none.

    ``due`` are those of the hours that the plan puts before now; ``at_end`` what the hours will
    come to if they go on as they have.
    """

    deal: Deal
    hours: float
    due: float
    spent: float | None
    progress: float | None
    warnings: tuple[Alarm, ...] = ()

    @property
    def is_finished(self) -> bool:
        """Whether delivery says that all is done."""
        return self.progress is not None and self.progress >= 1 - 1e-9

    @property
    def left(self) -> float | None:
        """Budget hours that are not reported yet; negative where more were."""
        return None if self.spent is None else self.hours - self.spent

    @property
    def at_end(self) -> float | None:
        """The hours that the whole will take, if they go on as they have."""
        if self.spent is None or self.progress is None or self.progress < TOLD:
            return None
        return self.spent / min(1.0, self.progress)


@dataclass(frozen=True, slots=True)
class Overrun:
    """Reported hours per budget hour of finished deals: P20, P50 and P80 of ``deals`` of them."""

    deals: int
    low: float
    middle: float
    high: float


def budgets(
    deals: Iterable[DealMoney],
    facts: Mapping[str, Mapping[str, object]],
    as_of: date,
    main_of: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Budget, ...]:
    """Returns the budgets of won deals that have hours, those with warnings first.

    ``facts`` are what delivery reported, by deal (``spent_hours``, ``progress`` 0 to 1).
    ``main_of`` leads from a deal that joined a project to its main deal: they have one budget.
    Finished deals are among them: `overrun` learns from those.
    """
    projects: dict[str, list[DealMoney]] = {}
    for each in deals:
        if each.won and each.hours > 0:
            projects.setdefault(main_of.get(each.deal.key, each.deal.key), []).append(each)
    found = [
        budget_of(added_up(_main_first(parts, main)), facts_of(facts, main, parts), as_of)
        for main, parts in projects.items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.warnings, each.deal.key)))


def _main_first(parts: Iterable[DealMoney], main: str) -> list[DealMoney]:
    return sorted(parts, key=lambda each: each.deal.key != main)


def facts_of(
    facts: Mapping[str, Mapping[str, object]], main: str, parts: Iterable[DealMoney]
) -> Mapping[str, object]:
    """Returns what delivery reported of a project: that of its main deal. Hours count that were
    reported in a project which a deal had before it joined this one."""
    found = dict(facts.get(main, {}))
    keys = {main, *(each.deal.key for each in parts)}
    spent = [hours for key in keys if (hours := _number(facts.get(key, {}).get("spent_hours")))]
    return {**found, "spent_hours": sum(spent)} if spent else found


def budget_of(money: DealMoney, facts: Mapping[str, object], as_of: date) -> Budget:
    """Returns the budget of a won deal."""
    due = sum(each.hours * _gone(each.week, as_of) for each in money.weeks)
    spent, progress = _number(facts.get("spent_hours")), _number(facts.get("progress"))
    budget = Budget(money.deal, money.hours, due, spent, progress)
    return Budget(money.deal, money.hours, due, spent, progress, tuple(_warnings(budget)))


def _gone(week: date, as_of: date) -> float:
    """Returns the part of a week's working days that is over."""
    return min(1.0, max(0, (as_of - week).days) / 5)


def _warnings(budget: Budget) -> Iterable[Alarm]:
    share = None if budget.spent is None else budget.spent / budget.hours
    if share is not None and share > 1 + 1e-9:
        yield Alarm.OVERSPENT
    if budget.progress is None:
        return
    if share is not None and share - budget.progress >= PARTED and budget.progress < 1:
        yield Alarm.PARTED
    if budget.due / budget.hours - budget.progress >= LATE:
        yield Alarm.LATE


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None  # type: ignore[arg-type]


def overrun(found: Iterable[Budget]) -> Overrun | None:
    """Returns how reported hours of finished deals compare with their budgets; None of too few."""
    shares = sorted(each.spent / each.hours for each in found if each.spent and each.is_finished)
    if len(shares) < ENOUGH:
        return None
    at = quantiles(shares, n=10, method="inclusive")
    return Overrun(len(shares), at[1], at[4], at[7])
