"""The resource plan as a wiki page: lines of Markdown, and what its picture shows. Pure.

Everything is rounded, and weeks are named, so that the page is the same until something that
matters has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sync.records.model import digest
from taiga_pipeline.language import marked, plural
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.text import escape_markup, iso, normalise, one_line, plain_number
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notation import format_roles
from taiga_pipeline.planning.capacity.result import (
    CapacityReport,
    Cell,
    Driver,
    PersonWeek,
    RoleCapacity,
)
from taiga_pipeline.planning.weeks import WEEK, week_name

SLUG: Final = "resource-plan"
TITLE: Final = marked("Resource plan")
DRIVERS: Final = 3
"""So many deals are named for each role that is short."""
MOST_ROLES: Final = 40
MOST_STAFFED: Final = 100
MOST_PEOPLE: Final = 100
_DIGEST_LENGTH: Final = 16
_LOAD_STEP: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Heat:
    """What the heat map shows: for each role and week the load in per cent, None without people.

    ``short`` are the hours that are missing, at the chosen quantile.
    """

    roles: tuple[str, ...]
    weeks: tuple[str, ...]
    load: tuple[tuple[int | None, ...], ...]
    short: tuple[tuple[int, ...], ...]

    def digest(self) -> str:
        """Returns a name for exactly this map."""
        content = [self.roles, self.weeks, self.load, self.short]
        return digest(content)[:_DIGEST_LENGTH]


def heat_of(report: CapacityReport) -> Heat:
    """Returns the map of a report."""
    roles = report.roles[:MOST_ROLES]
    return Heat(
        roles=tuple(one_line(role.role) for role in roles),
        weeks=tuple(week_name(week) for week in report.weeks),
        load=tuple(tuple(_percent(cell.load) for cell in role.weeks) for role in roles),
        short=tuple(tuple(round(cell.gap) for cell in role.weeks) for role in roles),
    )


def _percent(load: float | None) -> int | None:
    return None if load is None else _LOAD_STEP * round(100 * load / _LOAD_STEP)


def plan_lines(
    report: CapacityReport,
    deals: Mapping[str, Deal],
    people: Mapping[str, Person],
    allocations: Iterable[Allocation],
) -> list[str]:
    """Returns the page. ``deals`` are by key, ``people`` by e-mail. Names are shown as plain text.

    Allocations that ended before the report's first week are left out.
    """
    first, share = week_name(report.weeks.first), round(100 * report.quantile)
    count = len(report.weeks)
    shown = [each for each in allocations if not each.end or each.end >= report.weeks.first]
    return [
        _to_decide(report, deals),
        "",
        _(
            "Hours that are missing (-) and free (+) in the weeks that matter, "
            "of {count} weeks from {first} on, planned to be enough in {share} "
            "% of futures. {deals} counted with their chance.",
            count=count,
            first=first,
            share=share,
            deals=_deals(report.open_deals),
        ),
        *_gap_table(report),
        _("### Because of which deals"),
        *_driver_table(report, deals),
        *_silent_table(report),
        _("### Who has hours to spare"),
        *_idle_table(report),
        *_busy_table(report),
        _("### Who is staffed"),
        *_staffing_table(shown, deals, people),
    ]


def _deals(count: int) -> str:
    return plural("{number} open deal is", "{number} open deals are", count)


def _to_decide(report: CapacityReport, deals: Mapping[str, Deal]) -> str:
    """Returns in one sentence what there is to decide: about the role that lacks most hours."""
    short = [role for role in report.roles if round(role.total.gap)]
    if not short:
        return _("Nothing to decide: no role lacks hours in these weeks.")
    worst = max(short, key=lambda role: role.total.gap)
    weeks = [at for at, cell in enumerate(worst.weeks) if round(cell.gap)]
    where = (
        _(" from {week_name} on", week_name=week_name(report.weeks.first + weeks[0] * WEEK))
        if weeks
        else ""
    )
    others = len(short) - 1
    more = (
        plural(" ({number} more role is short)", " ({number} more roles are short)", others)
        if others
        else ""
    )
    drivers = [each for each in worst.total.drivers if round(each.added)]
    because = (
        _(", most of it for {deal}", deal=_deal(drivers[0].deal_key, deals)) if drivers else ""
    )
    what = _(
        "{gap} h of {plain}{where}{because}",
        gap=round(worst.total.gap),
        plain=_plain(worst.role),
        where=where,
        because=because,
    )
    return _("To decide: how to get {what}, or which work to move{more}.", what=what, more=more)


def _gap_table(report: CapacityReport) -> Iterator[str]:
    """Yields roles by the weeks in which any of them lacks hours."""
    roles = report.roles[:MOST_ROLES]
    matter = [
        at for at in range(len(report.weeks)) if any(round(role.weeks[at].gap) for role in roles)
    ]
    names = [week_name(week).partition("-")[2] for week in report.weeks]
    heads = "".join(f" {names[at]} |" for at in matter)
    yield _("| Role | People | Missing, h | Free, h |{heads}", heads=heads)
    yield f"|---|--:|--:|--:|{'--:|' * len(matter)}"
    for role in roles:
        cells = "".join(f" {_balance(role.weeks[at])} |" for at in matter)
        total = f"{_hours(role.total.gap)} | {_hours(role.total.idle.middle)}"
        yield f"| {_plain(role.role)} | {role.people} | {total} |{cells}"
    left_out = len(report.roles) - MOST_ROLES
    if left_out > 0:
        yield _(
            "| … {left_out} more roles |{value}", left_out=left_out, value=" |" * (len(matter) + 3)
        )


def _balance(cell: Cell) -> str:
    """Returns hours that are missing as ``-20``, hours that are free as ``+12``."""
    if round(cell.gap):
        return f"-{round(cell.gap)}"
    return f"+{round(cell.idle.middle)}" if round(cell.idle.middle) else ""


def _hours(hours: float) -> str:
    return str(round(hours)) if round(hours) else "·"


def _idle_table(report: CapacityReport) -> Iterator[str]:
    yield (
        _(
            "Free hours in these weeks: as many as under P20 or more in 80 % of futures, "
            "under P80 in 20 %. Booked are hours of won deals, of all hours; with open "
            "deals, each by its chance."
        )
    )
    yield ""
    yield _("| | Hours | Free P20 | P50 | P80 | Expected | Booked | With open deals |")
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for role in report.roles[:MOST_ROLES]:
        yield _idle_row(f"**{_plain(role.role)}**", role.total)
    for person in report.people[:MOST_PEOPLE]:
        yield _idle_row(_plain(person.name or person.email), person.total)
    left_out = max(0, len(report.people) - MOST_PEOPLE)
    if left_out:
        yield _("| … {left_out} more people | | | | | | | |", left_out=left_out)


def _idle_row(name: str, cell: Cell | PersonWeek) -> str:
    idle = cell.idle
    hours = (cell.capacity, idle.low, idle.middle, idle.high, idle.expected)
    shares = (cell.utilisation, cell.expected_utilisation)
    cells = [*map(_hours, hours), *("" if s is None else f"{round(100 * s)} %" for s in shares)]
    return f"| {name} | {' | '.join(cells)} |"


def _busy_table(report: CapacityReport) -> Iterator[str]:
    """Yields people by weeks; who has nothing to do is in the table of free hours."""
    busy = [each for each in report.people if each.total.confirmed or each.total.tentative]
    if not busy:
        return
    yield _("### Who is busy when")
    yield _(
        "Hours of won deals, week by week; in brackets, hours that are reserved for open deals."
    )
    yield ""
    weeks = [week_name(week).partition("-")[2] for week in report.weeks]
    yield f"| | {' | '.join(weeks)} |"
    yield f"|---|{'--:|' * len(weeks)}"
    for person in busy[:MOST_PEOPLE]:
        cells = " | ".join(map(_busy, person.weeks))
        yield f"| {_plain(person.name or person.email)} | {cells} |"
    left_out = max(0, len(busy) - MOST_PEOPLE)
    if left_out:
        yield _("| … {left_out} more people | {value}", left_out=left_out, value="| " * len(weeks))


def _busy(week: PersonWeek) -> str:
    reserved = round(week.tentative)
    if not reserved:
        return _hours(week.confirmed)
    sure = f"{round(week.confirmed)} " if round(week.confirmed) else ""
    return f"{sure}({reserved})"


def _driver_table(report: CapacityReport, deals: Mapping[str, Deal]) -> Iterator[str]:
    rows = [
        _driver(role, driver, deals)
        for role in report.roles[:MOST_ROLES]
        for driver in role.total.drivers[:DRIVERS]
        if round(driver.added)
    ]
    if not rows:
        yield _("No deal makes a role short.")
        return
    yield _("| Role | Deal | Adds, h | Chance | Expected close |")
    yield "|---|---|--:|--:|---|"
    yield from rows


def _silent_table(report: CapacityReport) -> Iterator[str]:
    """Yields the deals that state no roles: they are in none of the figures."""
    if not report.silent:
        return
    yield _("### Deals that state no roles, and so are not counted")
    yield _("| Service | Deals | Value | Usual for this service |")
    yield "|---|--:|--:|---|"
    for each in report.silent[:MOST_ROLES]:
        value = ", ".join(f"{each.value[name]:,.0f} {name}".strip() for name in sorted(each.value))
        name, usual = _plain(each.service or _("(no service)")), _plain(format_roles(each.usual))
        yield f"| {name} | {each.count} | {_plain(value)} | {usual} |"


def _driver(role: RoleCapacity, driver: Driver, deals: Mapping[str, Deal]) -> str:
    deal = _deal(driver.deal_key, deals)
    chance = _("won") if driver.is_won else f"{round(100 * driver.probability)} %"
    close = iso(driver.expected_close)
    return f"| {_plain(role.role)} | {deal} | {round(driver.added)} | {chance} | {close} |"


def _staffing_table(
    allocations: Iterable[Allocation], deals: Mapping[str, Deal], people: Mapping[str, Person]
) -> Iterator[str]:
    rows = sorted(_allocation(each, deals, people) for each in allocations)
    if not rows:
        yield _("No person is staffed on a deal yet.")
        return
    yield _("| Person | Deal | Role | Confirmed, h/week | Reserved, h/week | From | To |")
    yield "|---|---|---|--:|--:|---|---|"
    yield from rows[:MOST_STAFFED]
    if len(rows) > MOST_STAFFED:
        yield _("| … {count} more | | | | | | |", count=len(rows) - MOST_STAFFED)


def _allocation(each: Allocation, deals: Mapping[str, Deal], people: Mapping[str, Person]) -> str:
    person, deal = people.get(each.email), deals.get(each.deal_key)
    hours = plain_number(each.hours_per_week)
    start, end = _dates(each, deal)
    cells = (
        _plain(person.name if person else each.email),
        _deal(each.deal_key, deals),
        _plain(each.role),
        *((hours, "") if each.confirmed else ("", hours)),
        iso(start),
        iso(end),
    )
    return f"| {' | '.join(cells)} |"


def _dates(each: Allocation, deal: Deal | None) -> tuple[date | None, date | None]:
    """Returns from when to when somebody works: as stated, else as the deal's role says."""
    if deal is None or deal.start is None:
        return each.start, each.end
    name = normalise(each.role)
    spans = [role for role in deal.roles if normalise(role.role) == name]
    starts = [deal.start + role.start_week * WEEK for role in spans]
    ends = [deal.start + (role.start_week + role.weeks) * WEEK - _DAY for role in spans]
    return each.start or min(starts, default=deal.start), each.end or max(ends, default=None)


def _deal(key: str, deals: Mapping[str, Deal]) -> str:
    deal = deals.get(key)
    if deal is None:
        return _plain(key)
    return _plain(": ".join(filter(None, (deal.customer, deal.name))) or key)


def _plain(text: str) -> str:
    return escape_markup(one_line(text)) or " "
