"""Log-in, refresh, application tokens."""

import secrets

from taiga_pipeline.sandbox.access import require_user
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import (
    ApiError,
    bad_request,
    bad_token,
    no_match,
    not_found,
)
from taiga_pipeline.sandbox.models import ApplicationToken
from taiga_pipeline.sandbox.people import account
from taiga_pipeline.sandbox.serving import auth
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response


def log_in(context: RequestContext) -> Response:
    """POST /auth: account and tokens for a user name (or e-mail, in any case) and a password."""
    _check_failures(context)
    try:
        return _log_in(context)
    except ApiError:
        _count_failure(context)
        raise


def _log_in(context: RequestContext) -> Response:
    form = context.form()
    if form.data.get("type") != "normal":
        raise bad_request("invalid login type")
    username, password = form.text("username", required=True), form.text("password", required=True)
    form.check()
    user = context.store.find_user(username)
    if user is None or not user.is_active or not auth.password_matches(password, user.password):
        raise bad_token("No active account found with the given credentials", "invalid_credentials")
    return json_response(account(context.store, user) | auth.new_tokens(context.store, user))


def refresh(context: RequestContext) -> Response:
    """POST /auth/refresh: a new pair for a refresh token, which works once."""
    _check_failures(context)
    try:
        form = context.form()
        token = form.text("refresh", required=True)
        form.check()
        return json_response(auth.refresh(context.store, token))
    except ApiError:
        _count_failure(context)
        raise


def _check_failures(context: RequestContext) -> None:
    context.throttle.check("login-fail", context.request.remote, context.store.clock.now())


def _count_failure(context: RequestContext) -> None:
    context.throttle.count("login-fail", context.request.remote, context.store.clock.now())


def authorize_application(context: RequestContext) -> Response:
    """POST /application-tokens/authorize: a code with which an application gets its token."""
    user = require_user(context.user)
    form = context.form()
    application, state = form.text("application", True), form.text("state", True)
    form.check()
    if application not in context.store.applications:
        raise no_match("Application")
    code = secrets.token_hex(16)
    context.store.application_codes[code] = (user.id, application, state)
    return json_response({"state": state, "auth_code": code, "next_url": f"?auth_code={code}"})


def validate_application(context: RequestContext) -> Response:
    """POST /application-tokens/validate: the token for a code, which works once."""
    form = context.form()
    application, code = form.text("application", True), form.text("auth_code", True)
    state = form.text("state", True)
    form.check()
    kept = context.store.application_codes.get(code)
    if kept is None or kept[1:] != (application, state):
        raise not_found()
    del context.store.application_codes[code]
    return json_response({"token": grant(context, kept[0], application).token})


def grant(context: RequestContext, user_id: int, application: str) -> ApplicationToken:
    """Make a token that acts for a user until it is revoked."""
    table = context.store.application_tokens
    token = f"{secrets.token_urlsafe(24)}:{secrets.token_urlsafe(16)}"
    return table.add(ApplicationToken(table.next_id(), user_id, application, token))


def _token_view(row: ApplicationToken) -> Json:
    application = {"id": row.application, "name": row.application, "web": None}
    return {
        "id": row.id,
        "user": row.user,
        "application": application | {"description": None, "icon_url": None},
        "auth_code": None,
        "next_url": "?auth_code=None",
    }


def list_application_tokens(context: RequestContext) -> Response:
    """GET /application-tokens: one's own, without the secret."""
    user = require_user(context.user)
    rows = [row for row in context.store.application_tokens if row.user == user.id]
    return context.page(rows, _token_view)


def revoke_application_token(context: RequestContext) -> Response:
    """DELETE /application-tokens/{id}."""
    user = require_user(context.user)
    row = context.store.application_tokens.get(context.number())
    if row is None or row.user != user.id:
        raise no_match("ApplicationToken")
    context.store.application_tokens.remove(row)
    return empty(204)
