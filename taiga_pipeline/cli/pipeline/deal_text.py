"""Deals and people as JSON and as terminal text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import click

from taiga_pipeline.cli.output import print_pairs, print_table, shorten
from taiga_pipeline.hints import command
from taiga_pipeline.language import ENGLISH, counted, figure, marked, used
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.cells import format_time
from taiga_pipeline.pipeline.columns import deal_cells
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind
from taiga_pipeline.pipeline.fields.own import json_form, money_of
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts, FieldChange, Note, StageMove
from taiga_pipeline.pipeline.tables.notes import is_note
from taiga_pipeline.report.amounts import amount_shown
from taiga_pipeline.report.scores import reason_text
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from sync.records.model import RecordKey
    from taiga_pipeline.app.deals.follow_ups import Score, Waiting
    from taiga_pipeline.app.deals.listing import Listed
    from taiga_pipeline.people.model import Allocation

_SHOWN: Final = 200
"""Characters of a change that are shown; ``--json`` has it whole."""
SHOWN_NOTES: Final = 10
"""Notes that are shown of a deal; ``deals notes`` shows all."""
_SHOWN_NOTE: Final = 60
_APART: Final = ("currency", "contacts", "notes")
"""Fields that stand beside another one, or below the others."""


def allocation_json(allocation: Allocation) -> dict[str, Any]:
    """Returns an allocation as plain data."""
    return asdict(allocation)


def deal_json(deal: Deal, table: FieldTable = BUILT_IN) -> dict[str, Any]:
    """Returns a deal as plain data; times in ISO 8601.

    Fields of the user's own stand beside the others, also those that are declared no more.
    """
    data = asdict(deal)
    kept = data.pop("own")
    data["done"] = sorted(deal.done)
    data["notes"] = [note_json(note) for note in deal.notes]
    plain = {name: _plain(value) for name, value in data.items()}
    own = {field.name: json_form(field, kept.pop(field.name, "")) for field in table.own}
    return {**kept, **plain, **own}


def note_json(note: Note) -> dict[str, Any]:
    """Returns a note as plain data; ``at`` is None where it is not known."""
    return {name: _plain(value) for name, value in asdict(note).items()}


def move_json(move: StageMove) -> dict[str, Any]:
    """Returns a stage move as plain data."""
    return {name: _plain(value) for name, value in asdict(move).items()}


def change_json(change: FieldChange) -> dict[str, Any]:
    """Returns a field change as plain data."""
    return {name: _plain(value) for name, value in asdict(change).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def money(deal: Deal) -> str:
    """Returns a deal's value with its currency, "" if it is not known."""
    return amount_shown(deal.value, deal.currency)


def percent(probability: Decimal | None) -> str:
    """Returns a probability in per cent, "" if it is not known."""
    if probability is None:
        return ""
    return f"{round(probability * 100, 1).normalize():f} %"


CLOSE: Final = "close_date"
"""A column of lists: the day of the decision, or the one on which it is expected."""
COLUMNS: Final = tuple(
    CLOSE if name == "expected_close" else name
    for name in BUILT_IN.where(lambda field: field.is_listed)
)
"""What a list of deals shows, unless other columns are asked for."""
_HEADINGS: Final = {"probability": marked("Prob."), CLOSE: marked("Close")}
_FIGURES: Final = frozenset({Kind.MONEY, Kind.NUMBER, Kind.SHARE})


