"""Fields that name another child of the group: what becomes of them while it cannot be named. Pure.

A target refuses a record that names what is not there. So the field stays empty until it is, and a
person is told. What people put into the field is theirs: where the source names nothing, or nothing
that can be named, only what the connector itself put there is taken away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.known import Bound
from sync.plan.model import Issue, IssueKind
from sync.records.model import Desired, Observed, RecordKey, Reference, Value, by_identity
from sync.records.record_merge import Bases


@dataclass(frozen=True, slots=True)
class Others:
    """The other children of a group: what is bound and seen of them, and which are being made."""

    bound: Mapping[RecordKey, Bound]
    observed: Sequence[Observed]
    made: Collection[RecordKey]

    def obstacle(self, reference: Reference) -> str | None:
        """Says why nothing can be named: "" where something can, None where that is unknown."""
        key = reference.key
        if key is None:
            return reference.why
        found = self._found(key)
        if found is not None:
            return f"{key.name} {found.unavailable}" if found.unavailable else ""
        if key in self.made:
            return ""
        alike = [each for each in self.observed if each.kind == key.kind]
        if all(each.identity for each in alike):
            return absent(key)
        return None

    def _found(self, key: RecordKey) -> Observed | None:
        if key in self.bound:
            target_id = self.bound[key].binding.target_id
            for each in self.observed:
                if (each.kind, each.id) == (key.kind, target_id):
                    return each
        return next(
            iter(by_identity(self.observed, key.kind, key.name.casefold(), key.group)), None
        )


def absent(key: RecordKey) -> str:
    """Says that a child is not there."""
    name, kind = key.name, key.kind
    return f"{name} has no {kind} there"


def settled_references(
    record: Desired, base: Bases, found: Observed | None, others: Others
) -> tuple[Desired, list[Issue]]:
    """Returns a record whose fields name only what can be named, and what is to be reported.

    A field of which it is unknown at present whether it can is left as it is.
    """
    fields: dict[str, Value] = dict(record.fields)
    issues: list[Issue] = []
    for name, reference in record.refers.items():
        if name not in fields:
            continue
        why = others.obstacle(reference)
        if why is None:
            del fields[name]
            continue
        if why:
            fields[name] = None
            issues.append(waiting_issue(record.key, name, reference, why))
        if not fields[name] and _is_peoples(name, base, found):
            del fields[name]
    return replace(record, fields=fields), issues


def waiting_issue(key: RecordKey, field: str, reference: Reference, why: str) -> Issue:
    """Returns the issue of a field that stays empty."""
    wanted = reference.key.name if reference.key else None
    message = f"{key}: '{field}' stays empty: {why}"
    return with_usual_ways_out(Issue(IssueKind.WAITING, key, message, field=field, desired=wanted))


def _is_peoples(name: str, base: Bases, found: Observed | None) -> bool:
    """Whether people chose what a field holds."""
    if found is None or not found.fields.get(name):
        return False
    return name not in base or base[name].observed != found.fields[name]
