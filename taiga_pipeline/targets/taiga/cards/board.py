"""Reads a board on which people work, in as few requests as Taiga allows.

Cards come with their tasks, so that two lists show all that people do: the cards, and the report
with their custom values. What this account alone changes within a run (columns, members, pages) is
read once. A board that shows the token of the last look is not read again at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.errors import Rejected, Vanished
from sync.records.model import Observed
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import Row, read_all

WithRows = dict[str, list[Row]]
"""Rows by kind."""

_WORKED_ON = frozenset({Kind.STORY, Kind.TASK})


@dataclass(frozen=True, slots=True)
class _Look:
    token: str
    children: Sequence[Observed]


@dataclass(slots=True)
class BoardMemory:
    """What is known of boards for as long as a target lasts, by the board's id.

    ``tokens`` are the change tokens that were seen last.
    """

    tokens: dict[str, str] = field(default_factory=dict)
    _looks: dict[str, _Look] = field(default_factory=dict)
    _lasting: dict[str, WithRows] = field(default_factory=dict)

    def children(self, root: str) -> Sequence[Observed] | None:
        """Returns the children of a board that stands as it did when they were read."""
        look = self._looks.get(root)
        return look.children if look and look.token == self.tokens.get(root) else None

    def remember(self, root: str, children: Sequence[Observed]) -> None:
        """Notes what was read of a board whose token had been seen before that."""
        if root in self.tokens:
            self._looks[root] = _Look(self.tokens[root], children)

    def about_to_write(self, root: str, kind: str) -> None:
        """Forgets what a write may change; ``root`` is "" where it is not known which."""
        for each in [root] if root else list(self._looks):
            self._looks.pop(each, None)
            if kind not in _WORKED_ON:
                self._lasting.pop(each, None)

    def lasting(self, root: str) -> WithRows | None:
        """Returns the rows that people do not change on a board, as they were read in this run."""
        return self._lasting.get(root)

    def keep(self, root: str, rows: WithRows) -> None:
        """Notes the rows that people do not change on a board."""
        self._lasting[root] = rows


def read_lasting(client: Client, root: str, *, with_pages: bool) -> WithRows | None:
    """Reads what of a board is no card; None if this account may not see it.

    The project in full has its roles and columns already, and the address of the report.
    """
    try:
        project = client.get(f"projects/{root}").data
        kinds = {Kind.MEMBERSHIP: "memberships", **({Kind.WIKI: "wiki"} if with_pages else {})}
        rows: WithRows = {
            kind: list(read_all(client, path, {"project": root})) for kind, path in kinds.items()
        }
    except (Rejected, Vanished):
        return None
    rows[Kind.PROJECT] = [project]
    rows[Kind.ROLE] = project["roles"]
    rows[Kind.STATUS] = [{**row, "project": project["id"]} for row in project["us_statuses"]]
    return rows


def read_cards(client: Client, root: str) -> list[Row] | None:
    """Reads the cards of a board with their tasks; None if this account may not see them."""
    try:
        return list(read_all(client, "userstories", {"project": root, "include_tasks": 1}))
    except Rejected:
        return None


def tasks_on(cards: Sequence[Row]) -> Iterator[Row]:
    """Yields the tasks on cards, each with the reference of its card.

    The list has none of their own. Of two that say the same on one card, the older one comes
    first.
    """
    for card in cards:
        tasks: JSON = card.get("tasks") or []
        for task in sorted(tasks, key=lambda row: row["id"]):
            yield {**task, "card_reference": card.get("external_reference")}


def with_values(cards: Sequence[Row], values: Mapping[str, Mapping[str, JSON]]) -> list[Row]:
    """Returns the cards with their custom values, by number."""
    return [{**row, "card_values": values.get(str(row["id"]), {})} for row in cards]
