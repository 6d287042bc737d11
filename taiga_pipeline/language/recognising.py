"""Sentences that come as finished English text, in another language: recognised by their words.

The engine and the layers below the surface say in English what is wrong: that text is logged,
kept in the state and put into JSON as it is. Where people read it, it is recognised by the
templates that the catalogue has of such sentences, and said in their language; so is what an
earlier version wrote. What is not recognised stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Final

from taiga_pipeline.language.catalogue import SENTENCE, catalogue
from taiga_pipeline.language.choosing import ENGLISH, used

_BEGIN: Final = f"{SENTENCE}\x04"
_DEEPEST: Final = 6
"""Sentences within sentences that are recognised."""
_LONGEST: Final = 4_000
"""Characters of a text beyond which it is not looked at: no sentence of ours is as long."""


@dataclass(frozen=True, slots=True)
class _Template:
    pattern: re.Pattern[str]
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
    if depth > _DEEPEST or len(sentence) > _LONGEST or not sentence.strip():
        return ""
    known = catalogue(language)
    whole = known.pgettext(SENTENCE, sentence)
    if whole != sentence:
        return whole
    for template in _templates(language):
        if template.needed in sentence and (match := template.pattern.fullmatch(sentence)):
            parts = {
                name: _translated(part, language, depth + 1) or part
                for name, part in match.groupdict(default="").items()
            }
            return template.translation.format(**parts)
    return ""


@cache
def _templates(language: str) -> tuple[_Template, ...]:
    """Returns the sentences with places, those with the most words of their own first."""
    found = sorted(_entries(language), key=lambda entry: -len(re.sub(r"{.*?}", "", entry[0])))
    return tuple(_template(message, translation) for message, translation in found)


def _entries(language: str) -> Iterator[tuple[str, str]]:
    every: dict[object, object] = getattr(catalogue(language), "_catalog", {})
    for key, translation in every.items():
        if isinstance(key, str) and key.startswith(_BEGIN) and "{" in key:
            yield key.removeprefix(_BEGIN), str(translation)


def _template(message: str, translation: str) -> _Template:
    pieces: list[str] = []
    literals = [""]
    for literal, name, _spec, _conversion in Formatter().parse(message):
        pieces.append(re.escape(literal))
        literals.append(literal)
        if name is not None:
            pieces.append(f"(?P<{name}>.*?)" if f"(?P<{name}>" not in "".join(pieces) else ".*?")
    return _Template(re.compile("".join(pieces)), max(literals, key=len), translation)
