"""Milestones, user stories with their versions, boards, timeline and history."""

from typing import Any

from tests.contract.taiga.case import (
    ABSENT,
    FORBIDDEN,
    REQUIRED,
    SERVER_ERROR,
    Case,
    Kind,
    Length,
    Matches,
    Moved,
    Same,
    Step,
)

_STALE = {"version": "The version doesn't match with the current one"}
_BAD_VERSION = {"version": "The version parameter is not valid"}
_LATER = {"estimated_start": "2027-01-01", "estimated_finish": "2027-01-14"}
_BAD_DATE = ["Date has wrong format. Use one of these formats instead: YYYY[-MM[-DD]]"]


def _milestone(name: str, status: int = 201, **more: Any) -> Step:
    dates = {"estimated_start": "2026-01-01", "estimated_finish": "2026-01-14"}
    body = {"project": "{project}", "name": name, **dates, **more.pop("body", {})}
    return Step("POST", "/milestones", body, status, **more)


def _story(body: dict[str, Any] | None = None, status: int = 201, **more: Any) -> Step:
    body = {"project": "{project}", "subject": "s", **(body or {})}
    if status == 201:
        more["save"] = {"story": "id", "ref": "ref", **more.get("save", {})}
    return Step("POST", "/userstories", body, status, **more)


def _edit(body: dict[str, Any], status: int = 200, **more: Any) -> Step:
    return Step("PATCH", "/userstories/{story}", body, status, **more)


def _story_error(name: str, source: str, body: dict[str, Any], errors: Any) -> Case:
    return Case(name, source, (_story(body, 400, fields={"": errors}),), project="scrum")


