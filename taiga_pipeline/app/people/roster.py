"""Who can do the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.people.roster_import import import_roster
from taiga_pipeline.pipeline.errors import NothingToChange

if TYPE_CHECKING:
    from taiga_pipeline.people.model import Person
    from taiga_pipeline.people.roster_import import RosterReport
    from taiga_pipeline.people.roster_layout import RosterOptions


@dataclass(frozen=True, slots=True)
class Renamed:
    """A person with another address, and the keys of the deals that they are on."""

    person: Person
    deals: frozenset[str]


def list_people(workspace: Workspace) -> tuple[Person, ...]:
    """Returns the roster in the order of addresses."""
    with people_store(workspace) as store:
        return tuple(store.people())


def add_person(workspace: Workspace, person: Person, *, by: str = "") -> Person:
    """Adds a person, and returns them as stored.

    :raises AddressTaken: someone has this address.
    :raises InvalidValue: what cannot be stored.
    """
    with people_store(workspace, by=by, create=True) as store:
        return store.add(person)


def edit_person(
    workspace: Workspace, email: str, values: Mapping[str, Any], *, by: str = ""
) -> Person:
    """Changes what is known of a person. ``values`` are fields of `Person` but the address.

    :raises NothingToChange: there are no values.
    :raises UnknownPerson: no person has this address.
    :raises InvalidValue: what cannot be stored.
    """
    if not values:
        raise NothingToChange("person")
    with people_store(workspace, by=by) as store:
        return store.edit(email, values)


def remove_person(workspace: Workspace, email: str, *, by: str = "") -> Person:
    """Takes a person off the roster, with their time off and allocations.

    :raises UnknownPerson: no person has this address.
    """
    with people_store(workspace, by=by) as store:
        return store.remove(email)


def rename_person(workspace: Workspace, old: str, new: str, *, by: str = "") -> Renamed:
    """Gives a person another address; time off, allocations and reservations go along.

    :raises UnknownPerson: no person has the old address.
    :raises AddressTaken: the new one is someone's.
    :raises InvalidValue: it is not an address, or the same.
    """
    with people_store(workspace, by=by) as store:
        person = store.rename(old, new)
        deals = frozenset(each.deal_key for each in store.allocations(email=person.email))
        return Renamed(person, deals)


def import_people(
    workspace: Workspace, file: Path, options: RosterOptions, *, by: str = ""
) -> RosterReport:
    """Imports a roster from a CSV file of any HR program.

    With ``options.dry_run`` nothing is stored: the report is a preview.

    :raises ProblemsError: the file cannot be decoded, or an option is wrong for it.
    :raises Unreachable: the file or the store cannot be used.
    """
    with people_store(workspace, by=by, create=not options.dry_run) as store:
        return import_roster(store, file, options, workspace.clock.now())


def export_people(workspace: Workspace, stream: TextIO) -> int:
    """Writes the roster as CSV, and returns how many people these are.

    ``stream`` is open for text, with ``newline=""``.
    """
    from taiga_pipeline.people.csv_files import PEOPLE_FILE, write_file

    with people_store(workspace) as store:
        people = list(store.people())
    write_file(PEOPLE_FILE, people, stream)
    return len(people)
