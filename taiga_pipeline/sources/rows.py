"""What sources that read rows share: their settings, and the way from rows to deals.

Settings: ``date_format``, ``time_zone``, ``decimal``, ``probability_scale``, ``currency``,
``name``, ``key``, and the tables ``columns`` (ours = "theirs"), ``stages`` (theirs = "ours") and
``defaults`` (ours = "text").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from sync.source import Quarantined
from taiga_pipeline.pipeline.columns import check_field
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.contents import contents
from taiga_pipeline.pipeline.importing.drafts import DraftReading
from taiga_pipeline.pipeline.importing.native import NativeRow
from taiga_pipeline.pipeline.importing.options import IN_CONFIG, Funnel, ImportOptions, lay_out
from taiga_pipeline.pipeline.importing.rows import BadRow, Draft, RowReader, new_deal
from taiga_pipeline.pipeline.importing.times import decided_by
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.sources.settings import SettingsReader

ROW_SETTINGS: Final = (
    "date_format",
    "time_zone",
    "decimal",
    "probability_scale",
    "currency",
    "name",
    "key",
    "columns",
    "stages",
    "defaults",
)


def row_options(settings: SettingsReader) -> ImportOptions:
    """Returns how rows are read, from a source's settings."""
    return ImportOptions(
        fields=settings.fields,
        columns=settings.table("columns"),
        stages=settings.table("stages"),
        defaults=settings.table("defaults"),
        currency=settings.text("currency"),
        name=settings.text("name"),
        key=settings.text("key"),
        date_format=settings.text("date_format"),
        time_zone=settings.text("time_zone"),
        zone=settings.zone,
        decimal=settings.text("decimal"),
        probability_scale=settings.text("probability_scale"),
        is_guarded=False,
        spelling=IN_CONFIG,
    )


def named_fields(reader: SettingsReader, options: ImportOptions) -> dict[str, str]:
    """Returns the fields of another system that ``columns`` names, by our own; complains of names
    that a deal does not have."""
    named: dict[str, str] = {}
    for ours, theirs in options.columns.items():
        try:
            named[check_field(ours, options.fields.columns)] = theirs
        except InvalidValue as error:
            reader.problems.append(f'[source.columns] {ours} = "{theirs}": {error}')
    return named


def _bounded(deal: Deal, draft: Draft, funnel: Funnel) -> Deal:
    """Returns a deal; one that was decided on an unknown day was so when it was last updated."""
    if deal.closed_on or deal.stage_since or not funnel.is_closed(deal.stage):
        return deal
    return replace(deal, stage_since=decided_by(draft))


def read_rows(
    rows: Iterable[Mapping[str, object]], options: ImportOptions, place: str
) -> DealReading:
    """Returns the deals of rows that are in memory: names of columns -> values.

    A value is text, a number, a date, a moment, true or false, or None. A column that only some
    rows have is blank in the others. ``place`` names where the rows are, for messages.

    :raises ProblemsError: the options do not fit the columns.
    """
    found = list(rows)
    headers = tuple(dict.fromkeys(name for row in found for name in row))
    if not headers:
        return DealReading(())
    native = [
        NativeRow(number, tuple(row.get(name) for name in headers))
        for number, row in enumerate(found, start=1)
    ]
    content_of = contents(headers, lambda: (row.cells for row in native))
    reader = RowReader(lay_out(place, headers, options, content_of), options, Funnel())
    if reader.has_to_survey(native):
        reader.survey(native)
    drafts = DraftReading(native, reader, unit="row")
    reading = DealReading(())
    reading.deals = list(
        read_deals(drafts, lambda number: f"{place}, row {number}", reading.quarantined)
    )
    reading.complete = drafts.complete
    return reading


def read_deals(
    reading: DraftReading, place: Callable[[int], str], quarantined: list[Quarantined]
) -> Iterator[Deal]:
    """Yields the deals of the rows, and puts those that are none into ``quarantined``.

    ``place`` says where the row of a number is to be found.
    """
    for draft in reading.drafts():
        if draft.doubt:  # whose row it is cannot be known
            reading.bad_rows.append(BadRow(draft.line, "", f"key: {draft.doubt}"))
            continue
        try:
            yield _bounded(new_deal(draft), draft, reading.reader.funnel)
        except InvalidValue as error:
            reasons = "; ".join(problem.message for problem in error.problems)
            quarantined.append(Quarantined(draft.key, place(draft.line), reasons))
    for bad in reading.bad_rows:
        quarantined.append(Quarantined(bad.key, place(bad.line), bad.reason))
