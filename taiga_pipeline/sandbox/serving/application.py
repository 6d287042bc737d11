"""The way of a request: fault before, authentication, throttle, endpoint, log, fault after."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import Enum, auto

from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import (
    ApiError,
    archived,
    bad_token,
    blocked,
    localised,
    not_acceptable,
    server_error,
    throttled,
    unrouted,
)
from taiga_pipeline.sandbox.faults import Fault, FaultKind, FaultPlan, PageFault
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.routes.table import ROUTES
from taiga_pipeline.sandbox.serving import auth
from taiga_pipeline.sandbox.serving.router import Router
from taiga_pipeline.sandbox.serving.throttle import Throttle
from taiga_pipeline.sandbox.serving.wire import (
    API_PREFIX,
    Request,
    Response,
    html_response,
    json_response,
)
from taiga_pipeline.sandbox.store import Store

LOG_LENGTH = 200_000


class Transport(Enum):
    """How an answer leaves the server."""

    WHOLE = auto()
    DRIP = auto()
    CUT = auto()
    CLOSE = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A response and the way it is to be sent; `seconds` is how long a drip or a silence lasts."""

    response: Response
    transport: Transport = Transport.WHOLE
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A line of the request log: `path` has no /api/v1 and no query; `fault` is the one it met.

    `status` is the endpoint's answer, whatever the client got to see of it; 0 if it was not asked.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    when: datetime
    user: str | None
    fault: FaultKind | None = None


_TRANSPORTS = {
    FaultKind.NO_ANSWER_BEFORE: Transport.CLOSE,
    FaultKind.NO_ANSWER_AFTER: Transport.CLOSE,
    FaultKind.REFRESH_ANSWER_LOST: Transport.CLOSE,
    FaultKind.RESET_BEFORE: Transport.RESET,
    FaultKind.RESET_AFTER: Transport.RESET,
    FaultKind.SLOW_DRIP: Transport.DRIP,
    FaultKind.TRUNCATED_BODY: Transport.CUT,
}
_REPLACES_ENDPOINT = frozenset(
    {
        FaultKind.NO_ANSWER_BEFORE,
        FaultKind.RESET_BEFORE,
        FaultKind.SERVER_ERROR_BEFORE,
        FaultKind.THROTTLED,
        FaultKind.TOKEN_EXPIRED,
        FaultKind.ARCHIVED,
        FaultKind.BLOCKED,
    }
)
_PROXY_TITLES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


