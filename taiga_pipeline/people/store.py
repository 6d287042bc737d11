"""The roster: people, their time off, and what they are allocated to."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, delete, func, select
from sqlalchemy.exc import IntegrityError

from sync.database.engine import by_letters
from taiga_pipeline.people.calendar_import import Events, EventsReport, store_events
from taiga_pipeline.people.cleaning import (
    clean_allocation,
    clean_email,
    clean_person,
    clean_time_off,
    with_known_span,
)
from taiga_pipeline.people.model import Allocation, Person, TimeOff
from taiga_pipeline.people.people_rows import person_of_row, row_of_person
from taiga_pipeline.people.renaming import move_to_address
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.errors import (
    AddressTaken,
    InvalidValue,
    RequestError,
    UnknownName,
    UnknownPerson,
)
from taiga_pipeline.pipeline.model import PlanningChange, PlanningKind
from taiga_pipeline.pipeline.schema import (
    ALLOCATIONS,
    DEALS,
    PEOPLE,
    TIME_OFF,
    open_store,
    reading_store,
    writing_store,
)
from taiga_pipeline.pipeline.tables.key_changes import unknown_deal
from taiga_pipeline.pipeline.tables.planning_changes import (
    Moved,
    planning_events,
    record,
    recording,
    row_to_change,
)
from taiga_pipeline.pipeline.text import folded


class PeopleStore:
    """People in the same database as the deals.

    Every method opens and ends its own transaction. Any of them raises `Unreachable` when the
    database is locked or damaged. People are named by e-mail, in any case.

    ``now`` returns aware UTC. Every change is kept in the history with its time, as done ``by``
    someone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime], by: str = "") -> None:
        self._engine = engine
        self._now = now
        self._by = by

    @classmethod
    def open(
        cls, url: str, now: Callable[[], datetime], *, by: str = "", create: bool = False
    ) -> PeopleStore:
        """Opens the store at a database URL, and makes it there if asked.

        :raises Unreachable: it is missing, locked, damaged, or from a newer program.
        """
        return cls(open_store(url, create=create), now, by)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def count(self) -> int:
        """Returns how many people there are."""
        with self._reading() as connection:
            return connection.execute(select(func.count()).select_from(PEOPLE)).scalar_one()

    def people(self) -> Iterator[Person]:
        """Goes through all people in the order of their addresses."""
        with self._reading() as connection:
            for row in connection.execute(select(PEOPLE).order_by(by_letters(PEOPLE.c.email))):
                yield person_of_row(row)

    def get(self, email: str) -> Person:
        """Returns a person.

        :raises UnknownName: there is none with this address; names the nearest.
        """
        with self._reading() as connection:
            return _get(connection, email)

    def add(self, person: Person) -> Person:
        """Adds a person and returns them as stored.

        :raises AlreadyThere: the address is taken.
        :raises InvalidValue: what cannot be stored.
        """
        cleaned = clean_person(person)
        try:
            with self.writing() as connection:
                connection.execute(PEOPLE.insert(), row_of_person(cleaned))
        except IntegrityError:
            raise AddressTaken(cleaned.email, cleaned.name) from None
        return cleaned

    def edit(self, email: str, changes: Mapping[str, Any]) -> Person:
        """Changes some of a person's fields and returns the person.

        :raises UnknownName: there is no such person.
        :raises InvalidValue: what cannot be stored; the address is the identity and stays.
        """
        if "email" in changes:
            raise InvalidValue("an address cannot be edited: it identifies the person")
        with self.writing() as connection:
            before = _get(connection, email)
            after = clean_person(replace(before, **changes))
            connection.execute(
                PEOPLE.update().where(PEOPLE.c.email == before.email), row_of_person(after)
            )
            return after

    def rename(self, old: str, new: str) -> Person:
        """Gives a person another address; time off, allocations and reservations go along.

        A name that is only the address follows it.

        :raises UnknownName: there is no such person.
        :raises AlreadyThere: the new address is someone's.
        :raises InvalidValue: it is not an address, or the same.
        """
        address = clean_email(new)
        with writing_store(self._engine) as connection:
            before = _get(connection, old)
            if address == before.email:
                raise InvalidValue(f"{address} is the address already")
            taken = connection.execute(select(PEOPLE).where(PEOPLE.c.email == address)).first()
            if taken is not None:
                raise AddressTaken(address, taken.name, wanted_by=before.email)
            name = address if before.name == before.email else before.name
            after = replace(before, email=address, name=name)
            with self._recording(connection, {before.email: address}):
                move_to_address(connection, before, after)
            return after

    def remove(self, email: str) -> Person:
        """Takes a person off the roster, with their time off and allocations.

        :raises UnknownName: there is no such person.
        """
        with self.writing() as connection:
            person = _get(connection, email)
            connection.execute(delete(PEOPLE).where(PEOPLE.c.email == person.email))
            return person

    def upsert(self, people: Iterable[Person]) -> tuple[int, int, int]:
        """Stores people, new or not, in one transaction.

        Returns how many were added, changed, and found unchanged.

        :raises InvalidValue: one that cannot be stored; nothing is stored then.
        """
        with self.writing() as connection:
            known = {row.email: person_of_row(row) for row in connection.execute(select(PEOPLE))}
            wanted = {person.email: person for person in map(clean_person, people)}
            new = [row_of_person(each) for email, each in wanted.items() if email not in known]
            changed = [
                each for email, each in wanted.items() if email in known and known[email] != each
            ]
            if new:
                connection.execute(PEOPLE.insert(), new)
            for person in changed:
                connection.execute(
                    PEOPLE.update().where(PEOPLE.c.email == person.email), row_of_person(person)
                )
            return len(new), len(changed), len(wanted) - len(new) - len(changed)

    def time_off(self, email: str = "") -> list[TimeOff]:
        """Returns the time off of one person, or of all, by address and first day.

        :raises UnknownName: there is no such person.
        """
        query = select(TIME_OFF).order_by(by_letters(TIME_OFF.c.email), TIME_OFF.c.first)
        with self._reading() as connection:
            if email:
                query = query.where(TIME_OFF.c.email == _get(connection, email).email)
            return [TimeOff(**row._mapping) for row in connection.execute(query)]

    def add_time_off(self, time_off: TimeOff) -> TimeOff:
        """Records days on which a person does not work. The same days again change the reason.

        :raises UnknownName: there is no such person.
        :raises InvalidValue: the last day is before the first.
        """
        (outcome,) = self.add_each_time_off([time_off])
        if isinstance(outcome, RequestError):
            raise outcome
        return clean_time_off(time_off)

    def add_each_time_off(self, time_off: Iterable[TimeOff]) -> list[Outcome | RequestError]:
        """Records time off in one transaction where it can be; says of each what became of it."""
        with self.writing() as connection:
            return [_try_to_record(connection, each) for each in time_off]

    def store_events(
        self, origin: str, events: Events, *, remove_many: bool = False
    ) -> EventsReport:
        """Stores the time off of a calendar in one transaction; what is gone there goes here.

        ``origin`` names the calendar across imports. See `calendar_import.store_events`.
        """
        with self.writing() as connection:
            return store_events(connection, origin, events, remove_many=remove_many)

    def remove_time_off(self, email: str, first: date, last: date) -> TimeOff:
        """Takes time off back.

        :raises UnknownName: there is no such person, or nothing recorded for exactly these days.
        """
        recorded = self.time_off(email)
        for each in recorded:
            if (each.first, each.last) == (first, last):
                with self.writing() as connection:
                    connection.execute(
                        delete(TIME_OFF).where(
                            TIME_OFF.c.email == each.email,
                            TIME_OFF.c.first == first,
                            TIME_OFF.c.last == last,
                        )
                    )
                return each
        known = ", ".join(f"{each.first} to {each.last}" for each in recorded) or "nothing"
        raise UnknownName(f"{email}: no time off from {first} to {last}; recorded: {known}")

    def allocations(self, *, deal_key: str = "", email: str = "") -> list[Allocation]:
        """Returns allocations, by deal, role and address; of one deal or person if asked."""
        query = select(ALLOCATIONS).order_by(
            by_letters(ALLOCATIONS.c.deal_key),
            by_letters(ALLOCATIONS.c.role_folded),
            by_letters(ALLOCATIONS.c.email),
            by_letters(ALLOCATIONS.c.start_key),
        )
        if deal_key:
            query = query.where(ALLOCATIONS.c.deal_key == clean_line(deal_key))
        if email:
            query = query.where(ALLOCATIONS.c.email == clean_line(email).lower())
        with self._reading() as connection:
            return [_allocation(row) for row in connection.execute(query)]

    def allocate(self, allocation: Allocation) -> Allocation:
        """Allocates a person to a deal. The same person, deal, role and start is a change.

        :raises UnknownName: there is no such deal or person; names the nearest.
        :raises InvalidValue: what cannot be.
        """
        (outcome,) = self.allocate_each([allocation])
        if isinstance(outcome, RequestError):
            raise outcome
        return clean_allocation(allocation)

    def allocate_each(self, allocations: Iterable[Allocation]) -> list[Outcome | RequestError]:
        """Allocates in one transaction what can be; says of each what became of it."""
        with self.writing() as connection:
            return [_try_to_allocate(connection, allocation) for allocation in allocations]

    def exchange(self, gone: Iterable[Allocation], new: Iterable[Allocation]) -> list[Outcome]:
        """Takes allocations away and makes others, all or nothing; says what became of the new.

        An allocation is known by deal, person, role and first day; one that is gone already is no
        error.

        :raises UnknownName: a deal or person of the new ones is not there.
        :raises InvalidValue: what cannot be.
        """
        with self.writing() as connection:
            return exchange(connection, gone, new)

    def release(self, deal_key: str, email: str, role: str = "") -> list[Allocation]:
        """Takes a person off a deal (in one role, or in all), and returns what was taken away.

        :raises UnknownName: there is nothing to take away.
        """
        key, address, wanted = clean_line(deal_key), clean_line(email).lower(), folded(role)
        found = [
            each
            for each in self.allocations(deal_key=key, email=address)
            if not wanted or folded(each.role) == wanted
        ]
        if not found:
            staffed = ", ".join(
                f"{each.email} ({each.role})" for each in self.allocations(deal_key=key)
            )
            raise UnknownName(
                f"{address} is not on deal {key}{f' as {role}' if role else ''}; on it: "
                f"{staffed or 'no person'}"
            )
        query = delete(ALLOCATIONS).where(
            ALLOCATIONS.c.deal_key == key, ALLOCATIONS.c.email == address
        )
        if wanted:
            query = query.where(ALLOCATIONS.c.role_folded == wanted)
        with self.writing() as connection:
            connection.execute(query)
        return found

    def history(
        self,
        newest: int | None = None,
        *,
        deal_key: str = "",
        kinds: Collection[PlanningKind] = (),
    ) -> list[PlanningChange]:
        """Returns what was changed of people, time off, allocations, rates and scenarios.

        The oldest comes first; ``newest`` leaves out all but so many, and has the newest come
        first. ``deal_key`` leaves out what is not about this deal, ``kinds`` all other kinds.
        """
        with self._reading() as connection:
            rows = connection.execute(planning_events(newest, deal_key, kinds))
            return list(map(row_to_change, rows))

    def note(self, changes: Iterable[PlanningChange]) -> None:
        """Keeps changes of what is not in the store, such as scenarios."""
        with writing_store(self._engine) as connection:
            record(connection, list(changes))

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading_store(self._engine)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction whose changes are kept in the history."""
        with writing_store(self._engine) as connection, self._recording(connection):
            yield connection

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A transaction of which nothing stays."""
        with writing_store(self._engine) as connection:
            yield connection
            connection.rollback()

    def _recording(
        self, connection: Connection, moved: Moved | None = None
    ) -> AbstractContextManager[None]:
        return recording(connection, self._now(), self._by, moved or {})


