"""Reads what lives in projects, in as few requests as there are ways to do it.

Taiga lists each kind of children by project, or over all projects of the account. For a few
projects the first is cheaper, for many the second; only the first shows members' addresses.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sync.errors import Failing, IncompleteRead, Malformed, Rejected
from sync.records.model import Observed
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.parallel import each_or_none
from taiga_pipeline.targets.taiga.cards.board import (
    WithRows,
    read_cards,
    read_lasting,
    tasks_on,
    with_values,
)
from taiga_pipeline.targets.taiga.cards.values import has_report
from taiga_pipeline.targets.taiga.children import (
    FIRST_VERSION,
    Memberships,
    Stories,
    TaigaClientContext,
    note_address,
)
from taiga_pipeline.targets.taiga.kinds import KINDS
from taiga_pipeline.targets.taiga.paging import (
    PAGE_SIZE,
    Row,
    count_rows,
    has_unique_order,
    read_all,
)
from taiga_pipeline.targets.taiga.refusal import refused_to_every_run

_LOG: Final = logging.getLogger(__name__)
_FEW: Final = 4
"""Up to so many projects it is not worth a request to ask how long the lists are."""

_MOST_AT_ONCE: Final = 10_000
"""Rows of a list that cannot be read in pages: more take a server too long for one answer."""

_Rows = Mapping[str, list[Row]]
"""Rows by project."""


class ChildReader:
    """Reads the children of projects, up to ``concurrency`` requests at a time."""

    def __init__(self, context: TaigaClientContext, concurrency: int) -> None:
        self._context = context
        self._concurrency = concurrency

    def read(self, root_ids: Collection[str]) -> dict[str, Sequence[Observed]]:
        """Returns the children of each project; one that cannot be read as a whole is missing.

        This account is a member of each: a project without members is not there, or not shown.

        One of a project's children has the project's own kind and id: it carries the delivery
        facts that only its children tell (team, members, progress, milestones).
        """
        boards = [] if self._context.cards is None else sorted(self._context.boards & {*root_ids})
        read = {board: seen for board in boards if (seen := self._board(board)) is not None}
        roots = [root for root in dict.fromkeys(root_ids) if root not in boards]
        found = self._read_projects(roots) if roots else {}
        return {**found, **read}

    def _board(self, root: str) -> Sequence[Observed] | None:
        """Returns what is on a board that people work on; None if it cannot be read as a whole.

        Sprints are of no interest there.
        """
        memory = self._context.board_memory
        known = memory.children(root)
        if known is not None:
            return known
        rows = self._board_rows(root)
        if rows is None:
            return None
        children = self._children(root, rows)
        memory.remember(root, children)
        return children

    def _board_rows(self, root: str) -> WithRows | None:
        client, memory = self._context.client, self._context.board_memory
        assert self._context.cards is not None
        lasting = memory.lasting(root)
        if lasting is None:
            with_pages = self._context.reads_pages or self._context.board_has_pages
            lasting = read_lasting(client, root, with_pages=with_pages)
        cards = read_cards(client, root) if lasting is not None else None
        if lasting is None or cards is None:
            return None
        for row in lasting[Kind.MEMBERSHIP]:
            note_address(row, self._context)
        (project,) = lasting[Kind.PROJECT]
        if has_report(project):  # before there is one, the next look is at everything again
            memory.keep(root, lasting)
        values = self._context.cards.read(project)
        stories = {Kind.STORY: with_values(cards, values), Kind.TASK: list(tasks_on(cards))}
        return {**{kind: [] for kind in KINDS}, **lasting, **stories}

    def _read_projects(self, roots: Sequence[str]) -> dict[str, Sequence[Observed]]:
        """Returns the children of each project that is read by lists alone."""
        by_kind = {kind: self._rows_where_held(kind, roots) for kind in KINDS}
        there = [
            root
            for root in roots
            if by_kind[Kind.MEMBERSHIP].get(root) and all(root in rows for rows in by_kind.values())
        ]
        return {
            root: self._children(root, {kind: rows[root] for kind, rows in by_kind.items()})
            for root in there
        }

    def _rows_where_held(self, kind: str, roots: Sequence[str]) -> _Rows:
        """Returns a kind's rows, asked for only in projects where we keep such records."""
        if kind == Kind.TASK:  # only on boards that people work on, which are read by themselves
            return {root: [] for root in roots}
        if kind != Kind.STATUS and (kind != Kind.WIKI or self._context.reads_pages):
            return self._rows(kind, roots)
        boards = [root for root in roots if root in self._context.boards]
        empty: _Rows = {root: [] for root in roots if root not in self._context.boards}
        return {**empty, **self._rows(kind, boards)} if boards else empty

    def _rows(self, kind: str, roots: Sequence[str]) -> _Rows:
        path = KINDS[kind].path
        if len(roots) > _FEW and self._is_better_read_whole(path, len(roots)):
            try:
                with refused_to_every_run():
                    return self._rows_of_all(path, roots)
            except (IncompleteRead, Malformed, Failing) as error:
                _LOG.info(
                    "reading project by project, because the whole list did not arrive: %s", error
                )
        return self._rows_of_each(path, roots)

    def _is_better_read_whole(self, path: str, roots: int) -> bool:
        """Whether one list over all projects takes less than one list for each."""
        most = roots * PAGE_SIZE if has_unique_order(path) else _MOST_AT_ONCE
        try:
            with refused_to_every_run():
                return count_rows(self._context.client, path) <= most
        except (Malformed, Failing) as error:
            _LOG.info("reading project by project, because the list cannot be counted: %s", error)
            return False

    def _rows_of_all(self, path: str, roots: Sequence[str]) -> _Rows:
        found: dict[str, list[Row]] = {root: [] for root in roots}
        for row in read_all(self._context.client, path, {}):
            rows = found.get(str(row["project"]))
            if rows is not None:
                rows.append(row)
        return found

    def _rows_of_each(self, path: str, roots: Sequence[str]) -> _Rows:
        read = each_or_none(lambda root: self._rows_of_one(path, root), roots, self._concurrency)
        return {root: rows for root, rows in zip(roots, read, strict=True) if rows is not None}

    def _rows_of_one(self, path: str, root: str) -> list[Row] | None:
        """Returns one project's rows, None if this account may not see them (any more)."""
        try:
            rows = list(read_all(self._context.client, path, {"project": root}))
        except Rejected:
            return None
        if path == Memberships.path:
            self._context.told.add(root)
            for row in rows:
                note_address(row, self._context)
        if path == Stories.path:
            rows = [self._in_full(row) for row in rows]
        return rows

    def _in_full(self, row: Row) -> Row:
        """Reads a story of ours that was changed since it was made: lists lack the description.

        A card's is not compared, only written below people's text; there are too many of them.
        """
        story = KINDS[Kind.STORY].observe(row, self._context)
        is_card = str(row["project"]) in self._context.boards
        if is_card or not story.identity or story.change_token == FIRST_VERSION:
            return row
        try:
            full: Row = self._context.client.get(f"{Stories.path}/{story.id}").data
        except (Rejected, Malformed, Failing):
            return row
        return full

    def _children(self, root: str, rows: _Rows) -> list[Observed]:
        children = [KINDS[kind].observe(row, self._context) for kind in KINDS for row in rows[kind]]
        facts = Observed(Kind.PROJECT, root, {}, facts=self._facts(rows))
        is_board = root in self._context.boards and self._context.cards is not None
        return [facts, *_first_tasks(c for c in children if _is_of_interest(c, is_board))]

    def _facts(self, rows: _Rows) -> dict[str, object]:
        """Returns what sales wants to know of a project and only its children tell."""
        members = list(self._people(rows[Kind.MEMBERSHIP]))
        milestones = [KINDS[Kind.MILESTONE].observe(r, self._context) for r in rows[Kind.MILESTONE]]
        closed = [bool(row.get("is_closed")) for row in rows[Kind.STORY]]
        facts: dict[str, object] = {
            "team": sorted(str(member["name"]) for member in members if not member["invited"]),
            "progress": round(sum(closed) / len(closed), 4) if closed else None,
            "milestones": [dict(milestone.facts) for milestone in milestones],
        }
        if all(member["email"] for member in members):
            facts["members"] = sorted(str(member["email"]) for member in members)
        return facts

    def _people(self, rows: Sequence[Row]) -> Iterator[Mapping[str, object]]:
        """Yields the members, this account aside: it keeps the project, it does not work in it."""
        kind = Memberships()
        for row in rows:
            if row.get("user") != self._context.account_id:
                yield kind.observe(row, self._context).facts


def _is_of_interest(child: Observed, is_board: bool) -> bool:
    """Whether a record could be bound to ``child``: people's own stories never are.

    On a board that people work on, their own cards become deals.
    """
    if child.kind == Kind.STORY:
        return is_board or child.identity != ""
    return child.kind != Kind.TASK or child.identity != ""


def _first_tasks(children: Iterable[Observed]) -> Iterator[Observed]:
    """Leaves out a task that says the same as another one on its card: it is people's own."""
    seen: set[str] = set()
    for child in children:
        if child.kind != Kind.TASK or child.identity not in seen:
            yield child
        if child.kind == Kind.TASK:
            seen.add(child.identity)
