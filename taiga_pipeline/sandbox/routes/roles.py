"""Roles of a project."""

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid_pk, no_match
from taiga_pipeline.sandbox.fields import Form
from taiga_pipeline.sandbox.models import Role
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response
from taiga_pipeline.sandbox.slugs import free_slug
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.templates import ALL_ROLE_PERMISSIONS

NAME_LIMIT = 200


def _view(store: Store, role: Role) -> Json:
    held = sum(row.role == role.id for row in store.memberships.of(role.project))
    return {
        "id": role.id,
        "name": role.name,
        "slug": role.slug,
        "project": role.project,
        "order": role.order,
        "computable": role.computable,
        "permissions": role.permissions,
        "members_count": held,
    }


def list_roles(context: RequestContext) -> Response:
    """GET /roles: of all one's projects, or of `?project=`, in an order that is not unique."""
    store = context.store
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_project", project_id)
    rows = [role for each in sorted(wanted) for role in store.roles.of(each)]
    rows.sort(key=_place)
    return context.page(rows, lambda role: _view(store, role), alike=_place)


def _place(role: Role) -> tuple[int, str]:
    return role.order, role.slug


def get_role(context: RequestContext) -> Response:
    """GET /roles/{id}."""
    role = context.store.roles.get(context.number())
    project = context.store.projects.get(role.project) if role else None
    if role is None or project is None:
        raise no_match("Role")
    access.require(context.store, context.user, project, "view_project")
    return json_response(_view(context.store, role))


def _permissions(form: Form) -> tuple[str, ...]:
    wanted = form.data.get("permissions") or []
    for place, permission in enumerate(wanted, start=1):
        if permission not in ALL_ROLE_PERMISSIONS:
            form.fail(
                "permissions",
                f"Item {place} in the array did not validate: "
                f"Value '{permission}' is not a valid choice.",
            )
    return tuple(map(str, wanted))


def create_role(context: RequestContext) -> Response:
    """POST /roles: names may repeat, and without permissions the role can do nothing."""
    store = context.store
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    name = form.text("name", required=True, limit=NAME_LIMIT)
    permissions = _permissions(form)
    order = form.integer("order")
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    form.check()
    project = access.writable(access.require_admin(store, context.user, project))
    slug = free_slug(name, {role.slug: role for role in store.roles.of(project.id)})
    computable = form.boolean("computable", default=True)
    order = 10 if order is None else order
    role = Role(store.roles.next_id(), project.id, name, slug, order, computable, permissions)
    store.roles.add(role)
    store.touched(project.id)
    return json_response(_view(store, role), 201)


def _settle_points(store: Store, role: Role) -> None:
    """Let stories estimate a role that was made computable, and lose the points of one that was
    not.

    Only a change does that: a new role has no estimates in the stories that were there before
    it.
    """
    project = store.projects.rows[role.project]
    default = project.defaults.get("default_points") or project.value_base.get("points", 0)
    for story in store.stories.of(role.project):
        if role.computable:
            story.points.setdefault(str(role.id), default)
        else:
            story.points.pop(str(role.id), None)


def _administered(context: RequestContext) -> Role:
    role = context.store.roles.get(context.number())
    project = context.store.projects.get(role.project) if role else None
    access.writable(access.require_admin(context.store, context.user, project))
    assert role is not None
    return role


def patch_role(context: RequestContext) -> Response:
    """PATCH /roles/{id}: leaves the slug, and no trace in any change date."""
    role = _administered(context)
    form = context.form(partial=True)
    name = form.text("name", required=True, limit=NAME_LIMIT)
    permissions = _permissions(form)
    order = form.integer("order")
    form.check()
    role.name = name or role.name
    role.order = role.order if order is None else order
    if "permissions" in form:
        role.permissions = permissions
    if "computable" in form:
        role.computable = form.boolean("computable")
        _settle_points(context.store, role)
    context.store.touched(role.project)
    return json_response(_view(context.store, role))


def delete_role(context: RequestContext) -> Response:
    """DELETE /roles/{id}: without `moveTo` everybody who holds the role leaves the project."""
    role = _administered(context)
    store = context.store
    target = _move_target(context, role)
    for membership in store.memberships.of(role.project):
        if membership.role != role.id:
            continue
        if target is None:
            store.memberships.remove(membership)
        else:
            membership.role = target.id
    for story in store.stories.of(role.project):
        story.points.pop(str(role.id), None)
    store.roles.remove(role)
    store.touched(role.project)
    return empty(204)


def _move_target(context: RequestContext, role: Role) -> Role | None:
    if "moveTo" not in context.query:
        return None
    target = context.store.roles.get(context.query_number("moveTo"))
    if target is None or target.project != role.project:
        raise no_match("Role")
    return target
