"""Customers as the deal store has them: light views of deals, and names that are joined.

A join renames a customer in its deals, as an edit does: mappings, projects' titles, win rates and
files all read the deals, and so all of them see one customer. The history of each deal says so, and
what a join did is kept, so that it can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from sync.database.engine import by_letters
from taiga_pipeline.pipeline.batch import Batch
from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.rows import read_own_column
from taiga_pipeline.pipeline.schema import (
    CUSTOMER_JOINS,
    CUSTOMERS_APART,
    DEALS,
    open_store,
    reading_store,
    writing_store,
)
from taiga_pipeline.pipeline.tables.notes import rows_to_deals
from taiga_pipeline.problems import did_you_mean, nearest

_HEAVY: Final = frozenset({"notes", "contacts", "roles", "done", "own"})
_LIGHT: Final = tuple(each.name for each in fields(Deal) if each.name not in _HEAVY)


class UnknownCustomer(UnknownName):
    """No deal has a customer of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        message = f"no deal has a customer {name!r}{did_you_mean(name, known)}"
        super().__init__(message, name, nearest(name, known))


class NothingJoined(UnknownName):
    """No join of these two names is left to be undone."""

    def __init__(self, name: str, into: str) -> None:
        super().__init__(f"{name!r} was not joined into {into!r}, or that is undone already", name)


@dataclass(frozen=True, slots=True)
class Joined:
    """A join, or what undid it. ``deals`` are the keys of those that got another name.

    ``kept`` are those that somebody renamed since, and that therefore were not changed back.
    """

    name: str
    into: str
    deals: tuple[str, ...]
    kept: tuple[str, ...] = ()


class CustomerStore:
    """The customers of the deal store. Any method raises `Unreachable` when it cannot be used.

    ``now`` returns aware UTC. Names are exact: letters, accents and case count.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    @classmethod
    def open(cls, url: str, now: Callable[[], datetime]) -> CustomerStore:
        """Opens the store at a database URL.

        :raises Unreachable: it is missing, locked, damaged, or from a newer program.
        """
        return cls(open_store(url), now)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def outlines(self) -> Iterator[Deal]:
        """Yields all deals by key without notes, contacts, roles, actions: many take little time.

        Their fields of the user's own are there.
        """
        columns = [DEALS.c[name] for name in _LIGHT]
        query = select(*columns, DEALS.c.own).order_by(by_letters(DEALS.c.key))
        with self._reading() as connection:
            for *values, own in connection.execute(query):
                light: dict[str, Any] = dict(zip(_LIGHT, values, strict=True))
                yield Deal(**light, own=read_own_column(light["key"], own) if own else {})

    def names(self) -> list[str]:
        """Returns the names of customers, in no order."""
        with self._reading() as connection:
            return _names(connection)

    def joins(self) -> frozenset[tuple[str, str]]:
        """Returns which name was joined into which, as far as that was not undone."""
        joined = select(CUSTOMER_JOINS.c.before, CUSTOMER_JOINS.c.after).distinct()
        with self._reading() as connection:
            rows = connection.execute(joined.where(CUSTOMER_JOINS.c.undone_at.is_(None)))
            return frozenset((row.before, row.after) for row in rows)

    def apart(self) -> frozenset[tuple[str, str]]:
        """Returns the pairs of names of which somebody said that they are two customers."""
        with self._reading() as connection:
            rows = connection.execute(select(CUSTOMERS_APART.c.name, CUSTOMERS_APART.c.other))
            return frozenset((row.name, row.other) for row in rows)

    def join(self, name: str, into: str, *, by: str) -> Joined:
        """Gives all deals of a customer the name of another one, in one transaction.

        :raises UnknownCustomer: no deal has one of the names.
        :raises InvalidValue: both are the same, or one is empty or too long.
        """
        old, new = _pair(name, into)
        with self._writing() as connection:
            _check_known(connection, old, new)
            deals = _deals_of(connection, old)
            now = self._rename(connection, deals, new, by)
            marks = {"before": old, "after": new, "at": now, "by": by}
            rows = [{"deal_key": deal.key, **marks} for deal in deals]
            connection.execute(CUSTOMER_JOINS.insert(), rows)
            _forget_apart(connection, old, new)
        return Joined(old, new, tuple(deal.key for deal in deals))

    def undo(self, name: str, into: str, *, by: str) -> Joined:
        """Takes all joins of a name into another one back.

        A deal that somebody gave another customer since keeps that.

        :raises NothingJoined: none is left to be undone.
        """
        old, new = _pair(name, into)
        mine = (CUSTOMER_JOINS.c.before == old) & (CUSTOMER_JOINS.c.after == new)
        mine &= CUSTOMER_JOINS.c.undone_at.is_(None)
        with self._writing() as connection:
            query = select(CUSTOMER_JOINS.c.deal_key).where(mine).distinct()
            keys = set(connection.execute(query).scalars())
            if not keys:
                raise NothingJoined(old, new)
            deals = [deal for deal in _deals_of(connection, new) if deal.key in keys]
            now = self._rename(connection, deals, old, by)
            connection.execute(CUSTOMER_JOINS.update().where(mine).values(undone_at=now))
        back = tuple(deal.key for deal in deals)
        return Joined(old, new, back, tuple(sorted(keys.difference(back))))

    def keep_apart(self, name: str, other: str, *, by: str) -> bool:
        """Remembers that two names are two customers; returns whether that is new.

        :raises UnknownCustomer: no deal has one of the names.
        :raises InvalidValue: both are the same, or one is empty or too long.
        """
        first, second = sorted(_pair(name, other))
        with self._writing() as connection:
            _check_known(connection, first, second)
            is_new = not _forget_apart(connection, first, second)
            row = {"name": first, "other": second, "at": self._now(), "by": by}
            connection.execute(CUSTOMERS_APART.insert().values(**row))
        return is_new

    def _rename(
        self, connection: Connection, deals: Sequence[Deal], name: str, by: str
    ) -> datetime:
        """Changes the customer of deals as an edit does; returns when that was."""
        batch = Batch(connection, self._now(), by)
        for deal in deals:
            batch.put(deal, replace(deal, customer=name, updated_at=batch.now))
        batch.flush()
        return batch.now

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading_store(self._engine)

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing_store(self._engine)


def _pair(name: str, other: str) -> tuple[str, str]:
    first, second = clean_line(name), clean_line(other)
    if not first or not second:
        raise InvalidValue("a customer needs a name")
    if first == second:
        raise InvalidValue(f"{first!r} is one name already; name two")
    return first, second


def _check_known(connection: Connection, *names: str) -> None:
    known = _names(connection)
    for name in names:
        if name not in known:
            raise UnknownCustomer(name, [each for each in known if each not in names])


def _deals_of(connection: Connection, name: str) -> list[Deal]:
    query = select(DEALS).where(DEALS.c.customer == name).order_by(by_letters(DEALS.c.key))
    return list(rows_to_deals(connection, connection.execute(query.with_for_update()).all()))


def _names(connection: Connection) -> list[str]:
    query = select(DEALS.c.customer).where(DEALS.c.customer != "").distinct()
    return list(connection.execute(query).scalars())


def _forget_apart(connection: Connection, name: str, other: str) -> bool:
    """Forgets that two names are two customers; returns whether anybody had said so."""
    first, second = sorted((name, other))
    pair = (CUSTOMERS_APART.c.name == first) & (CUSTOMERS_APART.c.other == second)
    return connection.execute(CUSTOMERS_APART.delete().where(pair)).rowcount > 0
