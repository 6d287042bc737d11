"""What a server adds to the life of a store: others, other machines, and connections that end."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, make_url, select, text

from sync.clock import SystemClock
from sync.database.engine import failures_as, open_engine, reading, shown, writing
from sync.database.migrations import migrate, version_of
from sync.database.table_copy import copy_rows, tables_of
from sync.errors import Locked, StateUnusable, Stop, Unreachable
from sync.run.lock import run_lock
from sync.run.runner import Options, Runner, RunReport, open_for_run
from sync.state.schema import NAME, NOTES, STEPS, metadata
from sync.state.store import StateStore
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from tests.live.postgresql import ACCOUNT, PASSWORD, Cluster, Server
from tests.sync.world import FakeClock, World, deal

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/reliability/state_samples"
CLOCK = SystemClock()


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@contextmanager
def program(source: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs Python source; its first line of output was read."""
    command = [sys.executable, "-c", source, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


HOLDS_THE_LOCK = """
import sys, time
from sync.clock import SystemClock
from sync.run.lock import run_lock
with run_lock(sys.argv[1], "acme", SystemClock()):
    print("held", flush=True)
    time.sleep(600)
"""


class TestTheRunLock:
    def test_it_falls_with_its_holder_and_names_it_before(self, url: str) -> None:
        with program(HOLDS_THE_LOCK, url) as holder:
            with (
                pytest.raises(Locked, match=rf"process {holder.pid}@.*since 20\d\d-.* UTC"),
                run_lock(url, "acme", CLOCK),
            ):
                pass
            holder.send_signal(signal.SIGKILL)
            holder.wait()
            with eventually(run_lock, url, "acme", CLOCK) as still_held:
                still_held()

    def test_pipelines_and_schemas_have_locks_of_their_own(
        self, url: str, postgresql: Server
    ) -> None:
        database = str(make_url(url).database)
        postgresql.execute(f"CREATE SCHEMA staging AUTHORIZATION {owner(url)}", database=database)
        staging = make_url(url).update_query_dict({"options": "-csearch_path=staging"})
        with run_lock(url, "acme", CLOCK), run_lock(url, "other", CLOCK):
            with run_lock(staging.render_as_string(hide_password=False), "acme", CLOCK):
                pass
            with pytest.raises(Locked), run_lock(url, "acme", CLOCK):
                pass

    def test_a_server_that_ends_idle_transactions_does_not_end_it(
        self, url: str, postgresql: Server
    ) -> None:
        database = make_url(url).database
        for name in ("idle_in_transaction_session_timeout", "idle_session_timeout"):
            postgresql.execute(f"ALTER DATABASE \"{database}\" SET {name} = '50ms'")
        with run_lock(url, "acme", CLOCK) as still_held:
            postgresql.execute("SELECT pg_sleep(0.3)")
            still_held()

    def test_a_run_that_loses_it_writes_nothing_more_and_the_next_does_the_rest(
        self, url: str, postgresql: Server, tmp_path: Path
    ) -> None:
        world = lasting(tmp_path)
        created = 0

        def lose_the_lock(operation: str) -> None:
            nonlocal created
            created += operation == "after create"
            if operation == "after create" and created == 3:
                ended = postgresql.execute(
                    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d "
                    "ON d.oid = l.database WHERE l.locktype = 'advisory' AND d.datname = %s",
                    make_url(url).database,
                )
                assert ended == [(True,)]

        world.target.faults = lose_the_lock
        with pytest.raises(Unreachable, match="the run lock of the pipeline 'acme' was lost"):
            run(world, url)
        assert len(world.target.roots) == 3
        world.target.faults = lambda operation: None
        assert len(run(world, url).applied) == 3
        assert sorted(str(r.fields["title"]) for r in world.target.roots) == [
            f"Deal D{number}" for number in range(5)
        ]
        writes = world.target.writes
        run(world, url)
        assert world.target.writes == writes


def owner(url: str) -> str:
    return str(make_url(url).username)


@contextmanager
def eventually(lock: Any, *arguments: Any) -> Iterator[Any]:
    """Takes a lock whose holder's connection the server may still be about to notice."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with lock(*arguments) as held:
                yield held
            return
        except Locked:
            time.sleep(0.02)
    raise AssertionError("the lock did not fall")


def lasting(folder: Path) -> World:
    """A world with five deals, whose own state store is not used."""
    world = World(folder)
    world.store.close()
    world.want(*(deal(f"D{number}") for number in range(5)))
    return world


def run(world: World, url: str) -> RunReport:
    world.clock.advance(minutes=15)
    with open_for_run(url, "acme", world.clock) as store:
        return Runner(world.source, world.target, store, world.clock, Options()).run()


class TestConnectionsThatEnd:
    def test_one_that_is_idle_is_replaced_and_nobody_notices(
        self, url: str, postgresql: Server, tmp_path: Path
    ) -> None:
        world = lasting(tmp_path)

        def cut(operation: str) -> None:
            if operation == "before create":
                postgresql.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND state = 'idle'",
                    make_url(url).database,
                )

        world.target.faults = cut
        assert len(run(world, url).applied) == 5

    def test_a_server_that_goes_down_in_mid_run_loses_nothing(self, tmp_path: Path) -> None:
        with own_cluster() as cluster:
            url = cluster.database()
            world = lasting(tmp_path)

            def go_down(operation: str) -> None:
                if operation == "after create" and len(world.target.roots) == 2:
                    cluster.stop(signal.SIGQUIT)

            world.target.faults = go_down
            with pytest.raises(Unreachable) as caught:
                run(world, url)
            assert PASSWORD not in str(caught.value)
            assert len(world.target.roots) == 2
            cluster.start()
            world.target.faults = lambda operation: None
            run(world, url)
            assert len(world.target.roots) == 5
            assert not run(world, url).applied

    def test_one_that_ends_in_a_transaction_takes_it_back(
        self, url: str, postgresql: Server
    ) -> None:
        lost = r"was lost: .*What was committed before stays"
        with closing(StateStore(url, "acme", FakeClock())) as store:
            with pytest.raises(Unreachable, match=lost), store._write("test") as connection:
                connection.execute(text("INSERT INTO sync_note VALUES ('acme', 'a', 'b')"))
                (pid,) = connection.execute(text("SELECT pg_backend_pid()")).one()
                postgresql.execute("SELECT pg_terminate_backend(%s)", pid)
                connection.execute(text("SELECT 1"))
            with store._read() as connection:
                assert connection.execute(text("SELECT count(*) FROM sync_note")).scalar() == 0


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A server that may be ended."""
    with Cluster() as cluster:
        yield cluster


OPENS_BOTH = """
import sys
from datetime import UTC, datetime
from sync.clock import SystemClock
from sync.state.store import StateStore
from taiga_pipeline.pipeline.store import DealStore
print("ready", flush=True)
sys.stdin.readline()
StateStore(sys.argv[1], "acme", SystemClock()).close()
DealStore.open(sys.argv[1], lambda: datetime.now(UTC), create=True).close()
print("done", flush=True)
"""


def test_programs_that_find_a_new_database_at_the_same_moment_all_get_on(url: str) -> None:
    command = [sys.executable, "-c", OPENS_BOTH, url]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    programs = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(3)]
    for each in programs:
        assert each.stdout is not None
        each.stdout.readline()
    said = [each.communicate("go\n", timeout=300)[0] for each in programs]
    assert said == ["done\n"] * 3
    engine = open_engine(url)
    assert version_of(engine, NAME) == len(STEPS)
    engine.dispose()


