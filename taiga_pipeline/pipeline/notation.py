r"""How lists are written into one cell of a CSV file.

=========  =====================================================================
roles      ``Back:30h x10w; Design:16h x4w@+2w [figma, print]``
contacts   ``Anna Berg | anna@example.org | +46 70 1 | decision maker; Bo | | | user``
done       ``needs documented; decision maker identified``
=========  =====================================================================

A separator that belongs to a name is written with a backslash before it (``R\;D``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from taiga_pipeline.language import meant
from taiga_pipeline.language import text as translation
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.model import Contact, ContactPart, RoleDemand
from taiga_pipeline.pipeline.text import line
from taiga_pipeline.pipeline.values.patterns import pattern
from taiga_pipeline.problems import did_you_mean

MAX_WEEKS: Final = 520
HOURS_IN_A_WEEK: Final = Decimal(168)
"""The hours that there are; a role may ask for several people, hence for a multiple of them."""
MAX_HOURS: Final = HOURS_IN_A_WEEK * 100

_ROLE = pattern(
    r"""\s*(?P<hours>[^\s;\[]*?)h
    \s+x\s*(?P<weeks>[^\s;@\[]*?)w
    (?:\s*@\s*\+?(?P<start>[^\s;\[]*?)w)?
    (?:\s*\[(?P<skills>(?:\\.|[^\]\\])*)\])?\s*""",
    re.VERBOSE,
)
_PLAIN_ROLE = pattern(
    r"([^\\:]+):([0-9]{1,4}(?:\.[0-9]{1,2})?)h x([0-9]{1,3})w(?:@\+([0-9]{1,3})w)?", re.ASCII
)
"""A role as `format_roles` writes nearly all: no skills, nothing with a backslash before it."""
_EXPONENT = pattern(r"[eE][+-]?0*([0-9]+)$")
_LONGEST: Final = 2_000
"""Characters of a number of hours; older stores may hold more than are written today."""
_SHOWN: Final = 60
_HOW_TO_WRITE_A_ROLE: Final = "write Role:30h x10w, or Role:16h x4w@+2w to begin two weeks later"


def escape(text: str, separators: str) -> str:
    """Puts a backslash before every separator and backslash."""
    return "".join("\\" + c if c in separators or c == "\\" else c for c in text)


def split(text: str, separator: str) -> list[tuple[str, int]]:
    """Splits at separators without a backslash; gives each part with its position from 0.

    The parts keep their backslashes; `unescape` takes them away.
    """
    parts, start, position = [], 0, 0
    if "\\" not in text:  # as nearly all are; large pipelines hold many of them
        for part in text.split(separator):
            parts.append((part, start))
            start += len(part) + 1
        return parts
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == separator:
            parts.append((text[start:position], start))
            start = position + 1
        position += 1
    return [*parts, (text[start:], start)]


def unescape(text: str) -> str:
    """Takes the backslashes away that `escape` has put in."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text


def format_list(items: Iterable[str]) -> str:
    """Writes names separated by semicolons."""
    return "; ".join(escape(item, ";") for item in items)


def parse_list(text: str) -> tuple[str, ...]:
    """Reads names separated by semicolons; empty ones are left out."""
    return tuple(name for part, _ in split(text, ";") if (name := line(unescape(part))))


def format_roles(roles: Iterable[RoleDemand]) -> str:
    """Writes role demand."""
    return "; ".join(_format_role(role) for role in roles)


def _format_role(role: RoleDemand) -> str:
    later = f"@+{role.start_week}w" if role.start_week else ""
    skills = ", ".join(escape(skill, ",;]") for skill in role.skills)
    written = f"{escape(role.role, ';:')}:{role.hours_per_week:f}h x{role.weeks}w{later}"
    return f"{written} [{skills}]" if skills else written


def parse_roles(text: str) -> tuple[RoleDemand, ...]:
    """Reads role demand.

    :raises InvalidValue: all problems, each with the position (from 1) in the text.
    """
    if "\\" not in text:  # as nearly all are; large pipelines hold many of them
        try:
            return tuple([_parse_role(part) for each in text.split(";") if (part := each.strip())])
        except InvalidValue:
            pass  # and now with the places
    roles: list[RoleDemand] = []
    problems: list[str] = []
    for part, position in split(text, ";"):
        if not part.strip():
            continue
        try:
            roles.append(_parse_role(part.strip()))
        except InvalidValue as error:
            lead = len(part) - len(part.lstrip())
            problems.append(f"{error} (at character {position + lead + 1}: {_brief(part)})")
    if problems:
        raise InvalidValue(*problems)
    return tuple(roles)


@lru_cache(maxsize=1 << 15)  # the same demand is in many deals
def _parse_role(text: str) -> RoleDemand:
    if plain := _PLAIN_ROLE.fullmatch(text):
        name, hours, weeks, start = plain.groups()
        return checked_role(RoleDemand(_name(name), Decimal(hours), int(weeks), int(start or 0)))
    (name, _), *rest = split(text, ":")
    if not rest:
        raise InvalidValue(f"no colon after the role; {_HOW_TO_WRITE_A_ROLE}")
    match = _ROLE.fullmatch(text, rest[0][1])
    if match is None:
        raise InvalidValue(f"no hours and weeks after the colon; {_HOW_TO_WRITE_A_ROLE}")
    return checked_role(
        RoleDemand(
            role=line(unescape(name)),
            hours_per_week=_hours(match["hours"]),
            weeks=_weeks(match["weeks"]),
            start_week=_weeks(match["start"] or "0"),
            skills=parse_skills(match["skills"] or ""),
        )
    )


@lru_cache(maxsize=1 << 10)  # there are few roles
def _name(text: str) -> str:
    return line(text)


def parse_skills(text: str) -> tuple[str, ...]:
    """Reads skills separated by commas."""
    return tuple(skill for part, _ in split(text, ",") if (skill := line(unescape(part))))


def format_skills(skills: Iterable[str]) -> str:
    """Writes skills separated by commas."""
    return ", ".join(escape(skill, ",") for skill in skills)


def _hours(text: str) -> Decimal:
    plain = text.replace(",", ".")
    exponent = _EXPONENT.search(plain)
    is_bearable = len(plain) <= _LONGEST and len(exponent[1] if exponent else "") <= 2
    try:
        return Decimal(plain if is_bearable else "")
    except InvalidOperation:
        raise InvalidValue(f"{text[:_SHOWN]!r} is not a number of hours") from None


def _brief(text: str) -> str:
    plain = text.strip()
    return repr(plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}…")


def _weeks(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}", text):
        raise InvalidValue(f"{text[:_SHOWN]!r} is not a number of weeks")
    return int(text)


def checked_role(role: RoleDemand) -> RoleDemand:
    """Returns role demand that makes sense.

    :raises InvalidValue: no name, or hours or weeks out of range.
    """
    if not role.role:
        raise InvalidValue("no name before the colon")
    hours = role.hours_per_week
    if not hours.is_finite() or not 0 < hours <= MAX_HOURS:
        raise InvalidValue(
            f"{str(hours)[:_SHOWN]} hours per week; more than 0 and up to {MAX_HOURS} are allowed"
        )
    if not 1 <= role.weeks <= MAX_WEEKS:
        raise InvalidValue(f"{role.weeks} weeks; 1 to {MAX_WEEKS} are allowed")
    if not 0 <= role.start_week <= MAX_WEEKS:
        raise InvalidValue(f"start in week {role.start_week}; 0 to {MAX_WEEKS} are allowed")
    return role


def format_contacts(contacts: Iterable[Contact]) -> str:
    """Writes contacts."""
    return "; ".join(
        " | ".join(
            escape(field, ";|")
            for field in (contact.name, contact.email, contact.phone, contact.part.value)
        )
        for contact in contacts
    )


def parse_contacts(text: str) -> tuple[Contact, ...]:
    """Reads contacts: name, e-mail, telephone, part; all but the name may be left out.

    :raises InvalidValue: a contact without a name, with too many parts, or an unknown part.
    """
    return tuple(_parse_contact(part) for part, _ in split(text, ";") if part.strip())


def _parse_contact(text: str) -> Contact:
    fields = [line(unescape(part)) for part, _ in split(text, "|")]
    if len(fields) > 4 or not fields[0]:
        raise InvalidValue(
            f"contact {_brief(text)}: write name | e-mail | telephone | part in the decision"
        )
    name, email, phone, part = (*fields, "", "", "")[:4]
    return Contact(name, email, phone, parse_part(part))


def parse_part(text: str) -> ContactPart:
    """Reads a contact's part in the decision, in any language; "" is `ContactPart.OTHER`.

    :raises InvalidValue: there is no such part.
    """
    word = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    if not word:
        return ContactPart.OTHER
    if found := meant(word, ContactPart):
        return ContactPart(found)
    known = [translation(part.value) for part in ContactPart]
    raise InvalidValue(
        f"{_brief(text)} is not a part in a decision "
        f"({', '.join(known)}){did_you_mean(text[:_SHOWN], known)}"
    )
