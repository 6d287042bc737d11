"""The fields of a deal as columns of a CSV file: their order, text form and usual headers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
)
from taiga_pipeline.pipeline.readings import (
    CLOSE_DATE,
    Readings,
    read_currency,
    typed,
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

_HEADERS: Final[Mapping[str, str]] = {
    "key": "key|deal key|id|deal id|opportunity id|opportunity|opportunity number|deal number|"
    "record id|reference|affärsid|affärs id|ärendenummer|vorgangsnummer|chancen id|angebotsnummer",
    "name": "name|deal name|opportunity name|deal|title|subject|namn|affär|affärsnamn|rubrik|"
    "titel|bezeichnung|verkaufschance",
    "customer": "customer|customer name|account|account name|company|company name|organization|"
    "organisation|client|kund|kundnamn|företag|bolag|kunde|kundenname|firma",
    "stage": "stage|deal stage|sales stage|stage name|pipeline stage|status|phase|steg|fas|"
    "säljfas|verkaufsphase",
    "value": "value|amount|deal value|deal amount|close value|revenue|expected revenue|price|"
    "värde|belopp|ordervärde|wert|betrag|auftragswert",
    "currency": "currency|currency code|valuta|währung",
    "probability": "probability|probability %|win probability|likelihood|sannolikhet|"
    "wahrscheinlichkeit",
    "engaged_on": "engaged on|engage date|engaged|engagement date",
    "expected_close": "expected close|expected close date|estimated close|estimated close date|"
    "förväntat avslut|förväntat stängningsdatum|erwarteter abschluss|voraussichtlicher abschluss",
    "closed_on": "closed on|closed date|actual close date|won lost date|avslutad|stängd|"
    "abgeschlossen am",
    CLOSE_DATE: "close date|closing date|avslutsdatum|stängningsdatum|abschlussdatum",
    "start": "start|start date|project start|project start date|startdatum|projektstart",
    "owner": "owner|deal owner|opportunity owner|sales agent|sales rep|salesperson|assigned to|"
    "ägare|säljare|ansvarig|verkäufer|verantwortlich|inhaber",
    "team": "team|sales team|business unit|unit|department|avdelning|enhet|abteilung",
    "service": "service|product|product name|offering|tjänst|produkt|dienstleistung|leistung",
    "lead_source": "lead source|source|källa|leadkälla|quelle|herkunft",
    "lost_reason": "lost reason|loss reason|reason lost|förlustorsak|orsak|verlustgrund",
    "notes": "notes|note|description|comments|anteckningar|beskrivning|notizen|beschreibung",
    "roles": "roles|role demand|roller|rollen",
    "contacts": "contacts|kontakter|kontakte",
    "done": "done",
    "stage_since": "stage since|stage changed|last stage change|last stage change date",
    "updated_at": "updated at|updated|modified|last modified|last modified date|modified date|"
    "uppdaterad|senast ändrad|geändert am|zuletzt geändert",
}


def plain_header(header: str) -> str:
    """Returns a header in the form in which it is compared: letters and digits only."""
    text = unicodedata.normalize("NFC", header).casefold()
    return re.sub(r"[\W_]+", "", text)


_BY_HEADER: Final = {
    plain_header(header): field
    for field, headers in _HEADERS.items()
    for header in headers.split("|")
}


def guess_columns(headers: Iterable[str], taken: Mapping[str, str]) -> dict[str, str]:
    """Finds the fields that well-known headers stand for: ``{our field: their header}``.

    ``taken`` holds what is already decided; neither its fields nor its headers are used again.
    Where two headers stand for one field, the first wins.
    """
    found: dict[str, str] = {}
    for header in headers:
        field = _BY_HEADER.get(plain_header(header))
        if field and field not in taken and field not in found and header not in taken.values():
            found[field] = header
    return found


def check_field(name: str, known: Iterable[str] = (*COLUMNS, CLOSE_DATE)) -> str:
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
