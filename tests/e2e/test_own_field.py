"""A field of the user's own, declared in one line, goes from a CSV file to Taiga and the report."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any, Final

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, writes

CONFIG: Final = """\
pipeline = "acme"
field = [{{ name = "region" }}]
[source]
{source}
[target]
kind = "taiga"
url = "{url}"
username = "{username}"
password_env = "TAIGA_PASSWORD"
"""
MAPPING: Final = """\
[mapping]
name = "north"
match = { region = ["north"] }
[[stage]]
name = "Proposal"
category = "proposal"
[[stage]]
name = "Won"
category = "won"
[project]
title = "{customer}: {name} ({region})"
tags = ["in-{region}"]
from_sales_page = "tentative"
[[story]]
subject = "Visit {region}"
description = "Someone from {region} comes along."
when = "tentative"
"""
FILE: Final = """\
Deal ID,Deal Name,Account Name,Stage,Amount,Currency,Expected Close Date,Vertriebsgebiet
D-1,Portal,Acme,Proposal,1000,EUR,2027-03-01,North
D-2,Audit,Bolt,Proposal,2000,EUR,2027-03-01,South
"""


@pytest.fixture
def folder(tmp_path: Path, taiga: Sandbox, environment: dict[str, str]) -> Path:
    environment["TAIGA_PASSWORD"] = taiga.password
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "north.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "crm.csv").write_text(FILE, encoding="utf-8")
    return tmp_path


def configure(folder: Path, taiga: Sandbox, source: str = 'kind = "store"') -> None:
    text = CONFIG.format(source=source, url=taiga.url, username=taiga.username)
    (folder / "config.toml").write_text(text, encoding="utf-8")


def project(taiga: Sandbox) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Returns the one project, its one story and its page."""
    user = taiga.as_user("admin")
    (row,) = user.get("/projects")
    (story,) = user.get(f"/userstories?project={row['id']}")
    (page,) = user.get(f"/wiki?project={row['id']}")
    whole = user.get(f"/projects/{row['id']}")
    return dict(whole), dict(user.get(f"/userstories/{story['id']}")), str(page["content"])


def assert_shows(taiga: Sandbox, region: str) -> None:
    row, story, page = project(taiga)
    assert row["name"] == f"(tentative) Acme: Portal ({region})"
    assert f"in-{region.lower()}" in row["tags"]
    assert f"Region: {region}" in row["description"].splitlines()[-2]
    assert story["subject"] == f"Visit {region}"
    assert f"- Region: {region}" in page


def test_from_a_file_through_the_store_to_taiga_and_the_report(
    run: Run, folder: Path, taiga: Sandbox
) -> None:
    configure(folder, taiga)

    def do(*arguments: str) -> str:
        result = run(*arguments)
        assert result.exit_code == 0, result.output + result.stderr
        return result.stdout

    do("deals", "import", "crm.csv", "--column", "region=Vertriebsgebiet")
    do("run")
    assert_shows(taiga, "North")
    before = len(writes(taiga))
    do("run")
    assert writes(taiga)[before:] == []

    do("report", "report.html")
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<span>Region: North</span>" in report
    assert "Region" in do("metrics", "--by", "region")
    assert json.loads(do("deals", "show", "D-1", "--json"))["region"] == "North"
    assert [
        each["key"] for each in json.loads(do("deals", "list", "--where", "region=SOUTH", "--json"))
    ] == ["D-2"]
    assert "matches by 1 field" in do("mapping", "explain", "D-1")

    do("deals", "edit", "D-1", "--set", "region=north")
    do("run")
    _, _, page = project(taiga)
    assert "- Region: north" in page
    assert "region: North → north" in do("history", "D-1")

    do("deals", "export", "out.csv")
    with (folder / "out.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["region"] for row in csv.DictReader(stream)] == ["north", "South"]
    assert "2 unchanged" in do("deals", "import", "out.csv")
    assert "region in 2 deals" in do("check")


@pytest.mark.parametrize("kind", ["csv", "sql"])
def test_straight_from_a_source(run: Run, folder: Path, taiga: Sandbox, kind: str) -> None:
    if kind == "csv":
        source = 'kind = "csv"\nfile = "crm.csv"\ncolumns = { region = "Vertriebsgebiet" }'
    else:
        with sqlite3.connect(folder / "crm.db") as database:
            database.execute("CREATE TABLE deal (id, title, account, phase, region)")
            database.execute(
                "INSERT INTO deal VALUES ('D-1', 'Portal', 'Acme', 'Proposal', 'North')"
            )
        database.close()
        source = (
            f'kind = "sql"\nurl = "sqlite:///{folder}/crm.db"\n'
            'query = "SELECT id AS key, title AS name, account AS customer, phase AS stage, region '
            'FROM deal"'
        )
    configure(folder, taiga, source)
    result = run("run")
    assert result.exit_code == 0, result.stderr
    assert_shows(taiga, "North")


def test_a_field_that_is_declared_no_more_loses_nothing_and_check_says_so(
    run: Run, folder: Path, taiga: Sandbox
) -> None:
    configure(folder, taiga)
    assert run("deals", "import", "crm.csv", "--column", "region=Vertriebsgebiet").exit_code == 0
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    (folder / "mappings" / "north.toml").write_text(
        MAPPING.replace('match = { region = ["north"] }\n', "").replace("{region}", "here"),
        encoding="utf-8",
    )
    config.write_text(text.replace('field = [{ name = "region" }]\n', ""), encoding="utf-8")

    checked = run("check", "--offline")
    assert checked.exit_code == 0
    assert "region: in 2 deals, and no [[field]] declares it" in checked.stdout
    assert json.loads(run("deals", "show", "D-1", "--json").stdout)["region"] == "North"

    config.write_text(
        text.replace('name = "region"', 'name = "region", kind = "number"'), encoding="utf-8"
    )
    checked = run("check", "--offline")
    assert checked.exit_code == 3
    assert "deal D-1: region: 'North' is not a number; it is kept and shown as it is" in (
        checked.stdout
    )
    assert json.loads(run("deals", "show", "D-1", "--json").stdout)["region"] == "North"


def test_a_row_with_a_choice_that_is_none_is_reported_and_the_others_are_imported(
    run: Run, folder: Path, taiga: Sandbox
) -> None:
    configure(folder, taiga)
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace(
        'name = "region"', 'name = "region", kind = "choice", choices = ["North", "Nord"]'
    )
    config.write_text(text, encoding="utf-8")
    result = run("deals", "import", "crm.csv", "--column", "region=Vertriebsgebiet")
    assert result.exit_code == 3
    assert "crm.csv:3" in result.stderr and "choices: North, Nord" in result.stderr
    assert run("deals", "show", "D-1").exit_code == 0
