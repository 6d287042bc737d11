"""The throw-away server itself: fresh databases, and nothing left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.live.postgresql import Cluster, Server


def test_each_database_is_new_and_belongs_to_a_plain_account(postgresql: Server) -> None:
    urls = [postgresql.database(), postgresql.database()]
    for url in urls:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE only_here (id INTEGER)"))
            query = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            if isinstance(postgresql, Cluster):
                assert connection.execute(text(query)).scalar() is False
        engine.dispose()
        postgresql.drop(url)


def test_a_database_that_is_given_back_is_emptied_and_had_again(postgresql: Server) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    url = postgresql.database()
    with create_engine(url, poolclass=NullPool).connect() as open_still:
        open_still.execute(text("CREATE TABLE ours (id SERIAL PRIMARY KEY)"))
        open_still.commit()
        postgresql.give_back(url)
        with pytest.raises(OperationalError):
            open_still.execute(text("SELECT 1"))
    assert postgresql.empty_database() == url
    with create_engine(url, poolclass=NullPool).connect() as again:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert again.execute(text(query)).scalar() == 0
    postgresql.drop(url)


@pytest.mark.parametrize(
    "left",
    [
        "CREATE TABLE theirs (id INTEGER)",
        "CREATE SCHEMA theirs",
        "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER DATABASE {database} SET lock_timeout = '50ms'",
        "ALTER DATABASE {database} CONNECTION LIMIT 1",
        "GRANT CREATE ON DATABASE {database} TO PUBLIC",
    ],
)
def test_a_database_that_would_not_be_as_good_as_new_is_dropped(
    postgresql: Server, left: str
) -> None:
    url = postgresql.database()
    database = str(make_url(url).database)
    postgresql.execute(left.format(database=database), database=database)
    postgresql.give_back(url)
    assert not postgresql.execute("SELECT FROM pg_database WHERE datname = %s", database)


def test_a_server_ends_with_the_tests_even_if_they_are_killed(postgresql: Server) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    program = (
        "import time\nfrom tests.live.postgresql import Cluster\n"
        "cluster = Cluster()\nprint(cluster.process_id, cluster.folder, flush=True)\n"
        "time.sleep(600)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as tests:
        assert tests.stdout is not None
        server, folder = tests.stdout.readline().split()
        tests.kill()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and _is_alive(int(server)):
        time.sleep(0.02)
    shutil.rmtree(folder)
    assert not _is_alive(int(server))


def _is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
