"""A real Tryton, from the first lead to a staffed project in (a small) Taiga, and back.

Left out unless ``--tryton-url`` names a server that was set up by ``tests/live/tryton.sh``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sync.clock import SystemClock
from sync.errors import Rejected
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.main import cli
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sources.registry import create
from taiga_pipeline.sources.tryton.client import Client
from tests.live.tryton import Refused, TrytonOffice, amount, typed_day

CONFIG = """
pipeline = "live"
[source]
kind = "tryton"
url = "{tryton}"
database = "erp"
token_env = "TRYTON_KEY"
{more}
[source.columns]
start = "agreed_start"
roles = "roles_needed"
[source.only]
comment = "{marker}"
[source.stages]
opportunity = "Proposal"
converted = "Proposal"
cancelled = "Lost"
[source.write_back]
url = "project_url"
start = "project_start"
progress = "project_progress"
[target]
url = "{taiga}"
username = "{user}"
password_env = "TAIGA_PASSWORD"
[limits]
create = 1000
"""


@dataclass
class Shop:
    """Tryton, a small Taiga, and a folder in which commands are run."""

    office: TrytonOffice
    taiga: Sandbox
    folder: Path

    def configure(self, more: str = "") -> None:
        text = CONFIG.format(
            tryton=self.office.url,
            taiga=self.taiga.url,
            user=self.taiga.username,
            marker=self.office.marker,
            more=more,
        )
        (self.folder / "config.toml").write_text(text)

    def run(self, *arguments: str, key: str = "", code: int = 0) -> Result:
        environment = {
            "TRYTON_KEY": key or self.office.robot_key,
            "TAIGA_PASSWORD": self.taiga.password,
        }
        result = CliRunner().invoke(cli, arguments, obj=CommandContext(environment=environment))
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        assert environment["TRYTON_KEY"] not in result.output
        return result

    def project(self, customer: str) -> Any:
        every = self.taiga.as_user("admin").get("/projects")
        (found,) = [project for project in every if customer in project["name"]]
        return found


@pytest.fixture
def shop(
    live_tryton: TrytonOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    with Sandbox() as taiga:
        made = Shop(live_tryton, taiga, tmp_path)
        made.run("init", "--taiga-url", taiga.url, "--username", taiga.username)
        made.configure()
        yield made


@pytest.fixture
def deals(live_tryton: TrytonOffice) -> Callable[..., dict[str, Deal]]:
    """Reads the deals by key; settings may be added."""

    def read(**more: object) -> dict[str, Deal]:
        return {deal.key: deal for deal in _source(live_tryton, **more).read().deals}

    return read


def _source(office: TrytonOffice, **more: object) -> Any:
    settings = {
        "url": office.url,
        "database": office.database,
        "token_env": "KEY",
        "environment": {"KEY": office.robot_key, "OUTSIDER": office.outsider_key},
        **more,
    }
    return create("tryton", settings, SystemClock())


def number_of(office: TrytonOffice, opportunity: int) -> str:
    return str(office.show(opportunity, "number")["number"])


def test_every_state_is_read_with_what_tryton_knows(
    live_tryton: TrytonOffice, deals: Callable[..., dict[str, Deal]]
) -> None:
    office, begun = live_tryton, datetime.now(UTC)
    made = {
        state: office.opportunity(
            state,
            description=f"In {state}",
            comment="First line\nsecond",
            amount=amount("1200.50"),
            conversion_probability=0.25,
            end_date=typed_day(2027, 3, 31),
        )
        for state in ("lead", "opportunity", "converted", "lost", "cancelled")
    }
    won = office.opportunity("converted", description="In won")
    office.win(won, "130000")
    found = deals()
    by_state = {state: found[number_of(office, n)] for state, n in {**made, "won": won}.items()}
    assert {state: deal.stage for state, deal in by_state.items()} == {s: s for s in by_state}
    deal = by_state["opportunity"]
    assert (deal.name, deal.customer, deal.owner) == ("In opportunity", "Kunde GmbH", "Ana Åberg")
    assert (deal.value, deal.currency) == (Decimal("1200.50"), "EUR")
    assert (deal.probability, deal.expected_close) == (Decimal("0.25"), date(2027, 3, 31))
    assert [note.text for note in deal.notes] == ["First line\nsecond"]
    assert deal.updated_at is not None and deal.updated_at >= begun.replace(microsecond=0)
    assert by_state["won"].value == Decimal(130_000), "the sale's amount"
    closed = [by_state[state].closed_on for state in ("lost", "won")]
    assert closed[0] and closed[1] and 0 <= (closed[1] - closed[0]).days <= 1, "it may be midnight"
    assert by_state["won"].expected_close is None


def test_won_cannot_be_set_it_follows_from_the_sale(live_tryton: TrytonOffice) -> None:
    number = live_tryton.opportunity("converted")
    with pytest.raises(Refused, match="400"):
        live_tryton.change(number, state="won")


def test_an_opportunity_becomes_a_project_and_its_project_becomes_known_in_tryton(
    shop: Shop,
) -> None:
    office, customer = shop.office, f"Kunde {uuid.uuid4().hex[:6]}"
    number = office.opportunity(
        party=office.customer(customer),
        description="Data platform",
        amount=amount("120000"),
        agreed_start=typed_day(2027, 1, 4),
        roles_needed="Back:30h x10w",
    )
    checked = shop.run("check").stdout
    assert "project_url, project_start, project_progress of sale.opportunity" in checked
    assert customer in shop.run("plan").stdout
    assert office.show(number, "project_url")["project_url"] is None, "a plan writes nothing"
    shop.run("run")
    project = shop.project(customer)
    assert project["name"].startswith("(tentative)")
    shown = office.show(number, "project_url", "project_start", "project_progress")
    assert shown["project_url"].rstrip("/").endswith(project["slug"])

    office.click(number, "convert")
    office.win(number, "130000")
    shop.run("run")
    assert shop.project(customer)["id"] == project["id"]
    assert not shop.project(customer)["name"].startswith("(")
    shown = office.show(number, "project_url", "project_start", "project_progress", "state")
    assert shown["state"] == "won"
    assert shown["project_start"] == typed_day(2027, 1, 4)
    assert Decimal(shown["project_progress"]["decimal"]) == 0

    before = office.show(number, "write_date")
    again = json.loads(shop.run("run", "--json").stdout)
    assert (again["run"]["applied"], again["run"]["written_back"]) == (0, 0)
    assert office.show(number, "write_date") == before


def test_only_what_changed_is_asked_for_until_everything_is_due(shop: Shop) -> None:
    office = shop.office
    renamed = office.customer(f"Old {uuid.uuid4().hex[:6]}")
    first = office.opportunity(description="First", party=renamed)
    second = office.opportunity("lead", description="Second")
    keys = [number_of(office, number) for number in (first, second)]
    settings = {"cache": "cache.db", "overlap_minutes": 0, "folder": str(shop.folder)}
    source = _source(office, **settings)
    everything = {deal.key for deal in source.read().deals}
    assert everything >= set(keys)
    source.keep()

    office.change(first, description="First, renamed")
    third = office.opportunity(description="Third")
    source = _source(office, **settings)
    found = {deal.key: deal for deal in source.read().deals}
    assert found[keys[0]].name == "First, renamed"
    assert number_of(office, third) in found
    assert found.keys() >= everything
    assert source._spool.count < len(found), "not everything was asked for"
    source.keep()

    name = f"New {uuid.uuid4().hex[:6]}"
    office.call("PUT", f"party.party/{renamed}", {"name": name})
    found = {deal.key: deal for deal in _source(office, **settings).read().deals}
    assert found[keys[0]].customer == name, "an opportunity follows its customer's name"

    office.delete(second)
    found = {deal.key: deal for deal in _source(office, **settings).read().deals}
    assert keys[1] in found, "absence is evidence only after a complete reading"
    found = {deal.key: deal for deal in _source(office, **settings, complete_hours=0).read().deals}
    assert keys[1] not in found


def test_a_customer_is_renamed_in_the_project_by_a_run_that_reads_what_changed(shop: Shop) -> None:
    office, name = shop.office, f"Before {uuid.uuid4().hex[:6]}"
    customer = office.customer(name)
    office.opportunity(party=customer, description="Portal")
    shop.configure('cache = "cache.db"')
    shop.run("run")
    assert (shop.folder / "cache.db").stat().st_mode & 0o077 == 0
    project = shop.project(name)
    office.call("PUT", f"party.party/{customer}", {"name": f"After {name}"})
    said = shop.run("-v", "run").stderr
    assert "(those that changed)" in said
    assert shop.project(f"After {name}")["id"] == project["id"]


def test_fields_that_are_not_there_are_named_all_at_once(shop: Shop) -> None:
    text = (shop.folder / "config.toml").read_text()
    text = text.replace("agreed_start", "agreed_strat").replace('"project_url"', '"project_ulr"')
    (shop.folder / "config.toml").write_text(text)
    said = shop.run("run", code=ExitCode.USAGE).stderr
    assert "no field 'agreed_strat'; did you mean 'agreed_start'?" in said
    assert "no field 'project_ulr'; did you mean 'project_url'?" in said


def test_a_wrong_key_and_one_without_rights_get_the_way_out(shop: Shop) -> None:
    said = shop.run("run", key="f" * 64, code=ExitCode.UNREACHABLE).stderr
    assert "does not accept the application key (401)" in said
    said = shop.run("run", key=shop.office.outsider_key, code=ExitCode.UNREACHABLE).stderr
    assert "give the application's user a group that may read it" in said


def test_a_wrong_database_and_a_wrong_model_are_distinguished(live_tryton: TrytonOffice) -> None:
    with pytest.raises(Exception, match="'other' the name of the database"):
        _source(live_tryton, database="other").read()
    with pytest.raises(Exception, match=r"did you mean 'sale\.opportunity'"):
        _source(live_tryton, model="sale.oportunity").read()


def test_facts_that_tryton_refuses_leave_the_sync_done_in_part(shop: Shop) -> None:
    customer = f"Kunde {uuid.uuid4().hex[:6]}"
    shop.office.opportunity(party=shop.office.customer(customer))
    text = (shop.folder / "config.toml").read_text()
    text = text.replace('url = "project_url"', 'url = "number"')
    (shop.folder / "config.toml").write_text(text)
    said = shop.run("run", code=ExitCode.PARTIAL).stderr
    assert "not written back: Tryton refuses PUT" in said
    assert "not allowed to modify the field" in said
    assert shop.project(customer)


def test_a_domain_broken_by_a_write_is_a_refusal(live_tryton: TrytonOffice) -> None:
    number = live_tryton.opportunity()
    connection = Connection(live_tryton.url, "", token=Secret(live_tryton.robot_key))
    client = Client(connection, live_tryton.database, SystemClock())
    with pytest.raises(Rejected, match="not valid according to its domain"):
        client.put(f"sale.opportunity/{number}?f=id", {"conversion_probability": 7})
