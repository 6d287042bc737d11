"""The filters of the story list; what is not here is silently ignored."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from taiga_pipeline.sandbox import access
from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import bad_request, server_error
from taiga_pipeline.sandbox.models import Story
from taiga_pipeline.sandbox.story_view import status_row

_TRUE = ("true", "1", "True")
_COMPARE: dict[str, Callable[[datetime, datetime], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def parse_moment(text: str) -> datetime:
    """A time in a query, UTC if it has no zone.

    Raises:
        ApiError: 500 (HTML) for anything else.
    """
    # In a query "+" stands for a blank, also the one before an offset that nobody escaped.
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise server_error(html=True) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def filtered(context: RequestContext) -> list[Story]:
    """The visible stories that the query asks for, in its order."""
    rows = _of_projects(context)
    rows = [row for row in rows if all(test(row) for test in _tests(context))]
    return _ordered(rows, context.query.get("order_by", ""))


def _of_projects(context: RequestContext) -> list[Story]:
    store, query = context.store, context.query
    project_id = context.query_number("project")
    wanted = access.project_ids_with(store, context.user, "view_us", project_id)
    if slug := query.get("project__slug"):
        project = store.projects.by_slug.get(slug)
        wanted &= {project.id} if project else set()
    if query.get("dashboard") in _TRUE and context.user is not None:
        wanted &= set(store.memberships.of_user(context.user.id))
    return [story for each in sorted(wanted) for story in store.stories.of(each)]


def _tests(context: RequestContext) -> list[Callable[[Story], bool]]:
    query = context.query
    tests: list[Callable[[Story], bool]] = []
    for name in ("milestone", "status", "assigned_to"):
        if name in query:
            tests.append(_equals(name, query[name]))
    if "milestone__isnull" in query:
        wanted = query["milestone__isnull"] in _TRUE
        tests.append(lambda row: (row.milestone is None) is wanted)
    for name in ("is_closed", "status__is_closed"):
        if name in query:
            tests.append(_closed(context, name == "is_closed", _truth(query[name])))
    if "tags" in query:
        tags = set(query["tags"].lower().split(","))
        tests.append(lambda row: bool(tags & set(row.tags)))
    if "q" in query:
        words = query["q"].lower()
        tests.append(lambda row: words in f"{row.ref} {row.subject} {row.description}".lower())
    return tests + _date_tests(query)


def _truth(text: str) -> bool:
    """A word for yes or no; any other crashes a real server."""
    if text.lower() not in ("true", "false", "1", "0"):
        raise server_error(html=True)
    return text.lower() in ("true", "1")


def _equals(name: str, wanted: str) -> Callable[[Story], bool]:
    values = {None if part == "null" else part for part in wanted.split(",")}
    if not all(value is None or value.isdecimal() for value in values):
        raise bad_request("Error in filter params types.")

    def test(row: Story) -> bool:
        value = getattr(row, name)
        return (None if value is None else str(value)) in values

    return test


def _closed(context: RequestContext, own: bool, wanted: bool) -> Callable[[Story], bool]:
    def test(row: Story) -> bool:
        status = status_row(context.store.projects.rows[row.project], row.status)
        return (row.is_closed if own else bool(status and status["is_closed"])) is wanted

    return test


def _date_tests(query: Mapping[str, str]) -> list[Callable[[Story], bool]]:
    tests: list[Callable[[Story], bool]] = []
    for name in ("created_date", "modified_date", "finish_date"):
        for operator, compare in _COMPARE.items():
            text = query.get(f"{name}__{operator}")
            if text is not None:
                tests.append(_date_test(name, compare, parse_moment(text)))
    return tests


def _date_test(
    name: str, compare: Callable[[datetime, datetime], bool], bound: datetime
) -> Callable[[Story], bool]:
    def test(row: Story) -> bool:
        value = getattr(row, name)
        return value is not None and compare(value, bound)

    return test


def _ordered(rows: list[Story], order: str) -> list[Story]:
    name = order.lstrip("-")
    if name in ("created_date", "modified_date", "backlog_order", "kanban_order", "sprint_order"):
        return sorted(
            rows, key=lambda row: (getattr(row, name), row.id), reverse=order.startswith("-")
        )
    return sorted(rows, key=lambda row: (row.backlog_order, row.ref))
