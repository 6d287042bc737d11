"""Reasons as people read them: what moves a learnt chance, why somebody is suggested."""

from __future__ import annotations

from typing import Final

from taiga_pipeline.language import marked, translated
from taiga_pipeline.language import text as _

_FACTS: Final = {
    "base rate": marked("base rate"),
    "stage": marked("stage"),
    "age": marked("age"),
    "season": marked("season"),
    "past forecasts": marked("past forecasts"),
}


def fact_text(fact: str) -> str:
    """Returns what a fact that moves a chance is called."""
    return _(_FACTS.get(fact, fact))


def reason_text(fact: str, points: int, because: str) -> str:
    """Returns what moves a chance, by how many points in a hundred, and why."""
    return _(
        "{fact} {points:+} points: {because}",
        fact=fact_text(fact),
        points=points,
        because=translated(because),
    )


def why_chosen(why: str) -> str:
    """Returns why somebody is suggested for a deal: reasons with commas between them."""
    return ", ".join(_(translated(reason)) for reason in why.split(", "))
