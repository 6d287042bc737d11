"""Projects: list, detail, creation, change, deletion."""

from taiga_pipeline.sandbox import access, project_factory, project_view
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import (
    archived,
    bad_request,
    not_authenticated,
    not_found,
)
from taiga_pipeline.sandbox.fields import Form, project_tags, tags_colors
from taiga_pipeline.sandbox.models import Project
from taiga_pipeline.sandbox.project_changes import (
    NAME_LIMIT,
    apply_changes,
    read_changes,
    reset_values,
    template_reference,
)
from taiga_pipeline.sandbox.project_factory import NewProject
from taiga_pipeline.sandbox.routes.project_search import matches_query
from taiga_pipeline.sandbox.serving.pagination import list_response
from taiga_pipeline.sandbox.serving.wire import Response, empty, json_response
from taiga_pipeline.sandbox.templates import (
    TEMPLATES,
)

ARCHIVED_CODE = "archived-by-staff"
_TRUE = ("true", "1", "True")
# Only these flags filter the list; every other parameter is silently ignored.
_FLAG_FILTERS = (
    "is_looking_for_people",
    "is_featured",
    "is_backlog_activated",
    "is_kanban_activated",
)


def list_projects(context: RequestContext) -> Response:
    """GET /projects."""
    rows = _filtered(context, access.visible_projects(context.store, context.user))
    slight = context.query.get("slight", "") in _TRUE
    return list_response(
        context.request,
        rows,
        lambda row: project_view.list_item(context.store, context.user, row, slight),
        fault=context.page_fault,
    )


def _filtered(context: RequestContext, rows: list[Project]) -> list[Project]:
    query = context.query
    if member := query.get("member"):
        if not member.isdecimal():
            raise bad_request("Error in filter params types.")
        theirs = context.store.memberships.of_user(int(member))
        rows = [row for row in rows if row.id in theirs]
    for name in _FLAG_FILTERS:
        if name in query:
            wanted = query[name] in _TRUE
            rows = [row for row in rows if _flag(row, name) is wanted]
    if query.get("discover_mode") in _TRUE:
        rows = [row for row in rows if row.public_permissions]
    if words := query.get("q"):
        rows = [row for row in rows if matches_query(row, words)]
    return _ordered(rows, query.get("order_by", ""))


def _flag(row: Project, name: str) -> bool:
    return row.flags[name] if name in row.flags else bool(getattr(row, name))


def _ordered(rows: list[Project], order: str) -> list[Project]:
    if order.lstrip("-").startswith("total_activity"):
        return sorted(rows, key=lambda row: row.total_activity, reverse=order.startswith("-"))
    return rows


def get_project(context: RequestContext) -> Response:
    """GET /projects/{id}: 404 if there is none, 403 if it is not for these eyes, 401 to
    anonymous.
    """
    project = context.store.projects.get(context.number())
    if project is None:
        raise not_authenticated() if context.user is None else not_found()
    if not access.visible(context.store, context.user, project):
        raise access.refuse(context.user)
    return _detail(context, project)


def get_by_slug(context: RequestContext) -> Response:
    """GET /projects/by_slug: 404 also for a project that is not for these eyes."""
    project = context.store.projects.by_slug.get(context.query.get("slug", ""))
    if project is None or not access.visible(context.store, context.user, project):
        raise not_authenticated() if context.user is None else not_found()
    return _detail(context, project)


def resolve(context: RequestContext) -> Response:
    """GET /resolver: slugs and refs to ids."""
    store, query = context.store, context.query
    project = store.projects.by_slug.get(query.get("project", ""))
    if project is None:
        raise not_found()
    if not access.visible(store, context.user, project):
        raise access.refuse(context.user)
    answer: dict[str, int] = {"project": project.id}
    found: dict[str, list[int]] = {
        "us": [row.id for row in store.stories.of(project.id) if str(row.ref) == query.get("us")],
        "milestone": [
            row.id for row in store.milestones.of(project.id) if row.slug == query.get("milestone")
        ],
        "wikipage": [
            row.id for row in store.wiki_pages.of(project.id) if row.slug == query.get("wikipage")
        ],
    }
    for name, ids in found.items():
        if name in query:
            if not ids:
                raise not_found()
            answer[name] = ids[0]
    return json_response(answer)


def _detail(context: RequestContext, project: Project, status: int = 200) -> Response:
    return json_response(project_view.detail(context.store, context.user, project), status)


def create_project(context: RequestContext) -> Response:
    """POST /projects: 201 with the full detail; flags and the looking-for-people note are
    ignored.
    """
    owner = access.require_user(context.user)
    form = context.form()
    name = form.text("name", required=True, limit=NAME_LIMIT)
    wanted = NewProject(
        name=name,
        description=form.text("description", required=True),
        is_private=form.boolean("is_private", default=True),
        is_featured=form.boolean("is_featured"),
        tags=project_tags(form),
        tags_colors=tags_colors(form),
        total_milestones=form.integer("total_milestones"),
        total_story_points=form.number("total_story_points"),
    )
    template_id = template_reference(form)
    _check_archived_code(form)
    form.check()
    if form.data.get("archived_code") is not None:
        raise archived()
    template = TEMPLATES[template_id or 1]
    if context.half_made:
        return _detail(
            context, project_factory.half_made(context.store, owner, wanted, template), 201
        )
    project = project_factory.from_template(context.store, owner, wanted, template)
    return _detail(context, project, 201)


def _check_archived_code(form: Form) -> None:
    code = form.data.get("archived_code")
    if code is not None and code != ARCHIVED_CODE:
        form.fail(
            "archived_code", f"Select a valid choice. {code} is not one of the available choices."
        )


def patch_project(context: RequestContext) -> Response:
    """PATCH /projects/{id}: only what is sent changes; modified_date moves even for an empty
    body.
    """
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    form = context.form(partial=True)
    _check_not_locked(project, form)
    changes = read_changes(project, form)
    form.check()
    apply_changes(context.store, access.require_user(context.user), project, changes)
    return _detail(context, project)


def put_project(context: RequestContext) -> Response:
    """PUT /projects/{id}: resets what is not sent, defaults of statuses included, as a real
    server.
    """
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    form = context.form()
    _check_not_locked(project, form)
    changes = reset_values() | read_changes(project, form)
    form.check()
    apply_changes(context.store, access.require_user(context.user), project, changes)
    return _detail(context, project)


def _check_not_locked(project: Project, form: Form) -> None:
    """An archived project takes one change: the one that clears the code."""
    if project.archived_code is not None and form.data.get("archived_code", "absent") is None:
        return
    access.writable(project)
    _check_archived_code(form)
    form.check()
    if form.data.get("archived_code") is not None:
        raise archived()


def delete_project(context: RequestContext) -> Response:
    """DELETE /projects/{id}: also an archived one; 403 for what is gone already."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    if project.blocked_code is not None:
        access.writable(project)
    context.store.remove_project(project)
    return empty(204)
