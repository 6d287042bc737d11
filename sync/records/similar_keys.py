"""Groups whose key changed: those that are new and those that are gone may be the same. Pure.

Two keys may be one and the same by themselves:

- they differ only in letter case or Unicode form (``de-1``, ``DE-1``);
- both are one number, as a spreadsheet writes it (``00123``, ``123``, ``123.0``, ``="00123"``);
- one is the other in scientific notation (``1.23457E+11``);
- they are the 15- and the 18-character form of one Salesforce identifier: the last three characters
  only tell the letter case of the others.

Any other key may have been given again (``1001`` became ``CRM-1001``, a merge made a new one). What
tells then is that the groups are alike otherwise (`sync.records.model.DesiredGroup.likeness`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from sync.source import Quarantined
from sync.ways_out import RestoreKey, TakeOver, TakeOverAll, Unlink

_NUMBER: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.0+)?")
_SCIENTIFIC: Final = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,3})")
_CASE_SENSITIVE: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{15}")
_WITH_SUFFIX: Final = re.compile(r"(?=.*[A-Za-z])([A-Za-z0-9]{15})([A-Za-z0-5]{3})")
_QUOTED: Final = re.compile(r'="(.*)"')
_SUFFIXES: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a group is recognised by besides its key, "" where it is not known.

    ``title`` counts for groups that were synced when nothing else was remembered of them.
    """

    likeness: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A new key, and the gone ones that it may be. With one only, there is no doubt which."""

    new: str
    former: tuple[str, ...]
    by_key: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether it can be but one."""
        return len(self.former) == 1


def find_matches(new: Mapping[str, Likeness], gone: Mapping[str, Likeness]) -> list[Match]:
    """Returns the new groups that may be ones that are gone, by key.

    A new group that is like none of them is not in the answer, and neither is one whose likes are
    all found to be other groups by their keys.
    """
    certain = _by_key(new, gone)
    left = {key: each for key, each in new.items() if key not in certain}
    free = {key: each for key, each in gone.items() if key not in set(certain.values())}
    found = [Match(key, (former,), by_key=True) for key, former in certain.items()]
    for keys, formers in _alike(left, free):
        found.extend(_pair(keys, formers))
    return sorted(found, key=lambda match: match.new)


def _by_key(new: Iterable[str], gone: Iterable[str]) -> dict[str, str]:
    """Returns the new keys that are a gone one in another form, where it can be but one."""
    sizes = {size for key in (*new, *gone) if (size := _mantissa(key))}
    keys_of, formers_of = _by_form(new, sizes), _by_form(gone, sizes)
    pairs: dict[str, set[str]] = defaultdict(set)
    claims: dict[str, set[str]] = defaultdict(set)
    for form in keys_of.keys() & formers_of.keys():
        for key in keys_of[form]:
            pairs[key] |= formers_of[form]
            for former in formers_of[form]:
                claims[former].add(key)
    return {
        key: former
        for key, formers in pairs.items()
        if len(formers) == 1 and len(claims[former := next(iter(formers))]) == 1
    }


