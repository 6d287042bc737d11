"""What goes over the wire: one request, one response, and the JSON and dates in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = Any
API_PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, `query` keeps the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    remote: str = "127.0.0.1"

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        remote: str = "127.0.0.1",
    ) -> "Request":
        """Build a request from a target such as `/api/v1/projects?page=2`."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        lowered = {name.lower(): value for name, value in headers.items()}
        return cls(method, parts.path, query, lowered, body, remote)


@dataclass(slots=True)
class Response:
    """One HTTP response, complete in memory."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Json:
        """The decoded body.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body)


def dumps(value: Json) -> bytes:
    """Serialise compactly, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(
    value: Json, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(status, dumps(value), headers=dict(headers or {}))


def empty(status: int) -> Response:
    """An answer without a body, as Taiga gives to deletions and some actions."""
    return Response(status, b"", content_type="")


def html_response(status: int, title: str, text: str = "") -> Response:
    """The bare HTML page that Django shows where no endpoint answers."""
    page = (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )
    return Response(status, page.encode(), content_type="text/html")


def timestamp(moment: datetime | None) -> str | None:
    """ISO text in UTC cut to milliseconds, as Taiga prints every time."""
    if moment is None:
        return None
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
