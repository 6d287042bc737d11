"""A sandbox inside the process: `with Sandbox() as sandbox: use(sandbox.url)`."""

import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType

from taiga_pipeline.sandbox.client import People, TestClient
from taiga_pipeline.sandbox.clock import Clock
from taiga_pipeline.sandbox.faults import Fault
from taiga_pipeline.sandbox.persistence import AutoSave, load_file, save_file
from taiga_pipeline.sandbox.seed import BOT, seed
from taiga_pipeline.sandbox.serving.application import Application, LoggedRequest
from taiga_pipeline.sandbox.serving.control import Control
from taiga_pipeline.sandbox.serving.server import SandboxServer
from taiga_pipeline.sandbox.serving.website import Site
from taiga_pipeline.sandbox.store import Store

DEFAULT_PASSWORD = "sandbox"  # noqa: S105 - a toy's, for loopback only


class Sandbox:
    """A Taiga-compatible server on loopback, and the handles by which a test directs it.

    `password` is that of all accounts. `delay_seconds` is added to each API request, `rates`
    switches throttles on ({"user-write": "5/min"}), `close_connections` ends each connection
    after one answer as Taiga without a proxy does, `control` opens the control API at /sandbox/,
    `data` is a file that keeps the state between starts.
    """

    def __init__(  # noqa: PLR0913 - options of one object, all by name, all with defaults
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
        control: bool = False,
        data: Path | None = None,
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
        self._site = Site(
            self.application, Control(self.application, password) if control else None
        )
        self._address = (host, port)
        self._close_connections = close_connections
        self._data = data
        self._running: _Running | None = None
        if data is not None and data.exists():
            load_file(self.store, data)
        else:
            seed(self.store, password)

    def start(self) -> "Sandbox":
        """Listen, and serve from a thread of its own.

        Raises:
            OSError: the address is taken, or the data file cannot be written.
        """
        server = SandboxServer(self._address, self._site.handle, self._close_connections)
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        )
        autosave = None
        if self._data is not None:
            save_file(self.store, self._data)
            autosave = AutoSave(self.store, self._data)
            autosave.start()
        thread.start()
        self._running = _Running(server, thread, autosave)
        return self

    def stop(self) -> None:
        """Stop serving; what is in the store stays readable."""
        if self._running is not None:
            self._running.stop()
        self._running = None

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
        if self._running is None:
            raise RuntimeError("the sandbox is not running; use `with Sandbox() as sandbox:`")
        host, port = self._running.server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """The API requests over the network since the start or the last `clear_requests`."""
        return list(self.application.log)

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self.application.log.clear()

    def as_user(self, username: str) -> TestClient:
        """A client that acts as somebody, in process.

        Raises:
            KeyError: there is no such account.
        """
        return TestClient(self.application, self.people.get(username))

    def now(self) -> datetime:
        """The sandbox's time."""
        return self.clock.now()

    def set_delay(self, seconds: float) -> None:
        """Let every API request over the network take so much longer."""
        self.application.delay_seconds = seconds

    def set_rates(self, rates: Mapping[str, str]) -> None:
        """Switch throttles on, such as {"user-write": "5/min"}; an empty mapping switches them off.

        Raises:
            ValueError: an unknown bucket or a text that is no rate.
        """
        with self.store.lock:
            self.application.throttle.set_rates(dict(rates))

    def expire_tokens(self) -> None:
        """Let every access token that is out now expire (by moving the clock past their life)."""
        self.application.expire_tokens()

    def lock_project(
        self, project_id: int, *, archived_code: str | None = None, blocked_code: str | None = None
    ) -> None:
        """Set what only a server's administrator can set; None clears.

        Raises:
            KeyError: there is no such project.
        """
        self.application.lock_project(project_id, archived_code, blocked_code)

    def application_token(self, username: str) -> str:
        """A token for `Authorization: Application …` that acts for somebody, as an administrator
        makes it.

        Raises:
            KeyError: there is no such account.
        """
        return self.people.application_token(username)


@dataclass(frozen=True, slots=True)
class _Running:
    """What a started sandbox has to end."""

    server: SandboxServer
    thread: threading.Thread
    autosave: AutoSave | None

    def stop(self) -> None:
        self.server.stop()
        self.thread.join()
        if self.autosave is not None:
            self.autosave.stop()


def random_password() -> str:
    """A password for a sandbox that others may reach."""
    return secrets.token_urlsafe(12)


def serve(  # noqa: PLR0913 - options of one server, by name, with defaults
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    password: str | None = None,
    data: Path | None = None,
    control: bool = True,
    delay_seconds: float = 0.0,
) -> Sandbox:
    """Start a stand-alone sandbox and return it: print its `url`, `username` and `password`,
    wait, `stop()`.

    Without a password it is "sandbox" on loopback and a random one elsewhere. With `data` the
    state is kept in that file. The control API is for loopback only, whatever `control` says.

    Raises:
        OSError: the address is taken, or the data file cannot be read or written.
        ValueError: the data file is not a sandbox's.
    """
    local = host in ("127.0.0.1", "::1", "localhost")
    chosen = password or (DEFAULT_PASSWORD if local else random_password())
    sandbox = Sandbox(
        password=chosen,
        host=host,
        port=port,
        data=data,
        control=control and local,
        delay_seconds=delay_seconds,
    )
    return sandbox.start()
