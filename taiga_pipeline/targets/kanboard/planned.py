"""What is planned for a milestone: tasks that it is linked to, the connector's and people's."""

from __future__ import annotations

from taiga_pipeline.targets.kanboard.client import call
from taiga_pipeline.targets.kanboard.shapes import Row, flag, number, text
from taiga_pipeline.targets.kanboard.tasks import HANGING, MILESTONE_OF, STORY, Context, has_time


def is_unused(row: Row, context: Context) -> bool:
    """Whether a milestone is open, and nothing hangs on it or is planned for it."""
    return _is_bare(row, context) and not _links_of(row, context)


def holds_only_own(row: Row, context: Context) -> bool:
    """Whether a milestone is as `is_unused` says, but for stories of this pipeline."""
    return _is_bare(row, context) and len(_own_in(row, context)) == len(_links_of(row, context))


def hand_over(row: Row, other: str, context: Context) -> None:
    """Links the connector's stories of a milestone to another one; the old links go with it."""
    label = context.client.read("getLinkByLabel", label=MILESTONE_OF)
    if not label:
        return
    present = {number(each["task_id"]) for each in _links_of({"id": other}, context)}
    links = [
        call(
            "createTaskLink",
            task_id=int(other),
            opposite_task_id=story,
            link_id=number(label["id"]),
        )
        for story in _own_in(row, context)
        if story not in present
    ]
    if links:
        context.client.write(*links)


def _is_bare(row: Row, context: Context) -> bool:
    calls = [call(method, task_id=number(row["id"])) for method in HANGING]
    is_bare = flag(row["is_active"]) and not has_time(row) and not text(row, "description")
    return is_bare and not any(context.client.read_each(calls))


def _links_of(row: Row, context: Context) -> list[Row]:
    return list(context.client.read("getAllTaskLinks", task_id=number(row["id"])) or ())


def _own_in(row: Row, context: Context) -> list[int]:
    """Returns the stories of this pipeline that are planned for a milestone."""
    linked = [
        number(each["task_id"]) for each in _links_of(row, context) if each["label"] == MILESTONE_OF
    ]
    rows = context.client.read_each([call("getTask", task_id=each) for each in linked])
    return [number(each["id"]) for each in rows if each and STORY.observe(each, context).marked]
