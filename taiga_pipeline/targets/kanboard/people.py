"""Who is who: users by e-mail address. One list of all of them is asked for when first needed.

The list holds much that nobody else may see; three fields of it are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.errors import Rejected, Vanished
from sync.records.model import Desired
from sync.target import Foreseen
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.kanboard.client import Client
from taiga_pipeline.targets.kanboard.shapes import flag, number

NOT_ADMIN = (
    "only the application's API token, or an administrator, may look users up by their e-mail "
    "addresses; use one, or add the members in Kanboard by hand"
)


@dataclass(frozen=True, slots=True)
class User:
    """A user. ``mail`` is in lower case, "" if Kanboard has none."""

    id: int
    name: str
    mail: str
    is_active: bool


class Directory:
    """The users of one Kanboard. Safe to use from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._users: Mapping[int, User] | None = None

    def known(self) -> Mapping[int, User]:
        """Returns all users by number, none where this account may not see them."""
        with self._lock:
            if self._users is None:
                try:
                    rows = self._client.read("getAllUsers")
                except Vanished:
                    rows = []
                self._users = {number(row["id"]): _user(row) for row in rows}
            return self._users

    def mail(self, user_id: int) -> str:
        """Returns a user's e-mail address, "" for one that is not shown."""
        user = self.known().get(user_id)
        return user.mail if user else ""

    def user_id(self, address: str) -> int:
        """Returns the user with an e-mail address.

        :raises Rejected: there is none, there are several, they are disabled, or this account may
            not look.
        """
        users = self.known()
        if not users:
            raise Rejected(f"{address}: {NOT_ADMIN}")
        found = [user for user in users.values() if user.mail == address.casefold()]
        active = [user for user in found if user.is_active]
        if not found:
            raise Rejected(
                f"{address}: Kanboard has no user with this address, and sends no invitations; ask "
                "an administrator to create the user, or correct the address"
            )
        if not active:
            raise Rejected(
                f"{address}: this user is disabled in Kanboard; enable the account first"
            )
        if len(active) > 1:
            raise Rejected(f"{address}: {len(active)} users of Kanboard have this address")
        return active[0].id


def foresee(records: Sequence[Desired], people: Directory) -> Iterator[Foreseen]:
    """Yields the members that would be refused."""
    for record in records:
        try:
            if record.key.kind == Kind.MEMBERSHIP:
                people.user_id(record.key.name)
            elif record.fields.get(Story.ASSIGNED):
                people.user_id(str(record.fields[Story.ASSIGNED]))
        except Rejected as error:
            yield Foreseen(record, str(error), is_certain=record.key.kind != Kind.STORY)


def _user(row: Mapping[str, object]) -> User:
    name = str(row.get("name") or row.get("username") or "")
    mail = str(row.get("email") or "").casefold()
    return User(number(row["id"]), name, mail, flag(row["is_active"]))
