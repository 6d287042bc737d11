"""What is said on the cards of a board: comments, who changed what, and whose card it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sync.errors import Malformed
from sync.records.model import Observed, RecordKey
from taiga_pipeline.http.answer import JSON
from taiga_pipeline.records import Kind
from taiga_pipeline.targets.port import Comment
from taiga_pipeline.targets.taiga.cards.tasks import Tasks
from taiga_pipeline.targets.taiga.children import Body, Stories, TaigaClientContext
from taiga_pipeline.targets.taiga.identity import encode_reference

_NEWEST_EVENTS = 200
_WORDS = ((Kind.STORY, "userstory"), (Kind.TASK, "task"), (Kind.WIKI, "wikipage"))
"""What timelines call them."""


def claim(card: Observed, key: RecordKey, text: str, context: TaigaClientContext) -> None:
    """Writes the record's reference on a card or a task, with a comment if there is one.

    :raises Stale: someone changed it just now.
    """
    path = f"{Tasks.path if card.kind == Kind.TASK else Stories.path}/{card.id}"
    version = card.change_token or context.client.get(path).data["version"]
    body: Body = {
        "external_reference": encode_reference(context.pipeline, key),
        "version": int(version),
    }
    if text:
        body["comment"] = text
    context.client.patch(path, body)


def comment(card_id: str, text: str, context: TaigaClientContext) -> None:
    """Adds a comment to a card."""
    version = context.client.get(f"{Stories.path}/{card_id}").data["version"]
    context.client.patch(f"{Stories.path}/{card_id}", {"comment": text, "version": version})


def comments(card_id: str, context: TaigaClientContext) -> Sequence[Comment]:
    """Returns people's comments on a card, the oldest first; what they deleted is left out."""
    rows = context.client.get(f"history/userstory/{card_id}", {"type": "comment"}).data
    if not isinstance(rows, list):
        raise Malformed(f"GET history/userstory/{card_id}: is not a list")
    found = [_comment(row) for row in rows if _is_peoples(row, context.account_id)]
    return sorted(found, key=lambda each: each.at)


def _is_peoples(row: JSON, account_id: int) -> bool:
    if not isinstance(row, dict) or row.get("delete_comment_date") or not row.get("comment"):
        return False
    return _user(row).get("pk") != account_id


def _user(row: Mapping[str, JSON]) -> Mapping[str, JSON]:
    user = row.get("user")
    return user if isinstance(user, dict) else {}


def _comment(row: Mapping[str, JSON]) -> Comment:
    user = _user(row)
    by = str(user.get("name") or user.get("username") or "")
    return Comment(str(row.get("id", "")), _moment(row.get("created_at")), by, str(row["comment"]))


def _moment(text: JSON) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        raise Malformed(f"a comment has {str(text)[:40]!r} in place of a time") from None


def editors(root_id: str, context: TaigaClientContext) -> Mapping[tuple[str, str], str]:
    """Returns who changed a story, task or page last, this account aside, by kind and number.

    Only the newest changes are looked at.
    """
    path, params = f"timeline/project/{root_id}", {"page_size": _NEWEST_EVENTS}
    rows = context.client.get(path, params).data
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        data = row.get("data") or {}
        user = data.get("user") or {}
        if user.get("id") == context.account_id:
            continue
        for kind, word in _WORDS:
            item = data.get(word)
            if isinstance(item, dict) and "id" in item:
                name = str(user.get("name") or user.get("username") or "")
                found.setdefault((kind, str(item["id"])), name)
    return found
