"""The people who use the pages: their roles, and the file that says how they log in.

A password is kept as its scrypt hash (RFC 7914), with N = 2^15, r = 8, p = 3: 32 MiB for a try.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.files import PRIVATE, write_text
from taiga_pipeline.problems import Problem, ProblemsError, nearest

MAX_USERS: Final = 2_000
MAX_BYTES: Final = 4_000_000
MAX_PASSWORD: Final = 1_000
MIN_PASSWORD: Final = 10
_COST, _BLOCK, _PARALLEL = 15, 8, 3
_MEMORY: Final = 64 * 1024 * 1024
_NAME: Final = re.compile(r"[\w.@+-]{1,100}")
_HASH: Final = re.compile(
    r"scrypt\$(?P<cost>1[0-7])\$(?P<block>8)\$(?P<parallel>[1-8])\$"
    r"(?P<salt>[A-Za-z0-9+/=]{16,64})\$(?P<key>[A-Za-z0-9+/=]{40,100})"
)


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    READ = "read"
    """Look at everything."""
    SELL = "sell"
    """Change deals, notes and customers."""
    PLAN = "plan"
    """Put people on deals, keep scenarios."""
    ADMIN = "admin"
    """Settle conflicts, run a sync, edit mappings."""

    def allows(self, asked: Role) -> bool:
        """Whether somebody of this role may do what ``asked`` is needed for."""
        order = list(Role)
        return order.index(self) >= order.index(asked)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the pages. ``name`` stands in the history; ``owner`` is what deals call
    them."""

    name: str
    role: Role
    owner: str = ""

    @property
    def known_as(self) -> str:
        """The name by which deals are theirs."""
        return self.owner or self.name


@dataclass(frozen=True, slots=True)
class User:
    """A person with the hash of a password, "" for one whom a proxy logs in."""

    person: Person
    hash: str = ""


def hashed(password: str, cost: int = _COST) -> str:
    """Returns the hash of a password, with its salt and its costs; ``cost`` is the log of N."""
    salt = secrets.token_bytes(16)
    key = _scrypt(password, salt, cost, _BLOCK, _PARALLEL)
    return f"scrypt${cost}${_BLOCK}${_PARALLEL}${_text(salt)}${_text(key)}"


def fits(password: str, stored: str) -> bool:
    """Whether a password is the one of a hash. It takes as long where there is none."""
    match = _HASH.fullmatch(stored or _NOBODYS)
    if match is None or len(password) > MAX_PASSWORD:
        return False
    salt, key = base64.b64decode(match["salt"]), base64.b64decode(match["key"])
    costs = (int(match[name]) for name in ("cost", "block", "parallel"))
    return hmac.compare_digest(_scrypt(password, salt, *costs), key) and bool(stored)


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << cost,
        r=block,
        p=parallel,
        maxmem=_MEMORY if cost <= 15 else 4 * _MEMORY,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


_NOBODYS: Final = f"scrypt${_COST}${_BLOCK}${_PARALLEL}${_text(bytes(16))}${_text(bytes(64))}"
"""A hash that no password has."""


def read_users(path: Path) -> dict[str, User]:
    """Returns the users of a file by their names in lower case; none where there is no file.

    :raises ProblemsError: every problem in it; never what a hash is.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _problem(path, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise _problem(path, f"larger than {MAX_BYTES:,} bytes")
    try:
        entries = tomllib.loads(data.decode("utf-8")).get("user", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise _problem(path, "not a file of users; see 'pipeline-sync web user add'") from None
    if not isinstance(entries, list) or len(entries) > MAX_USERS:
        raise _problem(path, f"holds no list of at most {MAX_USERS:,} users")
    users, problems = {}, []
    for number, entry in enumerate(entries, 1):
        try:
            user = _user(entry)
        except ValueError as error:
            problems.append(Problem(f"user {number}: {error}", str(path)))
        else:
            users[user.person.name.casefold()] = user
    if problems:
        raise ProblemsError(problems)
    return users


def _user(entry: object) -> User:
    if not isinstance(entry, Mapping) or not all(isinstance(each, str) for each in entry.values()):
        raise ValueError("holds something else than texts")
    if unknown := sorted(entry.keys() - {"name", "role", "owner", "password"}):
        raise ValueError(f"unknown setting {unknown[0]!r}")
    name, role = check_name(entry.get("name", "")), entry.get("role", "")
    if role not in list(Role):
        raise ValueError(f"{role!r} is not a role ({', '.join(Role)})")
    stored = entry.get("password", "")
    if stored and not _HASH.fullmatch(stored):
        raise ValueError("its password is not a hash that 'pipeline-sync web user add' makes")
    return User(Person(name, Role(role), entry.get("owner", "")), stored)


def check_name(name: str) -> str:
    """Returns a user's name.

    :raises ValueError: it cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name to log in with: letters, digits and . _ @ + -")
    return name


def check_password(password: str) -> str:
    """Returns a new password.

    :raises ProblemsError: it is too short or too long.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ProblemsError(
            [Problem(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD:,} characters")]
        )
    return password


def keep_user(path: Path, user: User) -> bool:
    """Adds a user to a file, or replaces theirs; returns whether they are new.

    :raises ProblemsError: the file has problems, or is full.
    """
    users = read_users(path)
    is_new = user.person.name.casefold() not in users
    users[user.person.name.casefold()] = user
    if len(users) > MAX_USERS:
        raise _problem(path, f"holds {MAX_USERS:,} users already")
    _write(path, users)
    return is_new


def remove_user(path: Path, name: str) -> Person:
    """Takes a user out of a file, and returns who it was.

    :raises ProblemsError: there is no such user.
    """
    users = read_users(path)
    if (gone := users.pop(name.casefold(), None)) is None:
        near = nearest(name, (user.person.name for user in users.values()))
        meant = f"; did you mean {near!r}?" if near else ""
        raise _problem(path, f"no user is called {name!r}{meant}")
    _write(path, users)
    return gone.person


def _write(path: Path, users: Mapping[str, User]) -> None:
    head = "# The people who use the pages. Made by 'pipeline-sync web user'.\n"
    write_text(path, head + "".join(map(_entry, users.values())), PRIVATE)


def _entry(user: User) -> str:
    person = user.person
    values: dict[str, Any] = {"name": person.name, "role": person.role.value}
    values |= {"owner": person.owner} if person.owner else {}
    values |= {"password": user.hash} if user.hash else {}
    # A JSON string is one of TOML, but for a DEL, which no name can hold and no hash has.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return "\n[[user]]\n" + "".join(lines)


def _problem(path: Path, message: str) -> ProblemsError:
    return ProblemsError([Problem(message, str(path))])