def exchange(
    connection: Connection, gone: Iterable[Allocation], new: Iterable[Allocation]
) -> list[Outcome]:
    """Does what `PeopleStore.exchange` does, in a transaction that others opened and record."""
    outcomes: list[Outcome] = []
    for each in gone:
        row = _allocation_row(clean_allocation(each))
        same = [ALLOCATIONS.c[name] == row[name] for name in _IDENTITY]
        connection.execute(delete(ALLOCATIONS).where(*same))
    for each in new:
        outcome = _try_to_allocate(connection, each)
        if isinstance(outcome, RequestError):
            raise outcome
        outcomes.append(outcome)
    return outcomes


_IDENTITY = ("deal_key", "email", "role_folded", "start_key")


def _get(connection: Connection, email: str) -> Person:
    address = clean_line(email).lower()
    row = connection.execute(select(PEOPLE).where(PEOPLE.c.email == address)).first()
    if row is None:
        raise UnknownPerson(address, _nearest(connection, address))
    return person_of_row(row)


def _nearest(connection: Connection, address: str) -> str:
    known = {row.email: row.email for row in connection.execute(select(PEOPLE.c.email))}
    names = connection.execute(select(PEOPLE.c.name, PEOPLE.c.email))
    known.update({folded(row.name): row.email for row in names})
    near = difflib.get_close_matches(folded(address), known, n=1)
    return known[near[0]] if near else ""


