"""The fields of a deal: one table, of which every surface is made.

The store, files, sources, the options of ``deals edit``, mappings, facts, reports and the pages of
the documentation go through this table. A field that is added here, to `Deal` and to the store is
everywhere.
"""

from __future__ import annotations

from typing import Final

from taiga_pipeline.pipeline.fields.field import DealField, Fact, FieldTable, Kind
from taiga_pipeline.pipeline.fields.headers import with_headers

CLOSE_DATE: Final = "close_date"
STATUS: Final = "status"
WON_ON: Final = "won_on"
LOST_ON: Final = "lost_on"

FIELDS: Final = (
    DealField(
        name="key",
        kind=Kind.TEXT,
        column=1,
        label="Key",
        is_listed=True,
        about="The permanent key.",
        is_edited=False,
        headers=(
            "key|deal key|deal id|opportunity id|opportunity number|opportunity no|deal number|"
            "record id|record-id|external id|id|reference|ref|affärsid|affärs id|ärendenummer|"
            "affärsnummer|vorgangsnummer|chancen id|angebotsnummer|id de oportunidad|"
            "id del negocio|número de oportunidad|id de l'opportunité|identifiant|"
            "numéro d'opportunité|id da oportunidade|id do negócio|verkoopkans-id|dealnummer|"
            "salgsmulighed id|mulighet id|mulighetsnummer|(do not modify) opportunity"
        ),
        placeholder="The deal's key.",
    ),
    DealField(
        name="name",
        kind=Kind.TEXT,
        column=2,
        label="Name",
        is_listed=True,
        about="What is to be sold.",
        is_stable=True,
        headers=(
            "name|deal name|deal title|opportunity name|opportunity title|deal|opportunity|topic|"
            "title|subject|namn|affärsnamn|affär|rubrik|titel|bezeichnung|verkaufschance|nombre|"
            "nombre del negocio|nombre de la oportunidad|oportunidad|título|asunto|nom|"
            "nom de l'opportunité|nom de l'affaire|opportunité|affaire|titre|nome|"
            "nome do negócio|nome da oportunidade|oportunidade|naam|naam verkoopkans|verkoopkans|"
            "onderwerp|navn|navn på salgsmulighed|salgsmulighed|mulighet|navn på mulighet|tittel|"
            "emne"
        ),
        placeholder="The deal's name.",
    ),
    DealField(
        name="customer",
        kind=Kind.TEXT,
        column=3,
        label="Customer",
        is_on_card=True,
        is_listed=True,
        about="Who buys.",
        is_stable=True,
        headers=(
            "customer|customer name|account|account name|company|company name|organization|"
            "organization name|organisation|organisation name|client|client name|"
            "potential customer|associated company|associated company (primary)|kund|kundnamn|"
            "företag|bolag|kunde|kundenname|firma|unternehmen|cliente|nombre de la cuenta|cuenta|"
            "empresa|organización|nom du compte|compte|entreprise|société|conta|nome da conta|"
            "organização|klant|klantnaam|bedrijf|relatie|organisatie|konto|virksomhed|virksomhet|"
            "bedrift|firmanavn"
        ),
        placeholder="The customer.",
        fact=Fact(7, "Customer", "who buys", page=1),
        match="Accepted customers.",
    ),
    DealField(
        name="stage",
        kind=Kind.TEXT,
        column=4,
        label="Stage",
        is_listed=True,
        about="How far it is.",
        is_of_stage=True,
        is_edited=False,
        headers=(
            "stage|deal stage|opportunity stage|sales stage|stage name|pipeline stage|phase|steg|"
            "fas|säljfas|verkaufsphase|stadium|etapa|fase|fase de venta|etapa de ventas|étape|"
            "étape de vente|phase de vente|estágio|fase de vendas|verkoopfase|salgsfase|"
            "salgstrin|trin"
        ),
        placeholder="The stage, as the mapping names it.",
        fact=Fact(1, "Stage", "the stage of the funnel"),
    ),
    DealField(
        name="stage_since",
        kind=Kind.MOMENT,
        column=17,
        label="In stage since",
        about="When it came into its stage.",
        is_of_stage=True,
        is_edited=False,
        headers="stage since|stage changed|last stage change|last stage change date",
    ),
    DealField(
        name="value",
        kind=Kind.MONEY,
        column=5,
        label="Value",
        is_on_card=True,
        is_listed=True,
        about="Amount (1200, 1 200,50).",
        headers=(
            "amount|deal amount|opportunity amount|value|deal value|opportunity value|"
            "est. revenue|estimated revenue|est. value|estimated value|total amount|total|"
            "close value|actual revenue|revenue|price|amount in company currency|värde|belopp|"
            "ordervärde|affärsvärde|wert|betrag|auftragswert|umsatz|importe|valor|monto|cantidad|"
            "montant|valeur|chiffre d'affaires|valor total|montante|quantia|bedrag|waarde|"
            "dealwaarde|omzet|beløb|værdi|omsætning|beløp|verdi|omsetning"
        ),
        placeholder='The value with its currency: "120,000 EUR".',
        fact=Fact(6, "Value", "what the deal is worth", card=1),
    ),
    DealField(
        name="currency",
        kind=Kind.CURRENCY,
        column=6,
        label="Currency",
        is_on_card=True,
        about="Three letters (EUR).",
        is_stable=True,
        headers=(
            "currency|currency code|currency of value|amount currency|value currency|"
            "deal currency|opportunity currency|valuta|valutakod|währung|moneda|divisa|devise|"
            "monnaie|moeda|munt|valutakode"
        ),
        placeholder="The currency.",
        match='Accepted currencies ("EUR").',
    ),
    DealField(
        name="probability",
        kind=Kind.SHARE,
        column=7,
        label="Probability",
        is_on_card=True,
        is_listed=True,
        about="0.5 or 50%; the stage's own if not given.",
        headers=(
            "probability|deal probability|win probability|likelihood|chance|sannolikhet|"
            "wahrscheinlichkeit|probabilidad|probabilité|probabilidade|kans|waarschijnlijkheid|"
            "sandsynlighed|sannsynlighet"
        ),
        placeholder=(
            "The chance to win, the deal's own or else the stage's: \"50 %\"; of what is decided, "
            '"100 %" or "0 %".'
        ),
        fact=Fact(2, "Probability", "the chance to win", card=2),
    ),
    DealField(
        name="engaged_on",
        kind=Kind.DATE,
        column=15,
        label="Engaged on",
        about="Day on which work on the customer began.",
        is_stable=True,
        headers=(
            "engaged on|engage date|engaged|engagement date|create date|created date|created on|"
            "created|created at|created time|creation date|deal created|date created|add time|"
            "date entered|skapad|skapad den|skapades|erstellt am|erstellt|erstelldatum|"
            "fecha de creación|creado el|creado|date de création|créé le|data de criação|"
            "criado em|aangemaakt op|aanmaakdatum|oprettet|oprettet den|opprettet|opprettet dato"
        ),
    ),
    DealField(
        name="expected_close",
        kind=Kind.DATE,
        column=8,
        label="Expected close",
        is_listed=True,
        about="Day on which a decision is expected.",
        headers=(
            "expected close|expected close date|expected closing|expected closing date|"
            "estimated close|estimated close date|est. close date|forecast close date|"
            "förväntat avslut|förväntat stängningsdatum|förväntat avslutsdatum|"
            "erwarteter abschluss|voraussichtlicher abschluss|erwartetes abschlussdatum|"
            "cierre esperado|cierre previsto|fecha de cierre prevista|fecha de cierre esperada|"
            "date de clôture prévue|clôture prévue|fermeture prévue|fechamento previsto|"
            "data de fechamento prevista|data prevista de fechamento|verwachte sluitingsdatum|"
            "verwachte sluiting|forventet lukkedato|forventet lukning|forventet avslutning|"
            "forventet lukket"
        ),
        placeholder="The day it is expected to close, ISO 8601.",
        fact=Fact(3, "Expected close", "the close date", card=3),
    ),
    DealField(
        name="closed_on",
        kind=Kind.DATE,
        column=16,
        label="Closed on",
        about="Day on which it was won or lost.",
        is_of_stage=True,
        headers=(
            "closed on|closed date|closed at|deal closed on|actual close date|won lost date|"
            "date closed|close time|avslutad|stängd|abgeschlossen am|cerrado el|"
            "fecha real de cierre|clôturé le|fermé le|fechado em|gesloten op|afgesluttet|"
            "lukket den|lukket|avsluttet"
        ),
        placeholder="The day it was won or lost, ISO 8601.",
    ),
    DealField(
        name="start",
        kind=Kind.DATE,
        column=9,
        label="Start",
        is_on_card=True,
        about="First day of the project.",
        is_stable=True,
        headers=(
            "start|start date|project start|project start date|startdatum|projektstart|"
            "fecha de inicio|inicio|date de début|début|data de início|início|projectstart|"
            "startdato"
        ),
        placeholder="The project's first day, stated or worked out, ISO 8601.",
        fact=Fact(4, "Start", "the project's first day", card=4),
    ),
    DealField(
        name="owner",
        kind=Kind.TEXT,
        column=10,
        label="Owner",
        is_listed=True,
        about="Who sells.",
        is_stable=True,
        is_grouped=True,
        headers=(
            "owner|deal owner|opportunity owner|owner name|record owner|sales agent|sales rep|"
            "sales representative|salesperson|account manager|assigned to|assigned user|"
            "responsible|responsible person|ägare|säljare|ansvarig|verkäufer|verantwortlich|"
            "verantwortlicher|inhaber|besitzer|zuständig|propietario|responsable|vendedor|"
            "comercial|asignado a|propriétaire|commercial|attribué à|proprietário|responsável|"
            "eigenaar|verkoper|verantwoordelijke|toegewezen aan|ejer|sælger|ansvarlig|eier|selger"
        ),
        placeholder="Who sells it.",
        fact=Fact(9, "Sales owner", "who sells", card=5, page=3),
        match="Accepted owners (the people of sales).",
    ),
    DealField(
        name="team",
        kind=Kind.TEXT,
        column=11,
        label="Team",
        is_on_card=True,
        about="Which part of the company.",
        is_stable=True,
        is_grouped=True,
        headers=(
            "team|sales team|business unit|unit|department|avdelning|enhet|abteilung|"
            "vertriebsteam|equipo|equipo de ventas|équipe|équipe commerciale|equipe|"
            "equipe de vendas|verkoopteam|afdeling|avdeling|salgsteam"
        ),
        placeholder="The team.",
        fact=Fact(10, "Team", "which team", card=6),
        match="Accepted teams.",
    ),
    DealField(
        name="service",
        kind=Kind.TEXT,
        column=12,
        label="Service",
        is_on_card=True,
        about="What kind of work.",
        is_stable=True,
        is_grouped=True,
        headers=(
            "service|product|product name|offering|tjänst|produkt|dienstleistung|leistung|"
            "servicio|producto|produit|prestation|serviço|produto|dienst|ydelse|tjeneste"
        ),
        placeholder="What is sold.",
        fact=Fact(11, "Service", "what is sold", card=7, page=2),
        match="Accepted services or products.",
    ),
    DealField(
        name="lead_source",
        kind=Kind.TEXT,
        column=18,
        label="Lead source",
        about="Where the lead came from.",
        is_stable=True,
        is_grouped=True,
        headers=(
            "lead source|source|original source|deal source|källa|leadkälla|quelle|herkunft|"
            "fuente|origen|origine|source du prospect|fonte|origem|bron|leadbron|kilde|leadkilde"
        ),
        placeholder="Where the lead came from.",
        match="Accepted sources of leads.",
    ),
    DealField(
        name="lost_reason",
        kind=Kind.TEXT,
        column=19,
        label="Lost because",
        about="Why it was lost.",
        is_of_stage=True,
        headers=(
            "lost reason|loss reason|reason lost|reason for loss|closed lost reason|förlustorsak|"
            "orsak|verlustgrund|ablehnungsgrund|motivo de pérdida|raison de la perte|"
            "motif de perte|motivo da perda|reden verloren|reden van verlies|tabsårsag|"
            "årsak til tap|tapsårsak"
        ),
        placeholder="Why it was lost.",
        fact=Fact(12, "Lost because", "why it was lost"),
    ),
    DealField(
        name="next_step",
        kind=Kind.TEXT,
        column=23,
        label="Next step",
        is_on_card=True,
        about="What sales does next.",
        is_of_stage=True,
        since=5,
        headers=(
            "next step|next steps|next action|next activity|next task|next activity summary|"
            "next activity subject|nästa steg|nästa åtgärd|nästa aktivitet|nächster schritt|"
            "nächste schritte|nächste aktion|nächste aktivität|próximo paso|siguiente paso|"
            "próxima acción|próxima actividad|prochaine étape|prochaine action|"
            "prochaine activité|próximo passo|próxima ação|próxima atividade|volgende stap|"
            "volgende actie|volgende activiteit|næste skridt|næste trin|næste handling|"
            "næste aktivitet|neste steg|neste skritt|neste handling|neste aktivitet"
        ),
        placeholder="What sales does next.",
    ),
    DealField(
        name="next_step_on",
        kind=Kind.DATE,
        column=24,
        label="Next step on",
        is_on_card=True,
        about="Day on which that is due.",
        is_of_stage=True,
        since=5,
        headers=(
            "next step on|next step date|next action date|next activity date|"
            "next activity deadline|next task date|next follow up date|follow up date|"
            "next contact date|datum för nästa steg|datum nästa steg|nästa steg den|"
            "nästa aktivitetsdatum|uppföljningsdatum|nächster schritt am|"
            "datum des nächsten schritts|datum nächster schritt|nächste aktivität am|"
            "datum der nächsten aktivität|wiedervorlage|fecha del próximo paso|"
            "fecha de la próxima actividad|fecha de seguimiento|date de la prochaine étape|"
            "date de la prochaine activité|date de relance|data do próximo passo|"
            "data da próxima atividade|datum volgende stap|datum volgende activiteit|opvolgdatum|"
            "dato for næste skridt|dato for næste aktivitet|opfølgningsdato|dato for neste steg|"
            "dato for neste aktivitet|oppfølgingsdato"
        ),
        placeholder="The day on which that is due, ISO 8601.",
    ),
    DealField(
        name="next_step_by",
        kind=Kind.TEXT,
        column=25,
        label="Next step by",
        is_on_card=True,
        about="Who does the next step.",
        is_of_stage=True,
        since=7,
        headers=(
            "next step by|next step owner|next action by|next activity owner|"
            "next activity assigned to|next task owner|next step responsible|nästa steg av|"
            "ansvarig för nästa steg|nächster schritt durch|verantwortlich für nächsten schritt|"
            "responsable del próximo paso|responsable de la prochaine étape|"
            "responsável pelo próximo passo|volgende stap door|ansvarlig for næste skridt|"
            "ansvarlig for neste steg"
        ),
        placeholder="Who does the next step.",
    ),
    DealField(
        name="part_of",
        kind=Kind.TEXT,
        column=26,
        label="Part of",
        about="Key of the deal whose project this one is a part of.",
        is_edited=False,
        since=11,
        headers="part of|del av|teil von",
    ),
    DealField(
        name="roles",
        kind=Kind.ROLES,
        column=13,
        label="Roles needed",
        is_on_card=True,
        about='Who is needed ("Back:30h x10w; Design:16h x4w@+2w").',
        headers="roles|role demand|roller|rollen",
        fact=Fact(5, "Roles needed", "the demand for people"),
    ),
    DealField(
        name="contacts",
        kind=Kind.CONTACTS,
        column=20,
        label="Contacts",
        about="People on the customer's side.",
        headers="contacts|kontakter|kontakte",
        fact=Fact(8, "Contacts", "people at the customer's"),
    ),
    DealField(
        name="done",
        kind=Kind.ACTIONS,
        column=21,
        label="Done",
        about="Gate actions that were checked off.",
        is_edited=False,
        headers="done",
    ),
    DealField(
        name="notes",
        kind=Kind.NOTES,
        column=22,
        label="Notes",
        about="Anything worth knowing; added to the log of notes.",
        headers=(
            "notes|note|description|comments|comment|anteckningar|beskrivning|kommentar|notizen|"
            "beschreibung|bemerkung|notas|descripción|comentarios|remarques|commentaires|"
            "descrição|observações|notities|omschrijving|opmerkingen|noter|beskrivelse|"
            "bemærkninger|notater"
        ),
        placeholder="The deal's notes, the newest first, on one line.",
    ),
    DealField(
        name="updated_at",
        kind=Kind.MOMENT,
        column=14,
        label="Updated",
        about="When it was changed last.",
        is_of_stage=True,
        is_edited=False,
        headers=(
            "updated at|updated|update time|modified|modified on|modified time|last modified|"
            "last modified date|last modified on|last updated|modified date|date modified|"
            "uppdaterad|senast ändrad|ändrad|geändert am|zuletzt geändert|última modificación|"
            "modificado el|dernière modification|modifié le|última atualização|modificado em|"
            "gewijzigd op|laatst gewijzigd|ændret|sist endret|endret"
        ),
    ),
)
"""In the order in which people see them."""