def _by_form(keys: Iterable[str], sizes: Collection[int]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for form in _forms(key, sizes):
            found[form].add(key)
    return found


def _forms(key: str, sizes: Collection[int]) -> Iterator[str]:
    """Yields what a key is the same by."""
    text = unicodedata.normalize("NFKC", key).strip()
    quoted = _QUOTED.fullmatch(text)
    text = quoted[1] if quoted else text.removeprefix("'")
    yield from (f"identifier {each}" for each in _identifiers(text))
    if not _CASE_SENSITIVE.fullmatch(text):
        yield f"text {_folded(text)}"
    number = _NUMBER.fullmatch(text)
    if number:
        digits = number[1].replace(",", "").lstrip("0")
        yield f"number {digits}"
        yield from (f"rounded {_rounded(digits, size)}" for size in sizes if len(digits) > size)
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        digits = scientific[1] + (scientific[2] or "")
        yield f"rounded {digits} {int(scientific[3])}"


def _folded(key: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", key).casefold())


def _identifiers(text: str) -> set[str]:
    """Returns the 15 characters that a Salesforce identifier is; none for any other key.

    The other three of 18 tell which of them are capitals, should a tool have changed the case.
    """
    match = _WITH_SUFFIX.fullmatch(text)
    if match:
        return {match[1], _in_case(match[1], match[2].upper())}
    return {text} if _CASE_SENSITIVE.fullmatch(text) else set()


def _in_case(text: str, suffix: str) -> str:
    """Returns the letters of an identifier in the case that its suffix tells, five by five."""
    return "".join(
        one.upper() if _SUFFIXES.index(suffix[at // 5]) >> at % 5 & 1 else one.lower()
        for at, one in enumerate(text)
    )


def _mantissa(key: str) -> int:
    """Returns how many digits a key in scientific notation has, 0 for any other."""
    match = _SCIENTIFIC.fullmatch(key.strip())
    return 1 + len(match[2] or "") if match else 0


def _rounded(digits: str, size: int) -> str:
    """Returns a whole number as scientific notation of so many digits has it."""
    exponent = len(digits) - 1
    shifted = Decimal(digits).scaleb(size - 1 - exponent)
    rounded = str(shifted.quantize(Decimal(1), ROUND_HALF_UP))
    return f"{rounded[:size]} {exponent + len(rounded) - size}"


def _alike(
    new: Mapping[str, Likeness], gone: Mapping[str, Likeness]
) -> Iterator[tuple[list[str], list[str]]]:
    """Yields groups that are alike but for their keys: the new ones, and those that are gone."""
    by_likeness: dict[str, list[str]] = defaultdict(list)
    by_title: dict[str, list[str]] = defaultdict(list)
    for key, each in sorted(gone.items()):
        if each.likeness:
            by_likeness[each.likeness].append(key)
        elif each.title:
            by_title[each.title].append(key)
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, each in sorted(new.items()):
        keys[each.likeness, each.title].append(key)
    for (likeness, title), alike in keys.items():
        formers = [*by_likeness.get(likeness, ()), *by_title.get(title, ())]
        if formers:
            yield alike, formers


def _pair(keys: Sequence[str], formers: Sequence[str]) -> Iterator[Match]:
    """Tells which is which among groups that are alike: by the numbers in their keys, if at all."""
    numbers = {_last_number(former): former for former in formers}
    known = [numbers.get(_last_number(key)) if _last_number(key) else None for key in keys]
    if len(keys) == len(formers) == 1:
        yield Match(keys[0], tuple(formers))
    elif len(numbers) == len(formers) and all(known) and len(set(known)) == len(keys):
        yield from (
            Match(key, (former,)) for key, former in zip(keys, known, strict=True) if former
        )
    else:
        yield from (Match(key, tuple(formers)) for key in keys)


def _last_number(key: str) -> str:
    numbers = re.findall(r"\d+", key)
    return numbers[-1].lstrip("0") if numbers else ""


def held(match: Match) -> Quarantined:
    """Says why a group is not made that may be one that is gone under another key."""
    say = _say_certain if match.is_certain else _say_unsure
    return say(match)


def _say_certain(match: Match) -> Quarantined:
    former = match.former[0]
    reason = (
        f"{match.new!r} is new in the source and {former!r} is gone from it, and {_why(match)}; "
        "nothing was made and nothing retired"
    )
    ways = (RestoreKey(), TakeOver(former, match.new), TakeOverAll(), Unlink(former))
    return Quarantined(match.new, "key", reason, ways)


def _say_unsure(match: Match) -> Quarantined:
    some = ", ".join(repr(key) for key in match.former[:_SHOWN])
    more = "…" if len(match.former) > _SHOWN else ""
    reason = (
        f"{match.new!r} is new in the source, {some}{more} are gone from it, and all differ only "
        "in their keys: it is unknown which is which, and nothing was made"
    )
    ways = (TakeOver(match.former[0], match.new), Unlink(match.former[0]))
    return Quarantined(match.new, "key", reason, ways)


def _why(match: Match) -> str:
    if not match.by_key:
        return "the two differ only in their keys"
    if _folded(match.new) == _folded(match.former[0]):
        return "the two differ only in case or Unicode form"
    return "the two keys are the same, written in two ways"
