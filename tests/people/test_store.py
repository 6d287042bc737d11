"""The roster knows people by their address, and who works on what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from taiga_pipeline.people.csv_files import (
    ALLOCATIONS_FILE,
    PEOPLE_FILE,
    TIME_OFF_FILE,
    import_allocations,
    import_time_off,
    write_file,
)
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.roster_import import RosterReport, import_roster
from taiga_pipeline.people.roster_layout import RosterOptions
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.pipeline.errors import AddressTaken, InvalidValue, UnknownName
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.schema import open_store
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError

ANNA = Person(
    "anna@example.org",
    "Anna =Berg",
    "Back",
    ("python", "c, or c++"),
    Decimal("37.5"),
    "north",
    "SE",
    date(2024, 1, 1),
    date(2027, 12, 31),
)
ON_D1 = Allocation("D-1", "anna@example.org", "Back", Decimal(20))


NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def import_people(people: PeopleStore, file: Path) -> RosterReport:
    return import_roster(people, file, RosterOptions(), NOW)


@pytest.fixture
def people(database_url: str) -> Iterator[PeopleStore]:
    engine = open_store(database_url, create=True)
    deals = DealStore(engine, lambda: datetime(2026, 11, 2, tzinfo=UTC))
    deals.add(Deal("D-1", "Portal"))
    deals.add(Deal("D-2", "App"))
    yield PeopleStore(engine, lambda: NOW)
    engine.dispose()


def test_a_person_comes_back_exactly_and_is_known_by_address_in_any_case(
    people: PeopleStore,
) -> None:
    people.add(replace(ANNA, email=" Anna@Example.org"))
    assert people.get("ANNA@example.ORG") == ANNA
    assert list(people.people()) == [ANNA]


def test_an_address_is_taken_only_once(people: PeopleStore) -> None:
    people.add(ANNA)
    with pytest.raises(AddressTaken, match=r"anna@example\.org is on the roster already"):
        people.add(Person("ANNA@EXAMPLE.ORG", "Another"))
    assert people.count() == 1


@pytest.mark.parametrize(
    "email",
    ["", "anna", "anna@", "@x.se", "a b@x.se", "a@b", "a@x.se,b@x.se", "<a@x.se>", "a@@x.se"],
)
def test_what_is_no_address_is_refused(people: PeopleStore, email: str) -> None:
    with pytest.raises(InvalidValue, match="not an e-mail address"):
        people.add(replace(ANNA, email=email))


@pytest.mark.parametrize(
    "change",
    [
        {"hours_per_week": Decimal(-1)},
        {"hours_per_week": Decimal(169)},
        {"hours_per_week": Decimal("NaN")},
        {"country": "Sweden"},
        {"starts": date(2026, 2, 1), "ends": date(2026, 1, 1)},
    ],
)
def test_people_that_cannot_be_are_refused(people: PeopleStore, change: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        people.add(replace(ANNA, **change))  # type: ignore[arg-type]


def test_an_address_with_invisible_characters_is_the_same_person(
    people: PeopleStore, tmp_path: Path
) -> None:
    file = tmp_path / "p.csv"
    for text in ("ana@example.com", "ana@example.com\u200b", "\ufeffAna <ana@exa\u00admple.com>"):
        file.write_text(f"email,name,hours_per_week\n{text},Ana,30\n", encoding="utf-8")
        assert not import_people(people, file).bad_rows
    assert [each.email for each in people.people()] == ["ana@example.com"]


def test_a_person_is_edited_but_for_the_address(people: PeopleStore) -> None:
    people.add(ANNA)
    assert people.edit("anna@example.org", {"role": "Lead"}).role == "Lead"
    with pytest.raises(InvalidValue, match="address cannot be edited"):
        people.edit("anna@example.org", {"email": "x@y.se"})


def test_the_nearest_person_is_named(people: PeopleStore) -> None:
    people.add(ANNA)
    with pytest.raises(UnknownName, match=r"did you mean 'anna@example\.org'"):
        people.get("ana@example.org")
    with pytest.raises(UnknownName, match=r"did you mean 'anna@example\.org'"):
        people.get("Anna Berg")


def test_time_off_is_recorded_once_and_taken_back(people: PeopleStore) -> None:
    people.add(ANNA)
    days = TimeOff("ANNA@example.org", date(2026, 12, 20), date(2027, 1, 2), "leave")
    people.add_time_off(days)
    people.add_time_off(replace(days, reason="parental leave"))

    (recorded,) = people.time_off("anna@example.org")
    assert recorded == replace(days, email=ANNA.email, reason="parental leave")
    with pytest.raises(UnknownName, match="recorded: 2026-12-20 to 2027-01-02"):
        people.remove_time_off(ANNA.email, date(2026, 12, 20), date(2026, 12, 21))
    people.remove_time_off(ANNA.email, recorded.first, recorded.last)
    assert people.time_off() == []


def test_time_off_the_wrong_way_round_or_of_nobody_is_refused(people: PeopleStore) -> None:
    people.add(ANNA)
    with pytest.raises(InvalidValue, match="before the first day"):
        people.add_time_off(TimeOff(ANNA.email, date(2026, 2, 1), date(2026, 1, 1)))
    with pytest.raises(UnknownName):
        people.add_time_off(TimeOff("bo@example.org", date(2026, 1, 1), date(2026, 1, 1)))


def test_a_person_is_allocated_and_the_same_again_is_a_change(people: PeopleStore) -> None:
    people.add(ANNA)
    people.allocate(ON_D1)
    people.allocate(replace(ON_D1, role="BACK", hours_per_week=Decimal("12.5"), confirmed=False))
    people.allocate(replace(ON_D1, start=date(2027, 1, 1)))

    first, second = people.allocations(deal_key="D-1")
    assert (first.hours_per_week, first.confirmed) == (Decimal("12.5"), False)
    assert second.start == date(2027, 1, 1)


def test_unknown_deals_and_people_are_answered_with_the_nearest(people: PeopleStore) -> None:
    people.add(ANNA)
    with pytest.raises(UnknownName, match=r"no deal 'D1'; did you mean 'D-1'"):
        people.allocate(replace(ON_D1, deal_key="D1"))
    with pytest.raises(UnknownName, match=r"did you mean 'anna@example\.org'"):
        people.allocate(replace(ON_D1, email="anna@example.com"))


@pytest.mark.parametrize("hours", [Decimal(0), Decimal(-1), Decimal(200)])
def test_hours_that_cannot_be_are_refused(people: PeopleStore, hours: Decimal) -> None:
    people.add(ANNA)
    with pytest.raises(InvalidValue, match="hours per week"):
        people.allocate(replace(ON_D1, hours_per_week=hours))


def test_a_person_is_released_in_one_role_or_all(people: PeopleStore) -> None:
    people.add(ANNA)
    people.allocate(ON_D1)
    people.allocate(replace(ON_D1, role="Lead"))
    assert [each.role for each in people.release("D-1", "ANNA@example.org", "lead")] == ["Lead"]
    assert len(people.release("D-1", ANNA.email)) == 1
    with pytest.raises(UnknownName, match="on it: no person"):
        people.release("D-1", ANNA.email)


def test_who_leaves_the_roster_leaves_no_allocations(people: PeopleStore) -> None:
    people.add(ANNA)
    people.allocate(ON_D1)
    people.add_time_off(TimeOff(ANNA.email, date(2026, 1, 1), date(2026, 1, 1)))
    people.remove(ANNA.email)
    assert (people.allocations(), people.time_off(), people.count()) == ([], [], 0)


def test_a_roster_goes_through_a_file_without_loss(people: PeopleStore, tmp_path: Path) -> None:
    bo = Person("bo@example.org", "@bo", hours_per_week=Decimal(0))
    people.upsert([ANNA, bo])
    people.add_time_off(TimeOff(ANNA.email, date(2026, 1, 1), date(2026, 1, 2), "-"))
    people.allocate(replace(ON_D1, start=date(2027, 1, 1), end=date(2027, 2, 1), confirmed=False))
    files = [tmp_path / name for name in ("people.csv", "off.csv", "allocations.csv")]
    with files[0].open("w", newline="") as stream:
        write_file(PEOPLE_FILE, people.people(), stream)
    with files[1].open("w", newline="") as stream:
        write_file(TIME_OFF_FILE, people.time_off(), stream)
    with files[2].open("w", newline="") as stream:
        write_file(ALLOCATIONS_FILE, people.allocations(), stream)
    before = (list(people.people()), people.time_off(), people.allocations())
    again = [
        import_people(people, files[0]),
        import_time_off(people, files[1]),
        import_allocations(people, files[2]),
    ]
    assert [(each.added, each.changed, each.unchanged, each.bad_rows) for each in again] == [
        (0, 0, 2, ()),
        (0, 0, 1, ()),
        (0, 0, 1, ()),
    ]
    for person in before[0]:
        people.remove(person.email)
    import_people(people, files[0])
    import_time_off(people, files[1])
    import_allocations(people, files[2])
    assert (list(people.people()), people.time_off(), people.allocations()) == before


def test_bad_rows_of_a_roster_are_reported_and_the_rest_goes_in(
    people: PeopleStore, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "E-Mail;Name;Hours per week;Desk\nAnna@example.org;Anna;37,5;7\nnope;X;40;\n"
        "anna@example.org;Twice;40;\nbo@example.org;Bo;lots;\nbo@example.org\n"
    )
    report = import_people(people, file)
    assert (report.added, report.unused_headers) == (1, ("Desk",))
    assert [bad.line for bad in report.bad_rows] == [3, 4, 5, 6]
    assert "is in line 2 already" in report.bad_rows[1].reason
    assert people.get("anna@example.org").hours_per_week == Decimal("37.5")


def test_allocations_of_unknown_deals_and_people_are_reported_by_line(
    people: PeopleStore, tmp_path: Path
) -> None:
    people.add(ANNA)
    file = tmp_path / "allocations.csv"
    file.write_text(
        "deal,email,role,hours_per_week,status\nD-1,anna@example.org,Back,20,\n"
        "D-9,anna@example.org,Back,20,\nD-2,ann@example.org,Back,20,\n"
        "D-2,anna@example.org,Back,20,maybe\nD-2,anna@example.org,Back,9,Tentative\n"
    )
    report = import_allocations(people, file)
    assert (report.added, [bad.line for bad in report.bad_rows]) == (2, [3, 4, 5])
    assert [each.confirmed for each in people.allocations()] == [True, False]


def test_a_roster_without_addresses_is_refused(people: PeopleStore, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,mall\nAnna,a@x.se\n")
    with pytest.raises(ProblemsError, match=r"no column 'email'; did you mean 'mall'"):
        import_people(people, file)
