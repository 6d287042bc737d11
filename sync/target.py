"""The port to a target: what an adapter for a project-management tool has to do.

An adapter translates between records and one tool's API. It decides nothing: what to write is
decided by the merge, when and how often by the executor.

Terms: a *root* is the object that stands for a group; *children* are the objects in
it. A *complete* read is one whose count was checked against what the server announced.

Every method may raise `Unauthorised`, `Unreachable` or `Unavailable` (after the adapter's own
retries of reads and of idempotent writes are used up), and `Malformed` where an answer is not of
the shape that it should have. Writes may raise `NotSent`,
`OutcomeUnknown`, `Rejected`, `Vanished` and `Stale` as described there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sync.records.model import Desired, Marker, Observed, RecordKey, Value

__all__ = [
    "Capabilities",
    "CompletesChildren",
    "CompletesRoots",
    "ExplainsUnread",
    "FindsLeftovers",
    "Foreseen",
    "Foresees",
    "HandsOver",
    "NoticesAccounts",
    "ObservesOwn",
    "Place",
    "SendsMails",
    "Target",
    "TellsCapabilities",
    "TellsHidden",
    "Written",
    "unreadable",
]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can hold and tell: whoever uses it asks this, and never which one it is.

    ``kinds`` are the kinds of records that it can hold, None for any. ``lacks`` are fields, by
    kind, for which it has no place. ``reasons`` say, for a kind that it cannot hold, why, and the
    way out ("it has them from version 15 on"). ``leases``: it keeps one machine from writing while
    another one does (`sync.run.lease.OffersLeases`). ``tells_copies``: a copy that people make of a
    root is distinguished from it (`Observed.original`). ``tells_untouched``: it shows who
    changed a root, so that one that only the connector touched may be deleted. ``copies_roots``: it
    can make a root as a copy of one that people keep. ``keeps_lines`` are kinds of children below
    whose text it can keep lines current that are not people's.
    """

    kinds: frozenset[str] | None = None
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    leases: bool = False
    tells_copies: bool = False
    tells_untouched: bool = False
    copies_roots: bool = False
    keeps_lines: frozenset[str] = frozenset()

    def holds(self, kind: str, *fields: str) -> bool:
        """Tells whether records of a kind can be held, each of ``fields`` included."""
        has_kind = self.kinds is None or kind in self.kinds
        return has_kind and self.lacks.get(kind, frozenset()).isdisjoint(fields)


