"""What hints at another server, another account, another name of the pipeline, or other keys.

Each function returns the groups concerned, by key, with the words that name them in a message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sync.plan.limits import Amount
from sync.plan.model import ActionType, GroupPlan
from sync.plan.observation import Observation
from sync.records.model import RETIRED, TITLE, Desired, Observed
from sync.records.record_merge import Splitter
from sync.run.server_identity import Identity, identity_of, is_proven, noted
from sync.state.store import GroupRow, StateStore
from sync.target import NoticesAccounts, Target

ENOUGH: Final = 3
"""From so many missing roots on, with none left, another server is assumed."""


def hints(
    groups: Sequence[GroupPlan],
    observation: Observation,
    index: Mapping[str, GroupRow],
    store: StateStore,
    target: Target,
) -> dict[str, dict[str, str]]:
    """Returns all that hints at another place, by the name of the limit that it counts under."""
    unmarked = observation.unmarked.items()
    return {
        "other_pipeline": made_elsewhere(groups, observation, store, target.split),
        "other_account": made_by_another(groups, index, identity_of(target))
        | made_unseen(groups, observation, store, target),
        "unmarked": {key: f"{key}: {root.kind} {root.id}" for key, root in unmarked},
        "missing": gone_at_once(groups, index),
        "swapped": swapped(groups, index, store),
    }


def without_proof(
    strange: Mapping[str, Amount], observation: Observation, store: StateStore, target: Target
) -> list[str]:
    """Returns which limits must not be reached at all, because no bound root is ours."""
    if observation.marked:
        return []
    proven = is_proven(store, target)
    enough = 1 if not proven and identity_of(target) else ENOUGH
    found = ["missing"] if strange["missing"].count >= enough else []
    return found if proven or not strange["unmarked"].count else [*found, "unmarked"]


def made_elsewhere(
    groups: Sequence[GroupPlan], observation: Observation, store: StateStore, split: Splitter
) -> dict[str, str]:
    """Returns the groups to be created that this pipeline made under another name.

    Two pipelines may well have the same keys. It is a new name of one and the same if
    this very state store has another pipeline's root bound, of this key and with this title.
    """
    made = [g for g in groups if g.key in observation.others and _creates(g)]
    bound = store.bound_elsewhere() if made else {}
    found = {}
    for group in made:
        for root in observation.others[group.key]:
            if root.id in bound and _is_titled(root, group.desired.root, split):
                found[group.key] = f"{group.key} by {bound[root.id]}"
    return found


def made_by_another(
    groups: Iterable[GroupPlan], index: Mapping[str, GroupRow], account: Identity | None
) -> dict[str, str]:
    """Returns the groups to be adopted by their marker whose root another account made.

    One that a person bound by hand may be anyone's, also when a run that was cut off has marked
    it already.
    """
    if account is None or not account.account_id:
        return {}
    return {
        group.key: f"{group.key}: {group.root.kind} {group.root.id}"
        for group in groups
        if group.root is not None
        and group.key not in index
        and group.root.maker not in ("", account.account_id)
        and _adopts_by_marker(group)
    }


def made_unseen(
    groups: Iterable[GroupPlan], observation: Observation, store: StateStore, target: Target
) -> dict[str, str]:
    """Returns the groups to be created that another account made, without being seen by this one.

    Asked only by a state that knows nothing yet, of an account that sees nothing of the pipeline's:
    later on, what stands in the way was left by attempts of its own.
    """
    is_new = not observation.candidates and noted(store) is None and not store.index()
    if not is_new or not isinstance(target, NoticesAccounts):
        return {}
    return dict(target.unseen([g.desired.root for g in groups if _creates(g)]))


def gone_at_once(groups: Iterable[GroupPlan], index: Mapping[str, GroupRow]) -> dict[str, str]:
    """Returns the groups that were kept up and whose root is not to be seen any more."""
    return {
        group.key: f"{group.key}: {row.kind} {row.root_id}"
        for group in groups
        if group.root is None
        and (row := index.get(group.key)) is not None
        and row.is_followed
        and row.state != RETIRED
    }


def swapped(
    groups: Iterable[GroupPlan], index: Mapping[str, GroupRow], store: StateStore
) -> dict[str, str]:
    """Returns the groups that are now what another key was, which is something else itself now.

    One that only took the name of another that stays, or is gone, was renamed, or merged.
    """
    now = {g.key: g.desired.likeness for g in groups if g.desired.likeness}
    bound = store.likenesses([key for key in now if key in index and index[key].is_followed])
    moved = {key for key, before in bound.items() if before not in ("", now[key])}
    was = Counter(bound[key] for key in moved)
    of = {bound[key]: key for key in moved if was[bound[key]] == 1}
    found = {
        key: of[likeness]
        for key, likeness in now.items()
        if likeness in of and (key in moved or key not in index)
    }
    return {
        key: f"{key} is what {former} was, {index[former].kind} {index[former].root_id}"
        for key, former in found.items()
    }


def _creates(group: GroupPlan) -> bool:
    return any(a.type is ActionType.CREATE and a.key.is_root for a in group.actions)


def _adopts_by_marker(group: GroupPlan) -> bool:
    return any(
        a.type is ActionType.ADOPT and a.key.is_root and not (a.mark or a.created)
        for a in group.actions
    )


def _is_titled(root: Observed, desired: Desired, split: Splitter) -> bool:
    title = split(root, [desired.fields]).get(TITLE)
    return title == desired.fields.get(TITLE)
