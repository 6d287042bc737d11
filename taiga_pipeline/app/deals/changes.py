"""What changed since a moment, on both sides, and what that did to the plans."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sync.plan.model import ActionType
from sync.records.model import RecordKey
from sync.state.rows import BRING_BACK, KEEP, TAKE_AWAY
from taiga_pipeline.app.planning.inputs import STATED, options_for, plan_input
from taiga_pipeline.app.planning.record import read_history, stage_book
from taiga_pipeline.app.source_needs import history_notices
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.columns import parse_cell
from taiga_pipeline.pipeline.delivery import delivery_facts
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Category, Deal, FieldChange
from taiga_pipeline.pipeline.what_changed import (
    PLANNED,
    WATCHED,
    Happening,
    Since,
    What,
    as_it_was,
    removed,
    what_happened,
)
from taiga_pipeline.records import Kind, Milestone, deal_of, is_portfolio, phase_of
from taiga_pipeline.sources.port import Past, TellsHistory

if TYPE_CHECKING:
    from sync.state.store import JournalEntry
    from taiga_pipeline.planning.forecast.forecast import Row

MOST: Final = 100_000
"""Entries of the journal that are looked at."""
_CAME: Final = (BRING_BACK, ActionType.CREATE)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AGO: Final = re.compile(r"([0-9]{1,4})\s*(d|w)[a-z]*")


@dataclass(frozen=True, slots=True)
class Delivered:
    """Something that people changed in a deal's project, as a run found it at ``at`` (UTC).

    ``what`` is ``start moved`` (of the milestone ``name``, by ``days`` over the whole time),
    ``left`` (the person ``name``, who is not back) or ``progress`` (more than 0, up to 1, as it is
    now, in ``after``, of a project in which something happened).
    """

    what: str
    key: str
    name: str
    before: str
    after: str
    at: datetime | None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes did to a number: what it was, and what it is."""

    before: float
    after: float

    @property
    def change(self) -> float:
        """The difference."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What changed since a day, in the order of `What`.

    ``quarter`` names the present one. ``wins`` and ``value`` (by currency) are what it is expected
    to come to as a whole (medians), forecast from what was known then and now; None and empty where
    nothing can be forecast. ``hours_missing`` is what the changes of deals, chances as stated, did
    to the hours expected to be missing within the horizon; None where planning is not possible.
    ``notices`` say what is not known.
    """

    since: date
    deals: tuple[Happening, ...]
    delivery: tuple[Delivered, ...]
    quarter: str = ""
    wins: Effect | None = None
    value: Mapping[str, Effect] = field(default_factory=dict)
    hours_missing: Effect | None = None
    notices: tuple[str, ...] = ()


def read_since(text: str, today: date) -> date:
    """Reads from which day on: ``monday`` (the last one, today included), ``7d``, ``2w``, a date.

    :raises InvalidValue: it is none of them, or a day to come.
    """
    word = text.strip().casefold()
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    if len(word) > 2 and (near := [n for n, day in enumerate(_DAYS) if day.startswith(word)]):
        return today - timedelta(days=(today.weekday() - near[0]) % 7)
    if ago := _AGO.fullmatch(word):
        return today - timedelta(days=int(ago[1]) * (7 if ago[2] == "w" else 1))
    try:
        day: date | None = parse_cell("expected_close", text)
    except InvalidValue as error:
        raise InvalidValue(f"{error}; write monday, 7d, 2w or a date") from None
    if day is None:
        raise InvalidValue(f"{text!r} is not a day; write monday, 7d, 2w or a date")
    if day > today:
        raise InvalidValue(f"{day}: that day is in the future (today is {today})")
    return day


def changes_since(workspace: Workspace, since: date) -> ChangesSince:
    """Returns what changed since the beginning of a day, in the pipeline's time zone.

    A source that tells no history has nothing to say of sales' side.

    :raises ProblemsError: what is wrong with the configuration or the mappings.
    :raises Unreachable: the source does not answer.
    """
    begin = datetime.combine(since, time.min, workspace.zone).astimezone(UTC)
    deals = {deal.key: deal for deal in workspace.make_deal_source().read().deals}
    record, gone, notices = _record(workspace, begin)
    happened = [removed(each) for each in gone if each.before not in deals]
    category_of = _Categories(workspace)
    for key, each in record.items():
        if key in deals:
            happened += what_happened(deals[key], each, category_of)
    order = {what: place for place, what in enumerate(What)}
    happened.sort(key=lambda each: (order[each.what], each.key))
    quarter, wins, value = _expected(workspace, since)
    return ChangesSince(
        since=since,
        deals=tuple(happened),
        delivery=tuple(_delivered(workspace, begin, deals)),
        quarter=quarter,
        wins=wins,
        value=value,
        hours_missing=_hours_missing(workspace, record),
        notices=notices,
    )