MILESTONES = (
    Case(
        "a milestone is made with slug, dates and no stories",
        "milestones_bulk.json 5",
        (
            _milestone(
                "Sp1",
                fields={
                    "name": "Sp1",
                    "slug": "sp1",
                    "estimated_start": "2026-01-01",
                    "estimated_finish": "2026-01-14",
                    "closed": False,
                    "user_stories": [],
                    "total_points": None,
                    "closed_points": None,
                    "order": 1,
                    "project_extra_info.slug": "{slug}",
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a milestone needs both dates",
        "milestones_bulk.json 4",
        (
            Step(
                "POST",
                "/milestones",
                {"project": "{project}", "name": "Sp1"},
                400,
                fields={"": {"estimated_start": REQUIRED, "estimated_finish": REQUIRED}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a milestone's name is unique, but for its case",
        "milestones_bulk.json 6-7",
        (
            _milestone("Sp1"),
            _milestone("Sp1", 400, fields={"": {"name": ["Duplicated name"]}}),
            _milestone("sp1", fields={"slug": "sp1-1"}),
        ),
        project="scrum",
    ),
    Case(
        "a milestone does not start after it ends",
        "milestones_bulk.json 8-9",
        (
            _milestone(
                "back",
                400,
                body={"estimated_start": "2026-02-14"},
                fields={
                    "": {
                        "__all__": ["The estimated start must be previous to the estimated finish."]
                    }
                },
            ),
            _milestone("one day", body={"estimated_start": "2026-01-14"}),
        ),
        project="scrum",
    ),
    Case(
        "a milestone's name has at most 200 characters",
        "milestones_bulk.json 10",
        (
            _milestone(
                "x" * 201,
                400,
                fields={
                    "": {"name": ["Ensure this value has at most 200 characters (it has 201)."]}
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a milestone can be born closed and be closed",
        "milestones_bulk.json 13, 15",
        (
            _milestone("closed", body={"closed": True}, fields={"closed": True}),
            _milestone("open", save={"milestone": "id"}),
            Step("PATCH", "/milestones/{milestone}", {"closed": True}, fields={"closed": True}),
        ),
        project="scrum",
    ),
    Case(
        "a changed milestone keeps its slug and takes new dates",
        "milestones_bulk.json 14",
        (
            _milestone("Sp1", save={"milestone": "id"}),
            Step(
                "PATCH",
                "/milestones/{milestone}",
                {"name": "Sp1 renamed", "estimated_finish": "2026-02-01"},
                fields={
                    "name": "Sp1 renamed",
                    "slug": "sp1",
                    "estimated_start": "2026-01-01",
                    "estimated_finish": "2026-02-01",
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "milestones are listed, filtered by closed, with counts",
        "milestones_bulk.json 20",
        (
            _milestone("a"),
            _milestone("b", body={"closed": True}),
            Step(
                "GET",
                "/milestones?project={project}&closed=false",
                fields={"": Length(1), "0.name": "a"},
                headers={
                    "Taiga-Info-Total-Opened-Milestones": "1",
                    "Taiga-Info-Total-Closed-Milestones": "1",
                },
            ),
            Step("GET", "/milestones?project={project}", fields={"": Length(2)}),
        ),
        project="scrum",
    ),
    Case(
        "the timeline tells what a milestone was before a change",
        "tried on 6.10.0",
        (
            _milestone("a", save={"milestone": "id"}),
            Step("PATCH", "/milestones/{milestone}", {"estimated_start": "2026-01-02"}),
            Step("PATCH", "/milestones/{milestone}", {"name": "b"}),
            Step(
                "GET",
                "/timeline/project/{project}",
                fields={
                    "0.event_type": "milestones.milestone.change",
                    "0.object_id": Same("project"),
                    "0.data.milestone.id": Same("milestone"),
                    "0.data.user.id": Same("user_id"),
                    "0.data.values_diff": {
                        "name": ["a", "b"],
                        "estimated_start": ["2026-01-02", "2026-01-02"],
                        "estimated_finish": ["2026-01-14", "2026-01-14"],
                    },
                    "1.data.values_diff.estimated_start": ["2026-01-01", "2026-01-02"],
                    "1.data.values_diff.estimated_finish": ["2026-01-14", "2026-01-14"],
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "the timeline tells the name and the tags of a project before a change, not its text",
        "tried on 6.10.0",
        (
            Step("PATCH", "/projects/{project}", {"name": "{unique}-b", "tags": ["x"]}),
            Step("PATCH", "/projects/{project}", {"description": "other"}),
            Step(
                "GET",
                "/timeline/project/{project}",
                fields={
                    "0.event_type": "projects.project.change",
                    "0.data.project.id": Same("project"),
                    "0.data.values_diff": {"name": ["{name}", "{unique}-b"], "tags": [[], ["x"]]},
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "milestones come by date alone, or in an order that tells any two apart",
        "milestones_bulk.json 20; tried on 6.10.0",
        (
            _milestone("a"),
            _milestone("b"),
            _milestone("c", body=_LATER),
            Step("GET", "/milestones?project={project}", fields={"0.name": "c"}),
            Step(
                "GET",
                "/milestones?project={project}&order_by=project",
                fields={"0.name": "c", "1.name": "b", "2.name": "a"},
            ),
            Step(
                "GET",
                "/milestones?project={project}&order_by=-estimated_start",
                fields={"0.name": "c", "1.name": "b", "2.name": "a"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a deleted milestone leaves its stories",
        "milestones_bulk.json 21-22",
        (
            _milestone("a", save={"milestone": "id"}),
            _story({"milestone": "{milestone}"}, fields={"milestone_name": "a"}),
            Step("DELETE", "/milestones/{milestone}", status=204),
            Step("GET", "/userstories/{story}", fields={"milestone": None, "version": 1}),
            Step("DELETE", "/milestones/{milestone}", status=403, fields={"": FORBIDDEN}),
        ),
        project="scrum",
    ),
    Case(
        "a milestone closes with the last of its stories",
        "facts 7",
        (
            _milestone("a", save={"milestone": "id"}),
            _story({"milestone": "{milestone}"}),
            _edit({"status": "{status_done}", "version": 1}, fields={"is_closed": True}),
            Step(
                "GET",
                "/milestones/{milestone}",
                fields={"closed": True, "user_stories": Length(1)},
            ),
            _edit({"status": "{status_new}", "version": 2}, fields={"is_closed": False}),
            Step("GET", "/milestones/{milestone}", fields={"closed": False}),
        ),
        project="scrum",
    ),
)

STORIES = (
    Case(
        "a story has the next ref, the default status and an estimate per role",
        "us_create.json 3",
        (
            _story(
                {"ref": 777, "created_date": "2000-01-01"},
                fields={
                    "ref": 1,
                    "version": 1,
                    "status": "{status_new}",
                    "status_extra_info": {"name": "New", "color": "#70728F", "is_closed": False},
                    "is_closed": False,
                    "points": Length(4),
                    "total_points": None,
                    "milestone": None,
                    "external_reference": None,
                    "tags": [],
                    "due_date": None,
                    "due_date_status": "not_set",
                    "assigned_to": None,
                    "assigned_users": [],
                    "created_date": Matches("20[2-9]"),
                    "description": "",
                    "neighbors": ABSENT,
                },
            ),
            _story(fields={"ref": 2}),
        ),
        project="scrum",
    ),
    Case(
        "a story keeps reference, tags, dates and estimates",
        "us_create.json 3",
        (
            _story(
                {
                    "subject": "S1",
                    "description": "# md\n<script>x</script>",
                    "tags": ["T1", ["t2", "#ff00ff"], ["t3", None]],
                    "status": "{status_ready}",
                    "external_reference": ["crm", "deal:1001"],
                    "due_date": "2026-12-31",
                    "is_blocked": True,
                    "blocked_note": "bn",
                    "points": {"{role_ux}": "{points_3}"},
                    "assigned_to": "{user_id}",
                },
                fields={
                    "tags": [["t1", None], ["t2", "#ff00ff"], ["t3", None]],
                    "external_reference": ["crm", "deal:1001"],
                    "due_date": "2026-12-31",
                    "due_date_status": Matches("set|due_soon|past_due"),
                    "is_blocked": True,
                    "blocked_note": "bn",
                    "total_points": 3.0,
                    "status": "{status_ready}",
                    "assigned_to": "{user_id}",
                    "assigned_to_extra_info.username": "{user}",
                    "description": "# md\n<script>x</script>",
                },
            ),
            Step(
                "GET",
                "/projects/{project}",
                fields={"tags_colors": {"t1": None, "t2": "#ff00ff", "t3": None}, "tags": []},
            ),
        ),
        project="scrum",
    ),
    _story_error(
        "a story needs a subject", "us_create.json 7", {"subject": ""}, {"subject": REQUIRED}
    ),
    Case(
        "a story needs a project that exists",
        "us_create.json 5-6",
        (
            Step("POST", "/userstories", {"subject": "x"}, 400, fields={"": {"project": REQUIRED}}),
            Step(
                "POST",
                "/userstories",
                {"project": 999999999, "subject": "x"},
                400,
                fields={"": {"project": ["Invalid pk '999999999' - object does not exist."]}},
            ),
        ),
    ),
    _story_error(
        "a story's status must exist",
        "us_create.json 8",
        {"status": 999999999},
        {"status": ["Invalid pk '999999999' - object does not exist."]},
    ),
    _story_error(
        "a story's milestone must exist",
        "us_create.json 9",
        {"milestone": 999999999},
        {"milestone": ["Invalid pk '999999999' - object does not exist."]},
    ),
    _story_error(
        "a due date is a date",
        "us_create.json 12",
        {"due_date": "31/12/2026"},
        {"due_date": _BAD_DATE},
    ),
    _story_error(
        "a due date has no time",
        "us_create.json 13",
        {"due_date": "2026-12-31T10:00:00Z"},
        {"due_date": _BAD_DATE},
    ),
    _story_error(
        "a reference has no empty part",
        "us_create.json 19",
        {"external_reference": ["", ""]},
        {
            "external_reference": [
                "Item 1 in the array did not validate: This field cannot be blank."
            ]
        },
    ),
    _story_error(
        "a tag's colour is a colour",
        "us_create.json 33",
        {"tags": [["A", "red"]]},
        {"tags": ["Invalid tag '['A', 'red']'. The color is not a valid HEX color or null."]},
    ),
    _story_error(
        "a tag is a name or a pair",
        "us_create.json 37",
        {"tags": [None]},
        {
            "tags": [
                "Invalid tag 'None'. it must be the name or a pair "
                '\'["name", "hex color/" | null]\'.'
            ]
        },
    ),
    Case(
        "a due date tells whether it is past",
        "checked beside us_create.json 3",
        (
            _story({"due_date": "2020-01-05"}, fields={"due_date_status": "past_due"}),
            _story({"due_date": "2999-01-05"}, fields={"due_date_status": "set"}),
            _story(
                {"due_date": "2020-01-05", "status": "{status_done}"},
                fields={"due_date_status": "no_longer_applicable"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a status of null is the default, an unknown assignee is refused",
        "checked beside us_create.json 8",
        (
            _story({"status": "{status_done}"}),
            _edit({"status": None, "version": 1}, fields={"status": "{status_new}"}),
            _story(
                {"assigned_users": [999999999]},
                400,
                fields={
                    "": {"assigned_users": ["Invalid pk '999999999' - object does not exist."]}
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a milestone stays closed when its last story goes",
        "checked beside facts 7",
        (
            _milestone("a", save={"milestone": "id"}),
            _story({"milestone": "{milestone}", "status": "{status_done}"}),
            Step("GET", "/milestones/{milestone}", fields={"closed": True}),
            Step("DELETE", "/userstories/{story}", status=204),
            Step("GET", "/milestones/{milestone}", fields={"closed": True, "user_stories": []}),
        ),
        project="scrum",
    ),
    Case(
        "a story's assignee must be a member",
        "us_create.json 10",
        (
            Step(
                "POST",
                "/projects",
                {"name": "{unique} other", "description": "d"},
                201,
                save={"other": "id", "other_role": "roles.0.id"},
            ),
            Step(
                "POST",
                "/memberships",
                {"project": "{other}", "role": "{other_role}", "username": "ana@example.test"},
                201,
                save={"ana": "user"},
            ),
            _story(
                {"assigned_to": "{ana}"},
                400,
                fields={"": {"assigned_to": ["The user must be a project member."]}},
            ),
            _story({"assigned_users": ["{ana}"]}, fields={"assigned_users": ["{ana}"]}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "a status or milestone of another project is 403",
        "facts 8",
        (
            Step(
                "POST",
                "/projects",
                {"name": "{unique} other", "description": "d"},
                201,
                save={"other": "id", "foreign": "us_statuses.0.id"},
            ),
            _story({"status": "{foreign}"}, 403),
            Step(
                "POST",
                "/milestones",
                {
                    "project": "{other}",
                    "name": "m",
                    "estimated_start": "2026-01-01",
                    "estimated_finish": "2026-01-02",
                },
                201,
                save={"milestone": "id"},
            ),
            _story({"milestone": "{milestone}"}, 403),
        ),
        project="scrum",
    ),
    Case(
        "references are lists of texts of any length",
        "us_create.json 16-23",
        (
            _story({"external_reference": ["one"]}, fields={"external_reference": ["one"]}),
            _story({"external_reference": []}, fields={"external_reference": []}),
            _story({"external_reference": [1, 2]}, fields={"external_reference": ["1", "2"]}),
            _story(
                {"external_reference": ["é🎉", '"q",{}\\']},
                fields={"external_reference": ["é🎉", '"q",{}\\']},
            ),
            _story({"external_reference": None}, fields={"external_reference": None}),
        ),
        project="scrum",
    ),
    Case(
        "a reference or tags as a text crash the server",
        "us_create.json 15, 24, 40",
        (
            _story({"external_reference": "crm:1"}, 500, fields={"": SERVER_ERROR}),
            _story({"external_reference": {"a": 1}}, 500),
            _story({"tags": "str"}, 500),
        ),
        project="scrum",
    ),
    Case(
        "a NUL in a subject crashes the server and stores nothing",
        "us_create.json 26",
        (
            _story({"subject": "a\x00b"}, 500),
            Step("GET", "/userstories?project={project}", fields={"": []}),
        ),
        project="scrum",
    ),
    Case(
        "subjects are kept as they come",
        "us_create.json 27-30",
        (
            _story({"subject": "🎉 𝒳"}, fields={"subject": "🎉 𝒳"}),
            _story({"subject": "line1\nline2"}, fields={"subject": "line1\nline2"}),
            _story({"subject": "<b>bold</b>"}, fields={"subject": "<b>bold</b>"}),
            _story({"subject": "  sp  "}, fields={"subject": "  sp  "}),
        ),
        project="scrum",
    ),
    Case(
        "a story's tags are de-duplicated, and the first colour stays",
        "us_create.json 32, 35, 39",
        (
            _story({"tags": ["A"]}, fields={"tags": [["a", None]]}),
            _story({"tags": [["a", "#fff"]]}, fields={"tags": [["a", None]]}),
            _story({"tags": ["dup", "dup"]}, fields={"tags": [["dup", None]]}),
        ),
        project="scrum",
    ),
    Case(
        "an unknown role or estimate is 400",
        "roles.json 39, 41",
        (
            _story(),
            _edit(
                {"points": {"999999999": "{points_3}"}, "version": 1},
                400,
                fields={"": {"points": "Invalid role id '999999999'"}},
            ),
            _edit(
                {"points": {"{role_ux}": 999999999}, "version": 1},
                400,
                fields={"": {"points": "Invalid points id '999999999'"}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "the story list has no descriptions, and finds by milestone and by closed",
        "milestones_bulk.json 16, 18",
        (
            _milestone("m", save={"milestone": "id"}),
            _story({"description": "d", "milestone": "{milestone}"}),
            _story({"status": "{status_done}"}, fields={"is_closed": True}),
            Step(
                "GET",
                "/userstories?project={project}&milestone={milestone}",
                fields={"": Length(1), "0.description": ABSENT, "0.version": 1},
            ),
            Step(
                "GET",
                "/userstories?project={project}&is_closed=true",
                fields={"": Length(1), "0.status": "{status_done}"},
                headers={"x-pagination-count": "1"},
            ),
            Step("GET", "/userstories?project={project}", fields={"": Length(2)}),
        ),
        project="scrum",
    ),
    Case(
        "external_reference does not filter",
        "lookups.json 0-1",
        (
            _story({"external_reference": ["a"]}),
            Step(
                "GET",
                "/userstories?project={project}&external_reference=b",
                fields={"": Length(1), "0.external_reference": ["a"]},
            ),
        ),
        project="scrum",
    ),
    Case(
        "modified_date filters, and junk crashes the server",
        "lookups.json 27-29",
        (
            _story(),
            Step(
                "GET",
                "/userstories?project={project}&modified_date__gte=2030-01-01",
                fields={"": []},
            ),
            Step(
                "GET",
                "/userstories?project={project}&modified_date__gte=2020-01-01T00:00:00Z",
                fields={"": Length(1)},
            ),
            Step(
                "GET",
                "/userstories?project={project}&modified_date__gte=junk",
                status=500,
                headers={"Content-Type": Matches("text/html")},
            ),
        ),
        project="scrum",
    ),
    Case(
        "modified_date is finer than it is shown: use gte",
        "lookups.json 40-43",
        (
            _story(save={"moment": "modified_date"}),
            Step(
                "GET",
                "/userstories?project={project}&modified_date__gte={moment}",
                fields={"": Length(1)},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a project filter must be a number, and an unknown one finds nothing",
        "lookups.json 31-32",
        (
            Step(
                "GET",
                "/userstories?project=abc",
                status=400,
                fields={
                    "": {
                        "_error_message": "'project' must be an integer value.",
                        "_error_type": "taiga.base.exceptions.BadRequest",
                    }
                },
            ),
            Step("GET", "/userstories?project=999999999", fields={"": []}),
        ),
    ),
    Case(
        "only_ref and dashboard give light rows",
        "lookups.json 26, facts 8",
        (
            _story({"external_reference": ["a", "b"]}),
            Step(
                "GET",
                "/userstories?project={project}&only_ref=true",
                fields={"": [{"id": "{story}", "ref": 1}]},
            ),
            Step(
                "GET",
                "/userstories?project={project}&dashboard=true",
                fields={"0.external_reference": ["a", "b"], "0.version": 1, "0.subject": "s"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a story is found by its ref",
        "lookups.json 13, 20-22",
        (
            _story(),
            Step(
                "GET", "/userstories/by_ref?ref={ref}&project={project}", fields={"id": "{story}"}
            ),
            Step(
                "GET",
                "/resolver?project={slug}&us={ref}",
                fields={"": {"project": "{project}", "us": "{story}"}},
            ),
            Step("GET", "/userstories/by_ref?ref=999&project={project}", status=404),
        ),
        project="scrum",
    ),
    Case(
        "bulk_create makes a story per line",
        "milestones_bulk.json 0-3",
        (
            Step(
                "POST",
                "/userstories/bulk_create",
                {"project_id": "{project}", "bulk_stories": "b1\nb2\n\n  b3  \nb2"},
                fields={"": Length(4), "2.subject": "b3", "0.ref": 1, "3.ref": 4},
            ),
            Step(
                "POST",
                "/userstories/bulk_create",
                {"project_id": "{project}", "bulk_stories": ""},
                400,
                fields={"": {"bulk_stories": REQUIRED}},
            ),
            Step(
                "POST",
                "/userstories/bulk_create",
                {"project_id": 999999999, "bulk_stories": "x"},
                400,
                fields={"": {"project_id": ["There's no project with that id"]}},
            ),
            Step(
                "POST",
                "/userstories/bulk_create",
                {"project_id": "{project}", "bulk_stories": "x", "status_id": 999999999},
                400,
                fields={
                    "": {
                        "status_id": [
                            "Invalid user story status id. "
                            "The status must belong to the same project."
                        ]
                    }
                },
            ),
        ),
        project="scrum",
    ),
)

VERSIONS = (
    Case(
        "a change needs a version that exists",
        "stale_version.json 1, 7-8, 10",
        (
            _story(),
            _edit({"subject": "x"}, 400, fields={"": _BAD_VERSION}),
            _edit({"subject": "x", "version": 999}, 400, fields={"": _BAD_VERSION}),
            _edit({"subject": "x", "version": -1}, 400, fields={"": _BAD_VERSION}),
            _edit(
                {"subject": "x", "version": "abc"},
                400,
                fields={"": {"version": ["Enter a whole number."]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a stale version is refused for the same field and taken for another",
        "stale_version.json 2-4",
        (
            _story(),
            _edit({"subject": "v1", "version": 1}, fields={"subject": "v1", "version": 2}),
            _edit({"subject": "stale", "version": 1}, 400, fields={"": _STALE}),
            _edit(
                {"description": "other field", "version": 1},
                fields={"description": "other field", "subject": "v1", "version": 3},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a stale version is refused even for the same value",
        "stale_version.json 17-18",
        (
            _story(),
            _edit({"subject": "same", "version": 1}),
            _edit({"subject": "same", "version": 1}, 400, fields={"": _STALE}),
        ),
        project="scrum",
    ),
    Case(
        "an empty change makes a new version",
        "stale_version.json 15-16",
        (
            _story(save={"moment": "modified_date"}),
            _edit({"version": 1}, fields={"version": 2, "modified_date": Moved("moment")}),
            _edit({"subject": "s", "version": 2}, fields={"version": 3}),
        ),
        project="scrum",
    ),
    Case(
        "tags, status, points and due date conflict",
        "stale_version.json 20-27, 35-36",
        (
            _story(),
            _edit({"tags": ["q1"], "version": 1}),
            _edit({"tags": ["q2"], "version": 1}, 400, fields={"": _STALE}),
            _edit({"status": "{status_ready}", "version": 2}),
            _edit({"status": "{status_done}", "version": 2}, 400, fields={"": _STALE}),
            _edit({"points": {"{role_ux}": "{points_1}"}, "version": 3}),
            _edit(
                {"points": {"{role_back}": "{points_2}"}, "version": 3}, 400, fields={"": _STALE}
            ),
            _edit({"due_date": "2027-01-01", "version": 4}),
            _edit({"due_date": "2027-01-02", "version": 4}, 400, fields={"": _STALE}),
        ),
        project="scrum",
    ),
    Case(
        "external_reference never conflicts",
        "stale_version.json 29-30",
        (
            _story(),
            _edit({"external_reference": ["crm", "x"], "version": 1}),
            _edit(
                {"external_reference": ["crm", "y"], "version": 1},
                fields={"external_reference": ["crm", "y"], "version": 3},
            ),
        ),
        project="scrum",
    ),
    Case(
        "comments never conflict",
        "stale_version.json 38-39",
        (
            _story(),
            _edit({"comment": "one", "version": 1}, fields={"total_comments": 1}),
            _edit({"comment": "two", "version": 1}, fields={"total_comments": 2}),
            Step(
                "GET",
                "/history/userstory/{story}?type=comment",
                fields={
                    "": Length(2),
                    "0.comment": "two",
                    "0.user.pk": "{user_id}",
                    "0.delete_comment_date": None,
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "PUT of a story resets tags, status and assignment",
        "stale_version.json 41",
        (
            _story(
                {
                    "tags": ["a"],
                    "status": "{status_done}",
                    "due_date": "2026-12-31",
                    "assigned_to": "{user_id}",
                    "external_reference": ["r"],
                }
            ),
            Step(
                "PUT",
                "/userstories/{story}",
                {"project": "{project}", "subject": "PUT", "version": 1},
                fields={
                    "tags": [],
                    "status": "{status_new}",
                    "assigned_to": None,
                    "due_date": "2026-12-31",
                    "external_reference": ["r"],
                    "subject": "PUT",
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a deleted story is 404 to read and 403 to change, and its ref is not used again",
        "stale_version.json 42-46",
        (
            _story(),
            Step("DELETE", "/userstories/{story}", status=204),
            Step("DELETE", "/userstories/{story}", status=403, fields={"": FORBIDDEN}),
            Step(
                "GET",
                "/userstories/{story}",
                status=404,
                fields={"": {"_error_message": "No UserStory matches the given query."}},
            ),
            _edit({"subject": "x", "version": 1}, 403, fields={"": FORBIDDEN}),
            _story(fields={"ref": 2}),
        ),
        project="scrum",
    ),
    Case(
        "reading a story shows its neighbours",
        "stale_version.json 0",
        (
            _story(),
            Step("GET", "/userstories/{story}", fields={"neighbors": Kind("dict"), "version": 1}),
        ),
        project="scrum",
    ),
)

BOARDS = (
    Case(
        "dragging to a sprint touches neither version nor date of the story, but the totals",
        "milestones_bulk.json 17-18",
        (
            _milestone("m", save={"milestone": "id"}),
            _story(save={"moment": "modified_date"}),
            Step("GET", "/projects/{project}", save={"totals": "totals_updated_datetime"}),
            Step(
                "POST",
                "/userstories/bulk_update_milestone",
                {
                    "project_id": "{project}",
                    "milestone_id": "{milestone}",
                    "bulk_stories": [{"us_id": "{story}", "order": 1}],
                },
                204,
            ),
            Step(
                "GET",
                "/userstories/{story}",
                fields={
                    "milestone": "{milestone}",
                    "version": 1,
                    "modified_date": Same("moment"),
                },
            ),
            Step(
                "GET",
                "/projects/{project}",
                fields={"totals_updated_datetime": Moved("totals")},
            ),
        ),
        project="scrum",
    ),
    Case(
        "dragging to a column changes the status without a new version",
        "facts 0.7",
        (
            _story(save={"moment": "modified_date"}),
            Step(
                "POST",
                "/userstories/bulk_update_kanban_order",
                {
                    "project_id": "{project}",
                    "status_id": "{status_done}",
                    "bulk_userstories": ["{story}"],
                },
            ),
            Step(
                "GET",
                "/userstories/{story}",
                fields={
                    "status": "{status_done}",
                    "version": 1,
                    "modified_date": Same("moment"),
                },
            ),
        ),
        project="kanban",
    ),
    Case(
        "statuses are listed per project",
        "facts 4",
        (
            Step(
                "GET",
                "/userstory-statuses?project={project}",
                fields={
                    "": Length(6),
                    "0.id": "{status_new}",
                    "0.name": "New",
                    "0.project": "{project}",
                    "0.slug": "new",
                    "5.is_archived": True,
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "the timeline tells what happened, newest first",
        "history_timeline.json 9, 12",
        (
            _story(),
            _edit({"subject": "other", "version": 1}),
            Step("DELETE", "/userstories/{story}", status=204),
            Step(
                "GET",
                "/timeline/project/{project}",
                fields={
                    "0.event_type": "userstories.userstory.delete",
                    "0.data.userstory.id": "{story}",
                    "0.data.user.username": "{user}",
                    "0.namespace": "project:{project}",
                    "1.event_type": "userstories.userstory.change",
                    "1.data.values_diff.subject": ["s", "other"],
                    "2.event_type": "userstories.userstory.create",
                    "3.event_type": "projects.project.create",
                },
                headers={"x-pagination-count": "4"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "history tells what changed in a story",
        "history_timeline.json 2",
        (
            _story(),
            _edit({"subject": "other", "version": 1}),
            Step(
                "GET",
                "/history/userstory/{story}",
                fields={
                    "0.diff.subject": ["s", "other"],
                    "0.type": 1,
                    "0.key": "userstories.userstory:{story}",
                    "0.user.username": "{user}",
                },
            ),
        ),
        project="scrum",
    ),
)

CASES = (*MILESTONES, *STORIES, *VERSIONS, *BOARDS)
