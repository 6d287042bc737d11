"""Two at once: two runs on one machine, and a run and a person in the same project."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from taiga_pipeline.cli.exit_codes import ExitCode
from tests.figures import Figure
from tests.profiles import LONG, PROFILE
from tests.reliability.kills.harness import PARTIAL, Gate, fleet

from .edits import EDITS, Interleaving

EVERY = {"sample": 32, "whole": 5, "long": 1}[PROFILE]
"""Each edit is tried at so few of the requests; the next edit at the ones next to them."""
FIRST_WRITE = 40
"""A request in the midst of the run."""


@pytest.fixture(scope="module")
def interleaving() -> Iterator[Interleaving]:
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(dir=place, prefix="races-") as folder:
        world = Interleaving(Path(folder))
        yield world
        world.close()


UNPROTECTED = {
    "writes above the facts": "text",
    "writes below the facts": "text",
    "writes among the facts": "text",
}
"""What Taiga offers no way to protect: a project has no version, and its description is in no
timeline, so that a text that is saved within the one round trip between the last look and the
write is written over. Names, tags and milestones are found in the timeline and put back."""


@pytest.mark.sampled_inside
def test_an_edit_at_any_request_of_an_update_survives_and_is_settled_by_the_next_run(
    interleaving: Interleaving, figure: Figure
):
    began = time.monotonic()
    requests = interleaving.count_requests()
    wrong, tried, merged, reported, unprotected = [], 0, 0, 0, 0
    for turn, (name, edit) in enumerate(EDITS.items()):
        for at in range(3 + turn % EVERY, requests + 1, EVERY):  # two log in
            raced = interleaving.race(at, edit)
            tried += 1
            place = f"somebody {name} before request {at} of {requests}"
            if raced.between_look_and_write and raced.violations and name in UNPROTECTED:
                assert [each for each in raced.violations if UNPROTECTED[name] in each]
                unprotected += 1
                continue
            wrong += [f"{place}: {each}" for each in raced.violations]
            if raced.after.applied and raced.edited_before_last_write and not raced.reported:
                wrong.append(f"{place}: the next run had to write, and this one did not say so")
            reported += bool(raced.during.meanwhile)
            merged += not raced.after.applied
    assert not wrong, "\n".join(wrong)
    assert unprotected == len(UNPROTECTED) or not LONG
    figure(
        f"{len(EDITS)} edits x {requests - 2} requests, {tried} tried, "
        f"{merged} merged at once, {reported} reported as edited meanwhile, {unprotected} in "
        f"the round trip that Taiga leaves open, "
        f"{time.monotonic() - began:.0f} s"
    )


def test_a_write_that_anothers_write_in_the_same_moment_undid_is_repeated_by_the_next_run(
    interleaving: Interleaving,
):
    during, after, project = interleaving.race_in_flight()
    assert during.meanwhile == ("D1",)
    assert after.applied
    assert project.name == "Acme & Sons: Title of D1"
    assert project.description.startswith("Petra was here.")
    assert "Customer: Acme & Sons" in project.description


def test_of_two_runs_at_once_on_one_machine_one_works_and_the_other_goes_away_with_5():
    with fleet(1) as (situation,), situation.another() as world:
        gate = Gate(world.sandbox, FIRST_WRITE)
        at_work = world.children.start(world.folder, "run")
        gate.wait()
        code = world.run("run")
        said = world.said()
        gate.open()
        at_work.communicate(timeout=300)
        assert (code, at_work.returncode) == (int(ExitCode.LOCKED), PARTIAL)
        assert f"process {at_work.pid}" in said
        world.sandbox.clear_requests()
        assert world.run("run") == PARTIAL
        assert not world.requests(writes=True)
