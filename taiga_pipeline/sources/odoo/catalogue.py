"""Which models and fields this Odoo has: asked once a reading, before records are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sync.errors import Rejected, Unauthorised
from taiga_pipeline.odoo.client import OdooClient, Refusal
from taiga_pipeline.problems import Problem, ProblemsError, did_you_mean
from taiga_pipeline.sources.odoo.fields import MADE, MODEL


@dataclass(frozen=True, slots=True)
class Kind:
    """A field's type as Odoo names it, the model that it leads to ("" if to none), its label."""

    type: str
    relation: str = ""
    label: str = ""


@dataclass(slots=True)
class Catalogue:
    """Models and their fields, each asked for once."""

    client: OdooClient
    model: str = MODEL
    _known: dict[str, Mapping[str, Kind]] = field(default_factory=dict)

    def fields(self, model: str = "") -> Mapping[str, Kind]:
        """Returns the fields of a model that this account may see, by name.

        :raises ProblemsError: there is no such model.
        :raises Unauthorised: the account may not know.
        """
        model = model or self.model
        if model not in self._known:
            self._known[model] = {
                name: Kind(
                    str(each.get("type")),
                    str(each.get("relation") or ""),
                    str(each.get("string") or ""),
                )
                for name, each in self._asked(model).items()
            }
        return self._known[model]

    def _asked(self, model: str) -> Mapping[str, Mapping[str, object]]:
        try:
            found: Mapping[str, Mapping[str, object]] = self.client.read(
                model, "fields_get", attributes=["type", "relation", "string"]
            )
        except Rejected as error:
            if isinstance(error, Refusal) and error.status == 403:
                raise Unauthorised(
                    f"{error}; give the account a group that may read {model} (Sales: User, All "
                    "Documents)"
                ) from error
            comes_with = " (it comes with the app CRM)" if model == MODEL else ""
            message = f"[source] this Odoo has no model {model!r}{comes_with}: {error}"
            raise ProblemsError([Problem(message)]) from error
        return found

    def kind_of(self, path: str) -> Kind | None:
        """Returns the field that a dotted name leads to, None if there is none."""
        model, kind = self.model, None
        for step in path.split("."):
            if not model:
                return None
            kind = self.fields(model).get(step)
            if kind is None:
                return None
            model = kind.relation
        return kind

    def present(self, paths: Iterable[str]) -> list[str]:
        """Returns those of the dotted names that this Odoo has."""
        return [path for path in paths if self.kind_of(path) is not None]

    def wrong_with(self, columns: Mapping[str, str], table: str = "columns") -> list[Problem]:
        """Says which of the fields do not exist, with the nearest that do.

        ``columns``: name -> field, as they are in the ``table`` of the settings.
        """
        return [
            Problem(f'[source.{table}] {ours} = "{path}": {wrong}')
            for ours, path in columns.items()
            if path not in MADE and (wrong := self._wrong_with(path))
        ]

    def _wrong_with(self, path: str) -> str:
        model = self.model
        for step in path.split("."):
            if not model:
                return f"{step!r} goes through a field that is not a relation"
            fields = self.fields(model)
            if step not in fields:
                return (
                    f"{model} has no field {step!r} that the account may see"
                    f"{did_you_mean(step, fields)}"
                )
            model = fields[step].relation
        return ""
