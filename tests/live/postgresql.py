"""A throw-away PostgreSQL for tests: started from the machine's own binaries, gone at the end.

`Cluster` can be used without pytest as well (benchmarks). The fixtures near the end of the file are
there in every test: ``postgresql`` is the server, ``postgresql_url`` a new, empty database on it.
For programs of other kinds there is ``python -m tests.live.postgresql COMMAND…``: it runs the
command with ``PGHOST``, ``PGPORT``, ``PGUSER``, ``PGPASSWORD`` and ``PGDATABASE`` of a new, empty
database, and ends with it.

PostgreSQL refuses to run as root; then it runs as ``postgres`` or ``nobody``.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.live.leaving_out import leave_out
from tests.live.ports import free_port

ACCOUNT: Final = "sync"
"""The account of the URLs that are handed out; each owns its database, and no more."""
PASSWORD: Final = "throw-away"
_SETTINGS: Final = {
    "fsync": "off",  # what was committed outlives a crash of the server, not of the machine
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
}
_STARTS_WITHIN: Final = 90.0
_USES: Final = 50
"""Of one database, by tests."""
_END_OTHERS: Final = """
DO $$ BEGIN
    LOOP
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
        EXIT WHEN NOT FOUND;
        PERFORM pg_sleep(0.002);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END $$"""
_IS_AS_NEW: Final = """
SELECT NOT EXISTS (SELECT FROM pg_class WHERE oid >= 16384)  -- the first one of a user's
    AND NOT EXISTS (SELECT FROM pg_proc WHERE oid >= 16384)
    AND NOT EXISTS (SELECT FROM pg_type WHERE oid >= 16384)
    AND NOT EXISTS (SELECT FROM pg_extension WHERE oid >= 16384)
    AND NOT EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384)
    AND NOT EXISTS (
        SELECT FROM pg_namespace, aclexplode(nspacl) AS granted
        WHERE granted.grantee >= 16384
    )
    AND NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = pg_database.oid)
    AND datacl IS NULL AND datallowconn AND datconnlimit = -1
    AND NOT EXISTS (
        SELECT FROM pg_database AS other
        WHERE other.datname = 'template1'
            AND other.datcollversion IS DISTINCT FROM pg_database.datcollversion
    )
