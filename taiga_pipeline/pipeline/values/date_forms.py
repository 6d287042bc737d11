"""Every way in which one text may be read as a day, a moment or a period. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from taiga_pipeline.days import known_day
from taiga_pipeline.look_alikes import as_meant
from taiga_pipeline.pipeline.values.months import month_number
from taiga_pipeline.pipeline.values.patterns import pattern
from taiga_pipeline.pipeline.values.plain import plain_digits, without_guard

DAY_FIRST: Final = "%d/%m/%Y"
MONTH_FIRST: Final = "%m/%d/%Y"
ORDERS: Final = (DAY_FIRST, MONTH_FIRST, "%Y/%m/%d", "%y/%m/%d")
"""Orders of a day in figures. The separator is any of ``/ - .``; a year may have two digits."""

EXCEL: Final = "excel"
UNIX: Final = "unix"
UNIX_MS: Final = "unix-ms"
SERIALS: Final[Mapping[str, str]] = {
    EXCEL: "serial numbers of a spreadsheet",
    UNIX: "seconds since 1970",
    UNIX_MS: "milliseconds since 1970",
}
ISO: Final = "%Y-%m-%d"
WITH_MONTH: Final = "%d %B %Y"
PERIOD: Final = "period"
MONTH_AND_YEAR: Final = "%b-%y"
JSON_TEXT: Final = "/Date(milliseconds)/"

MAX_TEXT: Final = 96
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TIME = (
    r"(?:(?:\s*T\s*|,?\s+(?:kl\.?\s*|um\s+|at\s+|à\s+)?)(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-9]{2})"
    r"(?:[:.](?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?(?:\s*Uhr)?\s*(?P<half>[ap]\.?\s?m\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+\-−][0-9]{2}:?[0-9]{2}|[+\-−][0-9]{2})?)?"
)
_NUMBERED = pattern(
    rf"(?P<a>[0-9]{{1,4}})\s?(?P<mark>[/.\-])\s?(?P<b>[0-9]{{1,2}})\s?(?P=mark)\s?(?P<c>[0-9]{{4}}|[0-9]{{1,2}})\.?"
    rf"{_TIME}",
    re.I,
)
_COMPACT = pattern(rf"(?P<a>[0-9]{{4}})(?P<b>[0-9]{{2}})(?P<c>[0-9]{{2}}){_TIME}", re.I)
_COMPACT_TIME = pattern(
    r"[0-9]{8}T(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?(?P<zone>Z|[+\-][0-9]{2}:?[0-9]{2})?"
)
_WORD = r"[^\W\d_]+"
_DAY_MONTH_YEAR = pattern(
    rf"(?:den\s+)?(?P<day>[0-9]{{1,2}})(?:\.|st|nd|rd|th|er|:e|o|a)?[\s\-/.]*(?:of\s+|de\s+)?"
    rf"(?P<month>{_WORD})\.?,?[\s\-/.]*(?:de\s+|del\s+)?'?(?P<year>[0-9]{{4}}|[0-9]{{2}}){_TIME}",
    re.I,
)
_MONTH_DAY_YEAR = pattern(
    rf"(?P<month>{_WORD})\.?[\s\-]*(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[\s\-]+(?P<year>[0-9]{{4}})"
    rf"{_TIME}",
    re.I,
)
_YEAR_MONTH_DAY = pattern(
    rf"(?P<year>[0-9]{{4}})[\s\-/.]+(?P<month>{_WORD})\.?[\s\-/.]+(?P<day>[0-9]{{1,2}})\.?{_TIME}",
    re.I,
)
_WEEKDAYS: Final = (
    "mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday "
    "sunday mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag "
    "mån tis ons tor tors fre lör sön man tir lør søn lun mar mer jeu ven sam dim mié jue vie sáb "
    "dom seg ter qua qui sex ma wo vr za zo ti ke to pe la su"
).split()
_WEEKDAY = pattern(
    rf"^{_WORD}\.?,?\s+(?=[0-9])|^{_WORD},\s+(?={_WORD})"
    rf"|^(?:{'|'.join(_WEEKDAYS)})\.?\s+(?={_WORD}\.?\s+[0-9])",
    re.I,
)
_SAID_ZONE = pattern(
    r"(?<=[0-9])\s*\([^()]*\)$|(?:(?<=[+\-][0-9]{2}:[0-9]{2})|(?<=[0-9]Z))\[[^\[\]]*\]$"
)
"""What JavaScript and Java say of a zone whose offset stands before: ``GMT+0100 (CET)``."""
_YEAR_WORD = pattern(r"(?<=[0-9])\s?(?:r|roku|г|года)\.?$", re.I)
"""``31.12.2026 r.``: the word for a year after it."""
_EAST = pattern(
    r"(?P<y>[0-9]{4})\s?[年년]\s?(?P<m>[0-9]{1,2})\s?[月월]\s?(?:(?P<d>[0-9]{1,2})\s?[日일])?"
)
_END = pattern(
    r"(?:by\s+)?(?:the\s+)?(?:end of|end|ende|slutet av|slutet på|slutten av|"
    r"slutningen af|ultimo|fin de|fin|"
    r"fine|einde|eind|final de|finales de|fim de|koniec|konec|loppu)\s+(?P<period>.+)",
    re.I,
)
_YEAR_LAST = pattern(
    rf"(?P<day>{_WORD}\.?\s+[0-9]{{1,2}})\s+(?P<time>[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?)"
    r"(?:\s+(?P<zone>UTC|GMT))?\s+(?P<year>[0-9]{4})",
    re.I,
)
_JSON = pattern(r"\\?/Date\((?P<ms>-?[0-9]{1,15})(?:[+\-][0-9]{4})?\)\\?/")
_FULL_YEAR = pattern(r"[0-9]{4}")
_MARK = r"[\s/\-.]*'?"
_YEAR = r"[0-9]{4}|[0-9]{2}"
_QUARTER = pattern(
    rf"(?:[QKT](?P<a>[1-4]){_MARK}(?P<y>{_YEAR})|(?P<z>{_YEAR}){_MARK}[QKT](?P<b>[1-4])"
    rf"|(?P<c>[1-4])[QT]{_MARK}(?P<x>{_YEAR}))",
    re.I,
)
_QUARTERS: Final = (
    "kvartal|kvartaali|kv|quartal|quarter|qtr|quartile|trimestre|trim|kwartał|kwartale|čtvrtletí|"
    "kwartaal|neljännes"
)
_NAMED_QUARTER = pattern(
    rf"(?:(?:{_QUARTERS})\.?\s?(?P<a>[1-4])"
    rf"|(?P<b>[1-4])\s?(?:\.|st|nd|rd|th|er|e|o|a|:a|:e)?\s?(?:{_QUARTERS})\.?)"
    rf"[\s/\-.,]+(?:de\s+|of\s+)?(?P<y>[0-9]{{4}})",
    re.I,
)
_HALF = pattern(
    rf"(?:H(?P<a>[12]){_MARK}(?P<y>{_YEAR})|(?P<z>{_YEAR}){_MARK}H(?P<b>[12])"
    rf"|(?P<c>[12])H{_MARK}(?P<x>{_YEAR}))",
    re.I,
)
_MONTH = pattern(r"(?P<y>[0-9]{4})[\-/.](?P<m>[0-9]{1,2})|(?P<n>[0-9]{1,2})[/.](?P<z>[0-9]{4})")
_NAMED_MONTH = pattern(
    rf"(?P<m>{_WORD})\.?(?:[\s\-/.,]*(?:de\s+)?(?P<y>[0-9]{{4}})|\s*[\-/'’]\s*(?P<s>[0-9]{{2}}))",
    re.I,
)
"""Of ``Dec-26``, as spreadsheets show a month, the figures are the year; ``Dec 26`` has none."""
_WEEKS: Final = (
    "KW|W|v|vecka|week|CW|wk|uke|uge|semaine|semana|settimana|viikko|vko|tydzień|tydz|týden"
)
_WEEK = pattern(
    r"(?P<y>[0-9]{4})-?W(?P<w>[0-9]{2})(?:-?(?P<d>[1-7]))?|"
    rf"(?:{_WEEKS})\.?\s?(?P<v>[0-9]{{1,2}})[\s/,.\-]+(?P<z>[0-9]{{4}})|"
    rf"(?P<x>[0-9]{{4}})[\s/,.\-]+(?:{_WEEKS})\.?\s?(?P<u>[0-9]{{1,2}})",
    re.I,
)
_SERIAL = pattern(r"[0-9]{5}(?:[.,][0-9]{1,12})?")
_EPOCH_TEXT = pattern(r"[0-9]{9,10}|[0-9]{12,13}")
_ZEROS = pattern(
    r"0{1,4}[/.\-]0{1,2}[/.\-]0{1,4}(?:[T ][0:.]*)?"
    r"|1900[/.\-]0?1[/.\-]0{1,2}|0?1[/.\-]0{1,2}[/.\-]1900"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A period of one or more days, or a moment: aware, or by the clock on the wall."""

    first: date
    last: date
    at: datetime | None = None

    def day(self, zone: tzinfo, *, last: bool) -> date:
        """Returns the day on which it falls in ``zone``; of a period, its last or first day."""
        if self.at is not None and self.at.tzinfo is not None:
            return self.at.astimezone(zone).date()
        return self.last if last else self.first

    def moment(self, zone: tzinfo) -> datetime:
        """Returns the moment in UTC: that of a day is its beginning in ``zone``."""
        at = self.at or datetime(self.first.year, self.first.month, self.first.day)
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)

    @property
    def is_beyond(self) -> bool:
        """Whether it is so far off that it stands for no date."""
        return known_day(self.first) is None


