"""A project: what Redmine shows of it, and what has to be written to change it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sync.records.model import STATE, Marker, Observed, Value, digest
from sync.target import unreadable
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind, Project, ProjectState
from taiga_pipeline.targets.composite_fields import (
    DESCRIPTION,
    NAME,
    join_description,
    join_name,
    split_composite,
)
from taiga_pipeline.targets.marks import (
    RELEASED,
    Line,
    decode_mark,
    encode_mark,
    join_line,
    split_line,
)
from taiga_pipeline.targets.redmine.children import plain
from taiga_pipeline.targets.redmine.client import project_page
from taiga_pipeline.targets.redmine.custom_fields import (
    DEAL_KEY,
    CustomFields,
    changed,
    value_of,
)
from taiga_pipeline.targets.redmine.fitting import LONGEST_NAME
from taiga_pipeline.targets.redmine.identity import decode_identifier, is_ours, is_spelled_out
from taiga_pipeline.targets.redmine.paging import Row
from taiga_pipeline.targets.redmine.reading import STILL, Lately

CLOSED: Final = 5
"""Redmine's number for the status of a closed project."""

CLOSED_BY_PEOPLE: Final = (
    "people closed it in Redmine; once it is reopened there, it is synced again"
)

Body = dict[str, JSON]


def observed_project(row: Row, web: str, issues: Lately = STILL) -> Observed:
    """Returns a project out of a list or out of its own answer.

    The change token is made of all that is shown: closing and reopening leave no trace in
    ``updated_on``, and neither does a second change within the same second.
    """
    text, line = split_line(str(row.get("description") or ""))
    is_closed = row.get("status") == CLOSED
    is_retired = line is not None and line.retired
    fields: dict[str, Value] = {NAME: str(row["name"]), DESCRIPTION: text}
    if is_retired:  # by our own hand, unless people reopened it
        fields[STATE] = (ProjectState.RETIRED if is_closed else ProjectState.NONE).value
    updated = str(row.get("updated_on", ""))
    return Observed(
        kind=Kind.PROJECT,
        id=str(row["id"]),
        fields=fields,
        markers=_markers(row, line),
        change_token=digest([[row.get(name) for name in _MOVING], issues.digest]),
        facts={
            "url": project_page(web, str(row.get("identifier", ""))),
            "title": str(row["name"]),
            "last_activity": max(updated, issues.last) or None,
        },
        obstacle=CLOSED_BY_PEOPLE if is_closed and not is_retired else "",
        original=is_ours(str(row.get("identifier", ""))),
    )


def misshapen(row: Row, trouble: str) -> Observed:
    """Returns a project whose row is not as it should be; its marker, if that can be read."""
    spelled = decode_identifier(str(row.get("identifier", "")))
    return unreadable(Kind.PROJECT, str(row["id"]), trouble, (spelled,) if spelled else None)


_MOVING: Final = ("updated_on", "status", "name", "description", "custom_fields")
"""What the list of projects and a project's own answer both show, and may move."""


def _markers(row: Row, line: Line | None) -> tuple[Marker, ...]:
    """Returns the marker: a mark that is written counts, else the identifier."""
    for text in (value_of(row, DEAL_KEY), line.mark if line else ""):
        if text == RELEASED:
            return ()
        marker = decode_mark(text)
        if marker is not None:
            return (marker,)
    spelled = decode_identifier(str(row.get("identifier", "")))
    return (spelled,) if spelled else ()


def split_project(
    fields: Mapping[str, Value], hints: Sequence[Mapping[str, Value]], labels: Collection[str] = ()
) -> dict[str, Value]:
    """Returns the fields with those distinguished that share name and description."""
    return split_composite(fields, hints, labels=labels)


def creation(
    fields: Mapping[str, Value], marker: Marker, identifier: str, custom: CustomFields
) -> Body:
    """Returns the body that makes a project; it carries its marker in the identifier."""
    line = None if is_spelled_out(marker) else Line(encode_mark(marker))
    wanted = _custom_values(fields, marker, custom)
    body: Body = {
        NAME: join_name(fields, LONGEST_NAME),
        "identifier": identifier,
        DESCRIPTION: join_line(join_description(fields), line),
        "is_public": fields.get(Project.PRIVATE) is False,
    }
    if wanted:
        body["custom_fields"] = [{"id": number, "value": value} for number, value in wanted.items()]
    return body


