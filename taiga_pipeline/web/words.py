"""What a page says of errors: the message, and the way out on a page.

The messages of `taiga_pipeline.pipeline.errors` are plain, and name no command. An error of the
engine carries its ways out: those that can be typed stand on the page of health instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from taiga_pipeline.app.trouble import Trouble, missing_packages, trouble_of
from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import (
    AlreadyThere,
    EditConflict,
    EmptyRoster,
    GateClosed,
    InvalidFields,
    NotMappedDeal,
    UnknownName,
)
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.report.ways_out import advice

_STATUS: Final[Mapping[Trouble, int]] = {
    Trouble.USAGE: 422,
    Trouble.PARTIAL: 409,
    Trouble.REFUSED: 409,
    Trouble.LOCKED: 409,
    Trouble.UNREACHABLE: 503,
}
UNEXPECTED: Final = marked(
    "Something went wrong that was not foreseen. What was saved before is kept. The server's log "
    "says what it was; try again, and tell the person who looks after this server."
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed: one message a line, with the status of HTTP."""

    messages: tuple[str, ...]
    status: int

    @property
    def text(self) -> str:
        """All in one line."""
        return " ".join(self.messages)


def failure_of(error: Exception, fields: FieldTable = BUILT_IN) -> Failure | None:
    """Returns what a page says of an error that was raised on purpose, None of any other."""
    trouble = trouble_of(error)
    if trouble is None:
        return None
    packages = missing_packages(error)
    if packages:
        return Failure((packages,), 501)
    return Failure(tuple(_messages(error, fields)), _status(error, trouble))


def _status(error: Exception, trouble: Trouble) -> int:
    if isinstance(error, UnknownName):
        return 404
    if isinstance(error, EditConflict | AlreadyThere | GateClosed):
        return 409
    return _STATUS[trouble]


def _messages(error: Exception, fields: FieldTable) -> list[str]:
    if isinstance(error, InvalidFields):
        return [
            f"{_labels(name, fields)}: {translated(message)}"
            for name, messages in error.fields.items()
            for message in messages
        ]
    if isinstance(error, GateClosed):
        way = _("Check these actions off, or move it anyway, which is recorded.")
        return [f"{translated(str(error))}. {way}"]
    if isinstance(error, EmptyRoster):
        return [_("The roster is empty. The person who looks after this server adds people.")]
    if isinstance(error, NotMappedDeal):
        way = _("Give it a team or service that a mapping is for.")
        return [f"{translated(str(error))}. {way}"]
    said = [line for line in str(error).split("\n") if line.strip()]
    return [*said, *(f"{each}." for each in advice(getattr(error, "ways_out", ())))]


def _labels(name: str, fields: FieldTable) -> str:
    parts = [_(fields[each].label) if each in fields else each for each in name.split("+")]
    return _("{one} and {other}", one=parts[0], other=parts[1]) if len(parts) == 2 else parts[0]
