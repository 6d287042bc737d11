"""Amounts of money, read by the evidence of their column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.blank import is_blank, is_spreadsheet_error
from taiga_pipeline.pipeline.values.currencies import THREE_DECIMALS
from taiga_pipeline.pipeline.values.numerals import (
    COMMA,
    NUMERAL,
    POINT,
    Numeral,
    plain_decimal,
    read_numeral,
)
from taiga_pipeline.pipeline.values.options import named, setting
from taiga_pipeline.pipeline.values.patterns import pattern
from taiga_pipeline.pipeline.values.plain import plain_digits, without_guard
from taiga_pipeline.pipeline.values.units import NO_UNIT, Unit, join, read_unit

OPTION: Final = "--decimal"
MAX_TEXT: Final = 120
"""Characters of a cell that may be an amount."""
_SHOWN: Final = 40

_AMOUNT = pattern(rf"(?P<before>[^0-9]*?)(?P<number>{NUMERAL})(?P<after>[^0-9]*)")
CREDIT: Final = "CR"
"""In capitals, what bookkeepers write beside what is owed to someone, and Indians for crore."""
_INVISIBLE = pattern(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_EVEN = pattern(r"^\s*(?:[:.,/]\s*[-–—=]{1,2}|[-–—]{2})(?=\s|$|[^\W\d_])")
"""What is written after an amount without a fraction: ``5:-``, ``1250,-``, ``12.–``, ``500/-``."""
_IN_HEADER = pattern(
    r"[(\[{](?P<brackets>[^)\]}]*)[)\]}]|\b(?:in|i|en|em)\s+(?P<in>[^\s()]+\.?)\s*$"
)
_ENOUGH: Final = 2
"""So many different cells, each with exactly three digits after its only separator and none that
shows otherwise, and the separator groups thousands: money has two decimals, or none."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as read: ``currencies`` are the codes that its text allows, () if it names none."""

    value: Decimal
    currencies: tuple[str, ...] = ()

    @property
    def currency(self) -> str:
        """The one currency that the text names, "" if none or several."""
        return self.currencies[0] if len(self.currencies) == 1 else ""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A cell taken apart: its numeral, what stands around it, and its sign."""

    numeral: Numeral
    unit: Unit
    negative: bool


@dataclass(frozen=True, slots=True)
class AmountReading:
    """How a column of amounts is written.

    ``decimal`` is its decimal separator, "" if its cells do not show one; ``unit`` is what its
    header says. ``why`` says in words what was decided and by which evidence, "" if nothing had to
    be. ``option`` is what people call the setting of the separator, for messages.
    """

    decimal: str = ""
    unit: Unit = NO_UNIT
    why: str = ""
    option: str = OPTION

    def read(self, text: str) -> Amount | None:
        """Reads a cell; None if it stands for nothing.

        :raises InvalidValue: it is not an amount, its words are unknown, or it can be read in two
            ways.
        """
        if is_blank(text):
            return None
        parts = _take_apart(text)
        unit = _within(parts.unit, self.unit)
        value = parts.numeral.value(self.decimal)
        if value is None:
            raise InvalidValue(self._undecided(text, parts.numeral))
        value = plain_decimal(value * unit.factor)
        return Amount(-value if parts.negative and value else value, unit.currencies)

    def of(self, number: Decimal, unit: Unit) -> Amount:
        """Returns the amount of a number that need not be read; ``unit`` is what it is shown with.

        :raises InvalidValue: that does not fit what the column's header says.
        """
        unit = _within(unit, self.unit)
        return Amount(plain_decimal(number * unit.factor), unit.currencies)

    def _undecided(self, text: str, numeral: Numeral) -> str:
        shown = f"{text.strip()[:_SHOWN]!r}"
        if self.decimal:
            option = named(self.option)
            if self.decimal == COMMA:
                return f"{shown}: its separators do not match a decimal comma ({option})"
            return f"{shown}: its separators do not match a decimal point ({option})"
        point, comma = numeral.readings[POINT], numeral.readings[COMMA]
        if not self.option:
            fraction, grouped = sorted((point, comma))
            return f"{shown} may be {point:f} or {comma:f}; write {grouped:f} or {fraction:f}0"
        return (
            f"{shown} may be {point:f} or {comma:f}, and its column does not decide; set "
            f"{setting(self.option, POINT)} or {setting(self.option, COMMA)}"
        )


def _within(unit: Unit, of_column: Unit) -> Unit:
    """Returns a cell's unit in a column whose header names one as well (``Amount (k€)``)."""
    if unit.factor != 1 and of_column.factor == unit.factor:
        of_column = Unit(currencies=of_column.currencies)
    return join(unit, of_column)


def read_amount(text: str, decimal: str = "", option: str = OPTION) -> Amount | None:
    """Reads one amount that stands alone; None if it stands for nothing.

    :raises InvalidValue: as `AmountReading.read`.
    """
    return AmountReading(decimal, option=option).read(text)


def unit_in_header(header: str) -> Unit:
    """Returns what a header says of the amounts below it: ``Amount (EUR)``, ``Belopp (tkr)``.

    Words of a header that are neither a currency nor a magnitude are part of its name.
    """
    unit = NO_UNIT
    for match in _IN_HEADER.finditer(header):
        words = (match["brackets"] or match["in"] or "").removeprefix("in ")
        try:
            unit = join(unit, read_unit(words))
        except InvalidValue:
            continue
    return unit


