"""The store as JSON: dumped, loaded, and kept in a file that is replaced whole."""

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from taiga_pipeline.sandbox import models
from taiga_pipeline.sandbox.store import Store

FORMAT = 1
_ROWS: dict[str, Callable[..., Any]] = {
    "users": models.User,
    "projects": models.Project,
    "roles": models.Role,
    "memberships": models.Membership,
    "milestones": models.Milestone,
    "stories": models.Story,
    "tasks": models.Task,
    "story_attributes": models.CustomAttribute,
    "wiki_pages": models.WikiPage,
    "wiki_links": models.WikiLink,
    "attachments": models.Attachment,
    "events": models.Event,
    "storage": models.StorageEntry,
    "application_tokens": models.ApplicationToken,
}


def dump(store: Store) -> dict[str, Any]:
    """Everything that a restart must bring back, as plain JSON data; times as ISO text."""
    with store.lock:
        tables = {
            name: {"last_id": table.last_id, "rows": [_to_json(row) for row in table]}
            for name, table in store.tables().items()
        }
        return {
            "format": FORMAT,
            "secret": store.secret,
            "value_sequences": dict(store.value_sequences),
            "spent_refresh_tokens": sorted(store.spent_refresh_tokens),
            "revoked_access_tokens": sorted(store.revoked_access_tokens),
            "applications": sorted(store.applications),
            "tables": tables,
        }


def _to_json(row: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(row).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def load(store: Store, data: dict[str, Any]) -> None:
    """Replace what is in the store.

    Raises:
        ValueError: the data are not of this format.
    """
    if data.get("format") != FORMAT:
        raise ValueError(f"sandbox data of format {data.get('format')!r}; this one reads {FORMAT}")
    with store.lock:
        store.clear()
        store.secret = data["secret"]
        store.value_sequences = dict(data["value_sequences"])
        store.spent_refresh_tokens = set(data["spent_refresh_tokens"])
        store.revoked_access_tokens = set(data["revoked_access_tokens"])
        store.applications = set(data["applications"])
        for name, table in store.tables().items():
            kept = data["tables"].get(name, {"rows": [], "last_id": 0})  # older data lack some
            for row in kept["rows"]:
                table.add(_from_json(_ROWS[name], row))
            table.last_id = kept["last_id"]


def _from_json(kind: Callable[..., Any], row: dict[str, Any]) -> Any:
    values = dict(row)
    for each in fields(kind):  # type: ignore[arg-type]
        value = values.get(each.name)
        if isinstance(value, str) and "datetime" in str(each.type):
            values[each.name] = datetime.fromisoformat(value)
    if "history" in values:
        values["history"] = [_from_json(models.HistoryEntry, entry) for entry in values["history"]]
    if kind is models.Role:
        values["permissions"] = tuple(values["permissions"])
    return kind(**values)


def save_file(store: Store, path: Path) -> None:
    """Write the store to a file that only its owner may read; whoever reads it sees the old or
    the new.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dump(store), file, ensure_ascii=True)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_file(store: Store, path: Path) -> None:
    """Read what `save_file` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not what `save_file` wrote.
    """
    load(store, json.loads(path.read_text(encoding="utf-8")))


class AutoSave:
    """Saves a store to a file every few seconds while it changes, and once more at the end.

    A big store takes long to write; then it is saved more rarely, a tenth of the time at most.
    """

    def __init__(self, store: Store, path: Path, seconds: float = 2.0) -> None:
        self._store = store
        self._path = path
        self._seconds = seconds
        self._saved = store.changes
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to save."""
        self._thread.start()

    def stop(self) -> None:
        """Save what is not saved yet, and end."""
        self._ending.set()
        self._thread.join()
        self.save_if_changed()

    def save_if_changed(self) -> None:
        """Save, unless nothing changed since the last time."""
        changes = self._store.changes
        if changes != self._saved:
            save_file(self._store, self._path)
            self._saved = changes

    def _run(self) -> None:
        pause = self._seconds
        while not self._ending.wait(pause):
            begun = time.monotonic()
            self.save_if_changed()
            pause = max(self._seconds, 9 * (time.monotonic() - begun))
