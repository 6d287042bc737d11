"""What became of deals, as the state store remembers it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from math import inf
from typing import Final

from sync.records.model import RecordKey
from taiga_pipeline.days import known_day
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.records import Kind, ProjectState, deal_of, phase_of

_LOG: Final = logging.getLogger(__name__)
_WRONG: Final = (ValueError, TypeError, ArithmeticError)


def understood(facts: Mapping[str, object]) -> Mapping[str, object]:
    """Returns what a target reported, without what has no meaning: that is unknown.

    Whoever asks a project-management tool may be told anything: a share beyond 1, a day that no
    calendar has. It is kept in the state store, and must end no later command.
    """
    with suppress(*_WRONG):
        return {name: _meant(name, value) for name, value in facts.items()}
    known = {}
    for name, value in facts.items():
        with suppress(*_WRONG):
            known[name] = _meant(name, value)
    _LOG.debug("facts without a meaning: %s", ", ".join(sorted(facts.keys() - known.keys())))
    return known


def _meant(name: str, value: object) -> object:
    return value if value is None else _MEANING.get(name, _any)(value)


def delivery_facts(
    key: str, facts: Mapping[str, object], seen_at: datetime | None, state: str
) -> DeliveryFacts:
    """Returns a deal's delivery facts from what a target reported about its project."""
    facts = understood(facts)
    progress = facts.get("progress")
    activity = facts.get("last_activity")
    return DeliveryFacts(
        deal_key=key,
        url=str(facts.get("url") or ""),
        title=str(facts.get("title") or ""),
        state=state,
        team=tuple(str(name) for name in _list(facts.get("team"))),
        progress=None if progress is None else Decimal(str(progress)),
        milestones=tuple(
            (str(entry.get("name") or ""), _day(entry.get("start")), _day(entry.get("finish")))
            for entry in _milestones(facts)
        ),
        last_activity=_moment(activity) if activity else None,
        seen_at=seen_at,
    )


def summed_up(
    delivered: Iterable[DeliveryFacts], whole_of: Callable[[str], str]
) -> Iterator[DeliveryFacts]:
    """Yields what became of deals, the projects of a deal's phases taken together.

    ``whole_of`` tells the deal of a phase's project, "" for a deal's own.
    """
    by_deal: dict[str, list[DeliveryFacts]] = {}
    for each in delivered:
        by_deal.setdefault(whole_of(each.deal_key) or each.deal_key, []).append(each)
    for deal, parts in by_deal.items():
        is_one = len(parts) == 1 and parts[0].deal_key == deal
        yield parts[0] if is_one else together(deal, parts)


def together(deal: str, parts: Sequence[DeliveryFacts]) -> DeliveryFacts:
    """Returns what became of a deal that has several projects.

    Its progress is the mean of theirs, a project without any counting as not begun; its state is
    the furthest. Milestones are named after the phase they are of.
    """
    parts = sorted(parts, key=lambda each: (each.deal_key != deal, _begins(each), each.deal_key))
    there = [each for each in parts if each.url or each.state] or parts
    first = there[0]
    known = [each.progress for each in there if each.progress is not None]
    active = [each.last_activity for each in there if each.last_activity is not None]
    seen = [each.seen_at for each in there if each.seen_at is not None]
    return DeliveryFacts(
        deal_key=deal,
        url=first.url,
        title=first.title,
        state=next((state for state in _FURTHEST if state in {p.state for p in there}), ""),
        team=tuple(dict.fromkeys(name for each in there for name in each.team)),
        progress=sum(known, Decimal(0)) / len(there) if known else None,
        milestones=tuple(_named(each, entry) for each in there for entry in each.milestones),
        last_activity=max(active, default=None),
        seen_at=max(seen, default=None),
        projects=tuple(parts),
    )


def facts_by_deal(
    facts: Mapping[str, Mapping[str, object]],
) -> dict[str, Mapping[str, object]]:
    """Returns what targets reported, by deal: of one with phases, of all its projects together.

    ``facts`` are by the projects' keys. Hours add up, progress is the mean, as in `together`.
    """
    by_deal: dict[str, dict[str, Mapping[str, object]]] = {}
    for key in sorted(facts):  # a deal's own project comes before those of its phases
        by_deal.setdefault(deal_of(key), {})[key] = facts[key]
    return {
        deal: parts[deal] if parts.keys() == {deal} else _added_up(parts)
        for deal, parts in by_deal.items()
    }


