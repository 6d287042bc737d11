"""The first files."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taiga_pipeline.app.project_files import config_text, pipeline_name
from taiga_pipeline.config import load, parse
from taiga_pipeline.sources import registry as sources
from taiga_pipeline.targets import registry as targets
from tests.cli.conftest import NOW, SAMPLE_DEALS, Run


def test_a_new_pipeline_is_complete_but_for_the_account(run: Run, tmp_path: Path) -> None:
    result = run("init")
    assert result.exit_code == 0, result.stderr
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "config.toml",
        "default.toml",
        "pipeline.db",
    ]
    assert run("check", "--offline").exit_code == 0


def test_a_folder_can_be_named(run: Run, tmp_path: Path) -> None:
    result = run("init", "sales/north")
    assert (tmp_path / "sales/north/config.toml").exists()
    assert "cd sales/north" in result.stdout


def test_what_is_there_is_kept_as_it_is(run: Run, tmp_path: Path) -> None:
    mine = config_text("mine")
    (tmp_path / "config.toml").write_text(mine)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "default.toml").write_text("# mine\n")
    result = run("init")
    assert (tmp_path / "config.toml").read_text() == mine
    assert (tmp_path / "mappings" / "default.toml").read_text() == "# mine\n"
    assert "Kept, as it was: config.toml" in result.stdout
    assert (tmp_path / "pipeline.db").exists()


def test_the_sample_never_goes_into_a_pipeline_that_is_there(run: Run) -> None:
    run("init")
    result = run("init", "--sample")
    assert result.exit_code == 2
    assert "pipeline.db is there already" in result.stderr
    assert json.loads(run("deals", "list", "--json").stdout) == []


def test_the_sample_has_deals_in_every_category(run: Run) -> None:
    run("init", "--sample")
    stages = {deal["stage"] for deal in json.loads(run("deals", "list", "--json").stdout)}
    assert stages == {"Lead", "Qualified", "Needs analysis", "Proposal", "Won", "Lost"}


class TestTheSample:
    """A firm of eight with a year of history: enough for every command of planning to answer."""

    @pytest.fixture(autouse=True)
    def made(self, run: Run) -> None:
        assert run("init", "--sample").exit_code == 0

    def test_every_deal_says_which_roles_it_needs(self, run: Run) -> None:
        deals = json.loads(run("deals", "list", "--json").stdout)
        assert [deal["key"] for deal in deals if not deal["roles"]] == []

    def test_forecasts_learn_from_more_than_a_year_of_decisions(self, run: Run) -> None:
        text = run("forecast").stdout
        assert "Learnt from 51 decided deals (17 won), 2025-10-17 to 2026-11-13" in text

    def test_several_roles_are_short_because_of_several_deals(self, run: Run) -> None:
        found = json.loads(run("capacity", "--json", "--trials", "500").stdout)
        short = {
            role["role"]
            for role in found["roles"]
            if sum(week["gap"] > 0 for week in role["weeks"]) > 2
        }
        assert {"Back", "Front", "Design"} <= short

    def test_people_are_away_have_skills_and_a_country_with_holidays(self, run: Run) -> None:
        people = json.loads(run("people", "list", "--json").stdout)
        assert len(people) == 8
        assert all(person["skills"] and person["country"] for person in people)
        assert len(json.loads(run("people", "off", "list", "--json").stdout)) > 3

    def test_nothing_happens_in_the_future_or_on_a_weekend(self, run: Run) -> None:
        connection = sqlite3.connect("pipeline.db")
        rows = connection.execute("SELECT at FROM stage_moves").fetchall()
        connection.close()
        moves = [datetime.fromisoformat(at) for (at,) in rows]
        assert max(moves).replace(tzinfo=UTC) < NOW
        assert {moment.weekday() for moment in moves} <= set(range(5))

    def test_it_is_the_same_each_time(self, run: Run) -> None:
        first = run("deals", "list", "--json").stdout
        assert run("init", "--sample", "again").exit_code == 0
        again = run("deals", "list", "--json", "--config", "again/config.toml").stdout
        assert again == first


@pytest.mark.parametrize("name", ["default", "consultancy", "forsaljning"])
def test_each_shipped_mapping_fits_the_sample(run: Run, name: str) -> None:
    assert run("init", "--sample", "--mapping", name).exit_code == 0
    result = run("check", "--offline", "--json")
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["source"]["summary"] == f"{SAMPLE_DEALS} deals"


def test_an_unknown_mapping_is_answered_with_the_nearest(run: Run, tmp_path: Path) -> None:
    result = run("init", "--mapping", "consultansy")
    assert result.exit_code == 2
    assert "did you mean 'consultancy'?" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_json_names_what_was_written_and_kept(run: Run) -> None:
    run("init")
    data = json.loads(run("init", "--json").stdout)
    assert data["written"] == []
    assert data["kept"] == ["config.toml", "mappings/default.toml", "pipeline.db"]


def test_address_and_account_go_into_the_configuration(run: Run, tmp_path: Path) -> None:
    run("init", "--taiga-url", "https://t.example.org", "--username", 'it\'s "me"')
    target = load(tmp_path / "config.toml").target
    assert target.url == "https://t.example.org"
    assert target.username == 'it\'s "me"'


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Acme Sales", "acme-sales"),
        ("Försäljning", "forsaljning"),
        ("陈", "pipeline"),
        ("", "pipeline"),
    ],
)
def test_the_folder_names_the_pipeline(folder: str, name: str) -> None:
    assert pipeline_name(folder) == name


def test_the_example_in_the_repository_is_what_init_writes() -> None:
    example = Path(__file__).parents[3] / "config.example.toml"
    assert example.read_text(encoding="utf-8") == config_text("acme")


def test_the_example_shows_the_defaults() -> None:
    text = config_text("acme")
    shown = parse(text, Path("config.toml"))
    target = tomllib.loads(text)["target"]
    minimal = "\n".join(f'{key} = "{target[key]}"' for key in ("url", "username", "password_env"))
    assert shown == parse(f'pipeline = "acme"\n[target]\n{minimal}', Path("config.toml"))


class TestOtherEnds:
    """Pipelines that begin elsewhere than in the built-in store, or end elsewhere than in Taiga."""

    @pytest.mark.parametrize("kind", targets.kinds())
    def test_each_target_writes_a_configuration_of_its_own_that_can_be_read(
        self, run: Run, tmp_path: Path, kind: str
    ) -> None:
        result = run("init", "--target", kind, "--target-url", "https://pm.example.org")
        assert result.exit_code == 0, result.stderr
        target = load(tmp_path / "config.toml").target
        assert (target.kind, target.url) == (kind, "https://pm.example.org")
        assert run("check", "--offline").exit_code == 0

    @pytest.mark.parametrize("kind", sources.kinds())
    def test_each_source_writes_a_configuration_of_its_own_that_can_be_read(
        self, run: Run, tmp_path: Path, kind: str
    ) -> None:
        assert run("init", "--source", kind).exit_code == 0
        assert load(tmp_path / "config.toml").source.kind == kind
        has_store = sources.find(kind).capabilities.edits
        assert (tmp_path / "pipeline.db").exists() == has_store

    def test_the_next_steps_are_those_of_the_tool(self, run: Run) -> None:
        lines = run("init", "--target", "redmine", "--source", "csv").stdout
        assert "Put the url of Redmine into config.toml" in lines
        assert "export REDMINE_TOKEN=...   (the account's token or key)" in lines
        assert "Say in config.toml where deals are read" in lines
        assert "Taiga" not in lines

    def test_the_older_option_names_a_taiga(self, run: Run, tmp_path: Path) -> None:
        run("init", "old", "--taiga-url", "https://t.example.org")
        run("init", "new", "--target", "taiga", "--target-url", "https://t.example.org")
        old, new = (load(tmp_path / name / "config.toml").target for name in ("old", "new"))
        assert old == new

    @pytest.mark.parametrize(
        "more", [("--target", "redmine"), ("--target-url", "https://t.example.org")]
    )
    def test_the_older_option_goes_with_nothing_else(self, run: Run, more: tuple[str, ...]) -> None:
        result = run("init", "--taiga-url", "https://t.example.org", *more)
        assert result.exit_code == 2
        assert "--taiga-url is for --target taiga" in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--target", "redmin"), "did you mean 'redmine'?"),
            (("--source", "cvs"), "did you mean 'csv'?"),
            (("--source", "csv", "--sample"), "--sample fills the built-in store, not a CSV file"),
            (("--set", "databse=x"), "Taiga takes no databse"),
            (("--set", "novalue"), "write NAME=VALUE"),
        ],
    )
    def test_what_cannot_be_is_refused_before_anything_is_written(
        self, run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        result = run("init", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("target", "given", "variable"),
        [
            ("redmine", "password_env=SECRET", "SECRET"),
            ("redmine", "token_file=key.txt", ""),
            ("taiga", "token_env=KEY", "KEY"),
        ],
    )
    def test_another_way_in_takes_the_place_of_the_usual_one(
        self, run: Run, tmp_path: Path, target: str, given: str, variable: str
    ) -> None:
        result = run("init", "--target", target, "--username", "bot", "--set", given)
        assert result.exit_code == 0, result.stderr
        settings = load(tmp_path / "config.toml").target
        name, _, value = given.partition("=")
        assert str(getattr(settings, name)).endswith(value)
        assert (f"export {variable}=" in result.stdout) == bool(variable)

    def test_a_setting_can_be_given(self, run: Run, tmp_path: Path) -> None:
        run("init", "--set", "password_env=SECRET_OF_MINE")
        assert load(tmp_path / "config.toml").target.password_env == "SECRET_OF_MINE"
