"""An answer that is not what was asked for concerns what it is about, and nothing else.

Every kind of request that a run makes is answered with every kind of wrong answer, throughout that
run. The kinds of requests are those of an undisturbed run: a new one is covered by itself.
Whatever is answered, the run ends in good order and is recorded as ended, the other deals are
synced, and the runs after it bring everything to the very end of an undisturbed run, once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.targets.taiga import shapes
from tests.profiles import LONG
from tests.reliability.faults_world import (
    FOLLOWING,
    MAKING,
    PUT_AWAY,
    Original,
    Scenario,
    make_original,
)
from tests.reliability.lies import FIELDS, WHOLE, Ask, Change, Lies, fields_of, in_place_of
from tests.reliability.lies import lies_on_the_wire as lying

pytestmark = pytest.mark.sampled(12)

FOR_ALL = {"/auth", "/users/me", "/projects", "/user-storage"}
"""What every run needs: without it, a run cannot go on (exit code 6)."""


@dataclass
class Disturbed:
    """A scenario, what is asked in it, and the answers."""

    original: Original
    lies: Lies
    asks: dict[Ask, bytes]


@pytest.fixture(scope="module", params=[FOLLOWING, MAKING], ids=["following", "making"])
def lied(request: pytest.FixtureRequest) -> Iterator[Disturbed]:
    scenario: Scenario = request.param
    memory = Path("/dev/shm")
    with (
        Sandbox() as sandbox,
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        lying() as lies,
    ):
        original = make_original(sandbox, Path(folder), scenario)
        yield Disturbed(original, lies, _listen(original, lies))
        original.world.store.close()


def _listen(original: Original, lies: Lies) -> dict[Ask, bytes]:
    """Returns every kind of request of an undisturbed run, with an answer to it."""
    with lies.listen() as answers:
        original.again().run()
    return dict(sorted(answers.items()))


def test_the_shape_of_whatever_is_asked_for_is_declared(lied: Disturbed) -> None:
    assert len(lied.asks) >= 12
    for ask in lied.asks:
        assert shapes.is_known(ask.path.removeprefix("/").partition("?")[0]), ask


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_is_something_else(lied: Disturbed, name: str) -> None:
    for place, ask in enumerate(lied.asks):
        if LONG or (place + list(WHOLE).index(name)) % 10 == 0:
            check(lied, ask, lambda body: WHOLE[name])


@pytest.mark.parametrize("name", FIELDS)
def test_an_answer_of_which_one_field_is_something_else(lied: Disturbed, name: str) -> None:
    for place, (ask, body) in enumerate(lied.asks.items()):
        fields = fields_of(body)
        turn = place + list(FIELDS).index(name)
        if not LONG:
            fields = fields[turn % len(fields) :][:1] if fields and turn % 5 == 0 else []
        for each in fields:
            check(lied, ask, in_place_of(each, FIELDS[name]), each)


def check(lied: Disturbed, ask: Ask, change: Change, what: str = "") -> None:
    """Tries one wrong answer."""
    world = lied.original.again()
    lied.lies.lie(ask, change)
    ending = world.run()
    lied.lies.stop()
    if not lied.lies.count:
        return
    where = f"{ask} {what}: {ending}"
    expected = {ExitCode.DONE, ExitCode.PARTIAL}
    concerns_all = ask.path.partition("?")[0] in FOR_ALL and ask.method in ("GET", "POST")
    assert ending.code in (expected | {ExitCode.UNREACHABLE} if concerns_all else expected), where
    assert all(run.outcome != "running" for run in world.store.runs()), where
    assert world.put_away() <= PUT_AWAY, where
    for _ in range(3):
        ending = world.quiet()
        if ending.code is ExitCode.DONE:
            break
    assert ending.code is ExitCode.DONE, f"{where}\nthen {ending}"
    assert world.picture() == lied.original.undisturbed, where
    assert world.quiet().code is ExitCode.DONE
    assert world.writes() == [], where
    assert world.store.open_intents() == [], where
