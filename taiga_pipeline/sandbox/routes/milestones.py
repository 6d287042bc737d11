"""Milestones."""

from operator import attrgetter

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid_pk, no_match
from taiga_pipeline.sandbox.fields import Form
from taiga_pipeline.sandbox.models import Milestone, Project
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp
from taiga_pipeline.sandbox.slugs import free_slug
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.story_view import milestone_row, points_total, project_card

NAME_LIMIT = 200
_WRONG_ORDER = "The estimated start must be previous to the estimated finish."
_ORDERS = ("project", "name", "estimated_start", "estimated_finish", "closed", "created_date")
_TOLD = ("name", "estimated_start", "estimated_finish")
_TRUE = ("true", "1", "True")


def _view(store: Store, row: Milestone) -> Json:
    stories = [story for story in store.stories.of(row.project) if story.milestone == row.id]
    return {
        "project": row.project,
        "project_extra_info": project_card(store.projects.rows[row.project]),
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "owner": row.owner,
        "estimated_start": row.estimated_start,
        "estimated_finish": row.estimated_finish,
        "created_date": timestamp(row.created_date),
        "modified_date": timestamp(row.modified_date),
        "closed": row.closed,
        "disponibility": row.disponibility,
        "order": row.order,
        "user_stories": [milestone_row(store, story) for story in stories],
        "total_points": points_total(store, stories),
        "closed_points": points_total(store, [story for story in stories if story.is_closed]),
    }


def list_milestones(context: RequestContext) -> Response:
    """GET /milestones: of all one's projects, or of `?project=`; `closed` filters, dates of
    change do not. The order is unique only if one is asked for.
    """
    store = context.store
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_milestones", project_id)
    rows = [row for each in sorted(wanted) for row in store.milestones.of(each)]
    closed = sum(row.closed for row in rows)
    headers = {
        "Taiga-Info-Total-Opened-Milestones": str(len(rows) - closed),
        "Taiga-Info-Total-Closed-Milestones": str(closed),
    }
    if "closed" in context.query:
        rows = [row for row in rows if row.closed is (context.query["closed"] in _TRUE)]
    order = context.query.get("order_by", "")
    if order.lstrip("-") not in _ORDERS:
        rows.sort(key=_start, reverse=True)
        return context.page(rows, lambda row: _view(store, row), headers, alike=_start)
    rows.sort(key=lambda row: row.id, reverse=True)
    rows.sort(key=attrgetter(order.lstrip("-")), reverse=order.startswith("-"))
    return context.page(rows, lambda row: _view(store, row), headers)


def _start(row: Milestone) -> str:
    return row.estimated_start


def _found(context: RequestContext, permission: str) -> tuple[Milestone, Project]:
    """The milestone for a write; 403 (401 to nobody) for what is gone."""
    row = context.store.milestones.get(context.number())
    project = context.store.projects.get(row.project) if row else None
    project = access.require(context.store, context.user, project, permission)
    assert row is not None
    return row, access.writable(project)


def get_milestone(context: RequestContext) -> Response:
    """GET /milestones/{id}."""
    row = context.store.milestones.get(context.number())
    project = context.store.projects.get(row.project) if row else None
    if row is None or project is None:
        raise no_match("Milestone")
    access.require(context.store, context.user, project, "view_milestones")
    return json_response(_view(context.store, row))


def _check(form: Form, store: Store, project_id: int, row: Milestone | None) -> None:
    """Unique by exact name in a project, start not after finish."""
    name = form.data.get("name")
    if any(other.name == name and other is not row for other in store.milestones.of(project_id)):
        form.fail("name", "Duplicated name")
    form.check()


def create_milestone(context: RequestContext) -> Response:
    """POST /milestones."""
    store = context.store
    user = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    name = form.text("name", required=True, limit=NAME_LIMIT)
    start = form.day("estimated_start", required=True)
    finish = form.day("estimated_finish", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    _check(form, store, project_id or 0, None)
    if start and finish and start > finish:
        form.fail("__all__", _WRONG_ORDER)
    form.check()
    project = access.writable(access.require(store, user, project, "add_milestone"))
    taken = {row.slug: row for row in store.milestones.of(project.id)}
    slug = form.text("slug") or free_slug(name, taken)
    now = store.clock.tick()
    row = Milestone(
        store.milestones.next_id(),
        project.id,
        name,
        slug,
        user.id,
        start or "",
        finish or "",
        now,
        now,
        closed=form.boolean("closed"),
    )
    store.milestones.add(row)
    _record(context, project, row, "create")
    return json_response(_view(store, row), 201)


def patch_milestone(context: RequestContext) -> Response:
    """PATCH /milestones/{id}: no version; the last writer wins."""
    row, project = _found(context, "modify_milestone")
    form = context.form(partial=True)
    name = form.text("name", required=True, limit=NAME_LIMIT)
    start = form.day("estimated_start") or row.estimated_start
    finish = form.day("estimated_finish") or row.estimated_finish
    _check(form, context.store, project.id, row)
    if start > finish:
        form.fail("__all__", _WRONG_ORDER)
    form.check()
    before = {field: getattr(row, field) for field in _TOLD}
    row.name = name or row.name
    row.estimated_start, row.estimated_finish = start, finish
    row.closed = form.boolean("closed", default=row.closed)
    row.modified_date = context.store.clock.tick()
    _record(context, project, row, "change", _difference(before, row))
    return json_response(_view(context.store, row))


def delete_milestone(context: RequestContext) -> Response:
    """DELETE /milestones/{id}: its stories stay, without milestone and without a trace of it."""
    row, project = _found(context, "delete_milestone")
    for story in context.store.stories.of(project.id):
        if story.milestone == row.id:
            story.milestone = None
    context.store.milestones.remove(row)
    _record(context, project, row, "delete")
    return empty(204)


def _difference(before: dict[str, str], row: Milestone) -> dict[str, list[str]]:
    """What the timeline tells: the name if it has changed, and both dates in any case."""
    diff = {field: [value, getattr(row, field)] for field, value in before.items()}
    return {field: pair for field, pair in diff.items() if field != "name" or pair[0] != pair[1]}


def _record(
    context: RequestContext,
    project: Project,
    row: Milestone,
    verb: str,
    diff: dict[str, list[str]] | None = None,
) -> None:
    user = access.require_user(context.user)
    card = {"id": row.id, "name": row.name, "slug": row.slug}
    data = {"milestone": card, "values_diff": diff or {}}
    context.store.record(project, user, f"milestones.milestone.{verb}", row.id, data)
