"""Odoo as a target of the engine: `sync.target.Target` in terms of Odoo's API."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from sync.clock import Clock
from sync.errors import IncompleteRead, Rejected, Stale, Unauthorised, Vanished
from sync.records.model import Desired, Marker, Observed, Value
from sync.run.server_identity import Identity
from sync.target import Capabilities, Foreseen, Place, Written
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.rotation import Rotation
from taiga_pipeline.odoo.client import OdooClient, Refusal
from taiga_pipeline.odoo.lists import Row, id_of
from taiga_pipeline.odoo.rotation import rotation_of
from taiga_pipeline.records import Kind, Project, Status
from taiga_pipeline.targets.before_writing import after_making, before_writing
from taiga_pipeline.targets.composite_fields import split_composite
from taiga_pipeline.targets.marked import demand_marked, demand_unmoved, differs
from taiga_pipeline.targets.odoo import children, copies, languages, projects, rights, tasks
from taiga_pipeline.targets.odoo.capabilities import CAPABILITIES, held_by
from taiga_pipeline.targets.odoo.context import QUIET, TASK, Context
from taiga_pipeline.targets.odoo.fitting import fit
from taiga_pipeline.targets.odoo.identity import project_name
from taiga_pipeline.targets.odoo.leases import OdooLeases
from taiga_pipeline.targets.odoo.people import Directory, foresee
from taiga_pipeline.targets.odoo.projects import MODEL, Seen
from taiga_pipeline.targets.odoo.reading import (
    all_projects,
    external_names,
    project_rows,
    read_children,
    seen,
)

_KEYS: Final = "res.users.apikeys"
_ATTEMPTS: Final = 20
_READINGS: Final = 3
_NO_LEASES: Final = (
    "lease: the account may not write Odoo's system parameters (Administration: Settings), so that "
    "two machines are not kept apart by Odoo; a state on a shared PostgreSQL does that instead"
)


class OdooTarget:
    """One account's projects in one Odoo. Safe to use from several threads."""

    name = "Odoo"
    leases: OdooLeases
    """There once it is known that the account may keep turns."""

    def __init__(self, client: OdooClient, connection: Connection, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._pipeline = connection.pipeline
        self._labels = connection.labels
        self._username = connection.username
        self._has_key = connection.token is not None
        self._web_url = connection.web_url
        self._context = Context(client, connection.pipeline, Directory(client))
        self._known: Capabilities | None = None
        self._proof = ""

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._client.request_count

    @property
    def capabilities(self) -> Capabilities:
        """What this Odoo can hold; before `connect`, the most that one can."""
        return self._known or CAPABILITIES

    def connect(self) -> str:
        """Logs in, and finds out what this Odoo has; returns the account's name."""
        with _demanding_the_app():
            recent = self._context.is_recent
        board = OdooLeases(self._client)
        found = board.database()
        if found is not None:
            self.leases = board
        else:
            rights.demand(self._client, self._account)
        self._proof = found or rights.made_at(self._client)
        self._known = held_by(
            milestones=self._context.has_milestones,
            project_tags=recent,
            leases=found is not None,
            hours=self._context.has_hours,
        )
        return self._account

    @property
    def _web(self) -> str:
        """The address at which people open Odoo."""
        return (self._web_url or self._client.server).rstrip("/")

    @property
    def _account(self) -> str:
        return self._username or f"user {self._client.uid}"

    def guard(self, check: Callable[[], None]) -> None:
        """Calls ``check`` right before each request that writes."""
        self._client.guarded_by(check)

    def identity(self) -> Identity:
        """Returns who this is. A database has a random name, which administrators may see; others
        are known by when their account was made, to the second."""
        place = f"{self._client.server}/{self._client.database}"
        return Identity(self._proof, place, self._account, str(self._client.uid))

    def advice(self) -> Sequence[str]:
        """Returns what would make more of this Odoo usable; none of it is needed."""
        of_turns = [] if self.capabilities.leases else [_NO_LEASES]
        of_names = languages.advice(self._client) if self._context.is_recent else []
        return [*of_turns, *of_names]

    def expires_on(self) -> date | None:
        """Returns the last day of the account's API key, None if it does not end.

        Odoo does not tell which of several keys logs in: it is that of the one that ends first.
        """
        if not self._has_key or not self._client.is_json2:
            return None
        try:
            rows = self._client.read(
                _KEYS,
                "search_read",
                domain=[["user_id", "=", self._client.uid], ["expiration_date", "!=", False]],
                fields=["expiration_date"],
            )
            days = [date.fromisoformat(str(row["expiration_date"])[:10]) for row in rows]
        except (Rejected, ValueError):
            return None
        return min(days, default=None)

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns the members whom this Odoo does not know: it invites nobody."""
        return [*self._no_templates(records), *foresee(records, self._context.people)]

    def _no_templates(self, records: Sequence[Desired]) -> Iterator[Foreseen]:
        """Yields the projects that are to be copies of what cannot be copied."""
        for record in records:
            named = str(record.fields.get(Project.COPIED_FROM) or "")
            try:
                if named and record.key.kind == Kind.PROJECT:
                    copies.source(named, self._context)
            except Rejected as error:
                yield Foreseen(record, str(error))

    def rotation(self) -> Rotation:
        """Returns how the account can get another secret."""
        return rotation_of(self._client)

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._client.close()

    # --- pure

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` with each value as Odoo will be able to hold it."""
        return fit(desired, self.capabilities.lacks)

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields, a project's name and description distinguished."""
        if observed.kind != Kind.PROJECT:
            return observed.fields
        return split_composite(observed.fields, hints, labels=self._labels)

    # --- reading

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every project, archived ones too: by one request per 2,000, one per 2,000
        external ids, and one for tasks that moved.

        :raises IncompleteRead: the list did not come whole.
        """
        for _ in range(_READINGS):
            with _demanding_the_app():
                rows = [row for page in all_projects(self._context) for row in page]
            names = external_names(self._context)
            hidden = names.keys() - {row["id"] for row in rows}
            if not hidden or not (unlisted := project_rows(self._context, hidden)):
                break
        else:  # not only one that another pipeline makes meanwhile
            raise IncompleteRead(f"{MODEL}: {len(unlisted)} projects of ours were not in the list")
        for each in seen(rows, self._context, self._clock.now(), names):
            yield projects.observed(each, self._web)

    def observe_own(self, root_ids: Collection[str]) -> Iterator[Observed]:
        """Yields the projects with an external id of ours, those whose description names this
        pipeline on the connector's line, and others of ``root_ids``."""
        names = external_names(self._context)
        wanted = names.keys() | {int(root) for root in root_ids if root.isdecimal()}
        with _demanding_the_app():
            rows = project_rows(self._context, wanted, or_named=self._pipeline)
        for each in seen(rows, self._context, self._clock.now(), names):
            yield projects.observed(each, self._web)

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one project, None if it is not there, or not for this account."""
        try:
            return projects.observed(self._one(root_id), self._web)
        except Vanished:
            return None

    def _one(self, root_id: str) -> Seen:
        """Returns one project as it is now.

        :raises Vanished: it is not there.
        """
        number = int(root_id) if root_id.isdecimal() else 0
        rows = project_rows(self._context, [number]) if number else []
        if not rows:
            raise Vanished(f"project {root_id} no longer exists")
        names = external_names(self._context, [number])
        return seen(rows, self._context, self._clock.now(), names, only=[number])[0]

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each project."""
        return read_children(root_ids, self._context)

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the projects that carry ``marker``."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def untouched(self, root_id: str) -> bool:
        """Tells whether only this account wrote to a project and its tasks, and nothing else
        hangs on them."""
        try:
            row = self._one(root_id).row
        except Vanished:
            return False
        owner = self._client.uid
        found = list(tasks.rows_of([int(root_id)], self._context))
        writers = {id_of(row["write_uid"]), id_of(row["create_uid"])}
        writers |= {id_of(each[at]) for each in found for at in ("create_uid", "write_uid")}
        hanging = any(tasks.hangs_on(each["id"], self._context) for each in found)
        return (
            writers == {owner}
            and not hanging
            and not tasks.is_talked_about(MODEL, int(root_id), self._context)
        )

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Tells whether a task or milestone is as this account made it, and nothing hangs on it;
        of other kinds nothing tells."""
        try:
            if child.kind == Kind.MILESTONE:
                own = children.is_own(child.id, self._context)
                return own and not tasks.planned_for(child.id, self._context)
            return child.kind == Kind.STORY and tasks.is_as_made(child.id, self._context)
        except Vanished:
            return False

    def holds_only_own(self, child: Observed, place: Place) -> bool:
        """Tells whether this account alone wrote to a milestone, and every task in it has this
        pipeline's reference."""
        try:
            return (
                child.kind == Kind.MILESTONE
                and children.is_own(child.id, self._context)
                and all(task.marked for task in tasks.planned_for(child.id, self._context))
            )
        except Vanished:
            return False

    def hand_over(self, child: Observed, other: Observed, place: Place) -> None:
        """Plans the pipeline's tasks of a milestone for another one."""
        tasks.hand_over(child.id, other.id, self._context)

    # --- making projects

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project with its external id in one transaction, or returns the one that is
        there. A second ``load`` would write over what people changed: it is looked for before."""
        if desired.fields.get(Project.COPIED_FROM):
            return Written(self._copied(desired, marker))
        names = [project_name(marker, attempt) for attempt in range(1, _ATTEMPTS + 1)]
        present = self._context.external(MODEL, *names)
        for name in names:
            if name not in present:
                return Written(self._made(name, desired, marker))
            found = self.observe_root(str(present[name]))
            if found is None or marker in found.markers:
                return Written(found or self._made(name, desired, marker))
        raise Rejected(f"{marker.key}: {_ATTEMPTS} projects were made for this deal and released")

    def _copied(self, desired: Desired, marker: Marker) -> Observed:
        """Makes a project out of another one, or returns the one that is there; see `copies`."""
        present = [root for root in self.observe_own([]) if marker in root.markers]
        if present:
            return present[0]
        values: projects.Values = {**projects.creation(desired.fields)}
        values.pop("user_id/.id")
        wanted = desired.fields.get(Project.TAGS)
        if self._context.is_recent and isinstance(wanted, frozenset):
            values["tag_ids"] = [[4, number] for number in self._context.tag_ids(wanted)]
        with before_writing():
            template, own = copies.prepared(desired, marker, values, self._context)
        number = copies.make(template, own, self._context)
        with after_making("project", str(number)):
            copies.move_dates(number, desired, self._context)
            return projects.observed(self._one(str(number)), self._web)

    def complete_root(self, desired: Desired, observed: Observed, marker: Marker) -> None:
        """Goes on where the copying of a project was cut off."""
        if desired.fields.get(Project.COPIED_FROM):
            copies.move_dates(int(observed.id), desired, self._context)

    def _made(self, name: str, desired: Desired, marker: Marker) -> Observed:
        cells = projects.creation(desired.fields)
        wanted = desired.fields.get(Project.TAGS)
        if self._context.is_recent and isinstance(wanted, frozenset) and wanted:
            cells["tag_ids/.id"] = ",".join(map(str, self._context.tag_ids(wanted)))
        number = self._context.load(MODEL, name, cells)
        if not number:  # another one was faster
            number = self._context.external(MODEL, name)[name]
        return projects.observed(self._one(str(number)), self._web)

    # --- changing projects

    def mark(self, root_id: str, marker: Marker) -> None:
        """Writes ``marker`` on a project."""
        self._mark(root_id, marker, present=True)

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes ``marker`` off a project; where its external id spells it, says that it is void."""
        try:
            self._mark(root_id, marker, present=False)
        except Vanished:
            return

    def _mark(self, root_id: str, marker: Marker, *, present: bool) -> None:
        now = self._one(root_id)
        self._write(now, projects.marking(now, marker, present=present))

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Exchanges the mark of a project, and the deal in the references of its tasks."""
        self.unmark(root_id, former)
        self.mark(root_id, marker)
        rows = list(tasks.rows_of([int(root_id)], self._context))
        for number, values in tasks.renamed(rows, former.key, marker.key, self._context):
            tasks.write(number, values, self._context)

    def _update_root(
        self, observed: Observed, changes: Mapping[str, Value], fields: Mapping[str, Value]
    ) -> Written:
        """Changes a project that still looks as it was observed."""
        before = self._one(observed.id)
        now = projects.observed(before, self._web)
        if now.obstacle:
            raise Rejected(f"project {observed.id}: {now.obstacle}")
        demand_marked(observed, now)
        values = projects.modification(before, changes, fields)
        moved = [
            *projects.moved(observed, now, values),
            *projects.moved_tags(observed, now, changes),
        ]
        if moved:
            raise Stale(f"project {observed.id}: people changed {', '.join(moved)} just now")
        tags = changes.get(Project.TAGS)
        if self._context.is_recent and isinstance(tags, frozenset) and tags != before.tags:
            values["tag_ids"] = [[6, 0, self._context.tag_ids(tags)]]
        self._write(before, values)
        return Written(projects.observed(self._one(observed.id), self._web))

    def _write(self, now: Seen, values: projects.Values) -> None:
        if not values:
            return
        number = now.row["id"]
        try:
            languages.write_in_english(MODEL, number, str(now.row["name"]), values, self._context)
            self._client.change(MODEL, "write", [number], vals=values, context=dict(QUIET))
        except Refusal as error:
            raise Rejected(f"{error}; {rights.NEEDED}") if error.status == 403 else error from error

    # --- children

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a member, a milestone, a task or a column, or returns the one that is there."""
        kind, context = desired.key.kind, self._context
        makers: Mapping[str, Callable[[Desired, Place, Context], Written]] = {
            Kind.STORY: tasks.create,
            Kind.MEMBERSHIP: children.join,
            Kind.STATUS: children.make_column,
            **({Kind.MILESTONE: children.make_milestone} if context.has_milestones else {}),
        }
        if kind not in makers:
            raise Rejected(f"Odoo cannot hold a {kind} here; leave it out of the mapping")
        self._demand_project(place)
        return makers[kind](desired, place, context)

    def _demand_project(self, place: Place) -> None:
        """Odoo finds no children of a project that is not there, and says nothing of it."""
        rows: Sequence[Row] = project_rows(self._context, [int(place.root_id)])
        if not rows:
            raise Vanished(f"project {place.root_id} no longer exists")

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
        if observed.kind == Kind.STORY:
            return self._update_task(observed, changes, place)
        if observed.kind in (Kind.MILESTONE, Kind.STATUS):
            return self._update_simple(observed, changes)
        return Written(observed)  # a member's address is the user's own

    def _update_task(
        self, observed: Observed, changes: Mapping[str, Value], place: Place
    ) -> Written:
        context = self._context
        row = tasks.read(observed.id, context)
        now = tasks.observe(row, context)
        demand_unmoved(observed, now, changes)
        differing = {name: value for name, value in changes.items() if differs(now, name, value)}
        values = tasks.modification(row, differing, place, context)
        if not values:
            return Written(now)
        tasks.write(row["id"], values, context)
        return Written(tasks.observe(tasks.read(observed.id, context), context))

    def _update_simple(self, observed: Observed, changes: Mapping[str, Value]) -> Written:
        is_column = observed.kind == Kind.STATUS
        model = children.COLUMN if is_column else children.MILESTONE
        now = self._simple(observed)
        demand_unmoved(observed, now, changes)
        differing = {name: value for name, value in changes.items() if differs(now, name, value)}
        valued = children.column_values if is_column else children.milestone_values
        values = valued(differing)
        if values:
            number, shown = int(observed.id), str(now.fields[Status.NAME])
            if is_column:
                languages.write_in_english(model, number, shown, values, self._context)
            self._client.change(model, "write", [number], vals=values)
        return Written(self._simple(observed) if values else now)

    def _simple(self, observed: Observed) -> Observed:
        """Returns a milestone or a column as it is now."""
        if observed.kind == Kind.STATUS:
            return children.column(children.read_column(observed.id, self._context))
        return children.milestone(children.read_milestone(observed.id, self._context))

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a project or a child. One that is not there is fine."""
        try:
            self._remove(kind, target_id)
        except Vanished:
            return

    def _remove(self, kind: str, target_id: str) -> None:
        if kind == Kind.MEMBERSHIP:
            children.leave(target_id, self._context)
        elif kind == Kind.PROJECT:
            self._remove_project(int(target_id))
        elif kind == Kind.STORY:
            tasks.read(target_id, self._context)
            tasks.demand_no_work(target_id, self._context)
            self._client.change(TASK, "unlink", [int(target_id)])
        elif kind == Kind.MILESTONE:
            children.read_milestone(target_id, self._context)
            self._client.change(children.MILESTONE, "unlink", [int(target_id)])
        else:
            children.read_column(target_id, self._context)
            self._client.change(children.COLUMN, "unlink", [int(target_id)])

    def _remove_project(self, number: int) -> None:
        """Deletes a project with its tasks: Odoo refuses to delete one that has any."""
        if not project_rows(self._context, [number]):
            return
        found = [row["id"] for row in tasks.rows_of([number], self._context)]
        if found:
            self._client.change(TASK, "unlink", found)
        self._client.change(MODEL, "unlink", [number])


@contextmanager
def _demanding_the_app() -> Iterator[None]:
    """Says what is missing where not even projects can be asked for.

    :raises Unauthorised: the account may not see them, or there are none in this Odoo.
    """
    try:
        yield
    except Vanished as error:
        raise Unauthorised(f"{error}; is the app Project installed?") from error
    except Refusal as error:
        raise Unauthorised(f"{error}; {rights.NEEDED}") from error
