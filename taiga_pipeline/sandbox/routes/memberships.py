"""Memberships and invitations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import (
    bad_request,
    bare_bad_request,
    invalid,
    invalid_pk,
    no_match,
    not_found,
    permission_denied,
    server_error,
)
from taiga_pipeline.sandbox.fields import REQUIRED, Form
from taiga_pipeline.sandbox.models import Membership, Project, Role, User
from taiga_pipeline.sandbox.people import card, color, gravatar
from taiga_pipeline.sandbox.routes.users import contacts
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp
from taiga_pipeline.sandbox.store import Store

MAX_PENDING = 30
VERIFY_FIRST = "To add members to a project, first you have to verify your email address"
_NOT_A_CONTACT = "The user must be a valid contact"
_ALREADY_IN = "The user yet exists in the project"
_OWNER_STAYS = "You can't leave the project if you are the owner or there are no more admins"
_TWICE = "You are attempting to invite the same email address multiple times."
_ALREADY_IN_BULK = "The user with this email address is already added to the project."
_LAST_ADMIN = "The project must have an owner and at least one of the users must be an active admin"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def _view(store: Store, row: Membership, with_email: bool = True) -> dict[str, Json]:
    user = store.users.get(row.user)
    role, project = store.roles.get(row.role), store.projects.rows[row.project]
    view: dict[str, Json] = {
        "id": row.id,
        "user": row.user,
        "project": row.project,
        "role": row.role,
        "is_admin": row.is_admin,
        "created_at": timestamp(row.created_at),
        "invited_by": card(store.users.get(row.invited_by)),
        "invitation_extra_text": row.invitation_extra_text,
        "user_order": row.user_order,
        "role_name": role.name if role else None,
        "full_name": user.full_name if user else None,
        "is_user_active": bool(user and user.is_active),
        "color": color(user) if user else None,
        "photo": None,
        "gravatar_id": gravatar(user.email) if user else None,
        "project_name": project.name,
        "project_slug": project.slug,
        "is_owner": project.owner == row.user if user else None,
    }
    if with_email:
        view |= {"email": row.email, "user_email": user.email if user else None}
    return view


def list_memberships(context: RequestContext) -> Response:
    """GET /memberships: e-mails only to the administrators of `?project=`."""
    store = context.store
    project_id = context.query_number("project")
    seen = access.project_ids_with(store, context.user, "view_project", project_id)
    if project_id is None and context.user is not None and not context.user.is_superuser:
        seen &= set(store.memberships.of_user(context.user.id))
    project = store.projects.get(project_id)
    with_email = project is not None and access.is_admin(store, context.user, project)
    rows = [row for each in sorted(seen) for row in store.memberships.of(each)]
    rows.sort(key=lambda row: _by_name(store, row))
    return context.page(rows, lambda row: _view(store, row, with_email))


def _by_name(store: Store, row: Membership) -> tuple[int, bool, str, str, int]:
    user = store.users.get(row.user)
    return row.project, user is None, user.full_name if user else "", row.email or "", row.id


def get_membership(context: RequestContext) -> Response:
    """GET /memberships/{id}."""
    row = context.store.memberships.get(context.number())
    project = context.store.projects.get(row.project) if row else None
    if row is None or project is None:
        raise no_match("Membership")
    access.require(context.store, context.user, project, "view_project")
    admin = access.is_admin(context.store, context.user, project)
    return json_response(_view(context.store, row, with_email=admin))


def _find_person(context: RequestContext, name: str) -> User | None:
    """The account that a caller may mean: by e-mail in any case, or by a contact's user name.

    Raises:
        ValueError: a user name that is none, or not that of a contact.
    """
    store = context.store
    if _EMAIL.match(name):
        return store.user_by_email(name)
    caller = access.require_user(context.user)
    user = next((user for user in store.users if user.username == name), None)
    if user is None or user.id not in contacts(store, caller):
        raise ValueError(_NOT_A_CONTACT)
    return user


def _already_in(store: Store, project: Project, name: str, user: User | None) -> bool:
    """What the validator sees; it misses a member's e-mail in other letters."""
    if any(row.email == name for row in store.memberships.of(project.id)):
        return True
    by_exact_name = user is not None and name in (user.email, user.username)
    return by_exact_name and _is_member(store, project, user)


