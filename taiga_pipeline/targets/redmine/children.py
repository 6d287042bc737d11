"""What lives in a project. One class per kind: how it is read, made and changed.

A child's identity is the casefolded natural key that a record of the same name has: the name of a
role or version, the e-mail address of a member, the reference of an issue. None of them is unique
by itself in Redmine's database (but a user's membership), so that each is looked for before it is
made.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from sync.errors import Rejected, SyncError, Vanished
from sync.records.model import Desired, Observed, RecordKey, Value, by_identity
from sync.target import Place, Written
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.mapping.stories.hours import read_hours
from taiga_pipeline.records import Kind, Membership, Milestone, Role, Story
from taiga_pipeline.targets.marks import (
    Line,
    decode_reference,
    encode_reference,
    join_line,
    split_line,
)
from taiga_pipeline.targets.milestones import milestone_id
from taiga_pipeline.targets.redmine.client import Client, Refusal
from taiga_pipeline.targets.redmine.custom_fields import (
    DEAL_KEY,
    CustomField,
    CustomFields,
    field_id,
    value_of,
)
from taiga_pipeline.targets.redmine.paging import Row, read_all
from taiga_pipeline.targets.redmine.people import Directory
from taiga_pipeline.targets.redmine.trackers import Tracking, Ways

_LOG: Final = logging.getLogger(__name__)

Body = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class RedmineClientContext:
    """What all kinds need: the API, the pipeline's name, who is who, and how work is tracked.

    ``assigns_stories`` is that of `Connection`.
    """

    client: Client
    pipeline: str
    account_id: int
    people: Directory
    custom: CustomFields
    tracking: Tracking
    assigns_stories: bool = False


class ChildKind(Protocol):
    """One kind of children. ``path`` is its address, ``single`` what one is called in bodies."""

    kind: str
    path: str
    single: str

    def rows(self, root_id: str, context: RedmineClientContext) -> Iterator[Row]:
        """Yields the rows of one project."""

    def observe(self, row: Row, context: RedmineClientContext) -> Observed:
        """Returns what a row shows."""

    def create(self, desired: Desired, place: Place, context: RedmineClientContext) -> Written:
        """Makes one, or returns the one that is there."""

    def modification(
        self, row: Row, changes: Mapping[str, Value], context: RedmineClientContext
    ) -> Body:
        """Returns the body that writes ``changes``, empty if there is nothing to write."""


class Memberships:
    """Members: a user and roles. Groups are members too, but they are people's own business."""

    kind = Kind.MEMBERSHIP
    path = "memberships"
    single = "membership"

    def rows(self, root_id: str, context: RedmineClientContext) -> Iterator[Row]:
        """Yields the memberships of users."""
        within = f"projects/{root_id}"
        return read_all(context.client, self.path, {}, within=within, belongs=_is_users)

    def observe(self, row: Row, context: RedmineClientContext) -> Observed:
        """Returns a membership. Without an administrator's key there are no addresses."""
        user = row["user"]
        address = context.people.mails([int(user["id"])])[int(user["id"])]
        roles = ", ".join(sorted(str(role["name"]) for role in row.get("roles", ())))
        fields: dict[str, Value] = {Membership.ROLE: roles}
        if address:
            fields[Membership.EMAIL] = address
        facts = {"name": str(user["name"]), "email": address}
        return Observed(
            self.kind,
            str(row["id"]),
            fields,
            identity=address,
            facts=facts,
            unavailable=self._unavailable(row, context),
        )

    @staticmethod
    def _unavailable(row: Row, context: RedmineClientContext) -> str:
        """Says why a member cannot be given an issue, "" for one who can."""
        if context.people.is_locked(int(row["user"]["id"])):
            return "is locked in Redmine"
        roles = [int(role["id"]) for role in row.get("roles", ())]
        if not context.assigns_stories or any(map(context.people.takes_work, roles)):
            return ""
        return "has no role that issues can be assigned to (Administration, Roles and permissions)"

    def create(self, desired: Desired, place: Place, context: RedmineClientContext) -> Written:
        """Adds a member; one who is there already is returned, with the roles they have."""
        role = context.people.role(str(desired.fields[Membership.ROLE]))
        user = context.people.user_id(str(desired.fields[Membership.EMAIL]))
        found = self._present(user, place, context)
        if found is not None:
            return Written(found, found=True)
        body = {self.single: {"user_id": user, "role_ids": [role["id"]]}}
        path = f"projects/{place.root_id}/{self.path}.json"
        try:
            row = context.client.post(path, body).data[self.single]
        except Refusal as error:  # another person was faster
            found = self._present(user, place, context) if error.status == 422 else None
            if found is None:
                raise
            return Written(found, found=True)
        return Written(self.observe(row, context))

    def modification(
        self, row: Row, changes: Mapping[str, Value], context: RedmineClientContext
    ) -> Body:
        """Changes the role; the address is the user's own.

        The list of roles is never sent empty: Redmine refuses that, and takes the roles all the
        same.
        """
        name = str(changes.get(Membership.ROLE) or "")
        if not name:
            return {}
        wanted = [int(context.people.role(name)["id"])]
        present = [int(role["id"]) for role in row.get("roles", ()) if not role.get("inherited")]
        return {"role_ids": wanted} if wanted != present else {}

    def _present(self, user: int, place: Place, context: RedmineClientContext) -> Observed | None:
        for row in self.rows(place.root_id, context):
            if row["user"]["id"] == user:
                return self.observe(row, context)
        return None


