"""Custom attributes of stories, their values, and the report that shows all of them at once."""

import csv
import io
import secrets
from typing import Any

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid, invalid_pk, no_match, not_found
from taiga_pipeline.sandbox.models import CustomAttribute, Project, Story, User
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import status_row, story_total

NAME_LIMIT = 64
TYPES = ("text", "multiline", "richtext", "date", "url", "dropdown", "checkbox", "number")
_TAKEN = ["Already exists one with the same name."]


def _view(row: CustomAttribute) -> Json:
    names = ("id", "name", "description", "type", "order", "project", "extra")
    times = {name: timestamp(getattr(row, name)) for name in ("created_date", "modified_date")}
    return {name: getattr(row, name) for name in names} | times


def list_attributes(context: RequestContext) -> Response:
    """GET /userstory-custom-attributes: of all one's projects, unless `project` is given."""
    store = context.store
    wanted = access.project_ids_with(
        store, context.user, "view_project", context.query_number("project")
    )
    rows = [row for each in sorted(wanted) for row in store.story_attributes.of(each)]
    rows.sort(key=lambda row: (row.project, row.order, row.name))
    return context.page(rows, _view)


def create_attribute(context: RequestContext) -> Response:
    """POST /userstory-custom-attributes: for who administers the project."""
    store = context.store
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    name = form.text("name", required=True, limit=NAME_LIMIT)
    kind = form.text("type") or "text"
    if kind not in TYPES:
        form.fail("type", f"Select a valid choice. {kind} is not one of the available choices.")
    form.check()
    project = access.writable(access.require_admin(store, context.user, project))
    if any(row.name == name for row in store.story_attributes.of(project.id)):
        raise invalid({"name": _TAKEN, "project": _TAKEN})
    now = store.clock.tick()
    row = CustomAttribute(
        id=store.story_attributes.next_id(),
        project=project.id,
        name=name,
        description=form.text("description"),
        type=kind,
        order=int(now.timestamp() * 1000),
        created_date=now,
        modified_date=now,
        extra=form.data.get("extra"),
    )
    store.story_attributes.add(row)
    store.touched(project.id)
    return json_response(_view(row), 201)


def _administered(context: RequestContext) -> tuple[CustomAttribute, Project]:
    row = context.store.story_attributes.get(context.number())
    project = context.store.projects.get(row.project) if row else None
    if row is None:
        raise no_match("UserStoryCustomAttribute")
    return row, access.writable(access.require_admin(context.store, context.user, project))


def patch_attribute(context: RequestContext) -> Response:
    """PATCH /userstory-custom-attributes/{id}."""
    row, project = _administered(context)
    form = context.form(partial=True)
    if "name" in form:
        name = form.text("name", required=True, limit=NAME_LIMIT)
        form.check()
        others = context.store.story_attributes.of(project.id)
        if any(each.name == name and each is not row for each in others):
            raise invalid({"name": _TAKEN, "project": _TAKEN})
        row.name = name
    if "description" in form:
        row.description = form.text("description")
    if "extra" in form:
        row.extra = form.data["extra"]
    form.check()
    context.store.touched(project.id)
    return json_response(_view(row))


def delete_attribute(context: RequestContext) -> Response:
    """DELETE /userstory-custom-attributes/{id}: its values go with it."""
    row, project = _administered(context)
    store = context.store
    store.story_attributes.remove(row)
    for story in store.stories.of(project.id):
        story.attributes.pop(str(row.id), None)
    store.touched(project.id)
    return empty(204)


def _story(context: RequestContext, permission: str) -> tuple[Story, Project]:
    story = context.store.stories.get(context.number())
    project = context.store.projects.get(story.project) if story else None
    if story is None or project is None:
        raise not_found()
    return story, access.require(context.store, context.user, project, permission)


def _values(story: Story) -> Json:
    values = {name: value for name, value in story.attributes.items() if value is not None}
    return {
        "attributes_values": values,
        "version": story.attributes_version,
        "user_story": story.id,
    }


def get_values(context: RequestContext) -> Response:
    """GET /userstories/custom-attributes-values/{id}: there is no list of them."""
    story, _ = _story(context, "view_us")
    return json_response(_values(story))


