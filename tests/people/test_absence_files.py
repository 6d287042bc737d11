"""Time off from HR programs: their headers, weeks, days by number, requests that no one granted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from taiga_pipeline.people.csv_files import RowsReport, Writing, import_time_off
from taiga_pipeline.people.model import Person, TimeOff
from taiga_pipeline.people.store import PeopleStore
from taiga_pipeline.problems import ProblemsError

Import = Callable[..., RowsReport]


NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleStore]:
    store = PeopleStore.open(
        f"sqlite:///{tmp_path / 'people.db'}",
        lambda: datetime(2026, 11, 23, tzinfo=UTC),
        create=True,
    )
    for email, name in (
        ("ana@x.test", "Ana Müller"),
        ("bo@x.test", "Bo Ek"),
        ("b@x.test", "Bo Ek"),
    ):
        store.add(Person(email, name))
    yield store
    store.close()


@pytest.fixture
def run(people: PeopleStore, tmp_path: Path) -> Import:
    def invoke(text: str, **writing: object) -> RowsReport:
        file = tmp_path / "off.csv"
        file.write_text(text, encoding="utf-8")
        return import_time_off(people, file, Writing(**writing))  # type: ignore[arg-type]

    return invoke


def spans(people: PeopleStore) -> list[tuple[str, str, str, str]]:
    def span(each: TimeOff) -> tuple[str, str, str, str]:
        return each.email[:3], str(each.first), str(each.last), each.reason

    return sorted(map(span, people.time_off("")))


@pytest.mark.parametrize(
    "text",
    [
        "Employee,From,To,Days,Type,Status\nAna Müller,2026-12-21,2026-12-23,3,Vacation,approved\n",
        "E-Mail;Von;Bis;Art\nana@x.test;21.12.2026;23.12.2026;Vacation\n",
        "Work Email,Start Date,End Date,Leave Type\nAna@x.test,12/21/2026,12/23/2026,Vacation\n",
        "Förnamn;Efternamn;Fr.o.m.;T.o.m.;Orsak\nAna;Müller;2026-12-21;2026-12-23;Vacation\n",
        'Name,Begin,Days,Category\n"Müller, Ana",2026-12-21,3,Vacation\n',
        "Name,From,Days,Category\nana müller,2026-12-21,3 days,Vacation\n",
    ],
)
def test_files_of_hr_programs_are_read_by_their_headers(
    run: Import, people: PeopleStore, text: str
) -> None:
    report = run(text)
    assert report.bad_rows == ()
    assert spans(people) == [("ana", "2026-12-21", "2026-12-23", "Vacation")]


def test_other_headers_are_named_or_left_out(run: Import, people: PeopleStore) -> None:
    text = "wer,vom,bis zum,Type\nana@x.test,2026-12-21,2026-12-23,Sick\n"
    with pytest.raises(ProblemsError, match="no column 'email'"):
        run(text)
    columns = {"email": "wer", "first": "vom", "last": "Bis zum", "reason": ""}
    run(text, columns=columns)
    assert spans(people) == [("ana", "2026-12-21", "2026-12-23", "")]
    with pytest.raises(ProblemsError, match=r"--column fist=vom: no field 'fist'.*first"):
        run(text, columns={"fist": "vom"})
    with pytest.raises(ProblemsError, match="no column 'when'"):
        run(text, columns={"first": "when"})


@pytest.mark.parametrize(
    ("row", "last"),
    [
        ("2026-W52,", "2026-12-25"),
        ("2026-W51,2026-W52", "2026-12-25"),
        ("2026-12-25,", "2026-12-25"),
    ],
)
def test_a_week_is_all_of_it(run: Import, people: PeopleStore, row: str, last: str) -> None:
    run(f"email,first,last\nana@x.test,{row}\n")
    assert [each[2] for each in spans(people)] == [last]


def test_a_number_of_days_counts_working_days(run: Import, people: PeopleStore) -> None:
    run("email,from,days\nana@x.test,2026-12-17,3.5\n")  # a Thursday
    assert spans(people) == [("ana", "2026-12-17", "2026-12-22", "")]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("2026-12-21,2026-12-21,0.5,Vacation,approved", "half a day or less"),
        ('2026-12-21,2026-12-21,"0,5",Vacation,', "half a day or less"),
        ("2026-12-21,2026-12-23,3,Vacation,Requested", "not decided yet"),
        ("2026-12-21,2026-12-23,3,Vacation,Abgelehnt", "declined"),
        ("2026-12-21,2026-12-23,3,Vacation,Storniert", "cancelled"),
        ("2026-12-21,2026-12-23,3,Home Office,approved", "working elsewhere"),
    ],
)
def test_rows_that_are_no_time_off_by_their_own_word_are_counted(
    run: Import, people: PeopleStore, row: str, why: str
) -> None:
    report = run(f"Email,From,To,Days,Type,Status\nana@x.test,{row}\n")
    assert spans(people) == []
    assert report.bad_rows == ()
    (notice,) = report.notices
    assert notice.startswith("1 row no time off: ")
    assert why in notice


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Cy Twin", "no person on the roster is called 'Cy Twin'"),
        ("Bo Ek", "the name of b@x.test, bo@"),
    ],
)
def test_a_name_that_is_nobodys_or_of_several_is_left_out(
    run: Import, name: str, reason: str
) -> None:
    (bad,) = run(f"Employee,From,To\n{name},2026-12-21,2026-12-23\n").bad_rows
    assert reason in bad.reason


def test_what_is_exported_is_read_as_it_was(run: Import, people: PeopleStore) -> None:
    people.add_time_off(TimeOff("ana@x.test", date(2026, 12, 21), date(2026, 12, 23), "Pending"))
    report = run("email,first,last,reason\nana@x.test,2026-12-21,2026-12-23,Pending\n")
    assert (report.unchanged, report.notices) == (1, ())
