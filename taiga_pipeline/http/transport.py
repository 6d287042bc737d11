"""Sends one HTTP request and says what certainly happened to it. No retries, no log-in here."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests import exceptions
from requests.auth import AuthBase
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from sync import crash_points
from sync.clock import Clock
from sync.errors import NotSent, OutcomeUnknown, SyncError, Unreachable
from taiga_pipeline import __version__
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.body import PACKINGS, NotUnpackable, read_body
from taiga_pipeline.http.bounds import WHOLE_ANSWER, TooMuch, decode_json
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.http.deadline import DeadlineAdapter
from taiga_pipeline.http.upload import Upload

Params = Mapping[str, str | int | Sequence[str]]
"""What stands after an address's question mark; a name with several values stands there often."""

_LOG: Final = logging.getLogger(__name__)
_LONGEST_CONNECT_SECONDS: Final = 10.0
_NO_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
)
_TLS_EXPECTED: Final = (
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"sent an HTTP request to an HTTPS server",
)
_NEVER_LEFT: Final = (NewConnectionError, ConnectTimeoutError, NameResolutionError)


class _OwnAuthorization(AuthBase):
    """Leaves the header as it is: otherwise a ``.netrc`` on the machine would replace it."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Transport:
    """The connections to one server. Safe to use from several threads.

    ``base`` is the API's address, without a slash at its end; ``section`` is where in the
    configuration it stands.
    """

    def __init__(
        self, base: str, connection: Connection, clock: Clock, section: str = "target"
    ) -> None:
        self.base = base
        self._connection = connection
        self._section = section
        self.clock = clock
        self.silence_seconds = connection.timeout_seconds
        self._megabytes = connection.answer_megabytes
        self._verify: bool | str | None = str(connection.ca_file) if connection.ca_file else None
        self._session = _session(connection.concurrency)
        self._counting = threading.Lock()
        self._count = 0
        self._was_answered = False

    @property
    def where(self) -> str:
        """The setting that holds the address, for messages."""
        return f"{self._section}.url"

    def at(self, base: str) -> Transport:
        """Returns connections to another address, set up as these are."""
        return Transport(base, self._connection, self.clock, self._section)

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._count

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._session.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: JSON | Upload = None,
        params: Params | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends one request and returns the answer, whatever its status.

        ``credentials`` are the headers that say who asks.

        :raises NotSent: no connection: the request certainly had no effect.
        :raises OutcomeUnknown: it was sent, and no whole answer came.
        :raises Unreachable: TLS is not right.
        """
        with self._counting:
            self._count += 1
        began = self.clock.monotonic()
        crash_points.reached("request sent")
        response, content = self._request(method, path, body, params, credentials or {})
        crash_points.reached("answer received")
        self._was_answered = True
        if self.base.startswith("http:") and _asks_for_tls(response.status_code, content):
            raise Unreachable(
                f"{self.base}: the server expects TLS; write https:// in {self._section}.url"
            )
        _LOG.debug(
            "%s %s: %s after %.3f s",
            method,
            path,
            response.status_code,
            self.clock.monotonic() - began,
        )
        return self._answer(response, content)

    def _request(
        self,
        method: str,
        path: str,
        body: JSON | Upload,
        params: Params | None,
        credentials: Mapping[str, str],
    ) -> tuple[requests.Response, bytes | ValueError]:
        """Returns the answer and its body, whole and in time, or what is wrong with the body."""
        headers = dict(credentials)
        data = None
        if isinstance(body, Upload):
            data, headers["Content-Type"] = body.encoded()
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode("ascii")
        what = f"{method} {path}"
        request = requests.Request(
            method, f"{self.base}/{path}", headers=headers, data=data, params=params
        )
        try:
            with self._session.send(
                self._session.prepare_request(request),
                timeout=(min(self.silence_seconds, _LONGEST_CONNECT_SECONDS), self.silence_seconds),
                allow_redirects=False,
                **self._environment,
            ) as response:
                return response, self._body(response)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._explain(error, what) from None

    def _body(self, response: requests.Response) -> bytes | ValueError:
        """Returns the body, or why it cannot be used (a bound is exceeded, or it is packed badly).

        Of a redirect no one reads it.
        """
        if 300 <= response.status_code < 400:
            return b""
        try:
            return read_body(response, self._megabytes)
        except (TooMuch, NotUnpackable) as error:
            return error

    def _answer(self, response: requests.Response, content: bytes | ValueError) -> Answer:
        """Returns the answer with the data that its body holds, or with what is wrong with it."""
        status, headers, received = response.status_code, response.headers, self.clock.now()
        if not content:
            return Answer(status, None, headers, received=received)
        try:
            if isinstance(content, ValueError):
                raise content
            if headers.get("Content-Type", "").casefold().partition(";")[0].endswith("/csv"):
                return Answer(status, content.decode(), headers, received=received)
            return Answer(status, decode_json(content), headers, received=received)
        except TooMuch as error:
            trouble = f"holds {error}; {self._section}.answer_megabytes sets how much is taken"
            if " MB" not in trouble.partition(";")[0]:
                trouble = f"holds {error}, which is more than is taken"
            return Answer(status, None, headers, trouble, excessive=True, received=received)
        except NotUnpackable as error:
            return Answer(status, None, headers, str(error), received=received)
        except ValueError:
            return Answer(status, None, headers, "is not JSON", received=received)

    @cached_property
    def _environment(self) -> dict[str, Any]:
        """What the machine's environment says of proxies and authorities for this one address.

        Found out once: going through all variables took a quarter of each request.
        """
        found = self._session.merge_environment_settings(
            self.base, {}, stream=True, verify=self._verify, cert=None
        )
        return {**found}

    def _explain(self, error: Exception, what: str) -> SyncError:
        """Returns the engine's error; never the HTTP library's, which holds the request."""
        mistake = self._mistake(error)
        if mistake:
            return Unreachable(mistake)
        if isinstance(error, exceptions.ProxyError):
            return NotSent(f"{self.base}: the proxy of the environment does not answer")
        if isinstance(error, exceptions.ConnectTimeout) or _never_left(error):
            return NotSent(f"{self.base}: no connection ({_reason(error)}); is the server running?")
        if isinstance(error, exceptions.Timeout) or _came_too_slowly(error):
            return OutcomeUnknown(
                f"{self.base}: no answer to {what} within {self.silence_seconds:g} s, or no "
                f"complete answer within {WHOLE_ANSWER * self.silence_seconds:g} s; if the server "
                f"is that slow, raise {self._section}.timeout_seconds"
            )
        hint = ""
        if self.base.startswith("http:") and not self._was_answered:
            hint = f"; if the server expects TLS, write https:// in {self._section}.url"
        return OutcomeUnknown(
            f"{self.base}: the connection broke during {what} ({_reason(error)}){hint}"
        )

    def _mistake(self, error: Exception) -> str:
        """Returns what someone has to set right before anything can be sent, "" if nothing."""
        if isinstance(error, exceptions.SSLError) and _is_no_tls(error):
            return (
                f"{self.base}: the server does not answer in TLS; if it has no TLS, write http:// "
                f"in {self._section}.url (all data can be read on the network path), or correct "
                "the port"
            )
        if isinstance(error, exceptions.SSLError):
            return (
                f"{self.base}: the TLS certificate cannot be verified ({_reason(error)}); "
                "if a private authority issued it, name that authority's file in "
                f"{self._section}.ca_file"
            )
        if isinstance(error, exceptions.InvalidURL | exceptions.InvalidSchema):
            return f"{self._section}.url: {self.base} is not a usable address"
        if type(error) is OSError:  # how the HTTP library says that the CA file is not there
            return f"{self._section}.ca_file: {self._verify} cannot be read"
        return ""

    def explain_redirect(self, answer: Answer) -> str:
        """Says why none is followed: a token must not leave the configured host, nor a POST be
        lost."""
        where = answer.headers.get("Location", "another address")[:200]
        return (
            f"{self.base}: the server points to {where!r}, which is not followed; "
            f"if that is the right place, write it in {self._section}.url"
        )


