"""Tasks stand for stories: how they are read, made and changed.

A task's description holds people's text, the facts of a card below it, and the connector's line
where its external id does not tell whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from html import escape
from typing import Any, Final

from sync.errors import Rejected, Vanished
from sync.records.composite_text import join_block, split_block
from sync.records.model import Desired, Observed, RecordKey, Value
from sync.target import Place, Written
from taiga_pipeline.mapping.stories.hours import read_hours
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.odoo.lists import ALL, Asked, Row, from_start, id_of, name_of, records
from taiga_pipeline.odoo.text import to_text
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.marks import (
    Line,
    decode_reference,
    encode_reference,
    join_line,
    mark_prefix,
    split_line,
)
from taiga_pipeline.targets.milestones import milestone_id
from taiga_pipeline.targets.odoo.context import QUIET, TASK, Context
from taiga_pipeline.targets.odoo.described import with_text
from taiga_pipeline.targets.odoo.identity import story_of, task_name

_ALWAYS: Final = (
    *("name", "description", "active", "project_id", "stage_id", "tag_ids", "date_deadline"),
    *("parent_id", "create_uid", "write_uid", "create_date", "write_date"),
)
_IF_THERE: Final = ("milestone_id", "is_closed", "state", "effective_hours")
_CLOSED: Final = ("1_done", "1_canceled")
"""The states in which Odoo takes a task for closed, from 17 on."""
_ATTEMPTS: Final = 5
_DAY: Final = len("2027-01-31")

Values = dict[str, Any]


def fields_of(context: Context) -> list[str]:
    """Returns the fields to read of tasks, as far as this Odoo has them."""
    found = [name for name in (*_IF_THERE, context.planned) if context.has(name)]
    return [*_ALWAYS, context.assignee, *found]


def rows_of(roots: Sequence[int], context: Context) -> Iterator[Row]:
    """Yields the tasks of projects, archived ones too, each with the name of its external id in
    ``external``."""
    yield from _found([["project_id", "in", list(roots)]], context)


def planned_for(milestone_id: str, context: Context) -> list[Observed]:
    """Returns the tasks that are planned for a milestone."""
    rows = _found([["milestone_id", "=", int(milestone_id)]], context)
    return [observe(row, context) for row in rows]


def hand_over(milestone_id: str, other: str, context: Context) -> None:
    """Plans the connector's tasks of a milestone for another one."""
    for task in planned_for(milestone_id, context):
        if task.marked:
            write(int(task.id), {"milestone_id": int(other)}, context)


def _found(domain: Sequence[object], context: Context) -> Iterator[Row]:
    rows = list(records(context.client, TASK, fields_of(context), domain))
    names = externals([row["id"] for row in rows], context)
    context.tag_names(rows)
    for row in rows:
        yield {**row, "external": names.get(row["id"], "")}


def externals(ids: Sequence[int], context: Context) -> dict[int, str]:
    """Returns the names of our external ids of tasks, by the tasks' ids."""
    return context.external_ids.of(TASK, ids)


def read(target_id: str, context: Context) -> Row:
    """Returns one task as it is now.

    :raises Vanished: it is not there.
    """
    rows = context.client.read(
        TASK,
        "search_read",
        domain=[["id", "=", int(target_id)]],
        fields=fields_of(context),
        context=dict(ALL),
    )
    if not rows:
        raise Vanished(f"story {target_id} no longer exists")
    return {**rows[0], "external": externals([int(target_id)], context).get(int(target_id), "")}


def observe(row: Row, context: Context) -> Observed:
    """Returns a task; one that is not ours has no identity."""
    text, line = split_line(to_text(row["description"]))
    group, name = story_of(context.pipeline, str(row["external"]))
    if line is not None:
        group, name = decode_reference(context.pipeline, line.mark)
    description, _ = split_block(text)
    fields: dict[str, Value] = {
        Story.SUBJECT: str(row["name"]),
        Story.DESCRIPTION: description,
        Story.STATUS: name_of(row["stage_id"]),
        Story.DUE_DATE: str(row["date_deadline"] or "")[:_DAY] or None,
        Story.TAGS: frozenset(context.tag_names([row]).values()),
        Story.ASSIGNED: _assigned(row, context),
    }
    if context.planned:
        fields[Story.HOURS] = read_hours(row[context.planned])
    return Observed(
        Kind.STORY,
        str(row["id"]),
        fields,
        identity=name.casefold(),
        marked=bool(name),
        change_token=str(row["write_date"] or ""),
        facts={"closed": is_closed(row)},
        group=group,
    )


