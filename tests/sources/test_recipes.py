"""The recipes in docs/sources.md, run against tables of the shape that these programs have."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine

from sync.clock import SystemClock
from taiga_pipeline.config import parse
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.registry import create

ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")

SUITE: Final = """
CREATE TABLE opportunities (id VARCHAR(36), name VARCHAR(50), amount DOUBLE PRECISION,
    currency_id VARCHAR(36), date_closed DATE, sales_stage VARCHAR(255),
    probability DOUBLE PRECISION, assigned_user_id VARCHAR(36), lead_source VARCHAR(50),
    date_entered TIMESTAMP, date_modified TIMESTAMP, deleted INTEGER);
CREATE TABLE accounts_opportunities (opportunity_id VARCHAR(36), account_id VARCHAR(36),
    deleted INTEGER);
CREATE TABLE accounts (id VARCHAR(36), name VARCHAR(150));
CREATE TABLE users (id VARCHAR(36), user_name VARCHAR(60));
CREATE TABLE currencies (id VARCHAR(36), iso4217 VARCHAR(3));
INSERT INTO opportunities VALUES
    ('a1', 'Portal', 1200.5, '-99', '2027-03-31', 'Proposal/Price Quote', 60, 'u1', 'Web Site',
        '2026-10-01 10:00:00', '2026-11-01 10:00:00', 0),
    ('a2', 'Audit', 5, 'c1', '2026-11-02', 'Closed Won', 100, 'u1', NULL,
        '2026-10-02 10:00:00', '2026-11-02 10:00:00', 0),
    ('a3', 'Gone', 5, 'c1', '2026-11-02', 'Closed Won', 100, 'u1', NULL,
        '2026-10-02 10:00:00', '2026-11-02 10:00:00', 1);
INSERT INTO accounts_opportunities VALUES ('a1', 'k1', 0), ('a1', 'k2', 1), ('a2', 'k1', 0);
INSERT INTO accounts VALUES ('k1', 'Kunde GmbH'), ('k2', 'Other');
INSERT INTO users VALUES ('u1', 'ana');
INSERT INTO currencies VALUES ('c1', 'SEK')
"""

ODOO: Final = """
CREATE TABLE crm_stage (id INTEGER, name JSONB);
CREATE TABLE res_partner (id INTEGER, name VARCHAR);
CREATE TABLE res_users (id INTEGER, partner_id INTEGER);
CREATE TABLE crm_lead (id INTEGER, name VARCHAR, type VARCHAR, active BOOLEAN, stage_id INTEGER,
    partner_id INTEGER, user_id INTEGER, expected_revenue NUMERIC, probability DOUBLE PRECISION,
    create_date TIMESTAMP, date_deadline DATE, date_closed TIMESTAMP, write_date TIMESTAMP);
INSERT INTO crm_stage VALUES (1, '{"en_US": "Proposition"}'), (2, '{"en_US": "Won"}');
INSERT INTO res_partner VALUES (1, 'Kunde GmbH'), (2, 'Ana');
INSERT INTO res_users VALUES (7, 2);
INSERT INTO crm_lead VALUES
    (1, 'Portal', 'opportunity', TRUE, 1, 1, 7, 1200.5, 60.0, '2026-10-01 10:00:00',
        '2027-03-31', NULL, '2026-11-01 10:00:00'),
    (2, 'Audit', 'opportunity', TRUE, 2, 1, 7, 5, 100, '2026-10-02 10:00:00', NULL,
        '2026-11-02 09:00:00', '2026-11-02 10:00:00'),
    (3, 'Gone', 'opportunity', FALSE, 1, 1, 7, 5, 0, '2026-10-02 10:00:00', NULL,
        '2026-11-02 09:00:00', '2026-11-02 10:00:00'),
    (4, 'A lead', 'lead', TRUE, 1, 1, 7, 5, 10, NULL, NULL, NULL, '2026-11-02 10:00:00'),
    (5, 'Faint', 'opportunity', TRUE, 1, 1, 7, 5, 0.74, '2026-10-03 10:00:00',
        NULL, NULL, '2026-11-02 10:00:00'),
    (6, 'Fainter', 'opportunity', TRUE, 1, 1, 7, 5, 1.0, '2026-10-03 10:00:00',
        NULL, NULL, '2026-11-02 10:00:00')
"""

TRYTON: Final = """
CREATE TABLE party_party (id INTEGER, name VARCHAR);
CREATE TABLE currency_currency (id INTEGER, code VARCHAR);
CREATE TABLE company_employee (id INTEGER, party INTEGER);
CREATE TABLE sale_opportunity (number VARCHAR, description VARCHAR, party INTEGER, state VARCHAR,
    amount NUMERIC, currency INTEGER, conversion_probability DOUBLE PRECISION, start_date DATE,
    end_date DATE,
    employee INTEGER, write_date TIMESTAMP, create_date TIMESTAMP);
