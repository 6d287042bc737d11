"""What edited mappings would change in what deals ask for, before they are in force.

Compared are the records that deals ask for under both sets of mappings. The target is not looked
at: whether people's edits are in the way is seen by ``plan`` once the mapping is in force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

from sync.plan.counting import Count
from sync.plan.limit_settings import Limit
from sync.plan.limits import Amount, Breach, check_limits
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value, encode
from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import NotMapped
from taiga_pipeline.mapping.explain import shown
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.text import one_line
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import Kind, Project, ProjectState


class Effect(StrEnum):
    """What an edited mapping does to one record."""

    ADDED = "added"
    """It was not asked for before."""
    DROPPED = "dropped"
    """It is no longer asked for."""
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field of one record. ``old`` and ``new`` are None where there is no such field."""

    key: RecordKey
    effect: Effect
    field: str
    old: Value
    new: Value
    owner: Owner
    origin: str = ""

    def to_json(self) -> dict[str, object]:
        """Returns the difference as JSON-compatible data."""
        return {
            "key": str(self.key),
            "kind": self.key.kind,
            "effect": self.effect.value,
            "field": self.field,
            "old": encode(self.old),
            "new": encode(self.new),
            "owner": self.owner.value,
        }

    def line(self) -> str:
        """Returns the difference for people."""
        name = f"{self.key.kind} {self.key.name}".rstrip()
        values = f"{shown(self.old)} -> {shown(self.new)}"
        later = "; on new projects only" if self.stays else ""
        return f"{name}: {self.field} {values}{later}"

    @property
    def stays(self) -> bool:
        """Whether what is in the target already is left as it is: the field is delivery's."""
        return self.effect is Effect.CHANGED and self.owner is Owner.DELIVERY


@dataclass(frozen=True, slots=True)
class DealDifference:
    """What changes for one deal. ``problem`` says why it can no longer be mapped, "" if it can.

    ``old_state`` and ``new_state`` are the project's states, "" where no project is asked for.
    """

    deal: str
    """Its key; of the project of a phase, that project's."""
    old_state: str
    new_state: str
    fields: tuple[FieldDifference, ...] = ()
    problem: str = ""
    is_there: bool = False
    """Whether the deal's project is in the target already."""
    of_deal: str = ""
    """The deal of a phase's project, "" for the deal's own."""

    def to_json(self) -> dict[str, object]:
        """Returns the difference as JSON-compatible data."""
        return {
            "deal": self.deal,
            "old_state": self.old_state,
            "new_state": self.new_state,
            "problem": self.problem,
            "changes": [difference.to_json() for difference in self.fields],
        }

    def lines(self) -> Iterator[str]:
        """Yields the difference for people."""
        moved = f" ({self.old_state or 'none'} -> {self.new_state or 'none'})"
        yield f"{one_line(self.deal)}{moved if self.old_state != self.new_state else ''}"
        if self.problem:
            yield f"  can no longer be mapped: {self.problem}"
        for difference in self.fields:
            yield f"  {difference.line()}"


_LIMITS: Final = ("create", "staff", "children", "retire", "remove_member", "rename")
_WORDS: Final = {
    "create": "new projects",
    "staff": "projects that become staffed",
    "children": "new milestones, stories, members and pages in existing projects",
    "retire": "projects that are retired",
    "remove_member": "members who are removed",
    "rename": "projects with another title or label",
}


@dataclass(slots=True)
class Size:
    """How much of what limits are about an edited mapping would change."""

    counts: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in _LIMITS})

    def count(self, difference: DealDifference) -> None:
        """Counts one deal."""
        kind = _size_of_root(difference)
        if kind:
            name, about = kind
            root = next(each for each in difference.fields if each.key.is_root)
            asked = [each.origin for each in difference.fields if each.field == about]
            self.counts[name].add(root.key, asked[0] if asked else root.origin)
        if difference.is_there:
            children = {each.key: each for each in difference.fields if not each.key.is_root}
            for key, child in children.items():
                self._count_child(key, child)

    def _count_child(self, key: RecordKey, child: FieldDifference) -> None:
        if child.effect is Effect.ADDED:
            self.counts["children"].add(key, child.origin, Kind.PROJECT)
        elif child.effect is Effect.DROPPED and key.kind == Kind.MEMBERSHIP:
            self.counts["remove_member"].add(key, child.origin)

    def amounts(self) -> dict[str, Amount]:
        """Returns what was counted, by the names of limits."""
        return {
            name: count.amount(is_of_children=name == "children")
            for name, count in self.counts.items()
        }

    def breaches(self, bound: int, limits: Mapping[str, Limit]) -> tuple[Breach, ...]:
        """Returns the limits that a run would exceed if nothing else changed."""
        return check_limits(self.amounts(), bound, limits)

    def line(self, breaches: Sequence[Breach]) -> str:
        """Says in one sentence what is big about an edited mapping; "" if nothing is."""
        if breaches:
            big = "; ".join(map(_big, breaches))
            return f"This is big, and a run would refuse it: {big}."
        parts = [
            f"{_WORDS[name]}: {_number(amount)}"
            for name, amount in self.amounts().items()
            if (amount.groups or amount.count) > 1  # what happens to one project is not big
        ]
        return f"Within the limits of a run: {'; '.join(parts)}." if parts else ""


