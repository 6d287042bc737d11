"""How work is tracked in a project: which tracker stands for a story, which fields an issue has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sync.records.model import Desired
from sync.target import Foreseen
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.redmine.client import Client
from taiga_pipeline.targets.redmine.paging import Row

_PREFERRED: Final = ("user story", "story", "task", "feature")
"""Names of trackers that are about work to do, the best first. Else the first one is taken."""


@dataclass(frozen=True, slots=True)
class Ways:
    """``project`` shows the fields of its issues; ``tracker_id`` is None if it has no tracker."""

    project: Row
    tracker_id: int | None


class Tracking:
    """The ways of each project, asked for when first needed. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._ways: dict[str, Ways] = {}

    def ways(self, root_id: str) -> Ways:
        """Returns how work is tracked in a project.

        :raises Vanished: there is no such project.
        """
        with self._lock:
            known = self._ways.get(root_id)
        if known is None:
            params = {"include": "trackers,issue_custom_fields"}
            project: Row = self._client.get(f"projects/{root_id}.json", params).data["project"]
            known = Ways(project, _tracker(project.get("trackers") or ()))
            with self._lock:
                self._ways[root_id] = known
        return known


def _tracker(trackers: Sequence[Row]) -> int | None:
    by_name = {str(tracker["name"]).casefold(): int(tracker["id"]) for tracker in trackers}
    for name in _PREFERRED:
        if name in by_name:
            return by_name[name]
    return next(iter(by_name.values()), None)


_FIELDS: Final = {
    Story.HOURS: ("estimated_hours", "Estimated time"),
    Story.ASSIGNED: ("assigned_to_id", "Assignee"),
    Story.MILESTONE: ("fixed_version_id", "Target version"),
    Story.DESCRIPTION: ("description", "Description"),
}
"""Fields of stories that a tracker may lack, as the API and as people call them there."""


def switched_off(
    records: Sequence[Desired], read: Callable[[], Iterable[Row]]
) -> Iterator[Foreseen]:
    """Yields the stories with fields that the tracker for them lacks: Redmine says 201, and leaves
    them out. ``read`` reads all trackers; before Redmine 5 they do not say which fields they have.

    A project may have other trackers than the rest.
    """
    stories = [record for record in records if record.key.kind == Kind.STORY]
    if not stories:
        return
    trackers = list(read())
    number = _tracker(trackers)
    mine = next((each for each in trackers if int(each["id"]) == number), {})
    there = mine.get("enabled_standard_fields")
    if there is None:
        return
    for record in stories:
        for name, (field, title) in _FIELDS.items():
            if name in record.fields and field not in there:
                yield Foreseen(
                    record, _LACKS.format(tracker=mine["name"], field=title), is_certain=False
                )


_LACKS: Final = (
    "Redmine's tracker {tracker} has no field {field}, and leaves it out of issues without a word; "
    "an administrator can switch it on (Administration, Trackers)"
)
