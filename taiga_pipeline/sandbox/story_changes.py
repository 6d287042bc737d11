"""Reading and applying changes of user stories, and what follows from them."""

from collections.abc import Collection
from typing import Any

from taiga_pipeline.sandbox.errors import invalid, invalid_pk, permission_denied
from taiga_pipeline.sandbox.fields import Form, external_reference, item_tags
from taiga_pipeline.sandbox.models import Milestone, Project, Story
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_row
from taiga_pipeline.sandbox.templates import TEMPLATES

# The fields that history compares; external_reference is not among them, so it never conflicts.
HISTORY_FIELDS = (
    "subject",
    "description",
    "status",
    "milestone",
    "is_closed",
    "finish_date",
    "kanban_order",
    "due_date",
    "assigned_to",
    "assigned_users",
    "tags",
    "points",
    "client_requirement",
    "team_requirement",
    "is_blocked",
    "blocked_note",
)
_FLAGS = ("client_requirement", "team_requirement", "is_blocked")
_TEXTS = ("description", "blocked_note", "due_date_reason")


def read_changes(
    store: Store, project: Project, form: Form, roles: Collection[str]
) -> dict[str, Any]:
    """The story fields in a request, validated against the project; new tags are in `new_tags`.

    `roles` are the ids, as text, of the roles that the story has estimates for.

    Raises:
        ApiError: 400 for wrong values, 403 for a status or milestone of another project.
    """
    changes: dict[str, Any] = {}
    if not form.partial or "subject" in form:
        changes["subject"] = form.text("subject", required=True)
    changes |= {name: form.text(name) for name in _TEXTS if name in form}
    changes |= {name: form.boolean(name) for name in _FLAGS if name in form}
    if "due_date" in form:
        changes["due_date"] = form.day("due_date")
    if "external_reference" in form:
        changes["external_reference"] = external_reference(form)
    if "tags" in form:
        changes["new_tags"] = item_tags(form)
    changes |= _references(store, project, form)
    form.check()
    _check_project(store, project, changes)
    if "points" in form:
        changes["points"] = _points(project, form.data["points"] or {}, roles)
    return changes


def _references(store: Store, project: Project, form: Form) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "status" in form:
        status = form.reference("status")
        if status is not None and not 0 < status <= store.value_sequences["us_statuses"]:
            form.fail("status", invalid_pk(status))
        changes["status"] = status or project.defaults.get("default_us_status")
    if "milestone" in form:
        milestone = form.reference("milestone")
        if milestone is not None and store.milestones.get(milestone) is None:
            form.fail("milestone", invalid_pk(milestone))
        changes["milestone"] = milestone
    if "assigned_to" in form:
        changes["assigned_to"] = _assignee(store, project, form)
    if "assigned_users" in form:
        changes["assigned_users"] = _assigned_users(store, form)
    return changes


def _assignee(store: Store, project: Project, form: Form) -> int | None:
    assigned = form.reference("assigned_to")
    if assigned is not None and store.users.get(assigned) is None:
        form.fail("assigned_to", invalid_pk(assigned))
    elif assigned is not None and store.memberships.find(assigned, project.id) is None:
        form.fail("assigned_to", "The user must be a project member.")
    return assigned


def _assigned_users(store: Store, form: Form) -> list[int]:
    """Accounts, whether members or not."""
    users = list(form.data["assigned_users"] or [])
    for user in users:
        if not isinstance(user, int) or store.users.get(user) is None:
            form.fail("assigned_users", invalid_pk(user))
    return users


def _check_project(store: Store, project: Project, changes: dict[str, Any]) -> None:
    status = changes.get("status")
    if status is not None and status_row(project, status) is None:
        raise permission_denied("You don't have permissions to set this status to this user story.")
    milestone = store.milestones.get(changes.get("milestone"))
    if milestone is not None and milestone.project != project.id:
        raise permission_denied("You don't have permissions to set this sprint to this user story.")


def _points(project: Project, wanted: dict[str, Any], roles: Collection[str]) -> dict[str, int]:
    base = project.value_base.get("points", 0)
    known = range(base, base + len(TEMPLATES[project.template].values["points"]))
    for role, points in wanted.items():
        if str(role) not in roles:
            raise invalid({"points": f"Invalid role id '{role}'"})
        if points not in known:
            raise invalid({"points": f"Invalid points id '{points}'"})
    return {str(role): int(points) for role, points in wanted.items()}


def default_points(store: Store, project: Project) -> dict[str, int]:
    """The estimates of a new story: the default for every computable role."""
    default = project.defaults.get("default_points")
    roles = [role for role in store.roles.of(project.id) if role.computable]
    return {str(role.id): default for role in roles} if default is not None else {}


def apply_changes(store: Store, project: Project, story: Story, changes: dict[str, Any]) -> None:
    """Set the fields and let status, tags and milestones follow."""
    previous = story.milestone
    for name, value in changes.items():
        if name == "new_tags":
            story.tags = list(value)
            merge_colors(project, value)
        elif name == "points":
            story.points |= value
        else:
            setattr(story, name, value)
    settle_closed(store, project, story)
    settle_milestone(store, store.milestones.get(story.milestone))
    if previous != story.milestone:
        settle_milestone(store, store.milestones.get(previous), may_open=False)


def merge_colors(project: Project, tags: dict[str, str | None]) -> None:
    """Add new tags to the project's; one that is known keeps its colour."""
    for tag, color in tags.items():
        project.tags_colors.setdefault(tag, color)


def settle_closed(store: Store, project: Project, story: Story) -> None:
    """A story with tasks is closed when all of them are; any other when its status is."""
    tasks = store.tasks_of(story)
    status = status_row(project, story.status)
    closed = (
        all(task.is_closed for task in tasks) if tasks else bool(status and status["is_closed"])
    )
    if closed and not story.is_closed:
        story.finish_date = store.clock.tick()
    elif not closed:
        story.finish_date = None
    story.is_closed = closed


def settle_milestone(store: Store, milestone: Milestone | None, may_open: bool = True) -> None:
    """A milestone closes with the last of its stories; it opens only by a story that is in it."""
    if milestone is None:
        return
    stories = [row for row in store.stories.of(milestone.project) if row.milestone == milestone.id]
    closed = bool(stories) and all(story.is_closed for story in stories)
    if closed or may_open:
        milestone.closed = closed
