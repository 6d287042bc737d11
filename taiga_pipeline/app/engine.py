"""The engine, put together from the configuration."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from sync.checked_target import checked
from sync.clock import Clock, EndOfRun, StoppableClock
from sync.database.engine import shown
from sync.plan.limit_settings import DEFAULTS
from sync.plan.pipeline_planner import Rules
from sync.run.runner import LABELS, Options, Runner
from sync.state.store import StateStore
from sync.target import Capabilities, TellsCapabilities
from taiga_pipeline.app.customers.lessons import questions_of
from taiga_pipeline.app.customers.looking_back import who_has_ended
from taiga_pipeline.app.deals.calendar_feed import watch_of
from taiga_pipeline.app.planning.page_money import page_money
from taiga_pipeline.app.portfolio import portfolio_of
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.mapping.holding import Holding, asked_by
from taiga_pipeline.mapping.model import PagePhase
from taiga_pipeline.mapping.page import SLUG as FROM_SALES
from taiga_pipeline.mapping.several.phase_dates import Dates, dates_of
from taiga_pipeline.portfolio.cards import card_fields
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.records import CardField, Kind, Story, is_phase_key, phase_of
from taiga_pipeline.sources.mapped import Extent, MappedSource, Moves, PhasesThere
from taiga_pipeline.targets.port import has_boards
from taiga_pipeline.targets.registry import UnknownTargetError, find, make

if TYPE_CHECKING:
    from sync.target import Target
    from taiga_pipeline.pipeline.model import StageMove
    from taiga_pipeline.targets.port import TargetAdapter


def make_runner(
    workspace: Workspace,
    store: StateStore,
    allow: Sequence[str] = (),
    stop: threading.Event | None = None,
    only: frozenset[str] | None = None,
) -> Runner:
    """Returns a runner; its target logs in when it plans or runs.

    Once ``stop`` is set, it finishes what is under way, and waits for nothing. ``only`` are the
    deals that it looks at, None for all.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    """
    # Commands that only look at the state do without the rest of the engine.
    settings = workspace.settings
    options = Options(
        rules=Rules(
            settings.limits.by_name(), checked_limits(allow), settings.sync.when_gone, only
        ),
        concurrency=settings.target.concurrency,
        settle_seconds=settings.sync.settle_seconds,
        full_compare_hours=settings.sync.full_compare_hours,
        history_days=settings.sync.history_days,
        lease_seconds=settings.sync.lease_seconds,
        labels=workspace.labels(),
        holder=f"{socket.gethostname()} ({shown(workspace.state_url)})",
    )
    known = KnownTarget.of(workspace)
    source = make_source(workspace, known)
    stop = EndOfRun(stop or threading.Event())
    clock = StoppableClock(workspace.clock, stop)
    known.target = target = make_target(workspace, clock, store.words(LABELS))
    return Runner(source, target, store, clock, options, stop)


class UnknownLimits(ProblemsError):
    """Names that are not names of limits."""


def checked_limits(names: Sequence[str]) -> frozenset[str]:
    """Returns the names of limits that are lifted.

    :raises UnknownLimits: names that are not limits'.
    """
    problems = [
        Problem(f"unknown limit {name!r}{did_you_mean(name, DEFAULTS)}")
        for name in names
        if name not in DEFAULTS
    ]
    if problems:
        raise UnknownLimits(problems)
    return frozenset(names)


@dataclass
class KnownTarget:
    """What is known of the target: of all of its sort, and of itself once it is made."""

    kind: str
    adapter: TargetAdapter[Target] | None
    target: Target | None = None

    @classmethod
    def of(cls, workspace: Workspace, target: Target | None = None) -> KnownTarget:
        """Returns what the configuration tells; an unknown kind is reported where it is made."""
        kind = workspace.settings.target.kind
        try:
            return cls(kind, find(kind), target)
        except UnknownTargetError:
            return cls(kind, None, target)

    @property
    def title(self) -> str:
        """The tool's name."""
        return self.adapter.title if self.adapter else self.kind

    def capabilities(self) -> Capabilities:
        """Returns what it can hold, as well as that is known by now."""
        if isinstance(self.target, TellsCapabilities):
            return self.target.capabilities
        return self.adapter.capabilities if self.adapter else Capabilities()


def holding_of(workspace: Workspace) -> Holding:
    """Returns what the target can hold, as far as that is known without a connection."""
    known = KnownTarget.of(workspace)
    return Holding(known.title, known.capabilities)


