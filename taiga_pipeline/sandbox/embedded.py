"""A sandbox inside the process: `with Sandbox() as sandbox: use(sandbox.url)`."""

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType

from taiga_pipeline.sandbox.application import Application, LoggedRequest
from taiga_pipeline.sandbox.clock import Clock
from taiga_pipeline.sandbox.faults import Fault
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.seed import BOT, Person, add_person, seed
from taiga_pipeline.sandbox.server import SandboxServer
from taiga_pipeline.sandbox.store import Store
from taiga_pipeline.sandbox.wire import API_PREFIX, Json, Request, dumps

DEFAULT_PASSWORD = "sandbox"  # noqa: S105 - a toy's, for loopback only


class Refused(Exception):
    """An in-process call that was answered with an error; the message holds status and body."""

    def __init__(self, method: str, path: str, status: int, body: Json) -> None:
        super().__init__(f"{method} {path}: {status} {json.dumps(body, ensure_ascii=False)[:500]}")
        self.status = status
        self.body = body


class Client:
    """Acts as one person, through the same endpoints but past the network, its faults and the log."""

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
        headers = {"x-disable-pagination": "1"}
        payload = b"" if body is None else dumps(body)
        request = Request.of(method, API_PREFIX + path, headers, payload)
        response = self._application.respond_as(self.user, request)
        is_json = response.content_type.startswith("application/json")
        answer = response.json() if response.body and is_json else response.body.decode() or None
        if response.status >= 400:
            raise Refused(method, path, response.status, answer)
        return answer


class People:
    """The accounts of a sandbox."""

    def __init__(self, store: Store, password: str) -> None:
        self._store = store
        self._password = password

    def add(
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


class Sandbox:
    """A running Taiga-compatible server on loopback, and the handles by which a test directs it."""

    def __init__(
        self,
        *,
        password: str = DEFAULT_PASSWORD,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        faults: Iterable[Fault] = (),
        delay_seconds: float = 0.0,
        rates: Mapping[str, str] | None = None,
        close_connections: bool = False,
    ) -> None:
        self.password = password
        self.username = BOT
        self.store = Store(clock)
        self.clock = self.store.clock
        self.application = Application(self.store)
        self.application.delay_seconds = delay_seconds
        self.application.throttle.set_rates(dict(rates or {}))
        self.faults = self.application.faults
        self.faults.replace(faults)
        self.people = People(self.store, password)
        self._address = (host, port)
        self._close_connections = close_connections
        self._server: SandboxServer | None = None
        self._thread: threading.Thread | None = None
        seed(self.store, password)

    def start(self) -> "Sandbox":
        """Listen, and serve from a thread of its own."""
        self._server = SandboxServer(
            self._address, self.application.handle, self._close_connections
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving; what is in the store stays readable."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of a running sandbox, such as http://127.0.0.1:45123 (without /api/v1).

        Raises:
            RuntimeError: it is not running.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running; use `with Sandbox() as sandbox:`")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests over the network since the start or the last `clear_requests`."""
        return list(self.application.log)

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self.application.log.clear()

    def as_user(self, username: str) -> Client:
        """A client that acts as somebody, in process.

        Raises:
            KeyError: there is no such account.
        """
        return Client(self.application, self.people.get(username))

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.clock.now()

    def set_delay(self, seconds: float) -> None:
        """Let every request over the network take so much longer."""
        self.application.delay_seconds = seconds

    def set_rates(self, rates: Mapping[str, str]) -> None:
        """Switch throttles on, such as {"user-write": "5/min"}; an empty mapping switches them off."""
        with self.store.lock:
            self.application.throttle.set_rates(dict(rates))

    def expire_tokens(self) -> None:
        """Let every access token that is out now expire (by moving the clock past their life)."""
        from taiga_pipeline.sandbox.auth import ACCESS_LIFETIME

        self.clock.advance(ACCESS_LIFETIME.total_seconds() + 1)

    def lock_project(
        self, project_id: int, *, archived_code: str | None = None, blocked_code: str | None = None
    ) -> None:
        """Set what only a server's administrator can set; None clears.

        Raises:
            KeyError: there is no such project.
        """
        with self.store.lock:
            project = self.store.projects.rows[project_id]
            project.archived_code, project.blocked_code = archived_code, blocked_code
            self.store.touched(project_id)
