"""The calendar of the pipeline: when decisions are expected, projects start, next steps are due."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sync.errors import Stop, Unreachable
from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.files import writing
from taiga_pipeline.pipeline.columns import format_cell
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.pipeline.fields.field import DealField, FieldTable, Kind, held
from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.mapping.rules import StageRule
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.report.calendar_feed import DayEvent
    from taiga_pipeline.sources.port import DealReading

_LOG: Final = logging.getLogger(__name__)
_KEPT: Final = timedelta(days=366)
"""How long an event stays in the calendar after its day."""
_OPEN_ONLY: Final = ("expected_close", "next_step_on")
_TITLES: Final = {"expected_close": "Decision expected", "start": "Start"}
_INCOMPLETE: Final = "the source could not be read completely, so the calendar stays as it is"


@dataclass
class DealWatch:
    """The deals with days that the last reading of the source brought, None if it did not end.

    So a run that writes the calendar reads the source once. Where no file is asked for, none is
    kept.
    """

    workspace: Workspace
    deals: tuple[Deal, ...] | None = None

    def watched(self, reading: DealReading, deals: Iterable[Deal]) -> Iterator[Deal]:
        """Goes through deals, and keeps those that a calendar may show."""
        self.deals = None
        wanted = self.workspace.settings.calendar
        kept: list[Deal] = []
        oldest = self.workspace.today - _KEPT
        for deal in deals:
            days = (_day(deal, name) for name in wanted.events) if wanted.file else ()
            if any(day is not None and day >= oldest for day in days):
                kept.append(deal)
            yield deal
        self.deals = tuple(kept) if wanted.file and reading.complete else None


def watch_of(workspace: Workspace) -> DealWatch:
    """Returns what watches the deals of a workspace, the same one as long as it lasts."""
    kept = workspace.kept.setdefault("calendar", DealWatch(workspace))
    assert isinstance(kept, DealWatch)
    return kept


def calendar_feed(workspace: Workspace, only: Callable[[Deal], bool] | None = None) -> bytes:
    """Returns the calendar as iCalendar; the same bytes as long as nothing changes.

    ``only`` tells which deals are in it, None for all.

    :raises ProblemsError: what is wrong with the configuration or the mappings, or a package that
        is not installed.
    :raises Stop: the source does not answer, or was not read completely.
    """
    return _feed(workspace, None, only)


def _feed(
    workspace: Workspace,
    deals: Iterable[Deal] | None,
    only: Callable[[Deal], bool] | None = None,
) -> bytes:
    """Returns the calendar of deals that were just read; None: they are read for it.

    :raises ProblemsError: what is wrong with the configuration or the mappings, or a package that
        is not installed.
    :raises Stop: the source does not answer, or was not read completely.
    """
    need_extra("a calendar", "planning", "icalendar", "recurring_ical_events")
    from taiga_pipeline.report.calendar_feed import calendar_bytes

    settings = workspace.settings
    if deals is None:
        reading = workspace.make_deal_source().read()
        if not reading.complete:
            raise Unreachable(_INCOMPLETE)
        deals = reading.deals
    events = _events(workspace, deals if only is None else filter(only, deals))
    return calendar_bytes(settings.calendar.name or settings.pipeline, events)


def write_feed(workspace: Workspace) -> None:
    """Writes the calendar to the file that the configuration names, whole or not at all.

    A file that would not change is not touched. What goes wrong is logged, and stops nothing.
    """
    path = feed_path(workspace)
    if path is None:
        return
    try:
        content = _feed(workspace, watch_of(workspace).deals)
        if _holds(path, content):
            return
        with writing(path, workspace.settings.calendar.mode) as stream:
            stream.write(content)
    except (ProblemsError, RequestError, Stop, OSError) as error:
        _LOG.warning("the calendar %s was not written: %s", path, error)
    except Exception:  # deals are in step all the same
        _LOG.exception("the calendar %s was not written, because of an unexpected error", path)


def feed_path(workspace: Workspace) -> Path | None:
    """Returns the file of the calendar, None if the configuration names none."""
    name = workspace.settings.calendar.file
    return (workspace.settings.path.absolute().parent / Path(name).expanduser()) if name else None


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _events(workspace: Workspace, deals: Iterable[Deal]) -> Iterator[DayEvent]:
    settings, table = workspace.settings, workspace.fields
    mappings, oldest = workspace.load_mappings(), workspace.today - _KEPT
    shown = settings.calendar.facts_of(table)
    make = _maker(settings.pipeline, table, shown)
    for deal in deals:
        stage = _stage(mappings, deal)
        if stage is None or stage.category is Category.LOST:
            continue
        for name in settings.calendar.events:
            day = _day(deal, name)
            is_over = stage.category.is_closed and name in _OPEN_ONLY
            if day is not None and day >= oldest and not is_over:
                yield make(deal, stage, name, day)


def _stage(mappings: MappingSet, deal: Deal) -> StageRule | None:
    """Returns the stage of a deal; None if no mapping knows it."""
    from taiga_pipeline.mapping.errors import NotMapped

    try:
        return mappings.stage_of(deal)[1]
    except NotMapped:
        return None


def _day(deal: Deal, name: str) -> date | None:
    value = held(deal, name)
    if isinstance(value, str):  # one of the user's own
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) else None


def _maker(
    pipeline: str, table: FieldTable, shown: Iterable[str]
) -> Callable[[Deal, StageRule, str, date], DayEvent]:
    from taiga_pipeline.report.calendar_feed import DayEvent

    facts = [table[name] for name in shown]

    def make(deal: Deal, stage: StageRule, name: str, day: date) -> DayEvent:
        label = _TITLES.get(name, table[name].label)
        return DayEvent(
            identity=f"{pipeline}|{deal.key}|{name}",
            day=day,
            title=_title(deal, stage, name, label),
            lines=(deal.key, *_lines(deal, stage, facts)),
            category=label,
            is_tentative=not stage.category.is_closed,
            changed=deal.updated_at,
        )

    return make


def _title(deal: Deal, stage: StageRule, name: str, label: str) -> str:
    what = f"{deal.customer}: {deal.name}" if deal.customer else deal.name
    if name == "next_step_on":
        who = f" ({deal.next_step_by})" if deal.next_step_by else ""
        return f"{deal.next_step or label}{who} – {what}"
    chance = stage.chance(deal.probability)
    is_open = not stage.category.is_closed and chance is not None
    return f"{label}: {what}{f' ({_per_cent(chance)})' if is_open else ''}"


def _lines(deal: Deal, stage: StageRule, facts: Iterable[DealField]) -> Iterator[str]:
    for field in facts:
        text = _shown(deal, stage, field)
        if text:
            yield f"{field.label}: {text}"


def _shown(deal: Deal, stage: StageRule, field: DealField) -> str:
    if field.name == "probability":
        return _per_cent(stage.chance(deal.probability))
    text = format_cell(field.name, held(deal, field.name))
    is_of_deal = field.kind is Kind.MONEY and not field.is_own and text
    return f"{text} {deal.currency}".rstrip() if is_of_deal else text


def _per_cent(chance: Decimal | None) -> str:
    return "" if chance is None else f"{(chance * 100).normalize():f} %"
