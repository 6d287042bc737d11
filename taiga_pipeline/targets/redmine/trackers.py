"""How work is tracked in a project: which tracker stands for a story, which fields an issue has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
