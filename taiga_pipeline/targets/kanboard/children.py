"""What lives in a project besides its tasks: roles, members, the columns of a board.

Kanboard knows three roles, which say what a member may do: manager, member, viewer. What somebody
does in a project is more than that: roles that a mapping names are kept in the project's metadata,
with who has them, and whoever has one is a member. A role that is called like one of Kanboard's
own is that one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sync.errors import Rejected, Vanished
from sync.records.model import Desired, Observed, Value
from sync.target import Place, Written
from taiga_pipeline.mapping.text import normalise
from taiga_pipeline.records import Kind, Membership, Role, Status
from taiga_pipeline.targets.kanboard.client import Call, call
from taiga_pipeline.targets.kanboard.shapes import Row, number
from taiga_pipeline.targets.kanboard.tasks import Context, task_calls

_ROLE: Final = "pipeline-sync.role."
_MEMBER: Final = "pipeline-sync.member."
_LEVELS: Final = {
    "Project Manager": "project-manager",
    "Project Member": "project-member",
    "Project Viewer": "project-viewer",
}
"""Kanboard's own roles, by the names that it shows."""

_LEVEL_OF: Final = {
    spelling.casefold(): level
    for name, level in _LEVELS.items()
    for spelling in (name, level, name.removeprefix("Project "))
}


_NO_TASKS: Final = "is a viewer, or disabled in Kanboard, and cannot have tasks there"


@dataclass(frozen=True, slots=True)
class Rows:
    """What Kanboard tells of one project's content."""

    tasks: Sequence[Row] = ()
    users: Mapping[int, str] = field(default_factory=dict)
    assignable: Collection[int] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[Row] = ()


def row_calls(project_id: int, context: Context) -> list[Call]:
    """Returns the calls whose answers `rows_of` takes."""
    return [
        *task_calls(project_id),
        *_member_calls(project_id, context),
        call("getColumns", project_id=project_id),
    ]


def rows_of(answers: Sequence[Any]) -> Rows:
    """Returns the rows out of the answers to `row_calls`."""
    opened, closed, *people, columns = answers
    return replace(_people(people), tasks=[*opened, *closed], columns=columns)


def _member_calls(project_id: int, context: Context) -> list[Call]:
    methods = ["getProjectUsers", "getProjectMetadata"]
    if context.assigns_stories:
        methods.append("getAssignableUsers")
    return [call(method, project_id=project_id) for method in methods]


def _people(answers: Sequence[Any]) -> Rows:
    """Returns the rows out of the answers to `_member_calls`."""
    users, metadata, *assignable = answers
    there = _users(users)
    can = _users(assignable[0]) if assignable else there
    return Rows(users=there, assignable=can.keys(), metadata=dict(metadata or {}))


def _users(answer: Any) -> dict[int, str]:
    return {number(user): str(name) for user, name in dict(answer or {}).items()}


# --- roles


def roles(root_id: str, rows: Rows) -> Iterator[Observed]:
    """Yields Kanboard's own roles, and those in the project's metadata."""
    names = dict.fromkeys(_LEVELS)
    names |= dict.fromkeys(
        name for key, name in rows.metadata.items() if key.startswith(_ROLE) and name
    )
    for name in names:
        yield _role(root_id, name)


def make_role(desired: Desired, place: Place, context: Context) -> Written:
    """Makes a role in the project's metadata; one of Kanboard's own is there."""
    name = str(desired.fields[Role.NAME])
    found = _role(place.root_id, name)
    if _is_own(name):
        return Written(found, found=True)
    root = int(place.root_id)
    (metadata,) = context.client.read_each([call("getProjectMetadata", project_id=root)])
    is_there = bool(dict(metadata or {}).get(_role_key(name)))
    if not is_there:
        _save(root, {_role_key(name): name}, context)
    return Written(found)


def remove_role(root_id: str, name: str, context: Context) -> None:
    """Removes a role from the project's metadata; Kanboard's own ones stay."""
    if not _is_own(name):
        key = _role_key(name)
        context.client.write(call("removeProjectMetadata", project_id=int(root_id), name=key))


