"""status, history, conflicts and what settles them."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.app.sync.deciding import slug
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.sync.status import ago
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, project_names, writes

pytestmark = pytest.mark.sampled_tests(5)

SHOP = "(tentative) Alder & Finch: Web shop"


def project(taiga: Sandbox, name: str) -> dict[str, Any]:
    (found,) = (p for p in taiga.as_user("admin").get("/projects") if p["name"] == name)
    return dict(found)


def rename(taiga: Sandbox, old: str, new: str) -> None:
    taiga.as_user("admin").patch(f"/projects/{project(taiga, old)['id']}", {"name": new})


@pytest.fixture
def synced(sample: Run) -> Run:
    assert sample("run").exit_code == 0
    return sample


@pytest.fixture
def conflict(synced: Run, taiga: Sandbox) -> Run:
    """Both sides renamed D-105."""
    rename(taiga, SHOP, "(tentative) The shop")
    synced("deals", "edit", "D-105", "--name", "Web store")
    return synced


def test_before_the_first_run_status_says_how_to_begin(sample: Run) -> None:
    result = sample("status")
    assert result.exit_code == 0
    assert "pipeline-sync plan" in result.stdout


def test_status_counts_projects_by_state(synced: Run) -> None:
    data = json.loads(synced("status", "--json").stdout)
    assert data["projects"] == {"staffed": 2, "tentative": 4}
    assert data["last_run"]["outcome"] == "done"
    assert "2 staffed, 4 tentative" in synced("status").stdout


def test_history_tells_what_was_done_to_a_deal(synced: Run) -> None:
    rows = json.loads(synced("history", "D-105", "--json").stdout)
    assert [(row["where"], row["deal"], row["action"], row["status"]) for row in rows] == [
        ("project", "D-105", "create", "done"),
        *[("plan", "D-105", "add", "done")] * 2,  # who is reserved
        ("pipeline", "D-105", "move", "done"),
        *[("pipeline", "D-105", "edit", "done")] * 2,  # what is to be done next, and when
        *[("pipeline", "D-105", "move", "done")] * 2,
        ("pipeline", "D-105", "edit", "done"),  # the note that it was added with
        ("pipeline", "D-105", "add", "done"),
    ]
    assert "D-109" in synced("history").stdout


def test_history_keeps_the_texts_that_stood_there_before_they_were_written_anew(
    synced: Run, taiga: Sandbox
) -> None:
    before = project(taiga, SHOP)["description"]
    assert synced("deals", "edit", "D-105", "--value", "99000").exit_code == 0
    assert synced("run").exit_code == 0
    rows = json.loads(synced("history", "D-105", "--json").stdout)
    (update,) = (row for row in rows if row["action"] == "update")
    kept = {each["field"]: each["observed"] for each in update["changes"]}
    assert (kept["name"], kept["description"]) == (SHOP, before)
    assert "description:" not in synced("history", "D-105").stdout


def test_history_tells_who_in_sales_changed_what_before_it_was_written(
    synced: Run, environment: dict[str, str]
) -> None:
    environment["USER"] = "maya"
    assert synced("deals", "edit", "D-105", "--value", "99000").exit_code == 0
    assert synced("deals", "move", "D-105", "Won", "--force").exit_code == 0
    rows = json.loads(synced("history", "D-105", "--json").stdout)
    sold = {row["action"]: row for row in rows if row["by"] == "maya"}
    assert sold.keys() == {"move", "edit"}
    assert sold["edit"]["changes"] == [{"field": "value", "base": "120000", "desired": "99000"}]
    assert synced("deals", "move", "D-104", "Proposal", "--force").exit_code == 0
    (newest, *_) = json.loads(synced("history", "D-104", "--json").stdout)
    assert newest["reason"].startswith("skipping: ")
    assert "maya" in synced("history", "D-105").stdout


def test_history_without_the_store_of_deals_still_tells_what_was_written(synced: Run) -> None:
    Path("pipeline.db").unlink()
    result = synced("history", "D-105", "--json")
    assert [row["where"] for row in json.loads(result.stdout)] == ["project"]
    assert "what sales changed is not in this list" in result.stderr


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=30), "1 day ago"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(hours=-1), "in the future (a clock was wrong)"),
    ],
)
def test_ages_are_said_as_people_say_them(age: timedelta, said: str) -> None:
    assert ago(age) == said


class TestConflicts:
    def test_a_conflict_is_shown_with_the_commands_that_settle_it(self, conflict: Run) -> None:
        result = conflict("run")
        assert result.exit_code == 3
        assert "pipeline-sync resolve D-105 --field title --take sales" in result.stdout
        assert "sales: Alder & Finch: Web store; Taiga: The shop" in result.stdout

    def test_an_old_conflict_sends_no_second_mail(self, conflict: Run) -> None:
        conflict("run")
        again = conflict("run")
        assert (again.exit_code, again.stdout) == (3, "")
        assert "D-105 title" in conflict("conflicts").stdout
        assert conflict("status").exit_code == 3

    @pytest.mark.parametrize(
        ("side", "name"),
        [("sales", "(tentative) Alder & Finch: Web store"), ("delivery", "(tentative) The shop")],
    )
    def test_a_resolved_conflict_ends_as_was_decided(
        self, conflict: Run, taiga: Sandbox, side: str, name: str
    ) -> None:
        conflict("run")
        assert conflict("resolve", "D-105", "--take", side).exit_code == 0
        assert conflict("run").exit_code == 0
        assert name in project_names(taiga)
        assert conflict("conflicts").stdout == "Nothing waits for you.\n"
        assert conflict("run").stdout == ""

    def test_there_must_be_something_to_resolve(self, conflict: Run) -> None:
        conflict("run")
        result = conflict("resolve", "D-106", "--take", "sales")
        assert result.exit_code == 2
        assert "did you mean 'D-105'?" in result.stderr

    def test_conflicts_in_json_have_their_commands(self, conflict: Run) -> None:
        conflict("run")
        (issue,) = json.loads(conflict("conflicts", "--json").stdout)
        assert issue["deal"] == "D-105"
        assert issue["commands"][0] == "pipeline-sync resolve D-105 --field title --take sales"


class TestDeletedProject:
    @pytest.fixture
    def deleted(self, synced: Run, taiga: Sandbox) -> Run:
        taiga.as_user("admin").delete(f"/projects/{project(taiga, SHOP)['id']}")
        assert synced("run").exit_code == 3
        return synced

    def test_it_is_not_made_again_by_itself(self, deleted: Run, taiga: Sandbox) -> None:
        deleted("run")
        assert SHOP not in project_names(taiga)

    def test_sales_may_have_it_made_again(self, deleted: Run, taiga: Sandbox) -> None:
        deleted("resolve", "D-105", "--take", "sales")
        assert deleted("run").exit_code == 0
        assert SHOP in project_names(taiga)

    def test_delivery_may_let_it_be_gone(self, deleted: Run, taiga: Sandbox) -> None:
        deleted("resolve", "D-105", "--take", "delivery")
        result = deleted("run")
        assert (result.exit_code, result.stdout.count("D-105")) in {(0, 0), (0, 1)}
        assert SHOP not in project_names(taiga)


class TestByHand:
    def test_an_existing_project_is_adopted_by_its_address(
        self, sample: Run, taiga: Sandbox
    ) -> None:
        bot = taiga.as_user(taiga.username)
        mine = bot.post(
            "/projects", {"name": "Old shop", "description": "ours", "is_private": True}
        )
        address = f"{taiga.url}/project/{mine['slug']}/kanban"
        assert sample("adopt", "D-105", address).exit_code == 0
        sample("run")
        names = project_names(taiga)
        assert len(names) == 6
        assert [name for name in names if name.endswith("Old shop")]

    def test_the_project_that_another_one_takes_the_place_of_claims_nothing_any_more(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        admin, before = taiga.as_user("admin"), project(taiga, SHOP)
        admin.patch(
            f"/projects/{before['id']}", {"description": f"Ours.\n\n{before['description']}"}
        )
        bot = taiga.as_user(taiga.username)
        mine = bot.post(
            "/projects", {"name": "Old shop", "description": "ours", "is_private": True}
        )
        result = synced("adopt", "D-105", mine["slug"])
        assert result.exit_code == 0, result.stderr
        assert f"D-105: project {before['id']} unlinked" in result.stdout
        left = admin.get(f"/projects/{before['id']}")
        assert left["name"] == SHOP.removeprefix("(tentative) ")
        assert left["description"].strip() == "Ours."
        assert not any(trace in repr(left) for trace in TestLeaving.TRACES)
        synced("run")
        assert admin.get(f"/projects/{before['id']}") == left

    def test_a_deal_is_not_suggested_for_itself(self, synced: Run) -> None:
        result = synced("adopt", "D-105", "--from", "D-105")
        assert result.exit_code == 2
        assert "did you mean" not in result.stderr

    def test_a_bound_project_belongs_to_its_deal(self, synced: Run, taiga: Sandbox) -> None:
        taken = str(project(taiga, SHOP)["id"])
        result = synced("adopt", "D-106", taken)
        assert result.exit_code == 2
        assert "pipeline-sync unlink D-105" in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("adopt", "D-999", "1"), "there is no deal 'D-999'"),
            (("adopt", "D-105", "no-such-project"), "no project 'no-such-project'"),
            (("unlink", "D-101"), "D-101: no project is kept in step"),
        ],
    )
    def test_names_that_do_not_exist(
        self, synced: Run, arguments: tuple[str, ...], said: str
    ) -> None:
        result = synced(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr

    def test_an_unlinked_deal_is_left_alone(self, synced: Run, taiga: Sandbox) -> None:
        assert synced("unlink", "D-105").exit_code == 0
        synced("deals", "edit", "D-105", "--name", "Web store")
        assert synced("run").stdout == ""
        assert SHOP in project_names(taiga)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://t.example/project/my-shop/kanban", "my-shop"),
        ("https://t.example/project/my-shop/", "my-shop"),
        ("my-shop", "my-shop"),
        ("https://t.example/project/project/", "project"),
        ("", ""),
    ],
)
def test_a_slug_is_found_in_any_address_of_the_project(address: str, expected: str) -> None:
    assert slug(address) == expected


class TestCopies:
    @pytest.fixture
    def copied(self, synced: Run, taiga: Sandbox) -> str:
        wanted = {"name": "A copy", "description": "x", "is_private": True, "users": []}
        bot = taiga.as_user(taiga.username)
        return str(bot.post(f"/projects/{project(taiga, SHOP)['id']}/duplicate", wanted)["id"])

    def test_a_copy_is_reported_with_its_ways_out(
        self, synced: Run, taiga: Sandbox, copied: str
    ) -> None:
        result = synced("run")
        assert result.exit_code == 3
        assert f"id {copied}" in result.stdout
        assert str(project(taiga, SHOP)["id"]) in result.stdout
        assert f"pipeline-sync unlink D-105 --project {copied}" in result.stdout
        assert "copied" in synced("conflicts").stdout

    def test_its_marker_is_taken_off(self, synced: Run, taiga: Sandbox, copied: str) -> None:
        synced("run")
        assert synced("unlink", "D-105", "--project", copied).exit_code == 0
        assert synced("run").exit_code == 0
        assert synced("conflicts").stdout.count("copied") == 0

    def test_the_bound_project_is_no_copy(self, synced: Run, taiga: Sandbox, copied: str) -> None:
        result = synced("unlink", "D-105", "--project", str(project(taiga, SHOP)["id"]))
        assert result.exit_code == 2
        assert "kept in step" in result.stderr


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(hours=5), timedelta(minutes=3)])
def test_a_success_in_the_future_is_not_fresh_and_the_next_run_heals_it(
    synced: Run, jump: timedelta
) -> None:
    with closing(sqlite3.connect("state.db")) as connection:
        ahead = (datetime.now(UTC) + jump).replace(tzinfo=None).isoformat(sep=" ")
        connection.execute("UPDATE sync_run SET started_at = ?, finished_at = ?", (ahead, ahead))
        connection.commit()
    wrong = synced("status", "--max-age", "1000d")
    assert wrong.exit_code == ExitCode.STALE
    assert "clock is wrong" in wrong.stderr
    assert "in the future" in wrong.stdout
    assert json.loads(synced("status", "--json").stdout)["age_seconds"] is None
    assert ", in the future:" in synced("run").stderr
    assert synced("status", "--max-age", "1h").exit_code == ExitCode.DONE


class TestLeaving:
    TRACES = ("Kept current", "From sales", "(tentative)", "(lost)", "pipeline-sync")

    def everything(self, taiga: Sandbox) -> list[dict[str, object]]:
        admin = taiga.as_user("admin")
        return [admin.get(f"/projects/{row['id']}") for row in admin.get("/projects")]

    def test_what_would_be_done_is_shown_first(self, synced: Run, taiga: Sandbox) -> None:
        taiga.clear_requests()
        result = synced("unlink", "D-105", "--clean", "--dry-run")
        assert result.exit_code == 0
        assert "label: (tentative) -> (nothing)" in result.stdout
        assert "deal_facts:" in result.stdout
        assert "tags: without " in result.stdout
        assert not writes(taiga)
        assert synced("status").stdout.count("unlinked") == 0

    def test_one_deal_is_left_without_a_trace(self, synced: Run, taiga: Sandbox) -> None:
        admin, before = taiga.as_user("admin"), project(taiga, SHOP)
        text = f"Anna knows them.\n\n{before['description']}"
        changes = {"description": text, "tags": ["mine", *before["tags"]]}
        admin.patch(f"/projects/{before['id']}", changes)
        assert synced("unlink", "D-105", "--clean").exit_code == 0
        left = admin.get(f"/projects/{before['id']}")
        assert left["name"] == SHOP.removeprefix("(tentative) ")
        assert left["description"].startswith("Anna knows them.")
        assert left["tags"] == ["mine"]
        assert not left["looking_for_people_note"]
        assert not any(trace in repr(left) for trace in self.TRACES)
        assert synced("run").stdout == ""
        assert "no longer kept in step" in synced("history", "D-105").stdout

    def test_the_whole_pipeline_is_left_without_a_trace(self, synced: Run, taiga: Sandbox) -> None:
        result = synced("unlink", "--all", "--clean")
        assert result.exit_code == 0, result.stderr
        assert "Remove the schedule" in result.stdout
        assert not any(trace in repr(self.everything(taiga)) for trace in self.TRACES)
        taiga.clear_requests()
        assert synced("unlink", "--all", "--clean").exit_code == 0
        assert not writes(taiga)

    def test_pages_and_the_portfolio_claim_nothing_any_more(
        self, sample: Run, taiga: Sandbox
    ) -> None:
        config, (mapping,) = Path("config.toml"), Path("mappings").glob("*.toml")
        config.write_text(config.read_text() + "\n[portfolio]\nenabled = true\n")
        text = re.sub(r"(?m)^#? ?from_sales_page = .*\n", "", mapping.read_text())
        page = '[project]\nfrom_sales_page = "tentative"\n'
        mapping.write_text(text.replace("[project]\n", page, 1))
        assert sample("run").exit_code == 0
        assert sample("unlink", "--all", "--clean").exit_code == 0
        admin = taiga.as_user("admin")
        pages = [row["content"] for row in admin.get("/wiki")]
        stories = [admin.get(f"/userstories/{row['id']}") for row in admin.get("/userstories")]
        shown = [pages, [(row["description"], row["tags"]) for row in stories]]
        assert len(pages) == 7
        for word in ("kept current", "From sales", "Probability", "Müller"):
            assert word.casefold() not in repr(shown).casefold()
        for each in self.everything(taiga):
            assert "kept current" not in repr(each).casefold()

    def test_one_that_cannot_be_left_does_not_keep_the_others(
        self, synced: Run, taiga: Sandbox
    ) -> None:
        shop = project(taiga, SHOP)["id"]
        taiga.as_user("admin").patch(f"/projects/{shop}", {"tags_colors": []})
        result = synced("unlink", "--all", "--clean")
        assert result.exit_code == 3
        assert "does not carry the marker" in result.stderr
        left = [each for each in self.everything(taiga) if "Kept current" in repr(each)]
        assert [each["id"] for each in left] == [shop]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("unlink",),
            ("unlink", "D-105", "--all"),
            ("unlink", "D-105", "--clean", "--project", "1"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, synced: Run, arguments: tuple[str, ...]) -> None:
        assert synced(*arguments).exit_code == 2
