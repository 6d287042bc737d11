"""Delivery facts into named fields of the leads, or as a message on them, and nowhere else.

Settings: ``[source.write_back]`` is a table fact = "field". ``message`` in it is a list of facts
("url, state") that are told in a note on the lead's chatter, whenever one of them has changed.
Only what differs from what was read in the same run is written, by one request for each record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape
from typing import Final

from sync.errors import OutcomeUnknown, Rejected
from sync.source import WriteBackResult
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import Row, records
from taiga_pipeline.odoo.text import to_html, to_text
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.sources.facts import FACTS, Fact, facts_of, same, unfitting, write_back_result
from taiga_pipeline.sources.odoo.catalogue import Catalogue
from taiga_pipeline.sources.odoo.values import decode

MESSAGE: Final = "message"
"""What stands, in the settings, for the note on a lead in place of a field."""

_SUBJECT: Final = "pipeline-sync: what became of it"
_BETWEEN: Final = " · "
_DAYS: Final = ("start", "finish")
_FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "char": tuple(FACTS),
    "text": tuple(FACTS),
    "html": tuple(FACTS),
    "date": _DAYS,
    "float": ("progress",),
    "integer": ("progress",),
}
"""Odoo's types of fields, and the facts that they can hold. An integer holds per cent."""
_GIVE_UP: Final = 20
"""So many refusals one after the other are a right that is missing, not a record's own trouble."""
_ESCAPES_ITSELF: Final = (17, 0)
"""The version from which on a message is text, unless it is called HTML."""
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class OdooWriteBack:
    """Writes facts that differ from what was read. ``places``: fact -> field; ``message``: the
    facts that are told in a note."""

    client: OdooClient
    model: str
    places: Mapping[str, str]
    message: tuple[str, ...] = ()

    def examine(self, catalogue: Catalogue) -> str:
        """Looks whether the fields and the right to write are there.

        :raises ProblemsError: all that is wrong.
        """
        problems = self.wrong_with(catalogue)
        if self.places and not self._may_write():
            problems.append(
                Problem(
                    f"[source.write_back] the account may not write {self.model}; give it a right "
                    "that may (Sales: User, All Documents), or take [source.write_back] out"
                )
            )
        if problems:
            raise ProblemsError(problems)
        note = [f"a note on each lead ({', '.join(self.message)})"] if self.message else []
        return f"delivery facts go into {', '.join([*self.places.values(), *note])} of {self.model}"

    def _may_write(self) -> bool:
        return bool(
            self.client.read(
                self.model, "check_access_rights", operation="write", raise_exception=False
            )
            if self.client.version < (18, 0)
            else self.client.read(self.model, "has_access", [], operation="write")
        )

    def wrong_with(self, catalogue: Catalogue) -> list[Problem]:
        """Says which fields are not there, or cannot hold their facts."""
        return unfitting(self.places, self.model, catalogue.fields(self.model), _FITTING)

    def take(
        self,
        facts: Iterable[DeliveryFacts],
        rows: Iterable[tuple[str, Row]],
        catalogue: Catalogue,
    ) -> WriteBackResult:
        """Compares the facts with the records that were read, and writes what differs.

        ``rows`` come with their deals' keys; of several with one key the first counts, as it does
        for the deal.
        """
        wanted = {each.deal_key: each for each in facts}
        written, refused, problems = 0, 0, list[str]()
        for key, row, said in self._with_notes(rows, wanted):
            try:
                moved = self._write(row, wanted[key], said, catalogue)
            except (Rejected, OutcomeUnknown) as error:
                problems.append(f"{key}: not written back: {error}")
                refused += 1
            else:
                written, refused = written + moved, 0
            if refused == _GIVE_UP:
                problems.append("and no other was tried, because all of these were refused")
                break
        return write_back_result(written, problems)

    def _with_notes(
        self, rows: Iterable[tuple[str, Row]], wanted: Mapping[str, DeliveryFacts]
    ) -> Iterator[tuple[str, Row, str | None]]:
        """Yields the records that facts are known of, each once, with what its newest note says."""
        met: set[str] = set()
        some: list[tuple[str, Row]] = []
        for key, row in rows:
            if key in wanted and key not in met:
                met.add(key)
                some.append((key, row))
            if len(some) == _AT_ONCE:
                yield from self._noted(some)
                some = []
        yield from self._noted(some)

    def _noted(self, some: Sequence[tuple[str, Row]]) -> Iterator[tuple[str, Row, str | None]]:
        notes: dict[int, str] = {}
        if self.message and some:
            domain: list[object] = [
                ["model", "=", self.model],
                ["res_id", "in", [row["id"] for _, row in some]],
                ["subject", "=", _SUBJECT],
            ]
            for note in records(self.client, "mail.message", ["res_id", "body"], domain, {}):
                notes[int(note["res_id"])] = to_text(note["body"])  # the newest comes last
        for key, row in some:
            yield key, row, notes.get(row["id"])

    def _write(
        self, row: Row, facts: DeliveryFacts, said: str | None, catalogue: Catalogue
    ) -> bool:
        """Writes what differs on one record; tells whether anything did."""
        moved = self._put_fields(row, facts, catalogue)
        text = _note(facts_of(facts, self.message))
        if self.message and text != (said or ""):
            self._post(row["id"], text)
            return True
        return moved

    def _put_fields(self, row: Row, facts: DeliveryFacts, catalogue: Catalogue) -> bool:
        fields = catalogue.fields(self.model)
        body = {
            self.places[fact]: _fitted(value, fields[self.places[fact]].type)
            for fact, value in facts_of(facts, self.places).items()
            if not _is_there(value, _found(row, self.places[fact], catalogue))
        }
        if body:
            self.client.change(self.model, "write", [row["id"]], vals=body)
        return bool(body)

    def _post(self, number: int, text: str) -> None:
        """Leaves a note, which mails nobody."""
        body = text if self.client.version >= _ESCAPES_ITSELF else escape(text)
        named = {"body": body, "subject": _SUBJECT, "message_type": "comment"}
        self.client.make(self.model, "message_post", [number], **named)


def _note(facts: Mapping[str, Fact]) -> str:
    """Returns the facts on one line, "" if none is known."""
    return _BETWEEN.join(
        f"{name}: {_words(value)}" for name, value in facts.items() if value not in (None, "")
    )


def _words(fact: Fact) -> str:
    if isinstance(fact, Decimal):
        return f"{int(fact * 100)} %"
    return " ".join(str(fact).split())


def _found(row: Row, name: str, catalogue: Catalogue) -> object:
    """Returns what a field held when it was read; 0 in a number is nothing, for Odoo knows no
    other nothing there."""
    kind = catalogue.fields()[name].type
    value = decode(row.get(name), kind)
    return None if kind in ("float", "integer") and not value else value


def _is_there(fact: Fact, found: object) -> bool:
    return same(fact, found) or (found is None and isinstance(fact, Decimal) and not fact)


def _fitted(fact: Fact, kind: str) -> object:
    """Returns a fact as a field of this type takes it."""
    if fact is None:
        return 0 if kind in ("float", "integer") else False
    if isinstance(fact, Decimal):
        if kind == "integer":
            return int(fact * 100)
        return float(fact) if kind == "float" else str(fact)
    text = fact.isoformat() if isinstance(fact, date) else fact
    return to_html(text) if kind == "html" else text