INSERT INTO party_party VALUES (1, 'Kunde GmbH'), (2, 'Ana');
INSERT INTO currency_currency VALUES (1, 'EUR');
INSERT INTO company_employee VALUES (5, 2);
INSERT INTO sale_opportunity VALUES
    ('1', 'Portal', 1, 'opportunity', 1200.5, 1, 0.6, '2026-10-01', '2027-03-31', 5, NULL,
        '2026-11-01 10:00:00'),
    ('2', 'Audit', 1, 'won', 5, 1, 1.0, '2026-10-02', '2026-11-02', 5, '2026-11-02 10:00:00',
        '2026-11-01 10:00:00')
"""


def samples(begin: str, end: str) -> list[str]:
    """Returns the TOML blocks between two headings."""
    section = PAGE.split(begin)[1].split(end)[0]
    blocks = re.findall(r"^( *)```toml\n(.*?)^ *```", section, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, text in blocks]


SUITE_RECIPE, ODOO_RECIPE, TRYTON_RECIPE = samples("### Recipes", "## Tryton")


def fill(url: str, statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements.split(";\n"):
            connection.exec_driver_sql(statement)
    engine.dispose()


def read(recipe: str, url: str) -> dict[str, Deal]:
    settings: dict[str, Any] = tomllib.loads(recipe)["source"]
    assert settings.pop("url_env") == "CRM_URL"
    reading = create("sql", {**settings, "url": url, "environment": {}}, SystemClock()).read()
    deals = {deal.name: deal for deal in reading.deals}
    assert reading.complete and not reading.quarantined
    return deals


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'crm.db'}"


@pytest.fixture(params=["sqlite_url", "postgresql_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize(("recipe", "tables"), [(SUITE_RECIPE, SUITE), (TRYTON_RECIPE, TRYTON)])
def test_a_recipe_reads_what_is_there(url: str, recipe: str, tables: str) -> None:
    fill(url, tables)
    deals = read(recipe, url)
    _check(deals)
    assert len(deals) == 2


def test_the_recipe_for_odoo_reads_what_is_there(url: str) -> None:
    fill(url, ODOO)
    deals = read(ODOO_RECIPE, url)
    _check(deals)
    assert deals["Gone"].stage == "Lost"
    assert len(deals) == 5
    faint = (deals["Faint"].probability, deals["Fainter"].probability)
    assert faint == (Decimal("0.0074"), Decimal("0.01"))


def _check(deals: dict[str, Deal]) -> None:
    open_deal, won = deals["Portal"], deals["Audit"]
    assert open_deal.customer == "Kunde GmbH"
    assert (open_deal.stage, open_deal.currency) == ("Proposal", "EUR")
    assert (open_deal.value, open_deal.probability) == (Decimal("1200.5"), Decimal("0.6"))
    assert (open_deal.expected_close, open_deal.closed_on) == (date(2027, 3, 31), None)
    assert (open_deal.engaged_on, won.engaged_on) == (date(2026, 10, 1), date(2026, 10, 2))
    assert open_deal.owner in ("ana", "Ana")
    assert str(open_deal.updated_at) == "2026-11-01 10:00:00+00:00"
    assert won.stage.casefold() == "won"
    assert won.closed_on == date(2026, 11, 2)


@pytest.mark.parametrize("recipe", [SUITE_RECIPE, ODOO_RECIPE, TRYTON_RECIPE])
def test_every_stage_of_a_recipe_is_one_of_the_shipped_mapping(recipe: str) -> None:
    text = (ROOT / "mappings" / "default.toml").read_text(encoding="utf-8")
    (rules,) = parse_mapping(text, "default.toml").rules
    known = {stage.name for stage in rules.stages}
    assert set(tomllib.loads(recipe)["source"]["stages"].values()) <= known


def test_every_sample_on_the_page_is_taken_by_its_source(tmp_path: Path) -> None:
    target = 'pipeline = "x"\n[target]\nurl = "https://t.example"\ntoken_env = "T"\n'
    sql, tryton = samples("## Any SQL", "### Recipes"), samples("## Tryton", "## Delivery")
    facts_sql, facts_tryton = samples("## Delivery facts", "## A source")
    base_sql, (base, own, cached) = sql[0], tryton
    whole = [*sql, f"{base_sql}\n{facts_sql}", base, f"{base}\n{own}", cached]
    whole.append(f"{base}\n{facts_tryton}")
    for sample in whole:
        found = parse(target + sample, tmp_path / "config.toml").source
        settings = {
            **found.options,
            "url": found.url or "sqlite:///x.db",
            "folder": str(tmp_path),
            "environment": {"TRYTON_KEY": "k", "CRM_WRITE_URL": "sqlite:///y.db"},
        }
        assert create(found.kind, settings, SystemClock())
