"""Each account's private key-value storage, with unique keys."""

from taiga_pipeline.sandbox.access import require_user
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import bad_request, no_match, not_found
from taiga_pipeline.sandbox.models import StorageEntry
from taiga_pipeline.sandbox.serving.wire import Json, Response, empty, json_response, timestamp

KEY_LIMIT = 255


def _view(entry: StorageEntry) -> Json:
    return {
        "key": entry.key,
        "value": entry.value,
        "created_date": timestamp(entry.created_date),
        "modified_date": timestamp(entry.modified_date),
    }


def _own(context: RequestContext) -> list[StorageEntry]:
    user = require_user(context.user)
    rows = [entry for entry in context.store.storage if entry.user == user.id]
    return sorted(rows, key=lambda entry: entry.key)


def _named(context: RequestContext) -> StorageEntry:
    """The entry of the path; one whose key has a dot can be made, but never be found again."""
    key = context.params["key"]
    entry = next((entry for entry in _own(context) if entry.key == key), None)
    if "." in key:
        raise not_found()
    if entry is None:
        raise no_match("StorageEntry")
    return entry


def list_entries(context: RequestContext) -> Response:
    """GET /user-storage."""
    if context.user is None:
        return context.page([], _view)
    return context.page(_own(context), _view)


def get_entry(context: RequestContext) -> Response:
    """GET /user-storage/{key}."""
    return json_response(_view(_named(context)))


def create_entry(context: RequestContext) -> Response:
    """POST /user-storage: 400 if the key is taken, so that it serves as a lock."""
    user = require_user(context.user)
    form = context.form()
    key = form.text("key", required=True, limit=KEY_LIMIT)
    form.check()
    if any(entry.key == key for entry in _own(context)):
        message = f"Duplicate key value violates unique constraint. Key '{key}' already exists."
        raise bad_request(message)
    now = context.store.clock.tick()
    table = context.store.storage
    entry = StorageEntry(table.next_id(), user.id, key, form.data.get("value"), now, now)
    table.add(entry)
    context.store.changes += 1
    return json_response(_view(entry), 201)


def patch_entry(context: RequestContext) -> Response:
    """PATCH /user-storage/{key}: replaces the value."""
    entry = _named(context)
    form = context.form(partial=True)
    if "value" in form:
        entry.value = form.data["value"]
    entry.modified_date = context.store.clock.tick()
    context.store.changes += 1
    return json_response(_view(entry))


def put_entry(context: RequestContext) -> Response:
    """PUT /user-storage/{key}: needs the key in the body too, and makes nothing new."""
    if all(entry.key != context.params["key"] for entry in _own(context)):
        raise not_found()
    form = context.form()
    form.text("key", required=True)
    form.check()
    return patch_entry(context)


def delete_entry(context: RequestContext) -> Response:
    """DELETE /user-storage/{key}."""
    context.store.storage.remove(_named(context))
    context.store.changes += 1
    return empty(204)
