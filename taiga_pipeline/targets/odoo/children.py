"""Members, milestones and columns: how they are read, made and changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sync.errors import Rejected, Vanished
from sync.records.model import Desired, Observed, Value
from sync.target import Place, Written
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.odoo.lists import ALL, Row, id_of, records
from taiga_pipeline.records import Kind, Membership, Milestone, Status
from taiga_pipeline.targets.odoo.context import Context
from taiga_pipeline.targets.odoo.projects import MODEL as PROJECT

_INVITED: Final = "allowed_internal_user_ids"
FOLLOWER: Final = "mail.followers"
MILESTONE: Final = "project.milestone"
COLUMN: Final = "project.task.type"

Values = dict[str, Any]


# --- members: users who follow the project; one who administers it is its manager


def followers(roots: Sequence[int], context: Context) -> Iterator[Row]:
    """Yields who follows projects."""
    domain: list[object] = [["res_model", "=", PROJECT], ["res_id", "in", list(roots)]]
    return records(context.client, FOLLOWER, ["res_id", "partner_id"], domain, {})


def member(row: Row, context: Context) -> Observed | None:
    """Returns a follower as a member; None for one who is no user, such as a customer.

    A follower's number is not kept by Odoo for long: a member is known by the project and the user.
    """
    user = context.people.by_partner.get(id_of(row["partner_id"]))
    if user is None:
        return None
    return Observed(
        Kind.MEMBERSHIP,
        f"{row['res_id']}/{user.partner}",
        {Membership.EMAIL: user.email},
        identity=user.email,
        facts={"name": user.name, "email": user.email},
        unavailable="" if user.is_active else "is archived in Odoo",
    )


def join(desired: Desired, place: Place, context: Context) -> Written:
    """Has a user follow a project, and makes one who is to administer it its manager if it has
    none; one who follows it already is returned."""
    user = context.people.user(str(desired.fields[Membership.EMAIL]))
    root = int(place.root_id)
    present = _followed_by(user.partner, root, context)
    if present is not None:
        return Written(present, found=True)
    context.client.change(PROJECT, "message_subscribe", [root], partner_ids=[user.partner])
    if desired.fields.get(Membership.ADMIN):
        _make_manager(root, user.id, context)
    made = _followed_by(user.partner, root, context)
    if made is None:
        raise Rejected(f"Odoo confirmed that {user.email} follows project {root}, and left it out")
    return Written(made)


def _followed_by(partner: int, root: int, context: Context) -> Observed | None:
    found = (row for row in followers([root], context) if id_of(row["partner_id"]) == partner)
    return next((member(row, context) for row in found), None)


def _make_manager(root: int, user: int, context: Context) -> None:
    rows = context.client.read(PROJECT, "read", [root], fields=["user_id"], context=dict(ALL))
    if rows and not rows[0]["user_id"]:
        context.client.change(PROJECT, "write", [root], vals={"user_id": user})


def leave(target_id: str, context: Context) -> None:
    """Has a user follow a project no longer; a manager stays in charge.

    Odoo 14 keeps a list of its own of who may see a private project.
    """
    root, _, partner = target_id.partition("/")
    number = int(root)
    context.client.change(PROJECT, "message_unsubscribe", [number], partner_ids=[int(partner)])
    user = context.people.by_partner.get(int(partner))
    if user is not None and not context.is_recent:
        values = {_INVITED: [[3, user.id]]}
        context.client.change(PROJECT, "write", [number], vals=values)


# --- milestones


def milestones(roots: Sequence[int], context: Context) -> Iterator[Row]:
    """Yields the milestones of projects, none where this Odoo has none."""
    if not context.has_milestones:
        return iter(())
    domain: list[object] = [["project_id", "in", list(roots)]]
    return records(context.client, MILESTONE, _OF_MILESTONES, domain, {})


_OF_MILESTONES: Final = (
    *("name", "deadline", "is_reached", "project_id"),
    *("create_uid", "write_uid"),
)


def milestone(row: Row) -> Observed:
    """Returns a milestone, which is known by its name."""
    name, finish = str(row["name"]), row["deadline"] or None
    fields: dict[str, Value] = {Milestone.NAME: name, Milestone.FINISH: finish}
    facts = {
        Milestone.NAME: name,
        Milestone.START: None,
        Milestone.FINISH: finish,
        "closed": bool(row["is_reached"]),
    }
    return Observed(Kind.MILESTONE, str(row["id"]), fields, identity=name.casefold(), facts=facts)


def make_milestone(desired: Desired, place: Place, context: Context) -> Written:
    """Makes a milestone; one of that name is returned."""
    name = str(desired.fields[Milestone.NAME])
    for row in milestones([int(place.root_id)], context):
        if str(row["name"]).casefold() == name.casefold():
            return Written(milestone(row), found=True)
    values = {"project_id": int(place.root_id), **milestone_values(desired.fields)}
    (number,) = context.client.make(MILESTONE, "create", vals_list=[values])
    return Written(milestone(read_one(MILESTONE, _OF_MILESTONES, str(number), context)))


def milestone_values(fields: Mapping[str, Value]) -> Values:
    """Returns what the fields of a milestone are in Odoo."""
    places = {Milestone.NAME: "name", Milestone.FINISH: "deadline"}
    return {at: fields[name] or False for name, at in places.items() if name in fields}


def is_own(target_id: str, context: Context) -> bool:
    """Whether this account alone wrote to a milestone, and it is not reached."""
    row = read_one(MILESTONE, _OF_MILESTONES, target_id, context)
    own = {id_of(row["create_uid"]), id_of(row["write_uid"])} == {context.client.uid}
    return own and not row["is_reached"]


# --- columns of a board


def columns(roots: Sequence[int], context: Context) -> Iterator[Row]:
    """Yields the stages of projects; one may be in several projects."""
    domain: list[object] = [["project_ids", "in", list(roots)]]
    fields = ["name", "sequence", "fold", "project_ids"]
    return records(context.client, COLUMN, fields, domain)


def column(row: Row) -> Observed:
    """Returns a column, which is known by its name."""
    name = str(row["name"])
    fields: dict[str, Value] = {
        Status.NAME: name,
        Status.ORDER: int(row["sequence"]),
        Status.CLOSED: bool(row["fold"]),
    }
    return Observed(Kind.STATUS, str(row["id"]), fields, identity=normalise(name))


def make_column(desired: Desired, place: Place, context: Context) -> Written:
    """Makes a column; one of that name is returned."""
    root, name = int(place.root_id), str(desired.fields[Status.NAME])
    for row in columns([root], context):
        if normalise(str(row["name"])) == normalise(name):
            return Written(column(row), found=True)
    values = {"project_ids": [[6, 0, [root]]], **column_values(desired.fields)}
    (number,) = context.client.make(COLUMN, "create", vals_list=[values])
    return Written(column(read_column(str(number), context)))


def column_values(fields: Mapping[str, Value]) -> Values:
    """Returns what the fields of a column are in Odoo: what is done is folded."""
    places = {Status.NAME: "name", Status.ORDER: "sequence", Status.CLOSED: "fold"}
    return {at: fields[name] for name, at in places.items() if name in fields}


def read_column(target_id: str, context: Context) -> Row:
    """Returns one column as it is now."""
    return read_one(COLUMN, ("name", "sequence", "fold"), target_id, context)


def read_milestone(target_id: str, context: Context) -> Row:
    """Returns one milestone as it is now."""
    return read_one(MILESTONE, _OF_MILESTONES, target_id, context)


def read_one(model: str, fields: Sequence[str], target_id: str, context: Context) -> Row:
    """Returns one record as it is now.

    :raises Vanished: it is not there.
    """
    rows = context.client.read(
        model,
        "search_read",
        domain=[["id", "=", int(target_id)]],
        fields=list(fields),
        context=dict(ALL),
    )
    if not rows:
        raise Vanished(f"{model} {target_id} no longer exists")
    row: Row = rows[0]
    return row
