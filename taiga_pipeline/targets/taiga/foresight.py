"""What Taiga would refuse of a mapping, or take otherwise than it is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Final

from sync.errors import Rejected
from sync.records.model import Desired
from sync.target import Foreseen
from taiga_pipeline.records import Kind, Project, Story
from taiga_pipeline.targets.taiga.children import Memberships
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.copies import Copies
from taiga_pipeline.targets.taiga.paging import read_all
from taiga_pipeline.targets.taiga.templates import Templates

_LOOKED_AT: Final = 20
"""So many projects are looked through for people: Taiga shows addresses project by project."""


_ALIKE: Final = 0.85
"""Addresses are alike from here on (`difflib`): most share their domain anyway."""


def foresee(
    records: Sequence[Desired],
    templates: Templates,
    copies: Copies,
    client: Client,
    account_id: int,
) -> list[Foreseen]:
    """Returns what stands against making ``records``."""
    members = [record for record in records if record.key.kind == Kind.MEMBERSHIP]
    found = [*_unknown_templates(records, templates, copies)]
    given = {
        str(record.fields[Story.ASSIGNED]): record
        for record in records
        if record.fields.get(Story.ASSIGNED)
    }
    if members or given:
        found += _strangers(members, given, client, account_id)
    return found


def _unknown_templates(
    records: Sequence[Desired], templates: Templates, copies: Copies
) -> Iterator[Foreseen]:
    for record in records:
        name = record.fields.get(Project.TEMPLATE)
        copied = record.fields.get(Project.COPIED_FROM)
        if record.key.kind == Kind.PROJECT and (name or copied):
            try:
                if copied:
                    copies.source(str(copied))
                else:
                    templates.number(str(name))
            except Rejected as error:
                yield Foreseen(record, str(error))


def _strangers(
    members: Sequence[Desired],
    given: Mapping[str, Desired],
    client: Client,
    account_id: int,
) -> Iterator[Foreseen]:
    """Yields the members whom no project of this account shows: Taiga finds no one by address.

    The same of those whom stories are ``given`` to, by address.
    """
    missing = {**given, **{member.key.name.casefold(): member for member in members}}
    known: set[str] = set()
    for address in _people(client, account_id):
        known.add(address)
        missing.pop(address, None)
        if not missing:
            return
    for address, record in missing.items():
        near = get_close_matches(address, known, n=1, cutoff=_ALIKE)
        meant = f"; did you mean {near[0]}?" if near else ""
        what = _NO_STORIES if record.key.kind == Kind.STORY else _INVITES
        yield Foreseen(
            record,
            f"{address}: no member of this account's projects has this address{meant}; {what}",
            is_certain=False,
        )


_INVITES: Final = "if no user of Taiga has it, each project mails an invitation to it"
_NO_STORIES: Final = "stories are given to them once they are members of the project"


def _people(client: Client, account_id: int) -> Iterator[str]:
    """Yields the addresses of people who have an account and are in the account's projects."""
    mine: dict[str, str | int] = {"member": account_id, "slight": "true"}
    for project in islice(read_all(client, "projects", mine), _LOOKED_AT):
        where: dict[str, str | int] = {"project": int(project["id"])}
        for row in read_all(client, Memberships.path, where):
            if row.get("user") is not None:
                yield str(row.get("user_email") or row.get("email") or "").casefold()
