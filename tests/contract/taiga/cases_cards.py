"""What the cards of a board have besides: tasks, custom attributes, comments, and the report."""

from typing import Any

from tests.contract.taiga.case import ABSENT, REQUIRED, Case, Contains, Kind, Length, Matches, Step

_SEEN = "seen on a real server (6.10.0) while cards became editable"
_STORY = Step(
    "POST",
    "/userstories",
    {"project": "{project}", "subject": "=1+1 card"},
    201,
    save={"story": "id", "new": "status"},
)
_TASK = Step(
    "POST",
    "/tasks",
    {
        "project": "{project}",
        "user_story": "{story}",
        "subject": "Call",
        "external_reference": ["crm", "t1"],
    },
    201,
    fields={
        "subject": "Call",
        "user_story": "{story}",
        "version": 1,
        "is_closed": False,
        "external_reference": ["crm", "t1"],
        "finished_date": None,
        "status_extra_info.name": "New",
    },
    save={"task": "id"},
)
_STATUSES = Step(
    "GET",
    "/task-statuses?project={project}",
    fields={"": Length(5), "3.name": "Closed", "3.is_closed": True, "3.project": "{project}"},
    save={"open": "0.id", "closed": "3.id"},
)


def _close(version: int = 1, **more: Any) -> Step:
    return Step("PATCH", "/tasks/{task}", {"status": "{closed}", "version": version}, **more)


def _attribute(name: str, kind: str, **more: Any) -> Step:
    body = {"project": "{project}", "name": name, "type": kind}
    return Step("POST", "/userstory-custom-attributes", body, 201, **more)


def _write(values: dict[str, Any], version: int, status: int = 200, **more: Any) -> Step:
    body = {"attributes_values": values, "version": version}
    return Step("PATCH", "/userstories/custom-attributes-values/{story}", body, status, **more)


