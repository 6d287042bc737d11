"""With a connection pooler in between that gives each transaction another connection.

Left out where PgBouncer is not installed (Debian: apt install pgbouncer).
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from sync.clock import SystemClock
from sync.database.engine import open_engine, reading
from sync.errors import Locked
from sync.run.lock import run_lock
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from tests.live.leaving_out import program
from tests.live.ports import free_port
from tests.live.postgresql import PASSWORD, Cluster, Server
from tests.sync.world import World, deal

CLOCK = SystemClock()


@pytest.fixture
def pooled(postgresql: Server, postgresql_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database through a pooler that has two connections to it."""
    pgbouncer = program("pgbouncer")
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    url = make_url(postgresql_url)
    port = free_port()
    folder = postgresql.folder / f"pooler-{port}"
    folder.mkdir()
    (folder / "users.txt").write_text(f'"{url.username}" "{PASSWORD}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{url.database} = host=127.0.0.1 port={url.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
        f"default_pool_size = 2\n"
    )
    identity = {}
    if os.geteuid() == 0:
        account = pwd.getpwuid(postgresql.folder.stat().st_uid)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with (folder / "log").open("wb") as log:
        pooler = subprocess.Popen(
            [pgbouncer, folder / "pgbouncer.ini"], stdout=log, stderr=log, **identity
        )
    try:
        _wait_for(port, pooler)
        yield url.set(port=port).render_as_string(hide_password=False)
    finally:
        pooler.kill()
        pooler.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while True:
        assert process.poll() is None and time.monotonic() < until, "the pooler does not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)


def test_the_run_lock_is_not_handed_on(pooled: str) -> None:
    other = open_engine(pooled)
    with run_lock(pooled, "acme", CLOCK) as still_held:
        for _ in range(10):  # other transactions, on the pooler's other connection
            with reading(other) as connection:
                connection.execute(text("SELECT 1"))
        with pytest.raises(Locked, match="is at work"), run_lock(pooled, "acme", CLOCK):
            pass
        still_held()
    with run_lock(pooled, "acme", CLOCK):
        pass
    other.dispose()


def test_a_pipeline_is_kept_in_step_through_it(pooled: str, tmp_path: Path) -> None:
    world = World(tmp_path, url=pooled)
    world.want(*(deal(f"D{number}", members={"a@x.test": "Back"}) for number in range(8)))
    assert len(world.run().applied) == 16
    world.settled()
    world.store.close()


def test_the_store_works_through_it_again_and_again(pooled: str) -> None:
    for _ in range(3):  # each statement often enough to be prepared, if it were to be
        store = DealStore.open(pooled, lambda: datetime(2026, 11, 2, tzinfo=UTC), create=True)
        for number in range(8):
            store.upsert([Deal(f"D-{number}", "Portal", stage="Lead")])
            assert store.get(f"D-{number}").name == "Portal"
        assert sum(1 for _ in store.deals()) == 8
        store.close()
