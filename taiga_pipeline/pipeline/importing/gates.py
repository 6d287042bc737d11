"""Gates of deals that an import brings, or moves on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from taiga_pipeline.pipeline.gates import open_actions, pass_gate
from taiga_pipeline.pipeline.importing.notices import Notice
from taiga_pipeline.pipeline.importing.options import Funnel
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.text import counted

_NAMED: Final = 3


@dataclass(slots=True)
class Gatekeeper:
    """Lets deals of an import through their gates; remembers which actions it took for done."""

    funnel: Funnel
    force: bool = False
    _late: list[str] = field(default_factory=list)
    _taken: dict[str, None] = field(default_factory=dict)

    def let(self, before: Deal | None, after: Deal) -> tuple[Deal, tuple[str, ...]]:
        """Returns the deal as it is stored, and the actions that it skipped by force.

        Of a new deal, what the stages before its own ask for counts as done.

        :raises GateClosed: a deal that is there would pass a stage whose actions are not done.
        """
        if before is not None and before.stage == after.stage:
            return after, ()
        asked = self.funnel.asks(after, before.stage if before else "")
        if before is not None:
            return after, pass_gate(after, asked, force=self.force, stage=before.stage)
        missing = open_actions(asked, after.done)
        if missing:
            self._late.append(after.key)
            self._taken.update(dict.fromkeys(missing))
        return replace(after, done=after.done | frozenset(missing)), ()

    def notices(self) -> Iterator[Notice]:
        """Yields what was taken for done."""
        if self._late:
            some = ", ".join(self._late[:_NAMED]) + (" …" if len(self._late) > _NAMED else "")
            yield Notice(
                "late",
                len(self._late),
                f"{counted(len(self._late), 'new deal')} ({some}) came in at a later stage; these "
                f"actions of the earlier stages count as done: {', '.join(self._taken)}",
            )
