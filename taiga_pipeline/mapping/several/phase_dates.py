"""When the phases of a deal begin and end, one after the other. Pure; days count from its start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sync.records.model import KEPT, Base
from taiga_pipeline.mapping.rules import PhaseRule
from taiga_pipeline.records import Kind, Milestone


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a phase, counted from the deal's start.

    ``planned`` is its first day by the rule. ``first`` and ``after`` are what became of it: its
    first day, and the one after its last.
    """

    planned: int
    first: int
    after: int


Became = Callable[[PhaseRule, int, int], Span]
"""Tells what became of a phase, by its planned first day and its number of days."""


def as_planned(phase: PhaseRule, planned: int, days: int) -> Span:
    """Returns the span of a phase that no one moved."""
    return Span(planned, planned, planned + days)


def spans(
    phases: Sequence[PhaseRule], days: Mapping[str, int], became: Became = as_planned
) -> dict[str, Span]:
    """Returns the spans of phases by their ids. ``days`` are the days that each takes.

    A phase starts with the deal, or the day after what became of the one that it comes after.
    """
    by_id = {phase.id: phase for phase in phases}
    found: dict[str, Span] = {}

    def find(phase: PhaseRule) -> Span:
        if phase.id not in found:
            before = find(by_id[phase.after]).after if phase.after else 0
            found[phase.id] = became(phase, before + phase.start, days[phase.id])
        return found[phase.id]

    for phase in phases:
        find(phase)
    return {phase.id: found[phase.id] for phase in phases}


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a project's milestones, by their ids: first and last day, None where unknown.

    ``asked`` are those that were asked for last, ``seen`` those that the project had then.
    ``edited`` are the milestones whose start people are known to have moved; others may have been
    found where they are. ``followed`` is off for a project that a person no longer wants followed.
    """

    asked: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    seen: Mapping[str, tuple[date | None, date | None]] = field(default_factory=dict)
    edited: frozenset[str] = frozenset()
    followed: bool = True

    def of(self, phase: PhaseRule) -> Dates:
        """Returns those of milestones that the phase still asks for."""
        ids = {rule.id for rule in phase.rules.milestones}
        asked, seen = (
            {name: ends for name, ends in every.items() if name in ids}
            for every in (self.asked, self.seen)
        )
        return Dates(asked, seen, self.edited & ids)

    def updated(self, newer: Dates) -> Dates:
        """Returns these with what is known by now of some of the milestones."""
        return Dates(
            {**self.asked, **newer.asked},
            {**self.seen, **newer.seen},
            (self.edited - newer.seen.keys()) | newer.edited,
        )

    @property
    def start_moved(self) -> int:
        """By how many days people moved the first day."""
        return _between(*(min(_known(each, 0), default=None) for each in (self.asked, self.seen)))

    @property
    def end_moved(self) -> int:
        """By how many days people moved the last day; with the start, where that alone moved."""
        last = (max(_known(each, 1), default=None) for each in (self.asked, self.seen))
        return _between(*last) or self.start_moved

    def asked_start(self, phase: PhaseRule) -> date | None:
        """Returns the first day of the phase from which its milestones were asked for."""
        for rule in phase.rules.milestones:
            asked = self.asked.get(rule.id, (None, None))[0]
            if asked is not None:
                return date.fromordinal(max(1, asked.toordinal() - rule.start))
        return None


_ENDS: Final = (Milestone.START, Milestone.FINISH)


def dates_of(bases: Mapping[str, Mapping[str, Base]], facts: Mapping[str, object]) -> Dates:
    """Returns the dates of a project's milestones.

    ``bases`` are what was agreed upon of them, by their ids; ``facts`` those of the project, with
    the edits of people that stay (`sync.records.model.KEPT`).
    """
    kept = {(name, end): value for kind, name, end, value in _kept(facts) if kind == Kind.MILESTONE}
    asked, seen = {}, {}
    for name, fields in bases.items():
        known = [(fields.get(end), kept.get((name, end))) for end in _ENDS]
        first, last = (_day(base.desired) if base else None for base, _ in known)
        asked[name] = first, last
        # One that was found in place is agreed upon as it is, wherever people had moved it.
        start, finish = (_day(edit or (base.observed if base else None)) for base, edit in known)
        seen[name] = start or first, finish or last
    return Dates(asked, seen, frozenset(name for name, end in kept if end == Milestone.START))


def _kept(facts: Mapping[str, object]) -> Iterator[tuple[str, str, str, object]]:
    listed = facts.get(KEPT)
    for each in listed if isinstance(listed, list) else ():
        kind, name, end, value = each
        yield str(kind), str(name), str(end), value


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def as_moved(
    start: date, dates: Callable[[PhaseRule], Dates | None]
) -> Callable[[PhaseRule, int, int], Span]:
    """Returns what became of the phases of a deal that starts at ``start``.

    A phase whose start people moved keeps it: what comes before it moves it no more. One that was
    found just where it follows was not moved: it had followed before that was forgotten.
    """

    def became(phase: PhaseRule, planned: int, days: int) -> Span:
        there = dates(phase)
        if there is None:
            return as_planned(phase, planned, days)
        known = there.of(phase)
        asked = known.asked_start(phase)
        if phase.after and known.start_moved and asked is not None:
            by_rule, planned = planned, (asked - start).days
            if planned + known.start_moved == by_rule and not known.edited:
                longer = known.end_moved - known.start_moved
                return Span(by_rule, by_rule, by_rule + days + longer)
        return Span(planned, planned + known.start_moved, planned + days + known.end_moved)

    return became


def _known(dates: Mapping[str, tuple[date | None, date | None]], end: int) -> list[date]:
    return [day for each in dates.values() if (day := each[end]) is not None]


def _between(one: date | None, other: date | None) -> int:
    return (other - one).days if one is not None and other is not None else 0
