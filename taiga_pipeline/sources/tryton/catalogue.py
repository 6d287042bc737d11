"""What models, fields and rights there are: asked for where something is wrong, and by ``check``.

Tryton answers an unknown model, an unknown field and a failure of its own with the same 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.errors import Rejected
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.sources.tryton.client import Client
from taiga_pipeline.sources.tryton.fields import CHANGED

_OF_EVERY_MODEL: Final = ("id", "rec_name", "create_date", "write_date", "create_uid", "write_uid")


@dataclass(frozen=True, slots=True)
class Kind:
    """A field's type as Tryton names it, and the model that it leads to, "" if to none."""

    type: str
    relation: str = ""


@dataclass(slots=True)
class Catalogue:
    """Models and their fields, each asked for once."""

    client: Client
    model: str
    _known: dict[str, Mapping[str, Kind]] = field(default_factory=dict)

    def fields(self, model: str) -> Mapping[str, Kind]:
        """Returns the fields of a model by name, none of one that there is not."""
        if model not in self._known:
            rows = self.client.records(
                "ir.model.field", ("name", "ttype", "relation"), [["model.name", "=", model]]
            )
            self._known[model] = {
                str(row["name"]): Kind(str(row["ttype"]), str(row.get("relation") or ""))
                for row in rows
            }
        return self._known[model]

    def wrong_with(self, columns: Mapping[str, str], table: str = "columns") -> list[Problem]:
        """Says which of the fields do not exist, with the nearest that do.

        ``columns``: name -> field, as they are in the ``table`` of the settings.

        :raises ProblemsError: not even the model does.
        :raises SyncError: there is no answer, or the account is not let in.
        """
        if not self.fields(self.model):
            raise ProblemsError([Problem(self._no_model())])
        return [
            Problem(f'[source.{table}] {ours} = "{path}": {wrong}')
            for ours, path in columns.items()
            if path != CHANGED and (wrong := self._wrong_with(path))
        ]

    def _no_model(self) -> str:
        known = [str(row["name"]) for row in self.client.records("ir.model", ("name",))]
        return (
            f"[source] model: this database has no {self.model!r}{did_you_mean(self.model, known)} "
            "(sale.opportunity comes with the module sale_opportunity, which has to be activated)"
        )

    def _wrong_with(self, path: str) -> str:
        """Says what is wrong with a dotted name, "" if nothing is."""
        model = self.model
        for step in path.split("."):
            if not model:
                return f"{step!r} goes through a field that is not a relation"
            fields = self.fields(model)
            if step not in fields and step not in _OF_EVERY_MODEL:
                return f"{model} has no field {step!r}{did_you_mean(step, fields)}"
            model = fields[step].relation if step in fields else ""
        return ""

    def may_write(self) -> bool:
        """Tells whether the application's user may write records of the model."""
        answer = self.client.ask("ir.model.access/get_access", {"models": [self.model]}).data
        rights = answer.get(self.model) if isinstance(answer, dict) else None
        if not isinstance(rights, dict):
            raise Rejected(f"Tryton does not show the rights on {self.model}")
        return bool(rights.get("write"))
