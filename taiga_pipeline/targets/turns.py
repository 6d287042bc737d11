"""How the turns of a lease (`sync.run.lease`) are written down in a tool, and how old they are.

Ages are differences of two of the server's own times: that of its answer (the ``Date`` header), and
that of the write. Where the tool tells when something was written, that counts; elsewhere the
moment is written along: the server's own time of the answer right before. It is earlier than the
write, as is the moment from which the holder counts, so that neither takes a turn for held that the
other takes for ended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from sync.errors import AnotherServer
from sync.run.lease import Terms, Turn
from sync.ways_out import UseAccount
from taiga_pipeline.http.answer import JSON, Answer

_WRITTEN: Final = "written"


def terms_to_json(terms: Terms, written: datetime | None = None) -> dict[str, JSON]:
    """Returns terms as JSON-compatible data, with the server's time at which they are written."""
    data: dict[str, JSON] = {
        "token": terms.token,
        "holder": terms.holder,
        "seconds": terms.seconds,
        "released": terms.released,
    }
    return data if written is None else {**data, _WRITTEN: written.isoformat()}


def terms_from_json(value: JSON) -> Terms | None:
    """Returns what `terms_to_json` wrote; None for what it never writes."""
    if not isinstance(value, Mapping):
        return None
    seconds = value.get("seconds")
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    token, holder = str(value.get("token", "")), str(value.get("holder", ""))
    return Terms(token, holder, float(seconds), value.get("released") is True)


def turn_to_text(terms: Terms, written: datetime | None) -> str:
    """Returns terms as one line of text."""
    return json.dumps(terms_to_json(terms, written), sort_keys=True)


def turn_from_text(number: int, text: str, now: datetime | None) -> Turn | None:
    """Returns the turn that a text holds; None for a text that is none.

    ``now`` is the server's time (UTC), None if it is unknown, and the turn's age with it.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return None
    terms = terms_from_json(value)
    if terms is None:
        return None
    return Turn(number, terms, age(now, str(value.get(_WRITTEN, ""))))


def age(now: datetime | None, written: str) -> float | None:
    """Returns the seconds since a moment (ISO 8601), None if one of the two is unknown."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    if now is None or moment.tzinfo is None:
        return None
    return (now - moment).total_seconds()


def server_date(answer: Answer) -> datetime | None:
    """Returns the server's own time (UTC) of an answer, None if it sends none."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def refuse_other_account(pipeline: str, theirs: str, ours: str, where: str) -> None:
    """Makes sure that the account that keeps a pipeline's turns is the one that logs in.

    ``where`` says where the name of that account stands, to be corrected there if it is to change.

    :raises AnotherServer: it is another one.
    """
    if theirs == ours:
        return
    raise AnotherServer(
        f"another account works on the pipeline '{pipeline}' here: {theirs}, and {ours} logs in. "
        "Two accounts on one pipeline may make each thing twice. Nothing was written. If "
        f"{ours} takes over for good, delete {where}",
        ways_out=[UseAccount(theirs)],
    )
