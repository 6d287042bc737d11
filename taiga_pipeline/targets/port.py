"""What an adapter for a target publishes: how it is made, what it can hold, how it is set up.

`sync.target` has the port itself: what the object does that an adapter makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable

from sync.clock import Clock
from sync.records.model import Observed, RecordKey
from sync.target import Capabilities, Target
from taiga_pipeline.adapters import Setting
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Status, Story

Made_co = TypeVar("Made_co", bound=Target, covariant=True)

PROJECTS: Final = Capabilities(
    kinds=frozenset({Kind.PROJECT, Kind.ROLE, Kind.MEMBERSHIP, Kind.MILESTONE, Kind.STORY}),
    lacks={Kind.STORY: frozenset({Story.HOURS, Story.ASSIGNED})},
)
"""What is assumed of an adapter that does not say what it can hold: no pages and boards, and no
hours and assignees of stories."""

PASSWORD: Final = "password"  # noqa: S105 - a way to log in, not a secret
TOKEN: Final = "token"  # noqa: S105
APPLICATION_TOKEN: Final = "application_token"  # noqa: S105
"""Ways to log in; the configuration leads to the secret by ``<way>_env`` or ``<way>_file``."""

WEB_ACCOUNT: Final = (
    Setting("url", "https://pm.example.com", "where people open it"),
    Setting("username", "pipeline-bot", "the account that makes the projects"),
    Setting("password_env", "TARGET_PASSWORD", "the variable that holds the account's password"),
)
"""How a tool with an address and an account is set up, unless its adapter says otherwise."""


@dataclass(frozen=True, slots=True)
class TargetAdapter(Generic[Made_co]):
    """An adapter. Called with a connection and a clock, it makes the target, not connected yet.

    ``title`` is the tool's name. ``capabilities`` are what every such tool has; a target may know
    better once it is connected (`sync.target.TellsCapabilities`). ``settings`` are the lines of
    its ``[target]`` section in a new configuration, ``kind`` aside; those that are its own are
    handed to it in `Connection.options`. ``ways_in`` are the ways to log in that it takes, none
    for a tool without accounts; ``needs_url`` is off for one without an address.
    """

    title: str
    make: Callable[[Connection, Clock], Made_co]
    capabilities: Capabilities = PROJECTS
    settings: tuple[Setting, ...] = WEB_ACCOUNT
    ways_in: tuple[str, ...] = (PASSWORD, TOKEN)
    needs_url: bool = True

    def __call__(self, connection: Connection, clock: Clock) -> Made_co:
        """Makes the target.

        :raises ProblemsError: what is wrong with its settings.
        :raises Stop: the address cannot be one of such a tool.
        """
        return self.make(connection, clock)

    @property
    def own_settings(self) -> tuple[Setting, ...]:
        """The settings that are this adapter's alone."""
        return tuple(setting for setting in self.settings if setting.own)


def target_adapter(
    title: str,
    *,
    capabilities: Capabilities = PROJECTS,
    settings: tuple[Setting, ...] = WEB_ACCOUNT,
    ways_in: tuple[str, ...] = (PASSWORD, TOKEN),
    needs_url: bool = True,
) -> Callable[[Callable[[Connection, Clock], Made_co]], TargetAdapter[Made_co]]:
    """Makes an adapter of a function that makes a target; see `TargetAdapter`."""

    def adapter(make: Callable[[Connection, Clock], Made_co]) -> TargetAdapter[Made_co]:
        return TargetAdapter(title, make, capabilities, settings, ways_in, needs_url)

    return adapter


def has_boards(capabilities: Capabilities) -> bool:
    """Whether a project can be a board: columns of its own, and cards that are in them."""
    has_columns = capabilities.holds(Kind.STATUS, Status.NAME, Status.ORDER)
    return has_columns and capabilities.holds(Kind.STORY, Story.SUBJECT, Story.STATUS)


def has_cards(capabilities: Capabilities) -> bool:
    """Whether people can work on the cards of a board: fields, tasks and comments are read back.

    Whoever says so makes targets that are `TakesCards`.
    """
    return has_boards(capabilities) and capabilities.holds(Kind.TASK)


@dataclass(frozen=True, slots=True)
class Comment:
    """What a person wrote about a card. ``id`` is never given out again; ``at`` is UTC."""

    id: str
    at: datetime
    by: str
    text: str


@runtime_checkable
class TakesCards(Protocol):
    """A target whose cards people may work on.

    `Observed.facts` of a card has ``comments``, how many there are. One that people made comes
    without an identity, with all its fields. Fields of deals are those of `Connection.card_fields`.
    """

    def claim_card(self, card: Observed, key: RecordKey, comment: str) -> None:
        """Makes a card, or a task, the record ``key``; says so in a ``comment`` if there is one.

        :raises Stale: someone changed it just now.
        """

    def comment_on(self, card_id: str, text: str) -> None:
        """Adds a comment to a card."""

    def comments_on(self, card_id: str) -> Sequence[Comment]:
        """Returns people's comments on a card, the oldest first; not the account's own."""

    def editors(self, root_id: str) -> Mapping[tuple[str, str], str]:
        """Returns who last changed the cards, tasks and pages of a project, by kind and id.

        The account itself does not count. Who is missing is unknown.
        """


def has_pages(capabilities: Capabilities) -> bool:
    """Whether projects have pages, such as those of a wiki."""
    return capabilities.holds(Kind.WIKI)
