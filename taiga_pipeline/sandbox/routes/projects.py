"""Projects: list, detail, creation, change, deletion."""

from typing import Any

from taiga_pipeline.sandbox import access, project_factory, project_view
from taiga_pipeline.sandbox.context import Context
from taiga_pipeline.sandbox.errors import (
    archived,
    bad_request,
    invalid_pk,
    no_match,
    not_authenticated,
    not_found,
    server_error,
)
from taiga_pipeline.sandbox.fields import Form, project_tags, tags_colors
from taiga_pipeline.sandbox.models import Project, User
from taiga_pipeline.sandbox.pagination import list_response
from taiga_pipeline.sandbox.project_factory import NewProject
from taiga_pipeline.sandbox.routes.project_search import matches_query
from taiga_pipeline.sandbox.templates import (
    DEFAULT_OPTIONS,
    PROJECT_FLAGS,
    TEMPLATES,
    VIEW_PERMISSIONS,
)
from taiga_pipeline.sandbox.wire import Response, empty, json_response

NAME_LIMIT = 250
ARCHIVED_CODE = "archived-by-staff"
_TRUE = ("true", "1", "True")
# Only these flags filter the list; every other parameter is silently ignored.
_FLAG_FILTERS = (
    "is_looking_for_people",
    "is_featured",
    "is_backlog_activated",
    "is_kanban_activated",
)
# A change of these writes a line in the timeline; of the others (description, colours) it does not.
_TIMELINE_FIELDS = (
    "name",
    "is_private",
    "anon_permissions",
    "public_permissions",
    "total_milestones",
    "total_story_points",
    "tags",
)


def list_projects(context: Context) -> Response:
    """GET /projects."""
    rows = _filtered(context, access.visible_projects(context.store, context.user))
    slight = context.query.get("slight", "") in _TRUE
    return list_response(
        context.request,
        rows,
        lambda row: project_view.list_item(context.store, context.user, row, slight),
        fault=context.page_fault,
    )


def _filtered(context: Context, rows: list[Project]) -> list[Project]:
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


def get_project(context: Context) -> Response:
    """GET /projects/{id}: 404 if there is none, 403 if it is not for these eyes, 401 to anonymous."""
    project = context.store.projects.get(context.number())
    if project is None:
        raise not_authenticated() if context.user is None else not_found()
    if not access.visible(context.store, context.user, project):
        raise access.refuse(context.user)
    return _detail(context, project)


def get_by_slug(context: Context) -> Response:
    """GET /projects/by_slug: 404 also for a project that is not for these eyes."""
    project = context.store.projects.by_slug.get(context.query.get("slug", ""))
    if project is None or not access.visible(context.store, context.user, project):
        raise not_authenticated() if context.user is None else not_found()
    return _detail(context, project)


def resolve(context: Context) -> Response:
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


def _detail(context: Context, project: Project, status: int = 200) -> Response:
    return json_response(project_view.detail(context.store, context.user, project), status)


def create_project(context: Context) -> Response:
    """POST /projects: 201 with the full detail; flags and the looking-for-people note are ignored."""
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
    template_id = form.reference("creation_template")
    if template_id is not None and template_id not in TEMPLATES:
        form.fail("creation_template", invalid_pk(template_id))
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


def patch_project(context: Context) -> Response:
    """PATCH /projects/{id}: only what is sent changes; modified_date moves even for an empty body."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    form = context.form(partial=True)
    _check_not_locked(project, form)
    changes = _read_changes(context, project, form)
    form.check()
    _apply(context, project, changes)
    return _detail(context, project)


def put_project(context: Context) -> Response:
    """PUT /projects/{id}: resets what is not sent, defaults of statuses included, as a real server."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    form = context.form()
    _check_not_locked(project, form)
    changes = _reset_values() | _read_changes(context, project, form)
    form.check()
    _apply(context, project, changes)
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


def _reset_values() -> dict[str, Any]:
    return {
        "tags": [],
        "tags_colors": {},
        "is_looking_for_people": False,
        "looking_for_people_note": "",
        "creation_template": None,
        "total_milestones": None,
        "total_story_points": None,
        "is_featured": False,
        "is_epics_activated": False,
        **dict.fromkeys(DEFAULT_OPTIONS),
    }


def _read_changes(context: Context, project: Project, form: Form) -> dict[str, Any]:
    """The fields that a change may touch, validated; slug, owner, dates and codes are ignored."""
    readers: dict[str, Any] = {
        "name": lambda: form.text("name", required=True, limit=NAME_LIMIT),
        "description": lambda: form.text("description", required=True),
        "tags": lambda: project_tags(form),
        "tags_colors": lambda: tags_colors(form),
        "is_private": lambda: form.boolean("is_private"),
        "is_featured": lambda: form.boolean("is_featured"),
        "is_looking_for_people": lambda: form.boolean("is_looking_for_people"),
        "looking_for_people_note": lambda: form.text("looking_for_people_note"),
        "total_milestones": lambda: form.integer("total_milestones"),
        "total_story_points": lambda: form.number("total_story_points"),
        "videoconferences": lambda: form.data["videoconferences"],
        "videoconferences_extra_data": lambda: form.data["videoconferences_extra_data"],
        "public_permissions": lambda: list(form.data["public_permissions"]),
        "creation_template": lambda: _template_reference(form),
        "archived_code": lambda: None,
    }
    for flag in PROJECT_FLAGS:
        readers[flag] = lambda flag=flag: form.boolean(flag)
    for default, (kind, _) in DEFAULT_OPTIONS.items():
        readers[default] = lambda default=default, kind=kind: _default(project, form, default, kind)
    required = () if form.partial else ("name", "description")
    return {name: read() for name, read in readers.items() if name in form or name in required}


