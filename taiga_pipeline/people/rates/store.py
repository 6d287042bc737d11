"""What an hour of people and roles costs, and is billed at: kept with all changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select

from taiga_pipeline.days import known_day
from taiga_pipeline.people.cleaning import clean_email
from taiga_pipeline.people.model import Rate, RateChange
from taiga_pipeline.pipeline.batch import Outcome
from taiga_pipeline.pipeline.cleaning import clean_currency, clean_line, clean_value
from taiga_pipeline.pipeline.errors import InvalidValue, RequestError, UnknownName, UnknownPerson
from taiga_pipeline.pipeline.schema import PEOPLE, RATES, open_store, reading_store, writing_store
from taiga_pipeline.pipeline.tables.planning_changes import recording
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.problems import nearest

MOST: Final = Decimal(1_000_000)
"""The largest rate: more is a typing error, or a salary."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something is done, and by whom."""

    at: datetime
    by: str


class RateStore:
    """Rates in the same database as people. Any method raises `Unreachable` when it cannot be used.

    People are named by e-mail, in any case; roles in any case.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> RateStore:
        """Opens the store at a database URL.

        :raises Unreachable: it is missing, locked, damaged, or from a newer program.
        """
        return cls(open_store(url))

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def rates(self) -> tuple[Rate, ...]:
        """Returns the rates in force: roles before people, by name, then by first day."""
        last: dict[tuple[str, str, date | None], RateChange] = {}
        for change in self.history():
            last[_identity(change.rate)] = change
        kept = (change.rate for change in last.values() if not change.is_removal)
        return tuple(sorted(kept, key=_order))

    def history(self, whose: str = "") -> tuple[RateChange, ...]:
        """Returns all changes, the oldest first; of one person or role if asked."""
        with self._reading() as connection:
            found = [_change(row) for row in connection.execute(select(RATES).order_by(RATES.c.id))]
        wanted = folded(whose)
        return tuple(each for each in found if not wanted or folded(each.rate.whose) == wanted)

    def set(self, rate: Rate, stamp: Stamp) -> Outcome:
        """Sets a rate; one of the same person or role and first day is changed.

        :raises UnknownPerson: no person has the address.
        :raises InvalidValue: what cannot be a rate.
        """
        (outcome,) = self.set_each([rate], stamp)
        if isinstance(outcome, RequestError):
            raise outcome
        return outcome

    def set_each(self, rates: Iterable[Rate], stamp: Stamp) -> list[Outcome | RequestError]:
        """Sets in one transaction what can be; says of each what became of it."""
        current = {_identity(rate): rate for rate in self.rates()}
        outcomes: list[Outcome | RequestError] = []
        with self._writing(stamp) as connection:
            for rate in rates:
                try:
                    cleaned = clean_rate(rate)
                    _check_person(connection, cleaned.email)
                except RequestError as error:
                    outcomes.append(error)
                    continue
                before = current.get(_identity(cleaned))
                wanted = _joined(before, cleaned)
                if wanted == before:
                    outcomes.append(Outcome.UNCHANGED)
                    continue
                _add(connection, wanted, stamp)
                current[_identity(wanted)] = wanted
                outcomes.append(Outcome.CHANGED if before else Outcome.ADDED)
        return outcomes

    def remove(self, whose: str, since: date | None, stamp: Stamp) -> Rate:
        """Takes a rate back, and returns it.

        :raises UnknownName: there is none of this person or role from this day on.
        """
        mine = [rate for rate in self.rates() if folded(rate.whose) == folded(whose)]
        found = next((rate for rate in mine if rate.since == since), None)
        if found is None:
            known = {rate.whose for rate in self.rates()}
            if mine:
                days = ", ".join(_from(rate.since) for rate in mine)
                raise UnknownName(f"{whose}: no rate {_from(since)}; there are: {days}")
            near = nearest(whose, known)
            meant = f"; did you mean {near!r}?" if near else ""
            raise UnknownName(f"{whose} has no rate{meant}", whose, near)
        with self._writing(stamp) as connection:
            _add(connection, replace(found, cost=None, bill=None), stamp)
        return found

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading_store(self._engine)

    @contextmanager
    def _writing(self, stamp: Stamp) -> Iterator[Connection]:
        with (
            writing_store(self._engine) as connection,
            recording(connection, stamp.at, stamp.by),
        ):
            yield connection


def clean_rate(rate: Rate) -> Rate:
    """Returns a rate in normal form.

    :raises InvalidValue: neither or both of person and role, no amount, a negative or huge one, or
        no currency.
    """
    email = clean_email(rate.email) if rate.email.strip() else ""
    role = clean_line(rate.role)
    if bool(email) == bool(role):
        raise InvalidValue("a rate is of one person (an e-mail address) or of one role")
    cost, bill = clean_value(rate.cost), clean_value(rate.bill)
    if cost is None and bill is None:
        raise InvalidValue("a rate needs a cost, a bill rate, or both")
    for amount in (cost, bill):
        if amount is not None and amount > MOST:
            raise InvalidValue(f"{amount:f} an hour; up to {MOST:,f} are allowed")
    currency = clean_currency(rate.currency)
    if not currency:
        raise InvalidValue("a rate needs a currency, such as EUR")
    return Rate(email, role, known_day(rate.since), cost, bill, currency)


def _joined(before: Rate | None, wanted: Rate) -> Rate:
    """Returns a rate with the amount that is not said as it was, in the same currency."""
    if before is None or before.currency != wanted.currency:
        return wanted
    return replace(
        wanted,
        role=before.role or wanted.role,
        cost=before.cost if wanted.cost is None else wanted.cost,
        bill=before.bill if wanted.bill is None else wanted.bill,
    )


def _identity(rate: Rate) -> tuple[str, str, date | None]:
    return rate.email, folded(rate.role), rate.since


def _order(rate: Rate) -> tuple[bool, str, date]:
    return bool(rate.email), folded(rate.whose), rate.since or date.min


def _from(since: date | None) -> str:
    return f"from {since}" if since else "without a first day"


def _check_person(connection: Connection, email: str) -> None:
    if not email:
        return
    known = set(connection.execute(select(PEOPLE.c.email)).scalars())
    if email not in known:
        raise UnknownPerson(email, nearest(email, known))


def _add(connection: Connection, rate: Rate, stamp: Stamp) -> None:
    row = {
        "email": rate.email or None,
        "role": rate.role,
        "role_folded": folded(rate.role),
        "since": rate.since,
        "cost": rate.cost,
        "bill": rate.bill,
        "currency": rate.currency,
        "at": stamp.at,
        "by": stamp.by,
    }
    connection.execute(RATES.insert(), row)


def _change(row: Row[Any]) -> RateChange:
    rate = Rate(row.email or "", row.role, row.since, row.cost, row.bill, row.currency)
    return RateChange(rate, row.at, row.by)
