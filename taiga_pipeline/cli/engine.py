"""The engine, put together from the configuration."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sync.clock import StoppableClock
from sync.database import shown
from sync.limits import DEFAULTS
from sync.state import StateStore
from taiga_pipeline.cli.context import Context
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean

if TYPE_CHECKING:
    from sync.runner import Runner


@contextmanager
def locked_state(context: Context) -> Iterator[StateStore]:
    """Opens the state store for changes, under the run lock.

    :raises Locked: a run is at work.
    """
    from sync.runner import open_for_run

    settings = context.settings
    with open_for_run(context.state_url, settings.pipeline, context.clock) as store:
        yield store


@contextmanager
def state_to_read(context: Context, *, is_there: bool | None = None) -> Iterator[StateStore]:
    """Opens the state store for a look, and changes nothing in it, not even an older format.

    Where there is none, it is an empty one that leaves no trace. ``is_there`` tells so where that
    is known.
    """
    has_state = context.has_state() if is_there is None else is_there
    url = context.state_url if has_state else "sqlite://"
    store = StateStore(url, context.settings.pipeline, context.clock, changes=not has_state)
    try:
        yield store
    finally:
        store.close()


def make_runner(
    context: Context,
    store: StateStore,
    allow: Sequence[str] = (),
    stop: threading.Event | None = None,
) -> Runner:
    """Returns a runner; its target logs in when it plans or runs.

    Once ``stop`` is set, it finishes what is under way, and waits for nothing.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    """
    # Commands that only look at the state do without the rest of the engine.
    from sync.drafting import Rules
    from sync.runner import LABELS, Options, Runner

    settings = context.settings
    options = Options(
        rules=Rules(settings.limits.by_name(), checked_limits(allow), settings.sync.when_gone),
        concurrency=settings.target.concurrency,
        settle_seconds=settings.sync.settle_seconds,
        full_compare_hours=settings.sync.full_compare_hours,
        history_days=settings.sync.history_days,
        lease_seconds=settings.sync.lease_seconds,
        labels=context.labels(),
        holder=f"{socket.gethostname()} ({shown(context.state_url)})",
    )
    source = context.make_source()
    stop = stop or threading.Event()
    clock = StoppableClock(context.clock, stop)
    target = context.make_target(clock, store.words(LABELS))
    return Runner(source, target, store, clock, options, stop)


def checked_limits(names: Sequence[str]) -> frozenset[str]:
    """Returns the names of limits that are lifted.

    :raises ProblemsError: a name that is no limit's.
    """
    problems = [
        Problem(f"--allow {name}: no such limit{did_you_mean(name, DEFAULTS)}")
        for name in names
        if name not in DEFAULTS
    ]
    if problems:
        raise ProblemsError(problems)
    return frozenset(names)
