"""Rates as CSV files: ``person,role,from,cost,bill,currency``.

A row is of one person (an address) or of one role; ``from`` is the first day, empty for one that
holds from ever.
A currency may stand with the amount (``60 EUR``).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from taiga_pipeline.people.cleaning import bare_email
from taiga_pipeline.people.csv_files import (
    Cells,
    Days,
    ReadFormat,
    RowsReport,
    Writing,
    read_file,
    sum_up,
)
from taiga_pipeline.people.model import Rate
from taiga_pipeline.people.rates.store import RateStore, Stamp, clean_rate
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.pipeline.values.amounts import read_amount


def read_rate(
    whose: tuple[str, str], cost: str, bill: str, currency: str, *, usual_currency: str = ""
) -> Rate:
    """Returns a rate from what people write. ``whose`` are address and role, one of them "".

    ``currency`` is the one that is named apart, ``usual_currency`` that of a pipeline.

    :raises InvalidValue: what cannot be read; two currencies.
    """
    amounts: list[Decimal | None] = []
    named = {currency.strip().upper()} - {""}
    for text in (cost, bill):
        amount = read_amount(text, option="") if text.strip() else None
        if amount and amount.currencies and not named & set(amount.currencies):
            if len(amount.currencies) > 1:
                raise InvalidValue(f"{text!r}: which currency is that? write a code, such as SEK")
            named.add(amount.currencies[0])
        amounts.append(amount.value if amount else None)
    if len(named) > 1:
        raise InvalidValue(f"a rate has one currency, not {' and '.join(sorted(named))}")
    code = next(iter(named), usual_currency)
    return Rate(whose[0], whose[1], None, amounts[0], amounts[1], code)


def rates_file(usual_currency: str = "") -> ReadFormat[Rate]:
    """Returns how rates are read and written; ``usual_currency`` is that of amounts without one."""

    def read(cells: Cells, day: Days) -> Rate:
        whose = bare_email(cells["person"]), cells["role"]
        texts = cells["cost"], cells["bill"], cells["currency"]
        rate = read_rate(whose, *texts, usual_currency=usual_currency)
        return clean_rate(replace(rate, since=day("from", cells["from"], None)))

    return ReadFormat(
        COLUMNS,
        write_rate,
        ("cost",),
        ("from",),
        read,
        lambda rate: (rate.email, folded(rate.role), rate.since),
        known={"person": ("email", "e mail", "address"), "from": ("since", "valid from", "start")},
        instead={"cost": ("bill",)},
    )


COLUMNS: Final = ("person", "role", "from", "cost", "bill", "currency")


def write_rate(rate: Rate) -> Cells:
    """Returns the cells of a rate."""
    return {
        "person": rate.email,
        "role": rate.role,
        "from": format_cell("start", rate.since),
        "cost": _plain(rate.cost),
        "bill": _plain(rate.bill),
        "currency": rate.currency,
    }


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def import_rates(
    store: RateStore, path: Path, writing: Writing, usual_currency: str, stamp: Stamp
) -> RowsReport:
    """Imports rates; people who are unknown are reported by line.

    :raises Unreachable: the file or the store cannot be used.
    :raises ProblemsError: the file cannot be decoded, or lacks a column.
    """
    reading = read_file(rates_file(usual_currency), path, writing)
    return sum_up(reading, store.set_each([item for _, item in reading.items], stamp))
