"""The options of an import, and which column of the file it takes for which field."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Final

from taiga_pipeline.days import zone_named
from taiga_pipeline.pipeline.columns import check_field, parse_cell
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN, CLOSE_DATE
from taiga_pipeline.pipeline.files.csv_reader import TAB_NAMES
from taiga_pipeline.pipeline.importing.contents import ContentOf, unknown_content
from taiga_pipeline.pipeline.importing.decisions import decision
from taiga_pipeline.pipeline.importing.headers import guess_columns, plain_header
from taiga_pipeline.pipeline.importing.readings import Terms
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.pipeline.values.dates import check_format
from taiga_pipeline.pipeline.values.shares import Scale
from taiga_pipeline.pipeline.versions import COLUMN
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

_WORDS: Final = frozenset({Kind.TEXT, Kind.CURRENCY, Kind.CHOICE})


def _name_fields(table: FieldTable) -> tuple[str, ...]:
    """Returns the fields that a composed name may be made of."""
    return table.where(lambda field: field.kind in _WORDS and field.name != "name")


def _key_fields(table: FieldTable) -> tuple[str, ...]:
    """Returns the fields that a key may be made of: none that changes from stage to stage."""
    return table.where(_makes_keys)


def _makes_keys(field: DealField) -> bool:
    return field.is_stable or (field.is_own and field.kind in _WORDS)


_CLOSED_WORD = re.compile(
    r"\b(won|lost|closed|cancelled|abandoned|vunn(en|a|et)|förlorad(e)?|gewonnen|verloren)\b"
)


def _closed_by_name(stage: str) -> bool:
    return decision(stage) is not None or _CLOSED_WORD.search(folded(stage)) is not None


def _usual_stage(category: Category, stage: str) -> str:
    return stage if decision(stage) is category else category.value.capitalize()


@dataclass(frozen=True, slots=True)
class Funnel:
    """What is known of stages: whether one exists, whether it closes a deal, and which actions a
    deal's way from another stage to its own asks for (see `gates.asked_on_the_way`).

    Without a mapping, every stage is known, one called won or lost is closed, and none has a gate.
    """

    is_known: Callable[[str], bool] = lambda stage: True
    is_closed: Callable[[str], bool] = _closed_by_name
    asks: Callable[[Deal, str], tuple[str, ...]] = lambda deal, start: ()
    decided: Callable[[Category, str], str] = _usual_stage
    """The stage in which a deal is won or lost that stood in another one at last."""

    @property
    def is_strict(self) -> bool:
        """Whether it knows stages by a mapping, and not every name."""
        return not self.is_known("\0")


class Take(StrEnum):
    """Whose value counts where both sides changed a field apart."""

    NEITHER = "neither"
    FILE = "file"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How an import's settings are written where it is asked for; messages name them so."""

    column: str = "--column {ours}={theirs}"
    default: str = "--default {ours}={text}"
    value: str = "--value {ours}:{theirs}={text}"
    name: str = "--name {name!r}"
    example_of_name: str = "--name '{{customer}}: {{service}}'"
    key: str = "--key {name!r}"
    example_of_key: str = "--key '{{customer}}-{{name}}'"
    currency: str = "--currency"
    decimal: str = "--decimal {text!r}"
    delimiter: str = "--delimiter {text!r}"
    sheet: str = "--sheet {name!r}"
    date_format: str = "--date-format"
    time_zone: str = "--time-zone {text!r}"
    scale: str = "--probability-scale"


