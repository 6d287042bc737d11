"""What became of won deals, and what that says about the demand that mappings assume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import mean, median

from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal, RoleDemand

ENOUGH = 3
"""A suggestion needs at least this many won deals."""

NOTEWORTHY = 0.2
"""A suggestion differs from what is assumed by at least this share."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A won deal with what was planned for it and what is known of its project.

    ``start`` is the planned first day. ``facts`` are the delivery facts as the target reported them
    (``milestones``, ``progress`` 0 to 1, ``spent_hours`` where the target knows them).
    """

    deal: Deal
    start: date | None
    demand: Sequence[RoleDemand] = ()
    allocations: Sequence[Allocation] = ()
    facts: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class ServiceMetrics:
    """Won deals of one service.

    ``start_slip_days`` is the median from the planned start to the first milestone's as it now
    stands (positive: later). Hours are means per deal: asked for, staffed, and spent as far as the
    target counts them; ``progress`` is a mean too. None: not known.
    """

    service: str
    deals: int
    start_slip_days: float | None
    planned_hours: float
    staffed_hours: float
    spent_hours: float | None
    progress: float | None


@dataclass(frozen=True, slots=True)
class DemandSuggestion:
    """What a role's default should be for a service, from what won deals were staffed with.

    Hours are per week; ``assumed`` is None where the mapping assumes nothing.
    """

    service: str
    role: str
    deals: int
    hours_per_week: Decimal
    weeks: int
    assumed: RoleDemand | None

    def to_toml(self) -> str:
        """Returns the part of a mapping file that says so."""
        return (
            "[[role]]\n"
            f"role = {_quoted(self.role)}\n"
            f"hours_per_week = {self.hours_per_week:f}\n"
            f"weeks = {self.weeks}\n"
            f"services = [{_quoted(self.service)}]\n"
        )


def delivery_metrics(delivered: Iterable[Delivered]) -> tuple[ServiceMetrics, ...]:
    """Returns planned against actual for each service, by name."""
    by_service: dict[str, list[Delivered]] = defaultdict(list)
    for each in delivered:
        by_service[each.deal.service or "(none)"].append(each)
    return tuple(_service(name, by_service[name]) for name in sorted(by_service))


def _service(name: str, delivered: Sequence[Delivered]) -> ServiceMetrics:
    slips = [slip for each in delivered if (slip := start_slip(each)) is not None]
    spent = [
        hours for each in delivered if (hours := number_reported(each, "spent_hours")) is not None
    ]
    progress = [
        share for each in delivered if (share := number_reported(each, "progress")) is not None
    ]
    return ServiceMetrics(
        service=name,
        deals=len(delivered),
        start_slip_days=median(slips) if slips else None,
        planned_hours=mean(float(demand_hours(each.demand)) for each in delivered),
        staffed_hours=mean(sum(staffed(each).values(), 0.0) for each in delivered),
        spent_hours=mean(spent) if spent else None,
        progress=mean(progress) if progress else None,
    )


def suggest_demand(
    delivered: Iterable[Delivered], assumed: Mapping[str, Sequence[RoleDemand]]
) -> tuple[DemandSuggestion, ...]:
    """Returns where won deals were staffed otherwise than the mapping assumes.

    :param assumed: the mapping's default demand, by service.
    """
    samples: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for each in delivered:
        for role, hours in staffed(each).items():
            weeks = _role_weeks(each, role)
            if each.deal.service and hours > 0 and weeks > 0:
                samples[each.deal.service, role].append((hours / weeks, weeks))
    found = (
        _suggestion(service, role, values, assumed.get(service, ()))
        for (service, role), values in sorted(samples.items())
        if len(values) >= ENOUGH
    )
    return tuple(suggestion for suggestion in found if suggestion is not None)


def _suggestion(
    service: str,
    role: str,
    values: Sequence[tuple[float, float]],
    assumed: Sequence[RoleDemand],
) -> DemandSuggestion | None:
    """Returns the medians as a suggestion, None where they are what is assumed."""
    half = Decimal("0.5")
    per_week = Decimal(median(hours for hours, _ in values))
    hours = max(half, (per_week / half).quantize(Decimal(1), ROUND_HALF_UP) * half)
    weeks = max(1, round(median(weeks for _, weeks in values)))
    now = next((each for each in assumed if each.role.casefold() == role.casefold()), None)
    if now is not None:
        before, after = float(now.hours_per_week * now.weeks), float(hours * weeks)
        if abs(after - before) < NOTEWORTHY * before:
            return None
    return DemandSuggestion(service, role, len(values), hours, weeks, now)


def staffed(each: Delivered) -> dict[str, float]:
    """Returns the hours that were put on a deal, by role."""
    hours: dict[str, float] = defaultdict(float)
    for allocation in each.allocations:
        weeks = _weeks(allocation, each)
        hours[allocation.role] += float(allocation.hours_per_week) * weeks
    return dict(hours)


def _weeks(allocation: Allocation, each: Delivered) -> float:
    """Returns how many weeks an allocation lasts; without dates, as long as its role is needed."""
    if allocation.start and allocation.end:
        return ((allocation.end - allocation.start).days + 1) / 7
    needed = [d.weeks for d in each.demand if d.role.casefold() == allocation.role.casefold()]
    return float(sum(needed)) if needed else float(max((d.weeks for d in each.demand), default=0))


def _role_weeks(each: Delivered, role: str) -> float:
    """Returns the weeks from the first to the last day that someone has the role."""
    mine = [a for a in each.allocations if a.role == role]
    starts = [a.start for a in mine if a.start and a.end]
    ends = [a.end for a in mine if a.start and a.end]
    if len(starts) == len(mine) and starts:
        return ((max(ends) - min(starts)).days + 1) / 7
    return max((_weeks(a, each) for a in mine), default=0.0)


def demand_hours(demand: Iterable[RoleDemand]) -> Decimal:
    """Returns the hours that are asked for, over all weeks."""
    return sum((each.hours_per_week * each.weeks for each in demand), Decimal(0))


def start_slip(each: Delivered) -> int | None:
    """Returns the days from the planned start to the first milestone's, None if one is unknown."""
    milestones = (each.facts or {}).get("milestones")
    if each.start is None or not isinstance(milestones, list):
        return None
    starts = [str(item["start"]) for item in milestones if isinstance(item, dict) and item["start"]]
    return (date.fromisoformat(min(starts)) - each.start).days if starts else None


def number_reported(each: Delivered, name: str) -> float | None:
    """Returns a figure that delivery reported, None if it is not known."""
    value = (each.facts or {}).get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _quoted(text: str) -> str:
    """Returns TOML that stands for exactly this text, without anything that a terminal obeys."""
    return '"' + "".join(map(_quoted_letter, text)) + '"'


def _quoted_letter(letter: str) -> str:
    if letter in '\\"':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08X}"
