"""The portfolio's board: a column for each stage of the funnel, a card for each deal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value, WhenDropped
from sync.source import Quarantined
from taiga_pipeline.mapping.dates import project_start
from taiga_pipeline.mapping.desired import closed_long_ago
from taiga_pipeline.mapping.rules import Rules, StageRule
from taiga_pipeline.mapping.text import amount, escape_markup, iso, normalise, one_line
from taiga_pipeline.mapping.values import DealView, Values
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.portfolio.cards import (
    OTHER_PLACES,
    card_values,
    fields_of,
    subject_of,
    tasks_of,
)
from taiga_pipeline.records import (
    Kind,
    Membership,
    Project,
    ProjectState,
    Role,
    Status,
    Story,
    Task,
    Wiki,
)

_CATEGORIES: Final = list(Category)
_COLORS: Final = {
    Category.LEAD: "#A8A8A8",
    Category.QUALIFIED: "#40A8E4",
    Category.NEEDS: "#70728F",
    Category.PROPOSAL: "#E4A740",
    Category.WON: "#A8E440",
    Category.LOST: "#E44057",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How the portfolio looks, and who is in it (lower-case addresses, all with one role).

    ``editable`` says that people work on its cards: they have ``fields`` and tasks, too.
    """

    title: str = "Portfolio"
    label: str = ""
    text: str = ""
    members: tuple[str, ...] = ()
    role: str = "Product Owner"
    editable: bool = False
    fields: FieldTable = BUILT_IN


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known from earlier runs.

    ``links`` are the addresses of deals' projects, by deal key. ``followed`` are the records of
    the portfolio that exist already, ``deleted`` those that people deleted. ``renamed`` leads from
    a deal's key to the one that it had before; ``knows_renamed`` says that the source tells of each
    such change. ``removed`` are deals that were mistakes.
    ``sent_back`` are fields of its records that people changed and that must not be so: they go
    back.
    ``addresses`` are the lower-case addresses of people, by their normalised names;
    ``members`` those of the board's members, as far as they are known.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    followed: Collection[RecordKey] = ()
    deleted: Collection[RecordKey] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    knows_renamed: bool = False
    removed: Collection[str] = ()
    sent_back: Collection[tuple[RecordKey, str]] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    members: Collection[str] = ()


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
        self._deleted: frozenset[RecordKey] = frozenset()
        self._members: frozenset[str] = frozenset()
        self._feeds_back = False
        self.deals: dict[str, Deal] = {}
        """Those that have cards, as they were read last, by key."""
        self._cards: list[Desired] = []
        self._tasks: list[Desired] = []

    @property
    def renamed(self) -> Mapping[str, str]:
        """Leads from the keys of deals that were renamed to those that they had before."""
        return self._known.renamed

    @property
    def asks_for(self) -> dict[str, frozenset[str]]:
        """The kinds of records that a portfolio is made of, and their fields."""
        people = {
            Kind.ROLE: frozenset({Role.NAME}),
            Kind.MEMBERSHIP: frozenset({Membership.EMAIL, Membership.ROLE}),
        }
        pages = {Kind.WIKI: frozenset({Wiki.TITLE, Wiki.TEXT, Wiki.FACTS, Wiki.PICTURE})}
        tasks = {Kind.TASK: frozenset({Task.SUBJECT, Task.CARD, Task.CLOSED})}
        return {
            Kind.PROJECT: frozenset({Project.LABEL, Project.TITLE, Project.TEXT, Project.PRIVATE}),
            Kind.STATUS: frozenset({Status.NAME, Status.ORDER, Status.CLOSED}),
            Kind.STORY: frozenset(
                {Story.SUBJECT, Story.STATUS, Story.DUE_DATE, Story.TAGS, Story.FACTS}
            ),
            **(people if self._look.members else {}),
            **(pages if self._pages else {}),
            **(tasks if self._look.editable else {}),
        }

    def begin(self, today: date) -> None:
        """Begins again, with no deal."""
        self._today = today
        self._known = self._surroundings()
        self._followed = frozenset(self._known.followed)
        self._deleted = frozenset(self._known.deleted)
        self._members = frozenset(self._known.members) | frozenset(self._look.members)
        self._feeds_back = self._look.editable
        self._cards, self._tasks, self.deals = [], [], {}

    def add(self, deal: Deal, rules: Rules, stage: StageRule, main: str = "") -> None:
        """Takes a deal up, unless it was decided long ago and has no card yet.

        ``main`` is the deal whose project it is a part of, "" for its own.
        """
        key = RecordKey(self.key, Kind.STORY, deal.key)
        if key not in self._followed and closed_long_ago(deal, rules, stage, self._today):
            return
        self.deals[deal.key] = deal
        link = self._known.links.get(main or deal.key, "")
        self._cards.append(self._card(key, deal, rules, stage, link))
        if self._look.editable and key not in self._deleted:
            self._tasks += self._tasks_of(key, deal, rules, stage)

    def group(self, quarantined: Sequence[Quarantined]) -> DesiredGroup:
        """Returns the portfolio. Cards of deals that could not be read stay as they are."""
        unread = (RecordKey(self.key, Kind.STORY, row.key) for row in quarantined if row.key)
        unknown = frozenset(key.name for key in unread if key in self._followed)
        kept = [_as_it_is(key) for key in sorted(self._followed) if _is_of(key, unknown)]
        kept += self._absent(unknown)
        cards = (*self._cards, *self._tasks, *kept)
        children = (*self._people(), *self._columns(), *self._made_pages(), *cards)
        dropped = {Kind.STORY: WhenDropped.REMOVE_IF_UNTOUCHED}
        if self._look.editable:
            dropped = {Kind.TASK: WhenDropped.REMOVE, **dropped}
        return DesiredGroup(
            self._root(),
            children,
            when_dropped=dropped,
            feeds_back=self._feeds_back,
            former=self._former((*self._cards, *self._tasks)),
            knows_former=self._known.knows_renamed,
        )

    def _absent(self, unread: Collection[str]) -> Iterator[Desired]:
        """Yields the cards of deals that are not there and were not removed on purpose."""
        wanted = {record.key for record in (*self._cards, *self._tasks)}
        gone = {*self._known.removed, *self._known.renamed.values(), *unread}
        for key in sorted(self._followed - wanted):
            if key.kind == Kind.STORY and key.name not in gone:
                yield _as_it_is(key)

    def _former(self, records: Iterable[Desired]) -> dict[RecordKey, RecordKey]:
        """Returns the records of deals that were renamed, with what they were before.

        A deal may have been renamed several times since its card was written.
        """
        found = {}
        for record in records:
            card = record.key.name if record.key.kind == Kind.STORY else record.fields[Task.CARD]
            if record.key in self._followed:
                continue
            for former in keys_before(str(card), self._known.renamed):
                before = replace(record.key, name=former + record.key.name.removeprefix(str(card)))
                if before in self._followed:
                    found[record.key] = before
                    break
        return found

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
                    **({Status.COLOR: _COLORS[stage.category]} if self._look.editable else {}),
                },
                owners={Status.COLOR: Owner.DELIVERY},
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

    def _card(
        self, key: RecordKey, deal: Deal, rules: Rules, stage: StageRule, link: str
    ) -> Desired:
        won = stage.category is Category.WON
        start = project_start(deal, won=won, lead_time_weeks=rules.lead_time_weeks)
        chance = stage.chance(deal.probability)
        view = DealView(deal, stage.name, stage.category, start, chance)
        values = Values(view, rules.placeholders)
        fields: dict[str, Value] = {
            Story.SUBJECT: subject_of(deal),
            Story.STATUS: self._names[normalise(stage.name)],
            Story.DUE_DATE: iso(deal.expected_close) or None,
            Story.TAGS: frozenset(filter(None, (values["owner"], values["probability"]))),
            Story.FACTS: _facts(values, rules, link),
        }
        if self._look.editable:
            fields |= self._worked_on(deal, values, stage, rules)
        return Desired(
            key=key,
            fields=fields,
            owners=self._owners(key, fields, rules),
            reason=f'the deal is at the stage "{stage.name}" ({stage.where})',
        )

    def _worked_on(
        self, deal: Deal, values: Values, stage: StageRule, rules: Rules
    ) -> dict[str, Value]:
        """Returns the fields of a card that people work on, beside those of any card."""
        is_late = not stage.category.is_closed and any(
            day is not None and day < self._today
            for day in (deal.expected_close, deal.next_step_on)
        )
        assigned = self._address(deal.owner)
        tags = (rules.words.late if is_late else "", "" if assigned else values["owner"])
        summary = (amount(deal.value, deal.currency), iso(deal.expected_close))
        return {
            **card_values(deal, self._look.fields),
            Story.SUMMARY: " · ".join(filter(None, summary)),
            Story.ASSIGNED: assigned,
            Story.TAGS: frozenset(filter(None, tags)),
        }

    def _address(self, owner: str) -> str:
        """Returns the address of who sells, if it is a member's: no one else can be assigned."""
        name = normalise(owner)
        address = name if "@" in name else self._known.addresses.get(name, "")
        return address if address in self._members else ""

    def _owners(
        self, key: RecordKey, fields: Mapping[str, Value], rules: Rules
    ) -> dict[str, Owner]:
        """Returns who owns which field of a card.

        It changes with its deal, whoever may change it: never "delivery", which would not.
        """
        owners = {}
        for name in fields:
            is_open = name in self._open_fields(rules) and (key, name) not in self._known.sent_back
            owners[name] = Owner.SHARED if is_open else Owner.SALES
            self._feeds_back |= is_open
        return owners

    def _open_fields(self, rules: Rules) -> frozenset[str]:
        """Returns the fields of cards that people may edit, for deals of a mapping."""
        stated, own = rules.owners.stage, rules.owners.card
        if not self._look.editable:
            return frozenset() if stated is Owner.SALES else frozenset({Story.STATUS})
        places = {
            **OTHER_PLACES,
            **{Story.field(e.name): e.name for e in fields_of(self._look.fields)},
        }
        stage = stated if rules.owners.stage_is_stated else Owner.SHARED
        closed = {**own, "stage": stage}
        return frozenset(
            place for place, name in places.items() if closed.get(name) is not Owner.SALES
        )

    def _tasks_of(
        self, card: RecordKey, deal: Deal, rules: Rules, stage: StageRule
    ) -> Iterator[Desired]:
        """Yields a deal's tasks; one that is done already is not made for the record's sake."""
        shared = rules.owners.card.get("done") is not Owner.SALES
        for name, (action, is_done) in tasks_of(deal, rules, stage).items():
            key = RecordKey(self.key, Kind.TASK, name)
            if is_done and key not in self._followed:
                continue
            goes_back = (key, Task.CLOSED) in self._known.sent_back
            yield Desired(
                key=key,
                fields={Task.SUBJECT: action, Task.CARD: card.name, Task.CLOSED: is_done},
                owners={
                    Task.SUBJECT: Owner.SALES,
                    Task.CARD: Owner.DELIVERY,
                    Task.CLOSED: Owner.SHARED if shared and not goes_back else Owner.SALES,
                },
                reason=f'the stage "{stage.name}" asks for it ({stage.where})',
                when_dropped=WhenDropped.REMOVE,
            )