def patch_values(context: RequestContext) -> Response:
    """PATCH /userstories/custom-attributes-values/{id}: the whole dict is replaced.

    It has a version of its own; the story's version and date of change do not move.
    """
    store, user = context.store, access.require_user(context.user)
    story, project = _story(context, "modify_us")
    access.writable(project)
    form = context.form(partial=True)
    values = form.data.get("attributes_values")
    if not values:
        raise invalid({"attributes_values": ["This field cannot be blank."]})
    known = {str(row.id) for row in store.story_attributes.of(project.id)}
    if not isinstance(values, dict) or not set(values) <= known:
        raise invalid({"attributes_values": ["It contains invalid custom fields."]})
    version = form.integer("version")
    form.check()
    if version is None or not 0 <= version <= story.attributes_version:
        raise invalid({"version": history.NOT_VALID})
    if version < story.attributes_version:
        raise invalid({"version": history.STALE})
    changed = _differences(store, project, story.attributes, values)
    story.attributes = {name: value for name, value in values.items() if value is not None}
    story.attributes_version += 1
    _note(store, project, user, story, changed)
    return json_response(_values(story))


def _differences(
    store: Store, project: Project, before: dict[str, Any], after: dict[str, Any]
) -> dict[str, list[Json]]:
    """How values changed, by kind of change, as a timeline has it."""
    found: dict[str, list[Json]] = {"new": [], "changed": [], "deleted": []}
    for row in store.story_attributes.of(project.id):
        old, new = before.get(str(row.id)), after.get(str(row.id))
        if old == new:
            continue
        sort = "new" if old is None else "deleted" if new is None else "changed"
        about = {"id": row.id, "name": row.name, "type": row.type}
        found[sort].append(about | {"value": new, "value_diff": [old, new]})
    return {sort: rows for sort, rows in found.items() if rows}


def _note(
    store: Store, project: Project, user: User, story: Story, changed: dict[str, list[Json]]
) -> None:
    if not changed:
        store.touched(project.id)
        return
    data = {
        "comment": "",
        "values_diff": {"custom_attributes": changed},
        "userstory": {"id": story.id, "ref": story.ref, "subject": story.subject},
    }
    store.record(project, user, "userstories.userstory.change", story.id, data)


def regenerate_report(context: RequestContext) -> Response:
    """POST /projects/{id}/regenerate_userstories_csv_uuid: another secret address."""
    store = context.store
    project = store.projects.get(context.number())
    project = access.require_admin(store, context.user, project)
    project.stories_csv_uuid = secrets.token_hex(16)
    store.touched(project.id)
    return json_response({"uuid": project.stories_csv_uuid})


_COLUMNS = (
    "id", "ref", "subject", "description", "sprint_id", "sprint", "sprint_estimated_start",
    "sprint_estimated_finish", "owner", "owner_full_name", "assigned_to",
    "assigned_to_full_name", "assigned_users", "assigned_users_full_name", "status", "is_closed",
    "swimlane", "total-points", "backlog_order", "sprint_order", "kanban_order", "created_date",
    "modified_date", "finish_date", "client_requirement", "team_requirement", "attachments",
    "generated_from_issue", "generated_from_task", "from_task_ref", "external_reference",
    "tasks", "tags", "watchers", "voters", "due_date", "due_date_reason", "epics",
)  # fmt: skip


def report(context: RequestContext) -> Response:
    """GET /userstories/csv?uuid=: every story with its custom values, without any log-in."""
    store, wanted = context.store, context.query.get("uuid", "")
    found = [each for each in store.projects if each.stories_csv_uuid == wanted and wanted]
    if not found:
        raise not_found()
    project = found[0]
    attributes = sorted(
        store.story_attributes.of(project.id), key=lambda row: (row.order, row.name)
    )
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *(row.name for row in attributes)])
    for story in store.stories.of(project.id):
        values = [story.attributes.get(str(row.id)) for row in attributes]
        fixed = _report_row(store, project, story)
        row = [*(fixed.get(name, "") for name in _COLUMNS), *values]
        writer.writerow([_cell(value) for value in row])
    return Response(200, text.getvalue().encode(), "application/csv; charset=utf-8")


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    dangerous = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if dangerous else value


def _report_row(store: Store, project: Project, story: Story) -> dict[str, Any]:
    owner, assigned = store.users.get(story.owner), store.users.get(story.assigned_to)
    status = status_row(project, story.status)
    names = (
        "id", "ref", "subject", "description", "is_closed", "backlog_order", "sprint_order",
        "kanban_order", "client_requirement", "team_requirement", "due_date", "due_date_reason",
        "created_date", "modified_date", "finish_date",
    )  # fmt: skip
    return {name: getattr(story, name) for name in names} | {
        "owner": owner.username if owner else "",
        "owner_full_name": owner.full_name if owner else "",
        "assigned_to": assigned.username if assigned else "",
        "assigned_to_full_name": assigned.full_name if assigned else "",
        "status": status["name"] if status else "",
        "total-points": story_total(project, story),
        "external_reference": story.external_reference or "",
        "tasks": ",".join(str(task.ref) for task in store.tasks_of(story)),
        "tags": ",".join(story.tags),
        "attachments": 0,
        "watchers": [],
        "voters": 0,
    }