def _record(
    workspace: Workspace, begin: datetime
) -> tuple[dict[str, Since], list[FieldChange], tuple[str, ...]]:
    """Returns what is on record of each deal since then, which keys went, and what is not known."""
    source = workspace.make_deal_source()
    found: dict[str, Since] = {}
    gone: list[FieldChange] = []
    if not isinstance(source, TellsHistory):
        return found, gone, tuple(history_notices(workspace))
    with source.past(fields=(*WATCHED, *PLANNED)) as past:
        _sort_out(past, begin, found, gone)
    return found, gone, ()


def _sort_out(
    past: Past, begin: datetime, found: dict[str, Since], gone: list[FieldChange]
) -> None:
    for move in past.moves:
        if move.at >= begin:
            found.setdefault(move.deal_key, Since()).moves.append(move)
    for change in past.changes:
        if change.at < begin:
            continue
        if change.field == "key" and not change.after:
            gone.append(change)
        else:
            found.setdefault(change.deal_key, Since()).changes.append(change)


class _Categories:
    """Tells the categories of stages by the mappings."""

    def __init__(self, workspace: Workspace) -> None:
        self._book = stage_book(workspace.load_mappings())

    def __call__(self, deal: Deal, stage: str) -> Category | None:
        found = self._book(deal, stage)
        return found.category if found else None


# --- what that did to the plans


def _expected(workspace: Workspace, since: date) -> tuple[str, Effect | None, Mapping[str, Effect]]:
    """Returns what the present quarter is expected to come to, by what was known then and now."""
    if find_spec("numpy") is None:
        return "", None, {}
    today = workspace.today
    history = read_history(workspace, today)
    day = since - timedelta(days=1)
    if not history.known_on(day).decided or not history.known_on(day).open:
        return "", None, {}
    from taiga_pipeline.planning.forecast.forecast import make_forecast

    now = make_forecast(history, today).quarters[0]
    ahead = (today.year - day.year) * 12 + today.month - day.month + 3
    rows = make_forecast(history, day, months_ahead=ahead).quarters
    then = next((row for row in rows if row.period.name == now.period.name), None)
    if then is None:
        return "", None, {}
    wins = Effect(then.won_in_whole.middle, now.won_in_whole.middle)
    return now.period.name, wins, dict(_values(then, now))


def _values(then: Row, now: Row) -> Iterator[tuple[str, Effect]]:
    for currency in sorted(now.value.keys() | then.value.keys()):
        means = [
            row.value_in_whole(currency).middle if currency in row.value else 0.0
            for row in (then, now)
        ]
        yield currency, Effect(*means)


def _hours_missing(workspace: Workspace, record: Mapping[str, Since]) -> Effect | None:
    """Plans with the deals as they are and as they were; people and all else are today's."""
    if find_spec("numpy") is None:
        return None
    given = plan_input(workspace, STATED)
    if not given.situation.people:
        return None
    before = tuple(
        was
        for deal in given.situation.deals
        if (was := _then(deal, record.get(deal.key))) is not None
    )
    from taiga_pipeline.planning.capacity.find import capacity_for, demand_for
    from taiga_pipeline.planning.demand.stated_outlook import plain_outlooks

    options = options_for(
        workspace, team="", first=None, weeks=None, quantile=None, trials=1_000, seed=0
    )
    options = replace(options, with_drivers=False, brief=True)
    missing = []
    for deals in (before, given.situation.deals):
        situation = replace(given.situation, deals=deals)
        outlooks = plain_outlooks(deals, given.mappings, situation.as_of)
        demand = demand_for(situation, given.mappings, outlooks, options)
        report = capacity_for(situation, demand, outlooks, options)
        missing.append(report.total.expected_gap)
    return Effect(*missing)


