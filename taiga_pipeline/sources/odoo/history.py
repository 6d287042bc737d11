"""How leads came to be as they are: what Odoo's chatter keeps of the fields that it tracks.

Every move of a stage, and being lost and taken up again, is a *tracking value* of a message. Who
may change Odoo's settings can read them; for others, Odoo 14 to 16 show them with the messages.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sync.errors import Rejected
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import Asked, Row, by_id, id_of, name_of, pages, records
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.importing.native import cell_of
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions
from taiga_pipeline.pipeline.model import Category, FieldChange, StageMove
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.sources.odoo.catalogue import Catalogue
from taiga_pipeline.sources.odoo.fields import LEAD
from taiga_pipeline.sources.odoo.values import Resolver, decode, heads
from taiga_pipeline.sources.port import Past

_LOG: Final = logging.getLogger(__name__)
_TRACKING: Final = "mail.tracking.value"
_MESSAGE: Final = "mail.message"
_STAGE, _ACTIVE = "stage_id", "active"
_AT_ONCE: Final = 200
"""Messages that are shown with their tracking values in one request."""

_NOT_SHOWN: Final = (
    "history: Odoo does not show this account what it tracks, so that reports do without the moves "
    "of stages; give the account the right Administration: Settings, or do without"
)

_TEXTS: Final = ("char", "selection", "many2one", "many2many", "one2many")


@dataclass(frozen=True, slots=True)
class Tracked:
    """One change of a tracked field, as Odoo kept it. ``number`` orders those of one moment."""

    lead: int
    field: str
    before: Any
    after: Any
    after_id: int
    at: datetime
    by: str
    number: int


@dataclass(frozen=True, slots=True)
class _Lead:
    """What has to be known of a lead to tell its past."""

    id: int
    key: str
    made: datetime | None
    stage: str
    stage_id: int
    is_lead: bool
    converted: datetime | None
    by: str


@dataclass(slots=True)
class History:
    """Tells moves and changes of leads."""

    client: OdooClient
    catalogue: Catalogue
    options: ImportOptions
    funnel: Funnel
    _won: set[int | str] = field(default_factory=set)
    """The ids and names of the stages that are won."""
    _stages: dict[int, str] = field(default_factory=dict)
    """What stages are called today, in the account's language."""

    def remarks(self) -> list[str]:
        """Says whether the past can be read."""
        try:
            self._direct([])
            return ["history: stage moves are read from Odoo's tracking values"]
        except Rejected:
            shown = self.client.version < (17, 0)
            return ["history: stage moves are read from Odoo's messages" if shown else _NOT_SHOWN]

    def past(self, key: str, newest: int | None, fields: Collection[str]) -> Past:
        """Returns what is on record of the deal ``key``, or of all; see `TellsHistory`."""
        moves: list[StageMove] = []
        changes: list[FieldChange] = []
        try:
            self._know_stages()
            for leads in self._leads(key):
                for lead, tracked in self._of_each(leads):
                    moves += self._moves(lead, tracked)
                    changes += self._changes(lead, tracked, fields)
        except Rejected as error:
            _LOG.warning("%s (%s)", _NOT_SHOWN, error)
        return Past(_ordered(moves, newest), _ordered(changes, newest))

    # --- what is read

    def _know_stages(self) -> None:
        rows = list(records(self.client, "crm.stage", ["name", "is_won"], (), {}))
        self._stages = {row["id"]: str(row["name"]) for row in rows}
        won = [row for row in rows if row["is_won"]]
        self._won = {each for row in won for each in (row["id"], str(row["name"]))}

    def _leads(self, key: str) -> Iterator[list[_Lead]]:
        """Yields the leads, page by page."""
        path = self.options.columns["key"]
        names = ["create_date", "stage_id", "type", "date_conversion", "create_uid"]
        domain: list[object] = []
        if key and path == "id":
            domain = [["id", "=", int(key) if key.isdecimal() else 0]]
        resolver = Resolver(self.client, self.catalogue)
        fields = self.catalogue.present([*names, *heads([path])])
        for rows in pages(self.client, Asked(self.catalogue.model, fields, domain)):
            keys = [str(row[path]) for row in resolver.resolve(rows, (path,))]
            found = [_lead(row, each) for row, each in zip(rows, keys, strict=True)]
            yield [lead for lead in found if not key or lead.key == key]

    def _of_each(self, leads: Sequence[_Lead]) -> Iterator[tuple[_Lead, list[Tracked]]]:
        """Yields leads with what was tracked of each, the oldest first."""
        grouped: dict[int, list[Tracked]] = {lead.id: [] for lead in leads}
        if grouped:
            for tracked in self._tracked(list(grouped)):
                grouped[tracked.lead].append(tracked)
        for lead in leads:
            yield lead, sorted(grouped[lead.id], key=lambda each: (each.at, each.number))

    def _tracked(self, leads: Sequence[int]) -> list[Tracked]:
        try:
            return self._direct(leads)
        except Rejected:
            if self.client.version >= (17, 0):
                raise
            return list(self._with_messages(leads))

    def _direct(self, leads: Sequence[int]) -> list[Tracked]:
        """Reads tracking values themselves, for which an account needs more rights."""
        known = self.catalogue.fields(_TRACKING)
        of = "field_id" if "field_id" in known else "field"
        values = [n for n in known if n.startswith(("old_value_", "new_value_"))]
        domain: list[object] = [
            ["mail_message_id.model", "=", self.catalogue.model],
            ["mail_message_id.res_id", "in", list(leads)],
        ]
        rows = list(records(self.client, _TRACKING, [of, "mail_message_id", *values], domain, {}))
        places = by_id(
            self.client, "ir.model.fields", [id_of(row[of]) for row in rows], ["name"], {}
        )
        said = [id_of(row["mail_message_id"]) for row in rows]
        messages = by_id(self.client, _MESSAGE, said, ["date", "author_id", "res_id"], {})
        found = []
        for row in rows:
            message = messages.get(id_of(row["mail_message_id"]))
            place = places.get(id_of(row[of]))
            if message and place:
                found.append(self._of_row(row, str(place["name"]), message))
        return found

    def _of_row(self, row: Row, name: str, message: Row) -> Tracked:
        kind = self.catalogue.fields().get(name)
        columns = _columns_of(kind.type if kind else "char")
        before, after = (self._value(row, when, columns, name) for when in ("old", "new"))
        at = decode(message["date"], "datetime")
        number = int(row.get("new_value_integer") or 0)
        by = name_of(message["author_id"])
        return Tracked(int(message["res_id"]), name, before, after, number, at, by, row["id"])

    def _value(self, row: Row, when: str, columns: Sequence[str], name: str) -> Any:
        kind = self.catalogue.fields().get(name)
        if name == _STAGE:  # in its name stands the language of whoever moved it
            stage = self._stages.get(int(row.get(f"{when}_value_integer") or 0))
            if stage is not None:
                return stage
        places = (f"{when}_value_{column}" for column in columns)
        found = next((row[place] for place in places if row.get(place)), False)
        if kind and kind.type == "date" and isinstance(found, str):
            return decode(found[:10], "date")
        return decode(found, kind.type if kind else "char")

    def _with_messages(self, leads: Sequence[int]) -> Iterator[Tracked]:
        """Reads the tracking values that Odoo shows with messages: fields by their labels."""
        labels = {kind.label: name for name, kind in self.catalogue.fields().items()}
        domain = [["model", "=", self.catalogue.model], ["res_id", "in", list(leads)]]
        ids = [row["id"] for row in records(self.client, _MESSAGE, ["res_id"], domain, {})]
        for at in range(0, len(ids), _AT_ONCE):
            shown = self.client.read(_MESSAGE, "message_format", ids[at : at + _AT_ONCE])
            for message in shown if isinstance(shown, list) else ():
                for value in message.get("tracking_value_ids") or ():
                    yield _of_message(message, value, labels)

    # --- what is made of it

    def _moves(self, lead: _Lead, tracked: Iterable[Tracked]) -> Iterator[StageMove]:
        """Yields the moves of a lead, beginning with the one that made it."""
        steps = [each for each in tracked if each.field in (_STAGE, _ACTIVE)]
        begun = lead.is_lead or lead.converted is not None
        first = next((str(e.before or "") for e in steps if e.field == _STAGE), lead.stage)
        stage, number, is_active = first, 0 if steps else lead.stage_id, True
        current = LEAD if begun else self._named(stage, number)
        if lead.made is not None:
            yield StageMove(lead.key, "", self._renamed(current), lead.made, lead.by)
        for at, by, each in self._steps(lead, steps):
            if each is None:
                begun = lead.is_lead
            elif each.field == _STAGE:
                stage, number = str(each.after or ""), each.after_id
            else:
                is_active = bool(each.after)
            now = LEAD if begun else self._named(stage, number)
            now = now if is_active else self.funnel.decided(Category.LOST, now)
            if now != current:
                yield StageMove(lead.key, self._renamed(current), self._renamed(now), at, by)
                current = now

    def _steps(
        self, lead: _Lead, steps: Iterable[Tracked]
    ) -> list[tuple[datetime, str, Tracked | None]]:
        """Returns what happened, becoming an opportunity (None) included, in its order."""
        found: list[tuple[datetime, str, Tracked | None]] = [(e.at, e.by, e) for e in steps]
        if lead.converted is not None and not lead.is_lead:
            found.append((lead.converted, "", None))
        return sorted(found, key=lambda each: each[0])

    def _named(self, stage: str, number: int) -> str:
        """Returns what a stage is called here."""
        named = self._renamed(stage)
        is_won = not self._won.isdisjoint((number, stage))
        return self.funnel.decided(Category.WON, named) if is_won else named

    def _renamed(self, stage: str) -> str:
        known = {folded(line(theirs)): ours for theirs, ours in self.options.stages.items()}
        return known.get(folded(line(stage)), stage)

    def _changes(
        self, lead: _Lead, tracked: Iterable[Tracked], fields: Collection[str]
    ) -> Iterator[FieldChange]:
        """Yields the changes of the fields that deals take from the tracked ones as they are."""
        ours = {theirs: name for name, theirs in self.options.columns.items()}
        for each in tracked:
            name = ours.get(each.field, "")
            if name and (not fields or name in fields) and each.before != each.after:
                before, after = _text(name, each.before), _text(name, each.after)
                yield FieldChange(lead.key, name, before, after, each.at, each.by)


