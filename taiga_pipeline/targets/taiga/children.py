"""What lives in a project. One class per kind: how it is read, made and changed.

A child's identity is the casefolded natural key that a record of the same name has: the name of a
role or milestone, the e-mail address of a member, the reference of a story.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from sync.errors import OutcomeUnknown, Rejected, Stale, SyncError, Vanished
from sync.records.composite_text import join_block, split_block
from sync.records.model import Desired, Observed, RecordKey, Value
from sync.target import Place, Written
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.mapping.stories.hours import read_hours
from taiga_pipeline.records import Kind, Membership, Milestone, Role, Story
from taiga_pipeline.targets.before_writing import before_writing
from taiga_pipeline.targets.milestones import milestone_id
from taiga_pipeline.targets.taiga.cards.board import BoardMemory
from taiga_pipeline.targets.taiga.cards.values import CardValues
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.identity import decode_reference, encode_reference
from taiga_pipeline.targets.taiga.paging import Row, read_all
from taiga_pipeline.targets.taiga.refusal import Refusal

Body = dict[str, JSON]
_LOG: Final = logging.getLogger(__name__)
_BEFORE_SUMMARY: Final = " · "
_LOOKS_LIKE_SUMMARY: Final = re.compile(
    r"\s+·\s+(?P<summary>[\d., \u00a0]+ ?[A-Z]{0,3}(?:\s+·\s+[\d-]+)?|\d{4}-\d\d-\d\d)\s*$"
)
FIRST_VERSION: Final = "1"
"""The change token of a story that was not written since it was made."""

_AREAS: Final = ("issue", "milestone", "task", "us", "wiki_page", "wiki_link", "epic")
MEMBER_PERMISSIONS: Final = (
    "view_project",
    *(f"{verb}_{area}" for area in _AREAS for verb in ("add", "delete")),
    *(f"modify_{area}" for area in _AREAS if area != "wiki_link"),
    *(f"view_{area}s" for area in _AREAS if area != "us"),
    "view_us",
    *(f"comment_{area}" for area in ("epic", "us", "task", "issue", "wiki_page")),
)
"""What Taiga's own templates permit to the people who do the work ("Back", "Design", ...)."""


@dataclass(frozen=True, slots=True)
class TaigaClientContext:
    """What all kinds need: the API, the pipeline's name, and who this account is.

    ``reads_pages`` and ``pictures`` are those of `Connection`. ``boards`` are the ids of projects
    that were seen to be a portfolio: only there is there more to be read than elsewhere.
    ``without_wiki`` are the ids of those that show no wiki in their menu. ``cards`` are the custom
    values of cards, None where people do not work on them; ``addresses`` are the e-mail addresses
    of people, by account; ``told`` are the ids of projects whose members are among them all.
    ``board_memory`` is what is known of boards from earlier
    looks; ``board_has_pages`` says that they have pages that are kept in step.
    """

    client: Client
    pipeline: str
    account_id: int
    reads_pages: bool = False
    pictures: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    boards: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    without_wiki: set[str] = field(default_factory=set)
    cards: CardValues | None = None
    addresses: dict[int, str] = field(default_factory=dict)
    board_memory: BoardMemory = field(default_factory=BoardMemory)
    board_has_pages: bool = False


class ChildKind(Protocol):
    """One kind of children."""

    kind: str
    path: str

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns what a row of the list, or an answer to a write, shows."""

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes one."""

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Returns the body that writes ``changes``, empty if there is nothing to write."""


class Roles:
    """Roles. Their names are not unique in Taiga; removing one would remove its members."""

    kind = Kind.ROLE
    path = "roles"

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a role."""
        name = str(row["name"])
        return Observed(self.kind, str(row["id"]), {Role.NAME: name}, identity=name.casefold())

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a role for people who do the work, without estimates of its own."""
        body = {
            "project": int(place.root_id),
            "name": desired.fields[Role.NAME],
            "permissions": list(MEMBER_PERMISSIONS),
            "computable": False,
        }
        return Written(self.observe(context.client.post(self.path, body).data, context))

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Renames; a name that differs in letter case alone stays as people wrote it."""
        name = str(changes.get(Role.NAME, ""))
        if not name or name.casefold() == observed.identity:
            return {}
        return {"name": name}


