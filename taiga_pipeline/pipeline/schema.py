"""The tables of the pipeline's own store, and how it is opened.

A new store is made from the tables as they stand below. Stores of older versions are brought to
them by `tables.steps.STEPS`; a test holds that each of them comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from sync.database.engine import (
    ExactDecimal,
    UtcDateTime,
    failures_as,
    numbered,
    open_engine,
    reading,
    shown,
    writing,
)
from sync.database.migrations import alone, migrate, version_of
from sync.errors import StateUnusable, Stop, Unreachable
from taiga_pipeline.pipeline.fields.field import Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.tables.steps import STEPS

NAME: Final = "pipeline"

METADATA = MetaData()

_TYPES: Final[Mapping[Kind, type[TypeEngine[Any]]]] = {
    Kind.MONEY: ExactDecimal,
    Kind.SHARE: ExactDecimal,
    Kind.DATE: Date,
    Kind.MOMENT: UtcDateTime,
}
"""How the kinds are stored that are not text."""


_APART: Final = frozenset({"key", "notes"})
"""Fields that are not columns like others."""


def _columns_of_deals() -> Iterator[Column[Any] | Index]:
    """Yields a column for each field, and what keys and stages are compared and found by."""
    yield Column("key", Text, primary_key=True)
    yield Column("key_folded", Text, nullable=False, unique=True)
    for name in (field.name for field in fields(Deal) if field.name not in _APART):
        stored = _TYPES.get(BUILT_IN[name].kind, Text) if name in BUILT_IN else Text
        later = stored is Text and (name not in BUILT_IN or BUILT_IN[name].since > 1)
        default = "" if later else None  # for the rows that were there before the field
        yield Column(name, stored, nullable=stored is not Text, server_default=default)
        if name == "stage":
            yield Column("stage_folded", Text, nullable=False)
    yield Index("deals_stage", "stage_folded")


DEALS: Final = Table("deals", METADATA, *_columns_of_deals())
"""Deals. Contacts, roles and done actions are in one column each, in the notation of the CSV
files: they are read and written with their deal, never by themselves. ``own`` holds the fields of
the user's own as JSON text, whatever the configuration says of them now, "" for none."""


def _of_deal(*, primary_key: bool = False) -> Column[str]:
    """Returns the column for the key of a deal: what has it goes with the deal."""
    deal = ForeignKey("deals.key", ondelete="CASCADE")
    return Column("deal_key", Text, deal, primary_key=primary_key, nullable=False)


def _of_person(*, primary_key: bool = False) -> Column[str]:
    """Returns the column for the address of a person: what has it goes with the person."""
    person = ForeignKey("people.email", ondelete="CASCADE")
    return Column("email", Text, person, primary_key=primary_key, nullable=False)


