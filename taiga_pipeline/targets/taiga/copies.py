"""New projects that are copies of one that people keep as a template.

Taiga's ``duplicate`` takes a name and a description, and brings along roles, columns, points, own
fields, modules, tags and their colours; no marker can be set in it, and no milestone or story comes
with it. So the description's last line claims the copy from its first moment, by which it is found
again whatever happens. Milestones and stories are copied then, each once, and a last request puts
the marker in the line's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sync.errors import Rejected, Vanished
from sync.records.model import Desired, Marker
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Project
from taiga_pipeline.targets.copied_dates import days_to, moved
from taiga_pipeline.targets.marks import Line, decode_mark, encode_mark
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.identity import decode_markers, encode_marker
from taiga_pipeline.targets.taiga.paging import Row, read_all

_COPYING: Final = " (copying)"
_CLAIM: Final = re.compile(rf"\s*pipeline-sync: (\S+){re.escape(_COPYING)}\s*\Z")
_FROM_TEMPLATE: Final = "pipeline-sync-template"
"""What the reference of a copied story begins with; the rest is the number of its original."""

_NEEDED: Final = frozenset({"view_milestones", "view_us"})
"""Without these, a template seems to be empty."""


def claim(description: str, marker: Marker) -> str:
    """Returns a description whose last line says whose the project is to be."""
    return "\n\n".join((description, f"{Line(encode_mark(marker))}{_COPYING}"))


def split_claim(description: str) -> tuple[str, Marker | None]:
    """Returns a description without that line, and the marker in it."""
    found = _CLAIM.search(description)
    marker = decode_mark(found[1]) if found else None
    return (description[: found.start()], marker) if found and marker else (description, None)


class Copies:
    """Projects as templates, in one Taiga."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def source(self, named: str) -> Row:
        """Returns the project that a mapping names: by number, name in addresses, or address.

        :raises Rejected: it is not there, is a project of a pipeline, or is not shown whole to this
            account, whose own its copies would not be.
        """
        try:
            row = self._row(named)
        except Vanished:
            raise Rejected(
                f"Taiga has no project {named!r} that this account may see; the template has to be "
                "one, and the account a member of it"
            ) from None
        if decode_markers(row.get("tags_colors")) or split_claim(_text(row))[1]:
            raise Rejected(
                f"project {named!r} is a deal's; a template has to be a project of its own"
            )
        _require_member(named, row)
        return row

    def _row(self, named: str) -> Row:
        row: Row
        if named.isdecimal():
            row = self._client.get(f"projects/{named}").data
            return row
        parts = urlsplit(named).path.split("/") if "//" in named else ["project", named]
        slug = unquote(dict(pairwise(parts)).get("project", ""))
        if not slug:
            raise Vanished(named)
        row = self._client.get("projects/by_slug", {"slug": slug}).data
        return row

    def make(self, source: Row, body: Mapping[str, JSON]) -> Row:
        """Copies the project itself; ``body`` has its name, its claimed description, its privacy.

        :raises OutcomeUnknown: no answer; it may be there.
        """
        made: Row = self._client.post(
            f"projects/{source['id']}/duplicate", {**body, "users": []}
        ).data
        return made

    def fill(self, copy: Row, desired: Desired) -> None:
        """Copies milestones and stories that are not there yet, their dates moved."""
        source = self.source(str(desired.fields[Project.COPIED_FROM]))
        milestones = self._all("milestones", source)
        stories = self._all("userstories", source)
        by = days_to(desired.fields.get(Project.COPY_STARTS), _dates(milestones, stories))
        made = self._milestones(milestones, copy, by)
        self._stories(stories, copy, made, by)

    def _milestones(self, rows: list[Row], copy: Row, by: timedelta | None) -> dict[object, JSON]:
        """Returns the ids of the copied milestones, by the ids of their originals."""
        there = {str(row["name"]): row["id"] for row in self._all("milestones", copy)}
        made: dict[object, JSON] = {}
        for row in reversed(rows):  # Taiga lists the latest first
            name = str(row["name"])
            if name not in there:
                body: dict[str, JSON] = {"project": copy["id"], "name": name}
                for at in ("estimated_start", "estimated_finish"):
                    body[at] = moved(row[at], by)
                there[name] = self._client.post("milestones", body).data["id"]
            made[row["id"]] = there[name]
        return made

    def _stories(
        self,
        rows: list[Row],
        copy: Row,
        milestones: Mapping[object, JSON],
        by: timedelta | None,
    ) -> None:
        there = {_reference(row) for row in self._all("userstories", copy)}
        statuses = {str(row["name"]): row["id"] for row in copy.get("us_statuses", ())}
        for each in rows:
            if str(each["id"]) in there:
                continue
            row = self._client.get(f"userstories/{each['id']}").data  # lists have no descriptions
            body: dict[str, JSON] = {
                "project": copy["id"],
                "subject": row["subject"],
                "description": row.get("description") or "",
                "tags": [tag for tag, _ in row.get("tags") or ()],
                "milestone": milestones.get(row.get("milestone")),
                "due_date": moved(row.get("due_date"), by),
                "external_reference": [_FROM_TEMPLATE, str(row["id"])],
            }
            status = statuses.get(str((row.get("status_extra_info") or {}).get("name")))
            if status is not None:
                body["status"] = status
            self._client.post("userstories", body)

    def _all(self, path: str, project: Row) -> list[Row]:
        return list(read_all(self._client, path, {"project": project["id"]}))


def finishing(row: Row, marker: Marker, desired: Desired | None = None) -> dict[str, JSON]:
    """Returns the body that puts the marker in the place of the line that claimed a copy."""
    colors = dict(row.get("tags_colors") or {})
    colors[encode_marker(marker)] = None
    body: dict[str, JSON] = {
        "description": split_claim(_text(row))[0],
        "tags_colors": [[tag, color] for tag, color in colors.items()],
    }
    tags = desired.fields.get(Project.TAGS) if desired else None
    if isinstance(tags, frozenset):
        body["tags"] = sorted({*map(str, row.get("tags") or ()), *tags})
    return body


def _require_member(named: str, row: Row) -> None:
    """Whoever may see a project may copy it; only a member belongs to the copy, and can fill it.

    :raises Rejected: the account is not a member, or not one to whom all shows.
    """
    if not row.get("i_am_member", True):
        raise Rejected(
            f"this account is not a member of project {named!r}, and would not be one of its "
            "copies; a template has to be a project that it is a member of"
        )
    permissions = row.get("my_permissions")
    lacking = sorted(_NEEDED.difference(permissions)) if permissions is not None else []
    if lacking:
        raise Rejected(
            f"this account's role in project {named!r} lacks {', '.join(lacking)}: what a template "
            "holds has to show to it"
        )


def _text(row: Mapping[str, Any]) -> str:
    return str(row.get("description") or "")


def _reference(row: Row) -> str:
    """Returns the number of the story that a story is a copy of, "" for any other."""
    reference = row.get("external_reference")
    if not isinstance(reference, list) or len(reference) != 2:
        return ""
    return str(reference[1]) if reference[0] == _FROM_TEMPLATE else ""


def _dates(milestones: list[Row], stories: list[Row]) -> Iterator[object]:
    for row in milestones:
        yield row.get("estimated_start")
    for row in stories:
        yield row.get("due_date")
