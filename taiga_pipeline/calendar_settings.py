"""The section ``[calendar]`` of the configuration: the calendar that others subscribe to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from taiga_pipeline.field_settings import Section
from taiga_pipeline.files import PRIVATE, PUBLIC
from taiga_pipeline.pipeline.fields.field import FieldTable, Kind
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.toml_places import KeyPath

EVENTS: Final = ("expected_close", "start", "next_step_on")
FACTS: Final = ("stage", "probability", "value", "owner", "team", "service")
_MODES: Final = {"owner": PRIVATE, "group": 0o640, "everyone": PUBLIC}
_NOT_SHOWN: Final = (Kind.NOTES, Kind.CONTACTS, Kind.ACTIONS)


class CalendarSettings(Section):
    """What the calendar shows. Its file, ``file``, is looked up beside the configuration.

    ``events`` are fields with days, ``facts`` what stands in an event beside its title; None for
    the usual ones and those of the user's own that projects show.
    """

    file: str = ""
    name: Annotated[str, Field(max_length=200)] = ""
    events: list[str] = Field(default_factory=lambda: list(EVENTS))
    facts: list[str] | None = None
    readable_by: Literal["owner", "group", "everyone"] = "owner"

    @property
    def mode(self) -> int:
        """The permissions of the file."""
        return _MODES[self.readable_by]

    def facts_of(self, table: FieldTable) -> tuple[str, ...]:
        """Returns the fields that stand in an event."""
        if self.facts is not None:
            return tuple(self.facts)
        return (*FACTS, *(each.name for each in table.own if each.fact is not None))

    def problems(self, table: FieldTable) -> Iterator[tuple[KeyPath, str]]:
        """Yields what is wrong with the fields that it names: the place of each, and a message."""
        days = table.of_kinds(Kind.DATE) & set(table.names)
        shown = [each.name for each in table if each.kind not in _NOT_SHOWN]
        for setting, named, known in (
            ("events", self.events, sorted(days)),
            ("facts", self.facts or [], shown),
        ):
            for name in named:
                if name not in known:
                    near = did_you_mean(name, known)
                    fields = ", ".join(known)
                    message = f"calendar.{setting}: {name!r} cannot stand here{near} ({fields})"
                    yield ("calendar", setting), message
