"""Deals whose keys changed keep their projects: held back, said, and taken along by one command."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from tests.cli.conftest import Run, project_names, writes

pytestmark = pytest.mark.sampled_tests(4)

CASES: Final = Path(__file__).parents[2] / "cases" / "keys-changed"
HEADER: Final = ("key", "name", "customer", "stage", "value", "currency")
DEALS: Final = ("Portal", "Archive", "Cloud move", "Rollout")


def rows(keys: Sequence[str], names: Sequence[str] = DEALS) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for key, name in zip(keys, names, strict=True):
        writer.writerow((key, name, f"{name[0]} & Sons", "Proposal", "1000", "EUR"))
    return text.getvalue()


@pytest.fixture
def from_csv(run: Run, taiga: Sandbox, environment: dict[str, str]) -> Run:
    """A pipeline whose deals are in a CSV file; nothing of it is synced yet."""
    environment["TAIGA_PASSWORD"] = taiga.password
    assert run("init", "--taiga-url", taiga.url, "--username", taiga.username).exit_code == 0
    config = Path("config.toml").read_text()
    source = 'kind = "csv"\nfile = "deals.csv"'
    changed = re.sub(r'kind = "store"[^\n]*\nurl = [^\n]*', source, config)
    assert changed != config
    Path("config.toml").write_text(changed)
    return run


KEYS: Final = ("00123", "00124", "123456789012", "006Ab00000aaaa1")
CHANGED: Final = {
    "a prefix": ("CRM-00123", "CRM-00124", "CRM-123456789012", "CRM-006Ab00000aaaa1"),
    "lost zeros": ("123", "124", "123456789012.0", "006Ab00000aaaa1"),
    "18 characters": ("00123", "00124", "123456789012", "006Ab00000aaaa1IAA"),
    "half of them again": ("00123", "00124", "9f3c", "a77b"),
    "all of them again": ("c1", "b2", "a3", "z4"),
}


@pytest.mark.parametrize("change", CHANGED)
class TestCsv:
    @pytest.fixture
    def changed(self, from_csv: Run, taiga: Sandbox, change: str) -> Run:
        Path("deals.csv").write_text(rows(KEYS))
        assert from_csv("run").exit_code == 0
        names = (*DEALS, "Brand-new")
        Path("deals.csv").write_text(rows((*CHANGED[change], "really-new"), names))
        return from_csv

    def test_no_second_project_is_made_and_a_really_new_deal_is(
        self, changed: Run, taiga: Sandbox, change: str
    ) -> None:
        result = changed("run")
        assert result.exit_code == 3, result.stdout + result.stderr
        assert len(project_names(taiga)) == 5
        moved = set(CHANGED[change]) - set(KEYS)
        for key, former in zip(CHANGED[change], KEYS, strict=True):
            said = f"pipeline-sync adopt {key} --from {former}" in result.stdout
            assert said is (key in moved)
        assert "no longer in the source" not in result.stdout

    def test_one_command_takes_all_projects_along(
        self, changed: Run, taiga: Sandbox, change: str
    ) -> None:
        changed("run")
        would = changed("adopt", "--renumbered", "--dry-run")
        assert would.exit_code == 0
        taiga.clear_requests()
        result = changed("adopt", "--renumbered")
        assert result.exit_code == 0, result.stdout + result.stderr
        moved = set(CHANGED[change]) - set(KEYS)
        assert would.stdout.count("would take") == result.stdout.count("has the project of")
        assert result.stdout.count("has the project of") == len(moved)
        taiga.clear_requests()
        after = changed("run")
        assert after.exit_code == 0, after.stdout
        assert len(project_names(taiga)) == 5
        assert changed("adopt", "--renumbered").stdout.startswith("No deal is held back")


def test_keys_that_changed_in_an_import_into_the_store_make_no_second_projects(
    sample: Run, taiga: Sandbox
) -> None:
    imported = ("deals", "import", "--origin", "crm", "--currency", "EUR")
    for name in ("before.csv", "after.csv"):
        shutil.copy(CASES / name, name)
    assert sample(*imported, "before.csv").exit_code == 0
    sample("run")
    before = project_names(taiga)
    result = sample(*imported, "after.csv")
    assert result.exit_code == 0
    assert "in another form" in result.stdout
    taiga.clear_requests()
    assert sample("run").exit_code == 0
    assert project_names(taiga) == before
    assert writes(taiga) == []


def test_deals_of_one_name_and_customer_are_left_to_a_person(from_csv: Run, taiga: Sandbox) -> None:
    same = ("Upkeep", "Upkeep")
    Path("deals.csv").write_text(rows(("x", "y"), same))
    from_csv("run")
    Path("deals.csv").write_text(rows(("a", "b"), same))
    result = from_csv("run")
    assert result.exit_code == 3
    assert "it is unknown which is which" in result.stdout
    assert len(project_names(taiga)) == 2
    result = from_csv("adopt", "--renumbered")
    assert result.exit_code == 3
    assert "a: may be any of x, y" in result.stdout
    assert from_csv("adopt", "a", "--from", "y").exit_code == 0
    assert from_csv("adopt", "b", "--from", "x").exit_code == 0
    assert from_csv("run").exit_code == 0
    assert len(project_names(taiga)) == 2


def test_a_deal_that_was_merged_into_another_takes_its_project_along(
    sample: Run, taiga: Sandbox
) -> None:
    sample("run")
    sample("deals", "add", "B", "Merged", "--stage", "Proposal")
    before = project_names(taiga)
    assert sample("unlink", "D-105").exit_code == 0
    result = sample("adopt", "B", "--from", "D-105")
    assert result.exit_code == 0, result.stderr
    assert sample("run").exit_code == 0
    assert len(project_names(taiga)) == len(before)
    assert "take over" in sample("history", "B").stdout
    taiga.clear_requests()
    assert sample("run", "--full").stdout == ""
    assert not [line for line in writes(taiga) if "user-storage" not in line]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("adopt",), "name a deal"),
        (("adopt", "D-105"), "name a deal"),
        (("adopt", "--renumbered", "D-105"), "finds the deals by itself"),
        (("adopt", "D-105", "1", "--dry-run"), "is for --renumbered"),
        (("adopt", "D-105", "--from", "D-10"), "no project is kept in step with this deal"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    sample: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = sample(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("when_gone", ["report", "retire"])
def test_a_key_that_a_spreadsheet_rounded_is_refused_and_nothing_counts_as_gone(
    from_csv: Run, taiga: Sandbox, when_gone: str
) -> None:
    config = Path("config.toml").read_text()
    config = re.sub(r"^when_gone = .*\n", "", config, flags=re.M)
    config = config.replace("[sync]\n", f'[sync]\nwhen_gone = "{when_gone}"\n')
    assert f'when_gone = "{when_gone}"' in config
    Path("config.toml").write_text(config)
    Path("deals.csv").write_text(rows(KEYS))
    from_csv("run")
    before = project_names(taiga)
    Path("deals.csv").write_text(rows(("00123", "00124", "1.23457E+11", "006Ab00000aaaa1")))
    result = from_csv("run")
    assert result.exit_code == 3, result.stderr
    assert "'1.23457E+11' is not a key but a number that a spreadsheet rounded" in result.stdout
    assert project_names(taiga) == before


def test_rounded_keys_are_not_imported(sample: Run) -> None:
    shutil.copy(CASES / "rounded.csv", "rounded.csv")
    result = sample("deals", "import", "rounded.csv", "--currency", "EUR")
    assert result.exit_code == 3
    assert result.stdout.startswith("4 rows: 0 added")
    assert "format the column as text" in result.stdout + result.stderr


def test_labels_of_earlier_mappings_are_known_as_far_as_the_state_tells(
    sample: Run, taiga: Sandbox
) -> None:
    sample("run")
    before = [name for name in project_names(taiga) if name.startswith("(tentative)")]
    (mapping,) = Path("mappings").glob("*.toml")
    text = mapping.read_text()
    assert "[project.tentative]" in text
    mapping.write_text(with_label(text, "(maybe)"))
    with closing(sqlite3.connect("state.db")) as connection, connection:
        for table in ("sync_binding", "sync_group", "sync_journal"):
            connection.execute(f"DELETE FROM {table}")
    result = sample("run", "--allow", "rename")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert not any("(tentative)" in name for name in project_names(taiga))
    assert [n for n in project_names(taiga) if n.startswith("(maybe)")] == [
        name.replace("(tentative)", "(maybe)") for name in before
    ]


def with_label(text: str, label: str) -> str:
    """Gives tentative projects another label in a mapping file."""
    head, mark, rest = text.partition("[project.tentative]")
    if 'label = "(tentative)"' in rest:
        rest = rest.replace('label = "(tentative)"', f'label = "{label}"', 1)
    else:
        rest = f'\nlabel = "{label}"' + rest
    return head + mark + rest
