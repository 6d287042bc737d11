"""What comes before something is made, and after: what its failure says of the making."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sync.errors import Malformed, NotSent, OutcomeUnknown, Rejected, Stale, Unavailable


@contextmanager
def before_writing() -> Iterator[None]:
    """For what has to be read before something is made: if that fails, nothing was made.

    :raises NotSent: instead of `Unavailable` and `Malformed`.
    """
    try:
        yield
    except NotSent:
        raise
    except Unavailable as error:
        raise NotSent(str(error), error.wait_seconds) from error
    except Malformed as error:
        raise NotSent(str(error)) from error


@contextmanager
def after_making(what: str, made: str) -> Iterator[None]:
    """For what is left to do once something was made: if that fails, it was made all the same.

    ``what`` names its kind, ``made`` is its id.

    :raises OutcomeUnknown: instead of what says that nothing was made, or does not say what was;
        it is gone on with.
    """
    try:
        yield
    except (OutcomeUnknown, Unavailable, Malformed, Rejected, Stale) as error:
        raise OutcomeUnknown(
            f"{what} {made} was made, and is not complete: {error}", made=made
        ) from error
