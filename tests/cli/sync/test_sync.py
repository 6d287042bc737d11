"""plan and run, against the sandbox."""

from __future__ import annotations

import fcntl
import json
import stat
from pathlib import Path

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, damage_stage, project_names, writes


def test_a_plan_writes_nothing_anywhere(sample: Run, taiga: Sandbox, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    result = sample("plan")
    assert result.exit_code == 0, result.stderr
    assert "+ create   D-105  (tentative) Alder & Finch: Web shop" in result.stdout
    assert "6 to create" in result.stdout
    assert writes(taiga) == []
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_plan_says_what_and_why_field_by_field(sample: Run) -> None:
    text = sample("plan").stdout
    assert 'because the stage "Proposal" makes it tentative (mappings/default.toml:' in text
    assert "    looking_for_people: yes" in text
    assert "        Value: 120,000 EUR" in text


def test_a_plan_in_json_is_the_public_format(sample: Run) -> None:
    plan = json.loads(sample("plan", "--json").stdout)
    assert list(plan)[:2] == ["pipeline", "fingerprint"]
    assert set(plan) >= {"actions", "conflicts", "quarantined", "limits", "summary"}
    action = plan["actions"][0]
    assert set(action) == {"kind", "key", "deal", "action", "changes", "reason"}
    assert set(action["changes"][0]) >= {"field", "base", "desired", "observed", "owner"}
    assert plan["summary"]["create"] == 6


def test_the_exit_code_tells_whether_there_is_something_to_do(sample: Run) -> None:
    assert sample("plan", "--exit-code").exit_code == 10
    sample("run")
    assert sample("plan", "--exit-code").exit_code == 0


def test_a_run_makes_the_projects_and_says_which(sample: Run, taiga: Sandbox) -> None:
    result = sample("run")
    assert result.exit_code == 0, result.stderr
    assert "+ create   D-109  Kestrel Insurance: Claims intake" in result.stdout
    assert "with 2 roles, 2 memberships, 1 milestone, 2 stories" in result.stdout
    assert "Run 1: 6 created" in result.stdout
    assert len(project_names(taiga)) == 6


def test_a_second_run_writes_and_says_nothing(sample: Run, taiga: Sandbox) -> None:
    sample("run")
    taiga.clear_requests()
    result = sample("run")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert writes(taiga) == []


def test_run_in_json_adds_the_numbers_of_the_run(sample: Run) -> None:
    data = json.loads(sample("run", "--json").stdout)
    assert set(data["run"]) >= {"id", "started", "finished", "requests", "applied", "failed"}
    assert data["summary"]["create"] == 6


def test_a_changed_deal_shows_old_and_new_value(sample: Run) -> None:
    sample("run")
    sample("deals", "edit", "D-106", "--value", "200000")
    text = sample("run").stdout
    assert "- Value: 180,000 EUR" in text
    assert "+ Value: 200,000 EUR" in text
    assert "Run 2: 1 updated, 5 unchanged." in text


def test_hostile_text_stays_text(sample: Run) -> None:
    sample("deals", "edit", "D-106", "--notes", "ok")
    sample("deals", "edit", "D-106", "--name", "Board \x1b[2J\u202e")
    for command in ("plan", "run", "history"):
        text = sample(command).stdout
        assert "\x1b" not in text
        assert "\u202e" not in text


class TestSavedPlan:
    def test_it_is_private_and_can_be_applied(
        self, sample: Run, taiga: Sandbox, tmp_path: Path
    ) -> None:
        sample("plan", "--out", "next.json")
        assert stat.S_IMODE((tmp_path / "next.json").stat().st_mode) == 0o600
        assert sample("run", "--plan", "next.json").exit_code == 0
        assert len(project_names(taiga)) == 6

    def test_it_is_refused_when_something_changed(self, sample: Run, taiga: Sandbox) -> None:
        sample("plan", "--out", "next.json")
        sample("deals", "edit", "D-106", "--value", "1")
        result = sample("run", "--plan", "next.json")
        assert result.exit_code == 4
        assert "differs from the saved plan" in result.stderr
        assert project_names(taiga) == []

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"fingerprint": "x"}'])
    def test_any_other_file_is_no_plan(self, sample: Run, tmp_path: Path, content: str) -> None:
        (tmp_path / "other.json").write_text(content)
        result = sample("run", "--plan", "other.json")
        assert result.exit_code == 2
        assert "other.json: is not a saved plan" in result.stderr

    def test_another_pipelines_plan_is_refused(self, sample: Run, tmp_path: Path) -> None:
        (tmp_path / "other.json").write_text('{"fingerprint": "x", "pipeline": "north"}')
        result = sample("run", "--plan", "other.json")
        assert result.exit_code == 2
        assert "'north'" in result.stderr


