"""How a tool gives its account another secret, where its API lets it."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from taiga_pipeline.credentials import Secret
from taiga_pipeline.problems import Problem, ProblemsError

_LENGTH: Final = 32
_SIGNS: Final = "-_"
_KINDS: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _SIGNS)


class CannotRotate(ProblemsError):
    """No program can give this account another secret; the message says who can, and where."""

    def __init__(self, message: str) -> None:
        super().__init__([Problem(message)])


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a tool offers to the account that it was made for. None of it is called on its own.

    ``lets_in`` tells whether the account is let in with its present secret; it raises where nobody
    answers. ``replace`` puts another secret in the place of the present one, which is worthless
    from then on: a password. ``make`` has the tool make another one, beside which the present one
    works until ``end``, called by the account with the new one, ends it: a key. One of ``replace``
    and ``make`` is there.
    """

    lets_in: Callable[[], bool]
    replace: Callable[[Secret], None] | None = None
    make: Callable[[], Secret] | None = None
    end: Callable[[Secret], None] | None = None


@runtime_checkable
class RotatesSecret(Protocol):
    """A source or target that knows whether, and how, its account can get another secret."""

    def rotation(self) -> Rotation:
        """Returns what the tool offers; asks nothing.

        :raises CannotRotate: nothing, to an account that logs in like this one.
        """


def new_password() -> Secret:
    """Returns a password that nobody knows, with letters of both cases, a digit and a sign.

    Tools and their policies ask for up to that much; 190 bits are left to chance.
    """
    letters = "".join(_KINDS)
    while True:
        value = "".join(secrets.choice(letters) for _ in range(_LENGTH))
        if all(set(value) & set(kind) for kind in _KINDS) and value[0] not in _SIGNS:
            return Secret(value)