FROM pg_database WHERE datname = current_database()"""
_PR_SET_PDEATHSIG: Final = 1


class NotAvailable(Exception):
    """No PostgreSQL can be started here; says why."""


class Server:
    """A PostgreSQL on which databases can be made. ``admin_url`` is of an account that may."""

    def __init__(self, admin_url: str, owner: str = "") -> None:
        self.admin_url = admin_url
        self._owner = owner
        self._made: list[str] = []
        self._emptied: list[str] = []
        self._uses: Counter[str] = Counter()

    def empty_database(self) -> str:
        """Returns the URL of an empty database: one that was given back, or a new one."""
        return self.url(self._emptied.pop()) if self._emptied else self.database()

    def database(self, *, owner: str | None = None, name: str = "") -> str:
        """Makes an empty database; returns its URL, ``postgresql+psycopg://…``."""
        made = name or f"ps_{os.getpid()}_{len(self._made) + 1}_{os.urandom(3).hex()}"
        self.execute(f'CREATE DATABASE "{made}"' + (f" OWNER {self._owner}" if self._owner else ""))
        self._made.append(made)
        return self.url(made, owner=owner)

    def copy(self, url: str) -> str:
        """Makes a database that holds the same as the one at ``url``, to which nobody may be
        connected; returns its URL.
        """
        made = f"ps_{os.getpid()}_{os.urandom(6).hex()}"
        owner = f" OWNER {self._owner}" if self._owner else ""
        self.execute(f'CREATE DATABASE "{made}" TEMPLATE "{make_url(url).database}"{owner}')
        self._made.append(made)
        return self.url(made)

    def url(self, database: str, *, owner: str | None = None) -> str:
        """Returns the URL of a database for the account that owns it, or for another."""
        url = make_url(self.admin_url).set(database=database)
        if self._owner or owner:
            url = url.set(username=owner or self._owner, password=PASSWORD)
        return url.render_as_string(hide_password=False)

    def execute(self, statement: str, *parameters: object, database: str = "") -> list[Any]:
        """Runs one statement with all rights, outside a transaction; returns its rows, if any."""
        url = make_url(self.admin_url)
        url = url.set(database=database) if database else url
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            result = connection.exec_driver_sql(statement, parameters or None)
            return [tuple(row) for row in result] if result.returns_rows else []

    def drop(self, url: str) -> None:
        """Removes a database, whoever is connected to it."""
        name = make_url(url).database
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(str(name))

    def give_back(self, url: str) -> None:
        """Empties a database for the next test; drops one that is not as good as new then.

        To make and to drop one costs ten times as much as to empty it.
        """
        name = str(make_url(url).database)
        self._uses[name] += 1
        # What was dropped stays in the catalogues, as nothing vacuums them.
        if self._owner and self._uses[name] < _USES and self._is_emptied(name):
            self._emptied.append(name)
        else:
            self.drop(url)

    def _is_emptied(self, name: str) -> bool:
        engine = create_engine(
            make_url(self.admin_url).set(database=name),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
        )
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(_END_OTHERS)
                connection.exec_driver_sql(f"DROP OWNED BY {self._owner} CASCADE")
                return bool(connection.exec_driver_sql(_IS_AS_NEW).scalar_one())
        except DBAPIError:
            return False

    def close(self) -> None:
        """Removes what was made."""
        for name in list(self._made):
            self.drop(self.url(name))


class Cluster(Server):
    """A server of our own, in a folder of its own, on a free port of 127.0.0.1.

    :raises NotAvailable: there is no PostgreSQL on this machine, or it does not start.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._binaries = find_binaries()
        self._account = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._account:
                os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
            self._initialise()
            self.port = free_port()
            super().__init__(
                f"postgresql+psycopg://{ACCOUNT}_admin:{PASSWORD}@127.0.0.1:{self.port}/postgres",
                ACCOUNT,
            )
            self.start()
            self.execute(f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{PASSWORD}'")
        except BaseException:
            self.close()
            raise
        self.seconds_to_start = time.monotonic() - self.began

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        settings = {
            **_SETTINGS,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C in the terminal is for the tests alone
                preexec_fn=_end_with_parent(),  # noqa: PLW1509  calls one function of the C library
                **self._identity(),
            )
        self._wait()

    def stop(self, mode: signal.Signals = signal.SIGINT) -> None:
        """Ends the server: SIGINT breaks connections off, SIGQUIT leaves it as a crash does."""
        if self._process is None:
            return
        self._process.send_signal(mode)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Ends the server and removes its folder."""
        self.stop(signal.SIGQUIT)  # nothing in it is worth a checkpoint
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)  # in a folder that others cannot enter
        command = [
            str(self._binaries / "initdb"),
            f"--pgdata={self.folder / 'data'}",
            f"--username={ACCOUNT}_admin",
            f"--pwfile={password}",
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ]
        manual = subprocess.run([command[0], "--help"], capture_output=True, text=True, check=False)
        if "--icu-locale" in manual.stdout:
            # Orders text by a dictionary's rules, as most real servers do, and not by bytes.
            command += ["--locale-provider=icu", "--icu-locale=en-US"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._identity(),
        )
        if done.returncode:
            raise NotAvailable(f"initdb failed: {done.stderr.strip()[-300:]}")

    def _identity(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {
            "user": self._account.pw_uid,
            "group": self._account.pw_gid,
            "extra_groups": [],
        }

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.execute("SELECT 1")
            except OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.folder / "log").read_text(errors="replace").strip()[-300:]
        raise NotAvailable(f"PostgreSQL does not start: {log}")


