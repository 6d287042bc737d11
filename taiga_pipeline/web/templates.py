"""The environment of the templates: they escape whatever they show, and cannot be told not to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from taiga_pipeline.language import figure, plural, text, translated
from taiga_pipeline.report.scores import reason_text, why_chosen
from taiga_pipeline.report.terminal import safe


@cache
def templates() -> Environment:
    """Returns the templates. They are written in the language that is used when they are shown."""
    found = Environment(
        loader=PackageLoader("taiga_pipeline.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    del found.filters["safe"]  # what would let markup through: no template may use it
    found.filters.update(
        amount=amount, day=day, exact=exact, moment=moment, percent=percent, translated=translated
    )
    found.tests["web_address"] = is_web_address
    found.globals.update(_=text, ngettext=plural, reason_text=reason_text, why_chosen=why_chosen)
    return found


def _readable(value: object) -> object:
    """Returns what a template shows; in a text, what hides or reorders others is made visible."""
    if isinstance(value, str) and not isinstance(value, Exact) and not hasattr(value, "__html__"):
        return safe(value, keep_lines=True)
    return "" if value is None else value


def is_web_address(address: object) -> bool:
    """Whether a text is an address that may stand behind a link."""
    return isinstance(address, str) and address.startswith(("https://", "http://"))


class Exact(str):
    """A text that is sent back as it is: what a field holds, or the name of an option."""

    __slots__ = ()


def exact(value: object) -> object:
    """Has a text written letter by letter, not as people read it; it is escaped all the same."""
    return Exact(value) if type(value) is str else value


def amount(value: Decimal | float | None, places: int | None = None) -> str:
    """Writes a number as the language does, "" for none; without ``places``, whole ones whole."""
    if value is None:
        return ""
    if places is None:
        places = 0 if value == int(value) else 2
    return figure(value, f",.{places}f")


def percent(share: Decimal | float | None) -> str:
    """Writes a share of 0 to 1 in per cent, "" for none."""
    return "" if share is None else figure(share, ".0%")


def day(value: date | None) -> str:
    """Writes a day, "" for none."""
    return value.isoformat() if value else ""


def moment(value: datetime | None) -> str:
    """Writes a time to the minute, "" for none, in the zone that it is handed in."""
    return f"{value:%Y-%m-%d %H:%M}" if value else ""
