"""Files on wiki pages and stories. An SVG breaks its item for good, as on a real server."""

import hashlib

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import invalid_pk, server_error
from taiga_pipeline.sandbox.fields import REQUIRED
from taiga_pipeline.sandbox.models import Attachment, Project, Story, User, WikiPage
from taiga_pipeline.sandbox.serving.multipart import File
from taiga_pipeline.sandbox.serving.wire import (
    API_PREFIX,
    Json,
    Request,
    Response,
    empty,
    json_response,
    timestamp,
)

_KINDS = {"wiki": ("wikipage", "view_wiki_pages"), "userstories": ("us", "view_us")}


def _view(request: Request, row: Attachment) -> dict[str, Json]:
    sha = row.sha1
    path = f"attachments/{sha[0]}/{sha[1]}/{sha[2]}/{sha[3]}/{sha[4:]}/{row.name}"
    host = request.headers.get("host", "localhost")
    marker = f"{_KINDS[row.kind][0]}:{row.id}"
    url = f"http://{host}/media/{path}#_taiga-refresh={marker}"
    return {
        "id": row.id,
        "project": row.project,
        "owner": row.owner,
        "name": row.name,
        "attached_file": path,
        "size": row.size,
        "url": url,
        "description": row.description,
        "is_deprecated": False,
        "from_comment": False,
        "created_date": timestamp(row.created_date),
        "modified_date": timestamp(row.modified_date),
        "object_id": row.object_id,
        "order": 0,
        "sha1": row.sha1,
        "thumbnail_card_url": None,
        "preview_url": url,
    }


def _item(context: RequestContext, object_id: int | None) -> WikiPage | Story | None:
    if _kind(context) == "wiki":
        return context.store.wiki_pages.get(object_id)
    return context.store.stories.get(object_id)


def _kind(context: RequestContext) -> str:
    return context.request.path.removeprefix(API_PREFIX).split("/")[1]


def list_attachments(context: RequestContext) -> Response:
    """GET /{wiki,userstories}/attachments?project=&object_id=."""
    kind = _kind(context)
    store = context.store
    object_id = context.query_number("object_id")
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, _KINDS[kind][1], project_id)
    item = _item(context, object_id)
    if item is not None and item.poisoned:
        raise server_error(html=True)
    rows = [
        row
        for row in store.attachments.of(project_id or 0)
        if row.kind == kind and row.object_id == object_id and row.project in wanted
    ]
    return context.page(rows, lambda row: _view(context.request, row))


def create_attachment(context: RequestContext) -> Response:
    """POST /{wiki,userstories}/attachments, a multipart form with `attached_file`."""
    kind = _kind(context)
    user = access.require_user(context.user)
    form = context.form()
    project_id = form.reference("project", required=True)
    object_id = form.reference("object_id", required=True)
    file = form.data.get("attached_file")
    if not isinstance(file, File):
        form.fail("attached_file", REQUIRED)
    elif not file.content:
        form.fail("attached_file", "The submitted file is empty.")
    project = context.store.projects.get(project_id)
    item = _item(context, object_id)
    if object_id is not None and (item is None or item.project != project_id):
        form.fail("object_id", invalid_pk(object_id))
    form.check()
    permission = "modify_wiki_page" if kind == "wiki" else "modify_us"
    project = access.writable(access.require(context.store, user, project, permission))
    assert isinstance(file, File) and item is not None  # the form was checked
    row = _keep(context, item, form.text("description"), file)
    if row.name.lower().endswith(".svg"):
        item.poisoned = True
        raise server_error(html=True)
    _record(context, project, row, user)
    view = _view(context.request, row)
    return json_response(view, 201, {"Location": str(view["url"])})


def _keep(
    context: RequestContext, item: WikiPage | Story, description: str, file: File
) -> Attachment:
    store = context.store
    now = store.clock.tick()
    row = Attachment(
        id=store.attachments.next_id(),
        project=item.project,
        kind=_kind(context),
        object_id=item.id,
        owner=access.require_user(context.user).id,
        name=file.name,
        description=description,
        size=len(file.content),
        sha1=hashlib.sha1(file.content, usedforsecurity=False).hexdigest(),
        created_date=now,
        modified_date=now,
    )
    return store.attachments.add(row)


def _record(context: RequestContext, project: Project, row: Attachment, user: User) -> None:
    kind = "wiki.wikipage" if row.kind == "wiki" else "userstories.userstory"
    data = {"values_diff": {"attachments": {"new": [{"id": row.id, "filename": row.name}]}}}
    context.store.record(project, user, f"{kind}.change", row.object_id, data)


def delete_attachment(context: RequestContext) -> Response:
    """DELETE /{wiki,userstories}/attachments/{id}."""
    kind = _kind(context)
    row = context.store.attachments.get(context.number())
    project = context.store.projects.get(row.project) if row and row.kind == kind else None
    permission = "modify_wiki_page" if kind == "wiki" else "modify_us"
    project = access.writable(access.require(context.store, context.user, project, permission))
    assert row is not None  # its project was found through it
    context.store.attachments.remove(row)
    _record(context, project, row, access.require_user(context.user))
    return empty(204)
