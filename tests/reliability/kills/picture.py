"""What people can see in a sandbox, and what the state store remembers: both without ids."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from taiga_pipeline.sandbox.models import Membership, Project, Story
from taiga_pipeline.sandbox.store import Store

Picture = dict[str, Any]
"""JSON-compatible, so that a difference between two can be printed."""


def picture(store: Store) -> list[Picture]:
    """Returns everything that people can see in the projects, in an order without ids."""
    with store.lock:
        projects = [_project(store, project) for project in store.projects]
    return sorted(projects, key=lambda each: json.dumps(each, sort_keys=True))


def _project(store: Store, project: Project) -> Picture:
    joined = [each for each in store.events.of(project.id) if "membership" in each.event_type]
    return {
        "name": project.name,
        "description": project.description,
        "tags": sorted(project.tags),
        "tags_colors": sorted(project.tags_colors),
        "private": project.is_private,
        "looking_for_people": [project.is_looking_for_people, project.looking_for_people_note],
        "locked": [project.archived_code, project.blocked_code],
        "roles": sorted([role.name, role.permissions] for role in store.roles.of(project.id)),
        "members": sorted(_member(store, row) for row in store.memberships.of(project.id)),
        "joined and left": sorted(Counter(each.event_type for each in joined).items()),
        "milestones": sorted(
            [row.name, row.estimated_start, row.estimated_finish, row.closed]
            for row in store.milestones.of(project.id)
        ),
        "stories": sorted(
            (_story(store, project, row) for row in store.stories.of(project.id)),
            key=lambda each: json.dumps(each, sort_keys=True),
        ),
    }


def _member(store: Store, row: Membership) -> list[object]:
    user = store.users.get(row.user)
    return [user.email if user else str(row.email), store.roles.rows[row.role].name, row.is_admin]


def _story(store: Store, project: Project, row: Story) -> Picture:
    milestone = store.milestones.get(row.milestone)
    return {
        "subject": row.subject,
        "description": row.description,
        "status": (row.status or 0) - project.value_base.get("us_statuses", 0),
        "milestone": milestone.name if milestone else None,
        "tags": sorted(row.tags),
        "reference": row.external_reference,
        "version": row.version,
    }


def remembered(state: Path, store: Store) -> Picture:
    """Returns what the state store holds, each id replaced by what it leads to."""
    connection = sqlite3.connect(state)
    connection.row_factory = sqlite3.Row
    try:
        bindings = connection.execute("SELECT * FROM sync_binding").fetchall()
        groups = connection.execute("SELECT * FROM sync_group").fetchall()
        issues = connection.execute("SELECT issue, grp, kind, name, field FROM sync_issue")
        open_intents = connection.execute(
            "SELECT grp, kind, name, action FROM sync_journal WHERE status = 'open'"
        )
        return {
            "bindings": sorted(_bound(store, dict(row)) for row in bindings),
            "groups": sorted(_remembered_group(dict(row)) for row in groups),
            "issues": sorted(list(row) for row in issues),
            "open intents": [list(row) for row in open_intents],
        }
    finally:
        connection.close()


def _bound(store: Store, row: dict[str, Any]) -> list[object]:
    flags = [bool(row["created"]), row["when_dropped"], bool(row["deleted"]), bool(row["unlinked"])]
    base = json.dumps(json.loads(row["base_json"]), sort_keys=True)
    leads_to = _leads_to(store, row["kind"], int(row["target_id"] or 0))
    return [row["grp"], row["kind"], row["name"], leads_to, *flags, base]


def _leads_to(store: Store, kind: str, number: int) -> str:
    tables: dict[str, Any] = {
        "project": store.projects,
        "role": store.roles,
        "membership": store.memberships,
        "milestone": store.milestones,
        "story": store.stories,
    }
    row = tables[kind].get(number)
    if row is None:
        return "nothing"
    if kind == "story":
        return f"{row.subject} in {store.projects.rows[row.project].name}"
    if kind == "membership":
        return f"{_member(store, row)} in {store.projects.rows[row.project].name}"
    place = "" if kind == "project" else f" in {store.projects.rows[row.project].name}"
    return f"{row.name}{place}"


def _remembered_group(row: dict[str, Any]) -> list[object]:
    """The stamp is a time, and the facts hold one: what matters is whether there is a stamp."""
    return [row["grp"], row["fingerprint"], row["state"], bool(row["stamp"])]


def difference(name: str, expected: Any, found: Any) -> str:
    """Says where two pictures differ, "" if they do not."""
    if expected == found:
        return ""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = sorted(expected.keys() | found.keys())
        parts = [difference(f"{name}/{k}", expected.get(k), found.get(k)) for k in keys]
        return "\n".join(part for part in parts if part)
    if isinstance(expected, list) and isinstance(found, list):
        missing = [each for each in expected if each not in found]
        more = [each for each in found if each not in expected]
        if len(missing) == len(more) == 1 and isinstance(missing[0], dict | list):
            return difference(f"{name}/*", _keyed(missing[0]), _keyed(more[0]))
        return f"{name}: missing {missing}, more {more}, of {len(expected)} and {len(found)}"
    return f"{name}: expected {expected!r}, found {found!r}"


def _keyed(value: Any) -> Any:
    return dict(enumerate(value)) if isinstance(value, list) else value
