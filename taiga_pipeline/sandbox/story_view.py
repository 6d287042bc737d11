"""How user stories appear in answers."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from taiga_pipeline.sandbox.models import Project, Story, Task
from taiga_pipeline.sandbox.people import card
from taiga_pipeline.sandbox.serving.wire import Json, timestamp
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.templates import TEMPLATES

DUE_SOON_DAYS = 14


def project_card(project: Project) -> Json:
    """The short form of a project inside other objects."""
    return {"name": project.name, "slug": project.slug, "logo_small_url": None, "id": project.id}


def status_row(project: Project, status_id: int | None) -> dict[str, Any] | None:
    """A story status of a project by its id, or None if the project has no such status."""
    if project.us_statuses is not None:
        return next((row for row in project.us_statuses if row["id"] == status_id), None)
    rows = TEMPLATES[project.template].values["us_statuses"]
    place = -1 if status_id is None else status_id - project.value_base.get("us_statuses", 1 << 60)
    return rows[place] if 0 <= place < len(rows) else None


def status_rows(project: Project) -> list[dict[str, Any]]:
    """The story statuses of a project with their ids, in their order."""
    if project.us_statuses is not None:
        return sorted(project.us_statuses, key=lambda row: (row["order"], row["name"]))
    base = project.value_base.get("us_statuses")
    if base is None:
        return []
    rows = TEMPLATES[project.template].values["us_statuses"]
    return [{"id": base + place, **row} for place, row in enumerate(rows)]


def points_value(project: Project, points_id: int) -> float | None:
    """How much an estimate counts; None for "?"."""
    rows = TEMPLATES[project.template].values["points"]
    place = points_id - project.value_base.get("points", 1 << 60)
    value = rows[place]["value"] if 0 <= place < len(rows) else None
    return None if value is None else float(value)


def story_total(project: Project, story: Story) -> float | None:
    """The sum of a story's estimates, None if there is none."""
    values = [points_value(project, points_id) for points_id in story.points.values()]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def points_total(store: Store, stories: Iterable[Story]) -> float | None:
    """The sum over stories, None if none is estimated."""
    totals = [story_total(store.projects.rows[story.project], story) for story in stories]
    known = [total for total in totals if total is not None]
    return sum(known) if known else None


def tag_pairs(project: Project, tags: Iterable[str]) -> Json:
    """Tags with their colours, as items show them."""
    return [[tag, project.tags_colors.get(tag)] for tag in tags]


def _due_status(store: Store, story: Story) -> str:
    """How a due date stands on the sandbox's day."""
    if story.due_date is None:
        return "not_set"
    if story.is_closed:
        return "no_longer_applicable"
    days = (date.fromisoformat(story.due_date) - store.clock.now().date()).days
    if days < 0:
        return "past_due"
    return "due_soon" if days <= DUE_SOON_DAYS else "set"


_AS_STORED = (
    "due_date", "due_date_reason", "total_comments", "status", "assigned_to", "owner", "project",
    "id", "ref", "milestone", "is_closed", "points", "backlog_order", "sprint_order",
    "kanban_order", "subject", "client_requirement", "team_requirement", "external_reference",
    "version", "is_blocked", "blocked_note", "assigned_users",
)  # fmt: skip


def list_view(store: Store, story: Story, with_tasks: bool = False) -> dict[str, Json]:
    """A story in a list: everything but its description; its tasks only if they are asked for."""
    stored: dict[str, Json] = {name: getattr(story, name) for name in _AS_STORED}
    times = ("created_date", "modified_date", "finish_date")
    dates: dict[str, Json] = {name: timestamp(getattr(story, name)) for name in times}
    tasks = [_task_row(task) for task in store.tasks_of(story)] if with_tasks else []
    return stored | dates | _never_set() | _worked_out(store, story) | {"tasks": tasks}


def _task_row(task: Task) -> Json:
    """A task inside a story."""
    row = {name: getattr(task, name) for name in ("id", "ref", "subject", "is_closed")}
    return row | {"status_id": task.status, "is_blocked": False, "is_iocaine": False}


