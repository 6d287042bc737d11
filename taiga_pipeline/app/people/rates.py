"""What hours cost, and are billed at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.people.model import Rate, RateChange
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.sources.port import TellsRates

if TYPE_CHECKING:
    from taiga_pipeline.people.csv_files import RowsReport, Writing
    from taiga_pipeline.people.rates.store import RateStore, Stamp
    from taiga_pipeline.pipeline.batch import Outcome


@dataclass(frozen=True, slots=True)
class RateSet:
    """A rate that was set; ``notice`` says what is odd about it, "" for nothing."""

    rate: Rate
    outcome: Outcome
    notice: str = ""


@contextmanager
def _rate_store(workspace: Workspace) -> Iterator[RateStore]:
    store = workspace.open_rate_store()
    try:
        yield store
    finally:
        store.close()


def all_rates(workspace: Workspace) -> tuple[Rate, ...]:
    """Returns the rates in force, of the source and of the configuration.

    Of the same person or role and first day, what the source says counts.

    :raises Unreachable: the source does not answer.
    """
    source = workspace.make_deal_source()
    found = {_identity(rate): rate for rate in configured_rates(workspace)}
    if isinstance(source, TellsRates):
        found |= {_identity(rate): rate for rate in source.rates()}
    return tuple(found.values())


def configured_rates(workspace: Workspace) -> Iterator[Rate]:
    """Yields the rates of the configuration."""
    planning = workspace.settings.planning
    for each in planning.rate:
        cost, bill = (None if n is None else Decimal(str(n)) for n in (each.cost, each.bill))
        person, currency = each.person.strip().lower(), each.currency or planning.currency
        yield Rate(person, each.role.strip(), each.since, cost, bill, currency)


def list_rates(workspace: Workspace) -> tuple[Rate, ...]:
    """Returns the rates in force in the store, then those of the configuration that count."""
    return all_rates(workspace)


def rate_history(workspace: Workspace, whose: str = "") -> tuple[RateChange, ...]:
    """Returns all changes of rates in the store, the oldest first; of one person or role if named.

    :raises ProblemsError: deals are read from elsewhere.
    """
    with _rate_store(workspace) as store:
        return store.history(whose)


def set_rate(
    workspace: Workspace,
    whose: str,
    *,
    cost: str = "",
    bill: str = "",
    currency: str = "",
    since: date | None = None,
    by: str = "",
) -> RateSet:
    """Sets what an hour of a person (an address) or role costs, and is billed at.

    :raises UnknownPerson: no person has the address.
    :raises InvalidValue: what cannot be a rate.
    :raises ProblemsError: deals are read from elsewhere.
    """
    from taiga_pipeline.people.rates.files import read_rate
    from taiga_pipeline.people.rates.store import clean_rate

    person, role = (whose, "") if "@" in whose else ("", whose)
    usual = workspace.settings.planning.currency
    read = read_rate((person, role), cost, bill, currency, usual_currency=usual)
    rate = clean_rate(Rate(person, role, since, read.cost, read.bill, read.currency))
    with _rate_store(workspace) as store:
        outcome = store.set(rate, _stamp(workspace, by))
    return RateSet(rate, outcome, _unknown_role(workspace, rate.role) if rate.role else "")


def _stamp(workspace: Workspace, by: str) -> Stamp:
    from taiga_pipeline.people.rates.store import Stamp

    return Stamp(workspace.clock.now(), by)


def _unknown_role(workspace: Workspace, role: str) -> str:
    with _people(workspace) as roles:
        if not roles or folded(role) in map(folded, roles):
            return ""
        return f"no person has the role {role!r}{did_you_mean(role, roles)}"


@contextmanager
def _people(workspace: Workspace) -> Iterator[set[str]]:
    store = workspace.open_people_store()
    try:
        yield {person.role for person in store.people() if person.role}
    finally:
        store.close()


def remove_rate(
    workspace: Workspace, whose: str, since: date | None = None, *, by: str = ""
) -> Rate:
    """Takes a rate back: that of a first day, or (None) the one without.

    :raises UnknownName: there is none.
    """
    with _rate_store(workspace) as store:
        return store.remove(whose, since, _stamp(workspace, by))


def import_rates(workspace: Workspace, file: Path, writing: Writing, *, by: str) -> RowsReport:
    """Imports rates from a CSV file (person, role, from, cost, bill, currency)."""
    from taiga_pipeline.people.rates.files import import_rates as run_import

    usual = workspace.settings.planning.currency
    with _rate_store(workspace) as store:
        return run_import(store, file, writing, usual, _stamp(workspace, by))


def export_rates(workspace: Workspace, stream: TextIO) -> None:
    """Writes the rates of the store as CSV. ``stream`` is open for text, with ``newline=""``."""
    from taiga_pipeline.people.csv_files import write_file
    from taiga_pipeline.people.rates.files import rates_file

    with _rate_store(workspace) as store:
        write_file(rates_file(), store.rates(), stream)


def _identity(rate: Rate) -> tuple[str, str, date | None]:
    return rate.email, folded(rate.role), rate.since