class Application:
    """The Taiga-compatible API over a store, without any network."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.throttle = Throttle()
        self.faults = FaultPlan()
        self.delay_seconds = 0.0
        self.sleep: Callable[[float], object] = time.sleep
        self.log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)
        self._router = Router(ROUTES)

    def handle(self, request: Request) -> Delivery:
        """Answer a request from the network: with delay, faults, throttles, and a line in the
        log.
        """
        path = request.path.removeprefix(API_PREFIX)
        fault = self.faults.take(request.method, path)
        if self.delay_seconds:
            self.sleep(self.delay_seconds)
        if fault and fault.kind in _REPLACES_ENDPOINT:
            response, user = self._instead(fault, request), None
            status = 0
        else:
            response, user = self.respond(request, fault)
            status = response.status
        self._note(request, path, status, user, fault)
        return _deliver(response, fault)

    def lock_project(
        self, project_id: int, archived_code: str | None, blocked_code: str | None
    ) -> None:
        """Set what only a server's administrator can set; None clears.

        Raises:
            KeyError: there is no such project.
        """
        with self.store.lock:
            project = self.store.projects.rows[project_id]
            project.archived_code, project.blocked_code = archived_code, blocked_code
            self.store.touched(project_id)

    def expire_tokens(self) -> None:
        """Let every access token that is out expire, by moving the clock past their life."""
        self.store.clock.advance(auth.ACCESS_LIFETIME.total_seconds() + 1)

    def respond(self, request: Request, fault: Fault | None = None) -> tuple[Response, User | None]:
        """Answer a request, and say who sent it."""
        user = None
        allow = self._router.allowed(request.path.removeprefix(API_PREFIX))
        try:
            with self.store.lock:
                user = auth.authenticate(self.store, request.headers.get("authorization", ""))
                response = self._route(request, user, fault)
        except ApiError as refusal:
            response = refusal.response
        if allow is not None:
            response.headers.setdefault("Allow", allow)
        response.headers.setdefault("Date", format_datetime(self.store.clock.now(), usegmt=True))
        return localised(response, request.headers.get("accept-language", "")), user

    def respond_as(self, user: User, request: Request) -> Response:
        """Answer a request of a known account, past log-in, throttles and faults."""
        try:
            with self.store.lock:
                return self._route(request, user, None, throttled=False)
        except ApiError as refusal:
            return refusal.response

    def _route(
        self, request: Request, user: User | None, fault: Fault | None, throttled: bool = True
    ) -> Response:
        if not request.path.startswith(API_PREFIX + "/"):
            raise unrouted()
        path = request.path.removeprefix(API_PREFIX)
        if not _acceptable(request.headers.get("accept", "*/*")):
            raise not_acceptable()
        if request.method == "OPTIONS" and self._router.allowed(path):
            return json_response({"description": "", "renders": ["application/json"]})
        if request.method == "HEAD" and self._router.allowed(path):
            raise server_error(html=True)
        match = self._router.match(request.method, path)
        if throttled:
            self.throttle.general(path, request, user, self.store.clock.now())
        context = RequestContext(
            request,
            self.store,
            user,
            match.params,
            self.throttle,
            PageFault.of(fault),
            half_made=fault is not None and fault.kind is FaultKind.HALF_MADE_PROJECT,
        )
        return match.endpoint(context)

    def _instead(self, fault: Fault, request: Request) -> Response:
        """The answer of a fault that keeps the endpoint from being asked."""
        if fault.kind is FaultKind.SERVER_ERROR_BEFORE:
            return _broken(fault)
        if fault.kind is FaultKind.THROTTLED:
            return throttled(max(1, round(fault.seconds))).response
        if fault.kind is FaultKind.ARCHIVED:
            return archived().response
        if fault.kind is FaultKind.BLOCKED:
            return blocked().response
        if fault.kind is FaultKind.TOKEN_EXPIRED:
            return self._expire(request)
        return Response(500)

    def _expire(self, request: Request) -> Response:
        with self.store.lock:
            auth.revoke_access(self.store, request.headers.get("authorization", ""))
        return bad_token(
            "Given token not valid for any token type",
            "token_not_valid",
            [
                {
                    "token_class": "AccessToken",
                    "token_type": "access",
                    "message": "Token is invalid or expired",
                }
            ],
        ).response

    def _note(
        self, request: Request, path: str, status: int, user: User | None, fault: Fault | None
    ) -> None:
        self.log.append(
            LoggedRequest(
                request.method,
                path,
                request.query,
                status,
                self.store.clock.now(),
                user.username if user else None,
                fault.kind if fault else None,
            )
        )


def _acceptable(accept: str) -> bool:
    return any(kind in accept for kind in ("application/json", "*/*", "application/*"))


def _broken(fault: Fault) -> Response:
    if fault.html:
        return html_response(fault.status, _PROXY_TITLES.get(fault.status, "Gateway Time-out"))
    return json_response({"error": "Server application error"}, fault.status)


def _deliver(response: Response, fault: Fault | None) -> Delivery:
    """The response as the fault lets it out."""
    if fault is None:
        return Delivery(response)
    if fault.kind is FaultKind.SERVER_ERROR_AFTER:
        return Delivery(_broken(fault))
    if fault.kind is FaultKind.HALF_MADE_PROJECT:
        return Delivery(server_error().response)
    if fault.kind is FaultKind.NOT_JSON:
        return Delivery(html_response(200, "Sign in", "This network wants you to sign in."))
    return Delivery(response, _TRANSPORTS.get(fault.kind, Transport.WHOLE), fault.seconds)
