"""Deals as cards in the columns of the funnel, with what a card shows at a glance."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from taiga_pipeline.app.deals.filters import known_rules
from taiga_pipeline.app.deals.follow_ups import Followed
from taiga_pipeline.app.deals.listing import Listed, Sums, lister, sums_of
from taiga_pipeline.app.deals.reading import all_deals
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.pipeline.gates import open_actions
from taiga_pipeline.pipeline.tables.queries import matcher
from taiga_pipeline.pipeline.text import folded, line
from taiga_pipeline.records import deal_of

if TYPE_CHECKING:
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.pipeline.model import Deal


RUN_SECONDS: Final = 2.0
"""So often what a run has done until now is looked at while it is under way."""
MOST_KNOWN: Final = 100
"""So many boards are remembered in a program that serves for long, until anything changes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which deals are on the board.

    ``text`` occurs somewhere in them; ``owner`` is a part of a name, ``team`` and ``service`` are
    whole ones. ``follow_ups``: any of them. Stages in which deals are decided show no cards unless
    they are ``unfolded``. Of each stage, there are at most ``most`` cards.
    """

    text: str = ""
    owner: str = ""
    team: str = ""
    service: str = ""
    follow_ups: frozenset[FollowUp] = frozenset()
    unfolded: frozenset[str] = frozenset()
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A deal on the board.

    ``done`` counts the actions of its gate that are checked off, ``open`` are the others.
    ``project`` is the state of its project as the last run left it, "" for none; ``issues`` counts
    what waits for a person there.
    """

    listed: Listed
    done: int
    open: tuple[str, ...]
    project: str
    issues: int

    @property
    def deal(self) -> Deal:
        """The deal."""
        return self.listed.deal


@dataclass(frozen=True, slots=True)
class Lane:
    """A stage with its cards, the ones that close first on top.

    ``category`` and ``rule`` are "" and None where no mapping knows the stage. ``is_folded`` says
    that its cards were not asked for, ``left_out`` counts those beyond the most that were.
    """

    stage: str
    category: str
    rule: StageRule | None
    sums: Sums
    cards: tuple[Card, ...]
    is_folded: bool
    left_out: int

    @property
    def is_closed(self) -> bool:
        """Whether deals are decided here."""
        return self.rule is not None and self.rule.category.is_closed

    def is_called(self, names: Iterable[str]) -> bool:
        """Whether one of the names is the stage's, or an alias of it."""
        known = (self.stage, *(self.rule.aliases if self.rule else ()))
        return not {folded(line(name)) for name in names}.isdisjoint(map(folded, known))


@dataclass(frozen=True, slots=True)
class Board:
    """The lanes in the order of the funnel, and by what the deals can be filtered.

    ``sums`` are of what is open and matches. ``count`` is of all deals, matching or not.
    """

    lanes: tuple[Lane, ...]
    sums: Sums
    count: int
    owners: tuple[str, ...]
    teams: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Synced:
    """What the last run left: states of projects, and how much waits for a person, by deal."""

    states: Mapping[str, str] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)


def show_board(workspace: Workspace, asked: Asked) -> Board:
    """Returns the board; of any source.

    :raises ProblemsError: what is wrong with the configuration.
    :raises Unreachable: the source cannot be used.
    """
    deals, followed, synced = all_deals(workspace), Followed(workspace), _synced(workspace)
    if workspace.memory is None:
        return _made(workspace, asked, deals, followed, synced)
    ground = (deals, synced, followed.ground())
    known = workspace.remembered("boards", ground, dict[Asked, Board])
    board = known.get(asked)
    if board is None:
        if len(known) >= MOST_KNOWN:
            known.clear()
        board = known[asked] = _made(workspace, asked, deals, followed, synced)
    return board


def _made(
    workspace: Workspace,
    asked: Asked,
    deals: Sequence[Deal],
    followed: Followed,
    synced: _Synced,
) -> Board:
    meant = map(lister(workspace, followed), filter(_condition(asked), deals))
    found = [each for each in meant if _waits(each, asked)]
    lanes = tuple(_lanes(workspace, found, asked, synced))
    return Board(
        lanes=lanes,
        sums=sums_of(each for each in found if not (each.stage and each.stage.category.is_closed)),
        count=len(deals),
        owners=_names(deal.owner for deal in deals),
        teams=_names(deal.team for deal in deals),
        services=_names(deal.service for deal in deals),
    )


