"""More headers that columns of deals are known by, language by language.

Those of `table` are surer, whatever their language; the amounts in `WEIGHTED` are the least sure.
A header that two languages share for two fields stands in neither, and a word for "number" alone,
which may number anything, is no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from taiga_pipeline.pipeline.fields.field import DealField

WEIGHTED: Final = (
    "expected revenue|umsatzerwartung|erwarteter umsatz|förväntad intäkt|ingresos esperados|"
    "ingreso estimado|revenu attendu|revenu espéré|receita esperada|verwachte omzet|"
    "forventet omsætning|forventet omsetning|forventet inntekt|weighted value|weighted amount|"
    "weighted revenue|prorated revenue|viktat värde|gewichteter wert|odotettu tuotto|"
    "odotettu liikevaihto|painotettu arvo|oczekiwany przychód|przewidywany przychód|"
    "ricavo previsto|ricavi previsti|entrate previste|fatturato atteso|očekávaný výnos|"
    "očekávaný příjem"
)
"""Amounts that may be multiplied by the deal's chance already."""

_FINNISH: Final = {
    "key": "tunniste|tunnus|kaupan tunnus|kauppanumero|mahdollisuuden tunnus",
    "name": "nimi|kaupan nimi|mahdollisuuden nimi|myyntimahdollisuus|mahdollisuus|otsikko|aihe",
    "customer": "asiakas|asiakkaan nimi|yritys|organisaatio|tili|tilin nimi",
    "stage": "vaihe|myyntivaihe|kaupan vaihe",
    "value": "arvo|kaupan arvo|summa|hinta",
    "currency": "valuutta",
    "probability": "todennäköisyys",
    "expected_close": (
        "odotettu päättymispäivä|arvioitu päättymispäivä|odotettu sulkemispäivä|"
        "arvioitu sulkemispäivä|odotettu sulkeutumispäivä"
    ),
    "close_date": "päättymispäivä|sulkemispäivä|sulkeutumispäivä|päätöspäivä",
    "engaged_on": "luotu|luontipäivä|luontiaika",
    "updated_at": "muokattu|päivitetty|viimeksi muokattu",
    "start": "alkupäivä|aloituspäivä|alkamispäivä",
    "owner": "omistaja|vastuuhenkilö|myyjä",
    "team": "tiimi|myyntitiimi|osasto",
    "service": "palvelu|tuote",
    "lead_source": "lähde|liidin lähde",
    "lost_reason": "häviämisen syy|häviösyy",
    "next_step": "seuraava vaihe|seuraava toimenpide|seuraava askel",
    "notes": "muistiinpanot|kuvaus|kommentit|huomautukset",
    "status": "tila",
}
_POLISH: Final = {
    "key": "identyfikator|id szansy|id szansy sprzedaży|numer szansy",
    "name": "nazwa|nazwa szansy|nazwa szansy sprzedaży|szansa sprzedaży|temat|tytuł",
    "customer": "klient|nazwa klienta|nazwa konta|kontrahent|nazwa firmy|organizacja",
    "stage": "etap|etap sprzedaży|etap szansy|faza",
    "value": "kwota|wartość|wartość szansy|wartość szansy sprzedaży",
    "currency": "waluta",
    "probability": "prawdopodobieństwo",
    "expected_close": (
        "oczekiwana data zamknięcia|przewidywana data zamknięcia|planowana data zamknięcia|"
        "oczekiwane zamknięcie"
    ),
    "close_date": "data zamknięcia",
    "engaged_on": "data utworzenia|utworzono",
    "updated_at": "zmodyfikowano|data modyfikacji|ostatnia modyfikacja",
    "start": "data rozpoczęcia|początek",
    "owner": "właściciel|opiekun|handlowiec|odpowiedzialny|przypisano do",
    "team": "zespół|zespół sprzedaży|dział",
    "service": "usługa",
    "lead_source": "źródło|źródło leada|źródło pozyskania",
    "lost_reason": "powód przegranej|powód utraty",
    "next_step": "następny krok|kolejny krok",
    "notes": "notatki|opis|uwagi|komentarz",
    "status": "stan",
}
_ITALIAN: Final = {
    "key": "id opportunità|id trattativa|codice opportunità",
    "name": "nome opportunità|opportunità|nome trattativa|trattativa|titolo|oggetto",
    "customer": "nome account|nome cliente|azienda|ragione sociale|società",
    "stage": "fase di vendita|fase della trattativa|fase trattativa|stadio",
    "value": "importo|valore|ammontare|valore trattativa",
    "probability": "probabilità",
    "expected_close": "chiusura prevista|data di chiusura prevista|data chiusura prevista",
    "close_date": "data di chiusura|data chiusura",
    "engaged_on": "data di creazione|data creazione|creato il",
    "updated_at": "ultima modifica|data ultima modifica|modificato il",
    "start": "data di inizio|data inizio",
    "owner": "proprietario|responsabile|venditore|commerciale|assegnato a",
    "team": "gruppo di vendita|reparto",
    "service": "servizio|prodotto",
    "lead_source": "fonte lead|origine lead",
    "lost_reason": "motivo perdita|motivo della perdita",
    "next_step": "prossimo passo|prossima azione|prossima attività",
    "notes": "descrizione|commenti",
    "status": "stato",
}
_CZECH: Final = {
    "key": "číslo obchodu|id obchodu|id příležitosti",
    "name": "název|název obchodu|název příležitosti|příležitost|předmět",
    "customer": "zákazník|název zákazníka|společnost|název firmy",
    "stage": "fáze|fáze obchodu|fáze prodeje",
    "value": "hodnota|částka|hodnota obchodu",
    "currency": "měna",
    "probability": "pravděpodobnost",
    "expected_close": (
        "očekávané uzavření|očekávané datum uzavření|předpokládané uzavření|"
        "předpokládané datum uzavření"
    ),
    "close_date": "datum uzavření",
    "engaged_on": "vytvořeno|datum vytvoření",
    "updated_at": "upraveno|změněno|poslední změna",
    "start": "datum zahájení|začátek",
    "owner": "vlastník|obchodník|odpovědná osoba",
    "team": "tým|oddělení",
    "service": "služba",
    "lead_source": "zdroj",
    "lost_reason": "důvod ztráty|důvod prohry",
    "next_step": "další krok",
    "notes": "poznámky|poznámka|popis",
    "status": "stav",
}
_SLOVAK: Final = {
    "key": "číslo obchodného prípadu|id príležitosti",
    "name": "názov|názov obchodu|názov príležitosti|príležitosť|predmet",
    "customer": "názov zákazníka|spoločnosť|názov firmy",
    "stage": "fáza|fáza obchodu|fáza predaja",
    "value": "suma|hodnota príležitosti",
    "currency": "mena",
    "probability": "pravdepodobnosť",
    "expected_close": (
        "očakávané uzavretie|očakávaný dátum uzavretia|predpokladané uzavretie|"
        "predpokladaný dátum uzavretia"
    ),
    "close_date": "dátum uzavretia",
    "engaged_on": "vytvorené|dátum vytvorenia",
    "updated_at": "upravené|zmenené|posledná zmena",
    "start": "dátum začatia|začiatok",
    "owner": "vlastník príležitosti|obchodný zástupca|zodpovedná osoba",
    "team": "tím|oddelenie",
    "lost_reason": "dôvod straty|dôvod prehry",
    "next_step": "ďalší krok",
    "notes": "poznámky k obchodu|opis príležitosti",
}
_HUNGARIAN: Final = {
    "key": "azonosító|ügyletazonosító|lehetőség azonosítója|ajánlatszám|projektszám",
    "name": "név|megnevezés|ügylet neve|lehetőség neve|lehetőség|tárgy",
    "customer": "ügyfél|ügyfél neve|vevő|cég|cégnév|vállalat|szervezet",
    "stage": "szakasz|fázis|értékesítési szakasz|értékesítési fázis|lehetőség fázisa",
    "value": "érték|összeg|nettó összeg|ügylet értéke|becsült érték|becsült bevétel|ár",
    "currency": "pénznem|deviza",
    "probability": "valószínűség|esély",
    "expected_close": (
        "várható lezárás|várható lezárás dátuma|várható zárás|várható zárási dátum|"
        "becsült zárási dátum|tervezett lezárás"
    ),
    "close_date": "lezárás dátuma|zárás dátuma",
    "engaged_on": "létrehozva|létrehozás dátuma|létrehozás ideje",
    "updated_at": "módosítva|módosítás dátuma|utolsó módosítás|frissítve",
    "start": "kezdés|kezdete|kezdő dátum|kezdés dátuma|projekt kezdete",
    "owner": "felelős|tulajdonos|értékesítő|ügyfélmenedzser",
    "team": "csapat|értékesítési csapat|részleg|osztály",
    "service": "szolgáltatás|termék",
    "lead_source": "forrás|lead forrása",
    "lost_reason": "elvesztés oka|vesztés oka",
    "next_step": "következő lépés|következő tevékenység",
    "notes": "megjegyzés|megjegyzések|jegyzetek|leírás",
    "status": "állapot|státusz",
}
_TURKISH: Final = {
    "key": "fırsat kimliği|fırsat no|fırsat numarası|anlaşma no|teklif no|kimlik",
    "name": "fırsat adı|fırsat|anlaşma adı|anlaşma|ad|başlık|konu",
    "customer": "müşteri|müşteri adı|firma adı|şirket|şirket adı|hesap adı|kurum",
    "stage": "aşama|satış aşaması|fırsat aşaması|anlaşma aşaması",
    "value": "tutar|değer|fırsat tutarı|anlaşma tutarı|tahmini gelir|fiyat",
    "currency": "para birimi|döviz",
    "probability": "olasılık|kazanma olasılığı",
    "expected_close": (
        "tahmini kapanış|tahmini kapanış tarihi|beklenen kapanış|beklenen kapanış tarihi|"
        "öngörülen kapanış tarihi"
    ),
    "close_date": "kapanış tarihi",
    "engaged_on": "oluşturma tarihi|oluşturulma tarihi|oluşturuldu",
    "updated_at": "güncelleme tarihi|güncellendi|değiştirilme tarihi|son değişiklik",
    "start": "başlangıç|başlangıç tarihi|başlama tarihi|proje başlangıcı",
    "owner": "sorumlu|fırsat sahibi|anlaşma sahibi|sahibi|satış temsilcisi|atanan",
    "team": "ekip|takım|satış ekibi|departman|bölüm",
    "service": "hizmet|ürün",
    "lead_source": "kaynak|müşteri adayı kaynağı",
    "lost_reason": "kaybetme nedeni|kayıp nedeni",
    "next_step": "sonraki adım|sonraki faaliyet",
    "notes": "notlar|açıklama|açıklamalar|yorumlar",
    "status": "durum",
}
_ROMANIAN: Final = {
    "key": "id oportunitate|număr oportunitate|număr ofertă",
    "name": "nume|nume oportunitate|oportunitate|denumire|subiect|titlu",
    "customer": "nume client|companie|nume companie|nume cont",
    "stage": "etapă|etapa vânzării|stadiu",
    "value": "valoare|sumă|sumă totală|valoare estimată|venit estimat",
    "currency": "monedă",
    "probability": "probabilitate",
    "expected_close": (
        "închidere estimată|data estimată a închiderii|data închiderii estimate|"
        "dată estimată de închidere"
    ),
    "close_date": "data închiderii|dată închidere",
    "engaged_on": "creat la|data creării",
    "updated_at": "modificat la|data modificării|ultima modificare",
    "start": "data începerii|început",
    "owner": "proprietar|responsabil|agent de vânzări|atribuit lui",
    "team": "echipă|echipă de vânzări|departament",
    "service": "serviciu|produs",
    "lead_source": "sursă",
    "lost_reason": "motivul pierderii",
    "next_step": "pasul următor|următorul pas",
    "notes": "observații|descriere|comentarii",
    "status": "stare",
}
_NORDIC: Final = {
    "key": "sagsnr|sagsnummer|saksnr|saksnummer|offertnummer|tilbudsnummer",
    "value": "offertvärde|offertbelopp|belopp exkl moms|estimert omsetning|anslået omsætning",
    "expected_close": (
        "beräknat avslut|beräknat avslutsdatum|uppskattat avslutsdatum|forventet slutdato|"
        "forventet afslutning|forventet afslutningsdato|forventet sluttdato|"
        "forventet avslutningsdato"
    ),
    "close_date": "slutdato",
}
_DUTCH: Final = {
    "key": "kenmerk|referentie",
    "name": "naam deal|dealnaam",
    "customer": "naam account|accountnaam|bedrijfsnaam",
    "stage": "dealfase|fase verkoopkans",
    "value": "totaalbedrag|geschatte omzet|geschatte waarde",
    "expected_close": "verwachte sluitdatum|verwachte afsluitdatum|geschatte sluitingsdatum",
    "close_date": "sluitdatum|afsluitdatum",
    "engaged_on": "gemaakt op|aangemaakt",
    "owner": "eigenaar deal|dealeigenaar|accountmanager",
}
_GERMAN: Final = {
    "key": "projektnummer|referenznummer",
    "name": "projektname|name der verkaufschance",
    "value": (
        "auftragsvolumen|auftragssumme|angebotssumme|angebotswert|nettobetrag|geschätzter umsatz"
    ),
    "expected_close": (
        "voraussichtliches abschlussdatum|geplanter abschluss|geschätztes abschlussdatum|"
        "erwarteter abschlusstermin"
    ),
    "owner": "betreuer|kundenbetreuer|vertriebsmitarbeiter",
}
_ROMANCE: Final = {
    "key": "référence|numéro d'affaire|código do negócio",
    "name": "intitulé|libellé|objet|désignation|nombre del trato|trato",
    "customer": "nom du client|raison sociale|razón social",
    "stage": (
        "etapa do negócio|etapa do funil|etapa de vendas|fase do negócio|etapa del negocio|"
        "fase del negocio|etapa del trato"
    ),
    "value": (
        "montant ht|montant total|montant estimé|importe total|importe estimado|"
        "valor del negocio|valor do negócio|valor da oportunidade"
    ),
    "expected_close": (
        "date de signature prévue|signature prévue|date de clôture estimée|"
        "fecha estimada de cierre|fecha prevista de cierre|previsão de fechamento|"
        "fechamento esperado|data de fecho prevista|data prevista de fecho"
    ),
    "close_date": "data de fecho|data do fechamento|data de encerramento",
    "owner": "propietario del negocio|responsável pelo negócio|atribuído a",
}
_ENGLISH: Final = {
    "value": "contract value|deal size|order value|total value|net amount",
    "probability": "prob|win chance|close probability|closing probability",
    "expected_close": (
        "target close date|projected close date|anticipated close date|planned close date"
    ),
}
LANGUAGES: Final[tuple[Mapping[str, str], ...]] = (
    _ENGLISH, _GERMAN, _NORDIC, _DUTCH, _ROMANCE, _ITALIAN, _FINNISH, _POLISH, _CZECH,
    _SLOVAK, _HUNGARIAN, _TURKISH, _ROMANIAN,
    {"value": WEIGHTED},
)  # fmt: skip


def with_headers(fields: Iterable[DealField]) -> tuple[DealField, ...]:
    """Returns the fields, known by the headers of this module after their own."""
    return tuple(
        replace(
            each,
            headers="|".join(
                [each.headers, *(of[each.name] for of in LANGUAGES if each.name in of)]
            ),
        )
        for each in fields
    )