class Versions:
    """Versions stand for milestones: a name and a day to be done by. They have no first day."""

    kind = Kind.MILESTONE
    path = "versions"
    single = "version"

    def rows(self, root_id: str, context: RedmineClientContext) -> Iterator[Row]:
        """Yields the project's own versions; those that others share with it are left out."""
        return read_all(
            context.client,
            self.path,
            {},
            within=f"projects/{root_id}",
            belongs=lambda row: _project_of(row) == root_id,
        )

    def observe(self, row: Row, context: RedmineClientContext) -> Observed:
        """Returns a version."""
        name = str(row["name"])
        fields: dict[str, Value] = {Milestone.NAME: name, Milestone.FINISH: row.get("due_date")}
        facts = {
            Milestone.NAME: name,
            Milestone.START: None,
            Milestone.FINISH: row.get("due_date"),
            "closed": row.get("status") == "closed",
        }
        return Observed(self.kind, str(row["id"]), fields, identity=name.casefold(), facts=facts)

    def create(self, desired: Desired, place: Place, context: RedmineClientContext) -> Written:
        """Makes a version; one of that name is returned."""
        name = str(desired.fields[Milestone.NAME])
        for row in self.rows(place.root_id, context):
            if str(row["name"]).casefold() == name.casefold():
                return Written(self.observe(row, context), found=True)
        body = {self.single: {"name": name, "due_date": desired.fields.get(Milestone.FINISH)}}
        answer = context.client.post(f"projects/{place.root_id}/{self.path}.json", body)
        return Written(self.observe(answer.data[self.single], context))

    def modification(
        self, row: Row, changes: Mapping[str, Value], context: RedmineClientContext
    ) -> Body:
        """Changes name or due date."""
        places = {Milestone.NAME: "name", Milestone.FINISH: "due_date"}
        return {at: changes[name] for name, at in places.items() if name in changes}


