"""The receiver of webhooks: what people change in Taiga has a run begin within seconds.

A webhook is a hint alone: nothing of it but its signature, its kind and who changed something is
looked at, and what it does not tell is found by the runs of the schedule.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final

from starlette.responses import PlainTextResponse, Response

from taiga_pipeline.credentials import Secret
from taiga_pipeline.web.pages import Section, outside
from taiga_pipeline.web.visit import Visit

SIGNATURE: Final = "x-taiga-webhook-signature"
PAUSE: Final = 3.0
"""Seconds without another webhook after which a run begins: one edit sends several."""
MAX_BODY: Final = 4_000_000
"""Bytes: the whole object stands in a webhook, with its description."""


def receive(visit: Visit) -> Response:
    """Asks for a run, if the webhook is signed with the key of the configuration."""
    workspace = visit.workspace
    key = workspace.settings.web.webhook_key(workspace.environment)
    if key is None:
        return PlainTextResponse("no webhooks are received here\n", 404)
    if not is_signed(visit.body, visit.request.headers.get(SIGNATURE, ""), key):
        return PlainTextResponse("the signature is not that of the key\n", 403)
    if not _is_ours(visit.body, workspace.settings.target.username):
        visit.served.runs.ask(pause=PAUSE)
    return Response(status_code=204)


def is_signed(body: bytes, signature: str, key: Secret) -> bool:
    """Whether a signature is that of a body, as Taiga makes it."""
    made = hmac.new(key.reveal().encode(), body, hashlib.sha1).hexdigest()
    return hmac.compare_digest(made.encode(), signature.strip().lower().encode())


def _is_ours(body: bytes, username: str) -> bool:
    """Whether there is nothing to look at: a test, or what the connector itself has written."""
    try:
        payload = json.loads(body)
        by = payload.get("by") or {}
        return payload.get("action") == "test" or (
            bool(username) and by.get("username") == username
        )
    except (ValueError, AttributeError, RecursionError):
        return False


HOOKS = Section("Webhooks", "", (outside("POST", "/hooks/taiga", receive, max_body=MAX_BODY),))
