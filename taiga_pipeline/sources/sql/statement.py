"""Whether a query is one statement that reads: said before any database sees it.

What really keeps a query from writing is the connection, and the rights of its account. This says
it earlier and in clearer words.
"""

from __future__ import annotations

import re
from typing import Final

_OPAQUE: Final = re.compile(
    r"""'(?:[^']|'')*'            # text
    |"(?:[^"]|"")*"               # names
    |`[^`]*`
    |\$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    |--[^\n]*                     # comments
    |/\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
_READS: Final = ("SELECT", "WITH", "VALUES", "TABLE")
_WRITES: Final = re.compile(
    r"\b(?:(?P<into>into)|delete\s+from|update\s+\S+\s+set|for\s+(?:no\s+key\s+)?update)\b",
    re.IGNORECASE,
)


def plain(query: str) -> str:
    """Returns a query without the semicolon at its end, which a cursor must not have."""
    return query.strip().rstrip(";").rstrip()


def objection(query: str) -> str:
    """Says why a query cannot be used, "" if nothing is against it."""
    words = _OPAQUE.sub(" ' ", plain(query))
    first = next(iter(re.findall(r"[A-Za-z]+", words)), "").upper()
    if ";" in words:
        return "holds several statements; write one SELECT"
    if first not in _READS:
        return f"begins with {first or 'no word'}; write a query that only reads: SELECT …"
    if found := _WRITES.search(words):
        return (
            f"writes, or locks rows that others may write ({' '.join(found[0].split()).upper()}); "
            "write a query that only reads"
        )
    return ""
