"""On Redmine, too, a wrong answer concerns what it is about, and the next runs heal everything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
import responses

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.redmine import shapes
from tests.contract.targets.accounts import RedmineAccount
from tests.reliability.lies import FIELDS, WHOLE, Ask, Change, fields_of, in_place_of
from tests.reliability.lies import lies_on_the_wire as lying
from tests.targets.lying_scene import Scene
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

pytestmark = pytest.mark.sampled(12)

FOR_ALL = ("/users/current.json", "/projects.json", "/issues.json", "/custom_fields.json")


class Tool:
    """A Redmine in memory."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.redmine = FakeRedmine(now=clock.now)

    def answer(self) -> responses.RequestsMock:
        return self.redmine.answer()

    def open_account(self) -> RedmineAccount:
        return RedmineAccount(Connection(URL, "acme", token=Secret(KEY)), self.clock)

    def projects(self) -> Mapping[int, Mapping[str, Any]]:
        return self.redmine.projects

    def tasks(self) -> list[tuple[int, str]]:
        return [(row["project"]["id"], row["subject"]) for row in self.redmine.issues.values()]

    def writes(self) -> Collection[object]:
        return self.redmine.writes()

    def forget_requests(self) -> None:
        self.redmine.requests.clear()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lying() as lies:
        scene = Scene(tmp_path_factory.mktemp("scene"), lies, Tool)
        scene.play()
        yield scene


def test_the_shape_of_whatever_is_asked_for_is_declared(scene: Scene) -> None:
    assert len(scene.answers) >= 9
    for ask in scene.answers:
        assert shapes.is_known(ask.path.removeprefix("/").partition("?")[0]), ask


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
        assert ask.path.partition("?")[0] in FOR_ALL, f"{ask} {what}: {ending}"
