"""Giving a person another address: everything that is theirs goes along."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete

from taiga_pipeline.people.model import Person
from taiga_pipeline.people.people_rows import row_of_person
from taiga_pipeline.pipeline.schema import (
    ALLOCATIONS,
    PEOPLE,
    PEOPLE_IMPORTED,
    RATES,
    TIME_OFF,
    TIME_OFF_IMPORTED,
)

_THEIRS: Final = (TIME_OFF, TIME_OFF_IMPORTED, ALLOCATIONS, PEOPLE_IMPORTED, RATES)


def move_to_address(connection: Connection, before: Person, after: Person) -> None:
    """Stores ``after`` in place of ``before``, whose address differs and is free."""
    connection.execute(PEOPLE.insert(), row_of_person(after))
    for table in _THEIRS:
        move = table.update().where(table.c.email == before.email)
        connection.execute(move.values(email=after.email))
    connection.execute(delete(PEOPLE).where(PEOPLE.c.email == before.email))
