"""What a command works with: the settings, the clock, and doors to stores and adapters.

Everything is opened when it is first asked for, so that a command pays only for what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sync.clock import Clock, SystemClock
from taiga_pipeline.days import day_of
from taiga_pipeline.problems import Problem, ProblemsError

if TYPE_CHECKING:
    from sync.target import Target
    from taiga_pipeline.cli.portfolio import PortfolioMaker
    from taiga_pipeline.config import Settings
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.people.store import PeopleStore
    from taiga_pipeline.pipeline.model import DeliveryFacts
    from taiga_pipeline.pipeline.store import DealStore
    from taiga_pipeline.sources.mapped import MappedSource
    from taiga_pipeline.sources.port import DealSource

CONFIG_VARIABLE: Final = "PIPELINE_SYNC_CONFIG"
DEFAULT_CONFIG: Final = "config.toml"
NO_STORE: Final = (
    "deals are read from {kind!r} (source.kind in the configuration), not from the built-in store; "
    "change them there, or set source.kind to 'store'"
)


@dataclass
class Context:
    """Handed to every command that asks for it with `pass_context`.

    ``environment`` is where secrets' variables are looked up.
    ``verbosity`` counts the ``-v``s. ``log_format`` is "" until somebody chooses one.
    """

    clock: Clock = field(default_factory=SystemClock)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    verbosity: int = 0
    quiet: bool = False
    log_format: str = ""
    _config: str | None = None
    _settings: Settings | None = None
    _portfolio: PortfolioMaker | None = None

    def use_config(self, path: str) -> None:
        """Names the configuration file."""
        self._config = path
        self._settings = None

    def be_verbose(self, count: int) -> None:
        """Says more on stderr: 1 for what happens, 2 for every request."""
        self.verbosity = count
        self.start_logging()

    def be_quiet(self) -> None:
        """Says nothing on stderr but errors."""
        self.quiet = True
        self.start_logging()

    def use_log_format(self, name: str) -> None:
        """Chooses how the log looks, whatever the configuration says."""
        self.log_format = name
        self.start_logging()

    def start_logging(self) -> None:
        """Sends the log to stderr, as loud and in the format that was asked for."""
        from taiga_pipeline.cli.log import configure

        configure(self.verbosity, self.quiet, self.log_format)

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
            self.log_format = self.log_format or self._settings.monitoring.log_format
            self.start_logging()
        return self._settings

    @property
    def zone(self) -> tzinfo:
        """The time zone in which days are counted."""
        return self.settings.zone

    @property
    def today(self) -> date:
        """The day that it is now, in the pipeline's time zone."""
        return day_of(self.clock.now(), self.zone)

    def open_deal_store(self, *, create: bool = False) -> DealStore:
        """Opens the built-in store of deals, and makes it if asked.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.pipeline.store import DealStore

        return DealStore.open(self._store_url(), self.clock.now, zone=self.zone, create=create)

    def open_people_store(self, *, create: bool = False) -> PeopleStore:
        """Opens the built-in store of people and allocations, and makes it if asked.

        :raises ProblemsError: deals are read from elsewhere.
        :raises Unreachable: the store is missing, locked or damaged.
        """
        from taiga_pipeline.people.store import PeopleStore

        return PeopleStore.open(self._store_url(), create=create)

    def _store_url(self) -> str:
        source = self.settings.source
        if source.kind != "store":
            raise ProblemsError([Problem(NO_STORE.format(kind=source.kind))])
        return source.address(self.environment)

    def load_mappings(self) -> MappingSet:
        """Loads the mapping files.

        :raises MappingErrors: every problem in every file.
        """
        from taiga_pipeline.mapping.load import load_mappings

        return load_mappings(shortest(self.settings.sync.mappings))

    def make_deal_source(self) -> DealSource:
        """Returns where deals are read.

        :raises ProblemsError: no such adapter, or its settings are wrong.
        """
        from taiga_pipeline.sources.registry import create

        source = self.settings.source
        address = source.address(self.environment)
        settings = dict(source.options)
        if address:
            settings["url"] = address
        settings.setdefault("folder", str(self.config_path.absolute().parent))
        settings["environment"] = self.environment
        settings["zone"] = self.zone
        return create(source.kind, settings, self.clock)

    def make_source(self) -> MappedSource:
        """Returns what the deals ask for, through the mappings.

        :raises ProblemsError: what is wrong with the source's settings or the mappings.
        """
        from taiga_pipeline.cli.portfolio import HOLDS_PAGES
        from taiga_pipeline.sources.mapped import Extent, MappedSource

        mappings = self.load_mappings()
        extent = Extent(
            holds_pages=self.settings.target.kind in HOLDS_PAGES,
            overview=self.portfolio.make(mappings) if self.portfolio.enabled else None,
            at_rest=self.portfolio.at_rest,
        )
        return MappedSource(self.make_deal_source(), mappings, self.clock, extent, self.zone)

    @property
    def portfolio(self) -> PortfolioMaker:
        """What makes the portfolio, the same one throughout a command."""
        if self._portfolio is None:
            from taiga_pipeline.cli.portfolio import PortfolioMaker

            self._portfolio = PortfolioMaker(self)
        return self._portfolio

    def _reads_pages(self) -> bool:
        """Whether any mapping asks for wiki pages in deals' projects."""
        from taiga_pipeline.mapping.model import PagePhase

        try:
            rules = self.load_mappings().rules
        except ProblemsError:  # which is reported where the mappings are used
            return True
        return any(rule.page is not PagePhase.NEVER for rule in rules)

    def delivery_facts(self, key: str) -> DeliveryFacts | None:
        """Returns what became of a deal, None if nothing was synced for it yet."""
        from taiga_pipeline.cli.engine import state_to_read
        from taiga_pipeline.pipeline.delivery import delivery_facts

        with state_to_read(self) as store:
            row = store.index().get(key)
            return delivery_facts(key, *store.facts(key), row.state) if row else None

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

    def make_target(
        self, clock: Clock | None = None, labels: frozenset[str] = frozenset()
    ) -> Target:
        """Returns the target, not connected yet; it waits by ``clock`` if one is given.

        ``labels`` are those of earlier mappings, as far as the state store knows.

        :raises ProblemsError: no such adapter, or the secret cannot be had.
        :raises Unreachable: its address cannot be right.
        """
        from taiga_pipeline.targets.connection import Connection
        from taiga_pipeline.targets.registry import create

        target = self.settings.target
        credentials = target.credentials(self.environment)
        connection = Connection(
            url=target.url,
            pipeline=self.settings.pipeline,
            username=credentials.username,
            password=credentials.password,
            token=credentials.token,
            application_token=credentials.application_token,
            ca_file=target.ca_file,
            web_url=target.web_url,
            concurrency=target.concurrency,
            timeout_seconds=target.timeout_seconds,
            answer_megabytes=target.answer_megabytes,
            reads_pages=self._reads_pages(),
            pictures=self.portfolio.pictures,
            labels=labels | self.labels(),
        )
        return create(target.kind, connection, clock or self.clock)


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


pass_context = click.make_pass_decorator(Context)
"""Hands a command its `Context` as the first argument."""
