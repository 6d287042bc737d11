"""Who the account is, for every request: a password that is turned into tokens, or a token.

Taiga's tokens are of two kinds. An access token lasts a day; the refresh token that comes with it
makes a new pair *once*. If the answer to a refresh is lost, the old refresh token is already
worthless, and the only way on is to log in again. Failed log-ins are throttled for the right
password too, so that none is ever repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from sync.errors import SyncError, Unauthorised, Unreachable
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.answer import Answer
from taiga_pipeline.http.connection import Connection

Post = Callable[[str, Mapping[str, object]], Answer]
"""Sends a body to a path without credentials and returns the answer, whatever its status."""


class Login(Protocol):
    """A source of the ``Authorization`` header."""

    def authorization(self) -> str:
        """Returns the header's present value, logging in if need be."""

    def renew(self, refused: str) -> None:
        """Makes a new header, unless another thread already replaced the ``refused`` one.

        :raises Unauthorised: there is no way to get another one.
        """


class TokenLogin:
    """A token that another person issued: it works, or it does not."""

    def __init__(self, scheme: str, token: Secret) -> None:
        self._scheme = scheme
        self._token = token

    def authorization(self) -> str:
        """Returns the header's value."""
        return f"{self._scheme} {self._token.reveal()}"

    def renew(self, refused: str) -> None:
        """Refuses: a token cannot be made new from here."""
        raise Unauthorised(
            "Taiga no longer accepts the token; issue a new one, or use a username with "
            "password_env, which log in automatically"
        )


class PasswordLogin:
    """Logs in by user name (or e-mail address) and password, and again whenever it has to."""

    def __init__(self, username: str, password: Secret, retried: Post, once: Post) -> None:
        self._username = username
        self._password = password
        self._retried = retried
        self._once = once
        self._lock = threading.Lock()
        self._header = ""
        self._refresh: Secret | None = None
        self._failure = ""

    def authorization(self) -> str:
        """Returns the header's present value, logging in if need be."""
        if self._header:
            return self._header
        with self._lock:
            if not self._header:
                self._log_in()
            return self._header

    def renew(self, refused: str) -> None:
        """Uses the refresh token once, then the password once."""
        with self._lock:
            if self._header == refused and not self._use_refresh():
                self._log_in()

    def _use_refresh(self) -> bool:
        """Trades the refresh token in; whatever goes wrong, it is not tried a second time."""
        refresh, self._refresh = self._refresh, None
        if refresh is None:
            return False
        try:
            answer = self._once("auth/refresh", {"refresh": refresh.reveal()})
        except SyncError:
            return False
        return answer.ok and self._keep(answer)

    def _log_in(self) -> None:
        if self._failure:
            raise Unauthorised(self._failure)
        self._header = ""
        answer = self._retried(
            "auth",
            {"type": "normal", "username": self._username, "password": self._password.reveal()},
        )
        if answer.ok and not self._keep(answer):
            raise Unreachable("the server at target.url does not log in accounts as Taiga does")
        if not answer.ok:
            self._failure = (
                f"Taiga refuses the log-in of {self._username!r} ({answer.status}); check "
                "target.username and the password in target.password_env or password_file"
            )
            raise Unauthorised(self._failure)

    def _keep(self, answer: Answer) -> bool:
        """Keeps the tokens of an answer; tells whether there were any."""
        data = answer.data if isinstance(answer.data, dict) else {}
        token, refresh = data.get("auth_token"), data.get("refresh")
        if not isinstance(token, str) or not token:
            return False
        self._header = f"Bearer {token}"
        self._refresh = Secret(refresh) if isinstance(refresh, str) else None
        return True


def login_for(connection: Connection, retried: Post, once: Post) -> Login:
    """Returns the way to log in that ``connection`` holds.

    A token with a colon in it is an application token: Taiga signs those in that form.

    :raises Unauthorised: there is none.
    """
    if connection.application_token:
        return TokenLogin("Application", connection.application_token)
    if connection.token:
        scheme = "Application" if ":" in connection.token.reveal() else "Bearer"
        return TokenLogin(scheme, connection.token)
    if connection.username and connection.password:
        return PasswordLogin(connection.username, connection.password, retried, once)
    raise Unauthorised("the target needs a username and a password, or a token")
