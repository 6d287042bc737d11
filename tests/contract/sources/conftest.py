"""Which sources the suite runs against.

The store, a CSV file, SQLite, a Tryton and an Odoo that answer from memory are always there;
PostgreSQL where it can be started; a live Tryton and a live Odoo when the command line names them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.sources.place import Can, Place, abilities_of
from tests.contract.sources.places import (
    CsvPlace,
    FakeOdooPlace,
    FakeTrytonPlace,
    LiveOdooPlace,
    LiveTrytonPlace,
    OrdersPlace,
    SqlPlace,
    StorePlace,
)

Make = Callable[[pytest.FixtureRequest, Path], Place]


def _postgresql(request: pytest.FixtureRequest, folder: Path) -> Place:
    return SqlPlace(url=request.getfixturevalue("postgresql_url"))


def _live_tryton(request: pytest.FixtureRequest, folder: Path) -> Place:
    return LiveTrytonPlace(office=request.getfixturevalue("live_tryton"))


def _live_odoo(request: pytest.FixtureRequest, folder: Path) -> Place:
    return LiveOdooPlace(office=request.getfixturevalue("live_odoo"))


_PLACES: dict[str, tuple[frozenset[Can], Make]] = {
    "store": (StorePlace.can, lambda request, folder: StorePlace(folder=folder)),
    "csv": (CsvPlace.can, lambda request, folder: CsvPlace(folder=folder)),
    "third party": (OrdersPlace.can, lambda request, folder: OrdersPlace(folder=folder)),
    "sqlite": (
        SqlPlace.can,
        lambda request, folder: SqlPlace(url=f"sqlite:///{folder / 'crm.db'}"),
    ),
    "postgresql": (SqlPlace.can | {Can.LOCK_OUT}, _postgresql),
    "tryton": (FakeTrytonPlace.can, lambda request, folder: FakeTrytonPlace()),
    "live tryton": (LiveTrytonPlace.can, _live_tryton),
    "odoo": (FakeOdooPlace.can, lambda request, folder: FakeOdooPlace()),
    "odoo by JSON-2": (FakeOdooPlace.can, lambda request, folder: FakeOdooPlace(version=19)),
    "live odoo": (LiveOdooPlace.can, _live_odoo),
}
_OPTIONS = {"live tryton": "--tryton-url", "live odoo": "--odoo-url", "yours": "--source-place"}
"""What names the places that are not always there."""


def places(config: pytest.Config) -> dict[str, tuple[frozenset[Can], Make]]:
    """Returns the places by name; "yours" is the class (``module:Class``) that is named."""
    module, _, name = str(config.getoption("--source-place") or "").partition(":")
    if not module:
        return _PLACES
    yours = getattr(importlib.import_module(module), name)
    return {**_PLACES, "yours": (yours.can, lambda request, folder: yours(folder=folder))}


def missing(config: pytest.Config, name: str) -> str:
    """Returns the option that would bring a source into the suite, "" if it is in it."""
    option = _OPTIONS.get(name, "")
    return "" if not option or config.getoption(option) else option


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each case against the sources that are there and can do what it needs."""
    if "place" in metafunc.fixturenames:
        needed = abilities_of(metafunc)
        able = [
            name
            for name, (can, _) in places(metafunc.config).items()
            if needed <= can and not missing(metafunc.config, name)
        ]
        metafunc.parametrize("place", able, indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place with deals in it, and people at work."""
    folder = tmp_path / "place"
    folder.mkdir()
    made = places(request.config)[request.param][1](request, folder)
    yield made
    made.clean_up()
