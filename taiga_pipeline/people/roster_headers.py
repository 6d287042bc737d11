"""Which column of a roster stands for what, by the headers of HR programs.

Personio, BambooHR, Workday, HiBob, SAP SuccessFactors, Hogia, Visma and Fortnox; in English,
Swedish, German, French, Spanish, Portuguese, Dutch, Danish, Norwegian, Finnish, Italian, Polish and
Czech.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from taiga_pipeline.pipeline.importing.headers import Guess, plain_header

FIRST_NAME: Final = "first_name"
LAST_NAME: Final = "last_name"
FTE: Final = "fte"
DAILY: Final = "hours_per_day"
MONTHLY: Final = "hours_per_month"
DAYS: Final = "days_per_week"
FULL_TIME: Final = "full_time_hours"
STATUS: Final = "status"
NUMBER: Final = "number"

HELPERS: Final = (FIRST_NAME, LAST_NAME, FTE, DAILY, MONTHLY, DAYS, FULL_TIME, STATUS, NUMBER)
"""Columns that are not fields of a person, but say something about some."""

_HEADERS: Final[Mapping[str, str]] = {
    "email": "email|e-mail|work email|work e-mail|email work|work email address|business email|"
    "business e-mail|business email address|business email information email address|"
    "primary work email|email - work|company email|"
    "company e-mail|office email|email address|e-mail address|primary email|mail|mail address|"
    "dienstliche e-mail|e-mail dienstlich|geschäftliche e-mail|e-mail geschäftlich|"
    "firmen-e-mail|e-mail-adresse|mailadresse|arbetsmejl|e-post arbete|e-post (arbete)|"
    "jobbmejl|e-post|epost|e-postadress|epostadress|mejl|mejladress|email professionnel|"
    "e-mail professionnel|adresse e-mail professionnelle|courriel professionnel|courriel|"
    "adresse e-mail|adresse email|adresse électronique|correo corporativo|email corporativo|"
    "correo de trabajo|correo electrónico|correo|correo electrónico del trabajo|"
    "e-mail corporativo|e-mail profissional|endereço de e-mail|email profissional|"
    "zakelijk e-mailadres|werk e-mail|e-mail werk|zakelijke e-mail|e-mailadres|arbejdsmail|"
    "arbejds e-mail|e-mailadresse|e-mail arbejde|e-post arbeid|jobb e-post|e-postadresse|"
    "sähköposti|sähköpostiosoite|työsähköposti|posta elettronica|indirizzo email|"
    "indirizzo e-mail|email aziendale|e-mail aziendale|email lavoro|adres e-mail|"
    "e-mail służbowy|email służbowy|poczta elektroniczna|pracovní e-mail|pracovní email|"
    "e-mailová adresa|služební e-mail|firemní e-mail",
    "name": "name|full name|display name|employee name|employee|worker|legal name|staff name|"
    "person|resource|mitarbeiter|mitarbeitername|vollständiger name|namn|fullständigt namn|"
    "anställd|medarbetare|nom complet|nom|salarié|collaborateur|nombre completo|"
    "nombre y apellidos|empleado|nombre|nome completo|nome|colaborador|funcionário|"
    "volledige naam|naam|medewerker|fulde navn|navn|medarbejder|fullt navn|ansatt|"
    "nimi|koko nimi|työntekijä|henkilö|nome completo|nome e cognome|cognome e nome|nominativo|"
    "dipendente|imię i nazwisko|nazwisko i imię|pracownik|jméno a příjmení|příjmení a jméno|"
    "celé jméno|zaměstnanec|pracovník",
    FIRST_NAME: "first name|firstname|given name|legal first name|forename|preferred name|"
    "preferred first name|vorname|rufname|förnamn|tilltalsnamn|prénom|nombre de pila|"
    "primer nombre|primeiro nome|nome próprio|voornaam|roepnaam|fornavn|"
    "etunimi|kutsumanimi|nome di battesimo|imię|jméno|křestní jméno",
    LAST_NAME: "last name|lastname|surname|family name|legal last name|nachname|familienname|"
    "efternamn|nom de famille|nom d'usage|apellidos|apellido|primer apellido|sobrenome|apelido|"
    "último nome|achternaam|efternavn|etternavn|"
    "sukunimi|cognome|nazwisko|příjmení",
    "role": "role|job title|position|title|job|position title|job role|business title|"
    "job profile|jobtitle|function|profession|stelle|stellenbezeichnung|berufsbezeichnung|"
    "tätigkeit|funktion|jobtitel|rolle|befattning|yrke|yrkesroll|roll|titel|tjänst|tjänstetitel|"
    "poste|intitulé du poste|fonction|emploi|métier|puesto|puesto de trabajo|cargo|posición|"
    "función|rol|função|posição|functie|functietitel|functienaam|stilling|stillingsbetegnelse|"
    "jobbtittel|stillingstittel|tittel|"
    "tehtävänimike|nimike|titteli|rooli|työtehtävä|ammatti|tehtävä|ruolo|mansione|qualifica|"
    "posizione|stanowisko|stanowisko pracy|rola|funkcja|zawód|pozice|pracovní pozice|funkce|"
    "role zaměstnance",
    "skills": "skills|skill|competencies|competences|fähigkeiten|kenntnisse|kompetenzen|"
    "kompetenser|färdigheter|compétences|competencias|habilidades|competências|vaardigheden|"
    "kompetencer|færdigheder|kompetanse|ferdigheter|"
    "taidot|osaaminen|competenze|abilità|umiejętności|kompetencje|dovednosti|kompetence",
    "hours_per_week": "hours per week|hours week|weekly hours|scheduled weekly hours|"
    "weekly working hours|standard weekly hours|contracted hours|contract hours|"
    "contracted weekly hours|working hours per week|weekly work hours|work hours|working hours|"
    "standard hours|hours|wochenstunden|wochenarbeitszeit|wöchentliche arbeitszeit|"
    "vertragliche wochenstunden|wochenarbeitsstunden|stunden pro woche|arbeitsstunden pro woche|"
    "arbeitszeit pro woche|sollstunden pro woche|sollstunden|stunden|arbeitszeit|"
    "veckoarbetstid|timmar per vecka|arbetstid per vecka|veckotimmar|arbetstid|timmar|"
    "heures par semaine|heures hebdomadaires|durée hebdomadaire|temps de travail hebdomadaire|"
    "horaire hebdomadaire|heures|horas semanales|horas por semana|horas a la semana|"
    "jornada semanal|horas semanais|carga horária semanal|carga horária|horas|uren per week|"
    "contracturen|contracturen per week|wekelijkse uren|arbeidsuren per week|aantal uren|uren|"
    "timer pr uge|timer pr. uge|timer per uge|ugentlige timer|ugentlig arbejdstid|"
    "timer per uke|timer pr uke|ukentlig arbeidstid|ukentlige timer|arbeidstid|timer|"
    "viikkotyöaika|tuntia viikossa|viikkotunnit|tunnit viikossa|työaika|tunnit|ore settimanali|"
    "ore alla settimana|orario settimanale|ore per settimana|ore|godziny tygodniowo|"
    "godzin tygodniowo|tygodniowy wymiar godzin|godziny w tygodniu|tygodniowy czas pracy|"
    "hodin týdně|týdenní pracovní doba|hodiny týdně|úvazek hodin týdně",
    FTE: "fte|fte %|full time equivalent|full-time equivalent|time fraction|employment percentage|"
    "employment rate|employment level|working time percentage|work percentage|percent employed|"
    "capacity utilization level|beschäftigungsgrad|beschäftigungsumfang|arbeitszeitanteil|"
    "vollzeitäquivalent|vzä|stellenumfang|pensum|stellenprozent|stellenprozente|"
    "teilzeitgrad|teilzeitfaktor|sysselsättningsgrad|tjänstgöringsgrad|anställningsgrad|"
    "tjänstegrad|heltidsekvivalent|omfattning|etp|équivalent temps plein|taux d'activité|"
    "taux d'emploi|taux d'occupation|quotité|quotité de travail|temps de travail|"
    "porcentaje de jornada|% jornada|% de jornada|jornada|etc|equivalente a tiempo completo|"
    "dedicación|percentual de jornada|equivalente em tempo integral|deeltijdpercentage|"
    "deeltijdfactor|parttimepercentage|part-time percentage|dienstverband %|"
    "beskæftigelsesgrad|ansættelsesgrad|stillingsprosent|stillingsandel|stillingsbrøk|årsverk|"
    "työaikaprosentti|osa-aikaprosentti|htv|percentuale part-time|percentuale part time|"
    "percentuale di impiego|% part time|% part-time|etat|wymiar etatu|wymiar czasu pracy|"
    "úvazek|výše úvazku",
    DAILY: "hours per day|daily hours|hours a day|tagesstunden|stunden pro tag|tägliche stunden|"
    "timmar per dag|heures par jour|horas por día|horas diarias|horas por dia|horas diárias|"
    "uren per dag|timer pr dag|timer per dag|"
    "tuntia päivässä|päivittäinen työaika|ore giornaliere|ore al giorno|godziny dziennie|"
    "godzin dziennie|hodin denně",
    MONTHLY: "hours per month|monthly hours|monatsstunden|stunden pro monat|timmar per månad|"
    "heures mensuelles|heures par mois|horas mensuales|horas por mes|horas mensais|horas por mês|"
    "uren per maand|timer pr måned|timer per måned|"
    "tuntia kuukaudessa|ore mensili|ore al mese|godziny miesięcznie|godzin miesięcznie|"
    "hodin měsíčně",
    DAYS: "days per week|working days per week|work days per week|arbeitstage pro woche|"
    "wochenarbeitstage|dagar per vecka|arbetsdagar per vecka|jours par semaine|días por semana|"
    "dias por semana|dagen per week|werkdagen per week|dage pr uge|dager per uke|"
    "päivää viikossa|työpäivät viikossa|työpäiviä viikossa|giorni alla settimana|"
    "giorni settimanali|giorni lavorativi settimanali|dni w tygodniu|dni pracy w tygodniu|"
    "dní v týdnu|pracovní dny v týdnu",
    FULL_TIME: "full-time hours|full time hours|full-time weekly hours|default weekly hours|"
    "full-time weekly working hours|full time week|vollzeitstunden|vollzeit-wochenstunden|"
    "wochenstunden vollzeit|regelarbeitszeit|betriebsübliche arbeitszeit|heltidsmått|"
    "heltid timmar|heltidstimmar|heures temps plein|horas jornada completa|fulltime uren|"
    "voltijd uren|fuldtidstimer|heltidstimer|"
    "täysi työaika|kokoaikatunnit|ore tempo pieno|pełny etat godziny|plný úvazek hodin",
    "team": "team|department|group|division|business unit|unit|organizational unit|org unit|"
    "supervisory organization|department name|abteilung|bereich|organisationseinheit|gruppe|"
    "avdelning|enhet|grupp|arbetsgrupp|équipe|département|service|departamento|equipo|área|"
    "equipe|setor|afdeling|avdeling|"
    "tiimi|osasto|yksikkö|ryhmä|reparto|dipartimento|unità organizzativa|ufficio|gruppo|zespół|"
    "dział|jednostka organizacyjna|departament|tým|oddělení|středisko|útvar",
    "country": "country|country code|country of work|work country|location country|"
    "country/region|land|arbeitsland|ländercode|landkod|länderkennzeichen|pays|code pays|país|"
    "código de país|código do país|landcode|landekode|landkode|"
    "maa|maakoodi|työmaa|paese|nazione|codice paese|stato estero|kraj|kod kraju|země|stát|"
    "kód země",
    "starts": "starts|start|hire date|start date|date of hire|date hired|hired on|join date|"
    "joining date|date of joining|joined|original hire date|latest hire date|employment start|"
    "employment start date|first day|first day of work|begin date|eintrittsdatum|eintritt|"
    "einstellungsdatum|eintritt am|beschäftigt seit|beschäftigungsbeginn|vertragsbeginn|"
    "anställningsdatum|anställd från|anställd fr.o.m.|anställd fr o m|anställningens början|"
    "startdatum|från och med|date d'entrée|date d'embauche|date d'arrivée|date de début|entrée|"
    "fecha de alta|fecha de ingreso|fecha de contratación|fecha de inicio|fecha de incorporación|"
    "data de admissão|data de contratação|data de entrada|data de início|datum in dienst|"
    "in dienst|in dienst per|datum indiensttreding|indiensttreding|ansættelsesdato|startdato|"
    "ansat den|tiltrædelsesdato|ansettelsesdato|ansatt dato|ansatt fra|tiltredelsesdato|"
    "alkupäivä|aloituspäivä|aloituspvm|työsuhteen alku|työsuhteen alkupäivä|työsuhde alkoi|"
    "data di assunzione|data assunzione|data inizio|data di inizio|inizio rapporto|"
    "data zatrudnienia|data rozpoczęcia|data rozpoczęcia pracy|zatrudniony od|datum nástupu|"
    "nástup|začátek pracovního poměru|pracovní poměr od",
    "ends": "ends|end|termination date|last day|last day of work|last working day|end date|"
    "leave date|leaving date|exit date|employment end|employment end date|date of leaving|"
    "date terminated|contract end date|contract end|austrittsdatum|austritt|austritt am|"
    "beschäftigungsende|vertragsende|befristet bis|avslutningsdatum|slutdatum|"
    "anställd till|anställd t.o.m.|anställd t o m|avgångsdatum|anställningens slut|"
    "sista anställningsdag|sista dag|till och med|date de sortie|date de départ|date de fin|"
    "sortie|fin de contrat|fecha de baja|fecha de salida|fecha de cese|fecha de fin|"
    "fin de contrato|data de saída|data de demissão|data de desligamento|data de rescisão|"
    "data de fim|data de término|datum uit dienst|uit dienst|uit dienst per|einddatum|"
    "datum uitdiensttreding|fratrædelsesdato|fratrådt|slutdato|sluttdato|ansatt til|"
    "fratredelsesdato|"
    "loppupäivä|päättymispäivä|päättymispvm|työsuhteen loppu|työsuhteen päättymispäivä|"
    "työsuhde päättyi|data di cessazione|data cessazione|data fine|data di fine|fine rapporto|"
    "data zwolnienia|data zakończenia|data zakończenia pracy|zatrudniony do|datum ukončení|"
    "datum výstupu|výstup|konec pracovního poměru|pracovní poměr do",
    STATUS: "employment status|employee status|worker status|status|active status|"
    "lifecycle status|active|active?|beschäftigungsstatus|mitarbeiterstatus|aktiv|"
    "anställningsstatus|statut|estado|situación|situação|dienststatus|ansættelsesstatus|"
    "ansettelsesstatus|"
    "tila|työsuhteen tila|stato|stato dipendente|stato del rapporto|status zatrudnienia|stav|"
    "stav zaměstnance",
    NUMBER: "number|employee number|employee no|employee id|employeeid|employee code|"
    "personnel number|personnel id|person id|worker id|staff number|staff id|emp id|emp no|"
    "user/employee id|user id|id|personalnummer|mitarbeiternummer|mitarbeiter-nr|personalnr|"
    "personal-nr|mitarbeiter-id|anställningsnummer|anställningsnr|anst.nr|anstnr|anst nr|"
    "anställnings-id|matricule|numéro de salarié|numéro d'employé|número de empleado|"
    "nº de empleado|código de empleado|matrícula|número de funcionário|personeelsnummer|"
    "medewerkernummer|medewerker-id|medarbejdernummer|medarbejdernr|ansattnummer|ansattnr|"
    "medarbeidernummer|"
    "henkilönumero|työntekijänumero|matricola|codice dipendente|numero dipendente|"
    "numer pracownika|numer ewidencyjny|identyfikator pracownika|osobní číslo|číslo zaměstnance",
}
"""For each column its headers, the surest first: of several in one file, that one counts."""

COLUMNS: Final = tuple(_HEADERS)
_LONGEST: Final = 80

_RANKS: Final = {
    plain_header(header): (column, rank)
    for column, headers in _HEADERS.items()
    for rank, header in enumerate(headers.split("|"))
}
_NUMBER_SIGN: Final = re.compile(r"\s*(?:#|№|nº|nr\.?|no\.)\s*$", re.I)
_UNIT: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*|\s*%\s*|\s+in\s+\S{1,8}$", re.I)
_ABOUT_HOURS: Final = re.compile(
    r"hour|stund|timm|timer|heure|hora|uren|fte|tunti|tuntia|työaika|\bore\b|godzin|hodin|etat|úvazek|"
    r"arbeitszeit|arbetstid|arbeidstid|arbejdstid|"
    r"part.?time|teilzeit|deltid|deeltijd|workload|omfång|capacity",
    re.I,
)


def guess_columns(headers: Sequence[str], taken: Mapping[str, str]) -> Guess:
    """Finds what well-known headers stand for.

    ``taken`` (our column -> their header) holds what is already decided; neither its columns nor
    its headers are used again. Of several headers for one column, the surest counts, else the
    first.
    """
    found: dict[str, list[tuple[int, int, str]]] = {}
    for at, header in enumerate(dict.fromkeys(headers)):
        known = _known(header) if header and header not in taken.values() else None
        if known and known[0] not in taken:
            found.setdefault(known[0], []).append((known[1], at, header))
    ranked = {name: [header for *_, header in sorted(each)] for name, each in found.items()}
    columns = {name: each[0] for name, each in ranked.items()}
    rivals = {name: tuple(each[1:]) for name, each in ranked.items() if len(each) > 1}
    return Guess(columns, rivals)


def _known(header: str) -> tuple[str, int] | None:
    numbered, signs = _NUMBER_SIGN.subn(" number", header)
    for text in (numbered,) if signs else ():
        if found := _RANKS.get(plain_header(text)):
            return found
    if header.rstrip().endswith("#"):
        return None
    for text in (header, _UNIT.sub(" ", header)):
        if found := _RANKS.get(plain_header(text)):
            return found
    return None


def is_known(header: str) -> bool:
    """Tells whether a header is one of a well-known program."""
    return bool(header) and len(header) <= _LONGEST and _known(header) is not None


def is_about_hours(header: str) -> bool:
    """Tells whether a header that is not known may be one of working hours."""
    return _ABOUT_HOURS.search(header) is not None
