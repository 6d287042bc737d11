"""The kinds of values in a mapping file, each with how editors are told of it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

from taiga_pipeline.mapping.dates import OFFSET_PATTERN, parse_offset
from taiga_pipeline.mapping.stories.assignee import ASSIGNEE_PATTERN, parse_assignee
from taiga_pipeline.mapping.stories.hours import HOURS_PATTERN, MOST_HOURS, MUST_BE, parse_hours
from taiga_pipeline.pipeline.values.yes_no import NO, YES


def _number(value: object) -> object:
    """Lets numbers pass, and nothing that merely looks like one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number, without quotes")
    return value


def _story_hours(value: object) -> object:
    """Lets numbers of hours pass, and texts that say where hours come from."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(MUST_BE)
    if isinstance(value, str):
        parse_hours(value)
        return value
    hours = Decimal(value)
    if not hours.is_finite() or not 0 < hours <= MOST_HOURS:
        raise ValueError(f"must be more than 0 and at most {MOST_HOURS} hours")
    return hours


def _assignee(value: str) -> str:
    parse_assignee(value)
    return value


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _offset(value: str) -> str:
    parse_offset(value)
    return value


def _phase_id(value: str) -> str:
    if not re.fullmatch(_PHASE_ID, value):
        raise ValueError("must be small letters a to z, digits and dashes, forty at most")
    return value


def _address(value: str) -> str:
    address = value.strip().lower()
    name, _, domain = address.partition("@")
    if not name or not domain or any(letter.isspace() for letter in address):
        raise ValueError("must be an e-mail address such as petra@example.com")
    return address


def _written_values(value: object) -> object:
    """Returns values as texts: true as "yes", days and numbers as they are written."""
    values = value if isinstance(value, list) else [value]
    return [_written_value(each) for each in values]


def _written_value(value: object) -> object:
    if isinstance(value, bool):
        return YES if value else NO
    return str(value) if isinstance(value, int | Decimal | date) else value


_PHASE_ID: Final = r"[a-z0-9][a-z0-9-]{0,39}"
"""How a phase may be identified: what every tool takes, and no one takes for more."""

_TEXT_SCHEMA = {"type": "string", "minLength": 1}
_SCALAR_SCHEMA = {"anyOf": [_TEXT_SCHEMA, {"type": "number"}, {"type": "boolean"}]}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
WholeNumber = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
Texts = Annotated[
    list[Text],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA}]}),
]
Accepted = Annotated[
    list[Text],
    BeforeValidator(_written_values),
    WithJsonSchema({"anyOf": [_SCALAR_SCHEMA, {"type": "array", "items": _SCALAR_SCHEMA}]}),
]
"""Values of a field of the user's own: texts, or numbers, days, true and false as TOML has them."""

Probability = Annotated[
    Decimal,
    Field(ge=0, le=1),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Hours = Annotated[
    Decimal,
    Field(gt=0, le=10_000),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 10_000}),
]
StoryHours = Annotated[
    Decimal | str,
    BeforeValidator(_story_hours),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_HOURS},
                {"type": "string", "pattern": re.sub(r"\?P<\w+>", "", HOURS_PATTERN)},
            ]
        }
    ),
]
"""A number of hours, or a text that says where they come from."""
Assignee = Annotated[
    str,
    AfterValidator(_assignee),
    WithJsonSchema(
        {"type": "string", "pattern": re.sub(r"\?P<\w+>", "", ASSIGNEE_PATTERN)},
    ),
]
"""A text that says who does a story."""
Worth = Annotated[
    Decimal,
    Field(ge=Decimal("0.01"), le=10**15),
    BeforeValidator(_number),
    WithJsonSchema({"type": "number", "minimum": 0.01, "maximum": 10**15}),
]
Address = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "pattern": r"^\S+@\S+$"}),
]
PhaseId = Annotated[
    str,
    AfterValidator(_phase_id),
    WithJsonSchema({"type": "string", "pattern": f"^{_PHASE_ID}$"}),
]
Weeks = Annotated[WholeNumber, Field(ge=1, le=520)]
Offset = Annotated[
    str,
    AfterValidator(_offset),
    WithJsonSchema({"type": "string", "pattern": OFFSET_PATTERN}),
]
