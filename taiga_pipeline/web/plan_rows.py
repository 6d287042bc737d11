"""A plan as rows of a table: what is written where, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.plan.model import ActionType
from sync.records.merge import Verdict
from taiga_pipeline.report.plan_text import shown
from taiga_pipeline.report.record_words import field_in_words, value_in_words

if TYPE_CHECKING:
    from sync.plan.model import Action
    from sync.records.model import Value
    from taiga_pipeline.pipeline.fields.field import FieldTable


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field that is written: what it shows now ("" for a new record), and then; who decides."""

    field: str
    now: str
    then: str
    owner: str
    is_undone: bool


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record that is written. ``name`` is "" for the project itself."""

    action: str
    kind: str
    name: str
    reason: str
    fields: tuple[FieldRow, ...]
    notes: tuple[str, ...]


def plan_rows(actions: Iterable[Action], fields: FieldTable) -> tuple[RecordRow, ...]:
    """Returns the records that are written, in the order of the plan; ``fields`` are of deals."""
    return tuple(
        RecordRow(
            each.type.value,
            each.key.kind,
            "" if each.key.is_root else each.key.name,
            each.reason,
            tuple(_fields(each, fields)),
            each.notes,
        )
        for each in actions
    )


def _fields(action: Action, fields: FieldTable) -> Iterator[FieldRow]:
    is_new = action.type is ActionType.CREATE
    for change in action.changes:
        if is_new and change.desired in (None, "", False, frozenset()):
            continue
        yield FieldRow(
            field_in_words(change.field, fields),
            "" if is_new else _said(change.field, change.observed),
            _said(change.field, change.desired if is_new else change.decision.value),
            change.owner.value,
            change.decision.verdict is Verdict.WRITE_BACK,
        )


def _said(field: str, value: Value) -> str:
    words = value_in_words(field, value)
    return words if isinstance(words, str) and words != value else shown(value)
