"""What a limit is, and the limits that stand where nobody sets others; see `sync.plan.limits`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FLOOR = 5
"""A share always allows this many changes."""


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
        match = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(%?)\s*", str(text))
        if not match or isinstance(text, bool):
            shown = repr(text) if isinstance(text, str) else text
            raise ValueError(
                f'{shown} is neither a count (50) nor a share ("20%") of at most nine digits'
            )
        if match[2] and float(match[1]) > 100:
            raise ValueError(f"{text!r} is more than 100%")
        return cls(float(match[1]), bool(match[2]))

    def allowed(self, bound: int, floor: int = FLOOR) -> int:
        """Returns how many changes are allowed where ``bound`` groups are kept in step."""
        return max(floor, self.share_of(bound)) if self.is_share else int(self.amount)

    def share_of(self, bound: int) -> int:
        """Returns how many of ``bound`` groups the share comes to."""
        return int(self.amount * bound / 100)

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.is_share else f"{self.amount:g}"


DEFAULTS: Mapping[str, Limit] = {
    "create": Limit(50),
    "staff": Limit(20, is_share=True),
    "children": Limit(20, is_share=True),
    "retire": Limit(20, is_share=True),
    "remove_member": Limit(20, is_share=True),
    "rename": Limit(20, is_share=True),
    "cleared": Limit(20, is_share=True),
    "mails": Limit(25),
    "source_shrink": Limit(30, is_share=True),
    "other_pipeline": Limit(0),
    "other_account": Limit(0),
    "swapped": Limit(0),
    "unmarked": Limit(2),
    "missing": Limit(30, is_share=True),
}
