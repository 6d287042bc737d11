"""Reads a list to its end and proves that it came whole.

Redmine puts at most 100 rows on a page, whatever it is asked for, and says how many there are in
all. It answers a filter that it does not know with *everything*, so that each row is checked
against what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sync.errors import IncompleteRead, Unreachable
from taiga_pipeline.targets.http.answer import JSON
from taiga_pipeline.targets.redmine.client import Client

PAGE_SIZE: Final = 100
"""The most that Redmine puts on a page."""

_READINGS: Final = 3

Row = Mapping[str, JSON]
"""One element of a list. Every one has an ``id``."""

Params = Mapping[str, str | int]


def read_all(
    client: Client,
    name: str,
    params: Params,
    *,
    within: str = "",
    belongs: Callable[[Row], bool] = lambda row: True,
) -> Iterator[Row]:
    """Yields each row of a list once; a normal end means that none is missing.

    :param name: what the list is called, in the answer and in its address ("projects").
    :param within: where the list is, "" for the list of all ("projects/7").
    :param belongs: tells whether a row is what was asked for; others are left out.
    :raises IncompleteRead: the list did not come whole, not even when read again.
    :raises Vanished: there is no such list (any more).
    """
    path = f"{within}/{name}.json" if within else f"{name}.json"
    seen: set[int] = set()
    for _ in range(_READINGS):
        counts: set[int] = set()
        ids: set[int] = set()
        for rows, count in _pages(client, name, path, params):
            counts.add(count)
            ids.update(row["id"] for row in rows)
            for row in rows:
                if row["id"] not in seen:
                    seen.add(row["id"])
                    if belongs(row):
                        yield row
        if counts == {len(ids)}:
            return
    announced = " and ".join(str(count) for count in sorted(counts))
    raise IncompleteRead(
        f"GET {path}: {len(ids)} of {announced} arrived, {_READINGS} times; nothing is concluded "
        "from a part. The list changed each time it was read; the next run reads it again"
    )


def count_rows(client: Client, name: str, params: Params) -> int:
    """Returns how long a list of all is."""
    return _page(client, name, f"{name}.json", {**params, "limit": 1})[1]


def _pages(client: Client, name: str, path: str, params: Params) -> Iterator[tuple[list[Row], int]]:
    offset = 0
    while True:
        rows, count = _page(client, name, path, {**params, "limit": PAGE_SIZE, "offset": offset})
        yield rows, count
        offset += len(rows)
        if not rows or offset >= count:
            return


def _page(client: Client, name: str, path: str, params: Params) -> tuple[list[Row], int]:
    """Returns a page's rows and the count of all; a list without a count comes whole."""
    data = client.get(path, params).data
    rows = data.get(name) if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows
    ):
        raise Unreachable(f"GET {path}: what answers at target.url is not Redmine's list")
    count = data.get("total_count", len(rows))
    if not isinstance(count, int):
        raise Unreachable(f"GET {path}: what answers at target.url is not Redmine's list")
    return rows, count