def is_no_date(text: str) -> bool:
    """Tells whether a text of figures means "no date" and is not a day at all (0000-00-00)."""
    return _ZEROS.fullmatch(text.strip()) is not None


def by_format(text: str, form: str) -> Found | None:
    """Reads a text by a strptime form, or by the name of a kind of serial number."""
    if form in SERIALS:
        return dict(_serials(text)).get(form)
    try:
        at = datetime.strptime(text, form)
    except (ValueError, OverflowError):
        return None
    has_time = any(code in form for code in ("%H", "%I", "%X", "%c", "%z", "%f"))
    return Found(at.date(), at.date(), at if has_time else None)


@lru_cache(maxsize=8192)
def readings_of(text: str) -> Mapping[str, Found]:
    """Returns every way to read a text, by the form that reads it; empty if there is none."""
    plain = " ".join(without_guard(as_meant(plain_digits(text[: MAX_TEXT * 2]))).split())
    plain = _YEAR_WORD.sub("", _SAID_ZONE.sub("", plain))
    if match := _EAST.match(plain):
        day = "-".join(filter(None, match.groups()))
        plain = f"{day} {plain[match.end() :]}".rstrip()
    if not plain or len(plain) > MAX_TEXT:
        return {}
    found = dict(_all(plain))
    if not found and (match := _END.fullmatch(plain)):
        return dict(_ends(match["period"]))
    if not found and (match := _WEEKDAY.match(plain)):
        found = dict(_all(plain[match.end() :]))
    return found


