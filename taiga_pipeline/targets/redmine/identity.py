"""How our records are recognised in Redmine: a project by its identifier, a story by a reference.

A project's identifier is given at its creation, is in the list of all projects, stays forever
and is not copied along with a project. It reads ``ps-<pipeline>__<deal>``; characters that Redmine
does not take there are written ``_d`` (the capital D) or ``_047`` (a byte, in decimal). A key that
is too long for it is hashed.

A project that was there before cannot be given another identifier, and one that was let go keeps
its own: a *mark* (`taiga_pipeline.targets.marks`) says so, in the project's custom field "Deal key"
or else on the last line of its description. A mark that is there counts, not the identifier. A
story's reference is in the issue's custom field "Deal key" or else on the last line of its
description.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from sync.records.model import Marker

LONGEST_IDENTIFIER: Final = 100

_PREFIX: Final = "ps-"
_HASHED: Final = "psh-"
_HASHED_WHOLE: Final = re.compile(r"psh-[0-9a-f]{40}(__[0-9]+)?")
_PIECE: Final = re.compile(r"__|_[a-z]|_[0-9]{3}|[a-z0-9-]")


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