def completion(row: Row, fields: Mapping[str, Value], marker: Marker, custom: CustomFields) -> Body:
    """Returns the body that fills the custom fields of a project that was just made."""
    values = changed(row, _custom_values(fields, marker, custom))
    return {"custom_fields": values} if values else {}


def _custom_values(
    fields: Mapping[str, Value], marker: Marker, custom: CustomFields
) -> dict[int, str]:
    values = custom.values(str(fields.get(Project.DEAL_FACTS, "")))
    key = custom.project(DEAL_KEY)
    mark = key.fit(encode_mark(marker)) if key else None
    return {**values, key.id: mark} if key and mark else values


def modification(
    row: Row, changes: Mapping[str, Value], fields: Mapping[str, Value], custom: CustomFields
) -> Body:
    """Returns the body that writes ``changes`` to the project that ``row`` shows.

    It holds only what differs: a write that changes nothing would still move ``updated_on``.
    What can be chosen at creation alone, and what Redmine has no place for, is not in it.
    """
    body: Body = {}
    text, line = split_line(str(row.get("description") or ""))
    if changes.keys() & {Project.LABEL, Project.TITLE}:
        body[NAME] = join_name(fields, LONGEST_NAME)
    if changes.keys() & {Project.TEXT, Project.DEAL_FACTS}:
        text = join_description(fields)
    if STATE in changes:
        line = _line_in_state(row, line, retired=changes[STATE] == ProjectState.RETIRED)
    body[DESCRIPTION] = join_line(text, line)
    if Project.DEAL_FACTS in changes:
        body["custom_fields"] = changed(row, custom.values(str(changes[Project.DEAL_FACTS])))
    return {place: value for place, value in body.items() if _differs(row, place, value)}


def _differs(row: Row, place: str, value: JSON) -> bool:
    if place == "custom_fields":
        return bool(value)
    return plain(row.get(place)) != str(value)


def _line_in_state(row: Row, line: Line | None, *, retired: bool) -> Line | None:
    """Returns the connector's line for a project that is, or is no longer, retired."""
    markers = _markers(row, line)
    mark = encode_mark(markers[0]) if markers else RELEASED
    if retired:
        return Line(mark, retired=True)
    return None if _markers(row, None) == markers else Line(mark)


def marking(row: Row, marker: Marker, custom: CustomFields, *, present: bool) -> Body:
    """Returns the body that marks a project, or lets go of it; empty if there is nothing to do."""
    text, line = split_line(str(row.get("description") or ""))
    if (marker in _markers(row, line)) is present:
        return {}
    mark = encode_mark(marker) if present else RELEASED
    key = custom.project(DEAL_KEY)
    if key and key.fit(mark) and value_of(row, DEAL_KEY) != mark and _has(row, key.id):
        body: Body = {"custom_fields": [{"id": key.id, "value": mark}]}
        if line is not None and line.mark != mark:  # two marks that differ would be a riddle
            rest = Line(mark, line.retired) if line.retired else None
            body[DESCRIPTION] = join_line(text, rest)
        return body
    return {DESCRIPTION: join_line(text, Line(mark, line is not None and line.retired))}


def _has(row: Row, number: int) -> bool:
    return any(field.get("id") == number for field in row.get("custom_fields") or ())


def moved(before: Observed, now: Observed, body: Mapping[str, JSON]) -> list[str]:
    """Returns which of the places that ``body`` writes someone changed since ``before``."""
    return [
        place
        for place in (NAME, DESCRIPTION)
        if place in body
        and place in before.fields
        and before.fields[place] != now.fields.get(place)
    ]


def ignored(before: Row, after: Row, body: Mapping[str, JSON]) -> list[str]:
    """Returns which places Redmine left as they were although it answered with success."""
    places = [
        place
        for place in (NAME, DESCRIPTION)
        if place in body and plain(before.get(place)) == plain(after.get(place))
    ]
    wanted = {int(field["id"]): str(field["value"]) for field in body.get("custom_fields") or ()}
    return places + [f"custom field {field['id']}" for field in changed(after, wanted)]
