"""Ways out: what a person can do about what the engine reports.

An issue, a refusal or an error says what is wrong, and carries the ways out beside its text. The
engine knows *what* can be done. *How* (by which command, setting or button) is reported by whoever
shows it: nothing here has words for people.

`dump` and `load` keep them in the state store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, Protocol

from sync.records.model import RecordKey
from sync.way_out import Upgrade, WayOut


class Side(StrEnum):
    """Whose value stands."""

    SALES = "sales"
    DELIVERY = "delivery"


class Effect(StrEnum):
    """What comes of a decision about a record."""

    VALUE = "value"
    """The value of the side that is taken stands."""
    MAKE_AGAIN = "make again"
    STAY_AWAY = "stay away"
    """What people deleted is not made again."""
    REMOVE = "remove"
    LEAVE = "leave"
    """It stays as it is, and is no longer kept in step."""
    REMOVED = "removed"
    """A person has removed it by hand."""


class Adoption(StrEnum):
    """Why a root is bound by hand."""

    CHOICE = "choice"
    """Several may be the one."""
    MARK = "mark"
    """It is bound already, and lost its marker."""
    INSTEAD = "instead"
    """It takes the place of the one that is bound."""


class ServerIs(StrEnum):
    """What a person knows of the server that answers."""

    SAME = "same"
    NEW = "new"
    RESTORED = "restored"


# --- decisions about one group or record


@dataclass(frozen=True, slots=True)
class Resolve(WayOut):
    """Decide about a record (and one of its fields); see `sync.run.manual_actions.resolve`."""

    key: RecordKey
    side: Side
    effect: Effect
    field: str = ""


@dataclass(frozen=True, slots=True)
class Adopt(WayOut):
    """Bind a group to a root; "" where a person has to choose which."""

    group: str
    root_id: str = ""
    why: Adoption = Adoption.CHOICE


@dataclass(frozen=True, slots=True)
class Unlink(WayOut):
    """Stop following a group; ``clean`` takes out of its root what the connector wrote."""

    group: str
    clean: bool = False


@dataclass(frozen=True, slots=True)
class UnlinkElsewhere(WayOut):
    """Stop following a root in another pipeline first."""

    pipeline: str


@dataclass(frozen=True, slots=True)
class TakeOver(WayOut):
    """Give a group the root of one that is gone; ``group`` is "" where it is not known which."""

    former: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class TakeOverAll(WayOut):
    """Do that for all groups of which it is certain."""


@dataclass(frozen=True, slots=True)
class RestoreKey(WayOut):
    """Write a group's key in the source as it was before."""


@dataclass(frozen=True, slots=True)
class RemoveMarker(WayOut):
    """Take a group's marker off a copy of its root."""

    group: str
    root_id: str


@dataclass(frozen=True, slots=True)
class DeleteInTarget(WayOut):
    """Delete objects in the target by hand, as ids name them.

    ``is_named`` says that it helps as well to take away by which they are recognised.
    """

    ids: tuple[str, ...]
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class MoveBack(WayOut):
    """Move a child back into the root that it belongs to."""


@dataclass(frozen=True, slots=True)
class MakeNameable(WayOut):
    """Have what a field is to name (``name``) be there, in a way that it can be named."""

    name: str


@dataclass(frozen=True, slots=True)
class RetireGone(WayOut):
    """Have groups retired that are gone from the source."""


@dataclass(frozen=True, slots=True)
class ListOpen(WayOut):
    """Look at what waits for a decision."""


# --- limits and plans


@dataclass(frozen=True, slots=True)
class FindCause(WayOut):
    """Look for what usually makes a plan exceed a limit (a name in `sync.plan.limits`)."""

    limit: str


@dataclass(frozen=True, slots=True)
class AllowOnce(WayOut):
    """Lift a limit for one run."""

    limit: str


@dataclass(frozen=True, slots=True)
class RaiseLimit(WayOut):
    """Set a limit higher for good; ``needed`` is what the plan comes to."""

    limit: str
    needed: int


