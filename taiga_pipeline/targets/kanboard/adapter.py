"""Kanboard as a target of the engine: `sync.target.Target` in terms of Kanboard's API."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from sync.clock import Clock
from sync.errors import (
    Interrupted,
    Malformed,
    OutcomeUnknown,
    Rejected,
    Stale,
    Unauthorised,
    Unavailable,
    Unreachable,
    Vanished,
)
from sync.records.model import Desired, Marker, Observed, Value
from sync.run.server_identity import Identity
from sync.target import Foreseen, Place, Written
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.rotation import CannotRotate, Rotation
from taiga_pipeline.language import text as _
from taiga_pipeline.records import Kind, Membership, Story, is_portfolio
from taiga_pipeline.targets.composite_fields import NAME, split_composite
from taiga_pipeline.targets.kanboard import children, projects
from taiga_pipeline.targets.kanboard.client import APPLICATION, WRONG_ADDRESS, Call, Client, call
from taiga_pipeline.targets.kanboard.fitting import fit
from taiga_pipeline.targets.kanboard.home import Home, KanboardLeases
from taiga_pipeline.targets.kanboard.identity import encode_identifier
from taiga_pipeline.targets.kanboard.people import NOT_ADMIN, Directory, foresee
from taiga_pipeline.targets.kanboard.planned import hand_over, holds_only_own, is_unused
from taiga_pipeline.targets.kanboard.reading import ChildReader, moved_lately
from taiga_pipeline.targets.kanboard.shapes import Row, number, project_trouble
from taiga_pipeline.targets.kanboard.tasks import (
    MILESTONE,
    STORY,
    Context,
    Tasks,
    as_written,
    demand_no_work,
    explain_refused,
    is_as_written,
    read_for_writing,
    read_task,
    renamed_references,
    task_calls,
    zone_of,
)
from taiga_pipeline.targets.marked import demand_marked, demand_unmoved, differs

_LOG: Final = logging.getLogger(__name__)
_TASKS: Final[Mapping[str, Tasks]] = {Kind.STORY: STORY, Kind.MILESTONE: MILESTONE}
_ADMINISTRATOR: Final = "app-admin"
_HOURS_SINCE: Final = (1, 2, 14)
_NO_HOURS: Final = (
    "Kanboard {version} leaves out hours of tasks without a word; it takes them from version "
    "1.2.14 on"
)
_NEEDED: Final = (
    "the account needs the token of the application (Settings, API; without target.username), or "
    "has to be an administrator: only these see all projects"
)


class KanboardTarget:
    """One account's projects in one Kanboard. Safe to use from several threads."""

    name = "Kanboard"

    def __init__(self, client: Client, connection: Connection, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._pipeline = connection.pipeline
        self._assigns_stories = connection.assigns_stories
        self._concurrency = connection.concurrency
        self._web = (connection.web_url or client.server).rstrip("/")
        self._labels = connection.labels
        self._new_boards: set[str] = set()
        self._home = Home(client, connection.pipeline, client.account)
        self.leases = KanboardLeases(client, self._home)

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._client.request_count

    def connect(self) -> str:
        """Finds out who this is and whether they may see all projects; returns their name."""
        return str(self._account["username"])

    def foresee(self, records: Sequence[Desired]) -> Sequence[Foreseen]:
        """Returns the people whom this Kanboard does not know: it sends no invitations. One that is
        too old leaves out hours of tasks without a word."""
        found = [*foresee(records, self._context.people)]
        version = str(self._start["version"])
        if is_before(version, _HOURS_SINCE):
            message = _NO_HOURS.format(version=version)
            asked = (record for record in records if Story.HOURS in record.fields)
            found += [Foreseen(record, message, is_certain=False) for record in asked]
        return found

    def advice(self) -> Sequence[str]:
        """Returns what an administrator may change; none of it is needed."""
        is_person = self._client.account != APPLICATION
        return [f"account: {_PERSON}"] if is_person else []

    def identity(self) -> Identity:
        """Returns who this is. Kanboard tells nothing of itself that another one would not: the
        connector's own project there does, once there is one."""
        account = self._account
        name, number_ = str(account["username"]), str(account["id"])
        return Identity(self._home.proof, self._client.server, name, number_)

    def guard(self, check: Callable[[], None]) -> None:
        """Calls ``check`` right before each request that writes."""
        self._client.guarded_by(check)

    def rotation(self) -> Rotation:
        """Refuses: another secret takes a person.

        :raises CannotRotate: always; says where.
        """
        raise CannotRotate(
            _(
                "Kanboard lets no program make another token: on its pages only (Settings, API, "
                "or My profile, API; the present one ends at once). Put that where [target] leads. "
                "Nothing was changed"
            )
        )

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._client.close()

    @cached_property
    def _start(self) -> Mapping[str, Any]:
        """What is asked for first: the time zone, and who this is."""
        is_person = self._client.account != APPLICATION
        own = call("getMe") if is_person else self._home.finding()
        calls = [call("getVersion"), call("getTimezone"), own]
        try:
            version, zone, found = self._client.read_each(calls)
        except Malformed as error:
            raise Unreachable(f"{error}; {WRONG_ADDRESS}") from error
        account = found if is_person else {"id": 0, "username": APPLICATION}
        if is_person and account.get("role") != _ADMINISTRATOR:
            name = account["username"]
            raise Unauthorised(f"{name} is no administrator of this Kanboard; {_NEEDED}")
        if is_person:
            self._home.look()
        else:
            self._home.learn(found)
        self._home.number()  # refuses another account than the one that has made it
        return {"zone": zone_of(str(zone)), "account": account, "version": version}

    @property
    def _account(self) -> Row:
        account: Row = self._start["account"]
        return account

    @cached_property
    def _context(self) -> Context:
        return Context(
            client=self._client,
            pipeline=self._pipeline,
            account_id=number(self._account["id"]),
            people=Directory(self._client),
            zone=self._start["zone"],
            assigns_stories=self._assigns_stories,
        )

    # --- pure

    def fit(self, desired: Desired) -> Desired:
        """Returns ``desired`` with each value as Kanboard will be able to hold it."""
        return fit(desired)

    def split(
        self, observed: Observed, hints: Sequence[Mapping[str, Value]]
    ) -> Mapping[str, Value]:
        """Returns the fields, a project's name and description distinguished."""
        if observed.kind != Kind.PROJECT:
            return observed.fields
        return split_composite(observed.fields, hints, labels=self._labels)

    # --- reading

    def observe_roots(self) -> Iterator[Observed]:
        """Yields every project, disabled ones too, by one request, and one more where some moved
        just now."""
        (rows,), sent = self._client.read_dated([call("getAllProjects")])
        readable = [row for row in rows if not project_trouble(row)]
        lately = moved_lately(self._client, readable, sent or self._clock.now())
        for row in rows:
            if trouble := project_trouble(row):
                yield projects.misshapen(row, trouble)
            else:
                yield projects.observed_project(row, self._web, lately.get(number(row["id"]), ""))

    def observe_root(self, root_id: str) -> Observed | None:
        """Returns one project, None if it is not there, or not for this account."""
        if not number(root_id):  # people name a project by its identifier, too
            return self._by_identifier(root_id)
        try:
            (row,), sent = self._client.read_dated([_by_id(root_id)])
        except Vanished:
            return None
        if not row:
            return None
        lately = moved_lately(self._client, [row], sent or self._clock.now())
        return projects.observed_project(row, self._web, lately.get(number(row["id"]), ""))

    def _by_identifier(self, identifier: str) -> Observed | None:
        row = self._client.project_called(identifier)
        return self.observe_root(str(number(row["id"]))) if row else None

    def observe_children(self, root_ids: Collection[str]) -> Mapping[str, Sequence[Observed]]:
        """Returns the children of each project; see `reading.ChildReader.read`."""
        return ChildReader(self._context, self._concurrency).read(root_ids)

    def find_roots(self, marker: Marker) -> Sequence[Observed]:
        """Returns the projects that carry ``marker``."""
        return [root for root in self.observe_roots() if marker in root.markers]

    def untouched(self, root_id: str) -> bool:
        """Tells nothing: who changed a project is not in Kanboard's API, so that it counts as
        touched, and is disabled rather than deleted."""
        return False

    def untouched_child(self, child: Observed, place: Place) -> bool:
        """Tells whether a task is as this account left it and nothing hangs on it, and whether
        nobody has a role; of other kinds nothing tells."""
        if child.kind == Kind.ROLE:
            return children.is_unheld(child.identity, place.root_id, self._context)
        try:
            if child.kind == Kind.MILESTONE:
                return is_unused(read_task(child.id, self._context), self._context)
            return child.kind == Kind.STORY and is_as_written(
                read_task(child.id, self._context), self._context
            )
        except Vanished:
            return False

    def holds_only_own(self, child: Observed, place: Place) -> bool:
        """Tells whether a milestone is bare, and every task that is planned for it has this
        pipeline's reference."""
        try:
            return child.kind == Kind.MILESTONE and holds_only_own(
                read_task(child.id, self._context), self._context
            )
        except Vanished:
            return False

    def hand_over(self, child: Observed, other: Observed, place: Place) -> None:
        """Plans the pipeline's stories of a milestone for another one."""
        hand_over(read_task(child.id, self._context), other.id, self._context)

    # --- making projects

    def create_root(self, desired: Desired, marker: Marker) -> Written:
        """Makes a project, or returns the one that is there under the marker's identifier."""
        self._home.make()
        identifier = encode_identifier(marker)
        present = self._client.project_called(identifier)
        if present is not None:
            return Written(self._show(self._claimed(present, marker)))
        body = projects.creation(desired.fields, marker)
        made, oldest = self._client.make_project(**body)
        if not made:
            if oldest:  # another one was faster
                return Written(self._show(self._claimed(oldest, marker)))
            raise _why_not_made(body)
        row = self._only_one(made, oldest)
        if number(row["id"]) == made:
            self._complete(made, desired, marker)
        return Written(self._show(row))

    def complete_root(self, desired: Desired, observed: Observed, marker: Marker) -> None:
        """Writes the metadata of a project whose creation was cut off, if it lacks it."""
        root = int(observed.id)
        noted = self._client.read("getProjectMetadata", project_id=root)
        if not projects.is_noted(dict(noted or {}), marker):
            self._complete(root, desired, marker)

    def _claimed(self, row: Row, marker: Marker) -> Row:
        """Makes sure that a project with the marker's identifier carries the marker."""
        if marker not in self._show(row).markers:
            raise Rejected(
                f"project {number(row['id'])} has the identifier of {marker.key}, and a line in "
                "its description that names another deal; correct the one or the other"
            )
        return row

    def _only_one(self, made: int, oldest: Row | None) -> Row:
        """Makes sure that there is one project of this identifier; the oldest one stays.

        Kanboard itself lets several requests at the same moment all succeed.
        """
        if oldest and number(oldest["id"]) < made:
            _LOG.warning("a project was made twice at once; %s stays", number(oldest["id"]))
            self._client.write(call("removeProject", project_id=made))
            return oldest
        return oldest or self._project(str(made))

    def _complete(self, root: int, desired: Desired, marker: Marker) -> None:
        """Writes the metadata; where it is refused, the project is as good. A board loses the
        columns with which every project comes, but for the first one.

        The metadata comes last: by it a creation that was cut off is told from a finished one.

        :raises OutcomeUnknown: no answer; who looks for the project finds and completes it.
        """
        facts = desired.fields.get("deal_facts")
        values = projects.metadata(facts, marker)
        try:
            if is_portfolio(marker.key):
                columns = self._client.read("getColumns", project_id=root)
                drop = [call("removeColumn", column_id=number(each["id"])) for each in columns[1:]]
                self._client.write(*drop)
                self._new_boards.add(str(root))
            self._client.write(call("saveProjectMetadata", project_id=root, values=values))
        except Rejected as error:
            _LOG.warning("project %s lacks its metadata: %s", root, error)
        except Interrupted:
            raise
        except (Malformed, OutcomeUnknown, Unavailable) as error:
            lacking = f"project {root} was made, and is not complete: {error}"
            raise OutcomeUnknown(lacking) from error

    # --- changing projects

    def mark(self, root_id: str, marker: Marker) -> None:
        """Writes ``marker`` on a project."""
        row = self._project(root_id)
        self._write(row, projects.marking(row, marker))

    def unmark(self, root_id: str, marker: Marker) -> None:
        """Takes ``marker`` off a project."""
        try:
            row = self._project(root_id)
            self._write(row, projects.unmarking(row, marker))
        except Vanished:
            return

    def reassign(self, root_id: str, former: Marker, marker: Marker) -> None:
        """Exchanges the mark of a project, and the deal in the references of its tasks."""
        self.unmark(root_id, former)
        self.mark(root_id, marker)
        lists = self._client.read_each(task_calls(int(root_id)))
        rows = [row for rows in lists for row in rows]
        renaming = renamed_references(rows, former.key, marker.key, self._context)
        if renaming:
            self._client.write(*renaming)

    def _update_root(
        self, observed: Observed, changes: Mapping[str, Value], fields: Mapping[str, Value]
    ) -> Written:
        """Changes a project that still looks as it was observed."""
        row = self._project(observed.id)
        now = self._show(row)
        if now.obstacle:
            raise Rejected(f"project {observed.id}: {now.obstacle}")
        demand_marked(observed, now)
        change = projects.modification(row, changes, fields)
        moved = projects.moved(observed, now, change.body)
        if moved:
            raise Stale(f"project {observed.id}: people changed {', '.join(moved)} just now")
        return Written(self._show(self._write(row, change)))

    def _write(self, row: Row, change: projects.Change) -> Row:
        """Writes, and reads back: Kanboard gives no reason for what it refuses."""
        root = number(row["id"])
        calls = change.calls(root)
        if not calls:
            return row
        *done, after = self._client.write(*calls, _by_id(str(root)))
        if not after:
            raise Vanished(f"project {root} no longer exists")
        left_out = projects.ignored(after, change)
        if left_out:
            raise self._why_left_out(root, left_out, change.body)
        if not all(done):
            _LOG.warning("project %s keeps its metadata as it was", root)
        found: Row = after
        return found

    def _why_left_out(self, root: int, places: Sequence[str], body: Mapping[str, str]) -> Rejected:
        identifier = body.get("identifier", "")
        if identifier and "identifier" in places:
            other = self._client.project_called(identifier)
            if other and number(other["id"]) != root:
                return Rejected(
                    f"project {root} cannot be this deal's: project {number(other['id'])} is"
                )
        if NAME in places and not body.get(NAME):
            return Rejected(f"project {root}: Kanboard takes no project without a name")
        return Rejected(
            f"project {root}: Kanboard left out {', '.join(places)} and gives no reason; {_NEEDED}"
        )

    def _project(self, root_id: str) -> Row:
        row: Row | None = self._client.read_each([_by_id(root_id)])[0]
        if not row:
            raise Vanished(f"project {root_id} no longer exists")
        return row

    def _show(self, row: Row) -> Observed:
        return projects.observed_project(row, self._web)

    # --- children

    def create_child(self, desired: Desired, place: Place) -> Written:
        """Makes a member, a task, a role or a column, or returns the one that is there."""
        kind = desired.key.kind
        if kind in _TASKS:
            return _TASKS[kind].create(desired, place, self._context)
        self._demand_project(place)
        if kind == Kind.ROLE:
            return children.make_role(desired, place, self._context)
        if kind == Kind.MEMBERSHIP:
            return children.join(desired, place, self._context)
        if kind == Kind.STATUS:
            is_first = not any(key.kind == kind for key in place.bound)
            may_rename = is_first and place.root_id in self._new_boards
            return children.make_column(desired, place, self._context, may_rename_first=may_rename)
        raise Rejected(f"Kanboard cannot hold a {kind} here; leave it out of the mapping")

    def complete_child(self, desired: Desired, observed: Observed, place: Place) -> None:
        """Notes and links a task whose creation was cut off, if that is missing."""
        if observed.kind in _TASKS:
            _TASKS[observed.kind].complete(desired, observed, place, self._context)

    def _demand_project(self, place: Place) -> None:
        """Kanboard answers as for an empty project where there is none."""
        self._project(place.root_id)

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
        if observed.kind in _TASKS:
            return self._update_task(observed, changes, place)
        if observed.kind == Kind.MEMBERSHIP:
            return self._update_member(observed, changes, place)
        if observed.kind == Kind.STATUS:
            demand_unmoved(observed, children.now_column(observed, place, self._context), changes)
            return children.change_column(observed, changes, place, self._context)
        return Written(observed)

    def _update_task(
        self, observed: Observed, changes: Mapping[str, Value], place: Place
    ) -> Written:
        kind, context = _TASKS[observed.kind], self._context
        row, columns, is_ours = read_for_writing(observed.id, place.root_id, context)
        now = kind.observe(row, context, columns)
        demand_unmoved(observed, now, changes)
        differing = {name: value for name, value in changes.items() if differs(now, name, value)}
        calls = kind.calls(row, differing, place, context)
        if not calls:
            return Written(now)
        *done, after = self._client.write(*calls, call("getTask", task_id=int(observed.id)))
        if not after or not all(done):
            raise explain_refused([each.params for each in calls], row, place, context)
        if is_ours and observed.kind == Kind.STORY:
            self._client.write(as_written(after))
        return Written(kind.observe(after, context, columns))

    def _update_member(
        self, observed: Observed, changes: Mapping[str, Value], place: Place
    ) -> Written:
        now = children.now_member(observed, place, self._context)
        demand_unmoved(observed, now, changes)
        role = str(changes.get(Membership.ROLE) or "")
        if not role or now.fields.get(Membership.ROLE) == role:
            return Written(now)
        return children.change_member(now, role, place, self._context)

    def remove(self, kind: str, target_id: str, place: Place) -> None:
        """Removes a project or a child. One that is not there is fine."""
        try:
            self._remove(kind, target_id, place)
        except Vanished:
            return

    def _remove(self, kind: str, target_id: str, place: Place) -> None:
        if kind == Kind.ROLE:
            name = target_id.partition("/")[2]
            children.remove_role(place.root_id, name, self._context)
        elif kind == Kind.MEMBERSHIP:
            children.leave(target_id, place, self._context)
        else:
            self._demand_gone(*self._removal(kind, target_id))

    def _removal(self, kind: str, target_id: str) -> tuple[Call, Call]:
        """Returns the call that removes something, and the one that looks whether it is gone."""
        if kind == Kind.PROJECT:
            return call("removeProject", project_id=int(target_id)), _by_id(target_id)
        if kind == Kind.STATUS:
            looking = call("getColumn", column_id=int(target_id))
            return call("removeColumn", column_id=int(target_id)), looking
        row = read_task(target_id, self._context)
        if kind == Kind.STORY:
            demand_no_work(row, self._context)
        looking = call("getTask", task_id=int(target_id))
        return call("removeTask", task_id=int(target_id)), looking

    def _demand_gone(self, removing: Call, looking: Call) -> None:
        _removed, left = self._client.write(removing, looking)
        if left:
            raise Rejected(
                f"Kanboard refuses {removing.method} {next(iter(removing.params.values()))}: a "
                "column has to be empty first"
                if removing.method == "removeColumn"
                else f"Kanboard refuses {removing.method}; {_NEEDED}"
            )


_PERSON: Final = (
    "a person's token may write only to projects that this person is a manager of; the token of "
    f"the application may write to all. {NOT_ADMIN[:1].upper()}{NOT_ADMIN[1:]}"
)


def is_before(version: str, other: tuple[int, ...]) -> bool:
    """Whether a version is an earlier one; one that is no 1.2.3 is taken for a new one."""
    parts = version.removeprefix("v").split(".")
    return all(part.isdecimal() for part in parts) and tuple(map(int, parts)) < other


def _by_id(root_id: str) -> Call:
    return call("getProjectById", project_id=number(root_id))


def _why_not_made(body: Mapping[str, str]) -> Rejected:
    """Finds a reason for a refusal: Kanboard gives none."""
    if not body[NAME].strip():
        return Rejected("Kanboard takes no project without a name")
    return Rejected(
        f"Kanboard refuses the project {body[NAME]!r} and gives no reason; {_NEEDED}. Its log may "
        "say more"
    )
