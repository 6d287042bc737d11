"""Watches that the connector writes nothing to what is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.targets.taiga.identity import decode_markers

from .world import World


class Witness:
    """Compares each project that is not the connector's before and after each of its writes.

    A project is its own while it carries the marker of a deal that is bound to it, or to nothing
    yet; or once a person bound it to a deal by hand.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.sandbox.store
        self._before: dict[int, str] = {}
        self._is_watching = True
        self.violations: list[str] = []

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Lets a person's own command write to what is not the connector's."""
        self._is_watching = False
        try:
            yield
        finally:
            self._is_watching = True

    def look(self, method: str, path: str) -> None:
        """Called before the server takes up a request of the connector's."""
        self._before = {}
        if not self._is_watching:
            return
        if method != "GET" and not path.startswith(("/auth", "/user-storage")):
            foreign = [each for each in self._store.projects if not self._is_own(each)]
            self._before = {each.id: self._picture(each) for each in foreign}

    def compare(self, method: str, path: str) -> None:
        """Called after that."""
        for number, picture in self._before.items():
            project = self._store.projects.get(number)
            if project is None or self._picture(project) != picture:
                self.violations.append(f"{method} {path} wrote to project {number} of others")

    def _is_own(self, project: Project) -> bool:
        index = self._world.state.index()
        bound = {key: row for key, row in index.items() if row.root_id and not row.unlinked}
        if any(row.by_hand and row.root_id == str(project.id) for row in bound.values()):
            return True
        keys = {marker.key for marker in decode_markers(project.tags_colors)}
        return any(key not in bound or bound[key].root_id == str(project.id) for key in keys)

    def _picture(self, project: Project) -> str:
        store = self._store
        tables = (store.memberships, store.roles, store.milestones, store.stories)
        return repr((project, [table.of(project.id) for table in tables]))
