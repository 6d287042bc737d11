"""Which column stands for which field, by the headers of well-known programs."""

from __future__ import annotations

from datetime import date

import pytest

from taiga_pipeline.pipeline.columns import COLUMNS
from taiga_pipeline.pipeline.fields.headers import LANGUAGES
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.importing.contents import contents
from taiga_pipeline.pipeline.importing.headers import (
    guess_columns,
    may_be_weighted,
    plain_header,
    qualifier,
)

PROGRAMS = {
    "Salesforce": (
        "Opportunity ID,Opportunity Name,Account Name,Stage,Expected Revenue,Amount,"
        "Amount Currency,Probability (%),Close Date,Opportunity Owner,Lead Source,Created Date",
        "key,name,customer,stage,-,value,currency,probability,close_date,owner,lead_source,engaged_on",
    ),
    "HubSpot": (
        "Record ID,Deal Name,Deal Stage,Amount,Close Date,Deal owner,Create Date,"
        "Associated Company,Closed Lost Reason,Deal probability",
        "key,name,stage,value,close_date,owner,engaged_on,customer,lost_reason,probability",
    ),
    "Pipedrive": (
        "Deal - ID,Deal - Title,Deal - Organization,Deal - Value,Deal - Currency of Value,"
        "Deal - Stage,Deal - Status,Deal - Expected close date,Deal - Won time,Deal - Lost time,"
        "Deal - Owner,Deal - Lost reason,Deal - Probability",
        "key,name,customer,value,currency,stage,status,expected_close,won_on,lost_on,owner,"
        "lost_reason,probability",
    ),
    "Dynamics": (
        "(Do Not Modify) Opportunity,Topic,Potential Customer,Est. Close Date,Est. Revenue,Status,"
        "Probability,Owner,Created On,Modified On",
        "key,name,customer,expected_close,value,stage,probability,owner,engaged_on,updated_at",
    ),
    "Odoo": (
        "External ID,Opportunity,Customer,Expected Revenue,Probability,Expected Closing,"
        "Salesperson,Sales Team,Stage,Lost Reason,Created on",
        "key,name,customer,value,probability,expected_close,owner,team,stage,lost_reason,engaged_on",
    ),
    "Zoho": (
        "Record Id,Deal Name,Account Name,Amount,Closing Date,Stage,Probability (%),"
        "Expected Revenue,Deal Owner,Lead Source,Created Time,Modified Time,Reason For Loss",
        "key,name,customer,value,close_date,stage,probability,-,owner,lead_source,engaged_on,"
        "updated_at,lost_reason",
    ),
    "Bitrix24": (
        "ID,Deal Name,Stage,Total,Currency,Company,Responsible person,Created on,Modified on",
        "key,name,stage,value,currency,customer,owner,engaged_on,updated_at",
    ),
    "vtiger": (
        "Opportunity No,Opportunity Name,Organization Name,Amount,Sales Stage,"
        "Expected Close Date,Assigned To,Probability",
        "key,name,customer,value,stage,expected_close,owner,probability",
    ),
    "Spanish": (
        "ID de oportunidad,Nombre de la oportunidad,Cuenta,Etapa,Importe,Divisa,"
        "Probabilidad (%),Fecha de cierre,Propietario",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
    "French": (
        "Identifiant,Nom de l'opportunité,Compte,Étape,Montant,Devise,Probabilité,"
        "Date de clôture,Propriétaire",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
    "Portuguese": (
        "ID do negócio,Nome do negócio,Empresa,Estágio,Valor,Moeda,Probabilidade,"
        "Data de fechamento,Responsável",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
    "Dutch": (
        "Dealnummer,Naam,Klant,Verkoopfase,Bedrag,Valuta,Kans,Sluitingsdatum,Verantwoordelijke",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
    "Danish": (
        "ID,Navn,Kunde,Salgsfase,Beløb,Valuta,Sandsynlighed,Forventet lukkedato,Sælger",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "Norwegian": (
        "ID,Navn,Kunde,Salgsfase,Beløp,Valuta,Sannsynlighet,Forventet avslutning,Selger",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "Finnish": (
        "Tunniste,Nimi,Asiakas,Vaihe,Arvo,Valuutta,Todennäköisyys,Odotettu päättymispäivä,Omistaja",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "Polish": (
        "ID szansy,Nazwa szansy,Klient,Etap sprzedaży,Kwota (PLN),Waluta,Prawdopodobieństwo (%),"
        "Data zamknięcia,Opiekun",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
    "Italian": (
        "ID opportunità,Nome opportunità,Nome account,Fase,Ricavo previsto,Importo,Valuta,"
        "Probabilità,Chiusura prevista,Proprietario,Stato",
        "key,name,customer,stage,-,value,currency,probability,expected_close,owner,status",
    ),
    "Czech": (
        "Číslo obchodu,Název,Zákazník,Fáze,Stav,Částka,Měna,Pravděpodobnost,Datum uzavření,"
        "Vlastník",
        "key,name,customer,stage,status,value,currency,probability,close_date,owner",
    ),
    "Slovak": (
        "ID príležitosti,Názov,Zákazník,Fáza,Hodnota,Mena,Pravdepodobnosť,"
        "Očakávaný dátum uzavretia,Vlastník",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "Hungarian": (
        "Azonosító,Megnevezés,Ügyfél,Értékesítési szakasz,Állapot,Nettó összeg (Ft),Pénznem,"
        "Valószínűség,Várható lezárás,Kezdés,Felelős,Megjegyzés",
        "key,name,customer,stage,status,value,currency,probability,expected_close,start,owner,notes",
    ),
    "Turkish": (
        "FIRSAT NO,FIRSAT ADI,MÜŞTERİ ADI,SATIŞ AŞAMASI,TUTAR,PARA BİRİMİ,OLASILIK (%),"
        "Tahmini Kapanış Tarihi,Başlangıç,Fırsat Sahibi,Durum,Açıklama",
        "key,name,customer,stage,value,currency,probability,expected_close,start,owner,status,notes",
    ),
    "Romanian": (
        "ID oportunitate,Nume oportunitate,Client,Etapă,Valoare,Monedă,Probabilitate,"
        "Data estimată a închiderii,Responsabil",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "Dutch, of another program": (
        "Kenmerk,Naam deal,Account,Dealfase,Totaalbedrag,Valuta,Verwachte sluitdatum,Eigenaar deal",
        "key,name,customer,stage,value,currency,expected_close,owner",
    ),
    "Swedish": (
        "Affärsid,Namn,Kund,Säljfas,Belopp (tkr),Valuta,Sannolikhet i %,Förväntat avslut,Säljare",
        "key,name,customer,stage,value,currency,probability,expected_close,owner",
    ),
    "German": (
        "Vorgangsnummer,Bezeichnung,Kunde,Verkaufsphase,Betrag in EUR,Währung,"
        "Wahrscheinlichkeit,Abschlussdatum,Verantwortlich",
        "key,name,customer,stage,value,currency,probability,close_date,owner",
    ),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_headers_of_a_program_are_known(program: str) -> None:
    headers, fields = (text.split(",") for text in PROGRAMS[program])
    expected = dict(zip(fields, headers, strict=True))
    expected.pop("-", None)
    assert guess_columns(headers, {}).columns == expected


@pytest.mark.parametrize("order", [1, -1])
def test_the_surest_header_counts_whatever_the_order(order: int) -> None:
    headers = ["Price", "Expected Revenue", "Close Value", "Amount"][::order]
    guess = guess_columns(headers, {})
    assert guess.columns == {"value": "Amount"}
    assert set(guess.rivals["value"]) == {"Price", "Expected Revenue", "Close Value"}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "other", ["Amount (weighted)", "Amount (per month)", "Amount (converted)", "Belopp (viktat)"]
)
def test_an_amount_that_is_something_else_besides_is_less_sure(other: str, order: int) -> None:
    for plain in ("Amount", "Deal value (EUR)", "Price"):
        guess = guess_columns([other, plain][::order], {})
        assert guess.columns == {"value": plain}
        assert guess.rivals == {"value": (other,)}


def test_what_brackets_say_besides_a_unit_is_known() -> None:
    assert qualifier("Amount (per month)") == "per month"
    assert not any(map(qualifier, ("Amount (EUR)", "Belopp (tkr)", "Chance (%)", "Amount (2)")))


def test_a_status_alone_is_the_stage() -> None:
    assert guess_columns(["Status"], {}).columns == {"stage": "Status"}


def test_what_is_decided_is_not_used_again() -> None:
    guess = guess_columns(["Amount", "Price"], {"notes": "Amount"})
    assert guess.columns == {"value": "Price"}


def test_an_amount_that_may_be_weighted_is_known_by_its_header() -> None:
    for header in (
        "Expected Revenue (EUR)",
        "Amount (weighted)",
        "Wert (gewichtet)",
        "Importo ponderato",
    ):
        assert may_be_weighted(header)
    assert not may_be_weighted("Amount")


def test_no_header_stands_for_two_fields() -> None:
    seen: dict[str, str] = {}
    for column in (*BUILT_IN, *BUILT_IN.helpers):
        for header in column.headers.split("|"):
            assert seen.setdefault(plain_header(header), column.name) == column.name, header


def test_headers_of_a_language_are_those_of_fields() -> None:
    assert all(name in BUILT_IN for language in LANGUAGES for name in language)


def test_every_field_is_known_by_its_own_name() -> None:
    for field in COLUMNS:
        assert guess_columns([field], {}).columns == {field: field}


@pytest.mark.parametrize(
    ("headers", "cells", "expected"),
    [
        (
            ["Next activity"],
            [["2026-12-01"], [""], ["3 Dec 2026"]],
            {"next_step_on": "Next activity"},
        ),
        (["Next activity"], [["Call Anna"], ["2026-12-01"]], {"next_step": "Next activity"}),
        (["Next activity"], [[""], [" "]], {"next_step": "Next activity"}),
        (["Next activity"], [[date(2026, 12, 1)]], {"next_step_on": "Next activity"}),
        (["Follow-up date"], [["Send the offer"]], {"next_step": "Follow-up date"}),
        (["Next step"], [["46000"]], {"next_step": "Next step"}),
        (
            ["Nästa aktivitet", "Next step"],
            [["2026-12-01", "Ring Anna"]],
            {"next_step": "Next step", "next_step_on": "Nästa aktivitet"},
        ),
        (
            ["Next step", "Next step date"],
            [["2026-12-01", "2026-12-02"]],
            {"next_step": "Next step", "next_step_on": "Next step date"},
        ),
    ],
)
def test_what_stands_below_tells_a_step_from_its_day(
    headers: list[str], cells: list[list[object]], expected: dict[str, str]
) -> None:
    found = guess_columns(headers, {}, content_of=contents(headers, lambda: cells)).columns
    assert found == expected
