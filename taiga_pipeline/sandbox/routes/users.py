"""Accounts."""

from taiga_pipeline.sandbox.access import require_user
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import bad_request, no_match
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.people import account, public_profile
from taiga_pipeline.sandbox.serving.auth import hash_password, password_matches
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response
from taiga_pipeline.sandbox.store import Store

_WRONG = "WrongArguments"
_SHORTEST = 6


def me(context: RequestContext) -> Response:
    """GET /users/me: the account that the credentials stand for."""
    return json_response(account(context.store, require_user(context.user)))


def change_password(context: RequestContext) -> Response:
    """POST /users/change_password: of the own account; its tokens stay good."""
    user = require_user(context.user)
    form = context.form()
    current, new = form.data.get("current_password"), form.data.get("password")
    if not current:
        raise bad_request("Current password parameter needed", _WRONG)
    if not new:
        raise bad_request("New password parameter needed", _WRONG)
    if len(str(new)) < _SHORTEST:
        raise bad_request(f"Invalid password length at least {_SHORTEST} characters needed", _WRONG)
    if not password_matches(str(current), user.password):
        raise bad_request("Invalid current password", _WRONG)
    user.password = hash_password(str(new))
    return empty(204)


def contacts(store: Store, user: User) -> set[int]:
    """Those who share a project with somebody, that person included."""
    return {
        membership.user
        for project_id in store.memberships.of_user(user.id)
        for membership in store.memberships.of(project_id)
        if membership.user is not None
    } | {user.id}


def _view(context: RequestContext, user: User) -> Json:
    viewer = context.user
    if viewer is not None and (viewer.is_superuser or viewer.id == user.id):
        return account(context.store, user)
    return public_profile(context.store, user)


def list_users(context: RequestContext) -> Response:
    """GET /users: oneself and one's contacts; a superuser sees all."""
    viewer = require_user(context.user)
    known = contacts(context.store, viewer)
    rows = [user for user in context.store.users if viewer.is_superuser or user.id in known]
    project_id = context.query_number("project")
    if project_id is not None:
        members = {row.user for row in context.store.memberships.of(project_id)}
        rows = [user for user in rows if user.id in members]
    return context.page(rows, lambda user: _view(context, user))


def get_user(context: RequestContext) -> Response:
    """GET /users/{id}: e-mail only for oneself and superusers."""
    user = context.store.users.get(context.number())
    if user is None:
        raise no_match("User")
    return json_response(_view(context, user))
