"""What became of a deal, as values for the columns or fields of another person's system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol

from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import Problem, did_you_mean

Fact = str | date | Decimal | None
"""None: not known, or gone; the place is emptied then."""

_PER_CENT: Final = Decimal("0.01")
_SHOWN_PROBLEMS: Final = 20


def _first_day(facts: DeliveryFacts) -> date | None:
    return min((start for _, start, _ in facts.milestones if start), default=None)


def _last_day(facts: DeliveryFacts) -> date | None:
    return max((finish for _, _, finish in facts.milestones if finish), default=None)


def _progress(facts: DeliveryFacts) -> Decimal | None:
    # Whole per cent: what a column rounds off would differ, and be written, forever.
    return None if facts.progress is None else facts.progress.quantize(_PER_CENT)


FACTS: Final[Mapping[str, Callable[[DeliveryFacts], Fact]]] = {
    "url": lambda facts: facts.url or None,
    "title": lambda facts: facts.title or None,
    "state": lambda facts: facts.state or None,
    "start": _first_day,
    "finish": _last_day,
    "progress": _progress,
    "team": lambda facts: ", ".join(facts.team) or None,
}
"""The facts that can be written back, by name.

``start`` and ``finish`` are the first and the last day of the project's milestones.
"""


def facts_of(facts: DeliveryFacts, names: Iterable[str]) -> dict[str, Fact]:
    """Returns the named facts."""
    return {name: FACTS[name](facts) for name in names}


def unknown_facts(names: Iterable[str]) -> list[str]:
    """Says which of the names are not facts."""
    return [
        f"{name!r} is not a fact that can be written back{did_you_mean(name, FACTS)} (there are "
        f"{', '.join(FACTS)})"
        for name in names
        if name not in FACTS
    ]


class HasType(Protocol):
    """A field of a model of another system."""

    @property
    def type(self) -> str:
        """Its type, as the system names it."""


def unfitting(
    places: Mapping[str, str],
    model: str,
    fields: Mapping[str, HasType],
    fitting: Mapping[str, Sequence[str]],
) -> list[Problem]:
    """Says which fields that facts are to go into are not there, or cannot hold their facts.

    ``places``: fact -> field; ``fitting``: type of a field -> the facts that it can hold.
    """
    problems = []
    for fact, name in places.items():
        where = f'[source.write_back] {fact} = "{name}"'
        if name not in fields:
            hint = did_you_mean(name, fields)
            problems.append(Problem(f"{where}: {model} has no field {name!r}{hint}"))
        elif fact not in fitting.get(kind := fields[name].type, ()):
            problems.append(Problem(f"{where}: {fact} does not fit into a field of type {kind}"))
    return problems


def same(fact: Fact, found: object) -> bool:
    """Whether what is found in a place says a fact already, whatever its type.

    An ``int`` holds per cent.
    """
    if fact is None or found is None or found == "":
        return fact is None and found in (None, "")
    if isinstance(fact, Decimal):
        return _share(found) == fact
    if isinstance(fact, date):
        day = found.date() if isinstance(found, datetime) else found
        return str(day)[:10] == fact.isoformat()
    return str(found).rstrip() == fact.rstrip()  # some columns pad text


def _share(found: object) -> Decimal | None:
    try:
        number = Decimal(str(found))
        return (number / 100 if isinstance(found, int) else number).quantize(_PER_CENT)
    except InvalidOperation:
        return None


def write_back_result(written: int, problems: Sequence[str]) -> WriteBackResult:
    """Returns what became of the facts; many problems are counted, not listed one by one."""
    more = len(problems) - _SHOWN_PROBLEMS
    shown = list(problems[:_SHOWN_PROBLEMS])
    if more > 0:
        shown.append(f"and {more} more deals whose facts could not be written back")
    return WriteBackResult(written, tuple(shown))
