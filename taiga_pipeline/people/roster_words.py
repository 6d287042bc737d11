"""What the status of an employment says, and how names are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from taiga_pipeline.pipeline.text import folded, line

_LEFT: Final = frozenset(
    folded(word)
    for word in (
        "terminated|left|leaver|inactive|former|former employee|resigned|dismissed|retired|"
        "deceased|offboarded|exited|not active|no|false|0|inaktiv|ausgeschieden|ausgetreten|"
        "beendet|ehemalig|ehemaliger mitarbeiter|ehemalige mitarbeiterin|gekündigt|avslutad|"
        "slutat|har slutat|avgången|pensionerad|inactif|inactive|sorti|sortie|parti|partie|"
        "inactivo|inactiva|de baja|baja|inativo|inativa|desligado|desligada|demitido|demitida|"
        "inactief|uit dienst|fratrådt|fratrådt medarbejder|opsagt|sluttet|avsluttet|ikke aktiv|"
        "nein|nej|nei|non|não|nee|irtisanottu|päättynyt|lähtenyt|eläkkeellä|ei|cessato|cessata|"
        "dimesso|dimessa|licenziato|licenziata|non attivo|inattivo|zwolniony|zwolniona|nieaktywny|"
        "nieaktywna|były pracownik|nie|ukončen|ukončený|neaktivní|bývalý zaměstnanec|ne"
    ).split("|")
)
_ON_LEAVE: Final = frozenset(
    folded(word)
    for word in (
        "leave|on leave|leave of absence|long-term leave|long term leave|parental leave|"
        "maternity leave|paternity leave|paid leave|unpaid leave|suspended|sabbatical|"
        "beurlaubt|elternzeit|in elternzeit|mutterschutz|ruhend|tjänstledig|föräldraledig|"
        "sjukskriven|en congé|congé parental|congé maternité|congé sabbatique|excedencia|"
        "de permiso|permiso parental|baja médica|afastado|afastada|licença|de licença|met verlof|"
        "ouderschapsverlof|orlov|på orlov|barselsorlov|permisjon|i permisjon|foreldrepermisjon|"
        "vapaalla|perhevapaalla|vanhempainvapaalla|opintovapaalla|in congedo|congedo|aspettativa|"
        "in aspettativa|maternità|na urlopie|urlop macierzyński|urlop rodzicielski|"
        "urlop bezpłatny|mateřská|mateřská dovolená|rodičovská dovolená|neplacené volno"
    ).split("|")
)
_PART_TIME: Final = frozenset(
    folded(word)
    for word in (
        "part-time|part time|parttime|teilzeit|deltid|temps partiel|tiempo parcial|"
        "jornada parcial|tempo parcial|deeltijd|osa-aikainen|tempo parziale|niepełny etat|"
        "zkrácený úvazek|částečný úvazek"
    ).split("|")
)


def has_left(status: str) -> bool:
    """Tells whether a status says that the employment is over."""
    return folded(line(status)) in _LEFT


def is_on_leave(status: str) -> bool:
    """Tells whether a status says that someone is away for long."""
    word = folded(line(status))
    return word in _ON_LEAVE or word.startswith("on leave")


def is_part_time(status: str) -> bool:
    """Tells whether a status says that someone works less than full time."""
    return folded(line(status)) in _PART_TIME


def is_last_name_first(names: Iterable[str]) -> bool:
    """Tells whether a column of names is written ``Last, First`` throughout."""
    given = [name for name in names if name.strip()]
    return bool(given) and all(_is_turned(name) for name in given)


def _is_turned(name: str) -> bool:
    parts = [part.strip() for part in name.split(",")]
    return len(parts) == 2 and all(parts) and parts[1].rstrip(".").lower() not in ("jr", "sr")


def turned(name: str) -> str:
    """Returns ``First Last`` for ``Last, First``."""
    last, comma, first = name.partition(",")
    return line(f"{first} {last}") if comma else line(name)
