"""Merges all fields of one record, by the table in `sync.records.merge`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sync.plan.model import Change
from sync.records.merge import Decision, Situation, Verdict, merge_field, situation
from sync.records.model import Base, Desired, Observed, Owner, Value

Splitter = Callable[[Observed, Sequence[Mapping[str, Value]]], Mapping[str, Value]]
"""`sync.target.Target.split`."""

Bases = Mapping[str, Base]
"""The base of a record, by field."""


@dataclass(frozen=True, slots=True)
class MergedRecord:
    """A record after the merge.

    ``fields`` are all fields as they should be; ``writes`` those to write; ``kept`` people's edits
    that stay; ``conflicts`` what waits for a person; ``remember`` bases that hold without a write.
    """

    fields: Mapping[str, Value]
    writes: tuple[Change, ...]
    kept: tuple[Change, ...]
    conflicts: tuple[Change, ...]
    remember: Bases


def merge_record(
    record: Desired, base: Bases, intended: Sequence[Bases], observed: Observed, split: Splitter
) -> MergedRecord:
    """Merges the fields of ``record`` with what was observed.

    ``intended`` are the bases that would stand had the receipts of open intents arrived, the
    oldest first. A field that the read could not tell is taken for unchanged; without a base it
    is written, unless delivery owns it.
    """
    hints = _hints(record, base, intended)
    seen = split(observed, hints)
    for bases in intended:
        base = _settled(base, bases, seen)
    fields: dict[str, Value] = dict(seen)
    changes: list[Change] = []
    for name, desired in record.fields.items():
        change = _merge_one(name, desired, record.owner(name), base.get(name), seen)
        fields[name] = change.decision.value
        changes.append(change)
    return MergedRecord(
        fields,
        writes=tuple(c for c in changes if c.decision.writes),
        kept=tuple(c for c in changes if _is_kept(c, base.get(c.field))),
        conflicts=tuple(c for c in changes if c.decision.verdict is Verdict.CONFLICT),
        remember=_remembered(changes, base, intended),
    )


def _merge_one(
    name: str, desired: Value, owner: Owner, base: Base | None, seen: Mapping[str, Value]
) -> Change:
    if name in seen:
        now, decision = seen[name], merge_field(owner, base, desired, seen[name])
    elif base is not None:
        now = _believed(base)
        decision = merge_field(owner, base, desired, now)
    else:
        now, decision = None, _introduce(owner, desired)
    return Change(name, base.desired if base else None, desired, now, owner, decision)


def _believed(base: Base) -> Value:
    """Returns what a field that cannot be read probably holds."""
    return base.desired if isinstance(base.desired, frozenset) else base.observed


def _introduce(owner: Owner, desired: Value) -> Decision:
    """Decides about a field that cannot be read and was never agreed upon."""
    verdict = Verdict.REBASE if owner is Owner.DELIVERY else Verdict.WRITE
    return Decision(verdict, desired, Base(desired, desired))


def _is_kept(change: Change, base: Base | None) -> bool:
    """Whether people edited the field and their edit stays."""
    if change.decision.verdict is not Verdict.KEEP or base is None:
        return False
    if isinstance(change.desired, frozenset):
        return True
    return situation(base, change.desired, change.observed) is not Situation.SALES_MOVED


def _settled(base: Bases, intended: Bases, seen: Mapping[str, Value]) -> Bases:
    """Returns ``base`` with what an open intent wrote, as far as the target shows it.

    Where the target holds what the intent asked for, the write happened. Where it does not, it
    did not happen, or people changed the field since. Of a field that cannot be read the others
    tell: they were written together.
    """
    readable = {name: value for name, value in intended.items() if name in seen}
    settled = {name: _settle_one(base.get(name), readable[name], seen[name]) for name in readable}
    happened = bool(readable) and all(settled[name] == intended[name] for name in readable)
    unreadable = {name: intended[name] for name in intended if name not in seen and happened}
    return {**base, **{n: value for n, value in settled.items() if value}, **unreadable}


def _settle_one(base: Base | None, intended: Base, seen: Value) -> Base | None:
    """Returns the base of one field, given that a write was intended whose receipt is missing."""
    if not isinstance(intended.desired, frozenset):
        return intended if seen == intended.desired else base
    return _settle_set(base or Base(frozenset(), frozenset()), intended, _elements(seen))


def _settle_set(base: Base, intended: Base, seen: frozenset[str]) -> Base:
    """As `_settle_one`, element by element.

    An element that was to be added and is not there still has to be added; one that was to be
    taken away and is there still has to be taken away.
    """
    wanted, added = _elements(intended.desired), _elements(intended.observed)
    remain = (_elements(base.observed) - wanted) & seen
    missing = wanted - _elements(base.desired) - seen
    return Base((wanted - missing) | remain, (added - missing) | remain)


def _elements(value: Value) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _remembered(
    changes: Sequence[Change], base: Bases, intended: Sequence[Bases]
) -> dict[str, Base]:
    """Returns the bases that hold although nothing is written for them."""
    settled = {name: base[name] for bases in intended for name in bases if name in base}
    rebased = {c.field: c.decision.base for c in changes if c.decision.base is not None}
    return {**settled, **rebased}


def _hints(record: Desired, base: Bases, intended: Sequence[Bases]) -> list[Mapping[str, Value]]:
    return [
        *({name: value.desired for name, value in bases.items()} for bases in reversed(intended)),
        {name: value.observed for name, value in base.items()},
        {name: value.desired for name, value in base.items()},
        record.fields,
    ]