def is_unheld(role: str, root_id: str, context: Context) -> bool:
    """Whether nobody in a project has a role that the connector made."""
    if _is_own(role):
        return False
    metadata = context.client.read("getProjectMetadata", project_id=int(root_id))
    held = (name for key, name in dict(metadata or {}).items() if key.startswith(_MEMBER))
    return role.casefold() not in (name.casefold() for name in held)


def _role(root_id: str, name: str) -> Observed:
    shown = next((own for own in _LEVELS if own.casefold() == name.casefold()), name)
    return Observed(
        Kind.ROLE, f"{root_id}/{name.casefold()}", {Role.NAME: shown}, identity=name.casefold()
    )


def _is_own(name: str) -> bool:
    return name.casefold() in (own.casefold() for own in _LEVELS)


def _role_key(name: str) -> str:
    data = hashlib.blake2b(name.casefold().encode("utf-8", "surrogatepass"), digest_size=10)
    return _ROLE + base64.b32encode(data.digest()).decode("ascii")


def _save(project_id: int, values: Mapping[str, str], context: Context) -> None:
    saving = call("saveProjectMetadata", project_id=project_id, values=dict(values))
    (done,) = context.client.write(saving)
    if not done:
        raise Vanished(f"project {project_id} no longer exists, or takes no metadata")


# --- members


def members(root_id: str, rows: Rows, context: Context) -> Iterator[Observed]:
    """Yields who is in a project. Without the right to look, they have no addresses."""
    for user in rows.users:
        yield _member(root_id, user, rows, context)


def _member(root_id: str, user: int, rows: Rows, context: Context) -> Observed:
    """Returns a member; the role only where the connector gave it, the rest is not in the list."""
    address = context.people.mail(user)
    fields: dict[str, Value] = {Membership.EMAIL: address} if address else {}
    role = rows.metadata.get(f"{_MEMBER}{user}")
    if role:
        fields[Membership.ROLE] = role
    return Observed(
        Kind.MEMBERSHIP,
        f"{root_id}/{user}",
        fields,
        identity=address,
        facts={"name": rows.users[user], "email": address},
        unavailable="" if user in rows.assignable else _NO_TASKS,
    )


def join(desired: Desired, place: Place, context: Context) -> Written:
    """Adds a member; one who is there already is returned as they are."""
    user = context.people.user_id(str(desired.fields[Membership.EMAIL]))
    role = str(desired.fields[Membership.ROLE])
    root = int(place.root_id)
    rows = _read_members(root, context)
    if user in rows.users:
        return Written(_member(place.root_id, user, rows, context), found=True)
    _, _, *after = context.client.write(
        call("addProjectUser", project_id=root, user_id=user, role=_level(role)),
        call("saveProjectMetadata", project_id=root, values={f"{_MEMBER}{user}": role}),
        *_member_calls(root, context),
    )
    rows = _people(after)
    if user not in rows.users:
        raise _why_not_joined(desired, root, context)
    return Written(_member(place.root_id, user, rows, context))


def change_member(observed: Observed, role: str, place: Place, context: Context) -> Written:
    """Gives a member another role."""
    root, user = int(place.root_id), _user_of(observed.id)
    rows = _read_members(root, context)
    if user not in rows.users:
        raise Vanished(f"{observed.identity or observed.id} is no longer in project {root}")
    before = str(observed.fields.get(Membership.ROLE) or "")
    calls = [call("saveProjectMetadata", project_id=root, values={f"{_MEMBER}{user}": role})]
    if not before or _level(role) != _level(before):
        changing = {"project_id": root, "user_id": user, "role": _level(role)}
        calls.append(call("changeProjectUserRole", **changing))
    if not all(context.client.write(*calls)):
        raise Rejected(f"Kanboard refuses another role for {observed.identity} in project {root}")
    metadata = {**rows.metadata, f"{_MEMBER}{user}": role}
    return Written(_member(place.root_id, user, replace(rows, metadata=metadata), context))


def now_member(observed: Observed, place: Place, context: Context) -> Observed:
    """Returns a member as they are now.

    :raises Vanished: they left.
    """
    user = _user_of(observed.id)
    rows = _read_members(int(place.root_id), context)
    if user not in rows.users:
        raise Vanished(f"{observed.identity or observed.id} is no longer in the project")
    return _member(place.root_id, user, rows, context)


