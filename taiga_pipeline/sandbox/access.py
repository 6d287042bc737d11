"""Who may see and do what in a project."""

from taiga_pipeline.sandbox.errors import (
    archived,
    blocked,
    not_authenticated,
    not_found,
    permission_denied,
)
from taiga_pipeline.sandbox.models import Project, User
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.templates import ADMIN_PERMISSIONS


def is_admin(store: Store, user: User | None, project: Project) -> bool:
    """Whether somebody administers a project; a superuser administers all."""
    if user is None:
        return False
    membership = store.memberships.find(user.id, project.id)
    return user.is_superuser or (membership is not None and membership.is_admin)


def permissions(store: Store, user: User | None, project: Project) -> tuple[str, ...]:
    """What somebody may do in a project, as `my_permissions` lists it."""
    if user is None:
        return tuple(project.anon_permissions)
    if is_admin(store, user, project):
        return ADMIN_PERMISSIONS
    membership = store.memberships.find(user.id, project.id)
    role = store.roles.get(membership.role) if membership else None
    granted = role.permissions if role else ()
    if not project.public_permissions:
        return granted
    return tuple(dict.fromkeys((*granted, *project.public_permissions)))


def allows(store: Store, user: User | None, project: Project, permission: str) -> bool:
    """Whether somebody has one permission in a project."""
    return permission in permissions(store, user, project)


def visible(store: Store, user: User | None, project: Project) -> bool:
    """Whether somebody may see that a project exists."""
    return allows(store, user, project, "view_project")


def refuse(user: User | None) -> Exception:
    """The refusal for lack of rights: 401 to nobody in particular, 403 to somebody."""
    return not_authenticated() if user is None else permission_denied()


def require(store: Store, user: User | None, project: Project | None, permission: str) -> Project:
    """The project, if somebody has a permission in it.

    Raises:
        ApiError: 401 or 403, also when there is no such project.
    """
    if project is None or not allows(store, user, project, permission):
        raise refuse(user)
    return project


def require_admin(store: Store, user: User | None, project: Project | None) -> Project:
    """The project, if somebody administers it.

    Raises:
        ApiError: 401 or 403, also when there is no such project.
    """
    if project is None or not is_admin(store, user, project):
        raise refuse(user)
    return project


def shown(store: Store, user: User | None, project: Project | None) -> Project:
    """The project, if it shows to somebody; for actions on a project, which hide what is not.

    Raises:
        ApiError: 404, or 401 to an anonymous request.
    """
    if project is None or not visible(store, user, project):
        raise not_authenticated() if user is None else not_found()
    return project


def require_user(user: User | None) -> User:
    """The account of a request that must have one.

    Raises:
        ApiError: 401 for an anonymous request.
    """
    if user is None:
        raise not_authenticated()
    return user


def writable(project: Project) -> Project:
    """The project, if it is neither blocked nor archived.

    Raises:
        ApiError: 451 when blocked, 403 "Archived element" when archived.
    """
    if project.blocked_code is not None:
        raise blocked()
    if project.archived_code is not None:
        raise archived()
    return project


def visible_projects(store: Store, user: User | None) -> list[Project]:
    """The projects in somebody's list, in its order: own ones and public ones; all for a
    superuser.
    """
    ordered = store.projects.in_order()
    if user is not None and user.is_superuser:
        return list(ordered)
    mine = store.memberships.of_user(user.id) if user else {}
    return [
        project
        for project in ordered
        if (project.id in mine or project.public_permissions or project.anon_permissions)
        and visible(store, user, project)
    ]


def project_ids_with(
    store: Store, user: User | None, permission: str, only: int | None = None
) -> set[int]:
    """The projects in which somebody has a permission; of `only` that one, if it is given."""
    if only is None:
        projects = visible_projects(store, user)
    else:
        project = store.projects.get(only)
        projects = [project] if project and visible(store, user, project) else []
    return {project.id for project in projects if allows(store, user, project, permission)}
