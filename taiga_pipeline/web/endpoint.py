"""From a request to a page's answer: who asks, may they, what was sent, and what went wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from inspect import iscoroutinefunction
from typing import Final
from urllib.parse import urlencode

from anyio import fail_after, to_thread
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from taiga_pipeline.language import marked, matching, use, used
from taiga_pipeline.language import text as _
from taiga_pipeline.pipeline.errors import DealRenamed, RequestError
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.access.session import COOKIE, Session
from taiga_pipeline.web.forms import Sent, TooLarge, TooSlow, Unreadable, read_body
from taiga_pipeline.web.pages import MAX_BODY, Queue, Route
from taiga_pipeline.web.repeated import MAX_MARK
from taiga_pipeline.web.seen import mark_of
from taiga_pipeline.web.site import Site
from taiga_pipeline.web.visit import Fields, Visit
from taiga_pipeline.web.words import UNEXPECTED, Failure, failure_of

_LOG: Final = logging.getLogger(__name__)
NOBODY: Final = Person("", Role.READ)
MAX_QUERY: Final = 8_000
MAX_LANGUAGES: Final = 500
OF_DEALS: Final = ("key", "deal", "like")
"""The fields of queries and forms that name a deal."""
TURN_SECONDS: Final = 10.0
"""So long a request waits for its turn where few are at work at once."""
_NO_RIGHT: Final = marked("Your role ({role}) does not include this; it takes the role {asked}.")
_FORGED: Final = marked(
    "This form is older than your session, or did not come from this page. Nothing was changed: "
    "load the page again, and repeat it."
)
_ENDED: Final = marked("Your session has ended. Nothing was changed: log in, and repeat it.")
_BUSY: Final = {
    Queue.TARGET: marked(
        "Others wait for an answer of the same server already, and it takes long. Nothing was "
        "changed: try again in a few minutes."
    ),
    Queue.PASSWORDS: marked("Many people log in just now. Try again in a minute."),
}
_MISCONFIGURED: Final = marked(
    "This server cannot answer now: its configuration has a problem. Its log says which; tell the "
    "person who looks after this server."
)

Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(site: Site, pipeline: str, route: Route) -> Endpoint:
    """Returns what answers the requests of a route."""

    async def answer(request: Request) -> Response:
        return await _answer(site, pipeline, route, request)

    return answer


async def _answer(site: Site, pipeline: str, route: Route, request: Request) -> Response:
    visit = _visit(site, pipeline, request)
    kept = visit.session
    with use(visit.language):
        response = await _said(site, route, visit)
    if not route.outside:
        _keep_session(site, visit, kept, response)
    return response


async def _said(site: Site, route: Route, visit: Visit) -> Response:
    """Returns the answer; of whatever goes wrong, a page that says why."""
    try:
        return await _admitted(site, route, visit)
    except (TooLarge, TooSlow, Unreadable) as error:
        response = _failed(visit, Failure((str(error),), error.status))
        if isinstance(error, TooSlow):
            response.headers["Connection"] = "close"
        return response
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception as error:
        return _failed(visit, _failure(visit, error))


def _language(request: Request) -> str:
    """Returns the language that a browser prefers among those that there are, "" for none."""
    asked = request.headers.get("accept-language", "")[:MAX_LANGUAGES]
    ranked = sorted((_ranked(each) for each in asked.split(",")), key=lambda each: -each[0])
    return next((found for rank, name in ranked if rank > 0 and (found := matching(name))), "")


def _ranked(item: str) -> tuple[float, str]:
    name, _separator, rank = item.strip().partition(";q=")
    try:
        return float(rank or 1), name
    except ValueError:
        return 0.0, name


def _visit(site: Site, pipeline: str, request: Request) -> Visit:
    served = site.pipelines[pipeline]
    now = served.clock.now().timestamp()
    base = site.bases[pipeline]
    return Visit(
        request=request,
        served=served,
        person=NOBODY,
        session=site.sessions.read(request.cookies.get(COOKIE, ""), now),
        base=base,
        root=site.base,
        path=request.url.path.removeprefix(base),
        sections=site.sections,
        pipelines=site.bases,
        pipeline=pipeline,
        query=Fields.of(QueryParams(request.url.query[:MAX_QUERY])),
        language=_language(request) or used(),
        address=site.door.address(request),
        is_part=request.headers.get("hx-request") == "true",
    )


async def _admitted(site: Site, route: Route, visit: Visit) -> Response:
    request = visit.request
    person = await to_thread.run_sync(site.door.who, visit.session, request, limiter=site.workers)
    visit.person = person or NOBODY
    if route.role is not None:
        if person is None:
            return await _to_log_in(visit, route)
        if not person.role.allows(route.role):
            message = _(_NO_RIGHT, role=_(person.role), asked=_(route.role))
            return _failed(visit, Failure((message,), 403))
    sent = Sent()
    if route.method == "POST":
        sent = await read_body(request, route.max_body)
        visit.body, visit.form = sent.body, sent.fields
        if not route.outside and not _is_ours(visit):
            return _failed(visit, Failure((_(_FORGED),), 403))
    try:
        return await _answered_once(site, route, visit)
    finally:
        await sent.close()


async def _answered_once(site: Site, route: Route, visit: Visit) -> Response:
    """Answers a request; a form that was sent twice as the first time."""
    mark = visit.form.text("once")
    if not mark or len(mark) > MAX_MARK or visit.is_part:
        return await _called(site, route, visit)
    # Whoever goes back and writes something else means something else.
    form = (visit.session.csrf, visit.pipeline, route.path, mark_of(*visit.form))
    answer, session = await site.repeated.once(form, partial(_with_session, site, route, visit))
    visit.session = session
    return answer


async def _with_session(site: Site, route: Route, visit: Visit) -> tuple[Response, Session]:
    return await _called(site, route, visit), visit.session


async def _called(site: Site, route: Route, visit: Visit) -> Response:
    if iscoroutinefunction(route.answer):
        await to_thread.run_sync(visit.open, limiter=site.workers)
        response = await route.answer(visit)
        assert isinstance(response, Response)
        return response
    if route.queue is not None:
        return await _in_turn(site, route, route.queue, visit)
    return await to_thread.run_sync(partial(_run, route, visit), limiter=site.workers)


async def _in_turn(site: Site, route: Route, queue: Queue, visit: Visit) -> Response:
    """Answers what has a queue of its own, beside all that has not."""
    try:
        with fail_after(TURN_SECONDS):
            await site.turns[queue].acquire()
    except TimeoutError:
        return _failed(visit, Failure((_(_BUSY[queue]),), 503))
    try:
        return await to_thread.run_sync(partial(_run, route, visit), limiter=site.queues[queue])
    finally:
        site.turns[queue].release()


def _run(route: Route, visit: Visit) -> Response:
    visit.open()
    try:
        answer = route.answer(visit)
    except DealRenamed as error:
        return _under_its_new_key(route, visit, error)
    assert isinstance(answer, Response)
    return answer


def _under_its_new_key(route: Route, visit: Visit, error: DealRenamed) -> Response:
    """Answers about a deal whose key was changed since the page was loaded, or a link was kept.

    Nothing was done yet: who names the deal by its former key is told so before anything is kept.
    """
    asked = visit.form if route.method == "POST" else visit.query
    named = [name for name in OF_DEALS if asked.give(name, error.name, error.nearest)]
    if not named:
        raise error
    if route.method == "GET" and not visit.is_part:
        return RedirectResponse(f"{visit.base}{visit.path}?{urlencode([*asked])}", status_code=303)
    answer = route.answer(visit)
    assert isinstance(answer, Response)
    return answer


async def _to_log_in(visit: Visit, route: Route) -> Response:
    address = visit.url("/log-in", back=visit.here if visit.request.method == "GET" else "/")
    if visit.is_part:
        return Response(status_code=401, headers={"HX-Redirect": address})
    if visit.request.method == "POST" and _is_from_here(visit):
        return await _ended(visit, route)
    return RedirectResponse(address, status_code=303)


async def _ended(visit: Visit, route: Route) -> Response:
    """Says that a session ended, and shows what was filled in meanwhile: it is not to be lost."""
    sent = await read_body(visit.request, min(route.max_body, MAX_BODY))
    visit.form = sent.fields
    await sent.close()
    return _failed(visit, Failure((_(_ENDED),), 401))


def _is_ours(visit: Visit) -> bool:
    """Whether a form came from a page of this session."""
    given = visit.form.text("csrf") or visit.request.headers.get("x-csrf-token", "")
    return visit.session.is_brought(given) and _is_from_here(visit)


def _is_from_here(visit: Visit) -> bool:
    """Whether the browser says that a page of ours sent it, or does not say."""
    return visit.request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _failure(visit: Visit, error: Exception) -> Failure:
    known = failure_of(error, visit.workspace.fields if visit.is_open else BUILT_IN)
    if known is None:
        _LOG.error("%s %s failed", visit.request.method, visit.path, exc_info=error)
        return Failure((_(UNEXPECTED),), 500)
    if not visit.person.name and not isinstance(error, RequestError):  # it tells of our files
        _LOG.error("%s %s: %s", visit.request.method, visit.path, known.text)
        return Failure((_(_MISCONFIGURED),), 503)
    return known


def _failed(visit: Visit, failure: Failure) -> Response:
    template = "error_part.html.j2" if visit.is_part else "error.html.j2"
    filled = visit.filled_in() if _is_from_here(visit) else ()
    return visit.show(
        template,
        status=failure.status,
        failure=failure,
        filled=filled,
        labels=visit.workspace.fields if visit.is_open else BUILT_IN,
        back=visit.page_before,
    )


def _not_found(visit: Visit) -> Response:
    return _failed(visit, Failure((_("There is no page at this address."),), 404))


NOT_FOUND: Final = Route("GET", "", _not_found, Role.READ)


def _keep_session(site: Site, visit: Visit, before: Session, response: Response) -> None:
    now = visit.served.clock.now().timestamp()
    session = site.sessions.renewed(visit.session, now)
    if session == before and COOKIE in visit.request.cookies:
        return
    response.set_cookie(
        COOKIE,
        site.sessions.write(replace(session)),
        max_age=int(site.sessions.life),
        path=site.base or "/",
        secure=site.door.is_secure(visit.request),
        httponly=True,
        samesite="lax",
    )
