"""Project templates: named in a mapping, numbered in the API. Asked for once, when first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sync.errors import Rejected
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import read_all


class Templates:
    """The server's templates by name. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._ids: Mapping[str, int] = {}

    def number(self, slug: str) -> int:
        """Returns the template's id.

        :raises Rejected: there is none of that name.
        """
        with self._lock:
            if not self._ids:
                rows = read_all(self._client, "project-templates", {})
                self._ids = {str(row["slug"]): int(row["id"]) for row in rows}
        if slug not in self._ids:
            raise Rejected(
                f"Taiga has no project template {slug!r}{did_you_mean(slug, self._ids)}; "
                f"there are {', '.join(sorted(self._ids)) or 'none'}"
            )
        return self._ids[slug]
