"""Tasks: they stand for stories, and with a start and an end for milestones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from sync.errors import Rejected, Vanished
from sync.records.composite_text import join_block, split_block
from sync.records.model import Desired, Observed, RecordKey, Value, by_identity, digest
from sync.target import Place, Written
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.mapping.stories.hours import read_hours
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.records import Kind, Milestone, Story
from taiga_pipeline.targets.before_writing import after_making
from taiga_pipeline.targets.kanboard.client import Call, Client, call
from taiga_pipeline.targets.kanboard.identity import decode_task, encode_task
from taiga_pipeline.targets.kanboard.people import Directory
from taiga_pipeline.targets.kanboard.shapes import Row, flag, number, text
from taiga_pipeline.targets.marks import join_line, split_line
from taiga_pipeline.targets.milestones import milestone_id

OPEN, CLOSED = 1, 0
MILESTONE_OF: Final = "is a milestone of"
"""The label with which Kanboard comes for a link from a milestone to what is planned for it."""

_MADE: Final = "pipeline-sync.as-written"
"""The metadata of a task that says what the connector wrote: others' edits are told by it."""

_WRITTEN: Final = ("title", "description", "date_due", "date_started", "owner_id", "column_id")
HANGING: Final = ("getAllComments", "getAllSubtasks", "getAllTaskFiles")
"""What brings what people hang on a task."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all kinds need: the API, the pipeline's name, who is who, and what day it is there.

    ``assigns_stories`` is that of `Connection`.
    """

    client: Client
    pipeline: str
    account_id: int
    people: Directory
    zone: tzinfo
    assigns_stories: bool = False


def zone_of(name: str) -> tzinfo:
    """Returns a time zone by its name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


class Tasks(ABC):
    """What stories and milestones have in common."""

    kind: str

    def observe(self, row: Row, context: Context, columns: Sequence[Row] = ()) -> Observed:
        """Returns what a task shows; one that is not ours has no identity."""
        description, line = split_line(text(row, "description"))
        key = decode_task(context.pipeline, text(row, "reference"), line)
        found = STORY if key is None or key.kind == Kind.STORY else MILESTONE
        fields = found.fields(row, split_block(description)[0], context, columns)
        return Observed(
            found.kind,
            str(number(row["id"])),
            fields,
            identity=found.identity(row, key),
            marked=key is not None and found is STORY,
            change_token=str(number(row.get("date_modification"))),
            facts=found.facts(row, context),
            group=key.group if key else "",
        )

    @abstractmethod
    def fields(
        self, row: Row, words: str, context: Context, columns: Sequence[Row]
    ) -> dict[str, Value]:
        """Returns the fields that a task shows; ``words`` is people's part of its description."""

    @abstractmethod
    def identity(self, row: Row, key: RecordKey | None) -> str:
        """Returns what a task is recognised by, "" if it is people's own."""

    def facts(self, row: Row, context: Context) -> dict[str, object]:
        """Returns what sales wants to know of it."""
        return {"closed": not flag(row["is_active"])}

    @abstractmethod
    def places(
        self, fields: Mapping[str, Value], row: Row | None, place: Place, context: Context
    ) -> dict[str, JSON]:
        """Returns parameters of a call that write fields; ``row`` is the task as it is."""

    def create(self, desired: Desired, place: Place, context: Context) -> Written:
        """Makes a task that carries its reference from its first moment, unless it is there."""
        present = self._present(desired, place, context)
        if present:
            return Written(present[0], found=self.kind == Kind.MILESTONE and not present[0].group)
        _milestone(desired, place)  # it waits for one that is not there yet
        reference = encode_task(context.pipeline, desired.key)
        params = self.places(desired.fields, None, place, context)
        params["description"] = join_line(str(params.get("description") or ""), reference.line)
        making = call(
            "createTask", project_id=int(place.root_id), reference=reference.text, **params
        )
        finding = call(
            "getTaskByReference", project_id=int(place.root_id), reference=reference.text
        )
        made, row = context.client.create(making, finding)
        if not number(made):
            raise _why_not_made(params, place, context)
        if not row or number(row["id"]) != number(made):
            row = read_task(str(number(made)), context)
        with after_making("task", str(number(made))):
            context.client.write(*self._links(row, desired, place, context), as_written(row))
        return Written(self.observe(row, context, columns_of(place.root_id, context, params)))

    def complete(
        self, desired: Desired, observed: Observed, place: Place, context: Context
    ) -> None:
        """Does what is left of a creation that was cut off: the note, which comes last, says that
        nothing is. What people changed meanwhile is not noted as the connector's."""
        task = int(observed.id)
        noted, row = context.client.read_each(
            [call("getTaskMetadata", task_id=task), call("getTask", task_id=task)]
        )
        if not row or _MADE in dict(noted or {}):
            return
        calls = self._links(row, desired, place, context)
        shown = self.observe(row, context).fields
        if all(value == desired.fields.get(name, value) for name, value in shown.items()):
            calls.append(as_written(row))
        if calls:
            context.client.write(*calls)

    def _links(self, row: Row, desired: Desired, place: Place, context: Context) -> list[Call]:
        """Returns the call that links a story to its milestone, none where it has none."""
        milestone = _milestone(desired, place)
        if milestone is None:
            return []
        label = context.client.read("getLinkByLabel", label=MILESTONE_OF)
        if not label:
            return []
        link = {"task_id": milestone, "opposite_task_id": number(row["id"])}
        return [call("createTaskLink", **link, link_id=number(label["id"]))]

    def _present(self, desired: Desired, place: Place, context: Context) -> list[Observed]:
        """Returns the project's tasks that are this record, the oldest first.

        :raises Vanished: there is no such project.
        """
        root = int(place.root_id)
        project, *lists = context.client.read_each(
            [call("getProjectById", project_id=root), *task_calls(root)]
        )
        if not project:
            raise Vanished(f"project {place.root_id} no longer exists")
        rows = sorted((row for rows in lists for row in rows), key=lambda row: number(row["id"]))
        found = [self.observe(row, context) for row in rows]
        name = desired.natural_name.casefold()
        return by_identity(found, self.kind, name, desired.key.group)

    def calls(
        self, row: Row, changes: Mapping[str, Value], place: Place, context: Context
    ) -> list[Call]:
        """Returns the calls that write changes to a task."""
        params = self.places(changes, row, place, context)
        column = params.pop("column_id", None)
        calls = []
        if params:
            calls.append(call("updateTask", id=number(row["id"]), **params))
        if column is not None and column != number(row["column_id"]):
            where = {"project_id": int(place.root_id), "task_id": number(row["id"])}
            at = {"column_id": column, "position": 1, "swimlane_id": number(row["swimlane_id"])}
            calls.append(call("moveTaskPosition", **where, **at))
        return calls


