"""Public cases that are not files of deals: commands, databases, what follows an import."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, project_names, taiga
from tests.sources.test_recipes import ODOO, ODOO_RECIPE, SUITE, SUITE_RECIPE

__all__ = ["taiga"]

OLD_WINS: Final = """id,name,customer,stage,amount,currency,close date,last modified
1,No day,Acme,Won,5000,EUR,,
2,Untouched since 2020,Acme,Won,5000,EUR,,2020-03-01
3,Won lately,Acme,Won,5000,EUR,2026-11-20,
4,Open,Acme,Proposal,5000,EUR,2027-02-01,
"""


@pytest.fixture
def connected(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """A folder with an empty pipeline, connected to a small Taiga."""
    environment["TAIGA_PASSWORD"] = taiga.password
    assert run("init", "--taiga-url", taiga.url, "--username", taiga.username).exit_code == 0
    return run


def read_from(folder: Path, source: str) -> None:
    """Has the configuration of a folder read its deals from another source."""
    config = folder / "config.toml"
    others = config.read_text(encoding="utf-8").split("[source]")
    rest = others[1][others[1].index("\n[target]") :]
    config.write_text(f"{others[0]}{source}\n{rest}", encoding="utf-8")


def test_wins_of_unknown_age_get_no_project_until_somebody_says_when(
    connected: Run, taiga: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "crm.csv").write_text(OLD_WINS)
    imported = connected("deals", "import", "crm.csv")
    assert "1 won or lost deal without the day of the decision" in imported.stdout
    plan = connected("plan")
    assert "Skipped: 1 (1): the day they were won is unknown" in plan.stdout
    assert "--closed-on DATE" in plan.stdout
    assert json.loads(connected("plan", "--json").stdout)["left_alone"]
    assert connected("run").exit_code == 0
    assert project_names(taiga) == ["(tentative) Acme: Open", "Acme: Won lately"]
    assert connected("deals", "edit", "1", "--closed-on", "2026-11-02").exit_code == 0
    assert connected("run").exit_code == 0
    assert "Acme: No day" in project_names(taiga)
    assert len(project_names(taiga)) == 3


def test_a_file_as_source_gives_no_project_to_wins_of_unknown_age(
    connected: Run, taiga: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "crm.csv").write_text(OLD_WINS)
    read_from(tmp_path, '[source]\nkind = "csv"\nfile = "crm.csv"')
    assert connected("run").exit_code == 0
    assert project_names(taiga) == ["(tentative) Acme: Open", "Acme: Won lately"]


def test_a_deal_that_was_synced_before_it_was_won_goes_on(
    connected: Run, taiga: Sandbox, tmp_path: Path
) -> None:
    read_from(tmp_path, '[source]\nkind = "csv"\nfile = "crm.csv"')
    (tmp_path / "crm.csv").write_text("key,name,stage\n1,Portal,Proposal\n")
    assert connected("run").exit_code == 0
    (tmp_path / "crm.csv").write_text("key,name,stage\n1,Portal,Won\n")
    assert connected("run").exit_code == 0
    assert project_names(taiga) == ["Portal"]


def test_a_mapping_may_ask_for_projects_of_all_of_them(
    connected: Run, taiga: Sandbox, tmp_path: Path
) -> None:
    mapping = next((tmp_path / "mappings").glob("*.toml"))
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(re.sub(r"(?m)^when_deleted", 'when_undated = "create"\nwhen_deleted', text))
    (tmp_path / "crm.csv").write_text(OLD_WINS)
    connected("deals", "import", "crm.csv")
    assert connected("run").exit_code == 0
    assert "Acme: No day" in project_names(taiga)
    assert "Acme: Untouched since 2020" not in project_names(taiga)


def make_database(folder: Path, statements: str) -> None:
    with sqlite3.connect(folder / "crm.db") as connection:
        for statement in statements.split(";\n"):
            connection.execute(statement)


@pytest.mark.parametrize(
    ("recipe", "tables", "count"), [(ODOO_RECIPE, ODOO, 3), (SUITE_RECIPE, SUITE, 1)]
)
def test_the_deals_of_a_recipe_are_forecast(
    run: Run, tmp_path: Path, recipe: str, tables: str, count: int
) -> None:
    run("init")
    make_database(tmp_path, tables)
    read_from(tmp_path, recipe.replace('url_env = "CRM_URL"', 'url = "sqlite:///crm.db"'))
    result = run("forecast")
    assert result.exit_code == 0, result.output
    open_deals = f"{count} open deal{'s' * (count > 1)};"
    assert open_deals in result.stdout and "left out" not in result.stdout
    assert "engaged_on" not in result.stdout


def test_deals_without_the_day_they_came_in_are_forecast_with_a_note(
    run: Run, tmp_path: Path
) -> None:
    run("init")
    make_database(tmp_path, ODOO)
    without = re.sub(r"(?m)^engaged_on.*\n", "", ODOO_RECIPE).replace("l.create_date, ", "")
    read_from(tmp_path, without.replace('url_env = "CRM_URL"', 'url = "sqlite:///crm.db"'))
    result = run("forecast")
    assert "3 open deals;" in result.stdout
    assert "3 open deals without the day on which they came in (engaged_on)" in result.stdout


def test_an_import_of_a_whole_pipeline_is_no_week_of_arrivals(run: Run, tmp_path: Path) -> None:
    run("init")
    dated = "".join(f"{n},d{n},Proposal,2026-0{n}-01\n" for n in range(1, 10))
    undated = "".join(f"{n},u{n},Proposal,\n" for n in range(100, 300))
    header = "id,name,stage,created\n"
    (tmp_path / "dated.csv").write_text(header + dated)
    (tmp_path / "all.csv").write_text(header + dated + undated)
    rates = []
    for file in ("dated.csv", "all.csv"):
        assert run("deals", "import", file, "--origin", "crm").exit_code == 0
        rates.append(json.loads(run("forecast", "--json").stdout)["basis"]["arrivals_per_week"])
    assert rates[0] == rates[1] < 1


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2027-03-31T22:00:00Z", "2027-04-01"),
        ("2027-03-31 22:00:00", "2027-03-31"),
        ("2027-03-31T23:30:00+02:00", "2027-03-31"),
    ],
)
def test_a_time_of_a_database_falls_on_the_day_of_the_time_zone(
    run: Run, tmp_path: Path, written: str, day: str
) -> None:
    run("init")
    make_database(
        tmp_path,
        "CREATE TABLE deals (id TEXT, name TEXT, stage TEXT, close_date TEXT);\n"
        f"INSERT INTO deals VALUES ('1', 'a', 'Proposal', '{written}')",
    )
    read_from(
        tmp_path,
        '[source]\nkind = "sql"\nurl = "sqlite:///crm.db"\ntime_zone = "Europe/Berlin"\n'
        'query = "SELECT id, name, stage, close_date FROM deals"',
    )
    assert f"{day}" in run("mapping", "explain", "1").stdout


def test_closed_today_is_a_day_in_the_time_zone(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    run("init")
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text('time_zone = "Pacific/Auckland"\n' + text, encoding="utf-8")
    run("deals", "add", "TZ1", "Portal", "--stage", "Proposal")
    assert run("deals", "move", "TZ1", "Lost").exit_code == 0
    shown = json.loads(run("deals", "show", "TZ1", "--json").stdout)
    assert shown["closed_on"] == "2026-11-23"


WRONG: Final = {
    "delimiter": ["--delimiter", "ab"],
    "delimiter-quote": ["--delimiter", '"'],
    "base64": ["--encoding", "base64"],
    "rot13": ["--encoding", "rot13"],
    "idna": ["--encoding", "idna"],
    "no-encoding": ["--encoding", "latin-99"],
    "two-columns": ["--column", "value=amount", "--column", "value=id"],
    "two-columns-by-case": ["--column", "value=amount", "--column", "Value=id"],
    "two-stages": ["--stage", "Lead=Won", "--stage", "Lead=Lost"],
    "two-defaults": ["--default", "owner=a", "--default", "owner=b"],
    "two-values": ["--value", "owner:a=b", "--value", "owner:a=c"],
    "key-and-column": ["--key", "{name}", "--column", "key=id"],
    "key-field": ["--key", "{nmae}"],
    "format": ["--date-format", "%d%d%d"],
    "format-without-year": ["--date-format", "%d.%m."],
    "format-unknown": ["--date-format", "%Q"],
    "scale": ["--probability-scale", "thousandth"],
    "zone": ["--time-zone", "Europe/Stokholm"],
    "default-extreme": ["--default", "value=1e999999999"],
}


@pytest.mark.parametrize("option", WRONG)
def test_an_option_that_is_wrong_is_a_usage_error(run: Run, tmp_path: Path, option: str) -> None:
    run("init")
    (tmp_path / "a.csv").write_text("id,name,stage,amount\n1,a,Lead,5\n")
    result = run("deals", "import", "a.csv", *WRONG[option])
    assert result.exit_code == 2, result.output
    assert result.stderr and run("deals", "list", "--json").stdout.strip() in ("[]", "")


EXTREMES: Final = (
    "1e999999999",
    "1e-999999999",
    "9" * 100_000,
    "0." + "1" * 100_000,
    "-0",
    "-1e400",
    "sNaN",
    "Infinity",
    "1e400",
)


@pytest.mark.parametrize("number", range(len(EXTREMES)))
def test_extremes_cost_their_row_and_what_is_stored_is_exported_and_read_again(
    run: Run, tmp_path: Path, number: int
) -> None:
    extreme = EXTREMES[number]
    run("init")
    rows = [
        f"v,value,Lead,{extreme},,,",
        f"p,chance,Lead,,{extreme},,",
        f"d,day,Lead,,,{extreme},",
        f"h,hours,Lead,,,,Back:{extreme}h x10w",
        f"w,weeks,Lead,,,,Back:10h x{extreme}w",
        "ok,fine,Lead,5,0.5,2026-12-01,Back:10h x1w",
    ]
    header = "id,name,stage,amount,probability,close date,roles\n"
    (tmp_path / "a.csv").write_text(header + "\n".join(rows) + "\n")
    result = run("deals", "import", "a.csv")
    assert result.exit_code == 3, result.output
    assert max(map(len, result.output.splitlines())) < 1_000
    exported = run("deals", "export").stdout
    assert "ok,fine" in exported
    (tmp_path / "again.csv").write_text(exported)
    again = json.loads(run("deals", "import", "again.csv", "--json").stdout)
    assert (again["changed"], again["bad_rows"]) == (0, [])
    for option in ("--value", "--probability", "--start", "--roles"):
        text = f"Back:{extreme}h x10w" if option == "--roles" else extreme
        added = run("deals", "add", "x", "x", f"{option}={text}")
        assert added.exit_code in (0, 2), added.output
        if added.exit_code == 0:
            assert run("deals", "export").exit_code == 0
            (tmp_path / "again.csv").write_text(run("deals", "export").stdout)
            assert run("deals", "import", "again.csv").exit_code == 0
            break