def _then(deal: Deal, since: Since | None) -> Deal | None:
    """Returns a deal as it was, None if it was not there yet."""
    if since is None:
        return deal
    if since.moves and not since.moves[0].from_stage:
        return None
    first: dict[str, FieldChange] = {}
    for change in since.changes:
        first.setdefault(change.field, change)
    was = as_it_was(deal, first)
    return replace(was, stage=since.moves[0].from_stage) if since.moves else was


# --- delivery


def _delivered(
    workspace: Workspace, begin: datetime, deals: Collection[str]
) -> Iterator[Delivered]:
    if not workspace.has_state():
        return
    with state_to_read(workspace) as store:
        journal = [e for e in store.history(None, MOST) if e.intended_at >= begin]
        facts = store.all_facts()
    now = {key: each for key, (each, _) in facts.items()}
    of_deals = [entry for entry in reversed(journal) if not is_portfolio(entry.key.group)]
    yield from sorted(
        (*_moved_starts(of_deals, now), *_left(of_deals, now)),
        key=lambda each: (each.key, each.name),
    )
    for key, (each, seen_at) in sorted(facts.items()):
        is_theirs = deal_of(key) in deals and _was_active(each, begin)
        progress = _progress(each) if is_theirs else 0.0
        if progress:
            after = f"{progress:.2f}"
            yield Delivered("progress", deal_of(key), phase_of(key), "", after, seen_at)


_Facts = Mapping[str, Mapping[str, object]]
"""What projects are like now, by deal."""


def _moved_starts(entries: Iterable[JournalEntry], now: _Facts) -> Iterator[Delivered]:
    """Yields the starts of milestones that people moved, each once over the whole time.

    The journal does not say that one was moved back to where sales want it: the project does.
    """
    found: dict[RecordKey, Delivered] = {}
    for entry in entries:
        if entry.key.kind != Kind.MILESTONE or entry.action != KEEP:
            continue
        for change in entry.changes:
            if change.get("field") == Milestone.START:
                first = found.get(entry.key)
                before = first.before if first else str(change.get("base") or "")
                after = _start_of(entry.key, now) or str(change.get("observed") or "")
                found[entry.key] = Delivered(
                    "start moved",
                    deal_of(entry.key.group),
                    _in_phase(entry.key),
                    before,
                    after,
                    entry.intended_at,
                    _apart(before, after),
                )
    yield from (each for each in found.values() if each.before != each.after)


def _in_phase(key: RecordKey) -> str:
    """Returns the name of a record, behind the phase in whose project it is."""
    phase = phase_of(key.group)
    return f"{phase}: {key.name}" if phase else key.name


def _start_of(key: RecordKey, now: _Facts) -> str:
    """Returns when a milestone starts by now, "" where that is not known."""
    milestones = delivery_facts(key.group, now.get(key.group, {}), None, "").milestones
    starts = [start for name, start, _ in milestones if name.casefold() == key.name.casefold()]
    return starts[0].isoformat() if len(starts) == 1 and starts[0] is not None else ""


def _left(entries: Iterable[JournalEntry], now: _Facts) -> Iterator[Delivered]:
    """Yields who left a project and is not back."""
    found: dict[RecordKey, Delivered] = {}
    for entry in entries:
        if entry.key.kind == Kind.MEMBERSHIP and entry.action == TAKE_AWAY:
            key = entry.key
            left = "left", deal_of(key.group), _in_phase(key), "", ""
            found[key] = Delivered(*left, entry.intended_at)
        elif entry.key.kind == Kind.MEMBERSHIP and entry.action in _CAME:
            found.pop(entry.key, None)
    for key, each in found.items():
        members = now.get(key.group, {}).get("members")
        if not isinstance(members, list) or key.name.casefold() not in members:
            yield each


def _was_active(facts: Mapping[str, object], begin: datetime) -> bool:
    """Whether something happened in a project since then; a time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(str(facts.get("last_activity") or ""))
    except ValueError:
        return False
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) >= begin


def _progress(facts: Mapping[str, object]) -> float:
    progress = facts.get("progress")
    return float(progress) if isinstance(progress, int | float) else 0.0


def _apart(before: str, after: str) -> int | None:
    try:
        return (date.fromisoformat(after) - date.fromisoformat(before)).days
    except ValueError:
        return None
