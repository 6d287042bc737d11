"""Writes the files that people name: whole or not at all, and never through someone's link.

A new file is made without a name, or under a random one that no one can have prepared, and takes
the place of the old one in a single step. What is not a regular file (a device, a pipe, the
process's own output) is written straight through, and stays what it is.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

PRIVATE: Final = 0o600
"""For its owner alone: what holds people or customers."""
PUBLIC: Final = 0o644

PART: Final = ".pipeline-sync-"
"""What the name of an unfinished file begins with, where the system needs one."""

_NEW: Final = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_OWN_DESCRIPTORS: Final = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR: Final = re.compile(
    r"/(?:dev|proc/self|proc/(?P<process>[0-9]+))/fd/(?P<number>[0-9]+)"
)


_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class CannotWrite(OSError):
    """A file that a person named cannot be written; says which, why, and what to look at."""

    def __init__(self, path: Path, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        super().__init__(error.errno, reason, str(path))
        hint = _HINTS.get(error.errno or 0, "")
        self._message = f"{path}: cannot be written: {reason}{hint}"

    def __str__(self) -> str:
        return self._message


_HINTS: Final = {
    errno.ENOENT: "; make its folder first",
    errno.EISDIR: "; name a file in it",
    errno.ENAMETOOLONG: "; choose a shorter name",
}


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Says of which file a failure is; what fails for another reason passes."""
    try:
        yield
    except (CannotWrite, FileExistsError, BrokenPipeError):
        raise
    except OSError as error:
        folder = os.fspath(path.parent)
        about = os.fspath(error.filename or "")
        if error.errno in _FULL or (about and about in (os.fspath(path), folder)):
            raise CannotWrite(path, error) from error
        if PART in about:
            raise CannotWrite(path, error) from error
        raise


@contextmanager
def writing(path: Path, mode: int = PRIVATE, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Opens ``path`` for writing bytes; if the block fails, the file is as it was before.

    A symbolic link under that name is replaced by the file; what it points at stays as it is.

    :param mode: the permissions that the file has afterwards, also one that was there.
    :param overwrite: whether a file may be there already.
    :raises FileExistsError: there is one, and ``overwrite`` is not given.
    :raises CannotWrite: the file cannot be made there.
    """
    with explaining(path), _opened(path, mode, overwrite) as stream:
        yield stream


@contextmanager
def _opened(path: Path, mode: int, overwrite: bool) -> Iterator[BinaryIO]:
    number = _descriptor(path)
    if number is not None:
        sys.stdout.flush()
        with os.fdopen(os.dup(number), "wb") as stream:
            yield stream
    elif _is_special(path):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC), "wb") as stream:
            yield stream
    else:
        yield from _replacing(path, mode, overwrite)


def write_text(path: Path, text: str, mode: int = PRIVATE, *, overwrite: bool = True) -> None:
    """Writes a whole text file; see `writing`."""
    with writing(path, mode, overwrite=overwrite) as stream:
        stream.write(text.encode("utf-8"))


def is_stdout(path: Path) -> bool:
    """Whether what is written to ``path`` appears on this process's standard output."""
    return _descriptor(path) == 1


def _replacing(path: Path, mode: int, overwrite: bool) -> Iterator[BinaryIO]:
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(17, os.strerror(17), str(path))
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(21, os.strerror(21), str(path))
    unfinished = path.with_name(f"{PART}{secrets.token_hex(8)}.part")
    descriptor, named = _unfinished(unfinished)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
            if not named:
                _give_name(descriptor, unfinished, mode)
        if overwrite:
            unfinished.replace(path)
        else:
            os.link(unfinished, path, follow_symlinks=False)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync(path.parent)


def _give_name(descriptor: int, path: Path, mode: int) -> None:
    """Gives a file without a name one; where the system does not let it, a copy gets it."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:  # only with a folder's descriptor does Python ask for the file behind the link
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with (
            os.fdopen(os.dup(descriptor), "rb") as content,
            os.fdopen(os.open(path, os.O_RDWR | _NEW, PRIVATE), "wb") as copy,
        ):
            shutil.copyfileobj(content, copy)
            copy.flush()
            os.fchmod(copy.fileno(), mode)
            os.fsync(copy.fileno())
    finally:
        os.close(folder)


def _unfinished(path: Path) -> tuple[int, bool]:
    """Returns a descriptor of a new file, and whether it has the name ``path``.

    Where the system can, it has none: nothing is left of it if the process is killed.
    """
    anonymous = getattr(os, "O_TMPFILE", 0)
    if anonymous and Path("/proc/self/fd").exists():
        with suppress(OSError):
            return os.open(path.parent, os.O_RDWR | os.O_CLOEXEC | anonymous, PRIVATE), False
    return os.open(path, os.O_RDWR | _NEW, PRIVATE), True


def _descriptor(path: Path) -> int | None:
    """Returns the number of this process's own descriptor that a path names."""
    name = os.path.normpath(path.absolute())
    if name in _OWN_DESCRIPTORS:
        return _OWN_DESCRIPTORS[name]
    match = _DESCRIPTOR.fullmatch(name)
    if match is None or match["process"] not in (None, str(os.getpid())):
        return None
    return int(match["number"])


def _is_special(path: Path) -> bool:
    """Whether a path names something that is neither a regular file nor a folder."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def _sync(folder: Path) -> None:
    """Makes the new name last, where a folder can be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