class Memberships:
    """Members and invitations: an address that Taiga does not know is invited."""

    kind = Kind.MEMBERSHIP
    path = "memberships"

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a membership. A list that spans projects shows no addresses."""
        address = str(row.get("user_email") or row.get("email") or "").casefold()
        fields: dict[str, Value] = {}
        if address:
            fields[Membership.EMAIL] = address
        if row.get("role_name"):
            fields[Membership.ROLE] = str(row["role_name"])
        if "is_admin" in row:
            fields[Membership.ADMIN] = bool(row["is_admin"])
        note_address(row, context)
        name = str(row.get("full_name") or address)
        facts = {"name": name, "email": address, "invited": row.get("user") is None}
        return Observed(
            self.kind,
            str(row["id"]),
            fields,
            identity=address,
            facts=facts,
            unavailable=_unavailable(row),
        )

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Adds a member. One who is there already is returned, however Taiga says so.

        It answers 400 where the address is written alike, and 500 where the letter case differs.
        """
        with before_writing():
            role_id = self._role_id(str(desired.fields[Membership.ROLE]), place, context)
        body = {
            "project": int(place.root_id),
            "role": role_id,
            "username": str(desired.fields[Membership.EMAIL]),
            "is_admin": bool(desired.fields.get(Membership.ADMIN)),
        }
        try:
            answer = context.client.post(self.path, body)
        except Refusal as error:
            if error.status != 400 or "username" not in error.keys:
                raise
            return self._present(desired.key, place, context, error)
        except OutcomeUnknown as error:
            return self._present(desired.key, place, context, error)
        return Written(self.observe(answer.data, context))

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Changes the role; the address is the member's own."""
        role = str(changes.get(Membership.ROLE, ""))
        if not role or role.casefold() == str(observed.fields.get(Membership.ROLE)).casefold():
            return {}
        return {"role": self._role_id(role, place, context)}

    def _present(
        self, key: RecordKey, place: Place, context: TaigaClientContext, error: SyncError
    ) -> Written:
        """Returns the membership that is there after all.

        :raises SyncError: ``error``, if none is.
        """
        for row in read_all(context.client, self.path, {"project": place.root_id}):
            found = self.observe(row, context)
            if found.identity == key.name.casefold():
                inviter = (row.get("invited_by") or {}).get("id")
                return Written(found, found=inviter != context.account_id)
        raise error

    def _role_id(self, name: str, place: Place, context: TaigaClientContext) -> int:
        """Returns the role's id: bound in this group, or else by its name in the project."""
        for key, target_id in place.bound.items():
            if key.kind == Kind.ROLE and key.name.casefold() == name.casefold():
                return int(target_id)
        for row in read_all(context.client, Roles.path, {"project": place.root_id}):
            if str(row["name"]).casefold() == name.casefold():
                return int(row["id"])
        raise Rejected(f"the project has no role {name!r}; does the mapping declare it?")


def _unavailable(row: Row) -> str:
    """Says why a member cannot be given a story, "" for one who can."""
    if row.get("user") is None:
        return "is invited and has not joined yet"
    return "" if row.get("is_user_active", True) else "has an account that is switched off"


