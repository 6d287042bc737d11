"""On Redmine, too, a wrong answer concerns what it is about, and the next runs heal everything."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sync.errors import Malformed, Stop
from sync.run.runner import Outcome
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.targets.redmine import shapes
from tests.contract.targets.accounts import RedmineAccount
from tests.contract.targets.test_runs import Pipeline
from tests.reliability.lies import FIELDS, WHOLE, Ask, Change, Lies, fields_of, in_place_of
from tests.reliability.lies import lies_on_the_wire as lying
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

pytestmark = pytest.mark.sampled(12)

MEMBER = "ana@example.invalid"
FOR_ALL = ("/users/current.json", "/projects.json", "/issues.json", "/custom_fields.json")


@dataclass
class Scene:
    """A pipeline of which one deal is to be made, one to be changed and one to be retired."""

    folder: Path
    lies: Lies
    count: int = 0
    answers: dict[Ask, bytes] = field(default_factory=dict)

    def play(self, about: Ask | None = None, change: Change = bytes) -> tuple[object, Pipeline]:
        """Returns how a run ends in which a kind of request is answered wrongly."""
        self.count += 1
        folder = self.folder / str(self.count)
        folder.mkdir()
        clock = ManualClock()
        redmine = FakeRedmine(now=clock.now)
        with redmine.answer():
            account = RedmineAccount(Connection(URL, "acme", token=Secret(KEY)), clock)
            pipeline = Pipeline(account, folder)
            for key in ("D-1", "D-2"):
                pipeline.want(key, "tentative", MEMBER)
            pipeline.run()
            clock.sleep(3600)
            pipeline.want("D-1", "staffed", MEMBER, title="Changed")
            pipeline.want("D-2", "retired")
            pipeline.want("D-3", "tentative", MEMBER)
            if about:
                self.lies.lie(about, change)
            try:
                ending: object = pipeline.run(full=True)
            except (Stop, Malformed) as error:
                ending = error
            self.lies.stop()
            outcomes = [run.outcome for run in pipeline.store.runs()]
            assert "running" not in outcomes
            self._settle(pipeline, redmine, clock)
        pipeline.store.close()
        return ending, pipeline

    @staticmethod
    def _settle(pipeline: Pipeline, redmine: FakeRedmine, clock: ManualClock) -> None:
        """Runs until all is in step; then everything is there, once."""
        for _ in range(3):
            clock.sleep(3600)
            report = pipeline.run(full=True)
            if report.outcome is Outcome.DONE:
                break
        assert report.outcome is Outcome.DONE, report.issues
        before = copy.deepcopy(redmine.projects)
        redmine.requests.clear()
        assert pipeline.run(full=True).outcome is Outcome.DONE
        assert redmine.writes() == []
        assert redmine.projects == before
        names = sorted(str(row["name"]) for row in redmine.projects.values())
        assert names == ["(lost) Acme D-2", "(tentative) Acme D-3", "Changed D-1"]
        subjects = [(i["project"]["id"], i["subject"]) for i in redmine.issues.values()]
        assert len(set(subjects)) == len(subjects)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with lying() as lies:
        scene = Scene(tmp_path_factory.mktemp("scene"), lies)
        scene.play()
        for ask in sorted(lies.asked):
            if ask.method != "PUT":  # whose answer is empty; what it wrote is read back
                scene.play(ask, lambda body, ask=ask: scene.answers.setdefault(ask, body))
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
    ending, _ = scene.play(ask, change)
    if isinstance(ending, BaseException):
        assert ask.path.partition("?")[0] in FOR_ALL, f"{ask} {what}: {ending}"
