"""Deals as rows of the store's tables, and back."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Row

from taiga_pipeline.days import known_day
from taiga_pipeline.pipeline.model import Deal, FieldChange, StageMove
from taiga_pipeline.pipeline.notation import (
    format_contacts,
    format_list,
    format_roles,
    parse_contacts,
    parse_list,
    parse_roles,
)
from taiga_pipeline.pipeline.text import folded

PLAIN_FIELDS: Final = (
    "key",
    "name",
    "customer",
    "stage",
    "value",
    "currency",
    "probability",
    "engaged_on",
    "expected_close",
    "start",
    "closed_on",
    "owner",
    "team",
    "service",
    "lead_source",
    "lost_reason",
    "notes",
    "stage_since",
    "updated_at",
)
"""The fields that are stored as they are."""

_DAYS: Final = ("engaged_on", "expected_close", "start", "closed_on")


def deal_to_row(deal: Deal) -> dict[str, Any]:
    """Returns the columns of a deal in its normal form."""
    row: dict[str, Any] = {name: getattr(deal, name) for name in PLAIN_FIELDS}
    row["key_folded"] = folded(deal.key)
    row["stage_folded"] = folded(deal.stage)
    row["contacts"] = format_contacts(deal.contacts)
    row["roles"] = format_roles(deal.roles)
    row["done"] = format_list(sorted(deal.done))
    return row


def row_to_deal(row: Row[Any]) -> Deal:
    """Returns the deal of a row of the table ``deals``."""
    columns = row._mapping
    plain = {name: columns[name] for name in PLAIN_FIELDS}
    plain.update({name: known_day(plain[name]) for name in _DAYS if plain[name] is not None})
    return Deal(
        **plain,
        contacts=parse_contacts(columns["contacts"]) if columns["contacts"] else (),
        roles=parse_roles(columns["roles"]) if columns["roles"] else (),
        done=frozenset(parse_list(columns["done"])) if columns["done"] else frozenset(),
    )


def move_to_row(move: StageMove) -> dict[str, Any]:
    """Returns the columns of a stage move."""
    return {
        "deal_key": move.deal_key,
        "from_stage": move.from_stage,
        "to_stage": move.to_stage,
        "at": move.at,
        "by": move.by,
        "forced": json.dumps(move.forced, ensure_ascii=False),
    }


def row_to_move(row: Row[Any]) -> StageMove:
    """Returns the stage move of a row."""
    columns = row._mapping
    return StageMove(
        deal_key=columns["deal_key"],
        from_stage=columns["from_stage"],
        to_stage=columns["to_stage"],
        at=columns["at"],
        by=columns["by"],
        forced=tuple(json.loads(columns["forced"])),
    )


def change_to_row(change: FieldChange) -> dict[str, Any]:
    """Returns the columns of a field change."""
    return {
        "deal_key": change.deal_key,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "at": change.at,
        "by": change.by,
    }


def row_to_change(row: Row[Any]) -> FieldChange:
    """Returns the field change of a row."""
    columns = row._mapping
    return FieldChange(
        deal_key=columns["deal_key"],
        field=columns["field"],
        before=columns["before"],
        after=columns["after"],
        at=columns["at"],
        by=columns["by"],
    )