class Issues:
    """Issues stand for stories. A list shows them in full."""

    kind = Kind.STORY
    path = "issues"
    single = "issue"

    def rows(self, root_id: str, context: RedmineClientContext) -> Iterator[Row]:
        """Yields the project's own issues, closed ones too; those of subprojects are left out."""
        params = {"project_id": root_id, "status_id": "*", "sort": "id"}
        return read_all(
            context.client, self.path, params, belongs=lambda row: _project_of(row) == root_id
        )

    def observe(self, row: Row, context: RedmineClientContext) -> Observed:
        """Returns an issue; one that is not ours has no identity."""
        text, line = split_line(str(row.get("description") or ""))
        group, name = decode_reference(context.pipeline, value_of(row, DEAL_KEY) or _mark(line))
        fields: dict[str, Value] = {Story.SUBJECT: str(row["subject"]), Story.DESCRIPTION: text}
        if "estimated_hours" in row:
            fields[Story.HOURS] = read_hours(row["estimated_hours"])
        if context.assigns_stories and name:
            fields[Story.ASSIGNED] = _assigned(row, context)
        return Observed(
            self.kind,
            str(row["id"]),
            fields,
            identity=name.casefold(),
            marked=bool(name),
            change_token=str(row.get("updated_on", "")),
            facts={"closed": row.get("closed_on") is not None},
            group=group,
        )

    def create(self, desired: Desired, place: Place, context: RedmineClientContext) -> Written:
        """Makes an issue that carries its reference from its first moment, unless it is there."""
        present = self._present(desired.key, place, context)
        if present:
            return Written(present[0])
        body = self._creation(desired, place, context)
        row = context.client.post("issues.json", {self.single: body}).data[self.single]
        return Written(self.observe(self._without_line(row, desired, place, context), context))

    def _without_line(
        self, row: Row, desired: Desired, place: Place, context: RedmineClientContext
    ) -> Row:
        """Takes the reference out of the description where the field turns out to hold it.

        Only the first issue of all shows that: from then on it is known.
        """
        text, line = split_line(str(row.get("description") or ""))
        reference = encode_reference(context.pipeline, desired.key)
        if line is None or value_of(row, DEAL_KEY) != reference:
            return row
        ways = context.tracking.ways(place.root_id)
        field, _ = context.custom.issue(DEAL_KEY, ways.project, ways.tracker_id)
        if field is not None:
            context.custom.confirm(field, ways.project, ways.tracker_id)
        try:
            context.client.put(f"issues/{row['id']}.json", {self.single: {"description": text}})
        except SyncError as error:  # it stands there twice, which does no harm
            _LOG.info("issue %s keeps its reference in the description: %s", row["id"], error)
            return row
        return {**row, "description": text}

    def _creation(self, desired: Desired, place: Place, context: RedmineClientContext) -> Body:
        fields, reference = desired.fields, encode_reference(context.pipeline, desired.key)
        ways = context.tracking.ways(place.root_id)
        field, is_certain = self._field(ways, context)
        value = field.fit(reference) if field is not None else None
        text = str(fields.get(Story.DESCRIPTION) or "")
        if value is None or not is_certain:  # Redmine says 201 to a field that it leaves out
            text = join_line(text, Line(reference))
        body: Body = {
            "project_id": int(place.root_id),
            "subject": fields[Story.SUBJECT],
            "description": text,
            "start_date": None,  # or else it would be today
        }
        if fields.get(Story.HOURS):
            body["estimated_hours"] = float(str(fields[Story.HOURS]))
        if fields.get(Story.ASSIGNED):
            body["assigned_to_id"] = context.people.user_id(str(fields[Story.ASSIGNED]))
        if ways.tracker_id is not None:
            body["tracker_id"] = ways.tracker_id
        if field is not None and value is not None:
            body["custom_fields"] = [{"id": field.id, "value": value}]
        name = str(fields.get(Story.MILESTONE) or "")
        version = milestone_id(name, desired.key.group, place)
        if version is not None:
            body["fixed_version_id"] = version
        return body

    def _field(self, ways: Ways, context: RedmineClientContext) -> tuple[CustomField | None, bool]:
        """Returns the field for references, and whether it is certain to be there.

        No API says which fields are for all projects: another issue that has a value in it does.
        """
        field, certain = context.custom.issue(DEAL_KEY, ways.project, ways.tracker_id)
        if field is None or certain or not context.custom.may_be_found_out(field, ways.tracker_id):
            return field, certain
        params: dict[str, str | int] = {
            f"cf_{field.id}": "*",
            "tracker_id": ways.tracker_id or 0,
            "status_id": "*",
            "limit": 1,
        }
        for row in context.client.get("issues.json", params).data.get("issues", ()):
            if value_of(row, DEAL_KEY) and row["tracker"]["id"] == ways.tracker_id:
                elsewhere = context.tracking.ways(_project_of(row))
                context.custom.confirm(field, elsewhere.project, ways.tracker_id)
        return context.custom.issue(DEAL_KEY, ways.project, ways.tracker_id)

    def modification(
        self, row: Row, changes: Mapping[str, Value], context: RedmineClientContext
    ) -> Body:
        """Changes subject, text, hours, who does it; the connector's line stays where it is."""
        body: Body = {}
        if Story.HOURS in changes:
            hours = changes[Story.HOURS]
            body["estimated_hours"] = float(str(hours)) if hours else None
        if Story.ASSIGNED in changes:
            address = str(changes[Story.ASSIGNED] or "")
            # Null leaves it as it is.
            body["assigned_to_id"] = context.people.user_id(address) if address else ""
        if Story.SUBJECT in changes:
            body["subject"] = changes[Story.SUBJECT]
        if Story.DESCRIPTION in changes:
            _, line = split_line(str(row.get("description") or ""))
            if line is not None and value_of(row, DEAL_KEY) == line.mark:
                line = None
            body["description"] = join_line(str(changes[Story.DESCRIPTION] or ""), line)
        return body

    def _present(
        self, key: RecordKey, place: Place, context: RedmineClientContext
    ) -> list[Observed]:
        """Returns the project's issues that are this record, the oldest first."""
        rows = [self.observe(row, context) for row in self.rows(place.root_id, context)]
        return by_identity(rows, self.kind, key.name.casefold(), key.group)


