"""Marks and references as words in a description, and in other places that hold a text.

A *mark* names the deal of a project, a *reference* a child of it. A project that was there before
the connector cannot be given another identity where the tool fixes that at creation: a mark says
whose it is, in a field of the tool or else on the connector's own line of the description. The line
also says that the connector has put the project away.

    pipeline-sync: acme/D-1001
    pipeline-sync: acme/D-1001 (retired)
    pipeline-sync: released

A story's reference reads ``acme/D-1001/kick-off``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from sync.records.model import Marker, RecordKey

RELEASED: Final = "released"

_LINE: Final = re.compile(r"\s*pipeline-sync: (\S+)( \(retired\))?\s*")
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE: Final = re.compile(rf"[%/\s\x00-\x1f\x7f-\x9f\ud800-\udfff{_BIDI}]")
"""What would end a mark, or be shown as something else than it is."""


@dataclass(frozen=True, slots=True)
class Line:
    """The connector's line in a description. ``mark`` is the text of a mark or a reference."""

    mark: str = ""
    retired: bool = False

    def __str__(self) -> str:
        return f"pipeline-sync: {self.mark}{' (retired)' if self.retired else ''}"


def encode_mark(marker: Marker) -> str:
    """Returns the text of a mark."""
    return f"{_escape(marker.pipeline)}/{_escape(marker.key)}"


def mark_prefix(pipeline: str) -> str:
    """Returns what every mark of a pipeline begins with."""
    return f"{_escape(pipeline)}/"


def decode_mark(text: str) -> Marker | None:
    """Returns the marker in the text of a mark, None for any other text."""
    pipeline, _, key = text.strip().partition("/")
    if not pipeline or not key or "/" in key:
        return None
    marker = Marker(_unescape(pipeline), _unescape(key))
    return marker if encode_mark(marker) == text.strip() else None


def encode_reference(pipeline: str, key: RecordKey) -> str:
    """Returns the reference of the issue that is the record ``key``."""
    return f"{_escape(pipeline)}/{_escape(key.group)}/{_escape(key.name)}"


def decode_reference(pipeline: str, text: str) -> tuple[str, str]:
    """Returns the story's deal, and its name in it; both "" if it is not this pipeline's."""
    parts = text.strip().split("/")
    if len(parts) != 3 or not all(parts) or parts[0] != _escape(pipeline):
        return "", ""
    return _unescape(parts[1]), _unescape(parts[2])


def split_line(description: str) -> tuple[str, Line | None]:
    """Returns a description without the connector's line, and that line if there is one."""
    text = description.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    for at in range(len(lines) - 1, -1, -1):
        match = _LINE.fullmatch(lines[at])
        if match:
            rest = [*lines[:at], *lines[at + 1 :]]
            before = "\n".join(lines[:at]).removesuffix("\n")
            whole = before if at == len(lines) - 1 else "\n".join(rest)
            return whole, Line(match[1], bool(match[2]))
    return text, None


def join_line(text: str, line: Line | None) -> str:
    """Returns a description that ends in the connector's line; undoes `split_line`."""
    if line is None:
        return text
    return f"{text}\n\n{line}" if text else str(line)


def without_lines(text: str) -> str:
    """Returns ``text`` without lines that would be taken for the connector's own."""
    return "\n".join(line for line in text.split("\n") if not _LINE.fullmatch(line))


def _escape(text: str) -> str:
    return _UNSAFE.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass")),
        text,
    )


def _unescape(text: str) -> str:
    data = unquote_to_bytes(text)
    try:
        return data.decode("utf-8", "surrogatepass")  # undoes `_escape`, whatever the key holds
    except UnicodeError:
        return data.decode("utf-8", "replace")
