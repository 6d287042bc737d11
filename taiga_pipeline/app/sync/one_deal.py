"""One deal alone: what a run would do for it, and the run."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taiga_pipeline.app.engine import make_runner
from taiga_pipeline.app.notify.after_run import tell_of_run
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.sync.running import trouble_in
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.records import deal_of
from taiga_pipeline.report.plan_json import why_ended

if TYPE_CHECKING:
    from sync.plan.limits import Breach
    from sync.plan.model import Action, Issue, Plan
    from sync.ways_out import Explained


@dataclass(frozen=True, slots=True)
class DealPlan:
    """What a run would do for one deal.

    ``tool`` is the target's name. ``left_alone`` is why no project is made of it, "" for no reason
    but that there is nothing to do. ``breaches`` are limits that would refuse it.
    """

    tool: str
    actions: tuple[Action, ...]
    issues: tuple[Issue, ...]
    breaches: tuple[Breach, ...]
    left_alone: str


@dataclass(frozen=True, slots=True)
class DealSynced:
    """What a run for one deal did. ``refusals`` say why it did nothing, ``why`` what ended it early
    ("" for nothing)."""

    tool: str
    applied: tuple[Action, ...]
    issues: tuple[Issue, ...]
    refusals: tuple[Explained, ...]
    why: str


def plan_deal(workspace: Workspace, key: str) -> DealPlan:
    """Returns what a run would do for a deal; writes nothing anywhere.

    :raises UnknownDeal: there is no such deal.
    :raises Stop: nothing can be planned; says why.
    """
    only = _known(workspace, key)
    with state_to_read(workspace) as store:
        runner = make_runner(workspace, store, only=only)
        plan = runner.plan()
        return DealPlan(
            tool=runner.target.name,
            actions=plan.actions,
            issues=_of(key, plan.issues),
            breaches=plan.breaches,
            left_alone=_left_alone(plan, key),
        )


def sync_deal(workspace: Workspace, key: str) -> DealSynced:
    """Runs the pipeline for one deal alone: all others stay as they are until the next run.

    :raises UnknownDeal: there is no such deal.
    :raises Locked: another run is at work.
    :raises Stop: nothing could be done; says why.
    """
    only = _known(workspace, key)
    with locked_state(workspace) as store:
        runner = make_runner(workspace, store, (), threading.Event(), only)
        result = runner.run()
        tool = runner.target.name
    tell_of_run(workspace, trouble_in(result), why_ended(result))
    return DealSynced(
        tool, tuple(result.applied), _of(key, result.issues), result.refusals, why_ended(result)
    )


def _known(workspace: Workspace, key: str) -> frozenset[str]:
    if workspace.has_store:
        with deal_store(workspace) as store:
            store.get(key)
    return frozenset({key})


def _of(key: str, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    return tuple(each for each in issues if key in (each.key.group, deal_of(each.key.group)))


def _left_alone(plan: Plan, key: str) -> str:
    return next((why for why, keys in plan.left_alone.items() if key in keys), "")
