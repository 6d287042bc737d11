"""From a row of Odoo to a project as it is observed, and from changes to values. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sync.records.model import STATE, Marker, Observed, Value, digest
from taiga_pipeline.odoo.lists import Row, id_of
from taiga_pipeline.records import Kind, Project, ProjectState
from taiga_pipeline.targets.composite_fields import (
    DESCRIPTION,
    NAME,
    join_description,
    join_name,
)
from taiga_pipeline.targets.marks import (
    RELEASED,
    Line,
    decode_mark,
    encode_mark,
    join_line,
    split_line,
)
from taiga_pipeline.targets.odoo.described import text_of, with_text
from taiga_pipeline.targets.odoo.fitting import LONGEST_NAME
from taiga_pipeline.targets.odoo.identity import marker_of

MODEL: Final = "project.project"
FIELDS: Final = (
    *("name", "description", "active", "user_id"),
    *("write_date", "create_uid", "write_uid"),
)
ARCHIVED_BY_PEOPLE: Final = (
    "people archived it; restore it in Odoo (filter Archived, Action, Unarchive), or unlink it"
)
_PRIVATE: Final = {True: "followers", False: "employees"}

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A project's row, the name of its external id ("" if it has none), the names of its tags,
    and what lately moved in it."""

    row: Row
    external: str = ""
    tags: frozenset[str] | None = None
    lately: str = ""
    last: str = ""


def observed(seen: Seen, web: str) -> Observed:
    """Returns the project that was read."""
    row = seen.row
    text, line = split_line(text_of(row["description"]))
    is_retired = line is not None and line.retired
    fields: dict[str, Value] = {NAME: str(row["name"]), DESCRIPTION: text}
    if seen.tags is not None:
        fields[Project.TAGS] = seen.tags
    if is_retired:  # by our own hand, unless people restored it
        is_there = ProjectState.NONE if row["active"] else ProjectState.RETIRED
        fields[STATE] = is_there.value
    moving = [row[name] for name in ("name", "description", "active", "write_date")]
    moving += [id_of(row["user_id"]), sorted(seen.tags or ())]
    return Observed(
        kind=Kind.PROJECT,
        id=str(row["id"]),
        fields=fields,
        markers=markers(seen.external, line),
        change_token=digest([moving, seen.external, seen.lately]),
        facts={
            "url": page(web, row["id"]),
            "title": str(row["name"]),
            "last_activity": max(str(row["write_date"] or ""), seen.last) or None,
        },
        obstacle="" if row["active"] or is_retired else ARCHIVED_BY_PEOPLE,
        original=marker_of(seen.external) is not None,
    )


def markers(external: str, line: Line | None) -> tuple[Marker, ...]:
    """Returns the marker: a mark that is written counts, else the external id."""
    if line is not None and line.mark == RELEASED:
        return ()
    marked = decode_mark(line.mark) if line is not None else None
    found = marked or marker_of(external)
    return (found,) if found else ()


def line_of(row: Row) -> Line | None:
    """Returns the connector's line in a project's description, None if there is none."""
    return split_line(text_of(row["description"]))[1]


def page(web: str, number: int) -> str:
    """Returns the address of a project's page."""
    return f"{web}/web#id={number}&model={MODEL}&view_type=form"


def creation(fields: Mapping[str, Value]) -> dict[str, str]:
    """Returns the cells that make a project with ``load``, but for its external id and tags."""
    private = fields.get(Project.PRIVATE)
    cells = {
        "name": join_name(fields, LONGEST_NAME),
        "description": with_text("", join_description(fields), str(fields.get(Project.TEXT, ""))),
        "user_id/.id": "",
    }
    if isinstance(private, bool):
        cells["privacy_visibility"] = _PRIVATE[private]
    return cells


def modification(seen: Seen, changes: Mapping[str, Value], fields: Mapping[str, Value]) -> Values:
    """Returns the values that write ``changes``, but for tags; only what differs is in it."""
    row = seen.row
    values: Values = {}
    text, line = split_line(text_of(row["description"]))
    if changes.keys() & {Project.LABEL, Project.TITLE}:
        values["name"] = join_name(fields, LONGEST_NAME)
    if changes.keys() & {Project.TEXT, Project.DEAL_FACTS}:
        text = join_description(fields)
    if STATE in changes:
        retired = changes[STATE] == ProjectState.RETIRED
        line = _line_in_state(seen.external, line, retired=retired)
        values["active"] = not retired
    values |= _described(row, join_line(text, line), str(fields.get(Project.TEXT, "")))
    return {name: value for name, value in values.items() if row[name] != value}


def _described(row: Row, wanted: str, above: str) -> Values:
    """Returns the description that shows a text, nothing if it does so already."""
    if text_of(row["description"]) == wanted:
        return {}
    return {"description": with_text(row["description"], wanted, above)}


def _line_in_state(external: str, line: Line | None, *, retired: bool) -> Line | None:
    """Returns the connector's line for a project that is, or is no longer, retired."""
    found = markers(external, line)
    mark = encode_mark(found[0]) if found else RELEASED
    if retired:
        return Line(mark, retired=True)
    return None if markers(external, None) == found else Line(mark)


def marking(seen: Seen, marker: Marker, *, present: bool) -> Values:
    """Returns the values that mark a project, or let go of it; none if there is nothing to do."""
    text, line = split_line(text_of(seen.row["description"]))
    if (marker in markers(seen.external, line)) is present:
        return {}
    mark = encode_mark(marker) if present else RELEASED
    is_retired = line is not None and line.retired
    is_spelled = present and markers(seen.external, None) == (marker,) and not is_retired
    wanted = None if is_spelled else Line(mark, is_retired)
    return _described(seen.row, join_line(text, wanted), text)


def moved(before: Observed, now: Observed, values: Mapping[str, Any]) -> list[str]:
    """Returns which of the places that are about to be written people changed since ``before``."""
    return [
        name
        for name in (NAME, DESCRIPTION)
        if name in values and name in before.fields and before.fields[name] != now.fields.get(name)
    ]


def moved_tags(before: Observed, now: Observed, changes: Mapping[str, Value]) -> Collection[str]:
    """Returns the tags if they are about to be written and people changed them."""
    name = Project.TAGS
    is_other = before.fields.get(name) != now.fields.get(name)
    return [name] if name in changes and is_other else []
