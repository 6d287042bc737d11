"""Changes of people, time off, allocations, rates and scenarios in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.model import PlanningChange, PlanningKind

_KINDS: Final = {
    PlanningKind.PERSON: marked("person"),
    PlanningKind.TIME_OFF: marked("time off"),
    PlanningKind.ALLOCATION: marked("allocation"),
    PlanningKind.RATE: marked("rate"),
    PlanningKind.SCENARIO: marked("scenario"),
}
_ACTIONS: Final = {"add": marked("add"), "edit": marked("edit"), "remove": marked("remove")}
_FIELDS: Final = {
    "email": marked("e-mail"),
    "name": marked("name"),
    "role": marked("role"),
    "skills": marked("skills"),
    "hours_per_week": marked("hours per week"),
    "team": marked("team"),
    "country": marked("country"),
    "starts": marked("first day"),
    "ends": marked("last day"),
    "reason": marked("reason"),
    "deal": marked("deal"),
    "end": marked("end"),
    "status": marked("status"),
    "cost": marked("cost"),
    "bill": marked("bill"),
    "currency": marked("currency"),
    "win": marked("win"),
    "lose": marked("lose"),
    "delay": marked("delay"),
    "resize": marked("resize"),
    "hire": marked("hire"),
    "leave": marked("leave"),
}
_STATUSES: Final = {"confirmed": marked("confirmed"), "tentative": marked("tentative")}


def action_in_words(change: PlanningChange) -> str:
    """Says what was done: add, edit or remove."""
    return _(_ACTIONS[change.action])


def subject(change: PlanningChange, *, with_deal: bool = True) -> str:
    """Says what was changed: the kind, whose it is, which one, and of which deal."""
    deal = _("on {deal}", deal=change.deal_key) if with_deal and change.deal_key else ""
    kind = _(_KINDS[change.kind])
    return " ".join(filter(None, (kind, change.email, change.what, deal)))


def differences(change: PlanningChange) -> Iterator[tuple[str, str, str]]:
    """Yields the fields that differ: name, text before, text after ("" for nothing)."""
    for name in change.after or change.before:
        yield name, change.before.get(name, ""), change.after.get(name, "")


def fields_in_words(
    change: PlanningChange, brief: Callable[[str | None], str] = lambda text: text or "–"
) -> Iterator[str]:
    """Yields each field that differs. Of something that was added or removed, it is its value.

    ``brief`` makes a text fit; an empty one comes as None.
    """
    for name, before, after in differences(change):
        label = _(_FIELDS.get(name, name))
        old, new = (_worded(name, each) for each in (before, after))
        if change.action == "edit":
            yield f"{label}: {brief(old or None)} → {brief(new or None)}"
        elif name not in _NAMED_ANYWAY.get(change.kind, ()):
            yield f"{label}: {brief(new or old)}"


def _worded(name: str, text: str) -> str:
    return _(_STATUSES.get(text, text)) if name == "status" else text


_NAMED_ANYWAY: Final = {
    PlanningKind.PERSON: ("email",),
    PlanningKind.TIME_OFF: ("first", "last"),
    PlanningKind.ALLOCATION: ("deal", "role", "start"),
    PlanningKind.RATE: ("role", "since"),
}
"""What says which one it is."""
