"""What became of deals, as the state store remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from sync.records.model import RecordKey
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.records import Kind


def delivery_facts(
    key: str, facts: Mapping[str, object], seen_at: datetime | None, state: str
) -> DeliveryFacts:
    """Returns a deal's delivery facts from what a target reported about its project."""
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
            for entry in _list(facts.get("milestones"))
            if isinstance(entry, Mapping)
        ),
        last_activity=datetime.fromisoformat(str(activity)) if activity else None,
        seen_at=seen_at,
    )


def left_of(taken: Iterable[RecordKey]) -> frozenset[tuple[str, str]]:
    """Returns who left which deal's project, as deal key and address in lower case.

    ``taken`` is what people took away, see `sync.state.store.StateStore.taken_away`.
    """
    return frozenset(
        (key.group, key.name.casefold()) for key in taken if key.kind == Kind.MEMBERSHIP
    )


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _day(value: object) -> date | None:
    return date.fromisoformat(str(value)) if value else None