class Milestones:
    """Milestones (sprints). A project has each name once."""

    kind = Kind.MILESTONE
    path = "milestones"

    _PLACES: Final = {
        Milestone.NAME: "name",
        Milestone.START: "estimated_start",
        Milestone.FINISH: "estimated_finish",
    }

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a milestone."""
        fields: dict[str, Value] = {name: row.get(at) for name, at in self._PLACES.items()}
        name = str(row["name"])
        facts = {**fields, "closed": bool(row.get("closed"))}
        return Observed(self.kind, str(row["id"]), fields, identity=name.casefold(), facts=facts)

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a milestone; one of that name is returned."""
        fields = desired.fields
        body = {"project": int(place.root_id)} | self._body(fields)
        try:
            answer = context.client.post(self.path, body)
        except Refusal as error:
            if error.status != 400 or "name" not in error.keys:
                raise
            return self._present(str(fields[Milestone.NAME]), place, context, error)
        return Written(self.observe(answer.data, context))

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Changes name or dates."""
        return self._body(changes)

    def _body(self, fields: Mapping[str, Value]) -> Body:
        return {at: fields[name] for name, at in self._PLACES.items() if name in fields}

    def _present(
        self, name: str, place: Place, context: TaigaClientContext, error: SyncError
    ) -> Written:
        for row in read_all(context.client, self.path, {"project": place.root_id}):
            if row["name"] == name:
                mine = row.get("owner") == context.account_id
                return Written(self.observe(row, context), found=not mine)
        raise error


class Stories:
    """User stories. The one kind with a version, which `Observed.change_token` carries."""

    kind = Kind.STORY
    path = "userstories"

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a story; a list does not show the description."""
        fields: dict[str, Value] = {Story.SUBJECT: str(row["subject"])}
        if "tags" in row:
            fields[Story.TAGS] = frozenset(str(tag[0]) for tag in row["tags"] or ())
        if "description" in row:
            fields[Story.DESCRIPTION] = _peoples_text(str(row["description"] or ""))
        if str(row.get("project")) in context.boards:
            fields[Story.DUE_DATE] = row.get("due_date")
            fields[Story.STATUS] = str((row.get("status_extra_info") or {}).get("name", ""))
            fields |= _worked_on(row, context)
        elif "assigned_to" in row:
            fields |= _done_by(row, context)
        group, name = decode_reference(context.pipeline, row.get("external_reference"))
        return Observed(
            self.kind,
            str(row["id"]),
            fields,
            identity=name.casefold(),
            marked=bool(name),
            change_token=str(row.get("version", "")),
            facts={
                "closed": bool(row.get("is_closed")),
                "comments": int(row.get("total_comments") or 0),
            },
            group=group,
        )

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a story that carries its reference from its first moment."""
        fields = desired.fields
        body: Body = {
            "project": int(place.root_id),
            "subject": whole_subject(fields),
            "description": join_block(
                str(fields.get(Story.DESCRIPTION, "")), str(fields.get(Story.FACTS, ""))
            ),
            "tags": _sorted(fields.get(Story.TAGS)),
            "external_reference": encode_reference(context.pipeline, desired.key),
        }
        milestone = fields.get(Story.MILESTONE)
        if milestone:
            body["milestone"] = milestone_id(str(milestone), desired.key.group, place)
        body |= self._board_body(fields, place, context)
        made = self.observe(context.client.post(self.path, body).data, context)
        return fill_card(Written(made), fields, place, context)

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Changes what is asked for, with the version that it was observed in."""
        is_card = place.root_id in context.boards
        if Story.ASSIGNED in changes and not is_card and Story.ASSIGNED not in observed.fields:
            raise Stale(f"story {observed.id}: it has to be read who does it before that changes")
        body: Body = self._board_body(changes, place, context)
        if Story.SUBJECT in changes or Story.SUMMARY in changes:
            body["subject"] = whole_subject({**observed.fields, **changes})
        if Story.TAGS in changes:
            body["tags"] = _sorted(changes[Story.TAGS])
        if changes.keys() & {Story.DESCRIPTION, Story.FACTS}:
            body["description"] = self._described(observed, changes, context, is_card=is_card)
        return body and body | {"version": int(observed.change_token)}

    def _board_body(
        self, fields: Mapping[str, Value], place: Place, context: TaigaClientContext
    ) -> Body:
        """Returns what only the cards of a board have."""
        body: Body = {}
        if Story.DUE_DATE in fields:
            body["due_date"] = fields[Story.DUE_DATE]
        if Story.STATUS in fields:
            body["status"] = _status_id(str(fields[Story.STATUS]), place, context)
        if Story.ASSIGNED in fields:
            body["assigned_to"] = _account_of(str(fields[Story.ASSIGNED] or ""), place, context)
        return body

    def _described(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        context: TaigaClientContext,
        *,
        is_card: bool,
    ) -> str:
        """Returns the description: people's text, and lines of ours below it.

        What does not change of the two is read for that. A card in version 1 is as it was made: no
        one wrote anything.
        """
        if Story.DESCRIPTION in changes:
            _demand_description(observed)
        facts, known = str(changes.get(Story.FACTS) or ""), ""
        if not (is_card and observed.change_token == FIRST_VERSION):
            row = context.client.get(f"{self.path}/{observed.id}").data
            known = str(row.get("description") or "")
        text, there = split_block(known, [facts] if facts else ())
        text = str(changes.get(Story.DESCRIPTION, _without_line(text, facts)) or "")
        return join_block(text, facts if Story.FACTS in changes else there)


