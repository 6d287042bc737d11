"""The account of the made-up tool that the page about writing an adapter shows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sync.errors import OutcomeUnknown
from sync.records.model import Desired, Marker
from sync.target import Place, Written
from taiga_pipeline.http.connection import Connection
from tests.contract.targets.accounts import LABELS, new_pipeline
from tests.targets.support import ManualClock
from tests.targets.third_party.cards_adapter import CAPABILITIES
from tests.targets.third_party.cards_adapter.target import Cards


class Watched(Cards):
    """Cards that counts what is written, and loses the answer to a creation when asked to."""

    writes = 0
    loses_next = False

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        before = self._path.stat().st_ino
        with super()._changing() as data:
            yield data
        self.writes += self._path.stat().st_ino != before

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        return self._answered(super().create_root(desired, marker))

    def create_child(self, desired: Desired, place: Place) -> Written:
        return self._answered(super().create_child(desired, place))

    def _answered(self, written: Written) -> Written:
        if self.loses_next:
            self.loses_next = False
            raise OutcomeUnknown("the answer was lost by the test")
        return written


class CardsAccount:
    """A file of Cards, and the people who edit it."""

    member = "ana@example.invalid"
    roles = ("Back", "Design")
    shows_state = True
    tells_untouched_children = False
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "cards.json"
        path.write_text(json.dumps({"id": new_pipeline(), "next": 0, "projects": {}}))
        self._path = path
        self.pipeline = new_pipeline()
        self.clock = ManualClock()
        options = {"file": str(path)}
        connection = Connection("", self.pipeline, labels=LABELS, options=options)
        self.target = Watched(connection)
        self.target.connect()

    @property
    def writes(self) -> int:
        return self.target.writes

    def _edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes the file as a person does."""
        data = json.loads(self._path.read_text(encoding="utf-8"))
        change(data)
        self._path.write_text(json.dumps(data), encoding="utf-8")

    def _put(self, data: dict[str, Any], rows: dict[str, Any], row: dict[str, Any]) -> str:
        data["next"] += 1
        rows[str(data["next"])] = row
        return str(data["next"])

    def rename(self, root_id: str, name: str) -> None:
        self._edit(lambda data: data["projects"][root_id].update(name=name))

    def delete(self, root_id: str) -> None:
        self._edit(lambda data: data["projects"].pop(root_id))

    def add_story(self, root_id: str, subject: str) -> None:
        row = {"subject": subject}
        self._edit(lambda data: self._put(data, data["projects"][root_id]["cards"], row))

    def edit_story(self, root_id: str, story_id: str, subject: str) -> None:
        self._edit(
            lambda data: data["projects"][root_id]["cards"][story_id].update(subject=subject)
        )

    def copy_story(self, root_id: str, story_id: str) -> str:
        made: list[str] = []

        def copy(data: dict[str, Any]) -> None:
            rows = [project["cards"] for project in data["projects"].values()]
            (row,) = (cards[story_id] for cards in rows if story_id in cards)
            made.append(self._put(data, data["projects"][root_id]["cards"], dict(row)))

        self._edit(copy)
        return made[0]

    def delete_story(self, root_id: str, story_id: str) -> None:
        self._edit(lambda data: data["projects"][root_id]["cards"].pop(story_id))

    def move_story(self, root_id: str, story_id: str, other_id: str) -> None:
        def move(data: dict[str, Any]) -> None:
            row = data["projects"][root_id]["cards"].pop(story_id)
            data["projects"][other_id]["cards"][story_id] = row

        self._edit(move)

    def copy(self, root_id: str, name: str) -> str:
        made: list[str] = []

        def copy(data: dict[str, Any]) -> None:
            row = {**data["projects"][root_id], "name": name, "cards": {}}
            made.append(self._put(data, data["projects"], row))

        self._edit(copy)
        return made[0]

    def lose_next_answer(self) -> None:
        self.target.loses_next = True

    def clean_up(self) -> None:
        self._folder.cleanup()
