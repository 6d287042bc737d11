"""The portfolio inside the target: what it is made of, and what a moved card means."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.errors import Stop
from sync.records.model import Desired, Owner, RecordKey
from taiga_pipeline.app.card_changes import CardChange, seen_on
from taiga_pipeline.app.card_talk import people_by_name
from taiga_pipeline.app.cards import CardTaker
from taiga_pipeline.app.planning.inputs import STATED, options_for, plan_input
from taiga_pipeline.app.state_access import facts_by_project, state_to_read
from taiga_pipeline.app.sync.card_ties import tie_cards
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.installing import how_to_get
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.records import Kind, Wiki, deal_of, portfolio_key
from taiga_pipeline.sources.port import ChangesKeys
from taiga_pipeline.targets.port import has_boards, has_cards, has_pages
from taiga_pipeline.targets.registry import having

if TYPE_CHECKING:
    from sync.run.runner import Runner, RunReport
    from sync.source import KeyChanges
    from sync.target import Capabilities
    from taiga_pipeline.mapping.holding import Holding
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.portfolio.board import Portfolio, Surroundings
    from taiga_pipeline.portfolio.plan_page import Heat

log = logging.getLogger(__name__)

_NO_BOARDS: Final = (
    "portfolio.enabled: {tool} has no boards with columns of their own; set it to false{others}"
)
_NO_CARDS: Final = (
    "portfolio.editable: what people do on cards cannot be read in {tool}; leave the line out"
)
_NO_EDITS: Final = (
    "portfolio.editable: deals are read from {source}, and cannot be changed there; leave the line "
    "out, or keep the deals in the built-in store"
)
_MOST_RUNS: Final = 3
"""Runs that follow one, at most: people may change cards faster than a run takes."""
_NO_PLAN: Final = (
    "the page 'Resource plan' is left out: it needs packages that are not installed; install them "
    "with: {how} (or set portfolio.plan_weeks = 0)"
)
_NO_PICTURE: Final = "the resource plan has no picture: install what draws it with: {how}"


class PortfolioRefused(ProblemsError):
    """The portfolio that the configuration asks for cannot be had: not by this target or source."""


@dataclass
class PortfolioMaker:
    """Makes the portfolio of a workspace, and remembers between two runs what has to go back.

    ``pictures`` fills while pages are made; the target looks there.
    """

    workspace: Workspace
    pictures: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    sent_back: set[tuple[RecordKey, str]] = field(default_factory=set)
    _seen: frozenset[tuple[str, ...]] = frozenset()
    _links: Mapping[str, str] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)
    _made: Portfolio | None = None

    @property
    def key(self) -> str:
        """The key of the portfolio's group."""
        return portfolio_key(self.workspace.settings.pipeline)

    @property
    def enabled(self) -> bool:
        """Whether the configuration asks for one."""
        return self.workspace.settings.portfolio.enabled

    def at_rest(self) -> tuple[str, ...]:
        """Returns the portfolio's key if there is one that the configuration asks for no more."""
        if self.enabled:
            return ()
        try:
            with state_to_read(self.workspace) as store:
                return (self.key,) if self.key in store.index() else ()
        except Stop:  # which is reported where the store is needed
            return ()

    def make(self, mappings: MappingSet, holding: Holding) -> Portfolio:
        """Returns the portfolio. Its page is made only where the target holds pages.

        :raises ProblemsError: the target cannot hold one.
        """
        from taiga_pipeline.portfolio.board import Look, Portfolio
        from taiga_pipeline.portfolio.plan_page import SLUG

        wanted = self.workspace.settings.portfolio
        if not has_boards(holding.capabilities()):
            others = having(has_boards)
            elsewhere = f" (with boards: {', '.join(others)})" if others else ""
            message = _NO_BOARDS.format(tool=holding.tool, others=elsewhere)
            raise PortfolioRefused([Problem(message)])
        editable = wanted.editable != ""
        if editable:
            self._demand_editable(holding)
        look = Look(
            title=wanted.title,
            label=wanted.label,
            text=wanted.text,
            members=tuple(wanted.members),
            role=wanted.role,
            editable=editable,
            fields=self.workspace.fields,
        )

        def plan_page(key: RecordKey) -> Desired | None:
            can = holding.capabilities()
            return self._plan_page(key, can) if has_pages(can) else None

        pages = {SLUG: plan_page} if wanted.plan_weeks else {}
        self._made = Portfolio(self.key, look, mappings.rules, self._surroundings, pages)
        return self._made

    def _demand_editable(self, holding: Holding) -> None:
        """Refuses to take edits on cards where neither side could.

        :raises ProblemsError: says which.
        """
        if not has_cards(holding.capabilities()):
            raise PortfolioRefused([Problem(_NO_CARDS.format(tool=holding.tool))])
        source = self.workspace.source_adapter
        if not source.capabilities.edits:
            raise PortfolioRefused([Problem(_NO_EDITS.format(source=source.title))])

    def _surroundings(self) -> Surroundings:
        from taiga_pipeline.portfolio.board import Surroundings

        with state_to_read(self.workspace) as store:
            facts = facts_by_project(store)
            followed = store.known([self.key])[self.key].bound
        self._links = links = _links_in(facts)
        members = facts[self.key].get("members") if self.key in facts else None
        editable = self.workspace.settings.portfolio.editable != ""
        changes = self._key_changes()
        renamed = {key: former for former, key in changes.renamed} if changes else {}
        return Surroundings(
            links=links,
            followed=tuple(followed),
            renamed=renamed,
            knows_renamed=changes is not None,
            removed=changes.removed if changes else frozenset(),
            deleted=frozenset(key for key, item in followed.items() if item.binding.deleted),
            sent_back=frozenset(self.sent_back),
            addresses=people_by_name(self.workspace) if editable else {},
            members=frozenset(map(str, members)) if isinstance(members, list) else frozenset(),
        )

    def _key_changes(self) -> KeyChanges | None:
        """Returns which deals were renamed or removed; None where the source does not tell.

        :raises Stop: the source cannot be read. To go on would double the cards of renamed deals.
        """
        source = self.workspace.make_deal_source()
        return source.key_changes() if isinstance(source, ChangesKeys) else None

    def _plan_page(self, key: RecordKey, can: Capabilities) -> Desired | None:
        """Returns the page with the resource plan, None if it cannot be made now."""
        if find_spec("numpy") is None:
            self._say(_NO_PLAN.format(how=how_to_get("planning")))
            return None
        from taiga_pipeline.portfolio.plan_page import TITLE

        try:
            with self.workspace.in_common_language():
                lines, digest = self._plan(with_picture=can.holds(Kind.WIKI, Wiki.PICTURE))
                title = _(TITLE)
        except (ProblemsError, RequestError, Stop) as error:
            self._say(f"the page {TITLE!r} stays as it is: {error}")
            return None
        except Exception:
            log.exception("the page %r stays as it is, because of an unexpected error", TITLE)
            return None
        return Desired(
            key=key,
            fields={
                Wiki.TITLE: title,
                Wiki.TEXT: "",
                Wiki.FACTS: "\n".join(lines),
                Wiki.PICTURE: digest,
            },
            owners={Wiki.TITLE: Owner.DELIVERY, Wiki.TEXT: Owner.DELIVERY},
            reason="the resource plan has changed",
        )

    def _plan(self, *, with_picture: bool) -> tuple[list[str], str]:
        """Returns the page's lines, and the name of its picture ("" for none)."""
        from taiga_pipeline.planning.capacity.find import find_capacity
        from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks
        from taiga_pipeline.planning.weeks import monday
        from taiga_pipeline.portfolio.plan_page import heat_of, plan_lines

        found = plan_input(self.workspace, STATED)
        # As of the week's Monday: a page that changed with every day would be read by no one.
        situation = replace(found.situation, as_of=monday(found.situation.as_of))
        options = options_for(
            self.workspace,
            team="",
            first=None,
            weeks=self.workspace.settings.portfolio.plan_weeks,
            quantile=None,
            trials=10_000,
            seed=1,
        )
        outlooks = plain_outlooks(situation.deals, found.mappings, situation.as_of)
        report = find_capacity(situation, found.mappings, outlooks, options)
        deals = {deal.key: deal for deal in situation.deals}
        people = {person.email: person for person in situation.people}
        lines = plan_lines(report, deals, people, situation.allocations)
        if not report.roles or not with_picture:
            return lines, ""
        if find_spec("PIL") is None:
            self._say(_NO_PICTURE.format(how=how_to_get("planning")))
            return lines, ""
        heat = heat_of(report)
        self.pictures[heat.digest()] = lambda: self._draw(heat)
        return lines, heat.digest()

    def _draw(self, heat: Heat) -> bytes:
        """Draws the map, in the thread that writes the page."""
        with self.workspace.in_common_language():
            return _draw(heat)

    def _say(self, message: str) -> None:
        """Logs a message once."""
        if message not in self._said:
            self._said.add(message)
            log.warning("%s", message)

    # --- before and after a run

    def tie_cards(self, runner: Runner) -> None:
        """Ties cards to the deals that a run made of them that was cut off right after that.

        :raises Stop: the cards cannot be read.
        """
        if self.enabled and self.workspace.settings.portfolio.editable:
            tie_cards(self.workspace, runner, self.key)

    def take_up(self, report: RunReport, runner: Runner) -> list[CardChange]:
        """Carries over to the deals what people did on the cards that a run saw."""
        group = next((each for each in report.plan.groups if each.key == self.key), None)
        if group is None or self._made is None or not group.desired.feeds_back:
            return []
        editable = self.workspace.settings.portfolio.editable != ""
        made = self._made
        taker = CardTaker(
            self.workspace, runner, group, self.sent_back, made.deals, made.renamed, editable
        )
        with self.workspace.in_common_language():
            taken = taker.take()
        self._seen |= seen_on(group)
        return taken

    def settle(self, report: RunReport, runner: Runner) -> None:
        """Lets the board rest, unless people did something on it while it was written."""
        for group in report.held:
            if group.key == self.key and seen_on(group) <= self._seen:
                runner.settle(group)

    def is_affected(self, report: RunReport) -> bool:
        """Whether a run changed, or found out, what the portfolio shows of deals' projects."""
        others = [group for group in report.plan.groups if group.key != self.key]
        if not self.enabled or not others:
            return False
        done = {action.key.group for action in report.applied}  # what failed fails again
        return any(group.key in done or group.kept for group in others) or self._knows_more()

    def _knows_more(self) -> bool:
        """Whether projects are known by now whose addresses no card shows: a run was cut off."""
        with state_to_read(self.workspace) as store:
            return _links_in(facts_by_project(store)) != self._links


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What followed a run because of the board: what people did on cards, and further runs."""

    changes: tuple[CardChange, ...] = ()
    reports: tuple[RunReport, ...] = ()


def portfolio_of(workspace: Workspace) -> PortfolioMaker:
    """Returns what makes the portfolio, the same one as long as the workspace lasts."""
    kept = workspace.kept.setdefault("portfolio", PortfolioMaker(workspace))
    assert isinstance(kept, PortfolioMaker)
    return kept


def follow_up_of(
    workspace: Workspace,
    runner: Runner,
    result: RunReport,
    answers: Callable[[RunReport], Sequence[CardChange]],
) -> FollowUp:
    """Carries over what people did on cards and answered in projects that have ended, and runs
    again as long as the board or a page lags behind.

    Cards show the address of a project, and the plan its milestones: both are known only after
    the run that made them. A deal that a card changed has a run of its own before that. So the
    next run finds nothing left to do. ``answers`` takes up those of a run: a project whose answers
    are not taken up would be looked at by every further run.

    :raises Stop: as `Runner.run`.
    """
    maker = portfolio_of(workspace)
    reports: list[RunReport] = []
    last, answered = result, answers(result)
    changes = [*answered]
    while _was_applied(last, runner):
        taken = maker.take_up(last, runner) if maker.enabled else []
        changes += taken
        if not (taken or answered or maker.is_affected(last)):
            if maker.enabled:
                maker.settle(last, runner)
            break
        if len(reports) == _MOST_RUNS:
            break
        last = runner.run()
        reports.append(last)
        answered = answers(last)
        changes += answered
    return FollowUp(tuple(changes), tuple(reports))


def _links_in(facts: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Returns the addresses of projects, by deal key; of a deal with phases, those of all."""
    links: dict[str, list[str]] = {}
    for key in sorted(facts, key=lambda key: (deal_of(key), key != deal_of(key), key)):
        if url := facts[key].get("url"):
            links.setdefault(deal_of(key), []).append(str(url))
    return {deal: ", ".join(urls) for deal, urls in links.items()}


def _was_applied(report: RunReport, runner: Runner) -> bool:
    return not report.refusals and report.stopped_by is None and not runner.stop.is_set()


def _draw(heat: object) -> bytes:
    from taiga_pipeline.portfolio.heat_map import draw
    from taiga_pipeline.portfolio.plan_page import Heat

    assert isinstance(heat, Heat)
    return draw(heat)
