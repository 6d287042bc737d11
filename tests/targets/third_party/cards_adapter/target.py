"""Cards as a target: `sync.target.Target` in terms of its file."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sync.errors import Malformed, Rejected, Stale, Unreachable, Vanished
from sync.records.composite_text import plain_facts, plain_text
from sync.records.model import (
    STATE,
    Desired,
    Marker,
    Observed,
    RecordKey,
    Value,
    by_identity,
    digest,
)
from sync.run.server_identity import Identity
from sync.target import Place, Written
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.mapping.text import normalise, one_line
from taiga_pipeline.records import Kind, Project, Status, Story
from taiga_pipeline.targets.composite_fields import (
    DESCRIPTION,
    NAME,
    join_description,
    join_name,
    split_composite,
)
from taiga_pipeline.targets.marked import demand_marked

Row = dict[str, Any]

_LONGEST_NAME = 200
_LISTS = {Kind.STATUS: "columns", Kind.STORY: "cards"}
_CLEAN = {
    Project.TITLE: one_line,
    Project.TEXT: plain_text,
    Project.DEAL_FACTS: plain_facts,
    Status.NAME: one_line,
    Story.SUBJECT: one_line,
}


class Cards:
    """The projects in one file. Safe to use from several threads."""

    name = "Cards"

    def __init__(self, connection: Connection) -> None:
        self._path = connection.folder / str(connection.options["file"])
        self._labels = connection.labels
        self._lock = threading.RLock()
        self._token = ""
        self.request_count = 0

    def connect(self) -> str:
        """Looks whether the file is there; returns who is at work: Cards has no accounts."""
        self._token = str(self._read()["id"])
        return "everybody"

    def identity(self) -> Identity:
        """The file has a name of its own, made at random, that tells it from any other."""
        return Identity(self._token, str(self._path), "everybody", "everybody")

    # --- what fits, and how it is shown

    def fit(self, desired: Desired) -> Desired:
        """Names have one line; what is written to one text can be distinguished afterwards."""
        fields = {
            name: _CLEAN[name](value) if name in _CLEAN and isinstance(value, str) else value
            for name, value in desired.fields.items()
        }
        return replace(desired, fields=fields)

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """A project's name holds label and title, its text people's own and the deal's facts."""
        if observed.kind != Kind.PROJECT:
            return observed.fields
        return split_composite(observed.fields, hints, labels=self._labels)

    # --- reading

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every project: the file is read as a whole."""
        for number, row in self._read()["projects"].items():
            yield self._project(number, row)

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one project."""
        row = self._read()["projects"].get(root_id)
        return self._project(root_id, row) if row else None

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns columns and cards of projects."""
        rows = self._read()["projects"]
        return {number: _children(rows[number]) for number in root_ids if number in rows}

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the projects that carry a marker."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def untouched(self, root_id: str) -> bool:
        """It is unknown who changed what."""
        return False

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """It is unknown who changed what."""
        return False

    # --- writing

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project with its marker in one write, or finds the one that has it."""
        with self._changing() as data:
            for number, row in data["projects"].items():
                if [marker.pipeline, marker.key] in row["marks"]:
                    return Written(self._project(number, row))
            marks = [[marker.pipeline, marker.key]]
            made: Row = {"marks": marks, "columns": {}, "cards": {}, **_body(desired.fields)}
            number = _next(data)
            data["projects"][number] = made
            return Written(self._project(number, made))

    def mark(self, root_id: str, marker: Marker) -> None:
        """Adds a marker."""
        with self._changing() as data:
            marks = _found(data, root_id)["marks"]
            if [marker.pipeline, marker.key] not in marks:
                marks.append([marker.pipeline, marker.key])

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes a marker off."""
        with self._changing() as data:
            row = data["projects"].get(root_id, {"marks": []})
            row["marks"] = [m for m in row["marks"] if m != [marker.pipeline, marker.key]]

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Makes a project another deal's, with its cards."""
        self.mark(root_id, marker)
        self.unmark(root_id, former)
        with self._changing() as data:
            for card in _found(data, root_id)["cards"].values():
                if card["deal"] == former.key:
                    card["deal"] = marker.key

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a column or a card, or finds the one that is there."""
        kind, key = desired.key.kind, desired.key
        if kind not in _LISTS:
            raise Rejected(f"Cards cannot hold a {kind}; leave it out of the mapping")
        with self._changing() as data:
            project = _found(data, place.root_id)
            name = desired.natural_name.casefold()
            for child in by_identity(_children(project), kind, name, key.group):
                return Written(child, found=kind == Kind.STATUS)
            own = {"deal": key.group, "ref": key.name} if kind == Kind.STORY else {}
            row = {**own, **_child_body(desired.fields, key.group, place)}
            number = _next(data)
            project[_LISTS[kind]][number] = row
            return Written(_child(kind, number, row, project))

    def update(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        fields: Mapping[str, Value],
        place: Place,
    ) -> Written:
        """Changes what still looks as it was observed."""
        with self._changing() as data:
            project = _found(data, place.root_id)
            if observed.kind == Kind.PROJECT:
                now = self._project(observed.id, project)
                demand_marked(observed, now)
                _demand_unmoved(observed, now, now.fields)
                project |= _body(fields)
                return Written(self._project(observed.id, project))
            row = project[_LISTS[observed.kind]].get(observed.id)
            if row is None:
                raise Vanished(f"{observed.kind} {observed.id} no longer exists")
            _demand_unmoved(observed, _child(observed.kind, observed.id, row, project), changes)
            group = observed.group or _group_of(place)
            row |= _child_body(changes, group, place)
            return Written(_child(observed.kind, observed.id, row, project))

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a project, a column or a card."""
        with self._changing() as data:
            if kind == Kind.PROJECT:
                data["projects"].pop(target_id, None)
            elif place.root_id in data["projects"]:
                data["projects"][place.root_id][_LISTS[kind]].pop(target_id, None)

    # --- the file

    def _read(self) -> Row:
        self.request_count += 1
        try:
            data: Row = json.loads(self._path.read_text(encoding="utf-8"))
            data["id"], data["next"], data["projects"]
        except OSError as error:
            raise Unreachable(f"{self._path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed(f"{self._path} is not a file of Cards: {error}") from error
        return data

    @contextmanager
    def _changing(self) -> Iterator[Row]:
        """The file's content, to be changed; written as a whole, and only if something moved."""
        with self._lock:
            data = self._read()
            before = json.dumps(data)
            yield data
            after = json.dumps(data)
            if after != before:
                new = self._path.with_suffix(".new")
                new.write_text(after, encoding="utf-8")
                new.replace(self._path)

    def _project(self, number: str, row: Row) -> Observed:
        return Observed(
            Kind.PROJECT,
            number,
            {NAME: row["name"], DESCRIPTION: row["text"], STATE: row["state"]},
            markers=tuple(Marker(pipeline, key) for pipeline, key in row["marks"]),
            change_token=digest(row),
            facts={"url": f"{self._path.absolute().as_uri()}#{number}", "title": row["name"]},
        )


def _next(data: Row) -> str:
    data["next"] += 1
    return str(data["next"])


def _found(data: Row, root_id: str) -> Row:
    row: Row | None = data["projects"].get(root_id)
    if row is None:
        raise Vanished(f"project {root_id} no longer exists")
    return row


def _body(fields: Mapping[str, Value]) -> Row:
    """Returns a project as the file has it."""
    return {
        "name": join_name(fields, _LONGEST_NAME),
        "text": join_description(fields),
        "state": fields.get(STATE, ""),
    }


def _child_body(fields: Mapping[str, Value], group: str, place: Place) -> Row:
    """Returns the fields of a column or a card as the file has them."""
    row = {name: value for name, value in fields.items() if name != Story.STATUS}
    if Story.STATUS in fields:
        column = RecordKey(group, Kind.STATUS, normalise(str(fields[Story.STATUS])))
        if column not in place.bound:
            raise Rejected(f"there is no column {fields[Story.STATUS]!r} (yet)")
        row["column"] = place.bound[column]
    return row


def _group_of(place: Place) -> str:
    return next((key.group for key in place.bound), "")


def _children(project: Row) -> list[Observed]:
    return [
        _child(kind, number, row, project)
        for kind, name in _LISTS.items()
        for number, row in project[name].items()
    ]


def _child(kind: str, number: str, row: Row, project: Row) -> Observed:
    """Returns a column, known by its name, or a card, known by a reference that only we write."""
    if kind == Kind.STATUS:
        fields = {name: row.get(name) for name in (Status.NAME, Status.ORDER, Status.CLOSED)}
        return Observed(kind, number, fields, identity=normalise(str(row[Status.NAME])))
    column = project["columns"].get(row.get("column", ""), {})
    shown = (Story.SUBJECT, Story.DESCRIPTION, Story.DUE_DATE, Story.FACTS)
    fields = {name: row[name] for name in shown if name in row}
    fields[Story.STATUS] = column.get(Status.NAME, "")
    ref = str(row.get("ref", ""))
    identity, group = ref.casefold(), str(row.get("deal", ""))
    return Observed(kind, number, fields, identity=identity, marked=bool(ref), group=group)


def _demand_unmoved(before: Observed, now: Observed, names: Collection[str]) -> None:
    """Refuses to write over what people changed since it was observed."""
    moved = [
        name
        for name in names
        if name in before.fields and before.fields[name] != now.fields.get(name)
    ]
    if moved:
        raise Stale(f"{now.kind} {now.id}: people changed {', '.join(moved)} just now")
