"""Archives that hold workbooks, opened within bounds: what they unpack to is known beforehand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from taiga_pipeline.problems import Problem, ProblemsError

MAX_PACKED: Final = 100_000_000
"""Bytes of a workbook's file."""
MAX_UNPACKED: Final = 250_000_000
"""Bytes of everything in it."""
MAX_PARTS: Final = 5_000
_CHUNK: Final = 1 << 20
_DOCTYPES: Final = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))
BROKEN_ARCHIVE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
)
"""What `zipfile` raises on files that are damaged, cut off, or packed or locked in a way that it
does not know (`NotImplementedError` is a `RuntimeError`)."""


@contextmanager
def unpacked(data: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """Opens an archive whose parts together are not too large.

    No part declares a document type: with one, a few lines of XML may stand for gigabytes.

    :raises ProblemsError: it is too large, or damaged; says what the bound is.
    """
    if len(data) > MAX_PACKED:
        raise _refused(name, f"{_megabytes(len(data))} of workbook; up to {_megabytes(MAX_PACKED)}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN_ARCHIVE:
        raise _refused(name, "the workbook is damaged or cut off; save it again") from None
    with archive:
        _check_size(archive, name)
        try:
            if any(_declares_type(archive, part) for part in archive.infolist()):
                raise _refused(
                    name, "an XML part with a document type, which no spreadsheet writes"
                )
        except BROKEN_ARCHIVE:
            raise _refused(
                name, "the workbook is damaged, or protected by a password; save it again without"
            ) from None
        yield archive


def _check_size(archive: zipfile.ZipFile, name: str) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise _refused(name, f"a workbook of {len(parts):,} parts; up to {MAX_PARTS:,}")
    size = sum(part.file_size for part in parts)
    if size > MAX_UNPACKED:
        raise _refused(
            name, f"a workbook that unpacks to {_megabytes(size)}; up to {_megabytes(MAX_UNPACKED)}"
        )


def _declares_type(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    if not part.filename.endswith((".xml", ".rels")):
        return False
    longest, before = max(map(len, _DOCTYPES)), b""
    with archive.open(part) as stream:  # gives out no more than the declared size
        while chunk := stream.read(_CHUNK):
            seen = before + chunk
            if any(mark in seen for mark in _DOCTYPES):
                return True
            before = seen[-longest:]
    return False


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"


def _refused(name: str, reason: str) -> ProblemsError:
    return ProblemsError([Problem(reason, name)])