def leave(target_id: str, place: Place, context: Context) -> None:
    """Removes a member. One who is not there is fine."""
    root, user = int(place.root_id), _user_of(target_id)
    context.client.write(
        call("removeProjectUser", project_id=root, user_id=user),
        call("removeProjectMetadata", project_id=root, name=f"{_MEMBER}{user}"),
    )


def _read_members(root: int, context: Context) -> Rows:
    return _people(context.client.read_each(_member_calls(root, context)))


def _user_of(target_id: str) -> int:
    return int(target_id.rpartition("/")[2])


def _level(role: str) -> str:
    return _LEVEL_OF.get(role.casefold(), "project-member")


def _why_not_joined(desired: Desired, root: int, context: Context) -> Rejected:
    if not context.client.read("getProjectById", project_id=root):
        return Vanished(f"project {root} no longer exists")
    return Rejected(
        f"Kanboard refuses {desired.fields[Membership.EMAIL]} in project {root} and gives no reason"
    )


# --- columns


def column(row: Row) -> Observed:
    """Returns a column of a board."""
    title = str(row["title"])
    fields: dict[str, Value] = {Status.NAME: title, Status.ORDER: number(row["position"])}
    return Observed(Kind.STATUS, str(number(row["id"])), fields, identity=normalise(title))


def make_column(
    desired: Desired, place: Place, context: Context, *, may_rename_first: bool
) -> Written:
    """Makes a column; the first one of a new board out of the one that it came with."""
    root, name = int(place.root_id), str(desired.fields[Status.NAME])
    rows = context.client.read("getColumns", project_id=root)
    for row in rows:
        if normalise(str(row["title"])) == normalise(name):
            return Written(column(row), found=True)
    if may_rename_first and len(rows) == 1:
        first = number(rows[0]["id"])
        context.client.write(call("updateColumn", column_id=first, title=name))
        return Written(column({**rows[0], "title": name}))
    made, rows = context.client.create(
        call("addColumn", project_id=root, title=name), call("getColumns", project_id=root)
    )
    if not number(made):
        raise Rejected(f"Kanboard refuses the column {name!r} in project {root}")
    (row,) = (row for row in rows if number(row["id"]) == number(made))
    order = desired.fields.get(Status.ORDER)
    if isinstance(order, int) and order < number(row["position"]):
        row = _moved(root, row, order, context)
    return Written(column(row))


def change_column(
    observed: Observed, changes: Mapping[str, Value], place: Place, context: Context
) -> Written:
    """Changes name or order; the rest of a column is people's."""
    root = int(place.root_id)
    row = _read_column(observed.id, root, context)
    if changes.get(Status.NAME) and str(changes[Status.NAME]) != str(row["title"]):
        params = {
            "column_id": number(row["id"]),
            "title": str(changes[Status.NAME]),
            "task_limit": number(row.get("task_limit")),
            "description": str(row.get("description") or ""),
        }
        (done,) = context.client.write(call("updateColumn", **params))
        if not done:
            raise Rejected(f"Kanboard refuses the name {changes[Status.NAME]!r} for a column")
    order = changes.get(Status.ORDER)
    if isinstance(order, int) and order != number(row["position"]):
        _moved(root, row, order, context)
    return Written(column(_read_column(observed.id, root, context)))


def now_column(observed: Observed, place: Place, context: Context) -> Observed:
    """Returns a column as it is now.

    :raises Vanished: it is not there.
    """
    return column(_read_column(observed.id, int(place.root_id), context))


def _read_column(column_id: str, root: int, context: Context) -> Row:
    for row in context.client.read("getColumns", project_id=root):
        if str(number(row["id"])) == column_id:
            found: Row = row
            return found
    raise Vanished(f"column {column_id} no longer exists")


def _moved(root: int, row: Row, order: int, context: Context) -> Row:
    """Puts a column in its place; the last one where there are fewer."""
    count = len(context.client.read("getColumns", project_id=root))
    place = max(1, min(order, count))
    moving = {"project_id": root, "column_id": number(row["id"]), "position": place}
    context.client.write(call("changeColumnPosition", **moving))
    return {**row, "position": place}
