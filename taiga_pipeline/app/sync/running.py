"""Plan and run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sync.run.runner import Outcome, RunReport
from taiga_pipeline.app.card_changes import CardChange
from taiga_pipeline.app.customers.looking_back import take_up_answers
from taiga_pipeline.app.deals.calendar_feed import write_feed
from taiga_pipeline.app.engine import make_runner
from taiga_pipeline.app.expiry import explaining_refusal, note_last_day
from taiga_pipeline.app.monitoring import send_heartbeat, write_metrics
from taiga_pipeline.app.notify.after_run import tell_of_failure, tell_of_run
from taiga_pipeline.app.portfolio import follow_up_of, portfolio_of
from taiga_pipeline.app.rotation.rotating import settle_what_was_cut_off
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.trouble import Trouble, trouble_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.http.bounds import decode_json, read_file
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.plan_json import why_ended
from taiga_pipeline.sources.port import Remembers

if TYPE_CHECKING:
    from sync.plan.model import Plan


@dataclass(frozen=True, slots=True)
class DrawnPlan:
    """What a run would do. ``tool`` is the target's name."""

    plan: Plan
    tool: str


@dataclass(frozen=True, slots=True)
class Performed:
    """A run, and those that followed because of what people did on cards of the board."""

    results: tuple[RunReport, ...]
    changes: tuple[CardChange, ...]
    tool: str

    @property
    def trouble(self) -> Trouble | None:
        """Why not everything was done, None if it was."""
        return next(filter(None, map(trouble_in, self.results)), None)

    @property
    def why(self) -> str:
        """Why a run ended early, "" if none did."""
        return next(filter(None, map(why_ended, self.results)), "")


def draw_plan(workspace: Workspace, *, full: bool = False) -> DrawnPlan:
    """Returns what a run would change. Writes nothing, neither in the target nor here.

    ``full`` compares everything, also where nothing seems to have moved.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Stop: nothing can be planned; says why.
    """
    with explaining_refusal(workspace), state_to_read(workspace) as store:
        runner = make_runner(workspace, store)
        return DrawnPlan(runner.plan(look_at_all=full), runner.target.name)


def perform(
    workspace: Workspace,
    stop: threading.Event,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    full: bool = False,
    allow: Sequence[str] = (),
    expect: str | None = None,
) -> Performed:
    """Runs the pipeline, and tells monitors and people of it.

    Once ``stop`` is set, it ends in good order. ``progress`` is called with the projects that are
    done, and how many there are. ``allow`` names limits that are lifted this once. ``expect`` is
    the fingerprint of the only plan that may be applied.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Stop: nothing could be done; says why.
    """
    try:
        settle_what_was_cut_off(workspace)
        with explaining_refusal(workspace):
            done = _perform(workspace, stop, progress, full=full, allow=allow, expect=expect)
    except Exception as error:
        tell_of_failure(workspace, error)
        raise
    if not stop.is_set():
        tell_of_run(workspace, done.trouble, done.why)
    return done


def _perform(
    workspace: Workspace,
    stop: threading.Event,
    progress: Callable[[int, int], None],
    *,
    full: bool,
    allow: Sequence[str],
    expect: str | None,
) -> Performed:
    with locked_state(workspace) as store:
        runner = make_runner(workspace, store, allow, stop)
        runner.progress = progress
        remembers = runner.source if isinstance(runner.source, Remembers) else None
        if remembers and full:
            remembers.read_anew()
        try:
            portfolio_of(workspace).tie_cards(runner)
            result = runner.run(look_at_all=full, expect=expect)
            note_last_day(store, runner.target)
            if remembers:
                remembers.keep()
            answers = partial(take_up_answers, workspace, runner)
            follow_up = follow_up_of(workspace, runner, result, answers)
            write_feed(workspace)
        finally:
            write_metrics(workspace, store)
        tool = runner.target.name
    send_heartbeat(workspace, result)
    return Performed((result, *follow_up.reports), follow_up.changes, tool)


def trouble_in(result: RunReport) -> Trouble | None:
    """Returns why a run did not do everything, None if it did."""
    if result.outcome is Outcome.REFUSED:
        return Trouble.REFUSED
    if result.stopped_by is not None:
        return trouble_of(result.stopped_by) or Trouble.PARTIAL
    return None if result.outcome is Outcome.DONE else Trouble.PARTIAL


class NotASavedPlan(ProblemsError):
    """A file that holds no plan."""


def saved_fingerprint(path: Path, pipeline: str) -> str:
    """Returns the fingerprint in a saved plan.

    :raises ProblemsError: no plan (`NotASavedPlan`), or another pipeline's.
    """
    try:
        data = decode_json(read_file(path))
        fingerprint, owner = data["fingerprint"], data["pipeline"]
    except (OSError, ValueError, TypeError, KeyError):
        raise NotASavedPlan([Problem("is not a saved plan", str(path))]) from None
    if owner != pipeline:
        raise ProblemsError(
            [Problem(f"is a plan for the pipeline {owner!r}, not for {pipeline!r}", str(path))]
        )
    return str(fingerprint)
