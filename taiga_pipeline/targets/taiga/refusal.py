"""The meaning of answers that are not a success. Status and keys decide: texts are translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sync.errors import (
    Malformed,
    Rejected,
    Stale,
    SyncError,
    Unauthorised,
    Unreachable,
    Vanished,
)
from taiga_pipeline.http.answer import Answer

WRONG_ADDRESS: Final = (
    "a web page answers in place of Taiga's API; is target.url the address of the API? (it may be "
    "another host than the web page)"
)


class Refusal(Rejected):
    """The server refuses a request. ``status`` and ``keys`` say what of it."""

    def __init__(self, what: str, answer: Answer) -> None:
        words = answer.explain()
        super().__init__(f"Taiga refuses {what} ({answer.status}{': ' if words else ''}{words})")
        self.status = answer.status
        self.keys = answer.keys


class Unseen(Vanished):
    """It is there, and not for this account's eyes."""


def refusal(what: str, answer: Answer, *, writes: bool) -> SyncError:
    """Returns the error that ``answer`` (3xx and 5xx aside) stands for."""
    if answer.status == 401:
        return Unauthorised(f"Taiga does not accept this account for {what} (401)")
    if answer.status == 404:
        return _missing(what, answer)
    if answer.status == 403 and not writes:
        return Unseen(f"{what}: this account may not see it (403)")
    if answer.status == 400 and answer.keys == {"version"}:
        return Stale(f"{what}: another user changed it just now")
    return Refusal(what, answer)


@contextmanager
def needed_by_every_run() -> Iterator[None]:
    """Turns the failure of a request without which no run can go on into the end of the run.

    :raises Unauthorised: instead of `Rejected`.
    :raises Unreachable: instead of `Malformed`.
    """
    try:
        with refused_to_every_run():
            yield
    except Malformed as error:
        raise Unreachable(f"{error}; every run needs this. Is target.url right?") from error


@contextmanager
def refused_to_every_run() -> Iterator[None]:
    """Turns the refusal of what every run asks for into the end of the run.

    :raises Unauthorised: instead of `Rejected`.
    """
    try:
        yield
    except Rejected as error:
        raise Unauthorised(
            f"{error}; every run needs this. Does the account still have its rights in Taiga, and "
            "is there a firewall in front of it?"
        ) from error


def _missing(what: str, answer: Answer) -> SyncError:
    """A page says that something else answers, data that the object is not there."""
    if answer.is_page:
        return Malformed(f"{what}: {WRONG_ADDRESS}")
    return Vanished(f"{what}: it is not there (404)")
