"""Who is who: users by e-mail address, roles by name. Each is asked for when first needed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from sync.errors import Rejected, Vanished
from sync.records.model import Desired
from sync.target import Foreseen
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.redmine.client import Client
from taiga_pipeline.targets.redmine.paging import Row, read_all

_FEW: Final = 5
"""Up to so many users are asked for one by one, rather than by a list of all."""

_LOCKED: Final = 3

NOT_ADMIN: Final = (
    "only the API key of a Redmine administrator can find users by their e-mail addresses; use "
    "one, or add the members in Redmine by hand"
)


class Directory:
    """The users and roles of one Redmine. Safe to use from several threads.

    ``account`` is the connector's own user.
    """

    def __init__(self, client: Client, account: Row) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._is_admin = bool(account.get("admin"))
        self._mails: dict[int, str] = {int(account["id"]): _mail(account)}
        self._roles: Mapping[str, Row] = {}
        self._locked: set[int] = set()
        self._takes_work: dict[int, bool] = {}

    # --- users

    def is_locked(self, user_id: int) -> bool:
        """Whether a user is known to be locked: one whose address was looked up."""
        return user_id in self._locked

    def mails(self, user_ids: Collection[int]) -> Mapping[int, str]:
        """Returns the e-mail addresses of users, "" for those that are not shown."""
        with self._lock:
            unknown = [number for number in user_ids if number not in self._mails]
            if self._is_admin and len(unknown) > _FEW:
                self._mails.update({int(row["id"]): self._note(row) for row in self._users({})})
            elif self._is_admin:
                self._mails.update({number: self._mail_of(number) for number in unknown})
            return {number: self._mails.get(number, "") for number in user_ids}

    def user_id(self, address: str) -> int:
        """Returns the user with an e-mail address.

        :raises Rejected: there is none, they are locked, or this account may not look.
        """
        with self._lock:
            for number, mail in self._mails.items():
                if mail == address.casefold():
                    return number
            if not self._is_admin:
                raise Rejected(f"{address}: {NOT_ADMIN}")
            user = self._find(address)
            self._mails[int(user["id"])] = _mail(user)
            return int(user["id"])

    def _find(self, address: str) -> Row:
        # The search is over names and addresses, and a filter that is ignored brings everyone.
        found = [row for row in self._users({"name": address}) if _mail(row) == address.casefold()]
        if not found:
            raise Rejected(
                f"{address}: Redmine has no user with this address, and does not send invitations; "
                "ask an administrator to create the account, or correct the address"
            )
        if found[0].get("status") == _LOCKED:
            raise Rejected(f"{address}: this user is locked in Redmine; unlock the account first")
        return found[0]

    def _users(self, params: Mapping[str, str]) -> list[Row]:
        """Returns users, locked ones too (an empty status stands for any)."""
        return list(read_all(self._client, "users", {**params, "status": ""}))

    def _mail_of(self, number: int) -> str:
        try:
            return self._note(self._client.get(f"users/{number}.json").data["user"])
        except Vanished:
            return ""

    def _note(self, user: Row) -> str:
        """Returns a user's address; remembers one who is locked."""
        if user.get("status") == _LOCKED:
            self._locked.add(int(user["id"]))
        return _mail(user)

    # --- roles

    def roles(self) -> Mapping[str, Row]:
        """Returns the roles by casefolded name: they are the same in all projects."""
        with self._lock:
            if not self._roles:
                rows = read_all(self._client, "roles", {})
                self._roles = {str(row["name"]).casefold(): row for row in rows}
            return self._roles

    def takes_work(self, role_id: int) -> bool:
        """Whether issues can be assigned to those who have a role: an administrator may say no."""
        if role_id not in self._takes_work:
            role = self._client.get(f"roles/{role_id}.json").data["role"]
            self._takes_work[role_id] = bool(role.get("assignable", True))
        return self._takes_work[role_id]

    def role(self, name: str) -> Row:
        """Returns a role; letter case does not matter.

        :raises Rejected: there is none of that name.
        """
        roles = self.roles()
        if name.casefold() not in roles:
            names = [str(row["name"]) for row in roles.values()]
            raise Rejected(
                f"Redmine has no role {name!r}{did_you_mean(name, names)}; there are "
                f"{', '.join(names) or 'none'}. An administrator can add it (Administration, Roles "
                "and permissions), or name another in the mapping"
            )
        return roles[name.casefold()]


def foresee(records: Sequence[Desired], people: Directory) -> Iterator[Foreseen]:
    """Yields the members and the roles that would be refused."""
    for record in records:
        try:
            if record.key.kind == Kind.MEMBERSHIP:
                people.user_id(record.key.name)
            elif record.key.kind == Kind.ROLE:
                people.role(record.key.name)
            elif record.fields.get(Story.ASSIGNED):
                people.user_id(str(record.fields[Story.ASSIGNED]))
        except Rejected as error:
            yield Foreseen(record, str(error), is_certain=record.key.kind != Kind.STORY)


def _mail(user: Row) -> str:
    return str(user.get("mail") or "").casefold()
