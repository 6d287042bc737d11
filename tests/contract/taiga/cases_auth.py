"""Log-in, tokens, who am I."""

from tests.contract.taiga.case import ABSENT, NOT_AUTHENTICATED, REQUIRED, Case, Kind, Matches, Step

_LOG_IN = {"type": "normal", "username": "{user}", "password": "{password}"}
_INVALID = {
    "detail": "No active account found with the given credentials",
    "code": "invalid_credentials",
}
_BAD_TYPE = {
    "_error_message": "invalid login type",
    "_error_type": "taiga.base.exceptions.BadRequest",
}
_TOKEN_REFUSED = {
    "detail": "Given token not valid for any token type",
    "code": "token_not_valid",
    "messages.0.token_class": "AccessToken",
    "messages.0.token_type": "access",
}
_SPENT = {"detail": "Token is invalid or expired", "code": "token_not_valid"}


def _wrong(message: str) -> dict[str, str]:
    return {"_error_message": message, "_error_type": "taiga.base.exceptions.WrongArguments"}


CASES = (
    Case(
        "log-in answers account and both tokens",
        "auth.json 0",
        (
            Step(
                "POST",
                "/auth",
                _LOG_IN,
                actor="anonymous",
                fields={
                    "username": "{user}",
                    "id": Kind("int"),
                    "email": "{email}",
                    "verified_email": True,
                    "is_active": True,
                    "auth_token": Matches(r"[\w-]+\.[\w-]+\.[\w-]+$"),
                    "refresh": Matches(r"[\w-]+\.[\w-]+\.[\w-]+$"),
                },
            ),
        ),
    ),
    Case(
        "log-in takes the e-mail, and the user name in any case",
        "auth.json 1-2",
        (
            Step("POST", "/auth", _LOG_IN | {"username": "{email}"}, actor="anonymous"),
            Step(
                "GET",
                "/users/me",
                fields={"username": "{user}"},
            ),
        ),
    ),
    Case(
        "log-in with an unknown name is 401",
        "auth.json 4",
        (
            Step(
                "POST",
                "/auth",
                _LOG_IN | {"username": "{unique}"},
                401,
                actor="anonymous",
                fields={"": _INVALID},
                headers={"WWW-Authenticate": 'Bearer realm="api"'},
            ),
        ),
    ),
    Case(
        "log-in with a wrong password is 401",
        "auth.json 3",
        (
            Step(
                "POST",
                "/auth",
                _LOG_IN | {"password": "{unique}"},
                401,
                actor="anonymous",
                fields={"": _INVALID},
            ),
        ),
    ),
    Case(
        "log-in with another type is 400",
        "auth.json 5",
        (
            Step(
                "POST",
                "/auth",
                _LOG_IN | {"type": "bogus"},
                400,
                actor="anonymous",
                fields={"": _BAD_TYPE},
            ),
        ),
    ),
    Case(
        "log-in without a type is 400",
        "auth.json 6",
        (
            Step(
                "POST",
                "/auth",
                {"username": "{user}", "password": "{password}"},
                400,
                actor="anonymous",
                fields={"": _BAD_TYPE},
            ),
        ),
    ),
    Case(
        "log-in without a password is 400",
        "auth.json 7",
        (
            Step(
                "POST",
                "/auth",
                {"type": "normal", "username": "{user}"},
                400,
                actor="anonymous",
                fields={"": {"password": REQUIRED}},
            ),
        ),
    ),
    Case(
        "the own password is changed with the present one, and tokens stay good",
        "tried on 2026-11-27",
        (
            Step(
                "POST",
                "/users/change_password",
                {"current_password": "{unique}", "password": "{password}-2"},
                400,
                fields={"": _wrong("Invalid current password")},
            ),
            Step(
                "POST",
                "/users/change_password",
                {"current_password": "{password}", "password": "short"},
                400,
                fields={"": _wrong("Invalid password length at least 6 characters needed")},
            ),
            Step(
                "POST",
                "/users/change_password",
                {"password": "{password}"},
                400,
                fields={"": _wrong("Current password parameter needed")},
            ),
            Step(
                "POST",
                "/users/change_password",
                {"current_password": "{password}"},
                400,
                fields={"": _wrong("New password parameter needed")},
            ),
            Step(
                "POST",
                "/users/change_password",
                {"current_password": "{password}", "password": "{password}"},
                204,
            ),
            Step("GET", "/users/me", fields={"username": "{user}"}),
        ),
    ),
    Case(
        "broken JSON is a parse error",
        "auth.json 8",
        (
            Step(
                "POST",
                "/auth",
                raw="{bad",
                status=400,
                actor="anonymous",
                fields={
                    "_error_message": Matches("JSON parse error - "),
                    "_error_type": "taiga.base.exceptions.ParseError",
                },
            ),
        ),
    ),
    Case(
        "users/me without credentials is 401",
        "auth.json 9",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                fields={"": NOT_AUTHENTICATED},
                headers={"WWW-Authenticate": 'Bearer realm="api"'},
            ),
        ),
    ),
    Case(
        "users/me tells who one is and the limits",
        "auth.json 10",
        (
            Step(
                "GET",
                "/users/me",
                fields={
                    "id": "{user_id}",
                    "email": "{email}",
                    "verified_email": True,
                    "lang": Kind("str"),
                    "max_private_projects": None,
                    "max_memberships_private_projects": None,
                    "total_private_projects": Kind("int"),
                    "roles": Kind("list"),
                    "auth_token": ABSENT,
                },
            ),
        ),
    ),
    Case(
        "a forged access token is 401",
        "auth.json 11",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Bearer abc.def.ghi"},
                fields=_TOKEN_REFUSED | {"messages.0.message": "Token is invalid or expired"},
            ),
        ),
    ),
    Case(
        "a bad token fails on public endpoints too",
        "auth.json 12-13",
        (
            Step(
                "GET",
                "/projects",
                status=401,
                actor="anonymous",
                send={"Authorization": "Bearer x"},
                fields=_TOKEN_REFUSED,
            ),
        ),
    ),
    Case(
        "a refresh token is no access token",
        "auth.json 15",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Bearer {refresh}"},
                fields=_TOKEN_REFUSED | {"messages.0.message": "Token has wrong type"},
            ),
        ),
    ),
    Case(
        "an unknown scheme is anonymous",
        "auth.json 16",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Token {auth_token}"},
                fields={"": NOT_AUTHENTICATED},
            ),
            Step("GET", "/projects", actor="anonymous", send={"Authorization": "Token x"}),
        ),
    ),
    Case(
        "Bearer without a token is 401",
        "auth.json 17",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Bearer"},
                fields={"code": "bad_authorization_header"},
            ),
        ),
    ),
    Case(
        "Bearer with two tokens is 401",
        "auth.json 18",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Bearer a b"},
                fields={
                    "detail": "Authorization header must contain two space-delimited values",
                    "code": "bad_authorization_header",
                },
            ),
        ),
    ),
    Case(
        "an unknown application token is 401",
        "application_tokens.json 7",
        (
            Step(
                "GET",
                "/users/me",
                status=401,
                actor="anonymous",
                send={"Authorization": "Application abc:def"},
                fields={
                    "": {
                        "_error_message": "Invalid token",
                        "_error_type": "taiga.base.exceptions.NotAuthenticated",
                    }
                },
            ),
        ),
    ),
    Case(
        "a refresh token works once and gives a new pair",
        "auth.json 19-20, 24-25",
        (
            Step("POST", "/auth", _LOG_IN, actor="anonymous", save={"own_refresh": "refresh"}),
            Step(
                "POST",
                "/auth/refresh",
                {"refresh": "{own_refresh}"},
                actor="anonymous",
                fields={"auth_token": Kind("str"), "refresh": Kind("str"), "id": ABSENT},
                save={"new_token": "auth_token", "new_refresh": "refresh"},
            ),
            Step(
                "POST",
                "/auth/refresh",
                {"refresh": "{own_refresh}"},
                401,
                actor="anonymous",
                fields={"": _SPENT},
            ),
            Step(
                "GET",
                "/users/me",
                actor="anonymous",
                send={"Authorization": "Bearer {new_token}"},
                fields={"username": "{user}"},
            ),
            Step("POST", "/auth/refresh", {"refresh": "{new_refresh}"}, actor="anonymous"),
        ),
    ),
    Case(
        "the old access token outlives a refresh",
        "auth.json 19, 25",
        (
            Step(
                "POST",
                "/auth",
                _LOG_IN,
                actor="anonymous",
                save={"own_refresh": "refresh", "old_token": "auth_token"},
            ),
            Step("POST", "/auth/refresh", {"refresh": "{own_refresh}"}, actor="anonymous"),
            Step(
                "GET",
                "/users/me",
                actor="anonymous",
                send={"Authorization": "Bearer {old_token}"},
            ),
        ),
    ),
    Case(
        "an access token does not refresh",
        "auth.json 21",
        (
            Step(
                "POST",
                "/auth/refresh",
                {"refresh": "{auth_token}"},
                401,
                actor="anonymous",
                fields={"code": "token_not_valid"},
            ),
        ),
    ),
    Case(
        "a refresh without a token is 400",
        "auth.json 23",
        (
            Step(
                "POST",
                "/auth/refresh",
                {},
                400,
                actor="anonymous",
                fields={"": {"refresh": REQUIRED}},
            ),
        ),
    ),
    Case(
        "there is no log-out",
        "auth.json 27",
        (
            Step(
                "POST",
                "/auth/logout",
                {},
                404,
                fields={"": Matches(r"\s*<!doctype html>")},
                headers={"Content-Type": Matches("text/html")},
            ),
        ),
    ),
    Case(
        "an unknown path is 404 in HTML",
        "errors.json 4",
        (
            Step(
                "GET",
                "/nope",
                status=404,
                fields={"": Matches(r"\s*<!doctype html>")},
                headers={"Content-Type": Matches("text/html")},
            ),
        ),
    ),
    Case(
        "a trailing slash is an unknown path",
        "errors.json 5",
        (Step("GET", "/projects/", status=404, headers={"Content-Type": Matches("text/html")}),),
    ),
    Case(
        "a wrong method is 405",
        "errors.json 1-3",
        (
            Step(
                "DELETE",
                "/projects",
                status=405,
                fields={
                    "": {
                        "_error_message": "Method 'DELETE' not allowed.",
                        "_error_type": "taiga.base.exceptions.MethodNotAllowed",
                    }
                },
                headers={"Allow": "GET, POST, HEAD, OPTIONS"},
            ),
            Step("PUT", "/projects", {}, 405),
            Step("POST", "/users/me", {}, 405),
        ),
    ),
    Case(
        "Accept without JSON is 406",
        "errors.json 12-13",
        (
            Step("GET", "/projects", status=406, send={"Accept": "text/html"}),
            Step("GET", "/projects", status=406, send={"Accept": "application/xml"}),
        ),
    ),
    Case(
        "another media type is 415",
        "errors.json 10",
        (
            Step(
                "POST",
                "/projects",
                raw="name=x",
                status=415,
                send={"Content-Type": "text/plain"},
                fields={
                    "_error_message": "Unsupported media type 'text/plain' in request.",
                    "_error_type": "taiga.base.exceptions.UnsupportedMediaType",
                },
            ),
        ),
    ),
    Case(
        "HEAD of a list is 500",
        "errors.json 29",
        (Step("HEAD", "/projects", status=500),),
    ),
)
