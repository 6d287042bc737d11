"""What a use case works with: the settings, the clock, and doors to stores and sources.

Everything is opened when it is first asked for, so that a use case pays only for what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sync.clock import Clock, SystemClock
from taiga_pipeline.app.memory import Memory
from taiga_pipeline.days import day_of
from taiga_pipeline.language import ENGLISH, use
from taiga_pipeline.pipeline.rates import Rates
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.config import Settings
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.rates.store import RateStore
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.pipeline.card_store import CardStore
    from taiga_pipeline.pipeline.customers.store import CustomerStore
    from taiga_pipeline.pipeline.fields.field import FieldTable
    from taiga_pipeline.pipeline.store import DealStore
    from taiga_pipeline.sources.port import DealSource, SourceAdapter, SourceCapabilities

_Made = TypeVar("_Made")

CONFIG_VARIABLE: Final = "PIPELINE_SYNC_CONFIG"
DEFAULT_CONFIG: Final = "config.toml"
NO_STORE: Final = (
    "deals are read from {title} (source.kind is {kind!r}), not from the built-in store; change "
    "them there, or set source.kind to 'store'"
)


@dataclass
class Workspace:
    """Handed to every use case.

    ``environment`` is where secrets' variables are looked up. ``kept`` holds what one use case
    keeps for the others as long as the workspace lasts, by name. ``memory`` is what several
    workspaces share in a program that serves for long, None in one that answers once. Without
    ``makes_stores``, a store that is missing is never made: it was there, and is lost or away.
    """

    clock: Clock = field(default_factory=SystemClock)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    kept: dict[str, object] = field(default_factory=dict)
    memory: Memory | None = None
    makes_stores: bool = True
    _config: str | None = None
    _settings: Settings | None = None

    def use_config(self, path: str) -> None:
        """Names the configuration file."""
        self._config = path
        self._settings = None

    def use_settings(self, settings: Settings) -> None:
        """Takes what was read from the configuration file already."""
        self._settings = settings

    def on_settings(self, settings: Settings) -> None:
        """Is called once the settings are loaded; a surface may follow them."""

    def in_common_language(self) -> AbstractContextManager[None]:
        """Writes, within, what many people read: in the language of the configuration."""
        return use(self.settings.language or ENGLISH)

    @property
    def config_path(self) -> Path:
        """The configuration file: ``--config``, else the variable, else ``./config.toml``."""
        return Path(self._config or self.environment.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)

    @property
    def settings(self) -> Settings:
        """The configuration, loaded once.

        :raises ConfigErrors: every problem in it, with file, line and column.
        """
        if self._settings is None:
            from taiga_pipeline.config import load

            self._settings = load(self.config_path)
            self.on_settings(self._settings)
        return self._settings

    @property
    def zone(self) -> tzinfo:
        """The time zone in which days are counted."""
        return self.settings.zone

    @property
    def fields(self) -> FieldTable:
        """The fields of a deal, those of the user's own among them."""
        return self.settings.fields

    @property
    def today(self) -> date:
        """The day that it is now, in the pipeline's time zone."""
        return day_of(self.clock.now(), self.zone)

    def remembered(self, name: str, mark: object, make: Callable[[], _Made]) -> _Made:
        """Returns what ``make`` makes, or what it made for others while ``mark`` was the same.

        Nothing is remembered under the mark None.
        """
        if self.memory is None or mark is None:
            return make()
        return self.memory.get(name, mark, make)

    def store_mark(self) -> object:
        """Returns what is another one once anybody wrote into the store, None if nothing tells."""
        return self._file_mark(self._store_url()) if self.memory else None

    def state_mark(self) -> object:
        """Returns what is another one once anybody wrote into the state, None if nothing tells."""
        return self._file_mark(self.state_url)

    def _file_mark(self, url: str) -> object:
        path = sqlite_path(url)
        return self.memory.watch(path).mark() if self.memory and path else None

    def open_deal_store(self, *, create: bool = False) -> DealStore:
        """Opens the built-in store of deals, and makes it if asked.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.pipeline.store import DealStore

        is_made = create and self.makes_stores
        return DealStore.open(self._store_url(), self.clock.now, zone=self.zone, create=is_made)

    def open_people_store(self, *, by: str = "", create: bool = False) -> PeopleStore:
        """Opens the built-in store of people and allocations, and makes it if asked.

        What changes in it is kept in the history as done ``by`` someone.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.people.store import PeopleStore

        is_made = create and self.makes_stores
        return PeopleStore.open(self._store_url(), self.clock.now, by=by, create=is_made)

    def open_rate_store(self) -> RateStore:
        """Opens the rates of the built-in store.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.people.rates.store import RateStore

        return RateStore.open(self._store_url())

    def open_card_store(self) -> CardStore:
        """Opens what is known of cards that people work on.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.pipeline.card_store import CardStore

        return CardStore.open(self._store_url())

    def open_customer_store(self) -> CustomerStore:
        """Opens the customers of the built-in store.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.pipeline.customers.store import CustomerStore

        return CustomerStore.open(self._store_url(), self.clock.now)

    def _store_url(self) -> str:
        source, adapter = self.settings.source, self.source_adapter
        if not adapter.capabilities.edits:
            message = NO_STORE.format(title=adapter.title, kind=source.kind)
            raise ProblemsError([Problem(message)])
        return source.address(self.environment)

    @property
    def source_adapter(self) -> SourceAdapter[DealSource]:
        """The adapter for the place where deals are read.

        :raises ProblemsError: no such adapter is installed.
        """
        from taiga_pipeline.sources.registry import find

        return find(self.settings.source.kind)

    @property
    def target_title(self) -> str:
        """The name of the tool; its kind where no such adapter is installed."""
        from taiga_pipeline.targets.registry import UnknownTargetError, find

        kind = self.settings.target.kind
        try:
            return find(kind).title
        except UnknownTargetError:
            return kind

    @property
    def source_capabilities(self) -> SourceCapabilities:
        """What the place has where deals are read; nothing where its adapter is not installed."""
        from taiga_pipeline.sources.registry import capabilities_of

        return capabilities_of(self.settings.source.kind)

    @property
    def has_store(self) -> bool:
        """Whether deals are kept in the built-in store."""
        return self.source_capabilities.edits

    def load_mappings(self) -> MappingSet:
        """Loads the mapping files.

        :raises MappingErrors: every problem in every file.
        """
        from taiga_pipeline.mapping.load import load_mappings

        mappings = load_mappings(shortest(self.settings.sync.mappings), self.fields)
        return mappings.with_rates(self.rates)

    @property
    def rates(self) -> Rates:
        """What money of other currencies is worth."""
        planning = self.settings.planning
        by_currency = {name: Decimal(str(rate)) for name, rate in planning.rates.items()}
        return Rates(planning.currency, by_currency)

    def make_deal_source(self) -> DealSource:
        """Returns where deals are read; what it answers is held to the port.

        :raises ProblemsError: no such adapter, or its settings are wrong.
        """
        source = self.settings.source
        address = source.address(self.environment)
        settings = dict(source.options)
        if address:
            settings["url"] = address
        settings.setdefault("folder", str(self.config_path.absolute().parent))
        settings["environment"] = self.environment
        settings["zone"] = self.zone
        if self.fields.own:  # which an installed adapter need not know
            settings["fields"] = self.fields
        return self._held_to_the_port(settings)

    def _held_to_the_port(self, settings: Mapping[str, object]) -> DealSource:
        """Makes the source. What the built-in store holds was looked at when it was written."""
        from taiga_pipeline.sources.registry import make

        adapter = self.source_adapter
        made = make(adapter, settings, self.clock)
        if adapter.capabilities.edits:
            return made
        from taiga_pipeline.sources.checked_source import checked

        return checked(made, adapter.title)

    def has_state(self) -> bool:
        """Tells whether there is a state store already (assumed of one on a server)."""
        path = sqlite_path(self.state_url)
        return path is None or path.exists()

    @property
    def state_url(self) -> str:
        """The URL of the state store."""
        return self.settings.sync.state_address(self.environment)

    def labels(self) -> frozenset[str]:
        """Returns every label that the mappings may put before a title (none if they are wrong)."""
        try:
            return self.load_mappings().labels()
        except ProblemsError:  # which is reported where the mappings are used
            return frozenset()


def shortest(path: Path) -> Path:
    """Returns ``path`` as seen from here if it is below, for messages that people can read."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def sqlite_path(url: str) -> Path | None:
    """Returns the file of a SQLite URL, None for any other database."""
    scheme, separator, rest = url.partition(":///")
    if not separator or not scheme.startswith("sqlite") or not rest or rest == ":memory:":
        return None
    return Path(rest.partition("?")[0])
