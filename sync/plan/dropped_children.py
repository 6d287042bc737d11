"""Children that are bound and no longer asked for: what becomes of them. Pure.

=====================  ============================================================================
when dropped           outcome
=====================  ============================================================================
remove                 removed, if the connector made it (people who were taken off)
remove-if-untouched    removed, if the connector made it and it is untouched; else reported
report                 stays, and is reported for as long as it is there
keep                   stays, and nothing is said
(no policy)            stays, and is forgotten
=====================  ============================================================================

The first two may be a record's own, from when it was made; else it is the group's rule for its kind
that counts.

What people made, or took away, is not the connector's: it is forgotten. What stays is still bound,
so that it can be removed later, and is found again when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from enum import Enum, auto

from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.model import Action, ActionType, Issue, IssueKind
from sync.records.model import Binding, Desired, Observed, RecordKey, Value, WhenDropped
from sync.records.record_merge import Bases, Splitter

ALIKE = 0.75
"""From this likeness on (of `difflib`), two names are one name that was corrected."""

TELLING = 2
"""So many fields beside the name have to hold something, and the same, to tell a renamed record;
all of them, where the target has a place for fewer."""


class Outcome(Enum):
    """What becomes of a dropped child without an action and without an issue."""

    FORGET = auto()
    STAY = auto()


def settle_dropped(
    binding: Binding,
    base: Bases,
    found: Observed | None,
    policy: WhenDropped | None,
    split: Splitter,
) -> Action | Issue | Outcome:
    """Returns what is to be done about a child that is no longer asked for."""
    is_own = binding.created and not (binding.deleted or binding.unlinked)
    if found is None or not is_own:
        return Outcome.FORGET
    if binding.when_dropped is WhenDropped.REMOVE:
        return removal(binding.key, found)
    if binding.when_dropped is WhenDropped.REMOVE_IF_UNTOUCHED:
        return _take_back(binding, base, found, split)
    if policy in (None, WhenDropped.KEEP):
        return Outcome.FORGET if policy is None else Outcome.STAY
    if policy is WhenDropped.REPORT and binding.when_dropped is not WhenDropped.REPORT:
        return _stays(binding.key, 'it stays (when_dropped = "report")')
    return _take_back(binding, base, found, split)


def _take_back(binding: Binding, base: Bases, found: Observed, split: Splitter) -> Action | Issue:
    """Returns the action that takes a child back, or the issue that says why it stays."""
    edited = list(_edited(base, found, split))
    if edited:
        return _stays(binding.key, f"it stays, because people changed {', '.join(edited)}")
    if binding.when_dropped is WhenDropped.REPORT:  # found out when it was to be removed
        return touched_issue(binding.key)
    reason = "no longer wanted, and removed unless someone edited it"
    return Action(ActionType.REMOVE, binding.key, reason, observed=found, if_untouched=True)


def removal(key: RecordKey, found: Observed) -> Action:
    """Returns the action that removes a child, whoever touched it."""
    return Action(ActionType.REMOVE, key, "no longer wanted by sales", observed=found)


def touched_issue(key: RecordKey) -> Issue:
    """Returns the issue about a child that was to be removed, and that people have used."""
    return _stays(key, "it stays, because people have worked with it")


def _stays(key: RecordKey, why: str) -> Issue:
    message = f"{key}: this {key.kind} is no longer wanted; {why}"
    return with_usual_ways_out(Issue(IssueKind.DROPPED, key, message))


def _edited(base: Bases, found: Observed, split: Splitter) -> Iterator[str]:
    """Yields the fields that do not hold what the server answered when they were written last."""
    hints: list[Mapping[str, Value]] = [
        {name: value.observed for name, value in base.items()},
        {name: value.desired for name, value in base.items()},
    ]
    seen = split(found, hints)
    for name, value in base.items():
        if name in seen and seen[name] != value.observed:
            yield name


# --- renames


def renamed(
    dropped: Mapping[RecordKey, Bases], new: Mapping[RecordKey, Desired]
) -> dict[RecordKey, RecordKey]:
    """Returns which new records are dropped ones under another key: new key -> old key.

    A record is known by its name where it has no other id. It is the same one if all else about it
    is the same and tells enough, or if the name is alike; and if no other comes into question.
    """
    pairs: dict[RecordKey, RecordKey] = {}
    for is_same in (_same_but_for_the_name, _alike):
        left = {key: base for key, base in dropped.items() if key not in pairs.values()}
        asked = {key: record for key, record in new.items() if key not in pairs}
        found = {
            key: [
                old
                for old, base in left.items()
                if old.kind == key.kind and is_same(old, base, record)
            ]
            for key, record in asked.items()
        }
        claims = [old for olds in found.values() for old in olds]
        pairs |= {
            key: olds[0]
            for key, olds in found.items()
            if len(olds) == 1 and claims.count(olds[0]) == 1
        }
    return pairs


def _same_but_for_the_name(old: RecordKey, base: Bases, record: Desired) -> bool:
    same = [name for name, value in record.fields.items() if _asked(base, name) == value]
    distinctive = [name for name in same if record.fields[name] not in (None, "", frozenset())]
    others = len(record.fields) - 1
    return 0 < others <= len(same) and len(distinctive) >= min(TELLING, others)


def _alike(old: RecordKey, base: Bases, record: Desired) -> bool:
    names = old.name.casefold(), record.key.name.casefold()
    is_distinctive = len(record.fields) > 1  # a bare name is all that there is to it
    return is_distinctive and SequenceMatcher(None, *names).ratio() >= ALIKE


def _asked(base: Bases, name: str) -> Value:
    return base[name].desired if name in base else None