class TestLimits:
    @pytest.fixture
    def limited(self, sample: Run, tmp_path: Path) -> Run:
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace("create = 50", "create = 5"))
        return sample

    def test_over_a_limit_nothing_is_applied(self, limited: Run, taiga: Sandbox) -> None:
        result = limited("run")
        assert result.exit_code == 4
        assert "limit 'create': 6 planned, 5 allowed" in result.stderr
        assert "--allow create" in result.stderr
        assert project_names(taiga) == []

    def test_a_limit_can_be_lifted_once(self, limited: Run, taiga: Sandbox) -> None:
        assert limited("run", "--allow", "create").exit_code == 0
        assert len(project_names(taiga)) == 6

    def test_the_plan_shows_what_would_be_refused(self, limited: Run) -> None:
        result = limited("plan", "--exit-code")
        assert result.exit_code == 4
        assert "limit 'create'" in result.stdout

    def test_an_unknown_limit_is_answered_with_the_nearest(self, limited: Run) -> None:
        result = limited("run", "--allow", "creat")
        assert result.exit_code == 2
        assert "did you mean 'create'?" in result.stderr


class TestTrouble:
    def test_an_unknown_stage_costs_one_deal(self, sample: Run, taiga: Sandbox) -> None:
        damage_stage("D-105", "Negotiating hard")
        result = sample("run")
        assert result.exit_code == 3
        assert (
            'D-105: the stage "Negotiating hard" is not in mappings/default.toml' in result.stdout
        )
        assert len(project_names(taiga)) == 5
        assert sample("run").stdout == ""

    def test_a_wrong_password_stops_the_run(
        self, sample: Run, taiga: Sandbox, environment: dict[str, str]
    ) -> None:
        environment["TAIGA_PASSWORD"] = "mistaken"
        result = sample("run")
        assert result.exit_code == 6
        assert "mistaken" not in result.stderr
        assert result.stdout == ""

    def test_nobody_at_the_address(self, sample: Run, taiga: Sandbox) -> None:
        taiga.stop()
        result = sample("run")
        assert result.exit_code == 6
        assert "http://127.0.0.1:" in result.stderr

    def test_a_page_instead_of_an_api(self, sample: Run, taiga: Sandbox, tmp_path: Path) -> None:
        config = tmp_path / "config.toml"
        config.write_text(config.read_text().replace(taiga.url, f"{taiga.url}/elsewhere"))
        assert sample("run").exit_code == 6

    def test_a_damaged_store_changes_nothing(
        self, sample: Run, taiga: Sandbox, tmp_path: Path
    ) -> None:
        sample("run")
        before = project_names(taiga)
        (tmp_path / "pipeline.db").write_bytes(b"not a database at all" * 100)
        result = sample("run")
        assert result.exit_code == 6
        assert "pipeline.db" in result.stderr
        assert project_names(taiga) == before

    def test_a_damaged_state_is_a_matter_for_a_person(self, sample: Run, tmp_path: Path) -> None:
        (tmp_path / "state.db").write_bytes(b"not a database at all" * 100)
        result = sample("run")
        assert result.exit_code == 2
        assert "state.db" in result.stderr

    def test_a_second_run_at_the_same_time_leaves_it_to_the_first(
        self, sample: Run, tmp_path: Path
    ) -> None:
        with (tmp_path / "state.db.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            result = sample("run")
        assert result.exit_code == 5
        assert "another run is at work" in result.stderr

    def test_a_bad_mapping_stops_everything_with_its_place(
        self, sample: Run, tmp_path: Path
    ) -> None:
        mapping = tmp_path / "mappings" / "default.toml"
        mapping.write_text(mapping.read_text().replace("[project]\ntitle", "[project]\ntitel"))
        result = sample("run")
        assert result.exit_code == 2
        assert "mappings/default.toml:" in result.stderr
        assert "title" in result.stderr
