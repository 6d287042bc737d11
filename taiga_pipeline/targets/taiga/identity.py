"""How our records are recognised in Taiga: the marker on a project, the reference on a story.

A project's marker is an entry of its ``tags_colors``: part of the very call that creates it, in
the list of all projects, untouched by a rename, and kept letter by letter. It reads
``pipeline-sync:<pipeline>:<deal>``; a story's reference reads ``<pipeline>:<deal>/<story>``.
Characters that would make these ambiguous or that a database refuses are percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from sync.records.model import Marker, RecordKey
from taiga_pipeline.http.answer import JSON

PREFIX: Final = "pipeline-sync"

_UNSAFE: Final = re.compile(
    r"[%:/\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
    r"|^\s|\s$"
)
"""What would make a marker ambiguous, what a database refuses, what reorders or hides text."""


def encode_marker(marker: Marker) -> str:
    """Returns the name of the ``tags_colors`` entry that is ``marker``."""
    return f"{PREFIX}:{_escape(marker.pipeline)}:{_escape(marker.key)}"


def decode_markers(tags_colors: JSON) -> tuple[Marker, ...]:
    """Returns the markers among a project's ``tags_colors``, whoever wrote them."""
    names: Iterable[str] = tags_colors if isinstance(tags_colors, Mapping) else ()
    return tuple(marker for name in names if (marker := _decode_marker(name)) is not None)


def encode_reference(pipeline: str, key: RecordKey) -> list[str]:
    """Returns the ``external_reference`` of the story that is the record ``key``."""
    return [PREFIX, f"{_escape(pipeline)}:{_escape(key.group)}/{_escape(key.name)}"]


def decode_reference(pipeline: str, reference: JSON) -> tuple[str, str]:
    """Returns the story's deal, and its name in it; both "" if it is not this pipeline's."""
    if not isinstance(reference, list) or len(reference) != 2 or reference[0] != PREFIX:
        return "", ""
    owner, _, rest = str(reference[1]).partition(":")
    group, _, name = map(_unescape, rest.partition("/"))
    return (group, name) if group and name and owner == _escape(pipeline) else ("", "")


def _decode_marker(name: str) -> Marker | None:
    parts = name.split(":")
    if len(parts) != 3 or parts[0] != PREFIX:
        return None
    pipeline, key = _unescape(parts[1]), _unescape(parts[2])
    return Marker(pipeline, key) if pipeline and key else None


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda match: _percent(match[0]), text)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _unescape(text: str) -> str | None:
    """Undoes `_escape`; None for what it never returns."""
    try:
        return unquote_to_bytes(text).decode("utf-8", "surrogatepass")
    except UnicodeError:
        return None