STAGE_MOVES: Final = Table(
    "stage_moves",
    METADATA,
    numbered(),
    _of_deal(),
    Column("from_stage", Text, nullable=False),
    Column("to_stage", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("forced", Text, nullable=False),
    Index("stage_moves_deal", "deal_key"),
)

FIELD_CHANGES: Final = Table(
    "field_changes",
    METADATA,
    numbered(),
    _of_deal(),
    Column("field", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Index("field_changes_deal", "deal_key"),
)

NOTES: Final = Table(
    "notes",
    METADATA,
    numbered(),
    _of_deal(),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("origin", Text),
    UniqueConstraint("deal_key", "origin"),
)
"""The logs of notes. ``origin`` names what a note was taken over from, NULL for one that was typed:
no log holds two of the same."""

CARDS: Final = Table(
    "cards",
    METADATA,
    Column("card", Text, primary_key=True),
    Column("deal_key", Text, ForeignKey("deals.key", ondelete="CASCADE")),
    Column("comments", Integer, nullable=False, server_default="0"),
    Column("answered", Text, nullable=False, server_default=""),
    Index("cards_deal", "deal_key"),
)
"""Cards that people work on; see `taiga_pipeline.pipeline.card_store`."""

KEYS_GONE: Final = Table(
    "keys_gone",
    METADATA,
    numbered(),
    Column("key", Text, nullable=False),
    Column("new_key", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("held", Text, nullable=False),
    Index("keys_gone_key", "key"),
)
"""Keys that deals do not have any more. Of a deal that was renamed, ``new_key`` is the key that it
was given; of one that was removed, it is "", and ``held`` is what was known of it, as JSON text."""

IMPORTED: Final = Table(
    "imported",
    METADATA,
    Column("origin", Text, primary_key=True),
    _of_deal(primary_key=True),
    Column("cells", Text, nullable=False),
    Column("missing_since", UtcDateTime),
    Column("imported_at", UtcDateTime),
    Index("imported_deal", "deal_key"),
)
"""What each import brought last: tells what disappeared, and what the file changed since. Rows of
a store of version 1 do not say when that was."""

PEOPLE: Final = Table(
    "people",
    METADATA,
    Column("email", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("skills", Text, nullable=False),
    Column("hours_per_week", ExactDecimal, nullable=False),
    Column("team", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("starts", Date),
    Column("ends", Date),
)

TIME_OFF: Final = Table(
    "time_off",
    METADATA,
    _of_person(primary_key=True),
    Column("first", Date, primary_key=True),
    Column("last", Date, primary_key=True),
    Column("reason", Text, nullable=False),
)

PEOPLE_IMPORTED: Final = Table(
    "people_imported",
    METADATA,
    Column("origin", Text, primary_key=True),
    _of_person(primary_key=True),
    Column("number", Text, nullable=False),
    Column("cells", Text, nullable=False),
    Column("missing_since", UtcDateTime),
)
"""What each import of a roster brought last (as JSON text), and who was no longer in it. ``number``
is a person's number at the company: it stays when the address changes."""

TIME_OFF_IMPORTED: Final = Table(
    "time_off_imported",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    _of_person(primary_key=True),
    Column("first", Date, primary_key=True),
    Column("last", Date, primary_key=True),
)
"""Which time off came from which event of which calendar: what is moved or cancelled there goes,
what people typed stays."""

ALLOCATIONS: Final = Table(
    "allocations",
    METADATA,
    numbered(),
    _of_deal(),
    _of_person(),
    Column("role", Text, nullable=False),
    Column("role_folded", Text, nullable=False),
    Column("hours_per_week", ExactDecimal, nullable=False),
    Column("start", Date),
    Column("start_key", Text, nullable=False),
    Column("end", Date),
    Column("confirmed", Boolean, nullable=False),
    UniqueConstraint("deal_key", "email", "role_folded", "start_key"),
    Index("allocations_email", "email"),
)
"""One person, deal, role and start is one allocation. ``start_key`` is the start as text, ""
for none: to a unique constraint, two NULLs are different."""

RATES: Final = Table(
    "rates",
    METADATA,
    numbered(),
    Column("email", Text, ForeignKey("people.email", ondelete="CASCADE")),
    Column("role", Text, nullable=False),
    Column("role_folded", Text, nullable=False),
    Column("since", Date),
    Column("cost", ExactDecimal),
    Column("bill", ExactDecimal),
    Column("currency", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Index("rates_email", "email"),
)
"""What an hour costs, and is billed at: of a person (``email``) or of a role. Rows are only added:
of the same person or role and first day, the last one holds; one without amounts takes it back."""

PLANNING_CHANGES: Final = Table(
    "planning_changes",
    METADATA,
    numbered(),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("deal_key", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index("planning_changes_email", "email"),
    Index("planning_changes_deal", "deal_key"),
)
"""Who changed people, their time off, allocations, rates and scenarios; it outlives what it speaks
of. ``before`` and ``after`` hold the fields that differ as JSON text, {} for nothing."""

IMPORT_PROFILES: Final = Table(
    "import_profiles",
    METADATA,
    Column("origin", Text, primary_key=True),
    Column("options", Text, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
)
"""How the list of an origin is read, as its last import was told (as JSON text)."""

CUSTOMER_JOINS: Final = Table(
    "customer_joins",
    METADATA,
    numbered(),
    _of_deal(),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("undone_at", UtcDateTime),
    Index("customer_joins_deal", "deal_key"),
)
"""Which deals got another customer's name when two customers were joined: what it takes to undo it.
``undone_at`` is when that was done, NULL if it was not."""

CUSTOMERS_APART: Final = Table(
    "customers_apart",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
)
"""Names of which somebody said that they are two customers; ``name`` sorts before ``other``."""

SYNCED_WITH: Final = Table(
    "synced_with",
    METADATA,
    Column("pipeline", Text, primary_key=True),
    Column("server", Text, nullable=False),
)
"""With which server, and by which account, a pipeline keeps these deals in step (as JSON text):
another state store must not begin with another one."""

TABLES: Final = tuple(METADATA.tables.values())
"""All tables, in an order in which rows can be inserted."""

REFERENCES: Final = tuple(
    (reference.parent, reference.column)
    for table in TABLES
    for column in table.columns
    for reference in column.foreign_keys
)
"""Columns whose values have to be in another one."""


def open_store(url: str, *, create: bool = False) -> Engine:
    """Opens the pipeline's store and brings its tables up to date.

    With ``create`` False, a SQLite file that is not there is an error, and so is a database that
    no store was ever made in: a file that was cut off to nothing must not pass for a pipeline
    without deals.

    :raises Unreachable: it is missing, locked, damaged, or written by a newer program; the
        message names it and the way out.
    """
    try:
        engine = open_engine(url, create=create)
    except Stop as error:
        message = f"the pipeline's store cannot be opened: {error}{_hint(error)}"
        raise Unreachable(message, ways_out=error.ways_out) from None
    try:
        _bring_up_to_date(engine, create)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _bring_up_to_date(engine: Engine, create: bool) -> None:
    try:
        with failures_as(Unreachable, engine):
            found = version_of(engine, NAME)
            if not create and found == 0:
                raise Unreachable(_NO_STORE.format(place=shown(engine.url)))
            migrate(engine, NAME, STEPS, METADATA, found=found)
    except StateUnusable as error:
        message = f"the pipeline's store cannot be used: {error}"
        raise Unreachable(message, ways_out=error.ways_out) from None
    except Unreachable as error:
        message = f"the pipeline's store {error}"
        raise Unreachable(message, ways_out=error.ways_out) from error.__cause__


_NO_STORE: Final = (
    "{place} is a database without a pipeline in it: it was emptied, or it is another database. "
    "Restore a "
    "backup, or make a new store there with: pipeline-sync init"
)


def _hint(error: Stop) -> str:
    if "no such file" not in str(error):
        return ""
    return (
        ". Check [source] url in the config, or make a store with: pipeline-sync init, "
        "pipeline-sync deals add, or pipeline-sync deals import"
    )


@contextmanager
def reading_store(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads the store.

    :raises Unreachable: the database cannot be used.
    """
    with failures_as(Unreachable, engine), reading(engine) as connection:
        yield connection


@contextmanager
def writing_store(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes to the store while no other program does.

    :raises Unreachable: the database cannot be used, or others did not release it in time.
    """
    with failures_as(Unreachable, engine), writing(engine) as connection:
        alone(connection, NAME, STEPS)
        yield connection


def named(engine: Engine) -> str:
    """Names the store for people."""
    return shown(engine.url)
