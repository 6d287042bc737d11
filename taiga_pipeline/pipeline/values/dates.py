"""Days, moments and periods, read by the evidence of their column.

Which day a moment falls on depends on the time zone, which is the pipeline's (``zone``). A month, a
quarter or a week stands for its first day where something begins, and for its last day where
something ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from enum import StrEnum
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import counted
from taiga_pipeline.pipeline.values.blank import is_blank
from taiga_pipeline.pipeline.values.date_forms import (
    DAY_FIRST,
    MONTH_AND_YEAR,
    MONTH_FIRST,
    ORDERS,
    SERIALS,
    Found,
    by_format,
    is_no_date,
    readings_of,
)
from taiga_pipeline.pipeline.values.options import setting

OPTION: Final = "--date-format"
_SHOWN: Final = 40
_FEWEST_FIGURES: Final = 4
_YEARS_TOGETHER: Final = 12
"""Close dates of one pipeline lie no further apart than so many years."""

NAMED_FORMATS: Final = ("excel", "unix", "unix-ms")
"""Names that a format may have instead of a strptime form."""


def check_format(form: str) -> None:
    """Looks whether a form reads days.

    :raises InvalidValue: it is none that strptime knows, or days of it have no year.
    """
    if form in NAMED_FORMATS:
        return
    named = f"or one of {', '.join(NAMED_FORMATS)}"
    sample = datetime(2026, 11, 26)
    try:
        read = datetime.strptime(sample.strftime(form), form)
    except (ValueError, OverflowError, RecursionError, re.error):
        message = f"{form[:_SHOWN]!r} is not a date format; write one like %d.%m.%Y, {named}"
        raise InvalidValue(message) from None
    if read.year != sample.year or len(form) > _SHOWN:
        message = f"{form[:_SHOWN]!r} does not read a whole date; write one like %d.%m.%Y, {named}"
        raise InvalidValue(message)


class End(StrEnum):
    """Which day of a period (a month, a quarter, a week) is meant."""

    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class DateReading:
    """How a column of dates is written.

    ``form`` is a strptime form, one of `NAMED_FORMATS`, or "" where each cell says enough;
    ``named``
    tells that a person named it. ``zone`` is the time zone of days, and of moments without one.
    ``why`` says in words what was decided and by which evidence. ``option`` is what people call
    the setting, for messages. ``doubt`` says why open cells are refused.
    """

    form: str = ""
    zone: tzinfo = UTC
    why: str = ""
    option: str = OPTION
    named: bool = False
    doubt: str = ""

    def day(self, text: str, end: End = End.LAST) -> date | None:
        """Reads a day; None if the cell stands for nothing, or for a day that means "no date".

        :raises InvalidValue: it is not a date, or it can be read in two ways.
        """
        found = self._find(text)
        return None if found is None else found.day(self.zone, last=end is End.LAST)

    def moment(self, text: str) -> datetime | None:
        """Reads a moment, in UTC; a day is its midnight in the time zone. None as in `day`.

        :raises InvalidValue: it is neither, or it can be read in two ways.
        """
        found = self._find(text)
        return None if found is None else found.moment(self.zone)

    def _find(self, text: str) -> Found | None:
        if is_blank(text) or is_no_date(text):
            return None
        found = self._choose(text)
        return None if found.is_beyond else found

    def _choose(self, text: str) -> Found:
        named = by_format(text.strip(), self.form) if self.named else None
        if named is not None:
            return named
        readings = readings_of(text)
        if not self.option:  # nothing tells whether the figures are a year or a day
            readings = {form: each for form, each in readings.items() if form != MONTH_AND_YEAR}
        certain = [found for form, found in readings.items() if form not in (*ORDERS, *SERIALS)]
        if certain:
            return certain[0]
        if self.form in readings:
            return readings[self.form]
        orders = {form: found for form, found in readings.items() if form in ORDERS}
        if not self.form and not self.doubt and DAY_FIRST in orders and "." in text.strip()[:3]:
            return orders[DAY_FIRST]
        if not self.form and len({(f.first, f.last) for f in orders.values()}) == 1:
            return next(iter(orders.values()))
        raise InvalidValue(self._refusal(text, readings))

    def _refusal(self, text: str, readings: Mapping[str, Found]) -> str:
        shown = f"{text.strip()[:_SHOWN]!r}"
        if not readings:
            wanted = f" of the form {self.form}" if self.form else ""
            return f"{shown} is not a date{wanted}{self._way(text)}"
        options = " or ".join(setting(self.option, form) for form in readings)
        if not self.option:
            return f"{shown} can be read in several ways; write YYYY-MM-DD"
        if self.form:
            return f"{shown} is not a date of the form {self.form}; try {options}"
        if self.doubt:
            return f"{shown}: {self.doubt}; say which with {options}"
        days = (found.day(self.zone, last=True).isoformat() for found in readings.values())
        meanings = ", ".join(dict.fromkeys(days))
        return f"{shown} may be {meanings}; say which with {options}"

    def _way(self, text: str) -> str:
        """Says how to have a text read that may be a date of some other form."""
        figures = sum(map(str.isdigit, text))
        if not self.option and figures:
            return "; write YYYY-MM-DD"
        if not self.option or self.form or figures < _FEWEST_FIGURES:
            return ""
        return f"; if it is one, say how it is written with {setting(self.option, '%d.%m.%Y')}"


@dataclass(slots=True)
class DateSurvey:
    """How many cells of a column each form reads."""

    cells: int = 0
    numbered: int = 0
    dotted: int = 0
    dotted_by_day: int = 0
    years: dict[str, set[int]] = field(default_factory=dict)
    forms: Counter[str] = field(default_factory=Counter)
    serials: Counter[str] = field(default_factory=Counter)
    months: list[str] = field(default_factory=list)
    """Cells such as ``Dec-26``."""

    def take(self, cell: str) -> None:
        """Looks at one cell."""
        if is_blank(cell) or is_no_date(cell):
            return
        self.cells += 1
        readings = readings_of(cell)
        orders = {form: found for form, found in readings.items() if form in ORDERS}
        if orders:
            self.numbered += 1
            is_dotted = "." in cell.strip()[:6]
            self.dotted += is_dotted
            self.dotted_by_day += is_dotted and DAY_FIRST in orders
            self.forms.update(orders.keys())
            for form, found in orders.items():
                self.years.setdefault(form, set()).add(found.first.year)
        if MONTH_AND_YEAR in readings:
            self.months.append(cell.strip()[:_SHOWN])
        self.serials.update(form for form in readings if form in SERIALS)

    def reading(self, form: str = "", zone: tzinfo = UTC, option: str = OPTION) -> DateReading:
        """Decides how the column is written; ``form`` is what was named."""
        if form:
            return DateReading(form, zone, "", option, named=True)
        whole = [name for name, count in self.serials.items() if count == self.cells]
        if self.cells and len(whole) == 1:
            why = f"all {counted(self.cells, 'cell')} hold {SERIALS[whole[0]]}"
            return DateReading(whole[0], zone, why, option)
        if not self.numbered:
            return DateReading("", zone, self._said_of_months(), option)
        return self._by_order(zone, option)

    def _said_of_months(self) -> str:
        if not self.months:
            return ""
        cells = counted(len(self.months), "cell")
        return f"{cells} such as {self.months[0]!r} hold a month and its year"

    def reads_all(self, form: str) -> bool:
        """Whether an order reads all cells that have one."""
        return self.forms[form] == self.numbered and not self._points_contradict(form)

    def _points_contradict(self, form: str) -> bool:
        """Whether ``form`` begins with the month, while some cells have points, as days before
        months do, and others have not."""
        return form == MONTH_FIRST and 0 < self.dotted_by_day == self.dotted < self.numbered

    def _by_order(self, zone: tzinfo, option: str) -> DateReading:
        full = [form for form in ORDERS if self.forms[form] == self.numbered]
        if len(full) > 1 and self.dotted == self.numbered and DAY_FIRST in full:
            return DateReading(DAY_FIRST, zone, "dates with points begin with the day", option)
        likely = self._likely(full)
        if full and DAY_FIRST not in full and self._points_contradict(likely or full[0]):
            of_all = f"{self.dotted:,} of {counted(self.numbered, 'cell')}"
            doubt = f"{of_all} have points, as days before months do, and others need {MONTH_FIRST}"
            return DateReading("", zone, doubt, option, doubt=doubt)
        if len(full) == 1 or likely:
            why = self._counts() if len(self.forms) > 1 and self.numbered > 1 else ""
            return DateReading(likely or full[0], zone, why, option)
        if full:
            of_all = counted(self.numbered, "cell")
            *others, last = full
            doubt = f"{', '.join(others)} and {last} each read all of the column ({of_all})"
        else:
            doubt = f"no order reads all cells of the column: {self._counts()}"
        return DateReading("", zone, doubt, option, doubt=doubt)

    def _likely(self, full: Sequence[str]) -> str:
        """Returns the one order whose years lie together, where years have two digits."""
        if "%y/%m/%d" not in full:
            return ""
        near = [f for f in full if max(self.years[f]) - min(self.years[f]) <= _YEARS_TOGETHER]
        is_shown = self.numbered > 1 and len(near) == 1 and len(full) > 1
        return near[0] if is_shown else ""

    def _counts(self) -> str:
        ranked = sorted(filter(self.forms.get, ORDERS), key=lambda form: -self.forms[form])
        return ", ".join(
            f"{form} reads all {counted(self.forms[form], 'cell')}"
            if self.forms[form] == self.numbered
            else f"{form} {self.forms[form]:,}"
            for form in ranked
        )


def survey_dates(
    cells: Iterable[str], form: str = "", zone: tzinfo = UTC, option: str = OPTION
) -> DateReading:
    """Decides how a column of dates is written, by all its cells. ``form`` is what was named."""
    survey = DateSurvey()
    for cell in cells:
        survey.take(cell)
    return survey.reading(form, zone, option)


def read_day(text: str, end: End = End.LAST) -> date:
    """Reads one day that stands alone, such as an option's.

    :raises InvalidValue: it is not a date, can be read in two ways, or means "no date".
    """
    day = DateReading(option="").day(text, end)
    if day is None:
        raise InvalidValue(f"{text.strip()[:_SHOWN]!r} is not a date")
    return day


def midnight(day: date, zone: tzinfo = UTC) -> datetime:
    """Returns the moment in UTC at which a day begins in ``zone``.

    :raises OverflowError: it is too near the first or the last day that there is.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)
