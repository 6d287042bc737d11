"""Our external ids: which records have them, and which records they are.

They stand in ``ir.model.data``. In older Odoos every account may read that; in later ones (19) it
takes *Administration: Access Rights*. An account without it is told the external ids of records
that it sees by ``get_metadata``: all that were made since the last look are asked for theirs, and
that is all that can be new, for an external id is made with its record.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sync.errors import Vanished
from taiga_pipeline.odoo.client import OdooClient, Refusal
from taiga_pipeline.odoo.lists import ALL, PAGE, Asked, from_start
from taiga_pipeline.targets.odoo.identity import MODULE

_MODEL: Final = "ir.model.data"
_AT_ONCE: Final = 2_000
_FORBIDDEN: Final = 403
_PREFIX: Final = f"{MODULE}."


class ExternalIds:
    """The external ids of one Odoo, of this module alone. Safe to use from several threads."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._closed = False
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def of_all(self, model: str) -> dict[int, str]:
        """Returns all names, by the ids of a model's records."""
        if not self._closed:
            try:
                return dict(self._listed(model, ()))
            except Refusal as error:
                self._demand_forbidden(error)
        with self._lock:
            known = self._known[model] = _Known()
            self._learn(model, known)
            return {number: name for name, number in known.ids.items()}

    def of(self, model: str, ids: Collection[int]) -> dict[int, str]:
        """Returns the names of some records, by their ids; one without a name is missing."""
        every = sorted(ids)
        found: dict[int, str] = {}
        for at in range(0, len(every), _AT_ONCE):
            some = every[at : at + _AT_ONCE]
            if not self._closed:
                try:
                    found.update(self._listed(model, [["res_id", "in", some]]))
                    continue
                except Refusal as error:
                    self._demand_forbidden(error)
            found.update(self._told(model, some))
        return found

    def named(self, model: str, names: Collection[str]) -> dict[str, int]:
        """Returns the records that some names stand for; one that stands for none is missing."""
        if not self._closed:
            try:
                listed = self._listed(model, [["name", "in", sorted(names)]])
                return {name: number for number, name in listed}
            except Refusal as error:
                self._demand_forbidden(error)
        with self._lock:
            known = self._known.setdefault(model, _Known())
            self._learn(model, known)
            wanted = {name: known.ids[name] for name in names if name in known.ids}
        there = set(self._there(model, wanted.values()))
        return {name: number for name, number in wanted.items() if number in there}

    def _listed(self, model: str, condition: Collection[object]) -> Iterator[tuple[int, str]]:
        domain: list[object] = [["module", "=", MODULE], ["model", "=", model], *condition]
        asked = Asked(_MODEL, ("name", "res_id"), domain, {}, _AT_ONCE)
        for rows in from_start(self._client, asked):
            yield from ((int(row["res_id"]), str(row["name"])) for row in rows)

    def _demand_forbidden(self, error: Refusal) -> None:
        """Takes the longer way from now on, if it is that the account may not read the list."""
        if error.status != _FORBIDDEN:
            raise error
        self._closed = True

    def _learn(self, model: str, known: _Known) -> None:
        """Adds the names of the records that were made since the last look."""
        asked = Asked(model, ("id",), [["id", ">", known.newest]], ALL, _AT_ONCE)
        for rows in from_start(self._client, asked):
            ids = [int(row["id"]) for row in rows]
            known.ids.update({name: number for number, name in self._told(model, ids).items()})
            known.newest = max([known.newest, *ids])

    def _told(self, model: str, ids: Collection[int]) -> dict[int, str]:
        """Asks records for their external ids; those that are gone are missing."""
        try:
            return dict(self._metadata(model, ids))
        except Vanished:
            return dict(self._metadata(model, [*self._there(model, ids)]))

    def _metadata(self, model: str, ids: Collection[int]) -> Iterator[tuple[int, str]]:
        every = sorted(ids)
        for at in range(0, len(every), PAGE):
            for row in self._client.read(model, "get_metadata", every[at : at + PAGE]):
                several = [each.get("xmlid") for each in row.get("xmlids") or ()]
                for name in several or [row.get("xmlid")]:
                    if isinstance(name, str) and name.startswith(_PREFIX):
                        yield int(row["id"]), name.removeprefix(_PREFIX)

    def _there(self, model: str, ids: Iterable[int]) -> Iterator[int]:
        asked = Asked(model, ("id",), [["id", "in", sorted(ids)]], ALL, _AT_ONCE)
        for rows in from_start(self._client, asked):
            yield from (int(row["id"]) for row in rows)


@dataclass(slots=True)
class _Known:
    """The records that names stand for, of all records up to the ``newest``."""

    ids: dict[str, int] = field(default_factory=dict)
    newest: int = 0
