"""Groups that got another key in the source take their roots along, before a run plans."""

from __future__ import annotations

import logging

from sync.errors import Rejected, Vanished
from sync.plan.parts import renamed_groups
from sync.plan.pipeline_planner import pending
from sync.records.model import RecordKey
from sync.run.take_over import take_over
from sync.source import ChangesKeys, Source
from sync.state.store import StateStore
from sync.target import Target

log = logging.getLogger(__name__)


def follow_keys(store: StateStore, target: Target, source: Source) -> None:
    """Gives each group that was renamed the root that it had under its former key.

    Killed anywhere, the next run finds what is left to do. A root that is gone, or is another
    pipeline's by now, is left to the plan, which reports it.

    :raises Stop: the source cannot be read, or the target does not answer.
    """
    if not isinstance(source, ChangesKeys) or not source.key_changes().renamed:
        return
    index = store.index()
    for former, key in pending(renamed_groups(source, index), index):
        try:
            take_over(store, target, RecordKey(key, index[former].kind), former)
        except (Rejected, Vanished) as error:
            log.warning("%s is %s now, but its root stays: %s", former, key, error)
