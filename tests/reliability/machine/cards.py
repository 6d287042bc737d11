"""People work on cards and sales on deals at will, with faults, kills and races in between.

    python -m tests.reliability.machine.schedules 200 --of cards --seed 7

What has to hold is in `Board.violations`: a card is its deal, nothing is there twice, a comment is
one note, and what somebody wrote last stays, or both values are kept and a conflict is listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sync.errors import SyncError
from sync.plan.model import IssueKind
from sync.run import manual_actions
from sync.ways_out import Side
from taiga_pipeline.app.deals.editing import (
    add_deal,
    check_off,
    edit_deal,
    move_deal,
    remove_deal,
    rename_deal,
    take_back,
)
from taiga_pipeline.app.sync.locked_state import locked_state
from taiga_pipeline.mapping.text import iso
from taiga_pipeline.pipeline.errors import GateClosed, RequestError
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.portfolio.cards import card_text, subject_of
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.sandbox.client import Refused
from taiga_pipeline.sandbox.faults import Fault

from .faults import FAULTS
from .office import GATE, PEOPLE, SECOND_GATE, Office

PLACE = st.integers(0, 7)
STAGES = ("Lead", "Needs", "Proposal", "Won", "Lost")
FIELDS: Final = {
    "name": Story.SUBJECT,
    "value": Story.field("value"),
    "expected_close": Story.DUE_DATE,
}
"""What both sides edit, always to something new: the deal's field, and the card's."""


@dataclass
class Said:
    """What was written to a field since all was quiet last, as cards show it.

    ``apart`` is set once both sides hold something else than the other one knows: only a conflict
    is right then. ``loose`` is set where a person decided such a one: either value is right.
    """

    people: str | None = None
    sales: str | None = None
    last: str | None = None
    apart: bool = False
    loose: bool = False


@dataclass
class Item:
    """A deal and its card, whoever made it. ``key`` is "" as long as no deal is known."""

    key: str
    card: int = 0
    notes: Counter[str] = field(default_factory=Counter)
    fields: dict[str, Said] = field(default_factory=dict)
    toggles: dict[str, list[bool]] = field(default_factory=dict)
    moves: list[str] = field(default_factory=list)
    card_deleted: bool = False
    removed: bool = False
    perhaps: Counter[str] = field(default_factory=Counter)
    """Comments on a card that was deleted before a run can have seen them for certain."""
    fresh: Counter[str] = field(default_factory=Counter)
    """Comments since all was quiet last."""


class Board:
    """The cards as people see them, the deals as sales see them, and what should be of both."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.items: list[Item] = []
        self.was_killed = False
        """Since all was quiet last. A run that is cut off after it took an edit up has not noted so
        yet: the next edit of that field is a conflict then, and both values stay."""
        self._count = 0

    def number(self) -> int:
        self._count += 1
        return self._count

    # --- the board in Taiga

    @property
    def project(self) -> Any:
        rows = self.office.admin.get("/projects")
        board = next(row["id"] for row in rows if row["name"] == "Portfolio")
        return self.office.admin.get(f"/projects/{board}")

    def cards(self) -> dict[int, dict[str, Any]]:
        path = f"/userstories?project={self.project['id']}&include_tasks=1"
        return {row["id"]: row for row in self.office.admin.get(path)}

    def find(self, item: Item, cards: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
        """Returns the card of a deal, if it is there."""
        if not item.card:
            ids = [n for n, row in cards.items() if _key_on(row) == item.key]
            item.card = ids[0] if ids else 0
        return cards.get(item.card)

    def shown(self, card: dict[str, Any]) -> dict[str, str]:
        """Returns what a card says, by the deal's field."""
        path = f"/userstory-custom-attributes?project={card['project']}"
        titles = {row["name"]: str(row["id"]) for row in self.office.admin.get(path)}
        path = f"/userstories/custom-attributes-values/{card['id']}"
        values = self.office.admin.get(path)["attributes_values"]
        return {
            "name": card["subject"].partition(" · ")[0],
            "expected_close": card["due_date"] or "",
            "value": _plain(values.get(titles.get("Value", ""))),
        }

    # --- what is remembered

    def note_edit(self, item: Item, name: str, side: Side, value: str, before: str) -> None:
        """Notes that one side wrote ``value``, where it saw ``before``."""
        said = item.fields.setdefault(name, Said())
        deal, card = self.both(item, name)
        if deal == card and not said.apart:  # this side has seen what the other one wrote
            said.people = said.sales = None
        other = said.sales if side is Side.DELIVERY else said.people
        if value == before:
            return
        if other is not None and deal != card and value != other:
            said.apart = True
        if side is Side.DELIVERY:
            said.people = value
        else:
            said.sales = value
        said.last = value

    def both(self, item: Item, name: str) -> tuple[str, str]:
        """Returns what deal and card say; the card's is the deal's where there is none."""
        deal = self.office.deals().get(item.key)
        card = self.find(item, self.cards())
        in_deal = texts_of(deal)[name] if deal else ""
        return in_deal, self.shown(card)[name] if card else in_deal

    def tie(self) -> None:
        """Finds out which deals were made of cards that people made."""
        unknown = [item for item in self.items if not item.key]
        if not unknown:
            return
        board = self.project["id"]
        names = {f"taiga:{board}:{item.card}": item for item in unknown}
        store = self.office.workspace.open_card_store()
        for name, row in store.known(list(names)).items():
            names[name].key = row.deal
        store.close()

    # --- what has to hold

    def settle(self) -> None:
        """Forgets what was said before all was quiet."""
        self.was_killed = False
        for item in self.items:
            item.notes += item.fresh
            item.fresh, item.toggles, item.moves = Counter(), {}, []
            conflicts = self.conflicts(item.key)
            item.fields = {
                name: said for name, said in item.fields.items() if FIELDS[name] in conflicts
            }
            for said in item.fields.values():
                said.apart = True

    def conflicts(self, key: str) -> set[str]:
        return {
            issue.field
            for issue in self.office.issues()
            if issue.kind is IssueKind.CONFLICT and issue.key.name in (key, *_tasks(key))
        }

    def violations(self) -> list[str]:
        """Returns everything that does not hold."""
        self.tie()
        deals, cards = self.office.deals(), self.cards()
        found = [f"unexpected: {i.kind} {i.message}" for i in self.office.issues() if _is_odd(i)]
        here = {item.key: item for item in self.items if item.key and not item.removed}
        if sorted(deals) != sorted(here):
            found.append(f"deals {sorted(deals)}, people made {sorted(here)}")
        counts = Counter(_key_on(row) for row in cards.values())
        found += [f"{n} cards of {key or 'no deal'}" for key, n in counts.items() if n > 1]
        found += [
            f"the card {row['subject']!r} is no deal" for row in cards.values() if not _key_on(row)
        ]
        for item in self.items:
            card = self.find(item, cards)
            if item.removed or item.key not in deals:
                if card and not any(i.key.name == item.key for i in self.office.issues()):
                    found.append(f"{item.key}: removed, its card is there, and no one is told")
                continue
            found += [f"{item.key}: {each}" for each in self._of_deal(item, deals[item.key], card)]
        return found

    def _of_deal(self, item: Item, deal: Deal, card: dict[str, Any] | None) -> Iterator[str]:
        noted = Counter(note.text for note in deal.notes)
        sure = item.notes + item.fresh
        if not sure <= noted or not noted <= sure + item.perhaps:
            yield f"notes {noted}, comments {sure}"
        if card is None:
            if not item.card_deleted:
                yield "has no card"
            return
        if item.card_deleted:
            yield "its card was deleted, and is back"
        yield from self._fields(item, deal, card)
        yield from self._stage(item, deal, card)
        yield from self._tasks(item, deal, card)
        yield from self._answers(item, card)

    def _fields(self, item: Item, deal: Deal, card: dict[str, Any]) -> Iterator[str]:
        listed = self.conflicts(item.key)
        shown, held = self.shown(card), texts_of(deal)
        for name, place in FIELDS.items():
            said = item.fields.get(name, Said())
            both = said.people is not None and said.sales is not None
            if place in listed:
                if not both and not said.loose and not self.was_killed:
                    yield f"{name}: a conflict, and only one side wrote: {said}"
                if said.people is not None and shown[name] != said.people and not said.loose:
                    yield f"{name}: in conflict, and the card's {said} became {shown[name]!r}"
                if said.sales is not None and held[name] != said.sales and not said.loose:
                    yield f"{name}: in conflict, and the deal's {said} became {held[name]!r}"
                continue
            if shown[name] != held[name]:
                yield f"{name}: {shown[name]!r} on the card, {held[name]!r} in the deal"
            if said.apart and not said.loose:
                yield f"{name}: both sides wrote apart, and no conflict is listed: {said}"
            if said.last is not None and held[name] != said.last and not said.loose:
                yield f"{name}: {said.last!r} was written last and became {held[name]!r}"

    def _stage(self, item: Item, deal: Deal, card: dict[str, Any]) -> Iterator[str]:
        column = card["status_extra_info"]["name"]
        if Story.STATUS in self.conflicts(item.key):
            return
        if column != deal.stage:
            yield f"is at {deal.stage}, its card in {column}"
        if item.moves == ["Lead"] and deal.stage != "Lead":
            yield f"was moved back to Lead, and is at {deal.stage}"

    def _tasks(self, item: Item, deal: Deal, card: dict[str, Any]) -> Iterator[str]:
        tasks = Counter(task["subject"] for task in card["tasks"])
        twice = [subject for subject, n in tasks.items() if n > 1]
        if twice:
            yield f"tasks {twice} are there twice"
        if deal.stage == "Needs" and not {GATE, SECOND_GATE} - deal.done <= set(tasks):
            yield f"its tasks are {sorted(tasks)}"
        for task in card["tasks"]:
            subject, closed = task["subject"], task["is_closed"]
            if closed != (subject in deal.done):
                yield f"{subject!r} is closed: {closed}, done: {sorted(deal.done)}"
            toggles = item.toggles.get(subject, [])
            if len(toggles) == 1 and closed != toggles[0]:
                yield f"{subject!r} was set to {toggles[0]}, and is {closed}"

    def _answers(self, item: Item, card: dict[str, Any]) -> Iterator[str]:
        rows = self.office.admin.get(f"/history/userstory/{card['id']}?type=comment")
        said = Counter(row["comment"].partition(": ")[0] for row in rows)
        for text, count in said.items():
            if text.startswith("This card is the deal") and count > 1:
                yield f"is told {count} times: {text}"


def texts_of(deal: Deal) -> dict[str, str]:
    """Returns what a deal says, as its card shows it."""
    return {
        "name": subject_of(deal),
        "expected_close": iso(deal.expected_close) or "",
        "value": card_text(BUILT_IN["value"], deal),
    }


def _plain(value: Any) -> str:
    return "" if value in (None, "") else f"{Decimal(str(value)).normalize():f}"


def _tasks(key: str) -> tuple[str, ...]:
    return (f"{key}/{GATE}", f"{key}/{SECOND_GATE}")


def _key_on(row: dict[str, Any]) -> str:
    reference = row.get("external_reference")
    return str(reference[1]).rpartition("/")[2] if reference else ""


def _is_odd(issue: Any) -> bool:
    """Whether people cannot have brought an issue about."""
    expected = (
        IssueKind.CONFLICT, IssueKind.DELETED, IssueKind.DROPPED, IssueKind.OBSTACLE,
        IssueKind.GONE, IssueKind.COPIED, IssueKind.MOVED, IssueKind.DOUBLE, IssueKind.LEFTOVER,
    )  # fmt: skip
    return issue.kind not in expected


class CardMachine(RuleBasedStateMachine):
    """A board, its deals, and everyone at work."""

    schedules = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).schedules += 1
        self.office = Office()
        self.board = Board(self.office)
        self._meanwhile: tuple[int, Callable[[], object]] | None = None
        self._requests = 0
        self.office.wire.before = self._on_request

    def _on_request(self, method: str, path: str) -> None:
        """Lets someone act in the midst of a run, right before a request."""
        self._requests += 1
        if self._meanwhile is not None and self._requests == self._meanwhile[0]:
            act, self._meanwhile = self._meanwhile[1], None
            act()

    @initialize()
    def there_are_two_deals(self) -> None:
        for key, stage in (("A-1", "Needs"), ("A-2", "Proposal")):
            values = {"customer": "Acme", "value": Decimal(1000), "currency": "EUR"}
            add_deal(
                self.office.workspace, key, f"Deal {key}", by="Sales", stage=stage, values=values
            )
            self.board.items.append(Item(key))
        self.office.run()

    # --- whom it concerns

    def _item(self, place: int) -> Item | None:
        self.board.tie()
        items = [item for item in self.board.items if not item.removed]
        return items[place % len(items)] if items else None

    def _card(self, item: Item | None) -> dict[str, Any] | None:
        return self.board.find(item, self.board.cards()) if item else None

    def _patch(self, card: dict[str, Any], **changes: Any) -> bool:
        """Edits a card as it is now."""
        path = f"/userstories/{card['id']}"
        with suppress(Refused):
            self.office.admin.patch(path, {**changes, "version": card["version"]})
            return True
        return False

    # --- sales

    @rule(place=PLACE, name=st.sampled_from(sorted(FIELDS)))
    def sales_edit_a_field(self, place: int, name: str) -> None:
        item = self._item(place)
        deal = self.office.deals().get(item.key) if item else None
        if item is None or deal is None:
            return
        number = self.board.number()
        values: dict[str, Any] = {
            "name": f"Sold {number}",
            "value": Decimal(number * 100),
            "expected_close": date(2027, 1, 1).replace(month=number % 12 + 1, day=number % 27 + 1),
        }
        after = texts_of(_with(deal, name, values[name]))[name]
        self.board.note_edit(item, name, Side.SALES, after, texts_of(deal)[name])
        edit_deal(self.office.workspace, deal.key, {name: values[name]}, by="Sales")

    @rule(place=PLACE, stage=st.sampled_from(STAGES))
    def sales_move_a_deal(self, place: int, stage: str) -> None:
        item = self._item(place)
        if item is None or not item.key:
            return
        with suppress(RequestError):
            move_deal(self.office.workspace, item.key, stage, by="Sales")
            item.moves.append(stage)

    @rule(place=PLACE, action=st.sampled_from([GATE, SECOND_GATE]), done=st.booleans())
    def sales_check_off(self, place: int, action: str, done: bool) -> None:
        item = self._item(place)
        if item is None or not item.key:
            return
        use = check_off if done else take_back
        with suppress(RequestError):
            use(self.office.workspace, item.key, [action], by="Sales")
            item.toggles.setdefault(action, []).append(done)

    @rule()
    def sales_add_a_deal(self) -> None:
        name = f"Added {self.board.number()}"
        added = add_deal(self.office.workspace, "", name, by="Sales")
        self.board.items.append(Item(added.deal.key))

    @rule(place=PLACE)
    def sales_rename_the_key(self, place: int) -> None:
        item = self._item(place)
        if item is not None and item.key:
            item.key = rename_deal(
                self.office.workspace, item.key, f"R-{self.board.number()}", by="Sales"
            ).key

    @rule(place=PLACE)
    def sales_remove_a_deal(self, place: int) -> None:
        item = self._item(place)
        if item is not None and item.key and place == 0:
            self._card(item)
            remove_deal(self.office.workspace, item.key, by="Sales")
            item.removed = True

    # --- people, on the board

    @rule(place=PLACE, name=st.sampled_from(sorted(FIELDS)), keeps_summary=st.booleans())
    def people_edit_a_card(self, place: int, name: str, keeps_summary: bool) -> None:
        item = self._item(place)
        card = self._card(item)
        if item is None or card is None:
            return
        number, before = self.board.number(), self.board.shown(card)[name]
        if name == "value":
            self._fill(item, card, number * 100, before)
            return
        _, dot, summary = card["subject"].partition(" · ")
        subject = f"{before.partition(': ')[0]}: Named {number}"
        day = f"2028-{number % 12 + 1:02}-{number % 27 + 1:02}"
        value = subject if name == "name" else day
        self.board.note_edit(item, name, Side.DELIVERY, value, before)
        changes = {"subject": subject + (dot + summary if keeps_summary else "")}
        self._patch(card, **(changes if name == "name" else {"due_date": day}))

    def _fill(self, item: Item, card: dict[str, Any], value: int, before: str) -> None:
        path = f"/userstory-custom-attributes?project={card['project']}"
        ids = [str(row["id"]) for row in self.office.admin.get(path) if row["name"] == "Value"]
        path = f"/userstories/custom-attributes-values/{card['id']}"
        now = self.office.admin.get(path)
        if not ids:
            return
        self.board.note_edit(item, "value", Side.DELIVERY, str(value), before)
        values = {**now["attributes_values"], ids[0]: value}
        self.office.admin.patch(path, {"attributes_values": values, "version": now["version"]})

    @rule(place=PLACE)
    def people_comment(self, place: int) -> None:
        item = self._item(place)
        card = self._card(item)
        text = f"Said {self.board.number()}."
        if item is not None and card is not None and self._patch(card, comment=text):
            item.fresh[text] += 1

    @rule(column=st.sampled_from(STAGES), dated=st.booleans())
    def people_make_a_card(self, column: str, dated: bool) -> None:
        project = self.board.project
        columns = {row["name"]: row["id"] for row in project["us_statuses"]}
        if column not in columns:
            return
        body = {
            "project": project["id"],
            "subject": f"Zeta: Made {self.board.number()}",
            "status": columns[column],
            "due_date": "2028-05-01" if dated else None,
        }
        made = self.office.admin.post("/userstories", body)
        self.board.items.append(Item("", card=made["id"]))

    @rule(place=PLACE, column=st.sampled_from(STAGES))
    def people_move_a_card(self, place: int, column: str) -> None:
        item = self._item(place)
        card = self._card(item)
        columns = {row["name"]: row["id"] for row in self.board.project["us_statuses"]}
        if item is None or card is None or column not in columns:
            return
        if card["status"] != columns[column] and self._patch(card, status=columns[column]):
            item.moves.append(column)

    @rule(place=PLACE, which=st.integers(0, 1))
    def people_toggle_a_task(self, place: int, which: int) -> None:
        item = self._item(place)
        card = self._card(item)
        if item is None or card is None or not card["tasks"]:
            return
        found = card["tasks"][which % len(card["tasks"])]
        closed = not found["is_closed"]
        states = [row for row in self.board.project["task_statuses"] if row["is_closed"] is closed]
        task = self.office.admin.get(f"/tasks/{found['id']}")
        body = {"status": states[0]["id"], "version": task["version"]}
        self.office.admin.patch(f"/tasks/{task['id']}", body)
        item.toggles.setdefault(found["subject"], []).append(closed)

    @rule(place=PLACE)
    def people_assign(self, place: int) -> None:
        card = self._card(self._item(place))
        members = [row["id"] for row in self.board.project["members"]]
        if card is not None:
            self._patch(card, assigned_to=[*members, None][place % (len(members) + 1)])

    @rule(place=PLACE)
    def people_delete_a_card(self, place: int) -> None:
        item = self._item(place)
        card = self._card(item)
        if item is None or card is None or place > 1:
            return
        self.office.admin.delete(f"/userstories/{card['id']}")
        item.card_deleted = True
        item.perhaps += item.fresh
        item.fresh = Counter()
        if not item.key:
            self.board.items.remove(item)

    # --- by hand, and runs

    @rule(place=PLACE, side=st.sampled_from(Side))
    def somebody_resolves(self, place: int, side: Side) -> None:
        item = self._item(place)
        if item is None or not self.board.conflicts(item.key):
            return
        key = f"{self.office.key}/{Kind.STORY}/{item.key}"
        with locked_state(self.office.workspace) as store, suppress(SyncError):
            manual_actions.resolve(store, key, side)
        for said in item.fields.values():
            said.loose = True

    @rule(full=st.booleans())
    def a_run(self, full: bool) -> None:
        self._run(full)

    @rule(at=st.integers(1, 120))
    def a_run_is_killed(self, at: int) -> None:
        self.board.was_killed = True
        self.office.run_killed(at)

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=3))
    def a_run_meets_faults(self, faults: list[Fault]) -> None:
        self.office.sandbox.faults.replace(faults)
        self._run(full=False)
        self.office.sandbox.faults.replace(())

    @rule(
        at=st.integers(1, 40),
        place=PLACE,
        act=st.integers(0, 5),
        name=st.sampled_from(sorted(FIELDS)),
    )
    def someone_acts_in_the_midst_of_a_run(self, at: int, place: int, act: int, name: str) -> None:
        acts: list[Callable[[], object]] = [
            lambda: self._act("sales_edit_a_field", place, name),
            lambda: self._act("people_edit_a_card", place, name, False),
            lambda: self._act("people_comment", place),
            lambda: self._act("people_make_a_card", "Lead", False),
            lambda: self._act("people_toggle_a_task", place, act % 2),
            lambda: self._act("sales_move_a_deal", place, "Lead"),
        ]
        self._requests, self._meanwhile = 0, (at, acts[act])
        self._run(full=False)
        self._meanwhile = None

    def _act(self, name: str, *arguments: Any) -> None:
        getattr(type(self), name).hypothesis_stateful_rule.function(self, *arguments)

    def _run(self, full: bool) -> None:
        with suppress(SyncError):  # the target could not be read: the next run will
            self.office.run(full=full)

    @rule()
    def all_is_quiet(self) -> None:
        """Runs without trouble: then everything has to be as it should, and stay so."""
        for _ in range(3):
            self.office.run(full=True)
        violations = self.board.violations()
        assert not violations, "\n".join(violations)
        self.office.sandbox.clear_requests()
        self.office.run(full=True)
        assert not self.office.writes(), f"a further run wrote {self.office.writes()}"
        self.board.settle()

    def teardown(self) -> None:
        try:
            self.all_is_quiet()
        finally:
            self.office.close()


def _with(deal: Deal, name: str, value: Any) -> Deal:
    return replace(deal, **{name: value})


__all__ = ["PEOPLE", "CardMachine", "GateClosed"]
