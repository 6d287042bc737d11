"""The last staffing suggestion, deal by deal, as it is looked at and accepted piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from taiga_pipeline.app.planning.places import suggestion_path
from taiga_pipeline.app.planning.staffing import (
    NoSuggestion,
    SuggestionOutdated,
    Wanted,
    load_suggestion,
    suggest_staffing,
    unchanged_allocations,
)
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.files import write_text
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.planning.staffing.allocations import identity
from taiga_pipeline.planning.staffing.suggestion import read_allocation


@dataclass(frozen=True, slots=True)
class SuggestedDeal:
    """What is suggested for one deal. ``rows`` are as in the JSON of a suggestion's plan.

    ``later`` are weeks by which it is put off, ``start`` is its first day then. ``is_accepted``
    says that all of it is as suggested already.
    """

    key: str
    name: str
    rows: tuple[Mapping[str, Any], ...]
    later: int
    start: date | None
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Suggested:
    """The last suggestion. ``document`` is all of it as JSON holds it; ``outdated`` says why
    nothing of it can be accepted any more, "" if it can."""

    as_of: date
    deals: tuple[SuggestedDeal, ...]
    document: Mapping[str, Any]
    outdated: str


def keep_suggestion(workspace: Workspace, wanted: Wanted) -> None:
    """Makes a suggestion, and keeps it in the place of the last one.

    :raises EmptyRoster: nobody is on the roster.
    :raises ProblemsError: what is wrong with the configuration, the mappings or the store.
    """
    suggestion = suggest_staffing(workspace, wanted)
    write_text(suggestion_path(workspace), json.dumps(suggestion, ensure_ascii=False, indent=2))


def last_suggestion(workspace: Workspace) -> Suggested | None:
    """Returns the last suggestion that was kept, None without any.

    :raises ProblemsError: what is wrong with the configuration, the mappings or the store.
    """
    try:
        document = load_suggestion(suggestion_path(workspace))
    except NoSuggestion:
        return None
    outdated = ""
    present: set[Allocation] = set()
    try:
        present = set(unchanged_allocations(workspace, document))
    except SuggestionOutdated as error:
        outdated = str(error)
    deals = tuple(_deals(document, present))
    return Suggested(date.fromisoformat(document["as_of"]), deals, document, outdated)


def _deals(document: Mapping[str, Any], present: set[Allocation]) -> Iterator[SuggestedDeal]:
    later = {each["deal"]: each for each in document["delays"]}
    stored = [read_allocation(each) for each in document["stored"]]
    released = [read_allocation(each) for each in document["released"]]
    kept = {identity(each) for each in stored}
    gone = (each for each in released if identity(each) not in kept)
    open_deals = {each.deal_key for each in stored if each not in present}
    open_deals |= {each.deal_key for each in gone if each in present}
    rows: dict[str, list[Mapping[str, Any]]] = {key: [] for key in later}
    for each in document["plan"]:
        rows.setdefault(each["deal"], []).append(each)
    for key, planned in rows.items():
        delay = later.get(key)
        yield SuggestedDeal(
            key,
            planned[0]["deal_name"] if planned else "",
            tuple(planned),
            delay["weeks"] if delay else 0,
            date.fromisoformat(delay["suggested_start"]) if delay else None,
            key not in open_deals and bool(planned),
        )
