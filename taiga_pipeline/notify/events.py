"""Which events there are, from how things are now and how they were at the last look. Pure.

At the first look of all, deals that are won and projects that are staffed are no news: otherwise
the first message would be about years.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from sync.state.outbox import Event, Seen, Sighting
from taiga_pipeline.language import plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.text import one_line

NEW_WIN: Final = timedelta(days=7)
"""A deal that is won when it is first seen is news if it was won no longer ago than that."""
STATE: Final = "state"
"""The subject that tells that there was a look before."""


class EventKind(StrEnum):
    """What people are told of."""

    WON = "won"
    STAFFED = "staffed"
    SHORT = "short"
    CONFLICT = "conflict"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class DealNow:
    """A deal as it is now. ``category`` is the word of its stage's; ``won_on`` is when it was won,
    as far as that is known. ``about`` says when the project starts, ``team`` who works for it."""

    key: str
    title: str
    category: str
    won_on: date | None = None
    about: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Hours of a role that are missing, in how many weeks, from which one on, because of what."""

    role: str
    hours: int
    weeks: int
    first: str
    deals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something open that waits for a person. ``identity`` is that of this occurrence alone."""

    identity: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: ``how`` is "" if well, else a word for the reason; ``why`` is for people."""

    how: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How everything is now. ``shortages`` are by role, None where nobody looked; roles that are
    not short have none. ``projects`` are the states of projects, by deal."""

    today: date
    deals: Iterable[DealNow] = ()
    projects: Mapping[str, str] = field(default_factory=dict)
    shortages: Mapping[str, Shortage | None] = field(default_factory=dict)
    troubles: Iterable[Trouble] = ()
    run: Ended | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look came to."""

    sightings: tuple[Sighting, ...]
    events: tuple[Event, ...]


def find_events(look: Look, seen: Mapping[str, Seen], wanted: Collection[str]) -> Found:
    """Returns what changed since the last look, and the events in it that are ``wanted``."""
    titles = {deal.key: deal for deal in look.deals}
    found = [
        *_of_deals(titles, seen, look.today),
        *_of_projects(look.projects, titles, seen),
        *_of_roles(look.shortages, seen),
        *_of_run(look.run, seen),
    ]
    sightings = [sighting for sighting, _unused in found]
    if STATE not in seen:
        sightings.append(Sighting(STATE, "seen"))
    events = [event for _unused, event in found if event]
    events += [_of_trouble(each) for each in look.troubles]
    kinds = tuple(f"{kind}:" for kind in wanted)
    return Found(tuple(sightings), tuple(e for e in events if e.name.startswith(kinds)))


_Pair = tuple[Sighting, Event | None]


def _changes(
    prefix: str, now: Iterable[tuple[str, str]], seen: Mapping[str, Seen]
) -> Iterator[Sighting]:
    """Yields what is not as it was, of subjects that begin with ``prefix``."""
    for name, value in now:
        subject = f"{prefix}:{name}"
        before = seen.get(subject)
        if before is None or before.value != value:
            yield Sighting(subject, value, before)


def _event(kind: EventKind, sighting: Sighting, title: str, text: str) -> Event:
    name = f"{kind}:{sighting.subject}:{sighting.version}"
    return Event(name, title, text, sighting)


def _of_deals(
    deals: Mapping[str, DealNow], seen: Mapping[str, Seen], today: date
) -> Iterator[_Pair]:
    now = ((deal.key, deal.category) for deal in deals.values())
    for sighting in _changes("deal", now, seen):
        deal = deals[sighting.subject.partition(":")[2]]
        is_news = sighting.value == "won" and (
            sighting.before is not None or _was_just_won(deal, seen, today)
        )
        title = _("Won: {named}", named=named(deal))
        yield sighting, _event(EventKind.WON, sighting, title, deal.about) if is_news else None


def _was_just_won(deal: DealNow, seen: Mapping[str, Seen], today: date) -> bool:
    return STATE in seen and deal.won_on is not None and today - deal.won_on <= NEW_WIN


def _of_projects(
    projects: Mapping[str, str], deals: Mapping[str, DealNow], seen: Mapping[str, Seen]
) -> Iterator[_Pair]:
    for sighting in _changes("project", projects.items(), seen):
        deal = deals.get(sighting.subject.partition(":")[2])
        if sighting.value != "staffed" or STATE not in seen or deal is None:
            yield sighting, None
            continue
        title = _("Staffed: the project of {named}", named=named(deal))
        text = _("{about} With: {team}.", about=deal.about, team=deal.team or _("no people yet"))
        yield sighting, _event(EventKind.STAFFED, sighting, title, text)


def _of_roles(
    shortages: Mapping[str, Shortage | None], seen: Mapping[str, Seen]
) -> Iterator[_Pair]:
    now = [(role, "short" if shortage else "enough") for role, shortage in shortages.items()]
    # A role that nobody has or asks for any more is not short.
    known = {s.removeprefix("role:") for s in seen if s.startswith("role:")} if now else set()
    now += [(role, "enough") for role in sorted(known - shortages.keys())]
    for sighting in _changes("role", now, seen):
        shortage = shortages.get(sighting.subject.partition(":")[2])
        yield sighting, _shortage_event(sighting, shortage) if shortage else None


def _shortage_event(sighting: Sighting, shortage: Shortage) -> Event:
    weeks = plural("{number} week", "{number} weeks", shortage.weeks)
    because = (
        _(", because of {deals}", deals=", ".join(map(one_line, shortage.deals)))
        if shortage.deals
        else ""
    )
    title = _(
        "Short: {one_line} from {first} on", one_line=one_line(shortage.role), first=shortage.first
    )
    text = _(
        "{hours} h are missing in {weeks}{because}",
        hours=shortage.hours,
        weeks=weeks,
        because=because,
    )
    return _event(EventKind.SHORT, sighting, title, text)


def _of_run(run: Ended | None, seen: Mapping[str, Seen]) -> Iterator[_Pair]:
    if run is None:
        return
    for sighting in _changes("run", [("outcome", run.how)], seen):
        title = _("The run was not done: {how}", how=_(run.how))
        yield (
            sighting,
            _event(EventKind.RUN, sighting, title, translated(run.why)) if run.how else None,
        )


def _of_trouble(trouble: Trouble) -> Event:
    return Event(f"{EventKind.CONFLICT}:{trouble.identity}", trouble.title, trouble.text)


def named(deal: DealNow) -> str:
    """Returns a deal as messages name it: ``D-1 Acme: New portal``."""
    return f"{one_line(deal.key)} {one_line(deal.title)}".strip()


def together(events: Iterable[tuple[str, str]], pipeline: str) -> tuple[str, str]:
    """Returns titles and texts as those of one message."""
    found = list(events)
    if len(found) == 1:
        title, text = found[0]
        return f"{pipeline}: {title}", text or title
    lines = [f"{title}{_below(text)}" for title, text in found]
    return _("{pipeline}: {count} things to know", pipeline=pipeline, count=len(found)), "\n".join(
        lines
    )


def _below(text: str) -> str:
    return "".join(f"\n– {line}" for line in text.splitlines())
