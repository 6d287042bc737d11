"""Targets are found by name, and loaded only when they are used."""

import subprocess
import sys
from dataclasses import replace

import pytest

from sync.run.lease import OffersLeases
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.records import Kind
from taiga_pipeline.targets import registry
from taiga_pipeline.targets.port import has_boards, has_pages
from taiga_pipeline.targets.registry import UnknownTargetError
from taiga_pipeline.targets.taiga.adapter import TaigaTarget
from tests.targets.support import TOKEN, ManualClock


def test_taiga_is_installed() -> None:
    assert "taiga" in registry.kinds()
    assert isinstance(registry.create("taiga", TOKEN, ManualClock()), TaigaTarget)


def test_an_unknown_kind_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownTargetError, match=r"'taga' is not installed; did you mean 'taiga'"):
        registry.create("taga", TOKEN, ManualClock())


def test_looking_for_targets_loads_no_http_library() -> None:
    code = (
        "import sys; from taiga_pipeline.targets import registry; registry.kinds(); "
        "import taiga_pipeline.targets.taiga; "
        "assert 'requests' not in sys.modules, 'requests is loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_way_in_that_the_tool_does_not_know_is_reported() -> None:
    connection = Connection("https://r.example", "acme", application_token=Secret("x" * 20))
    with pytest.raises(ProblemsError, match=r"target.application_token_env: Redmine takes no such"):
        registry.create("redmine", connection, ManualClock())


@pytest.mark.parametrize("found", [7, None])
def test_an_entry_point_that_leads_nowhere_is_reported(
    monkeypatch: pytest.MonkeyPatch, found: object
) -> None:
    class Point:
        def load(self) -> object:
            if found is None:
                raise RuntimeError("it needs a newer Python")
            return found

    monkeypatch.setattr(registry, "installed", lambda group: {"odd": Point()})
    with pytest.raises(UnknownTargetError, match=r"'odd': its (adapter cannot|entry point is not)"):
        registry.find("odd")


def test_a_function_that_says_nothing_of_itself_makes_projects_without_pages_and_boards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Point:
        def load(self) -> object:
            return lambda connection, clock: object()

    monkeypatch.setattr(registry, "installed", lambda group: {"plain": Point()})
    can = registry.find("plain").capabilities
    assert can.holds(Kind.MILESTONE)
    assert not has_pages(can)
    assert not has_boards(can)


def test_only_targets_with_boards_are_named_to_those_who_look_for_one() -> None:
    assert registry.having(has_boards) == ["Kanboard", "Odoo", "Taiga"]


@pytest.mark.parametrize("kind", ["taiga", "redmine", "kanboard"])
def test_a_target_keeps_leases_if_its_adapter_says_so(kind: str) -> None:
    adapter = registry.find(kind)
    target = adapter(replace(TOKEN, username="x"), ManualClock())
    assert isinstance(target, OffersLeases) == adapter.capabilities.leases


def test_two_packages_that_offer_one_kind_are_reported_and_none_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "rivals", lambda group, kind: ["a:create", "b:create"])
    with pytest.raises(UnknownTargetError, match=r"several .* offer it \(a:create and b:create\)"):
        registry.find("taiga")
