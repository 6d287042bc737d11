"""How our records are recognised in Odoo: by an external id, which Odoo keeps unique.

An external id is a name in a module; ours is ``pipeline_sync``. A project's reads
``<pipeline>__<deal>``, a task's ``<pipeline>__<deal>__<story>``. Letters, digits and dashes stand
for themselves, every other byte is written ``_2F``. A project that was let go keeps its id: the
next one for the same deal is called ``_again2__<pipeline>__<deal>``, and so is a task's.

Odoo makes the id in the transaction that makes the record, deletes it with the record, and gives
it to no copy. Without more rights nobody can change it: where a project is adopted or let go, and
where a task goes to another deal, the connector's line in the description says so, and counts.
"""

from __future__ import annotations

import re
from typing import Final

from sync.records.model import Marker, RecordKey

MODULE: Final = "pipeline_sync"

_BETWEEN: Final = "__"
_AGAIN: Final = re.compile(r"_again(?P<attempt>[0-9]{1,4})__(?P<rest>.*)", re.DOTALL)
_PLAIN: Final = re.compile(r"[A-Za-z0-9-]")
_PIECE: Final = re.compile(r"__|_[0-9A-F]{2}|[A-Za-z0-9-]+")


def project_name(marker: Marker, attempt: int = 1) -> str:
    """Returns the name of the external id of the project that carries ``marker``."""
    name = f"{_spelled(marker.pipeline)}{_BETWEEN}{_spelled(marker.key)}"
    return f"_again{attempt}{_BETWEEN}{name}" if attempt > 1 else name


def task_name(pipeline: str, key: RecordKey, attempt: int = 1) -> str:
    """Returns the name of the external id of the task that is the record ``key``."""
    name = _BETWEEN.join(map(_spelled, (pipeline, key.group, key.name)))
    return f"_again{attempt}{_BETWEEN}{name}" if attempt > 1 else name


def marker_of(name: str) -> Marker | None:
    """Returns the marker that a project's external id spells out, None for any other."""
    again = _AGAIN.fullmatch(name)
    parts = _parts(again["rest"] if again else name)
    if parts is None or len(parts) != 2 or not all(parts):
        return None
    marker = Marker(*parts)
    attempt = int(again["attempt"]) if again else 1
    return marker if project_name(marker, attempt) == name else None


def story_of(pipeline: str, name: str) -> tuple[str, str]:
    """Returns the deal of a task and its name there; both "" if it is not this pipeline's."""
    again = _AGAIN.fullmatch(name)
    parts = _parts(again["rest"] if again else name)
    if parts is None or len(parts) != 3 or not all(parts) or parts[0] != pipeline:
        return "", ""
    return parts[1], parts[2]


def _spelled(text: str) -> str:
    return "".join(
        character if _PLAIN.fullmatch(character) else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return "".join(f"_{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _parts(name: str) -> list[str] | None:
    """Undoes `_spelled` for the parts of a name; None for what it never makes."""
    pieces = _PIECE.findall(name)
    if "".join(pieces) != name:
        return None
    parts = [bytearray()]
    for piece in pieces:
        if piece == _BETWEEN:
            parts.append(bytearray())
        elif piece[0] == "_":
            parts[-1].append(int(piece[1:], 16))
        else:
            parts[-1].extend(piece.encode())
    try:
        return [part.decode("utf-8", "surrogatepass") for part in parts]
    except UnicodeError:
        return None
