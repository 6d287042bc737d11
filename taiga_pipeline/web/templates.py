"""The environment of the templates: they escape whatever they show, and cannot be told not to."""

from __future__ import annotations

import gettext
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from taiga_pipeline.report.terminal import safe

_LONG: Final = 10_000
"""So much of a text is shown at once."""


@cache
def templates(language: str = "en") -> Environment:
    """Returns the templates, in a language."""
    found = Environment(
        loader=PackageLoader("taiga_pipeline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    found.install_gettext_translations(  # type: ignore[attr-defined]
        gettext.NullTranslations(), newstyle=True
    )
    del found.filters["safe"]  # what would let markup through: no template may use it
    found.filters.update(amount=amount, day=day, moment=moment, percent=percent)
    return found


def _readable(value: object) -> object:
    """Returns what a template shows; in a text, what hides or reorders others is made visible."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return safe(value, keep_lines=True)
    return "" if value is None else value


def amount(value: Decimal | float | None, places: int | None = None) -> str:
    """Writes a number with narrow blanks between thousands, "" for none."""
    if value is None:
        return ""
    if places is None:
        places = 0 if value == int(value) else 2
    return f"{value:,.{places}f}".replace(",", "\u202f")


def percent(share: Decimal | float | None) -> str:
    """Writes a share of 0 to 1, "" for none."""
    return "" if share is None else f"{100 * share:.0f}\u00a0%"


def day(value: date | None) -> str:
    """Writes a day, "" for none."""
    return value.isoformat() if value else ""


def moment(value: datetime | None) -> str:
    """Writes a time to the minute, "" for none; it is in the zone that it is handed in."""
    return f"{value:%Y-%m-%d %H:%M}" if value else ""
