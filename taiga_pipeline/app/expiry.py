"""Secrets that end: said days before, by what the tool tells or the configuration states."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from sync.errors import SyncError, Unauthorised
from sync.state.store import StateStore
from sync.target import Target
from taiga_pipeline.app.rotation.rotating import unfinished
from taiga_pipeline.app.state_access import state_to_read
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.language import plural
from taiga_pipeline.language import text as _
from taiga_pipeline.report.ways_out import finish_rotation
from taiga_pipeline.targets.advice import TellsExpiry

_LOG: Final = logging.getLogger(__name__)
WARNING_DAYS: Final = 14
"""So many days before its end a secret is spoken of."""

_NOTE: Final = "secret expires"


@dataclass(frozen=True, slots=True)
class Expiring:
    """A secret that ends soon, or has ended. ``section`` is that of the configuration which leads
    to it, ``days`` are those that are left: below 0 it has ended."""

    section: str
    day: date
    days: int

    @property
    def has_ended(self) -> bool:
        """Whether the secret is of no use any more."""
        return self.days < 0

    def __str__(self) -> str:
        way_out = _(
            "Make a new one, put it where [{section}] in config.toml leads, and write its last day "
            "into {section}.expires_on (see 'Rotate secrets' in the docs)",
            section=self.section,
        )
        if self.has_ended:
            said = _(
                "{section}: the secret of the account ended on {day}",
                section=self.section,
                day=self.day.isoformat(),
            )
        else:
            said = plural(
                "{section}: the secret of the account ends on {day}, in {number} day",
                "{section}: the secret of the account ends on {day}, in {number} days",
                self.days,
                section=self.section,
                day=self.day.isoformat(),
            )
        return f"{said}. {way_out}"


def expiring(workspace: Workspace, by_target: date | None = None) -> list[Expiring]:
    """Returns the secrets that end within `WARNING_DAYS`, or have ended.

    ``by_target`` is the last day of the target's secret by the target itself, None if it does not
    tell; of two days that are known the earlier one counts.
    """
    settings = workspace.settings
    days = {
        "target": [settings.target.expires_on, by_target],
        "source": [settings.source.expires_on],
    }
    found = []
    for section, known in days.items():
        day = min((each for each in known if each is not None), default=None)
        left = WARNING_DAYS + 1 if day is None else (day - workspace.today).days
        if day is not None and left <= WARNING_DAYS:
            found.append(Expiring(section, day, left))
    return found


def last_day(target: Target) -> date | None:
    """Returns the last day of the secret by the target itself, None if it does not tell."""
    return target.expires_on() if isinstance(target, TellsExpiry) else None


def note_last_day(store: StateStore, target: Target) -> None:
    """Notes what the target tells, for those who ask without a request."""
    with suppress(SyncError):
        by_target = last_day(target)
        text = by_target.isoformat() if by_target else ""
        if text != (store.note_of(_NOTE) or ""):
            store.put_note(_NOTE, text)


def expiring_as_noted(workspace: Workspace) -> list[Expiring]:
    """Returns the secrets that end soon, by the configuration and by what the last run noted."""
    by_target = None
    with suppress(SyncError), state_to_read(workspace) as store:
        noted = store.note_of(_NOTE)
        by_target = date.fromisoformat(noted) if noted else None
    return expiring(workspace, by_target)


@contextmanager
def explaining_refusal(workspace: Workspace) -> Iterator[None]:
    """Says in the log which secret has ended, where an account is refused while the block runs."""
    try:
        yield
    except Unauthorised:
        for each in expiring_as_noted(workspace):
            if each.has_ended:
                _LOG.warning("%s", each)
        for section in unfinished(workspace):
            _LOG.warning("%s", finish_rotation(section))
        raise
