"""What a person may say of a server: that it is the same one, another one, or one restored.

Every function works on a connected target and under the run lock, and makes no write to the target.
``source`` is told which server it is, if it remembers that (`sync.source.RemembersServer`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.counting import name_some
from sync.errors import Refused
from sync.observation import observe
from sync.records import RETIRED
from sync.server import note
from sync.state import StateStore
from sync.target import Target

FEW = 2
"""So many bound roots without a marker do not speak against a server."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became of the roots that are bound and followed.

    ``unmarked`` and ``missing`` name those without our marker, and those that are not to be seen,
    by key. Retired ones that are missing do not count: people may clear them away.
    """

    marked: int
    unmarked: dict[str, str]
    missing: dict[str, str]

    @property
    def bound(self) -> int:
        """How many there are."""
        return self.marked + len(self.unmarked) + len(self.missing)

    def __str__(self) -> str:
        parts = [f"{self.marked} of {self.bound} projects are there with this pipeline's mark"]
        if self.unmarked:
            parts.append(f"{len(self.unmarked)} without it ({name_some(self.unmarked.values())})")
        if self.missing:
            parts.append(f"{len(self.missing)} not at all ({name_some(self.missing.values())})")
        return ", ".join(parts)


def gather(store: StateStore, target: Target) -> Evidence:
    """Looks at which bound roots are there, by one complete list."""
    index = store.index()
    seen = observe(target, store.pipeline, index)
    there = {*seen.still, *seen.moved, *seen.unmarked}
    missing = {
        key: f"{key}: project {row.root_id}"
        for key, row in index.items()
        if row.is_followed and row.state != RETIRED and key not in there
    }
    unmarked = {key: f"{key}: project {root.id}" for key, root in seen.unmarked.items()}
    return Evidence(seen.marked, unmarked, missing)


def same_server(store: StateStore, target: Target, source: object = None) -> Evidence:
    """Takes a target for the one that the state was made with, as its markers prove.

    :raises Refused: they do not.
    """
    evidence = gather(store, target)
    proves = evidence.marked >= max(1, len(evidence.missing))
    if evidence.bound and not (proves and len(evidence.unmarked) <= FEW):
        raise Refused(
            f"this does not look like the server that the state was made with: {evidence}. Nothing "
            "was changed. If it is another one, where the projects are to be made anew: "
            "'pipeline-sync state move --new-server'; if it was restored from an older backup: "
            "'pipeline-sync state move --restored'; if the account does not see its projects, make "
            "it a member of them first"
        )
    note(store, target, source)
    return evidence


def new_server(store: StateStore, target: Target, source: object = None) -> int:
    """Lets go of everything that is bound, to begin anew here; returns how many roots that were.

    Those that carry this pipeline's marker here are found by the next run; the others are made.
    """
    bound = sum(not row.unlinked for row in store.index().values())
    store.start_anew()
    note(store, target, source)
    return bound


def restored(store: StateStore, target: Target, source: object = None) -> Evidence:
    """Lets go of roots that a server restored from a backup has no more, or gave the number of to
    something else; the next run finds them by their markers, or makes them anew.

    :raises Refused: nothing proves that it is the same server.
    """
    evidence = gather(store, target)
    if not evidence.marked:
        raise Refused(
            f"nothing shows that this is the same server, restored: {evidence}. Nothing was "
            "changed. To make all projects anew here: 'pipeline-sync state move --new-server'"
        )
    for key in (*evidence.unmarked, *evidence.missing):
        store.forget(key)
    note(store, target, source)
    return evidence
