"""Why Redmine refused a write, in words that name the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.errors import Rejected, SyncError, Vanished
from sync.records.model import Observed
from taiga_pipeline.targets.redmine import projects
from taiga_pipeline.targets.redmine.client import Refusal
from taiga_pipeline.targets.redmine.paging import Row


def of_creation(error: Refusal) -> SyncError:
    """Returns why no project could be made."""
    return Rejected(
        f"{error}; the account needs a role with the permission 'Create project' in at least "
        "one project, or has to be an administrator"
    )


def of_identifier(error: Refusal, identifier: Any) -> SyncError:
    """Returns why no project of this identifier could be made."""
    return Rejected(
        f"{error}; if the identifier {identifier!r} is taken, an archived project has "
        "it: unarchive or delete that one (Administration, Projects)"
    )


def of_project(error: Refusal, path: str, project: Callable[[str], Row]) -> SyncError:
    """Returns why a write to ``path`` was refused: archived, forbidden and closed are all 403.

    ``project`` reads a project by its number, and raises `Vanished`.
    """
    if error.status != 403:
        return error
    number = path.split("/")[1].removesuffix(".json")
    try:
        row = project(number)
    except Vanished:
        return Vanished(f"project {number} no longer exists, or was archived")
    if row.get("status") == projects.CLOSED and not path.endswith("reopen.json"):
        return Rejected(f"project {number}: {projects.CLOSED_BY_PEOPLE}")
    return Rejected(
        f"{error}; the account's role in project {number} needs 'Edit project', and 'Close / "
        "reopen the project' to retire it"
    )


def of_child(error: Refusal, root_id: str, root: Observed | None) -> SyncError:
    """As `of_project`; a closed project answers 422 with words about something else."""
    if root is None:
        return Vanished(f"project {root_id} no longer exists, or was archived")
    return Rejected(f"project {root_id}: {root.obstacle}") if root.obstacle else error
