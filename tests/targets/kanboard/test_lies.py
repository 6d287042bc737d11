"""On Kanboard, too, a wrong answer concerns what it is about, and the next runs heal everything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
import responses

from tests.contract.targets.accounts import KanboardAccount
from tests.reliability.lies import FIELDS, WHOLE, Ask, Change, fields_of, in_place_of
from tests.reliability.lies import lies_on_the_wire as lying
from tests.targets.kanboard.conftest import CONNECTION
from tests.targets.kanboard.fake import FakeKanboard
from tests.targets.lying_scene import Scene
from tests.targets.support import ManualClock

pytestmark = pytest.mark.sampled(12)

FOR_ALL = ("getVersion,getTimezone,getProjectByIdentifier", "getAllProjects", "getAllTasks")
"""What every run asks for before it looks at any deal."""


class Tool:
    """A Kanboard in memory."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.kanboard = FakeKanboard(now=clock.now)

    def answer(self) -> responses.RequestsMock:
        return self.kanboard.answer()

    def open_account(self) -> KanboardAccount:
        return KanboardAccount(CONNECTION, self.clock)

    def projects(self) -> Mapping[int, Mapping[str, Any]]:
        rows = self.kanboard.projects.items()
        return {n: row for n, row in rows if not row["identifier"].startswith("PSL")}

    def tasks(self) -> list[tuple[int, str]]:
        return [(row["project_id"], row["title"]) for row in self.kanboard.tasks.values()]

    def writes(self) -> Collection[object]:
        return self.kanboard.writes()

    def forget_requests(self) -> None:
        self.kanboard.requests.clear()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lying() as lies:
        scene = Scene(tmp_path_factory.mktemp("scene"), lies, Tool)
        scene.play()
        yield scene


def test_each_kind_of_request_is_tried(scene: Scene) -> None:
    assert len(scene.answers) >= 9
    assert any("createProject" in ask.path for ask in scene.answers)


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_something_else(scene: Scene, name: str) -> None:
    for place, ask in enumerate(scene.answers):
        if (place + list(WHOLE).index(name)) % 9 == 0:
            check(scene, ask, lambda body: WHOLE[name])


@pytest.mark.parametrize("name", FIELDS)
def test_an_answer_of_which_one_field_is_something_else(scene: Scene, name: str) -> None:
    for place, (ask, body) in enumerate(scene.answers.items()):
        turn = place + list(FIELDS).index(name)
        fields = fields_of(body)
        if fields and turn % 6 == 0:
            each = fields[turn % len(fields)]
            check(scene, ask, in_place_of(each, FIELDS[name]), each)


def check(scene: Scene, ask: Ask, change: Change, what: str = "") -> None:
    ending = scene.play(ask, change)
    if isinstance(ending, BaseException):
        assert ask.path.partition("?")[2] in FOR_ALL, f"{ask} {what}: {ending}"
