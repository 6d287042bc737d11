"""How the figures and dates of a file are written: decided column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Any, Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import LIST_KINDS, DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.own import is_nothing, read_choice, read_figure
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.notation import parse_contacts, parse_list, parse_roles
from taiga_pipeline.pipeline.notes import parse_notes
from taiga_pipeline.pipeline.values.amounts import (
    AmountReading,
    AmountSurvey,
    unit_in_header,
)
from taiga_pipeline.pipeline.values.currencies import currencies_of
from taiga_pipeline.pipeline.values.date_forms import ORDERS
from taiga_pipeline.pipeline.values.dates import DateReading, DateSurvey, End
from taiga_pipeline.pipeline.values.numerals import POINT
from taiga_pipeline.pipeline.values.shares import Scale, ShareReading, ShareSurvey
from taiga_pipeline.pipeline.values.yes_no import read_yes_no

_BEGINNINGS: Final = ("engaged_on", "start")
"""Of a period, something begins on its first day; all else is over by its last."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What people said about the figures and dates of a file, and how its options are called."""

    decimal: str = ""
    date_format: str = ""
    scale: Scale = Scale.BY_VALUE
    zone: tzinfo = UTC
    decimal_option: str = "--decimal"
    date_option: str = "--date-format"
    scale_option: str = "--probability-scale"


@dataclass(frozen=True, slots=True)
class Readings:
    """How each column is read. Without a survey, every value stands alone."""

    value: AmountReading = field(default_factory=AmountReading)
    probability: ShareReading = field(default_factory=ShareReading)
    alone: DateReading = field(default_factory=DateReading)
    dates: Mapping[str, DateReading] = field(default_factory=dict)
    amounts: Mapping[str, AmountReading] = field(default_factory=dict)
    """Of money and numbers in fields of the user's own."""

    def read(self, column: DealField, text: str) -> Any:
        """Reads the value of a field that is not text; None, or nothing, for "not known".

        :raises InvalidValue: the text is not such a value, or it can be read in two ways.
        """
        if column.kind is Kind.DATE:
            end = End.FIRST if column.name in _BEGINNINGS else End.LAST
            return self.date_reading(column.name).day(text, end)
        if column.kind is Kind.MOMENT:
            return self.date_reading(column.name).moment(text)
        if column.kind in (Kind.MONEY, Kind.NUMBER):
            return read_figure(column, self.amount_reading(column.name), text)
        if column.kind is Kind.SHARE:
            return self.probability.read(text)
        return _read_list(column.kind, text) if column.kind in LIST_KINDS else _word(column, text)

    def amount_reading(self, name: str) -> AmountReading:
        """Returns how a column of money or numbers is read."""
        return self.amounts.get(name, self.value)

    def date_reading(self, name: str) -> DateReading:
        """Returns how a column of dates is read."""
        return self.dates.get(name, self.alone)

    def decisions(self) -> Mapping[str, str]:
        """Returns what was decided by the cells, and why: field -> a sentence."""
        whys = {
            "value": self.value.why,
            "probability": self.probability.why,
            **{name: reading.why for name, reading in self.amounts.items()},
            **{name: reading.why for name, reading in self.dates.items()},
        }
        return {name: why for name, why in whys.items() if why}


def _word(column: DealField, text: str) -> str | bool | None:
    """Reads one of a few words."""
    if is_nothing(column, text):
        return None
    return read_yes_no(text) if column.kind is Kind.YES_NO else read_choice(column, text)


def _read_list(kind: Kind, text: str) -> Any:
    if kind is Kind.ROLES:
        return parse_roles(text)
    if kind is Kind.CONTACTS:
        return parse_contacts(text)
    if kind is Kind.NOTES:
        return parse_notes(text)
    return frozenset(parse_list(text))


def alone(terms: Terms) -> Readings:
    """Returns how values are read that stand alone, or whose column cannot be seen as a whole."""
    named = bool(terms.date_format)
    return Readings(
        AmountReading(terms.decimal, option=terms.decimal_option),
        ShareReading(terms.scale, option=terms.scale_option),
        DateReading(terms.date_format, terms.zone, option=terms.date_option, named=named),
    )


