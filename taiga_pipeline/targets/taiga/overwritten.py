"""What people wrote between the last look at an object and the write that went over it.

Projects and milestones have no version in Taiga. The project's timeline, however, reports each
change with the value before and the one after: a change by another person, from the very value that
was last seen, was written over. A project's description alone is in no timeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import Row

_RECORDED: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "projects": ("projects.project.change", frozenset({"name", "tags"})),
    "milestones": (
        "milestones.milestone.change",
        frozenset({"name", "estimated_start", "estimated_finish"}),
    ),
}
"""By path, the event and the fields of which the timeline tells."""

_NEWEST: Final = 20
"""Events that are looked at; more than people cause in the time of two requests."""


def lost_edits(
    client: Client, path: str, before: Row, body: Mapping[str, JSON], account_id: int
) -> dict[str, JSON]:
    """Returns the values that people wrote, and that ``body`` replaced, by field.

    ``before`` is the object as it was last seen. Nothing is asked for where the timeline would not
    tell.
    """
    event, recorded = _RECORDED.get(path, ("", frozenset()))
    fields = sorted(body.keys() & recorded)
    if not fields:
        return {}
    root = before["project"] if "project" in before else before["id"]
    params = {"page_size": _NEWEST, "page": 1}
    events = client.get(f"timeline/project/{root}", params).data
    lost: dict[str, JSON] = {}
    for diff in _changes_by_others(events, event, before, account_id):
        for field in fields:
            old, new = diff.get(field) or (None, None)
            seen = lost.get(field, before.get(field))
            if _alike(old, seen) and not _alike(old, new) and not _alike(new, body[field]):
                lost[field] = new
    return lost


def _changes_by_others(
    events: JSON, event: str, before: Row, account_id: int
) -> Iterator[Mapping[str, JSON]]:
    """Yields what others changed in the object, the oldest first: one may follow upon another."""
    rows: list[Row] = events if isinstance(events, list) else []
    for row in reversed(rows):
        data: Mapping[str, JSON] = row.get("data") or {}
        is_ours = (data.get("user") or {}).get("id") == account_id
        is_it = row.get("event_type") == event and _object(data, event) == before["id"]
        # An older change from the same value was seen, and perhaps removed.
        is_new = str(row.get("created")) > str(before.get("modified_date"))
        if is_it and is_new and not is_ours:
            yield data.get("values_diff") or {}


def _object(data: Mapping[str, JSON], event: str) -> JSON:
    """Returns the id of what was changed; the event's own is the project's, whatever it is."""
    return (data.get(event.split(".")[1]) or {}).get("id")


def _alike(one: JSON, other: JSON) -> bool:
    """Whether two values are the same; the order of tags says nothing."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return bool(one == other)
