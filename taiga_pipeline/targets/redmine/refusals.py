"""Why Redmine refused a write, in words that name the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sync.errors import Rejected, SyncError, Vanished
from sync.records.model import Observed
from taiga_pipeline.targets.redmine import projects
from taiga_pipeline.targets.redmine.client import Client, Refusal
from taiga_pipeline.targets.redmine.custom_fields import CustomFields
from taiga_pipeline.targets.redmine.paging import Row

NO_ACCOUNT: Final = (
    "every run needs this. Is Redmine's REST API off (Administration, Settings, API: 'Enable REST "
    "web service'), or does the account have to change its password?"
)
_REFUSED_CHILD: Final = (
    "where that names a field which people have to fill in, give it a default value, or no longer "
    "require it of the connector (Administration, Custom fields, or Workflow, Fields permissions); "
    "where it names the tracker, the project needs one (its Settings)"
)
_MODULE: Final = "issue_tracking"
_MODULE_OFF: Final = (
    "the module 'Issue tracking' is off in the project, without which Redmine shows no versions "
    "and no issues. Turn it on again (the project's Settings, Modules)"
)
_RIGHTS_LACK: Final = (
    "the account's role in the project needs 'View members list' and 'View Issues' "
    "(Administration, Roles and permissions)"
)


def of_creation(error: Refusal) -> SyncError:
    """Returns why no project could be made."""
    return Rejected(
        f"{error}; the account needs a role with the permission 'Create project' in at least "
        "one project, or has to be an administrator"
    )


def of_values(error: Refusal, identifier: Any, custom: CustomFields) -> SyncError:
    """Returns why no project of this identifier, with these values, could be made."""
    names = ", ".join(repr(name) for name in custom.named_in(error.errors).values())
    if names:
        return Rejected(
            f"{error}; people have to fill in {names}, and the connector does not know with "
            "what: give it a default value, or no longer require it (Administration, Custom "
            "fields)"
        )
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
    if root.obstacle:
        return Rejected(f"project {root_id}: {root.obstacle}")
    return Rejected(f"{error}; {_REFUSED_CHILD}") if error.status == 422 else error


def why_unread(root_id: str, client: Client) -> str:
    """Returns what keeps versions and issues of a project that is there from being read."""
    params = {"include": "enabled_modules"}
    row = client.get(f"projects/{root_id}.json", params).data["project"]
    modules = {str(each.get("name")) for each in row.get("enabled_modules") or ()}
    return _RIGHTS_LACK if _MODULE in modules else _MODULE_OFF