def typed(zone: tzinfo = UTC) -> Readings:
    """Returns how values are read that someone types one by one, without options for them."""
    return alone(Terms(zone=zone, decimal_option="", date_option="", scale_option=""))


DATED: Final = (Kind.DATE, Kind.MOMENT)


def _present(headers: Mapping[str, str], table: FieldTable, *kinds: Kind) -> tuple[str, ...]:
    names = table.of_kinds(*kinds)
    return tuple(name for name in headers if name in names)


class Survey:
    """Looks at all cells of a file, and decides how its columns are written.

    ``headers``: our field -> the file's header. ``is_ours`` says that the file has the columns of
    our own format, so that what its cells leave open is a fraction, and a decimal mark that its
    other columns show, else the ``usual`` one of such a file.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        terms: Terms,
        *,
        is_ours: bool = False,
        table: FieldTable = BUILT_IN,
        usual: str = POINT,
    ) -> None:
        self._headers = headers
        self._terms = terms
        self._is_ours = is_ours
        self._usual = usual
        self._figures = AmountSurvey()
        self._amounts = {
            name: AmountSurvey(unit_in_header(headers[name]))
            for name in _present(headers, table, Kind.MONEY, Kind.NUMBER)
        }
        self._shares = ShareSurvey()
        shares = _present(headers, table, Kind.SHARE)
        self._dates = {name: DateSurvey() for name in _present(headers, table, *DATED)}
        self.columns: tuple[str, ...] = (*self._amounts, *shares, *self._dates)
        """The fields whose cells have to be seen."""

    def take(self, name: str, cell: str) -> None:
        """Looks at one cell of one of `columns`."""
        if name in self._amounts:
            self._amounts[name].take(cell)
        elif name in self._dates:
            self._dates[name].take(cell)
        else:
            self._shares.take(cell)
            self._figures.take(cell)

    def readings(self) -> Readings:
        """Decides."""
        terms = self._terms
        likely_point, likely = "", Scale.BY_VALUE
        if self._is_ours:
            likely_point, likely = self._shown_mark() or self._usual, Scale.FRACTION
        amounts = {
            name: survey.reading(terms.decimal, terms.decimal_option, likely_point)
            for name, survey in self._amounts.items()
        }
        value = amounts.pop("value", None)
        return Readings(
            value or AmountSurvey().reading(terms.decimal, terms.decimal_option, likely_point),
            self._shares.reading(
                self._headers.get("probability", ""), terms.scale, terms.scale_option, likely
            ),
            alone(terms).alone,
            self._agreed(
                {
                    name: survey.reading(terms.date_format, terms.zone, terms.date_option)
                    for name, survey in self._dates.items()
                }
            ),
            amounts,
        )

    def _shown_mark(self) -> str:
        """Returns the decimal mark that the columns show together, "" if none or both."""
        surveys = (self._figures, *self._amounts.values())
        shown = {mark for each in surveys for mark, count in each.shown.items() if count}
        return shown.pop() if len(shown) == 1 else ""

    def _agreed(self, dates: dict[str, DateReading]) -> dict[str, DateReading]:
        """Lets the columns that show their order decide for those that may be either: one program
        wrote them all."""
        shown = {each.form: name for name, each in dates.items() if each.form in ORDERS}
        if len(shown) != 1:
            return dates
        ((form, name),) = shown.items()
        why = f"{form}, as in {self._headers[name]!r}"
        return {
            name: replace(each, form=form, doubt="", why=why)
            if each.doubt and self._dates[name].reads_all(form)
            else each
            for name, each in dates.items()
        }


def read_currency(text: str) -> tuple[str, ...]:
    """Returns the codes that a cell of currencies may stand for: ``EUR``, ``€``, ``kr``.

    :raises InvalidValue: it is neither a code of ISO 4217 nor a known sign.
    """
    codes = currencies_of(text)
    if not codes:
        raise InvalidValue(
            f"{text.strip()[:40]!r} is neither a currency code (EUR, SEK) nor a known sign"
        )
    return codes
