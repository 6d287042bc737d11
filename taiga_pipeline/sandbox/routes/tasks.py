"""Tasks: the small steps of a story. All closed, they close it, whatever column it is in."""

from typing import Any

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid_pk, no_match, permission_denied
from taiga_pipeline.sandbox.fields import Form, external_reference
from taiga_pipeline.sandbox.models import Project, Story, Task
from taiga_pipeline.sandbox.people import card
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_changes import settle_closed, settle_milestone
from taiga_pipeline.sandbox.story_view import project_card, tag_pairs
from taiga_pipeline.sandbox.templates import TEMPLATES, value_rows

HISTORY_FIELDS = ("subject", "description", "status", "user_story", "due_date", "assigned_to")
_AS_STORED = (
    "id", "ref", "project", "user_story", "owner", "subject", "status", "is_closed", "version",
    "external_reference", "due_date", "assigned_to", "total_comments",
)  # fmt: skip


def statuses(project: Project) -> list[dict[str, Any]]:
    """The statuses of a project's tasks, with their ids."""
    base = project.value_base.get("task_statuses")
    if base is None:
        return []
    return list(value_rows(TEMPLATES[project.template], "task_statuses", base, project.id))


def _status(project: Project, status_id: int | None) -> dict[str, Any] | None:
    return next((row for row in statuses(project) if row["id"] == status_id), None)


def _list_view(store: Store, task: Task) -> dict[str, Json]:
    project = store.projects.rows[task.project]
    status = _status(project, task.status)
    story = store.stories.get(task.user_story)
    stored: dict[str, Json] = {name: getattr(task, name) for name in _AS_STORED}
    times = ("created_date", "modified_date", "finished_date")
    return stored | {name: timestamp(getattr(task, name)) for name in times} | {
        "status_extra_info": {name: status[name] for name in ("name", "color", "is_closed")}
        if status
        else None,
        "tags": tag_pairs(project, task.tags),
        "project_extra_info": project_card(project),
        "owner_extra_info": card(store.users.get(task.owner)),
        "assigned_to_extra_info": card(store.users.get(task.assigned_to)),
        "user_story_extra_info": {
            "id": story.id, "ref": story.ref, "subject": story.subject, "epics": None,
        }
        if story
        else None,
        "milestone": story.milestone if story else None,
        "us_order": task.order,
        "taskboard_order": task.order,
        "is_iocaine": False,
        "is_blocked": False,
        "comment": "",
    }  # fmt: skip


def _detail_view(store: Store, task: Task) -> dict[str, Json]:
    text = {"description": task.description, "description_html": task.description}
    return _list_view(store, task) | text


def list_tasks(context: RequestContext) -> Response:
    """GET /tasks: over all one's projects, unless `project` or `user_story` is given."""
    store = context.store
    project_id = context.query_number("project")
    story_id = context.query_number("user_story")
    wanted = access.project_ids_with(store, context.user, "view_tasks", project_id)
    rows = [task for each in sorted(wanted) for task in store.tasks.of(each)]
    if story_id is not None:
        rows = [task for task in rows if task.user_story == story_id]
    return context.page(rows, lambda row: _list_view(store, row))


def _found(context: RequestContext, permission: str) -> tuple[Task, Project]:
    task = context.store.tasks.get(context.number())
    project = context.store.projects.get(task.project) if task else None
    if task is None or project is None:
        raise no_match("Task")
    return task, access.require(context.store, context.user, project, permission)


def get_task(context: RequestContext) -> Response:
    """GET /tasks/{id}."""
    task, _ = _found(context, "view_tasks")
    return json_response(_detail_view(context.store, task))


def create_task(context: RequestContext) -> Response:
    """POST /tasks: `ref` is the project's next number, as for stories."""
    store = context.store
    user = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    form.text("subject", required=project is not None)
    form.check()
    project = access.writable(access.require(store, context.user, project, "add_task"))
    changes = _read(store, project, form)
    now = store.clock.tick()
    project.last_ref += 1
    task = Task(
        id=store.tasks.next_id(),
        project=project.id,
        ref=project.last_ref,
        owner=user.id,
        subject="",
        status=project.defaults.get("default_task_status"),
        created_date=now,
        modified_date=now,
        order=int(now.timestamp() * 1000),
    )
    store.tasks.add(task)
    _apply(store, project, task, changes)
    history.record(store, user, task, {}, history.CREATE)
    return json_response(_detail_view(store, task), 201)


def _read(store: Store, project: Project, form: Form) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if not form.partial or "subject" in form:
        changes["subject"] = form.text("subject", required=True)
    if "description" in form:
        changes["description"] = form.text("description")
    if "due_date" in form:
        changes["due_date"] = form.day("due_date")
    if "external_reference" in form:
        changes["external_reference"] = external_reference(form)
    for name in ("status", "assigned_to", "user_story"):
        if name in form:
            changes[name] = form.reference(name)
    story = store.stories.get(changes.get("user_story"))
    if changes.get("user_story") is not None and story is None:
        form.fail("user_story", invalid_pk(changes["user_story"]))
    form.check()
    if story is not None and story.project != project.id:
        raise permission_denied("You don't have permissions to set this user story to this task.")
    if changes.get("status") is not None and _status(project, changes["status"]) is None:
        raise permission_denied("You don't have permissions to set this status to this task.")
    return changes


def _apply(store: Store, project: Project, task: Task, changes: dict[str, Any]) -> None:
    left = store.stories.get(task.user_story)
    for name, value in changes.items():
        setattr(task, name, value)
    status = _status(project, task.status)
    closed = bool(status and status["is_closed"])
    if closed != task.is_closed:
        task.finished_date = store.clock.tick() if closed else None
    task.is_closed = closed
    _settle(store, project, left)
    _settle(store, project, store.stories.get(task.user_story))


def _settle(store: Store, project: Project, story: Story | None) -> None:
    if story is not None:
        settle_closed(store, project, story)
        settle_milestone(store, store.milestones.get(story.milestone))


def patch_task(context: RequestContext) -> Response:
    """PATCH /tasks/{id}: needs the version, as a story does."""
    store, user = context.store, access.require_user(context.user)
    task, project = _found(context, "modify_task")
    access.writable(project)
    form = context.form(partial=True)
    changes = _read(store, project, form)
    history.check_version(task, form)
    comment = form.text("comment")
    before = history.snapshot(task, HISTORY_FIELDS)
    _apply(store, project, task, changes)
    task.version += 1
    task.total_comments += bool(comment)
    task.modified_date = store.clock.tick()
    diff = history.differences(before, history.snapshot(task, HISTORY_FIELDS))
    history.record(store, user, task, diff, comment=comment)
    return json_response(_detail_view(store, task))


def delete_task(context: RequestContext) -> Response:
    """DELETE /tasks/{id}: needs no version."""
    store, user = context.store, access.require_user(context.user)
    task, project = _found(context, "delete_task")
    access.writable(project)
    store.tasks.remove(task)
    _settle(store, project, store.stories.get(task.user_story))
    history.record(store, user, task, {}, history.DELETE)
    return empty(204)