CASES = (
    Case(
        "a card that is dragged changes its column, and neither its version nor its date",
        "seen on a real server (6.10.0) while a project manager worked on a board",
        (
            _STORY,
            Step(
                "GET",
                "/userstories/{story}",
                fields={"version": 1},
                save={"modified": "modified_date"},
            ),
            Step(
                "GET",
                "/userstory-statuses?project={project}",
                fields={"": Length(6), "1.name": "Ready"},
                save={"ready": "1.id"},
            ),
            Step(
                "POST",
                "/userstories/bulk_update_kanban_order",
                {
                    "project_id": "{project}",
                    "status_id": "{ready}",
                    "bulk_userstories": ["{story}"],
                },
                fields={"": Length(1), "0.id": "{story}", "0.status": "{ready}"},
            ),
            Step(
                "GET",
                "/userstories/{story}",
                fields={"version": 1, "modified_date": "{modified}", "status": "{ready}"},
            ),
        ),
        project="kanban",
    ),
    Case(
        "a list of stories shows their tasks where it is asked to",
        _SEEN,
        (
            _STORY,
            _TASK,
            Step(
                "GET",
                "/userstories?project={project}&include_tasks=1",
                fields={
                    "0.tasks": Length(1),
                    "0.tasks.0.subject": "Call",
                    "0.tasks.0.id": "{task}",
                    "0.tasks.0.is_closed": False,
                    "0.tasks.0.external_reference": ABSENT,
                },
            ),
            Step("GET", "/userstories?project={project}", fields={"0.tasks": []}),
            Step("GET", "/userstories/{story}", fields={"tasks": []}),
            Step("GET", "/tasks?project={project}", fields={"": Length(1), "0.id": "{task}"}),
        ),
        project="kanban",
    ),
    Case(
        "the last task that is closed closes its story, in whatever column, and opens it again",
        _SEEN,
        (
            _STORY,
            _TASK,
            _STATUSES,
            _close(fields={"is_closed": True, "version": 2, "finished_date": Kind("str")}),
            Step(
                "GET",
                "/userstories/{story}",
                fields={"is_closed": True, "status": "{new}", "version": 1},
            ),
            Step(
                "PATCH",
                "/tasks/{task}",
                {"status": "{open}", "version": 1},
                400,
                fields={"version": "The version doesn't match with the current one"},
            ),
            Step("PATCH", "/tasks/{task}", {"status": "{open}", "version": 2}),
            Step("GET", "/userstories/{story}", fields={"is_closed": False}),
        ),
        project="kanban",
    ),
    Case(
        "a task goes without a version, and is not found afterwards",
        _SEEN,
        (
            _STORY,
            _TASK,
            Step("DELETE", "/tasks/{task}", status=204),
            Step(
                "GET",
                "/tasks/{task}",
                status=404,
                fields={"_error_message": "No Task matches the given query."},
            ),
        ),
        project="kanban",
    ),
    Case(
        "a task needs a project, a subject, and a story that is there",
        _SEEN,
        (
            Step("POST", "/tasks", {"subject": "x"}, 400, fields={"project": REQUIRED}),
            Step(
                "POST",
                "/tasks",
                {"project": "{project}", "subject": ""},
                400,
                fields={"subject": REQUIRED},
            ),
            Step(
                "POST",
                "/tasks",
                {"project": "{project}", "subject": "x", "user_story": 99999999},
                400,
                fields={"user_story": ["Invalid pk '99999999' - object does not exist."]},
            ),
        ),
        project="kanban",
    ),
    Case(
        "a custom attribute has its name once in a project, and letter case counts",
        _SEEN,
        (
            _attribute(
                "Value",
                "number",
                fields={"name": "Value", "type": "number", "extra": None, "description": ""},
            ),
            Step(
                "POST",
                "/userstory-custom-attributes",
                {"project": "{project}", "name": "Value", "type": "text"},
                400,
                fields={
                    "name": ["Already exists one with the same name."],
                    "project": ["Already exists one with the same name."],
                },
            ),
            _attribute("value", "text"),
            Step(
                "GET",
                "/userstory-custom-attributes?project={project}",
                fields={"": Length(2), "0.name": "Value"},
            ),
        ),
        project="kanban",
    ),
    Case(
        "custom values are replaced whole, by a version of their own; the story does not move",
        _SEEN,
        (
            _STORY,
            _attribute("Value", "number", save={"value": "id"}),
            Step(
                "GET",
                "/userstories/custom-attributes-values/{story}",
                fields={"": {"attributes_values": {}, "version": 1, "user_story": "{story}"}},
            ),
            _write({"{value}": 12.5}, 1, fields={"version": 2, "attributes_values.{value}": 12.5}),
            Step("GET", "/userstories/{story}", fields={"version": 1}),
            _write(
                {"99999999": 1},
                2,
                400,
                fields={"attributes_values": ["It contains invalid custom fields."]},
            ),
            _write({}, 2, 400, fields={"attributes_values": ["This field cannot be blank."]}),
            Step(
                "GET",
                "/timeline/project/{project}",
                fields={
                    "0.event_type": "userstories.userstory.change",
                    "0.data.values_diff.custom_attributes.new.0.name": "Value",
                    "0.data.values_diff.custom_attributes.new.0.value": 12.5,
                },
            ),
        ),
        project="kanban",
    ),
    Case(
        "the report tells all custom values in one request, without a log-in",
        _SEEN,
        (
            _STORY,
            _attribute("Value", "number", save={"value": "id"}),
            _attribute("Flag", "checkbox", save={"flag": "id"}),
            _write({"{value}": 12.5, "{flag}": True}, 1),
            Step("GET", "/projects/{project}", fields={"userstories_csv_uuid": None}),
            Step(
                "POST",
                "/projects/{project}/regenerate_userstories_csv_uuid",
                fields={"uuid": Matches("[0-9a-f]{32}$")},
                save={"uuid": "uuid"},
            ),
            Step("GET", "/projects/{project}", fields={"userstories_csv_uuid": "{uuid}"}),
            Step("GET", "/userstories/csv?uuid={uuid}", fields={"": Contains("'=1+1 card")}),
            Step("GET", "/userstories/csv?uuid={uuid}", fields={"": Contains(",Value,Flag\r\n")}),
            Step("GET", "/userstories/csv?uuid={uuid}", fields={"": Contains(",12.5,True\r\n")}),
            Step(
                "GET",
                "/userstories/csv?uuid={uuid}",
                actor="anonymous",
                fields={"": Contains("id,ref,subject")},
            ),
            Step(
                "GET",
                "/userstories/csv?uuid=none",
                status=404,
                fields={"_error_message": ""},
            ),
        ),
        project="kanban",
    ),
    Case(
        "a comment moves the version of its story, and is in its history",
        _SEEN,
        (
            _STORY,
            Step(
                "PATCH",
                "/userstories/{story}",
                {"comment": "hello", "version": 1},
                fields={"version": 2, "total_comments": 1},
            ),
            Step(
                "GET",
                "/history/userstory/{story}?type=comment",
                fields={
                    "": Length(1),
                    "0.comment": "hello",
                    "0.user.pk": Kind("int"),
                    "0.id": Kind("str"),
                    "0.delete_comment_date": None,
                },
            ),
        ),
        project="kanban",
    ),
)
