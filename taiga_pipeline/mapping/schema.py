"""The JSON Schema of mapping files, for editors that complete and check TOML by one."""

from __future__ import annotations

from typing import Any, Final

from taiga_pipeline.mapping.model import mapping_model
from taiga_pipeline.mapping.values import placeholders
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""What the TOML editors understand."""


def mapping_schema(table: FieldTable = BUILT_IN) -> dict[str, Any]:
    """Returns the JSON Schema (draft 7) of a mapping file, with a description on every key."""
    schema = mapping_model(table).model_json_schema()
    definitions = {"definitions": schema.pop("$defs")}
    adapted: dict[str, Any] = _adapt({**schema, **definitions})
    adapted["title"] = "pipeline-sync mapping"
    adapted["description"] = f"{adapted['description']} Placeholders: {_listed(table)}."
    return {"$schema": DRAFT, **adapted}


def _listed(table: FieldTable) -> str:
    return ", ".join(f"{{{name}}}" for name in placeholders(table))


def _adapt(node: Any) -> Any:
    """Rewrites what draft 7 has otherwise: where definitions are, and what stands beside a $ref."""
    if isinstance(node, list):
        return [_adapt(element) for element in node]
    if not isinstance(node, dict):
        return node
    adapted = {key: _adapt(value) for key, value in node.items()}
    reference = adapted.pop("$ref", None)
    if reference is None:
        return adapted
    target = {"$ref": reference.replace("#/$defs/", "#/definitions/")}
    return {**adapted, "allOf": [target]} if adapted else target
