"""What changed in a story or wiki page, and whether a change that was based on an old version
may pass.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from taiga_pipeline.sandbox.errors import invalid
from taiga_pipeline.sandbox.fields import Form
from taiga_pipeline.sandbox.models import HistoryEntry, Project, Story, Task, User, WikiPage
from taiga_pipeline.sandbox.people import gravatar
from taiga_pipeline.sandbox.serving.wire import Json, timestamp
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_row

NOT_VALID = "The version parameter is not valid"
STALE = "The version doesn't match with the current one"
CREATE, CHANGE, DELETE = 2, 1, 3
Diff = dict[str, list[Any]]
Item = Story | Task | WikiPage


_MODELS = {Story: "userstories.userstory", Task: "tasks.task", WikiPage: "wiki.wikipage"}


def check_version(row: Item, form: Form) -> None:
    """Refuse a change that was based on an old version, if somebody changed the same fields
    since.

    As on a real server, the fields that the request names are held against those of the last n
    entries of the history, n being the number of versions that it lags behind.

    Raises:
        ApiError: 400 for a missing, future or negative version, and for a conflict.
    """
    version = form.integer("version")
    form.check()
    if version is None or not 0 <= version <= row.version:
        raise invalid({"version": NOT_VALID})
    behind = row.version - version
    if behind == 0:
        return
    changed = {name for entry in row.history[-behind:] for name in entry.diff}
    if changed & (set(form.data) - {"version", "comment"}):
        raise invalid({"version": STALE})


def record(  # noqa: PLR0913, PLR0917 - the columns of a history entry
    store: Store,
    user: User,
    row: Item,
    diff: Diff,
    action: int = CHANGE,
    comment: str = "",
) -> None:
    """Write history and timeline; a change that changed nothing and says nothing leaves no
    trace.
    """
    project = store.projects.rows[row.project]
    if action == CHANGE and not diff and not comment:
        store.touched(project.id)
        return
    now = store.clock.tick()
    row.history.append(HistoryEntry(str(uuid.uuid4()), user.id, now, action, diff, comment))
    verb = {CREATE: "create", CHANGE: "change", DELETE: "delete"}[action]
    values = readable(store, project, diff)
    data: dict[str, Any] = {"comment": comment, "values_diff": values, **_reference(row)}
    kind = _MODELS[type(row)]
    store.record(project, user, f"{kind}.{verb}", row.id, data)


def _reference(row: Item) -> dict[str, Any]:
    if isinstance(row, Task):
        return {"task": {"id": row.id, "ref": row.ref, "subject": row.subject}}
    if isinstance(row, Story):
        return {"userstory": {"id": row.id, "ref": row.ref, "subject": row.subject}}
    return {"wikipage": {"id": row.id, "slug": row.slug}}


def differences(before: dict[str, Any], after: dict[str, Any]) -> Diff:
    """Old and new value of each field that differs."""
    return {
        name: [before[name], value] for name, value in after.items() if before.get(name) != value
    }


def readable(store: Store, project: Project, diff: Diff) -> Diff:
    """A diff with names for the numbers of statuses, milestones and people."""
    return {
        name: [_name_of(store, project, name, value) for value in pair]
        for name, pair in diff.items()
    }


def _name_of(store: Store, project: Project, field: str, value: Any) -> Any:
    if field == "status":
        row = status_row(project, value)
        return row["name"] if row else value
    if field == "milestone":
        milestone = store.milestones.get(value)
        return milestone.name if milestone else value
    if field == "assigned_to":
        user = store.users.get(value)
        return user.full_name if user else value
    return value


def snapshot(row: Item, names: Iterable[str]) -> dict[str, Any]:
    """The present values of some fields."""
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value)
    return value.copy() if isinstance(value, list | dict) else value


def entry_view(store: Store, project: Project, key: str, entry: HistoryEntry) -> Json:
    """A history entry as the API answers it."""
    user = store.users.get(entry.user)
    return {
        "id": entry.id,
        "user": {
            "pk": entry.user,
            "username": user.username if user else "",
            "name": user.full_name if user else "",
            "photo": None,
            "is_active": bool(user and user.is_active),
            "gravatar_id": gravatar(user.email) if user else None,
        },
        "created_at": timestamp(entry.created_at),
        "type": entry.type,
        "key": key,
        "diff": entry.diff,
        "snapshot": None,
        "values": {"users": {}},
        "values_diff": readable(store, project, entry.diff),
        "comment": entry.comment,
        "comment_html": entry.comment,
        "delete_comment_date": None,
        "delete_comment_user": None,
        "edit_comment_date": None,
        "is_hidden": False,
        "is_snapshot": False,
    }
