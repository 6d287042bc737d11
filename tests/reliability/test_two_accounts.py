"""Two accounts on one pipeline, with a state each: noticed before anything is made twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.errors import AnotherServer
from sync.run.runner import Options, Outcome, Runner, RunReport
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import KanboardAccount, RedmineAccount, TaigaAccount
from tests.contract.targets.test_runs import Pipeline
from tests.targets.kanboard import fake as kanboard
from tests.targets.redmine import fake as redmine
from tests.targets.support import ManualClock

DEALS = ("D-1", "D-2", "D-3")


class Machine(Pipeline):
    """A machine with a state of its own; each run takes the lease."""

    def __init__(
        self, account: Account, folder: Path, allow: tuple[str, ...] = (), lease: float = 600
    ) -> None:
        folder.mkdir()
        self.lease_seconds = lease
        super().__init__(account, folder)
        self.allow = frozenset(allow)
        for deal in DEALS:
            self.want(deal)

    def runner(self) -> Runner:
        options = Options(lease_seconds=self.lease_seconds, holder=str(id(self)))
        options = replace(options, rules=replace(options.rules, allow=self.allow))
        return Runner(self.deals, self.account.target, self.store, self.account.clock, options)

    def run(self, *, full: bool = False) -> RunReport:
        try:
            return super().run(full=full)
        finally:
            self.store.close()


def taiga(sandbox: Sandbox, username: str) -> TaigaAccount:
    secret = Secret(sandbox.application_token(username))
    return TaigaAccount(Connection(sandbox.url, "acme", application_token=secret), ManualClock())


def test_taiga_shows_it_by_the_addresses_that_are_taken(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        first, second = (taiga(sandbox, name) for name in (sandbox.username, "pm"))
        assert Machine(first, tmp_path / "a").run().outcome is Outcome.DONE
        refused = Machine(second, tmp_path / "b").run()
        assert refused.outcome is Outcome.REFUSED
        assert "limit 'other_account': 3 planned" in refused.refusal
        assert "the address 'tentative-acme-d-1' of a project that is not shown" in refused.refusal
        assert second.writes == 0
        allowed = Machine(second, tmp_path / "c", allow=("other_account",)).run()
        assert (allowed.outcome, len(allowed.applied)) == (Outcome.DONE, 9)
        for account in (first, second):
            account.target.close()


def test_an_account_whose_first_project_was_half_made_is_not_taken_for_two(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        account = taiga(sandbox, sandbox.username)
        first = Machine(account, tmp_path / "a")
        other = taiga(sandbox, "pm")
        Machine(other, tmp_path / "b").run()
        first.store.put_note("server", '{"proof": "", "address": "", "account": ""}')
        assert first.run().outcome is Outcome.DONE, "what stands in the way is from its own past"
        for each in (account, other):
            each.target.close()


def test_redmine_keeps_who_it_is_with_the_lease(tmp_path: Path) -> None:
    fake = redmine.FakeRedmine()
    with fake.answer():
        connection = Connection(redmine.URL, "acme", token=Secret(redmine.KEY))
        assert Machine(RedmineAccount(connection, ManualClock()), tmp_path / "a").run().applied
        for page in fake.pages.values():
            page["text"] = page["text"].replace('"admin"', '"former-bot"')
        second = RedmineAccount(connection, ManualClock())
        with pytest.raises(AnotherServer, match="former-bot, and admin logs in"):
            Machine(second, tmp_path / "b").run()
        assert second.writes == 0


@pytest.mark.parametrize("lease", [0, 600])
def test_kanboard_keeps_who_it_is_in_a_project_of_its_own(tmp_path: Path, lease: int) -> None:
    fake = kanboard.FakeKanboard()
    with fake.answer():
        connection = Connection(kanboard.URL, "acme", token=Secret(kanboard.TOKEN))
        first = KanboardAccount(connection, ManualClock())
        assert Machine(first, tmp_path / "a", lease=lease).run().applied
        person = replace(connection, username="bo", token=Secret(kanboard.PERSON_TOKEN))
        before = len(fake.writes())
        with pytest.raises(AnotherServer, match="here: jsonrpc, and bo logs in"):
            KanboardAccount(person, ManualClock())
        assert len(fake.writes()) == before
