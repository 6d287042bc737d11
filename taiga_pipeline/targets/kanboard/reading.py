"""Reads what lives in projects, many projects in one request."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from sync.errors import Malformed, Vanished
from sync.records.model import Observed, digest
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.kanboard.children import (
    Rows,
    column,
    members,
    roles,
    row_calls,
    rows_of,
)
from taiga_pipeline.targets.kanboard.client import BATCH, Client, call
from taiga_pipeline.targets.kanboard.shapes import Row, flag, number, task_trouble
from taiga_pipeline.targets.kanboard.tasks import STORY, Context, spent_hours, task_calls
from taiga_pipeline.targets.parallel import each_or_none

_LOG: Final = logging.getLogger(__name__)

_RECENT_SECONDS: Final = 3
"""A project that moved so lately may move again within the same second, unseen by its date."""


def moved_lately(client: Client, rows: Sequence[Row], now: datetime) -> dict[int, str]:
    """Returns a digest of the tasks of each project that moved just now (UTC), by its number.

    Kanboard's dates have a resolution of a second. Mostly there are none, and no request is made.
    """
    border = now.timestamp() - _RECENT_SECONDS
    recent = [number(row["id"]) for row in rows if number(row.get("last_modified")) >= border]
    try:
        return _digests(client, recent)
    except Vanished:  # this account may not look into one of them
        found: dict[int, str] = {}
        for project in recent:
            with suppress(Vanished):
                found |= _digests(client, [project])
        return found


def _digests(client: Client, projects: Sequence[int]) -> dict[int, str]:
    answers = client.read_each([each for project in projects for each in task_calls(project)])
    return {
        project: digest([answers[2 * at], answers[2 * at + 1]])
        for at, project in enumerate(projects)
    }


class ChildReader:
    """Reads the children of projects, up to ``concurrency`` requests at a time."""

    def __init__(self, context: Context, concurrency: int) -> None:
        self._context = context
        self._concurrency = concurrency
        self._calls_each = len(row_calls(1, context))
        self._at_once = BATCH // (self._calls_each + 1)

    def read(self, root_ids: Collection[str]) -> dict[str, Sequence[Observed]]:
        """Returns the children of each project; one that is not there is missing.

        One of a project's children has the project's own kind and id: it carries the delivery
        facts that only its children tell (team, members, progress, milestones, spent hours).
        """
        roots = [root for root in dict.fromkeys(root_ids) if number(root)]
        parts = [roots[at : at + self._at_once] for at in range(0, len(roots), self._at_once)]
        found: dict[str, Sequence[Observed]] = {}
        for part in each_or_none(self._part, parts, self._concurrency):
            found |= part or {}
        return found

    def _part(self, roots: Sequence[str]) -> dict[str, Sequence[Observed]]:
        """Returns the children of some projects; where one spoils the request, one by one."""
        try:
            return self._together(roots)
        except (Vanished, Malformed) as error:
            if len(roots) == 1 and isinstance(error, Malformed):
                raise
            _LOG.info("reading project by project: %s", error)
        found: dict[str, Sequence[Observed]] = {}
        for each in each_or_none(self._alone, roots, 1):
            found |= each or {}
        return found

    def _alone(self, root: str) -> dict[str, Sequence[Observed]]:
        try:
            return self._together([root])
        except Vanished:
            return {}

    def _together(self, roots: Sequence[str]) -> dict[str, Sequence[Observed]]:
        calls = [call("getProjectById", project_id=int(root)) for root in roots]
        calls += [each for root in roots for each in row_calls(int(root), self._context)]
        answers = self._context.client.read_each(calls)
        there, rest = answers[: len(roots)], answers[len(roots) :]
        found: dict[str, Sequence[Observed]] = {}
        for at, root in enumerate(roots):
            if not there[at]:
                continue
            rows = rows_of(rest[at * self._calls_each : (at + 1) * self._calls_each])
            trouble = next(filter(None, map(task_trouble, rows.tasks)), "")
            if trouble:
                _LOG.warning("project %s is left out: a task of it %s", root, trouble)
                continue
            found[root] = self._children(root, rows)
        return found

    def _children(self, root: str, rows: Rows) -> list[Observed]:
        tasks = [STORY.observe(row, self._context, rows.columns) for row in rows.tasks]
        facts = Observed(Kind.PROJECT, root, {}, facts=self._facts(root, rows, tasks))
        return [
            facts,
            *roles(root, rows),
            *members(root, rows, self._context),
            *map(column, rows.columns),
            *(task for task in tasks if task.identity),  # people's own can never be bound
        ]

    def _facts(self, root: str, rows: Rows, tasks: Sequence[Observed]) -> dict[str, object]:
        """Returns what sales wants to know of a project and only its children tell."""
        team = [member.facts for member in members(root, rows, self._context)]
        done = [
            not flag(row["is_active"])
            for row, task in zip(rows.tasks, tasks, strict=True)
            if task.kind == Kind.STORY
        ]
        facts: dict[str, object] = {
            "team": sorted(str(member["name"]) for member in team),
            "progress": round(sum(done) / len(done), 4) if done else None,
            "milestones": [dict(task.facts) for task in tasks if task.kind == Kind.MILESTONE],
            "spent_hours": round(sum(map(spent_hours, rows.tasks)), 2),
        }
        if all(member["email"] for member in team):
            facts["members"] = sorted(str(member["email"]) for member in team)
        return facts
