"""What every target looks at right before it writes: is it still ours, and as it was?"""

from __future__ import annotations

from collections.abc import Iterable

from sync.errors import Stale
from sync.records.model import Observed, Value


def demand_marked(before: Observed, now: Observed) -> None:
    """Makes sure that a project has lost no marker since it was observed.

    :raises Stale: it has: the group has to be looked at again.
    """
    lost = sorted({marker.key for marker in before.markers} - {m.key for m in now.markers})
    if set(before.markers) - set(now.markers):
        raise Stale(f"project {now.id}: its marker was removed just now ({', '.join(lost)})")


def differs(now: Observed, name: str, value: Value) -> bool:
    """Whether a field is, or may be, something else than a value."""
    return name not in now.fields or now.fields[name] != value


def demand_unmoved(before: Observed, now: Observed, names: Iterable[str]) -> None:
    """Refuses to write over what people changed since a child was observed.

    :raises Stale: they did.
    """
    moved = [
        name for name in names if name in before.fields and differs(now, name, before.fields[name])
    ]
    if moved:
        raise Stale(f"{now.kind} {now.id}: people changed {', '.join(moved)} just now")
