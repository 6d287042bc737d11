"""The store keeps deals exactly, with their history, and says clearly what is wrong with it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import inspect, update

from sync.database.engine import open_engine, writing
from sync.database.migrations import migrate, statements
from sync.errors import Unreachable
from sync.way_out import Upgrade
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.errors import AlreadyThere, GateClosed, InvalidValue, UnknownName
from taiga_pipeline.pipeline.model import Category, Contact, ContactPart, Deal, Note, RoleDemand
from taiga_pipeline.pipeline.schema import DEALS, METADATA, NAME, writing_store
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.tables.steps import STEPS
from tests.pipeline.conftest import StandingClock

FULL = Deal(
    key="D-1",
    name="New portal",
    customer="Åkerlunds; & Co",
    stage="Proposal",
    value=Decimal("120000.10"),
    currency="SEK",
    probability=Decimal("0.35"),
    engaged_on=date(2026, 9, 1),
    expected_close=date(2026, 12, 1),
    start=date(2027, 1, 11),
    owner="Maya",
    team="consulting",
    service="web",
    lead_source="fair",
    notes=(Note("first line\nsecond line", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "maya"),),
    contacts=(
        Contact("Anna | Berg; CEO", "anna@example.org", "+46 70", ContactPart.DECISION_MAKER),
    ),
    roles=(RoleDemand("R;D: back", Decimal("30.5"), 10, 2, ("python", "c, or c++]")),),
    done=frozenset({"needs documented", "a; b"}),
    stage_since=datetime(2026, 10, 1, 8, tzinfo=UTC),
    updated_at=datetime(2026, 10, 2, 8, tzinfo=UTC),
)


def test_a_deal_comes_back_exactly_as_it_was_added(store: DealStore) -> None:
    store.add(FULL)

    assert store.get("D-1") == FULL


def test_a_new_deal_begins_its_history_with_its_stage(
    store: DealStore, clock: StandingClock
) -> None:
    added = store.add(Deal("D-2", "x", stage="Lead"), by="maya")

    (move,) = store.history("D-2")
    assert (move.from_stage, move.to_stage, move.by) == ("", "Lead", "maya")
    assert added.stage_since == added.updated_at == move.at == clock.time


@pytest.mark.parametrize("key", ["D-1", " D-1 ", "d-1"])
def test_a_key_that_is_taken_is_refused(store: DealStore, key: str) -> None:
    store.add(FULL)
    with pytest.raises(AlreadyThere, match="D-1"):
        store.add(Deal(key, "another"))
    assert store.count() == 1


def test_all_problems_of_a_deal_are_reported_at_once(store: DealStore) -> None:
    broken = Deal(
        "D-3", "x", value=Decimal("NaN"), currency="euros", probability=Decimal(2), owner="a\0b"
    )
    with pytest.raises(InvalidValue) as caught:
        store.add(broken)
    text = str(caught.value)
    assert all(field in text for field in ("value:", "currency:", "probability:", "owner:"))


@pytest.mark.parametrize(
    "change",
    [
        {"value": Decimal("Infinity")},
        {"value": Decimal(-1)},
        {"value": Decimal("1E-400")},
        {"value": Decimal("1E+400")},
        {"name": ""},
        {"name": "\ud800"},
        {"key": "x" * 300},
        {"roles": (RoleDemand("Back", Decimal(-1), 3),)},
        {"roles": (RoleDemand("Back", Decimal(1), 0),)},
        {"contacts": (Contact(""),)},
    ],
)
def test_what_cannot_be_kept_is_refused(store: DealStore, change: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        store.add(replace(FULL, **change))  # type: ignore[arg-type]


def test_the_nearest_key_is_named_when_there_is_no_such_deal(store: DealStore) -> None:
    store.add(replace(FULL, key="ACME-2026-1"))
    with pytest.raises(UnknownName, match=r"no deal 'ACME-2026-2'; did you mean 'ACME-2026-1'"):
        store.get("ACME-2026-2")


def test_an_edit_changes_only_what_is_named_and_records_what_changed(
    store: DealStore, clock: StandingClock
) -> None:
    store.add(FULL)
    later = clock.forward(days=1)
    edited = store.edit(
        "D-1", {"expected_close": date(2027, 2, 1), "notes": (Note("n"),)}, by="tom"
    )

    log = (Note("n", later, "tom"), *FULL.notes)
    assert edited == replace(FULL, expected_close=date(2027, 2, 1), notes=log, updated_at=later)
    assert store.get("D-1") == edited
    slipped, noted = [change for change in store.changes("D-1") if change.at == later]
    assert (slipped.field, slipped.before, slipped.after) == (
        "expected_close",
        "2026-12-01",
        "2027-02-01",
    )
    assert (noted.field, noted.before, noted.after) == ("notes", "", "n")
    assert (slipped.at, slipped.by) == (noted.at, noted.by) == (later, "tom")


def test_an_edit_that_changes_nothing_leaves_no_trace(
    store: DealStore, clock: StandingClock
) -> None:
    store.add(FULL)
    clock.forward(days=1)
    store.edit("D-1", {"owner": " Maya "})

    assert store.get("D-1") == FULL
    assert {each.field for each in store.changes()} == {"notes"}, "it came with one"


@pytest.mark.parametrize("field", ["key", "stage", "done", "updated_at"])
def test_fields_with_a_way_of_their_own_are_not_edited(store: DealStore, field: str) -> None:
    store.add(FULL)
    with pytest.raises(InvalidValue, match=field):
        store.edit("D-1", {field: "x"})


def test_a_move_is_recorded_with_time_and_person(store: DealStore, clock: StandingClock) -> None:
    store.add(FULL)
    later = clock.forward(days=3)
    move = store.move("D-1", Destination("Won", Category.WON), by="maya")

    deal = store.get("D-1")
    assert (deal.stage, deal.stage_since, deal.closed_on) == ("Won", later, later.date())
    assert list(store.history("D-1"))[-1] == move
    assert (move.from_stage, move.to_stage, move.at, move.by) == ("Proposal", "Won", later, "maya")


def test_a_reopened_deal_has_no_day_of_decision(store: DealStore) -> None:
    store.add(FULL)
    store.move("D-1", Destination("Lost", Category.LOST, lost_reason="price"))
    assert store.get("D-1").lost_reason == "price"

    store.move("D-1", Destination("Proposal", Category.PROPOSAL))
    deal = store.get("D-1")
    assert (deal.closed_on, deal.lost_reason) == (None, "")


def test_the_day_of_a_decision_can_be_given(store: DealStore) -> None:
    store.add(FULL)
    store.move("D-1", Destination("Won", Category.WON, closed_on=date(2026, 10, 30)))
    assert store.get("D-1").closed_on == date(2026, 10, 30)


def test_a_gate_holds_a_deal_back_with_the_list_of_open_actions(store: DealStore) -> None:
    store.add(FULL)
    gate = Destination("Won", Category.WON, ("Needs Documented", "price agreed", "contract"))
    with pytest.raises(GateClosed, match="'price agreed', 'contract'") as caught:
        store.move("D-1", gate)

    assert caught.value.missing == ("price agreed", "contract")
    assert store.get("D-1") == FULL
    assert len(list(store.history("D-1"))) == 1


def test_a_forced_move_records_what_was_skipped(store: DealStore) -> None:
    store.add(FULL)
    gate = Destination("Won", Category.WON, ("price agreed", 'a "quoted", one'))
    store.move("D-1", gate, force=True)

    assert list(store.history("D-1"))[-1].forced == ("price agreed", 'a "quoted", one')


def test_actions_are_checked_off_once_and_taken_back(store: DealStore) -> None:
    store.add(FULL)
    store.done("D-1", "price agreed")
    store.done("D-1", "PRICE agreed")
    assert store.get("D-1").done == FULL.done | {"price agreed"}

    store.undone("D-1", "Price Agreed")
    assert store.get("D-1").done == FULL.done
    with pytest.raises(UnknownName, match="done: a; b, needs documented"):
        store.undone("D-1", "price agreed")


def test_a_move_to_the_same_stage_is_refused(store: DealStore) -> None:
    store.add(FULL)
    with pytest.raises(InvalidValue, match="already"):
        store.move("D-1", Destination("Proposal"))


def test_deals_are_filtered_without_regard_to_case_and_come_in_key_order(store: DealStore) -> None:
    for key, stage, team, owner, name in (
        ("b", "Förslag", "North", "Åsa", "one"),
        ("a", "FÖRSLAG", "north", "Bo", "two"),
        ("c", "Vunnen", "South", "åsa", "Three"),
    ):
        store.add(Deal(key, name, stage=stage, team=team, owner=owner))

    def keys(**filters: object) -> list[str]:
        return [deal.key for deal in store.deals(**filters)]  # type: ignore[arg-type]

    assert keys() == ["a", "b", "c"]
    assert keys(stages=["förslag"]) == ["a", "b"]
    assert keys(stages=["förslag", "VUNNEN"], team="NORTH") == ["a", "b"]
    assert keys(owner="ÅSA") == ["b", "c"]
    assert keys(text="thr") == ["c"]
    assert keys(text="100%") == []


def test_deals_may_be_changed_while_they_are_gone_through(store: DealStore) -> None:
    store.upsert(Deal(f"K{number:04}", "x", stage="Lead") for number in range(1500))
    for deal in store.deals():
        if deal.key.endswith("7"):
            store.edit(deal.key, {"name": "y"})

    assert sum(deal.name == "y" for deal in store.deals()) == 150


def test_a_second_upsert_of_the_same_deals_changes_nothing(
    store: DealStore, clock: StandingClock
) -> None:
    deals = [Deal(f"K{number}", f"n{number}", stage="Lead") for number in range(700)]
    assert store.upsert(deals) == (700, 0, 0)
    clock.forward(days=1)
    assert store.upsert(deals) == (0, 0, 700)

    changed = [replace(deals[0], stage="Won", value=Decimal(5)), *deals[1:]]
    assert store.upsert(changed, by="nightly") == (0, 1, 699)
    assert [move.to_stage for move in store.history("K0")] == ["Lead", "Won"]
    assert [change.field for change in store.changes()] == ["value"]


def test_an_upsert_that_fails_stores_nothing(store: DealStore) -> None:
    with pytest.raises(InvalidValue):
        store.upsert([Deal("K1", "fine"), Deal("K2", "")])
    store.add(Deal("K3", "x"))
    with pytest.raises(AlreadyThere):
        store.upsert([Deal("K4", "fine"), Deal("k3", "x")])
    assert [deal.key for deal in store.deals()] == ["K3"]


def test_times_in_other_zones_are_kept_as_the_same_moment(store: DealStore) -> None:
    in_sweden = datetime(2026, 7, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    store.add(replace(FULL, stage_since=in_sweden))
    found = store.get("D-1").stage_since
    assert found == in_sweden
    assert found is not None and found.tzinfo is UTC


def test_the_migrated_tables_are_the_ones_that_queries_expect(
    store: DealStore,
) -> None:
    inspector = inspect(store._engine)
    for table in METADATA.sorted_tables:
        keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
        found = inspector.get_columns(table.name)
        assert [(c["name"], c["nullable"] or c["name"] in keys) for c in found] == [
            (c.name, bool(c.nullable) or c.primary_key) for c in table.columns
        ], table.name


def test_a_missing_store_is_named_with_the_way_to_make_one(
    tmp_path: Path, clock: StandingClock
) -> None:
    with pytest.raises(Unreachable, match=r"gone\.db: no such file.*pipeline-sync init"):
        DealStore.open(f"sqlite:///{tmp_path / 'gone.db'}", clock)


def test_a_damaged_store_is_named_with_the_way_out(store_file: Path, clock: StandingClock) -> None:
    store = DealStore.open(f"sqlite:///{store_file}", clock, create=True)
    store.upsert(Deal(f"K{number}", "x" * 200) for number in range(500))
    store.close()
    data = store_file.read_bytes()
    store_file.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    store_file.with_name("pipeline.db-wal").unlink(missing_ok=True)
    with pytest.raises(Unreachable, match=r"pipeline\.db is damaged.*\.recover"):
        list(DealStore.open(f"sqlite:///{store_file}", clock).deals())


def test_a_file_that_is_no_store_is_named(tmp_path: Path, clock: StandingClock) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(Unreachable, match=r"letter\.db is damaged or not a SQLite database"):
        DealStore.open(f"sqlite:///{tmp_path / 'letter.db'}", clock)


def test_a_locked_store_is_named_and_nothing_is_lost(
    store: DealStore, database_url: str, clock: StandingClock
) -> None:
    store.add(FULL)
    other = DealStore(open_engine(database_url, busy_seconds=0.05), clock)
    with writing_store(store._engine):
        with pytest.raises(Unreachable, match=r"/\w+(\.db)? is in use by another program"):
            other.edit("D-1", {"name": "y"})
        assert other.get("D-1") == FULL
    other.edit("D-1", {"name": "z"})
    assert store.get("D-1").name == "z"
    other.close()


def test_a_store_from_a_newer_program_is_refused(
    store: DealStore, database_url: str, clock: StandingClock
) -> None:
    engine = open_engine(database_url)
    migrate(engine, NAME, (*STEPS, statements("CREATE TABLE later (id INTEGER)")))
    engine.dispose()
    with pytest.raises(Unreachable, match="newer version") as caught:
        DealStore.open(database_url, clock)
    assert caught.value.ways_out == (Upgrade(),)


def test_two_programs_that_edit_one_deal_lose_nothing(
    store: DealStore, database_url: str, clock: StandingClock
) -> None:
    store.add(replace(FULL, done=frozenset()))

    def check_off(name: str) -> None:
        other = DealStore.open(database_url, clock)
        for number in range(10):
            other.done("D-1", f"{name} {number}")
        other.close()

    threads = [threading.Thread(target=check_off, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)

    assert len(store.get("D-1").done) == 30


def test_two_programs_that_add_the_same_deals_at_once_do_not_stand_in_each_others_way(
    store: DealStore, database_url: str, clock: StandingClock
) -> None:
    outcomes: list[tuple[int, int, int]] = []

    def bring(keys: list[str]) -> None:
        other = DealStore.open(database_url, clock)
        outcomes.append(other.upsert(Deal(key, f"deal {key}") for key in keys))
        other.close()

    keys = [f"K{number}" for number in range(200)]
    threads = [threading.Thread(target=bring, args=(each,)) for each in (keys, keys[::-1], keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)

    assert sorted(outcomes) == [(0, 0, 200), (0, 0, 200), (200, 0, 0)]


def test_a_batch_that_is_not_kept_leaves_the_store_as_it_was(store: DealStore) -> None:
    with store.batch(keep=False) as batch:
        batch.put_all([FULL])
    assert store.count() == 0
    with writing(store._engine):
        pass


@pytest.mark.parametrize("day", [date(9999, 12, 31), date(1, 1, 1), date(1899, 12, 30)])
def test_a_day_that_no_pipeline_reaches_is_no_date_also_in_an_older_store(
    store: DealStore, day: date
) -> None:
    deal = Deal("D-1", "x", expected_close=day, start=day, closed_on=day, engaged_on=day)
    store.upsert([deal])
    with store._engine.begin() as connection:  # as a version that kept such days left it
        connection.execute(update(DEALS).values(expected_close=day, start=day))
    (found,) = store.deals()
    assert (found.expected_close, found.start, found.closed_on, found.engaged_on) == (None,) * 4
