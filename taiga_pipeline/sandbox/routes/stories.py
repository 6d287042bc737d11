"""User stories."""

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import (
    invalid_pk,
    no_match,
    not_found,
    permission_denied,
    server_error,
)
from taiga_pipeline.sandbox.models import Project, Story
from taiga_pipeline.sandbox.routes.story_filters import filtered
from taiga_pipeline.sandbox.serving.wire import Response, empty, json_response
from taiga_pipeline.sandbox.story_changes import (
    HISTORY_FIELDS,
    apply_changes,
    default_points,
    read_changes,
    settle_milestone,
)
from taiga_pipeline.sandbox.story_view import dashboard_view, detail_view, list_view, status_row

_TRUE = ("true", "1", "True")


def list_stories(context: RequestContext) -> Response:
    """GET /userstories: over all one's projects, unless `project` is given."""
    store = context.store
    rows = filtered(context)
    headers = (
        {"Taiga-Info-Userstories-Without-Swimlane": "true"} if "project" in context.query else {}
    )
    if context.query.get("only_ref") in _TRUE:
        return context.page(rows, lambda row: {"id": row.id, "ref": row.ref}, headers)
    if context.query.get("dashboard") in _TRUE:
        return context.page(rows, lambda row: dashboard_view(store, row), headers)
    with_tasks = context.query.get("include_tasks") in _TRUE
    return context.page(rows, lambda row: list_view(store, row, with_tasks=with_tasks), headers)


def _visible(context: RequestContext, story: Story | None) -> Story:
    project = context.store.projects.get(story.project) if story else None
    if story is None or project is None:
        raise no_match("UserStory")
    access.require(context.store, context.user, project, "view_us")
    return story


def get_story(context: RequestContext) -> Response:
    """GET /userstories/{id}."""
    story = _visible(context, context.store.stories.get(context.number()))
    return json_response(detail_view(context.store, story, neighbors=True))


def get_by_ref(context: RequestContext) -> Response:
    """GET /userstories/by_ref?ref=&project= (or project__slug=)."""
    store = context.store
    project = store.projects.get(context.query_number("project")) or store.projects.by_slug.get(
        context.query.get("project__slug", "")
    )
    rows = store.stories.of(project.id) if project else []
    found = next((row for row in rows if str(row.ref) == context.query.get("ref")), None)
    if found is None:
        raise not_found()
    return json_response(detail_view(store, _visible(context, found), neighbors=True))


def create_story(context: RequestContext) -> Response:
    """POST /userstories: `ref` is the project's next number, whatever is sent."""
    store = context.store
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project", invalid_pk(project_id))
    if project is None:
        form.text("subject", required=True)
        form.check()
    project = access.writable(access.require(store, context.user, project, "add_us"))
    estimates = default_points(store, project)
    changes = read_changes(store, project, form, estimates)
    if project.defaults.get("default_us_status") is None:
        raise server_error()
    version = form.integer("version")
    form.check()
    changes["points"] = estimates | changes.get("points", {})
    story = _new_story(context, project, changes)
    story.version = 1 if version is None else version
    return json_response(detail_view(store, story), 201)


def _new_story(context: RequestContext, project: Project, changes: dict[str, object]) -> Story:
    store, user = context.store, access.require_user(context.user)
    now = store.clock.tick()
    order = int(now.timestamp() * 1_000_000)
    project.last_ref += 1
    story = Story(
        id=store.stories.next_id(),
        project=project.id,
        ref=project.last_ref,
        owner=user.id,
        subject="",
        status=project.defaults["default_us_status"],
        created_date=now,
        modified_date=now,
        backlog_order=order,
        sprint_order=order,
        kanban_order=order,
    )
    store.stories.add(story)
    apply_changes(store, project, story, changes)
    history.record(store, user, story, {}, history.CREATE)
    return story


def bulk_create(context: RequestContext) -> Response:
    """POST /userstories/bulk_create: one story per non-blank line; works on archived projects
    too.
    """
    store = context.store
    access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project_id", required=True)
    lines = form.text("bulk_stories", required=True)
    project = store.projects.get(project_id)
    if project_id is not None and project is None:
        form.fail("project_id", "There's no project with that id")
    status = form.reference("status_id")
    if project is not None and status is not None and not _has_status(project, status):
        message = "Invalid user story status id. The status must belong to the same project."
        form.fail("status_id", message)
    form.check()
    project = access.require(store, context.user, project, "add_us")
    extra: dict[str, object] = {"points": default_points(store, project)}
    if status is not None:
        extra["status"] = status
    subjects = [line.strip() for line in lines.splitlines() if line.strip()]
    stories = [_new_story(context, project, {"subject": text, **extra}) for text in subjects]
    return json_response([list_view(store, story) for story in stories])


def _has_status(project: Project, status: int) -> bool:
    return status_row(project, status) is not None


def _writable_story(context: RequestContext, permission: str) -> tuple[Story, Project]:
    story = context.store.stories.get(context.number())
    project = context.store.projects.get(story.project) if story else None
    project = access.require(context.store, context.user, project, permission)
    assert story is not None
    return story, access.writable(project)


def patch_story(context: RequestContext) -> Response:
    """PATCH /userstories/{id}: needs the version; every change, even an empty one, makes the
    next.
    """
    story, project = _writable_story(context, "modify_us")
    return _change(context, story, project, {}, partial=True)


def put_story(context: RequestContext) -> Response:
    """PUT /userstories/{id}: resets tags, status, assignment and blocking if they are not sent."""
    story, project = _writable_story(context, "modify_us")
    resets: dict[str, object] = {
        "new_tags": {},
        "status": project.defaults["default_us_status"],
        "assigned_to": None,
        "assigned_users": [],
        "is_blocked": False,
    }
    return _change(context, story, project, resets, partial=False)


def _change(
    context: RequestContext,
    story: Story,
    project: Project,
    resets: dict[str, object],
    partial: bool,
) -> Response:
    store, user = context.store, access.require_user(context.user)
    form = context.form(partial=partial)
    if form.data.get("project", project.id) != project.id:
        raise permission_denied()
    changes = resets | read_changes(store, project, form, story.points)
    history.check_version(story, form)
    if story.poisoned:
        raise server_error()
    comment = form.text("comment")
    before = history.snapshot(story, HISTORY_FIELDS)
    apply_changes(store, project, story, changes)
    story.version += 1
    story.total_comments += bool(comment)
    story.modified_date = store.clock.tick()
    diff = history.differences(before, history.snapshot(story, HISTORY_FIELDS))
    history.record(store, user, story, diff, comment=comment)
    return json_response(detail_view(store, story))


def delete_story(context: RequestContext) -> Response:
    """DELETE /userstories/{id}: needs no version."""
    story, _ = _writable_story(context, "delete_us")
    if story.poisoned:
        raise server_error(html=True)
    store, user = context.store, access.require_user(context.user)
    for task in store.tasks_of(story):
        store.tasks.remove(task)
    store.stories.remove(story)
    settle_milestone(store, store.milestones.get(story.milestone), may_open=False)
    history.record(store, user, story, {}, history.DELETE)
    return empty(204)
