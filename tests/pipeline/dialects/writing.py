"""Writes made-up deals in the dialects of languages, tools and spreadsheet programmes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

CURRENCIES: Final[Mapping[str, str]] = {"EUR": "€", "CHF": "CHF", "INR": "₹", "BRL": "R$"}


@dataclass(frozen=True)
class Language:
    """Headers in the order of `FIELDS`, and how figures and dates are written there."""

    name: str
    headers: tuple[str, ...]
    decimal: str = ","
    group: str = "."
    day: str = "%d.%m.%Y"
    won: str = "Won"
    lost: str = "Lost"
    open_: str = "Open"
    status: str = "Status"
    words: tuple[str, ...] = ("Portal", "Audit", "Move")


FIELDS: Final = ("key", "name", "customer", "stage", "value", "currency", "probability", "close",
                 "owner", "notes")  # fmt: skip

LANGUAGES: Final = (
    Language(
        "US English",
        ("Deal ID", "Deal Name", "Account Name", "Stage", "Amount", "Currency", "Probability (%)",
         "Close Date", "Deal Owner", "Description"),
        ".", ",", "%m/%d/%Y",
    ),
    Language(
        "British English",
        ("Record ID", "Title", "Organisation", "Deal Stage", "Deal Value", "Currency",
         "Deal probability", "Closing Date", "Owner", "Notes"),
        ".", ",", "%d/%m/%Y", words=("Café refit", "Audit", "Resumé"),
    ),
    Language(
        "Swedish",
        ("Affärsid", "Namn", "Kund", "Säljfas", "Belopp", "Valuta", "Sannolikhet",
         "Stängningsdatum", "Säljare", "Anteckningar"),
        ",", " ", "%Y-%m-%d", "Vunnen", "Förlorad", "Öppen", words=("Webb", "Höjd räkning", "Ån"),
    ),
    Language(
        "German",
        ("Vorgangsnummer", "Bezeichnung", "Kunde", "Verkaufsphase", "Betrag", "Währung",
         "Wahrscheinlichkeit", "Abschlussdatum", "Verantwortlich", "Notizen"),
        won="Gewonnen", lost="Verloren", open_="Offen", words=("Prüfung", "Größe", "Übersicht"),
    ),
    Language(
        "French",
        ("Identifiant", "Nom de l'opportunité", "Compte", "Étape", "Montant", "Devise",
         "Probabilité", "Date de clôture", "Propriétaire", "Commentaires"),
        ",", "\u202f", "%d/%m/%Y", "Gagné", "Perdu", "Ouvert", "Statut",
        ("Société", "Château", "Ça"),
    ),
    Language(
        "Spanish",
        ("ID de oportunidad", "Nombre de la oportunidad", "Cuenta", "Etapa", "Importe", "Divisa",
         "Probabilidad", "Fecha de cierre", "Propietario", "Notas"),
        ",", ".", "%d/%m/%Y", "Ganado", "Perdido", "Abierto", "Estado", ("Señal", "Año", "Café"),
    ),
    Language(
        "Portuguese",
        ("ID do negócio", "Nome do negócio", "Empresa", "Estágio", "Valor", "Moeda",
         "Probabilidade", "Data de fechamento", "Responsável", "Observações"),
        ",", ".", "%d/%m/%Y", "Ganho", "Perdido", "Aberto", "Situação", ("São", "Três", "Ação"),
    ),
    Language(
        "Dutch",
        ("Dealnummer", "Naam", "Klant", "Verkoopfase", "Bedrag", "Valuta", "Kans",
         "Sluitingsdatum", "Verantwoordelijke", "Notities"),
        ",", ".", "%d-%m-%Y", "Gewonnen", "Verloren", words=("Één", "Coördinatie", "Reünie"),
    ),
    Language(
        "Danish",
        ("ID", "Navn", "Kunde", "Salgsfase", "Beløb", "Valuta", "Sandsynlighed", "Lukkedato",
         "Sælger", "Noter"),
        ",", ".", "%d-%m-%Y", "Vundet", "Tabt", "Åben", words=("Smørrebrød", "Ærø", "Å"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A spreadsheet programme or database, and how it writes files.

    ``money`` is where the currency stands: ``column``, ``cell``, or ``header`` (all in one).
    """

    name: str
    encoding: str = "utf-8"
    separator: str = ","
    line_end: str = "\n"
    sep_line: bool = False
    quote_all: bool = False
    backslashes: bool = False
    money: str = "column"
    grouped: bool = False
    chance: str = "fraction"
    iso: bool = False
    blank: str = ""
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    has_status: bool = False
    cut_short: bool = False
    plain: bool = False
    """Numbers with a decimal point, whatever the language."""


