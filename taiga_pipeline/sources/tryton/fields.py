"""Which of Tryton's fields are read, and what is in them.

A dotted name follows relations (``party.name``). Tryton leaves out, without a word, what the
application's user may not read; that must not be taken for "not known".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from taiga_pipeline.pipeline.fields.table import CLOSE_DATE
from taiga_pipeline.sources.tryton.client import Row
from taiga_pipeline.sources.tryton.typed import decode

MODEL: Final = "sale.opportunity"
CHANGED: Final = "changed"
"""No field of Tryton's: when a record was written last, or else made."""

USUAL: Final[Mapping[str, str]] = {
    "key": "number",
    "name": "description",
    "customer": "party.name",
    "stage": "state",
    "value": "amount",
    "currency": "currency.code",
    "probability": "conversion_probability",
    CLOSE_DATE: "end_date",
    "engaged_on": "start_date",
    "owner": "employee.party.name",
    "lost_reason": "lost_reason",
    "notes": "comment",
    "updated_at": CHANGED,
}
"""Our field -> Tryton's.

``end_date`` is when a decision is expected, and Tryton makes it the day of the decision when there
is one. ``start_date`` is when work on the opportunity began; when the project is to start, Tryton
has no field for.
"""
CLOSED_STATES: Final = ("won", "lost", "cancelled")
UNNAMED: Final = "Opportunity {key}"
"""What a deal is called whose opportunity has no description."""

_DATES: Final = ("write_date", "create_date")


class NotShown(Exception):
    """Tryton left fields out. ``paths`` names them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = sorted(paths)
        super().__init__(", ".join(self.paths))


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that are read of a record, in the order of a row's cells.

    ``more`` are read beside those that deals are made of.
    """

    paths: tuple[str, ...]
    more: tuple[str, ...] = ()

    @property
    def requested(self) -> list[str]:
        """The names to ask Tryton for, with when each record on the way was changed."""
        named = {path for path in (*self.paths, *self.more) if path != CHANGED}
        dates = {f"{prefix}{name}" for prefix in ("", *self._prefixes) for name in _DATES}
        return sorted(named | dates)

    @property
    def _prefixes(self) -> list[str]:
        """The relations that are followed: ``party.``, ``employee.``, ``employee.party.``"""
        found = set()
        for path in (*self.paths, *self.more):
            steps = path.split(".")[:-1]
            found |= {".".join(steps[: n + 1]) + "." for n in range(len(steps))}
        return sorted(found)

    def changed_since(self, moment: object) -> list[Any]:
        """Returns the domain of records that were changed, or lead to one that was, since then."""
        names = [f"{prefix}{name}" for prefix in ("", *self._prefixes) for name in _DATES]
        return [["OR", *([name, ">=", moment] for name in names)]]

    def cells(self, row: Row) -> tuple[object, ...]:
        """Returns the values of a row's fields."""
        return tuple(value_at(row, path) for path in self.paths)

    def check_shown(self, row: Row) -> None:
        """Looks whether Tryton gave every field.

        :raises NotShown: it left some out.
        """
        wanted = (path for path in (*self.paths, *self.more) if path != CHANGED)
        missing = [path for path in wanted if not _is_shown(row, path.split("."))]
        if missing:
            raise NotShown(missing)

    def newest(self, row: Row) -> datetime | None:
        """Returns when the record, or one that it leads to, was changed last."""
        names = (f"{prefix}{name}" for prefix in ("", *self._prefixes) for name in _DATES)
        found = (value_at(row, name) for name in names)
        return max((each for each in found if isinstance(each, datetime)), default=None)


def value_at(row: Row, path: str) -> object:
    """Returns what is in a field, None if nothing does; of several records, all joined."""
    if path == CHANGED:
        return value_at(row, "write_date") or value_at(row, "create_date")
    found = list(_values(row, path.split(".")))
    if len(found) < 2:
        return found[0] if found else None
    return ", ".join(str(each) for each in found if each is not None)


def _values(value: Any, steps: Sequence[str]) -> Iterator[object]:
    if not steps:
        yield decode(value)
    elif isinstance(value, list):
        for each in value:
            yield from _values(each, steps)
    elif isinstance(value, dict):
        yield from _values(value.get(steps[0]), steps[1:])


def _is_shown(value: Any, steps: Sequence[str]) -> bool:
    if not steps or value is None:
        return True
    if isinstance(value, list):
        return all(_is_shown(each, steps) for each in value)
    return isinstance(value, dict) and steps[0] in value and _is_shown(value[steps[0]], steps[1:])
