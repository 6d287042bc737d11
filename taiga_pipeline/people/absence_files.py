"""Time off as HR programs export it: their headers, and what a row says beside its days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from taiga_pipeline.people.event_meaning import CANCELLED, DECLINED, TENTATIVE, elsewhere
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.headers import plain_header
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.pipeline.values.blank import is_blank
from taiga_pipeline.pipeline.values.numbers import read_number

NAME: Final = "name"
FIRST_NAME: Final = "first_name"
LAST_NAME: Final = "last_name"
DAYS: Final = "days"
STATUS: Final = "status"
HELPERS: Final = (NAME, FIRST_NAME, LAST_NAME, DAYS, STATUS)
"""Columns that are not fields of time off, but say something about some."""

_HEADERS: Final[Mapping[str, str]] = {
    "email": "e-mail|e-mail address|email address|work email|employee email|mail|user email|"
    "e-mail-adresse|dienstliche e-mail|e-post|e-postadress|epost|mejl|adresse e-mail|courriel|"
    "correo|correo electrónico|e-mailadres|e-mailadresse|e-postadresse",
    "first": "from|from date|start|start date|starts|begin|begin date|date from|first day|"
    "first day off|leave start|absence start|date|von|ab|beginn|startdatum|erster tag|datum|"
    "från|fran|från och med|fr.o.m.|from och med|startdag|första dag|du|date de début|début|"
    "desde|fecha de inicio|inicio|fecha inicio|início|data de início|data início|van|begindatum|"
    "fra|fra dato|startdato|"
    "alkaa|alkupäivä|alkaen|dal|data inizio|data di inizio|od|data od|od dnia|datum od",
    "last": "to|to date|end|end date|ends|until|date to|through|last day|last day off|leave end|"
    "absence end|bis|ende|enddatum|letzter tag|till|till och med|t.o.m.|slutdatum|slut|"
    "sista dag|au|date de fin|fin|hasta|fecha de fin|fecha fin|fim|até|data de fim|tot|"
    "einddatum|t/m|til|til dato|slutdato|sluttdato|"
    "päättyy|loppupäivä|päättyen|al|data fine|data di fine|do|data do|do dnia|datum do",
    "reason": "type|leave type|absence type|time off type|policy|policy name|time type|category|"
    "note|comment|art|abwesenheitsart|abwesenheitstyp|grund|typ|frånvarotyp|frånvaroorsak|orsak|"
    "type d'absence|motif|tipo|tipo de ausencia|motivo|tipo de ausência|soort verlof|"
    "verlofsoort|fraværstype|fraværsårsag|årsag|"
    "syy|poissaolon syy|poissaolotyyppi|motivo assenza|tipo assenza|tipo di assenza|"
    "rodzaj urlopu|rodzaj nieobecności|powód|typ nepřítomnosti|druh nepřítomnosti|důvod",
    NAME: "name|employee|employee name|full name|display name|worker|mitarbeiter|"
    "mitarbeitername|namn|anställd|medarbetare|nom|salarié|collaborateur|nombre|empleado|nome|"
    "colaborador|naam|medewerker|navn|medarbejder|ansatt|"
    "nimi|työntekijä|dipendente|nome e cognome|nominativo|imię i nazwisko|pracownik|"
    "jméno a příjmení|zaměstnanec",
    FIRST_NAME: "first name|firstname|given name|vorname|förnamn|prénom|voornaam|fornavn|"
    "etunimi|imię|jméno",
    LAST_NAME: "last name|lastname|surname|family name|nachname|efternamn|nom de famille|"
    "apellidos|sobrenome|achternaam|efternavn|etternavn|"
    "sukunimi|cognome|nazwisko|příjmení",
    DAYS: "days|duration|number of days|amount|total days|days taken|length|tage|anzahl tage|dauer|"
    "dagar|antal dagar|jours|nombre de jours|durée|días|dias|dagen|aantal dagen|dage|antal dage|"
    "antall dager|dager|"
    "päiviä|päivää|kesto|giorni|durata|dni|liczba dni|dny|počet dní",
    STATUS: "status|state|approval status|request status|genehmigung|godkänd|statut|estado|"
    "goedkeuring|godkendt|"
    "tila|hyväksyntä|stato|approvazione|stan|stav|schválení",
}
KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(dict.fromkeys(map(plain_header, headers.split("|"))))
    for name, headers in _HEADERS.items()
}
"""Headers without case and punctuation for each column, the surest first."""

_STATUS: Final[Mapping[str, str]] = {
    word: reason
    for words, reason in (
        (
            "cancelled|canceled|withdrawn|deleted|storniert|zurückgezogen|inställd|avbruten|annulé|"
            "annulée|cancelado|cancelada|geannuleerd|annulleret|avlyst|superseded|"
            "peruttu|annullato|annullata|anulowany|anulowane|zrušeno",
            CANCELLED,
        ),
        (
            "declined|denied|rejected|refused|abgelehnt|avslagen|nekad|refusé|refusée|rechazado|"
            "rechazada|recusado|afgewezen|geweigerd|afvist|avslått|no|nein|nej|nei|non|"
            "hylätty|rifiutato|rifiutata|respinto|odrzucony|odrzucone|zamítnuto",
            DECLINED,
        ),
        (
            "requested|pending|open|draft|submitted|awaiting approval|in approval|beantragt|offen|"
            "ausstehend|ansökt|väntar|begärd|demandé|en attente|solicitado|pendiente|pendente|"
            "aangevraagd|in behandeling|anmodet|afventer|venter|odottaa|haettu|richiesto|in attesa|"
            "oczekuje|złożony|oczekujący|čeká|požadováno",
            TENTATIVE,
        ),
    )
    for word in words.split("|")
}
HALF: Final = "half a day or less: the day counts as worked"
_WORKDAYS: Final = 5
_DAY_UNITS: Final = ("d", "tag", "jour", "día", "päiv", "giorn")
"""How words for days begin, in contrast to those for hours."""


def why_not_off(cells: Mapping[str, str], first: date, last: date | None) -> str:
    """Returns why a row is not time off by its own word, "" if it is.

    :raises InvalidValue: its number of days is none.
    """
    status = _STATUS.get(folded(cells.get(STATUS, "")), "")
    if status:
        return status
    if why := elsewhere(cells.get("reason", "")):
        return why
    days = number_of_days(cells)
    is_one_day = last is None or last == first
    return HALF if days is not None and days <= Decimal("0.5") and is_one_day else ""


def number_of_days(cells: Mapping[str, str]) -> Decimal | None:
    """Returns how many days off a row has, None where it does not say in days.

    :raises InvalidValue: it is less than nothing, or more than anyone is off.
    """
    text = cells.get(DAYS, "").strip()
    bare, _, unit = text.partition(" ")
    if is_blank(text) or (unit and not unit.casefold().startswith(_DAY_UNITS)):
        return None
    try:
        days = read_number(bare)
    except InvalidValue:
        return None
    if not 0 <= days <= 1000:
        raise InvalidValue(f"{text[:40]!r} is not a number of days off")
    return days


def last_by_number(first: date, days: Decimal) -> date:
    """Returns the last of so many working days, Monday to Friday; a part of one counts whole."""
    left, day = max(1, math.ceil(days)) - 1, first
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _WORKDAYS
    return day
