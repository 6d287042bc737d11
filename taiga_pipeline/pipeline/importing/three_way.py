"""A row of a file and a deal of the store, merged three ways, field by field.

The row is what is desired, the deal what is observed, and what both held when they last agreed is
the base: at the export for a row that carries a version, else at the last import. The verdicts are
those of `sync.records.merge`. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sync.records.merge import Verdict, merge_field
from sync.records.model import Base, Owner, Value
from taiga_pipeline.pipeline.cleaning import clean_deal
from taiga_pipeline.pipeline.columns import format_cell, parse_cell
from taiga_pipeline.pipeline.edits import LOGS
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import TEXT_KINDS, Kind, held, with_values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.importing.options import Take
from taiga_pipeline.pipeline.importing.rows import Draft
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notation import format_roles
from taiga_pipeline.pipeline.notes import joined
from taiga_pipeline.pipeline.text import line

TIMES: Final = frozenset({"stage_since", "updated_at"})
"""Fields that follow from the others; `taiga_pipeline.pipeline.importing.times` has their rules."""

_TOGETHER: Final = (("value", "currency"),)
"""Fields that mean something only together: an edit of one and of the other is one conflict."""
_WITH_STAGE: Final = ("closed_on", "lost_reason")
"""Fields that do not follow a move which is not made."""
_NEVER_CLEARED: Final = frozenset({"key", "name", "stage"}) | TIMES | LOGS


class Blanks(StrEnum):
    """What a blank cell says."""

    SAY_NOTHING = "nothing"
    CLEAR_WHAT_WAS_IMPORTED = "the value of the last import is gone"
    COUNT = "the field was cleared"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a row and its deal held when they last agreed, as text per field.

    A field that is not in ``cells`` was blank. ``is_newer`` says that this is newer than the row
    itself: nothing of the row is written then.
    """

    cells: Mapping[str, str]
    blanks: Blanks
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that the file and the store changed apart: what each holds, and held before."""

    field: str
    base: str
    file: str
    store: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of a deal; the fields of ``clashes`` are as they were."""

    deal: Deal
    clashes: tuple[Clash, ...] = ()


def merge_row(
    before: Deal,
    draft: Draft,
    agreed: Agreed | None,
    *,
    clear_blank: bool = False,
    take: Take = Take.NEITHER,
) -> Merged:
    """Merges a row into its deal.

    Where nothing was agreed upon (``agreed`` is None), what the deal holds is taken for that: what
    the row says is written. With ``clear_blank``, blank
    cells clear their fields in any case.

    :raises InvalidValue: the deal cannot be stored.
    """
    said = _said(before, draft, agreed, clear_blank)
    theirs = clean_deal(with_values(before, said))
    forced = draft.blank if clear_blank else frozenset()
    written: dict[str, Any] = {}
    clashes: list[Clash] = []
    for unit in _units(said, agreed):
        ours = _held(unit, before)
        base = _base_of(unit, agreed) if agreed else Base(ours, ours)
        owner = Owner.SALES if forced.intersection(unit) else Owner.SHARED
        decision = merge_field(owner, base, _held(unit, theirs), ours)
        refused = decision.verdict is Verdict.CONFLICT or (
            decision.writes and agreed is not None and agreed.is_newer
        )
        if refused and take is not Take.FILE:
            clashes.extend(_clashes(unit, agreed, theirs, before))
        elif isinstance(decision.value, frozenset):
            written["done"] = decision.value
        elif decision.writes or refused:
            written.update({name: held(theirs, name) for name in unit})
    written |= {name: joined(held(before, name), said[name]) for name in LOGS & said.keys()}
    clashes.extend(_held_back_with_stage(clashes, written, agreed, theirs, before))
    for name, value in draft.weak.items():
        if not held(before, name):
            written.setdefault(name, value)
    changed = {name: value for name, value in written.items() if value != held(before, name)}
    after = clean_deal(with_values(before, changed)) if changed else before
    return Merged(after, () if take is Take.STORE else tuple(clashes))


def _said(before: Deal, draft: Draft, agreed: Agreed | None, clear_blank: bool) -> dict[str, Any]:
    """Returns what the row says about its deal, blanks that count among it."""
    said = {name: value for name, value in draft.values.items() if name not in TIMES}
    said["key"] = before.key
    for name in draft.blank - _NEVER_CLEARED:
        if clear_blank or (agreed is not None and _clears(name, before, agreed)):
            said[name] = BUILT_IN[name].empty if name in BUILT_IN else ""
    return said


def _clears(name: str, deal: Deal, agreed: Agreed) -> bool:
    if agreed.blanks is not Blanks.CLEAR_WHAT_WAS_IMPORTED:
        return agreed.blanks is Blanks.COUNT
    text = agreed.cells.get(name, "")
    return bool(text) and _token(name, held(deal, name)) == _token_of_text(name, text)


def _units(said: Iterable[str], agreed: Agreed | None) -> Iterator[tuple[str, ...]]:
    """Yields the fields that are decided about, those that belong together in one."""
    known = agreed.cells if agreed else {}
    done: set[str] = {"key"} | LOGS
    for name in said:
        if name in done:
            continue
        unit = next((unit for unit in _TOGETHER if name in unit), (name,))
        done.update(unit)
        yield tuple(each for each in unit if each in said or each in known)


def _base_of(unit: tuple[str, ...], agreed: Agreed) -> Base:
    value = _joined([_token_of_text(name, agreed.cells.get(name, "")) for name in unit])
    return Base(value, value)


def _held(unit: tuple[str, ...], deal: Deal) -> Value:
    return _joined([_token(name, held(deal, name)) for name in unit])


def _joined(tokens: list[str | frozenset[str]]) -> Value:
    return tokens[0] if len(tokens) == 1 else "\0".join(map(str, tokens))


def _token(name: str, value: Any) -> str | frozenset[str]:
    """Returns a value in the one form in which all ways of writing it are equal."""
    if isinstance(value, frozenset):
        return value
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if name == "roles":
        plain = (replace(each, hours_per_week=each.hours_per_week.normalize()) for each in value)
        return format_roles(plain)
    return format_cell(name, value)


def _token_of_text(name: str, text: str) -> str | frozenset[str]:
    """Returns the same form of a value that is remembered as text."""
    try:
        if name not in BUILT_IN:  # one of the user's own: its text is its value
            return line(text)
        kind, value = BUILT_IN[name].kind, parse_cell(name, text)
        if kind in TEXT_KINDS:
            value = line(text)
            value = value.upper() if kind is Kind.CURRENCY else value
        return _token(name, value)
    except InvalidValue:  # written by a program that knew another notation
        return text


def _clashes(
    unit: tuple[str, ...], agreed: Agreed | None, theirs: Deal, ours: Deal
) -> Iterator[Clash]:
    """Yields the fields of a unit in which the two sides differ."""
    cells = agreed.cells if agreed else {}
    for name in unit:
        if _token(name, held(theirs, name)) != _token(name, held(ours, name)):
            file, store = (format_cell(name, held(deal, name)) for deal in (theirs, ours))
            yield Clash(name, cells.get(name, ""), file, store)


def _held_back_with_stage(
    clashes: Iterable[Clash],
    written: dict[str, Any],
    agreed: Agreed | None,
    theirs: Deal,
    ours: Deal,
) -> list[Clash]:
    """Takes back what would be written about a move that is not made."""
    if not any(clash.field == "stage" for clash in clashes):
        return []
    names = tuple(name for name in _WITH_STAGE if name in written)
    for name in names:
        del written[name]
    return list(_clashes(names, agreed, theirs, ours))
