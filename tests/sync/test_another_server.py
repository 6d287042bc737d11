"""Another server, another account, another name: what is bound and not ours is left alone."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path

import pytest

from sync.database.engine import writing
from sync.errors import AnotherServer, Refused
from sync.in_memory_target import InMemoryTarget
from sync.plan.limit_settings import Limit
from sync.plan.model import IssueKind
from sync.records.model import Marker, RecordKey, WhenRetired
from sync.run import server_identity as server
from sync.run import server_move as moving
from sync.run.manual_actions import adopt
from sync.run.runner import Outcome
from sync.state.schema import NOTES
from sync.state.store import StateStore
from sync.ways_out import MoveState, ServerIs, UseAccount
from tests.sync.world import DictSource, World, deal

pytestmark = pytest.mark.sampled_tests(2)

KEYS = ("D1", "D2", "D3", "D4")


def filled(world: World, keys: tuple[str, ...] = KEYS) -> World:
    """Makes a project for each key, with a story and a member in it."""
    world.want(*(deal(key, stories=("Call",), members={"ana@x.test": "Back"}) for key in keys))
    world.run()
    return world


def strangers(count: int = 4) -> InMemoryTarget:
    """Another server, whose unrelated projects have the same numbers as ours."""
    target = InMemoryTarget()
    for _ in range(count):
        root = target.create_root(deal("x", title="Theirs").root, Marker("x", "x")).record
        target.unmark_all(root.id)
        for name in ("one", "two"):
            target.add_child(root.id, "story", name, subject=name)
    return target


def forget_server(world: World) -> None:
    """Makes the state one of a version that noted no server."""
    with writing(world.store._engine) as connection:
        connection.execute(NOTES.delete().where(NOTES.c.name == "server"))


def picture(target: InMemoryTarget) -> object:
    return [(root, target.children(root.id)) for root in target.roots]


def stories(world: World, key: str) -> list[str]:
    """Returns the subjects of the stories in a group's project."""
    (root,) = (r for r in world.target.roots if Marker(world.pipeline, key) in r.markers)
    found = (c for c in world.target.children(root.id) if c.kind == "story")
    return sorted(str(story.fields["subject"]) for story in found)


def change_all(world: World) -> None:
    """Has something to write to every project: facts, members, a loss, a loss that deletes."""
    world.want(
        deal("D1", title="Newer", stories=("Call", "Second")),
        deal("D2", members={"bob@x.test": "Back"}),
        deal("D3", "retired"),
        deal("D4", "retired", when_retired=WhenRetired.DELETE_IF_UNTOUCHED),
        deal("D9"),
    )


class TestAnotherServer:
    @pytest.mark.parametrize("has_numbers", [True, False])
    @pytest.mark.parametrize("changed", [True, False])
    def test_is_refused_before_anything_else(
        self, world: World, has_numbers: bool, changed: bool
    ) -> None:
        filled(world)
        world.target = strangers() if has_numbers else InMemoryTarget()
        before, reads = picture(world.target), world.target.request_count
        if changed:
            change_all(world)
        with pytest.raises(AnotherServer, match="this is another server") as caught:
            world.run()
        moves = [way.server for way in caught.value.ways_out if isinstance(way, MoveState)]
        assert moves == [ServerIs.SAME, ServerIs.NEW]
        with pytest.raises(AnotherServer):
            world.plan()
        assert picture(world.target) == before
        assert world.target.request_count == reads
        assert world.store.runs()[0].outcome == "refused"

    @pytest.mark.parametrize("has_numbers", [True, False])
    @pytest.mark.parametrize("keys", [KEYS[:1], KEYS])
    def test_is_noticed_by_its_projects_where_no_server_was_noted(
        self, world: World, has_numbers: bool, keys: tuple[str, ...]
    ) -> None:
        filled(world, keys)
        forget_server(world)
        world.target = strangers() if has_numbers else InMemoryTarget()
        before = picture(world.target)
        change_all(world)
        report = world.run()
        assert report.outcome is Outcome.REFUSED
        assert "this is another server, it seems" in report.refusal
        assert picture(world.target) == before
        assert server.noted(world.store) is None

    def test_is_taken_for_ours_by_no_lifted_limit(self, world: World) -> None:
        filled(world)
        forget_server(world)
        world.target = strangers()
        before = picture(world.target)
        change_all(world)
        world.run(allow=frozenset({"unmarked", "missing", "create"}))
        theirs = [(root, children) for root, children in picture(world.target) if not root.markers]  # type: ignore[attr-defined]
        assert theirs == before

    def test_is_fine_while_nothing_is_bound(self, world: World) -> None:
        world.run()
        world.target = strangers()
        assert filled(world).store.index().keys() == set(KEYS)


