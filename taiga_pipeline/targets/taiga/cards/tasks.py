"""Tasks on the cards of a board. They have a version, as stories have."""

from __future__ import annotations

from collections.abc import Mapping

from sync.errors import Rejected, Stale
from sync.records.model import Desired, Observed, RecordKey, Value
from sync.target import Place, Written
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind, Task, task_name
from taiga_pipeline.targets.taiga.children import Body, TaigaClientContext
from taiga_pipeline.targets.taiga.identity import decode_reference, encode_reference
from taiga_pipeline.targets.taiga.paging import Row, read_all


class Tasks:
    """Tasks, which carry a reference from their first moment."""

    kind = Kind.TASK
    path = "tasks"

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a task, known by its card and what it says; on a card of people's it is unknown.

        ``card_reference`` is the reference of its card. The list of cards shows neither a task's
        own reference nor its version: that is asked for where a task is written.
        """
        group, name = decode_reference(context.pipeline, _reference(row))
        own = task_name(name, str(row["subject"])) if name and "card_reference" in row else name
        return Observed(
            self.kind,
            str(row["id"]),
            {Task.SUBJECT: str(row["subject"]), Task.CLOSED: bool(row.get("is_closed"))},
            identity=own.casefold(),
            marked=bool(name),
            change_token=str(row.get("version", "")),
            group=group,
        )

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a task of its card."""
        card = RecordKey(desired.key.group, Kind.STORY, str(desired.fields[Task.CARD]))
        if card not in place.bound:
            raise Rejected(f"the task waits for its card {card.name!r}, which is not there")
        body: Body = {
            "project": int(place.root_id),
            "user_story": int(place.bound[card]),
            "subject": desired.fields[Task.SUBJECT],
            "external_reference": encode_reference(context.pipeline, desired.key),
        }
        if desired.fields.get(Task.CLOSED):
            body["status"] = self._status(place.root_id, context, closed=True)
        return Written(self.observe(context.client.post(self.path, body).data, context))

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Renames, closes or opens again, with the version that it was observed in."""
        body: Body = {}
        if Task.SUBJECT in changes:
            body["subject"] = changes[Task.SUBJECT]
        if Task.CLOSED in changes:
            closed = bool(changes[Task.CLOSED])
            body["status"] = self._status(place.root_id, context, closed=closed)
        return body and body | {"version": _version(observed, changes, context)}

    def _status(self, root_id: str, context: TaigaClientContext, *, closed: bool) -> int:
        """Returns the first status that says so.

        :raises Rejected: people removed all of them.
        """
        for row in read_all(context.client, "task-statuses", {"project": root_id}):
            if bool(row.get("is_closed")) is closed:
                return int(row["id"])
        state = "closed" if closed else "open"
        raise Rejected(
            f"the board has no status for tasks that are {state}; add one in Taiga, in the "
            "project's settings under Attributes, Statuses"
        )


def _version(observed: Observed, changes: Mapping[str, Value], context: TaigaClientContext) -> int:
    """Returns the version of a task that still is as it was observed in the list of cards.

    :raises Stale: people changed it since.
    """
    if observed.change_token:
        return int(observed.change_token)
    row = context.client.get(f"{Tasks.path}/{observed.id}").data
    now = Tasks().observe(row, context)
    moved = [name for name in changes if now.fields[name] != observed.fields[name]]
    if moved:
        raise Stale(f"task {observed.id}: people changed {', '.join(moved)} just now")
    return int(now.change_token)


def _reference(row: Row) -> JSON:
    """Returns the reference of a task, or that of its card where a list shows only this."""
    return row.get("card_reference", row.get("external_reference"))