def _big(breach: Breach) -> str:
    amount = breach.amount
    by = f", requested by {amount.origin}" if amount.origin else ""
    unit = " projects" if amount.groups is not None and breach.limit.is_share else ""
    return f"{_WORDS[breach.name]}: {_number(amount)} ({breach.allowed}{unit} allowed{by})"


def _number(amount: Amount) -> str:
    where = "" if amount.groups is None else f" in {amount.groups} projects"
    return f"{amount.count}{where}"


def _size_of_root(difference: DealDifference) -> tuple[str, str] | None:
    """Returns under which limit a project counts, and the field that it is about."""
    old, new = difference.old_state, difference.new_state
    retired, staffed = ProjectState.RETIRED.value, ProjectState.STAFFED.value
    if not difference.is_there:
        return ("create", Project.STATE) if new and not old else None
    if new == retired != old:
        return "retire", Project.STATE
    if new == staffed != old:
        return "staff", Project.STATE
    changed = {each.field for each in difference.fields if each.key.is_root}
    named = next((name for name in (Project.TITLE, Project.LABEL) if name in changed), None)
    return ("rename", Project.STATE if old != new else named) if named else None


@dataclass(slots=True)
class Tally:
    """Counts over all deals: how many, state moves, and changes by kind of record and field."""

    deals: int = 0
    changed: set[str] = field(default_factory=set)
    """The keys of the deals that get something else."""
    unmapped: int = 0
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    fields: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    size: Size = field(default_factory=Size)

    def count(self, difference: DealDifference | None) -> None:
        """Counts one deal; the project of a phase is counted with its deal."""
        self.deals += not (difference and difference.of_deal)
        if difference is None:
            return
        self.changed.add(difference.of_deal or difference.deal)
        self.unmapped += bool(difference.problem)
        self.size.count(difference)
        if difference.old_state != difference.new_state:
            self.states[difference.old_state, difference.new_state] += 1
        self.fields.update(
            {(item.key.kind, item.effect.value, item.field) for item in difference.fields}
        )

    @property
    def differing(self) -> int:
        """How many deals get something else."""
        return len(self.changed)

    def to_json(self) -> dict[str, object]:
        """Returns the counts as JSON-compatible data."""
        return {
            "deals": self.deals,
            "differing": self.differing,
            "unmapped": self.unmapped,
            "states": [
                {"old": old, "new": new, "deals": count}
                for (old, new), count in sorted(self.states.items())
            ],
            "fields": [
                {"kind": kind, "effect": effect, "field": name, "deals": count}
                for (kind, effect, name), count in sorted(self.fields.items())
            ],
        }

    def lines(self) -> Iterator[str]:
        """Yields the counts for people."""
        yield f"{self.differing} of {self.deals} deals get something else."
        if self.unmapped:
            yield f"  {self.unmapped} can no longer be mapped"
        for (old, new), count in sorted(self.states.items()):
            yield f"  {count} x project {old or 'none'} -> {new or 'none'}"
        for (kind, effect, name), count in sorted(self.fields.items()):
            yield f"  {count} x {kind} {name} {effect}"


def compare_desired(old: DesiredGroup | None, new: DesiredGroup | None) -> list[FieldDifference]:
    """Returns what is different between the records that a deal asks for, field by field."""
    before = {record.key: record for record in old.records()} if old else {}
    after = {record.key: record for record in new.records()} if new else {}
    differences = [
        difference
        for key in {**before, **after}
        for difference in _compare(key, before.get(key), after.get(key))
    ]
    return [*differences, *_policies(old, new)] if old and new else differences


def _compare(key: RecordKey, old: Desired | None, new: Desired | None) -> Iterator[FieldDifference]:
    effect = Effect.CHANGED if old and new else Effect.ADDED if new else Effect.DROPPED
    before, after = (old.fields if old else {}), (new.fields if new else {})
    owned = new or old
    assert owned is not None
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield FieldDifference(
                key,
                effect,
                name,
                before.get(name),
                after.get(name),
                owned.owner(name),
                owned.origin(name if key.is_root else ""),
            )


