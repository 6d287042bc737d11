"""What happened: timelines of projects, histories of items, one's own notification policies."""

from html import escape

from taiga_pipeline.sandbox import access, history
from taiga_pipeline.sandbox.access import require_user
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import no_match, not_found
from taiga_pipeline.sandbox.models import Event, Membership
from taiga_pipeline.sandbox.people import gravatar
from taiga_pipeline.sandbox.serving.wire import Json, Response, json_response, timestamp
from taiga_pipeline.sandbox.store import Store

_HISTORY_KINDS = {
    "userstory": ("view_us", "userstories.userstory"),
    "wiki": ("view_wiki_pages", "wiki.wikipage"),
    "task": ("view_tasks", "tasks.task"),
}


def _event_view(store: Store, event: Event) -> Json:
    user = store.users.get(event.user)
    project = store.projects.rows[event.project]
    who = {
        "id": event.user,
        "name": user.full_name if user else "",
        "photo": None,
        "big_photo": None,
        "gravatar_id": gravatar(user.email) if user else None,
        "username": user.username if user else "",
        "is_profile_visible": True,
        "date_joined": timestamp(user.date_joined) if user else None,
    }
    card = {name: getattr(project, name) for name in ("id", "name", "slug", "description")}
    return {
        "data": {**event.data, **_comment_html(event), "user": who, "project": card},
        "id": event.id,
        "content_type": 1,
        "object_id": event.project,
        "namespace": f"project:{event.project}",
        "event_type": event.event_type,
        "project": event.project,
        "data_content_type": 1,
        "created": timestamp(event.created),
    }


def _comment_html(event: Event) -> dict[str, str]:
    comment = event.data.get("comment")
    return {} if comment is None else {"comment_html": escape(comment, quote=False)}


def project_timeline(context: RequestContext) -> Response:
    """GET /timeline/project/{id}: newest first; there is no filter by date."""
    project = context.store.projects.get(context.number())
    if project is None:
        raise not_found()
    access.require(context.store, context.user, project, "view_project")
    rows = context.store.events.of(project.id)[::-1]
    return context.page(rows, lambda event: _event_view(context.store, event))


def item_history(context: RequestContext) -> Response:
    """GET /history/{userstory,wiki,task}/{id}: newest first; `type=comment` keeps comments only."""
    store = context.store
    permission, model = _HISTORY_KINDS.get(context.params["kind"], ("", ""))
    row: history.Item | None = None
    if context.params["kind"] == "userstory":
        row = store.stories.get(context.number())
    elif context.params["kind"] == "wiki":
        row = store.wiki_pages.get(context.number())
    elif context.params["kind"] == "task":
        row = store.tasks.get(context.number())
    project = store.projects.get(row.project) if row else None
    if row is None or project is None:
        raise not_found()
    if not access.allows(store, context.user, project, permission):
        raise access.refuse(context.user)
    entries = [entry for entry in reversed(row.history) if entry.type != history.CREATE]
    if context.query.get("type") == "comment":
        entries = [entry for entry in entries if entry.comment]
    key = f"{model}:{row.id}"
    return context.page(entries, lambda entry: history.entry_view(store, project, key, entry))


def _policy_view(store: Store, row: Membership) -> Json:
    return {
        "id": row.id,
        "project": row.project,
        "project_name": store.projects.rows[row.project].name,
        "notify_level": row.notify_level,
        "live_notify_level": row.live_notify_level,
        "web_notify_level": row.web_notify_level,
    }


def list_policies(context: RequestContext) -> Response:
    """GET /notify-policies: one's own, one per project; a policy has its membership's id here."""
    user = require_user(context.user)
    rows = list(context.store.memberships.of_user(user.id).values())
    return context.page(rows, lambda row: _policy_view(context.store, row))


def _policy(context: RequestContext) -> Membership:
    row = context.store.memberships.get(context.number())
    if row is None or row.user != require_user(context.user).id:
        raise no_match("NotifyPolicy")
    return row


def get_policy(context: RequestContext) -> Response:
    """GET /notify-policies/{id}."""
    return json_response(_policy_view(context.store, _policy(context)))


def patch_policy(context: RequestContext) -> Response:
    """PATCH /notify-policies/{id}: levels 1 involved, 2 all, 3 none."""
    row = _policy(context)
    form = context.form(partial=True)
    levels = {name: form.integer(name) for name in ("notify_level", "live_notify_level")}
    for name, level in levels.items():
        if level is not None and level not in (1, 2, 3):
            form.fail(name, f"Select a valid choice. {level} is not one of the available choices.")
    form.check()
    row.notify_level = levels["notify_level"] or row.notify_level
    row.live_notify_level = levels["live_notify_level"] or row.live_notify_level
    row.web_notify_level = form.boolean("web_notify_level", default=row.web_notify_level)
    context.store.touched(row.project)
    return json_response(_policy_view(context.store, row))
