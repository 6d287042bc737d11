"""Dates are read as people mean them, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.dates import DateReading, End, read_day, survey_dates
from taiga_pipeline.pipeline.values.months import month_number

BERLIN = ZoneInfo("Europe/Berlin")
LANGUAGES = [
    "en",
    "sv",
    "de",
    "fr",
    "es",
    "pt",
    "nl",
    "da",
    "nb",
    "fi",
    "it",
    "pl",
    "cs",
    "sk",
    "hu",
    "tr",
    "ro",
]
NEW_YEARS_EVE = date(2026, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-31", "2026/12/31", "2026.12.31", "20261231", "12/31/2026", "31/12/2026",
        "31.12.2026", "31-12-2026", "12/31/26", "31.12.26", "31-Dec-2026", "Dec 31, 2026",
        "31. Dezember 2026", "31 déc. 2026", "31 décembre 2026", "den 31 december 2026",
        "31 de diciembre de 2026", "31 de dezembro de 2026", "December 31st, 2026",
        "Thu, Dec 31 2026", "torsdag 31 december 2026", "Donnerstag, 31. Dezember 2026",
        "2026-Dec-31", "31.12.2026 09:20", "31.12.2026, 09:20 Uhr", "12/31/2026 5:00 PM",
        "12/31/2026 12:00 AM", "2026/12/31 17:00:00", "2026-12-31 17:00", "2026-12-31T17:00:00.000",
        "2026-12-30T23:30:00Z", "2026-12-31T22:59:59+0000", "2026-12-31 23:30:00+01:00",
        "20261231T101112Z", "Q4 2026", "2026-Q4", "2026Q4", "H2 2026", "2026-12", "12/2026",
        "Dec 2026", "december 2026", "2026-W53-4", "Q4/26", "Q4'26", "Q4-26", "4Q26", "4Q 2026",
        "H2/26", "2H26", "Dec-26", "Dec '26", "dez/26", "Thu Dec 31 2026",
        "Thu Dec 31 2026 00:00:00 GMT+0100 (CET)", "Thu Dec 31 00:00:00 2026",
        "Thu Dec 31 2026 00:00:00 GMT+0100 (Central European Standard Time)",
        "Thu, 31 Dec 2026 00:00:00 GMT",
        "31 / 12 / 2026", "31–12–2026", "31‑12‑2026", "'31/12/2026", '="31/12/2026"',
        "31.12.2026 r.",
        "2026年12月31日", "2026年12月31日 17:00", "2026년 12월 31일",
        "٣١/١٢/٢٠٢٦", "2026-12\u200b-31",
        "31. prosince 2026", "2026-12-31T17:00:00+01:00[Europe/Berlin]", "kv4 2026",
        "kvartal 4 2026", "4. Quartal 2026", "4e kwartaal 2026", "4T2026", "4º trimestre de 2026",
        "end of Q4 2026", "Ende Q4 2026", "slutet av Q4 2026", "fin de décembre 2026",
        "end of 2026",
        "/Date(1798675200000)/", "/Date(1798675200000+0100)/", r"\/Date(1798675200000)\/",
    ],
)  # fmt: skip
def test_a_day_is_read_as_it_is_meant(text: str) -> None:
    assert DateReading(zone=BERLIN).day(text) == NEW_YEARS_EVE


def test_a_day_that_javascript_wrote_out_is_that_day_in_any_zone() -> None:
    text = "Thu Nov 26 2026 00:00:00 GMT+0100 (CET)"
    assert DateReading(zone=UTC).day(text) == date(2026, 11, 26)
    late = "Thu Nov 26 2026 00:30:00 GMT+0100 (CET)"
    assert DateReading(zone=UTC).day(late) == date(2026, 11, 25)


def test_a_month_with_a_short_year_is_said_for_a_column_and_refused_alone() -> None:
    reading = survey_dates(["Dec-26", "Jan-27"])
    assert reading.day("Jan-27") == date(2027, 1, 31)
    assert reading.why == "2 cells such as 'Dec-26' hold a month and its year"
    with pytest.raises(InvalidValue, match="is not a date"):
        read_day("Dec-26")


@pytest.mark.parametrize("text", ["26112026", "2027", "11/2026/26"])
def test_figures_that_are_no_known_date_are_refused_with_the_option(text: str) -> None:
    with pytest.raises(InvalidValue, match="say how it is written with --date-format"):
        DateReading().day(text)
    assert DateReading("%d%m%Y", named=True).day("26112026") == date(2026, 11, 26)


def test_a_moment_falls_on_the_day_of_the_time_zone() -> None:
    assert DateReading(zone=BERLIN).day("2026-03-31T22:00:00Z") == date(2026, 4, 1)
    assert DateReading(zone=UTC).day("2026-03-31T22:00:00Z") == date(2026, 3, 31)


def test_a_period_is_its_last_day_or_its_first() -> None:
    reading = DateReading()
    assert reading.day("Q4 2026", End.FIRST) == date(2026, 10, 1)
    assert reading.day("2026-12", End.FIRST) == date(2026, 12, 1)
    assert reading.day("KW 12 2027", End.FIRST) == date(2027, 3, 22)


@pytest.mark.parametrize(
    "text",
    [
        "v.48 2026", "2026 v48", "W48-2026", "wk 48 2026", "uke 48 2026", "uge 48, 2026",
        "semaine 48 2026", "viikko 48/2026", "vko 48 2026", "týden 48 2026", "KW48/2026",
    ],
)  # fmt: skip
def test_a_week_is_known_by_its_word_in_many_languages(text: str) -> None:
    reading = DateReading()
    assert (reading.day(text, End.FIRST), reading.day(text)) == (
        date(2026, 11, 23),
        date(2026, 11, 27),
    )


def test_the_end_of_a_period_is_its_last_day_where_something_begins_too() -> None:
    assert DateReading().day("end of Q3 2026", End.FIRST) == date(2026, 9, 30)


def test_a_moment_is_read_in_the_time_zone_unless_it_has_its_own() -> None:
    reading = DateReading(zone=BERLIN)
    assert reading.moment("2026-03-31 22:00") == datetime(2026, 3, 31, 20, tzinfo=UTC)
    assert reading.moment("2026-03-31") == datetime(2026, 3, 30, 22, tzinfo=UTC)
    assert reading.moment("2026-03-31T22:00Z") == datetime(2026, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "N/A", "0000-00-00", "00/00/0000", "0000-00-00 00:00:00", "0001-01-01", "9999-12-31",
        "9999-12-31T23:59:59Z", "31.12.9999", "1899-12-30", "1/1/1900", "1/0/1900", "1900-01-00",
        "1970-01-01",
    ],
)  # fmt: skip
def test_days_that_programs_write_for_no_date_are_none(text: str) -> None:
    assert DateReading().day(text) is None
    assert DateReading().moment(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30", "2026-13-01", "31.13.2026", "today", "Dec 26", "3-Jan", "31.12.", "10:30",
        "2026-12-31 25:00", "2026-12-31 10:00 CET", "end of Q3", "v.48", "mid Q3 2026",
        "sem. 2 2026",
        "2026-12-31T10:00:00[Europe/Berlin]", "9" * 5000, "abc", "2026", "1er 2026",
        "31 Foo 2026",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        DateReading().day(text)
    assert len(str(refused.value)) < 300


def test_points_among_dates_that_begin_with_the_month_leave_their_cells_in_doubt() -> None:
    reading = survey_dates(["6/14/2027", "01.12.2027", "5/5/2027"])
    assert reading.day("6/14/2027") == date(2027, 6, 14)
    with pytest.raises(InvalidValue, match="1 of 3 cells have points") as refused:
        reading.day("01.12.2027")
    assert "--date-format %d/%m/%Y or --date-format %m/%d/%Y" in str(refused.value)
    assert survey_dates(["6/14/2027", "06.15.2027"]).form == "%m/%d/%Y"


@pytest.mark.parametrize(
    ("cells", "form", "why"),
    [
        (["12/31/2026", "01/02/2026"], "%m/%d/%Y", "%m/%d/%Y reads all 2 cells, %d/%m/%Y 1"),
        (["31/12/2026", "01/02/2026"], "%d/%m/%Y", "%d/%m/%Y reads all 2 cells, %m/%d/%Y 1"),
        (["01.02.2026", "02.03.2026"], "%d/%m/%Y", "points begin with the day"),
        (["12.31.2026", "01.02.2026"], "%m/%d/%Y", "reads all 2 cells"),
        (["31-12-26", "15-01-27", "03-02-27"], "%d/%m/%Y", "reads all 3 cells"),
        (["26-12-31", "27-01-15", "27-02-03"], "%y/%m/%d", "reads all 3 cells"),
        (["45000", "45001"], "excel", "serial numbers"),
        (["1743379200000", "1743379200001"], "unix-ms", "milliseconds"),
        (["2026-12-31", "31 Dec 2026"], "", ""),
    ],
)
def test_a_column_decides_and_says_why(cells: list[str], form: str, why: str) -> None:
    reading = survey_dates(cells)
    assert reading.form == form
    assert why in reading.why


@pytest.mark.parametrize(
    ("cells", "refused"),
    [
        (["01/02/2026", "03/04/2026"], ["01/02/2026", "03/04/2026"]),
        (["31/12/2026", "12/31/2026", "01/02/2026"], ["01/02/2026"]),
        (["45000", "2026-12-31"], ["45000"]),
        (["1743379200000", "2026-12-31"], ["1743379200000"]),
        (["26-12-31"], ["26-12-31"]),
    ],
)
def test_what_a_column_leaves_open_is_refused_with_the_option(
    cells: list[str], refused: list[str]
) -> None:
    reading = survey_dates(cells)
    for cell in cells:
        if cell in refused:
            with pytest.raises(InvalidValue, match="--date-format"):
                reading.day(cell)
        else:
            assert reading.day(cell) is not None


def test_the_same_day_in_both_orders_is_no_question() -> None:
    assert DateReading().day("5/5/2026") == date(2026, 5, 5)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d.%m.%Y %H:%M", "31.12.2026 09:20"),
        ("%m/%d/%Y %I:%M %p", "12/31/2026 5:00 PM"),
        ("%d%m%Y", "31122026"),
        ("excel", "46387"),
        ("unix", "1798675200"),
        ("unix-ms", "1798675200000"),
        ("%m/%d/%Y", "2026-12-31"),
    ],
)
def test_a_named_form_reads_its_cells_and_iso_beside_them(form: str, text: str) -> None:
    assert survey_dates([], form).day(text) == NEW_YEARS_EVE


def test_a_named_form_decides_against_the_column() -> None:
    reading = survey_dates(["01/02/2026"], "%m/%d/%Y")
    assert reading.day("01/02/2026") == date(2026, 1, 2)
    with pytest.raises(InvalidValue, match="not a date of the form"):
        reading.day("31/12/2026")


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_are_known_in_full_and_abbreviated(language: str) -> None:
    months = Locale.parse(language).months
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in months[context][width].items():
                assert month_number(name) == number, name


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None)
@given(day=st.dates(date(1971, 1, 1), date(2070, 12, 31)))
def test_what_a_language_writes_is_read_back(language: str, day: date) -> None:
    for length in ("medium", "long"):
        written = format_date(day, length, locale=language)
        assert DateReading().day(written) == day, written


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        DateReading().day(text)
        DateReading().moment(text)
    except InvalidValue:
        return