@dataclass(frozen=True, slots=True)
class SaveNewPlan(WayOut):
    """Look at what would be done now, and save that plan."""


# --- servers and accounts


@dataclass(frozen=True, slots=True)
class MoveState(WayOut):
    """Say what is known of the server that answers; see `sync.run.server_move`."""

    server: ServerIs


@dataclass(frozen=True, slots=True)
class CorrectAddress(WayOut):
    """Name the server, or the account, as before."""


@dataclass(frozen=True, slots=True)
class UseAccount(WayOut):
    """Log in with this account."""

    account: str


@dataclass(frozen=True, slots=True)
class GrantAccess(WayOut):
    """Let an account see (and change) the roots; "" is the one that logs in."""

    account: str = ""


# --- machines and databases


@dataclass(frozen=True, slots=True)
class Wait(WayOut):
    """Leave it to the run that is at work."""


@dataclass(frozen=True, slots=True)
class CopyStores(WayOut):
    """Copy everything into another database."""


TYPES: Final[Mapping[str, type[WayOut]]] = {
    kind.__name__: kind
    for kind in (
        *(Resolve, Adopt, Unlink, UnlinkElsewhere, TakeOver, TakeOverAll, RestoreKey),
        *(RemoveMarker, DeleteInTarget, MoveBack, MakeNameable, RetireGone, ListOpen),
        *(FindCause, AllowOnce, RaiseLimit, SaveNewPlan),
        *(MoveState, CorrectAddress, UseAccount, GrantAccess),
        *(Wait, Upgrade, CopyStores),
    )
}
"""Every way out, by name."""


class Explained(Protocol):
    """What is reported to people: what is wrong, and the ways out."""

    @property
    def message(self) -> str:
        """Says what is wrong, with the numbers."""

    @property
    def ways_out(self) -> Sequence[WayOut]:
        """What can be done about it; one of them is enough."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is reported, as it is kept in the state store."""

    message: str
    ways_out: tuple[WayOut, ...] = ()

    @classmethod
    def of(cls, explained: Explained) -> Statement:
        """Returns what an issue, a refusal or an error says."""
        return cls(explained.message, tuple(explained.ways_out))

    @classmethod
    def read(cls, data: object) -> Statement:
        """Returns the statement that `to_json` made ``data`` from, or a text alone."""
        if isinstance(data, Mapping):
            return cls(str(data["message"]), load(data["ways_out"]))
        return cls(str(data or ""))

    def to_json(self) -> dict[str, object]:
        """Returns the statement as JSON-compatible data."""
        return {"message": self.message, "ways_out": dump(self.ways_out)}


# --- as JSON


def dump(ways: Iterable[WayOut]) -> list[dict[str, object]]:
    """Returns ways out as JSON-compatible data."""
    return [{"way": type(way).__name__, **_values(way)} for way in ways]


def load(data: Iterable[Mapping[str, Any]]) -> tuple[WayOut, ...]:
    """Returns the ways out that `dump` made ``data`` from; those of no known type are left out."""
    return tuple(
        _make(TYPES[entry["way"]], {name: entry[name] for name in entry if name != "way"})
        for entry in data
        if entry.get("way") in TYPES
    )


def _values(way: WayOut) -> dict[str, object]:
    values = {field.name: getattr(way, field.name) for field in fields(way)}
    key = values.get("key")
    if isinstance(key, RecordKey):
        values["key"] = [key.group, key.kind, key.name]
    return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}


_READ: Final[Mapping[str, Any]] = {
    "key": lambda value: RecordKey(*value),
    "side": Side,
    "effect": Effect,
    "why": Adoption,
    "server": ServerIs,
    "ids": tuple,
}


def _make(kind: type[WayOut], values: Mapping[str, Any]) -> WayOut:
    return kind(**{name: _READ.get(name, lambda value: value)(v) for name, v in values.items()})
