"""Reads a list to its end and proves that it came whole.

Redmine puts at most 100 rows on a page, whatever it is asked for, and says how many there are in
all. It answers a filter that it does not know with *everything*, so that each row is checked
against what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sync.errors import IncompleteRead, Malformed
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.targets.redmine.client import Client
from taiga_pipeline.targets.redmine.shapes import row_trouble

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
    :raises Malformed: a row is not as it should be.
    :raises Vanished: there is no such list (any more).
    """
    for row in read_rows(client, name, params, within):
        if wrong := row_trouble(name, row):
            raise Malformed(f"GET {name}.json: row {row['id']} {wrong}")
        if belongs(row):
            yield row


def read_rows(client: Client, name: str, params: Params, within: str = "") -> Iterator[Row]:
    """Reads as `read_all`, and leaves it to the caller to look whether a row is as it should be."""
    path = f"{within}/{name}.json" if within else f"{name}.json"
    seen: set[int] = set()
    for _ in range(_READINGS):
        counts: set[int] = set()
        ids: set[int] = set()
        for rows, count in _pages(client, name, path, params):
            counts.add(count)
            before = len(ids)
            ids.update(row["id"] for row in rows)
            for row in rows:
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row
            if len(ids) == before:  # a server may offer its first page forever
                break
        if counts == {len(ids)}:
            return
    announced = " and ".join(str(count) for count in sorted(counts))
    raise IncompleteRead(
        f"GET {path}: {len(ids)} of {announced} arrived, {_READINGS} times; a partial read is not "
        "used. The list changed each time it was read; the next run reads it again"
    )


def count_rows(client: Client, name: str, params: Params) -> int:
    """Returns how long a list of all is."""
    return _page(client, name, f"{name}.json", {**params, "limit": 1})[1]


def _pages(client: Client, name: str, path: str, params: Params) -> Iterator[tuple[list[Row], int]]:
    offset = 0
    progress = client.list_progress(path)
    while True:
        progress.note_page()
        rows, count = _page(client, name, path, {**params, "limit": PAGE_SIZE, "offset": offset})
        yield rows, count
        offset += len(rows)
        if not rows or offset >= count:
            return


def _page(client: Client, name: str, path: str, params: Params) -> tuple[list[Row], int]:
    """Returns a page's rows and the count of all; a list without a count comes whole."""
    data = client.get(path, params).data
    rows: list[Row] = data[name]
    return rows, data.get("total_count", len(rows))
