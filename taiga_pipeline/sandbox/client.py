"""How a test acts in a sandbox without the network: as a person, and on the list of people."""

import json
import secrets

from taiga_pipeline.sandbox.models import ApplicationToken, User
from taiga_pipeline.sandbox.seed import Person, add_person
from taiga_pipeline.sandbox.serving.application import Application
from taiga_pipeline.sandbox.serving.wire import API_PREFIX, Json, Request, dumps
from taiga_pipeline.sandbox.store import Store


class Refused(Exception):
    """An in-process call that was answered with an error; the message holds status and body."""

    def __init__(self, call: str, status: int, body: Json) -> None:
        super().__init__(f"{call}: {status} {json.dumps(body, ensure_ascii=False)[:500]}")
        self.status = status
        self.body = body


class TestClient:
    """Acts as one person, through the same endpoints but past the network, its faults and the
    log.
    """

    __test__ = False  # the name is not that of a test

    def __init__(self, application: Application, user: User) -> None:
        self._application = application
        self.user = user

    def get(self, path: str) -> Json:
        """Read; `path` as in `/projects?slight=true`. A list comes whole, without pages."""
        return self.call("GET", path)

    def post(self, path: str, body: Json = None) -> Json:
        """Create or act."""
        return self.call("POST", path, {} if body is None else body)

    def patch(self, path: str, body: Json) -> Json:
        """Change."""
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> Json:
        """Delete."""
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: Json = None) -> Json:
        """Make a request; the decoded body, or None for an empty one.

        Raises:
            Refused: the answer is an error.
        """
        payload = b"" if body is None else dumps(body)
        headers = {"x-disable-pagination": "1"}
        request = Request.of(method, API_PREFIX + path, headers, payload)
        response = self._application.respond_as(self.user, request)
        is_json = response.content_type.startswith("application/json")
        answer = response.json() if response.body and is_json else response.body.decode() or None
        if response.status >= 400:
            raise Refused(f"{method} {path}", response.status, answer)
        return answer


class People:
    """The accounts of a sandbox."""

    def __init__(self, store: Store, password: str) -> None:
        self._store = store
        self._password = password

    def add(  # noqa: PLR0913 - the columns of an account, nearly all with defaults
        self,
        username: str,
        email: str = "",
        full_name: str = "",
        *,
        is_superuser: bool = False,
        verified_email: bool = True,
        password: str | None = None,
    ) -> User:
        """Make an account; e-mail, name and password have defaults.

        Raises:
            ValueError: the user name or e-mail is taken.
        """
        person = Person(username, full_name or username, email, is_superuser, verified_email)
        return add_person(self._store, person, self._password if password is None else password)

    def get(self, username: str) -> User:
        """The account with a user name or e-mail.

        Raises:
            KeyError: there is none.
        """
        user = self._store.find_user(username)
        if user is None:
            raise KeyError(f"no account {username!r} in the sandbox")
        return user

    def application_token(self, username: str) -> str:
        """A token that acts for somebody without expiry.

        Raises:
            KeyError: there is no such account.
        """
        user = self.get(username)
        table = self._store.application_tokens
        with self._store.lock:
            token = secrets.token_urlsafe(24)
            self._store.applications.add("sandbox")
            table.add(ApplicationToken(table.next_id(), user.id, "sandbox", token))
        return token
