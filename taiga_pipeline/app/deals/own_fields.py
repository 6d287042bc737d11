"""What the store holds in fields of the user's own, beside what the configuration says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace

MAX_UNREADABLE: Final = 100
"""How many values that do not fit are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that is none of its field's kind, as the field is declared now."""

    deal: str
    field: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class OwnFields:
    """What deals hold: ``filled`` counts them by field, ``undeclared`` those of fields that the
    configuration does not declare (any more). ``unreadable_count`` counts what does not fit."""

    filled: Mapping[str, int]
    undeclared: Mapping[str, int]
    unreadable: tuple[Unreadable, ...]
    unreadable_count: int


def look_at_own_fields(workspace: Workspace) -> OwnFields:
    """Looks at every value in a field of the user's own; changes nothing.

    :raises ProblemsError: deals are read from elsewhere.
    :raises Unreachable: the store cannot be used.
    """
    from taiga_pipeline.pipeline.fields.own import objection

    declared = {field.name: field for field in workspace.fields.own}
    filled, undeclared = Counter(dict.fromkeys(declared, 0)), Counter[str]()
    wrong: list[Unreadable] = []
    count = 0
    with deal_store(workspace) as store:
        for key, values in store.own_values():
            for name, text in values.items():
                if name not in declared:
                    undeclared[name] += 1
                    continue
                filled[name] += 1
                if reason := objection(declared[name], text):
                    count += 1
                    if len(wrong) < MAX_UNREADABLE:
                        wrong.append(Unreadable(key, name, text, reason))
    return OwnFields(filled, undeclared, tuple(wrong), count)
