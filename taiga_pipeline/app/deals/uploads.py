"""Files that people hand in to be imported: private, bounded, and gone after half an hour."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taiga_pipeline.files import PRIVATE
from taiga_pipeline.pipeline.errors import InvalidValue, UnknownName
from taiga_pipeline.pipeline.text import line

MOST_BYTES: Final = 10_000_000
"""Bytes of one file."""
MOST_EACH: Final = 3
"""Files of one person; another one takes the place of the oldest."""
MOST: Final = 20
"""Files of all."""
SECONDS: Final = 1800.0
_LONGEST_NAME: Final = 120
_FOLDER: Final = "pipeline-sync-uploads-"


class UploadGone(UnknownName):
    """A file is not there any more, or is somebody else's."""

    def __init__(self) -> None:
        super().__init__(
            "the file is not kept any more: files are kept for half an hour; upload it again"
        )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody handed in; ``name`` is what they call it, and no path."""

    token: str
    owner: str
    name: str
    path: Path
    at: float


class Uploads:
    """Keeps files in a folder that only this account can read, and that ends with the program.

    ``monotonic`` tells the time in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._kept: dict[str, Upload] = {}
        _remove_left_behind()

    def keep(self, owner: str, name: str, data: bytes) -> Upload:
        """Keeps a file for half an hour.

        :raises InvalidValue: it is empty, or too large.
        """
        if not data:
            raise InvalidValue("the file is empty")
        if len(data) > MOST_BYTES:
            raise InvalidValue(f"the file is too large: at most {MOST_BYTES // 10**6} MB are read")
        with self._lock:
            self._forget_old()
            _remove_left_behind()
            mine = [each for each in self._kept.values() if each.owner == owner]
            for each in mine[: max(len(mine) - MOST_EACH + 1, 0)]:
                self._drop(each)
            while len(self._kept) >= MOST:
                self._drop(next(iter(self._kept.values())))
            if self._folder is None or not self._folder.is_dir():
                self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            token = secrets.token_urlsafe(16)
            path = self._folder / token
            path.touch(mode=PRIVATE)
            path.write_bytes(data)
            shown = line(name.replace("\\", "/").rpartition("/")[2])[:_LONGEST_NAME]
            upload = Upload(token, owner, shown or "file", path, self._monotonic())
            self._kept[token] = upload
        return upload

    def find(self, owner: str, token: str) -> Upload:
        """Returns somebody's own file.

        :raises UploadGone: it is not kept any more, or is somebody else's.
        """
        with self._lock:
            self._forget_old()
            found = self._kept.get(token)
        if found is None or found.owner != owner:
            raise UploadGone
        return found

    def drop(self, upload: Upload) -> None:
        """Forgets a file."""
        with self._lock:
            self._drop(upload)

    def _forget_old(self) -> None:
        before = self._monotonic() - SECONDS
        for each in [each for each in self._kept.values() if each.at < before]:
            self._drop(each)

    def _drop(self, upload: Upload) -> None:
        if self._kept.pop(upload.token, None) is not None:
            upload.path.unlink(missing_ok=True)


def _remove_left_behind() -> None:
    """Removes what a program left that was killed: folders in which nothing happened for as long
    as a file is kept. They hold names of people."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            found = folder.lstat()
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