class Roles:
    """Roles are the same in all projects, and only an administrator makes them, by hand.

    Each project has its own view of them, which has an id of its own: "12/4" is role 4 in project
    12. A record can be bound to one thing alone.
    """

    kind = Kind.ROLE
    path = "roles"
    single = "role"

    def rows(self, root_id: str, context: RedmineClientContext) -> Iterator[Row]:
        """Yields all roles, as this project sees them."""
        yield from (_within(root_id, row) for row in context.people.roles().values())

    def observe(self, row: Row, context: RedmineClientContext) -> Observed:
        """Returns a role."""
        name = str(row["name"])
        number = f"{_project_of(row)}/{row['id']}"
        return Observed(self.kind, number, {Role.NAME: name}, identity=name.casefold())

    def create(self, desired: Desired, place: Place, context: RedmineClientContext) -> Written:
        """Returns the role of that name; there is no way to make one."""
        row = _within(place.root_id, context.people.role(str(desired.fields[Role.NAME])))
        return Written(self.observe(row, context), found=True)

    def modification(
        self, row: Row, changes: Mapping[str, Value], context: RedmineClientContext
    ) -> Body:
        """Returns nothing: a role's name is not the connector's to change."""
        return {}


KINDS: Final[Mapping[str, ChildKind]] = {
    item.kind: item for item in (Roles(), Memberships(), Versions(), Issues())
}
"""How to handle each kind, in the order in which they are read."""


def renamed_references(
    root_id: str, former: str, new: str, context: RedmineClientContext
) -> list[tuple[str, Body]]:
    """Returns the issues of a project that name the deal ``former``, by id, each with the body
    that has it name ``new``, where the reference stands."""
    renamed: list[tuple[str, Body]] = []
    for row in Issues().rows(root_id, context):
        text, line = split_line(str(row.get("description") or ""))
        places = [
            (value_of(row, DEAL_KEY), "custom_fields"),
            (_mark(line), "description"),
        ]
        body: Body = {}
        for value, place in places:
            group, name = decode_reference(context.pipeline, value)
            reference = encode_reference(context.pipeline, RecordKey(new, Kind.STORY, name))
            if group == former and place == "description":
                body[place] = join_line(text, Line(reference))
            elif group == former:
                body[place] = [{"id": field_id(row, DEAL_KEY), "value": reference}]
        if body:
            renamed.append((str(row["id"]), body))
    return renamed


def read_one(kind: ChildKind, target_id: str, context: RedmineClientContext) -> Row:
    """Returns one child as it is now; an issue with the journal of its changes.

    :raises Vanished: it is not there.
    """
    try:
        params = {"include": "journals"} if kind.kind == Kind.STORY else None
        row: Row = context.client.get(f"{kind.path}/{target_id}.json", params).data[kind.single]
    except Vanished:
        raise Vanished(f"{kind.kind} {target_id} no longer exists") from None
    return row


