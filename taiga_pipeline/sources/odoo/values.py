"""What Odoo's fields hold: along relations, as values of this program.

A name with dots follows relations (``partner_id.country_id.code``), which Odoo itself does not do
where records are read: the records on the way are asked for by their ids, many at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from taiga_pipeline.http.answer import JSON
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.odoo.lists import Row, by_id, id_of, name_of
from taiga_pipeline.odoo.text import to_text
from taiga_pipeline.sources.odoo.catalogue import Catalogue, Kind

_MANY: Final = ("one2many", "many2many")
_NAME: Final = "display_name"
_KEPT: Final = 20_000
"""Records of one model that are remembered, for leads that lead to the same ones."""


def heads(paths: Iterable[str]) -> list[str]:
    """Returns the fields of the model itself that lead to what dotted names name."""
    return list(dict.fromkeys(path.partition(".")[0] for path in paths))


@dataclass(slots=True)
class Resolver:
    """Finds what dotted names lead to, for one reading."""

    client: OdooClient
    catalogue: Catalogue
    _met: dict[tuple[str, tuple[str, ...]], dict[int, Mapping[str, JSON]]] = field(
        default_factory=dict
    )

    def resolve(
        self, rows: Sequence[Row], paths: Collection[str], model: str = ""
    ) -> list[dict[str, JSON]]:
        """Returns, for each row of a model, what its dotted names lead to, as JSON has it.

        Names of records stand for the records; of several, all joined.
        """
        fields = self.catalogue.fields(model)
        every: list[dict[str, JSON]] = [{"id": row["id"]} for row in rows]
        for head in heads(paths):
            kind = fields[head]
            tails = sorted({path.partition(".")[2] for path in paths if _heads(head, path)})
            if any(tails) or kind.type in _MANY:
                self._follow(rows, every, head, kind, tails)
            if "" in tails and kind.type not in _MANY:
                for row, found in zip(rows, every, strict=True):
                    found[head] = name_of(row[head]) if kind.type == "many2one" else row[head]
        return every

    def _follow(
        self,
        rows: Sequence[Row],
        every: Sequence[dict[str, JSON]],
        head: str,
        kind: Kind,
        tails: Sequence[str],
    ) -> None:
        """Puts what lies behind a relation into what was found of the rows."""
        further = tuple(sorted({tail or _NAME for tail in tails if tail or kind.type in _MANY}))
        ids = {number for row in rows for number in _ids(row[head])}
        behind = self._behind(kind.relation, ids, further)
        for row, found in zip(rows, every, strict=True):
            for tail in further:
                values = [behind[n][tail] for n in _ids(row[head]) if n in behind]
                found[head if tail == _NAME and "" in tails else f"{head}.{tail}"] = _joined(values)

    def _behind(
        self, model: str, ids: Collection[int], paths: tuple[str, ...]
    ) -> Mapping[int, Mapping[str, JSON]]:
        """Returns what dotted names lead to from records of a model."""
        met = self._met.setdefault((model, paths), {})
        missing = [number for number in ids if number not in met]
        if len(met) + len(missing) > _KEPT:
            met.clear()
            missing = list(ids)
        if missing:
            rows = list(by_id(self.client, model, missing, heads(paths)).values())
            for row, found in zip(rows, self.resolve(rows, paths, model), strict=True):
                met[row["id"]] = found
        return met


def _heads(head: str, path: str) -> bool:
    return path.partition(".")[0] == head


def _ids(value: JSON) -> list[int]:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):
        return [id_of(value)]
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []


def _joined(values: Sequence[JSON]) -> JSON:
    if len(values) < 2:
        return values[0] if values else False
    return ", ".join(str(each) for each in values if each not in (False, None, ""))


def decode(value: JSON, kind: str) -> Any:
    """Returns what Odoo's JSON stands for in a field of a type, None for nothing.

    Moments are in UTC. Of a field of HTML it is the text.
    """
    if kind == "boolean":
        return bool(value)
    if value is False or value is None:
        return None
    if kind == "html":
        return to_text(value)
    if kind == "datetime":
        return _moment(str(value))
    return _day(str(value)) if kind == "date" else value


def _moment(text: str) -> object:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return text


def _day(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def encode_moment(moment: datetime) -> str:
    """Returns a moment as Odoo takes it in a domain."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
