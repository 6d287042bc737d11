"""A secret that is on its way: in a file beside the one that it will take the place of.

It is on the disk before the tool hears of it, so that whatever the moment in which a process is
killed, one of two files holds a secret that works. The file is locked while someone is at it.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sync.errors import Locked
from taiga_pipeline.credentials import Secret
from taiga_pipeline.files import PRIVATE, CannotWrite
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError

_SUFFIX: Final = ".new"
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST: Final = 65_536
_NOT_FOR_OTHERS: Final = 0o770


class Spare:
    """The file of a secret that is on its way, open and locked."""

    def __init__(self, descriptor: int, path: Path, of: Path) -> None:
        self._descriptor = descriptor
        self.path = path
        self._of = of

    def read(self) -> Secret | None:
        """Returns the secret, None if none was written whole."""
        content = os.pread(self._descriptor, _MOST, 0).decode("utf-8", "replace")
        return Secret(content[:-1]) if len(content) > 1 and content.endswith("\n") else None

    def write(self, secret: Secret) -> None:
        """Writes a secret; it is on the disk when this returns."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{secret.reveal()}\n".encode(), 0)
        os.fsync(self._descriptor)
        _sync(self.path.parent)

    def take_the_place(self) -> None:
        """Puts the file in the place of the other one, with the permissions of that."""
        mode = stat.S_IMODE(self._of.stat().st_mode) & _NOT_FOR_OTHERS
        os.fchmod(self._descriptor, mode)
        self.path.replace(self._of)
        _sync(self._of.parent)

    def discard(self) -> None:
        """Forgets the secret."""
        os.ftruncate(self._descriptor, 0)

    def end(self) -> None:
        """Removes the file, unless it holds a secret or became the other file."""
        with suppress(OSError):
            if os.fstat(self._descriptor).st_size == 0 and _is(self._descriptor, self.path):
                self.path.unlink()


def spare_path(path: Path) -> Path:
    """Returns where the secret is while it is on its way to ``path``."""
    real = path.resolve()
    return real.with_name(f"{real.name}{_SUFFIX}")


def is_cut_off(path: Path) -> bool:
    """Whether a secret is on its way to ``path``: someone is at it, or was killed at it."""
    try:
        return spare_path(path).stat().st_size > 0
    except OSError:
        return False


@contextmanager
def spare_of(path: Path) -> Iterator[Spare]:
    """Opens the file beside ``path``, which exists.

    :raises Locked: someone is at it.
    :raises CannotWrite: nothing can be written there.
    :raises ProblemsError: what is there was put there by someone else.
    """
    beside = spare_path(path)
    try:
        descriptor = os.open(beside, _FLAGS, PRIVATE)
    except OSError as error:
        raise CannotWrite(beside, error) from error
    spare = Spare(descriptor, beside, path.resolve())
    try:
        _lock(descriptor, beside)
        _keep_for(descriptor, beside, path.resolve())
        yield spare
    finally:
        spare.end()
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    busy = _("{path}: another rotation is at work. Nothing was done here", path=path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked(busy) from error
    if not _is(descriptor, path):  # it became the other file since it was opened
        raise Locked(busy)


def _keep_for(descriptor: int, path: Path, of: Path) -> None:
    """Has the file belong to whom the other one belongs to, and be read by its owner alone."""
    found, owner = os.fstat(descriptor), of.stat()
    own = (os.geteuid(), owner.st_uid)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid not in own:
        raise ProblemsError([Problem(_("{path}: someone else made this; remove it", path=path))])
    try:
        os.fchmod(descriptor, PRIVATE)
        if (found.st_uid, found.st_gid) != (owner.st_uid, owner.st_gid):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise CannotWrite(path, error) from error


def _is(descriptor: int, path: Path) -> bool:
    """Whether a path leads to the file that is open."""
    try:
        there = path.lstat()
    except OSError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _sync(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
