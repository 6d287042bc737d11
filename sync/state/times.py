"""What is concluded from times in the state store, and what is not: a clock may have been wrong.

A machine's clock is set by hand, starts in 1970, or jumps by a year with a bad time server. Nothing
that is decided by it may lose history, double an object, or keep a comparison waiting for long.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from sync.clock import is_ahead
from sync.state.store import JournalEntry, StateStore

log = logging.getLogger(__name__)

_WITNESSES: Final = 8
_WITNESSED_FOR: Final = timedelta(days=9)
"""So many complete comparisons, the present one among them, tell what time it is, and for how long
each of them does: with one a day, all of the last week agree with now."""
_BELIEVED: Final = timedelta(hours=1)
"""Up to which age a write that was cut off is as old as the clocks say."""


def compare_is_due(store: StateStore, hours: float) -> bool:
    """Whether the last complete comparison is that long ago, or there was none.

    One in the future says nothing about when the last one really was: it is due.
    """
    last, now = store.runs(limit=1, only_full=True), store.now()
    if last and is_ahead(last[0].started_at, now):
        log.warning(
            "the last complete comparison is dated %s, in the future: a clock is or was wrong; "
            "everything is compared again",
            f"{last[0].started_at:%Y-%m-%d %H:%M} UTC",
        )
        return True
    return not last or now - last[0].started_at >= timedelta(hours=hours)


def settle_wait(store: StateStore, newest: JournalEntry, settle_seconds: float) -> float:
    """Returns how many seconds to wait before the last write that was cut off is looked at.

    Its age is believed while it is short. A write from the future, or from long ago, may be one of
    just now by a clock that has jumped since: that is waited for in any case, once, until a run
    has finished after it.
    """
    age = store.now() - newest.intended_at
    settle = timedelta(seconds=settle_seconds)
    if timedelta() <= age <= _BELIEVED:
        return max(timedelta(), settle - age).total_seconds()
    since = store.runs(limit=1, only_successful=True)
    return 0.0 if since and since[0].id > newest.run_id else settle_seconds


def trusted_now(store: StateStore) -> datetime:
    """Returns a time (UTC) that is not after now, also if the clock is wrong.

    What is old is forgotten by a time that several runs bear witness of: a clock that is ahead for
    one of them, or for a few days of them, must not take the history with it.
    """
    witnesses = store.runs(limit=_WITNESSES, only_full=True)
    return min([store.now(), *(run.started_at + _WITNESSED_FOR for run in witnesses)])
