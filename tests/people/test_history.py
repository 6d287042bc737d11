"""Who changed people, time off, allocations and rates stays on record, with all that was there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from taiga_pipeline.people.calendar_import import Events
from taiga_pipeline.people.model import Allocation, Person, Rate, TimeOff
from taiga_pipeline.people.rates.store import RateStore, Stamp
from taiga_pipeline.people.roster_import import import_roster
from taiga_pipeline.people.roster_layout import RosterOptions
from taiga_pipeline.people.store import PeopleStore, exchange
from taiga_pipeline.pipeline.errors import UnknownName
from taiga_pipeline.pipeline.model import Deal, PlanningChange, PlanningKind
from taiga_pipeline.pipeline.schema import open_store, writing_store
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.tables.planning_changes import recording

NOW: Final = datetime(2026, 11, 27, 9, tzinfo=UTC)
ANA: Final = Person("ana@example.org", "Ana", "Back", ("go",), Decimal(40), starts=date(2024, 1, 1))
BOB: Final = Person("bob@example.org", "Bob", "Front")
OFF: Final = TimeOff(ANA.email, date(2026, 12, 21), date(2026, 12, 23), "holiday")
ON_D1: Final = Allocation("D-1", ANA.email, "Back", Decimal(20), confirmed=False)
RATE: Final = Rate(ANA.email, "", date(2026, 1, 1), Decimal(70), None, "EUR")

Where = tuple[PlanningKind, str, str, str]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_store(database_url, create=True)
    deals = DealStore(engine, lambda: NOW)
    deals.add(Deal("D-1", "Portal"))
    deals.add(Deal("D-2", "App"))
    yield engine
    engine.dispose()


@pytest.fixture
def people(engine: Engine) -> PeopleStore:
    store = PeopleStore(engine, lambda: NOW, "petra")
    store.upsert([ANA, BOB])
    store.add_time_off(OFF)
    store.allocate(ON_D1)
    RateStore(engine).set(RATE, Stamp(NOW, "petra"))
    return store


def newest(people: PeopleStore, count: int) -> list[tuple[object, ...]]:
    return [
        (each.by, each.action, each.kind.value, each.email, dict(each.before), dict(each.after))
        for each in people.history()[-count:]
    ]


def test_what_is_added_is_on_record_as_a_whole(people: PeopleStore) -> None:
    ana, _, off, on_d1, rate = people.history()
    assert {(each.by, each.at, each.action) for each in people.history()} == {("petra", NOW, "add")}
    assert ana.after == {
        "email": ANA.email,
        "name": "Ana",
        "role": "Back",
        "skills": "go",
        "hours_per_week": "40",
        "starts": "2024-01-01",
    }
    assert (off.kind, off.what, off.after["reason"]) == (
        PlanningKind.TIME_OFF,
        "2026-12-21 – 2026-12-23",
        "holiday",
    )
    assert (on_d1.deal_key, on_d1.what, on_d1.after["status"]) == ("D-1", "Back", "tentative")
    assert (rate.kind, rate.after["cost"], rate.before) == (PlanningKind.RATE, "70", {})


def test_an_edit_keeps_the_fields_that_differ(people: PeopleStore) -> None:
    people.edit(ANA.email, {"hours_per_week": Decimal(32), "team": "north"})
    before, after = (
        {"hours_per_week": "40", "team": ""},
        {"hours_per_week": "32", "team": "north"},
    )
    assert newest(people, 1) == [("petra", "edit", "person", ANA.email, before, after)]
    people.allocate(replace(ON_D1, confirmed=True))
    status = {"status": "tentative"}, {"status": "confirmed"}
    assert newest(people, 1) == [("petra", "edit", "allocation", ANA.email, *status)]


def test_what_changes_nothing_or_is_refused_leaves_no_trace(
    people: PeopleStore, tmp_path: Path
) -> None:
    count = len(people.history())
    people.edit(ANA.email, {"team": ANA.team})
    people.add_time_off(OFF)
    with pytest.raises(UnknownName):
        people.exchange([ON_D1], [replace(ON_D1, email="nobody@example.org")])
    roster = tmp_path / "roster.csv"
    roster.write_text("email,name,role\nana@example.org,Ana,Lead\n")
    import_roster(people, roster, RosterOptions(dry_run=True), NOW)
    assert len(people.history()) == count
    assert people.get(ANA.email).role == "Back"


def test_who_is_removed_stays_on_record_with_all_that_went_with_them(people: PeopleStore) -> None:
    people.remove(ANA.email)
    gone = people.history()[-4:]
    assert [(each.action, each.kind.value) for each in gone] == [
        ("remove", kind) for kind in ("person", "time off", "allocation", "rate")
    ]
    assert {each.email for each in gone} == {ANA.email}
    assert gone[2].before["hours_per_week"] == "20"


def test_a_new_address_is_one_change_and_takes_the_past_along(people: PeopleStore) -> None:
    count = len(people.history())
    people.rename(ANA.email, "ann@example.org")
    assert newest(people, 1) == [
        ("petra", "edit", "person", "ann@example.org", {"email": ANA.email},
         {"email": "ann@example.org"})
    ]  # fmt: skip
    assert len(people.history()) == count + 1
    assert ANA.email not in {each.email for each in people.history()}


def test_a_deal_that_goes_takes_its_people_off_by_name_of_who_removed_it(
    people: PeopleStore, engine: Engine
) -> None:
    deals = DealStore(engine, lambda: NOW)
    deals.rename("D-1", "D-9", by="sara")
    assert newest(people, 1) == [
        ("sara", "edit", "allocation", ANA.email, {"deal": "D-1"}, {"deal": "D-9"})
    ]
    assert len(people.history(deal_key="D-9")) == 2
    deals.remove("D-9", by="sara")
    assert [each[:3] for each in newest(people, 1)] == [("sara", "remove", "allocation")]


def _import_roster(people: PeopleStore, engine: Engine, folder: Path) -> None:
    file = folder / "roster.csv"
    file.write_text("email,name,role\nana@example.org,Ana,Lead\ncleo@example.org,Cleo,Back\n")
    import_roster(people, file, RosterOptions(), NOW)


def _import_calendar(people: PeopleStore, engine: Engine, folder: Path) -> None:
    moved = replace(OFF, first=date(2027, 1, 4), last=date(2027, 1, 5))
    nothing: frozenset[str] = frozenset()
    span = date(2026, 1, 1), date(2027, 12, 31)
    people.store_events("a.ics", Events({"1": (moved,)}, nothing, nothing, *span))
    later = replace(moved, first=date(2027, 1, 11), last=date(2027, 1, 12))
    people.store_events("a.ics", Events({"1": (later,)}, nothing, nothing, *span))


def _accept(people: PeopleStore, engine: Engine, folder: Path) -> None:
    new = replace(ON_D1, deal_key="D-2", start=date(2026, 12, 7))
    with writing_store(engine) as connection, recording(connection, NOW, "petra"):
        exchange(connection, [ON_D1], [new])


def _set_rates(people: PeopleStore, engine: Engine, folder: Path) -> None:
    rates, stamp = RateStore(engine), Stamp(NOW, "petra")
    rates.set_each([Rate("", "Back", None, Decimal(60), Decimal("120.50"), "EUR"), RATE], stamp)
    rates.set(replace(RATE, cost=Decimal(75)), stamp)
    rates.remove("back", None, stamp)


def _change_by_hand(people: PeopleStore, engine: Engine, folder: Path) -> None:
    people.upsert([replace(BOB, country="SE"), Person("dora@example.org", "Dora")])
    people.add_time_off(replace(OFF, reason="course"))
    people.remove_time_off(OFF.email, OFF.first, OFF.last)
    people.release("D-1", ANA.email)
    people.rename(BOB.email, "rob@example.org")
    people.remove("rob@example.org")


@pytest.mark.parametrize(
    "work", [_import_roster, _import_calendar, _accept, _set_rates, _change_by_hand]
)
def test_the_record_told_again_from_the_beginning_comes_to_what_is_there(
    people: PeopleStore,
    engine: Engine,
    tmp_path: Path,
    work: Callable[[PeopleStore, Engine, Path], None],
) -> None:
    count = len(people.history())
    work(people, engine, tmp_path)
    later = people.history()[count:]
    assert later
    assert {(each.by, each.at) for each in later} == {("petra", NOW)}
    assert told_again(people.history()) == {
        *((person.email, person.name, person.role, person.country) for person in people.people()),
        *((each.email, str(each.first), str(each.last), each.reason) for each in people.time_off()),
        *((each.email, each.deal_key, f"{each.start or ''}") for each in people.allocations()),
        *((each.email, f"{each.cost}") for each in RateStore(engine).rates()),
    }


def told_again(changes: list[PlanningChange]) -> set[tuple[str, ...]]:
    """Returns what is there after some changes, as `SHOWN` fields."""
    there: dict[Where, dict[str, str]] = {}
    for each in changes:
        where = (each.kind, each.email, each.deal_key, each.what)
        before = {name: there.get(where, {}).get(name, "") for name in each.before}
        former = each.before.get("email")
        if each.before and former in (None, each.email):
            assert before == each.before
        there.setdefault(where, {}).update(each.after)
        if each.action == "remove":
            del there[where]
    shown = {
        PlanningKind.PERSON: ("name", "role", "country"),
        PlanningKind.TIME_OFF: ("first", "last", "reason"),
        PlanningKind.ALLOCATION: ("deal", "start"),
        PlanningKind.RATE: ("cost",),
    }
    return {
        (email, *(cells.get(name, "") for name in shown[kind]))
        for (kind, email, _, _), cells in there.items()
    }
