"""Files that commands take: ``-`` is standard input or output, or it is refused. Never a file.

A file whose name is a dash is written ``./-``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from taiga_pipeline.language import text as _

DASH: Final = "-"
STDOUT: Final = Path("/dev/stdout")
LARGEST: Final = 1_000_000_000
"""Bytes that are taken from standard input."""
_CHUNK: Final = 1 << 20


class StandardInput(type(Path())):  # type: ignore[misc]
    """What came by standard input, kept in a file without a name; can be read again and again.

    It lasts as long as ``content`` is open: for the command.
    """

    def __new__(cls, content: BinaryIO) -> StandardInput:
        """Returns the path of an open file."""
        made: StandardInput = super().__new__(cls, f"/dev/fd/{content.fileno()}")
        made.content = content
        return made

    content: BinaryIO

    @property
    def name(self) -> str:
        """What stands for the file's name, such as where imports are distinguished."""
        return "stdin"

    @property
    def suffix(self) -> str:
        """Nothing tells what it holds."""
        return ""

    def __fspath__(self) -> str:
        return str(super().__str__())

    def __str__(self) -> str:
        return _("standard input")


def _spooled() -> StandardInput:
    content = tempfile.TemporaryFile()  # noqa: SIM115 - open until the command ends
    stream, size = getattr(sys.stdin, "buffer", None), 0
    while stream is not None and (chunk := stream.read(_CHUNK)):
        size += len(chunk)
        if size > LARGEST:
            most = LARGEST // 1_000_000
            raise click.UsageError(_("standard input: more than {megabytes:,} MB", megabytes=most))
        content.write(chunk)
    content.flush()
    return StandardInput(content)


class _File(click.Path):
    """A path, with a meaning of its own for a dash."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(path_type=Path, **settings)


class ReadFile(_File):
    """A file to be read; ``-`` is standard input."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Returns the path, of a file without a name for what came by standard input."""
        if value == DASH:
            path = _spooled()
            if ctx is not None:
                ctx.call_on_close(path.content.close)
            return path
        return Path(str(super().convert(value, param, ctx)))


class WrittenFile(_File):
    """A file to be written; ``-`` is standard output."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Returns the path, that of the process's own output for a dash."""
        if value == DASH:
            return STDOUT
        return Path(str(super().convert(value, param, ctx)))


class Place(_File):
    """A folder, or a file that is both read and written: it cannot be a stream."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Returns the path.

        :raises click.UsageError: it is a dash.
        """
        if value == DASH:
            self.fail(
                _("'-' (a stream) cannot be used here; for that very name write './-'"), param
            )
        return Path(str(super().convert(value, param, ctx)))
