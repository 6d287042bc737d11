"""Which targets the suite runs against.

The in-memory target, the sandbox, and a Redmine, a Kanboard and two versions of Odoo that answer
from memory are always there; a real Taiga, and a live Redmine, Kanboard and Odoo when the command
line names them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sync.clock import SystemClock
from sync.run.executor import SETTLE_WAITS
from sync.target import Capabilities
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.sandbox.embedded import Sandbox
from tests.contract.targets.account import Account
from tests.contract.targets.accounts import (
    LABELS,
    ArchivingAccount,
    InMemoryAccount,
    KanboardAccount,
    OdooAccount,
    OlderOdooAccount,
    RedmineAccount,
    TaigaAccount,
    live_odoo_account,
    new_pipeline,
)
from tests.contract.targets.cards import CardsAccount
from tests.live.odoo import OdooOffice
from tests.odoo.fake import DATABASE, FakeOdoo
from tests.odoo.fake import KEY as ODOO_KEY
from tests.odoo.fake import LOGIN as ODOO_LOGIN
from tests.odoo.fake import URL as ODOO_URL
from tests.targets.kanboard.fake import TOKEN as KANBOARD_TOKEN
from tests.targets.kanboard.fake import URL as KANBOARD_URL
from tests.targets.kanboard.fake import FakeKanboard
from tests.targets.redmine.fake import KEY, URL, FakeRedmine
from tests.targets.support import ManualClock

Make = Callable[[pytest.FixtureRequest], Account]


_OPTIONS = {
    "taiga": "--taiga-url",
    "live redmine": "--redmine-url",
    "live kanboard": "--kanboard-url",
    "live odoo": "--odoo-url",
    "yours": "--target-account",
}
"""What names the targets that are not always there."""


def missing(config: pytest.Config, name: str) -> str:
    """Returns the option that would bring a target into the suite, "" if it is in it."""
    option = _OPTIONS.get(name, "")
    return "" if not option or config.getoption(option) else option


@pytest.fixture(scope="session")
def suite_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def _memory(request: pytest.FixtureRequest) -> Account:
    return InMemoryAccount()


def _archiving(request: pytest.FixtureRequest) -> Account:
    return ArchivingAccount()


def _sandbox(request: pytest.FixtureRequest) -> Account:
    sandbox: Sandbox = request.getfixturevalue("suite_sandbox")
    password = Secret(sandbox.password)
    connection = Connection(
        sandbox.url,
        new_pipeline(),
        username=sandbox.username,
        password=password,
        labels=LABELS,
    )
    return TaigaAccount(connection, ManualClock())


def _real_taiga(request: pytest.FixtureRequest) -> Account:
    option = request.config.getoption
    password = Secret(os.environ.get(option("--taiga-password-env") or "", ""))
    connection = Connection(
        option("--taiga-url"),
        new_pipeline(),
        username=option("--taiga-user"),
        password=password,
        labels=LABELS,
    )
    return TaigaAccount(connection, SystemClock())


def _made_up_redmine(request: pytest.FixtureRequest) -> Account:
    clock = ManualClock()
    fake = FakeRedmine(now=clock.now)
    mock = fake.answer()
    mock.start()
    request.addfinalizer(lambda: mock.stop(allow_assert=False))
    connection = Connection(
        URL, new_pipeline(), token=Secret(KEY), labels=LABELS, assigns_stories=True
    )
    return RedmineAccount(connection, clock)


def _live_redmine(request: pytest.FixtureRequest) -> Account:
    connection = replace(
        request.getfixturevalue("live_redmine"), labels=LABELS, assigns_stories=True
    )
    return RedmineAccount(connection, SystemClock())


def _made_up_kanboard(request: pytest.FixtureRequest) -> Account:
    clock = ManualClock()
    fake = FakeKanboard(now=clock.now)
    mock = fake.answer()
    mock.start()
    request.addfinalizer(lambda: mock.stop(allow_assert=False))
    token = Secret(KANBOARD_TOKEN)
    connection = Connection(
        KANBOARD_URL, new_pipeline(), token=token, labels=LABELS, assigns_stories=True
    )
    return KanboardAccount(connection, clock)


def _live_kanboard(request: pytest.FixtureRequest) -> Account:
    connection = replace(
        request.getfixturevalue("live_kanboard"), labels=LABELS, assigns_stories=True
    )
    return KanboardAccount(connection, SystemClock())


def _odoo_14(request: pytest.FixtureRequest) -> Account:
    return OlderOdooAccount(*_made_up_odoo(request, 14))


def _odoo_19(request: pytest.FixtureRequest) -> Account:
    return OdooAccount(*_made_up_odoo(request, 19))


def _made_up_odoo(request: pytest.FixtureRequest, version: int) -> tuple[Connection, ManualClock]:
    clock = ManualClock()
    fake = FakeOdoo(version=version, now=clock.now, is_admin=True)
    mock = fake.answer()
    mock.start()
    request.addfinalizer(lambda: mock.stop(allow_assert=False))
    return (
        Connection(
            ODOO_URL,
            new_pipeline(),
            username=ODOO_LOGIN,
            token=Secret(ODOO_KEY),
            labels=LABELS,
            options={"database": DATABASE},
        ),
        clock,
    )


def _live_odoo(request: pytest.FixtureRequest) -> Account:
    office: OdooOffice = request.getfixturevalue("live_odoo")
    connection = Connection(
        office.url,
        new_pipeline(),
        **office.robot(),
        labels=LABELS,
        options={"database": office.database},
    )
    return live_odoo_account(connection, office)


def _cards(request: pytest.FixtureRequest) -> Account:
    return CardsAccount()


def _yours(request: pytest.FixtureRequest) -> Account:
    account: Account = named_account(request.config)()
    return account


def named_account(config: pytest.Config) -> Any:
    """Returns the class (``module:Class``) that the command line names."""
    module, _, name = str(config.getoption("--target-account")).partition(":")
    return getattr(importlib.import_module(module), name)


_ACCOUNTS: dict[str, Make] = {
    "memory": _memory,
    "memory that archives": _archiving,
    "cards": _cards,
    "sandbox": _sandbox,
    "taiga": _real_taiga,
    "redmine": _made_up_redmine,
    "live redmine": _live_redmine,
    "kanboard": _made_up_kanboard,
    "live kanboard": _live_kanboard,
    "odoo": _odoo_14,
    "odoo by JSON-2": _odoo_19,
    "live odoo": _live_odoo,
    "yours": _yours,
}
_CLASSES: dict[str, type] = {
    "memory": InMemoryAccount,
    "memory that archives": ArchivingAccount,
    "cards": CardsAccount,
    "sandbox": TaigaAccount,
    "taiga": TaigaAccount,
    "redmine": RedmineAccount,
    "live redmine": RedmineAccount,
    "kanboard": KanboardAccount,
    "live kanboard": KanboardAccount,
    "odoo": OlderOdooAccount,
    "odoo by JSON-2": OdooAccount,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each case against the targets that are there; `test_reach` reports the others."""
    if "account" in metafunc.fixturenames:
        there = [
            name
            for name in _ACCOUNTS
            if not missing(metafunc.config, name) and _can(metafunc, name)
        ]
        metafunc.parametrize("account", there, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out cases that are about a kind of records which a target does not hold."""
    items[:] = [item for item in items if _is_held(item)]


def _is_held(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    if not {"account", "kind"} <= params.keys():
        return True
    return bool(_class_of(item.config, params["account"]).capabilities.holds(params["kind"]))


def _class_of(config: pytest.Config, name: str) -> Any:
    if name == "live odoo":
        return OlderOdooAccount if config.getoption("--odoo-release") < 15 else OdooAccount
    return _CLASSES.get(name) or named_account(config)


def _can(case: pytest.Metafunc, name: str) -> bool:
    """Whether a target has what a case needs."""
    account = _class_of(case.config, name)
    can: Capabilities = account.capabilities
    asked = [mark.args for mark in case.definition.iter_markers("needs")]
    of_changes = any(case.definition.iter_markers("tells_untouched"))
    of_leases = any(case.definition.iter_markers("keeps_leases"))
    if of_leases and not can.leases:
        return False
    if any(case.definition.iter_markers("copies_projects")) and not can.copies_roots:
        return False
    twice = any(case.definition.iter_markers("takes_two_milestones"))
    if twice and not hasattr(account, "copy_milestone"):
        return False
    tells = getattr(account, "tells_untouched_children", True)
    return all(can.holds(*each) for each in asked) and (tells or not of_changes)


@pytest.fixture(autouse=True)
def settled_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real server the clock is real: what was cut off is looked for without half a minute."""
    monkeypatch.setattr("sync.run.executor.SETTLE_WAITS", tuple(0.01 for _ in SETTLE_WAITS))


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The connector's account in one target; everything it makes is deleted afterwards."""
    made = _ACCOUNTS[request.param](request)
    yield made
    made.clean_up()
