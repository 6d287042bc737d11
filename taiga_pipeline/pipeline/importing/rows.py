"""From a row of a file to what it says about a deal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from taiga_pipeline.pipeline.cleaning import MAX_KEY, clean_deal, clean_line
from taiga_pipeline.pipeline.columns import check_field, format_cell, parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import (
    LIST_KINDS,
    TEXT_KINDS,
    DealField,
    Kind,
    with_values,
)
from taiga_pipeline.pipeline.fields.own import normal_form
from taiga_pipeline.pipeline.fields.table import CLOSE_DATE, LOST_ON, STATUS, WON_ON
from taiga_pipeline.pipeline.files.cell_text import TypedText
from taiga_pipeline.pipeline.files.csv_reader import BrokenRow, RawRow, unguard
from taiga_pipeline.pipeline.importing.decisions import decision, is_known_status
from taiga_pipeline.pipeline.importing.native import Cell, NativeRow, cell_of
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions, Layout
from taiga_pipeline.pipeline.importing.readings import DATED, Survey, alone, read_currency
from taiga_pipeline.pipeline.keys import KeyReading, KeySurvey, rounded, written_as_text
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.pipeline.values.amounts import Amount
from taiga_pipeline.pipeline.values.blank import (
    is_blank,
    is_blank_key,
    is_blank_text,
    is_placeholder,
)
from taiga_pipeline.pipeline.values.currencies import currencies_of
from taiga_pipeline.pipeline.values.date_forms import Found
from taiga_pipeline.pipeline.values.numerals import POINT
from taiga_pipeline.pipeline.values.units import common
from taiga_pipeline.pipeline.values.yes_no import NO, YES

_FIGURES: Final = (Kind.MONEY, Kind.NUMBER, Kind.SHARE)
_SHOWN: Final = 40
_DANGLING: Final = " \t:;,-–—/|·()[]"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: where it begins, its key if that can be read, and why.

    ``missing`` are the gate actions that are open for it, ``unknown_person`` is an address that
    no person on the roster has or nearly has, where that is why: a surface may offer the way out.
    """

    line: int
    key: str
    reason: str
    missing: tuple[str, ...] = ()
    unknown_person: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says. ``values`` holds the fields that it fills, ``blank`` those it leaves
    blank; fields that the file does not have are in neither. ``weak`` are defaults, for what
    no one else has filled. ``unclear`` are the currencies that the sign of its value may stand
    for, if nothing says which. ``emptied`` are texts that count as blank: column and text."""

    line: int
    key: str
    values: Mapping[str, Any]
    blank: frozenset[str] = frozenset()
    weak: Mapping[str, Any] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    emptied: tuple[tuple[str, str], ...] = ()
    version: str = ""
    """Which state of its deal an exported row shows; see `taiga_pipeline.pipeline.versions`."""
    reached: str = ""
    """The stage that a decided deal had reached before, as far as the row tells."""
    written: str = ""
    """The key as it is in the file."""
    doubt: str = ""
    """Why its key is none unless a deal of the store has it."""

    def cells(self) -> dict[str, str]:
        """Returns the values as text, to be compared at the next import."""
        return {name: format_cell(name, value) for name, value in self.values.items()}


class RowReader:
    """Reads rows of one file by its layout and the options."""

    def __init__(
        self, layout: Layout, options: ImportOptions, funnel: Funnel, usual_mark: str = POINT
    ) -> None:
        self._layout = layout
        self._options = options
        self.funnel = funnel
        self._usual_mark = usual_mark
        self._zone = options.terms.zone
        self.readings = alone(options.terms)
        self._key_survey = KeySurvey()
        self._keys = KeyReading()
        self._stages = {folded(line(theirs)): ours for theirs, ours in options.stages.items()}
        self._met: set[str] = set()
        self._columns = frozenset(layout.columns)
        self.unknown_status: Counter[str] = Counter()
        """Words in the column of the status that decide nothing."""
        self._fields = options.fields
        self._own = tuple(each for each in options.fields.own if each.name in layout.columns)
        self._weak = self._defaults()

    def _defaults(self) -> dict[str, Any]:
        values = {}
        for ours, text in self._options.defaults.items():
            column = self._fields[check_field(ours, self._fields.names)]
            value = parse_cell(column, text)
            values[column.name] = line(value) if column.kind in TEXT_KINDS and value else value
        return values

    def survey(self, rows: Iterable[RawRow | NativeRow | BrokenRow]) -> None:
        """Looks at all rows first: they decide how their columns are written."""
        survey = self._survey()
        key_at = self._layout.columns.get("key")
        for row in rows:
            if isinstance(row, NativeRow):  # no spreadsheet had its keys in hand
                self._survey_native(survey, row)
                continue
            if key_at is not None and key_at < len(row.cells) and not self._layout.is_ours:
                self._key_survey.take(self._bare(row.cells[key_at]))
            for name in survey.columns:
                position = self._layout.columns[name]
                cell = row.cells[position] if position < len(row.cells) else ""
                if not self._is_settled(self._fields[name], cell):
                    survey.take(name, self._text(self._fields[name], cell)[0])
        self.readings = survey.readings()
        self._keys = self._key_survey.reading()

    def _is_settled(self, column: DealField, cell: str) -> bool:
        """Whether a workbook says what a cell is, so that it shows nothing of how text is written.

        Of chances it does not say whether they are counted in hundredths.
        """
        if not isinstance(cell, TypedText) or column.kind is Kind.SHARE:
            return False
        return _is_of_its_kind(column, cell.value)

    def _survey_native(self, survey: Survey, row: NativeRow) -> None:
        """Looks at what is text, and at chances: a number does not say what it is counted in."""
        for name in survey.columns:
            column, position = self._fields[name], self._layout.columns[name]
            cell = row.cells[position]
            if isinstance(cell, str):
                survey.take(name, self._text(column, cell)[0])
            elif column.kind is Kind.SHARE:
                with suppress(InvalidValue):
                    survey.take(name, format_cell("", self._cell(row, position, column.kind)))

    def has_to_survey(self, rows: Iterable[NativeRow]) -> bool:
        """Whether values of these rows can only be read by what all of their column show."""
        columns = self._survey().columns
        has_share = any(self._fields[name].kind is Kind.SHARE for name in columns)
        if has_share and not self._options.terms.scale:
            return True
        places = [self._layout.columns[name] for name in columns]
        return any(isinstance(row.cells[place], str) for row in rows for place in places)

    def _survey(self) -> Survey:
        headers = {name: self._layout.header_of(name) for name in self._layout.columns}
        return Survey(
            headers,
            self._options.terms,
            is_ours=self._layout.is_ours,
            table=self._fields,
            usual=self._usual_mark,
        )

    def read(self, row: RawRow | NativeRow | BrokenRow) -> Draft | BadRow:
        """Reads a row; one that cannot be read comes back with all its reasons."""
        if isinstance(row, BrokenRow):
            return BadRow(row.line, self.key(row), row.reason)
        try:
            key = self._key(row)
        except InvalidValue as error:  # whose row it is cannot be known
            return BadRow(row.line, "", f"{self._layout.header_of('key')}: {error}")
        if not key and not self._layout.key_parts:
            return BadRow(row.line, "", self._no_key(row))
        values: dict[str, Any] = {}
        problems: list[str] = []
        replaced, emptied = [], []
        for name, position in self._layout.columns.items():
            column = self._fields[name]
            try:
                cell = self._cell(row, position, column.kind)
                if isinstance(cell, TypedText) and self._may_be_taken(column, cell):
                    values[name] = self._typed_value(column, cell)
                    continue
                if not isinstance(cell, str) and _is_of_its_kind(column, cell):
                    values[name] = self._native_value(column, cell)
                    continue
                text, was_replaced = self._text(column, format_cell("", cell))
                if was_replaced:
                    replaced.append((name, was_replaced))
                values[name] = self._value(column, text)
                if text and values[name] in (None, "", ()):
                    emptied.append((name, text[:_SHOWN]))
            except InvalidValue as error:
                header = self._layout.header_of(name)
                problems.extend(f"{header}: {problem.message}" for problem in error.problems)
        if problems:
            return BadRow(row.line, key, "; ".join(problems))
        draft = self._draft(row.line, key, values, tuple(replaced), tuple(emptied))
        if isinstance(draft, BadRow):
            return draft
        doubt = rounded(key) if self._layout.is_ours else ""
        written = self._written_key(row)
        return replace(draft, version=self._version(row), written=written, doubt=doubt)

    def unused_stages(self) -> tuple[str, ...]:
        """Returns the stages that were to be renamed and did not occur."""
        return tuple(
            theirs for theirs in self._options.stages if folded(line(theirs)) not in self._met
        )

    def key(self, row: RawRow | NativeRow | BrokenRow) -> str:
        """Returns the key of a row as far as it can be read, else ""."""
        try:
            return self._key(row)
        except InvalidValue:
            return ""

    def _key(self, row: RawRow | NativeRow | BrokenRow) -> str:
        """Reads the key of a row; "" if it has none.

        :raises InvalidValue: a spreadsheet has spoilt it, or it cannot be kept.
        """
        text = self._written_key(row)
        renamed = self._options.values.get(("key", text))
        if renamed is not None:
            return clean_line(renamed)
        if self._layout.is_ours:  # as it was exported, or as a spreadsheet keeps its zeros
            return clean_line(written_as_text(self._raw_key(row))) or text
        return "" if is_blank_key(text) else clean_line(self._keys.read(text))

    def _no_key(self, row: RawRow | NativeRow) -> str:
        written = self._written_key(row)
        reason = f"no key in column {self._layout.header_of('key')!r}"
        return f"{reason}: {written[:_SHOWN]!r} stands for nothing" if written else reason

    def _raw_key(self, row: RawRow | NativeRow | BrokenRow) -> str:
        position = self._layout.columns.get("key", len(row.cells))
        cell = row.cells[position] if position < len(row.cells) else ""
        return cell if isinstance(cell, str) and self._options.is_guarded else ""

    def _written_key(self, row: RawRow | NativeRow | BrokenRow) -> str:
        position = self._layout.columns.get("key", len(row.cells))
        if position >= len(row.cells):
            return ""
        return clean_line(self._bare(format_cell("", self._cell(row, position))))

    def _bare(self, key: str) -> str:
        return self._unguarded(self._fields["key"], key)

    @property
    def makes_keys(self) -> bool:
        """Whether keys are made by a rule."""
        return bool(self._layout.key_parts)

    def said_of_keys(self) -> Iterator[tuple[int, str]]:
        """Yields what a spreadsheet did to keys and was undone: how many, and a sentence."""
        yield from self._key_survey.said(self._keys)

    def _made_key(self, values: Mapping[str, Any]) -> str:
        """Makes a key by the rule.

        :raises InvalidValue: a field that it is made of is blank, or it is too long.
        """
        pieces = []
        for text, name in self._layout.key_parts:
            pieces.append(text)
            if name:
                piece = format_cell(name, values.get(name) or self._weak.get(name))
                if not piece.strip():
                    raise InvalidValue(f"no {name}, which the key is made of")
                pieces.append(line(piece))
        key = clean_line("".join(pieces))
        if len(key) > MAX_KEY:
            raise InvalidValue(f"the key that is made has {len(key)} characters; up to {MAX_KEY}")
        return key

    def _cell(
        self, row: RawRow | NativeRow | BrokenRow, position: int, kind: Kind = Kind.TEXT
    ) -> Cell:
        if isinstance(row, NativeRow):
            cell = row.cells[position]
            if kind is Kind.YES_NO and isinstance(cell, bool):
                return YES if cell else NO
            return cell_of(cell, self._zone)
        return row.cells[position]

    def _version(self, row: RawRow | NativeRow) -> str:
        position = self._layout.version
        cell = "" if position is None else row.cells[position]
        return cell.strip() if isinstance(cell, str) else ""

    def _unguarded(self, column: DealField, text: str) -> str:
        return unguard(text) if self._options.is_guarded and column.is_guarded else text

    def _text(self, column: DealField, cell: str) -> tuple[str, str]:
        """Returns a cell's text, and what stood there if the options replaced it."""
        text = self._unguarded(column, cell).strip()
        ours = self._options.values.get((column.name, text))
        if ours is None and column.name == "stage":
            self._met.add(folded(line(text)))
            ours = self._stages.get(folded(line(text)))
        return (text, "") if ours is None else (ours, text)

    def _value(self, column: DealField, text: str) -> Any:
        if column.kind in TEXT_KINDS:
            return self._text_value(column, text)
        if column.kind in LIST_KINDS and self._is_blank_list(column, text):
            return None if column.kind is Kind.ACTIONS else ()
        if not text:
            return None
        value = self.readings.read(column, text)
        if isinstance(value, Amount) and value.value < 0 and not column.is_own:
            raise InvalidValue(f"{text!r}: an amount is 0 or more")
        return value

    def _is_blank_list(self, column: DealField, text: str) -> bool:
        if column.kind is Kind.NOTES and not self._layout.is_ours:
            return is_blank_text(text)
        if self._layout.is_ours and column.kind is not Kind.ROLES:  # as it was exported
            return not text
        return is_blank(text) if column.kind is Kind.ROLES else is_placeholder(text)

    def _text_value(self, column: DealField, text: str) -> str:
        if column.name != "key" and not self._layout.is_ours and is_blank_text(text):
            return ""
        if column.kind is Kind.CURRENCY and text and not self._layout.is_ours:
            if is_blank(text):
                return ""
            read_currency(text)
        return line(text)

    def _may_be_taken(self, column: DealField, cell: TypedText) -> bool:
        """Whether a cell of a workbook is what the field holds, and no option replaces it."""
        is_replaced = (column.name, cell.strip()) in self._options.values
        is_text = column.kind is Kind.SHARE and cell.is_share  # which has its sign
        return _is_of_its_kind(column, cell.value) and not is_replaced and not is_text

    def _typed_value(self, column: DealField, cell: TypedText) -> Any:
        """Returns the value of a cell whose workbook says what it is."""
        if not isinstance(cell.value, Decimal) or column.kind is Kind.SHARE:
            native = cell_of(cell.value, self._zone)
            return self._native_value(column, native) if not isinstance(native, str) else None
        if cell.value < 0 and not column.is_own:
            raise InvalidValue(f"{cell}: an amount is 0 or more")
        return self.readings.amount_reading(column.name).of(cell.value, cell.unit)

    def _native_value(self, column: DealField, cell: Decimal | date) -> Any:
        if isinstance(cell, Decimal):
            if cell < 0 and not column.is_own:
                raise InvalidValue(f"{cell:f}: less than 0")
            is_share = column.kind is Kind.SHARE
            return self.readings.probability.convert(cell) if is_share else Amount(cell)
        found = _found(cell)
        if found.is_beyond:
            return None
        if column.kind is Kind.MOMENT:
            return found.moment(self._zone)
        return found.day(self._zone, last=True)

    def _draft(
        self,
        number: int,
        key: str,
        values: dict[str, Any],
        replaced: tuple[tuple[str, str], ...],
        emptied: tuple[tuple[str, str], ...],
    ) -> Draft | BadRow:
        try:
            unclear = self._settle_amount(values)
        except InvalidValue as error:
            return BadRow(number, key, f"{self._layout.header_of('value')}: {error}")
        if problems := self._settle_own(values):
            return BadRow(number, key, "; ".join(problems))
        reached = self._settle_status(values)
        self._settle_close_date(values)
        self._compose_name(values)
        if self._layout.key_parts:
            try:
                key = self._made_key(values)
            except InvalidValue as error:
                return BadRow(number, "", str(error))
        blank = {name for name, value in values.items() if value in (None, "", (), frozenset())}
        filled = {name: value for name, value in values.items() if name not in blank}
        filled["key"] = key
        weak = {name: value for name, value in self._weak.items() if name not in filled}
        if not self.funnel.is_closed(filled.get("stage") or weak.get("stage") or ""):
            weak.pop("closed_on", None)
        return Draft(
            number, key, filled, frozenset(blank), weak, unclear, replaced, emptied, reached=reached
        )

    def _settle_amount(self, values: dict[str, Any]) -> tuple[str, ...]:
        """Decides the currency, by the cell of its own, the sign of the amount and the options.

        Returns the currencies that are left, if nothing decides.

        :raises InvalidValue: they contradict each other.
        """
        amount = values.get("value")
        written: str = values.get("currency", "")
        named = currencies_of(written) or tuple(filter(None, (written.upper(),)))
        given = currencies_of(self._options.currency)
        codes = named
        if isinstance(amount, Amount):
            values["value"] = amount.value
            codes = common(amount.currencies, named)
        if len(codes) != 1 and (codes or isinstance(amount, Amount)):
            codes = common(codes, given)
        if len(codes) == 1 or named:
            values["currency"] = codes[0] if len(codes) == 1 else ""
        return codes if len(codes) > 1 else ()

    def _settle_own(self, values: dict[str, Any]) -> list[str]:
        """Puts fields of the user's own into their normal form; returns what is wrong with them."""
        problems: list[str] = []
        currency = values.get("currency") or self._weak.get("currency") or self._options.currency
        for column in self._own:
            try:
                values[column.name] = normal_form(column, values[column.name], currency)
            except InvalidValue as error:
                header = self._layout.header_of(column.name)
                problems.extend(f"{header}: {problem.message}" for problem in error.problems)
        return problems

    def _settle_status(self, values: dict[str, Any]) -> str:
        """Lets a status decide whether the deal is won or lost.

        Returns the stage that it had reached before, "" if that is the one that it is in.
        """
        won_on, lost_on = values.pop(WON_ON, None), values.pop(LOST_ON, None)
        status: str = values.pop(STATUS, "") or ""
        stage: str = values.get("stage") or self._weak.get("stage") or ""
        category = decision(status) or (decision(stage) if STATUS not in self._columns else None)
        day = won_on if category is Category.WON else lost_on if category is Category.LOST else None
        if day and not values.get("closed_on"):
            values["closed_on"] = day
        if not is_known_status(status):
            self.unknown_status[status[:_SHOWN]] += 1
        if decision(status) is None:
            return ""
        values["stage"] = self.funnel.decided(decision(status) or Category.LOST, stage)
        return stage if not self.funnel.is_closed(stage) else ""

    def _settle_close_date(self, values: dict[str, Any]) -> None:
        if CLOSE_DATE not in values:
            return
        day: date | None = values.pop(CLOSE_DATE)
        stage = values.get("stage") or self._weak.get("stage") or ""
        closed = self.funnel.is_closed(stage)
        values.setdefault("closed_on", day if closed else None)
        if not closed:
            values.setdefault("expected_close", day)

    def _compose_name(self, values: dict[str, Any]) -> None:
        if values.get("name") or not self._layout.name_parts:
            return
        pieces = []
        for text, placeholder in self._layout.name_parts:
            pieces.append(text)
            if placeholder:
                pieces.append(str(values.get(placeholder) or self._weak.get(placeholder) or ""))
        values["name"] = clean_line("".join(pieces).strip(_DANGLING))


def _is_of_its_kind(column: DealField, cell: Decimal | date) -> bool:
    """Whether a value that is not text is what the field holds: nothing has to be guessed."""
    return column.kind in (DATED if isinstance(cell, date) else _FIGURES)


def _found(cell: date) -> Found:
    at = cell if isinstance(cell, datetime) else None
    day = date(cell.year, cell.month, cell.day)
    return Found(day, day, at)


def new_deal(draft: Draft) -> Deal:
    """Returns the deal of a row that nothing is known of yet.

    :raises InvalidValue: the deal cannot be stored.
    """
    return clean_deal(with_values(Deal(draft.key, ""), {**draft.weak, **draft.values}))
