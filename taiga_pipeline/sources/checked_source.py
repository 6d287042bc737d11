"""Holds the adapter of a source to the port: what it answers is checked where it comes in.

Adapters are other people's programs. A float for an amount, or half a character in a name, would
be met far from here, by every command that reads deals. So nothing goes on that is not as
`taiga_pipeline.sources.port` says, and every error names the adapter:

=========================================  =====================================================
what an adapter does                       what comes of it
=========================================  =====================================================
raises what the port does not know         `Malformed`: nothing is concluded, nothing is written
answers with another type                  the same
a deal is not as it should be              it is quarantined: that deal's trouble alone
a deal's allocations are not               the same
what is no deal at all, a deal without     quarantined; no deal counts as gone
a key
a deal comes twice                         it counts once; two of one key: the first counts, and
                                           the second is reported
a person is not as it should be            the person is left out, and reported
=========================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from sync.errors import Malformed, SyncError, in_words
from sync.held_adapter import HeldAdapter, answering, asked, handed_on, is_cut, type_name
from sync.source import KeyChanges, Quarantined, WriteBackResult
from taiga_pipeline.installing import explain_missing
from taiga_pipeline.people.cleaning import clean_allocation, clean_person, clean_time_off
from taiga_pipeline.people.model import Allocation, Person, Rate, TimeOff
from taiga_pipeline.pipeline.cleaning import clean_deal, in_utc
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Deal, FieldChange, StageMove
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.port import DealReading, DealSource, Past
from taiga_pipeline.sources.typed import fits_type, wrong_field

_ASKED: Final = ("read_anew", "keep", "note_synced_with", "rotation")
_Record = TypeVar("_Record")
_Clean = Callable[[_Record], _Record]


class _NotAsPromised(Exception):
    """Says what is wrong with one record."""


def checked(source: object, title: str) -> DealSource:
    """Returns ``source``, held to the port. What it offers besides is offered as before.

    ``title`` is what people call the place.

    :raises Malformed: it is no source.
    """
    there = {name for name in dir(source) if not name.startswith("_")}
    if "read" not in there:
        raise Malformed(f"the adapter for {title} is not a source: it lacks read")
    members: dict[str, Any] = {name: handed_on(name) for name in there}
    members |= {name: asked(name) for name in _ASKED if name in there}
    members |= {name: made for name, made in _checks().items() if name in there}
    kind = type(f"Checked{type(source).__name__}", (_Checked,), members)
    return cast(DealSource, kind(source, lambda: title))


def _checks() -> Mapping[str, Any]:
    """Returns the members whose answers are looked at."""
    return {
        "read": lambda self: _Reading(self).answer(),
        "examine": _of("examine", Sequence[str]),
        "takes_facts": property(_takes_facts),
        "take_facts": answering("take_facts", WriteBackResult),
        "past": _past,
        "key_changes": _key_changes,
        "time_off": _records("time_off", TimeOff, clean_time_off),
        "rates": _records("rates", Rate),
        "synced_with": answering("synced_with", str),
    }


class _Checked(HeldAdapter):
    """A source behind what it is held to."""

    own_errors = (SyncError, ProblemsError)

    def failed(self, method: str, error: Exception, lost: type[SyncError] = Malformed) -> SyncError:
        """A package that an extra brings is named as such.

        :raises ImportError: it is missing.
        """
        if isinstance(error, ImportError) and explain_missing(error):
            raise error
        return super().failed(method, error, lost)

    def record(self, record: object, kind: type[_Record], clean: _Clean[_Record]) -> _Record:
        """Returns a record in its normal form.

        :raises _NotAsPromised: it has none.
        """
        if not isinstance(record, kind):
            raise _NotAsPromised(f"{type_name(record)} where a {kind.__name__} belongs")
        if trouble := wrong_field(record):
            raise _NotAsPromised(trouble)
        try:
            return clean(record)
        except InvalidValue as error:
            raise _NotAsPromised("; ".join(each.message for each in error.problems)) from error
        except (ArithmeticError, ValueError) as error:  # a moment that no calendar has in UTC
            raise _NotAsPromised(in_words(error)) from error

    def records(
        self, method: str, items: object, kind: type[_Record], clean: _Clean[_Record]
    ) -> Iterator[_Record]:
        """Yields records in their normal form.

        :raises Malformed: one has none.
        """
        for each in self.each(method, items):
            try:
                yield self.record(each, kind, clean)
            except _NotAsPromised as error:
                raise Malformed(self.fault(method, f"answers with {error}")) from error


class _Reading:
    """One reading, as it is handed on while the adapter's own goes by."""

    def __init__(self, source: _Checked) -> None:
        self._source = source
        found = source.ask("read")
        if not isinstance(found, DealReading):
            raise self._refusal(f"{type_name(found)} where a DealReading belongs")
        self._found = found
        self._answer = DealReading(self._deals())
        self._names: dict[str, int] = {}
        """What the deals are called that were handed on (a hash of it), by their keys."""
        self._count = self._taken_over = 0
        self._is_doubtful = False
        self._said: set[tuple[str, str]] = set()
        self._sizes: dict[str, tuple[object, int]] = {}
        self._waiting: dict[str, str] = {}

    def answer(self) -> DealReading:
        """Returns what is handed on.

        :raises Malformed: what belongs to all deals is not as it should be.
        """
        self._take_over()
        return self._answer

    def _deals(self) -> Iterator[Deal]:
        for each in self._source.each("read", self._found.deals):
            self._count += 1
            deal = self._deal(each)
            self._take_over_quarantined()
            if deal is not None:
                yield deal
        self._take_over()

    def _deal(self, found: object) -> Deal | None:
        key = found.key if isinstance(found, Deal) and _is_text(found.key) else ""
        try:
            deal = self._source.record(found, Deal, clean_deal)
        except _NotAsPromised as error:
            self._quarantine(key.strip(), str(error))
            return None
        if deal.key in self._waiting:
            self._quarantine(deal.key, self._waiting[deal.key])
            return None
        if deal.key in self._names:
            if self._names[deal.key] != hash(deal.name):
                self._quarantine(deal.key, "another deal of the same key; the first counts")
            return None
        self._names[deal.key] = hash(deal.name)
        return deal

    def _quarantine(self, key: str, what: str) -> None:
        if key:
            self._report(key, f"deal {key}", what)
            return
        self._is_doubtful, self._answer.complete = True, False
        if ("", what) not in self._said:  # it may be the same with all of them
            self._said.add(("", what))
            self._report("", f"deal number {self._count}", what)

    def _report(self, key: str, place: str, what: str) -> None:
        """Puts a row into quarantine, unless it is there."""
        if (place, what) not in self._said:
            self._said.add((place, what))
            reason = self._source.fault("read", f"answers with {what}")
            self._answer.quarantined.append(Quarantined(key, place, reason))

    def _refusal(self, what: str) -> Malformed:
        return Malformed(self._source.fault("read", f"answers with {what}"))

    def _take_over(self) -> None:
        """Hands on what the adapter knows besides deals; it may find out more on the way."""
        found, answer = self._found, self._answer
        for name, hint in _BESIDES.items():
            value = getattr(found, name)
            if not fits_type(value, hint):
                raise self._refusal(f"{type_name(value)} in {name!r}")
        self._take_over_quarantined()
        answer.complete = found.complete and not self._is_doubtful
        answer.fading, answer.joins = found.fading, found.joins
        if self._is_new("people"):
            answer.people = self._all_people()
        if self._is_new("allocations"):
            answer.allocations = self._all_allocations()

    def _is_new(self, name: str) -> bool:
        """Whether something was not looked at since the adapter knows more of it."""
        value: Sized = getattr(self._found, name)
        before, self._sizes[name] = self._sizes.get(name), (value, len(value))
        return before is None or before[0] is not value or before[1] != len(value)

    def _take_over_quarantined(self) -> None:
        rows = self._found.quarantined
        for row in rows[self._taken_over :]:
            if not isinstance(row, Quarantined):
                self._quarantine("", f"{type_name(row)} where a Quarantined belongs")
            elif not all(map(_is_text, (row.key, row.place, row.reason))):
                self._quarantine("", "a Quarantined whose key, place and reason are not all text")
            else:
                self._answer.quarantined.append(row)
        self._taken_over = len(rows)

    def _all_people(self) -> Mapping[str, Person]:
        people = {}
        for address, each in self._found.people.items():
            try:
                person = self._source.record(each, Person, clean_person)
                people[person.email] = person
            except _NotAsPromised as error:
                self._report("", f"person {address!r}", str(error))
        return people

    def _all_allocations(self) -> Mapping[str, tuple[Allocation, ...]]:
        """Returns those of each deal. A deal one of whose allocations is not as it should be
        waits: without it, somebody would be taken off its project."""
        allocations = {}
        for key, each in self._found.allocations.items():
            try:
                allocations[key] = tuple(
                    self._source.record(one, Allocation, clean_allocation) for one in each
                )
            except _NotAsPromised as error:
                self._waiting[key] = f"an allocation of no use ({error})"
        return allocations


