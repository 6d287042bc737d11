"""Everything into another database with one command; the next run has nothing to do."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sync.database.engine import open_engine, reading, writing
from sync.run.lock import run_lock
from sync.state.store import StateStore
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import NOW, SAMPLE_DEALS, FixedClock, Run, project_names, writes

pytestmark = pytest.mark.sampled_tests(4)

CONFIG = Path("config.toml")


@pytest.fixture
def synced(sample: Run) -> Run:
    """The sample, synced twice: there are runs, a journal and bindings."""
    for command in (("run",), ("deals", "edit", "D-105", "--value", "130000"), ("run",)):
        assert sample(*command).exit_code == 0
    return sample


@pytest.fixture
def new(database_url: str, environment: dict[str, str]) -> Iterator[Engine]:
    """The database to copy to, named by a variable. Not there yet, or empty."""
    environment["NEW_DATABASE"] = database_url.replace("database.db", "new.db")
    engine = open_engine(environment["NEW_DATABASE"])
    yield engine
    engine.dispose()


def rows(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def pictures() -> dict[str, str]:
    """What is in the old databases."""
    found = {}
    for name in ("pipeline.db", "state.db"):
        engine = open_engine(f"sqlite:///{name}")
        with reading(engine) as connection:
            dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        engine.dispose()
        found[name] = hashlib.sha256(dump.encode()).hexdigest()
    return found


def follow(printed: str) -> None:
    """Changes the configuration as the command says."""
    lines = CONFIG.read_text().splitlines()
    section = ""
    for each in printed.splitlines():
        line = each.strip()
        if re.fullmatch(r"\[\w+\]", line):
            section = line
        elif "# instead of" in line:
            key = line.split("# instead of ")[1].split(" ")[0]
            lines = [old for old in lines if not old.startswith(f'{key} = "sqlite')]
            lines.insert(lines.index(section) + 1, line)
    CONFIG.write_text("\n".join(lines) + "\n")


def test_the_next_run_goes_on_from_the_copy_and_writes_nothing(
    synced: Run, taiga: Sandbox, new: Engine
) -> None:
    before, history = pictures(), synced("history", "--json").stdout
    deals, people = synced("deals", "export").stdout, synced("people", "list", "--json").stdout
    result = synced("store", "copy", "--to-env", "NEW_DATABASE")
    assert result.exit_code == 0, result.stderr
    assert f"the built-in store: {SAMPLE_DEALS} deals" in result.stdout
    assert pictures() == before

    follow(result.stdout)
    taiga.clear_requests()
    assert synced("plan", "--exit-code").exit_code == 0
    assert synced("run").exit_code == 0
    assert writes(taiga) == []
    assert synced("history", "--json").stdout == history
    assert synced("deals", "export").stdout == deals
    assert synced("people", "list", "--json").stdout == people
    assert synced("check").exit_code == 0
    assert pictures() == before


def test_numbers_go_on_from_where_they_were(synced: Run, taiga: Sandbox, new: Engine) -> None:
    result = synced("store", "copy", "--to-env", "NEW_DATABASE")
    assert result.exit_code == 0, result.stderr
    follow(result.stdout)
    names = project_names(taiga)
    assert synced("deals", "edit", "D-106", "--name", "Meter dashboard 2").exit_code == 0
    assert synced("deals", "move", "D-106", "Won", "--force").exit_code == 0
    assert synced("run").exit_code == 0
    assert len(project_names(taiga)) == len(names)
    assert rows(new, "sync_run") == 3
    assert synced("plan", "--exit-code").exit_code == 0


def test_a_database_that_holds_something_already_is_left_alone(synced: Run, new: Engine) -> None:
    assert synced("store", "copy", "--to-env", "NEW_DATABASE").exit_code == 0
    counts = rows(new, "deals"), rows(new, "sync_journal")
    result = synced("store", "copy", "--to-env", "NEW_DATABASE")
    assert result.exit_code == 2
    assert f"store: {SAMPLE_DEALS} rows in deals" in result.stderr
    assert (rows(new, "deals"), rows(new, "sync_journal")) == counts


def test_several_pipelines_are_brought_into_one_database_one_after_the_other(
    synced: Run, taiga: Sandbox, new: Engine
) -> None:
    with writing_other(new) as before:
        result = synced("store", "copy", "--to-env", "NEW_DATABASE", "--only", "state")
        assert result.exit_code == 0, result.stderr
        assert rows(new, "sync_run") == before + 2
    follow(result.stdout)
    taiga.clear_requests()
    assert synced("run").exit_code == 0
    assert writes(taiga) == []
    with reading(new) as connection:
        orphans = text(
            "SELECT count(*) FROM sync_journal j LEFT JOIN sync_run r ON r.id = j.run_id "
            "AND r.pipeline = j.pipeline WHERE r.id IS NULL"
        )
        assert connection.execute(orphans).scalar() == 0


class writing_other:
    """Another pipeline's runs in the same database."""

    def __init__(self, engine: Engine) -> None:
        store = StateStore(engine.url.render_as_string(False), "another", FixedClock())
        for _ in range(5):
            store.end_run(store.begin_run(True), "done", {})
        store.close()
        self.engine = engine

    def __enter__(self) -> int:
        return rows(self.engine, "sync_run")

    def __exit__(self, *_: object) -> None:
        with reading(self.engine) as connection:
            query = text("SELECT count(*) FROM sync_run WHERE pipeline = 'another'")
            assert connection.execute(query).scalar() == 5


