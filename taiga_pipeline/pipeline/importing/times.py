"""When a deal came into its stage, was decided and was changed, as an import finds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from taiga_pipeline.days import day_of
from taiga_pipeline.pipeline.importing.options import Funnel
from taiga_pipeline.pipeline.importing.rows import Draft
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.values.dates import midnight

_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Times:
    """Dates what an import brings. ``now`` is the time of the import, in UTC; days are those of
    ``zone``."""

    funnel: Funnel
    now: datetime
    zone: tzinfo = UTC

    def new(self, deal: Deal, draft: Draft) -> Deal:
        """Fills in the times of a new deal where its row is silent.

        A closed deal came into its stage on the day of the decision, an open one on the day on
        which work began, else now. Of a closed one without that day it is known only when it was
        updated last: no later than that; it was not decided today because it is imported today.
        """
        since: datetime | None = draft.values.get("stage_since")
        if since is None and self.funnel.is_closed(deal.stage) and not deal.closed_on:
            since = decided_by(draft)
        elif since is None:
            day = deal.closed_on if self.funnel.is_closed(deal.stage) else deal.engaged_on
            since = midnight(day, self.zone) if day else self.now
        return replace(
            deal, stage_since=since, updated_at=draft.values.get("updated_at") or self.now
        )

    def changed(self, before: Deal, after: Deal, draft: Draft, base: datetime | None) -> Deal:
        """Dates what a row changed in a deal.

        A move happened now, unless the row gives its own date: a ``stage_since`` that is not the
        one that was agreed upon (``base``), or else a day of the decision that comes with it. No
        date may lie before the last move, or in the future; when a deal was updated never runs
        backwards.
        """
        given: datetime | None = draft.values.get("stage_since")
        own = given if given and not is_same(given, base) and given <= self.now else None
        if after.stage != before.stage:
            after = self._moved(before, after, own)
        elif own and not is_same(own, before.stage_since):
            after = replace(after, stage_since=own)
        return replace(after, updated_at=self._updated(before, after, draft))

    def _moved(self, before: Deal, after: Deal, own: datetime | None) -> Deal:
        is_closed = self.funnel.is_closed(after.stage)
        since = own
        if since is None and is_closed and after.closed_on not in (None, before.closed_on):
            since = midnight(after.closed_on, self.zone) if after.closed_on else None
        if since is None or not (before.stage_since or since) <= since <= self.now:
            since = self.now
        decided = self._decided(after, since) if is_closed else _open_again(before, after)
        return replace(decided, stage_since=since)

    def _updated(self, before: Deal, after: Deal, draft: Draft) -> datetime | None:
        given: datetime | None = draft.values.get("updated_at")
        held = before.updated_at or given or self.now
        is_later = given is not None and held < given <= self.now and not is_same(given, held)
        if before.updated_at is None or is_later:
            return given or self.now
        is_unchanged = replace(after, updated_at=before.updated_at) == before
        return before.updated_at if is_unchanged else max(self.now, held)

    def _decided(self, after: Deal, since: datetime) -> Deal:
        return after if after.closed_on else replace(after, closed_on=day_of(since, self.zone))


def decided_by(draft: Draft) -> datetime | None:
    """Returns by when a deal without a day of its decision was decided, as far as its row tells."""
    is_unknown = "stage_since" in draft.blank  # our own export, which would say it
    return None if is_unknown else draft.values.get("updated_at")


def is_same(moment: datetime, other: datetime | None) -> bool:
    """Whether two moments are the same as far as spreadsheets keep them: to the minute."""
    return other is not None and abs(moment - other) < _MINUTE


def _open_again(before: Deal, after: Deal) -> Deal:
    """Takes the decision away, which the history keeps."""
    fields: dict[str, Any] = {}
    if after.closed_on == before.closed_on:
        fields["closed_on"] = None
    if after.lost_reason == before.lost_reason:
        fields["lost_reason"] = ""
    return replace(after, **fields)
