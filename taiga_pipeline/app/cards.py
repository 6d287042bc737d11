"""What people do on the cards of the board, carried over to the deals.

A card that people made becomes a deal; fields that they edited are edited in the deal; tasks that
they closed are checked off; comments become notes; a card that they moved moves its deal. What must
not be so goes back in the next run, and the card says why, once.

Each step may be repeated: a run that is killed between any two of them is made up for by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sync.errors import Stop, SyncError
from sync.plan.known import Bound
from sync.plan.model import Change, GroupPlan, IssueKind
from sync.records.merge import Verdict
from sync.records.model import Base, Observed, RecordKey, Value
from taiga_pipeline.app.card_changes import CardChange, CardEvent
from taiga_pipeline.app.card_talk import CardAnswers, left_for_later
from taiga_pipeline.app.deals.editing import add_deal, check_off, edit_deal, move_deal, take_back
from taiga_pipeline.app.deals.funnel import required_by, rules_of
from taiga_pipeline.app.deals.notes import add_note
from taiga_pipeline.app.deals.values import read_fields
from taiga_pipeline.app.store_access import deal_store, people_store
from taiga_pipeline.app.sync.card_ties import bind_as_left
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.card_store import CardRow, CardStore
from taiga_pipeline.pipeline.errors import (
    EditConflict,
    GateClosed,
    InvalidFields,
    NothingToChange,
    RequestError,
)
from taiga_pipeline.pipeline.fields.field import FieldTable, held
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.portfolio.board import keys_before
from taiga_pipeline.portfolio.cards import edit_of, named_in
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.records import Kind, Story, Task
from taiga_pipeline.report import card_answers
from taiga_pipeline.targets.port import TakesCards

if TYPE_CHECKING:
    from sync.run.runner import Runner
    from taiga_pipeline.pipeline.model import StageMove

log = logging.getLogger(__name__)

MOST_NEW: Final = 50
"""Cards that become deals in one run: a board on which people kept something else has more."""


@dataclass
class CardTaker:
    """Takes up what people did on the cards of one board, seen by one run.

    ``sent_back`` collects the fields that must go back in the next run. ``deals`` are those that
    the run read, by key: where a deal holds something else by now, somebody edited it since, and
    the next run compares both. ``renamed`` leads from a deal's key to the one that it had
    before. ``is_editable`` is off where people may only move cards.
    """

    workspace: Workspace
    runner: Runner
    group: GroupPlan
    sent_back: set[tuple[RecordKey, str]]
    deals: Mapping[str, Deal]
    renamed: Mapping[str, str]
    is_editable: bool = True
    _opened: CardStore | None = None
    _known: Mapping[RecordKey, Bound] | None = None
    _editors: Mapping[tuple[str, str], str] | None = None

    def take(self) -> list[CardChange]:
        """Carries everything over; returns what there was."""
        try:
            taken = [change for step in self._steps() for change in step()]
            self._forget_answers()
            return taken
        finally:
            if self._opened is not None:
                self._opened.close()

    @property
    def _cards(self) -> CardStore:
        """The store of what is known of cards, opened where it is needed first."""
        if self._opened is None:
            self._opened = self.workspace.open_card_store()
        return self._opened

    @property
    def _bound(self) -> Mapping[RecordKey, Bound]:
        """The records of the board that are bound, read again once a card was bound."""
        if self._known is None:
            self._known = self.runner.store.known([self.group.key])[self.group.key].bound
        return self._known

    def _steps(self) -> Sequence[Callable[[], Iterator[CardChange]]]:
        """Tasks come before moves, as they open gates; comments last, as they need their deal."""
        return (
            self._renamed,
            self._new_cards,
            self._tasks,
            self._edits,
            self._moves,
            self._comments,
        )

    def _renamed(self) -> Iterator[CardChange]:
        """Writes the key on cards and tasks without it, such as those of renamed deals."""
        target = self.runner.target
        if not self.is_editable or not isinstance(target, TakesCards):
            return
        records = {(k.kind, item.binding.target_id): k for k, item in self._bound.items()}
        for child in self.group.children:
            key = records.get((child.kind, child.id))
            if key is None or child.identity == key.name.casefold():
                continue
            # One without a reference became a deal in a run that was cut off right after that.
            is_new = child.kind == Kind.STORY and not child.identity and not child.group
            is_ours = child.group == self.group.key and self._was_renamed(child, key)
            if is_new or is_ours:
                text = card_answers.new_deal(key.name, ()) if is_new else ""
                with left_for_later(f"{key}: its key is not on its card yet"):
                    target.claim_card(child, key, text)
        yield from ()

    def _was_renamed(self, child: Observed, key: RecordKey) -> bool:
        """Whether a card or a task carries a former key of its own deal.

        Any other key is that of a deal in another store, of which nothing is known here.
        """
        for deal in self.renamed:
            if key.name == deal or key.name.startswith(f"{deal}/"):
                rest = key.name.removeprefix(deal)
                formers = keys_before(deal, self.renamed)
                if child.identity in {f"{former}{rest}".casefold() for former in formers}:
                    return True
        return False

    # --- cards that people made

    def _new_cards(self) -> Iterator[CardChange]:
        cards = self._unclaimed()
        if not cards:
            return
        if len(cards) > MOST_NEW:
            log.warning(
                "%s cards on the board belong to no deal: the first %s become deals in this run, "
                "more in the next ones",
                f"{len(cards):,}",
                MOST_NEW,
            )
        known = self._cards.known([self._name(card) for card in cards])
        for card in cards[:MOST_NEW]:
            yield self._new_card(card, known.get(self._name(card), CardRow()))

    def _unclaimed(self) -> list[Observed]:
        if not self.is_editable:
            return []
        taken = {(key.kind, item.binding.target_id) for key, item in self._bound.items()}
        return [
            child
            for child in self.group.children
            if child.kind == Kind.STORY
            and not child.identity
            and not child.group
            and (child.kind, child.id) not in taken
        ]

    def _new_card(self, card: Observed, row: CardRow) -> CardChange:
        """Makes a deal of a card, unless that was done before, and ties the card to it."""
        by = self._who(card)
        subject = str(card.fields.get(Story.SUBJECT, ""))
        key = row.deal
        doubts: tuple[str, ...] = ()
        try:
            if not key:
                key, doubts = self._add(card, by)
            self._claim(card, key, doubts)
        except (RequestError, ProblemsError) as error:
            self._answer(card, card_answers.not_a_deal(error))
            return self._change(CardEvent.NEW, "", text=subject, by=by, error=error)
        except Stop:
            raise
        except SyncError as error:
            return self._change(CardEvent.NEW, key, text=subject, by=by, error=error)
        return self._change(CardEvent.NEW, key, text=subject, by=by)

    def _add(self, card: Observed, by: str) -> tuple[str, tuple[str, ...]]:
        """Adds the deal; returns its key, and what of the card could not be read."""
        names = named_in(str(card.fields.get(Story.SUBJECT, "")), "")
        values, doubts = self._readable(card, names.get("customer", ""))
        values = {**{name: text for name, text in names.items() if name != "name"}, **values}
        added = add_deal(
            self.workspace,
            "",
            names["name"],
            by=by or self.runner.target.name.lower(),
            stage=str(card.fields.get(Story.STATUS, "")),
            values=values,
            card=self._name(card),
        )
        return added.deal.key, doubts

    def _readable(self, card: Observed, customer: str) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Returns the values of a new card's fields, and why others cannot be read."""
        nothing = Deal(key="", name="", customer=customer)
        values: dict[str, Any] = {}
        doubts = []
        for name, value in card.fields.items():
            if name in (Story.SUBJECT, Story.SUMMARY) or not value:
                continue
            texts = self._texts(name, value, nothing)
            try:
                values |= read_fields(texts, table=self._table) if texts else {}
            except InvalidFields as error:
                doubts.append(str(error))
        return values, tuple(doubts)

    def _claim(self, card: Observed, deal: str, doubts: Sequence[str]) -> None:
        target = self.runner.target
        assert isinstance(target, TakesCards)
        key = RecordKey(self.group.key, Kind.STORY, deal)
        bind_as_left(self.runner.store, card, key)
        self._known = None
        target.claim_card(card, key, card_answers.new_deal(deal, doubts))

    # --- what people changed on cards

    def _kept(self, kind: str) -> Iterator[tuple[RecordKey, Change]]:
        for key, change in self.group.kept:
            if key.kind == kind and change.decision.verdict is Verdict.KEEP:
                yield key, change

    def _tasks(self) -> Iterator[CardChange]:
        wanted = {record.key: record.fields for record in self.group.desired.children}
        for key, change in list(self._kept(Kind.TASK)):
            if change.field == Task.CLOSED and key in wanted:
                fields = wanted[key]
                yield self._task(key, change, str(fields[Task.CARD]), str(fields[Task.SUBJECT]))

    def _task(self, key: RecordKey, change: Change, deal: str, action: str) -> CardChange:
        is_done = bool(change.observed)
        event = CardEvent.DONE if is_done else CardEvent.UNDONE
        by = self._who(self._child(key))
        use = check_off if is_done else take_back
        about = self._change(event, deal, text=action, by=by)
        tried = self._try(
            key, change, about, lambda: use(self.workspace, deal, [action], by=by or self._tool)
        )
        return tried or about

    def _edits(self) -> Iterator[CardChange]:
        for key, change in list(self._kept(Kind.STORY)):
            if change.field != Story.STATUS:
                yield from self._edit(key, change)
        for issue in self.group.issues:
            if issue.kind is IssueKind.CONFLICT and issue.key.kind == Kind.STORY:
                self._settle_agreed(issue.key, issue.field, issue.desired, issue.observed)

    def _edit(self, key: RecordKey, change: Change) -> Iterator[CardChange]:
        """Edits the deal. What its card says then, in normal form, is written by the next run."""
        then = self.deals.get(key.name)
        try:
            with deal_store(self.workspace) as store:
                deal, version = store.seen(key.name)
        except RequestError:  # it was removed since
            return
        texts = self._texts(change.field, change.observed, deal)
        if then is None or any(held(deal, name) != held(then, name) for name in texts):
            log.info("%s was edited meanwhile; the next run compares it with its card", key.name)
            return
        by = self._who(self._child(key))
        about = self._change(
            CardEvent.EDITED,
            key.name,
            field=", ".join(texts),
            text=str(change.observed or ""),
            by=by,
        )

        def use() -> None:
            values = read_fields(texts, table=self._table)
            edit_deal(self.workspace, key.name, values, by=by or self._tool, seen=str(version))

        outcome = self._try(key, change, about, use)
        if outcome is None:
            return
        if outcome.error is None:
            self._acknowledge(key, change.field, change.base, change.observed)
        yield outcome

    def _settle_agreed(self, key: RecordKey, name: str, desired: Value, observed: Value) -> None:
        """Settles what only seems to be a conflict: the card says the deal's value otherwise, as
        it does where a run was killed right after it had taken an edit up."""
        with deal_store(self.workspace) as store:
            deal = store.find(key.name)
        texts = self._texts(name, observed, deal) if deal else {}
        try:
            values = read_fields(texts, table=self._table)
        except InvalidFields:
            return
        if deal and values and all(held(deal, each) == value for each, value in values.items()):
            self.runner.store.rebase(key, {name: Base(None, observed)})
            log.info("%s: the card's %s and the deal's say the same: %s", key.name, name, desired)

    def _acknowledge(self, key: RecordKey, name: str, base: Value, observed: Value) -> None:
        """Remembers what people wrote as known, so that it is not taken up again."""
        self.runner.store.rebase(key, {name: Base(base, observed)})

    def _moves(self) -> Iterator[CardChange]:
        for key, change in list(self._kept(Kind.STORY)):
            if change.field == Story.STATUS and key.name in self.deals:
                yield from self._move(key, change, self.deals[key.name].stage)

    def _move(self, key: RecordKey, change: Change, seen: str) -> Iterator[CardChange]:
        """Moves the deal, unless somebody moved it since it was read."""
        by, stage = self._who(self._child(key)), str(change.observed)
        made: list[StageMove] = []
        about = self._change(CardEvent.MOVED, key.name, field="stage", text=stage, by=by)

        def use() -> None:
            made.append(
                move_deal(self.workspace, key.name, stage, by=by or self._tool, seen_stage=seen)
            )

        outcome = self._try(key, change, about, use)
        if outcome is not None:
            yield replace(outcome, move=made[0]) if made else outcome

    def _try(
        self, key: RecordKey, change: Change, about: CardChange, use: Callable[[], object]
    ) -> CardChange | None:
        """Does something with a deal; where it must not be, the card goes back and says why.

        Returns None where a person was faster: the next run compares what both sides wrote.
        """
        try:
            use()
        except NothingToChange:
            return about
        except EditConflict as error:
            log.info("%s: the next run compares what both sides wrote: %s", about.deal, error)
            return None
        except (RequestError, ProblemsError) as error:
            self.sent_back.add((key, change.field))
            tasks = self._tasks_at(error) if isinstance(error, GateClosed) else ()
            answer = card_answers.sent_back(error, about.field, about.text, tasks)
            self._answer(self._card_of(key, about.deal), answer)
            return replace(about, error=error)
        except Exception as error:
            log.exception("%s: what was done on its card could not be taken up", about.deal)
            return replace(about, error=error)
        return about

    def _tasks_at(self, gate: GateClosed) -> tuple[str, ...]:
        """Returns the actions of a deal's stage, which its card has as tasks."""
        return required_by(rules_of(self.workspace, self.deals[gate.deal]), gate.stage)

    # --- comments

    def _comments(self) -> Iterator[CardChange]:
        target = self.runner.target
        if not self.is_editable or not isinstance(target, TakesCards):
            return
        deals = self._deals_by_card()
        cards = {
            self._name(card): card
            for card in self.group.children
            if card.kind == Kind.STORY and card.id in deals and "comments" in card.facts
        }
        known = self._cards.known(list(cards))
        for name, card in cards.items():
            count = card.facts.get("comments")
            before = known.get(name, CardRow()).comments
            if isinstance(count, int) and count != before:
                yield from self._take_comments(name, card, deals[card.id], count, target)

    def _take_comments(
        self, name: str, card: Observed, deal: str, count: int, target: TakesCards
    ) -> Iterator[CardChange]:
        noted = []
        with left_for_later(
            f"{deal}: comments on its card are not taken up yet", (SyncError, RequestError)
        ):
            for each in target.comments_on(card.id):
                origin = f"{self._tool}:{each.id}"
                note = add_note(
                    self.workspace, deal, each.text, by=each.by, at=each.at, origin=origin
                )
                if note.is_new:
                    noted.append(each)
            self._cards.took_up(name, count)
        for each in noted:
            yield self._change(CardEvent.NOTED, deal, text=each.text, by=each.by)

    def _deals_by_card(self) -> Mapping[str, str]:
        """Returns the key of the deal of each card that is kept in step, by the card's id."""
        return {
            item.binding.target_id: key.name
            for key, item in self._bound.items()
            if key.kind == Kind.STORY
        }

    # --- helpers

    def _answer(self, card: Observed | None, text: str) -> None:
        """Says something on a card, unless that was said already."""
        answers = self._answers
        if card is not None and answers is not None:
            answers.say(self._name(card), card, text)

    def _forget_answers(self) -> None:
        """Lets cards that are in order now be answered again, should the same happen again."""
        answers = self._answers
        if answers is not None:
            cards = (child for child in self.group.children if child.kind == Kind.STORY)
            answers.forget(frozenset(map(self._name, cards)))

    @cached_property
    def _answers(self) -> CardAnswers | None:
        """What is said on cards, None where people only move them."""
        target = self.runner.target
        if not self.is_editable or not isinstance(target, TakesCards):
            return None
        return CardAnswers(self._cards, target)

    def _texts(self, name: str, value: Value, deal: Deal) -> dict[str, str]:
        """Returns what a card's field says, as text, by the deal's field."""
        texts = edit_of(name, value, deal, self._table)
        if "owner" in texts and name == Story.ASSIGNED:
            texts["owner"] = self._owner(texts["owner"])
        return texts

    def _owner(self, address: str) -> str:
        """Returns the name of a person of the roster, or else the address itself.

        :raises Stop: the roster cannot be read.
        """
        if not address:
            return ""
        try:
            with people_store(self.workspace) as store:
                return store.get(address).name
        except RequestError:
            return address

    def _child(self, key: RecordKey) -> Observed | None:
        """Returns the object that a record is bound to, as it was seen."""
        bound = self._bound.get(key)
        target_id = bound.binding.target_id if bound else ""
        return next(
            (c for c in self.group.children if c.kind == key.kind and c.id == target_id), None
        )

    def _card_of(self, key: RecordKey, deal: str) -> Observed | None:
        return self._child(RecordKey(self.group.key, Kind.STORY, deal))

    def _who(self, child: Observed | None) -> str:
        """Returns who changed a card or a task last, "" if unknown; asked for once in a run."""
        target, root = self.runner.target, self.group.root
        if child is None or root is None or not self.is_editable:
            return ""
        if not isinstance(target, TakesCards):
            return ""
        if self._editors is None:
            self._editors = {}
            with left_for_later("who changed cards is unknown"):
                self._editors = target.editors(root.id)
        return self._editors.get((child.kind, child.id), "")

    def _name(self, card: Observed) -> str:
        root = self.group.root.id if self.group.root else ""
        return f"{self._tool}:{root}:{card.id}"

    @property
    def _tool(self) -> str:
        return self.runner.target.name.lower()

    @property
    def _table(self) -> FieldTable:
        return self.workspace.fields

    def _change(self, event: CardEvent, deal: str, **rest: Any) -> CardChange:
        return CardChange(event, deal, self.runner.target.name, **rest)
