"""What every target looks at right before it writes to a project: is it still ours?"""

from __future__ import annotations

from sync.errors import Stale
from sync.records.model import Observed


def demand_marked(before: Observed, now: Observed) -> None:
    """Makes sure that a project has lost no marker since it was observed.

    :raises Stale: it has: the group has to be looked at again.
    """
    lost = sorted({marker.key for marker in before.markers} - {m.key for m in now.markers})
    if set(before.markers) - set(now.markers):
        raise Stale(f"project {now.id}: its marker was removed just now ({', '.join(lost)})")