def make_source(workspace: Workspace, known: KnownTarget | None = None) -> MappedSource:
    """Returns what the deals ask for, through the mappings, as far as the target can hold it.

    :raises ProblemsError: what is wrong with the source's settings or the mappings.
    """
    mappings, portfolio = workspace.load_mappings(), portfolio_of(workspace)
    known = known or KnownTarget.of(workspace)
    holding = Holding(known.title, known.capabilities)
    extent = Extent(
        holding=holding,
        overview=portfolio.make(mappings, holding) if portfolio.enabled else None,
        holds_overview=lambda: has_boards(known.capabilities()),
        at_rest=portfolio.at_rest,
        money=partial(page_money, workspace),
        ended=partial(who_has_ended, workspace),
        questions=questions_of(workspace),
        moves=partial(stage_moves, workspace),
        watched=watch_of(workspace).watched,
        phases=partial(phases_there, workspace),
    )
    deals = workspace.make_deal_source()
    return MappedSource(deals, mappings, workspace.clock, extent, workspace.zone)


def phases_there(workspace: Workspace) -> PhasesThere:
    """Returns the projects of deals' phases, and what became of the dates of milestones."""
    with state_to_read(workspace) as state:
        return phases_in(state)


def phases_in(state: StateStore) -> PhasesThere:
    """Returns what a state store knows of them; see `phases_there`."""
    index = state.index()
    keys = [key for key, row in index.items() if row.is_followed]
    bases, facts = state.bases_of(Kind.MILESTONE), state.all_facts()
    dates = {
        key: dates_of(bases[key], facts[key][0] if key in facts else {})
        for key in keys
        if key in bases
    }
    dates |= {k: Dates(followed=False) for k, r in index.items() if r.unlinked and is_phase_key(k)}
    alike = frozenset(filter(is_phase_key, keys))
    of_deals = frozenset(
        key
        for key, likeness in state.likenesses(alike).items()
        if likeness and not likeness.endswith(f"\n{phase_of(key)}")
    )
    return PhasesThere(alike - of_deals, of_deals, dates)


def stage_moves(workspace: Workspace) -> Moves:
    """Returns what tells the moves of a deal in the built-in store; of other deals it tells none.

    Those of deals whose projects have a page already are read at once, all others where a project
    is made.
    """
    if not workspace.has_store:
        return lambda key, is_new: ()
    with state_to_read(workspace) as state:
        paged = state.groups_with(Kind.WIKI, FROM_SALES)

    @cache
    def read(only_paged: bool) -> Mapping[str, Sequence[StageMove]]:
        with deal_store(workspace) as store:
            return store.moves_of(paged if only_paged else None)

    def moves(key: str, is_new: bool) -> Sequence[StageMove]:
        return read(key in paged).get(key, ()) if is_new or key in paged else ()

    return moves


def make_target(
    workspace: Workspace, clock: Clock | None = None, labels: frozenset[str] = frozenset()
) -> Target:
    """Returns the target, not connected yet; it waits by ``clock`` if one is given.

    ``labels`` are those of earlier mappings, as far as the state store knows.

    :raises ProblemsError: no such adapter, or the secret cannot be had.
    :raises Unreachable: its address cannot be right.
    """
    target = workspace.settings.target
    adapter = find(target.kind)
    credentials = target.credentials(workspace.environment)
    connection = Connection(
        url=target.url,
        pipeline=workspace.settings.pipeline,
        username=credentials.username,
        password=credentials.password,
        token=credentials.token,
        application_token=credentials.application_token,
        ca_file=target.ca_file,
        web_url=target.web_url,
        concurrency=target.concurrency,
        timeout_seconds=target.timeout_seconds,
        answer_megabytes=target.answer_megabytes,
        reads_pages=_reads_pages(workspace),
        board_has_pages=workspace.settings.portfolio.plan_weeks > 0,
        pictures=portfolio_of(workspace).pictures,
        labels=labels | workspace.labels(),
        assigns_stories=_assigns_stories(workspace),
        card_fields=card_fields_of(workspace),
        options=target.options,
        folder=workspace.config_path.absolute().parent,
    )
    return checked(make(adapter, connection, clock or workspace.clock))


def card_fields_of(workspace: Workspace) -> tuple[CardField, ...]:
    """Returns the custom fields of cards, none where people do not work on cards."""
    portfolio = workspace.settings.portfolio
    if not portfolio.enabled or not portfolio.editable:
        return ()
    return card_fields(workspace.fields)


def _reads_pages(workspace: Workspace) -> bool:
    """Whether any mapping asks for wiki pages in deals' projects."""
    try:
        rules = workspace.load_mappings().rules
    except ProblemsError:  # which is reported where the mappings are used
        return True
    return any(rule.page is not PagePhase.NEVER for rule in rules)


def _assigns_stories(workspace: Workspace) -> bool:
    """Whether any mapping says who does a story."""
    try:
        asked = [asked_by(rules) for rules in workspace.load_mappings().rules]
    except ProblemsError:
        return True
    return any(Story.ASSIGNED in fields.get(Kind.STORY, ()) for fields in asked)