def test_nothing_is_copied_while_a_run_is_at_work(synced: Run, new: Engine) -> None:
    pipeline = re.search(r'^pipeline = "(.*)"', CONFIG.read_text(), re.M)
    assert pipeline
    with run_lock("sqlite:///state.db", pipeline[1], FixedClock()):
        result = synced("store", "copy", "--to-env", "NEW_DATABASE")
    assert result.exit_code == 5
    assert "another run is at work" in result.stderr


def test_the_way_back_is_the_same(synced: Run, taiga: Sandbox, new: Engine) -> None:
    follow(synced("store", "copy", "--to-env", "NEW_DATABASE").stdout)
    result = synced("store", "copy", "--to", "sqlite:///back.db", "--json")
    assert result.exit_code == 0, result.stderr
    copied = json.loads(result.stdout)
    assert copied["rows"]["store"]["deals"] == SAMPLE_DEALS
    assert copied["config"] == [
        "[source]",
        'url = "sqlite:///back.db"    # instead of url_env = "NEW_DATABASE"',
        "[sync]",
        'state = "sqlite:///back.db"    # instead of state_env = "NEW_DATABASE"',
    ]
    text = CONFIG.read_text().replace('url_env = "NEW_DATABASE"', 'url = "sqlite:///back.db"')
    CONFIG.write_text(text.replace('state_env = "NEW_DATABASE"', 'state = "sqlite:///back.db"'))
    taiga.clear_requests()
    assert synced("run").exit_code == 0
    assert writes(taiga) == []


def test_others_may_read_meanwhile(synced: Run, new: Engine) -> None:
    store = DealStore.open("sqlite:///pipeline.db", lambda: NOW)
    reader = store.deals()
    assert isinstance(next(reader), Deal)
    assert synced("store", "copy", "--to-env", "NEW_DATABASE").exit_code == 0
    assert sum(1 for _ in reader) == SAMPLE_DEALS - 1
    store.close()


def test_a_copy_that_fails_leaves_nothing_behind(synced: Run, new: Engine) -> None:
    if new.dialect.name == "sqlite":
        value, reason = "'soon'", "one of the rows after D-"
    else:
        value, reason = "'2026-11-02 09:00:00.000000'", "NUL character"
    engine = open_engine("sqlite:///pipeline.db")
    with writing(engine) as connection:
        connection.execute(
            text(
                f"UPDATE deals SET team = 'a' || char(0) || 'b', updated_at = {value} "
                "WHERE key = 'D-107'"
            )
        )
    engine.dispose()
    result = synced("store", "copy", "--to-env", "NEW_DATABASE")
    assert result.exit_code != 0
    assert reason in result.stderr
    with reading(new) as connection:
        assert not new.dialect.has_table(connection, "deals")
        assert not new.dialect.has_table(connection, "sync_run")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "choose the destination"),
        (("--to-env", "A", "--to", "sqlite:///b.db"), "choose the destination"),
        (("--to-env", "NOT_SET"), "the variable NOT_SET is not set"),
        (("--to", "postgresql://u:hunter2@h/d"), "a password on the command line"),
        (("--to", "nonsense"), "not a database URL"),
        (("--to", "sqlite:///state.db", "--only", "state"), "is where the state"),
    ],
)
def test_a_target_that_cannot_be_is_reported_before_anything_is_done(
    synced: Run, arguments: tuple[str, ...], message: str
) -> None:
    before = pictures()
    result = synced("store", "copy", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "hunter2" not in result.stderr
    assert pictures() == before
