"""Values that know their type are taken as they are, and everything else as from a CSV file."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.native import NativeRow, cell_of
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, lay_out
from taiga_pipeline.pipeline.importing.rows import BadRow, Draft, RowReader

STOCKHOLM = ZoneInfo("Europe/Stockholm")
HEADERS = ("key", "name", "value", "probability", "expected_close", "updated_at", "stage")


def read(*cells: object, **options: object) -> Draft | BadRow:
    known = ImportOptions(is_guarded=False, **options)  # type: ignore[arg-type]
    row = (*cells, *[None] * (len(HEADERS) - len(cells)))
    return RowReader(lay_out("f", HEADERS, known), known, Funnel()).read(NativeRow(7, row))


def values(*cells: object, **options: object) -> dict[str, object]:
    draft = read(*cells, **options)
    assert isinstance(draft, Draft), draft
    return dict(draft.values)


def reason(*cells: object, **options: object) -> str:
    bad = read(*cells, **options)
    assert isinstance(bad, BadRow), bad
    return bad.reason


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("text", "text"),
        (17, Decimal(17)),
        (0.1, Decimal("0.1")),
        (Decimal("1.50"), Decimal("1.50")),
        (date(2026, 1, 2), date(2026, 1, 2)),
        (datetime(2026, 1, 2, 3, tzinfo=STOCKHOLM), datetime(2026, 1, 2, 2, tzinfo=UTC)),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_what_a_database_gives_becomes_a_cell(value: object, cell: object) -> None:
    assert cell_of(value) == cell


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "truth value"),
        (b"\xff\x00", "2 bytes"),
        (math.nan, "not a finite number"),
        (-math.inf, "not a finite number"),
        (Decimal("NaN"), "not a finite number"),
        (Decimal("sNaN"), "not a finite number"),
        (timedelta(hours=1), "neither text"),
        ({"a": 1}, "neither text"),
        ("\udcff", "not UTF-8"),
        (datetime.max.replace(tzinfo=ZoneInfo("America/New_York")), "beyond the calendar"),
    ],
)
def test_what_cannot_stand_in_a_cell_is_refused(value: object, expected: str) -> None:
    with pytest.raises(InvalidValue, match=expected):
        cell_of(value)


@given(st.floats(-1e20, 1e20).filter(lambda number: not 0 < abs(number) < 1e-20))
def test_a_float_is_read_as_the_shortest_number_that_is_it(number: float) -> None:
    cell = cell_of(number)
    assert isinstance(cell, Decimal)
    assert float(cell) == number


def test_numbers_are_not_guessed_at_whatever_the_decimal_separator_of_text() -> None:
    assert values(1, "a", Decimal("1234.500"), decimal=",")["value"] == Decimal("1234.500")
    assert values(1, "a", "1.234,5", decimal=",")["value"] == Decimal("1234.5")


def test_keys_that_are_numbers_become_text() -> None:
    assert values(17, "a")["key"] == "17"
    assert values(10**20, "a")["key"] == "100000000000000000000"


def test_a_probability_above_one_is_per_cent() -> None:
    assert values("1", "a", None, 60)["probability"] == Decimal("0.6")
    assert values("1", "a", None, 0.6)["probability"] == Decimal("0.6")


def test_times_without_a_zone_are_in_the_zone_that_was_named() -> None:
    moment = datetime(2026, 7, 1, 0, 30)
    at = {"time_zone": "Europe/Stockholm"}
    assert values("1", "a", None, None, None, moment)["updated_at"] == moment.replace(tzinfo=UTC)
    named = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert values("1", "a", None, None, None, moment, **at)["updated_at"] == named
    text = "2026-07-01 00:30"
    assert values("1", "a", None, None, None, text, **at)["updated_at"] == named


def test_the_day_of_a_moment_is_the_day_in_that_zone() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert values("1", "a", None, None, late)["expected_close"] == date(2026, 12, 31)
    at = {"time_zone": "Europe/Stockholm"}
    assert values("1", "a", None, None, late, **at)["expected_close"] == date(2027, 1, 1)
    day = date(2026, 7, 1)
    began = datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert values("1", "a", None, None, None, day, **at)["updated_at"] == began


def test_a_value_of_the_wrong_kind_is_reported_with_its_column_and_its_row() -> None:
    bad = read("D-1", "a", date(2026, 1, 1), "high", 5)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.key) == (7, "D-1")
    assert "value: '2026-01-01' is not an amount" in bad.reason
    assert "probability: 'high' is not a probability" in bad.reason
    assert "expected_close: '5' is not a date" in bad.reason


def test_less_than_nothing_is_no_amount() -> None:
    assert "less than 0" in reason("1", "a", -5)


def test_text_keeps_an_apostrophe_that_no_spreadsheet_put_there() -> None:
    assert values("1", "'=1+1")["name"] == "'=1+1"


def test_stages_are_renamed_whatever_type_they_have() -> None:
    assert values(1, "a", *[None] * 4, 3, stages={"3": "Proposal"})["stage"] == "Proposal"
