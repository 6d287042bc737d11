"""Intake: a form to embed in the company's own site, and the address for form services.

Whoever asks is unknown: there is no session, and nothing of the pipeline is shown.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Final

from starlette.responses import JSONResponse, RedirectResponse, Response

from taiga_pipeline.app.deals.intake import asked_fields, take_in
from taiga_pipeline.pipeline.errors import InvalidFields
from taiga_pipeline.web.pages import Section, outside
from taiga_pipeline.web.visit import Visit

_LOG: Final = logging.getLogger(__name__)
MAX_BODY: Final = 64_000
TRAP: Final = "website"
"""A field that people do not see; programs that fill all fields fill it too."""
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors {ancestors}"
)


def show(visit: Visit) -> Response:
    """Shows the form, or thanks for what was sent."""
    if not visit.workspace.settings.intake.enabled:
        return _closed()
    return _form(visit, is_done="done" in visit.query)


def receive(visit: Visit) -> Response:
    """Makes a deal of what was sent: a form, or JSON."""
    settings = visit.workspace.settings.intake
    if not settings.enabled:
        return _closed()
    is_json = "json" in visit.request.headers.get("content-type", "")
    given = _of_json(visit.body) if is_json else dict(visit.form)
    if given is None:
        return JSONResponse({"ok": False, "error": "this is no JSON object of texts"}, 400)
    if visit.served.inquiries.count(f"address {visit.address}") > settings.per_hour:
        _LOG.warning("inquiries from %s: too many within an hour", visit.address)
        return _refused(visit, given, {"": ["too many inquiries; try again later"]}, 429, is_json)
    if not given.get(TRAP):  # a program that fell into the trap is thanked like all others
        try:
            take_in(visit.workspace, given, visit.served.inquiries)
        except InvalidFields as error:
            wrong = {name: list(said) for name, said in error.fields.items()}
            return _refused(visit, given, wrong, 422, is_json)
    if is_json:
        return JSONResponse({"ok": True}, 201)
    return _framed(visit, RedirectResponse(visit.url("/intake", done="yes"), 303))


def _of_json(body: bytes) -> dict[str, str] | None:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict):
        return None
    return {str(name): each for name, each in payload.items() if isinstance(each, str)}


def _refused(
    visit: Visit,
    given: Mapping[str, str],
    wrong: Mapping[str, list[str]],
    status: int,
    is_json: bool,
) -> Response:
    if is_json:
        return JSONResponse({"ok": False, "fields": wrong}, status)
    return _form(visit, given, wrong, status)


def _form(
    visit: Visit,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, list[str]] | None = None,
    status: int = 200,
    *,
    is_done: bool = False,
) -> Response:
    answer = visit.show(
        "intake.html.j2",
        status=status,
        fields=asked_fields(visit.workspace),
        given=given or {},
        wrong=wrong or {},
        is_done=is_done,
        trap=TRAP,
    )
    return _framed(visit, answer)


def _framed(visit: Visit, answer: Response) -> Response:
    """Lets the company's own sites, and no others, show an answer in a frame."""
    origins = visit.workspace.settings.intake.origins
    ancestors = " ".join(origins) or "'none'"
    answer.headers["Content-Security-Policy"] = _POLICY.format(ancestors=ancestors)
    return answer


def _closed() -> Response:
    return Response("There is no form here.\n", 404, media_type="text/plain")


INTAKE = Section(
    "Intake",
    "",
    (
        outside("GET", "/intake", show, max_body=0),
        outside("POST", "/intake", receive, max_body=MAX_BODY),
    ),
)
