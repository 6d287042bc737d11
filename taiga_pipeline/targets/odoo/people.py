"""Who is who: users by their addresses, the partners that they follow projects as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sync.errors import Rejected
from sync.records.model import Desired
from sync.target import Foreseen
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import id_of, records
from taiga_pipeline.problems import did_you_mean
from taiga_pipeline.records import Kind, Story


@dataclass(frozen=True, slots=True)
class User:
    """A user of Odoo: ``id`` as a user, ``partner`` as a partner, who follows things."""

    id: int
    partner: int
    name: str
    email: str
    is_active: bool


@dataclass(frozen=True)
class Directory:
    """The internal users, archived ones too; read once, when someone is asked for."""

    client: OdooClient

    @cached_property
    def _users(self) -> Sequence[User]:
        fields = ["name", "login", "email", "partner_id", "active"]
        rows = records(self.client, "res.users", fields, [["share", "=", False]])
        return [
            User(
                row["id"],
                id_of(row["partner_id"]),
                str(row["name"] or ""),
                str(row["email"] or row["login"] or "").casefold(),
                bool(row["active"]),
            )
            for row in rows
        ]

    @cached_property
    def by_partner(self) -> dict[int, User]:
        """The users by the ids of their partners."""
        return {user.partner: user for user in self._users}

    @cached_property
    def by_id(self) -> dict[int, User]:
        """The users by their ids."""
        return {user.id: user for user in self._users}

    @cached_property
    def _by_email(self) -> dict[str, User]:
        return {user.email: user for user in reversed(self._users) if user.is_active}

    def user(self, email: str) -> User:
        """Returns the user of an address.

        :raises Rejected: nobody has it.
        """
        found = self._by_email.get(email.casefold())
        if found is None:
            raise Rejected(
                f"Odoo has no user with the address {email}{did_you_mean(email, self._by_email)}; "
                "an administrator can add one (Settings, Users), who has to be internal and active"
            )
        return found


def foresee(records_: Sequence[Desired], people: Directory) -> Iterator[Foreseen]:
    """Yields the members, and the people that tasks are for, whom Odoo does not know."""
    for record in records_:
        email = ""
        if record.key.kind == Kind.MEMBERSHIP:
            email = record.key.name
        elif record.key.kind == Kind.STORY:
            email = str(record.fields.get(Story.ASSIGNED) or "")
        try:
            if email:
                people.user(email)
        except Rejected as error:
            yield Foreseen(record, str(error), is_certain=record.key.kind != Kind.STORY)
