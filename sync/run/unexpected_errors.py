"""An unexpected error in the work on one group becomes its issue; the rest goes on."""

from __future__ import annotations

import logging

from sync.errors import SyncError, in_words
from sync.plan.model import Issue, IssueKind
from sync.records.model import RecordKey

log = logging.getLogger(__name__)


def unforeseen(key: RecordKey, error: Exception) -> Issue:
    """Returns the issue for an error in the work on one group; logs where it happened."""
    if isinstance(error, SyncError):
        text = f"{key.group}: {error.message}"
        return Issue(IssueKind.FAILED, key, text, ways_out=error.ways_out)
    log.error("%s: an unexpected error", key, exc_info=error)
    return Issue(
        IssueKind.FAILED,
        key,
        f"{key.group}: not synced, because of an unexpected error ({in_words(error)}). All others "
        "were synced. The log of the run says where it happened: please report it",
    )