@runtime_checkable
class TellsCapabilities(Protocol):
    """A target whose capabilities are known for sure only once it is connected: they depend on the
    server's version, on what is installed or set up there, or on the account."""

    @property
    def capabilities(self) -> Capabilities:
        """What this very target can; before `Target.connect`, the most that one of its sort can."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child lives: its root's id, and the ids of the records bound in the group so far.

    ``bound`` lets an adapter turn a reference between records (a member's role, a parent) into the
    target's own id. ``deleted`` are records that people deleted: what refers to them does without.
    A record in neither could not be made (yet): what refers to it waits.
    """

    root_id: str
    bound: Mapping[RecordKey, str]
    deleted: frozenset[RecordKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """The server's answer to a write.

    ``record`` holds the fields as the server has them now; a field the answer does not show is
    missing. ``children`` are objects that came into being along with a root (a template's roles).
    ``found`` says that a child that was to be made had been there before, by another person's hand:
    it is bound, but it is not the connector's to remove. ``unwritten`` names fields of a created
    root that a further request would have written, and that it does not hold yet: the next merge
    writes them.
    """

    record: Observed
    children: tuple[Observed, ...] = ()
    found: bool = False
    unwritten: frozenset[str] = frozenset()


def unreadable(
    kind: str, root_id: str, why: str, markers: tuple[Marker, ...] | None = None
) -> Observed:
    """Returns a root about which the server's answer could not be understood.

    ``why`` says what is wrong with it. ``markers`` are its markers, None if not even they can be
    read.
    """
    obstacle = f"what the server reports it {why}"
    readable = markers is not None
    return Observed(
        kind,
        root_id,
        {},
        markers=markers or (),
        obstacle=obstacle,
        readable=False,
        markers_readable=readable,
    )


@runtime_checkable
class CompletesChildren(Protocol):
    """A target in which making a child takes more than one request."""

    def complete_child(self, desired: Desired, observed: Observed, place: Place) -> None:
        """Does what was left undone when the creation of a child was cut off. Idempotent."""


@runtime_checkable
class TellsHidden(Protocol):
    """A target that tells a root which this account may not see from one that is not there."""

    def hides_root(self, root_id: str) -> bool:
        """Whether there is a root of this id, and this account may not see it."""


@runtime_checkable
class CompletesRoots(Protocol):
    """A target in which making a root takes more than one request."""

    def complete_root(self, desired: Desired, observed: Observed, marker: Marker) -> None:
        """Does what was left undone when the creation of a root was cut off. Idempotent.

        What `update` would write as well may be left to it.
        """


@runtime_checkable
class FindsLeftovers(Protocol):
    """A target in which a creation that is cut off may leave what no one can use."""

    def leftover(self, root: Observed) -> str:
        """Says what an earlier attempt to make ``root`` left, and how it is removed.

        Returns "" if it left nothing.
        """


class Target(Protocol):
    """A project-management tool."""

    @property
    def name(self) -> str:
        """The tool's name, for messages."""

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""

    def connect(self) -> str:
        """Logs in, checks that the account can do its work, returns the account's name.

        :raises Unauthorised: wrong credentials or missing rights; says which.
        :raises Unreachable: no such server, or something else answers there.
        """

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` with each value as the target will be able to hold it.

        Lengths, character sets and letter case are adapted here, before the merge, and remarked
        upon in ``notes``. Pure; the identity of the record is never cut.
        """

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields of ``observed``, with those distinguished that share one place.

        A target that keeps a label and a title in one name, or people's text and sales' facts in
        one description, tells them apart by ``hints``: the fields of the base and of the desired
        record, as far as there are any. Pure.
        """

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every root that the account can see; change tokens, markers and facts included.

        One whose row is not as it should be comes as `unreadable`: it is that group's trouble.

        :raises IncompleteRead: the count does not match, also after reading again.
        """

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one root as it is now, None if it is not there (or not visible)."""

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each of the roots, in as few requests as the API allows.

        A root that is not there (any more), or whose children's rows are not as they should be, is
        missing from the answer; or else one of its children is `unreadable`, and says why. One
        whose children cannot be seen as long as it is retired says so (`Observed.hides_children`),
        and is not asked for. Among the children may be one with the root's own kind and id: it
        carries facts about the root that only its children tell (its team, its progress).

        :raises IncompleteRead: a list did not come whole.
        """

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns all roots that carry ``marker``, by a complete read."""

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a root that carries ``marker`` from its very first moment.

        If the API takes more than one request, a loss after the first must leave a root that
        `find_roots` finds and `update` completes.

        :raises NotSent: certainly nothing was made.
        :raises OutcomeUnknown: a root may have been made.
        :raises Rejected: the server refuses these values.
        """

    def mark(self, root_id: str, marker: Marker) -> None:
        """Writes ``marker`` on an existing root that is adopted. Idempotent."""

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes ``marker`` off a root. Idempotent; a root that is not there is fine."""

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Makes a root another group's: ``marker`` takes the place of ``former``.

        Children that name the former group name the new one afterwards. Nothing else changes.
        Idempotent; what is there of it from an earlier attempt is kept.

        :raises Vanished: the root is not there.
        """

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a child; raises as `create_root`. One that is already there is returned."""

    def update(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        fields: Mapping[str, Value],
        place: Place,
    ) -> Written:
        """Writes ``changes`` to an object that looked like ``observed`` when last read.

        ``fields`` are all split fields as they should be afterwards, for places that hold several
        fields. Only what changes is sent.

        :raises Vanished: the object is not there.
        :raises Stale: someone changed the object since it was observed.
        :raises Rejected: the server refuses these values.
        :raises OutcomeUnknown: no answer; writing the same again would do no harm.
        """

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes an object (a root's place is itself). One that is not there is fine."""

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Tells whether a child is as this account made it, and nothing hangs on it.

        Where the tool does not tell, the answer is no.
        """

    def untouched(self, root_id: str) -> bool:
        """Tells whether only this account has ever changed anything in the root."""


@runtime_checkable
class ExplainsUnread(Protocol):
    """A target that can tell why what is in a root cannot be read."""

    def why_unread(self, root_id: str) -> str:
        """Returns what stands against it, with the way out, "" if that is unknown. Only reads."""


@runtime_checkable
class HandsOver(Protocol):
    """A target in which children are put into others."""

    def holds_only_own(self, child: Observed, place: Place) -> bool:
        """Tells whether a child is as `Target.untouched_child` says, but for what carries this
        pipeline's reference and was put into it.
        """

    def hand_over(self, child: Observed, other: Observed, place: Place) -> None:
        """Puts what carries this pipeline's reference and is in ``child`` into ``other``, of the
        same kind. Idempotent.
        """


@runtime_checkable
class SendsMails(Protocol):
    """A target that mails people of its own accord, and cannot be asked not to."""

    def mails(self, desired: Desired) -> str:
        """Returns the address that is mailed when this child is made, or when it names another
        child (`Desired.refers`) from now on; "" if no one is. Pure."""


@runtime_checkable
class ObservesOwn(Protocol):
    """What a target may offer besides: to list the roots of one pipeline among many of others."""

    def observe_own(self, root_ids: Collection[str]) -> Iterator[Observed]:
        """Yields those of the roots ``root_ids`` that are there, and all that carry this pipeline's
        marker where the tool can be asked for it.

        That one of them is missing is not evidence: it is asked for by itself. Roots of others may
        be among them. Stamps are those of `Target.observe_roots`.

        :raises IncompleteRead: a list did not come whole.
        """


@runtime_checkable
class NoticesAccounts(Protocol):
    """A target in which other accounts' roots cannot be seen, and leave a trace all the same."""

    def unseen(self, roots: Sequence[Desired]) -> Mapping[str, str]:
        """Returns which of these roots another account seems to have made already, by the keys of
        their groups, with the words that name what shows it.

        Only reads, and looks at a few of them: one account has made all or none.
        """


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What stands against making a record. ``is_certain`` is False where it cannot be known before
    the record is made."""

    record: Desired
    message: str
    is_certain: bool = True


@runtime_checkable
class Foresees(Protocol):
    """A target that can tell in advance what it would refuse: unknown templates, roles, people."""

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns what stands against making these records, the same for any root. Only reads."""
