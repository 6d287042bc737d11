"""What adapters say of themselves is what their sources do."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources import registry
from taiga_pipeline.sources.port import (
    SourceAdapter,
    SourceCapabilities,
    TakesDeliveryFacts,
    TellsHistory,
    TellsTimeOff,
)
from tests.targets.support import ManualClock

SETTINGS: dict[str, dict[str, object]] = {
    "store": {"url": "sqlite:///pipeline.db"},
    "csv": {"file": "deals.csv"},
    "sql": {"url": "sqlite:///crm.db", "query": "SELECT * FROM deals"},
    "tryton": {"url": "http://127.0.0.1:1", "database": "t", "token_env": "KEY"},
    "odoo": {"url": "http://127.0.0.1:1", "database": "t", "token_env": "KEY"},
}


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_a_source_does_what_its_adapter_says(kind: str, tmp_path: Path) -> None:
    settings = {**SETTINGS[kind], "folder": str(tmp_path), "environment": {"KEY": "k" * 40}}
    source, can = registry.create(kind, settings, ManualClock()), registry.find(kind).capabilities
    assert isinstance(source, TellsHistory) == can.history
    assert isinstance(source, TellsTimeOff) == can.time_off
    assert isinstance(source, TakesDeliveryFacts) == can.writes_back


def test_every_installed_source_is_looked_at_here() -> None:
    assert set(SETTINGS) == set(registry.kinds())


def test_settings_that_a_new_configuration_shows_are_ones_that_the_source_takes(
    tmp_path: Path,
) -> None:
    for kind in registry.kinds():
        adapter = registry.find(kind)
        shown = {each.name: each.example for each in adapter.settings if not each.optional}
        environment = {str(value): "sqlite:///x.db" for value in shown.values()}
        settings = {**shown, "folder": str(tmp_path), "environment": environment}
        if "url_env" in shown:  # the program itself looks it up
            settings["url"] = "sqlite:///x.db"
            del settings["url_env"]
        adapter(settings, ManualClock())


def test_a_function_that_says_nothing_of_itself_is_an_adapter_with_nothing_but_deals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Point:
        def load(self) -> object:
            return lambda settings, clock: object()

    monkeypatch.setattr(registry, "installed", lambda group: {"plain": Point()})
    adapter = registry.find("plain")
    assert isinstance(adapter, SourceAdapter)
    assert (adapter.title, adapter.capabilities) == ("plain", SourceCapabilities())


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
    with pytest.raises(ProblemsError, match=r"'odd': its (adapter cannot|entry point is not)"):
        registry.find("odd")
    assert registry.capabilities_of("odd") == SourceCapabilities()
