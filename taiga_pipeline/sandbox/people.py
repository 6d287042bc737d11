"""How people appear in answers: small cards, member rows and the full account."""

import hashlib
from functools import lru_cache

from taiga_pipeline.sandbox.models import Membership, Project, User
from taiga_pipeline.sandbox.serving.wire import Json, timestamp
from taiga_pipeline.sandbox.store import Store


@lru_cache(maxsize=4096)
def gravatar(email: str) -> str:
    """The MD5 of an e-mail, which names its picture."""
    return hashlib.md5(email.lower().encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def color(user: User) -> str:
    """A steady colour for a person."""
    return "#" + gravatar(user.email)[:6]


def card(user: User | None) -> Json:
    """The short form in owner, invited_by and *_extra_info fields."""
    if user is None:
        return None
    return {
        "username": user.username,
        "full_name_display": user.full_name or user.username,
        "photo": None,
        "big_photo": None,
        "gravatar_id": gravatar(user.email),
        "is_active": user.is_active,
        "id": user.id,
    }


def members(store: Store, project: Project) -> list[Membership]:
    """The accepted memberships of a project, by name of the person."""
    rows = [row for row in store.memberships.of(project.id) if row.user is not None]
    return sorted(rows, key=lambda row: (_full_name(store, row), row.id))


def _full_name(store: Store, row: Membership) -> str:
    user = store.users.get(row.user)
    return user.full_name if user else ""


def member_card(store: Store, row: Membership) -> Json:
    """A member in the detail of a project."""
    user, role = store.users.get(row.user), store.roles.get(row.role)
    if user is None:
        return None
    return {
        "role": row.role,
        "role_name": role.name if role else None,
        "full_name": user.full_name,
        "full_name_display": user.full_name or user.username,
        "is_active": user.is_active,
        "id": user.id,
        "color": color(user),
        "username": user.username,
        "photo": None,
        "gravatar_id": gravatar(user.email),
    }


def public_profile(store: Store, user: User) -> dict[str, Json]:
    """An account as other people see it."""
    held = store.memberships.of_user(user.id).values()
    roles = {role.name for row in held if (role := store.roles.get(row.role))}
    owned = [project for project in store.projects if project.owner == user.id]
    return {
        "id": user.id,
        "username": user.username,
        "full_name": user.full_name,
        "full_name_display": user.full_name or user.username,
        "color": color(user),
        "bio": "",
        "lang": user.lang,
        "theme": "",
        "timezone": "",
        "is_active": user.is_active,
        "photo": None,
        "big_photo": None,
        "gravatar_id": gravatar(user.email),
        "roles": sorted(roles),
        "total_private_projects": sum(project.is_private for project in owned),
        "total_public_projects": sum(not project.is_private for project in owned),
    }


def _uuid(user: User) -> str:
    """A number that no account of another sandbox has (Taiga draws it at random)."""
    drawn = f"{user.id} {user.date_joined.isoformat()}"
    return hashlib.md5(drawn.encode(), usedforsecurity=False).hexdigest()


def account(store: Store, user: User) -> dict[str, Json]:
    """An account as its owner sees it, at log-in and at /users/me."""
    return public_profile(store, user) | {
        "email": user.email,
        "uuid": _uuid(user),
        "date_joined": timestamp(user.date_joined),
        "read_new_terms": False,
        "accepted_terms": True,
        "max_private_projects": None,
        "max_public_projects": None,
        "max_memberships_private_projects": None,
        "max_memberships_public_projects": None,
        "verified_email": user.verified_email,
    }
