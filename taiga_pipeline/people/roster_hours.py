"""Working hours as HR programs write them, read by the evidence of their column.

A number alone may be hours a week, a share of full time (0.8), or per cent of it (80). A unit in
the cell decides for the cell; else the header and all cells decide for the column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.notation import HOURS_IN_A_WEEK
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.pipeline.values.blank import is_blank
from taiga_pipeline.pipeline.values.numbers import read_hours, read_number

FULL_TIME: Final = Decimal(40)
"""Hours of a week of full time, unless stated otherwise."""
FEW: Final = Decimal(4)
_SHORTEST_FULL_TIME: Final = Decimal(10)
"""Fewer hours a week than these are worth a notice."""

_MOST_SHARE: Final = Decimal("1.5")
"""The largest share of full time; every working week has more hours than that."""
_LONGEST_WEEK: Final = Decimal(48)
_HUNDRED: Final = Decimal(100)
_WORKING_DAYS: Final = Decimal(5)
_WEEKS_A_MONTH: Final = Decimal(52) / 12
_CENT: Final = Decimal("0.01")
_SHOWN: Final = 40

_PER_CENT_SIGN = re.compile(
    r"\s*(?:%|٪|％|per cent|percent|pct\.?|procent|prozent|prosent)\s*$", re.I
)
_PER_CENT_HEADER = re.compile(
    r"%|per ?cent|pct|procent|prozent|prosent|porcent|pourcent|grad|taux|rate\b|pensum|level|"
    r"quotité|andel",
    re.I,
)
_FTE_WORD = re.compile(r"\b(?:ftes?|vzä|etp|full.time equivalents?)\b[:=]?", re.I)
_PER_DAY = re.compile(
    r"(?:/|\b(?:per|pro|a|am|par|por|al|om|pr\.?)\s+)\s*(?:working\s+)?"
    r"(?:days?|d|tag|dag|dagen|jour|j|día|dia)\.?$",
    re.I,
)
_PER_MONTH = re.compile(
    r"(?:/|\b(?:per|pro|a|im|par|por|al|pr\.?)\s+)\s*(?:months?|mo|monat|månad|mån|mois|mes|mês|"
    r"maand|måned)\.?$",
    re.I,
)
_FULL_TIME_WORD = re.compile(
    r"(?:full|vollzeit|heltid|temps (?:plein|complet)|tiempo completo|jornada completa|"
    r"tempo integral|voltijd|fuldtid)[ -]?(?:time|s)?",
    re.I,
)
_PART_TIME_WORD = re.compile(
    r".*\b(?:part[ -]?time|teilzeit|deltid|temps partiel|(?:tiempo|jornada) parcial|"
    r"tempo parcial|deeltijd)\b.*",
    re.I,
)
_WEEKDAY = re.compile(
    r"\b(?:mon|tue|wed|thu|fri|mo|di|mi|do|fr|mån|tis|ons|tor|fre|lun|mar|mer|mié|jue|jeu|ven|vie|"
    r"seg|ter|qua|qui|sex|maa|din|woe|don|vri|man|tir)(?:[a-zäöåéá]*day|tag|dag)?\b",
    re.I,
)


class Kind(StrEnum):
    """What a number alone is in a column."""

    HOURS = "hours a week"
    FRACTION = "shares of full time"
    PER_CENT = "per cent of full time"
    DOUBTFUL = "hours or per cent"


@dataclass(frozen=True, slots=True)
class HoursReading:
    """How a column of hours is written. ``why`` says what was decided and by what, "" if nothing
    had to be. ``header`` names the column in messages."""

    kind: Kind = Kind.HOURS
    header: str = ""
    why: str = ""

    def read(self, text: str, full_time: Decimal = FULL_TIME) -> Decimal | None:
        """Reads hours a week; None if the cell stands for nothing.

        :raises InvalidValue: it is neither hours nor a share of full time, or may be both.
        """
        if is_blank(text):
            return None
        share = self.share(text)
        hours = _hours(text, full_time) if share is None else share * full_time
        try:
            return tidy(hours)
        except InvalidValue as error:
            raise InvalidValue(f"{_quoted(text)}: {error}") from None

    def share(self, text: str) -> Decimal | None:
        """Returns a cell as a share of full time, None if it holds hours.

        :raises InvalidValue: it may be both, or no share that anyone works.
        """
        if is_blank(text):
            return None
        bare, signs = _PER_CENT_SIGN.subn("", text.strip())
        bare, words = _FTE_WORD.subn("", bare)
        number = _number(bare.strip())
        if number is None:
            return None
        if signs or (words and number > _MOST_SHARE):
            return _checked(number / _HUNDRED, text)
        if words or self.kind is Kind.FRACTION:
            return _checked(number, text)
        return self._by_column(number, text)

    def _by_column(self, number: Decimal, text: str) -> Decimal | None:
        if self.kind is Kind.DOUBTFUL:
            column = word(f"hours_per_week={self.header}")
            raise InvalidValue(
                f"{_quoted(text)} may be {number:f} hours or {number:f} % of full time: name the "
                f"column with --column {column}, or write a % sign"
            )
        if 0 < number <= _MOST_SHARE:
            raise InvalidValue(
                f"{_quoted(text)} may be {number:f} of full time or {number:f} "
                f"{'hours' if self.kind is Kind.HOURS else '%'}, and the column holds "
                f"{self.kind.value}; write {(number * _HUNDRED).normalize():f} %, or {number:f} h"
            )
        return _checked(number / _HUNDRED, text) if self.kind is Kind.PER_CENT else None


def survey_hours(cells: Iterable[str], header: str, *, is_share: bool = False) -> HoursReading:
    """Decides what the numbers of a column are. ``is_share`` says that the header is one of shares
    of full time."""
    numbers = [number for cell in cells if (number := _number(cell.strip())) is not None]
    shown = f"{header.strip()[:_SHOWN]!r}"
    most = max(numbers, default=Decimal(0))
    if is_share and most > _MOST_SHARE:
        if _PER_CENT_HEADER.search(header) or most > _LONGEST_WEEK:
            return HoursReading(Kind.PER_CENT, header, f"{shown} holds per cent of full time")
        return HoursReading(Kind.DOUBTFUL, header)
    if is_share:
        why = f"{shown} holds shares of full time" if numbers else ""
        return HoursReading(Kind.FRACTION, header, why)
    if "%" in header and most > _MOST_SHARE:
        return HoursReading(Kind.PER_CENT, header, f"{shown} holds per cent of full time")
    if 0 < most <= _MOST_SHARE:
        count = counted(len(numbers), "number")
        why = f"{shown} holds shares of full time: none of its {count} is above {_MOST_SHARE}"
        return HoursReading(Kind.FRACTION, header, why)
    return HoursReading(Kind.HOURS, header)


def read_full_time(text: str) -> Decimal:
    """Reads the hours of a week of full time.

    :raises InvalidValue: it is not a number of hours, or no week of work.
    """
    hours = tidy(read_hours(text))
    if not _SHORTEST_FULL_TIME <= hours <= HOURS_IN_A_WEEK:
        raise InvalidValue(f"{hours:f} hours are not a full-time week")
    return hours


def from_days(text: str, days: str = "") -> Decimal | None:
    """Returns hours a week from hours a day, and days a week (five if blank)."""
    if is_blank(text):
        return None
    a_week = _WORKING_DAYS if is_blank(days) else read_number(days)
    if not 0 < a_week <= 7:
        raise InvalidValue(f"{_quoted(days)} days a week")
    return tidy(read_hours(text) * a_week)


def from_month(text: str) -> Decimal | None:
    """Returns hours a week from hours a month: a year has 52 weeks."""
    return None if is_blank(text) else tidy(read_hours(text) / _WEEKS_A_MONTH)


def tidy(hours: Decimal) -> Decimal:
    """Rounds hours a week to hundredths, written without zeros at the end.

    :raises InvalidValue: a week has not so many hours.
    """
    if not 0 <= hours <= HOURS_IN_A_WEEK:
        raise InvalidValue(f"more hours than a week has ({HOURS_IN_A_WEEK}), or less than 0")
    return Decimal(format(hours.quantize(_CENT).normalize(), "f"))


def _hours(text: str, full_time: Decimal) -> Decimal:
    plain = " ".join(text.split())
    if _FULL_TIME_WORD.fullmatch(plain):
        return full_time
    if _PART_TIME_WORD.fullmatch(plain):
        raise InvalidValue(f"{_quoted(text)} does not say how many hours; write 24, or 60 %")
    for pattern, factor in ((_PER_DAY, _WORKING_DAYS), (_PER_MONTH, 1 / _WEEKS_A_MONTH)):
        bare, found = pattern.subn("", plain)
        if found:
            return read_hours(bare) * factor
    if _WEEKDAY.search(plain) and not any(each.isdigit() for each in plain):
        raise InvalidValue(f"{_quoted(text)} says on which days, not how many hours; write 24")
    return read_hours(plain)


def _number(text: str) -> Decimal | None:
    try:
        return read_number(text) if text else None
    except InvalidValue:
        return None


def _checked(share: Decimal, text: str) -> Decimal:
    if not 0 <= share <= _MOST_SHARE:
        raise InvalidValue(f"{_quoted(text)} of full time; from 0 to {_MOST_SHARE * _HUNDRED:f} %")
    return share


def _quoted(text: str) -> str:
    return repr(text.strip()[:_SHOWN])