ON_COMMAND_LINE: Final = Spelling()
ON_PAGE: Final = Spelling(
    column="column {theirs!r} as {ours}",
    default="{text!r} for blank cells of {ours}",
    value="{ours}: {text!r} for {theirs!r}",
    name="names of the form {name!r}",
    example_of_name="names of the form '{{customer}}: {{service}}'",
    key="keys of the form {name!r}",
    example_of_key="keys of the form '{{customer}}-{{name}}'",
    currency="currency",
    decimal="decimal mark {text!r}",
    delimiter="separator {text!r}",
    sheet="sheet {name!r}",
    date_format="date format",
    time_zone="time zone {text!r}",
    scale="scale of chances",
)
IN_CONFIG: Final = Spelling(
    column='[source.columns] {ours} = "{theirs}"',
    default='[source.defaults] {ours} = "{text}"',
    name='[source] name = "{name}"',
    example_of_name='[source] name = "{{customer}}: {{service}}"',
    key='[source] key = "{name}"',
    example_of_key='[source] key = "{{customer}}-{{name}}"',
    currency="[source] currency",
    decimal='[source] decimal = "{text}"',
    delimiter='[source] delimiter = "{text}"',
    sheet='[source] sheet = "{name}"',
    date_format="[source] date_format =",
    time_zone='[source] time_zone = "{text}"',
    scale="[source] probability_scale =",
)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file that others wrote.

    ``columns``: our field -> their header. ``stages``: their stage -> ours. ``values``: (our
    field, their text) -> our text. ``defaults``: our field -> text for what the file leaves blank.
    ``name``: how to compose a name, such as ``{customer}: {service}``; ``key``: how to make keys
    where the file has none. ``decimal``,
    ``date_format`` and ``probability_scale``: how amounts, dates and chances are written, "" to
    decide by their columns. ``sheet`` is that of a workbook, "" where only one is meant.
    ``time_zone`` is that of days, and of times without one, "" for
    ``zone``. ``is_guarded`` says that an apostrophe may stand before what a spreadsheet would take
    for a formula. ``origin`` names the file across imports, "" for its own name. ``by`` says who
    imports; with ``dry_run`` nothing is stored. ``forget`` says that what earlier imports of the
    origin were told does not count any more (`taiga_pipeline.pipeline.importing.profiles`).
    ``force`` lets deals skip actions on their way, which is recorded. ``take`` says whose value
    counts where the file and the store changed a field apart. ``fields`` is the table of the
    fields, those of the user's own among them. ``ignored`` are headers that stand for nothing,
    however well they are known.
    """

    fields: FieldTable = BUILT_IN
    columns: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    name: str = ""
    key: str = ""
    date_format: str = ""
    decimal: str = ""
    probability_scale: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    time_zone: str = ""
    zone: tzinfo = UTC
    is_guarded: bool = True
    spelling: Spelling = ON_COMMAND_LINE
    origin: str = ""
    take: Take = Take.NEITHER
    clear_blank: bool = False
    dry_run: bool = False
    forget: bool = False
    force: bool = False
    by: str = ""
    ignored: Collection[str] = ()

    @property
    def terms(self) -> Terms:
        """What was reported about figures and dates.

        :raises InvalidValue: there is no such time zone, or no such scale.
        """
        return Terms(
            decimal=self.decimal,
            date_format=self.date_format,
            scale=_scale(self.probability_scale),
            zone=_zone(self.time_zone) if self.time_zone else self.zone,
            decimal_option=self.spelling.decimal.partition("{")[0].rstrip(' "'),
            date_option=self.spelling.date_format,
            scale_option=self.spelling.scale,
        )


def _scale(name: str) -> Scale:
    try:
        return Scale(name)
    except ValueError:
        raise InvalidValue(f"unknown scale {name!r}; write percent or fraction") from None


def _zone(name: str) -> tzinfo:
    try:
        return zone_named(name)
    except ValueError as error:
        raise InvalidValue(str(error)) from None


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column stands for which field. ``unused`` are the headers that nothing asked for."""

    columns: Mapping[str, int]
    headers: tuple[str, ...]
    unused: tuple[str, ...]
    is_ours: bool
    name_parts: tuple[tuple[str, str], ...]
    """The composed name: (literal text, field after it)."""
    version: int | None = None
    """The column of `taiga_pipeline.pipeline.versions`, in an export of ours."""
    key_parts: tuple[tuple[str, str], ...] = ()
    """The rule for keys, as ``name_parts``; () if a column has them."""
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Headers that stand for a field as well, and were not taken."""

    def header_of(self, column: str) -> str:
        """Returns the file's header for one of our fields."""
        return self.headers[self.columns[column]]


def lay_out(
    file: str,
    headers: tuple[str, ...],
    options: ImportOptions,
    content_of: ContentOf = unknown_content,
) -> Layout:
    """Finds the columns: those that were named first, then those that are well known.

    ``content_of`` tells what a column holds where its header alone does not say.

    :raises ProblemsError: everything that is wrong with the options for this file.
    """
    problems: list[str] = []
    chosen = _named_columns(headers, options, problems)
    considered = (header for header in headers if header not in options.ignored)
    guess = guess_columns(considered, chosen, options.fields, content_of)
    chosen |= guess.columns
    spelling = options.spelling
    name_parts = _parts(
        options.name,
        _name_fields(options.fields),
        spelling.name,
        spelling.example_of_name,
        problems,
    )
    key_parts = _parts(
        options.key, _key_fields(options.fields), spelling.key, spelling.example_of_key, problems
    )
    if key_parts and "key" in options.columns:
        how = spelling.key.format(name=options.key)
        problems.append(f"{how}: the key has a column already; leave one of them out")
    if key_parts:
        chosen.pop("key", None)
    _check_options(options, problems)
    _check_needed(chosen, headers, options, problems)
    if problems:
        raise ProblemsError([Problem(message, file) for message in problems])
    used = set(chosen.values())
    version = next((at for at, name in enumerate(headers) if plain_header(name) == COLUMN), None)
    if version is not None and headers[version] in used:
        version = None
    used |= {headers[version]} if version is not None else set()
    known = used | {header for others in guess.rivals.values() for header in others}
    unused = dict.fromkeys(header for header in headers if header and header not in known)
    positions = {ours: headers.index(theirs) for ours, theirs in chosen.items()}
    is_ours = all(ours == theirs for ours, theirs in chosen.items()) and not unused
    return Layout(
        positions,
        headers,
        tuple(unused),
        is_ours,
        name_parts,
        version,
        key_parts,
        dict(guess.rivals),
    )