def demand_no_work(issue_id: str, context: RedmineClientContext) -> None:
    """Refuses to delete an issue that people put work into: it would all be gone with it.

    :raises Rejected: it has subtasks or time entries.
    """
    path = f"issues/{issue_id}.json"
    issue = context.client.get(path, {"include": "children"}).data["issue"]
    if issue.get("children") or issue.get("spent_hours"):
        raise Rejected(
            f"issue {issue_id} has subtasks or spent time, which Redmine would delete with it; it "
            "is kept"
        )


def overwritten(before: Row, after: Row, body: Body, account_id: int) -> Body:
    """Returns what people wrote between a read and a write, and the write replaced.

    ``before`` and ``after`` are an issue as it was read then and afterwards, ``body`` what was
    written. Redmine keeps what each change replaced; of projects, versions and members it does not.
    """
    known = {entry.get("id") for entry in before.get("journals") or ()}
    lost: Body = {}
    for entry in after.get("journals") or ():
        if entry.get("id") in known or (entry.get("user") or {}).get("id") != account_id:
            continue
        for detail in entry.get("details") or ():
            place = str(detail.get("name"))
            if place not in body or not _is_same(place, detail.get("new_value"), body[place]):
                continue
            if not _is_same(place, detail.get("old_value"), _held(place, before)):
                lost[place] = detail.get("old_value") or ""
    return lost


def _held(place: str, row: Row) -> JSON:
    """Returns what an issue holds, as its journal says it."""
    if place == "assigned_to_id":
        return (row.get("assigned_to") or {}).get("id")
    return row.get(place)


def _assigned(row: Row, context: RedmineClientContext) -> str | None:
    """Returns the address of the one whom an issue is for; a name where there is none to be seen,
    as of a group."""
    holder = row.get("assigned_to")
    if not holder:
        return None
    number = int(holder["id"])
    address = context.people.mails([number])[number]
    return address or f"{holder.get('name') or 'user'} ({number})"


def _is_same(place: str, one: JSON, other: JSON) -> bool:
    if place == "estimated_hours":  # a number here, a text in the journal
        return read_hours(one) == read_hours(other)
    return plain(one) == plain(other)


def plain(value: JSON) -> str:
    """Returns a text as it was before Redmine gave it the line ends of a web form."""
    return str(value or "").replace("\r\n", "\n")


def is_as_made(issue_id: str, context: RedmineClientContext) -> bool:
    """Whether an issue is as this account made it: no one edited it, nothing hangs on it."""
    hanging = ("children", "attachments", "relations")
    path = f"issues/{issue_id}.json"
    issue = context.client.get(path, {"include": ",".join(("journals", *hanging))}).data["issue"]
    own = (issue.get("author") or {}).get("id") == context.account_id
    edited = not all(
        _took_line_out(entry) or _placed(entry, context.account_id)
        for entry in issue.get("journals") or ()
    )
    return (
        own
        and not edited
        and not issue.get("spent_hours")
        and not any(issue.get(each) for each in hanging)
    )


_PLACES: Final = ("fixed_version_id", "assigned_to_id")


def _took_line_out(entry: Row) -> bool:
    """Whether an entry of the journal is what `Issues.create` did to what it had made."""
    details = entry.get("details") or ()
    return not entry.get("notes") and all(
        detail.get("name") == "description"
        and split_line(str(detail.get("old_value") or ""))[0] == plain(detail.get("new_value"))
        for detail in details
    )


def _placed(entry: Row, account_id: int) -> bool:
    """Whether an entry of the journal says that this account put an issue into a version, or gave
    it to someone, as staffing asked. Whom people chose, the merge tells: it compares who has it."""
    details = entry.get("details") or ()
    own = (entry.get("user") or {}).get("id") == account_id
    return (
        own and not entry.get("notes") and all(detail.get("name") in _PLACES for detail in details)
    )


def _is_users(row: Row) -> bool:
    return "user" in row


def _within(root_id: str, row: Row) -> Row:
    return {**row, "project": {"id": root_id}}


def _project_of(row: Row) -> str:
    return str((row.get("project") or {}).get("id", ""))


def _mark(line: Line | None) -> str:
    return line.mark if line else ""
