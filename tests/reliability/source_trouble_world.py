"""A company whose source gets into trouble, with the most dangerous setting there is.

``when_gone = "retire"``: a deal that is gone from the source has its project retired. Whatever is
wrong with the source, no project may be retired because of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.prepared import prepare

DEALS = 20
HEADER = "key,name,customer,stage,value,currency,probability,start,roles,updated_at"


def row(number: int, **cells: str) -> str:
    """Returns the line of a deal, with some cells as given."""
    values = {
        "key": f"D-{number:02}",
        "name": f"Deal {number:02}",
        "customer": "Acme",
        "stage": "Proposal",
        "value": f"{number}000",
        "currency": "EUR",
        "probability": "0.5",
        "start": "2026-12-01",
        "roles": "Back:30h x10w",
        "updated_at": "2026-11-20T10:00:00Z",
    }
    return ",".join((values | cells).values())


ROWS = tuple(row(number) for number in range(1, DEALS + 1))


class SleeplessClock:
    """The machine's clock, on which sleeping takes no time but counts as if it had."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._slept)

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds


class Company:
    """A folder with a configuration, and a Taiga that it is connected to."""

    def __init__(self, folder: Path, taiga: Sandbox) -> None:
        self.folder = folder
        self.taiga = taiga
        self.file = folder / "deals.csv"
        self.store = folder / "pipeline.db"
        self.state = folder / "state.db"
        self.before: dict[int, dict[str, object]] = {}
        self.environment = {"TAIGA_PASSWORD": taiga.password}

    def command(self, *arguments: str) -> Result:
        """Runs a command line in the company's folder."""
        context = CommandContext(clock=SleeplessClock(), environment=self.environment)
        config = str(self.folder / "config.toml")
        return CliRunner().invoke(cli, ("--config", config, *arguments), obj=context)

    def run(self, *options: str) -> Result:
        """Runs; the requests that are counted begin here."""
        self.taiga.clear_requests()
        return self.command("run", *options)

    def configure(self, source: str) -> None:
        """Writes the configuration for a source."""
        (self.folder / "config.toml").write_text(
            'pipeline = "acme"\n'
            f"[source]\n{source}\n"
            f'[target]\nurl = "{self.taiga.url}"\nusername = "{self.taiga.username}"\n'
            'password_env = "TAIGA_PASSWORD"\n'
            '[sync]\nwhen_gone = "retire"\nsettle_seconds = 0\n'
        )

    def write(self, rows: Sequence[str] = ROWS, header: str = HEADER) -> None:
        """Writes the CSV file as a spreadsheet does."""
        self.file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    def write_without(self, column: str) -> None:
        """Writes the CSV file without a column, as an export does whose fields were chosen anew."""
        place = HEADER.split(",").index(column)
        lines = [line.split(",") for line in (HEADER, *ROWS)]
        header, *rows = (",".join(cells[:place] + cells[place + 1 :]) for cells in lines)
        self.write(rows, header)

    def projects(self) -> dict[int, dict[str, object]]:
        """What people see of every project, by its number."""
        rows = self.taiga.as_user("admin").get("/projects")
        shown = ("name", "description", "tags")
        return {each["id"]: {name: each[name] for name in shown} for each in rows}

    def writes(self) -> list[str]:
        """Requests of the last run that changed something."""
        return [
            f"{request.method} {request.path}"
            for request in self.taiga.requests
            if request.method != "GET" and not request.path.startswith("/auth")
        ]

    def remember(self) -> None:
        """Takes what is there now for what has to stay."""
        self.before = self.projects()

    def assert_untouched(self) -> None:
        """Nothing was written, and everything is as it was."""
        assert self.writes() == []
        assert self.projects() == self.before

    def assert_in_step(self) -> None:
        """A run finds everything in step, and writes nothing."""
        result = self.run("--full")
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        assert self.writes() == []


@pytest.fixture
def taiga() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def company(tmp_path: Path, taiga: Sandbox) -> Company:
    """A company whose deals are in a CSV file, and in step."""
    made = Company(tmp_path, taiga)

    def make() -> None:
        made.command("init", str(tmp_path))
        made.configure('kind = "csv"\nfile = "deals.csv"')
        made.write()
        result = made.run()
        assert result.exit_code == 0, result.output

    prepare("company with a file", tmp_path, taiga, make)
    made.remember()
    assert len(made.before) == DEALS
    return made


@pytest.fixture
def with_store(tmp_path: Path, taiga: Sandbox) -> Company:
    """A company whose deals are in the built-in store, and in step."""
    made = Company(tmp_path, taiga)

    def make() -> None:
        made.command("init", str(tmp_path))
        made.configure('kind = "store"\nurl = "sqlite:///pipeline.db"')
        made.write()
        result = made.command("deals", "import", str(made.file))
        assert result.exit_code == 0, result.output
        result = made.run()
        assert result.exit_code == 0, result.output

    prepare("company with a store", tmp_path, taiga, make)
    made.remember()
    assert len(made.before) == DEALS
    checkpoint(made.store)
    checkpoint(made.state)
    return made


def checkpoint(database: Path) -> None:
    """Brings everything of a SQLite database into its one file."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
