"""What can be done with a project besides changing it: copies and modules."""

from taiga_pipeline.sandbox import access, project_factory, project_view
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import no_match, server_error
from taiga_pipeline.sandbox.fields import REQUIRED
from taiga_pipeline.sandbox.models import Project, User
from taiga_pipeline.sandbox.project_changes import NAME_LIMIT
from taiga_pipeline.sandbox.project_factory import NewProject
from taiga_pipeline.sandbox.serving.wire import Response, empty, json_response
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.templates import TEMPLATES


def duplicate_project(context: RequestContext) -> Response:
    """POST /projects/{id}/duplicate: the shape with tags and colours, and so with any marker in
    them.
    """
    store = context.store
    source = access.shown(store, context.user, store.projects.get(context.number()))
    form = context.form()
    name = form.text("name", required=True, limit=NAME_LIMIT)
    description = form.text("description", required=True)
    for field in ("is_private", "users"):
        if field not in form:
            form.fail(field, REQUIRED)
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
    answer = json_response(project_view.detail(store, owner, project), 201)
    _make_administrator(store, project, owner)
    return answer


def _make_administrator(store: Store, project: Project, owner: User) -> None:
    """The owner of a copy administers it, though the answer to the copying does not say so yet."""
    membership = store.memberships.find(owner.id, project.id)
    if membership is not None:
        membership.is_admin = True
        store.touched(project.id)


def _copy_members(
    context: RequestContext,
    source: Project,
    project: Project,
    owner: User,
    users: list[dict[str, int]],
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
        admin = membership.is_admin and user_id != owner.id
        project_factory.join(store, project, role, user, admin=admin)
        if user_id != owner.id:
            data = {"role": {"id": role.id, "name": role.name}}
            store.record(project, user, "projects.membership.create", user.id, data)


def _administered(context: RequestContext) -> Project:
    found = context.store.projects.get(context.number())
    shown = access.shown(context.store, context.user, found)
    return access.require_admin(context.store, context.user, shown)


def get_modules(context: RequestContext) -> Response:
    """GET /projects/{id}/modules."""
    project = _administered(context)
    return json_response(project.modules)


def patch_modules(context: RequestContext) -> Response:
    """PATCH /projects/{id}/modules: merges top-level keys and shows in no list and no date."""
    project = _administered(context)
    access.writable(project)
    data = context.data()
    if not isinstance(data, dict):
        raise server_error()
    project.modules |= data
    context.store.touched(project.id)
    return empty(204)
