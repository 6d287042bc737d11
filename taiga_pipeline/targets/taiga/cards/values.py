"""Fields of deals on the cards of a board: custom attributes of Taiga's user stories.

Their values are in no list. The one request that shows all of a project is the report for
spreadsheets, whose address is a secret: it is made where there is none, and kept nowhere. Values
are written whole, with a version of their own.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from sync.errors import Malformed, Stale
from sync.records.model import Value
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import CardField, Story
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import read_all
from taiga_pipeline.targets.taiga.refusal import Refusal

LONGEST_TITLE: Final = 64
LONGEST_VALUE: Final = 2_000
_TYPES: Final = {"yes/no": "checkbox", "choice": "dropdown", "number": "number", "date": "date"}
_LAST_FIXED_COLUMN: Final = "epics"
_GUARDED: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""How a cell begins that a spreadsheet would take for a formula, or that people wrote so."""

_REPORT: Final = "userstories_csv_uuid"
_LONGEST_CELL: Final = 64 * 1024 * 1024
"""A description may be long; the answer as a whole has its bound already."""


@dataclass(frozen=True, slots=True)
class CardValues:
    """The custom values of a board's cards. Safe to use from several threads."""

    client: Client
    fields: Sequence[CardField]
    _ids: dict[str, dict[str, str]] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)
    """Boards that were seen to have a report."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, project: Mapping[str, JSON]) -> Mapping[str, Mapping[str, Value]]:
        """Returns the fields of each card of a board, by the card's number.

        ``project`` is the board in full. Fields that it does not show are missing, all of them as
        long as there is no report.
        """
        if not has_report(project):
            return {}
        self._reported.add(str(project["id"]))
        secret = str(project[_REPORT])
        text = self.client.get("userstories/csv", {"uuid": secret}).data
        return dict(self._rows(text))

    def _rows(self, text: str) -> Iterator[tuple[str, Mapping[str, Value]]]:
        csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
        reader = csv.reader(io.StringIO(text, newline=""))
        header = next(reader, [])
        if "id" not in header or _LAST_FIXED_COLUMN not in header:
            raise Malformed("GET userstories/csv: the report has no columns 'id' and 'epics'")
        first = header.index(_LAST_FIXED_COLUMN) + 1
        places = {title: place for place, title in enumerate(header[first:], start=first)}
        shown = [(each, places[each.title]) for each in self.fields if each.title in places]
        at = header.index("id")
        for row in reader:
            if len(row) == len(header):
                cells = {each.name: (each, row[place]) for each, place in shown}
                yield row[at], self._fields(row[at], cells)

    def _fields(
        self, card_id: str, cells: Mapping[str, tuple[CardField, str]]
    ) -> Mapping[str, Value]:
        if any(
            cell.startswith(_GUARDED) and each.kind != "number" for each, cell in cells.values()
        ):
            return self.read_one(card_id, [each for each, _ in cells.values()])
        return {Story.field(name): _seen(each, cell) for name, (each, cell) in cells.items()}

    def read_one(self, card_id: str, shown: Sequence[CardField]) -> Mapping[str, Value]:
        """Returns some fields of one card, letter by letter."""
        row = self.client.get(f"userstories/custom-attributes-values/{card_id}").data
        values = row["attributes_values"]
        ids = self._known_ids(str(self._project_of(card_id)))
        return {
            Story.field(each.name): _seen(each, _cell(values.get(ids[each.name])))
            for each in shown
            if each.name in ids
        }

    def _project_of(self, card_id: str) -> JSON:
        return self.client.get(f"userstories/{card_id}").data["project"]

    def write(
        self,
        root_id: str,
        card_id: str,
        changes: Mapping[str, Value],
        before: Mapping[str, Value] | None,
    ) -> None:
        """Writes fields of a card; ``before`` is how it was last seen, None for a new card.

        :raises Stale: people changed one of them since.
        """
        ids = self._ids_for(root_id)
        path = f"userstories/custom-attributes-values/{card_id}"
        known: Mapping[str, JSON] = {}
        version = 1
        if before is not None:
            row = self.client.get(path).data
            known, version = row["attributes_values"], int(row["version"])
            self._refuse_moved(card_id, ids, changes, before, known)
        written = {
            ids[each.name]: _typed(each, changes[Story.field(each.name)])
            for each in self.fields
            if Story.field(each.name) in changes
        }
        try:
            self.client.patch(path, {"attributes_values": {**known, **written}, "version": version})
        except Refusal:
            self._ids.pop(root_id, None)  # people may have removed an attribute meanwhile
            raise

    def _refuse_moved(
        self,
        card_id: str,
        ids: Mapping[str, str],
        changes: Mapping[str, Value],
        before: Mapping[str, Value],
        known: Mapping[str, JSON],
    ) -> None:
        for each in self.fields:
            name = Story.field(each.name)
            now = _seen(each, _cell(known.get(ids[each.name])))
            if name in changes and name in before and now not in (before[name], changes[name]):
                raise Stale(f"story {card_id}: people changed {each.title!r} just now")

    def _ids_for(self, root_id: str) -> Mapping[str, str]:
        """Returns the attributes of a board, by field; makes what is missing, the report too."""
        with self._lock:
            if root_id not in self._ids:
                ids = self._known_ids(root_id)
                for each in self.fields:
                    if each.name not in ids:
                        ids[each.name] = self._make(root_id, each)
                self._make_report(root_id)
                self._ids[root_id] = ids
            return self._ids[root_id]

    def _known_ids(self, root_id: str) -> dict[str, str]:
        rows = read_all(self.client, "userstory-custom-attributes", {"project": root_id})
        by_title = {str(row["name"]): str(row["id"]) for row in rows}
        return {each.name: by_title[each.title] for each in self.fields if each.title in by_title}

    def _make(self, root_id: str, each: CardField) -> str:
        body: dict[str, JSON] = {
            "project": int(root_id),
            "name": each.title,
            "type": _TYPES.get(each.kind, "text"),
        }
        if each.choices:
            body["extra"] = list(each.choices)
        return str(self.client.post("userstory-custom-attributes", body).data["id"])

    def _make_report(self, root_id: str) -> None:
        """Makes the report's address where there is none: another one would end who uses it."""
        if root_id in self._reported:
            return
        if not has_report(self.client.get(f"projects/{root_id}").data):
            self.client.post(f"projects/{root_id}/regenerate_userstories_csv_uuid", {})


def has_report(project: Mapping[str, JSON]) -> bool:
    """Whether a board has the report that shows all custom values."""
    return bool(project.get(_REPORT))


def _cell(value: JSON) -> str:
    return "" if value is None else str(value)


def _seen(each: CardField, cell: str) -> Value:
    """Returns what a cell of the report says, written as the record has it."""
    text = cell.strip()
    if each.kind == "yes/no":
        return {"True": "yes", "False": "no"}.get(text, text)
    if each.kind == "number":
        return _number(text.removeprefix("'"))
    return text


def _number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{number.normalize():f}" if number.is_finite() else text


def _typed(each: CardField, value: Value) -> JSON:
    """Returns a value as Taiga stores it; None for one that is not known."""
    text = str(value or "")
    if not text:
        return None
    if each.kind == "yes/no":
        return text == "yes"
    return text