HELPERS: Final = (
    DealField(
        name=CLOSE_DATE,
        kind=Kind.DATE,
        label="Close date",
        about="The expected close of open deals, the day of the decision of closed ones.",
        headers=(
            "close date|closing date|closedate|avslutsdatum|stängningsdatum|abschlussdatum|"
            "schließdatum|fecha de cierre|date de clôture|date de fermeture|data de fechamento|"
            "sluitingsdatum|lukkedato|afslutningsdato|avslutningsdato|sluttdato"
        ),
    ),
    DealField(
        name=STATUS,
        kind=Kind.TEXT,
        label="Status",
        about="Whether a deal is open, won or lost, in addition to its last stage.",
        headers=(
            "status|deal status|opportunity status|won/lost|won lost|tillstånd|zustand|estado|"
            "statut|état|situação|statuskode"
        ),
    ),
    DealField(
        name=WON_ON,
        kind=Kind.DATE,
        label="Won on",
        about="The day on which a deal was won, where programs keep two days.",
        headers=(
            "won time|won date|won on|date won|vunnen den|gewonnen am|fecha ganado|date de gain|"
            "data de ganho|gewonnen op|vundet den|vunnet den"
        ),
    ),
    DealField(
        name=LOST_ON,
        kind=Kind.DATE,
        label="Lost on",
        about="The day on which a deal was lost, where programs keep two days.",
        headers=(
            "lost time|lost date|lost on|date lost|förlorad den|verloren am|fecha perdido|"
            "date de perte|data de perda|verloren op|tabt den|tapt den"
        ),
    ),
)
"""Columns for imports only: they are not fields of a deal, but say something about some."""

BUILT_IN: Final = FieldTable(with_headers(FIELDS), with_headers(HELPERS))
"""The table without fields of the user's own."""
