"""Fields of records, and what they hold, in words: for pages and for people who know no key.

Commands name fields as they are typed (``--field title``); a page has buttons in that place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from taiga_pipeline.language import marked
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.records import (
    Membership,
    Milestone,
    Project,
    ProjectState,
    Status,
    Story,
    Task,
    Wiki,
)

LABELS: Final = {
    Project.STATE: marked("state"),
    Project.LABEL: marked("label"),
    Project.TITLE: marked("title"),
    Project.TAGS: marked("tags"),
    Project.TEXT: marked("text"),
    Project.DEAL_FACTS: marked("facts of the deal"),
    Project.LOOKING_FOR_PEOPLE: marked("looks for people"),
    Project.LOOKING_FOR_PEOPLE_NOTE: marked("whom it looks for"),
    Project.TEMPLATE: marked("template"),
    Project.COPIED_FROM: marked("copy of"),
    Project.COPY_STARTS: marked("first day of the copy"),
    Project.PRIVATE: marked("private"),
    Membership.EMAIL: marked("e-mail"),
    Membership.ROLE: marked("role"),
    Membership.ADMIN: marked("administrator"),
    Milestone.NAME: marked("name"),
    Milestone.START: marked("start"),
    Milestone.FINISH: marked("finish"),
    Story.SUBJECT: marked("subject"),
    Story.DESCRIPTION: marked("description"),
    Story.MILESTONE: marked("milestone"),
    Story.STATUS: marked("status"),
    Story.DUE_DATE: marked("due date"),
    Story.FACTS: marked("facts"),
    Story.SUMMARY: marked("summary"),
    Story.ASSIGNED: marked("assigned to"),
    Story.HOURS: marked("planned hours"),
    Task.CARD: marked("card"),
    Task.CLOSED: marked("done"),
    Status.ORDER: marked("order"),
    Status.COLOR: marked("colour"),
    Wiki.PICTURE: marked("picture"),
}
"""What people call the fields of records; those of a deal on its card are called as the deal's."""
_STATES: Final = tuple(each.value for each in ProjectState)
_MOST_LINES: Final = 12


def field_in_words(name: str, fields: FieldTable) -> str:
    """Returns what people call a field of a record; ``fields`` are those of deals."""
    of_deal = Story.of_deal(name)
    if of_deal:
        return _(fields[of_deal].label) if of_deal in fields else of_deal.replace("_", " ")
    return _(LABELS[name]) if name in LABELS else name.replace("_", " ")


def value_in_words(name: str, value: object) -> object:
    """Returns what a field holds as people say it; what needs no words as it is."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == Project.STATE and value in _STATES:
        return _(str(value))
    return value


def differing_lines(old: object, new: object) -> tuple[str, ...]:
    """Returns what differs between two texts of several lines, () where neither is one.

    ``Stage: Lead`` that became ``Stage: Won`` is ``Stage: Lead → Won``; a line that is new begins
    with a plus, one that is gone with a minus.
    """
    if not (isinstance(old, str) and isinstance(new, str) and "\n" in old + new):
        return ()
    before, after = (
        tuple(filter(None, (line.strip(" ·") for line in text.splitlines()))) for text in (old, new)
    )
    found = list(_differing(before, after))
    more = len(found) - _MOST_LINES
    return (*found[:_MOST_LINES], f"(+{more})") if more > 0 else tuple(found)


def _differing(before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    kept, left = frozenset(before), frozenset(after)
    gone = {_name(line): line for line in before if line not in left}
    for line in after:
        if line in kept:
            continue
        former = gone.pop(_name(line), None) if ": " in line else None
        if former is None:
            yield f"+ {line}"
        else:
            name = _name(line)
            yield f"{name}: {former[len(name) + 2 :]} → {line[len(name) + 2 :]}"
    yield from (f"− {line}" for line in gone.values())


def _name(line: str) -> str:
    name, separator, _rest = line.partition(": ")
    return name if separator else line
