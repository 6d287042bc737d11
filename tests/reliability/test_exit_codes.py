"""Every row of docs/exit-codes.md: the situation is brought about, and the row is what happens."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from click.testing import Result

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import Fault, FaultKind
from tests.reliability.source_trouble_world import (
    ROWS,
    Company,
    checkpoint,
    company,
    row,
    taiga,
    with_store,
)
from tests.reliability.test_source_trouble import (
    full_at,
    impatient,
    locked,
    replace_database,
)

__all__ = ["company", "impatient", "taiga", "with_store"]  # fixtures

PAGE: Final = Path(__file__).parents[2] / "docs" / "exit-codes.md"
_ROW: Final = re.compile(r"^\| (?P<situation>[^|]+) \| (?P<words>[^|]+) \| (?P<code>\d+) \|", re.M)
NOISE: Final = b"no database at all. " * 2000


@dataclass(frozen=True)
class Stage:
    """What a situation is brought about with: one company of each kind of source."""

    csv: Company
    store: Company
    patch: pytest.MonkeyPatch


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Makes only the company that the situation is about."""
    needed = "with_store" if request.node.callspec.params["situation"] in IN_STORE else "company"
    made: Company = request.getfixturevalue(needed)
    request.getfixturevalue("impatient")
    return Stage(made, made, monkeypatch)


def edit_config(stage: Stage, old: str, new: str) -> Result:
    config = stage.csv.folder / "config.toml"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))
    return stage.csv.run()


def no_configuration(stage: Stage) -> Result:
    (stage.csv.folder / "config.toml").unlink()
    return stage.csv.run()


def misspelled_setting(stage: Stage) -> Result:
    return edit_config(stage, "[sync]", "concurency = 3\n[sync]")


def password_not_set(stage: Stage) -> Result:
    stage.csv.environment.clear()
    return stage.csv.run()


def mistaken_mapping(stage: Stage) -> Result:
    mapping = stage.csv.folder / "mappings" / "default.toml"
    mapping.write_text(mapping.read_text().replace("[project]\ntitle", "[project]\ntitel"))
    return stage.csv.run()


def mistaken_stage(stage: Stage) -> Result:
    mapping = stage.csv.folder / "mappings" / "default.toml"
    was = 'category = "proposal"'
    assert was in mapping.read_text()
    typo = re.sub(
        rf'{was}(.*?)project = "tentative"', 'category = "won"', mapping.read_text(), flags=re.S
    )
    mapping.write_text(typo.replace(was, 'category = "won"'))
    return stage.csv.run()


def rows(*lines: str) -> Callable[[Stage], Result]:
    """A situation in which the CSV file holds these lines."""

    def situation(stage: Stage) -> Result:
        stage.csv.write(lines)
        return stage.csv.run()

    return situation


def no_file(stage: Stage) -> Result:
    stage.csv.file.unlink()
    return stage.csv.run()


def empty_file(stage: Stage) -> Result:
    stage.csv.file.write_text("")
    return stage.csv.run()


def cut_off_file(stage: Stage) -> Result:
    text = stage.csv.file.read_text()
    stage.csv.file.write_text(text[: text.index("Deal 09")])
    return stage.csv.run()


def without_values(stage: Stage) -> Result:
    stage.csv.write_without("value")
    return stage.csv.run()


def locked_store(stage: Stage) -> Result:
    with locked(stage.store.store):
        return stage.store.run()


def damaged_store(stage: Stage) -> Result:
    replace_database(stage.store.store, NOISE)
    return stage.store.run()


def emptied_store(stage: Stage) -> Result:
    replace_database(stage.store.store, b"")
    return stage.store.run()


