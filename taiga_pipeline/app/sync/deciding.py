"""What only a person can decide: whose version counts, and which project is a deal's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync.errors import Rejected, Vanished
from sync.plan.pipeline_planner import PipelinePlanner
from sync.records.model import Observed, RecordKey
from sync.run import manual_actions
from sync.run.server_identity import refuse_another
from sync.run.take_over import take_over
from sync.ways_out import Side
from taiga_pipeline.app.engine import make_source, make_target
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.app.sync.traces import traces_of
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.records import PHASE_MARK, Kind, deal_of, phase_key, phase_of
from taiga_pipeline.report.ways_out import in_words

if TYPE_CHECKING:
    from sync.plan.model import Issue
    from sync.records.similar_keys import Match
    from sync.state.rows import GroupRow
    from sync.state.store import StateStore
    from sync.target import Target


@dataclass(frozen=True, slots=True)
class Adopted:
    """A deal and the project that it is bound to now.

    ``url`` is "" where the tool tells none. ``unlinked_project`` is the id of the project that it
    was bound to before, "" if that is the same one or there was none.
    """

    deal: str
    project: str
    url: str = ""
    unlinked_project: str = ""


@dataclass(frozen=True, slots=True)
class Renumbered:
    """Deals whose key changed, and what became of them.

    ``matches`` are all that were found, certain or not; ``taken`` are those that have the project
    of the deal that they were before; ``failures`` are deals and why they could not take it.
    """

    matches: tuple[Match, ...]
    taken: tuple[Match, ...] = ()
    failures: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be done by hand."""
        return not self.failures and all(match.is_certain for match in self.matches)


def resolve(workspace: Workspace, key: str, take: Side, field: str | None = None) -> list[Issue]:
    """Settles the open conflicts of a deal or a record, and returns them; the next run acts on it.

    ``key`` is a deal's, or a record's as conflicts show it. ``field`` None means all that are open.

    :raises ProblemsError: nothing is open for it; names the nearest.
    :raises Locked: a run is at work.
    """
    with locked_state(workspace) as store:
        names = {name for item in store.issues() for name in _names(item.issue)}
        with as_usage_error(did_you_mean(key, names)):
            return list(manual_actions.resolve(store, key, take, field))


def _names(issue: Issue) -> tuple[str, str]:
    return issue.key.group, str(issue.key)


@contextmanager
def as_usage_error(hint: str = "") -> Iterator[None]:
    """Makes what was refused a mistake in what was asked for, not a run that is done in part."""
    try:
        yield
    except Rejected as error:
        raise ProblemsError([Problem(in_words(error, hint))]) from error


def adopt(workspace: Workspace, deal: str, project: str) -> Adopted:
    """Binds a deal to a project that exists already: its number, slug or web address.

    :raises ProblemsError: there is no such deal or project, or the project is another deal's.
    :raises Locked: a run is at work.
    """
    with _of_a_deal(workspace, deal) as (store, target, before):
        root_id = find_project(target, project)
        key = RecordKey(deal, Kind.PROJECT)
        with as_usage_error():
            root = manual_actions.adopt(store, target, key, root_id, traces_of(deal))
    return _adopted(deal, root, before)


def take_over_project(
    workspace: Workspace, deal: str, former: str, project: str | None = None
) -> Adopted:
    """Gives a deal the project of another one, ``former``, which is no longer followed.

    ``project`` is the one to take, None for the one that ``former`` is bound to; those of its other
    phases go along then.

    :raises ProblemsError: there is no such deal or project, or ``former`` has none.
    :raises Locked: a run is at work.
    """
    with _of_a_deal(workspace, deal) as (store, target, before):
        root_id = find_project(target, project) if project else ""
        key = RecordKey(deal, Kind.PROJECT)
        with as_usage_error(did_you_mean(former, store.index())):
            root = take_over(store, target, key, former, root_id)
            for part in () if project else _parts_of(store, former):
                of_phase = RecordKey(phase_key(deal, phase_of(part)), Kind.PROJECT)
                take_over(store, target, of_phase, part)
    return _adopted(deal, root, before)


def _parts_of(store: StateStore, deal: str) -> list[str]:
    """Returns the projects of a deal's other phases that are followed."""
    rows = store.index()
    return [key for key in store.keys_below(f"{deal}{PHASE_MARK}") if rows[key].is_followed]


@contextmanager
def _of_a_deal(
    workspace: Workspace, deal: str
) -> Iterator[tuple[StateStore, Target, GroupRow | None]]:
    keys = [key for known in _deals_like(workspace, deal) for key in known]
    if deal not in keys:
        near = did_you_mean(deal, keys)
        raise ProblemsError([Problem(f"there is no deal {deal!r} in the source{near}")])
    with locked_state(workspace) as store:
        target = connected(workspace, store)
        yield store, target, store.index().get(deal)


def _deals_like(workspace: Workspace, key: str) -> Iterator[Sequence[str]]:
    """Yields the keys of each deal's projects, those of phases where one may be meant."""
    mappings = workspace.load_mappings()
    for deal in workspace.make_deal_source().read().deals:
        if deal.key == deal_of(key) != key:
            yield [deal.key, *mappings.keys_of(deal)]
        else:
            yield [deal.key]


def _adopted(deal: str, root: Observed, before: GroupRow | None) -> Adopted:
    was = before.root_id if before is not None and before.is_followed else ""
    url = str(root.facts.get("url") or "")
    return Adopted(deal, root.id, url, "" if was == root.id else was)


def connected(workspace: Workspace, store: StateStore) -> Target:
    """Returns the target, connected and proven to be the one of the state."""
    target = make_target(workspace)
    target.connect()
    refuse_another(store, target)
    return target


def find_project(target: Target, wanted: str) -> str:
    """Returns the id of the project of this number, slug or web address.

    :raises ProblemsError: the account sees none.
    """
    for root in target.observe_roots():
        if wanted == root.id or slug(wanted) == slug(str(root.facts.get("url") or "")):
            return root.id
    raise ProblemsError(
        [
            Problem(
                f"{target.name} shows this account no project {wanted!r}; "
                "make the account a member of it first, with the right to change it"
            )
        ]
    )


def slug(address: str) -> str:
    """Returns a project's slug from its web address (or from the slug itself).

    An address may lead to any page of the project: ``https://…/project/my-slug/kanban``.
    """
    parts = [part for part in urlsplit(address).path.split("/") if part]
    if "project" in parts[:-1]:
        return parts[parts.index("project") + 1]
    return parts[-1] if parts else ""


def adopt_renumbered(workspace: Workspace, *, dry_run: bool = False) -> Renumbered:
    """Gives each deal that a plan holds back the project of the one that it was before.

    Those of which it is unknown which they were are left to be done one by one.

    :raises Locked: a run is at work.
    """
    with locked_state(workspace) as store:
        target = connected(workspace, store)
        matches = tuple(PipelinePlanner(make_source(workspace), target, store).renumbered())
        certain = [match for match in matches if match.is_certain]
        if dry_run:
            return Renumbered(matches)
        return _take_all(store, target, matches, certain)


def _take_all(
    store: StateStore, target: Target, matches: tuple[Match, ...], certain: Sequence[Match]
) -> Renumbered:
    taken, failures = [], []
    for match in certain:
        try:
            take_over(store, target, RecordKey(match.new, Kind.PROJECT), match.former[0])
        except (Rejected, Vanished) as error:
            failures.append((match.new, in_words(error)))
        else:
            taken.append(match)
    return Renumbered(matches, tuple(taken), tuple(failures))
