"""New projects that are copies of one that people keep as a template.

Odoo's own ``copy`` takes name and description, and with them the connector's line that says whose
the project is: it is there from the first moment. Tasks and milestones come along; their deadlines,
which some versions leave out, are written afterwards, moved to the deal's start.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sync.errors import Rejected
from sync.records.model import Desired, Marker
from taiga_pipeline.odoo.lists import ALL, Asked, Row, pages
from taiga_pipeline.records import Project
from taiga_pipeline.targets.copied_dates import days_to, moved
from taiga_pipeline.targets.marks import Line, encode_mark, join_line
from taiga_pipeline.targets.odoo import projects
from taiga_pipeline.targets.odoo.context import QUIET, TASK, Context
from taiga_pipeline.targets.odoo.described import text_of, with_text
from taiga_pipeline.targets.odoo.identity import marker_of
from taiga_pipeline.targets.odoo.projects import MODEL

_OWN_DATES: Final = ("date_start", "date")
"""When a project begins and ends."""
_MILESTONE: Final = "project.milestone"
_NUMBER: Final = re.compile(r"(?:[#&?]id=|/)(\d+)(?=\D|$)")


def source(named: str, context: Context) -> Row:
    """Returns the project that a mapping names: by number, name, or address.

    :raises Rejected: it is not there, several are called so, or it is a pipeline's.
    """
    number = named if named.isdecimal() else (_NUMBER.findall(named) or [""])[-1]
    is_number = named.isdecimal() or "//" in named
    domain = [["id", "=", int(number or 0)]] if is_number else [["name", "=", named]]
    fields = ["name", "description", *_OWN_DATES]
    rows = [row for page in pages(context.client, Asked(MODEL, fields, domain)) for row in page]
    if not rows:
        raise Rejected(f"Odoo has no project {named!r} that this account may see")
    if len(rows) > 1:
        ids = ", ".join(str(row["id"]) for row in rows)
        raise Rejected(f"several projects in Odoo are called {named!r}: name one by its id ({ids})")
    (row,) = rows
    if _is_a_deals(row, context):
        raise Rejected(f"project {named!r} is a deal's; a template has to be a project of its own")
    return row


def _is_a_deals(row: Row, context: Context) -> bool:
    external = context.external_ids.of(MODEL, [row["id"]])
    spelled = any(map(marker_of, external.values()))
    return spelled or bool(projects.markers("", projects.line_of(row)))


def prepared(
    desired: Desired, marker: Marker, values: Mapping[str, Any], context: Context
) -> tuple[int, dict[str, Any]]:
    """Returns the id of the template, and what a copy of it has of its own. Only reads."""
    template = source(str(desired.fields[Project.COPIED_FROM]), context)
    by = _days(template, desired, context)
    described = join_line(text_of(values.get("description")), Line(encode_mark(marker)))
    own = {
        **values,
        "description": with_text("", described, str(desired.fields.get(Project.TEXT, ""))),
        **{at: moved(template[at], by) or False for at in _OWN_DATES},
    }
    return int(template["id"]), own


def make(template: int, own: Mapping[str, Any], context: Context) -> int:
    """Copies a project; returns the id of the copy.

    :raises OutcomeUnknown: no answer; it may be there.
    """
    made = context.client.make(MODEL, "copy", [template], default=dict(own), context=dict(QUIET))
    return int(made[0] if isinstance(made, list) else made)


def move_dates(copy: int, desired: Desired, context: Context) -> None:
    """Writes the deadlines of a copy's tasks and milestones, moved. Idempotent: what has another
    one than its original is left alone."""
    template = source(str(desired.fields[Project.COPIED_FROM]), context)
    by = _days(template, desired, context)
    if by is None:
        return
    for model, at in _dated(context):
        pairs = _pairs(model, at, int(template["id"]), copy, context)
        by_day: dict[str, list[int]] = defaultdict(list)
        for original, row in pairs:
            wanted = moved(original[at], by)
            if wanted and row[at] in (original[at], False) and row[at] != wanted:
                by_day[wanted].append(int(row["id"]))
        for day, ids in sorted(by_day.items()):
            context.client.change(model, "write", ids, vals={at: day}, context=dict(QUIET))


def _days(template: Row, desired: Desired, context: Context) -> timedelta | None:
    return days_to(desired.fields.get(Project.COPY_STARTS), _dates(template, context))


def _dates(template: Row, context: Context) -> Iterator[object]:
    yield template["date_start"]
    for model, at in _dated(context):
        for row in _rows(model, at, int(template["id"]), context):
            yield row[at]


def _dated(context: Context) -> Iterator[tuple[str, str]]:
    """Yields the models with a deadline, and the field that holds it."""
    if context.has("date_deadline"):
        yield TASK, "date_deadline"
    if context.has_milestones:
        yield _MILESTONE, "deadline"


def _pairs(
    model: str, at: str, template: int, copy: int, context: Context
) -> Iterator[tuple[Row, Row]]:
    """Yields originals with their copies: those of one name, in their order."""
    originals = _by_name(_rows(model, at, template, context))
    for name, rows in _by_name(_rows(model, at, copy, context)).items():
        yield from zip(originals.get(name, ()), rows, strict=False)


def _by_name(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[str(row["name"])].append(row)
    return found


def _rows(model: str, at: str, project: int, context: Context) -> list[Row]:
    asked = Asked(model, ["name", at], [["project_id", "=", project]], ALL)
    return [row for page in pages(context.client, asked) for row in page]
