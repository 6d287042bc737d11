"""Reads the records of a domain to the end, and proves that they came whole.

A list is read in the order of the records' ids, each page from behind the last id, so that what
others add or delete meanwhile moves nothing past the reader. At the end Odoo is asked how many
records there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync.errors import IncompleteRead, Malformed
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.odoo.client import OdooClient

PAGE: Final = 500
"""Records on a page."""

_READINGS: Final = 3

Row = Mapping[str, JSON]
"""A record as Odoo gives it; False stands for nothing in every field that is no yes or no."""

Domain = Sequence[JSON]

ALL: Final[Mapping[str, JSON]] = {"active_test": False}
"""The context that shows archived records, too."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the fields of a model's records that are in a domain."""

    model: str
    fields: Sequence[str]
    domain: Domain = ()
    context: Mapping[str, JSON] = field(default_factory=lambda: ALL)
    size: int = PAGE


def pages(client: OdooClient, asked: Asked) -> Iterator[list[Row]]:
    """Yields the records of a domain by ascending id, page by page, each once; a normal end means
    that none is missing.

    :raises IncompleteRead: the list did not come whole, not even when read again.
    """
    seen: set[int] = set()
    for _ in range(_READINGS):
        for rows in from_start(client, asked):
            fresh = [row for row in rows if row["id"] not in seen]
            seen.update(row["id"] for row in fresh)
            if fresh:
                yield fresh
        there = client.read(
            asked.model, "search_count", domain=list(asked.domain), context=dict(asked.context)
        )
        if there <= len(seen):
            return
    raise IncompleteRead(
        f"{asked.model}: {len(seen)} of {there} records came, {_READINGS} times; a partial read is "
        "not used. The list changed each time it was read; the next run reads it again"
    )


def from_start(client: OdooClient, asked: Asked) -> Iterator[list[Row]]:
    """Yields the pages of a list, until one is not full; nobody counts them."""
    last = 0
    progress = client.list_progress(asked.model)
    while True:
        progress.note_page()
        rows = client.read(
            asked.model,
            "search_read",
            domain=[["id", ">", last], *asked.domain],
            fields=list(asked.fields),
            order="id",
            limit=asked.size,
            context=dict(asked.context),
        )
        last = _end(asked.model, rows, last)
        yield rows
        if len(rows) < asked.size:
            return


def records(
    client: OdooClient,
    model: str,
    fields: Sequence[str],
    domain: Domain = (),
    context: Mapping[str, JSON] = ALL,
) -> Iterator[Row]:
    """Yields the records of a domain one by one; see `pages`."""
    for rows in pages(client, Asked(model, fields, domain, context)):
        yield from rows


def by_id(
    client: OdooClient,
    model: str,
    ids: Sequence[int],
    fields: Sequence[str],
    context: Mapping[str, JSON] = ALL,
) -> dict[int, Row]:
    """Returns records by their ids; one that is not there is missing.

    Records that the account may not see are missing, too, where ``read`` would refuse all.
    """
    found: dict[int, Row] = {}
    every = sorted(set(ids))
    for at in range(0, len(every), PAGE):
        rows = client.read(
            model,
            "search_read",
            domain=[["id", "in", every[at : at + PAGE]]],
            fields=list(fields),
            context=dict(context),
        )
        found.update({row["id"]: row for row in rows})
    return found


def _end(model: str, rows: Sequence[Row], last: int) -> int:
    """Returns the last id of a page."""
    for row in rows:
        if row["id"] <= last:
            raise Malformed(f"{model}: record {row['id']} came after record {last}")
        last = row["id"]
    return last


def name_of(value: JSON) -> str:
    """Returns the name of what a field leads to, "" for nothing."""
    return str(value[1] or "") if _leads_somewhere(value) else ""


def id_of(value: JSON) -> int:
    """Returns the id of what a field leads to, 0 for nothing."""
    return int(value[0]) if _leads_somewhere(value) else 0


def _leads_somewhere(value: JSON) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], int)