class TestTroubles:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"port": 1}, "cannot be reached. Check host and port"),
            ({"host": "no-such-host.invalid"}, "cannot be reached. Check host and port"),
            ({"password": "wr0ng-one"}, "refuses the account. Check account and password"),
            ({"password": None}, "refuses the account"),
            ({"database": "nowhere"}, "does not exist: create it"),
            ({"query": {"sslmode": "require"}}, "does not accept the encryption"),
            ({"query": {"sslmod": "require"}}, "has a URL with an unknown option"),
        ],
    )
    def test_each_is_named_with_the_way_out(
        self, url: str, change: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("PGPASSWORD", "PGPASSFILE"):
            monkeypatch.delenv(name, raising=False)
        changed = make_url(url).set(**change)
        if "password" in change:
            changed = changed._replace(password=change["password"])
        with pytest.raises(Unreachable) as caught:
            StateStore(changed.render_as_string(hide_password=False), "acme", FakeClock())
        reported = str(caught.value)
        assert message in reported
        assert shown(changed) in reported
        assert "wr0ng-one" not in reported
        assert PASSWORD not in reported
        assert "the server says:" in reported

    @pytest.mark.parametrize("place", ["PGPASSWORD", "PGPASSFILE"])
    def test_a_password_need_not_be_in_the_url(
        self, url: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parts = make_url(url)
        passwords = tmp_path / "pgpass"
        passwords.write_text(f"{parts.host}:{parts.port}:*:{parts.username}:{parts.password}\n")
        passwords.chmod(0o600)
        value = str(passwords) if place == "PGPASSFILE" else str(parts.password)
        monkeypatch.setenv(place, value)
        without = parts._replace(password=None).render_as_string(hide_password=False)
        assert str(parts.password) not in without
        StateStore(without, "acme", FakeClock()).close()

    def test_an_account_without_rights(self, url: str, postgresql: Server) -> None:
        if not isinstance(postgresql, Cluster):
            pytest.skip("no accounts are made on a server that was given")
        with role(postgresql, "stranger"):
            stranger = make_url(url).set(username="stranger")
            with pytest.raises(
                Unreachable, match="does not give its account the rights that it needs"
            ):
                StateStore(stranger.render_as_string(hide_password=False), "acme", FakeClock())
        engine = open_engine(url)
        assert version_of(engine, NAME) == 0
        engine.dispose()

    def test_an_account_that_may_only_read_and_write_rows(
        self, url: str, postgresql: Server
    ) -> None:
        if not isinstance(postgresql, Cluster):
            pytest.skip("no accounts are made on a server that was given")
        StateStore(url, "acme", FakeClock()).close()
        DealStore.open(url, CLOCK.now, create=True).close()
        database = str(make_url(url).database)
        with role(postgresql, "clerk"):
            for grant in (
                "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public",
                "USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public",
            ):
                postgresql.execute(f"GRANT {grant} TO clerk", database=database)
            clerk = make_url(url).set(username="clerk").render_as_string(hide_password=False)
            with open_for_run(clerk, "acme", CLOCK) as store:
                assert store.begin_run(True) == 1
            deals = DealStore.open(clerk, CLOCK.now)
            assert deals.upsert([Deal("D-1", "Portal")]) == (1, 0, 0)
            deals.close()
            postgresql.execute("DROP OWNED BY clerk", database=database)

    def test_schemas_are_databases_of_their_own(self, url: str, postgresql: Server) -> None:
        database = str(make_url(url).database)
        postgresql.execute(f"CREATE SCHEMA staging AUTHORIZATION {owner(url)}", database=database)
        staging = make_url(url).update_query_dict({"options": "-csearch_path=staging"})
        there = StateStore(staging.render_as_string(hide_password=False), "acme", FakeClock())
        with closing(there), closing(StateStore(url, "acme", FakeClock())) as here:
            here.begin_run(True)
            assert there.runs() == []
            assert there.begin_run(True) == 1

    def test_an_account_that_has_to_speak_encrypted(self, url: str, postgresql: Server) -> None:
        if not isinstance(postgresql, Cluster):
            pytest.skip("no rules are changed on a server that was given")
        rules = postgresql.folder / "data" / "pg_hba.conf"
        before = rules.read_text()
        with role(postgresql, "careful"):
            rules.write_text(f"hostnossl all careful all reject\n{before}")
            postgresql.execute("SELECT pg_reload_conf()")
            careful = make_url(url).set(username="careful").render_as_string(hide_password=False)
            reported = ""
            try:
                until = time.monotonic() + 120
                while time.monotonic() < until:  # until the server has read its rules
                    with pytest.raises(Unreachable) as caught:
                        StateStore(careful, "acme", FakeClock())
                    reported = str(caught.value)
                    if "takes encrypted connections only" in reported:
                        break
                assert "sslmode=require" in reported
            finally:
                rules.write_text(before)
                postgresql.execute("SELECT pg_reload_conf()")

    def test_a_server_that_may_only_be_read(self, url: str, postgresql: Server) -> None:
        StateStore(url, "acme", FakeClock()).close()
        database = make_url(url).database
        postgresql.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
        with closing(StateStore(url, "acme", FakeClock())) as store:
            assert store.index() == {}
            with pytest.raises(Unreachable, match="is read-only"):
                store.identity()

    def test_one_without_a_connection_left(self, url: str, postgresql: Server) -> None:
        if not isinstance(postgresql, Cluster):
            pytest.skip("no limit holds for the account of a server that was given")
        database = make_url(url).database
        postgresql.execute(f'ALTER DATABASE "{database}" CONNECTION LIMIT 1')
        with run_lock(url, "acme", CLOCK), pytest.raises(Unreachable, match="no connection left"):
            StateStore(url, "acme", FakeClock())

    def test_two_programs_that_wait_for_each_other(self, url: str) -> None:
        with closing(StateStore(url, "acme", FakeClock())) as store:
            engine = open_engine(url)
            names = ("a", "b")
            with writing(engine) as connection:
                for name in names:
                    connection.execute(NOTES.insert().values(pipeline="x", name=name, value="0"))
            barrier, reported = threading.Barrier(2), []

            def take(first: str, second: str) -> None:
                with store_write(engine) as connection:
                    for name in (first, second):
                        query = NOTES.update().where(NOTES.c.name == name).values(value=first)
                        connection.execute(query)
                        if name == first:
                            barrier.wait(120)

            def attempt(first: str, second: str) -> None:
                try:
                    take(first, second)
                except StateUnusable as error:
                    reported.append(str(error))

            threads = [threading.Thread(target=attempt, args=each) for each in (names, names[::-1])]
            for each in threads:
                each.start()
            for each in threads:
                each.join(120)
            assert len(reported) == 1
            assert "is in use by another program" in reported[0]
            assert "nothing was written. Try again" in reported[0]
            engine.dispose()
            assert store.runs() == []

    def test_what_a_server_says_may_hold_any_character(self, url: str) -> None:
        world_store = StateStore(url, "acme", FakeClock())
        with closing(world_store) as store:
            number = store.begin_run(True)
            store.end_run(number, "error", {"error": "NUL \0 and half \ud800 and 😀"})
            assert "😀" in str(store.runs()[0].summary["error"])


@contextmanager
def store_write(engine: Engine) -> Iterator[Connection]:
    """A write as the state store makes it, of a program that does not know of the run lock."""
    with failures_as(StateUnusable, engine), writing(engine) as connection:
        yield connection


@contextmanager
def role(server: Server, name: str) -> Iterator[None]:
    """An account that may log in, and owns nothing."""
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    try:
        yield
    finally:
        server.execute(f"DROP ROLE {name}")


def sample(url: str, version: int, folder: Path) -> None:
    """Makes a state store of an older version, with what a sample of that version holds."""
    file = folder / "sample.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((SAMPLES / f"version_{version}.sql").read_text())
    old, engine = open_engine(f"sqlite:///{file}"), open_engine(url)
    migrate(engine, NAME, STEPS[:version])
    with reading(old) as source, writing(engine) as target:
        for table in tables_of(source, metadata):
            if table.name in metadata.tables:
                copy_rows(source, target, table)
    old.dispose()
    engine.dispose()


def contents(store: StateStore) -> object:
    return (
        sorted(store.index().items()),
        store.history(),
        store.runs(),
        store.issues(),
        [entry.id for entry in store.open_intents()],
        store.dangling(),
    )


class TestVersions:
    @pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
    def test_who_only_looks_sees_all_of_an_older_one_and_changes_nothing(
        self, url: str, tmp_path: Path, version: int
    ) -> None:
        sample(url, version, tmp_path)
        with closing(StateStore(url, "acme", FakeClock(), changes=False)) as store:
            seen = contents(store)
            assert sorted(store.index()) == [f"D-{n}" for n in range(105, 111)]
        engine = open_engine(url)
        assert version_of(engine, NAME) == version
        engine.dispose()
        with closing(StateStore(url, "acme", FakeClock())) as store:
            assert contents(store) == seen

    def test_who_only_looks_at_a_new_database_sees_nothing_and_makes_nothing(
        self, url: str
    ) -> None:
        with closing(StateStore(url, "acme", FakeClock(), changes=False)) as store:
            assert store.runs() == []
        engine = open_engine(url)
        assert version_of(engine, NAME) == 0
        with reading(engine) as connection:
            assert not connection.execute(select(text("1 FROM pg_tables"))
                .where(text("schemaname = 'public'"))).all()  # fmt: skip
        engine.dispose()

    def test_a_newer_one_is_refused(self, url: str) -> None:
        engine = open_engine(url)
        migrate(engine, NAME, [*STEPS, lambda connection: None])
        engine.dispose()
        for changes in (True, False):
            with pytest.raises(StateUnusable, match="newer version"):
                StateStore(url, "acme", FakeClock(), changes=changes)


@pytest.mark.parametrize("scheme", ["postgres", "mysql", "mysql+pymysql", "oracle"])
def test_another_kind_of_server_is_refused_in_words(url: str, scheme: str) -> None:
    other = url.replace("postgresql+psycopg", scheme)
    with pytest.raises(Stop, match=r"write the URL of a SQLite database .* or of a PostgreSQL"):
        StateStore(other, "acme", FakeClock())
    with pytest.raises(Stop, match=r"nothing is kept in"), run_lock(other, "a", CLOCK):
        pass


def test_a_driver_that_is_not_installed_is_named(url: str) -> None:
    with pytest.raises(Stop, match=r"no driver for postgresql\+pg8000 is installed .*psycopg://"):
        StateStore(url.replace("psycopg", "pg8000"), "acme", FakeClock())


def test_the_account_of_the_tests_is_a_plain_one(url: str, postgresql: Server) -> None:
    assert not isinstance(postgresql, Cluster) or owner(url) == ACCOUNT
