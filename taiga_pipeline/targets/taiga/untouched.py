"""Whether only the connector has touched something in a project.

Where Taiga does not tell, the answer is no: what people may have worked with stays. A project
manager may be logged in as the connector's own account, so that who did something tells little:
what was done counts. Of a page, the merge compares all that is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sync.errors import Vanished
from sync.records.model import Observed
from sync.target import Place
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.taiga.children import (
    Memberships,
    Milestones,
    Roles,
    Stories,
    TaigaClientContext,
)
from taiga_pipeline.targets.taiga.pages import FILES, Pages
from taiga_pipeline.targets.taiga.paging import Row, read_all

_CHANGE: Final = 1
"""The type of an entry of a history, where it is neither the first nor the last."""
_HANGING: Final = ("total_comments", "total_attachments", "tasks", "watchers")


def is_untouched(child: Observed, place: Place, context: TaigaClientContext) -> bool:
    """Tells whether a child is as this account left it, and nothing of anyone hangs on it."""
    check = _CHECKS.get(child.kind)
    try:
        return check is not None and check(child, place, context)
    except Vanished:
        return False


def _story(child: Observed, place: Place, context: TaigaClientContext) -> bool:
    """A story in its first version is as it was made, and one that this account gave to someone
    later is, too. Tasks and custom values leave the version as it is: list and timeline show
    them."""
    params: dict[str, str | int] = {"project": place.root_id, "include_tasks": 1}
    stories = read_all(context.client, Stories.path, params)
    row = next((row for row in stories if str(row["id"]) == child.id), {})
    return (
        _is_own(row, context)
        and not any(row.get(each) for each in _HANGING)
        and (row.get("version") == 1 or _was_only_given(row, context))
        and _own_events("userstory", child.id, place, context)
    )


def _milestone(child: Observed, place: Place, context: TaigaClientContext) -> bool:
    """Stories that are in a milestone would lose it without a trace."""
    row: Row = context.client.get(f"{Milestones.path}/{child.id}").data
    return (
        _is_own(row, context)
        and not row.get("user_stories")
        and _own_events("milestone", child.id, place, context)
    )


def _page(child: Observed, place: Place, context: TaigaClientContext) -> bool:
    row: Row = context.client.get(f"{Pages.path}/{child.id}").data
    where: dict[str, str | int] = {"project": place.root_id, "object_id": child.id}
    return (
        _is_own(row, context)
        and _own_history(child.id, context)
        and all(_is_own(file, context) for file in read_all(context.client, FILES, where))
        and _own_events("wikipage", child.id, place, context)
    )


def _role(child: Observed, place: Place, context: TaigaClientContext) -> bool:
    """Whoever holds a role would leave the project with it."""
    members = read_all(context.client, Memberships.path, {"project": place.root_id})
    return all(str(row.get("role")) != child.id for row in members)


_CHECKS: Final[Mapping[str, Callable[[Observed, Place, TaigaClientContext], bool]]] = {
    Kind.STORY: _story,
    Kind.MILESTONE: _milestone,
    Kind.WIKI: _page,
    Kind.ROLE: _role,
}


def other_role(role_id: str, place: Place, context: TaigaClientContext) -> str | None:
    """Returns a role that takes over from one that goes, None if there is no other."""
    roles = read_all(context.client, Roles.path, {"project": place.root_id})
    others = sorted(int(row["id"]) for row in roles if str(row["id"]) != role_id)
    return str(others[0]) if others else None


def _is_own(row: Row, context: TaigaClientContext) -> bool:
    return row.get("owner") == context.account_id


def _was_only_given(row: Row, context: TaigaClientContext) -> bool:
    """Whether each version after the first is this account's, and gave a story to someone.

    Whom people chose, the merge tells: it compares who has it.
    """
    entries = context.client.get(f"history/userstory/{row['id']}").data
    changes = [entry for entry in entries if entry.get("type") == _CHANGE]
    return row.get("version") == 1 + len(changes) and all(
        (entry.get("user") or {}).get("pk") == context.account_id
        and {"assigned_to"} <= set(entry.get("diff") or ()) <= {"assigned_to", "assigned_users"}
        for entry in changes
    )


def _own_history(number: str, context: TaigaClientContext) -> bool:
    entries = context.client.get(f"history/wiki/{number}").data
    return isinstance(entries, list) and all(
        (entry.get("user") or {}).get("pk") == context.account_id for entry in entries
    )


def _own_events(name: str, number: str, place: Place, context: TaigaClientContext) -> bool:
    """Whether all that the project's timeline reports it was this account's doing."""
    events = read_all(context.client, f"timeline/project/{place.root_id}", {})
    about = [
        data
        for data in (event.get("data") or {} for event in events)
        if str((data.get(name) or {}).get("id")) == number
    ]
    return all((data.get("user") or {}).get("id") == context.account_id for data in about)
