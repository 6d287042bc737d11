"""State that outlives a sandbox."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.persistence import AutoSave, dump, load, save_file
from taiga_pipeline.sandbox.store import Store


def busy(sandbox: Sandbox) -> int:
    """Something in every table; the project's id."""
    bot = sandbox.as_user("pipeline-bot")
    project = bot.post("/projects", {"name": "A", "description": "d", "tags": ["x"]})
    number = int(project["id"])
    role = project["roles"][0]["id"]
    bot.post("/memberships", {"project": number, "role": role, "username": "ana@example.test"})
    dates = {"estimated_start": "2026-01-01", "estimated_finish": "2026-01-09"}
    milestone = bot.post("/milestones", {"project": number, "name": "m", **dates})
    done = project["us_statuses"][4]["id"]
    story = bot.post(
        "/userstories",
        {"project": number, "subject": "s", "milestone": milestone["id"], "status": done},
    )
    bot.patch(f"/userstories/{story['id']}", {"subject": "t", "version": 1})
    bot.post("/tasks", {"project": number, "user_story": story["id"], "subject": "s"})
    bot.post("/userstory-custom-attributes", {"project": number, "name": "Value"})
    bot.post("/wiki", {"project": number, "slug": "home", "content": "x"})
    bot.post("/wiki-links", {"project": number, "title": "Plan"})
    bot.post("/user-storage", {"key": "k", "value": {"when": "2026-01-01T00:00:00+00:00"}})
    sandbox.application_token("pm")
    return number


def test_a_saved_state_comes_back_equal() -> None:
    sandbox = Sandbox()
    busy(sandbox)
    saved = json.loads(json.dumps(dump(sandbox.store)))
    other = Store()
    load(other, saved)
    assert dump(other) == dump(sandbox.store)
    assert all(table["rows"] for name, table in saved["tables"].items() if name != "attachments")


def test_a_sandbox_with_a_file_continues_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with Sandbox(data=file) as first:
        number = busy(first)
        before = first.as_user("pipeline-bot").get(f"/projects/{number}")
        token = first.as_user("pm").user.id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Sandbox(data=file) as second:
        bot = second.as_user("pipeline-bot")
        assert bot.get(f"/projects/{number}") == before
        assert second.people.get("pm").id == token
        assert bot.post("/projects", {"name": "A", "description": "d"})["slug"] == "a-1"
        story = bot.get("/userstories")[0]
        bot.patch(f"/userstories/{story['id']}", {"description": "d", "version": 1})
    assert list(tmp_path.iterdir()) == [file]


def test_only_changes_are_saved(tmp_path: Path) -> None:
    sandbox, file = Sandbox(), tmp_path / "sandbox.json"
    save = AutoSave(sandbox.store, file)
    save.save_if_changed()
    assert not file.exists()
    busy(sandbox)
    save.save_if_changed()
    assert file.exists()


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, file = Sandbox(), tmp_path / "sandbox.json"
    save_file(sandbox.store, file)
    before = file.read_text(encoding="utf-8")

    def full_disk(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_file(sandbox.store, file)
    assert file.read_text(encoding="utf-8") == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    file.write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(ValueError, match="format 99"):
        Sandbox(data=file)