def _named_columns(
    headers: tuple[str, ...], options: ImportOptions, problems: list[str]
) -> dict[str, str]:
    by_folded = {folded(line(header)): header for header in reversed(headers)}
    chosen = {}
    for ours, theirs in options.columns.items():
        spelled = options.spelling.column.format(ours=ours, theirs=theirs)
        header = theirs if theirs in headers else by_folded.get(folded(line(theirs)))
        if header is None:
            present = ", ".join(filter(None, headers))
            problems.append(
                f"{spelled}: no column {theirs!r}{did_you_mean(theirs, headers)} "
                f"(columns: {present})"
            )
            continue
        try:
            chosen[check_field(ours, options.fields.columns)] = header
        except InvalidValue as error:
            problems.append(f"{spelled}: {error}")
    return chosen


def _parts(
    template: str, fields: tuple[str, ...], option: str, example: str, problems: list[str]
) -> tuple[tuple[str, str], ...]:
    spelled = option.format(name=template)
    parts = tuple(re.findall(r"([^{}]*)(?:\{([^{}]*)\}|$)", template)) if template else ()
    for _, placeholder in parts:
        if placeholder and placeholder not in fields:
            problems.append(
                f"{spelled}: no field {placeholder!r}"
                f"{did_you_mean(placeholder, fields)} (fields: {', '.join(fields)})"
            )
    if "".join(f"{text}{{{field}}}" if field else text for text, field in parts) != template:
        problems.append(f"{spelled}: braces that do not match; write {example.format()}")
    if template and not any(placeholder for _, placeholder in parts):
        problems.append(f"{spelled}: no field in it; write for example {example.format()}")
    return parts


def _check_options(options: ImportOptions, problems: list[str]) -> None:
    spelling = options.spelling
    for ours, text in options.defaults.items():
        try:
            parse_cell(options.fields[check_field(ours, options.fields.names)], text)
        except InvalidValue as error:
            problems.append(f"{spelling.default.format(ours=ours, text=text)}: {error}")
    for (ours, theirs), text in options.values.items():
        try:
            check_field(ours, options.fields.columns)
        except InvalidValue as error:
            spelled = spelling.value.format(ours=ours, theirs=theirs, text=text)
            problems.append(f"{spelled}: {error}")
    try:
        if options.currency.strip():
            parse_cell("currency", options.currency)
    except InvalidValue as error:
        problems.append(f"{spelling.currency}: {error}")
    try:
        _zone(options.time_zone or "UTC")
    except InvalidValue as error:
        problems.append(f"{spelling.time_zone.format(text=options.time_zone)}: {error}")
    try:
        _scale(options.probability_scale)
    except InvalidValue as error:
        problems.append(f"{spelling.scale} {options.probability_scale!r}: {error}")
    try:
        if options.date_format:
            check_format(options.date_format)
    except InvalidValue as error:
        problems.append(f"{spelling.date_format} {error}")
    if options.decimal not in ("", ".", ","):
        problems.append(f"{spelling.decimal.format(text=options.decimal)}: write . or ,")
    if len(options.delimiter) > 1 and options.delimiter not in TAB_NAMES:
        problems.append(
            f"{spelling.delimiter.format(text=options.delimiter)}: one character, or tab"
        )


def _check_needed(
    chosen: Mapping[str, str], headers: tuple[str, ...], options: ImportOptions, problems: list[str]
) -> None:
    present = ", ".join(filter(None, headers))
    spelling = options.spelling
    if "key" not in chosen and not options.key:
        how = spelling.column.format(ours="key", theirs="HEADER")
        problems.append(
            f"no column for the deal's key; name it with {how}, or make keys by a rule: "
            f"{spelling.example_of_key.format()} (columns: {present})"
        )
    if "name" not in chosen and not options.name and "name" not in options.defaults:
        problems.append(
            "no column for the deal's name; name it with "
            f"{spelling.column.format(ours='name', theirs='HEADER')}, or compose it: "
            f"{spelling.example_of_name.format()} (columns: {present})"
        )
    if CLOSE_DATE in chosen and {"closed_on", "expected_close"} <= chosen.keys():
        problems.append(
            f"{chosen[CLOSE_DATE]!r} is used for both closed_on and expected_close, which have "
            "their own columns; leave one of them out"
        )
