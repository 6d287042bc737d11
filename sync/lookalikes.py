"""Keys that differ from one another only in letter case or Unicode form. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from sync.source import Quarantined


def lookalikes(new: Collection[str], missing: Collection[str]) -> dict[str, str]:
    """Returns the ``new`` keys that look like a ``missing`` one, each with that one."""
    known = {_folded(key): key for key in missing}
    return {key: known[_folded(key)] for key in new if _folded(key) in known}


def held(new: str, old: str) -> Quarantined:
    """Says why a group is not made whose key looks like that of one that is gone."""
    reason = (
        f"{new!r} is new in the source and {old!r} is gone from it, and the two differ only in "
        "case or Unicode form; nothing was made and nothing put away. If it is the same deal, "
        f"write its key as before; if not, let go of the old one: 'pipeline-sync unlink {old}'"
    )
    return Quarantined(new, "key", reason)


def _folded(key: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", key).casefold())
