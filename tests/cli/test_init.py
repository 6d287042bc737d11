"""The first files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from taiga_pipeline.cli.project_files import config_text, pipeline_name
from taiga_pipeline.config import load, parse
from tests.cli.conftest import Run


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


@pytest.mark.parametrize("name", ["default", "consultancy", "forsaljning"])
def test_each_shipped_mapping_fits_the_sample(run: Run, name: str) -> None:
    assert run("init", "--sample", "--mapping", name).exit_code == 0
    result = run("check", "--offline", "--json")
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["source"]["summary"] == "12 deals"


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
    example = Path(__file__).parents[2] / "config.example.toml"
    assert example.read_text(encoding="utf-8") == config_text("acme")


def test_the_example_shows_the_defaults() -> None:
    text = config_text("acme")
    shown = parse(text, Path("config.toml"))
    target = tomllib.loads(text)["target"]
    minimal = "\n".join(f'{key} = "{target[key]}"' for key in ("url", "username", "password_env"))
    assert shown == parse(f'pipeline = "acme"\n[target]\n{minimal}', Path("config.toml"))
