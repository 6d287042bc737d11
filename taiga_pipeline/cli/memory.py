"""How often unused circles of objects are looked for.

A large pipeline is read into millions of objects that all stay until the command ends: looking
through them as often as is usual takes a tenth of its time.
"""

from __future__ import annotations

import gc
from typing import Final

_SELDOM: Final = 1_000_000
"""New objects after which they are looked for in a command that ends soon."""
_OFTEN: Final = 100_000
"""The same in one that serves for long."""


def look_seldom() -> None:
    """Is called by a command that begins."""
    gc.set_threshold(_SELDOM, 50, 50)


def look_often() -> None:
    """Is called by a command that serves until it is told to end."""
    if gc.get_threshold()[0] > _OFTEN:
        gc.set_threshold(_OFTEN, 50, 50)


def look_no_more() -> None:
    """Is called when the process ends: what is left goes with it, looked at or not."""
    gc.freeze()