def _facts(values: Values, rules: Rules, link: str) -> str:
    facts = [(word, values[name]) for name, word in rules.card_facts]
    lines = [f"- {escape_markup(name)}: {escape_markup(value)}" for name, value in facts if value]
    if link:
        lines.append(f"- {escape_markup(rules.words.project)}: {link}")
    return "\n".join(lines)


def keys_before(deal: str, renamed: Mapping[str, str]) -> Iterator[str]:
    """Yields the keys that a deal had before, the last one first."""
    seen = {deal}
    former = renamed.get(deal)
    while former is not None and former not in seen:
        yield former
        seen.add(former)
        former = renamed.get(former)


def stages_of(rules: Iterable[Rules]) -> tuple[StageRule, ...]:
    """Returns the stages of all mappings, each name once, in the order of the funnel."""
    stages = {normalise(stage.name): stage for rule in rules for stage in rule.stages}
    return tuple(sorted(stages.values(), key=lambda each: _CATEGORIES.index(each.category)))


def _is_of(key: RecordKey, deals: Collection[str]) -> bool:
    """Whether a record is the card of one of the deals, or a task on it."""
    if key.kind == Kind.TASK:
        return any(key.name.startswith(f"{deal}/") for deal in deals)
    return key.kind == Kind.STORY and key.name in deals


def _as_it_is(key: RecordKey) -> Desired:
    """Returns a record that asks for nothing, so that it is neither changed nor unlinked."""
    return Desired(key, {}, reason="it is unknown at present")