def _worked_out(store: Store, story: Story) -> dict[str, Json]:
    """What is looked up elsewhere, or reckoned."""
    project = store.projects.rows[story.project]
    milestone = store.milestones.get(story.milestone)
    status = status_row(project, story.status)
    return {
        "due_date_status": _due_status(store, story),
        "tags": tag_pairs(project, story.tags),
        "status_extra_info": {name: status[name] for name in ("name", "color", "is_closed")}
        if status
        else None,
        "assigned_to_extra_info": card(store.users.get(story.assigned_to)),
        "owner_extra_info": card(store.users.get(story.owner)),
        "project_extra_info": project_card(project),
        "milestone_slug": milestone.slug if milestone else None,
        "milestone_name": milestone.name if milestone else None,
        "total_points": story_total(project, story),
        "total_attachments": sum(
            row.object_id == story.id and row.kind == "userstories"
            for row in store.attachments.of(story.project)
        ),
    }


def _never_set() -> dict[str, Json]:
    """What the real server has fields for, and the sandbox nothing to put in."""
    nothing = (
        "generated_from_issue", "generated_from_task", "from_task_ref", "tribe_gig",
        "origin_issue", "origin_task", "epics", "epic_order", "swimlane",
    )  # fmt: skip
    empty: dict[str, Json] = {name: [] for name in ("attachments", "watchers")}
    counts: dict[str, Json] = {"total_watchers": 0, "total_voters": 0}
    flags: dict[str, Json] = {"is_watcher": False, "is_voter": False}
    return {**dict.fromkeys(nothing), **empty, **counts, **flags, "comment": ""}


def detail_view(store: Store, story: Story, neighbors: bool = False) -> dict[str, Json]:
    """A story in full; `neighbors` only when it is read."""
    view = list_view(store, story) | {
        "blocked_note_html": story.blocked_note,
        "description": story.description,
        "description_html": story.description,
    }
    if neighbors:
        view["neighbors"] = _neighbors(store, story)
    return view


def _neighbors(store: Store, story: Story) -> Json:
    rows = sorted(store.stories.of(story.project), key=lambda row: (row.backlog_order, row.id))
    place = rows.index(story)
    around = {
        "previous": rows[place - 1] if place else None,
        "next": rows[place + 1] if place + 1 < len(rows) else None,
    }
    return {
        name: {"id": row.id, "ref": row.ref, "subject": row.subject} if row else None
        for name, row in around.items()
    }


_DASHBOARD_FIELDS = [
    "assigned_to",
    "assigned_to_extra_info",
    "blocked_note",
    "client_requirement",
    "created_date",
    "due_date",
    "due_date_reason",
    "due_date_status",
    "external_reference",
    "finish_date",
    "id",
    "is_blocked",
    "is_closed",
    "milestone",
    "modified_date",
    "project",
    "project_extra_info",
    "ref",
    "status",
    "status_extra_info",
    "subject",
    "team_requirement",
    "version",
]
_IN_MILESTONE_LACKS = [
    "is_voter",
    "comment",
    "total_comments",
    "tags",
    "swimlane",
    "attachments",
    "tribe_gig",
    "watchers",
    "from_task_ref",
    "milestone_name",
    "is_watcher",
    "total_watchers",
    "tasks",
    "generated_from_issue",
    "generated_from_task",
    "owner_extra_info",
    "origin_task",
    "origin_issue",
    "owner",
    "epic_order",
    "total_attachments",
    "total_voters",
    "assigned_users",
    "milestone_slug",
]


def dashboard_view(store: Store, story: Story) -> dict[str, Json]:
    """The light row of `?dashboard=true`."""
    view = list_view(store, story)
    return {name: view[name] for name in _DASHBOARD_FIELDS}


def milestone_row(store: Store, story: Story) -> dict[str, Json]:
    """A story inside a milestone."""
    view = list_view(store, story)
    for name in _IN_MILESTONE_LACKS:
        del view[name]
    return view
