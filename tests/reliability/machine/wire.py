"""Takes requests straight to a sandbox, without sockets, through the client's own code."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from taiga_pipeline.sandbox.serving.application import Application, Delivery
from taiga_pipeline.sandbox.serving.application import Transport as Way
from taiga_pipeline.sandbox.serving.wire import Request

ADDRESS: Final = "http://sandbox.test"

Listener = Callable[[str, str], None]
"""Called with method and path (without /api/v1), right before or after the server does its part."""


class Wire(HTTPAdapter):
    """A connection to an application in this process."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application
        self.before: Listener = lambda method, path: None
        self.after: Listener = lambda method, path: None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Has the request answered; breaks off where a fault says so, as a socket would."""
        method, target = str(request.method), str(request.path_url)
        path = target.partition("?")[0].removeprefix("/api/v1")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        self.before(method, path)
        delivery = self._application.handle(
            Request.of(method, target, dict(request.headers), bytes(body))
        )
        self.after(method, path)
        return self.build_response(request, _raw(method, delivery))

    def close(self) -> None:
        """There is nothing to close."""


def _raw(method: str, delivery: Delivery) -> HTTPResponse:
    """Returns what a socket would have brought."""
    if delivery.transport in (Way.CLOSE, Way.RESET):
        raise requests.ConnectionError("the server closed the connection without an answer")
    answer = delivery.response
    body = answer.body[: len(answer.body) // 2] if delivery.transport is Way.CUT else answer.body
    length = len(answer.body) + (delivery.transport is Way.CUT and not answer.body)
    headers = {"Content-Length": str(length), **answer.headers}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    return HTTPResponse(
        io.BytesIO(body), headers, answer.status, preload_content=False, request_method=method
    )
