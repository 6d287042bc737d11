"""Amounts of money as people read them; what is written into projects has a form of its own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from taiga_pipeline.language import ENGLISH, figure, marked, used
from taiga_pipeline.language import text as _
from taiga_pipeline.mapping.text import GREATEST_EXPONENT, amount, one_line

NO_CURRENCY: Final = marked("(no currency)")


def amounts_shown(amounts: Mapping[str, Decimal]) -> str:
    """Returns money by currency, which is never added up: ``1,200 EUR + 300 SEK``; "" for none.

    What has no currency says so where something else has one.
    """
    return " + ".join(
        amount_shown(value, currency or (_(NO_CURRENCY) if len(amounts) > 1 else ""))
        for currency, value in sorted(amounts.items(), key=lambda each: (not each[0], each[0]))
    )


def amount_shown(value: Decimal | None, currency: str) -> str:
    """Returns money as the language writes it: ``120,000 EUR``, ``120 000 EUR``; "" for none."""
    is_plain = (
        value is not None and value.is_finite() and abs(value.adjusted()) <= GREATEST_EXPONENT
    )
    if value is None or not is_plain or used() == ENGLISH:
        return amount(value, currency)
    is_whole = value == value.to_integral_value()
    number = figure(value, ",.0f" if is_whole else ",.2f")
    return f"{number} {one_line(currency)}".rstrip()