def _is_member(store: Store, project: Project, user: User | None) -> bool:
    return user is not None and store.memberships.find(user.id, project.id) is not None


@dataclass(frozen=True, slots=True)
class _Joiner:
    """Someone about to join: the name as typed, the account if there is one, the role."""

    name: str
    user: User | None
    role: Role
    email: str | None
    is_admin: bool = False
    extra_text: str | None = None


def _read_joiner(context: RequestContext, form: Form, project: Project | None) -> _Joiner:
    """The person and role of a creation request.

    Raises:
        ApiError: 400 with everything that is wrong.
    """
    role_id = form.reference("role", required=True)
    role = context.store.roles.get(role_id)
    if role_id is not None and role is None:
        form.fail("role", invalid_pk(role_id))
    elif role is not None and project is not None and role.project != project.id:
        form.fail("role", "Invalid role for the project")
    name = form.text("username", required=True)
    user = None
    if name and project is not None:
        try:
            user = _find_person(context, name)
            if _already_in(context.store, project, name, user):
                form.fail("username", _ALREADY_IN)
        except ValueError as error:
            form.fail("username", str(error))
    form.check()
    assert role is not None
    email = name if _EMAIL.match(name) else None
    return _Joiner(name, user, role, email, form.boolean("is_admin"))


def create_membership(context: RequestContext) -> Response:
    """POST /memberships: `username` is an e-mail, or the user name of a contact."""
    store = context.store
    caller = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    joiner = _read_joiner(context, form, project)
    project = access.writable(access.require_admin(store, caller, project))
    _count_creations(context, 1)
    if not caller.verified_email:
        raise invalid({"non_field_errors": [VERIFY_FIRST]})
    if _is_member(store, project, joiner.user):
        raise server_error()
    if joiner.user is None:
        _check_pending(store, project, 1)
    return json_response(_view(store, _join(store, project, joiner, caller)), 201)


def _count_creations(context: RequestContext, people: int) -> None:
    caller = access.require_user(context.user)
    context.throttle.count(
        "create-memberships", str(caller.id), context.store.clock.now(), weight=people
    )


def _check_pending(store: Store, project: Project, further: int) -> None:
    """An owner may have so many invitations open over all projects."""
    owned = {row.id for row in store.projects if row.owner == project.owner}
    pending = sum(row.user is None and row.project in owned for row in store.memberships)
    if pending + further > MAX_PENDING:
        raise bad_request(
            "You have reached the current limit of pending memberships", "NotEnoughSlotsForProject"
        )


def _join(store: Store, project: Project, joiner: _Joiner, caller: User) -> Membership:
    now = store.clock.tick()
    row = Membership(
        id=store.memberships.next_id(),
        project=project.id,
        role=joiner.role.id,
        user=joiner.user.id if joiner.user else None,
        email=joiner.email,
        is_admin=joiner.is_admin,
        created_at=now,
        invited_by=caller.id,
        invitation_extra_text=joiner.extra_text,
        user_order=0 if joiner.user else int(now.timestamp() * 1000),
    )
    store.memberships.add(row)
    _record(store, project, row, "create")
    return row


def _record(store: Store, project: Project, row: Membership, verb: str) -> None:
    """Coming and going is an event of that person; an invitation is nobody's and leaves no
    trace.
    """
    user, role = store.users.get(row.user), store.roles.get(row.role)
    if user is None:
        store.touched(project.id)
        return
    data = {"role": {"id": row.role, "name": role.name if role else None}}
    store.record(project, user, f"projects.membership.{verb}", row.id, data)


def bulk_create(context: RequestContext) -> Response:
    """POST /memberships/bulk_create: all or nothing; somebody who is in already breaks it."""
    store = context.store
    caller = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project_id", required=True)
    items = form.data.get("bulk_memberships")
    if not isinstance(items, list):
        form.fail("bulk_memberships", REQUIRED)
        items = []
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project_id", invalid_pk(project_id))
    form.check()
    people = _bulk_people(context, items)
    roles = _bulk_roles(context, project, items)
    project = access.require_admin(store, caller, project)
    access.writable(project)
    _count_creations(context, len(items))
    if not caller.verified_email:
        raise bare_bad_request(VERIFY_FIRST)
    _check_bulk_new(store, project, people)
    _check_pending(store, project, sum(user is None for _, user in people))
    extra_text = form.data.get("invitation_extra_text")
    joiners = [
        _Joiner(name, user, role, None if user else name, extra_text=extra_text)
        for (name, user), role in zip(people, roles, strict=True)
    ]
    rows = [_join(store, project, joiner, caller) for joiner in joiners]
    return json_response([_view(store, row) for row in rows])


