"""What is odd about a file without being wrong: counted while its rows go by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN, STATUS
from taiga_pipeline.pipeline.files.csv_reader import RawRow
from taiga_pipeline.pipeline.files.decoding import misread
from taiga_pipeline.pipeline.importing.headers import (
    may_be_weighted,
    plain_header,
    qualifier,
)
from taiga_pipeline.pipeline.importing.options import Layout
from taiga_pipeline.pipeline.importing.readings import Readings
from taiga_pipeline.pipeline.importing.rows import Draft
from taiga_pipeline.pipeline.text import counted, folded

_DATES: Final = ("engaged_on", "expected_close", "start", "closed_on")
_WON_FLAGS: Final = ("iswon", "won", "isclosed", "iswonopportunity", "vunnen", "gewonnen")
_NAMED: Final = 5
_ENTITY: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,6}|#x[0-9a-fA-F]{1,5});")
MAX_VOCABULARY: Final = 1_000
"""Different values up to which words are looked for that were written together."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person may want to know: a short name for programs, how many deals it
    concerns, and a sentence."""

    code: str
    count: int
    text: str


def _is_spelt(field: DealField) -> bool:
    """Whether one word that is spelt in two ways would be two groups."""
    return field.kind is Kind.TEXT and bool(field.match)


class Observer:
    """Sees every deal of an import and says at the end what was odd."""

    def __init__(self, layout: Layout, readings: Readings, table: FieldTable = BUILT_IN) -> None:
        self._layout = layout
        self._readings = readings
        self._spelt: dict[str, Counter[str]] = {
            name: Counter() for name in table.where(_is_spelt) if name in layout.columns
        }
        self._counts: Counter[str] = Counter()
        self._replaced: Counter[tuple[str, str]] = Counter()
        self._emptied: Counter[tuple[str, str]] = Counter()
        self._entity = ""
        self._misread = ""

    def see(self, draft: Draft) -> None:
        """Counts one row."""
        values = {**draft.weak, **draft.values}
        for name in self._spelt:
            if values.get(name):
                self._spelt[name][values[name]] += 1
        self._replaced.update(draft.replaced)
        self._emptied.update(draft.emptied)
        self._counts.update(
            code
            for code, is_so in (
                ("no customer", not values.get("customer")),
                ("no date", not any(values.get(name) for name in _DATES)),
                ("no value", values.get("value") is None),
                ("no currency", _lacks_currency(values) and not draft.unclear),
                ("no stage", not values.get("stage")),
                ("unclear currency", bool(draft.unclear)),
                ("entities", self._has_entities(values)),
                ("misread", self._is_misread(values)),
            )
            if is_so
        )

    def _has_entities(self, values: Mapping[str, Any]) -> bool:
        for value in values.values():
            if isinstance(value, str) and "&" in value and (found := _ENTITY.search(value)):
                self._entity = self._entity or found[0]
                return True
        return False

    def _is_misread(self, values: Mapping[str, Any]) -> bool:
        """Whether a text was read in a wrong encoding before it came into the file."""
        for value in values.values():
            if isinstance(value, str) and not value.isascii() and (found := misread(value)):
                self._misread = self._misread or found
                return True
        return False

    def notices(self) -> tuple[Notice, ...]:
        """Returns everything that was odd."""
        return (
            *self._rivals(),
            *self._flags(),
            *self._decisions(),
            *self._blanks(),
            *self._gaps(),
            *self._spellings(),
            *self._replacements(),
        )

    def _rivals(self) -> Iterator[Notice]:
        for name, others in self._layout.rivals.items():
            taken = self._layout.header_of(name)
            listed = ", ".join(map(repr, others))
            option = word(f"{name}={others[0]}")
            text = f"{name} is read from {taken!r}, not from {listed}; else: --column {option}"
            yield Notice("columns", len(others), text)
        if "value" in self._layout.columns and may_be_weighted(self._layout.header_of("value")):
            taken = self._layout.header_of("value")
            text = f"{taken!r} may be multiplied by the deals' chances already; it is used as it is"
            yield Notice("weighted", 0, text)
        elif "value" in self._layout.columns and (
            words := qualifier(self._layout.header_of("value"))
        ):
            taken = self._layout.header_of("value")
            text = (
                f"{words!r} in the header {taken!r} changes nothing: amounts are used as they are"
            )
            yield Notice("header", 0, text)

    def _flags(self) -> Iterator[Notice]:
        """Says that a column of yes and no may decide what nothing decides yet."""
        flags = [header for header in self._layout.unused if plain_header(header) in _WON_FLAGS]
        if flags and STATUS not in self._layout.columns:
            option = f"--column {word(f'status={flags[0]}')} --value status:TRUE=won"
            text = (
                f"{flags[0]!r} is not used: the stage alone says whether a deal is won. If it has "
                f"to say so: {option} (as the file writes it), and status:FALSE=lost or =open"
            )
            yield Notice("columns", len(flags), text)

    def _decisions(self) -> Iterator[Notice]:
        for name, why in self._readings.decisions().items():
            yield Notice("decided", 0, f"{self._layout.header_of(name)}: {why}")

    def _blanks(self) -> Iterator[Notice]:
        columns: dict[str, Counter[str]] = {}
        for (name, text), count in self._emptied.items():
            columns.setdefault(name, Counter())[text] += count
        for name, texts in columns.items():
            count = texts.total()
            words = ", ".join(repr(text) for text, _ in texts.most_common(_NAMED))
            more = f" and {len(texts) - _NAMED:,} more" if len(texts) > _NAMED else ""
            header = self._layout.header_of(name)
            verb = "counts" if count == 1 else "count"
            text = f"{header}: {counted(count, 'cell')} {verb} as blank ({words}{more})"
            yield Notice("blank", count, text)

    def _gaps(self) -> Iterator[Notice]:
        sentences = {
            "no customer": "{deals} without a customer",
            "no date": "{deals} without any date: their time is unknown",
            "no value": "{deals} without a value",
            "no currency": "{deals} with a value but no currency; name it with --currency",
            "no stage": "{deals} without a stage",
            "entities": "{deals} with signs written as in web pages ({entity}); kept as they are",
            "misread": "{deals} with letters that another program spoilt ({letters}); kept as they "
            "are: export again as UTF-8",
            "unclear currency": "{deals} with a currency sign that several currencies "
            "share; name it with --currency, or --value currency:THEIRS=OURS",
        }
        for code, sentence in sentences.items():
            if count := self._counts[code]:
                text = sentence.format(
                    deals=counted(count, "deal"),
                    entity=repr(self._entity),
                    letters=self._misread,
                )
                yield Notice(code.replace(" ", "_"), count, text)

    def _spellings(self) -> Iterator[Notice]:
        for name, values in self._spelt.items():
            by_letters: dict[str, list[str]] = {}
            for value in values:
                by_letters.setdefault(plain_header(value), []).append(value)
            for spellings in by_letters.values():
                if len(spellings) > 1:
                    yield _variants(name, spellings, values)
            if len(values) <= MAX_VOCABULARY:
                yield from _written_together(name, values)

    def _replacements(self) -> Iterator[Notice]:
        for (name, theirs), count in sorted(self._replaced.items()):
            text = f"{name} {theirs!r} was replaced in {counted(count, 'deal')}"
            yield Notice("replaced", count, text)


def _lacks_currency(values: Mapping[str, Any]) -> bool:
    return values.get("value") is not None and not values.get("currency")


def _variants(name: str, spellings: list[str], values: Counter[str]) -> Notice:
    ordered = sorted(spellings, key=lambda value: (-values[value], value))
    shown = ", ".join(f"{value!r} ({values[value]:,})" for value in ordered)
    usual, other = ordered[0], ordered[1]
    return Notice(
        "spelling",
        sum(values[value] for value in ordered[1:]),
        f"{name} is spelt in {len(ordered)} ways: {shown}; to make them one: "
        f"--value {word(f'{name}:{other}={usual}')}",
    )


def _written_together(name: str, values: Counter[str]) -> Iterator[Notice]:
    """Finds words without a space between them that other values write apart (``GTXPro``)."""
    words = {part for value in values if " " in value for part in folded(value).split()}
    letters = {plain_header(value) for value in values if " " in value}
    for value in sorted(values):
        if " " in value or folded(value) in words or plain_header(value) in letters:
            continue
        for cut in range(2, len(value) - 1):
            if folded(value[:cut]) in words and folded(value[cut:]) in words:
                apart = f"{value[:cut]} {value[cut:]}"
                yield Notice(
                    "spelling",
                    values[value],
                    f"{name} {value!r} ({counted(values[value], 'deal')}) may be {apart!r} without "
                    f"the space, as other values write these words apart; if so: "
                    f"--value {word(f'{name}:{value}={apart}')}",
                )
                break


def swallowed(rows: Sequence[RawRow]) -> Iterator[Notice]:
    """Yields what to say of cells that may have swallowed rows."""
    if rows:
        first = rows[0]
        yield Notice(
            "lines_in_a_cell",
            len(rows),
            f"{counted(len(rows), 'row')} with a cell of several lines that look like rows of "
            f"their own (line {first.inside}, within the row of line {first.line}): if a quotation "
            "mark was never closed there, they were not read as rows",
        )