def _all(text: str) -> Iterator[tuple[str, Found]]:
    if match := _YEAR_LAST.fullmatch(text):
        text = f"{match['day']} {match['year']} {match['time']} {match['zone'] or ''}".rstrip()
    if match := _JSON.fullmatch(text):
        yield from _milliseconds(JSON_TEXT, int(match["ms"]))
    if text[0].isdigit():
        yield from _numbered(text)
        yield from _compact(text)
        yield from _serials(text)
    for words in (_DAY_MONTH_YEAR, _MONTH_DAY_YEAR, _YEAR_MONTH_DAY):
        match = words.fullmatch(text)
        month = month_number(match["month"]) if match else None
        if match and month:
            day = _date(_year(match["year"]), month, int(match["day"]))
            found = dict(_at(WITH_MONTH, day, match))
            yield from ((form, _as_day(each)) for form, each in found.items())
            return
    yield from _periods(text)


def _ends(text: str) -> Iterator[tuple[str, Found]]:
    """Yields the last day of a period: ``end of Q3 2026``; of a year, too, which alone is none."""
    if _FULL_YEAR.fullmatch(text):
        last = date(max(1, int(text)), 12, 31)
        yield PERIOD, Found(last, last)
    for form, found in _periods(text):
        yield form, Found(found.last, found.last)


def _as_day(found: Found) -> Found:
    """Returns the day alone where JavaScript wrote a day out: as midnight, with an offset."""
    at = found.at
    is_midnight = at is not None and at.utcoffset() and not (at.hour or at.minute or at.second)
    return Found(found.first, found.last) if is_midnight else found


def _numbered(text: str) -> Iterator[tuple[str, Found]]:
    match = _NUMBERED.fullmatch(text)
    if match is None:
        return
    a, b, c = match["a"], match["b"], match["c"]
    if len(a) == 4:
        form = ISO if match["mark"] == "-" else "%Y/%m/%d"
        yield from _at(form, _date(int(a), int(b), int(c)), match)
    elif len(a) <= 2:
        yield from _at("%d/%m/%Y", _date(_year(c), int(b), int(a)), match)
        yield from _at("%m/%d/%Y", _date(_year(c), int(a), int(b)), match)
        if len(a) == len(c) == 2 and match["mark"] != ".":
            yield from _at("%y/%m/%d", _date(_year(a), int(b), int(c)), match)