PROGRAMS: Final = (
    Program("Excel", "cp1252", ";", "\r\n", money="cell", grouped=True, chance="signed"),
    Program("Excel with sep=", "utf-8-sig", ";", "\r\n", sep_line=True, grouped=True,
            chance="signed", has_status=True),
    Program("Excel Unicode text", "utf-16", "\t", "\r\n", money="header", grouped=True,
            chance="percent", cut_short=True),
    Program("LibreOffice", quote_all=True, chance="percent", has_status=True),
    Program("Google Sheets", grouped=True, money="cell", chance="signed", line_end="\r\n"),
    Program("database", separator="\t", iso=True, plain=True, blank="\\N", backslashes=True,
            chance="fraction"),
    Program("report", separator=";", above=("Pipeline report", "", "As of 2026-11-26"),
            below=("", "Total ({count} records)", "Copyright (c) 2026 Example, Inc."),
            chance="percent", blank="-"),
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A made-up deal: what is expected of it after an import."""

    key: str
    name: str
    customer: str
    stage: str
    value: Decimal | None
    currency: str
    probability: Decimal | None
    close: date
    owner: str
    notes: str


@dataclass(frozen=True)
class Dialect:
    """A language and a program."""

    language: Language
    program: Program
    seed: int = field(default=0)

    def __str__(self) -> str:
        return f"{self.language.name}, {self.program.name}"


def dialects() -> list[Dialect]:
    """Returns all of them."""
    return [Dialect(language, program) for language in LANGUAGES for program in PROGRAMS]


def make(dialect: Dialect, count: int, random: Random) -> list[Made]:
    """Makes deals up, with words of the language; one currency where the header names it."""
    codes = list(CURRENCIES)
    if dialect.program.money == "header" or dialect.program.encoding == "cp1252":
        codes = ["EUR"] if dialect.program.money == "header" else ["EUR", "CHF", "BRL"]
    return [_deal(number, codes, dialect.language, random) for number in range(count)]


def _deal(number: int, codes: Sequence[str], language: Language, random: Random) -> Made:
    word = random.choice(language.words)
    value = random.choice([None, Decimal(random.randrange(1, 999_999)),
                           Decimal(random.randrange(1, 99_999_999)) / 100])  # fmt: skip
    chance = random.choice([None, Decimal(random.randrange(1, 100)) / 100, Decimal("0.005")])
    return Made(
        key=f"D-{number + 1:03}",
        name=f'{word} {number}; "{random.choice(["a, b", "x | y", "plain"])}"',
        customer=random.choice(["", f"{word} AB", "Acme & Söner", "O'Neil"]),
        stage=random.choice(["Lead", "Proposal", "Won", "Lost"]),
        value=value,
        currency=random.choice(codes) if value is not None else "",
        probability=chance,
        close=date(2026, 1, 1) + timedelta(days=random.randrange(700)),
        owner=random.choice(["", "Maya", "Åsa Öberg"]),
        notes=random.choice(["", f"{word}, and more", "one;two"]),
    )


def write(dialect: Dialect, deals: Sequence[Made]) -> bytes:
    """Writes deals as the program would."""
    program, language = dialect.program, dialect.language
    rows = [_headers(dialect), *(_cells(dialect, deal) for deal in deals)]
    lines = [*program.above, *(_line(program, row) for row in rows)]
    lines += [line.format(count=len(deals)) for line in program.below]
    if program.sep_line:
        lines.insert(0, f"sep={program.separator}")
    assert language.headers[0] in lines[len(program.above) + program.sep_line]
    text = "".join(f"{line}{program.line_end}" for line in lines)
    if program.encoding == "cp1252":  # which has no narrow space
        text = text.replace("\u202f", "\xa0")
    return text.encode(program.encoding)


def _headers(dialect: Dialect) -> list[str]:
    program = dialect.program
    headers = dict(zip(FIELDS, dialect.language.headers, strict=True))
    if program.money == "header":
        headers["value"] += " (EUR)"
    if program.money != "column":
        del headers["currency"]
    if program.chance == "percent" and "%" not in headers["probability"]:
        headers["probability"] += " (%)"
    if program.has_status:
        headers = {"key": headers.pop("key"), "status": dialect.language.status, **headers}
    return list(headers.values())


def _cells(dialect: Dialect, deal: Made) -> list[str]:
    program, language = dialect.program, dialect.language
    is_decided = deal.stage in ("Won", "Lost")
    words = {"Won": language.won, "Lost": language.lost}
    cells = {
        "key": deal.key,
        "name": deal.name,
        "customer": deal.customer,
        "stage": "Proposal" if program.has_status and is_decided else deal.stage,
        "value": _amount(dialect, deal),
        "currency": deal.currency,
        "probability": _chance(dialect, deal.probability),
        "close": _day(dialect, deal.close),
        "owner": deal.owner,
        "notes": deal.notes,
    }
    if program.money != "column":
        del cells["currency"]
    if program.has_status:
        status = words.get(deal.stage, language.open_)
        cells = {"key": cells.pop("key"), "status": status, **cells}
    texts = ("customer", "owner", "notes")
    blank = {name: program.blank for name in cells if name not in texts or program.backslashes}
    return [text or blank.get(name, "") for name, text in cells.items()]


def _amount(dialect: Dialect, deal: Made) -> str:
    if deal.value is None:
        return ""
    number = _number(dialect, deal.value)
    sign = CURRENCIES[deal.currency]
    if dialect.program.money != "cell":
        return number
    return f"{sign}{number}" if dialect.language.decimal == "." else f"{number} {sign}"


def _number(dialect: Dialect, value: Decimal) -> str:
    places = "" if value == value.to_integral() else ".2f"
    if dialect.program.plain:
        return format(value, places or "f")
    grouped = format(value, f",{places}" if places else ",.0f")
    if not dialect.program.grouped:
        grouped = grouped.replace(",", "")
    marks = {",": dialect.language.group, ".": dialect.language.decimal}
    return "".join(marks.get(each, each) for each in grouped)


def _chance(dialect: Dialect, chance: Decimal | None) -> str:
    if chance is None:
        return ""
    kind = dialect.program.chance
    if kind == "fraction" and "%" not in dialect.language.headers[FIELDS.index("probability")]:
        text = format(chance.normalize(), "f")
    else:
        text = format((chance * 100).normalize(), "f")
    mark = "." if dialect.program.plain else dialect.language.decimal
    signed = " %" if mark == "," else "%"
    return text.replace(".", mark) + (signed if kind == "signed" else "")


def _day(dialect: Dialect, day: date) -> str:
    if dialect.program.iso:
        return f"{day:%Y-%m-%d} 00:00:00"
    text = day.strftime(dialect.language.day)
    if dialect.language.day.startswith("%m"):  # as spreadsheets write it there
        return f"{day.month}/{day.day}/{day.year}"
    return text


def _line(program: Program, cells: Sequence[str]) -> str:
    if program.cut_short:
        cells = list(_trimmed(cells))
    if program.backslashes:
        return program.separator.join(map(_escaped, cells))
    stream = io.StringIO()
    quoting = csv.QUOTE_ALL if program.quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, delimiter=program.separator, quoting=quoting, lineterminator="")
    writer.writerow(cells)
    return stream.getvalue()


def _trimmed(cells: Sequence[str]) -> Iterator[str]:
    last = max(at for at, cell in enumerate(cells) if cell)
    yield from cells[: last + 1]


def _escaped(cell: str) -> str:
    if cell == "\\N":
        return cell
    text = cell.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
