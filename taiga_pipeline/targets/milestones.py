"""What a story is planned for: the milestone's id in the tool."""

from __future__ import annotations

from sync.errors import Rejected
from sync.records.model import RecordKey
from sync.target import Place
from taiga_pipeline.records import Kind


def milestone_id(name: str, group: str, place: Place) -> int | None:
    """Returns the milestone's id; None if there is no name, or people deleted the milestone.

    :raises Rejected: it is not there yet. The story waits: what it is planned for is chosen when it
        is made.
    """
    key = RecordKey(group, Kind.MILESTONE, name)
    if key in place.bound:
        return int(place.bound[key])
    if not name or key in place.deleted:
        return None
    raise Rejected(f"the story waits for its milestone {name!r}, which could not be created yet")
