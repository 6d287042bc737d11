"""Sentences that come as finished English text, in another language: recognised by their words.

The engine and the layers below the surface say in English what is wrong: that text is logged,
kept in the state and put into JSON as it is. Where people read it, it is recognised by the
templates that the catalogue has of such sentences, and said in their language; so is what an
earlier version wrote. What is not recognised stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from typing import Final

from taiga_pipeline.language.catalogue import SENTENCE, catalogue
from taiga_pipeline.language.choosing import ENGLISH, used
from taiga_pipeline.language.texts import many_of, marked, plural, written

_BEGIN: Final = f"{SENTENCE}\x04"
_PLACE: Final = re.compile(r"{[a-z_][a-z_0-9]*(?:![rsa])?(?::[^{}]*)?}")
_NAME: Final = re.compile(r"[a-z_0-9]+")
_OF_A_KEY: Final = re.compile(r'("[^"]*"(?: \(number \d+\))?) (.+)')
_IT_IS: Final = (marked("it is {found}"), marked("it has {found}"))
"""How errors of files go on: too few words to be recognised as sentences wherever they stand."""
_NUMBER: Final = re.compile(r"(\d[\d,]*) ([a-z][a-z ]*)")
_SEPARATOR: Final = re.compile(r"(; |\. |: )")
_MOST_PIECES: Final = 12
_DEEPEST: Final = 3
"""Sentences within sentences that are recognised."""
_LONGEST: Final = 4_000
"""Characters of a text beyond which it is not looked at: no sentence of ours is as long."""


@dataclass(frozen=True, slots=True)
class _Template:
    message: str
    needed: str
    """A part that a text of this template holds; looked for first, as it is faster."""
    translation: str


def translated(sentence: str) -> str:
    """Returns an English sentence of the program in the language that is used.

    What stands in its places is looked at in the same way. A text that is not known is returned as
    it is, line by line.
    """
    language = used()
    if language == ENGLISH or not sentence:
        return sentence
    if "\n" in sentence:
        return "\n".join(translated(line) for line in sentence.split("\n"))
    return _translated(sentence, language, 0) or sentence


def _translated(sentence: str, language: str, depth: int) -> str:
    """Returns a text in a language, "" if it is not known."""
    if depth > _DEEPEST or len(sentence) > _LONGEST or not sentence.strip():
        return ""
    found = _whole(sentence, language, depth)
    return found or (_in_pieces(sentence, language) if depth < _DEEPEST else "")


def _whole(sentence: str, language: str, depth: int) -> str:
    known = catalogue(language)
    whole = known.pgettext(SENTENCE, sentence)
    if whole != sentence:
        return whole
    for template in _templates(language):
        if template.needed in sentence and (found := _parts(template.message, sentence)):
            parts = {
                name: _translated(part, language, depth + 1) or _figures(name, part)
                for name, part in found.items()
            }
            return _filled(template.translation, parts)
    return _of_a_value(sentence, language, depth) or _counted(sentence, known)


def _of_a_value(sentence: str, language: str, depth: int) -> str:
    """Returns what is said of a key of a file (``"weeks" must be at least 1``), or what its value
    is (``it is 0``)."""
    if match := _OF_A_KEY.fullmatch(sentence):
        said = _whole(match[2], language, depth) if _OF_A_KEY.match(match[2]) is None else ""
        return f"{match[1]} {said}" if said else ""
    known = catalogue(language)
    for message in _IT_IS:
        if found := _parts(message, sentence):
            return _filled(known.gettext(message), found)  # the value as the file has it
    return ""


def _figures(place: str, part: str) -> str:
    """Returns figures as the language writes them; a version (``1.2``) is none."""
    return part if "version" in place else written(part)


def _filled(translation: str, parts: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: parts.get(_name(place), place[0]), translation)


def _in_pieces(sentence: str, language: str) -> str:
    """Returns a text of several sentences, those that are known translated; "" if none is.

    Each piece is looked at a fixed number of times, however many there are.
    """
    first, *others = _SEPARATOR.split(sentence, maxsplit=_MOST_PIECES)
    pieces = [("", first), *zip(others[::2], others[1::2], strict=True)]
    if len(pieces) == 1:
        return ""
    said: list[str] = []
    for at, (separator, piece) in enumerate(pieces):
        rest = "".join(f"{before}{text}" for before, text in pieces[at:])
        if at and (found := _of_rest(rest, separator, language)):
            said.append(found)
            break
        known = _whole(f"{separator}{piece}", language, _DEEPEST - 1) if separator else ""
        said.append(known or f"{separator}{_whole(piece, language, _DEEPEST - 1) or piece}")
    whole = "".join(said)
    return whole if whole != sentence else ""


def _of_rest(rest: str, separator: str, language: str) -> str:
    """Returns the end of a text, from a separator on, if it is one sentence; else ""."""
    if found := _whole(rest, language, _DEEPEST - 1):
        return found
    found = _whole(rest.removeprefix(separator), language, _DEEPEST - 1)
    return f"{separator}{found}" if found else ""


def _parts(message: str, sentence: str) -> dict[str, str] | None:
    """Returns what stands in the places of a template, None if a sentence is not of it."""
    match = _pattern(message).fullmatch(sentence)
    return match.groupdict(default="") if match else None


def _counted(sentence: str, known: NullTranslations) -> str:
    """Returns a number with what it counts: ``3 deals``."""
    match = _NUMBER.fullmatch(sentence)
    if not match:
        return ""
    number, noun = int(match[1].replace(",", "")), match[2]
    for one in (noun, noun.removesuffix("s"), f"{noun.removesuffix('ies')}y"):
        many = many_of(one)
        if noun in (one, many):
            forms = (f"{{number:,}} {one}", f"{{number:,}} {many}")
            if forms != tuple(known.ngettext(*forms, each) for each in (1, 2)):
                return plural(*forms, number)
    return ""


@cache
def _templates(language: str) -> tuple[_Template, ...]:
    """Returns the sentences with places, those with the most words of their own first."""
    found = [_template(message, translation) for message, translation in _entries(language)]
    return tuple(sorted(found, key=lambda each: -len(_PLACE.sub("", each.message))))


def _entries(language: str) -> Iterator[tuple[str, str]]:
    every: dict[object, object] = getattr(catalogue(language), "_catalog", {})
    for key, translation in every.items():
        if isinstance(key, str) and key.startswith(_BEGIN) and _PLACE.search(key):
            yield key.removeprefix(_BEGIN), str(translation)


def _template(message: str, translation: str) -> _Template:
    return _Template(message, max(_PLACE.split(message), key=len), translation)


@cache
def _pattern(message: str) -> re.Pattern[str]:
    named: set[str] = set()
    literals = _PLACE.split(message)
    pieces = [re.escape(literals[0])]
    for at, place in enumerate(_PLACE.finditer(message)):
        name = _name(place)
        # Of two places side by side, the second is a remark, or nothing.
        is_remark = at > 0 and not literals[at]
        held = r"(?:(?:; |, |\. | \().*?)?" if is_remark else ".*?"
        pieces.append(held if name in named else f"(?P<{name}>{held})")
        pieces.append(re.escape(literals[at + 1]))
        named.add(name)
    return re.compile("".join(pieces))


def _name(place: re.Match[str]) -> str:
    """Returns the name of a place: ``kind`` of ``{kind!r}``."""
    found = _NAME.search(place[0])
    assert found is not None
    return found[0]
