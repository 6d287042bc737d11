"""Working hours by week: contracts, time off, public holidays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from taiga_pipeline.people.calendar import (
    UnknownCountry,
    WorkingHours,
    days_off,
    working_hours,
)
from taiga_pipeline.people.model import Person, TimeOff
from taiga_pipeline.people.public_holidays import public_holidays

ANA = Person("ana@example.org", "Ana", role="Back")
W51, W52, W53, W01 = date(2026, 12, 14), date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 4)
WEEKS = [W51, W52, W53, W01]


def hours(person: Person = ANA, *off: TimeOff, country: str = "") -> WorkingHours:
    return working_hours([person], off, WEEKS, holidays_of=public_holidays, default_country=country)


def of_ana(*arguments: object, country: str = "") -> list[float]:
    return list(hours(*arguments, country=country).by_person[ANA.email])  # type: ignore[arg-type]


def test_a_week_has_the_hours_of_the_contract() -> None:
    assert of_ana() == [40, 40, 40, 40]


def test_part_time_counts_its_own_hours() -> None:
    assert of_ana(replace(ANA, hours_per_week=Decimal("18.5"))) == [18.5] * 4


def test_each_day_off_takes_a_fifth_once() -> None:
    first = TimeOff(ANA.email, date(2026, 12, 16), date(2026, 12, 22))
    again = TimeOff(ANA.email, date(2026, 12, 17), date(2026, 12, 17))
    assert of_ana(ANA, first, again) == [16, 24, 40, 40]


def test_time_off_at_a_weekend_and_that_of_others_takes_nothing() -> None:
    weekend = TimeOff(ANA.email, date(2026, 12, 19), date(2026, 12, 20))
    other = TimeOff("bo@example.org", W51, W01)
    assert of_ana(ANA, weekend, other) == [40] * 4


def test_time_off_for_all_times_costs_no_more_than_the_weeks_that_are_asked_for() -> None:
    for_ever = TimeOff(ANA.email, date.min, date.max)
    assert of_ana(ANA, for_ever) == [0] * 4
    assert days_off([for_ever], WEEKS) == {ANA.email: {W51 + timedelta(n) for n in range(26)}}
    assert days_off([for_ever], []) == {}


def test_time_off_with_its_dates_the_wrong_way_round_takes_nothing() -> None:
    assert of_ana(ANA, TimeOff(ANA.email, W01, W51)) == [40] * 4


def test_public_holidays_of_the_persons_country_count() -> None:
    # Christmas Day 2026 is a Friday, New Year's Day 2027 too, Epiphany a Wednesday.
    assert of_ana(replace(ANA, country="SE")) == [40, 32, 32, 32]


def test_the_default_country_is_for_people_without_one() -> None:
    assert of_ana(country="SE") == [40, 32, 32, 32]
    assert of_ana(replace(ANA, country="FR"), country="SE") == [40, 32, 32, 40]


def test_holidays_of_a_part_of_a_country_count_there_only() -> None:
    assert of_ana(replace(ANA, country="DE-BY"))[3] == 32  # Epiphany
    assert of_ana(replace(ANA, country="DE-BE"))[3] == 40


def test_a_day_off_on_a_public_holiday_is_taken_once() -> None:
    christmas = TimeOff(ANA.email, date(2026, 12, 25), date(2026, 12, 25))
    assert of_ana(replace(ANA, country="SE"), christmas)[1] == 32


def test_somebody_counts_from_the_first_to_the_last_day() -> None:
    person = replace(ANA, starts=date(2026, 12, 23), ends=date(2026, 12, 28))
    assert of_ana(person) == [0, 24, 8, 0]


@pytest.mark.parametrize(
    ("country", "expected"),
    [("XX", "no public holidays are known for the country 'XX'"), ("DE-QQ", "parts of DE: BB")],
)
def test_an_unknown_country_is_a_notice_and_counts_no_holidays(country: str, expected: str) -> None:
    found = hours(replace(ANA, country=country))
    assert found.by_person[ANA.email] == (40, 40, 40, 40)
    assert len(found.notices) == 1
    assert expected in found.notices[0]


def test_an_unknown_country_is_said_once_for_all_its_people() -> None:
    def none(country: str, years: Collection[int]) -> Collection[date]:
        raise UnknownCountry("no library")

    people = [replace(ANA, email=f"{n}@example.org", country=c) for n, c in enumerate(["SE", "DE"])]
    found = working_hours(people, [], WEEKS, holidays_of=none)
    assert found.notices == ("no library",)


def test_nobody_has_no_hours() -> None:
    assert working_hours([], [], WEEKS, holidays_of=public_holidays) == WorkingHours({})