def _session(concurrency: int) -> requests.Session:
    session = requests.Session()
    adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=max(concurrency, 1))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.auth = _OwnAuthorization()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "Accept": "application/json",
            "Accept-Encoding": PACKINGS,
            "Accept-Language": "en",
            "User-Agent": f"pipeline-sync/{__version__}",
        }
    )
    return session


def _is_no_tls(error: Exception) -> bool:
    """Whether what came is not TLS at all, rather than a certificate that cannot be verified."""
    return any(word in str(error).upper() for word in _NO_TLS)


def _asks_for_tls(status: int, content: bytes | ValueError) -> bool:
    """Whether a web server says that plain HTTP came to a port for TLS (nginx, Apache, Go)."""
    if status != 400 or not isinstance(content, bytes):
        return False
    return any(words in content[:4096] for words in _TLS_EXPECTED)


def _never_left(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, _NEVER_LEFT)


def _came_too_slowly(error: Exception) -> bool:
    """Whether the time was up while a body was being read."""
    return isinstance(error, ReadTimeoutError | TimeoutError)


def _reason(error: Exception) -> str:
    """Returns in a few words what went wrong, without addresses, bodies or headers."""
    cause: object = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    while isinstance(cause, BaseException) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause if isinstance(cause, BaseException) else error).__name__