def print_deals(
    views: Iterable[Listed],
    table: FieldTable,
    columns: Sequence[str],
    more: Sequence[str] = (),
    extra: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> int:
    """Prints a table of deals, a column for each field that is named; returns how many.

    ``more`` are headings of further columns, ``extra`` what stands there by deal key.
    """
    rows = []
    for view in views:
        cells = _cells(view.deal, view.chance, table)
        rows.append([safe(cells.get(name, "")) for name in columns])
        rows[-1].extend(extra.get(view.deal.key, ()))
    if rows:
        headings = [safe(_(_HEADINGS.get(name) or table[name].label)) for name in columns]
        headings.extend(more)
        right = [at for at, name in enumerate(columns) if _is_figure(name, table)]
        print_table(headings, rows, right=right)
    return len(rows)


def _is_figure(name: str, table: FieldTable) -> bool:
    return name in table and table[name].kind in _FIGURES


def _cells(deal: Deal, chance: Decimal | None, table: FieldTable) -> dict[str, str]:
    """Returns what a deal holds as people read it, by field."""
    times = {"stage_since": deal.stage_since, "updated_at": deal.updated_at}
    return {
        **deal_cells(deal),
        "value": money(deal),
        "probability": percent(chance),
        CLOSE: str(deal.closed_on or deal.expected_close or ""),
        **{name: f"{at:%Y-%m-%d %H:%M} UTC" if at else "" for name, at in times.items()},
        **{field.name: _own_text(field, deal) for field in table.own},
    }


def print_deal(
    deal: Deal,
    chance: Decimal | None,
    changes: Sequence[FieldChange] = (),
    table: FieldTable = BUILT_IN,
) -> None:
    """Prints everything that is known about a deal, and why it was lost before."""
    cells = _cells(deal, chance, table)
    pairs = {
        safe(_(field.label)): safe(cells[field.name])
        for field in table
        if field.name not in _APART and cells.get(field.name)
    }
    if lost := was_lost_because(deal, changes):
        reasons = (
            _("{before} (until {day})", before=each.before, day=each.at.date()) for each in lost
        )
        pairs[_("Was lost because")] = safe("; ".join(reasons))
    print_pairs(pairs)
    if deal.contacts:
        click.echo(_("\nContacts"))
        for contact in deal.contacts:
            parts = (contact.name, contact.email, contact.phone, _(contact.part.value))
            click.echo("  " + safe(", ".join(filter(None, parts))))
    if deal.notes:
        click.echo(_("\nNotes"))
        print_notes(deal.notes[:SHOWN_NOTES])
        if (more := len(deal.notes) - SHOWN_NOTES) > 0:
            way = command("deals notes", deal.key)
            click.echo(safe(_("  and {notes}: {way}", notes=counted(more, "older note"), way=way)))


def print_waiting(waiting: Waiting, score: Score | None) -> None:
    """Prints what a deal waits for, how long it has been in its stage, and its learnt chance."""
    pairs: dict[str, str] = {}
    if waiting.follow_ups:
        pairs[_("Waits for")] = ", ".join(_(each) for each in waiting.follow_ups)
    if waiting.days_in_stage is not None and waiting.usual:
        usual = waiting.usual
        basis = counted(usual.deals, "won deal") if usual.deals else _("the mapping")
        pairs[_("In stage")] = _(
            "{days}; usual are up to {days2} ({basis})",
            days=counted(waiting.days_in_stage, "day"),
            days2=usual.days,
            basis=basis,
        )
    if score:
        pairs[_("Learnt chance")] = figure(score.chance, ".0%")
    if pairs:
        click.echo("")
        print_pairs(pairs)
    for reason in score.reasons if score else ():
        click.echo(f"  {safe(reason_text(reason.fact, reason.points, reason.because))}")


def print_notes(notes: Iterable[Note]) -> None:
    """Prints a log of notes, the newest first."""
    for note in notes:
        when = f"{note.at:%Y-%m-%d %H:%M} UTC" if note.at else ""
        if head := ", ".join(filter(None, (when, safe(note.by)))):
            click.echo(f"  {head}")
        for text in safe(note.text, keep_lines=True).splitlines():
            click.echo(f"    {text}")


def _own_text(field: DealField, deal: Deal) -> str:
    """Returns a field of the user's own as people read it: money as that of the deal."""
    text = deal.own.get(field.name, "")
    known = money_of(text, deal.currency) if field.kind is Kind.MONEY and text else None
    return amount_shown(*known) if known else text


def print_history(moves: Iterable[StageMove], changes: Iterable[FieldChange]) -> None:
    """Prints what happened to a deal, the oldest first."""
    events = [(move.at, _move_text(move)) for move in moves]
    events += [(change.at, _change_text(change)) for change in changes]
    if events:
        click.echo(_("\nHistory"))
    for at, text in sorted(events, key=lambda event: event[0]):
        click.echo(f"  {at:%Y-%m-%d %H:%M}  {safe(text)}")


def was_lost_because(deal: Deal, changes: Iterable[FieldChange]) -> list[FieldChange]:
    """Returns the changes that took away why a deal was lost, which it is not any more."""
    if deal.lost_reason:
        return []
    return [each for each in changes if each.field == "lost_reason" and each.before]


def _move_text(move: StageMove) -> str:
    steps = (
        f"{move.from_stage} → {move.to_stage}"
        if move.from_stage
        else _("in {to_stage}", to_stage=move.to_stage)
    )
    forced = _(", skipping: {forced}", forced="; ".join(move.forced)) if move.forced else ""
    return f"{steps}{_by(move.by)}{forced}"


def _change_text(change: FieldChange) -> str:
    if is_note(change):
        return _(
            "note: {split}{by}",
            split=shorten(" ".join(change.after.split()), _SHOWN_NOTE),
            by=_by(change.by),
        )
    field = _labelled(change.field)
    before, after = (shorten(" ".join(text.split()), _SHOWN) for text in _held(change))
    return f"{field}: {before} → {after}{_by(change.by)}"


def _labelled(field: str) -> str:
    """Returns what a field is called: in English by its name, as in the options."""
    if used() == ENGLISH or field not in BUILT_IN:
        return field.replace("_", " ")
    return _(BUILT_IN[field].label)


def _held(change: FieldChange) -> tuple[str, str]:
    return change.before or _("none"), change.after or _("none")


def _by(name: str) -> str:
    return _(" (by {name})", name=name) if name else ""


def print_allocations(
    allocations: Iterable[Allocation],
    left: Collection[tuple[str, str]] = (),
    *,
    won: Collection[str] = (),
    with_deal: bool = False,
) -> int:
    """Prints a table of allocations; returns how many.

    ``left`` are deals and addresses of those who are no longer in the deal's project. ``won`` are
    deals that are won: nothing is tentative there.
    """
    rows = [
        [
            *([safe(each.deal_key)] if with_deal else []),
            safe(each.email),
            safe(each.role),
            f"{each.hours_per_week:f} h",
            str(each.start or _("deal's start")),
            str(each.end or _("deal's end")),
            _standing(each, left, won),
        ]
        for each in allocations
    ]
    if rows:
        headings = [_("Person"), _("Role"), _("Per week"), _("From"), _("To"), ""]
        print_table(
            ([_("Deal")] if with_deal else []) + headings, rows, right=(3 if with_deal else 2,)
        )
    return len(rows)


def _standing(
    allocation: Allocation, left: Collection[tuple[str, str]], won: Collection[str]
) -> str:
    is_sure = allocation.confirmed or allocation.deal_key in won
    parts = [] if is_sure else [_("tentative")]
    if (allocation.deal_key, allocation.email.casefold()) in left:
        parts.append(_("left the project"))
    return ", ".join(parts)


def print_taken(taken: Iterable[RecordKey]) -> None:
    """Prints what people took away from a deal's project."""
    for number, key in enumerate(taken):
        if not number:
            click.echo(_("\nTaken away by people"))
        click.echo(f"  {safe(f'{key.kind} {key.name}')}")


def print_facts(facts: Mapping[str, Any]) -> None:
    """Prints what is known of a deal's project: delivery's side."""
    known = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    if not known:
        return
    click.echo(_("\nProject"))
    pairs = {_fact_label(name): _fact(name, known[name]) for name in known}
    for name, value in pairs.items():
        click.echo(f"  {name}: {safe(value)}")


def print_projects(projects: Sequence[DeliveryFacts]) -> None:
    """Prints the projects of a deal with phases."""
    if not projects:
        return
    click.echo(_("\nProjects of its phases"))
    for each in projects:
        parts = (each.title, _(each.state) if each.state else "", percent(each.progress), each.url)
        click.echo(f"  {safe(each.deal_key)}: {safe(', '.join(filter(None, parts)))}")


def delivery_json(facts: DeliveryFacts) -> dict[str, Any]:
    """Returns what became of one project of a deal."""
    return {
        "key": facts.deal_key,
        "title": facts.title,
        "url": facts.url,
        "state": facts.state,
        "progress": None if facts.progress is None else float(facts.progress),
        "milestones": [
            {"name": name, "start": start and str(start), "finish": finish and str(finish)}
            for name, start, finish in facts.milestones
        ],
        "team": list(facts.team),
    }


def _fact_label(name: str) -> str:
    return "URL" if name == "url" else _(name.replace("_", " ").capitalize())


def _fact(name: str, value: Any) -> str:
    if name == "progress":
        return percent(Decimal(str(value)))
    if name == "milestones":
        return "; ".join(_milestone(each) for each in value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return _moment(value) if isinstance(value, str) else str(value)


def _moment(text: str) -> str:
    """Returns a moment as other moments of a deal are shown, and any other text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at.tzinfo else text


def _milestone(milestone: Mapping[str, Any]) -> str:
    days = [str(milestone.get(name) or "?") for name in ("start", "finish")]
    return f"{milestone.get('name', '')} ({' to '.join(days)})"
