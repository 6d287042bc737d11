"""What a server that died in the midst of making a project leaves behind."""

from __future__ import annotations

import re
from typing import Final

_SUFFIX: Final = re.compile(r"(.+)-([1-9][0-9]{0,3})")


def own_address(name: str) -> str:
    """Returns the address that a project of this ``name`` has if it is free, "" if only Taiga can
    tell: it writes other letters in ASCII."""
    return _written(name) if name.isascii() else ""


def _written(name: str) -> str:
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", name).strip().lower())


def taken_address(slug: str, name: str) -> str:
    """Returns the address that a project of this ``name`` would have if it were free.

    Taiga adds a number to an address that is taken. Returns "" if this is the project's own address
    after all, or may be: a name may end with a number, too.
    """
    found = _SUFFIX.fullmatch(slug)
    if found is None:
        return ""
    written = _written(name)
    if name.isascii():
        return found[1] if written.endswith(found[1]) and not written.endswith(slug) else ""
    return "" if written.endswith(found[2]) else found[1]


def half_made(slug: str, project_id: str) -> str:
    """Says what is left over, and who can remove it."""
    which = f"project {project_id}" if project_id else "a project that this account cannot see"
    return (
        f"an earlier attempt to make its project was cut off, and {which} has the address "
        f"'{slug}'. It is probably incomplete: without members, and not used. A superuser of Taiga "
        "can check and delete it; the deal's own project is complete"
    )