def _assigned(row: Row, context: Context) -> str | None:
    """Returns the address of the one whom a task is for, those of several with commas; None for no
    one. Whoever has no address there has a number."""
    value = row[context.assignee]
    ids = [id_of(value)] if context.assignee == "user_id" else list(value or ())
    users = {number: context.people.by_id.get(number) for number in ids if number}
    names = (user.email if user else f"user {number}" for number, user in users.items())
    return ", ".join(sorted(names)) or None


def create(desired: Desired, place: Place, context: Context) -> Written:
    """Makes a task that carries its external id from its first moment, unless it is there."""
    key = desired.key
    names = [task_name(context.pipeline, key, attempt) for attempt in range(1, _ATTEMPTS + 1)]
    present = context.external(TASK, *names)
    for seen in (*_named(present, context), *_lined(place, context)):
        if (seen.identity, seen.group) == (key.name.casefold(), key.group):
            return Written(seen)
    free = [name for name in names if name not in present]
    if not free:
        raise Rejected(f"{key}: {_ATTEMPTS} tasks were made for it and given to other deals")
    number = context.load(TASK, free[0], _cells(desired, place, context))
    number = number or context.external(TASK, free[0])[free[0]]
    return Written(observe(read(str(number), context), context))


def _named(present: Mapping[str, int], context: Context) -> Iterator[Observed]:
    """Yields the tasks that have some external ids, as far as they are there."""
    for number in present.values():
        with suppress(Vanished):
            yield observe(read(str(number), context), context)


def _lined(place: Place, context: Context) -> Iterator[Observed]:
    """Yields the project's tasks that name this pipeline on the connector's line, the oldest
    first."""
    line = escape(str(Line(mark_prefix(context.pipeline))))
    domain = [["project_id", "=", int(place.root_id)], ["description", "ilike", line]]
    for rows in from_start(context.client, Asked(TASK, fields_of(context), domain)):
        for row in rows:
            yield observe({**row, "external": ""}, context)


def _cells(desired: Desired, place: Place, context: Context) -> dict[str, str]:
    """Returns the cells that make a task with ``load``, but for its external id."""
    fields = desired.fields
    text = str(fields.get(Story.DESCRIPTION) or "")
    whole = join_block(text, str(fields.get(Story.FACTS) or ""))
    values = values_of(fields, place, context, desired.key.group)
    cells = {
        "name": str(fields[Story.SUBJECT]),
        "project_id/.id": place.root_id,
        "description": with_text("", whole, text),
        f"{context.assignee}/.id": "",
    }
    for name, value in values.items():
        if name.endswith("_id") or name.endswith("_ids"):
            numbers = value[0][2] if isinstance(value, list) else [value] if value else []
            cells[f"{name}/.id"] = ",".join(map(str, numbers))
        elif name not in cells:
            cells[name] = str(value or "")
    return cells


def is_closed(row: Row) -> bool:
    """Whether nothing is left to do: Odoo 17 says so by a task's state alone."""
    return bool(row.get("is_closed")) or row.get("state") in _CLOSED or not row["active"]


def values_of(fields: Mapping[str, Value], place: Place, context: Context, group: str) -> Values:
    """Returns what the fields of a story are in Odoo, but for its description."""
    values: Values = {}
    if Story.SUBJECT in fields:
        values["name"] = fields[Story.SUBJECT]
    if fields.get(Story.STATUS):
        values["stage_id"] = _column(str(fields[Story.STATUS]), place)
    if Story.DUE_DATE in fields:
        values["date_deadline"] = _day(fields[Story.DUE_DATE], context)
    if isinstance(fields.get(Story.TAGS), frozenset):
        tags: Any = fields[Story.TAGS]
        values["tag_ids"] = [[6, 0, context.tag_ids(tags)]]
    if Story.HOURS in fields and context.planned:
        values[context.planned] = float(str(fields[Story.HOURS] or 0))
    if Story.ASSIGNED in fields:
        values |= _assignment(str(fields[Story.ASSIGNED] or ""), context)
    if context.has_milestones:
        number = milestone_id(str(fields.get(Story.MILESTONE) or ""), group, place)
        if number is not None:
            values["milestone_id"] = number
    return values


def _column(name: str, place: Place) -> int:
    for key, target_id in place.bound.items():
        if key.kind == Kind.STATUS and key.name == normalise(name):
            return int(target_id)
    raise Rejected(f"there is no column {name!r} (yet)")


