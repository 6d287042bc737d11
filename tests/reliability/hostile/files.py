"""Files that go to other programs, and what is reported about files that hold mistakes."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from icalendar import Calendar

from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.text import line
from tests.reliability.hostile.checks import (
    SHOWN_FORMATS,
    as_shown,
    assert_no_formula,
    assert_plain,
    assert_terminal_safe,
    commands_in,
    csv_rows,
    unguarded,
)
from tests.reliability.hostile.commands import Commands, made_once
from tests.reliability.hostile.corpus import STORABLE
from tests.reliability.hostile.disputes import Disputes
from tests.reliability.hostile.planning import Planning
from tests.reliability.hostile.world import CONFIG, MAPPING, NOW, key_of, toml_text

# --- files


@made_once
def _calendar(out: Planning) -> str:
    out.text("people", "off", "export", "off.ics")
    return (out.world.folder / "off.ics").read_bytes().decode()


PROPERTIES: Final = {
    *("BEGIN", "END", "PRODID", "VERSION", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"),
    *("ORGANIZER", "TRANSP"),
}


def calendar(out: Planning, name: str, text: str) -> None:
    written = _calendar(out)
    rows = re.sub("\r\n[ \t]", "", written).removesuffix("\r\n").split("\r\n")
    assert {re.split("[:;]", row)[0] for row in rows} == PROPERTIES
    assert not commands_in("".join(rows))
    assert_plain("".join(rows))
    (event,) = (each for each in _events(out) if each["ORGANIZER"] == f"mailto:{name}@example.org")
    assert str(event["SUMMARY"]) == " ".join("".join(map(_printable, line(text))).split())


def _printable(character: str) -> str:
    return character if character.isprintable() or character in SHOWN_FORMATS else " "


@made_once
def _events(out: Planning) -> list[Mapping[str, object]]:
    return list(Calendar.from_ical(_calendar(out)).walk("VEVENT"))


def csv_time_off(out: Planning, name: str, text: str) -> None:
    rows = csv_rows(out.text("people", "off", "export"))
    (row,) = (row for row in rows if row["email"] == f"{name}@example.org")
    assert_no_formula(row["reason"])
    assert unguarded(row["reason"]) == line(text)


def csv_allocations(out: Planning, name: str, text: str) -> None:
    rows = csv_rows(out.text("people", "allocations", "export"))
    own = [row for row in rows if row["email"] == f"{name}@example.org"]
    assert own
    for row in own:
        assert_no_formula(row["role"])
        assert_no_formula(row["deal"])
        assert unguarded(row["role"]) == line(text)


@made_once
def _restored(out: Disputes) -> Path:
    """Returns a folder into which a backup was unpacked."""
    file, folder = out.world.folder / "backup.tar.gz", out.world.folder / "restored"
    assert_terminal_safe(out.text("backup", str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        assert {"pipeline.db", "state.db", "config.toml"} <= set(archive.getnames())
        archive.extractall(folder, filter="data")
    return folder


def backup(out: Disputes, name: str, text: str) -> None:
    store = DealStore.open(f"sqlite:///{_restored(out) / 'pipeline.db'}", lambda: NOW)
    with closing(store):
        assert store.get(f"Q-{name}").name == line(text)
        assert store.get(key_of(name)).key == key_of(name)


# --- mistakes


def _bad(out: Commands, name: str, config: str, mapping: str) -> str:
    """Makes a folder with a configuration and a mapping; returns the former's path."""
    folder = out.world.folder / name
    (folder / "mappings").mkdir(parents=True)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "mappings" / "bad.toml").write_text(mapping, encoding="utf-8")
    return str(folder / "config.toml")


@made_once
def _config_errors(out: Commands) -> tuple[str, str]:
    keys = "".join(f"{toml_text(text)} = {toml_text(text)}\n" for text in STORABLE.values())
    config = CONFIG.format(url="http://taiga.example.test", username="bot") + f"[planning]\n{keys}"
    path = _bad(out, "bad-config", config, MAPPING)
    return out.both("--config", path, "status", codes=(2,))


def config_errors(out: Planning, name: str, text: str) -> None:
    _assert_reported(_config_errors(out), text)


def _assert_reported(reported: tuple[str, str], text: str) -> None:
    """Everything is told harmlessly, in lines of bounded length, and the entry is among it."""
    for part in reported:
        assert_terminal_safe(part)
    assert len("".join(reported)) < 4_000 * len(STORABLE)
    words = re.findall(r"\w+", as_shown(text))
    assert all(word in line("".join(reported)) for word in words[:1])


@made_once
def _mapping_errors(out: Commands) -> tuple[str, str]:
    keys = "".join(f"{toml_text(text)} = {toml_text(text)}\n" for text in STORABLE.values())
    stages = "".join(
        f"[[stage]]\nname = {toml_text(text)}\ncategory = {toml_text(text)}\n"
        for text in STORABLE.values()
    )
    mapping = f'[mapping]\nname = "bad"\n{stages}[project]\ntitle = "{{name}}"\n{keys}'
    config = CONFIG.format(url="http://taiga.example.test", username="bot")
    path = _bad(out, "bad-mapping", config, mapping)
    return out.both("--config", path, "mapping", "check", codes=(2,))


def mapping_errors(out: Planning, name: str, text: str) -> None:
    _assert_reported(_mapping_errors(out), text)


@made_once
def _bad_rows(out: Commands) -> str:
    """Returns a CSV file in which every row is wrong."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["key", "name", "stage", "value", "start"])
    for name, text in STORABLE.items():
        writer.writerow([f"B-{name}", text, text, text, text])
    path = out.world.folder / "bad.csv"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    return str(path)


def row_errors(out: Planning, name: str, text: str) -> None:
    for part in out.both("deals", "import", _bad_rows(out), "--dry-run", codes=(3,)):
        assert_terminal_safe(part)
    data = out.data("deals", "import", _bad_rows(out), "--dry-run", codes=(3,))
    (row,) = (row for row in data["bad_rows"] if row["key"] == f"B-{name}")
    assert len(row["reason"]) < 2_000


@made_once
def _unknown_stages(out: Commands) -> str:
    """Returns a CSV file of deals at stages that no mapping knows, each in two spellings."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["key", "name", "stage", "owner"])
    for name, text in STORABLE.items():
        writer.writerow([f"N-{name}", text, text, line(text)])
        writer.writerow([f"M-{name}", text, text, line(text).swapcase() + " "])
    path = out.world.folder / "unknown.csv"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    return str(path)


def import_notices(out: Planning, name: str, text: str) -> None:
    _assert_reported(out.both("deals", "import", _unknown_stages(out), "--dry-run"), text)


FILES: Final[Mapping[str, Callable[[Planning, str, str], None]]] = {
    "iCalendar: time off": calendar,
    "CSV: time off": csv_time_off,
    "CSV: allocations": csv_allocations,
    "mistakes in config.toml": config_errors,
    "mistakes in a mapping": mapping_errors,
    "bad rows of a CSV file": row_errors,
    "notes on an import": import_notices,
}
BACKUP: Final[Mapping[str, Callable[[Disputes, str, str], None]]] = {"backup": backup}
