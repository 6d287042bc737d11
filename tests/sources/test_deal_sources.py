"""Sources read what is there, put bad rows aside, and say when they did not see the whole."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sync.clock import Clock, SystemClock
from sync.errors import Unreachable
from taiga_pipeline.people.model import Allocation, Person
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.registry import create, kinds

CLOCK: Clock = SystemClock()


def csv_source(folder: Path, data: bytes | str, **settings: object):  # type: ignore[no-untyped-def]
    (folder / "deals.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return create("csv", {"file": "deals.csv", "folder": str(folder), **settings}, CLOCK)


def test_the_store_gives_deals_people_and_allocations(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pipeline.db'}"
    deals = DealStore.open(url, lambda: datetime(2026, 1, 1, tzinfo=UTC), create=True)
    deals.upsert([Deal("D-1", "a"), Deal("D-2", "b")])
    people = PeopleStore.open(url, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    people.add(Person("a@x.se", "A"))
    people.allocate(Allocation("D-2", "a@x.se", "Back", Decimal(5)))

    reading = create("store", {"kind": "store", "url": url}, CLOCK).read()

    assert [deal.key for deal in reading.deals] == ["D-1", "D-2"]
    assert list(reading.allocations) == ["D-2"]
    assert list(reading.people) == ["a@x.se"]
    assert reading.complete and not reading.quarantined
    deals.close()
    people.close()


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    source = create("store", {"url": f"sqlite:///{tmp_path / 'gone.db'}"}, CLOCK)
    with pytest.raises(Unreachable, match=r"gone\.db"):
        source.read()
    assert not (tmp_path / "gone.db").exists()


def test_a_csv_file_is_read_with_the_same_settings_as_an_import(tmp_path: Path) -> None:
    source = csv_source(
        tmp_path,
        "Nr;Account;Phase;Wert\n1;Åker;Offen;1.200,50\n2;Bo;Offen;x\n",
        columns={"key": "Nr"},
        stages={"Offen": "Proposal"},
        defaults={"team": "north"},
        name="{customer}",
        currency="EUR",
    )
    reading = source.read()
    (deal,) = reading.deals
    assert (deal.name, deal.stage, deal.value) == ("Åker", "Proposal", Decimal("1200.50"))
    assert (deal.currency, deal.team) == ("EUR", "north")
    (bad,) = reading.quarantined
    assert (bad.key, bad.place) == ("2", f"{tmp_path / 'deals.csv'}:3")
    assert reading.complete


def test_people_and_allocations_beside_the_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,name\nA@x.se,A\nnope,B\n")
    (tmp_path / "team.csv").write_text(
        "deal,email,role,hours_per_week\n1,a@x.se,Back,20\n1,a@x.se,Design,5\n"
    )
    reading = csv_source(tmp_path, "key,name\n1,a\n", allocations="team.csv").read()
    assert list(reading.people) == ["a@x.se"]
    assert [each.role for each in reading.allocations["1"]] == ["Back", "Design"]
    assert [bad.place for bad in reading.quarantined] == [f"{tmp_path / 'people.csv'}:3"]


def test_people_beside_the_file_may_be_the_roster_of_an_hr_program(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "E-Mail;Vorname;Nachname;Beschäftigungsgrad;Eintrittsdatum\n"
        "ana@x.se;Ana;Ek;80;01.03.2025\nbo@x.se;Bo;Li;100;01.04.2025\n",
        encoding="utf-8",
    )
    people = csv_source(tmp_path, "key,name\n1,a\n").read().people
    ana = people["ana@x.se"]
    assert (ana.name, ana.hours_per_week, ana.starts) == ("Ana Ek", Decimal(32), date(2025, 3, 1))
    assert people["bo@x.se"].hours_per_week == Decimal(40)


@pytest.mark.parametrize(
    "data",
    [
        "key,name,team\n1,a,x\n2,b",
        'key,name,team\n1,a,x\n2,"b\n',
        b"key,name,team\n1,a,x\n2,\xc5sa,x\n",
        "key,name,team\n1,a,x\n,b,x\n",
    ],
)
def test_what_may_not_be_the_whole_is_not_complete(tmp_path: Path, data: bytes | str) -> None:
    reading = csv_source(tmp_path, data).read()
    assert [deal.key for deal in reading.deals] == ["1"]
    assert len(reading.quarantined) == 1
    assert not reading.complete


@pytest.mark.parametrize(
    ("column", "cell", "setting", "choices"),
    [
        ("value", "1.200", "decimal", (".", ",")),
        ("probability", "1", "probability_scale", ("percent", "fraction")),
        ("close date", "03/04/2027", "date_format", ("%d/%m/%Y", "%m/%d/%Y")),
    ],
)
def test_a_cell_in_doubt_names_the_setting_as_the_configuration_has_it(
    tmp_path: Path, column: str, cell: str, setting: str, choices: tuple[str, str]
) -> None:
    source = csv_source(tmp_path, f"id,name,stage,{column}\n1,a,Proposal,{cell}\n")
    (row,) = source.read().quarantined
    said = " or ".join(f'[source] {setting} = "{choice}"' for choice in choices)
    assert row.reason.endswith(said)


def test_a_file_in_a_named_encoding_is_complete(tmp_path: Path) -> None:
    reading = csv_source(tmp_path, b"key,name\n2,\xc5sa\n", encoding="latin-1").read()
    assert [deal.name for deal in reading.deals] == ["Åsa"]
    assert reading.complete


def test_a_utf_16_file_is_read(tmp_path: Path) -> None:
    reading = csv_source(tmp_path, "key,name\n2,Åsa\n".encode("utf-16")).read()
    assert [deal.name for deal in reading.deals] == ["Åsa"]


def test_a_missing_file_stops_the_read(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "key,name\n")
    (tmp_path / "deals.csv").unlink()
    with pytest.raises(Unreachable, match=r"deals\.csv cannot be read"):
        source.read()


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProblemsError, match="'stor': no such source; did you mean 'store'"):
        create("stor", {}, CLOCK)
    assert {"csv", "store"} <= kinds().keys()


def test_all_wrong_settings_are_reported_at_once() -> None:
    with pytest.raises(ProblemsError) as caught:
        create("csv", {"fle": "x", "encodng": "y"}, CLOCK)
    text = str(caught.value)
    assert "did you mean 'file'" in text
    assert "did you mean 'encoding'" in text
    assert "[source] file is missing" in text


@pytest.mark.parametrize("settings", [{"file": 5}, {"file": "x", "columns": {"key": 5}}])
def test_settings_of_the_wrong_type_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ProblemsError, match=r"must be"):
        create("csv", settings, CLOCK)
