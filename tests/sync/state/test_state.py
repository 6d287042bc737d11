"""The state store: privacy, other versions, damage, two runs at once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sync.database.engine import open_engine, writing
from sync.database.migrations import VERSIONS
from sync.errors import Locked, Rejected, StateUnusable
from sync.plan.model import Action, ActionType, Issue, IssueKind
from sync.records.model import Base, Binding, RecordKey
from sync.run.runner import open_for_run
from sync.state.store import Checkpoint, StateStore
from tests.sync.world import FakeClock, World, deal


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def store(url: str):
    store = StateStore(url, "acme", FakeClock())
    yield store
    store.close()


def key(group: str, kind: str = "project", name: str = "") -> RecordKey:
    return RecordKey(group, kind, name)


def test_only_its_owner_may_read_the_store(tmp_path: Path):
    StateStore(f"sqlite:///{tmp_path / 'state.db'}", "acme", FakeClock()).close()
    mode = (tmp_path / "state.db").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_bindings_and_bases_come_back_as_they_were(store: StateStore):
    bases = {"tags": Base(frozenset({"a", "ö"}), frozenset({"a"})), "title": Base("Ä\n", None)}
    binding = Binding(key("D1"), "7", created=True)
    store.adopt(binding, bases)
    known = store.known(["D1", "D2"])
    assert known["D1"].bound[key("D1")].binding == binding
    assert known["D1"].bound[key("D1")].base == bases
    assert not known["D2"].bound


def test_what_is_set_while_a_write_is_under_way_leaves_its_intent_open(store: StateStore):
    """A run that is cut off right after the write would take its own tags for people's."""
    store.adopt(Binding(key("D1"), "7", created=False), {})
    added = {"tags": Base(frozenset({"a"}), frozenset({"a"}))}
    store.intend(1, Action(ActionType.ADOPT, key("D1"), ""), added)
    nothing = {"tags": Base(frozenset(), frozenset())}
    store.rebase_under_way(key("D1"), nothing)
    known = store.known(["D1"])["D1"]
    assert known.bound[key("D1")].base == nothing
    assert known.intents[key("D1")] == [added]


def test_one_object_cannot_be_bound_to_two_deals(store: StateStore):
    store.adopt(Binding(key("D1"), "7", created=True), {})
    with pytest.raises(Rejected, match="already kept in step under another key"):
        store.adopt(Binding(key("D2"), "7", created=True), {})


def test_pipelines_in_one_database_do_not_see_each_other(url: str, store: StateStore):
    store.adopt(Binding(key("D1"), "7", created=True), {})
    store.replace_issues([Issue(IssueKind.GONE, key("D1"), "gone")])
    other = StateStore(url, "other", FakeClock())
    assert not other.index()
    assert not other.issues()
    other.adopt(Binding(key("D1"), "7", created=True), {})
    other.close()


def test_an_issue_is_new_once_and_ends_once(store: StateStore):
    issue = Issue(IssueKind.CONFLICT, key("D1"), "both", "title", "a", "b", frozenset({"c"}))
    assert store.replace_issues([issue]) == ([issue], [])
    assert store.replace_issues([issue]) == ([], [])
    assert store.issues()[0].issue == issue
    assert store.replace_issues([]) == ([], [issue])


def test_delivery_facts_are_kept_with_the_time_they_were_seen(store: StateStore):
    store.save_checkpoints(
        [Checkpoint("D1", "f", "s", "tentative", {"url": "http://x", "progress": 0.5})]
    )
    facts, seen = store.facts("D1")
    assert facts == {"url": "http://x", "progress": 0.5}
    assert seen == FakeClock().now()
    assert store.facts("D2") == ({}, None)


def test_the_facts_of_all_bound_groups_are_read_at_once(store: StateStore):
    for number in range(3):
        store.save_checkpoints(
            [Checkpoint(f"D{number}", "f", "s", "tentative", {"url": f"http://x/{number}"})]
        )
        if number:
            store.adopt(Binding(key(f"D{number}"), str(number), created=True), {})
    assert store.all_facts() == {each: store.facts(each) for each in ("D1", "D2")}


def test_a_store_of_a_newer_program_is_refused_and_left_alone(url: str, store: StateStore):
    store.close()
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(VERSIONS.update().values(version=99))
    engine.dispose()
    with pytest.raises(StateUnusable, match="newer version"):
        StateStore(url, "acme", FakeClock())


def test_a_damaged_store_is_named_with_the_way_out(tmp_path: Path):
    (tmp_path / "state.db").write_bytes(b"this is not a database, certainly not " * 100)
    with pytest.raises(StateUnusable, match=r"state\.db is damaged"):
        StateStore(f"sqlite:///{tmp_path / 'state.db'}", "acme", FakeClock())


def test_of_two_runs_at_once_one_works_and_one_learns_who(url: str):
    clock = FakeClock()
    second = open_for_run(url, "acme", clock)
    with open_for_run(url, "acme", clock), pytest.raises(Locked, match="process"), second:
        pass
    with open_for_run(url, "acme", clock) as store:
        assert not store.index()


def test_the_journal_tells_what_was_changed_and_why(world: World):
    world.want(deal("D1", value="1"))
    world.run()
    world.want(deal("D1", value="2"))
    world.run()
    newest, oldest = world.store.history("D1")
    assert (oldest.action, oldest.status) == ("create", "done")
    assert (newest.action, newest.status, newest.reason) == ("update", "done", "stage is tentative")
    assert newest.changes[0]["field"] == "value"
    assert newest.changes[0]["desired"] == "2"
    assert [run.outcome for run in world.store.runs()] == ["done", "done"]
