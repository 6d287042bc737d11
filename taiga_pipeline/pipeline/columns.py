"""The fields of a deal as columns of a CSV file: their order and text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import TEXT_KINDS, DealField, Kind
from taiga_pipeline.pipeline.fields.own import read_own
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.importing.readings import Readings, read_currency, typed
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
)
from taiga_pipeline.pipeline.notes import format_notes
from taiga_pipeline.pipeline.values.amounts import Amount
from taiga_pipeline.problems import did_you_mean

COLUMNS: Final = BUILT_IN.names
"""The columns of our own format, in their order; fields of the user's own come after them."""


def check_field(name: str, known: Iterable[str] = BUILT_IN.columns) -> str:
    """Returns the name of a field as it is written here.

    :raises InvalidValue: there is no such field; names the nearest.
    """
    plain = name.strip().casefold().replace("-", "_").replace(" ", "_")
    fields = tuple(known)
    if plain not in fields:
        raise InvalidValue(
            f"{name!r} is not a field of a deal{did_you_mean(name, fields)} (fields: "
            f"{', '.join(fields)})"
        )
    return plain


_LIST_FORMATS: Final[Mapping[Kind, Callable[[Any], str]]] = {
    Kind.ROLES: format_roles,
    Kind.CONTACTS: format_contacts,
    Kind.ACTIONS: lambda actions: format_list(sorted(actions)),
    Kind.NOTES: format_notes,
}
_LISTS: Final = {
    field.name: _LIST_FORMATS[field.kind] for field in BUILT_IN if field.kind in _LIST_FORMATS
}


def format_cell(field: str, value: Any) -> str:
    """Writes a field's value as text; what is not known becomes ""."""
    if value is None:
        return ""
    if field in _LISTS:
        return _LISTS[field](value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def deal_cells(deal: Deal) -> dict[str, str]:
    """Writes all fields of a deal as text; those of the user's own where they hold something."""
    return {**deal.own, **{name: format_cell(name, getattr(deal, name)) for name in COLUMNS}}


TYPED: Final = typed()


def _own(column: DealField, text: str) -> str:
    value = read_own(column, text)
    if text.strip() and not value:
        raise InvalidValue(
            f"{text.strip()[:40]!r} has no meaning here; write '' for an empty value"
        )
    return value


def parse_cell(field: str | DealField, text: str, readings: Readings = TYPED) -> Any:
    """Reads a field's value from text that stands alone; blank text means "not known".

    :raises InvalidValue: the text is not such a value, or it can be read in two ways.
    """
    column = BUILT_IN[field] if isinstance(field, str) else field
    if column.is_own:
        return _own(column, text)
    if column.kind is Kind.CURRENCY and text.strip():
        codes = read_currency(text)
        if len(codes) > 1:
            raise InvalidValue(f"{text!r} may be {' or '.join(codes[:4])}; write the code")
        return codes[0]
    if column.kind in TEXT_KINDS:
        return text
    if not text.strip():
        return column.empty
    value = readings.read(column, text)
    if value is None:
        raise InvalidValue(
            f"{text.strip()[:40]!r} has no meaning here; write '' for an empty value"
        )
    return value.value if isinstance(value, Amount) else value
