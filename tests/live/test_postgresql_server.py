"""The throw-away server itself: fresh databases, and nothing left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

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


def test_a_server_ends_with_the_tests_even_if_they_are_killed(postgresql: Server) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("the tests use a server that was given to them")
    program = (
        "import time\nfrom tests.live.postgresql import Cluster\n"
        "cluster = Cluster()\nprint(cluster.process_id, cluster.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as tests:
        assert tests.stdout is not None
        server, folder = tests.stdout.readline().split()
        tests.kill()
    deadline = time.monotonic() + 10
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
