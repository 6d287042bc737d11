"""Every kind of fault at every kind of request: nothing is lost, doubled or wrongly retired.

In each cell a run meets the fault, and ends as `faults_table` says that a user would call right.
The next run, without a fault, brings everything to the very end that an undisturbed run comes to,
and the one after that writes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.http import deadline
from taiga_pipeline.sandbox.embedded import Sandbox
from taiga_pipeline.sandbox.faults import FaultKind
from taiga_pipeline.targets.taiga import paging, reading
from tests.figures import Figure
from tests.reliability.faults_table import _SHAPES, ASKS, Cell, Outcome, Trouble, cells
from tests.reliability.faults_world import (
    FOLLOWING,
    MAKING,
    PATIENCE_SECONDS,
    PUT_AWAY,
    SILENCE_SECONDS,
    Ending,
    Original,
    Scenario,
    World,
    make_original,
)

pytestmark = pytest.mark.sampled(60, whole=3)

LONGER = 20
IMPATIENT = {Trouble.NO_ANSWER_BEFORE, Trouble.NO_ANSWER_AFTER, Trouble.SLOW_DRIP}

CODES = {
    Outcome.AT_ONCE: ExitCode.DONE,
    Outcome.NEXT_RUN: ExitCode.DONE,
    Outcome.ONE_DEAL: ExitCode.PARTIAL,
    Outcome.WAITING: ExitCode.PARTIAL,
    Outcome.UNREAD: ExitCode.PARTIAL,
    Outcome.STOPPED: ExitCode.UNREACHABLE,
}

Originals = Callable[[Scenario], Original]


@pytest.fixture(scope="module")
def originals() -> Iterator[Originals]:
    """The worlds of the scenarios, each made once and put back for every cell."""
    with Sandbox() as following, Sandbox() as making, _folder() as one, _folder() as other:
        made = [make_original(following, one, FOLLOWING), make_original(making, other, MAKING)]
        yield lambda scenario: next(each for each in made if each.scenario is scenario)
        for each in made:
            each.world.store.close()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, where the machine has that: hundreds of journals are written here."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


Check = Callable[[Cell], None]


@pytest.fixture
def check(originals: Originals, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Tries one cell."""
    monkeypatch.setattr(deadline, "WHOLE_ANSWER", 1.0)

    def check(cell: Cell) -> None:
        if cell.trouble not in IMPATIENT:
            return attempt(cell, PATIENCE_SECONDS)
        try:
            return attempt(cell, SILENCE_SECONDS)
        except AssertionError:
            # On a busy machine other requests than the one with the fault take longer than that.
            return attempt(cell, LONGER * SILENCE_SECONDS, LONGER)

    def attempt(cell: Cell, timeout: float, longer: float = 1.0) -> None:
        original = originals(cell.ask.scenario)
        planned = cell.faults(original.ids)
        faults = [replace(fault, seconds=longer * fault.seconds) for fault in planned]
        world = original.again(*faults, timeout_seconds=timeout)
        ending = world.run()
        assert any(request.fault for request in world.sandbox.requests), "no request met the fault"
        assert ending.code is CODES[cell.outcome], ending
        world.timeout_seconds = PATIENCE_SECONDS
        _check_meanwhile(cell, ending, world, original)
        _check_end(world, original, cell)

    return check


def _check_meanwhile(cell: Cell, ending: Ending, world: World, original: Original) -> None:
    """What holds right after the run that met the fault."""
    assert world.put_away() <= PUT_AWAY
    picture = world.picture()
    if cell.outcome is Outcome.UNREAD:
        assert ending.report is not None and ending.report.unread
        assert not ending.complaints, ending
    if cell.outcome in (Outcome.AT_ONCE, Outcome.UNREAD):
        assert picture == original.undisturbed, ending
    if cell.outcome is Outcome.ONE_DEAL:
        assert ending.complaints == {cell.ask.deal}, ending
    if cell.outcome in (Outcome.ONE_DEAL, Outcome.NEXT_RUN):
        others = original.others(cell.ask.deal or "changed")
        assert {name: picture.get(name) for name in others} == others
    if cell.outcome is Outcome.STOPPED:
        assert ending.message


