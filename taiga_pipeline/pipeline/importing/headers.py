"""Which column of a file stands for which field, by the headers of well-known programs.

English, Swedish, German, French, Spanish, Portuguese, Dutch, Danish and Norwegian; Salesforce,
HubSpot, Pipedrive, Dynamics, Odoo, Zoho, Bitrix24, vtiger and SuiteCRM.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.importing.readings import CLOSE_DATE

STATUS: Final = "status"
"""A column for imports only: whether a deal is open, won or lost, beside the stage that it is in or
was in at last."""

WON_ON: Final = "won_on"
LOST_ON: Final = "lost_on"
"""Columns for imports only: the day of the decision, where programs keep two of them."""

HELPERS: Final = (CLOSE_DATE, STATUS, WON_ON, LOST_ON)
"""Columns that are no fields of a deal, but say something about some."""

_HEADERS: Final[Mapping[str, str]] = {
    "key": "key|deal key|deal id|opportunity id|opportunity number|opportunity no|deal number|"
    "record id|record-id|external id|id|reference|ref|affärsid|affärs id|ärendenummer|"
    "affärsnummer|vorgangsnummer|chancen id|angebotsnummer|id de oportunidad|id del negocio|"
    "número de oportunidad|id de l'opportunité|identifiant|numéro d'opportunité|"
    "id da oportunidade|id do negócio|verkoopkans-id|dealnummer|salgsmulighed id|mulighet id|"
    "mulighetsnummer|(do not modify) opportunity",
    "name": "name|deal name|deal title|opportunity name|opportunity title|deal|opportunity|"
    "topic|title|subject|namn|affärsnamn|affär|rubrik|titel|bezeichnung|verkaufschance|nombre|"
    "nombre del negocio|nombre de la oportunidad|oportunidad|título|asunto|nom|"
    "nom de l'opportunité|nom de l'affaire|opportunité|affaire|titre|nome|nome do negócio|"
    "nome da oportunidade|oportunidade|naam|naam verkoopkans|verkoopkans|onderwerp|navn|"
    "navn på salgsmulighed|salgsmulighed|mulighet|navn på mulighet|tittel|emne",
    "customer": "customer|customer name|account|account name|company|company name|organization|"
    "organization name|organisation|organisation name|client|client name|potential customer|"
    "associated company|associated company (primary)|kund|kundnamn|företag|bolag|kunde|"
    "kundenname|firma|unternehmen|cliente|nombre de la cuenta|cuenta|empresa|organización|"
    "nom du compte|compte|entreprise|société|conta|nome da conta|organização|klant|klantnaam|"
    "bedrijf|relatie|organisatie|konto|virksomhed|virksomhet|bedrift|firmanavn",
    "stage": "stage|deal stage|opportunity stage|sales stage|stage name|pipeline stage|phase|"
    "steg|fas|säljfas|verkaufsphase|stadium|etapa|fase|fase de venta|etapa de ventas|étape|"
    "étape de vente|phase de vente|estágio|fase de vendas|verkoopfase|salgsfase|salgstrin|trin",
    STATUS: "status|deal status|opportunity status|won/lost|won lost|tillstånd|zustand|estado|"
    "statut|état|situação|statuskode",
    "value": "amount|deal amount|opportunity amount|value|deal value|opportunity value|"
    "est. revenue|estimated revenue|est. value|estimated value|total amount|total|close value|"
    "actual revenue|revenue|price|amount in company currency|värde|belopp|ordervärde|"
    "affärsvärde|wert|betrag|auftragswert|umsatz|importe|valor|monto|cantidad|montant|valeur|"
    "chiffre d'affaires|valor total|montante|quantia|bedrag|waarde|dealwaarde|omzet|beløb|værdi|"
    "omsætning|beløp|verdi|omsetning|expected revenue|umsatzerwartung|erwarteter umsatz|"
    "förväntad intäkt|ingresos esperados|ingreso estimado|revenu attendu|revenu espéré|"
    "receita esperada|verwachte omzet|forventet omsætning|forventet omsetning|forventet inntekt|"
    "weighted value|weighted amount|weighted revenue|prorated revenue|viktat värde|"
    "gewichteter wert",
    "currency": "currency|currency code|currency of value|amount currency|value currency|"
    "deal currency|opportunity currency|valuta|valutakod|währung|moneda|divisa|devise|monnaie|"
    "moeda|munt|valutakode",
    "probability": "probability|deal probability|win probability|likelihood|chance|sannolikhet|"
    "wahrscheinlichkeit|probabilidad|probabilité|probabilidade|kans|waarschijnlijkheid|"
    "sandsynlighed|sannsynlighet",
    "engaged_on": "engaged on|engage date|engaged|engagement date|create date|created date|"
    "created on|created|created at|created time|creation date|deal created|date created|"
    "add time|date entered|skapad|skapad den|skapades|erstellt am|erstellt|erstelldatum|"
    "fecha de creación|creado el|creado|date de création|créé le|data de criação|criado em|"
    "aangemaakt op|aanmaakdatum|oprettet|oprettet den|opprettet|opprettet dato",
    "expected_close": "expected close|expected close date|expected closing|"
    "expected closing date|estimated close|estimated close date|est. close date|"
    "forecast close date|förväntat avslut|förväntat stängningsdatum|förväntat avslutsdatum|"
    "erwarteter abschluss|voraussichtlicher abschluss|erwartetes abschlussdatum|cierre esperado|"
    "cierre previsto|fecha de cierre prevista|fecha de cierre esperada|date de clôture prévue|"
    "clôture prévue|fermeture prévue|fechamento previsto|data de fechamento prevista|"
    "data prevista de fechamento|verwachte sluitingsdatum|verwachte sluiting|"
    "forventet lukkedato|forventet lukning|forventet avslutning|forventet lukket",
    "closed_on": "closed on|closed date|closed at|deal closed on|actual close date|"
    "won lost date|date closed|close time|avslutad|stängd|abgeschlossen am|cerrado el|"
    "fecha real de cierre|clôturé le|fermé le|fechado em|gesloten op|afgesluttet|lukket den|"
    "lukket|avsluttet",
    WON_ON: "won time|won date|won on|date won|vunnen den|gewonnen am|fecha ganado|date de gain|"
    "data de ganho|gewonnen op|vundet den|vunnet den",
    LOST_ON: "lost time|lost date|lost on|date lost|förlorad den|verloren am|fecha perdido|"
    "date de perte|data de perda|verloren op|tabt den|tapt den",
    CLOSE_DATE: "close date|closing date|closedate|avslutsdatum|stängningsdatum|abschlussdatum|"
    "schließdatum|fecha de cierre|date de clôture|date de fermeture|data de fechamento|"
    "sluitingsdatum|lukkedato|afslutningsdato|avslutningsdato|sluttdato",
    "start": "start|start date|project start|project start date|startdatum|projektstart|"
    "fecha de inicio|inicio|date de début|début|data de início|início|projectstart|startdato",
    "owner": "owner|deal owner|opportunity owner|owner name|record owner|sales agent|sales rep|"
    "sales representative|salesperson|account manager|assigned to|assigned user|responsible|"
    "responsible person|ägare|säljare|ansvarig|verkäufer|verantwortlich|verantwortlicher|"
    "inhaber|besitzer|zuständig|propietario|responsable|vendedor|comercial|asignado a|"
    "propriétaire|commercial|attribué à|proprietário|responsável|eigenaar|verkoper|"
    "verantwoordelijke|toegewezen aan|ejer|sælger|ansvarlig|eier|selger",
    "team": "team|sales team|business unit|unit|department|avdelning|enhet|abteilung|"
    "vertriebsteam|equipo|equipo de ventas|équipe|équipe commerciale|equipe|equipe de vendas|"
    "verkoopteam|afdeling|avdeling|salgsteam",
    "service": "service|product|product name|offering|tjänst|produkt|dienstleistung|leistung|"
    "servicio|producto|produit|prestation|serviço|produto|dienst|ydelse|tjeneste",
    "lead_source": "lead source|source|original source|deal source|källa|leadkälla|quelle|"
    "herkunft|fuente|origen|origine|source du prospect|fonte|origem|bron|leadbron|kilde|"
    "leadkilde",
    "lost_reason": "lost reason|loss reason|reason lost|reason for loss|closed lost reason|"
    "förlustorsak|orsak|verlustgrund|ablehnungsgrund|motivo de pérdida|raison de la perte|"
    "motif de perte|motivo da perda|reden verloren|reden van verlies|tabsårsag|årsak til tap|"
    "tapsårsak",
    "notes": "notes|note|description|comments|comment|anteckningar|beskrivning|kommentar|"
    "notizen|beschreibung|bemerkung|notas|descripción|comentarios|remarques|commentaires|"
    "descrição|observações|notities|omschrijving|opmerkingen|noter|beskrivelse|bemærkninger|"
    "notater",
    "roles": "roles|role demand|roller|rollen",
    "contacts": "contacts|kontakter|kontakte",
    "done": "done",
    "stage_since": "stage since|stage changed|last stage change|last stage change date",
    "updated_at": "updated at|updated|update time|modified|modified on|modified time|"
    "last modified|last modified date|last modified on|last updated|modified date|date modified|"
    "uppdaterad|senast ändrad|ändrad|geändert am|zuletzt geändert|última modificación|"
    "modificado el|dernière modification|modifié le|última atualização|modificado em|"
    "gewijzigd op|laatst gewijzigd|ændret|sist endret|endret",
}
"""For each field its headers, the surest first: of several in one file, that one counts."""

_PREFIX: Final = re.compile(
    r"^\s*(?:deal|opportunity|lead|affär|chance|verkaufschance|oportunidad|affaire)\s*[-–:.]\s*",
    re.I,
)
_LONGEST: Final = 80
_UNIT: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*|\s*%\s*|\s+(?:in|i|en|em)\s+\S{1,8}$", re.I)


def plain_header(header: str) -> str:
    """Returns a header in the form in which it is compared: letters and digits only."""
    text = unicodedata.normalize("NFC", header).casefold()
    return re.sub(r"[\W_]+", "", text)


_RANKS: Final = {
    plain_header(header): (field, rank)
    for field, headers in _HEADERS.items()
    for rank, header in enumerate(headers.split("|"))
}
_WEIGHTED: Final = frozenset(
    plain_header(header)
    for header in (
        "expected revenue|umsatzerwartung|erwarteter umsatz|förväntad intäkt|ingresos esperados|"
        "ingreso estimado|revenu attendu|revenu espéré|receita esperada|verwachte omzet|"
        "forventet omsætning|forventet omsetning|forventet inntekt|weighted value|weighted amount|"
        "weighted revenue|prorated revenue|viktat värde|gewichteter wert"
    ).split("|")
)


@lru_cache(maxsize=1024)
def _known(header: str) -> tuple[str, int] | None:
    """Returns the field that a header stands for, and how sure that is (0 is surest)."""
    bare = _PREFIX.sub("", header)
    for text in (header, bare, _UNIT.sub(" ", header), _UNIT.sub(" ", bare)):
        if found := _RANKS.get(plain_header(text)):
            return found
    return None


def is_known(header: str) -> bool:
    """Tells whether a header is one of a well-known program."""
    return bool(header) and len(header) <= _LONGEST and _known(header) is not None


def may_be_weighted(header: str) -> bool:
    """Tells whether amounts below a header may be multiplied by the deal's chance already."""
    bare = _UNIT.sub(" ", _PREFIX.sub("", header))
    return plain_header(bare) in _WEIGHTED


@dataclass(frozen=True, slots=True)
class Guess:
    """``columns``: our field -> their header. ``rivals``: our field -> the headers that stand for
    it as well and were not taken."""

    columns: Mapping[str, str]
    rivals: Mapping[str, tuple[str, ...]]


def guess_columns(headers: Iterable[str], taken: Mapping[str, str]) -> Guess:
    """Finds the fields that well-known headers stand for.

    ``taken`` (our field -> their header) holds what is already decided; neither its fields nor its
    headers are used again. Of several headers for one field, the surest counts, else the first.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for header in dict.fromkeys(headers):
        known = _known(header) if header and header not in taken.values() else None
        if known and known[0] not in taken:
            found.setdefault(known[0], []).append((known[1], header))
    ranked = {
        name: [header for _, header in sorted(each, key=_rank)] for name, each in found.items()
    }
    if "stage" not in ranked and "stage" not in taken and STATUS in ranked:
        ranked["stage"] = ranked.pop(STATUS)  # the only word on how far a deal is
    columns = {name: each[0] for name, each in ranked.items()}
    rivals = {name: tuple(each[1:]) for name, each in ranked.items() if len(each) > 1}
    return Guess(columns, rivals)


def _rank(found: tuple[int, str]) -> int:
    return found[0]
