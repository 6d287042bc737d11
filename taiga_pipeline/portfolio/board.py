"""The portfolio's board: a column for each stage of the funnel, a card for each deal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value, WhenDropped
from sync.source import Quarantined
from taiga_pipeline.mapping.dates import project_start
from taiga_pipeline.mapping.desired import closed_long_ago
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import escape_markup, iso, normalise, one_line
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.records import (
    Kind,
    Membership,
    Project,
    ProjectState,
    Role,
    Status,
    Story,
    Wiki,
)

_CATEGORIES: Final = list(Category)


@dataclass(frozen=True, slots=True)
class Look:
    """How the portfolio looks, and who is in it (lower-case addresses, all with one role)."""

    title: str = "Portfolio"
    label: str = ""
    text: str = ""
    members: tuple[str, ...] = ()
    role: str = "Product Owner"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known from earlier runs.

    ``links`` are the addresses of deals' projects, by deal key. ``followed`` are the records of
    the portfolio that exist already. ``sent_back`` are deals that delivery wanted to move and that
    could not be moved: their cards go back.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    followed: Collection[RecordKey] = ()
    sent_back: Collection[str] = ()


Page = Callable[[RecordKey], Desired | None]
"""Makes a page's record; None if it cannot be made now."""


class Portfolio:
    """Collects deals and makes a group of them (`taiga_pipeline.sources.mapped.Overview`).

    ``surroundings`` is asked at the beginning of each reading. ``pages`` are made after it, by
    the name of their record.
    """

    def __init__(
        self,
        key: str,
        look: Look,
        rules: Sequence[Rules],
        surroundings: Callable[[], Surroundings],
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        self.key = key
        self._look = look
        self._stages = stages_of(rules)
        self._names = {normalise(stage.name): one_line(stage.name) for stage in self._stages}
        self._surroundings = surroundings
        self._pages = pages or {}
        self._known = Surroundings()
        self._followed: frozenset[RecordKey] = frozenset()
        self._today = date.min
        self._cards: list[Desired] = []

    @property
    def asks_for(self) -> dict[str, frozenset[str]]:
        """The kinds of records that a portfolio is made of, and their fields."""
        people = {
            Kind.ROLE: frozenset({Role.NAME}),
            Kind.MEMBERSHIP: frozenset({Membership.EMAIL, Membership.ROLE}),
        }
        pages = {Kind.WIKI: frozenset({Wiki.TITLE, Wiki.TEXT, Wiki.FACTS, Wiki.PICTURE})}
        return {
            Kind.PROJECT: frozenset({Project.LABEL, Project.TITLE, Project.TEXT, Project.PRIVATE}),
            Kind.STATUS: frozenset({Status.NAME, Status.ORDER, Status.CLOSED}),
            Kind.STORY: frozenset(
                {Story.SUBJECT, Story.STATUS, Story.DUE_DATE, Story.TAGS, Story.FACTS}
            ),
            **(people if self._look.members else {}),
            **(pages if self._pages else {}),
        }

    def begin(self, today: date) -> None:
        """Begins again, with no deal."""
        self._today = today
        self._known = self._surroundings()
        self._followed = frozenset(self._known.followed)
        self._cards = []

    def add(self, deal: Deal, rules: Rules, stage: StageRule) -> None:
        """Takes a deal up, unless it was decided long ago and has no card yet."""
        key = RecordKey(self.key, Kind.STORY, deal.key)
        if key not in self._followed and closed_long_ago(deal, rules, stage, self._today):
            return
        self._cards.append(self._card(key, deal, rules, stage))

    def group(self, quarantined: Sequence[Quarantined]) -> DesiredGroup:
        """Returns the portfolio. Cards of deals that could not be read stay as they are."""
        unread = (RecordKey(self.key, Kind.STORY, row.key) for row in quarantined if row.key)
        kept = [_as_it_is(key) for key in unread if key in self._followed]
        children = (*self._people(), *self._columns(), *self._made_pages(), *self._cards, *kept)
        return DesiredGroup(self._root(), children)

    def _root(self) -> Desired:
        look = self._look
        fields: dict[str, Value] = {
            Project.STATE: ProjectState.STAFFED.value,
            Project.LABEL: look.label,
            Project.TITLE: look.title,
            Project.TAGS: frozenset(),
            Project.TEXT: look.text,
            Project.PRIVATE: True,
        }
        owners = {
            Project.TITLE: Owner.SHARED,
            Project.TEXT: Owner.DELIVERY,
            Project.PRIVATE: Owner.DELIVERY,
        }
        reason = "the configuration asks for a portfolio ([portfolio])"
        return Desired(RecordKey(self.key, Kind.PROJECT), fields, owners, reason)

    def _people(self) -> Iterator[Desired]:
        role = self._look.role
        reason = "a member of the portfolio ([portfolio] members)"
        if self._look.members:
            key = RecordKey(self.key, Kind.ROLE, role)
            yield Desired(key, {Role.NAME: role}, {Role.NAME: Owner.DELIVERY}, reason)
        for email in self._look.members:
            yield Desired(
                key=RecordKey(self.key, Kind.MEMBERSHIP, email),
                fields={Membership.EMAIL: email, Membership.ROLE: role, Membership.ADMIN: False},
                owners={
                    Membership.EMAIL: Owner.DELIVERY,
                    Membership.ROLE: Owner.SHARED,
                    Membership.ADMIN: Owner.DELIVERY,
                },
                reason=reason,
                when_dropped=WhenDropped.REMOVE,
            )

    def _columns(self) -> Iterator[Desired]:
        for order, stage in enumerate(self._stages, start=1):
            yield Desired(
                key=RecordKey(self.key, Kind.STATUS, normalise(stage.name)),
                fields={
                    Status.NAME: self._names[normalise(stage.name)],
                    Status.ORDER: order,
                    Status.CLOSED: stage.category.is_closed,
                },
                reason=f"a stage of the funnel ({stage.where})",
            )

    def _made_pages(self) -> Iterator[Desired]:
        for name, make in self._pages.items():
            key = RecordKey(self.key, Kind.WIKI, name)
            made = make(key)
            if made is not None:
                yield made
            elif key in self._followed:
                yield _as_it_is(key)

    def _card(self, key: RecordKey, deal: Deal, rules: Rules, stage: StageRule) -> Desired:
        won = stage.category is Category.WON
        start = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
        chance = stage.chance(deal.probability)
        view = DealView(deal, stage.name, stage.category, start, chance)
        values = Values(view, rules.placeholders)
        named = ": ".join(filter(None, (values["customer"], values["name"])))
        moves = rules.owners.stage is not Owner.SALES and deal.key not in self._known.sent_back
        return Desired(
            key=key,
            fields={
                Story.SUBJECT: named or values["key"],
                Story.STATUS: self._names[normalise(stage.name)],
                Story.DUE_DATE: iso(deal.expected_close) or None,
                Story.TAGS: frozenset(filter(None, (values["owner"], values["probability"]))),
                Story.FACTS: self._facts(deal.key, values, rules),
            },
            # A card moves with its deal, whoever may move it: never "delivery", which would not.
            owners={Story.STATUS: Owner.SHARED if moves else Owner.SALES},
            reason=f'the deal is at the stage "{stage.name}" ({stage.where})',
        )

    def _facts(self, key: str, values: Values, rules: Rules) -> str:
        facts = [(word, values[name]) for name, word in rules.card_facts]
        lines = [
            f"- {escape_markup(name)}: {escape_markup(value)}" for name, value in facts if value
        ]
        link = self._known.links.get(key)
        if link:
            lines.append(f"- {escape_markup(rules.words.project)}: {link}")
        return "\n".join(lines)


def stages_of(rules: Iterable[Rules]) -> tuple[StageRule, ...]:
    """Returns the stages of all mappings, each name once, in the order of the funnel."""
    stages = {normalise(stage.name): stage for rule in rules for stage in rule.stages}
    return tuple(sorted(stages.values(), key=lambda each: _CATEGORIES.index(each.category)))


def _as_it_is(key: RecordKey) -> Desired:
    """Returns a record that asks for nothing, so that it is neither changed nor unlinked."""
    return Desired(key, {}, reason="it is unknown at present")
