"""The JSON Schema that editors use."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from taiga_pipeline.mapping.schema import mapping_schema
from taiga_pipeline.mapping.shipped import shipped_names, shipped_text

from .support import HEAD, STAGES

SCHEMA = mapping_schema()


def validator() -> Any:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    return jsonschema.Draft7Validator(SCHEMA)


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)


def test_every_key_is_described_and_unknown_ones_are_refused() -> None:
    tables = list(objects(SCHEMA))
    assert len(tables) > 10
    for table in tables:
        assert table["additionalProperties"] is False
        for name, key in table["properties"].items():
            assert key.get("description"), f"{table['title']}.{name}"


def test_it_is_draft_7_without_anything_beside_a_reference() -> None:
    text = json.dumps(SCHEMA)
    assert "$defs" not in text
    assert "draft-07" in SCHEMA["$schema"]
    for table in objects(SCHEMA):
        for key in table["properties"].values():
            assert set(key) == {"$ref"} or "$ref" not in key


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_mappings_fit_the_schema(name: str) -> None:
    errors = list(validator().iter_errors(tomllib.loads(shipped_text(name))))
    assert errors == []


@pytest.mark.parametrize(
    "extra",
    [
        "unknown = 1",
        "probability = 2",
        "[project]\ntags = 3",
        '[[role]]\nrole = "A"\nweeks = 0\nhours_per_week = 1',
        '[[milestone]]\nname = "A"\nfinish = "soon"',
        '[ownership]\ntitle = "me"',
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(extra: str) -> None:
    data = tomllib.loads(f"{HEAD}{STAGES}{extra}")
    assert list(validator().iter_errors(data))