def _bulk_people(context: RequestContext, items: Sequence[Any]) -> list[tuple[str, User | None]]:
    """Name and account per item; errors stand at the place of their item."""
    errors: list[dict[str, list[str]]] = []
    people: list[tuple[str, User | None]] = []
    for item in items:
        name = str(item.get("username") or "")
        errors.append({})
        try:
            people.append((name, _find_person(context, name)) if name else (name, None))
        except ValueError as error:
            errors[-1] = {"username": [str(error)]}
        if not name:
            errors[-1] = {"username": [REQUIRED]}
    if any(errors):
        raise invalid({"bulk_memberships": errors})
    return people


def _bulk_roles(
    context: RequestContext, project: Project | None, items: Sequence[Any]
) -> list[Role]:
    roles = [context.store.roles.get(item.get("role_id")) for item in items]
    known = [role for role in roles if role and project and role.project == project.id]
    if len(known) != len(items):
        message = "Invalid role ids. All roles must belong to the same project."
        raise invalid({"bulk_memberships": [message]})
    return known


def _check_bulk_new(
    store: Store, project: Project, people: Sequence[tuple[str, User | None]]
) -> None:
    """E-mails on file are refused (400); a member without one on file breaks the insert (500)."""
    on_file = {row.email for row in store.memberships.of(project.id)}
    names = [name for name, _ in people]
    if len(set(names)) < len(names):
        raise invalid({"bulk_memberships": [_TWICE]})
    if any(name in on_file for name in names):
        raise invalid({"bulk_memberships": [_ALREADY_IN_BULK]})
    if any(_is_member(store, project, user) for _, user in people):
        raise server_error()


def _administered(context: RequestContext) -> tuple[Membership, Project]:
    row = context.store.memberships.get(context.number())
    project = context.store.projects.get(row.project) if row else None
    project = access.require_admin(context.store, context.user, project)
    assert row is not None
    return row, access.writable(project)


def patch_membership(context: RequestContext) -> Response:
    """PATCH /memberships/{id}: role and is_admin; invisible in every change date."""
    row, project = _administered(context)
    form = context.form(partial=True)
    role_id = form.reference("role")
    role = context.store.roles.get(role_id)
    if role_id is not None and role is None:
        form.fail("role", invalid_pk(role_id))
    elif role is not None and role.project != project.id:
        form.fail("role", "Invalid role for the project")
    if form.data.get("project", project.id) != project.id:
        form.fail("project", "Invalid operation")
    if "is_admin" in form and not form.boolean("is_admin") and row.user == project.owner:
        form.fail("is_admin", "The project owner must be admin.")
    form.check()
    row.role = role.id if role else row.role
    row.is_admin = form.boolean("is_admin", default=row.is_admin)
    context.store.touched(project.id)
    return json_response(_view(context.store, row, with_email=False))


def put_membership(context: RequestContext) -> Response:
    """PUT /memberships/{id}: refused without username and project, which no connector sends."""
    _administered(context)
    form = context.form()
    for name in ("username", "project"):
        form.text(name, required=True)
    form.check()
    return patch_membership(context)


def delete_membership(context: RequestContext) -> Response:
    """DELETE /memberships/{id}: by administrators only; the owner stays."""
    row, project = _administered(context)
    if row.user == project.owner:
        raise bad_request(_LAST_ADMIN)
    context.store.memberships.remove(row)
    _record(context.store, project, row, "delete")
    return empty(204)


def leave_project(context: RequestContext) -> Response:
    """POST /projects/{id}/leave: how a member goes; 404 to whom the project does not show."""
    store, user = context.store, access.require_user(context.user)
    project = access.shown(store, user, store.projects.get(context.number()))
    row = store.memberships.find(user.id, project.id)
    if row is None:
        raise not_found()
    if project.owner == user.id:
        raise permission_denied(_OWNER_STAYS)
    store.memberships.remove(row)
    _record(store, project, row, "delete")
    return empty(200)


def resend_invitation(context: RequestContext) -> Response:
    """POST /memberships/{id}/resend_invitation."""
    _administered(context)
    return empty(204)