def _check_names(connection: Connection, allocation: Allocation) -> None:
    key = allocation.deal_key
    if connection.execute(select(DEALS.c.key).where(DEALS.c.key == key)).first() is None:
        raise unknown_deal(connection, key)
    _get(connection, allocation.email)


def _try_to_record(connection: Connection, time_off: TimeOff) -> Outcome | RequestError:
    try:
        cleaned = clean_time_off(time_off)
        _get(connection, cleaned.email)
    except RequestError as error:
        return error
    return _replace_row(connection, TIME_OFF, asdict(cleaned), ("email", "first", "last"))


def _try_to_allocate(connection: Connection, allocation: Allocation) -> Outcome | RequestError:
    try:
        cleaned = clean_allocation(allocation)
        _check_names(connection, cleaned)
    except RequestError as error:
        return error
    return _replace_row(connection, ALLOCATIONS, _allocation_row(cleaned), _IDENTITY)


def _replace_row(
    connection: Connection, table: Table, row: dict[str, Any], identity: tuple[str, ...]
) -> Outcome:
    same = [table.c[name] == row[name] for name in identity]
    found = connection.execute(select(table).where(*same)).first()
    if found is None:
        connection.execute(table.insert(), row)
        return Outcome.ADDED
    if all(found._mapping[name] == value for name, value in row.items()):
        return Outcome.UNCHANGED
    connection.execute(table.update().where(*same), row)
    return Outcome.CHANGED


def _allocation_row(allocation: Allocation) -> dict[str, Any]:
    return {
        **asdict(allocation),
        "role_folded": folded(allocation.role),
        "start_key": allocation.start.isoformat() if allocation.start else "",
    }


def _allocation(row: Row[Any]) -> Allocation:
    columns = dict(row._mapping)
    for name in ("id", "role_folded", "start_key"):
        del columns[name]
    return with_known_span(Allocation(**columns))
