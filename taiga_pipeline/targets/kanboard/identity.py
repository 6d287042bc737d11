"""How our records are recognised in Kanboard: a project by its identifier, a task by its reference.

A project's identifier is given in the call that makes it, is in the list of all projects, and is
not taken along by a copy. Kanboard takes letters and digits, fifty at most, and stores capitals:
``PS1`` and the base32 form of pipeline and deal, or ``PS0`` and that of their digest where they are
too long. Base32 knows neither 0 nor 1. A marker that the identifier does not spell stands in full
on the connector's own line of the description (`taiga_pipeline.targets.marks`), and so does that of
a project that was adopted with an identifier of people's own. The marker in full is in the
project's metadata, too, for other programs.

A task's reference is free text, 191 characters at most: ``acme/D-1001/kick-off`` for a story,
``acme/D-1001/milestone/Kick-off`` for what stands for a milestone. One that is too long is hashed,
and stands in full on the connector's line of the task's description.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from sync.records.model import Marker, RecordKey
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.marks import (
    Line,
    decode_reference,
    encode_reference,
)

LONGEST_IDENTIFIER: Final = 50
LONGEST_REFERENCE: Final = 191

_SPELLED: Final = "PS1"
_HASHED: Final = "PS0"
_BETWEEN: Final = "\0"
_OF_MILESTONES: Final = "/milestone/"
_HASHED_REFERENCE: Final = "pipeline-sync:"


# --- projects


def encode_identifier(marker: Marker) -> str:
    """Returns the identifier of the project that carries ``marker``."""
    both = f"{marker.pipeline}{_BETWEEN}{marker.key}".encode("utf-8", "surrogatepass")
    spelled = _SPELLED + _base32(both)
    if len(spelled) <= LONGEST_IDENTIFIER:
        return spelled
    return _HASHED + _base32(_digest(both))


def decode_identifier(identifier: str) -> Marker | None:
    """Returns the marker that an identifier spells out; None if it is hashed, or people's own."""
    if not identifier.startswith(_SPELLED):
        return None
    letters = identifier.removeprefix(_SPELLED)
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
        pipeline, between, key = data.decode("utf-8", "surrogatepass").partition(_BETWEEN)
    except (binascii.Error, UnicodeError):
        return None
    marker = Marker(pipeline, key)
    is_ours = bool(between and pipeline and key) and encode_identifier(marker) == identifier
    return marker if is_ours else None


def is_ours(identifier: str) -> bool:
    """Whether the connector gave a project its identifier."""
    rest = identifier.removeprefix(_HASHED)
    is_hashed = rest != identifier and len(rest) == 32 and rest.isalnum()
    return is_hashed or decode_identifier(identifier) is not None


def is_spelled_out(marker: Marker) -> bool:
    """Whether the identifier alone tells the marker."""
    return encode_identifier(marker).startswith(_SPELLED)


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=20).digest()


# --- tasks


@dataclass(frozen=True, slots=True)
class Reference:
    """Which record a task is. ``line`` holds it in full where its field does not."""

    text: str
    line: Line | None = None


def encode_task(pipeline: str, key: RecordKey) -> Reference:
    """Returns the reference of the task that is the record ``key``, a story or a milestone."""
    whole = encode_reference(pipeline, key)
    if key.kind == Kind.MILESTONE:
        before, _, name = whole.rpartition("/")
        whole = f"{before}{_OF_MILESTONES}{name}"
    if len(whole) <= LONGEST_REFERENCE:
        return Reference(whole)
    hashed = _HASHED_REFERENCE + _base32(_digest(whole.encode("utf-8", "surrogatepass")))
    return Reference(hashed, Line(whole))


def decode_task(pipeline: str, reference: str, line: Line | None) -> RecordKey | None:
    """Returns which record of the pipeline a task is; None if it is people's own.

    ``reference`` is the text of its field, ``line`` the connector's line in its description.
    """
    whole = reference
    if reference.startswith(_HASHED_REFERENCE):
        whole = line.mark if line else ""
        data = whole.encode("utf-8", "surrogatepass")
        if reference != _HASHED_REFERENCE + _base32(_digest(data)):
            return None
    kind = Kind.STORY
    if whole.count("/") == 3 and _OF_MILESTONES in whole:
        kind, whole = Kind.MILESTONE, whole.replace(_OF_MILESTONES, "/")
    group, name = decode_reference(pipeline, whole)
    return RecordKey(group, kind, name) if group else None
