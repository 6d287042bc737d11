"""How our records are recognised in Redmine: a project by its identifier, a story by a reference.

A project's identifier is given at its creation, is in the list of all projects, stays forever
and is not copied along with a project. It reads ``ps-<pipeline>__<deal>``; characters that Redmine
does not take there are written ``_d`` (the capital D) or ``_047`` (a byte, in decimal). A key that
is too long for it is hashed.

A project that was there before cannot be given another identifier, and one that was let go keeps
its own: a *mark* says so, in the project's custom field "Deal key" or else on the last line of its
description. A mark that is there counts, not the identifier. The line also says that the connector
has closed the project.

    pipeline-sync: acme/D-1001
    pipeline-sync: acme/D-1001 (retired)
    pipeline-sync: released

A story's reference reads ``acme/D-1001/kick-off``, in the issue's custom field "Deal key" or else
on the last line of its description.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from sync.records.model import Marker, RecordKey

LONGEST_IDENTIFIER: Final = 100
RELEASED: Final = "released"

_PREFIX: Final = "ps-"
_HASHED: Final = "psh-"
_HASHED_WHOLE: Final = re.compile(r"psh-[0-9a-f]{40}(__[0-9]+)?")
_PIECE: Final = re.compile(r"__|_[a-z]|_[0-9]{3}|[a-z0-9-]")
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


# --- identifiers


def encode_identifier(marker: Marker, attempt: int = 1) -> str:
    """Returns the identifier of the project that carries ``marker``.

    ``attempt`` counts on where an earlier project was let go: its identifier stays taken.
    """
    end = f"__{attempt}" if attempt > 1 else ""
    readable = f"{_PREFIX}{_lower(marker.pipeline)}__{_lower(marker.key)}{end}"
    if len(readable) <= LONGEST_IDENTIFIER:
        return readable
    both = f"{marker.pipeline}\0{marker.key}".encode("utf-8", "surrogatepass")
    return f"{_HASHED}{hashlib.blake2b(both, digest_size=20).hexdigest()}{end}"


def decode_identifier(identifier: str) -> Marker | None:
    """Returns the marker that an identifier spells out; None if it is hashed, or people's own."""
    parts = _parts(identifier)
    if parts is None or len(parts) not in (2, 3) or not all(parts):
        return None
    marker = Marker(parts[0], parts[1])
    attempt = int(parts[2]) if len(parts) == 3 and parts[2].isdecimal() else 1
    return marker if encode_identifier(marker, attempt) == identifier else None


def is_ours(identifier: str) -> bool:
    """Whether the connector made the project: a copy's identifier is the one that people gave it.

    The mark tells which deal's it is; a copy carries the same mark, in its field or description.
    """
    is_hashed = _HASHED_WHOLE.fullmatch(identifier) is not None
    return is_hashed or decode_identifier(identifier) is not None


def is_spelled_out(marker: Marker) -> bool:
    """Whether the identifier alone tells the marker."""
    return encode_identifier(marker).startswith(_PREFIX)


def _lower(text: str) -> str:
    return "".join(_lower_one(character) for character in text)


def _lower_one(character: str) -> str:
    if character.isascii() and (character.islower() or character.isdecimal() or character == "-"):
        return character
    if character.isascii() and character.isupper():
        return f"_{character.lower()}"
    return "".join(f"_{byte:03d}" for byte in character.encode("utf-8", "surrogatepass"))


def _parts(identifier: str) -> list[str] | None:
    """Undoes `_lower` for the parts of an identifier; None for what it never makes."""
    if not identifier.startswith(_PREFIX):
        return None
    text = identifier.removeprefix(_PREFIX)
    parts = [bytearray()]
    for piece in _PIECE.findall(text):
        if piece == "__":
            parts.append(bytearray())
        elif len(piece) == 4:
            parts[-1].append(min(int(piece[1:]), 255))
        else:
            parts[-1].extend((piece[1].upper() if len(piece) == 2 else piece).encode())
    try:
        return [part.decode("utf-8", "surrogatepass") for part in parts]
    except UnicodeError:
        return None


# --- marks and references


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
