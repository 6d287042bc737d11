"""What everything about tasks, members and columns needs: the API, and what this Odoo has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from sync.errors import OutcomeUnknown, Rejected
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import ALL, Row
from taiga_pipeline.targets.odoo.external_ids import ExternalIds
from taiga_pipeline.targets.odoo.identity import MODULE
from taiga_pipeline.targets.odoo.people import Directory

TASK: Final = "project.task"
QUIET: Final[Mapping[str, JSON]] = {**ALL, "mail_auto_subscribe_no_notify": True}
"""The context of a write: archived records are there, and nobody is mailed about a task."""


@dataclass(frozen=True)
class Context:
    """One account in one Odoo, for one pipeline."""

    client: OdooClient
    pipeline: str
    people: Directory
    _tags: dict[str, int] = field(default_factory=dict)

    @cached_property
    def task_fields(self) -> Mapping[str, Mapping[str, JSON]]:
        """The fields of tasks that this account may see: they tell the version, and what is
        installed."""
        found: Mapping[str, Mapping[str, JSON]] = self.client.read(
            TASK, "fields_get", attributes=["type", "relation"]
        )
        return found

    def has(self, *names: str) -> str:
        """Returns the first of some fields that tasks have, "" for none."""
        return next((name for name in names if name in self.task_fields), "")

    @property
    def assignee(self) -> str:
        """The field of those whom a task is assigned to: one (Odoo 14) or several."""
        return self.has("user_ids", "user_id")

    @property
    def planned(self) -> str:
        """The field of planned hours, "" for none: Odoo 17 gave it another name."""
        return self.has("allocated_hours", "planned_hours")

    @property
    def has_hours(self) -> bool:
        """Whether tasks have planned hours; which is so wherever JSON-2 is."""
        return self.client.is_json2 or self.planned != ""

    @property
    def is_recent(self) -> bool:
        """Whether this is Odoo 15 or later, which has tags of projects and milestones."""
        return self.client.is_json2 or self.has("user_ids") != ""

    @property
    def has_milestones(self) -> bool:
        """Whether tasks are in milestones; which is so wherever JSON-2 is."""
        return self.client.is_json2 or self.has("milestone_id") != ""

    def load(self, model: str, name: str, cells: Mapping[str, str]) -> int:
        """Makes a record with an external id in one transaction; returns its id, 0 if another one
        was faster.

        :raises Rejected: Odoo does not take the values; says why.
        :raises OutcomeUnknown: no answer.
        """
        columns = ["id", *cells]
        data = [[f"{MODULE}.{name}", *cells.values()]]
        said = self.client.make(model, "load", fields=columns, data=data, context=dict(QUIET))
        ids = said.get("ids") if isinstance(said, dict) else None
        if isinstance(ids, list) and len(ids) == 1 and isinstance(ids[0], int):
            return ids[0]
        if self.external(model, name):
            return 0
        raise Rejected(f"Odoo refuses to make a {model}: {_why(said)}")

    @cached_property
    def external_ids(self) -> ExternalIds:
        """Our external ids."""
        return ExternalIds(self.client)

    def external(self, model: str, *names: str) -> dict[str, int]:
        """Returns the ids of the records that have some of our external ids, by name."""
        return self.external_ids.named(model, names)

    def tag_ids(self, names: frozenset[str]) -> list[int]:
        """Returns the ids of tags, which are the same in all projects; makes those that are not
        there."""
        missing = sorted(name for name in names if name not in self._tags)
        if missing:
            rows = self.client.read(
                "project.tags", "search_read", domain=[["name", "in", missing]], fields=["name"]
            )
            self._tags.update({str(row["name"]): int(row["id"]) for row in rows})
        for name in (each for each in missing if each not in self._tags):
            self._tags[name] = self._new_tag(name)
        return sorted(self._tags[name] for name in names)

    def _new_tag(self, name: str) -> int:
        try:
            (number,) = self.client.make("project.tags", "create", vals_list=[{"name": name}])
        except (Rejected, OutcomeUnknown):  # another one was faster: a tag's name is unique
            rows = self.client.read(
                "project.tags", "search_read", domain=[["name", "=", name]], fields=["name"]
            )
            if not rows:
                raise
            return int(rows[0]["id"])
        return int(number)

    def tag_names(self, rows: Sequence[Row]) -> dict[int, str]:
        """Returns the names of the tags that rows have, by id."""
        ids = {number for row in rows for number in row.get("tag_ids") or ()}
        known = {number: name for name, number in self._tags.items()}
        missing = sorted(ids - known.keys())
        if missing:
            found = self.client.read(
                "project.tags", "search_read", domain=[["id", "in", missing]], fields=["name"]
            )
            self._tags.update({str(row["name"]): int(row["id"]) for row in found})
            known.update({int(row["id"]): str(row["name"]) for row in found})
        return {number: known.get(number, "") for number in ids}


def _why(said: JSON) -> str:
    """Returns the words of what ``load`` reports."""
    messages = said.get("messages") if isinstance(said, dict) else None
    words = [
        " ".join(str(each.get("message")).split())
        for each in messages or ()
        if isinstance(each, dict)
    ]
    return "; ".join(words)[:500] or "it gives no reason"
