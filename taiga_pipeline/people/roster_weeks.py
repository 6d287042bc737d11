"""From the columns of a roster that are about working time to the hours of a week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from taiga_pipeline.hints import word
from taiga_pipeline.people.roster_headers import (
    DAILY,
    DAYS,
    FTE,
    FULL_TIME,
    MONTHLY,
    STATUS,
    is_about_hours,
)
from taiga_pipeline.people.roster_hours import (
    FEW,
    HoursReading,
    from_days,
    from_month,
    read_full_time,
    survey_hours,
    tidy,
)
from taiga_pipeline.people.roster_hours import FULL_TIME as USUAL_WEEK
from taiga_pipeline.people.roster_layout import RosterLayout
from taiga_pipeline.people.roster_words import is_part_time
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.blank import is_blank

WEEKLY: Final = "hours_per_week"
_SOURCES: Final = (WEEKLY, FTE, DAILY, MONTHLY)
_NEAR: Final = Decimal("0.5")
_SHOWN: Final = 5


class WeekReader:
    """Reads the hours a week of each row, and remembers what was taken for granted."""

    def __init__(
        self, layout: RosterLayout, columns: Mapping[str, Sequence[str]], full_time: Decimal | None
    ) -> None:
        """``full_time`` are the hours of a week of full time, None if not stated."""
        self._layout = layout
        self._full_time = full_time or USUAL_WEEK
        self._shown_by = ""
        self._readings = {
            name: survey_hours(
                columns[name],
                layout.header_of(name),
                is_share=name == FTE,
            )
            for name in (WEEKLY, FTE)
            if name in columns
        }
        if full_time is None:
            self._find_full_time(columns)
        self._week_of_all = self._same_for_all(columns)
        self._uses_shares = False
        self._from_week_of_all = 0
        self._few: list[tuple[str, Decimal]] = []
        self._part_time: list[str] = []

    @property
    def is_known(self) -> bool:
        """Whether the file has a column of working time."""
        return any(name in self._layout.columns for name in _SOURCES)

    @property
    def full_time(self) -> Decimal:
        """The hours of a week of full time, unless a row says otherwise."""
        return self._full_time

    def hours(self, email: str, cells: Mapping[str, str]) -> Decimal | None:
        """Returns someone's hours a week, None if the row does not say.

        :raises InvalidValue: what it says is invalid, or contradicts itself.
        """
        full = self._full_time_of(cells)
        found = self._weekly(cells, full)
        if found is None:
            found = self._from_others(cells, full)
        if found is None and is_part_time(cells.get(STATUS, "")):
            self._part_time.append(email)
        if found is not None and 0 < found < FEW:
            self._few.append((email, found))
        return found

    def _full_time_of(self, cells: Mapping[str, str]) -> Decimal:
        text = cells.get(FULL_TIME, "")
        return self._full_time if is_blank(text) else read_full_time(text)

    def _weekly(self, cells: Mapping[str, str], full: Decimal) -> Decimal | None:
        """Returns the hours of the column of hours, checked against the share beside it."""
        reading = self._readings.get(WEEKLY)
        if reading is None:
            return None
        text, beside = cells[WEEKLY], cells.get(FTE, "")
        hours = reading.read(text, full)
        self._note_share(reading, text)
        share = self._share(beside) if hours is not None else None
        if hours is None or share is None or _is_near(hours, share * full):
            return hours
        if self._week_of_all is not None:
            self._from_week_of_all += 1
            return tidy(share * self._week_of_all)
        raise InvalidValue(
            f"{text!r} in {reading.header!r} and {beside!r} in {self._readings[FTE].header!r} do "
            f"not match at {full:f} hours of full time: set those with --full-time, or leave a "
            f"column out with --column {FTE}= (or {WEEKLY}=)"
        )

    def _from_others(self, cells: Mapping[str, str], full: Decimal) -> Decimal | None:
        share = self._readings.get(FTE)
        if share is not None and not is_blank(cells[FTE]):
            self._note_share(share, cells[FTE])
            return share.read(cells[FTE], full)
        a_day = from_days(cells.get(DAILY, ""), cells.get(DAYS, ""))
        return a_day if a_day is not None else from_month(cells.get(MONTHLY, ""))

    def _share(self, text: str) -> Decimal | None:
        reading = self._readings.get(FTE)
        return reading.share(text) if reading is not None else None

    def _note_share(self, reading: HoursReading, text: str) -> None:
        try:
            self._uses_shares |= reading.share(text) is not None
        except InvalidValue:
            return

    def _pairs(
        self, columns: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[Decimal | None, Decimal | None]]:
        """Yields hours and share of the rows, where the file has both."""
        if WEEKLY not in columns or FTE not in columns:
            return
        for hours, share in zip(columns[WEEKLY], columns[FTE], strict=True):
            try:
                yield self._readings[WEEKLY].read(hours), self._readings[FTE].share(share)
            except InvalidValue:
                continue

    def _find_full_time(self, columns: Mapping[str, Sequence[str]]) -> None:
        """Takes for full time what all have who work full time, if that is one number."""
        found = {hours for hours, share in self._pairs(columns) if hours and share == 1}
        if len(found) == 1:
            self._full_time = found.pop() or USUAL_WEEK
            self._shown_by = f", as {self._readings[WEEKLY].header!r} shows"

    def _same_for_all(self, columns: Mapping[str, Sequence[str]]) -> Decimal | None:
        """Returns the hours that the column of hours has for everyone, though not everyone works
        full time by the column of shares: those are the hours of full time."""
        pairs = list(self._pairs(columns))
        weeks = {hours for hours, share in pairs if hours is not None and share is not None}
        shares = {share for hours, share in pairs if hours is not None and share is not None}
        return weeks.pop() if len(weeks) == 1 and shares - {Decimal(1)} else None

    def notices(self, assumed: Sequence[str]) -> Iterator[str]:
        """Says how hours were read, and what was taken for granted. ``assumed`` are the people of
        whom nothing says how much they work."""
        for reading in self._readings.values():
            if reading.why:
                yield reading.why
        if self._uses_shares:
            yield (
                f"full time is {self._full_time:f} hours a week{self._shown_by}, and shares are "
                "taken of it; to change it: --full-time HOURS"
            )
        if self._from_week_of_all:
            hours, share = (self._readings[name].header for name in (WEEKLY, FTE))
            yield (
                f"{hours!r} is {self._week_of_all:f} for every person, so it is full time; "
                f"multiplied by {share!r}"
            )
        if self._few:
            shown = ", ".join(f"{email} ({hours:f} h)" for email, hours in self._few[:_SHOWN])
            yield f"fewer than {FEW:f} hours a week: {shown}{_more(len(self._few))}"
        if assumed:
            yield self._assumption(assumed)

    def _assumption(self, assumed: Sequence[str]) -> str:
        people = "1 person" if len(assumed) == 1 else f"{len(assumed):,} people"
        shown = ", ".join(assumed[:_SHOWN])
        hours = f"{self._full_time:f} hours a week assumed for {people} ({shown}"
        return f"{hours}{_more(len(assumed))}): {self._why_unknown()}"

    def _why_unknown(self) -> str:
        part_time = ""
        if self._part_time:
            part_time = f"; {len(self._part_time):,} of part time according to the file"
        if self.is_known:
            names = [name for name in _SOURCES if name in self._layout.columns]
            headers = ", ".join(repr(self._layout.header_of(name)) for name in names)
            return f"{headers} is blank{part_time}"
        maybe = [header for header in self._layout.unused if is_about_hours(header)]
        if not maybe:
            return f"the file has no column of hours{part_time}"
        headers = ", ".join(map(repr, maybe))
        column = word(f"{WEEKLY}={maybe[0]}")
        return f"{headers} was not understood; if it holds them: --column {column}{part_time}"


def _more(count: int) -> str:
    return f" and {count - _SHOWN:,} more" if count > _SHOWN else ""


def _is_near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _NEAR
