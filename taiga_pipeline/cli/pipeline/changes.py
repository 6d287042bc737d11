"""``changes``: what changed since a day, on both sides, and what that did to the plans."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from taiga_pipeline.app.deals.changes import changes_since, read_since
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.language import figure, plural, translated
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.what_changed import What
from taiga_pipeline.report.amounts import amount_shown
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.app.deals.changes import ChangesSince, Delivered, Effect
    from taiga_pipeline.pipeline.what_changed import Happening


@click.command()
@click.option(
    "--since",
    default="7d",
    show_default=True,
    help="From when on: monday (the last one), 7d, 2w, or a date.",
)
@json_option
@pass_context
def changes(context: CommandContext, since: str, as_json: bool) -> None:
    """Show what changed: deals that are new, moved, slipped, grown, shrunk, won, lost or reopened.

    Then what people changed in projects, and what all that did to the wins expected in this quarter
    and to the hours that are missing.
    """
    found = changes_since(context, read_since(since, context.today))
    if as_json:
        print_json(changes_json(found))
        return
    for notice in found.notices:
        click.echo(_("note: {notice}", notice=safe(translated(notice))), err=True)
    for line in changes_text(found):
        click.echo(safe(line))


def changes_text(found: ChangesSince) -> list[str]:
    """Returns what changed, a line each; text of deals is as it is."""
    lines = [_("Since {since}", since=found.since)]
    for what, each in groupby(found.deals, key=lambda happening: happening.what):
        happened = list(each)
        lines += ["", f"{_(what.value).capitalize()}: {figure(len(happened), ',')}"]
        lines += [f"  {_deal_text(happening)}" for happening in happened]
    if found.delivery:
        lines += ["", _("In projects"), *(f"  {_delivered_text(each)}" for each in found.delivery)]
    if not (found.deals or found.delivery):
        lines.append(_("nothing changed"))
    effects = list(_effects(found))
    return [*lines, *([""] if effects else []), *effects]


def _deal_text(each: Happening) -> str:
    named = ", ".join(filter(None, (each.key, each.name, each.customer)))
    by = _(" (by {by})", by=each.by) if each.by else ""
    return f"{named}{_how(each)}{by}"


def _how(each: Happening) -> str:
    if each.what is What.REMOVED:
        return ""
    if each.amount is not None:
        sign = "+" if each.amount > 0 else "-"
        values = (amount_shown(Decimal(text), each.currency) for text in (each.before, each.after))
        return f": {' → '.join(values)} ({sign}{amount_shown(abs(each.amount), each.currency)})"
    step = " → ".join(filter(None, (each.before, each.after)))
    return f": {step}" + (f" ({_days(each.days)})" if each.days is not None else "")


def _days(days: int) -> str:
    return plural("{number:+,} day", "{number:+,} days", days)


def _delivered_text(each: Delivered) -> str:
    if each.what == "left":
        return _("{key}: {name} left the project", key=each.key, name=each.name)
    if each.what == "progress":
        return _("{key}: progress {after:.0%}", key=each.key, after=float(each.after))
    apart = f" ({_days(each.days)})" if each.days is not None else ""
    return _(
        "{key}: start of {name}: {before} → {after}{apart}",
        key=each.key,
        name=each.name,
        before=each.before or _("none"),
        after=each.after,
        apart=apart,
    )


def _effects(found: ChangesSince) -> list[str]:
    lines = []
    if found.wins:
        lines.append(
            _(
                "Wins expected in {quarter}: {effect}",
                quarter=found.quarter,
                effect=_effect(found.wins),
            )
        )
    for currency, each in found.value.items():
        lines.append(
            _(
                "Value expected in {quarter}, {currency}: {effect}",
                quarter=found.quarter,
                currency=currency,
                effect=_effect(each),
            )
        )
    if found.hours_missing:
        lines.append(
            _("Hours expected to be missing: {effect}", effect=_effect(found.hours_missing))
        )
    return lines


def _effect(each: Effect) -> str:
    before, after = figure(each.before, ",.0f"), figure(each.after, ",.0f")
    return f"{before} → {after} ({figure(each.change, '+,.0f')})"


def changes_json(found: ChangesSince) -> dict[str, Any]:
    """Returns what changed as JSON-compatible data."""
    effects = {"wins": found.wins, "hours_missing": found.hours_missing}
    return {
        "since": found.since.isoformat(),
        "deals": [_plain(asdict(each)) for each in found.deals],
        "delivery": [_plain(asdict(each)) for each in found.delivery],
        "quarter": found.quarter or None,
        **{name: _effect_json(each) for name, each in effects.items()},
        "value": {currency: _effect_json(each) for currency, each in found.value.items()},
        "notices": list(found.notices),
    }


def _effect_json(each: Effect | None) -> dict[str, float] | None:
    if each is None:
        return None
    return {"before": round(each.before, 2), "after": round(each.after, 2)}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    return format(value, "f") if isinstance(value, Decimal) else value
