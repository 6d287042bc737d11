"""Amounts of money as people read them; what is written into projects has a form of its own."""

from __future__ import annotations

from decimal import Decimal

from taiga_pipeline.language import ENGLISH, figure, used
from taiga_pipeline.mapping.text import GREATEST_EXPONENT, amount, one_line


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