def _lead(row: Row, key: str) -> _Lead:
    return _Lead(
        row["id"],
        key,
        decode(row.get("create_date"), "datetime"),
        name_of(row.get("stage_id")),
        id_of(row.get("stage_id")),
        row.get("type") == "lead",
        decode(row.get("date_conversion"), "datetime"),
        name_of(row.get("create_uid")),
    )


def _columns_of(kind: str) -> tuple[str, ...]:
    """Returns in which columns of a tracking value a field of a type is kept."""
    if kind in _TEXTS:
        return ("char",)
    if kind in ("date", "datetime"):
        return ("datetime",)
    if kind in ("text", "html"):
        return ("text", "char")
    return ("monetary", "float", "integer")


def _of_message(message: Mapping[str, Any], value: Any, labels: Mapping[str, str]) -> Tracked:
    """Returns a tracking value as a message shows it; Odoo 15 and 16 put values one deeper."""
    old, new = (_plain(value.get(f"{when}_value")) for when in ("old", "new"))
    return Tracked(
        int(message["res_id"]),
        labels.get(str(value.get("changed_field") or value.get("changedField") or ""), ""),
        old,
        new,
        0,
        decode(message["date"], "datetime"),
        name_of(message.get("author_id")),
        int(value.get("id") or 0),
    )


def _plain(value: Any) -> Any:
    return value.get("value") if isinstance(value, Mapping) else value


def _text(name: str, value: Any) -> str:
    """Returns a value as CSV text, "" for nothing."""
    if value in (None, False, ""):
        return ""
    cell = cell_of(value)
    if name == "probability" and isinstance(cell, Decimal):
        cell = cell / 100
    return format_cell("", cell)


def _ordered(items: list[Any], newest: int | None) -> list[Any]:
    ordered = sorted(items, key=lambda each: each.at)
    return ordered if newest is None else ordered[::-1][:newest]
