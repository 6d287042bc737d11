"""Runs beside other work: one at a time, asked for in bursts, and ended in good order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync.errors import Locked
from taiga_pipeline.app.sync import background
from taiga_pipeline.app.sync.background import BackgroundRuns, Phase
from taiga_pipeline.app.workspace import Workspace


class Work:
    """Stands in for a run: it is counted, and lasts until it may end."""

    def __init__(self) -> None:
        self.allowed: list[list[str]] = []
        self.stopped: list[bool] = []
        self.errors: list[Exception] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(
        self,
        workspace: Workspace,
        stop: threading.Event,
        progress: Callable[[int, int], None],
        *,
        allow: list[str],
    ) -> Any:
        self.allowed.append(allow)
        progress(1, 3)
        self.begun.release()
        assert self.may_end.acquire(timeout=120)
        self.stopped.append(stop.is_set())
        if self.errors:
            raise self.errors.pop()

    def wait(self) -> None:
        assert self.begun.acquire(timeout=120)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def runs(work: Work, workspace: Workspace) -> Iterator[BackgroundRuns]:
    found = BackgroundRuns(lambda: workspace, work)
    yield found
    work.may_end.release(9)
    found.close()


def ended(runs: BackgroundRuns) -> str:
    """Waits until nothing is under way; returns why the last run could do nothing."""
    with runs._change:
        assert runs._change.wait_for(lambda: runs._progress.phase is Phase.IDLE, timeout=120)
    return runs.progress.error


def test_what_is_asked_for_during_a_run_is_one_run_after_it(
    work: Work, runs: BackgroundRuns
) -> None:
    runs.ask()
    work.wait()
    assert (runs.progress.phase, runs.progress.done, runs.progress.total) == (Phase.RUNNING, 1, 3)
    runs.ask(allow=["create"])
    runs.ask(pause=0.01, allow=["retire"])
    work.may_end.release(2)
    work.wait()
    ended(runs)
    assert work.allowed == [[], ["create", "retire"]]


def test_a_burst_of_requests_is_one_run(work: Work, runs: BackgroundRuns) -> None:
    work.may_end.release(9)
    for _ in range(20):
        runs.ask(pause=600)
    assert runs.progress.phase is Phase.WAITING
    assert work.allowed == []
    runs.ask(pause=0.01)
    work.wait()
    ended(runs)
    assert len(work.allowed) == 1


def test_a_run_that_finds_another_one_at_work_is_tried_again(
    work: Work, runs: BackgroundRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "AGAIN", 0.01)
    work.errors.append(Locked("another run is at work"))
    work.may_end.release(9)
    runs.ask(allow=["create"])
    work.wait()
    work.wait()
    assert ended(runs) == ""
    assert work.allowed == [["create"], ["create"]]


@pytest.mark.parametrize("error", [RuntimeError("a defect"), Locked("x")])
def test_whatever_goes_wrong_is_said_and_the_next_run_goes_on(
    error: Exception, work: Work, runs: BackgroundRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "AGAIN", 0.01)
    work.errors.append(error)
    work.may_end.release(9)
    runs.ask()
    work.wait()
    runs.ask()
    work.wait()
    ended(runs)
    runs.ask()
    work.wait()
    assert ended(runs) == ""


def test_closing_stops_the_run_in_good_order_and_takes_no_more(
    work: Work, runs: BackgroundRuns
) -> None:
    runs.ask()
    work.wait()
    closing = threading.Thread(target=runs.close)
    closing.start()
    assert runs._stop.wait(120)
    work.may_end.release()
    closing.join(120)
    assert work.stopped == [True]
    runs.ask()
    assert len(work.allowed) == 1
