"""Who changed people, time off, allocations, rates and scenarios."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from taiga_pipeline.app.store_access import people_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.model import PlanningChange, PlanningKind
from taiga_pipeline.pipeline.text import folded

OF_PEOPLE: Final = frozenset(PlanningKind) - {PlanningKind.SCENARIO}
"""Kinds of changes that are about people and roles."""


def people_history(
    workspace: Workspace, who: str = "", *, deal: str = "", limit: int | None = None
) -> tuple[PlanningChange, ...]:
    """Returns what was changed of people, time off, allocations and rates, the newest first.

    ``who`` is an address, a part of a name, or the role of a rate. ``deal`` leaves out what is not
    about this deal, ``limit`` all but so many.

    :raises UnknownPerson: nothing was changed, and no person has this address.
    :raises ProblemsError: deals are read from elsewhere.
    """
    with people_store(workspace) as store:
        if not who and limit:
            return tuple(store.history(limit, deal_key=deal, kinds=OF_PEOPLE))
        found = store.history(deal_key=deal, kinds=OF_PEOPLE)[::-1]
        if who:
            names = [(person.email, person.name) for person in store.people()]
            found = _about(who, found, names)
            if not found and "@" in who:
                store.get(who)
    return tuple(islice(found, limit))


def scenario_history(
    workspace: Workspace, name: str = "", *, limit: int | None = None
) -> tuple[PlanningChange, ...]:
    """Returns how scenarios (or the one of this name) were changed, the newest first.

    :raises ProblemsError: deals are read from elsewhere: nothing keeps a history of scenarios.
    """
    with people_store(workspace) as store:
        found = reversed(store.history(kinds=(PlanningKind.SCENARIO,)))
        return tuple(islice((each for each in found if name in ("", each.what)), limit))


def _about(
    who: str, changes: Collection[PlanningChange], names: Iterable[tuple[str, str]]
) -> list[PlanningChange]:
    wanted = folded(who.strip())
    known = [*names, *((each.email, _name(each)) for each in changes)]
    emails = {email for email, name in known if email and wanted in (folded(email), folded(name))}
    emails = emails or {email for email, name in known if email and wanted in folded(name)}
    return [
        each
        for each in changes
        if each.email in emails or (not each.email and wanted == folded(_role(each)))
    ]


def _name(change: PlanningChange) -> str:
    if change.kind is not PlanningKind.PERSON:
        return ""
    return change.after.get("name", "") or change.before.get("name", "")


def _role(change: PlanningChange) -> str:
    return change.after.get("role", "") or change.before.get("role", "") or change.what
