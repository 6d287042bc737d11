"""What the deal store asks its tables, and what a decision does to a deal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, or_, select

from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.destination import Destination
from taiga_pipeline.pipeline.model import Category, Deal
from taiga_pipeline.pipeline.schema import FIELD_CHANGES
from taiga_pipeline.pipeline.text import folded


def with_decision(deal: Deal, destination: Destination, today: date) -> Deal:
    """Returns the deal with the day and the reason of a decision, or without, if there is none."""
    category, reason = destination.category, destination.lost_reason or deal.lost_reason
    if category is None:
        return replace(deal, lost_reason=reason)
    return replace(
        deal,
        closed_on=(destination.closed_on or today) if category.is_closed else None,
        lost_reason=reason if category is Category.LOST else "",
    )


def matcher(team: str, owner: str, text: str) -> Callable[[Deal], bool]:
    """Returns what tells whether a deal is of a team, of an owner, and has some text somewhere."""
    # Compared here, not in SQL: the databases fold case differently beyond ASCII.
    team, owner, text = (folded(clean_line(part)) for part in (team, owner, text))

    def matches(deal: Deal) -> bool:
        if team and folded(deal.team) != team:
            return False
        if owner and owner not in folded(deal.owner):
            return False
        return not text or any(
            text in folded(part) for part in (*_found_by(deal), *(note.text for note in deal.notes))
        )

    return matches


def _found_by(deal: Deal) -> tuple[str, ...]:
    return deal.key, deal.name, deal.customer, deal.service


def implied_by_move() -> ColumnElement[bool]:
    """Whether a change is the one of a stage, or of the time since when, at a move."""
    moved = FIELD_CHANGES.alias("moved")
    same = and_(
        moved.c.deal_key == FIELD_CHANGES.c.deal_key,
        moved.c.at == FIELD_CHANGES.c.at,
        moved.c.field == "stage",
    )
    times = and_(FIELD_CHANGES.c.field == "stage_since", exists(select(1).where(same)))
    return or_(FIELD_CHANGES.c.field == "stage", times)


def events(table: Table, key: str, newest: int | None) -> Select[Any]:
    """Asks for what happened to one deal, or to all."""
    query = select(table)
    if key:
        query = query.where(table.c.deal_key == clean_line(key))
    if newest is None:
        return query.order_by(table.c.at, table.c.id)
    return query.order_by(table.c.at.desc(), table.c.id.desc()).limit(newest)
