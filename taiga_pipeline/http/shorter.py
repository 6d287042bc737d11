"""Addresses of one page of a tool, copied from a browser: which shorter one the tool answers at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

_MOST: Final = 8
"""How many shorter addresses are asked at most."""


def shorter(url: str) -> Iterator[str]:
    """Yields ``url`` without the last parts of its path, the longest first."""
    parts = urlsplit(url)
    names = [name for name in parts.path.split("/") if name]
    for kept in range(len(names) - 1, -1, -1)[:_MOST]:
        path = "".join(f"/{name}" for name in names[:kept])
        yield f"{parts.scheme}://{parts.netloc}{path}"
