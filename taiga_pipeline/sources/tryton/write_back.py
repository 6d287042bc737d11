"""Delivery facts into named fields of the opportunities, and into nothing else.

Settings: ``[source.write_back]`` is a table fact = "field". Only what differs from what was read
in the same run is written, by one PUT for each record, with those fields alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sync.errors import OutcomeUnknown, Rejected
from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.facts import FACTS, Fact, facts_of, same, unfitting, write_back_result
from taiga_pipeline.sources.tryton.catalogue import Catalogue
from taiga_pipeline.sources.tryton.client import Client, Row
from taiga_pipeline.sources.tryton.fields import value_at
from taiga_pipeline.sources.tryton.typed import encode

_DAYS: Final = ("start", "finish")
_FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "char": tuple(FACTS),
    "text": tuple(FACTS),
    "date": _DAYS,
    "float": ("progress",),
    "numeric": ("progress",),
    "integer": ("progress",),
}
"""Tryton's types of fields, and the facts that they can hold. An integer holds per cent."""
_GIVE_UP: Final = 20
"""So many refusals one after the other are a right that is missing, not a record's own trouble."""


@dataclass(frozen=True, slots=True)
class TrytonWriteBack:
    """Writes facts that differ from what was read. ``places``: fact -> field."""

    client: Client
    model: str
    places: Mapping[str, str]

    def examine(self, catalogue: Catalogue) -> str:
        """Looks whether the fields and the right to write are there.

        :raises ProblemsError: all that is wrong.
        """
        problems = self.wrong_with(catalogue)
        if not catalogue.may_write():
            problems.append(
                Problem(
                    f"[source.write_back] the application's user may not write {self.model}; give "
                    "it a group that may (Sale Opportunity), or take [source.write_back] out"
                )
            )
        if problems:
            raise ProblemsError(problems)
        return f"delivery facts go into {', '.join(self.places.values())} of {self.model}"

    def wrong_with(self, catalogue: Catalogue) -> list[Problem]:
        """Says which fields are not there, or cannot hold their facts."""
        return unfitting(self.places, self.model, catalogue.fields(self.model), _FITTING)

    def take(
        self,
        facts: Iterable[DeliveryFacts],
        records: Iterable[tuple[str, Row]],
        catalogue: Catalogue,
    ) -> WriteBackResult:
        """Compares the facts with the records that were read, and writes what differs.

        ``records`` come with their deals' keys; of several with one key the first counts, as it
        does for the deal.

        :raises ProblemsError: fields that are not there, or cannot hold the facts.
        :raises SyncError: Tryton does not answer, or does not let the account in.
        """
        wanted = {each.deal_key: facts_of(each, self.places) for each in facts}
        written, refused, problems = 0, 0, list[str]()
        for key, row in records:
            values = wanted.pop(key, {})
            moved = {n: v for n, v in values.items() if not self._is_there(n, v, row)}
            if not moved:
                continue
            if not written and not refused and (wrong := self.wrong_with(catalogue)):
                raise ProblemsError(wrong)
            try:
                self._put(row, moved, catalogue)
            except (Rejected, OutcomeUnknown) as error:
                problems.append(f"{key}: not written back: {error}")
                refused += 1
            else:
                written, refused = written + 1, 0
            if refused == _GIVE_UP:
                problems.append("and no other was tried, because all of these were refused")
                break
        return write_back_result(written, problems)

    def _is_there(self, fact: str, value: Fact, row: Row) -> bool:
        return same(value, value_at(row, self.places[fact]))

    def _put(self, row: Row, moved: Mapping[str, Fact], catalogue: Catalogue) -> None:
        fields = catalogue.fields(self.model)
        body = {
            self.places[fact]: _fitted(value, fields[self.places[fact]].type)
            for fact, value in moved.items()
        }
        self.client.put(f"{self.model}/{row['id']}?f=id", body)


def _fitted(fact: Fact, kind: str) -> object:
    """Returns a fact as a field of this type holds it, in Tryton's typed JSON."""
    if isinstance(fact, Decimal):
        if kind == "numeric":
            return encode(fact)
        if kind == "integer":
            return int(fact * 100)
        return float(fact) if kind == "float" else str(fact)
    if isinstance(fact, date):
        return encode(fact) if kind == "date" else fact.isoformat()
    return fact
