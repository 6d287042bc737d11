"""The sections ``[[field]]`` of ``config.toml``: fields of the user's own."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.fields.declared import (
    MAX_CHOICES,
    NAME_FORM,
    RESERVED,
    Declaration,
    kind_named,
    objections,
    table_with,
)
from taiga_pipeline.pipeline.fields.field import Kind
from taiga_pipeline.pipeline.key_rules import check_rule
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.planning.lessons.retrospective import QUESTIONS


class Section(BaseModel):
    """A section of the configuration: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True
    )


def _one_line(value: str) -> str:
    try:
        return line(value)
    except InvalidValue as error:
        raise ValueError(str(error)) from None


def _check_line(value: str) -> str:
    text = _one_line(value)
    if not text:
        raise ValueError("is empty")
    return text


def _check_field_name(value: str) -> str:
    if not re.fullmatch(NAME_FORM, value):
        raise ValueError(
            f"{value!r}: a name has lower-case letters, digits and _, begins with a letter, and "
            "has up to 40 of them"
        )
    if value in RESERVED or hasattr(BaseModel, value) or value.startswith("model_"):
        raise ValueError(f"{value!r} means something else already; choose another name")
    return value


def _check_kind(value: str) -> str:
    try:
        return kind_named(value)
    except InvalidValue as error:
        raise ValueError(str(error)) from None


_Line = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_line)]


_Question = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_line)]


def _check_questions(value: list[str]) -> list[str]:
    if len({folded(each) for each in value}) < len(value):
        raise ValueError("two questions are the same")
    return value


class DealsSettings(Section):
    """How deals of the built-in store are kept.

    ``retrospective`` are the questions that are asked when a project has ended.
    """

    key: Annotated[str, AfterValidator(check_rule)] = "D-{number}"
    retrospective: Annotated[
        list[_Question], Field(min_length=1, max_length=10), AfterValidator(_check_questions)
    ] = Field(default_factory=lambda: list(QUESTIONS))


class FieldSettings(Section):
    """A field of the user's own that deals have.

    ``label`` names it for people, ``headers`` are the headers of columns that it is known by beside
    its name and its label. ``fact`` says whether projects show it (default: all but money).
    """

    name: Annotated[str, AfterValidator(_check_field_name)]
    kind: Annotated[str, AfterValidator(_check_kind)] = Kind.TEXT.value
    label: Annotated[str, Field(max_length=100), AfterValidator(_one_line)] = ""
    headers: Annotated[list[_Line], Field(max_length=100)] = Field(default_factory=list)
    choices: Annotated[list[_Line], Field(max_length=MAX_CHOICES)] = Field(default_factory=list)
    currency: str = ""
    fact: bool | None = None

    @property
    def declaration(self) -> Declaration:
        """What is reported about the field."""
        return Declaration(**{name: getattr(self, name) for name in FieldSettings.model_fields})

    @model_validator(mode="after")
    def _check_together(self) -> FieldSettings:
        problems = list(objections(self.declaration))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def check_fields(value: list[FieldSettings]) -> list[FieldSettings]:
    """Looks at all fields together.

    :raises ValueError: two of them share a name or a header.
    """
    try:
        table_with(each.declaration for each in value)
    except InvalidValue as error:
        raise ValueError("; ".join(each.message for each in error.problems)) from None
    return value