class Stories(Tasks):
    """Stories, and the cards of the portfolio's board."""

    kind = Kind.STORY

    def fields(
        self, row: Row, words: str, context: Context, columns: Sequence[Row]
    ) -> dict[str, Value]:
        """Returns subject, description, due date, hours, who has it, its column where known."""
        shown: dict[str, Value] = {
            Story.SUBJECT: text(row, "title"),
            Story.DESCRIPTION: words,
            Story.DUE_DATE: day(row.get("date_due"), context),
            Story.HOURS: read_hours(row.get("time_estimated")),
        }
        owner = number(row.get("owner_id"))
        mail = context.people.mail(owner) if owner else ""
        shown[Story.ASSIGNED] = mail or (f"user {owner}" if owner else None)
        for column in columns:
            if number(column["id"]) == number(row["column_id"]):
                shown[Story.STATUS] = str(column["title"])
        return shown

    def identity(self, row: Row, key: RecordKey | None) -> str:
        """Returns the story's name in its reference."""
        return key.name.casefold() if key else ""

    def places(
        self, fields: Mapping[str, Value], row: Row | None, place: Place, context: Context
    ) -> dict[str, JSON]:
        """Returns parameters that write subject, text, facts, due date, hours, owner, column."""
        params: dict[str, JSON] = {}
        if Story.SUBJECT in fields:
            params["title"] = fields[Story.SUBJECT]
        if fields.keys() & {Story.DESCRIPTION, Story.FACTS}:
            params["description"] = _described(fields, row)
        if Story.DUE_DATE in fields:
            params["date_due"] = _midnight(fields[Story.DUE_DATE])
        if Story.HOURS in fields and (row is not None or fields[Story.HOURS]):
            params["time_estimated"] = float(str(fields[Story.HOURS] or 0))
        if Story.ASSIGNED in fields and (row is not None or fields[Story.ASSIGNED]):
            address = str(fields[Story.ASSIGNED] or "")
            params["owner_id"] = context.people.user_id(address) if address else 0
        if fields.get(Story.STATUS):
            params["column_id"] = _column(str(fields[Story.STATUS]), place)
        return params


