"""Reads a list to its end and proves that it came whole.

Taiga's pages are windows on a list that moves while it is read: a project that is renamed in the
meantime can slip from a page not read yet into one that was. A reading is whole when every page
announced the same count and as many different rows arrived; otherwise the list is read again.

Pages fit together only where the order of the list tells any two rows apart. The database sorts
again for each page, and puts rows that are alike in any order: some come twice, others never. A
list of such an order that does not fit on one page is read by one request that asks for no pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sync.errors import IncompleteRead, Malformed, Vanished
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.bounds import ListProgress
from taiga_pipeline.http.shapes import list_trouble
from taiga_pipeline.targets.taiga.shapes import row_trouble

PAGE_SIZE: Final = 1000
"""The most that Taiga puts on a page."""

_UNIQUE_ORDERS: Final[Mapping[str, Mapping[str, str]]] = {
    "projects": {},
    "userstories": {},
    "wiki": {},
    "user-storage": {},
    "milestones": {"order_by": "project"},
}
"""The lists whose pages fit together, and what to ask for so that they do.

By themselves, projects are ordered by name and id, stories by project, place in the backlog and
number, wiki pages by project and address, the storage by key; milestones by date alone, unless an
order is asked for: Taiga then adds the id. Roles are ordered by place and name alone.
"""

_WHOLE: Final = {"x-disable-pagination": "True"}
_READINGS: Final = 3
_COUNT: Final = "X-Pagination-Count"
_NEXT: Final = "X-Pagination-Next"


class Reader(Protocol):
    """Whatever reads: a `Client`, or something around it."""

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Reads; see `client.Client.get`."""

    def list_progress(self, path: str) -> ListProgress:
        """Returns what holds one reading of a list to its bounds."""


Row = Mapping[str, JSON]
"""One element of a list. Every one has an ``id``, or another field that tells it apart."""


@dataclass(slots=True)
class _Reading:
    """What one pass over the pages brought."""

    counts: set[int] = field(default_factory=set)
    ids: set[int | str] = field(default_factory=set)
    broke_off: bool = False

    def take(self, rows: Sequence[Row], identity: str) -> bool:
        """Takes a page up; tells whether it brought anything new."""
        before = len(self.ids)
        self.ids.update(row[identity] for row in rows)
        return len(self.ids) > before

    @property
    def whole(self) -> bool:
        return not self.broke_off and self.counts == {len(self.ids)}

    def __str__(self) -> str:
        announced = " and ".join(str(count) for count in sorted(self.counts))
        return f"{len(self.ids)} of {announced or 'an unknown number'}"


def read_all(
    client: Reader,
    path: str,
    params: Mapping[str, str | int],
    identity: str = "id",
) -> Iterator[Row]:
    """Yields each row of a list once; a normal end means that none is missing.

    ``identity`` names the field that tells the rows apart.

    :raises IncompleteRead: the list did not come whole, not even when read again.
    :raises Malformed: a row is not as it should be.
    :raises Vanished: there is no such list (any more).
    """
    for row in read_rows(client, path, params, identity):
        if wrong := row_trouble(path, row):
            raise Malformed(f"GET {path}: row {row[identity]} {wrong}")
        yield row


def read_rows(
    client: Reader, path: str, params: Mapping[str, str | int], identity: str = "id"
) -> Iterator[Row]:
    """Reads as `read_all`, and leaves it to the caller to look whether a row is as it should be."""
    yielded: set[int | str] = set()
    for _ in range(_READINGS):
        reading = _Reading()
        for row in _read_once(client, path, params, reading, identity):
            if row[identity] not in yielded:
                yielded.add(row[identity])
                yield row
        if reading.whole:
            return
    raise IncompleteRead(
        f"GET {path}: {reading} arrived, {_READINGS} times; a partial read is not used. The list "
        "changed each time it was read, or the server's pages do not match. The next run reads it "
        "again; if the numbers stay the same, report them with Taiga's version"
    )


def has_unique_order(path: str) -> bool:
    """Whether a list longer than a page can be read in pages."""
    return path in _UNIQUE_ORDERS


def count_rows(client: Reader, path: str) -> int:
    """Returns how long a list is."""
    return _count(client.get(path, {"page_size": 1}), path)


def _read_once(
    client: Reader,
    path: str,
    params: Mapping[str, str | int],
    reading: _Reading,
    identity: str,
) -> Iterator[Row]:
    ordered = {**params, **_UNIQUE_ORDERS.get(path, {})}
    page = 1
    progress = client.list_progress(path)
    while True:
        progress.note_page()
        try:
            answer = client.get(path, {**ordered, "page_size": PAGE_SIZE, "page": page})
        except Vanished:
            if page == 1:
                raise
            reading.broke_off = True  # the list has become shorter than the pages read so far
            return
        reading.counts.add(_count(answer, path))
        more = _NEXT in answer.headers
        if more and not has_unique_order(path):
            answer = client.get(path, params, _WHOLE)
            more = False
        if wrong := list_trouble(answer.data, identity):
            raise Malformed(f"GET {path}: what the server answered {wrong}")
        rows: Sequence[Row] = answer.data
        is_new = reading.take(rows, identity)
        yield from rows
        if not more:
            return
        if not is_new:  # a server may offer its first page forever
            reading.broke_off = bool(rows)
            return
        page += 1


def _count(answer: Answer, path: str) -> int:
    try:
        return int(answer.headers[_COUNT])
    except (KeyError, ValueError):
        raise IncompleteRead(
            f"GET {path}: the answer lacks {_COUNT}, so it is not known whether it is complete; "
            "does a proxy in front of Taiga remove headers?"
        ) from None