@dataclass(slots=True)
class AmountSurvey:
    """What the cells of a column show of its decimal separator."""

    unit: Unit = NO_UNIT
    shown: dict[str, int] = field(default_factory=lambda: {POINT: 0, COMMA: 0})
    examples: dict[str, str] = field(default_factory=dict)
    open_cells: dict[str, set[str]] = field(default_factory=lambda: {POINT: set(), COMMA: set()})
    thousandths: bool = False

    def take(self, cell: str) -> None:
        """Looks at one cell."""
        try:
            parts = None if is_blank(cell) else _take_apart(cell)
        except InvalidValue:
            return
        if parts is None:
            return
        codes = parts.unit.currencies or self.unit.currencies
        self.thousandths |= any(code in THREE_DECIMALS for code in codes[:1])
        if decisive := parts.numeral.decisive:
            self.shown[decisive] += 1
            self.examples.setdefault(decisive, cell.strip()[:_SHOWN])
        elif parts.numeral.is_open:
            grouping = COMMA if COMMA in cell else POINT
            seen = self.open_cells[grouping]
            if len(seen) < _ENOUGH:
                seen.add(cell.strip()[:_SHOWN])

    def reading(self, decimal: str = "", option: str = OPTION, likely: str = "") -> AmountReading:
        """Decides how the column is written.

        ``decimal`` is what was named; ``likely`` decides where no cell shows the separator.
        """
        if decimal:
            return AmountReading(decimal, self.unit, "", option)
        if likely and not any(self.shown.values()):
            return AmountReading(likely, self.unit, "", option)
        return AmountReading(self._decimal, self.unit, self._why, option)

    @property
    def _decimal(self) -> str:
        points, commas = self.shown[POINT], self.shown[COMMA]
        if points and commas:
            return ""
        if points or commas:
            return POINT if points else COMMA
        return self._by_groups()

    def _by_groups(self) -> str:
        """Decides a column in which nothing shows the separator but groups of three digits."""
        grouping = [mark for mark, cells in self.open_cells.items() if cells]
        if len(grouping) != 1 or self.thousandths:
            return ""
        enough = len(self.open_cells[grouping[0]]) >= _ENOUGH
        return _other(grouping[0]) if enough else ""

    @property
    def _why(self) -> str:
        decimal = self._decimal
        points, commas = self.shown[POINT], self.shown[COMMA]
        if points and commas:
            return (
                f"{points:,} cells have a decimal point ({self.examples[POINT]!r}) and {commas:,} "
                f"a decimal comma ({self.examples[COMMA]!r}): ambiguous cells are left out"
            )
        if decimal and any(self.open_cells.values()):
            if example := self.examples.get(decimal):
                if decimal == COMMA:
                    return f"the decimal separator is the comma, as in {example!r}"
                return f"the decimal separator is the point, as in {example!r}"
            example = min(self.open_cells[_other(decimal)])
            return (
                f"{example!r} is read as more than a thousand: all similar cells have three digits"
            )
        return ""


def survey_amounts(
    cells: Iterable[str], header: str = "", decimal: str = "", option: str = OPTION
) -> AmountReading:
    """Decides how a column of amounts is written, by all its cells; see `AmountSurvey.reading`."""
    survey = AmountSurvey(unit_in_header(header))
    for cell in cells:
        survey.take(cell)
    return survey.reading(decimal, option)


def _other(mark: str) -> str:
    return COMMA if mark == POINT else POINT


@lru_cache(maxsize=8192)
def _take_apart(text: str) -> _Parts:
    """Takes an amount apart.

    :raises InvalidValue: it is none, or has words that are unknown.
    """
    shown = f"{text.strip()[:_SHOWN]!r}"
    if is_spreadsheet_error(text):
        raise InvalidValue(f"{shown} is an error of the spreadsheet, and no amount")
    plain = _tidy(text)
    match = _AMOUNT.fullmatch(plain) if len(plain) <= MAX_TEXT else None
    if match is None:
        raise InvalidValue(f"{shown} is not an amount")
    rest, is_even = _EVEN.subn("", match["after"])
    before, after, negative = _sign(match["before"], rest)
    numeral = read_numeral(match["number"])
    if is_even:
        numeral = numeral.without_fraction()
    if not numeral.readings:
        raise InvalidValue(f"{shown} is not an amount: its digits and separators do not match")
    try:
        unit = join(read_unit(before), read_unit(after))
    except InvalidValue as error:
        raise InvalidValue(f"{shown} is not an amount: {error}") from None
    if CREDIT in (*before.split(), *after.split()) and "INR" not in unit.currencies:
        raise InvalidValue(f"{shown}: {CREDIT!r} may be crore or credit; write crore, or nothing")
    return _Parts(numeral, unit, negative)


def _tidy(text: str) -> str:
    """Returns a cell without what programs put around it: formulas that are text, hidden marks."""
    plain = without_guard(_INVISIBLE.sub("", plain_digits(text[: MAX_TEXT * 4])))
    return plain[1:].lstrip() if plain.startswith("=") else plain


def _sign(before: str, after: str) -> tuple[str, str, bool]:
    """Takes sign and brackets off the words around a number.

    :raises InvalidValue: more than one sign, or a bracket without its other half.
    """
    marks = list(_marks(before, after))
    opened, closed = "(" in before, ")" in after
    if "+" in after:
        raise InvalidValue(f"{before + '…' + after!r} says that it may be more")
    if opened != closed or before.count("(") + after.count(")") > 2 or len(marks) + opened > 1:
        raise InvalidValue(f"{before + '…' + after!r}: signs or brackets that do not match")
    strip = str.maketrans("", "", "()+-−–")
    return before.translate(strip), after.translate(strip), opened or marks == ["-"]


def _marks(before: str, after: str) -> Iterator[str]:
    for character in before + after:
        if character in "+":
            yield "+"
        elif character in "-−–":
            yield "-"
