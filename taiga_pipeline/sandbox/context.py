"""What an endpoint works with: the request, who sent it, and the store."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from taiga_pipeline.sandbox.errors import bad_request, server_error, unsupported_media_type
from taiga_pipeline.sandbox.faults import PageFault
from taiga_pipeline.sandbox.fields import Form
from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.serving import multipart
from taiga_pipeline.sandbox.serving.pagination import (
    dict_serializer,
    list_response,
    loosely_ordered,
)
from taiga_pipeline.sandbox.serving.throttle import Throttle
from taiga_pipeline.sandbox.serving.wire import Request, Response
from taiga_pipeline.sandbox.store import Store

T = TypeVar("T")
_SUSPICIOUS = re.compile(rb"\\u(0000|[dD][89a-fA-F])")


@dataclass(slots=True)
class RequestContext:
    """One request on its way through the router; `params` are the variable parts of its path."""

    request: Request
    store: Store
    user: User | None
    params: Mapping[str, str]
    throttle: Throttle
    page_fault: PageFault
    half_made: bool = False

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query

    def number(self, name: str = "id") -> int | None:
        """A part of the path as an id; None (which no row has) if it is no number."""
        text = self.params[name]
        return int(text) if text.isdecimal() else None

    def query_number(self, name: str) -> int | None:
        """A query parameter as an id, or None if it is absent.

        Raises:
            ApiError: 400 if it is no number.
        """
        text = self.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise bad_request(f"'{name}' must be an integer value.") from None

    def data(self) -> Any:
        """The decoded body: JSON, a form, or a multipart form whose files are `multipart.File`.

        Raises:
            ApiError: 400 for broken JSON, 415 for another media type, 500 for a NUL or for half
                of a surrogate pair.
        """
        media_type = self.request.headers.get("content-type", "application/json")
        kind = media_type.partition(";")[0].strip().lower()
        if kind == "application/json":
            return _parse_json(self.request.body)
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(self.request.body.decode("utf-8", "replace")))
        if kind == "multipart/form-data":
            return multipart.parse(media_type, self.request.body)
        raise unsupported_media_type(kind)

    def form(self, partial: bool = False) -> Form:
        """The body as a form to be validated."""
        return Form(self.data(), partial)

    def page(
        self,
        rows: Sequence[T],
        view: Callable[[T], object],
        headers: Mapping[str, str] | None = None,
        alike: Callable[[T], object] | None = None,
    ) -> Response:
        """The page of `rows` that was asked for; `alike` as `pagination.loosely_ordered` has it."""
        if alike is not None:
            rows = loosely_ordered(self.request, rows, alike)
        return list_response(self.request, rows, dict_serializer(view), headers, self.page_fault)


def _parse_json(body: bytes) -> Any:
    if not body:
        return {}
    try:
        data = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise bad_request(f"JSON parse error - {error}", "ParseError") from None
    if _SUSPICIOUS.search(body) and not _storable(data):
        raise server_error()
    return data


def _storable(data: Any) -> bool:
    """Whether PostgreSQL could store every text: no NUL, no half of a surrogate pair."""
    if isinstance(data, str):
        return "\x00" not in data and not any("\ud800" <= letter <= "\udfff" for letter in data)
    if isinstance(data, Mapping):
        return all(_storable(key) and _storable(value) for key, value in data.items())
    return not isinstance(data, list) or all(map(_storable, data))
