"""Where each key and value of a TOML document stands, so that a message can point at it.

`tomllib` reads the values and refuses what is not TOML; this module goes through a document that
`tomllib` has accepted and notes the places. Neither needs anything outside the standard library.
"""

from __future__ import annotations

import bisect
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from taiga_pipeline.look_alikes import INVISIBLE, explain_look_alike
from taiga_pipeline.problems import Problem, ProblemsError

KeyPath = tuple[str | int, ...]
"""From the document to a value: names of keys, and numbers (from 0) of a list's elements."""

BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
BLANK: Final = re.compile(r"[ \t]*")
BLANK_LINES: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
SCALAR: Final = re.compile(r"[^,\]}#\n]*")
SYNTAX_PLACE: Final = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: offsets of its first character and of the one after its last."""

    start: int
    end: int


class Places:
    """The places of one document. Lines and columns count from 1, columns in characters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.keys: dict[KeyPath, Span] = {}
        self.values: dict[KeyPath, Span] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def key(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Returns line and column of the key that ``path`` ends in (else of its value)."""
        span = self.keys.get(tuple(path))
        return self.line_column(span.start) if span else self.value(path)

    def value(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Returns line and column of the value at ``path``.

        A table's is its header, or the first key that speaks of it; what does not exist has the
        place of the nearest thing around it.
        """
        for length in range(len(path), 0, -1):
            part = tuple(path[:length])
            span = self.values.get(part) or self.keys.get(part)
            if span:
                return self.line_column(span.start)
        return (1, 1)

    def inside(self, path: Sequence[str | int], decoded: str, index: int) -> tuple[int, int]:
        """Returns the place of the brace ``decoded[index]`` within the string at ``path``.

        A brace is found by counting braces, as escapes move everything else about. Where braces
        themselves are escaped, the place is the string's.
        """
        span = self.values.get(tuple(path))
        if span is None or index >= len(decoded):
            return self.value(path)
        brace = decoded[index]
        raw = self.text[span.start : span.end]
        if raw.count(brace) != decoded.count(brace):
            return self.value(path)
        found = [match.start() for match in re.finditer(re.escape(brace), raw)]
        return self.line_column(span.start + found[decoded.count(brace, 0, index)])

    def line_column(self, offset: int) -> tuple[int, int]:
        """Returns line and column of a character."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class Document:
    """A document's data (floats as `Decimal`) and places. ``file`` is for messages."""

    file: str
    data: dict[str, Any]
    places: Places

    def at_key(self, path: Sequence[str | int], message: str) -> Problem:
        """Returns a problem that points at a key."""
        return Problem(message, self.file, *self.places.key(path))

    def at_value(self, path: Sequence[str | int], message: str) -> Problem:
        """Returns a problem that points at a value."""
        return Problem(message, self.file, *self.places.value(path))


_LARGEST: Final = 10_000_000
"""Bytes of a TOML file, at most: a configuration or a mapping has some thousands."""


def read_document(path: Path) -> Document:
    """Reads a TOML file.

    :raises ProblemsError: it cannot be read, is not UTF-8 or not TOML; with the place.
    """
    return parse_document(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Reads the text of a TOML file.

    :raises ProblemsError: it cannot be read or is not UTF-8; with the place.
    """
    file = str(path)
    try:
        with path.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
    except OSError as error:
        raise ProblemsError([Problem(f"cannot be read: {error.strerror}", file)]) from error
    if len(raw) > _LARGEST:
        raise ProblemsError([Problem(f"is larger than {_LARGEST // 1_000_000} MB", file)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = "is not UTF-8 text; save the file in the encoding UTF-8"
        raise ProblemsError([Problem(message, file, line, column)]) from error


def parse_document(text: str, file: str) -> Document:
    """Parses TOML.

    :raises ProblemsError: a syntax error, with its place.
    """
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ProblemsError([_syntax_problem(error, text, file)]) from error
    except RecursionError as error:
        raise ProblemsError([Problem("is nested too deeply", file)]) from error
    except ValueError as error:  # a number of thousands of digits
        raise ProblemsError([Problem(f"is not TOML: {error}", file)]) from error
    return Document(file, data, find_places(text))


def invisible(document: Document, data: object, path: KeyPath = ()) -> Iterator[Problem]:
    """Yields a problem for each text that is not what it looks like, as part of it is invisible.

    ``data`` is what stands at ``path``. Of use where texts are compared with other texts.
    """
    if isinstance(data, dict):
        for name, value in data.items():
            yield from invisible(document, name, (*path, name))
            yield from invisible(document, value, (*path, name))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from invisible(document, value, (*path, number))
    elif isinstance(data, str) and (reason := explain_look_alike(data, INVISIBLE)):
        yield document.at_value(path, reason)


_ABOVE: Final = "{part} in line {line} is above the [[{whole}]] that it belongs to: move it below"
_HEADER: Final = re.compile(r"\s*\[\[\s*([\w.-]+)\s*\]\]")


def _syntax_problem(error: tomllib.TOMLDecodeError, text: str, file: str) -> Problem:
    """Turns ``Message (at line 3, column 5)`` into a problem."""
    match = SYNTAX_PLACE.match(str(error))
    if match is None:
        return Problem(f"is not TOML: {error}", file)
    if match[2] is None:
        return Problem(f"is not TOML: {match[1]}", file, *Places(text).line_column(len(text)))
    line = int(match[2])
    lines = text.split("\n")
    reason = explain_look_alike(lines[line - 1]) or _part_above_whole(lines, line)
    words = f"is not TOML: {match[1]}{'; ' if reason else ''}{reason}"
    return Problem(words, file, line, int(match[3]))


def _part_above_whole(lines: Sequence[str], line: int) -> str:
    """Says which table stands above the one that it is a part of, in the way of this ``line``."""
    header = _HEADER.match(lines[line - 1])
    if header is None:
        return ""
    whole = header[1]
    for number, text in enumerate(lines[: line - 1], start=1):
        found = _HEADER.match(text)
        if found and found[1] == whole:
            return ""
        if found and found[1].startswith(f"{whole}."):
            return _ABOVE.format(part=f"[[{found[1]}]]", line=number, whole=whole)
    return ""


def find_places(text: str) -> Places:
    """Returns the places of everything in ``text``, which `tomllib` must have accepted.

    Line ends are ``\\n``.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.places


class _Scanner:
    """Goes through a valid document once, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places = Places(text)
        self.counts: dict[KeyPath, int] = {}
        """How many elements each array of tables has so far."""

    def document(self) -> None:
        table: KeyPath = ()
        self.skip(BLANK_LINES)
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self.array_header()
            elif self.text[self.at] == "[":
                table = self.table_header()
            else:
                self.pair(table)
            self.skip(BLANK_LINES)

    def table_header(self) -> KeyPath:
        start = self.at
        self.at += 1
        table = self.key(())
        self.at += 1
        self.places.values[table] = Span(start, self.at)
        return table

    def array_header(self) -> KeyPath:
        start = self.at
        self.at += 2
        array = self.key((), last_is_array=True)
        self.at += 2
        number = self.counts.get(array, 0)
        self.counts[array] = number + 1
        element = (*array, number)
        self.places.values.setdefault(array, Span(start, self.at))
        self.places.values[element] = self.places.keys[element] = Span(start, self.at)
        return element

    def pair(self, table: KeyPath) -> None:
        path = self.key(table)
        self.at += 1  # the equals sign
        self.value(path)

    def key(self, table: KeyPath, *, last_is_array: bool = False) -> KeyPath:
        """Reads ``a.b."c"`` and what is blank around it; returns the path it leads to."""
        path = table
        while True:
            self.skip(BLANK)
            name, span = self.key_part()
            path = (*path, name)
            self.places.keys.setdefault(path, span)
            self.skip(BLANK)
            more = self.text.startswith(".", self.at)
            if path in self.counts and (more or not last_is_array):
                path = (*path, self.counts[path] - 1)
            if not more:
                return path
            self.at += 1

    def key_part(self) -> tuple[str, Span]:
        start = self.at
        match = BARE_KEY.match(self.text, start)
        if match:
            self.at = match.end()
            return match[0], Span(start, self.at)
        self.string()
        raw = self.text[start : self.at]
        return next(iter(tomllib.loads(f"{raw}=0"))), Span(start, self.at)

    def value(self, path: KeyPath) -> None:
        self.skip(BLANK)
        start = self.at
        opening = self.text[start]
        if opening in "\"'":
            self.string()
        elif opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        else:
            self.scalar()
        self.places.values[path] = Span(start, self.at)

    def scalar(self) -> None:
        match = SCALAR.match(self.text, self.at)
        assert match is not None
        self.at += len(match[0].rstrip(" \t"))

    def string(self) -> None:
        quote = self.text[self.at]
        escapes = quote == '"'
        if self.text.startswith(quote * 3, self.at):
            self.long_string(quote, escapes=escapes)
            return
        self.at += 1
        while self.text[self.at] != quote:
            self.at += 2 if escapes and self.text[self.at] == "\\" else 1
        self.at += 1

    def long_string(self, quote: str, *, escapes: bool) -> None:
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            assert self.at < len(self.text), "tomllib has seen the end of this string"
            self.at += 2 if escapes and self.text[self.at] == "\\" else 1
        self.at += 3
        # One or two quotes may stand right before the closing ones.
        while self.text.startswith(quote, self.at):
            self.at += 1

    def array(self, path: KeyPath) -> None:
        for number in self.elements("]"):
            self.value((*path, number))

    def inline_table(self, path: KeyPath) -> None:
        for _ in self.elements("}"):
            self.pair(path)

    def elements(self, closing: str) -> Iterator[int]:
        """Stops at each element between two brackets, and after the closing one."""
        self.at += 1
        number = 0
        while True:
            self.skip(BLANK_LINES)
            if self.text[self.at] == closing:
                self.at += 1
                return
            yield number
            number += 1
            self.skip(BLANK_LINES)
            if self.text[self.at] == ",":
                self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
