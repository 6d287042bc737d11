"""The deal store: deals, their moves from stage to stage, and what changed when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Select,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError

from sync.database.engine import by_letters
from taiga_pipeline.days import day_of
from taiga_pipeline.pipeline.batch import Batch, Outcome
from taiga_pipeline.pipeline.card_store import deal_of_card, tie_card
from taiga_pipeline.pipeline.changes import changes_between
from taiga_pipeline.pipeline.cleaning import clean_deal, clean_line, clean_note
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.edits import still_meant
from taiga_pipeline.pipeline.errors import (
    AlreadyInStage,
    AlreadyThere,
    EditConflict,
    FieldConflict,
    FixedFields,
    InvalidValue,
    JoinsItself,
    KeyTaken,
    NotDone,
)
from taiga_pipeline.pipeline.fields.field import with_values
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.gates import pass_gate
from taiga_pipeline.pipeline.key_rules import next_key
from taiga_pipeline.pipeline.model import Deal, FieldChange, Note, StageMove
from taiga_pipeline.pipeline.notes import newest_first, stamped
from taiga_pipeline.pipeline.rows import (
    change_to_row,
    deal_to_row,
    move_to_row,
    note_to_row,
    read_own_column,
    row_to_change,
    row_to_move,
)
from taiga_pipeline.pipeline.schema import (
    DEALS,
    FIELD_CHANGES,
    IMPORTED,
    NOTES,
    STAGE_MOVES,
    open_store,
    reading_store,
    writing_store,
)
from taiga_pipeline.pipeline.tables import key_changes
from taiga_pipeline.pipeline.tables.joins import goes_into
from taiga_pipeline.pipeline.tables.notes import (
    new_notes,
    rows_to_deals,
    with_new_notes,
    with_notes,
)
from taiga_pipeline.pipeline.tables.past import all_changes, moves_of
from taiga_pipeline.pipeline.tables.planning_changes import recording
from taiga_pipeline.pipeline.tables.queries import events, matcher, with_decision
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.pipeline.versions import Version, version_of

if TYPE_CHECKING:
    from taiga_pipeline.pipeline.tables.rereading import KnownDeals

FIXED_FIELDS: Final = frozenset(BUILT_IN.where(lambda field: not field.is_edited))
"""Fields that have their own ways of changing."""

_FETCH: Final = 1_000
_Also = TypeVar("_Also")


class DealStore:
    """Deals in a database.

    ``now`` returns aware UTC. Every method opens and ends its own transaction. Any of them raises
    `Unreachable` when the database is locked or damaged.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime], zone: tzinfo = UTC) -> None:
        self._engine = engine
        self._now = now
        self._zone = zone

    @classmethod
    def open(
        cls, url: str, now: Callable[[], datetime], *, zone: tzinfo = UTC, create: bool = False
    ) -> DealStore:
        """Opens the store at a database URL, and makes it there if asked.

        A decision without a day of its own is dated by the day that it is in ``zone``.

        :raises Unreachable: it is missing, locked, damaged, or from a newer program.
        """
        return cls(open_store(url, create=create), now, zone)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def count(self) -> int:
        """Returns how many deals there are."""
        with self._reading() as connection:
            return connection.execute(select(func.count()).select_from(DEALS)).scalar_one()

    def find(self, key: str) -> Deal | None:
        """Returns the deal with exactly this key, None if there is none."""
        with self._reading() as connection:
            return _find(connection, clean_line(key))

    def get(self, key: str) -> Deal:
        """Returns the deal with exactly this key.

        :raises UnknownName: there is none; names the nearest.
        """
        with self._reading() as connection:
            return _get(connection, key)

    def deals(
        self,
        *,
        stages: Iterable[str] = (),
        team: str = "",
        owner: str = "",
        text: str = "",
    ) -> Generator[Deal, None, None]:
        """Goes through the deals in the order of their keys, without loading them all.

        ``stages`` (any of them), ``team`` and ``owner`` must be equal but for case; ``text`` must
        occur in key, name, customer, service or notes, but for case.
        """
        wanted = [folded(clean_line(stage)) for stage in stages]
        query = select(DEALS).order_by(by_letters(DEALS.c.key))
        if wanted:
            query = query.where(DEALS.c.stage_folded.in_(wanted))
        matches = matcher(team, owner, text)
        with closing(self._stream_deals(query)) as found:
            yield from (deal for deal, _ in found if matches(deal))

    def reread(self, known: KnownDeals) -> tuple[Deal, ...]:
        """Returns all deals in the order of their keys; only what changed is made anew."""
        with self._reading() as connection:
            return known.read(connection)

    def versions(self) -> Iterator[tuple[Deal, Version]]:
        """Goes through all deals in the order of their keys, each with its version."""
        of_deal = FIELD_CHANGES.c.deal_key == DEALS.c.key
        last = select(func.coalesce(func.max(FIELD_CHANGES.c.id), 0)).where(of_deal)
        query = select(DEALS, last.scalar_subquery().label("last_change"))
        query = query.order_by(by_letters(DEALS.c.key))
        with closing(self._stream_deals(query)) as found:
            yield from ((deal, version_of(deal, row.last_change)) for deal, row in found)

    def own_values(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Goes through the deals that hold fields of the user's own: key, and text by field."""
        query = select(DEALS.c.key, DEALS.c.own).where(DEALS.c.own != "")
        with closing(self._stream(query.order_by(by_letters(DEALS.c.key)))) as rows:
            for row in rows:
                yield row.key, read_own_column(row.key, row.own)

    def join(self, key: str, main: str, *, by: str = "") -> Deal:
        """Makes a deal a part of another one's project; "" lets it stand for itself again.

        :raises UnknownName: one of them is not there.
        :raises JoinsItself: the other one is this deal, or ends up in its project.
        """
        with self._writing() as connection:
            deal = _get(connection, key, lock=True)
            other = _get(connection, main).key if main else ""
            joins = _joins(connection)
            if other and deal.key in (other, *goes_into(other, joins)):
                raise JoinsItself(deal.key, other)
            return self._save(connection, deal, replace(deal, part_of=other), by)

    def joins(self) -> dict[str, str]:
        """Returns the deals that are part of another one's project, with the key of that one."""
        with self._reading() as connection:
            return _joins(connection)

    def owners(self) -> dict[str, int]:
        """Returns who sells, as deals name them, with the number of their deals."""
        query = select(DEALS.c.owner, func.count()).where(DEALS.c.owner != "")
        with self._reading() as connection:
            rows = connection.execute(query.group_by(DEALS.c.owner))
            return {row[0]: row[1] for row in rows}

    def imported_keys(self) -> frozenset[str]:
        """Returns the keys of the deals that files brought."""
        with self._reading() as connection:
            return frozenset(connection.execute(select(IMPORTED.c.deal_key).distinct()).scalars())

    def add(self, deal: Deal, *, by: str = "", rule: str = "", card: str = "") -> Deal:
        """Adds a deal and returns it as it was stored; ``card`` is the one that it was made of.

        Of one card one deal is made, however many ask for it: the others get that one.

        One without a key gets the next one by a ``rule`` (`key_rules`), however many are added at
        once.

        :raises AlreadyThere: a deal has this key, or one that differs only in case.
        :raises InvalidValue: fields that cannot be stored.
        """
        now = self._now()
        dated = replace(
            deal, stage_since=deal.stage_since or now, updated_at=deal.updated_at or now
        )
        made = not deal.key and bool(rule)
        dated = replace(dated, key=deal.key or rule)
        cleaned = with_new_notes(None, clean_deal(dated), now, by)
        try:
            with self._writing() as connection:
                before = deal_of_card(connection, card) if card else ""
                if before:
                    return _get(connection, before)
                if made:  # no one else adds a deal meanwhile: see `writing_store`
                    known, day = key_changes.every_key(connection), day_of(now, self._zone)
                    cleaned = replace(cleaned, key=next_key(rule, day, known))
                key_changes.refuse_former(connection, cleaned.key)
                connection.execute(DEALS.insert(), deal_to_row(cleaned))
                _write_notes(connection, None, cleaned)
                move = StageMove(cleaned.key, "", cleaned.stage, cleaned.stage_since or now, by)
                connection.execute(STAGE_MOVES.insert(), move_to_row(move))
                if card:
                    tie_card(connection, card, cleaned.key)
        except IntegrityError:
            raise KeyTaken(cleaned.key, self._holder(cleaned.key)) from None
        return cleaned

    def seen(self, key: str) -> tuple[Deal, Version]:
        """Returns a deal with its version, which says later what an edit was made from.

        :raises UnknownName: there is no such deal.
        """
        with self._reading() as connection:
            deal = _get(connection, key)
            return deal, version_of(deal, _last_change(connection, deal.key))

    def edit(
        self, key: str, changes: Mapping[str, Any], *, by: str = "", seen: Version | None = None
    ) -> Deal:
        """Changes some fields of a deal and returns the deal. Nothing changed is not a change.

        ``seen`` is the version that the changes were made from. A field that they leave as it was
        then keeps what another person wrote since.

        :raises UnknownName: there is no such deal.
        :raises EditConflict: another person changed one of the fields since, to something else.
        :raises InvalidValue: values that cannot be stored, or fields that are not edited.
        """
        fixed = sorted(FIXED_FIELDS & changes.keys())
        if fixed:
            raise FixedFields(fixed)
        with self._writing() as connection:
            if seen is not None:
                deal = _get(connection, key, lock=True)
                former = key_changes.former_keys(connection, deal.key)
                changes = still_meant(deal, changes, seen, _past(connection, deal.key), former)
            return self._edit(connection, key, changes, by)

    def edit_with(
        self,
        edits: Mapping[str, Mapping[str, Any]],
        also: Callable[[Connection], _Also],
        *,
        by: str = "",
    ) -> tuple[list[str], _Also]:
        """Changes fields of several deals and does what ``also`` does, all or nothing.

        ``also`` is called in the same transaction, before the edits. Returns the keys of the deals
        that changed, and what it returned.

        :raises UnknownName: a deal is not there.
        :raises InvalidValue: values that cannot be stored.
        """
        with self._writing() as connection:
            with recording(connection, self._now(), by):
                returned = also(connection)
            changed = []
            for key, changes in edits.items():
                before = _get(connection, key, lock=True)
                if self._edit(connection, key, changes, by) != before:
                    changed.append(key)
            return changed, returned

    def _edit(self, connection: Connection, key: str, changes: Mapping[str, Any], by: str) -> Deal:
        before = _get(connection, key, lock=True)
        after = clean_deal(with_values(before, changes))
        return self._save(connection, before, after, by)

    def move(
        self, key: str, destination: Destination, *, force: bool = False, by: str = ""
    ) -> StageMove:
        """Moves a deal to another stage and records the move.

        :raises UnknownName: there is no such deal.
        :raises GateClosed: actions are open and ``force`` is not given.
        :raises EditConflict: it is no longer in the stage from which it is moved.
        :raises InvalidValue: the deal is in this stage already.
        """
        stage = clean_line(destination.stage)
        with self._writing() as connection:
            before = _get(connection, key, lock=True)
            start = destination.start
            if start not in (None, before.stage):
                apart = FieldConflict("stage", start or "", before.stage, stage)
                raise EditConflict(before.key, [apart])
            if not stage or before.stage == stage:
                raise AlreadyInStage(before.key, before.stage)
            skipped = pass_gate(before, destination.requires, force=force)
            now = self._now()
            after = replace(before, stage=stage, stage_since=now)
            after = with_decision(after, destination, day_of(now, self._zone))
            self._save(connection, before, clean_deal(after), by)
            move = StageMove(before.key, before.stage, stage, now, by, skipped)
            connection.execute(STAGE_MOVES.insert(), move_to_row(move))
            return move

    def add_note(self, key: str, note: Note) -> tuple[Deal, Note, bool]:
        """Adds a note to a deal's log, dated now unless it says when it was written.

        Returns the deal, the note, and whether it is new: one of an origin that the log holds
        already is not.

        :raises UnknownName: there is no such deal.
        :raises InvalidValue: there is no text, or more than can be kept.
        """
        now = self._now()
        (added,) = stamped([clean_note(note)], now, "")
        with self._writing() as connection:
            before = _get(connection, key, lock=True)
            for each in before.notes:
                if added.origin and each.origin == added.origin:
                    return before, each, False
            after = replace(before, notes=newest_first((added, *before.notes)), updated_at=now)
            connection.execute(DEALS.update().where(DEALS.c.key == before.key), deal_to_row(after))
            connection.execute(NOTES.insert(), note_to_row(before.key, added))
            return after, added, True

    def rename(self, key: str, new: str, *, by: str = "") -> Deal:
        """Gives a deal another key, with its past, its notes and its people; returns the deal.

        :raises UnknownName: there is no such deal.
        :raises KeyTaken: another deal has the key, or one that differs only in case.
        :raises KeyWasRenamed: another deal had it before.
        :raises InvalidValue: it cannot be a key.
        """
        with self._writing() as connection:
            deal, now, wanted = _get(connection, key, lock=True), self._now(), clean_line(new)
            with recording(connection, now, by, {deal.key: wanted}):
                return key_changes.rename(connection, deal, wanted, now, by)

    def remove(self, key: str, *, by: str = "") -> Deal:
        """Removes a deal, and returns what it was; its key and what it held are kept.

        :raises UnknownName: there is no such deal.
        """
        with self._writing() as connection:
            deal, now = _get(connection, key, lock=True), self._now()
            with recording(connection, now, by):
                key_changes.remove(connection, deal, now, by)
            return deal

    def keys_gone(self) -> tuple[list[tuple[str, str]], frozenset[str]]:
        """Returns former keys with what they became, and the keys of deals that were removed."""
        with self._reading() as connection:
            renamed = list(key_changes.renames(connection))
            return renamed, frozenset(key_changes.removals(connection))

    def done(self, key: str, action: str, *, by: str = "") -> Deal:
        """Checks off a gate action.

        :raises UnknownName: there is no such deal.
        :raises InvalidValue: the action has no name.
        """
        name = clean_line(action)
        if not name:
            raise InvalidValue("an action needs a name")
        with self._writing() as connection:
            before = _get(connection, key, lock=True)
            if folded(name) in map(folded, before.done):
                return before
            return self._save(connection, before, replace(before, done=before.done | {name}), by)

    def undone(self, key: str, action: str, *, by: str = "") -> Deal:
        """Takes back that a gate action was checked off.

        :raises UnknownName: there is no such deal, or the action was not checked off.
        """
        name = folded(clean_line(action))
        with self._writing() as connection:
            before = _get(connection, key, lock=True)
            left = frozenset(each for each in before.done if folded(each) != name)
            if left == before.done:
                raise NotDone(before.key, action, before.done)
            return self._save(connection, before, replace(before, done=left), by)

    def history(self, key: str = "", newest: int | None = None) -> Iterator[StageMove]:
        """Goes through the moves of one deal, or of all, the oldest first.

        ``newest`` leaves out all but so many, and has the newest come first.
        """
        return map(row_to_move, self._stream(events(STAGE_MOVES, key, newest)))

    def moves_of(self, keys: Collection[str] | None = None) -> dict[str, list[StageMove]]:
        """Returns the moves of some deals (None: of all), the oldest first, by their keys."""
        with self._reading() as connection:
            return moves_of(connection, keys)

    def changes(
        self, key: str = "", newest: int | None = None, *, fields: Collection[str] = ()
    ) -> Iterator[FieldChange]:
        """Goes through the recorded changes of one deal, or of all, in the order of `history`.

        ``fields`` leaves out all others. What a move says already is not among them. A note that
        was added is one of ``notes``, from nothing to what it says; a key that a deal had before is
        one of ``key``, and so is the key of a deal that was removed.
        """
        return all_changes(self._stream, clean_line(key), newest, fields)

    @contextmanager
    def batch(self, *, by: str = "", keep: bool = True) -> Iterator[Batch]:
        """One transaction for many deals. With ``keep`` False, all is undone at the end."""
        with self._writing() as connection:
            batch = Batch(connection, self._now(), by)
            yield batch
            batch.flush()
            if not keep:
                connection.rollback()

    @contextmanager
    def view(self, *, by: str = "") -> Iterator[Batch]:
        """One unchanging view of many deals, in which nothing is written."""
        with self._reading() as connection:
            yield Batch(connection, self._now(), by)

    def upsert(self, deals: Iterable[Deal], *, by: str = "") -> tuple[int, int, int]:
        """Stores deals as they are given, new or not, in one transaction.

        Returns how many were added, changed, and found unchanged. One that cannot be stored
        undoes all.

        :raises InvalidValue: a deal that cannot be stored.
        :raises AlreadyThere: a key that differs from an existing one only in case.
        """
        try:
            with self.batch(by=by) as batch:
                batch.put_all(deals)
                counts = batch.counts
                return counts[Outcome.ADDED], counts[Outcome.CHANGED], counts[Outcome.UNCHANGED]
        except IntegrityError:
            raise AlreadyThere("two deals have keys that differ only in case") from None

    def _save(self, connection: Connection, before: Deal, after: Deal, by: str) -> Deal:
        now = self._now()
        after = with_new_notes(before, after, now, by)
        if after == before:
            return before
        after = replace(after, updated_at=now)
        connection.execute(DEALS.update().where(DEALS.c.key == before.key), deal_to_row(after))
        _write_notes(connection, before, after)
        changes = changes_between(before, after, now, by)
        if changes:
            connection.execute(FIELD_CHANGES.insert(), [change_to_row(each) for each in changes])
        return after

    def _stream_deals(self, query: Select[Any]) -> Generator[tuple[Deal, Row[Any]], None, None]:
        with self._reading() as connection:
            streaming = connection.execution_options(yield_per=_FETCH)
            with closing(streaming.execute(query)) as rows:
                yield from with_notes(connection, rows)

    def _stream(self, query: Select[Any]) -> Generator[Any, None, None]:
        with self._reading() as connection:
            streaming = connection.execution_options(yield_per=_FETCH)
            with closing(streaming.execute(query)) as rows:
                yield from rows

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading_store(self._engine)

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing_store(self._engine)

    def _holder(self, key: str) -> str:
        """Returns the key of the deal that is in the way of a new one."""
        with self._reading() as connection:
            query = select(DEALS.c.key).where(DEALS.c.key_folded == folded(key))
            return connection.execute(query).scalar() or key


def _joins(connection: Connection) -> dict[str, str]:
    query = select(DEALS.c.key, DEALS.c.part_of).where(DEALS.c.part_of != "")
    return {row.key: row.part_of for row in connection.execute(query)}


def _find(connection: Connection, key: str, *, lock: bool = False) -> Deal | None:
    query = select(DEALS).where(DEALS.c.key == key)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    return next(rows_to_deals(connection, rows), None)


def _write_notes(connection: Connection, before: Deal | None, after: Deal) -> None:
    if rows := new_notes(before, after):
        connection.execute(NOTES.insert(), rows)


def _get(connection: Connection, key: str, *, lock: bool = False) -> Deal:
    cleaned = clean_line(key)
    deal = _find(connection, cleaned, lock=lock)
    if deal is None:
        raise key_changes.unknown_deal(connection, cleaned)
    return deal


def _last_change(connection: Connection, key: str) -> int:
    query = select(func.max(FIELD_CHANGES.c.id)).where(FIELD_CHANGES.c.deal_key == key)
    return connection.execute(query).scalar() or 0


def _past(connection: Connection, key: str) -> list[tuple[int, FieldChange]]:
    """Returns the recorded changes of a deal with their numbers, the oldest first."""
    query = select(FIELD_CHANGES).where(FIELD_CHANGES.c.deal_key == key)
    rows = connection.execute(query.order_by(FIELD_CHANGES.c.id))
    return [(row.id, row_to_change(row)) for row in rows]