def _check_end(world: World, original: Original, cell: Cell) -> None:
    """What holds after runs without a fault: everything, and nothing twice."""
    ending = world.quiet()
    assert ending.code is ExitCode.DONE, ending
    assert world.picture() == original.undisturbed
    if cell.outcome not in (Outcome.AT_ONCE, Outcome.UNREAD):
        ending = world.quiet()
    assert ending.code is ExitCode.DONE, ending
    assert world.writes() == []


def each_request(trouble: Trouble) -> pytest.MarkDecorator:
    """Tries a fault kind with every kind of request."""
    return pytest.mark.parametrize("cell", cells(trouble), ids=str)


@each_request(Trouble.NO_ANSWER_BEFORE)
def test_a_request_that_is_not_answered_and_had_no_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.NO_ANSWER_AFTER)
def test_a_request_that_is_not_answered_but_had_its_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.RESET_BEFORE)
def test_a_connection_that_is_reset_before_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.RESET_AFTER)
def test_a_connection_that_is_reset_after_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.SLOW_DRIP)
def test_an_answer_that_drips_does_not_hold_the_run(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.TRUNCATED)
def test_an_answer_that_is_cut_in_half(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.NOT_JSON)
def test_a_web_page_for_an_answer(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.JSON_500_BEFORE)
def test_a_500_in_json_before_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.HTML_500_AFTER)
def test_a_500_in_html_after_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.HTML_502_BEFORE)
def test_a_502_in_html_before_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.JSON_502_AFTER)
def test_a_502_in_json_after_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.JSON_503_BEFORE)
def test_a_503_in_json_before_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.HTML_503_AFTER)
def test_a_503_in_html_after_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.HTML_504_BEFORE)
def test_a_504_in_html_before_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.JSON_504_AFTER)
def test_a_504_in_json_after_the_effect(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.THROTTLED)
def test_a_server_that_asks_for_fewer_requests_gets_them_within_the_budget(
    check: Check, cell: Cell
) -> None:
    check(cell)


@each_request(Trouble.TOKEN_EXPIRED)
def test_a_token_that_expires_in_the_middle_of_a_run(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.REFRESH_LOST)
def test_a_renewal_of_the_token_whose_answer_is_lost(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.ARCHIVED)
def test_a_403_as_of_an_archived_project(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.BLOCKED)
def test_a_451_as_of_a_blocked_project(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.HALF_MADE)
def test_a_half_made_project_is_made_whole_beside_it_once(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.SHIFTED_PAGE)
def test_a_page_that_shifts_while_the_list_is_read(
    check: Check, cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (paging, reading):
        monkeypatch.setattr(module, "PAGE_SIZE", 1)
    check(cell)


@each_request(Trouble.WRONG_COUNT)
def test_a_count_that_does_not_match_what_came(check: Check, cell: Cell) -> None:
    check(cell)


@each_request(Trouble.EMPTY_LIST)
def test_a_list_that_is_empty_and_says_so(check: Check, cell: Cell) -> None:
    check(cell)


# Cases that do not fit into the table


def test_a_superuser_sees_the_half_made_project_and_neither_adopts_nor_doubles_it(
    tmp_path: Path,
) -> None:
    with Sandbox() as sandbox:
        original = make_original(sandbox, tmp_path, MAKING, username="admin")
        cell = cells(Trouble.HALF_MADE)[0]
        world = original.again(*cell.faults(original.ids))
        assert world.run().code is ExitCode.PARTIAL
        _check_end(world, original, cell)
        ours = [
            project
            for project in sandbox.as_user("admin").get("/projects")
            if "pipeline-sync:acme:new" in project["tags_colors"]
        ]
        assert sorted(bool(project["members"]) for project in ours) == [False, True]
        world.store.close()


def test_the_matrix_is_complete_and_its_size_is_what_the_docs_say(figure: Figure) -> None:
    tried = {shape.kind for shape in _SHAPES.values()} | {FaultKind.REFRESH_ANSWER_LOST}
    assert tried == set(FaultKind)
    assert _SHAPES.keys() == set(Trouble)
    total = sum(len(cells(trouble)) for trouble in Trouble)
    count = f"{len(Trouble)} fault kinds × {len(ASKS)} request kinds: {total} cells"
    figure(count)
    docs = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert count in docs.read_text(encoding="utf-8")
