"""Chances, which are per cent or fractions of one, read by the evidence of their column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.blank import is_blank
from taiga_pipeline.pipeline.values.numbers import read_number
from taiga_pipeline.pipeline.values.options import setting
from taiga_pipeline.pipeline.values.patterns import pattern

OPTION: Final = "--probability-scale"
_SHOWN: Final = 40
_HUNDRED: Final = Decimal(100)
_PER_CENT_SIGN = pattern(
    r"\s*(?:%|٪|％|per cent|percent|pct\.?|procent|prozent|prosent)\s*$|^\s*[%٪％]\s*", re.I
)
_PER_CENT_HEADER = pattern(
    r"%|\b0\s*(?:-|–|to|bis|till)\s*100\b|"
    r"\b(?:per ?cent|pct|procent|prozent|prosent|porcent\w*|pourcent\w*|percentuale)\b",
    re.I,
)
_FRACTION_HEADER = pattern(r"\b(?:fraction|0\s*(?:-|–|to)\s*1)\b", re.I)


class Scale(StrEnum):
    """What a chance without a per cent sign is counted in."""

    PER_CENT = "percent"
    FRACTION = "fraction"
    BY_VALUE = ""
    """Not decided: more than 1 is per cent, between 0 and 1 a fraction, 1 itself is refused in a
    column and certain where it stands alone."""


@dataclass(frozen=True, slots=True)
class ShareReading:
    """How a column of chances is written; ``why`` says by which evidence, "" if none was needed."""

    scale: Scale = Scale.BY_VALUE
    why: str = ""
    option: str = OPTION
    stands_alone: bool = True

    def read(self, text: str) -> Decimal | None:
        """Reads a chance as a fraction of one; None if the cell stands for nothing.

        :raises InvalidValue: it is not a number, or it is not clear whether it is per cent. Whether
            it is between 0 and 1 is checked with the deal.
        """
        if is_blank(text):
            return None
        number, signs = _PER_CENT_SIGN.subn("", text)
        try:
            value = read_number(number)
        except InvalidValue:
            raise InvalidValue(f"{text.strip()[:_SHOWN]!r} is not a probability") from None
        return value / _HUNDRED if signs else self.convert(value, text)

    def convert(self, value: Decimal, shown: str = "") -> Decimal:
        """Returns a number without a sign as a fraction of one.

        :raises InvalidValue: it is not clear whether it is per cent.
        """
        if self.scale is Scale.PER_CENT:
            return value / _HUNDRED
        if self.scale is Scale.FRACTION or value == 0:
            return value
        if not self.stands_alone and value <= 1:
            raise InvalidValue(
                f"{(shown or format(value, 'f')).strip()[:_SHOWN]!r} may be {value:f} % or "
                f"{value * _HUNDRED:f} %, and its column does not decide; set "
                f"{setting(self.option, 'percent')} or {setting(self.option, 'fraction')}"
            )
        return value / _HUNDRED if value > 1 else value


def read_share(text: str, scale: Scale = Scale.BY_VALUE) -> Decimal | None:
    """Reads one chance that stands alone: ``0.5``, ``50 %``, or ``50``; see `ShareReading.read`."""
    return ShareReading(scale).read(text)


@dataclass(slots=True)
class ShareSurvey:
    """What the cells of a column of chances show."""

    signed: int = 0
    plain: int = 0
    above: Decimal | None = None
    between: bool = False
    up_to_one: bool = False

    def take(self, cell: str) -> None:
        """Looks at one cell."""
        if is_blank(cell):
            return
        if _PER_CENT_SIGN.search(cell):
            self.signed += 1
            return
        try:
            value = read_number(cell)
        except InvalidValue:
            return
        self.plain += 1
        if value > 1 and self.above is None:
            self.above = value
        self.between |= 0 < value < 1
        self.up_to_one |= 0 < value <= 1

    def reading(
        self,
        header: str = "",
        scale: Scale = Scale.BY_VALUE,
        option: str = OPTION,
        likely: Scale = Scale.BY_VALUE,
    ) -> ShareReading:
        """Decides how the column is written.

        ``scale`` is what was named; ``likely`` decides where neither header nor cells do.
        A header with a per cent sign, or a cell above 1, makes the column per cent. Cells between
        0 and 1 make it fractions, where none has a sign.
        """
        if scale:
            return ShareReading(scale, "", option)
        shown = header.strip()[:_SHOWN]
        if _PER_CENT_HEADER.search(header):
            why = f"per cent: the header {shown!r} says so"
            return ShareReading(Scale.PER_CENT, why, option)
        if _FRACTION_HEADER.search(header):
            why = f"a fraction of one: the header {shown!r} says so"
            return ShareReading(Scale.FRACTION, why, option)
        if self.above is not None:
            why = f"per cent: {self.above:f} is above 1" if self.up_to_one else ""
            return ShareReading(Scale.PER_CENT, why, option)
        if self.between and not self.signed:
            return ShareReading(Scale.FRACTION, "", option)
        return ShareReading(likely, "", option, stands_alone=not self.plain)


def survey_shares(
    cells: Iterable[str],
    header: str = "",
    scale: Scale = Scale.BY_VALUE,
    option: str = OPTION,
) -> ShareReading:
    """Decides how a column of chances is written, by all its cells; see `ShareSurvey.reading`."""
    survey = ShareSurvey()
    for cell in cells:
        survey.take(cell)
    return survey.reading(header, scale, option)
