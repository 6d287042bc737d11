"""Texts with placeholders: ``{customer}: {name}``.

A placeholder is the name of a field in braces; ``{{`` and ``}}`` are braces themselves. What a
field holds is text: braces in it mean nothing.

An empty field takes along what separates it from its neighbours: blanks, ``: ; , / | · • + &``
and dashes beside it, and brackets around it. ``{customer}: {name} ({service})`` of a deal that
has but a name is the name. Words stay. In a text of several lines, a line whose placeholders are
all empty goes as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
SEPARATORS: Final = " \t:;,/|·•+&–—-"
BRACKETS: Final = {"(": ")", "[": "]", "<": ">", "«": "»", "“": "”", '"': '"', "'": "'"}
CLOSING: Final = frozenset(BRACKETS.values())


class TemplateProblem(ValueError):
    """One thing that is wrong with a template. ``index`` is where the text of it begins.

    ``name`` is the unknown placeholder, "" for other problems.
    """

    def __init__(self, index: int, message: str, name: str = "") -> None:
        super().__init__(message)
        self.index = index
        self.name = name


@dataclass(frozen=True, slots=True)
class Piece:
    """A literal, or the name of a field."""

    text: str
    is_field: bool


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text. ``lines`` are the pieces of each line, ``source`` is what was parsed.

    ``pattern`` is the same with a ``%s`` for each field, ``order`` names those: most deals have
    a value for every field, and are rendered by one ``%``.
    """

    source: str
    lines: tuple[tuple[Piece, ...], ...]
    names: tuple[str, ...]
    pattern: str
    order: tuple[str, ...]

    def render(self, values: Mapping[str, str], escape: Callable[[str], str] | None = None) -> str:
        """Returns the text with ``values`` (one line each, "" for empty) filled in.

        ``escape`` is applied to each value, not to the template's own words.
        """
        filled = [values[name] for name in self.order]
        if all(filled):
            shown = [escape(value) for value in filled] if escape else filled
            return (self.pattern % tuple(shown)).strip()
        rendered = [
            _render_line(line, values, escape)
            for line in self.lines
            if len(self.lines) == 1 or not _all_empty(line, values)
        ]
        return "\n".join(rendered).strip()

    def is_void(self, values: Mapping[str, str]) -> bool:
        """Tells whether the template has placeholders and all of them are empty."""
        return bool(self.names) and not any(values[name] for name in self.names)


def parse_template(source: str, known: Collection[str]) -> tuple[Template, list[TemplateProblem]]:
    """Parses a text; returns it with everything that is wrong with it.

    ``known`` are the names that placeholders may have.
    """
    pieces: list[Piece] = []
    problems: list[TemplateProblem] = []
    end = 0
    for match in TOKEN.finditer(source):
        pieces.append(Piece(source[end : match.start()], is_field=False))
        end = match.end()
        piece, problem = _token(match, known)
        pieces.append(piece)
        if problem:
            problems.append(problem)
    pieces.append(Piece(source[end:], is_field=False))
    order = tuple(piece.text for piece in pieces if piece.is_field)
    pattern = "".join("%s" if each.is_field else each.text.replace("%", "%%") for each in pieces)
    names = tuple(dict.fromkeys(order))
    return Template(source, _lines(pieces), names, pattern, order), problems


def _token(match: re.Match[str], known: Collection[str]) -> tuple[Piece, TemplateProblem | None]:
    token, name = match[0], match[1]
    if token in ("{{", "}}"):
        return Piece(token[0], is_field=False), None
    if name is None:
        message = f"a single {token!r}: write {token * 2!r} for the character itself"
        return Piece("", is_field=False), TemplateProblem(match.start(), message)
    if name not in known:
        message = f"unknown placeholder {token!r}"
        return Piece("", is_field=False), TemplateProblem(match.start(), message, name or "{}")
    return Piece(name, is_field=True), None


def _lines(pieces: list[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Splits pieces at line ends and joins neighbouring literals."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.is_field:
            lines[-1].append(piece)
            continue
        for number, text in enumerate(piece.text.split("\n")):
            if number:
                lines.append([])
            line = lines[-1]
            if line and not line[-1].is_field:
                line[-1] = Piece(line[-1].text + text, is_field=False)
            elif text:
                line.append(Piece(text, is_field=False))
    return tuple(tuple(line) for line in lines)


def _all_empty(line: tuple[Piece, ...], values: Mapping[str, str]) -> bool:
    fields = [piece.text for piece in line if piece.is_field]
    return bool(fields) and not any(values[name] for name in fields)


def _render_line(
    line: tuple[Piece, ...], values: Mapping[str, str], escape: Callable[[str], str] | None
) -> str:
    """Fills in one line, closing the gaps that empty fields leave."""
    shown: list[Piece] = []
    gap = False
    for number, piece in enumerate(line, 1):
        if piece.is_field:
            value = values[piece.text]
            gap = not value
            if value:
                shown.append(Piece(escape(value) if escape else value, is_field=True))
        elif gap:
            _close(shown, piece.text, is_last=number == len(line))
            gap = False
        else:
            shown.append(piece)
    if gap:
        _close(shown, "", is_last=True)
    return "".join(piece.text for piece in shown).strip()


def _close(shown: list[Piece], after: str, *, is_last: bool) -> None:
    """Closes the gap between what is ``shown`` and the literal ``after``, and adds the latter.

    Literals alone are touched: a value keeps its own punctuation.
    """
    before = shown.pop().text if shown and not shown[-1].is_field else ""
    while before and after and BRACKETS.get(before[-1]) == after[0]:
        before, after = before[:-1], after[1:]
    rest = after.lstrip(SEPARATORS)
    begins = before[-1] in SEPARATORS or before[-1] in BRACKETS if before else not shown
    if is_last and not rest:
        before, after = before.rstrip(SEPARATORS), ""
    elif rest[:1] in CLOSING:
        before, after = before.rstrip(SEPARATORS), rest
    elif begins:
        after = rest
    if before or after:
        shown.append(Piece(before + after, is_field=False))
