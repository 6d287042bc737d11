"""The state of one server run against another one: nothing there is written, whatever the target.

Both are set up for the test, because a real server cannot be had twice: it is tried by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sync.database.engine import writing
from sync.errors import AnotherServer, Refused
from sync.plan.model import IssueKind
from sync.records.model import Desired, Marker, RecordKey, WhenRetired
from sync.run import server_identity as server
from sync.run import server_move as moving
from sync.run.runner import Outcome
from sync.state.schema import NOTES
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import (
    InMemoryAccount,
    KanboardAccount,
    OlderOdooAccount,
    RedmineAccount,
    TaigaAccount,
)
from tests.contract.targets.test_runs import Pipeline
from tests.odoo.fake import DATABASE, FakeOdoo
from tests.odoo.fake import KEY as ODOO_KEY
from tests.odoo.fake import LOGIN as ODOO_LOGIN
from tests.odoo.fake import URL as ODOO_URL
from tests.targets.kanboard.fake import TOKEN as KANBOARD_TOKEN
from tests.targets.kanboard.fake import URL as KANBOARD_URL
from tests.targets.kanboard.fake import FakeKanboard
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

pytestmark = pytest.mark.sampled_tests(5)

DEALS = ("1", "2", "3", "D-1")
"""Keys that any pipeline may give."""


@contextmanager
def memory(pipeline: str) -> Iterator[Callable[[], Account]]:
    account = InMemoryAccount()
    account.pipeline = pipeline
    yield lambda: account


@contextmanager
def sandbox(pipeline: str) -> Iterator[Callable[[], Account]]:
    with Sandbox() as running:
        password = Secret(running.password)
        connection = Connection(running.url, pipeline, username=running.username, password=password)
        yield lambda: TaigaAccount(connection, ManualClock())


@contextmanager
def redmine(pipeline: str) -> Iterator[Callable[[], Account]]:
    """A Redmine at the address of every other one: it is its data that tell."""
    clock = ManualClock()
    fake = FakeRedmine(now=clock.now)
    with ExitStack() as stack:

        def open_account() -> Account:
            stack.enter_context(fake.answer())
            return RedmineAccount(Connection(URL, pipeline, token=Secret(KEY)), clock)

        yield open_account


@contextmanager
def kanboard(pipeline: str) -> Iterator[Callable[[], Account]]:
    """A Kanboard at the address of every other one: it is its data that tell."""
    clock = ManualClock()
    fake = FakeKanboard(now=clock.now)
    with ExitStack() as stack:

        def open_account() -> Account:
            stack.enter_context(fake.answer())
            connection = Connection(KANBOARD_URL, pipeline, token=Secret(KANBOARD_TOKEN))
            return KanboardAccount(connection, clock)

        yield open_account


@contextmanager
def odoo(pipeline: str) -> Iterator[Callable[[], Account]]:
    """An Odoo at the address of every other one, with a database of the same name."""
    clock = ManualClock()
    fake = FakeOdoo(now=clock.now, is_admin=True)
    with ExitStack() as stack:

        def open_account() -> Account:
            stack.enter_context(fake.answer())
            connection = Connection(
                ODOO_URL,
                pipeline,
                username=ODOO_LOGIN,
                token=Secret(ODOO_KEY),
                options={"database": DATABASE},
            )
            return OlderOdooAccount(connection, clock)

        yield open_account


SERVERS = {
    "memory": memory,
    "sandbox": sandbox,
    "redmine": redmine,
    "kanboard": kanboard,
    "odoo": odoo,
}


@dataclass
class Two:
    """A pipeline on its own server, and another server."""

    pipeline: Pipeline
    other: Callable[[], Account]

    def fill(self, *keys: str) -> None:
        for key in keys or DEALS:
            self.pipeline.want(key)
        report = self.pipeline.run()
        assert report.outcome is Outcome.DONE, (report.refusal, report.issues)

    def move(self, strangers: int = 0) -> None:
        """Goes to the other server, on which people have projects of their own."""
        self.pipeline.account = self.other()
        for number in range(strangers):
            add_stranger(self.pipeline.account, f"Theirs {number}")

    def change_all(self) -> None:
        """Has something to write to each project, a retirement that deletes among it."""
        self.pipeline.want("1", title="Newer")
        self.pipeline.want("2", "staffed", self.pipeline.account.member)
        self.pipeline.want("3", "retired")
        self.pipeline.want("D-1", "retired")
        group = self.pipeline.deals.groups["D-1"]
        delete = replace(group, when_retired=WhenRetired.DELETE_IF_UNTOUCHED)
        self.pipeline.deals.groups["D-1"] = delete

    def forget_server(self) -> None:
        """Makes the state one of a version that noted no server."""
        with writing(self.pipeline.store._engine) as connection:
            connection.execute(NOTES.delete().where(NOTES.c.name == "server"))


def add_stranger(account: Account, title: str) -> str:
    """A project without our mark, with something in it; returns its number."""
    fields = {"state": "tentative", "label": "", "title": title, "text": "Our own", "private": True}
    desired = account.target.fit(Desired(RecordKey("x", Kind.PROJECT), fields))
    root = account.target.create_root(desired, Marker("x", "x")).record.id
    account.target.unmark(root, Marker("x", "x"))
    account.add_story(root, "Their own")
    return root


def picture(account: Account) -> object:
    """Everything in the account's projects."""
    roots = sorted(account.target.observe_roots(), key=lambda root: root.id)
    read = account.target.observe_children  # one by one: with many, Taiga shows no addresses
    children = {root.id: read([root.id])[root.id] for root in roots}
    return [
        (root.id, root.fields, root.markers, sorted(map(str, children[root.id]))) for root in roots
    ]


