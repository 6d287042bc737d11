"""The fields of a deal as columns of a CSV file: their order, text form and usual headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.headers import HELPERS
from taiga_pipeline.pipeline.importing.readings import (
    Readings,
    read_currency,
    typed,
)
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
)
from taiga_pipeline.pipeline.values.amounts import Amount
from taiga_pipeline.problems import did_you_mean

PLAIN_COLUMNS: Final = (
    "key",
    "name",
    "customer",
    "stage",
    "value",
    "currency",
    "probability",
    "expected_close",
    "start",
    "owner",
    "team",
    "service",
    "roles",
    "updated_at",
)
"""The columns that every tool may rely on, in their order."""

MORE_COLUMNS: Final = (
    "engaged_on",
    "closed_on",
    "stage_since",
    "lead_source",
    "lost_reason",
    "contacts",
    "done",
    "notes",
)
"""Columns that may be missing from a file; an export writes them after the others."""

COLUMNS: Final = PLAIN_COLUMNS + MORE_COLUMNS

TEXT_COLUMNS: Final = (
    "key",
    "name",
    "customer",
    "stage",
    "currency",
    "owner",
    "team",
    "service",
    "lead_source",
    "lost_reason",
    "notes",
)


def check_field(name: str, known: Iterable[str] = (*COLUMNS, *HELPERS)) -> str:
    """Returns the name of a field as it is written here.

    :raises InvalidValue: there is no such field; names the nearest.
    """
    plain = name.strip().casefold().replace("-", "_").replace(" ", "_")
    fields = tuple(known)
    if plain not in fields:
        raise InvalidValue(
            f"{name!r} is no field of a deal{did_you_mean(name, fields)} "
            f"(fields: {', '.join(fields)})"
        )
    return plain


_LIST_FORMATS: Final[Mapping[str, Callable[[Any], str]]] = {
    "roles": format_roles,
    "contacts": format_contacts,
    "done": lambda actions: format_list(sorted(actions)),
}


def format_cell(field: str, value: Any) -> str:
    """Writes a field's value as text; what is not known becomes ""."""
    if value is None:
        return ""
    if field in _LIST_FORMATS:
        return _LIST_FORMATS[field](value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def deal_cells(deal: Deal) -> dict[str, str]:
    """Writes all fields of a deal as text."""
    return {field: format_cell(field, getattr(deal, field)) for field in COLUMNS}


TYPED: Final = typed()


def parse_cell(field: str, text: str, readings: Readings = TYPED) -> Any:
    """Reads a field's value from text that stands alone; blank text means "not known".

    :raises InvalidValue: the text is no such value, or it can be read in two ways.
    """
    if field == "currency" and text.strip():
        codes = read_currency(text)
        if len(codes) > 1:
            raise InvalidValue(f"{text!r} may be {' or '.join(codes[:4])}; write the code")
        return codes[0]
    if field in TEXT_COLUMNS:
        return text
    if not text.strip():
        return {"roles": (), "contacts": (), "done": frozenset()}.get(field)
    value = readings.read(field, text)
    if value is None:
        raise InvalidValue(f"{text.strip()[:40]!r} stands for nothing; write '' for that")
    return value.value if isinstance(value, Amount) else value