def _added_up(parts: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    there = [each for each in parts.values() if each]
    found = dict(there[0]) if there else {}
    for name, add in _ADDED.items():
        known = [each[name] for each in there if each.get(name) is not None]
        if known:
            found[name] = add(known, len(there))
    milestones = [(phase_of(key), each) for key, of in parts.items() for each in _milestones(of)]
    if milestones:
        found["milestones"] = [
            {**each, "name": f"{phase}: {each.get('name') or ''}"} if phase else each
            for phase, each in milestones
        ]
    return found


def _milestones(facts: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    return (each for each in _list(facts.get("milestones")) if isinstance(each, Mapping))


def _all_of(lists: Sequence[object], count: int) -> list[object]:
    return list(dict.fromkeys(each for listed in lists for each in _list(listed)))


def _sum(numbers: Sequence[object], count: int) -> float:
    return sum(float(str(number)) for number in numbers)


_ADDED: Final[Mapping[str, Callable[[Sequence[object], int], object]]] = {
    "team": _all_of,
    "members": _all_of,
    "spent_hours": _sum,
    "progress": lambda numbers, count: _sum(numbers, count) / count,
    "last_activity": lambda times, count: max(map(str, times)),
}
"""How facts of several projects are added up; others are those of the first one."""


_FURTHEST: Final = (
    ProjectState.STAFFED.value,
    ProjectState.TENTATIVE.value,
    ProjectState.RETIRED.value,
)


def _begins(facts: DeliveryFacts) -> date:
    return min((start for _, start, _ in facts.milestones if start), default=date.max)


def _named(
    facts: DeliveryFacts, entry: tuple[str, date | None, date | None]
) -> tuple[str, date | None, date | None]:
    name, start, finish = entry
    phase = phase_of(facts.deal_key)
    return (f"{phase}: {name}" if phase else name), start, finish


def left_of(taken: Iterable[RecordKey]) -> frozenset[tuple[str, str]]:
    """Returns who left which deal's project, as deal key and address in lower case.

    ``taken`` is what people took away, see `sync.state.store.StateStore.taken_away`.
    """
    return frozenset(
        (deal_of(key.group), key.name.casefold()) for key in taken if key.kind == Kind.MEMBERSHIP
    )


def _any(value: object) -> object:
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _listed(value: object) -> Iterable[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return value


def _texts(value: object) -> object:
    return [_text(each) for each in _listed(value)]


def _amount(value: object, most: float = inf) -> object:
    number = value if type(value) is float else float(_plain(value))
    if not 0 <= number <= most or number == inf:
        raise ValueError(value)
    return value


def _plain(value: object) -> str:
    if isinstance(value, bool):
        raise TypeError(value)
    return str(value)


def _share(value: object) -> object:
    return _amount(value, 1)


def _moment(value: object) -> datetime:
    """Reads a moment; one without a zone is taken for UTC."""
    moment = datetime.fromisoformat(_text(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _activity(value: object) -> object:
    if value:
        _moment(value)
    return value


def _dated(value: object) -> object:
    return [_with_known_days(each) for each in _listed(value) if isinstance(each, dict)]


def _with_known_days(milestone: Mapping[str, object]) -> Mapping[str, object]:
    unknown = {name: None for name in _DAYS if not _is_known(str(milestone.get(name) or ""))}
    return {**milestone, **unknown} if unknown else milestone


_DAYS: Final = ("start", "finish")


@lru_cache(maxsize=1 << 12)  # many projects have milestones on the same days
def _is_known(day: str) -> bool:
    try:
        return not day or known_day(date.fromisoformat(day)) is not None
    except ValueError:
        return False


_MEANING: Final[Mapping[str, Callable[[object], object]]] = {
    "url": _text,
    "title": _text,
    "last_activity": _activity,
    "team": _texts,
    "members": _texts,
    "progress": _share,
    "spent_hours": _amount,
    "milestones": _dated,
}
"""How the facts of `docs/write-an-adapter.md` are looked at; others are taken as they are."""


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _day(value: object) -> date | None:
    return date.fromisoformat(str(value)) if value else None
