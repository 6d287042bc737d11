"""What an event of a calendar says of itself: whose it is, and whether it is time off at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from taiga_pipeline.pipeline.errors import InvalidValue

CANCELLED: Final = "cancelled"
TENTATIVE: Final = "tentative: not decided yet"
FREE: Final = "shown as free"
ELSEWHERE: Final = "working elsewhere"
SUBSTITUTE: Final = "standing in for someone"
DECLINED: Final = "declined"
INFORMED: Final = "names people for information only"

_SUBSTITUTE = re.compile(
    r"\W*(?:vertretung|stellvertretung|urlaubsvertretung|vertritt|substitute|substituting|"
    r"substitution|replacement for|standing in for|stand-in for|cover for|covering for|deputy for|"
    r"deputising|vikarie|ersättare|ersätter|remplacement|remplace|remplaçante?|suplencia|suplente|"
    r"sustitución|sustituye|substituição|substitui|substituto|vervanging|vervangt|waarneming|"
    r"vikar|stedfortræder|stedfortreder|afløser)\b",
    re.I,
)
_ELSEWHERE = re.compile(
    r"\W*(?:home[ -]?office|working from home|work from home|wfh|working remotely|remote work|"
    r"working elsewhere|mobile[sr]? arbeit(?:en)?|telearbeit|jobbar hemifrån|arbetar hemifrån|"
    r"hemarbete|distansarbete|télétravail|teletrabajo|teletrabalho|thuiswerken|thuiswerk|"
    r"hjemmearbejde|hjemmearbejdsdag|hjemmekontor|arbejder hjemme)\b",
    re.I,
)
_BUSY_STATUS: Final = "X-MICROSOFT-CDO-BUSYSTATUS"
_ALL_DAY: Final = "X-MICROSOFT-CDO-ALLDAYEVENT"
_BY_STATUS: Final = {"FREE": FREE, "TENTATIVE": TENTATIVE, "WORKINGELSEWHERE": ELSEWHERE}
_OUT_OF_OFFICE: Final = ("OOF", "OUTOFOFFICE")
_ONLY_INFORMED: Final = ("NON-PARTICIPANT", "OPT-PARTICIPANT")
_THINGS: Final = ("ROOM", "RESOURCE")


def is_all_day(event: Any) -> bool:
    """Whether the program that wrote an event took it for one of whole days."""
    names = (_ALL_DAY, "X-FUNAMBOL-ALLDAY", "X-ALLDAY")
    return any(_word(event, name) in ("TRUE", "1") for name in names)


def why_no_absence(event: Any) -> str:
    """Returns why an event is not time off by its own word, "" if it is."""
    title = str(event.get("SUMMARY", ""))
    if _word(event, "STATUS") == "CANCELLED":
        return CANCELLED
    if why := elsewhere(title):
        return why
    busy = _word(event, _BUSY_STATUS)
    if busy in _BY_STATUS:
        return _BY_STATUS[busy]
    if _word(event, "STATUS") == "TENTATIVE":
        return TENTATIVE
    is_free = _word(event, "TRANSP") == "TRANSPARENT" and busy not in _OUT_OF_OFFICE
    return FREE if is_free else ""


def elsewhere(title: str) -> str:
    """Returns why what is called ``title`` is not time off, "" if nothing speaks against it."""
    if _SUBSTITUTE.match(title):
        return SUBSTITUTE
    return ELSEWHERE if _ELSEWHERE.match(title) else ""


def _word(event: Any, name: str) -> str:
    value = event.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value).strip().upper()


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose an event is: people on the roster, those named who are not on it, and why no one is
    off if the event itself says so."""

    people: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    why_unknown: str = ""


@dataclass(frozen=True, slots=True)
class _Attendee:
    address: str
    answer: str
    is_informed: bool


def whose(event: Any, known: Collection[str], email: str = "") -> Whose:
    """Returns whose an event is: its attendees', else its organizer's; or ``email``'s.

    :raises InvalidValue: organizer and attendees are different people on the roster.
    """
    attendees = list(_attendees(event))
    if email:
        mine = next((each for each in attendees if each.address == email), None)
        return Whose((email,), (), _refusal(mine.answer) if mine else "")
    organizer = _address(event.get("ORGANIZER"))
    asked = [each for each in attendees if not each.is_informed]
    going = [each.address for each in asked if not _refusal(each.answer)]
    found = sorted(set(going) & set(known))
    unknown = tuple(sorted(set(going) - set(known) - {organizer}))
    if found and organizer in known and organizer not in (each.address for each in attendees):
        raise InvalidValue(
            f"has {organizer} for its organizer and {', '.join(found)} for attendees, so it is not "
            "clear who is off; record it with people off add, or name a person for the whole file "
            "with --person"
        )
    if found:
        return Whose(tuple(found), unknown)
    answers = [each for each in asked if each.address in known and _refusal(each.answer)]
    if answers:
        return Whose((), unknown, _refusal(answers[0].answer))
    if organizer in known:
        return Whose((organizer,), unknown)
    if any(each.is_informed and each.address in known for each in attendees):
        return Whose((), unknown, INFORMED)
    return Whose((), tuple(sorted({*going, *filter(None, [organizer])})))


def _refusal(answer: str) -> str:
    return {"DECLINED": DECLINED, "TENTATIVE": TENTATIVE}.get(answer, "")


def _attendees(event: Any) -> Iterator[_Attendee]:
    found = event.get("ATTENDEE", [])
    for each in found if isinstance(found, list) else [found]:
        parameters = getattr(each, "params", {})
        if str(parameters.get("CUTYPE", "")).upper() in _THINGS:
            continue
        role = str(parameters.get("ROLE", "")).upper()
        answer = str(parameters.get("PARTSTAT", "")).upper()
        address = _address(each) or str(parameters.get("EMAIL", "")).lower()
        if address:
            yield _Attendee(address, answer, role in _ONLY_INFORMED)


def _address(value: Any) -> str:
    text = str(value or "").strip().lower()
    return text.removeprefix("mailto:").strip().strip("<>")
