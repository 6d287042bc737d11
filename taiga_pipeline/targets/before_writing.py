"""What has to be read before something is made: if that fails, nothing was made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sync.errors import Malformed, NotSent, Unavailable


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
