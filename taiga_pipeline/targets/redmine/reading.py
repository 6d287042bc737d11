"""Reads what lives in projects, in as few requests as there are ways to do it.

Redmine lists members and versions by project alone. Issues are listed by project, or over all
projects: for many projects the second is cheaper.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sync.errors import Failing, Malformed, Vanished
from sync.records.model import Observed, digest
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.parallel import each_or_none
from taiga_pipeline.targets.redmine.children import KINDS, RedmineClientContext
from taiga_pipeline.targets.redmine.client import Client
from taiga_pipeline.targets.redmine.paging import PAGE_SIZE, Row, count_rows, read_all, read_rows
from taiga_pipeline.targets.redmine.shapes import row_trouble

_LOG: Final = logging.getLogger(__name__)
WINDOW: Final = timedelta(hours=26)
"""How long ago an issue may have moved to count as moved lately.

Longer than the day after which everything is compared anyway, so that between two comparisons
nothing falls out of it unseen.
"""

_FEW: Final = 4
"""Up to so many projects it is not worth a request to ask how long the list of issues is."""

_EVERY: Final[Mapping[str, str | int]] = {"status_id": "*", "sort": "id"}

_Rows = Mapping[str, list[Row]]
"""Rows by kind."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What lately happened to the issues of a project: when the last one moved (UTC), and a digest
    of those that did ("" for both if none). Redmine's times have a resolution of a second only."""

    last: str = ""
    digest: str = ""


STILL: Final = Lately()


def issues_moved(
    client: Client, now: datetime, root_id: str = "", only: Mapping[str, str] | None = None
) -> dict[str, Lately]:
    """Returns what lately happened to issues, by project; one where nothing did is missing.

    A project's own ``updated_on`` does not move with its issues. The issues that moved lately are
    asked for in one list over all projects (or one, ``root_id``), so that a run in which nothing
    moved needs one request for it. ``only`` are further filters; a server that ignores them answers
    with more, which does no harm.
    """
    since = (now - WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ")
    params: dict[str, str | int] = {"status_id": "*", "updated_on": f">={since}", "sort": "id"}
    params.update(only or {})
    if root_id:
        params["project_id"] = root_id
    moved: dict[str, list[Row]] = {}
    for row in read_rows(client, "issues", params):
        project = row.get("project")
        if not isinstance(project, Mapping):  # it is met again where its project is read
            continue
        if row_trouble("issues", row) or row["updated_on"] >= since:
            moved.setdefault(str(project.get("id")), []).append(row)
    return {
        project: Lately(
            max(str(row.get("updated_on")) for row in rows),
            digest(sorted([row["id"], digest(row)] for row in rows)),
        )
        for project, rows in moved.items()
    }


class ChildReader:
    """Reads the children of projects, up to ``concurrency`` requests at a time."""

    def __init__(self, context: RedmineClientContext, concurrency: int) -> None:
        self._context = context
        self._concurrency = concurrency

    def read(self, root_ids: Collection[str]) -> dict[str, Sequence[Observed]]:
        """Returns the children of each project; one that is not there is missing.

        One of a project's children has the project's own kind and id: it carries the delivery
        facts that only its children tell (team, members, progress, milestones, spent hours).
        """
        roots = list(dict.fromkeys(root_ids))
        if not roots:
            return {}
        issues = self._issues_of_all(roots)
        every = each_or_none(lambda root: self._rows(root, issues), roots, self._concurrency)
        self._ask_for_members(every)
        return {
            root: self._children(root, rows)
            for root, rows in zip(roots, every, strict=True)
            if rows is not None
        }

    def _issues_of_all(self, roots: Sequence[str]) -> Mapping[str, list[Row]] | None:
        """Returns all issues by project, None where it is cheaper to ask project by project."""
        client = self._context.client
        try:
            if len(roots) <= _FEW or count_rows(client, "issues", _EVERY) > len(roots) * PAGE_SIZE:
                return None
            return self._sorted_issues(roots)
        except (Malformed, Failing) as error:
            _LOG.info("reading issues project by project: %s", error)
            return None

    def _sorted_issues(self, roots: Sequence[str]) -> Mapping[str, list[Row]]:
        """Returns the issues of each project, out of one list."""
        found: dict[str, list[Row]] = {root: [] for root in roots}
        for row in read_all(self._context.client, "issues", _EVERY):
            rows = found.get(str(row["project"]["id"]))
            if rows is not None:
                rows.append(row)
        return found

    def _rows(self, root: str, issues: Mapping[str, list[Row]] | None) -> _Rows | None:
        """Returns the rows of one project, None if it is not there (any more)."""
        try:
            return {
                name: issues[root]
                if issues is not None and name == Kind.STORY
                else list(kind.rows(root, self._context))
                for name, kind in KINDS.items()
            }
        except Vanished:
            return None

    def _ask_for_members(self, every: Sequence[_Rows | None]) -> None:
        """Asks at once who all the members are."""
        users = {row["user"]["id"] for rows in every if rows for row in rows[Kind.MEMBERSHIP]}
        if self._context.assigns_stories:
            issues = (row for rows in every if rows for row in rows[Kind.STORY])
            users |= {row["assigned_to"]["id"] for row in issues if row.get("assigned_to")}
        self._context.people.mails(users)

    def _children(self, root: str, rows: _Rows) -> list[Observed]:
        children = [KINDS[name].observe(row, self._context) for name in KINDS for row in rows[name]]
        facts = Observed(Kind.PROJECT, root, {}, facts=self._facts(rows))
        # People's own issues can never be bound.
        return [facts, *(c for c in children if c.kind != Kind.STORY or c.identity)]

    def _facts(self, rows: _Rows) -> dict[str, object]:
        """Returns what sales wants to know of a project and only its children tell."""
        members = [
            KINDS[Kind.MEMBERSHIP].observe(row, self._context).facts
            for row in rows[Kind.MEMBERSHIP]
            if row["user"]["id"] != self._context.account_id
        ]
        versions = [KINDS[Kind.MILESTONE].observe(r, self._context) for r in rows[Kind.MILESTONE]]
        facts: dict[str, object] = {
            "team": sorted(str(member["name"]) for member in members),
            "progress": progress(rows[Kind.STORY]),
            "milestones": [dict(version.facts) for version in versions],
            "spent_hours": round(
                sum(float(r.get("spent_hours") or 0) for r in rows[Kind.STORY]), 2
            ),
        }
        if all(member["email"] for member in members):
            facts["members"] = sorted(str(member["email"]) for member in members)
        return facts


def progress(issues: Sequence[Row]) -> float | None:
    """Returns the mean share that is done, 0 to 1; None without issues.

    A closed issue counts as done, another one by its ``done_ratio`` (per cent). An issue with
    subtasks is left out: its own ratio is made of theirs.
    """
    parents = {(row.get("parent") or {}).get("id") for row in issues}
    leaves = [row for row in issues if row["id"] not in parents]
    done = [
        1.0 if row.get("closed_on") else float(row.get("done_ratio") or 0) / 100 for row in leaves
    ]
    return round(sum(done) / len(done), 4) if done else None
