"""The three-way merge: the one place that decides what becomes of a field.

For every field there are three values: *base* (agreed upon at the last sync), *desired* (asked for
by the source now) and *observed* (in the target now). Where they stand to each other is the
`Situation`; who owns the field is the `Owner`; the `TABLE` gives the `Verdict` for each pair. There
is no other rule. Sets go through the same table element by element (`merge_set`).

Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sync.records.model import Base, Owner, Value


class Situation(StrEnum):
    """How base, desired and observed stand to each other."""

    QUIET = "neither moved"
    SALES_MOVED = "only desired moved"
    DELIVERY_MOVED = "only observed moved"
    AGREED = "both moved, to the same value"
    APART = "both moved apart"
    NEW_EQUAL = "no base, equal"
    NEW_APART = "no base, unequal"
    NEW_EMPTY = "no base, and nothing is there"


class Verdict(StrEnum):
    """What is to be done about a field."""

    NOTHING = "nothing"
    WRITE = "write"
    """Write desired to the target."""
    WRITE_BACK = "write back"
    """Write desired over an edit that people made, and report it."""
    KEEP = "keep"
    """Leave what people made of it."""
    REBASE = "rebase"
    """Both sides hold the same: remember that, without writing."""
    CONFLICT = "conflict"
    """Write neither; report until a person resolves it."""


_ = Situation
TABLE: Mapping[Situation, Mapping[Owner, Verdict]] = {
    situation: dict(zip(Owner, verdicts, strict=True))
    for situation, *verdicts in (
        #                    owner sales         owner delivery   owner shared
        (_.QUIET, Verdict.NOTHING, Verdict.NOTHING, Verdict.NOTHING),
        (_.SALES_MOVED, Verdict.WRITE, Verdict.KEEP, Verdict.WRITE),
        (_.DELIVERY_MOVED, Verdict.WRITE_BACK, Verdict.KEEP, Verdict.KEEP),
        (_.AGREED, Verdict.REBASE, Verdict.REBASE, Verdict.REBASE),
        (_.APART, Verdict.WRITE_BACK, Verdict.KEEP, Verdict.CONFLICT),
        (_.NEW_EQUAL, Verdict.REBASE, Verdict.REBASE, Verdict.REBASE),
        (_.NEW_APART, Verdict.WRITE, Verdict.KEEP, Verdict.CONFLICT),
        (_.NEW_EMPTY, Verdict.WRITE, Verdict.KEEP, Verdict.WRITE),
    )
}
"""The heart of the engine. A record's creation does not come here: it writes every field."""
del _


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one field.

    ``value`` is what the target is to hold: differs from what it holds only where ``writes``.
    ``base`` is what to remember if nothing is written; None leaves the old base as it is.
    """

    verdict: Verdict
    value: Value
    base: Base | None = None

    @property
    def writes(self) -> bool:
        """Whether the target has to be written to."""
        return self.verdict in (Verdict.WRITE, Verdict.WRITE_BACK)


def situation(base: Base | None, desired: Value, observed: Value) -> Situation:
    """Tells how the three values stand to each other.

    Each side is compared with its own half of the base (see `Base`): with what it asked for, or
    answered, when they last agreed.
    """
    if base is None:
        return _new(desired, observed)
    sales_moved = desired != base.desired
    delivery_moved = observed != base.observed
    if sales_moved and delivery_moved:
        return Situation.AGREED if desired == observed else Situation.APART
    if sales_moved:
        return Situation.AGREED if desired == observed else Situation.SALES_MOVED
    return Situation.DELIVERY_MOVED if delivery_moved else Situation.QUIET


def _new(desired: Value, observed: Value) -> Situation:
    """Tells how two values stand that were never agreed upon. None is no one's word."""
    if desired == observed:
        return Situation.NEW_EQUAL
    return Situation.NEW_EMPTY if observed is None else Situation.NEW_APART


def merge_field(owner: Owner, base: Base | None, desired: Value, observed: Value) -> Decision:
    """Decides about one field: looks the situation up in the `TABLE`."""
    if isinstance(desired, frozenset):
        return merge_set(owner, base, desired, as_set(observed))
    verdict = TABLE[situation(base, desired, observed)][owner]
    if verdict in (Verdict.WRITE, Verdict.WRITE_BACK):
        if desired == observed:  # people already made it what the source wants
            return Decision(Verdict.REBASE, observed, Base(desired, observed))
        return Decision(verdict, desired)
    if verdict is Verdict.REBASE or (verdict is Verdict.KEEP and base is None):
        return Decision(verdict, observed, Base(desired, observed))
    return Decision(verdict, observed)


def merge_set(
    owner: Owner, base: Base | None, desired: frozenset[str], observed: frozenset[str]
) -> Decision:
    """Merges a set element by element; what the connector did not add is never taken away.

    An element counts as moved on the desired side when it is newly asked for or no longer asked
    for, and on the observed side when people took away one that had been asked for. An element
    that people took away stays away unless sales own the field.
    """
    asked = as_set(base.desired) if base else frozenset()
    added = as_set(base.observed) if base else frozenset()
    taken_away = (asked & desired) - observed
    restore = taken_away if owner is Owner.SALES else frozenset()
    add = frozenset() if owner is Owner.DELIVERY else desired - asked - observed
    remove = frozenset() if owner is Owner.DELIVERY else (added - desired) & observed
    value = (observed | add | restore) - remove
    remembered = Base(desired, value & desired & (added | add | restore))
    if value != observed:
        return Decision(Verdict.WRITE_BACK if restore else Verdict.WRITE, value, remembered)
    if base != remembered:
        return Decision(Verdict.REBASE, observed, remembered)
    return Decision(Verdict.KEEP if taken_away else Verdict.NOTHING, observed)


def base_after_write(decision: Decision, desired: Value, answered: Value) -> Base:
    """Returns what to remember of a field that was written and answered with ``answered``."""
    if isinstance(desired, frozenset) and decision.base is not None:
        kept = as_set(decision.base.observed) & as_set(answered)
        return Base(desired, kept)
    return Base(desired, answered)


def base_after_create(desired: Value, answered: Value) -> Base:
    """Returns what to remember of a field that the connector itself created."""
    if isinstance(desired, frozenset):
        return Base(desired, desired & as_set(answered))
    return Base(desired, answered)


def as_set(value: Value) -> frozenset[str]:
    """Returns a set's elements; anything else has none."""
    return value if isinstance(value, frozenset) else frozenset()
