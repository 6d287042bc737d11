"""People as rows of the store."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from taiga_pipeline.people.cleaning import with_known_days
from taiga_pipeline.people.model import Person
from taiga_pipeline.pipeline.notation import format_skills, parse_skills


def row_of_person(person: Person) -> dict[str, Any]:
    """Returns the values of a person's columns."""
    return {**asdict(person), "skills": format_skills(person.skills)}


def person_of_row(row: Row[Any]) -> Person:
    """Returns the person whose row it is."""
    columns = dict(row._mapping)
    return with_known_days(Person(**{**columns, "skills": parse_skills(columns["skills"])}))
