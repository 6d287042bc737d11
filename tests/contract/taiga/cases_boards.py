"""Columns of a board: the statuses of user stories, and the cards in them."""

from typing import Any

from tests.contract.taiga.case import Case, Kind, Length, Step

_LIST = "/userstory-statuses?project={project}"
_SAVE = {"new": "0.id", "ready": "1.id"}
_SEEN = "seen on a real server (6.10.0) while the portfolio was built"


def _column(body: dict[str, Any], status: int = 201, **more: Any) -> Step:
    return Step("POST", "/userstory-statuses", {"project": "{project}", **body}, status, **more)


CASES = (
    Case(
        "a kanban project begins with six columns, in their order",
        _SEEN,
        (
            Step(
                "GET",
                _LIST,
                fields={
                    "": Length(6),
                    "0.name": "New",
                    "4.name": "Done",
                    "4.is_closed": True,
                    "5.is_archived": True,
                },
            ),
        ),
        project="kanban",
    ),
    Case(
        "a column is made with its place, and is open unless it is said to be closed",
        _SEEN,
        (
            _column(
                {"name": "Won", "order": 7, "is_closed": True},
                fields={
                    "id": Kind("int"),
                    "name": "Won",
                    "slug": "won",
                    "order": 7,
                    "is_closed": True,
                    "is_archived": False,
                    "color": "#999999",
                    "wip_limit": None,
                },
            ),
            Step("GET", _LIST, fields={"6.name": "Won"}),
        ),
        project="kanban",
    ),
    Case(
        "a project has each column's name once",
        _SEEN,
        (_column({"name": "Ready"}, 400, fields={"name": ["Duplicated name"]}),),
        project="kanban",
    ),
    Case(
        "a column is renamed and closed by a PATCH",
        _SEEN,
        (
            Step("GET", _LIST, save=_SAVE),
            Step(
                "PATCH",
                "/userstory-statuses/{new}",
                {"name": "Lead", "order": 3, "is_closed": True},
                fields={"name": "Lead", "slug": "lead", "order": 3, "is_closed": True},
            ),
        ),
        project="kanban",
    ),
    Case(
        "a column goes only with a word on where its cards go",
        _SEEN,
        (
            Step("GET", _LIST, save=_SAVE),
            Step(
                "DELETE",
                "/userstory-statuses/{ready}",
                status=400,
                fields={"_error_message": "Query param 'moveTo' is required"},
            ),
            Step("DELETE", "/userstory-statuses/{ready}?moveTo={new}", status=204),
            Step("GET", _LIST, fields={"": Length(5), "1.name": "In progress"}),
        ),
        project="kanban",
    ),
    Case(
        "a card in a closed column is closed, and says in which it is",
        _SEEN,
        (
            _column({"name": "Won", "order": 7, "is_closed": True}, save={"won": "id"}),
            Step(
                "POST",
                "/userstories",
                {
                    "project": "{project}",
                    "subject": "card",
                    "status": "{won}",
                    "due_date": "2030-12-24",
                },
                201,
                fields={
                    "is_closed": True,
                    "due_date": "2030-12-24",
                    "status_extra_info.name": "Won",
                },
            ),
        ),
        project="kanban",
    ),
)
