"""Whom a mapping has for a story: whoever is staffed in a role, whom a field names, or someone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.mapping.text import normalise

ASSIGNEE_PATTERN: Final = (
    r"^\s*(?:role:\s*(?P<role>\S(?:.*\S)?)|\{(?P<field>\w+)\}|(?P<address>[^\s{}@]+@[^\s{}@]+))\s*$"
)
MANAGER: Final = "manager"
"""Stands for the first member who may administer the project."""

SELLERS: Final = ("owner", "next_step_by")
"""The deal's fields that hold people, by name or address."""

MUST_BE: Final = (
    'must be a role ("role:Back", for who is staffed in it), "{manager}" (the first [[member]] who '
    'administers the project), a field that names someone ("{owner}"), or an e-mail address'
)


@dataclass(frozen=True, slots=True)
class AssigneeRule:
    """Who does a story: by ``role`` (normalised), ``field``, or ``address`` (lower case)."""

    role: str = ""
    field: str = ""
    address: str = ""


def parse_assignee(value: str) -> AssigneeRule:
    """Reads whom a mapping has for a story.

    :raises ValueError: it is none of the forms.
    """
    match = re.fullmatch(ASSIGNEE_PATTERN, value)
    if match is None:
        raise ValueError(MUST_BE)
    found = match.groupdict("")
    return AssigneeRule(normalise(found["role"]), found["field"], found["address"].lower())
