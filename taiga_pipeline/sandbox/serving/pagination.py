"""Pages of a list, with the headers of a real server."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TypeVar
from urllib.parse import urlencode

from taiga_pipeline.sandbox.errors import not_found
from taiga_pipeline.sandbox.faults import PageFault
from taiga_pipeline.sandbox.serving.wire import Request, Response, dumps

T = TypeVar("T")
DEFAULT_PAGE_SIZE = 30
MAX_PAGE_SIZE = 1000
_STEP = 7
"""Places by which rows that are alike move from page to page."""
_BAD_PAGE = "Page is not 'last', nor can it be converted to an int."


def _page_size(text: str) -> int:
    size = int(text) if text.isdecimal() else 0
    return min(size, MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE


def _page_number(text: str, pages: int) -> int:
    if text == "last":
        return pages
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= pages:
        raise not_found(_BAD_PAGE)
    return number


def _page_url(request: Request, page: int) -> str:
    query = urlencode({**request.query, "page": page})
    return f"http://{request.headers.get('host', 'localhost')}{request.path}?{query}"


def list_response(
    request: Request,
    rows: Sequence[T],
    serialize: Callable[[T], bytes],
    headers: Mapping[str, str] | None = None,
    fault: PageFault | None = None,
) -> Response:
    """One page of `rows` (all of them with `x-disable-pagination`), each written by `serialize`
    to JSON.

    Raises:
        ApiError: 404 for a page that is past the end or no number.
    """
    response = Response(200, headers=dict(headers or {}))
    fault = fault or PageFault()
    if fault.empty:
        rows = rows[:0]
    if "x-disable-pagination" in request.headers:
        window = rows
    else:
        window = _paginate(request, rows, response.headers, fault)
    response.body = b"[" + b",".join(map(serialize, window)) + b"]"
    return response


def _paginate(
    request: Request, rows: Sequence[T], headers: dict[str, str], fault: PageFault
) -> Sequence[T]:
    size = _page_size(request.query.get("page_size", ""))
    pages = max(1, -(-len(rows) // size))
    page = _page_number(request.query.get("page", "1"), pages)
    if "x-lazy-pagination" not in request.headers:
        headers["x-pagination-count"] = str(len(rows) + fault.count_error)
    headers |= {
        "x-paginated": "true",
        "x-paginated-by": str(size),
        "x-pagination-current": str(page),
    }
    if page < pages:
        headers["X-Pagination-Next"] = _page_url(request, page + 1)
    if page > 1:
        headers["X-Pagination-Prev"] = _page_url(request, page - 1)
    start = (page - 1) * size
    if page > 1:
        start += fault.shift
    return rows[start : start + size]


def loosely_ordered(
    request: Request, rows: Sequence[T], alike: Callable[[T], object]
) -> Sequence[T]:
    """The rows in the order that PostgreSQL gives them for the page that is asked for.

    `alike` is what they are sorted by. Rows that it does not tell apart come in another order for
    each page, so that some are on two pages and others on none.
    """
    if "x-disable-pagination" in request.headers:
        return rows
    page = request.query.get("page", "1")
    moved: list[T] = []
    for _, group in groupby(rows, alike):
        same = list(group)
        by = (int(page) - 1 if page.isdecimal() else 0) * _STEP % len(same)
        moved += same[by:] + same[:by]
    return moved


def dict_serializer(view: Callable[[T], object]) -> Callable[[T], bytes]:
    """A serializer for `list_response` from a function that makes plain data."""
    return lambda row: dumps(view(row))
