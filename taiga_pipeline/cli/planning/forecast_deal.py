"""The explanation of one deal's chance, as text and as JSON."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.cli.output import print_pairs, print_table
from taiga_pipeline.language import figure, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.report.scores import fact_text
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.planning.forecast.outlooks import Explanation


def print_explanation(explanation: Explanation, stated: Decimal | None = None) -> None:
    """Prints how the facts about a deal make its chance; ``stated`` is the one that it states."""
    deal = explanation.deal
    click.echo(
        safe(_("{key}: won with a chance of {chance:.0%}", key=deal.key, chance=explanation.chance))
    )
    click.echo("")
    print_table(
        (_("Fact"), _("Chance"), _("Change"), _("Because")),
        [
            (
                fact_text(step.name),
                figure(step.chance, ".1%"),
                _change(change),
                safe(translated(step.reason)),
            )
            for step, change in zip(explanation.steps, _changes(explanation), strict=True)
        ],
        right=(1, 2),
    )
    click.echo("")
    pairs = {
        _("won within {days} days", days=days): figure(chance, ".1%")
        for days, chance in explanation.within.items()
    }
    if explanation.closes:
        early, middle, late = explanation.closes
        pairs[_("if won, then on")] = _(
            "{middle} (80 of 100: {early} to {late})", middle=middle, early=early, late=late
        )
    if stated is not None:
        pairs[_("stated by the deal")] = _(
            "{chance:.0%}, not counted here; it is in capacity --chances stated", chance=stated
        )
    print_pairs(pairs)


def _changes(explanation: Explanation) -> list[float | None]:
    chances = [step.chance for step in explanation.steps]
    return [None, *(after - before for before, after in pairwise(chances))]


def _change(change: float | None) -> str:
    return "" if change is None else _("{value:+.1f} points", value=100 * change)


def explanation_json(explanation: Explanation, stated: Decimal | None = None) -> dict[str, Any]:
    """Returns an explanation as plain data; ``stated`` is the chance that the deal states."""
    closes = explanation.closes
    return {
        "deal": explanation.deal.key,
        "chance": round(explanation.chance, 4),
        "age_days": explanation.age_days,
        "steps": [
            {"fact": step.name, "chance": round(step.chance, 4), "because": step.reason}
            for step in explanation.steps
        ],
        "within": {str(days): round(chance, 4) for days, chance in explanation.within.items()},
        "stated": None if stated is None else float(stated),
        "closes": dict(zip(("p10", "p50", "p90"), closes, strict=True)) if closes else None,
    }
