"""Redmine as a target of the engine: `sync.target.Target` in terms of Redmine's API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Final
from urllib.parse import quote

from sync.clock import Clock
from sync.errors import Malformed, Rejected, Stale, SyncError, Unreachable, Vanished
from sync.records.model import RETIRED, STATE, Desired, Marker, Observed, Value
from sync.run.server_identity import Identity
from sync.target import Foreseen, Place, Written
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.rotation import CannotRotate, Rotation
from taiga_pipeline.language import text as _
from taiga_pipeline.records import Kind, Story
from taiga_pipeline.targets.marked import demand_marked, demand_unmoved, differs
from taiga_pipeline.targets.marks import mark_prefix
from taiga_pipeline.targets.redmine import projects, refusals
from taiga_pipeline.targets.redmine.children import (
    KINDS,
    ChildKind,
    RedmineClientContext,
    demand_no_work,
    is_as_made,
    overwritten,
    read_one,
    renamed_references,
)
from taiga_pipeline.targets.redmine.client import WRONG_ADDRESS, Client, Refusal
from taiga_pipeline.targets.redmine.custom_fields import ADVICE, DEAL_KEY, CustomFields, value_of
from taiga_pipeline.targets.redmine.fitting import fit
from taiga_pipeline.targets.redmine.identity import encode_identifier
from taiga_pipeline.targets.redmine.leases import RedmineLeases
from taiga_pipeline.targets.redmine.paging import PAGE_SIZE, Row, read_all, read_rows
from taiga_pipeline.targets.redmine.people import NOT_ADMIN, Directory, foresee
from taiga_pipeline.targets.redmine.planned import hand_over, holds_only_own, is_unused
from taiga_pipeline.targets.redmine.reading import STILL, ChildReader, issues_moved
from taiga_pipeline.targets.redmine.shapes import row_trouble
from taiga_pipeline.targets.redmine.trackers import Tracking, switched_off

_LOG: Final = logging.getLogger(__name__)
_VISIBLE: Final = "1|5"
"""Active and closed projects; Redmine lists the active ones alone unless it is asked."""
_SHOWN: Final = frozenset(int(status) for status in _VISIBLE.split("|"))
_ATTEMPTS: Final = 20
_ROLES_NEVER: Final = "roles are never removed: they are the same in all of Redmine's projects"


class RedmineTarget:
    """One account's projects in one Redmine. Safe to use from several threads."""

    name = "Redmine"

    def __init__(self, client: Client, connection: Connection, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._pipeline = connection.pipeline
        self._concurrency = connection.concurrency
        self._web = (connection.web_url or client.server).rstrip("/")
        self._custom = CustomFields(client)
        self._labels = connection.labels
        self._assigns_stories = connection.assigns_stories
        self.leases = RedmineLeases(
            client, connection.pipeline, lambda: str(self._account["login"]), self._only_one
        )

    def guard(self, check: Callable[[], None]) -> None:
        """Calls ``check`` right before each request that writes."""
        self._client.guarded_by(check)

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._client.request_count

    def connect(self) -> str:
        """Finds out who this is, returns the account's name."""
        return str(self._account["login"])

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns the members and roles that this Redmine does not know: it makes none. Fields of
        issues that are switched off there are left out by it without a word."""
        return [
            *foresee(records, self._context.people),
            *switched_off(records, lambda: read_all(self._client, "trackers", {})),
        ]

    def mails(self, desired: Desired) -> str:
        """Returns whom Redmine mails: whom an issue is given to."""
        is_given = Story.ASSIGNED in desired.refers
        return str(desired.fields.get(Story.ASSIGNED) or "") if is_given else ""

    def advice(self) -> Sequence[str]:
        """Returns what would make more of this Redmine usable; none of it is needed."""
        advice = [] if self._account.get("admin") else [f"members: {NOT_ADMIN}"]
        if self._custom.project(DEAL_KEY) is None:
            advice.append(ADVICE)
        return advice

    def identity(self) -> Identity:
        """Returns who this is. Redmine gives nothing at random: it is known by when the account
        was made, to the second."""
        account = self._account
        made = str(account.get("created_on") or "")
        proof = f"{account['id']}|{made}" if made else ""
        return Identity(proof, self._client.server, str(account["login"]), str(account["id"]))

    def rotation(self) -> Rotation:
        """Refuses: another secret takes a person.

        :raises CannotRotate: always; says where.
        """
        raise CannotRotate(
            _(
                "Redmine lets no program make another key: on the account's own page only (My "
                "account, API access key, Reset; the present one ends at once). Put that where "
                "[target] leads. Nothing was changed"
            )
        )

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._client.close()

    @cached_property
    def _account(self) -> Row:
        try:
            account: Row = self._client.get("users/current.json").data["user"]
        except Malformed as error:
            raise Unreachable(f"{error}; {WRONG_ADDRESS}") from error
        except Vanished as error:
            raise Unreachable(f"{error}; {refusals.NO_ACCOUNT}") from error
        return account

    @cached_property
    def _context(self) -> RedmineClientContext:
        return RedmineClientContext(
            client=self._client,
            pipeline=self._pipeline,
            account_id=int(self._account["id"]),
            people=Directory(self._client, self._account),
            custom=self._custom,
            tracking=Tracking(self._client),
            assigns_stories=self._assigns_stories,
        )

    # --- pure

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` with each value as Redmine will be able to hold it."""
        return fit(desired)

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields, a project's name and description distinguished."""
        if observed.kind != Kind.PROJECT:
            return observed.fields
        return projects.split_project(observed.fields, hints, self._labels)

    # --- reading

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every project that is not archived, by one request per 100, and one for issues.

        :raises IncompleteRead: the list did not come whole; raised after what did come.
        """
        moved = issues_moved(self._client, self._clock.now())
        for row in read_rows(self._client, "projects", {"status": _VISIBLE}):
            if trouble := row_trouble("projects", row):
                yield projects.misshapen(row, trouble)
            elif row["status"] in _SHOWN:
                self._custom.learn(row)
                yield projects.observed_project(row, self._web, moved.get(str(row["id"]), STILL))

    def _rows(self, params: Mapping[str, str]) -> Iterator[Row]:
        return read_all(
            self._client, "projects", params, belongs=lambda row: row["status"] in _SHOWN
        )

    def observe_own(self, root_ids: Collection[str]) -> Iterator[Observed]:
        """Yields the pipeline's own projects, found by the field "Deal key", and others of
        ``root_ids`` by their numbers. Without such a field, or where the server does not filter by
        it, every project is read: copies of marked projects have to be seen.

        :raises IncompleteRead: a list did not come whole.
        """
        try:
            rows = self._own_rows()
            missing = sorted(set(root_ids) - (rows or {}).keys(), key=int)
            if rows is not None:
                rows |= self._rows_of(missing)
        except Malformed as error:
            _LOG.info("every project is read, because of an answer about one: %s", error)
            rows = None
        if rows is None:
            yield from self.observe_roots()
            return
        field = self._custom.project(DEAL_KEY)
        only = None
        if field is not None and not missing:
            only = {f"project.cf_{field.id}": f"^{mark_prefix(self._pipeline)}"}
        moved = issues_moved(self._client, self._clock.now(), only=only)
        for number, row in rows.items():
            self._custom.learn(row)
            yield projects.observed_project(row, self._web, moved.get(number, STILL))

    def _rows_of(self, numbers: Sequence[str]) -> dict[str, Row]:
        """Returns projects by their numbers, as far as they are there."""
        found = {}
        for at in range(0, len(numbers), PAGE_SIZE):
            some = numbers[at : at + PAGE_SIZE]
            asked = {"status": _VISIBLE, "id": "|".join(some)}
            found.update({str(r["id"]): r for r in self._rows(asked) if str(r["id"]) in some})
        return found

    def _own_rows(self) -> dict[str, Row] | None:
        """Returns the projects whose field holds a mark of this pipeline, by their numbers; None if
        the server cannot be asked for them.

        A filter that Redmine does not know brings everything: one stranger shows that.
        """
        field = self._custom.project(DEAL_KEY)
        if field is None or not field.is_filter:
            return None
        prefix = mark_prefix(self._pipeline)
        found = {}
        for row in self._rows({"status": _VISIBLE, f"cf_{field.id}": f"^{prefix}"}):
            if not value_of(row, DEAL_KEY).casefold().startswith(prefix.casefold()):
                return None
            found[str(row["id"])] = row
        return found

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one project, None if it is not there, archived, or not for this account."""
        try:
            row = self._project(root_id)
            number = str(row["id"])  # people name a project by its identifier, too
            moved = issues_moved(self._client, self._clock.now(), number)
        except Vanished:
            return None
        return projects.observed_project(row, self._web, moved.get(number, STILL))

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each project; see `reading.ChildReader.read`."""
        return ChildReader(self._context, self._concurrency).read(root_ids)

    def why_unread(self, root_id: str) -> str:
        """Tells whether the module is off to which versions and issues belong, or a right lacks."""
        return refusals.why_unread(root_id, self._client)

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the projects that carry ``marker``."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def untouched(self, root_id: str) -> bool:
        """Tells nothing: who changed a project is not in Redmine's API, so that it counts as
        touched, and is closed rather than deleted."""
        return False

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Tells whether an issue or a version is as this account left it, and nothing hangs on it;
        of other kinds nothing tells."""
        try:
            if child.kind == Kind.MILESTONE:
                return is_unused(child.id, place.root_id, self._context)
            return child.kind == Kind.STORY and is_as_made(child.id, self._context)
        except Vanished:
            return False

    def holds_only_own(self, child: Observed, place: Place) -> bool:
        """Tells whether a version is bare, and every issue in it has this pipeline's reference."""
        is_version = child.kind == Kind.MILESTONE
        return is_version and holds_only_own(child.id, place.root_id, self._context)

    def hand_over(self, child: Observed, other: Observed, place: Place) -> None:
        """Plans the pipeline's issues of a version for another one."""
        hand_over(child.id, other.id, place.root_id, self._context)

    # --- making projects

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project, or returns the one that is there under the marker's identifier."""
        identifier, present = self._place(marker)
        if present is not None:
            oldest = self._oldest(present)
            return Written(self._show(self._project(oldest) if oldest else present))
        body = projects.creation(desired.fields, marker, identifier, self._custom)
        row = self._only_one(self._post(body))
        self._custom.learn(row)
        rest = projects.completion(row, desired.fields, marker, self._custom)
        return Written(self._show(self._complete(row, rest) if rest else row))

    def _place(self, marker: Marker) -> tuple[str, Row | None]:
        """Returns the identifier for a new project, and the project if it is there already.

        Redmine would take the same identifier twice from two requests at once, and no filter finds
        one: it is looked up right before.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            identifier = encode_identifier(marker, attempt)
            try:
                row: Row = self._client.get(f"projects/{identifier}.json").data["project"]
            except Vanished:
                return identifier, None
            if marker in self._show(row).markers:
                return identifier, row
        raise Rejected(f"{marker.key}: {_ATTEMPTS} projects were made for this deal and released")

    def _post(self, body: projects.Body) -> Row:
        """Makes a project; custom fields that do not take their values are left out."""
        try:
            return self._made(body)
        except Refusal as error:
            if error.status != 422:
                raise refusals.of_creation(error) from error
            plain = self._without_refused(body, error)
            if plain is None:
                raise refusals.of_values(error, body["identifier"], self._custom) from error
            try:
                row = self._made(plain)
            except Refusal as again:
                raise refusals.of_values(again, body["identifier"], self._custom) from again
            _LOG.warning("project %s was made without some custom fields: %s", row["id"], error)
            return row

    def _without_refused(self, body: projects.Body, error: Refusal) -> projects.Body | None:
        """Returns a body without the custom fields that were refused; None if there are none."""
        values = body.get("custom_fields")
        accepted = self._custom.accepted(values, error.errors) if values else None
        if accepted is None:
            return None
        rest = {name: value for name, value in body.items() if name != "custom_fields"}
        return {**rest, "custom_fields": accepted} if accepted else rest

    def _made(self, body: projects.Body) -> Row:
        row: Row = self._client.post("projects.json", {"project": body}).data["project"]
        return row

    def _only_one(self, made: Row) -> Row:
        """Makes sure that there is one project of this identifier; the oldest one stays.

        On PostgreSQL, Redmine itself lets two requests at the same moment both succeed.
        """
        oldest = self._oldest(made)
        if oldest is None:
            return made
        _LOG.warning("project %s was made twice at once; %s stays", made["identifier"], oldest)
        self._client.delete(f"projects/{made['id']}.json")
        return self._project(oldest)

    def _oldest(self, row: Row) -> str | None:
        """Returns the id of an older project of the same identifier and name, or None.

        The younger one is about to be deleted by whoever made it: nobody may bind it.
        """
        rows = self._rows({"status": _VISIBLE, "name": str(row["name"])})
        same = (int(r["id"]) for r in rows if r["identifier"] == row["identifier"])
        oldest = min(same, default=int(row["id"]))
        return str(oldest) if oldest < int(row["id"]) else None

    def _complete(self, row: Row, body: projects.Body) -> Row:
        """Fills custom fields; without them, the project is as good."""
        try:
            self._client.put(f"projects/{row['id']}.json", {"project": body})
            return self._project(str(row["id"]))
        except SyncError as error:
            _LOG.warning("project %s lacks custom fields: %s", row["id"], error)
            rest = self._without_refused(body, error) if isinstance(error, Refusal) else None
            return self._complete(row, rest) if rest else row

    # --- changing projects

    def mark(self, root_id: str, marker: Marker) -> None:
        """Writes ``marker`` on a project."""
        self._set_marker(root_id, marker, present=True)

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes ``marker`` off a project; where its identifier spells it, says that it is void."""
        try:
            self._set_marker(root_id, marker, present=False)
        except Vanished:
            return

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Exchanges the mark of a project, and the deal in the references of its issues."""
        self.mark(root_id, marker)
        self.unmark(root_id, former)
        renamed = renamed_references(root_id, former.key, marker.key, self._context)
        if renamed:
            with self._open(root_id):
                for issue_id, body in renamed:
                    self._client.put(f"issues/{issue_id}.json", {"issue": body})

    @contextmanager
    def _open(self, root_id: str) -> Iterator[None]:
        """Keeps a project open for as long as the block runs: a closed one takes no changes."""
        is_closed = self._project(root_id).get("status") == projects.CLOSED
        path = f"projects/{root_id}"
        if is_closed:
            self._put(f"{path}/reopen.json", {})
        try:
            yield
        finally:
            if is_closed:
                self._put(f"{path}/close.json", {})

    def _set_marker(self, root_id: str, marker: Marker, *, present: bool) -> None:
        row = self._project(root_id)
        self._custom.learn(row)
        body = projects.marking(row, marker, self._custom, present=present)
        if body:
            is_closed = row.get("status") == projects.CLOSED
            self._write(row, body, reopen=is_closed, close=is_closed)

    def _update_root(
        self, observed: Observed, changes: Mapping[str, Value], fields: Mapping[str, Value]
    ) -> Written:
        """Changes a project that still looks as it was observed.

        A closed project takes no changes: it is reopened first, and closed last.
        """
        self._custom.project(DEAL_KEY)  # asked for now: nothing comes between read and write
        row = self._project(observed.id)
        now = self._show(row)
        if now.obstacle:
            raise Rejected(f"project {observed.id}: {now.obstacle}")
        demand_marked(observed, now)
        self._custom.learn(row)
        body = projects.modification(row, changes, fields, self._custom)
        moved = projects.moved(observed, now, body)
        if moved:
            raise Stale(f"project {observed.id}: people changed {', '.join(moved)} just now")
        is_closed = row.get("status") == projects.CLOSED
        retire = changes[STATE] == RETIRED if STATE in changes else is_closed
        self._write(
            row,
            body,
            reopen=is_closed and (bool(body) or not retire),
            close=retire and (bool(body) or not is_closed),
        )
        return Written(self._show(self._project(observed.id)))

    def _write(self, row: Row, body: projects.Body, *, reopen: bool, close: bool) -> None:
        """Writes, and reads back: Redmine says 204 to what it leaves out."""
        path = f"projects/{row['id']}"
        if reopen:
            self._put(f"{path}/reopen.json", {})
        if body:
            self._put_fields(row, body)
        if close:
            self._put(f"{path}/close.json", {})

    def _put_fields(self, row: Row, body: projects.Body) -> None:
        path = f"projects/{row['id']}.json"
        try:
            self._put(path, {"project": body})
        except Refusal as error:
            rest = self._without_refused(body, error) if error.status == 422 else None
            if rest is None and error.status == 422 and "custom_fields" in body:
                rest = {name: value for name, value in body.items() if name != "custom_fields"}
            if rest is None:
                raise
            _LOG.warning("project %s keeps custom fields as they were: %s", row["id"], error)
            body = rest
            if rest:
                self._put(path, {"project": rest})
        left_out = projects.ignored(row, self._project(str(row["id"])), body)
        if left_out:
            raise Rejected(
                f"project {row['id']}: Redmine confirmed the change and left out "
                f"{', '.join(left_out)}; the account's role needs 'Edit project' there"
            )

    def _put(self, path: str, body: projects.Body) -> None:
        try:
            self._client.put(path, body)
        except Refusal as error:
            raise refusals.of_project(error, path, self._project) from error

    def _project(self, root_id: str) -> Row:
        row: Row = self._client.get(f"projects/{quote(root_id, safe='')}.json").data["project"]
        return row

    def _show(self, row: Row) -> Observed:
        return projects.observed_project(row, self._web)

    # --- children

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a member, a version or an issue; finds a role."""
        try:
            return self._kind(desired.key.kind).create(desired, place, self._context)
        except Refusal as error:
            root = self.observe_root(place.root_id)
            raise refusals.of_child(error, place.root_id, root) from error

    def update(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        fields: Mapping[str, Value],
        place: Place,
    ) -> Written:
        """Changes a project or a child by what differs, and nothing else."""
        if observed.kind == Kind.PROJECT:
            return self._update_root(observed, changes, fields)
        kind = self._kind(observed.kind)
        if kind.kind == Kind.ROLE:
            return Written(observed)
        row = read_one(kind, observed.id, self._context)
        now = kind.observe(row, self._context)
        demand_unmoved(observed, now, changes)
        differing = {name: value for name, value in changes.items() if differs(now, name, value)}
        body = kind.modification(row, differing, self._context)
        if not body:
            return Written(now)
        try:
            self._client.put(f"{kind.path}/{observed.id}.json", {kind.single: body})
        except Refusal as error:
            root = self.observe_root(place.root_id)
            raise refusals.of_child(error, place.root_id, root) from error
        written = read_one(kind, observed.id, self._context)
        self._put_back(kind, row, written, body)
        after = kind.observe(written, self._context)
        _demand_written(now, after, differing)
        return Written(after)

    def _put_back(self, kind: ChildKind, before: Row, after: Row, body: projects.Body) -> None:
        """Puts back what people wrote in the very moment of a write; it is merged then.

        :raises Stale: there was such an edit.
        """
        lost = overwritten(before, after, body, int(self._account["id"]))
        if lost:
            self._client.put(f"{kind.path}/{after['id']}.json", {kind.single: lost})
            raise Stale(
                f"{kind.kind} {after['id']}: people changed {', '.join(lost)} at the same moment; "
                "their edit was restored"
            )

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a project or a child. One that is not there is fine."""
        if kind == Kind.ROLE:
            raise Rejected(_ROLES_NEVER)
        path = "projects" if kind == Kind.PROJECT else self._kind(kind).path
        try:
            if kind == Kind.STORY:
                demand_no_work(target_id, self._context)
            self._client.delete(f"{path}/{target_id}.json")
        except Vanished:
            return
        except Refusal as error:
            root = self.observe_root(place.root_id)
            raise refusals.of_child(error, place.root_id, root) from error

    def _kind(self, kind: str) -> ChildKind:
        if kind not in KINDS:
            raise Rejected(f"Redmine cannot hold a {kind} here; leave it out of the mapping")
        return KINDS[kind]


def _demand_written(before: Observed, after: Observed, changes: Mapping[str, Value]) -> None:
    """Finds out what Redmine left as it was although it answered with success."""
    left_out = [
        name
        for name in changes
        if name in after.fields and not differs(after, name, before.fields[name])
    ]
    if left_out:
        raise Rejected(
            f"{after.kind} {after.id}: Redmine confirmed the change and left out "
            f"{', '.join(left_out)}; does the account's role allow it?"
        )
