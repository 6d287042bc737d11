"""One line of the configuration leads to another server, or to another account: by the commands."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import FixedClock, Run, writes

pytestmark = pytest.mark.sampled_tests(4)

CONFIG = Path("config.toml")
DEALS = ("1", "2", "3", "D-1")


@pytest.fixture
def other() -> Iterator[Sandbox]:
    """Another Taiga, on which the same account keeps unrelated projects of the same numbers."""
    with Sandbox() as sandbox:
        bot = sandbox.as_user(sandbox.username)
        for number in range(len(DEALS)):
            made = bot.post("/projects", {"name": f"Unrelated {number}", "description": "Theirs"})
            bot.post("/userstories", {"project": made["id"], "subject": "Their own"})
        sandbox.clear_requests()
        yield sandbox


@pytest.fixture
def filled(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """A pipeline whose projects are on the first Taiga."""
    environment["TAIGA_PASSWORD"] = taiga.password
    expect(run("init", "--taiga-url", taiga.url, "--username", taiga.username))
    for key in DEALS:
        expect(add(run, key))
    expect(run("run"))
    return run


def add(run: Run, key: str, stage: str = "Proposal") -> Result:
    return run("deals", "add", key, f"Portal {key}", "--customer", "Acme", "--stage", stage)


def expect(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def change(name: str, value: str) -> None:
    text = CONFIG.read_text()
    old = "http" if name == "url" else ""  # the store has a URL as well
    new = re.sub(rf'^{name} = "{old}.*?"', f'{name} = "{value}"', text, flags=re.M)
    assert new != text
    CONFIG.write_text(new)


def change_all(run: Run) -> None:
    """Has something to write to each project, and asks for a deletion."""
    mapping = Path("mappings/default.toml")
    assert 'how = "mark"' in mapping.read_text()
    mapping.write_text(mapping.read_text().replace('how = "mark"', 'how = "delete-if-untouched"'))
    expect(run("deals", "edit", "1", "--value", "90000", "--currency", "EUR"))
    expect(run("deals", "move", "2", "Lost", "--force"))
    expect(run("deals", "move", "3", "Lost", "--force"))
    expect(add(run, "NEW"))


def everything(taiga: Sandbox) -> object:
    admin = taiga.as_user("admin")
    return [admin.get(f"/projects/{row['id']}") for row in admin.get("/projects")]


def names(taiga: Sandbox) -> list[str]:
    return sorted(row["name"] for row in taiga.as_user("admin").get("/projects"))


def forget_server() -> None:
    """Makes the state one of a version that noted no server."""
    with closing(sqlite3.connect("state.db")) as connection:
        connection.execute("DELETE FROM sync_note WHERE name = 'server'")
        connection.commit()


@pytest.mark.parametrize("noted", [True, False])
def test_another_server_is_refused_by_every_command_that_would_write(
    filled: Run, other: Sandbox, noted: bool
) -> None:
    if not noted:
        forget_server()
    change("url", other.url)
    change_all(filled)
    before = everything(other)
    other.clear_requests()
    assert "this is another server" in expect(filled("run"), 4)
    said = expect(filled("check"), 4)
    assert "✗ projects" in said
    assert "this is another server" in said
    assert "pipeline-sync state move --same-server" in said
    assert "pipeline-sync state move --new-server" in said
    if noted:
        for command in (("plan",), ("unlink", "1"), ("adopt", "NEW", "1")):
            assert "this is another server" in expect(filled(*command), 4)
    else:
        assert "this is another server" in expect(filled("plan"))
    assert "this does not look like the server" in expect(
        filled("state", "move", "--same-server"), 4
    )
    assert writes(other) == []
    assert everything(other) == before


def test_a_server_on_which_the_numbers_do_not_exist_is_refused_too(filled: Run) -> None:
    with Sandbox() as empty:
        change("url", empty.url)
        assert "this is another server" in expect(filled("run"), 4)
        forget_server()
        said = expect(filled("run"), 4)
        assert "limit 'missing': 4 planned (this is another server, it seems" in said
        assert names(empty) == []


def test_a_move_from_a_trial_to_production_makes_all_anew_there(
    filled: Run, taiga: Sandbox, other: Sandbox
) -> None:
    trial, theirs = everything(taiga), names(other)
    change("url", other.url)
    said = expect(filled("state", "move", "--new-server"))
    assert "Unlinked 4 projects" in said
    expect(filled("run"))
    made = [f"(tentative) Acme: Portal {key}" for key in DEALS]
    assert names(other) == sorted([*theirs, *made])
    assert everything(taiga) == trial
    other.clear_requests()
    expect(filled("run"))
    assert writes(other) == []
    expect(filled("check"))
    assert other.url in expect(filled("state", "show"))


def test_the_same_server_under_a_new_address_goes_on(filled: Run, taiga: Sandbox) -> None:
    change("url", taiga.url.replace("127.0.0.1", "localhost"))
    taiga.clear_requests()
    expect(filled("run"))
    assert writes(taiga) == []
    expect(filled("check"))
    assert "localhost" in expect(filled("state", "show"))


class TestAnotherAccount:
    def test_on_the_same_state_is_refused_and_may_take_over(
        self, filled: Run, taiga: Sandbox
    ) -> None:
        before = names(taiga)
        change("username", "pm")
        assert "this is another account" in expect(filled("run"), 4)
        assert "this does not look like" in expect(filled("state", "move", "--same-server"), 4)
        bot = taiga.as_user(taiga.username)
        for row in bot.get("/projects"):
            (owner,) = (r for r in bot.get(f"/roles?project={row['id']}") if r["slug"] == "ux")
            member = {"project": row["id"], "role": owner["id"], "username": "pm@example.test"}
            made = bot.post("/memberships", member)
            bot.patch(f"/memberships/{made['id']}", {"is_admin": True})
        said = expect(filled("state", "move", "--same-server"))
        assert "4 of 4 projects are there with this pipeline's marker" in said
        expect(filled("run"))
        assert names(taiga) == before

    def test_with_a_state_of_its_own_is_noticed_by_the_store(
        self, filled: Run, taiga: Sandbox
    ) -> None:
        Path("state.db").unlink()
        change("username", "pm")
        taiga.clear_requests()
        said = expect(filled("run"), 4)
        assert "another account: another state keeps this source in step as pipeline-bot" in said
        assert "another account" in expect(filled("check"), 4)
        assert writes(taiga) == []
        expect(filled("state", "move", "--new-server"))
        expect(filled("run"))
        assert len(names(taiga)) == 2 * len(DEALS)
        change("username", "pipeline-bot")
        Path("state.db").unlink()
        assert "in step as pm" in expect(filled("run"), 4)

    def test_that_sees_the_projects_is_noticed_by_their_marks(
        self, filled: Run, taiga: Sandbox
    ) -> None:
        expect(add(filled, "5"))
        mapping = Path("mappings/default.toml")
        mapping.write_text(
            mapping.read_text() + '\n[[member]]\nemail = "pm@example.test"\nrole = "Back"\n'
            "admin = true\n"
        )
        expect(filled("run", "--allow", "children"))
        Path("state.db").unlink()
        with closing(sqlite3.connect("pipeline.db")) as connection:
            connection.execute("DELETE FROM synced_with")
            connection.commit()
        change("username", "pm")
        before = everything(taiga)
        said = expect(filled("run"), 4)
        assert "limit 'other_account': 5 planned" in said
        assert everything(taiga) == before


def in_folder(folder: Path, environment: dict[str, str]) -> Run:
    def invoke(*arguments: str) -> Result:
        context = CommandContext(clock=FixedClock(), environment=environment)
        config = ("--config", str(folder / "config.toml"))
        return CliRunner().invoke(cli, [*config, *arguments], obj=context)

    return invoke


def test_two_pipelines_with_the_same_deals_just_work(
    filled: Run, taiga: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "south"
    expect(filled("init", str(folder), "--taiga-url", taiga.url, "--username", taiga.username))
    config = folder / "config.toml"
    config.write_text(
        re.sub(r'^pipeline = ".*"', 'pipeline = "south"', config.read_text(), flags=re.M)
    )
    south = in_folder(folder, environment)
    for key in DEALS:
        expect(add(south, key))
    expect(south("run"))
    assert len(names(taiga)) == 2 * len(DEALS)
    taiga.clear_requests()
    expect(south("run"))
    expect(filled("run"))
    assert writes(taiga) == []
    (number, *_) = (row["id"] for row in taiga.as_user("admin").get("/projects"))
    assert "belongs to the pipeline" in expect(south("adopt", "1", str(number)), 2)


def test_a_mark_that_people_removed_is_an_issue_with_the_way_out(
    filled: Run, taiga: Sandbox
) -> None:
    bot = taiga.as_user(taiga.username)
    (project,) = (p for p in bot.get("/projects") if p["name"].endswith("Portal 1"))
    bot.patch(f"/projects/{project['id']}", {"tags_colors": []})
    expect(filled("deals", "edit", "1", "--value", "90000", "--currency", "EUR"))
    before = bot.get(f"/projects/{project['id']}")
    said = expect(filled("run"), 3)
    assert f"pipeline-sync adopt 1 {project['id']}" in said
    assert "pipeline-sync unlink 1" in said
    assert "3 of 4 projects are there with this pipeline's marker, 1 without it (1: project" in (
        expect(filled("check"), 3)
    )
    assert "unmarked" in expect(filled("conflicts"))
    assert bot.get(f"/projects/{project['id']}") == before
    expect(filled("adopt", "1", str(project["id"])))
    expect(filled("run"))
    assert "90,000 EUR" in bot.get(f"/projects/{project['id']}")["description"]
    assert expect(filled("conflicts")) == "Nothing waits for you.\n"


def test_a_state_copied_to_a_second_pipeline_touches_nothing_of_the_first(
    filled: Run, taiga: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    expect(filled("init", str(folder), "--taiga-url", taiga.url, "--username", taiga.username))
    config = folder / "config.toml"
    config.write_text(
        re.sub(r'^pipeline = ".*"', 'pipeline = "copy"', config.read_text(), flags=re.M)
    )
    shutil.copy("state.db", folder / "state.db")
    copied = in_folder(folder, environment)
    for key in DEALS:
        expect(copied("deals", "add", key, f"Other {key}", "--stage", "Proposal"))
    before = everything(taiga)
    expect(copied("run"))
    after = everything(taiga)
    assert [row for row in after if row in before] == before  # type: ignore[attr-defined]
    assert len(names(taiga)) == 2 * len(DEALS)


def test_a_pipeline_with_a_new_name_does_not_pass_the_check(filled: Run) -> None:
    change("pipeline", "acme2")
    said = expect(filled("run"), 4)
    assert "limit 'other_pipeline': 4 planned" in said
    said = expect(filled("check"), 4)
    assert "✗ projects" in said
    assert "limit 'other_pipeline': 4 planned" in said
    assert "give it its old name again" in said


def test_check_and_run_agree_on_how_many_projects_may_be_missing(
    filled: Run, taiga: Sandbox
) -> None:
    """As on a server that was restored from an older backup."""
    admin = taiga.as_user("admin")
    rows = admin.get("/projects")
    for row in rows[:3]:
        admin.delete(f"/projects/{row['id']}")
    assert "1 of 4 projects are there" in expect(filled("check"), 3)
    expect(filled("run"), 3)
    expect(filled("check"))


def test_check_refuses_where_a_run_would_because_too_many_projects_are_missing(
    filled: Run, taiga: Sandbox
) -> None:
    for number in range(6):
        expect(add(filled, f"M-{number}"))
    expect(filled("run"))
    admin = taiga.as_user("admin")
    for row in admin.get("/projects")[:6]:
        admin.delete(f"/projects/{row['id']}")
    assert "limits.missing: 6, 5 allowed" in expect(filled("check"), 4)
    assert "limit 'missing': 6 planned" in expect(filled("run"), 4)