def find_binaries() -> Path:
    """Returns the folder of PostgreSQL's programs, of the newest version there is.

    :raises NotAvailable: there is none.
    """
    candidates = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")] + [
        path.parent for path in Path("/usr").glob("pgsql-*/bin/initdb")
    ]
    on_path = shutil.which("initdb")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    found = [each for each in candidates if (each / "postgres").exists()]
    if not found:
        raise NotAvailable("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    return max(found, key=lambda path: [int(n) for n in path.parent.name.split(".") if n.isdigit()])


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NotAvailable("PostgreSQL refuses to run as root, and there is no account 'postgres'")


def _end_with_parent() -> Callable[[], None]:
    """Makes a child end when its parent does, even by SIGKILL (on Linux; else nothing)."""
    library = ctypes.CDLL(None, use_errno=True)

    def ask_for_it() -> None:
        if hasattr(library, "prctl"):
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    return ask_for_it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("postgresql", "tests on PostgreSQL").addoption(
        "--postgresql-url",
        help="a server to use, postgresql+psycopg://account@host/database; the account has to be "
        "allowed to make databases. Without it, one is started",
    )


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A PostgreSQL server; a test that asks for it is left out where there is none."""
    if find_spec("psycopg") is None:
        leave_out("postgresql", "its driver, psycopg, is not installed")
    given = request.config.getoption("--postgresql-url")
    try:
        server = Server(given) if given else Cluster()
    except NotAvailable as error:
        leave_out("postgresql", str(error))
    if isinstance(server, Cluster):
        request.config.stash[_STARTED_IN] = server.seconds_to_start
    yield server
    server.close()


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """The URL of a new, empty database."""
    url = postgresql.empty_database()
    yield url
    postgresql.give_back(url)


class _Tally:
    """Counts the tests that passed on PostgreSQL, in whatever process they ran."""

    def __init__(self) -> None:
        self.passed = 0
        self.seconds = 0.0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = dict(report.user_properties).get(_RAN_ON)
        if found is not None and report.when == "call" and report.passed:
            self.passed += 1
            self.seconds = float(str(found))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says how many there were; with ``LIVE_TIMES``, for `.ci/run` as well."""
        if not self.passed:
            return
        terminalreporter.write_line(
            f"PostgreSQL: {self.passed} tests passed on it; started in {self.seconds:.1f} s"
        )
        if os.environ.get("LIVE_TIMES"):
            with Path(os.environ["LIVE_TIMES"]).open("a") as times:
                times.write(f"PostgreSQL\tstart\t{self.seconds:.0f}\n")
                times.write(f"PostgreSQL\tpassed\t{self.passed}\n")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Tally())


def pytest_runtest_call(item: pytest.Item) -> None:
    """Notes of a test that it runs on PostgreSQL, and how long that took to start."""
    wanted = getattr(item, "fixturenames", ())
    if "postgresql" in wanted or ("database_url" in wanted and "postgresql" in item.name):
        item.user_properties.append((_RAN_ON, item.config.stash.get(_STARTED_IN, 0.0)))


_RAN_ON: Final = "postgresql"
_STARTED_IN = pytest.StashKey[float]()


def run_beside_a_server(command: Sequence[str]) -> int:
    """Runs a command while a server of its own is there; returns its exit code.

    77 says that no server could be started; the reason is on stderr.
    """
    try:
        cluster = Cluster()
    except NotAvailable as error:
        print(f"LEFT OUT: {error}", file=sys.stderr)
        return 77
    with cluster:
        print(f"PostgreSQL answers after {cluster.seconds_to_start:.1f} s", file=sys.stderr)
        url = make_url(cluster.database())
        environment = {
            **os.environ,
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGUSER": str(url.username),
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": str(url.database),
        }
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_beside_a_server(sys.argv[1:]))
