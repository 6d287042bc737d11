"""What the connector leaves on records: plain data, for whoever takes it out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.records.model import Value


@dataclass(frozen=True, slots=True)
class Traces:
    """What the connector leaves on records of one kind, and the values that stand without it.

    ``own`` are fields that only the connector writes. ``shared`` ones go as long as people did not
    change them. Of ``sets``, the elements go that the connector added.
    """

    own: Mapping[str, Value] = field(default_factory=dict)
    shared: Mapping[str, Value] = field(default_factory=dict)
    sets: frozenset[str] = frozenset()
