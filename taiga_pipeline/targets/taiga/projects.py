"""A project: what Taiga shows of it, and how its name and description hold two fields each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sync.records.model import Marker, Observed, Value
from sync.target import unreadable
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.targets.composite_fields import (
    DESCRIPTION,
    NAME,
    join_description,
    join_name,
    split_composite,
)
from taiga_pipeline.targets.taiga.address import project_page
from taiga_pipeline.targets.taiga.copies import claim, split_claim
from taiga_pipeline.targets.taiga.identity import decode_markers, encode_marker
from taiga_pipeline.targets.taiga.paging import Row

NO_DESCRIPTION: Final = "(no description)"
"""Stands in for an empty description: Taiga demands one."""

_LONGEST_NAME: Final = 250

_PLAIN: Final = {
    Project.LOOKING_FOR_PEOPLE: "is_looking_for_people",
    Project.LOOKING_FOR_PEOPLE_NOTE: "looking_for_people_note",
}
"""Fields that have a place of their own, by what Taiga calls it."""


def observed_project(row: Row, web: str) -> Observed:
    """Returns a project out of a list or out of its own page. The name is not distinguished yet."""
    description, claimed = split_claim(str(row.get("description") or ""))
    markers = decode_markers(row.get("tags_colors"))
    if claimed is not None and claimed not in markers:
        markers = (*markers, claimed)
    fields: dict[str, Value] = {
        NAME: str(row["name"]),
        DESCRIPTION: description,
        Project.TAGS: frozenset(str(tag) for tag in row.get("tags") or ()),
    }
    for name, place in _PLAIN.items():
        if place in row:
            fields[name] = row[place]
    return Observed(
        kind=Kind.PROJECT,
        id=str(row["id"]),
        fields=fields,
        markers=markers,
        change_token="|".join(str(row.get(name)) for name in _MOVING),
        facts=_facts(row, web),
        obstacle=_obstacle(row),
        maker=str((row.get("owner") or {}).get("id") or ""),
    )


def misshapen(row: Row, trouble: str) -> Observed:
    """Returns a project whose row is not as it should be; its marker, if that can be read."""
    colors = row.get("tags_colors")
    markers = decode_markers(colors) if isinstance(colors, Mapping) else None
    return unreadable(Kind.PROJECT, str(row["id"]), trouble, markers)


_MOVING: Final = ("modified_date", "totals_updated_datetime", "total_activity")
"""What moves when anything in a project does, memberships and roles aside."""


def split_project(
    fields: Mapping[str, Value], hints: Sequence[Mapping[str, Value]], labels: Collection[str] = ()
) -> dict[str, Value]:
    """Returns the fields with label and title, people's text and deal facts distinguished."""
    return split_composite(fields, hints, NO_DESCRIPTION, labels)


def creation(fields: Mapping[str, Value], marker: Marker, template_id: int) -> dict[str, JSON]:
    """Returns the body that makes a project; what Taiga ignores there is not in it.

    The address is made of the name, once and for all: where another request follows anyway, the
    project is made by its title alone, and the label, which changes, comes with that request.
    """
    return {
        NAME: first_name(fields),
        DESCRIPTION: _description(fields),
        "creation_template": template_id,
        "is_private": fields.get(Project.PRIVATE) is not False,
        "tags": _tags(fields.get(Project.TAGS)),
        "tags_colors": [[encode_marker(marker), None]],
    }


def copying(fields: Mapping[str, Value], marker: Marker) -> dict[str, JSON]:
    """Returns the body that copies a project for a deal; see `copies`."""
    return {
        NAME: first_name(fields),
        DESCRIPTION: claim(_description(fields), marker),
        "is_private": fields.get(Project.PRIVATE) is not False,
    }


def completion(fields: Mapping[str, Value]) -> dict[str, JSON]:
    """Returns the body of what Taiga ignores at creation, empty if it is as wanted anyway."""
    ignored = {place: fields[name] for name, place in _PLAIN.items() if fields.get(name)}
    return {NAME: _name(fields), **ignored} if ignored and fields.get(Project.LABEL) else ignored


def completed_later(fields: Mapping[str, Value]) -> frozenset[str]:
    """Names the fields that `completion` writes."""
    names = frozenset(name for name in _PLAIN if fields.get(name))
    return names | {Project.LABEL} if names and fields.get(Project.LABEL) else names


def modification(changes: Mapping[str, Value], fields: Mapping[str, Value]) -> dict[str, JSON]:
    """Returns the body that writes ``changes``; ``fields`` are all fields as they should be.

    What can be chosen at creation alone, and what Taiga has no place for, is not in it.
    """
    body: dict[str, JSON] = {}
    if changes.keys() & {Project.LABEL, Project.TITLE}:
        body[NAME] = _name(fields)
    if changes.keys() & {Project.TEXT, Project.DEAL_FACTS}:
        body[DESCRIPTION] = _description(fields)
    if Project.TAGS in changes:
        body["tags"] = _tags(changes[Project.TAGS])
    body |= {place: changes[name] for name, place in _PLAIN.items() if name in changes}
    return body


def moved(before: Observed, now: Observed, body: Mapping[str, JSON]) -> list[str]:
    """Returns which of the places that ``body`` writes someone changed since ``before``."""
    raw = {NAME: NAME, DESCRIPTION: DESCRIPTION, "tags": Project.TAGS} | {
        place: name for name, place in _PLAIN.items()
    }
    return [
        place
        for place in body
        if (name := raw[place]) in before.fields and before.fields[name] != now.fields.get(name)
    ]


def marking(tags_colors: JSON, marker: Marker, *, present: bool) -> dict[str, JSON] | None:
    """Returns the body that adds or takes off a marker, None if there is nothing to do.

    The whole map is replaced, and is taken as a list of pairs although it is shown as a map.
    """
    colors = dict(tags_colors) if isinstance(tags_colors, Mapping) else {}
    name = encode_marker(marker)
    if (name in colors) is present:
        return None
    if present:
        colors[name] = None
    else:
        del colors[name]
    return {"tags_colors": [[tag, color] for tag, color in colors.items()]}


def first_name(fields: Mapping[str, Value]) -> str:
    """Returns the name that a project is made with; its address is made of it, and stays."""
    by_title = {Project.TITLE: fields[Project.TITLE]} if completion(fields) else fields
    return _name(by_title)


def _name(fields: Mapping[str, Value]) -> str:
    return join_name(fields, _LONGEST_NAME)


def _description(fields: Mapping[str, Value]) -> str:
    return join_description(fields) or NO_DESCRIPTION


def _tags(tags: Value) -> list[str]:
    return sorted(tags) if isinstance(tags, frozenset) else []


def _facts(row: Row, web: str) -> dict[str, object]:
    times = [str(row[name]) for name in _MOVING[:2] if row.get(name)]
    return {
        "url": project_page(web, str(row.get("slug", ""))),
        "title": str(row["name"]),
        "last_activity": max(times, default=None),
    }


def _obstacle(row: Row) -> str:
    """Why Taiga would refuse every change, "" if it would not."""
    if row.get("archived_code"):
        return "the project is archived in Taiga"
    if row.get("blocked_code"):
        return f"the project is blocked in Taiga ({row['blocked_code']})"
    if not row.get("i_am_admin", True):
        return "the account is not an administrator of the project; make it one in Taiga"
    return ""
