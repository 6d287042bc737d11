"""The statuses of user stories: the columns of a board. They leave no trace in change dates."""

from typing import Any

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import bad_request, invalid, invalid_pk, no_match
from taiga_pipeline.sandbox.fields import Form
from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response
from taiga_pipeline.sandbox.slugs import slugify
from taiga_pipeline.sandbox.store import unique_slug
from taiga_pipeline.sandbox.story_changes import settle_closed
from taiga_pipeline.sandbox.story_view import status_rows

NAME_LIMIT = 255
_COLOR = "#999999"


def _own_rows(project: Project) -> list[dict[str, Any]]:
    """The project's statuses as its own, no longer its template's."""
    if project.us_statuses is None:
        project.us_statuses = [dict(row) for row in status_rows(project)]
    return project.us_statuses


def _view(project: Project, row: dict[str, Any]) -> Json:
    return row | {"project": project.id}


def _read(project: Project, form: Form, row: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of a request, the name free in the project."""
    changes: dict[str, Any] = {}
    if not form.partial or "name" in form:
        changes["name"] = form.text("name", required=True, limit=NAME_LIMIT)
    for flag in ("is_closed", "is_archived"):
        if flag in form:
            changes[flag] = form.boolean(flag)
    if "order" in form:
        changes["order"] = form.integer("order")
    if "color" in form:
        changes["color"] = form.text("color", limit=20)
    form.check()
    others = [each for each in status_rows(project) if row is None or each["id"] != row["id"]]
    if any(each["name"] == changes.get("name") for each in others):
        raise invalid({"name": ["Duplicated name"]})
    if "name" in changes:
        taken = {each["slug"] for each in others}
        changes["slug"] = unique_slug(slugify(changes["name"]), taken)
    return changes


def create_status(context: RequestContext) -> Response:
    """POST /userstory-statuses."""
    store = context.store
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    form.check()
    project = access.writable(access.require_admin(store, context.user, project))
    changes = _read(project, form, None)
    row: dict[str, Any] = {
        "id": store.take_values("us_statuses", 1),
        "name": "",
        "slug": "",
        "order": 10,
        "is_closed": False,
        "is_archived": False,
        "color": _COLOR,
        "wip_limit": None,
    } | changes
    _own_rows(project).append(row)
    store.touched(project.id)
    return json_response(_view(project, row), 201)


def _administered(context: RequestContext) -> tuple[Project, dict[str, Any]]:
    store, wanted = context.store, context.number()
    for project in store.projects:
        if any(row["id"] == wanted for row in status_rows(project)):
            access.writable(access.require_admin(store, context.user, project))
            return project, next(row for row in _own_rows(project) if row["id"] == wanted)
    access.require_admin(store, context.user, None)
    raise no_match("UserStoryStatus")


def patch_status(context: RequestContext) -> Response:
    """PATCH /userstory-statuses/{id}: its stories close or open with it."""
    project, row = _administered(context)
    row |= _read(project, context.form(partial=True), row)
    for story in context.store.stories.of(project.id):
        if story.status == row["id"]:
            settle_closed(context.store, project, story)
    context.store.touched(project.id)
    return json_response(_view(project, row))


def delete_status(context: RequestContext) -> Response:
    """DELETE /userstory-statuses/{id}?moveTo=: says where its stories go."""
    project, row = _administered(context)
    if "moveTo" not in context.query:
        raise bad_request("Query param 'moveTo' is required")
    target = context.query_number("moveTo")
    rows = _own_rows(project)
    if target == row["id"] or all(each["id"] != target for each in rows):
        raise no_match("UserStoryStatus")
    for story in context.store.stories.of(project.id):
        if story.status == row["id"]:
            story.status = target
            settle_closed(context.store, project, story)
    if project.defaults.get("default_us_status") == row["id"]:
        project.defaults["default_us_status"] = target
    rows.remove(row)
    context.store.touched(project.id)
    return empty(204)
