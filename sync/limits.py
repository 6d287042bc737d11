"""Limits: how much one run may change before it asks.

A typo in a mapping, or a source that lost half of its rows, must not archive forty projects. A
limit is a count (``50``) or a share of the groups that are kept in step (``"20%"``); a share never
holds back fewer than `FLOOR` changes, so that small pipelines are not refused for one deal. (For a
source that shrank it is not more than half: of five deals, three are not lost in a day.)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

FLOOR = 5
"""A share always allows this many changes."""

_LOOK = "look at the list with 'pipeline-sync plan'"
_ADVICE = {
    "create": f"{_LOOK}; if old won deals flood in, lower closed_within_days in the mapping",
    "retire": f"{_LOOK}; a changed stage or mapping is the usual cause",
    "remove_member": f"{_LOOK}; changed allocations are the usual cause",
    "rename": f"{_LOOK}; a changed title or label in the mapping is the usual cause",
    "source_shrink": "check that the source is whole; nothing is retired because it is missing",
    "other_pipeline": "another pipeline has made a project for each of these deals already; if "
    "this pipeline was renamed, give it its old name again",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A count, or a share of the bound groups in percent."""

    amount: float
    is_share: bool = False

    @classmethod
    def parse(cls, text: int | str) -> Limit:
        """Reads ``50`` or ``"20%"``.

        :raises ValueError: anything else; the message says what is expected.
        """
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", str(text))
        if not match or isinstance(text, bool):
            raise ValueError(f'{text!r} is neither a count (50) nor a share ("20%")')
        if match[2] and float(match[1]) > 100:
            raise ValueError(f"{text!r} is more than 100%")
        return cls(float(match[1]), bool(match[2]))

    def allowed(self, bound: int, floor: int = FLOOR) -> int:
        """Returns how many changes are allowed where ``bound`` groups are kept in step."""
        if not self.is_share:
            return int(self.amount)
        return max(floor, int(self.amount * bound / 100))

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.is_share else f"{self.amount:g}"


DEFAULTS: Mapping[str, Limit] = {
    "create": Limit(50),
    "retire": Limit(20, is_share=True),
    "remove_member": Limit(20, is_share=True),
    "rename": Limit(20, is_share=True),
    "source_shrink": Limit(30, is_share=True),
    "other_pipeline": Limit(0),
}


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan exceeds."""

    name: str
    limit: Limit
    allowed: int
    planned: int
    bound: int
    detail: str = ""
    """What the numbers are about, where that is not plain."""

    @property
    def message(self) -> str:
        """Says the numbers, the setting and the way out."""
        share = f" ({self.limit} of {self.bound})" if self.limit.is_share else ""
        detail = f" ({self.detail})" if self.detail else ""
        return (
            f"limit '{self.name}': {self.planned} planned{detail}, {self.allowed}{share} allowed; "
            f"{_ADVICE[self.name]}; to allow it once: --allow {self.name}, for good: "
            f"{self.name} under [limits] in the configuration"
        )

    def to_json(self) -> dict[str, object]:
        """Returns the breach as JSON-compatible data."""
        return {
            "limit": self.name,
            "setting": str(self.limit),
            "allowed": self.allowed,
            "planned": self.planned,
            "message": self.message,
        }


def check_limits(
    counts: Mapping[str, int],
    bound: int,
    limits: Mapping[str, Limit] = DEFAULTS,
    allow: Collection[str] = (),
    details: Mapping[str, str] | None = None,
) -> tuple[Breach, ...]:
    """Returns the limits that ``counts`` exceed.

    ``counts`` and ``limits`` go by the names in `DEFAULTS`; ``bound`` is the number of groups
    kept in step; ``allow`` names the limits that are lifted this once; ``details`` are added to
    what is said about a limit.
    """
    breaches = []
    for name, planned in counts.items():
        limit = limits.get(name, DEFAULTS[name])
        allowed = limit.allowed(bound, _floor(name, bound))
        if planned > allowed and name not in allow:
            detail = (details or {}).get(name, "")
            breaches.append(Breach(name, limit, allowed, planned, bound, detail))
    return tuple(breaches)


def _floor(name: str, bound: int) -> int:
    """A source that lost more than half of its rows is broken, however small it is."""
    return min(FLOOR, bound // 2) if name == "source_shrink" else FLOOR
