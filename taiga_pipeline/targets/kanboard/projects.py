"""A project: what Kanboard shows of it, and what has to be written to change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sync.records.composite_text import split_block
from sync.records.model import STATE, Marker, Observed, Value, digest
from sync.target import unreadable
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind, Project, ProjectState
from taiga_pipeline.targets.composite_fields import (
    DESCRIPTION,
    NAME,
    join_description,
    join_name,
)
from taiga_pipeline.targets.kanboard.client import Call, call
from taiga_pipeline.targets.kanboard.fitting import LONGEST_NAME
from taiga_pipeline.targets.kanboard.identity import (
    decode_identifier,
    encode_identifier,
    is_ours,
    is_spelled_out,
)
from taiga_pipeline.targets.kanboard.shapes import Row, flag, number, text
from taiga_pipeline.targets.marks import (
    RELEASED,
    Line,
    decode_mark,
    encode_mark,
    join_line,
    split_line,
)

DISABLED_BY_PEOPLE: Final = (
    "people disabled it in Kanboard; once it is enabled there, it is synced again"
)

_DEAL: Final = "deal"
"""The metadata that holds the marker in full; those of facts begin with it and a dot."""
_LONGEST_KEY: Final = 50
_LONGEST_VALUE: Final = 255
_MOST_FACTS: Final = 40

_MOVING: Final = ("id", "last_modified", "is_active", "name", "description", "identifier")
"""What the list of projects and a project's own answer both show, and may move."""


def observed_project(row: Row, web: str, lately: str = "") -> Observed:
    """Returns a project out of a list or out of its own answer.

    The change token is made of all that is shown: a rename moves no date, and dates have a
    resolution of a second. ``lately`` is a digest of the tasks of one that moved just now.
    """
    description, line = split_line(text(row, "description"))
    is_active = flag(row["is_active"])
    is_retired = line is not None and line.retired
    fields: dict[str, Value] = {NAME: text(row, "name"), DESCRIPTION: description}
    if is_retired:  # by our own hand, unless people enabled it again
        fields[STATE] = (ProjectState.NONE if is_active else ProjectState.RETIRED).value
    return Observed(
        kind=Kind.PROJECT,
        id=str(number(row["id"])),
        fields=fields,
        markers=markers_of(row, line),
        change_token=digest([[str(row.get(name)) for name in _MOVING], lately]),
        facts={
            "url": project_page(web, number(row["id"])),
            "title": text(row, "name"),
            "last_activity": _moment(row.get("last_modified")),
        },
        obstacle="" if is_active or is_retired else DISABLED_BY_PEOPLE,
        original=is_ours(text(row, "identifier")),
    )


def misshapen(row: Row, trouble: str) -> Observed:
    """Returns a project whose row is not as it should be; its marker, if that can be read."""
    spelled = decode_identifier(str(row.get("identifier")))
    markers = (spelled,) if spelled else None
    return unreadable(Kind.PROJECT, str(number(row["id"])), trouble, markers)


def project_page(web: str, number_: int) -> str:
    """Returns the address of a project's board."""
    return f"{web}/?controller=BoardViewController&action=show&project_id={number_}"


def markers_of(row: Row, line: Line | None) -> tuple[Marker, ...]:
    """Returns the marker: a mark that is written counts, else the identifier."""
    if line is not None:
        marker = decode_mark(line.mark)
        if marker is not None or line.mark == RELEASED:
            return (marker,) if marker else ()
    spelled = decode_identifier(text(row, "identifier"))
    return (spelled,) if spelled else ()


def _moment(seconds: JSON) -> str | None:
    found = number(seconds)
    return datetime.fromtimestamp(found, UTC).isoformat() if 0 < found < 2**40 else None


# --- writing


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written to a project: fields of its own, whether it is active, metadata."""

    body: Mapping[str, str] = field(default_factory=dict)
    is_active: bool | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def calls(self, project_id: int) -> list[Call]:
        """Returns the calls that write it, in their order."""
        calls = []
        if self.body:
            calls.append(call("updateProject", project_id=project_id, **self.body))
        if self.is_active is not None:
            method = "enableProject" if self.is_active else "disableProject"
            calls.append(call(method, project_id=project_id))
        if self.metadata:
            values = dict(self.metadata)
            calls.append(call("saveProjectMetadata", project_id=project_id, values=values))
        return calls


def creation(fields: Mapping[str, Value], marker: Marker) -> dict[str, str]:
    """Returns what makes a project; it carries its marker in the identifier."""
    line = None if is_spelled_out(marker) else Line(encode_mark(marker))
    return {
        NAME: join_name(fields, LONGEST_NAME),
        "identifier": encode_identifier(marker),
        DESCRIPTION: join_line(join_description(fields), line),
    }


def metadata(facts: Value, marker: Marker | None, former: str = "") -> dict[str, str]:
    """Returns what other programs may read of a deal: its marker in full, and its facts.

    ``former`` are the facts as they were: what is not among them any more is emptied.
    """
    values = dict.fromkeys(_fact_values(former), "")
    if marker is not None:
        values[_DEAL] = encode_mark(marker)[:_LONGEST_VALUE]
    return values | _fact_values(str(facts or ""))


def is_noted(metadata: Mapping[str, str], marker: Marker) -> bool:
    """Whether a project's metadata names the deal that it is made for."""
    return metadata.get(_DEAL) == encode_mark(marker)[:_LONGEST_VALUE]


