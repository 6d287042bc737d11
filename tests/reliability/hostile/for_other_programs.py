"""Where a deal's text comes out for spreadsheets and calendars, and what harmless means there."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any, Final

from icalendar import Calendar
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from taiga_pipeline.pipeline.files.csv_reader import unguard
from taiga_pipeline.pipeline.text import line
from tests.reliability.hostile.checks import SHOWN_FORMATS, assert_plain
from tests.reliability.hostile.commands import Commands, made_once


@made_once
def _workbook(out: Commands) -> Mapping[str, Mapping[str, Any]]:
    """Returns the cells of the exported workbook by the keys of the deals and by column."""
    out.text("deals", "export", "out.xlsx")
    sheet = load_workbook(io.BytesIO((out.world.folder / "out.xlsx").read_bytes())).active
    headers, *rows = sheet.iter_rows()
    names = [cell.value for cell in headers]
    return {row[0].value: dict(zip(names, row, strict=True)) for row in rows}


def workbook_deals(out: Commands, name: str, text: str) -> None:
    row = _workbook(out)[f"W-{name}"]
    assert all(cell.data_type in "snd" for cell in row.values())
    for column in ("name", "customer", "owner", "service", "lost_reason", "next_step", "region"):
        assert unguard(unescape(row[column].value or "")) == line(text)


@made_once
def _deals_calendar(out: Commands) -> str:
    out.text("calendar", "export", "deals.ics")
    return (out.world.folder / "deals.ics").read_bytes().decode()


def calendar_deals(out: Commands, name: str, text: str) -> None:
    written = _deals_calendar(out)
    rows = re.sub("\r\n[ \t]", "", written).removesuffix("\r\n").split("\r\n")
    assert {re.split("[:;]", row)[0] for row in rows} <= CALENDAR_PROPERTIES
    assert_plain("".join(rows))
    shown = " ".join("".join(map(as_in_calendar, line(text))).split())
    titles = [
        str(event["SUMMARY"])
        for event in Calendar.from_ical(written).walk("VEVENT")
        if str(event["DESCRIPTION"]).split("\n", 1)[0] == f"W-{name}"
    ]
    assert titles
    assert all(shown[:100] in title for title in titles)


CALENDAR_PROPERTIES: Final = frozenset(
    "BEGIN END PRODID VERSION X-WR-CALNAME X-PUBLISHED-TTL UID DTSTAMP LAST-MODIFIED DTSTART DTEND "
    "SUMMARY DESCRIPTION CATEGORIES STATUS TRANSP".split()
)


def as_in_calendar(character: str) -> str:
    return character if character.isprintable() or character in SHOWN_FORMATS else " "
