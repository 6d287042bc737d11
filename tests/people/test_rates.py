"""Rates are kept with their days and their history, and come and go as CSV."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from taiga_pipeline.people.csv_files import AS_FOUND, write_file
from taiga_pipeline.people.model import Person, Rate
from taiga_pipeline.people.rates.files import import_rates, rates_file, read_rate
from taiga_pipeline.people.rates.store import RateStore, Stamp
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName, UnknownPerson
from taiga_pipeline.pipeline.schema import open_store

BACK = Rate("", "Back", None, Decimal(60), Decimal("120.50"), "EUR")
ANA = Rate("ana@example.org", "", date(2026, 1, 1), Decimal(70), None, "EUR")
NOW = Stamp(datetime(2026, 11, 27, 9, tzinfo=UTC), "maya")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_store(database_url, create=True)
    PeopleStore(engine, lambda: NOW.at).add(Person("ana@example.org", "Ana", "Back"))
    yield engine
    engine.dispose()


@pytest.fixture
def rates(engine: Engine) -> RateStore:
    store = RateStore(engine)
    store.set_each([ANA, BACK], NOW)
    return store


def test_rates_come_back_roles_before_people(rates: RateStore) -> None:
    assert rates.rates() == (BACK, ANA)


def test_the_same_day_again_changes_a_rate_and_keeps_what_is_left_out(rates: RateStore) -> None:
    assert rates.set(replace(BACK, cost=None, role="BACK", bill=Decimal(130)), NOW) == "changed"
    assert rates.rates()[0] == replace(BACK, bill=Decimal(130))
    assert rates.set(replace(BACK, bill=Decimal(130)), NOW) is Outcome.UNCHANGED
    assert len(rates.history()) == 3


def test_the_history_tells_when_and_by_whom_also_of_what_was_taken_back(rates: RateStore) -> None:
    rates.remove("back", None, replace(NOW, by="tom"))
    assert rates.rates() == (ANA,)
    first, last = rates.history("Back")
    assert (first.rate, first.by, first.is_removal) == (BACK, "maya", False)
    assert (last.by, last.is_removal) == ("tom", True)
    rates.set(BACK, NOW)
    assert rates.rates() == (BACK, ANA)


def test_a_rate_goes_along_with_a_new_address_and_away_with_the_person(
    rates: RateStore, engine: Engine
) -> None:
    PeopleStore(engine, lambda: NOW.at).rename("ana@example.org", "ann@example.org")
    assert rates.rates()[1].email == "ann@example.org"
    PeopleStore(engine, lambda: NOW.at).remove("ann@example.org")
    assert rates.rates() == (BACK,)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (replace(BACK, cost=None, bill=None), "needs a cost, a bill rate, or both"),
        (replace(BACK, cost=Decimal(-1)), "0 or more"),
        (replace(BACK, cost=Decimal(2_000_000)), "up to 1,000,000"),
        (replace(BACK, currency=""), "needs a currency"),
        (replace(BACK, email="ana@example.org"), "of one person"),
        (replace(BACK, role=""), "of one person"),
    ],
)
def test_what_cannot_be_a_rate_is_refused(rates: RateStore, rate: Rate, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        rates.set(rate, NOW)


def test_unknown_people_and_rates_are_named_with_the_nearest(rates: RateStore) -> None:
    with pytest.raises(UnknownPerson, match=r"did you mean 'ana@example\.org'"):
        rates.set(replace(ANA, email="anna@example.org"), NOW)
    with pytest.raises(UnknownName, match="did you mean 'Back'"):
        rates.remove("Bakc", None, NOW)
    with pytest.raises(UnknownName, match="there are: from 2026-01-01"):
        rates.remove("ana@example.org", None, NOW)


def test_rates_go_out_and_come_in_as_csv(rates: RateStore, tmp_path: Path) -> None:
    stream = io.StringIO(newline="")
    write_file(rates_file(), rates.rates(), stream)
    file = tmp_path / "rates.csv"
    file.write_text(stream.getvalue(), encoding="utf-8")
    report = import_rates(rates, file, AS_FOUND, "", NOW)
    assert (report.unchanged, report.bad_rows) == (2, ())
    file.write_text(
        "role,e-mail,since,cost,bill\nDesign,,,55 EUR,\n,nobody@example.org,,9,\nUX,,,x,\n"
        ",ana@example.org,2027-01-01,,99\n",
        encoding="utf-8",
    )
    report = import_rates(rates, file, AS_FOUND, "SEK", NOW)
    assert (report.added, [row.line for row in report.bad_rows]) == (2, [3, 4])
    assert rates.rates()[1] == Rate("", "Design", None, Decimal(55), None, "EUR")
    assert rates.rates()[-1].currency == "SEK"


def test_a_rate_has_one_currency() -> None:
    with pytest.raises(InvalidValue, match="one currency"):
        read_rate(("", "Back"), "60 EUR", "700 SEK", "")
    assert read_rate(("", "Back"), "60", "", "sek").currency == "SEK"
    with pytest.raises(InvalidValue, match="which currency"):
        read_rate(("", "Back"), "60 kr", "", "")
    assert read_rate(("", "Back"), "60 kr", "", "SEK").cost == 60