def another_run(stage: Stage) -> Result:
    with (stage.csv.folder / "state.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return stage.csv.run()


def locked_state(stage: Stage) -> Result:
    with locked(stage.csv.state):
        return stage.csv.run()


def damaged_state(stage: Stage) -> Result:
    checkpoint(stage.csv.state)
    replace_database(stage.csv.state, NOISE)
    return stage.csv.run()


def full_disk(stage: Stage) -> Result:
    stage.csv.write([*ROWS, *(row(number) for number in range(21, 40))])
    with full_at(stage.patch, stage.csv.state, extra_pages=4):
        return stage.csv.run()


def read_only_state(stage: Stage) -> Result:
    return edit_config(stage, "[sync]", '[sync]\nstate = "sqlite:////proc/self/state.db"')


def planted_lock(stage: Stage) -> Result:
    lock = Path(f"{stage.csv.state}.lock")
    lock.unlink(missing_ok=True)
    lock.symlink_to(stage.csv.file)
    return stage.csv.run()


def unwritable_file(stage: Stage) -> Result:
    return stage.csv.command("plan", "--out", str(stage.csv.folder / "nowhere" / "plan.json"))


def missing_packages(stage: Stage) -> Result:
    stage.patch.setattr("taiga_pipeline.app.extras.find_spec", lambda name: None)
    return stage.csv.command("capacity")


def nobody(stage: Stage) -> Result:
    stage.csv.taiga.stop()
    return stage.csv.run()


def web_page(stage: Stage) -> Result:
    return edit_config(stage, stage.csv.taiga.url, f"{stage.csv.taiga.url}/elsewhere")


def wrong_password(stage: Stage) -> Result:
    stage.csv.environment["TAIGA_PASSWORD"] = "mistaken"
    return stage.csv.run()


def fault(*faults: Fault) -> Callable[[Stage], Result]:
    """A situation in which the server misbehaves while there is a deal to be made."""

    def situation(stage: Stage) -> Result:
        stage.csv.write([*ROWS, row(21)])
        stage.csv.taiga.faults.replace(faults)
        return stage.csv.run()

    return situation


def archived(stage: Stage) -> Result:
    stage.csv.taiga.lock_project(min(stage.csv.before), archived_code="archived-by-staff")
    stage.csv.write([row(number, value="1") for number in range(1, 21)])
    return stage.csv.run()


def another_server(stage: Stage) -> Result:
    with Sandbox() as other:
        return edit_config(stage, stage.csv.taiga.url, other.url)


def another_account(stage: Stage) -> Result:
    return edit_config(stage, f'username = "{stage.csv.taiga.username}"', 'username = "pm"')


def unmarked(count: int) -> Callable[[Stage], Result]:
    """Makes the situation in which people removed the marks of so many projects."""

    def situation(stage: Stage) -> Result:
        bot = stage.csv.taiga.as_user(stage.csv.taiga.username)
        for project in sorted(stage.csv.before)[:count]:
            bot.patch(f"/projects/{project}", {"tags_colors": []})
        return stage.csv.run()

    return situation


def all_gone(stage: Stage) -> Result:
    bot = stage.csv.taiga.as_user(stage.csv.taiga.username)
    for project in stage.csv.before:
        bot.delete(f"/projects/{project}")
    return stage.csv.run()


LISTS: Final = {"method": "GET", "path": "^/projects$", "times": 999}
SITUATIONS: Final[dict[str, Callable[[Stage], Result]]] = {
    "there is no configuration": no_configuration,
    "a setting is misspelled": misspelled_setting,
    "the variable with the password is not set": password_not_set,
    "a mapping has a mistake": mistaken_mapping,
    "a file cannot be written": unwritable_file,
    "a command needs packages that are not installed": missing_packages,
    "the CSV file is not there": no_file,
    "the CSV file is empty": empty_file,
    "the CSV file is cut off in a row": cut_off_file,
    "the source lost most of its deals": rows(*ROWS[:2]),
    "the source lost a column that it had": without_values,
    "a word in a mapping staffs, renames or fills many projects": mistaken_stage,
    "names changed places among keys": rows(
        row(1, key="D-02"), row(2, key="D-03"), row(3, key="D-01"), *ROWS[3:]
    ),
    "the source holds nothing": rows(),
    "two rows have one key": rows(*ROWS, row(1)),
    "two keys differ only in case": rows(*ROWS, row(1, key="d-01")),
    "a key comes back in another case": rows(row(1, key="d-01"), *ROWS[1:]),
    "a deal has another key": rows(row(1, key="CRM-1"), *ROWS[1:]),
    "a key was rounded by a spreadsheet": rows(row(1, key="1.23457E+11"), *ROWS[1:]),
    "a value is not a number": rows(row(1, value="inf"), *ROWS[1:]),
    "a stage is in no mapping": rows(row(1, stage="Haggling"), *ROWS[1:]),
    "the store is locked": locked_store,
    "the store is damaged": damaged_store,
    "the store was emptied": emptied_store,
    "another run is at work": another_run,
    "the state is locked": locked_state,
    "the state is damaged": damaged_state,
    "the disk is full": full_disk,
    "its folder cannot be written": read_only_state,
    "something else has the name of its lock": planted_lock,
    "no server answers": nobody,
    "a web page answers": web_page,
    "the password is wrong": wrong_password,
    "the server only fails": fault(Fault(FaultKind.SERVER_ERROR_BEFORE, status=503, **LISTS)),
    "the server asks to wait longer than the limit": fault(
        Fault(FaultKind.THROTTLED, seconds=600, **LISTS)
    ),
    "a list does not come whole": fault(Fault(FaultKind.WRONG_COUNT, **LISTS)),
    "the account may not see projects": fault(Fault(FaultKind.ARCHIVED, **LISTS)),
    "a project is archived": archived,
    "another server answers": another_server,
    "another account logs in": another_account,
    "a project lost its marker": unmarked(1),
    "many projects lost their mark": unmarked(3),
    "all projects are gone": all_gone,
    "an answer to a creation is lost": fault(Fault(FaultKind.RESET_BEFORE, "POST", "^/projects$")),
}
IN_STORE: Final = {"the store is locked", "the store is damaged", "the store was emptied"}


def documented() -> dict[str, tuple[str, int]]:
    """What the page says of each situation: words of its message, and the code."""
    text = PAGE.read_text(encoding="utf-8")
    return {m["situation"]: (m["words"], int(m["code"])) for m in _ROW.finditer(text)}


def test_the_page_lists_these_situations_and_no_others() -> None:
    assert documented().keys() == SITUATIONS.keys()


def test_the_page_lists_every_exit_code() -> None:
    first_table = PAGE.read_text(encoding="utf-8").split("## ")[0]
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", first_table, re.M)}
    assert listed == set(ExitCode)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_the_page_says_is_what_happens(situation: str, stage: Stage) -> None:
    words, code = documented()[situation]
    result = SITUATIONS[situation](stage)
    said = " ".join(f"{result.stdout} {result.stderr}".split())
    assert (result.exit_code, words in said) == (code, True), said
    names = [str(project["name"]) for project in stage.csv.projects().values()]
    assert not [name for name in names if name.startswith("(gone)")]