class Milestones(Tasks):
    """Milestones: a task with a first day and one to be done by, known by its title."""

    kind = Kind.MILESTONE

    def fields(
        self, row: Row, words: str, context: Context, columns: Sequence[Row]
    ) -> dict[str, Value]:
        """Returns name, first and last day."""
        return {
            Milestone.NAME: text(row, "title"),
            Milestone.START: day(row.get("date_started"), context),
            Milestone.FINISH: day(row.get("date_due"), context),
        }

    def identity(self, row: Row, key: RecordKey | None) -> str:
        """Returns its title: people's new name for it is its name."""
        return text(row, "title").casefold()

    def facts(self, row: Row, context: Context) -> dict[str, object]:
        """Returns the milestone as sales sees it."""
        return {**self.fields(row, "", context, ()), "closed": not flag(row["is_active"])}

    def places(
        self, fields: Mapping[str, Value], row: Row | None, place: Place, context: Context
    ) -> dict[str, JSON]:
        """Returns parameters that write name and days."""
        params: dict[str, JSON] = {}
        if Milestone.NAME in fields:
            params["title"] = fields[Milestone.NAME]
        for name, at in ((Milestone.START, "date_started"), (Milestone.FINISH, "date_due")):
            if name in fields:
                params[at] = _midnight(fields[name])
        return params


STORY: Final = Stories()
MILESTONE: Final = Milestones()


def _milestone(desired: Desired, place: Place) -> int | None:
    """Returns the task that stands for the milestone which a story is planned for."""
    name = str(desired.fields.get(Story.MILESTONE) or "")
    return milestone_id(name, desired.key.group, place) if desired.key.kind == Kind.STORY else None


def task_calls(project_id: int) -> list[Call]:
    """Returns the calls that read all tasks of a project, open and closed."""
    return [
        call("getAllTasks", project_id=project_id, status_id=status) for status in (OPEN, CLOSED)
    ]


def read_task(task_id: str, context: Context) -> Row:
    """Returns one task as it is now.

    :raises Vanished: it is not there.
    """
    row: Row | None = context.client.read("getTask", task_id=int(task_id))
    if not row:
        raise Vanished(f"task {task_id} no longer exists")
    return row


def renamed_references(rows: Iterable[Row], former: str, new: str, context: Context) -> list[Call]:
    """Returns the calls that have those tasks name the deal ``new`` which name ``former``."""
    calls = []
    for row in rows:
        description, line = split_line(text(row, "description"))
        key = decode_task(context.pipeline, text(row, "reference"), line)
        if key is None or key.group != former:
            continue
        reference = encode_task(context.pipeline, replace(key, group=new))
        params = {"id": number(row["id"]), "reference": reference.text}
        if reference.line != line:
            params["description"] = join_line(description, reference.line)
        calls.append(call("updateTask", **params))
    return calls


def columns_of(root_id: str, context: Context, params: Mapping[str, JSON]) -> Sequence[Row]:
    """Returns the columns of a project where a task was put into one, none where nobody asks."""
    if "column_id" not in params:
        return ()
    rows: Sequence[Row] = context.client.read("getColumns", project_id=int(root_id))
    return rows


def as_written(row: Row) -> Call:
    """Returns the call that notes that a task is as the connector wrote it."""
    values = {_MADE: _state(row)}
    return call("saveTaskMetadata", task_id=number(row["id"]), values=values)


def is_as_written(row: Row, context: Context) -> bool:
    """Whether a story is as the connector wrote it, and nothing of people's hangs on it."""
    return _is_as_written(row, context.client.read_each(_noted_calls(number(row["id"]))))


def read_for_writing(
    task_id: str, root_id: str, context: Context
) -> tuple[Row, Sequence[Row], bool]:
    """Returns a task, its project's columns, and whether the task is as the connector wrote it.

    It is one request, in which the task comes last: what people save before it is seen.

    :raises Vanished: it is not there.
    """
    columns, *noted, row = context.client.read_each(
        [
            call("getColumns", project_id=int(root_id)),
            *_noted_calls(int(task_id)),
            call("getTask", task_id=int(task_id)),
        ]
    )
    if not row:
        raise Vanished(f"task {task_id} no longer exists")
    return row, columns, _is_as_written(row, noted)