def _worked_on(row: Row, context: TaigaClientContext) -> dict[str, Value]:
    """Returns the fields of a card that is worked on; who is unknown is left out."""
    if context.cards is None:
        return {}
    fields: dict[str, Value] = dict(row.get("card_values") or {})
    account = row.get("assigned_to")
    if account is None:
        fields[Story.ASSIGNED] = ""
    elif account in context.addresses:
        fields[Story.ASSIGNED] = context.addresses[account]
    return fields


def _done_by(row: Row, context: TaigaClientContext) -> dict[str, Value]:
    """Returns who does a story; nothing where that cannot be told, as in lists over projects.

    Someone who is no member (any more) is not the connector's choice.
    """
    account = row["assigned_to"]
    if account is None:
        return {Story.ASSIGNED: None}
    if account in context.addresses:
        return {Story.ASSIGNED: context.addresses[account]}
    is_stranger = str(row.get("project")) in context.told
    return {Story.ASSIGNED: f"user {account}"} if is_stranger else {}


def _peoples_text(description: str) -> str:
    """Returns people's part of a description; one without lines of ours is as it is."""
    text, lines = split_block(description)
    return text if lines else description


def _without_line(text: str, facts: str) -> str:
    """Returns a text without a line at its end that says what the facts say: before they were kept
    current, hours stood there."""
    name, _, value = facts.removeprefix("- ").partition(": ")
    before, _, last = text.rpartition("\n")
    is_ours = bool(value) and last.startswith(f"{name}: ")
    return before.rstrip() if is_ours and read_hours(last.removeprefix(f"{name}: ")) else text


def whole_subject(fields: Mapping[str, Value]) -> str:
    """Returns the subject with the summary behind it, if there is one."""
    parts = (str(fields.get(name) or "") for name in (Story.SUBJECT, Story.SUMMARY))
    return _BEFORE_SUMMARY.join(filter(None, parts))


def split_subject(
    fields: Mapping[str, Value], hints: Sequence[Mapping[str, Value]]
) -> Mapping[str, Value]:
    """Returns the fields of a story, a summary behind its subject distinguished.

    One that people edited is told by how it looks: it is not theirs to edit.
    """
    if not any(Story.SUMMARY in hint for hint in hints):
        return fields
    subject = str(fields.get(Story.SUBJECT, ""))
    for hint in hints:
        tail = f"{_BEFORE_SUMMARY}{hint.get(Story.SUMMARY) or ''}"
        if hint.get(Story.SUMMARY) and subject.endswith(tail):
            shown = {Story.SUBJECT: subject.removesuffix(tail), Story.SUMMARY: hint[Story.SUMMARY]}
            return {**fields, **shown}
    found = _LOOKS_LIKE_SUMMARY.search(subject)
    summary = found["summary"] if found else ""
    return {
        **fields,
        Story.SUBJECT: subject[: found.start()] if found else subject,
        Story.SUMMARY: summary,
    }


