"""Names that change places among the keys of a file: said at once, with the way to undo it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.importing.notices import Notice
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import counted, folded

_SHOWN: Final = 10


class Swaps:
    """Deals of the store that an import makes what another one was, which is changed as well."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[str, str]] = {}
        self._after: dict[str, tuple[str, str]] = {}

    def see(self, before: Deal | None, after: Deal) -> None:
        """Looks at one deal."""
        if before is not None and _likeness(before) != _likeness(after):
            self._before[after.key], self._after[after.key] = _likeness(before), _likeness(after)

    def notices(self) -> Iterator[Notice]:
        """Says which deals changed places, and how to import the file under their old keys."""
        count = Counter(self._before.values())
        was = {likeness: key for key, likeness in self._before.items() if count[likeness] == 1}
        moved = {key: was[now] for key, now in self._after.items() if now in was}
        if not moved:
            return
        key, former = next(iter(moved.items()))
        options = " ".join(
            f"--value {word(f'key:{now}={before}')}" for now, before in [*moved.items()][:_SHOWN]
        )
        more = f" and so on for {len(moved) - _SHOWN:,} more" if len(moved) > _SHOWN else ""
        yield Notice(
            "swapped",
            len(moved),
            f"{counted(len(moved), 'deal')} changed places among keys: {key} is now what {former} "
            "was, and a run refuses that. If the file has the wrong keys, import it again with "
            f"{options}{more}",
        )


def _likeness(deal: Deal) -> tuple[str, str]:
    return folded(deal.customer), folded(deal.name)
