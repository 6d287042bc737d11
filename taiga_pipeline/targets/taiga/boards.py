"""The columns of a board. Taiga makes a project with those of its template; a board has its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from sync.errors import SyncError
from sync.records.model import Desired, Marker, Observed, Value
from sync.target import Place, Written
from taiga_pipeline.records import Kind, Status, is_portfolio
from taiga_pipeline.targets.taiga.children import Body, TaigaClientContext
from taiga_pipeline.targets.taiga.client import Client
from taiga_pipeline.targets.taiga.paging import Row, read_all
from taiga_pipeline.targets.taiga.refusal import Refusal

_LOG: Final = logging.getLogger(__name__)
_BORN: Final = "New"
"""The template's first column: it becomes the first one that is asked for."""

_COLORS: Final = ("#A8A8A8", "#70728F", "#40A8E4", "#E4A740", "#A8E440", "#E44057", "#A840E4")


def is_board(markers: Iterable[Marker], pipeline: str) -> bool:
    """Tells a pipeline's portfolio from a deal's project."""
    return any(each.pipeline == pipeline and is_portfolio(each.key) for each in markers)


class Statuses:
    """Columns. A project has each name once."""

    kind = Kind.STATUS
    path = "userstory-statuses"

    _PLACES: Final = {Status.NAME: "name", Status.ORDER: "order", Status.CLOSED: "is_closed"}

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a column."""
        fields: dict[str, Value] = {name: row.get(at) for name, at in self._PLACES.items()}
        return Observed(
            self.kind, str(row["id"]), fields, identity=_normalised(str(row["name"])).casefold()
        )

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a column; the first one out of the template's own."""
        body: Body = self._body(desired.fields)
        if not any(key.kind == self.kind for key in place.bound):
            for row in self._rows(place, context):
                if row["name"] == _BORN:
                    answer = context.client.patch(f"{self.path}/{row['id']}", body)
                    return Written(self.observe(answer.data, context))
        order = desired.fields.get(Status.ORDER)
        given = str(desired.fields.get(Status.COLOR) or "")
        body["color"] = given or _COLORS[order % len(_COLORS) if isinstance(order, int) else 0]
        body["project"] = int(place.root_id)
        try:
            answer = context.client.post(self.path, body)
        except Refusal as error:
            if error.status != 400 or "name" not in error.keys:
                raise
            return self._present(str(desired.fields[Status.NAME]), place, context, error)
        return Written(self.observe(answer.data, context))

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Changes name, order, or whether it is closed."""
        return self._body(changes)

    def _body(self, fields: Mapping[str, Value]) -> Body:
        return {at: fields[name] for name, at in self._PLACES.items() if name in fields}

    def _rows(self, place: Place, context: TaigaClientContext) -> Iterable[Row]:
        return read_all(context.client, self.path, {"project": place.root_id})

    def _present(
        self, name: str, place: Place, context: TaigaClientContext, error: SyncError
    ) -> Written:
        for row in self._rows(place, context):
            if row["name"] == name:
                return Written(self.observe(row, context), found=True)
        raise error


def clear_template(client: Client, statuses: Iterable[Row]) -> None:
    """Removes a new board's columns but the first: nothing is in them yet.

    A column that stays because of an error does no harm, and people may remove it.
    """
    first, *others = (int(row["id"]) for row in statuses)
    for status in others:
        try:
            client.delete(f"{Statuses.path}/{status}?moveTo={first}")
        except SyncError as error:  # also when it is gone: an answer was lost, and it went before
            _LOG.info("a column of the template may be left: %s", error)


def _normalised(name: str) -> str:
    return " ".join(name.split())