_BESIDES: Final[Mapping[str, Any]] = {
    "complete": bool,
    "quarantined": list,
    "fading": frozenset[str],
    "joins": Mapping[str, str],
    "people": Mapping,
    "allocations": Mapping[str, Sequence[Any]],
}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not is_cut(value)


def _of(name: str, hint: Any) -> Callable[..., Any]:
    """Returns a method that takes an answer that fits an annotation."""

    def method(self: _Checked, *arguments: object) -> Any:
        answer = self.ask(name, *arguments)
        if not fits_type(answer, hint):
            raise Malformed(self.fault(name, f"answers with {type_name(answer)}"))
        return answer

    return method


def _records(
    name: str, kind: type[_Record], clean: _Clean[_Record] = lambda record: record
) -> Callable[..., Any]:
    """Returns a method that takes a list of records."""

    def method(self: _Checked) -> Sequence[_Record]:
        return tuple(self.records(name, self.ask(name), kind, clean))

    return method


def _takes_facts(self: _Checked) -> bool:
    try:
        return bool(self._adapter.takes_facts)
    except self.own_errors:
        raise
    except Exception as error:
        raise self.failed("takes_facts", error) from error


def _key_changes(self: _Checked) -> KeyChanges:
    answer = self.ask("key_changes")
    if not isinstance(answer, KeyChanges):
        raise Malformed(self.fault("key_changes", f"answers with {type_name(answer)}"))
    if trouble := wrong_field(answer):
        raise Malformed(self.fault("key_changes", f"answers with {trouble}"))
    return answer


@contextmanager
def _past(self: _Checked, *arguments: object, **named: Any) -> Iterator[Past]:
    opened = self.ask("past", *arguments, **named)
    if not isinstance(opened, AbstractContextManager):
        raise Malformed(self.fault("past", f"answers with {type_name(opened)}"))
    with ExitStack() as stack:
        try:
            past = stack.enter_context(opened)
        except self.own_errors:
            raise
        except Exception as error:
            raise self.failed("past", error) from error
        if not isinstance(past, Past):
            raise Malformed(self.fault("past", f"answers with {type_name(past)}"))
        if not fits_type(past.imported, frozenset[str]):
            raise Malformed(self.fault("past", f"answers with {type_name(past.imported)} of keys"))
        moves = self.records("past", past.moves, StageMove, _in_utc)
        changes = self.records("past", past.changes, FieldChange, _in_utc)
        yield Past(moves, changes, past.imported)


def _in_utc(record: _Record) -> _Record:
    return cast(_Record, replace(cast(Any, record), at=in_utc(cast(Any, record).at)))