def unmarked(account: Account) -> object:
    return [each for each in picture(account) if not each[2]]  # type: ignore[attr-defined]


@pytest.fixture(params=SERVERS)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    make = SERVERS[request.param]
    with make("acme") as first, make("acme") as second:
        pipeline = Pipeline(first(), tmp_path)
        yield Two(pipeline, second)
        pipeline.store.close()


@pytest.mark.parametrize("strangers", [0, 4])
def test_another_server_is_refused_before_anything_is_read_or_written(
    two: Two, strangers: int
) -> None:
    two.fill()
    two.move(strangers)
    two.change_all()
    before = picture(two.pipeline.account)
    writes = two.pipeline.account.writes
    now = server.identity_of(two.pipeline.account.target)
    if now is not None and not now.proof:  # it tells only once something was made there
        assert two.pipeline.run().outcome is Outcome.REFUSED
    else:
        with pytest.raises(AnotherServer, match="this is another server"):
            two.pipeline.run()
    assert two.pipeline.account.writes == writes
    assert picture(two.pipeline.account) == before


@pytest.mark.parametrize("strangers", [0, 4])
def test_a_state_that_noted_no_server_is_refused_by_what_is_there(two: Two, strangers: int) -> None:
    two.fill()
    two.forget_server()
    two.move(strangers)
    two.change_all()
    before = picture(two.pipeline.account)
    report = two.pipeline.run(full=True)
    assert report.outcome is Outcome.REFUSED
    assert "this is another server" in report.refusal
    assert picture(two.pipeline.account) == before


def test_a_state_that_noted_no_server_learns_it_from_its_projects(two: Two) -> None:
    two.fill()
    two.forget_server()
    two.pipeline.settled()
    assert server.noted(two.pipeline.store) == server.identity_of(two.pipeline.account.target)


def test_a_move_to_another_server_makes_all_anew_there_and_leaves_strangers(two: Two) -> None:
    two.fill()
    two.move(strangers=4)
    before = unmarked(two.pipeline.account)
    target = two.pipeline.account.target
    with pytest.raises(Refused):
        moving.same_server(two.pipeline.store, target)
    assert moving.new_server(two.pipeline.store, target) == len(DEALS)
    assert two.pipeline.run().outcome is Outcome.DONE
    assert all(len(two.pipeline.projects(key)) == 1 for key in DEALS)
    assert unmarked(two.pipeline.account) == before
    two.pipeline.settled()


def test_one_project_without_its_mark_is_reported_and_nothing_in_it_touched(two: Two) -> None:
    two.fill()
    account = two.pipeline.account
    marked = {key: two.pipeline.projects(key)[0] for key in ("2", "D-1")}
    for key, root in marked.items():
        account.target.unmark(root, Marker("acme", key))
    before = unmarked(account)
    two.change_all()
    report = two.pipeline.run(full=True)
    assert report.outcome is Outcome.PARTIAL
    kinds = {issue.key.group for issue in report.issues if issue.kind is IssueKind.UNMARKED}
    assert kinds == {"2", "D-1"}
    assert {action.key.group for action in report.applied} == {"1", "3"}
    assert unmarked(account) == before


def test_two_pipelines_whose_deals_have_the_same_keys_just_work(two: Two, tmp_path: Path) -> None:
    two.fill()
    (tmp_path / "south").mkdir()
    account = two.pipeline.account
    south = Pipeline(account, tmp_path / "south")
    south.store.close()
    account.pipeline, former = "south", account.pipeline
    account.target._pipeline = "south"
    south = Pipeline(account, tmp_path / "south")
    for key in DEALS:
        south.want(key)
    report = south.run()
    assert report.outcome is Outcome.DONE, (report.refusal, report.issues)
    assert all(len(south.projects(key)) == 1 for key in DEALS)
    south.store.close()
    account.pipeline, account.target._pipeline = former, former
    assert all(len(two.pipeline.projects(key)) == 1 for key in DEALS)


def test_a_server_restored_from_an_older_backup_is_brought_back(two: Two) -> None:
    """The newer projects are gone, and others have (as far as numbers go on) their place."""
    two.fill("1", "2")
    newer = ("3", "D-1", "E", "F")
    for key in newer:
        two.pipeline.want(key)
    two.pipeline.run()
    account = two.pipeline.account
    for key in newer:
        (root,) = two.pipeline.projects(key)
        account.delete(root)
    if isinstance(account, InMemoryAccount):
        account.target._ids = iter(range(100, 200))
    theirs = [add_stranger(account, f"Theirs {number}") for number in range(3)]
    with writing(two.pipeline.store._engine) as connection:
        for key, root in zip(newer, theirs, strict=False):
            connection.exec_driver_sql(
                "UPDATE sync_binding SET target_id = ? WHERE grp = ? AND name = ''", (root, key)
            )
    before = unmarked(account)
    report = two.pipeline.run()
    assert report.outcome is Outcome.REFUSED
    assert "limit 'unmarked': 3 planned" in report.refusal
    moving.restored(two.pipeline.store, account.target)
    assert two.pipeline.run().outcome is Outcome.DONE
    assert all(len(two.pipeline.projects(key)) == 1 for key in ("1", "2", *newer))
    assert unmarked(account) == before
    two.pipeline.settled()
