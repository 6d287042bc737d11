"""Taiga as a target of the engine: `sync.target.Target` in terms of Taiga's API."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

from sync.errors import Rejected, Stale, SyncError, Vanished
from sync.records.model import Desired, Marker, Observed, RecordKey, Value
from sync.run.server_identity import Identity
from sync.target import Foreseen, Place, Written
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.rotation import Rotation
from taiga_pipeline.records import Kind, Membership, Project, Story
from taiga_pipeline.targets.before_writing import after_making, before_writing
from taiga_pipeline.targets.marked import demand_marked
from taiga_pipeline.targets.port import Comment
from taiga_pipeline.targets.taiga import projects
from taiga_pipeline.targets.taiga.address import web_address
from taiga_pipeline.targets.taiga.boards import clear_template, is_board
from taiga_pipeline.targets.taiga.cards import talk
from taiga_pipeline.targets.taiga.cards.values import CardValues
from taiga_pipeline.targets.taiga.children import (
    ChildKind,
    Memberships,
    Stories,
    TaigaClientContext,
    card_values,
    fill_card,
    gone,
    renamed_references,
    split_subject,
)
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.copies import Copies, finishing, split_claim
from taiga_pipeline.targets.taiga.fitting import fit
from taiga_pipeline.targets.taiga.foresight import foresee
from taiga_pipeline.targets.taiga.half_made import half_made, own_address, taken_address
from taiga_pipeline.targets.taiga.kinds import KINDS
from taiga_pipeline.targets.taiga.leases import TaigaLeases
from taiga_pipeline.targets.taiga.overwritten import lost_edits
from taiga_pipeline.targets.taiga.pages import show_page, split_page, unlink_page
from taiga_pipeline.targets.taiga.paging import Row, read_all, read_rows
from taiga_pipeline.targets.taiga.reading import ChildReader
from taiga_pipeline.targets.taiga.refusal import (
    Refusal,
    Unseen,
    needed_by_every_run,
)
from taiga_pipeline.targets.taiga.rotation import rotation_of
from taiga_pipeline.targets.taiga.shapes import row_trouble
from taiga_pipeline.targets.taiga.templates import Templates
from taiga_pipeline.targets.taiga.untouched import is_untouched, other_role

_LOG: Final = logging.getLogger(__name__)
_DEFAULT_TEMPLATE: Final = "kanban"
_JOINED: Final = "projects.membership.create"
_LOOKED_AT: Final = 3
"""At so many names it is looked whether another account made them: it made all, or none."""
_ROLES_NEVER: Final = (
    "roles that people hold are never removed: Taiga would remove their members with them"
)


class TaigaTarget:
    """One account's projects in one Taiga. Safe to use from several threads."""

    name = "Taiga"

    def __init__(self, client: Client, connection: Connection) -> None:
        self._client = client
        self._pipeline = connection.pipeline
        self._concurrency = connection.concurrency
        self._connection = connection
        self._web = web_address(connection.url, connection.web_url)
        self._templates = Templates(client)
        self._copies = Copies(client)
        self._free_roles: set[str] = set()
        self.leases = TaigaLeases(client)
        self.guard = client.guarded_by
        self.warnings: tuple[str, ...] = ()
        """What `connect` found that limits what the account can do."""

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._client.request_count

    def connect(self) -> str:
        """Logs in, finds out who this is, returns the account's name."""
        if not self._account.get("verified_email", True):
            self.warnings = (
                "the account's e-mail address is not verified: Taiga will not let it add members. "
                "Follow the link that Taiga mailed to it",
            )
            for warning in self.warnings:
                _LOG.warning("%s", warning)
        return str(self._account["username"])

    def identity(self) -> Identity:
        """Returns who this is: an account's uuid was made at random, by this server alone."""
        account = self._account
        proof = "|".join(str(account.get(name) or "") for name in ("uuid", "date_joined"))
        return Identity(
            proof if proof.strip("|") else "",
            self._client.server,
            str(account["username"]),
            str(account["id"]),
        )

    def rotation(self) -> Rotation:
        """Returns how the account can get another secret."""
        return rotation_of(self._client, self._connection)

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._client.close()

    @cached_property
    def _account(self) -> Row:
        """The account. Asked for because a wrong kind of token makes an anonymous visitor."""
        with needed_by_every_run():
            account: Row = self._client.get("users/me").data
        return account

    @property
    def _account_id(self) -> int:
        return int(self._account["id"])

    @cached_property
    def _context(self) -> TaigaClientContext:
        reads_pages, pictures = self._connection.reads_pages, self._connection.pictures
        context = TaigaClientContext(
            self._client,
            self._pipeline,
            self._account_id,
            reads_pages,
            pictures,
            board_has_pages=self._connection.board_has_pages,
        )
        fields = self._connection.card_fields
        return replace(context, cards=CardValues(self._client, fields)) if fields else context

    # --- pure

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` with each value as Taiga will be able to hold it."""
        return fit(desired)

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields, those distinguished that share a name, a description or a page."""
        if observed.kind == Kind.WIKI:
            return split_page(observed.fields, hints)
        if observed.kind == Kind.STORY:
            return split_subject(observed.fields, hints)
        if observed.kind != Kind.PROJECT:
            return observed.fields
        return projects.split_project(observed.fields, hints, self._connection.labels)

    def mails(self, desired: Desired) -> str:
        """Returns whom Taiga mails: each new member of a project, and whom a story is given to."""
        if desired.key.kind == Kind.MEMBERSHIP:
            return str(desired.fields[Membership.EMAIL])
        is_given = Story.ASSIGNED in desired.refers
        return str(desired.fields.get(Story.ASSIGNED) or "") if is_given else ""

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns what Taiga would refuse, or take otherwise than it is meant."""
        return foresee(records, self._templates, self._copies, self._client, self._account_id)

    # --- reading

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every project that the account is a member of, by one request per 1,000.

        :raises IncompleteRead: the list did not come whole; raised after what did come.
        """
        params: dict[str, str | int] = {"member": self._account_id, "slight": "true"}
        with needed_by_every_run():
            for row in read_rows(self._client, "projects", params):
                trouble = row_trouble("projects", row)
                yield projects.misshapen(row, trouble) if trouble else self._observed(row)

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one project, None if it is not there or this account may not see it."""
        try:
            return self._observed(self._project(root_id))
        except Vanished:
            return None

    def _observed(self, row: Row) -> Observed:
        root = projects.observed_project(row, self._web)
        if is_board(root.markers, self._pipeline):
            self._context.boards.add(root.id)
            self._context.board_memory.tokens[root.id] = root.change_token
        if row.get("is_wiki_activated") is False:
            self._context.without_wiki.add(root.id)
        return root

    def hides_root(self, root_id: str) -> bool:
        """Whether a project is there that this account may not see: Taiga says so by its number."""
        try:
            self._project(root_id)
        except Unseen:
            return True
        except Vanished:
            return False
        return False

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each project; see `reading.ChildReader.read`."""
        return ChildReader(self._context, self._concurrency).read(root_ids) if root_ids else {}

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the projects that carry ``marker``: the list cannot be searched for it."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def untouched(self, root_id: str) -> bool:
        """Tells whether everything in the project's timeline was this account's doing.

        For a member who joined, the timeline names the member and not who added them: the
        membership does. For one who was removed it is unknown, which counts as touched.
        """
        members = read_all(self._client, Memberships.path, {"project": root_id})
        events = read_all(self._client, f"timeline/project/{root_id}", {})
        return all(self._is_own_member(row) for row in members) and all(
            event.get("event_type") == _JOINED or self._is_own_event(event) for event in events
        )

    def _is_own_member(self, row: Row) -> bool:
        inviter = (row.get("invited_by") or {}).get("id")
        return self._account_id in (row.get("user"), inviter)

    def _is_own_event(self, event: Row) -> bool:
        user = (event.get("data") or {}).get("user") or {}
        return self._account_id == user.get("id")

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Tells whether a child is as this account left it; see `untouched.is_untouched`.

        A role without holders may be removed afterwards.
        """
        found = is_untouched(child, place, self._context)
        if found and child.kind == Kind.ROLE:
            self._free_roles.add(child.id)
        return found

    # --- writing projects

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project by one request, and one more for what Taiga ignores at creation.

        If the second fails, the project is returned as it is: the next merge completes it.
        """
        if desired.fields.get(Project.COPIED_FROM):
            return self._copy(desired, marker)
        template = str(desired.fields.get(Project.TEMPLATE) or _DEFAULT_TEMPLATE)
        with before_writing():
            template_id = self._templates.number(template)
        body = projects.creation(desired.fields, marker, template_id)
        made = self._client.post("projects", body).data
        if is_board([marker], self._pipeline):
            clear_template(self._client, made["us_statuses"])
        rest = projects.completion(desired.fields)
        completed = self._complete(made, rest) if rest else made
        row = completed or made
        return Written(
            self._observed(row),
            self._roles(row),
            unwritten=frozenset() if completed else projects.completed_later(desired.fields),
        )

    def _complete(self, row: Row, body: Mapping[str, JSON]) -> Row | None:
        """Returns the completed project, None if it could not be completed now."""
        try:
            completed: Row = self._client.patch(f"projects/{row['id']}", body).data
        except SyncError as error:
            _LOG.warning("project %s was created; the next run completes it: %s", row["id"], error)
            return None
        return completed

    def _copy(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project out of another one; see `copies`."""
        with before_writing():
            source = self._copies.source(str(desired.fields[Project.COPIED_FROM]))
        made = self._copies.make(source, projects.copying(desired.fields, marker))
        with after_making("project", str(made["id"])):
            row = self._fill(made, desired, marker)
            return Written(self._observed(row), self._roles(row))

    def complete_root(self, desired: Desired, observed: Observed, marker: Marker) -> None:
        """Goes on where the copying of a project was cut off."""
        if desired.fields.get(Project.COPIED_FROM):
            row = self._project(observed.id)
            if split_claim(str(row.get("description") or ""))[1] == marker:
                self._fill(row, desired, marker)

    def _fill(self, copy: Row, desired: Desired, marker: Marker) -> Row:
        self._copies.fill(copy, desired)
        now = self._project(str(copy["id"]))  # its members may have begun to write
        body = finishing(now, marker, desired) | projects.completion(desired.fields)
        return self._patch_project(str(copy["id"]), body)

    def leftover(self, root: Observed) -> str:
        """Says which project a dying server left half made, in the way of ``root``.

        It has no members, so that no plain account sees it. What shows is that the address that
        this project would have is taken: Taiga then refuses to say by which one.
        """
        slug = str(root.facts.get("url", "")).rstrip("/").rpartition("/")[2]
        base = taken_address(slug, str(root.facts.get("title", "")))
        if not base:
            return ""
        try:
            taken_by = str(self._client.get("resolver", {"project": base}).data["project"])
        except Unseen:
            return half_made(base, "")
        except Vanished:
            return ""
        members = read_all(self._client, Memberships.path, {"project": taken_by})
        return half_made(base, taken_by) if next(members, None) is None else ""

    def unseen(self, roots: Sequence[Desired]) -> Mapping[str, str]:
        """Returns which projects another account seems to have made: their addresses are taken by
        what this account cannot see, each of those that are looked at. Where the server puts the
        account's name into addresses, nothing shows."""
        found = {}
        for root in roots[:_LOOKED_AT]:
            address = own_address(projects.first_name(root.fields))
            if not address or not self._is_hidden(address):
                return {}
            group = root.key.group
            found[group] = f"{group}: the address '{address}' of a project that is not shown"
        return found

    def _is_hidden(self, address: str) -> bool:
        """Whether a project has an address that this account cannot see."""
        try:
            self._client.get("resolver", {"project": address})
        except Unseen:
            return True
        except Vanished:
            return False
        return False

    def complete_child(self, desired: Desired, observed: Observed, place: Place) -> None:
        """Shows a page in the wiki's navigation, if that was cut off."""
        self._context.board_memory.about_to_write(place.root_id, observed.kind)
        if observed.kind == Kind.WIKI:
            show_page(desired, place, self._context)
        if observed.kind == Kind.STORY and not any(card_values(observed.fields).values()):
            fill_card(Written(observed), desired.fields, place, self._context)

    # --- cards that people work on

    def claim_card(self, card: Observed, key: RecordKey, comment: str) -> None:
        """Makes a card that people made the record ``key``, and says so in a comment."""
        self._context.board_memory.about_to_write("", card.kind)
        talk.claim(card, key, comment, self._context)

    def comment_on(self, card_id: str, text: str) -> None:
        """Adds a comment to a card."""
        self._context.board_memory.about_to_write("", Kind.STORY)
        talk.comment(card_id, text, self._context)

    def comments_on(self, card_id: str) -> Sequence[Comment]:
        """Returns people's comments on a card, the oldest first."""
        return talk.comments(card_id, self._context)

    def editors(self, root_id: str) -> Mapping[tuple[str, str], str]:
        """Returns who last changed the cards, tasks and pages of a project, by kind and id."""
        return talk.editors(root_id, self._context)

    def _roles(self, row: Row) -> tuple[Observed, ...]:
        return tuple(KINDS[Kind.ROLE].observe(role, self._context) for role in row.get("roles", ()))

    def mark(self, root_id: str, marker: Marker) -> None:
        """Writes ``marker`` on a project."""
        self._set_marker(root_id, marker, present=True)

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes ``marker`` off a project."""
        try:
            self._set_marker(root_id, marker, present=False)
        except Vanished:
            return

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Exchanges the marker of a project, and the deal in the references of its stories."""
        self.mark(root_id, marker)
        self.unmark(root_id, former)
        for story_id, body in renamed_references(root_id, former.key, marker.key, self._context):
            self._client.patch(f"{Stories.path}/{story_id}", body)

    def _set_marker(self, root_id: str, marker: Marker, *, present: bool) -> None:
        """Replaces the map of tags by itself with, or without, the marker."""
        body = projects.marking(self._project(root_id).get("tags_colors"), marker, present=present)
        if body is not None:
            self._patch_project(root_id, body)

    def _update_root(
        self, observed: Observed, changes: Mapping[str, Value], fields: Mapping[str, Value]
    ) -> Written:
        """Changes a project that still looks as it was observed.

        A project has no version in Taiga, so that it is looked at once more right before, and
        what came in between is put back where Taiga reports it.
        """
        body = projects.modification(changes, fields)
        if not body:
            return Written(observed)
        before = self._project(observed.id)
        now = projects.observed_project(before, self._web)
        claimed = split_claim(str(before.get("description") or ""))[1]
        if claimed is not None:  # a copy whose state was lost before it was complete
            before = self._patch_project(observed.id, finishing(before, claimed))
        if now.obstacle:
            raise Rejected(f"project {observed.id}: {now.obstacle}")
        demand_marked(observed, now)
        moved = projects.moved(observed, now, body)
        if moved:
            raise Stale(f"project {observed.id}: people changed {', '.join(moved)} just now")
        row = self._patch_project(observed.id, body)
        self._put_back("projects", before, body)
        return Written(projects.observed_project(row, self._web))

    def _put_back(self, path: str, before: Row, body: Mapping[str, JSON]) -> None:
        """Puts back what people wrote between the last look and the write; it is merged then.

        :raises Stale: there was such an edit.
        """
        lost = lost_edits(self._client, path, before, body, self._account_id)
        if lost:
            self._client.patch(f"{path}/{before['id']}", lost)
            what = f"{path.rstrip('s')} {before['id']}"
            raise Stale(
                f"{what}: people changed {', '.join(sorted(lost))} at the same moment; their edit "
                "was restored"
            )

    def _project(self, root_id: str) -> Row:
        row: Row = self._client.get(f"projects/{root_id}").data
        return row

    def _patch_project(self, root_id: str, body: Mapping[str, JSON]) -> Row:
        try:
            row: Row = self._client.patch(f"projects/{root_id}", body).data
        except Refusal as error:
            raise self._explain(error, root_id) from error
        return row

    def _explain(self, error: Refusal, root_id: str) -> SyncError:
        """Tells why a write was refused: archived, forbidden, vanished are all 403 to Taiga."""
        if error.status not in (403, 451):
            return error
        root = self.observe_root(root_id)
        if root is None:
            return Vanished(f"project {root_id} no longer exists")
        return Rejected(f"project {root_id}: {root.obstacle}") if root.obstacle else error

    # --- writing children

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes anything that lives in a project."""
        self._context.board_memory.about_to_write(place.root_id, desired.key.kind)
        try:
            return self._kind(desired.key.kind).create(desired, place, self._context)
        except Refusal as error:
            raise self._explain(error, place.root_id) from error

    def update(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        fields: Mapping[str, Value],
        place: Place,
    ) -> Written:
        """Changes a project or a child by what changes, and nothing else."""
        root = observed.id if observed.kind == Kind.PROJECT else place.root_id
        self._context.board_memory.about_to_write(root, observed.kind)
        if observed.kind == Kind.PROJECT:
            return self._update_root(observed, changes, fields)
        kind = self._kind(observed.kind)
        # A page's parts share one place: all of them are written, as they should be.
        whole = replace(observed, fields={**observed.fields, **fields})
        shares = observed.kind == Kind.WIKI or Story.SUMMARY in fields
        seen = whole if shares else observed
        values = self._write_values(observed, changes, place)
        body = kind.modification(seen, changes, place, self._context)
        if not body:
            return Written(replace(observed, fields={**observed.fields, **values}))
        before = {} if "version" in body else self._refuse_moved(kind, observed, changes)
        try:
            answer = self._client.patch(f"{kind.path}/{observed.id}", body)
        except Refusal as error:
            raise self._explain_child(error, observed.kind, observed.id, place) from error
        self._put_back(kind.path, before, body)
        written = kind.observe(answer.data, self._context)
        return Written(replace(written, fields={**written.fields, **values}))

    def _write_values(
        self, observed: Observed, changes: Mapping[str, Value], place: Place
    ) -> Mapping[str, Value]:
        """Writes the custom values among the changes of a card, and returns them."""
        values = card_values(changes)
        if observed.kind != Kind.STORY or not values or self._context.cards is None:
            return {}
        self._context.cards.write(place.root_id, observed.id, values, observed.fields)
        return values

    def _refuse_moved(
        self, kind: ChildKind, observed: Observed, changes: Mapping[str, Value]
    ) -> Row:
        """Looks once more at a child that has no version, right before it is changed.

        It was read when the run began: what people did to it since must not be written over.
        Returns it as it is.
        """
        row: Row = self._client.get(f"{kind.path}/{observed.id}").data
        now = kind.observe(row, self._context).fields
        moved = sorted(n for n in changes if n in now and now[n] != observed.fields.get(n))
        if moved:
            name = f"{observed.kind} {observed.id}"
            raise Stale(f"{name}: people changed {', '.join(moved)} just now")
        return row

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a project or a child. One that is not there is fine."""
        self._context.board_memory.about_to_write(place.root_id, kind)
        path = "projects" if kind == Kind.PROJECT else self._kind(kind).path
        goes = self._role_to_remove(target_id, place) if kind == Kind.ROLE else target_id
        try:
            if kind == Kind.WIKI:
                unlink_page(target_id, place, self._context)
            self._client.delete(f"{path}/{goes}")
        except Refusal as error:
            if self._is_there(f"{path}/{target_id}"):
                raise self._explain(error, place.root_id) from error
        except Vanished:
            return

    def _role_to_remove(self, role_id: str, place: Place) -> str:
        """Returns how a role is addressed that no one held just now.

        Should someone have been given it since, they get another role and stay in the project.

        :raises Rejected: someone may hold it, or it is the only one.
        """
        other = other_role(role_id, place, self._context)
        if role_id not in self._free_roles or other is None:
            raise Rejected(_ROLES_NEVER)
        return f"{role_id}?moveTo={other}"

    def _explain_child(self, error: Refusal, kind: str, target_id: str, place: Place) -> SyncError:
        """As `_explain`, for a child: in a project that is well, a 403 means that it is gone."""
        explained = self._explain(error, place.root_id)
        if explained is error and error.status == 403:
            return gone(kind, target_id)
        return explained

    def _is_there(self, path: str) -> bool:
        try:
            self._client.get(path)
        except Vanished:
            return False
        return True

    def _kind(self, kind: str) -> ChildKind:
        if kind not in KINDS:
            raise Rejected(f"Taiga cannot hold a {kind} here; leave it out of the mapping")
        return KINDS[kind]