def _policies(old: DesiredGroup, new: DesiredGroup) -> Iterator[FieldDifference]:
    """Yields what is decided otherwise about a project as a whole."""
    for name in ("when_retired", "when_deleted"):
        before, after = getattr(old, name).value, getattr(new, name).value
        if before != after:
            yield FieldDifference(new.root.key, Effect.CHANGED, name, before, after, Owner.SALES)
    dropped = [each.when_dropped.get(Kind.MILESTONE, "") for each in (old, new)]
    if dropped[0] != dropped[1]:
        key, (before, after) = new.root.key, map(str, dropped)
        yield FieldDifference(key, Effect.CHANGED, "when_dropped", before, after, Owner.SALES)


def compare_deal(old: MappedDeal, new: MappedDeal) -> DealDifference | None:
    """Returns what changes for one deal, None if nothing does.

    A deal that could not be mapped before does not differ when it still cannot.
    """
    before, after = old.visible, new.visible
    if new.problem:
        if old.problem:
            return None
        return DealDifference(new.key, _state(before), _state(before), problem=new.problem)
    fields = tuple(compare_desired(before, after))
    if not fields:
        return None
    states = _state(before), _state(after)
    return DealDifference(new.key, *states, fields, is_there=new.has_project)


@dataclass(frozen=True, slots=True)
class MappedDeal:
    """What a deal asks for under a set of mappings, or why it cannot be mapped.

    ``has_project`` says whether a project of the deal is known to be in the target.
    """

    key: str
    group: DesiredGroup | None
    problem: str
    has_project: bool

    @property
    def visible(self) -> DesiredGroup | None:
        """The records, if there is a project or one would be made."""
        group = self.group
        shows = group is not None and (self.has_project or (group.create and not group.retired))
        return group if shows else None

    def held(self, part: Callable[[DesiredGroup], DesiredGroup]) -> MappedDeal:
        """Returns what of it the target can hold."""
        return replace(self, group=part(self.group)) if self.group else self


def map_projects(
    mappings: MappingSet, deal: Deal, staffing: Staffing, today: date, there: Container[str]
) -> list[MappedDeal]:
    """Maps a deal for a comparison, its own project first, then those of its other phases."""
    try:
        groups = mappings.desired_groups(deal, staffing, today)
    except NotMapped as problem:
        return [MappedDeal(deal.key, None, str(problem), deal.key in there)]
    found = {group.key: group for group in groups}
    own = MappedDeal(deal.key, found.pop(deal.key, None), "", deal.key in there)
    return [own, *(MappedDeal(key, each, "", key in there) for key, each in found.items())]


def _state(group: DesiredGroup | None) -> str:
    return str(group.root.fields[Project.STATE]) if group else ""


def compare_all(  # noqa: PLR0913 - two sets of rules, and how deals are seen
    deals: Iterable[tuple[Deal, Staffing]],
    old: MappingSet,
    new: MappingSet,
    today: date,
    with_project: Container[str] = (),
    *,
    part: Callable[[DesiredGroup], DesiredGroup] = lambda group: group,
) -> Iterator[DealDifference | None]:
    """Yields for each deal what changes for it, None if nothing does.

    ``with_project`` are the keys of deals whose project is there already: of the others, only
    those count that a project would be made for. ``part`` is the part of a group that the target
    can hold.
    """
    for deal, staffing in deals:
        asked = deal, staffing, today, with_project
        before, after = (
            {each.key: each.held(part) for each in map_projects(rules, *asked)}
            for rules in (old, new)
        )
        yield compare_deal(before[deal.key], after[deal.key])
        for key in {**before, **after}:
            difference = _of_phase(key, before, after, is_there=key in with_project)
            if key != deal.key and difference is not None:
                yield replace(difference, of_deal=deal.key)


def _of_phase(
    key: str, before: Mapping[str, MappedDeal], after: Mapping[str, MappedDeal], *, is_there: bool
) -> DealDifference | None:
    """Returns what changes for the project of a phase. One that is there stays when the phase
    leaves its mapping, and so it does while its deal cannot be mapped."""
    nothing = MappedDeal(key, None, "", is_there)
    if key in after:
        return compare_deal(before.get(key, nothing), after[key])
    was = _state(before[key].visible)
    can_be_mapped = not any(each.problem for each in after.values())
    return DealDifference(key, was, "", is_there=is_there) if was and can_be_mapped else None