def _template_reference(form: Form) -> int | None:
    template_id = form.reference("creation_template")
    if template_id is not None and template_id not in TEMPLATES:
        form.fail("creation_template", invalid_pk(template_id))
    return template_id


def _default(project: Project, form: Form, name: str, kind: str) -> int | None:
    value = form.reference(name)
    base = project.value_base.get(kind, 0)
    if value is not None and not base <= value < base + len(
        TEMPLATES[project.template].values[kind]
    ):
        form.fail(name, invalid_pk(value))
    return value


def _apply(context: Context, project: Project, changes: dict[str, Any]) -> None:
    user = access.require_user(context.user)
    diff = _timeline_diff(project, changes)
    if "is_private" in changes and changes["is_private"] != project.is_private:
        views = [] if changes["is_private"] else list(VIEW_PERMISSIONS)
        project.anon_permissions, project.public_permissions = views, list(views)
    for name, value in changes.items():
        _set(project, name, value)
    context.store.projects.renamed()
    project.modified_date = context.store.clock.tick()
    context.store.touched(project.id)
    if diff:
        context.store.record(
            project, user, "projects.project.change", project.id, {"values_diff": diff}
        )


def _get(project: Project, name: str) -> Any:
    if name in project.flags:
        return project.flags[name]
    return project.defaults[name] if name in DEFAULT_OPTIONS else getattr(project, name)


def _set(project: Project, name: str, value: Any) -> None:
    if name in project.flags:
        project.flags[name] = value
    elif name in DEFAULT_OPTIONS:
        project.defaults[name] = value
    else:
        setattr(project, name, value)


def _timeline_diff(project: Project, changes: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [_get(project, name), value]
        for name, value in changes.items()
        if (name in _TIMELINE_FIELDS or name in PROJECT_FLAGS) and _get(project, name) != value
    }


def delete_project(context: Context) -> Response:
    """DELETE /projects/{id}: also an archived one; 403 for what is gone already."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    if project.blocked_code is not None:
        access.writable(project)
    context.store.remove_project(project)
    return empty(204)


def duplicate_project(context: Context) -> Response:
    """POST /projects/{id}/duplicate: the shape with tags and colours, and so with any marker in them."""
    store = context.store
    source = access.require_admin(store, context.user, store.projects.get(context.number()))
    form = context.form()
    name = form.text("name", required=True, limit=NAME_LIMIT)
    description = form.text("description", required=True)
    for field in ("is_private", "users"):
        if field not in form:
            form.fail(field, "This field is required.")
    form.check()
    if any(value is None for value in source.defaults.values()):
        raise server_error()
    owner = access.require_user(context.user)
    wanted = NewProject(
        name,
        description,
        is_private=form.boolean("is_private"),
        tags=list(source.tags),
        tags_colors=dict(source.tags_colors),
    )
    project = project_factory.copy_of(store, source, owner, wanted, TEMPLATES[source.template])
    _copy_members(context, source, project, owner, form.data["users"])
    return _detail(context, project, 201)


def _copy_members(
    context: Context, source: Project, project: Project, owner: User, users: list[dict[str, int]]
) -> None:
    """Bring people along with their roles; a stranger is a 404 that leaves the copy behind."""
    store = context.store
    roles = {role.slug: role for role in store.roles.of(project.id)}
    for user_id in [owner.id, *(entry.get("id") for entry in users)]:
        membership = store.memberships.find(user_id or 0, source.id)
        user = store.users.get(user_id)
        if membership is None or user is None:
            if user_id == owner.id:
                continue
            raise no_match("Membership")
        old_role = store.roles.rows[membership.role]
        role = roles[old_role.slug]
        project_factory.join(store, project, role, user, admin=False)
        if user_id != owner.id:
            data = {"role": {"id": role.id, "name": role.name}}
            store.record(project, owner, "projects.membership.create", user.id, data)


def get_modules(context: Context) -> Response:
    """GET /projects/{id}/modules."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    return json_response(project.modules)


def patch_modules(context: Context) -> Response:
    """PATCH /projects/{id}/modules: merges top-level keys and shows in no list and no date."""
    project = access.require_admin(
        context.store, context.user, context.store.projects.get(context.number())
    )
    access.writable(project)
    data = context.data()
    if not isinstance(data, dict):
        raise server_error()
    project.modules |= data
    context.store.touched(project.id)
    return empty(204)
