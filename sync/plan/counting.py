"""Counts what a plan would change, for the limits (`sync.plan.limits`). Pure.

=================  ===========================================================================
limit              counts
=================  ===========================================================================
``create``         new roots
``staff``          roots that are there and become staffed
``children``       children made in, or taken out of, groups whose root is there already
``retire``         roots that are retired
``remove_member``  children that are taken out as soon as no one asks for them
``rename``         other roots whose title, label or state changes
``cleared``        roots that lose one and the same fact: the greatest number of any fact
``mails``          mails to one person: the greatest number that anyone gets
=================  ===========================================================================
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sync.plan.limits import Amount
from sync.plan.model import Action, ActionType, Change, GroupPlan
from sync.records.model import LABEL, STAFFED, STATE, TITLE, Desired, RecordKey, Value, counted

NAMED = 3
"""So many examples make a message."""

NOTHING: Final[tuple[Value, ...]] = (None, "", frozenset())
"""Values of fields that say nothing."""

Mailed = Callable[[Desired], str]
"""Tells whom a target mails when it makes a record; "" if no one."""


@dataclass(slots=True)
class Count:
    """What is counted under one limit."""

    kinds: Counter[str] = field(default_factory=Counter)
    roots: set[str] = field(default_factory=set)
    """Of what kind the roots are."""
    groups: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)

    def add(self, key: RecordKey, origin: str, root: str = "") -> None:
        """Counts one record, in a group whose root is of the kind ``root``."""
        self.kinds[key.kind] += 1
        self.roots.add(root)
        self.groups[key.group] += 1
        if origin:
            self.origins[origin] += 1

    def amount(self, *, is_of_children: bool = False) -> Amount:
        """Returns what was counted; of children, in how many groups as well."""
        where = name_some(self.groups)
        if not is_of_children:
            return Amount(self.groups.total(), examples=where, origin=self.origin)
        kinds = ", ".join(f"{count} x {kind}" for kind, count in self.kinds.most_common())
        unit = next(iter(self.roots)) if len(self.roots) == 1 else ""
        examples = f"{kinds} in {counted(len(self.groups), unit)} ({where})"
        groups = len(self.groups)
        return Amount(self.kinds.total(), groups, unit=unit, examples=examples, origin=self.origin)

    @property
    def origin(self) -> str:
        """What asks for it, the most frequent first."""
        some = [f"{origin} ({count})" for origin, count in self.origins.most_common(NAMED)]
        return ", ".join(some) + (" …" if len(self.origins) > NAMED else "")


def count_actions(groups: Iterable[GroupPlan]) -> dict[str, Amount]:
    """Returns how much a plan holds of what limits are about, by their names; mails aside."""
    names = ("create", "staff", "children", "retire", "remove_member", "rename")
    tallies = {name: Count() for name in names}
    for group in groups:
        is_new = any(a.type is ActionType.CREATE and a.key.is_root for a in group.actions)
        for action in group.actions:
            found = _counted_root(action) if action.key.is_root else _counted_child(action)
            if found and not (is_new and found[0] == "children"):
                origin = action.desired.origin(found[1]) if action.desired else ""
                tallies[found[0]].add(action.key, origin, group.desired.root.key.kind)
    return {
        name: tally.amount(is_of_children=name == "children") for name, tally in tallies.items()
    }


def _counted_root(action: Action) -> tuple[str, str] | None:
    """Returns under which limit a root's action counts, and the field that it is about.

    A root counts once. A new label that reports a new state is not a rename of its own where that
    state has a limit.
    """
    if action.type in (ActionType.CREATE, ActionType.RETIRE):
        return action.type.value, STATE
    for change in action.changes:
        is_known = action.type is not ActionType.ADOPT and change.base is not None
        if change.field == STATE and is_known and change.desired == STAFFED:
            return "staff", STATE
    changed = {change.field for change in action.changes}
    if action.type is not ActionType.ADOPT and STATE in changed:
        return "rename", STATE
    named = next((name for name in (TITLE, LABEL) if name in changed), None)
    return ("rename", named) if named else None


def _counted_child(action: Action) -> tuple[str, str] | None:
    if action.type is ActionType.CREATE or action.if_untouched:
        return "children", ""
    is_removal = action.type is ActionType.REMOVE and action.stays is None
    return ("remove_member", "") if is_removal else None


def most_cleared(groups: Iterable[GroupPlan]) -> Amount:
    """Returns how many roots that are there lose one and the same fact, of the most frequent one.

    A source that lost a column still has every row. A fact that many roots lose in one run shows
    it, whatever the source is. Another state takes facts along, and has limits of its own.
    """
    tallies: defaultdict[str, Count] = defaultdict(Count)
    for group in groups:
        for action in group.actions:
            changed = {change.field for change in action.changes}
            if action.key.is_root and action.type is ActionType.UPDATE and STATE not in changed:
                for name in cleared_facts(action.changes) - {TITLE, LABEL}:
                    tallies[name].add(action.key, "")
    if not tallies:
        return Amount(0)
    name, most = max(tallies.items(), key=lambda item: item[1].groups.total())
    return replace(most.amount(), detail=name)


def cleared_facts(changes: Iterable[Change]) -> frozenset[str]:
    """Names what changes take away: fields that become empty, and of a text of lines
    ``Name: value`` the names that are gone.

    A text with as many names as before has other words for them: nothing is lost.
    """
    cleared = set()
    for change in changes:
        if change.base in NOTHING:
            continue
        if change.desired in NOTHING:
            cleared.add(change.field)
        before, after = names_of_facts(change.base), names_of_facts(change.desired)
        if len(after) < len(before):
            cleared |= before - after
    return frozenset(cleared)


def names_of_facts(value: Value) -> frozenset[str]:
    """Returns the names in a text of lines ``Name: value``; none of anything else."""
    if not isinstance(value, str):
        return frozenset()
    lines = [line.partition(": ") for line in value.splitlines()]
    return frozenset(name for name, separator, _ in lines if separator)


def count_mails(groups: Iterable[GroupPlan], mailed: Mailed) -> dict[str, int]:
    """Returns how many mails a plan has a target send to whom, the most first."""
    mails: Counter[str] = Counter()
    for action in (action for group in groups for action in group.actions):
        mails.update(filter(None, [_mailed_by(action, mailed)]))
    return dict(mails.most_common())


def _mailed_by(action: Action, mailed: Mailed) -> str:
    """Returns whom a target mails: when it makes a child, and when a child names another one."""
    record = action.desired
    if record is None or action.key.is_root:
        return ""
    is_named = any(change.field in record.refers for change in action.changes)
    return mailed(record) if action.type is ActionType.CREATE or is_named else ""


def most_mails(mails: Mapping[str, int], origin: str = "") -> Amount:
    """Returns the greatest number of mails to one person."""
    some = [f"{count} to {address}" for address, count in list(mails.items())[:NAMED]]
    examples = ", ".join(some) + (" …" if len(mails) > NAMED else "")
    return Amount(max(mails.values(), default=0), examples=examples, origin=origin)


def mails_origin(groups: Iterable[GroupPlan], mailed: Mailed, address: str) -> str:
    """Returns what asks for the mails to one person."""
    tally = Count()
    for action in (action for group in groups for action in group.actions):
        if action.desired and _mailed_by(action, mailed) == address:
            tally.add(action.key, action.desired.origin())
    return tally.origin


def name_some(names: Iterable[str]) -> str:
    """Names the first few, and shows whether there are more."""
    first, *rest = sorted(names) or [""]
    some = ", ".join([first, *rest[: NAMED - 1]])
    return some + (" …" if len(rest) >= NAMED else "")