def card_values(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Returns those of a card's fields that are custom values in Taiga."""
    return {name: value for name, value in fields.items() if Story.of_deal(name)}


def fill_card(
    written: Written, fields: Mapping[str, Value], place: Place, context: TaigaClientContext
) -> Written:
    """Writes the custom values of a new card. If that fails, the next merge does it."""
    values = card_values(fields)
    if not values or context.cards is None:
        return written
    shown = values
    unwritten: frozenset[str] = frozenset()
    try:
        context.cards.write(place.root_id, written.record.id, values, None)
    except SyncError as error:
        _LOG.warning(
            "story %s was created; the next run completes it: %s", written.record.id, error
        )
        shown, unwritten = dict.fromkeys(values, ""), frozenset(values)
    record = replace(written.record, fields={**written.record.fields, **shown})
    return replace(written, record=record, unwritten=unwritten)


def _account_of(address: str, place: Place, context: TaigaClientContext) -> int | None:
    """Returns the account of a member; None for no one, and for who is no member (any more)."""
    if not address:
        return None
    if address not in context.addresses.values():
        for row in read_all(context.client, Memberships.path, {"project": place.root_id}):
            note_address(row, context)
    by_address = {known: account for account, known in context.addresses.items()}
    return by_address.get(address)


def note_address(row: Row, context: TaigaClientContext) -> None:
    """Remembers the address of a member."""
    address = str(row.get("user_email") or row.get("email") or "").casefold()
    if address and isinstance(row.get("user"), int):
        context.addresses[row["user"]] = address


def renamed_references(
    root_id: str, former: str, new: str, context: TaigaClientContext
) -> list[tuple[str, Body]]:
    """Returns the stories of a project that name the deal ``former``, by id, each with the body
    that has it name ``new``."""
    renamed = []
    for row in read_all(context.client, Stories.path, {"project": root_id}):
        group, name = decode_reference(context.pipeline, row.get("external_reference"))
        if group == former:
            reference = encode_reference(context.pipeline, RecordKey(new, Kind.STORY, name))
            body: Body = {"external_reference": reference, "version": int(row["version"])}
            renamed.append((str(row["id"]), body))
    return renamed


def _demand_description(observed: Observed) -> None:
    """Refuses to write over a description that no one has read: lists do not show it.

    Version 1 is as it was made. A later one is read in full when its project is read by itself
    (`reading.ChildReader`), which is what the engine does about a `Stale` record.
    """
    if Story.DESCRIPTION not in observed.fields and observed.change_token != FIRST_VERSION:
        raise Stale(f"story {observed.id}: its description has to be read before it is written")


def _status_id(name: str, place: Place, context: TaigaClientContext) -> int:
    """Returns the id of the column: the one that is bound, or else one that people gave the name.

    :raises Rejected: people removed it.
    """
    wanted = " ".join(name.split()).casefold()
    for key, target_id in place.bound.items():
        if key.kind == Kind.STATUS and key.name == wanted:
            return int(target_id)
    for row in read_all(context.client, "userstory-statuses", {"project": place.root_id}):
        if " ".join(str(row["name"]).split()).casefold() == wanted:
            return int(row["id"])
    raise Rejected(
        f"the board's column {name!r} was removed in Taiga; add one of that name there, in the "
        "project's settings under Attributes, Statuses"
    )


def _sorted(tags: Value) -> list[str]:
    return sorted(tags) if isinstance(tags, frozenset) else []


def gone(kind: str, target_id: str) -> Vanished:
    """The error for a child that is not there."""
    return Vanished(f"{kind} {target_id} no longer exists, or cannot be changed by this account")