def _noted_calls(task: int) -> list[Call]:
    hanging = [call(method, task_id=task) for method in HANGING]
    return [call("getTaskMetadata", task_id=task), *hanging]


def _is_as_written(row: Row, answers: Sequence[Any]) -> bool:
    noted, *hanging = answers
    is_same = isinstance(noted, Mapping) and noted.get(_MADE) == _state(row)
    return is_same and not any(hanging) and not has_time(row) and flag(row["is_active"])


def demand_no_work(row: Row, context: Context) -> None:
    """Refuses to delete a task that people put work into: it would all be gone with it.

    :raises Rejected: it has comments, subtasks, files or spent time.
    """
    calls = [call(method, task_id=number(row["id"])) for method in HANGING]
    if has_time(row) or any(context.client.read_each(calls)):
        raise Rejected(
            f"task {number(row['id'])} has comments, subtasks, files or spent time, which Kanboard "
            "would delete with it; it is kept"
        )


def spent_hours(row: Row) -> float:
    """Returns the hours that were spent on a task."""
    return float(row.get("time_spent") or 0)


def day(seconds: JSON, context: Context) -> str | None:
    """Returns the day (ISO 8601) on which a moment is, by Kanboard's own time zone."""
    found = number(seconds)
    if not 0 < found < 2**40:
        return None
    return datetime.fromtimestamp(found, context.zone).date().isoformat()


def _midnight(value: Value) -> str:
    """Returns a day as Kanboard takes it; without an hour it would be the hour of just now."""
    return f"{value} 00:00" if value else ""


def _described(fields: Mapping[str, Value], row: Row | None) -> str:
    """Returns the description: people's words, the facts below, the connector's line."""
    words, facts, line = "", "", None
    if row is not None:
        whole, line = split_line(text(row, "description"))
        words, facts = split_block(whole)
    words = str(fields.get(Story.DESCRIPTION, words) or "")
    facts = str(fields.get(Story.FACTS, facts) or "")
    return join_line(join_block(words, facts), line)


def _column(name: str, place: Place) -> int:
    for key, target_id in place.bound.items():
        if key.kind == Kind.STATUS and key.name == normalise(name):
            return int(target_id)
    raise Rejected(f"there is no column {name!r} (yet)")


def _state(row: Row) -> str:
    estimate = read_hours(row.get("time_estimated"))
    # Notes of tasks without an estimate are as they were before there were any.
    return digest([*(text(row, place) for place in _WRITTEN), *filter(None, [estimate])])


def has_time(row: Row) -> bool:
    """Whether hours were spent on a task."""
    return bool(spent_hours(row))


def _why_not_made(params: Mapping[str, JSON], place: Place, context: Context) -> Rejected:
    """Finds a reason for a refusal: Kanboard gives none."""
    if not context.client.read("getProjectById", project_id=int(place.root_id)):
        return Vanished(f"project {place.root_id} no longer exists")
    return _why_refused(params, place, context)


def _why_refused(params: Mapping[str, JSON], place: Place, context: Context) -> Rejected:
    owner = params.get("owner_id")
    if owner:
        members = context.client.read("getAssignableUsers", project_id=int(place.root_id))
        if str(owner) not in dict(members or {}):
            mail = context.people.mail(number(owner)) or f"user {owner}"
            return Rejected(
                f"{mail} cannot have tasks in project {place.root_id}: only a member who is more "
                "than a viewer can"
            )
    if "title" in params and not params["title"]:
        return Rejected("Kanboard takes no task without a title")
    started, due = params.get("date_started"), params.get("date_due")
    if started and due and str(started) > str(due):
        return Rejected("Kanboard takes no task that starts after it is due")
    return Rejected(
        f"Kanboard refuses a task in project {place.root_id} and gives no reason; its log may"
    )


def explain_refused(
    params: Iterable[Mapping[str, JSON]], row: Row, place: Place, context: Context
) -> Rejected:
    """Finds a reason for a change that was refused."""
    task = number(row["id"])
    if not context.client.read("getTask", task_id=task):
        return Vanished(f"task {task} no longer exists")
    return _why_refused({at: v for each in params for at, v in each.items()}, place, context)