def _day(value: Value, context: Context) -> object:
    """Returns a day as tasks hold it: Odoo 17 made it a moment."""
    if not value:
        return False
    is_moment = context.task_fields["date_deadline"].get("type") == "datetime"
    return f"{value} 12:00:00" if is_moment else str(value)


def _assignment(email: str, context: Context) -> Values:
    user = context.people.user(email).id if email else 0
    if context.assignee == "user_id":
        return {"user_id": user or False}
    return {"user_ids": [[6, 0, [user] if user else []]]}


def modification(row: Row, changes: Mapping[str, Value], place: Place, context: Context) -> Values:
    """Returns the values that write changes to the task that ``row`` shows."""
    group = next((key.group for key in place.bound), "")
    values = values_of(changes, place, context, group)
    if changes.keys() & {Story.DESCRIPTION, Story.FACTS}:
        text, line = split_line(to_text(row["description"]))
        above, facts = split_block(text)
        above = str(changes.get(Story.DESCRIPTION, above) or "")
        facts = str(changes.get(Story.FACTS, facts) or "")
        wanted = join_line(join_block(above, facts), line)
        if wanted != to_text(row["description"]):
            values["description"] = with_text(row["description"], wanted, above)
    return values


def renamed(
    rows: Sequence[Row], former: str, new: str, context: Context
) -> Iterator[tuple[int, Values]]:
    """Yields the tasks that name the deal ``former``, with the values that have them name ``new``:
    the connector's line counts, for nobody may change an external id."""
    for row in rows:
        seen = observe(row, context)
        if seen.group != former:
            continue
        text, line = split_line(to_text(row["description"]))
        name = seen.identity
        if line is not None:
            name = decode_reference(context.pipeline, line.mark)[1]
        else:
            name = story_of(context.pipeline, str(row["external"]))[1]
        key = RecordKey(new, Kind.STORY, name)
        is_spelled = row["external"] == task_name(context.pipeline, key)
        wanted = None if is_spelled else Line(encode_reference(context.pipeline, key))
        whole = join_line(text, wanted)
        above, _ = split_block(text)
        yield row["id"], {"description": with_text(row["description"], whole, above)}


def write(number: int, values: Values, context: Context) -> None:
    """Writes values to a task."""
    context.client.change(TASK, "write", [number], vals=values, context=dict(QUIET))


def hangs_on(number: int, context: Context) -> list[str]:
    """Says what people's work hangs on a task: subtasks, hours, files, words."""
    found = []
    if context.client.read(TASK, "search_count", domain=[["parent_id", "=", number]]):
        found.append("subtasks")
    if context.has("effective_hours") and read(str(number), context).get("effective_hours"):
        found.append("hours")
    files = [["res_model", "=", TASK], ["res_id", "=", number]]
    if context.client.read("ir.attachment", "search_count", domain=files):
        found.append("files")
    if is_talked_about(TASK, number, context):
        found.append("messages")
    return found


def is_talked_about(model: str, number: int, context: Context) -> bool:
    """Whether people left words on a record; what Odoo itself notes there does not count."""
    domain = [
        ["model", "=", model],
        ["res_id", "=", number],
        ["message_type", "in", ["comment", "email"]],
    ]
    return bool(context.client.read("mail.message", "search_count", domain=domain))


def is_as_made(target_id: str, context: Context) -> bool:
    """Whether a task is as this account made it: nobody wrote to it, nothing hangs on it.

    Who joins a project moves all its tasks; what Odoo notes of fields that were changed tells that
    from an edit.
    """
    row, number = read(target_id, context), int(target_id)
    made_by = {id_of(row["create_uid"]), id_of(row["write_uid"])}
    if made_by != {context.client.uid} or hangs_on(number, context):
        return False
    return row["create_date"] == row["write_date"] or _notes(number, context) <= 1


def _notes(number: int, context: Context) -> int:
    """Returns how often Odoo noted something on a task: once that it was made, and each change."""
    domain = [
        ["model", "=", TASK],
        ["res_id", "=", number],
        ["message_type", "=", "notification"],
    ]
    return int(context.client.read("mail.message", "search_count", domain=domain))


def demand_no_work(target_id: str, context: Context) -> None:
    """Refuses to delete a task that people put work into: it would all be gone with it.

    :raises Rejected: something hangs on it.
    """
    found = hangs_on(int(target_id), context)
    if found:
        raise Rejected(
            f"task {target_id} has {', '.join(found)}, which would be deleted with it; it is kept"
        )
