"""What waits for whom, as plain data and as lines of text. Pure.

The lines hold what people wrote: whoever shows them makes them text (`taiga_pipeline.notify.text`,
`taiga_pipeline.report.terminal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.notify.events import Shortage
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.planning.demand.deals import OpenDemand

MOST_LINES: Final = 40
"""So many lines a section shows; the others are counted."""
_FRIDAY: Final = timedelta(days=4)
_THURSDAY: Final = timedelta(days=3)
_MONTHS: Final = (
    marked("January"),
    marked("February"),
    marked("March"),
    marked("April"),
    marked("May"),
    marked("June"),
    marked("July"),
    marked("August"),
    marked("September"),
    marked("October"),
    marked("November"),
    marked("December"),
)


@dataclass(frozen=True, slots=True)
class WaitingDeal:
    """A deal that waits for somebody ("" for nobody), and for what.

    ``days`` is how long it has been in its stage, ``usual`` how long won deals are there.
    """

    deal: str
    title: str
    person: str
    follow_ups: tuple[FollowUp, ...]
    stage: str = ""
    next_step: str = ""
    next_step_on: date | None = None
    expected_close: date | None = None
    days: int | None = None
    usual: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """Hours of a role that an undecided deal holds, from and until which day.

    ``people`` are those who are reserved, with their hours; the rest is held for nobody by name.
    """

    role: str
    hours: int
    first: date
    until: date
    people: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class HoldingDeal:
    """An undecided deal, and what it holds. ``silent_days`` is how long nothing was done about it,
    None where a next step is planned, or nothing tells."""

    deal: str
    title: str
    held: tuple[Held, ...]
    silent_days: int | None = None
    next_step_on: date | None = None

    @property
    def has_people(self) -> bool:
        """Whether people are reserved for it by name."""
        return any(each.people for each in self.held)

    @property
    def hours(self) -> int:
        """All hours that it holds."""
        return sum(each.hours for each in self.held)


@dataclass(frozen=True, slots=True)
class Digest:
    """What waits on a day. ``open`` and ``undelivered`` are lines; ``notices`` say what is not
    known."""

    pipeline: str
    today: date
    waiting: tuple[WaitingDeal, ...] = ()
    holding: tuple[HoldingDeal, ...] = ()
    open: tuple[str, ...] = ()
    short: tuple[Shortage, ...] = ()
    undelivered: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self.waiting or self.holding or self.open or self.short or self.undelivered)


def held_by(demand: OpenDemand, names: Mapping[str, str]) -> tuple[Held, ...]:
    """Returns what a deal holds, role by role. ``names`` are people's, by address."""
    found: dict[str, list[tuple[str, float, date, date]]] = {}
    for stretch in demand.stretches:
        first = demand.entered + timedelta(weeks=stretch.first)
        until = first + timedelta(weeks=stretch.weeks - 1) + _FRIDAY
        hours = stretch.hours * stretch.weeks
        found.setdefault(stretch.role, []).append((stretch.email, hours, first, until))
    return tuple(_held(role, parts, names) for role, parts in found.items())


def _held(
    role: str, parts: Sequence[tuple[str, float, date, date]], names: Mapping[str, str]
) -> Held:
    people: dict[str, float] = {}
    for email, hours, _first, _until in parts:
        if email:
            name = names.get(email, email)
            people[name] = people.get(name, 0.0) + hours
    return Held(
        role=role,
        hours=round(sum(hours for _email, hours, _first, _until in parts)),
        first=min(first for _email, _hours, first, _until in parts),
        until=max(until for _email, _hours, _first, until in parts),
        people=tuple((name, round(hours)) for name, hours in people.items()),
    )


def headline(digest: Digest) -> str:
    """Returns the digest in one line."""
    people = sum(deal.has_people for deal in digest.holding)
    parts = [
        _count(len(digest.waiting), _("deal waits"), _("deals wait")),
        _count(people, _("undecided deal holds people"), _("undecided deals hold people")),
        _count(len(digest.open), _("open issue"), _("open issues")),
        _count(len(digest.short), _("role is short"), _("roles are short")),
    ]
    said = ", ".join(filter(None, parts)) or ("" if digest.is_empty else _("see below"))
    return _("Digest of {today}: {said}", today=digest.today, said=said or _("nothing waits"))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def digest_lines(digest: Digest) -> list[str]:
    """Returns the digest, section by section; sections are parted by empty lines."""
    sections: list[tuple[str, Iterable[str]]] = []
    for person, deals in groupby(digest.waiting, key=lambda deal: deal.person):
        sections.append(
            (one_line(person) or _("Without a person in charge"), list(map(waiting_line, deals)))
        )
    sections += [
        (_("Held by deals that are not decided"), map(holding_line, digest.holding)),
        (
            _("To decide (pipeline-sync conflicts)"),
            map(_open_line, digest.open),
        ),
        (_("Hours that are missing"), map(short_line, digest.short)),
        (_("Messages that did not arrive"), digest.undelivered),
    ]
    lines: list[str] = []
    for title, each in sections:
        found = list(each)
        if found:
            more = (
                [_("... and {count} more", count=len(found) - MOST_LINES)]
                if len(found) > MOST_LINES
                else []
            )
            lines += ["", title, *(f"– {line}" for line in [*found[:MOST_LINES], *more])]
    return lines[1:]


