"""An error that nobody foresaw in the work on one group: kept as its issue, the rest goes on."""

from __future__ import annotations

import logging
from typing import Final

from sync.errors import SyncError
from sync.plan.model import Issue, IssueKind
from sync.records.model import RecordKey

log = logging.getLogger(__name__)

_LONGEST: Final = 200


def unforeseen(key: RecordKey, error: Exception) -> Issue:
    """Returns the issue for an error in the work on one group; logs where it happened."""
    if isinstance(error, SyncError):
        return Issue(IssueKind.FAILED, key, f"{key.group}: {error}")
    log.error("%s: an error that nobody foresaw", key, exc_info=error)
    return Issue(
        IssueKind.FAILED,
        key,
        f"{key.group}: not synced because of an error that nobody foresaw ({in_words(error)}); all "
        "others were. Where it happened is in the log of the run: please report it",
    )


def in_words(error: BaseException) -> str:
    """Returns an error's kind and the beginning of its words, on one line."""
    words = " ".join(str(error).split())[:_LONGEST]
    name = type(error).__name__
    return f"{name}: {words}" if words else name