class TestTheSameServer:
    def test_is_noted_by_the_first_run_and_costs_nothing(self, world: World) -> None:
        filled(world)
        assert server.noted(world.store) == world.target.identity()
        reads = world.target.request_count
        world.settled()
        assert world.target.request_count == reads + 1  # the list

    def test_is_learnt_by_an_older_state_from_its_markers(self, world: World) -> None:
        filled(world)
        forget_server(world)
        world.settled()
        assert server.noted(world.store) == world.target.identity()

    def test_is_known_under_a_new_address(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(world)
        now = server.Identity(world.target.identity().proof, "memory:new", "memory", "memory")
        monkeypatch.setattr(InMemoryTarget, "identity", lambda _: now)
        world.settled()
        assert server.noted(world.store) == now

    def test_is_taken_at_a_persons_word_only_if_markers_agree(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(world)
        now = server.Identity("new account", "memory:new", "robot", "robot")
        monkeypatch.setattr(InMemoryTarget, "identity", lambda _: now)
        with pytest.raises(AnotherServer):
            world.run()
        evidence = moving.same_server(world.store, world.target)
        assert (evidence.marked, evidence.bound) == (4, 4)
        world.settled()
        world.target = strangers()
        with pytest.raises(Refused, match="0 of 4 projects are there with this pipeline's marker"):
            moving.same_server(world.store, world.target)


class TestAMove:
    def test_to_a_new_server_makes_all_anew_and_keeps_what_was_unlinked(self, world: World) -> None:
        filled(world)
        world.store.unlink(RecordKey("D2", "project"))
        old = picture(world.target)
        former, world.target = world.target, strangers()
        theirs = picture(world.target)
        assert moving.new_server(world.store, world.target) == 3
        report = world.run()
        assert report.outcome is Outcome.DONE
        made = [m.key for root in world.target.roots for m in root.markers]
        assert sorted(made) == ["D1", "D3", "D4"]
        assert picture(former) == old
        assert [one for one in picture(world.target) if not one[0].markers] == theirs  # type: ignore[attr-defined]
        world.settled()

    def test_back_finds_the_old_projects_by_their_markers(self, world: World) -> None:
        filled(world)
        first, world.target = world.target, InMemoryTarget()
        moving.new_server(world.store, world.target)
        world.run()
        world.target = first
        moving.new_server(world.store, world.target)
        world.run()
        assert len(first.roots) == 4
        world.settled()


class TestARestoredServer:
    """Half of the projects are newer than the backup; their numbers went to other projects."""

    @pytest.fixture
    def restored(self, world: World) -> World:
        filled(world)
        backup = copy.deepcopy(world.target._roots)
        world.want(*(deal(f"N{number}") for number in range(4)))
        world.run()
        newer = [r.id for r in world.target.roots if r.markers[0].key.startswith("N")]
        world.target._roots = backup
        for number in newer[:3]:
            made = world.target.create_root(deal("x", title="Theirs").root, Marker("x", "x")).record
            world.target.unmark_all(made.id)
            root = world.target._roots.pop(made.id)
            world.target._roots[number] = root
            object.__setattr__(root.record, "id", number)
        return world

    def test_is_refused_with_the_numbers(self, restored: World) -> None:
        before = picture(restored.target)
        restored.want(*(deal(f"N{number}", "retired") for number in range(3)))
        report = restored.run()
        assert report.outcome is Outcome.REFUSED
        assert "limit 'unmarked': 3 planned" in report.refusal
        assert picture(restored.target) == before

    def test_is_brought_back_by_one_command(self, restored: World) -> None:
        theirs = [one for one in picture(restored.target) if not one[0].markers]  # type: ignore[attr-defined]
        evidence = moving.restored(restored.store, restored.target).evidence
        assert (evidence.marked, len(evidence.unmarked), len(evidence.missing)) == (4, 3, 1)
        report = restored.run()
        assert report.outcome is Outcome.DONE, report.refusal
        keys = sorted(m.key for root in restored.target.roots for m in root.markers)
        assert keys == sorted([*KEYS, "N0", "N1", "N2", "N3"])
        assert [one for one in picture(restored.target) if not one[0].markers] == theirs  # type: ignore[attr-defined]
        restored.settled()

    def test_is_brought_back_after_runs_that_took_it_for_deleted_by_people(
        self, restored: World
    ) -> None:
        for root in [r for r in restored.target.roots if not r.markers]:
            restored.target.delete(root.id)
        assert [issue.kind for issue in restored.run().issues] == [IssueKind.DELETED] * 4
        evidence = moving.restored(restored.store, restored.target).evidence
        assert (evidence.marked, len(evidence.missing)) == (4, 4)
        restored.run()
        keys = sorted(m.key for root in restored.target.roots for m in root.markers)
        assert keys == sorted([*KEYS, "N0", "N1", "N2", "N3"])
        restored.settled()

    def test_gets_what_its_projects_lack(self, older: World) -> None:
        assert [str(key) for key in moving.restored(older.store, older.target).children] == [
            "D1/story/Second"
        ]
        older.run()
        assert stories(older, "D1") == ["Call", "Second"]
        older.settled()

    def test_gets_what_runs_since_the_backup_took_for_taken_away(self, older: World) -> None:
        older.clock.advance(hours=1)
        older.run()
        assert stories(older, "D1") == ["Call"]
        before = moving.restored(older.store, older.target)
        assert ([str(key) for key in before.noted], before.children) == (["D1/story/Second"], [])
        backup = older.clock.now() - timedelta(minutes=5)
        after = moving.restored(older.store, older.target, since=backup)
        assert ([str(key) for key in after.children], after.noted) == (["D1/story/Second"], [])
        older.run()
        assert stories(older, "D1") == ["Call", "Second"]

    def test_keeps_away_what_people_took_away_before_the_backup(self, older: World) -> None:
        older.run()
        older.clock.advance(hours=1)
        moving.restored(older.store, older.target, since=older.clock.now())
        older.run()
        assert stories(older, "D1") == ["Call"]

    @pytest.fixture
    def older(self, world: World) -> World:
        """A project of the backup that got a story after it."""
        filled(world)
        backup = copy.deepcopy(world.target._roots)
        world.want(deal("D1", stories=("Call", "Second")))
        world.run()
        assert stories(world, "D1") == ["Call", "Second"]
        world.target._roots = backup
        return world

    def test_that_lost_everything_is_refused_too(self, world: World) -> None:
        filled(world)
        world.target._roots.clear()
        report = world.run()
        assert report.outcome is Outcome.REFUSED
        assert "limit 'missing': 4 planned" in report.refusal
        assert not world.target.roots
        with pytest.raises(Refused, match="nothing shows that this is the same server"):
            moving.restored(world.store, world.target)


class TestOneOrTwo:
    """A project whose mark people removed."""

    @pytest.mark.parametrize("marks", [[], [Marker("acme", "OTHER")]])
    def test_is_an_issue_and_nothing_of_it_is_touched(
        self, world: World, marks: list[Marker]
    ) -> None:
        filled(world)
        lost = [root.id for root in world.target.roots[1:3]]
        for number in lost:
            world.target.unmark_all(number)
            for mark in marks:
                world.target.mark(number, mark)
        before = {number: world.target.children(number) for number in lost}
        fields = {r.id: r.fields for r in world.target.roots}
        world.want(
            deal("D1", title="Newer"),
            deal("D2", title="Newer", stories=("Call", "Second"), members={}),
            deal("D3", "retired", when_retired=WhenRetired.DELETE_IF_UNTOUCHED),
        )
        report = world.run()
        assert report.outcome is Outcome.PARTIAL
        assert {i.key.group for i in report.issues if i.kind is IssueKind.UNMARKED} == {"D2", "D3"}
        assert {action.key.group for action in report.applied} == {"D1"}
        assert {number: world.target.children(number) for number in lost} == before
        assert all(r.fields == fields[r.id] for r in world.target.roots if r.id in lost)
        assert len(world.settled().issues) == 2
        assert world.store.facts("D2")[0]["title"] == "Deal D2"

    def test_is_over_once_the_mark_is_back(self, world: World) -> None:
        filled(world)
        root = world.target.roots[0]
        world.target.unmark_all(root.id)
        assert world.settled().issues
        world.target.mark(root.id, root.markers[0])
        assert not world.run().issues
        world.settled()

    def test_that_loses_its_mark_during_the_run_is_not_written(self, world: World) -> None:
        filled(world)
        first = world.target.roots[0]
        done = []

        def remove(operation: str) -> None:
            if operation == "before update" and not done:
                done.append(operation)
                world.target.unmark_all(first.id)

        world.target.faults = remove
        world.want(deal("D1", title="Newer", stories=("Call", "Second")))
        report = world.run()
        assert [i.kind for i in report.issues] == [IssueKind.UNMARKED]
        assert world.target.roots[0].fields["title"] == "Deal D1"
        assert len(world.target.children(first.id, "story")) == 1

    def test_that_another_pipeline_claims_too_is_not_written(self, world: World) -> None:
        filled(world)
        root = world.target.roots[0]
        world.target.mark(root.id, Marker("south", "D1"))
        world.want(deal("D1", title="Newer"))
        (issue,) = world.settled().issues
        assert "also carries the marker of the pipeline south" in issue.message

    def test_that_another_pipeline_claims_too_is_not_adopted_by_its_marker(
        self, world: World
    ) -> None:
        filled(world, KEYS[:1])
        root = world.target.roots[0]
        world.target.mark(root.id, Marker("south", "D1"))
        world.lose_state()
        (issue,) = world.settled().issues
        assert issue.kind is IssueKind.UNMARKED
        assert "also carries the marker of the pipeline south" in issue.message
        assert len(world.target.roots) == 1

    def test_more_of_them_refuse_the_run(self, world: World) -> None:
        filled(world)
        for root in world.target.roots[:3]:
            world.target.unmark_all(root.id)
        report = world.run()
        assert report.outcome is Outcome.REFUSED
        assert "limit 'unmarked': 3 planned (D1: project" in report.refusal
        assert world.run(allow=frozenset({"unmarked"})).outcome is Outcome.PARTIAL
        limits = {"unmarked": Limit(3)}
        assert world.run(limits=limits).outcome is Outcome.PARTIAL

    def test_a_number_that_was_given_out_again_stays_deleted(self, world: World) -> None:
        filled(world)
        root = world.target.roots[0]
        world.target.delete(root.id)
        world.run()
        again = strangers(1)._roots["1"]
        world.target._roots[root.id] = again
        object.__setattr__(again.record, "id", root.id)
        report = world.settled()
        assert [i.kind for i in report.issues] == [IssueKind.DELETED]


class TestTwoAccounts:
    def test_another_account_on_one_state_is_refused(self, world: World) -> None:
        filled(world)
        world.target.account = "petra"
        with pytest.raises(AnotherServer, match="this is another account") as caught:
            world.run()
        assert UseAccount("memory") in caught.value.ways_out
        assert MoveState(ServerIs.SAME) in caught.value.ways_out

    def test_another_account_with_a_state_of_its_own_is_noticed_by_the_markers(
        self, world: World, tmp_path: Path
    ) -> None:
        filled(world)
        (tmp_path / "two").mkdir()
        second = World(tmp_path / "two", world.source, world.target, world.clock)
        world.target.account = "petra"
        writes = world.target.writes
        report = second.run()
        assert report.outcome is Outcome.REFUSED
        assert "limit 'other_account': 4 planned" in report.refusal
        assert world.target.writes == writes
        assert second.run(allow=frozenset({"other_account"})).outcome is Outcome.DONE
        second.store.close()

    def test_a_project_that_a_person_bound_by_hand_may_be_anybodys_though_a_run_was_cut_off(
        self, world: World
    ) -> None:
        """The run had marked it, and was killed before it noted so."""
        filled(world)
        world.target.account = "petra"
        theirs = world.target.create_root(deal("D9").root, Marker("x", "x")).record
        world.target.account = "memory"
        world.target.unmark_all(theirs.id)
        world.want(deal("D9", tags=("incoming", "web")))
        adopt(world.store, world.target, RecordKey("D9", "project"), theirs.id)
        world.target.mark(theirs.id, Marker("acme", "D9"))
        report = world.run()
        assert report.outcome is Outcome.DONE, report.refusal
        assert [str(each.key) for each in report.applied if each.key.is_root] == ["D9"]
        world.settled()


class TestTwoPipelines:
    @pytest.mark.parametrize("shared", [True, False])
    def test_with_the_same_keys_just_work(self, world: World, tmp_path: Path, shared: bool) -> None:
        filled(world)
        (tmp_path / "two").mkdir()
        folder = world.folder if shared else tmp_path / "two"
        url = world.url if shared else ""
        south = World(folder, DictSource(), world.target, world.clock, pipeline="south", url=url)
        title = "South {}" if shared else "Deal {}"
        south.want(*(deal(key, title=title.format(key)) for key in KEYS))
        report = south.run()
        assert report.outcome is Outcome.DONE, report.refusal
        assert len(world.target.roots) == 8
        south.settled()
        world.settled()
        south.store.close()

    def test_one_that_was_renamed_makes_nothing_a_second_time(self, world: World) -> None:
        filled(world)
        old = world.store
        world.pipeline = "renamed"
        world.store = world.open_store()
        old.close()
        report = world.run()
        assert report.outcome is Outcome.REFUSED
        assert "limit 'other_pipeline': 4 planned (D1 by acme" in report.refusal
        assert len(world.target.roots) == 4


def test_a_state_that_was_copied_for_another_pipeline_binds_nothing_there(world: World) -> None:
    filled(world)
    url = world.url or f"sqlite:///{world.folder / 'state.db'}"
    copied = StateStore(url, "south", world.clock)
    assert copied.index() == {}
    assert server.noted(copied) is None
    copied.close()