def _compact(text: str) -> Iterator[tuple[str, Found]]:
    if match := _COMPACT_TIME.fullmatch(text):
        day = _date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        yield from _at(ISO, day, match)
    elif match := _COMPACT.fullmatch(text):
        day = _date(int(match["a"]), int(match["b"]), int(match["c"]))
        if known_day(day) is not None:
            yield from _at("%Y%m%d", day, match)


def _serials(text: str) -> Iterator[tuple[str, Found]]:
    if _SERIAL.fullmatch(text):
        at = _EXCEL_EPOCH + timedelta(days=float(text.replace(",", ".")))
        yield EXCEL, Found(at.date(), at.date(), at.replace(microsecond=0))
    elif _EPOCH_TEXT.fullmatch(text):
        name, scale = (UNIX_MS, 1) if len(text) > 11 else (UNIX, 1000)
        yield from _milliseconds(name, int(text) * scale)


def _milliseconds(form: str, since_1970: int) -> Iterator[tuple[str, Found]]:
    try:
        at = _EPOCH + timedelta(milliseconds=since_1970)
    except OverflowError:
        return
    yield form, Found(at.date(), at.date(), at)


def _at(form: str, day: date | None, match: re.Match[str]) -> Iterator[tuple[str, Found]]:
    """Yields a day with the time of the match, nothing if either does not exist."""
    groups = match.groupdict()
    if day is None:
        return
    if groups.get("hour") is None:
        yield form, Found(day, day)
        return
    hour = _hour(int(groups["hour"]), groups.get("half"))
    minute, second = int(groups["minute"]), int(groups["second"] or 0)
    if hour is None or minute > 59 or second > 59:
        return
    part = int((groups.get("part") or "0").ljust(6, "0")[:6])
    at = datetime(day.year, day.month, day.day, hour, minute, second, part)
    zone = _zone(groups.get("zone"))
    yield form, Found(day, day, at if zone is None else at.replace(tzinfo=zone))


def _hour(hour: int, half: str | None) -> int | None:
    if half is None:
        return hour if hour < 24 else None
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    figures = re.sub(r"[^0-9+\-−]", "", text).replace("−", "-")
    if not figures:
        return UTC
    hours, minutes = int(figures[1:3]), int(figures[3:5] or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    if offset >= timedelta(days=1):
        return UTC
    return timezone(-offset if figures[0] == "-" else offset)


def _periods(text: str) -> Iterator[tuple[str, Found]]:
    if match := _QUARTER.fullmatch(text):
        yield from _months(_year_in(match), 3 * _part(match) - 2, 3)
    elif match := _NAMED_QUARTER.fullmatch(text):
        yield from _months(int(match["y"]), 3 * int(match["a"] or match["b"]) - 2, 3)
    elif match := _HALF.fullmatch(text):
        yield from _months(_year_in(match), 6 * _part(match) - 5, 6)
    elif match := _MONTH.fullmatch(text):
        yield from _months(int(match["y"] or match["z"]), int(match["m"] or match["n"]), 1)
    elif match := _WEEK.fullmatch(text):
        yield from _week(match)
    elif (match := _NAMED_MONTH.fullmatch(text)) and (month := month_number(match["m"])):
        for _, found in _months(_year(match["y"] or match["s"]), month, 1):
            yield (PERIOD if match["y"] else MONTH_AND_YEAR), found


def _year_in(match: re.Match[str]) -> int:
    return _year(match["y"] or match["z"] or match["x"])


def _part(match: re.Match[str]) -> int:
    return int(match["a"] or match["b"] or match["c"])


def _months(year: int, month: int, count: int) -> Iterator[tuple[str, Found]]:
    end = month + count - 1
    if year and 1 <= month <= end <= 12:
        last = monthrange(year, end)[1]
        yield PERIOD, Found(date(year, month, 1), date(year, end, last))


def _week(match: re.Match[str]) -> Iterator[tuple[str, Found]]:
    year = int(match["y"] or match["z"] or match["x"])
    week = int(match["w"] or match["v"] or match["u"])
    try:
        first, last = (
            date.fromisocalendar(year, week, int(match["d"] or day)) for day in ("1", "5")
        )
    except ValueError:
        return
    yield PERIOD, Found(first, last)


def _year(text: str) -> int:
    """Returns a year of four digits; two digits are 1971 to 2070."""
    number = int(text)
    return number if len(text) == 4 else (1900 if number > 70 else 2000) + number


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