def _open_line(line: str) -> str:
    kind, space, rest = line.partition(" ")  # a line begins with the kind of its issue
    return one_line(f"{_(kind)}{space}{translated(rest)}")


def waiting_line(deal: WaitingDeal) -> str:
    """Returns what a deal waits for."""
    said = "; ".join(_said(deal, each) for each in deal.follow_ups)
    return f"{one_line(deal.deal)} {one_line(deal.title)}: {said}"


def _said(deal: WaitingDeal, each: FollowUp) -> str:
    step = f": {one_line(deal.next_step)}" if deal.next_step else ""
    if each is FollowUp.OVERDUE:
        return _("overdue since {next_step_on}{step}", next_step_on=deal.next_step_on, step=step)
    if each in (FollowUp.TODAY, FollowUp.THIS_WEEK):
        return f"{_(each.value)} ({deal.next_step_on}){step}"
    if each is FollowUp.STALE:
        usual = _(" (usual: {usual})", usual=deal.usual) if deal.usual is not None else ""
        return _(
            "stale, {days} days in {one_line}{usual}",
            days=deal.days,
            one_line=one_line(deal.stage),
            usual=usual,
        )
    if each is FollowUp.CLOSE_PASSED:
        return f"{_(each.value)} ({deal.expected_close})"
    return _(each.value)


def holding_line(deal: HoldingDeal) -> str:
    """Returns what a deal holds: ``D-106 ..., no step since 34 days, holds 240 h of Back ...``."""
    silence = deal.silent_days
    since = (
        _(", no step since {count}", count=_count(silence, _("day"), _("days"))) if silence else ""
    )
    if deal.next_step_on:
        since = _(", next step on {next_step_on}", next_step_on=deal.next_step_on)
    until = max(each.until for each in deal.held)
    verb = _("holds") if deal.has_people else _("asks for")
    *others, last = map(_held_words, deal.held)
    what = _("{others} and {last}", others=", ".join(others), last=last) if others else last
    months = _months(min(each.first for each in deal.held), until)
    unnamed = "" if deal.has_people else _(", without names")
    name = f"{one_line(deal.deal)} {one_line(deal.title)}"
    return _(
        "{name}{since}, {verb} {what} in {months}{unnamed}, until {until}",
        name=name,
        since=since,
        verb=verb,
        what=what,
        months=months,
        unnamed=unnamed,
        until=until,
    )


def _held_words(held: Held) -> str:
    people = ", ".join(
        one_line(name) if hours == held.hours else f"{one_line(name)} {hours} h"
        for name, hours in held.people
    )
    who = f" ({people})" if people else ""
    return _(
        "{hours} h of {one_line}{who}", hours=held.hours, one_line=one_line(held.role), who=who
    )


def _months(first: date, until: date) -> str:
    """Returns the months of a span, by its weeks' Thursdays: ``January to March``."""
    start, end = first + _THURSDAY, until - _FRIDAY + _THURSDAY
    begins, ends = _(_MONTHS[start.month - 1]), _(_MONTHS[end.month - 1])
    return (
        begins
        if (start.year, start.month) == (end.year, end.month)
        else _("{begins} to {ends}", begins=begins, ends=ends)
    )


def short_line(shortage: Shortage) -> str:
    """Returns which hours are missing, and because of what."""
    weeks = _count(shortage.weeks, _("week"), _("weeks"))
    because = (
        _(", because of {deals}", deals=", ".join(map(one_line, shortage.deals)))
        if shortage.deals
        else ""
    )
    hours = _(
        "{one_line}: {hours} h in {weeks}",
        one_line=one_line(shortage.role),
        hours=shortage.hours,
        weeks=weeks,
    )
    return _("{hours} from {first} on{because}", hours=hours, first=shortage.first, because=because)


def in_order(waiting: Iterable[WaitingDeal]) -> Iterator[WaitingDeal]:
    """Yields deals by person (those of nobody last), what is most urgent first."""
    ranks = list(FollowUp)

    def place(deal: WaitingDeal) -> tuple[bool, str, int, date, str]:
        day = deal.next_step_on or deal.expected_close or date.max
        return (
            not deal.person,
            deal.person.casefold(),
            ranks.index(deal.follow_ups[0]),
            day,
            deal.deal,
        )

    yield from sorted(waiting, key=place)