def _fact_values(facts: str) -> dict[str, str]:
    lines = [line.partition(":") for line in facts.split("\n") if ":" in line]
    return {
        f"{_DEAL}.{name.strip()}"[:_LONGEST_KEY]: value.strip()[:_LONGEST_VALUE]
        for name, _, value in lines[:_MOST_FACTS]
        if name.strip()
    }


def modification(row: Row, changes: Mapping[str, Value], fields: Mapping[str, Value]) -> Change:
    """Returns what writes ``changes`` to the project that ``row`` shows, and only what differs.

    What can be chosen at creation alone, and what Kanboard has no place for, is not in it.
    """
    description, line = split_line(text(row, "description"))
    former = split_block(description)[1]
    is_active: bool | None = None
    body: dict[str, str] = {}
    if changes.keys() & {Project.LABEL, Project.TITLE}:
        body[NAME] = join_name(fields, LONGEST_NAME)
    if changes.keys() & {Project.TEXT, Project.DEAL_FACTS}:
        description = join_description(fields)
    if STATE in changes:
        is_retired = changes[STATE] == ProjectState.RETIRED
        line = _line_in_state(row, line, retired=is_retired)
        is_active = not is_retired if flag(row["is_active"]) is is_retired else None
    body[DESCRIPTION] = join_line(description, line)
    differing = {at: value for at, value in body.items() if text(row, at) != value}
    if Project.DEAL_FACTS not in changes:
        return Change(differing, is_active)
    marker = next(iter(markers_of(row, line)), None)
    return Change(differing, is_active, metadata(changes[Project.DEAL_FACTS], marker, former))


def _line_in_state(row: Row, line: Line | None, *, retired: bool) -> Line | None:
    """Returns the connector's line for a project that is, or is no longer, retired."""
    markers = markers_of(row, line)
    mark = encode_mark(markers[0]) if markers else RELEASED
    if retired:
        return Line(mark, retired=True)
    return None if markers_of(row, None) == markers else Line(mark)


def marking(row: Row, marker: Marker) -> Change:
    """Returns what marks a project: by its identifier, unless people gave it one of their own."""
    description, line = split_line(text(row, "description"))
    if marker in markers_of(row, line):
        return Change()
    is_retired = line is not None and line.retired
    identifier = text(row, "identifier")
    body: dict[str, str] = {}
    if not identifier or is_ours(identifier):
        body["identifier"] = encode_identifier(marker)
    if is_retired or "identifier" not in body or not is_spelled_out(marker):
        line = Line(encode_mark(marker), is_retired)
    else:
        line = None
    described = join_line(description, line)
    if described != text(row, "description"):
        body[DESCRIPTION] = described
    return Change(body, metadata={_DEAL: encode_mark(marker)[:_LONGEST_VALUE]})


def unmarking(row: Row, marker: Marker) -> Change:
    """Returns what lets go of a project: its identifier is free again."""
    description, line = split_line(text(row, "description"))
    if marker not in markers_of(row, line):
        return Change()
    body: dict[str, str] = {}
    if is_ours(text(row, "identifier")):
        body["identifier"] = ""
    if line is not None:
        rest = Line(RELEASED, retired=True) if line.retired else None
        body[DESCRIPTION] = join_line(description, rest)
    return Change(body, metadata={_DEAL: ""})


def moved(before: Observed, now: Observed, body: Mapping[str, str]) -> list[str]:
    """Returns which of the places that ``body`` writes someone changed since ``before``."""
    return [
        place
        for place in (NAME, DESCRIPTION)
        if place in body
        and place in before.fields
        and before.fields[place] != now.fields.get(place)
    ]


def ignored(after: Row, change: Change) -> list[str]:
    """Returns which places are not as they were written."""
    places = [at for at, value in change.body.items() if text(after, at) != value]
    if change.is_active is not None and flag(after["is_active"]) is not change.is_active:
        places.append("is_active")
    return places
