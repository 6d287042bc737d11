"""Drag and drop on boards: moves stories without touching their version or modified_date."""

from collections.abc import Callable, Sequence
from typing import Any

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid
from taiga_pipeline.sandbox.fields import REQUIRED, Form
from taiga_pipeline.sandbox.models import Project, Story
from taiga_pipeline.sandbox.serving.wire import Response, empty, json_response
from taiga_pipeline.sandbox.story_changes import HISTORY_FIELDS, settle_closed, settle_milestone
from taiga_pipeline.sandbox.story_view import status_row


def _opened(context: RequestContext) -> tuple[Form, Project]:
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project_id", required=True)
    project = context.store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project_id", "There's no project with that id")
    form.check()
    project = access.require(context.store, context.user, project, "modify_us")
    return form, access.writable(project)


def _stories(context: RequestContext, project: Project, ids: Sequence[Any]) -> list[Story]:
    rows = [context.store.stories.get(each) for each in ids]
    known = [row for row in rows if row is not None and row.project == project.id]
    if len(known) != len(ids):
        message = "All the user stories must be from the same project"
        raise invalid({"bulk_stories": [message]})
    return known


def _move(
    context: RequestContext,
    project: Project,
    stories: Sequence[Story],
    move: Callable[[Story], None],
) -> None:
    """Move each story, and write what changed into history and timeline."""
    user = access.require_user(context.user)
    for story in stories:
        before = history.snapshot(story, HISTORY_FIELDS)
        move(story)
        settle_closed(context.store, project, story)
        diff = history.differences(before, history.snapshot(story, HISTORY_FIELDS))
        history.record(context.store, user, story, diff)


def update_milestone(context: RequestContext) -> Response:
    """POST /userstories/bulk_update_milestone {project_id, milestone_id, bulk_stories:[{us_id,
    order}]}.
    """
    form, project = _opened(context)
    store = context.store
    milestone = store.milestones.get(form.reference("milestone_id", required=True))
    if milestone is None or milestone.project != project.id:
        form.fail("milestone_id", "The milestone isn't valid for the project")
    form.check()
    assert milestone is not None  # the form was checked
    items = form.data.get("bulk_stories") or []
    stories = _stories(context, project, [item.get("us_id") for item in items])
    left = {story.milestone for story in stories}
    orders = {item["us_id"]: int(item.get("order", 0)) for item in items}

    def move(story: Story) -> None:
        story.milestone, story.sprint_order = milestone.id, orders[story.id]

    _move(context, project, stories, move)
    settle_milestone(store, milestone)
    for milestone_id in left - {milestone.id}:
        settle_milestone(store, store.milestones.get(milestone_id), may_open=False)
    return empty(204)


def update_kanban_order(context: RequestContext) -> Response:
    """POST /userstories/bulk_update_kanban_order {project_id, status_id, bulk_userstories:[id]}."""
    form, project = _opened(context)
    status_id = form.reference("status_id", required=True)
    if status_id is not None and status_row(project, status_id) is None:
        form.fail(
            "status_id", "Invalid user story status id. The status must belong to the same project."
        )
    form.check()
    if not form.data.get("bulk_userstories"):
        raise invalid({"bulk_userstories": [REQUIRED]})
    stories = _stories(context, project, form.data["bulk_userstories"])
    order = _first_order(context, project, form.reference("after_userstory_id"))

    def move(story: Story) -> None:
        story.status = status_id
        story.kanban_order = order + stories.index(story)

    _move(context, project, stories, move)
    for milestone_id in {story.milestone for story in stories}:
        settle_milestone(context.store, context.store.milestones.get(milestone_id))
    rows = [
        {
            "id": story.id,
            "swimlane": None,
            "status": story.status,
            "kanban_order": story.kanban_order,
        }
        for story in stories
    ]
    return json_response(rows)


def _first_order(context: RequestContext, project: Project, after: int | None) -> int:
    previous = context.store.stories.get(after)
    if previous is not None and previous.project == project.id:
        return previous.kanban_order + 1
    return 1