def is_of(deal: Deal, name: str) -> bool:
    """Whether somebody owns a deal, or does its next step; ``name`` is a part of their name."""
    asked = folded(line(name))
    return asked in folded(deal.owner) or asked in folded(deal.next_step_by)


@dataclass(frozen=True, slots=True)
class Names:
    """What deals hold in fields in which the same names come again, each once."""

    customers: tuple[str, ...]
    owners: tuple[str, ...]
    teams: tuple[str, ...]
    services: tuple[str, ...]
    sources: tuple[str, ...]


def names_of_deals(workspace: Workspace) -> Names:
    """Returns the names that deals hold, to be proposed where one is written again."""
    deals = all_deals(workspace)
    return Names(
        customers=_names(deal.customer for deal in deals),
        owners=_names(deal.owner for deal in deals),
        teams=_names(deal.team for deal in deals),
        services=_names(deal.service for deal in deals),
        sources=_names(deal.lead_source for deal in deals),
    )


def _condition(asked: Asked) -> Callable[[Deal], bool]:
    matches, service = matcher(asked.team, asked.owner, asked.text), folded(line(asked.service))
    return lambda deal: matches(deal) and (not service or folded(deal.service) == service)


def _waits(each: Listed, asked: Asked) -> bool:
    return not asked.follow_ups or bool(asked.follow_ups.intersection(each.waiting.follow_ups))


def _synced(workspace: Workspace) -> _Synced:
    """Returns what the last run left; nothing before the first one."""
    if not workspace.has_state():
        return _Synced()
    return workspace.remembered("synced", _state_mark(workspace), lambda: _read_synced(workspace))


def _state_mark(workspace: Workspace) -> object:
    """Returns what is another one once there is something new of runs: at once, but for a run that
    is under way, of which each write would be something new."""
    mark = workspace.state_mark()
    if mark is None:
        return None
    last, is_under_way = workspace.remembered("last-run", mark, lambda: _last_run(workspace))
    return (last, int(time.monotonic() / RUN_SECONDS)) if is_under_way else mark


def _last_run(workspace: Workspace) -> tuple[int, bool]:
    with state_to_read(workspace) as store:
        return next(((run.id, not run.finished_at) for run in store.runs(limit=1)), (0, False))


def _read_synced(workspace: Workspace) -> _Synced:
    with state_to_read(workspace) as store:
        states = {key: row.state for key, row in store.index().items() if row.is_followed}
        return _Synced(states, Counter(deal_of(each.issue.key.group) for each in store.issues()))


def _lanes(
    workspace: Workspace, found: Iterable[Listed], asked: Asked, synced: _Synced
) -> Iterator[Lane]:
    """Yields the stages of the mappings in their order, then those that no mapping knows."""
    rules = known_rules(workspace)
    by_stage: dict[str, list[Listed]] = {name: [] for name in rules}
    for each in found:
        by_stage.setdefault(each.stage.name if each.stage else each.deal.stage, []).append(each)
    for name, deals in by_stage.items():
        rule = rules.get(name)
        is_closed = rule is not None and rule.category.is_closed
        is_folded = is_closed and name not in asked.unfolded
        deals.sort(key=_urgency, reverse=is_closed)
        shown = () if is_folded else deals[: asked.most]
        yield Lane(
            stage=name,
            category=rule.category.value if rule else "",
            rule=rule,
            sums=sums_of(deals),
            cards=tuple(_card(each, synced) for each in shown),
            is_folded=is_folded,
            left_out=0 if is_folded else len(deals) - len(shown),
        )


def _urgency(each: Listed) -> tuple[bool, str, str]:
    """The day that is nearest comes first; what has none, last."""
    return each.close is None, str(each.close or ""), each.deal.key


def _card(each: Listed, synced: _Synced) -> Card:
    key, requires = each.deal.key, each.stage.requires if each.stage else ()
    missing = open_actions(requires, each.deal.done)
    return Card(
        listed=each,
        done=len(requires) - len(missing),
        open=missing,
        project=synced.states.get(key, ""),
        issues=synced.issues.get(key, 0),
    )


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in found if name}, key=folded))
