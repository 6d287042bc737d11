"""Projects: creation with its oddities, list, pages, change, copies, what moves when."""

from dataclasses import replace

from tests.contract.taiga.case import (
    ABSENT,
    FORBIDDEN,
    NOT_AUTHENTICATED,
    REQUIRED,
    SERVER_ERROR,
    Case,
    Contains,
    Kind,
    Length,
    Matches,
    Moved,
    Same,
    Step,
)

_NEW = {"name": "{unique}", "description": "d"}
_MINE = "/projects?member={user_id}&page_size=1000"
_ROW = "[id={project}]"
_BLANK = ["This field cannot be blank."]
_LIST_ONLY_LACKS = ("roles", "us_statuses", "points", "milestones", "transfer_token")
_SLIGHT_LACKS = ("total_closed_milestones", "notify_level", "logo_big_url")
_TRIPLE = {
    "modified": f"{_ROW}.modified_date",
    "totals": f"{_ROW}.totals_updated_datetime",
    "activity": f"{_ROW}.total_activity",
}


def _creation_error(name: str, source: str, body: dict[str, object], errors: object) -> Case:
    step = Step("POST", "/projects", {**_NEW, **body}, 400, fields={"": errors})
    return Case(name, source, (step,))


def _moves(name: str, source: str, change: Step, modified: bool, totals: bool) -> Case:
    """A change, and which of the three values in the project list it moves."""

    def expected(moved: bool, saved: str) -> object:
        return Moved(saved) if moved else Same(saved)

    after = {
        _TRIPLE["modified"]: expected(modified, "modified"),
        _TRIPLE["totals"]: expected(totals, "totals"),
        _TRIPLE["activity"]: expected(totals, "activity"),
    }
    steps = (Step("GET", _MINE, save=_TRIPLE), change, Step("GET", _MINE, fields=after))
    return Case(name, source, steps, project="scrum")


CREATION = (
    Case(
        "project creation answers the full detail",
        "project_create.json 7",
        (
            Step(
                "POST",
                "/projects",
                _NEW,
                201,
                fields={
                    "name": "{unique}",
                    "slug": "{unique}",
                    "description": "d",
                    "creation_template": 1,
                    "is_private": True,
                    "tags": [],
                    "tags_colors": {},
                    "is_backlog_activated": True,
                    "is_kanban_activated": False,
                    "is_wiki_activated": True,
                    "is_issues_activated": True,
                    "is_epics_activated": False,
                    "total_activity": 1,
                    "total_memberships": 1,
                    "i_am_owner": True,
                    "i_am_admin": True,
                    "i_am_member": True,
                    "my_permissions": Length(40),
                    "members.0.id": "{user_id}",
                    "members.0.role_name": "Product Owner",
                    "owner.id": "{user_id}",
                    "owner.username": "{user}",
                    "archived_code": None,
                    "blocked_code": None,
                    "milestones": [],
                    "looking_for_people_note": "",
                    "is_looking_for_people": False,
                    "totals_updated_datetime": Matches(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$"),
                },
            ),
        ),
    ),
    Case(
        "a scrum project has six roles, six statuses and twelve points",
        "project_lifecycle.json 3",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"creation_template": 1},
                201,
                fields={
                    "roles": Length(6),
                    "roles.0.slug": "ux",
                    "roles.0.computable": True,
                    "roles.0.permissions": Length(33),
                    "roles.4.slug": "product-owner",
                    "roles.4.computable": False,
                    "roles.5.slug": "stakeholder",
                    "roles.5.permissions": Length(19),
                    "us_statuses": Length(6),
                    "us_statuses.0.slug": "new",
                    "us_statuses.4.is_closed": True,
                    "us_statuses.5.is_archived": True,
                    "points": Length(12),
                    "points.0.name": "?",
                    "points.0.value": None,
                    "epic_statuses": Length(5),
                    "severities": Length(5),
                    "default_us_status": Kind("int"),
                },
            ),
        ),
    ),
    Case(
        "a kanban project has kanban alone",
        "project_create.json 8",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"creation_template": 2},
                201,
                fields={
                    "is_kanban_activated": True,
                    "is_backlog_activated": False,
                    "is_wiki_activated": False,
                    "is_issues_activated": False,
                    "creation_template": 2,
                    "roles": Length(6),
                },
            ),
        ),
    ),
    Case(
        "creation keeps tags in lower case, repeated, and tags_colors as an object",
        "project_create.json 8",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"tags": ["crm", "deal:42", "CRM"], "tags_colors": [["crm-key:1", None]]},
                201,
                fields={"tags": ["crm", "deal:42", "crm"], "tags_colors": {"crm-key:1": None}},
            ),
        ),
    ),
    Case(
        "creation ignores flags, note, slug, owner and unknown keys",
        "project_create.json 8",
        (
            Step(
                "POST",
                "/projects",
                _NEW
                | {
                    "creation_template": 2,
                    "is_looking_for_people": True,
                    "looking_for_people_note": "note",
                    "is_epics_activated": True,
                    "is_wiki_activated": True,
                    "total_milestones": 7,
                    "total_story_points": 123.5,
                    "slug": "my-slug",
                    "owner": 1,
                    "created_date": "2001-01-01T00:00:00Z",
                    "unknown": 1,
                },
                201,
                fields={
                    "is_looking_for_people": False,
                    "looking_for_people_note": "",
                    "is_epics_activated": False,
                    "is_wiki_activated": False,
                    "total_milestones": None,
                    "total_story_points": None,
                    "slug": "{unique}",
                    "owner.id": "{user_id}",
                    "created_date": Matches("20[2-9]"),
                    "unknown": ABSENT,
                },
            ),
        ),
    ),
    Case(
        "scrum keeps the totals that creation sets",
        "project_lifecycle.json 3",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"total_milestones": 5, "total_story_points": 50},
                201,
                fields={"total_milestones": 5, "total_story_points": 50.0},
            ),
        ),
    ),
    _creation_error(
        "name and description are required",
        "project_create.json 5",
        {"name": "", "description": ""},
        {"name": REQUIRED, "description": REQUIRED},
    ),
    Case(
        "creation without a description is 400",
        "project_create.json 6",
        (
            Step(
                "POST",
                "/projects",
                {"name": "{unique}"},
                400,
                fields={"": {"description": REQUIRED}},
            ),
        ),
    ),
    _creation_error(
        "a template is named by number",
        "project_create.json 9",
        {"creation_template": "kanban"},
        {"creation_template": ["Incorrect type. Expected pk value, received str."]},
    ),
    _creation_error(
        "an unknown template is 400",
        "project_create.json 10",
        {"creation_template": 9999},
        {"creation_template": ["Invalid pk '9999' - object does not exist."]},
    ),
    _creation_error(
        "numbers are checked at creation",
        "project_create.json 11",
        {"total_milestones": "abc", "total_story_points": "x"},
        {
            "total_milestones": ["Enter a whole number."],
            "total_story_points": ['"x" value must be a float.'],
        },
    ),
    _creation_error(
        "a tag is a text",
        "project_create.json 13",
        {"tags": [1]},
        {"tags": ["Invalid tag '1'. It must be the tag name."]},
    ),
    _creation_error(
        "a tag is not null",
        "project_create.json 14",
        {"tags": [None]},
        {"tags": ["Invalid tag 'None'. It must be the tag name."]},
    ),
    _creation_error(
        "a tag is not empty",
        "project_create.json 15",
        {"tags": ["b", ""]},
        {"tags": ["Item 2 in the array did not validate: This field cannot be blank."]},
    ),
    _creation_error(
        "a project's tag has no colour",
        "project_create.json 16",
        {"tags": [["b", "#ff0000"]]},
        {"tags": ["Invalid tag '['b', '#ff0000']'. It must be the tag name."]},
    ),
    _creation_error(
        "a name has at most 250 characters",
        "project_create.json 24",
        {"name": "x" * 251},
        {"name": ["Ensure this value has at most 250 characters (it has 251)."]},
    ),
    Case(
        "tags as an object crash the server",
        "project_create.json 12",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"tags": {"a": 1}},
                500,
                fields={"": SERVER_ERROR},
            ),
        ),
    ),
    Case(
        "tags are not trimmed and may hold commas and emoji",
        "project_create.json 17-19",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"tags": ["a,b", "A b", "é🎉", " x "]},
                201,
                fields={"tags": ["a,b", "a b", "é🎉", " x "]},
            ),
        ),
    ),
    Case(
        "a taken slug gets a number",
        "project_create.json 7-8",
        (
            Step("POST", "/projects", _NEW, 201, fields={"slug": "{unique}"}),
            Step("POST", "/projects", _NEW, 201, fields={"slug": "{unique}-1"}),
            Step("POST", "/projects", _NEW, 201, fields={"slug": "{unique}-2"}),
        ),
    ),
    Case(
        "slugs are plain Latin letters",
        "project_create.json 26, 29, 32",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"name": "{unique} Проект Ромашка"},
                201,
                fields={"slug": "{unique}-proekt-romashka"},
            ),
            Step(
                "POST",
                "/projects",
                _NEW | {"name": '{unique} Ärger & Co. (GmbH) / "quote" <b>x</b>'},
                201,
                fields={"slug": "{unique}-arger-co-gmbh-quote-bxb"},
            ),
            Step(
                "POST",
                "/projects",
                _NEW | {"name": "{unique} tab\tnew\nline"},
                201,
                fields={"slug": "{unique}-tab-new-line"},
            ),
        ),
    ),
    Case(
        "names are kept as they come",
        "project_create.json 29, 33, 37",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"name": "  \u202e<b>{unique}</b> {{x}}  "},
                201,
                fields={"name": "  \u202e<b>{unique}</b> {{x}}  "},
            ),
        ),
    ),
    Case(
        "a NUL crashes the server",
        "project_create.json 31",
        (
            Step(
                "POST",
                "/projects",
                raw='{"name":"a\\u0000b","description":"d"}',
                status=500,
                fields={"": SERVER_ERROR},
            ),
        ),
    ),
    Case(
        "half a surrogate pair crashes the server",
        "errors.json 17",
        (
            Step(
                "POST",
                "/projects",
                raw='{"name":"lone \\ud800","description":"d"}',
                status=500,
            ),
        ),
    ),
    Case(
        "null as a body crashes the server",
        "errors.json 9",
        (Step("POST", "/projects", raw="null", status=500, fields={"": SERVER_ERROR}),),
    ),
    Case(
        "a list as a body is invalid data",
        "errors.json 7-8",
        (
            Step(
                "POST",
                "/projects",
                raw="[]",
                status=400,
                fields={"": {"non_field_errors": ["Invalid data"]}},
            ),
        ),
    ),
    Case(
        "messages are translated",
        "errors.json 15",
        (
            Step(
                "POST",
                "/projects",
                {},
                400,
                send={"Accept-Language": "es"},
                fields={"name": ["Este campo es requerido."]},
            ),
        ),
    ),
    Case(
        "nobody can be born archived",
        "project_duplicate_transfer_archive_blocked.json 9",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"archived_code": "archived-by-staff"},
                403,
                fields={
                    "": {
                        "_error_message": "Archived element",
                        "_error_type": "taiga.base.exceptions.PermissionDenied",
                    }
                },
            ),
        ),
    ),
    Case(
        "creation without credentials is 401",
        "project_lifecycle.json 96",
        (Step("POST", "/projects", _NEW, 401, actor="anonymous", fields={"": NOT_AUTHENTICATED}),),
    ),
    Case(
        "templates are listed with numbers and slugs",
        "project_create.json 2",
        (
            Step(
                "GET",
                "/project-templates",
                fields={
                    "[slug=scrum].id": 1,
                    "[slug=kanban].id": 2,
                    "[slug=kanban].is_kanban_activated": True,
                    "[slug=kanban].default_owner_role": "product-owner",
                    "[slug=scrum].roles": Length(6),
                    "[slug=scrum].us_statuses": Length(6),
                },
            ),
        ),
    ),
)

READING = (
    Case(
        "the list has everything that a sync compares",
        "project_lifecycle.json 45",
        (
            Step(
                "GET",
                _MINE,
                fields={
                    f"{_ROW}.members": ["{user_id}"],
                    f"{_ROW}.name": "{unique}",
                    f"{_ROW}.description": "contract case",
                    f"{_ROW}.tags": [],
                    f"{_ROW}.tags_colors": {},
                    f"{_ROW}.total_closed_milestones": 0,
                    f"{_ROW}.notify_level": Kind("int"),
                    f"{_ROW}.i_am_admin": True,
                    **{f"{_ROW}.{name}": ABSENT for name in _LIST_ONLY_LACKS},
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "the slight list lacks three fields",
        "project_lifecycle.json 46",
        (
            Step(
                "GET",
                f"{_MINE}&slight=true",
                fields={
                    **{f"{_ROW}.{name}": ABSENT for name in _SLIGHT_LACKS},
                    f"{_ROW}.tags_colors": {},
                    f"{_ROW}.members": ["{user_id}"],
                    f"{_ROW}.modified_date": Kind("str"),
                    f"{_ROW}.totals_updated_datetime": Kind("str"),
                    f"{_ROW}.total_activity": 1,
                    f"{_ROW}.archived_code": None,
                    f"{_ROW}.my_permissions": Length(40),
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "unknown filters and orders are ignored",
        "project_lifecycle.json 47, 56, 61-64, 72",
        tuple(
            Step("GET", f"{_MINE}&{query}", fields={f"{_ROW}.id": "{project}"})
            for query in (
                "tags=nothing-of-the-kind",
                "slug=nothing-of-the-kind",
                "name=nothing-of-the-kind",
                "modified_date__gte=2030-01-01",
                "id=0",
                "archived=true",
                "order_by=-modified_date",
            )
        ),
        project="scrum",
    ),
    Case(
        "member filters, and must be a number",
        "project_lifecycle.json 42, 75",
        (
            Step("GET", "/projects?member=999999999", fields={"": []}),
            Step(
                "GET",
                "/projects?member=abc",
                status=400,
                fields={
                    "": {
                        "_error_message": "Error in filter params types.",
                        "_error_type": "taiga.base.exceptions.BadRequest",
                    }
                },
            ),
        ),
    ),
    Case(
        "flags filter",
        "project_lifecycle.json 59-60, 65",
        (
            Step("GET", f"{_MINE}&is_looking_for_people=true", fields={_ROW: ABSENT}),
            Step("GET", f"{_MINE}&is_kanban_activated=true", fields={f"{_ROW}.id": "{project}"}),
            Step("GET", f"{_MINE}&is_backlog_activated=true", fields={_ROW: ABSENT}),
        ),
        project="kanban",
    ),
    Case(
        "q finds words by their beginning",
        "project_lifecycle.json 52-55",
        (
            Step("GET", f"{_MINE}&q={{unique}}", fields={f"{_ROW}.id": "{project}"}),
            Step("GET", f"{_MINE}&q=ontract", fields={_ROW: ABSENT}),
        ),
        project="kanban",
    ),
    Case(
        "pages have their headers",
        "project_lifecycle.json 66-67",
        (
            Step("POST", "/projects", _NEW, 201),
            Step(
                "GET",
                "/projects?member={user_id}&page_size=1",
                fields={"": Length(1)},
                headers={
                    "x-paginated": "true",
                    "x-paginated-by": "1",
                    "x-pagination-current": "1",
                    "x-pagination-count": Matches(r"\d+$"),
                    "X-Pagination-Next": Matches(r"http.*page=2"),
                    "X-Pagination-Prev": ABSENT,
                },
            ),
            Step(
                "GET",
                "/projects?member={user_id}&page_size=1&page=2",
                headers={
                    "x-pagination-current": "2",
                    "X-Pagination-Prev": Matches(r"http.*page=1"),
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a page past the end is 404",
        "project_lifecycle.json 68, errors.json 24-25",
        tuple(
            Step(
                "GET",
                f"/projects?member={{user_id}}&page={page}",
                status=404,
                fields={
                    "": {
                        "_error_message": ("Page is not 'last', nor can it be converted to an int.")
                    }
                },
            )
            for page in ("99999", "abc", "-1", "0")
        ),
        project="scrum",
    ),
    Case(
        "page sizes have a default and a limit",
        "project_lifecycle.json 69-71",
        (
            Step("GET", "/projects?page_size=0", headers={"x-paginated-by": "30"}),
            Step("GET", "/projects?page_size=5000", headers={"x-paginated-by": "1000"}),
            Step("GET", "/projects?page_size=junk", headers={"x-paginated-by": "30"}),
            Step("GET", "/projects", headers={"x-paginated-by": "30"}),
            Step("GET", "/projects?page=last", headers={"X-Pagination-Next": ABSENT}),
        ),
        project="scrum",
    ),
    Case(
        "x-disable-pagination works with any value",
        "project_lifecycle.json 76-77",
        tuple(
            Step(
                "GET",
                "/projects?page_size=1",
                send={"x-disable-pagination": value},
                headers={"x-paginated": ABSENT, "x-pagination-count": ABSENT},
            )
            for value in ("True", "False")
        ),
        project="scrum",
    ),
    Case(
        "x-lazy-pagination leaves the count out",
        "project_lifecycle.json 78",
        (
            Step(
                "GET",
                "/projects?page_size=1",
                send={"x-lazy-pagination": "True"},
                headers={"x-paginated-by": "1", "x-pagination-count": ABSENT},
            ),
        ),
        project="scrum",
    ),
    Case(
        "by_slug and resolver find a project",
        "project_lifecycle.json 6, lookups.json 19",
        (
            Step("GET", "/projects/by_slug?slug={slug}", fields={"id": "{project}"}),
            Step("GET", "/resolver?project={slug}", fields={"": {"project": "{project}"}}),
            Step("GET", "/resolver?project={slug}", status=403, actor="outsider"),
        ),
        project="scrum",
    ),
    Case(
        "an unknown slug is 404 with an empty message",
        "project_lifecycle.json 8, lookups.json 18",
        (
            Step(
                "GET",
                "/projects/by_slug?slug={unique}-not",
                status=404,
                fields={"": {"_error_message": ""}},
            ),
            Step(
                "GET",
                "/resolver?project={unique}-not",
                status=404,
                fields={"": {"_error_message": ""}},
            ),
        ),
    ),
    Case(
        "what never was is 404 to read and 403 to change",
        "project_lifecycle.json 9-10, 97-98",
        (
            Step("GET", "/projects/999999999", status=404, fields={"": {"_error_message": ""}}),
            Step("GET", "/projects/abc", status=404, fields={"": {"_error_message": ""}}),
            Step("PATCH", "/projects/999999999", {"name": "x"}, 403, fields={"": FORBIDDEN}),
            Step(
                "PUT",
                "/projects/999999999",
                {"name": "x", "description": "z"},
                403,
                fields={"": FORBIDDEN},
            ),
            Step("DELETE", "/projects/999999999", status=403, fields={"": FORBIDDEN}),
        ),
    ),
    Case(
        "anonymous gets 401 for what is private or is not",
        "project_lifecycle.json 29-36",
        (
            Step(
                "GET",
                "/projects/{project}",
                status=401,
                actor="anonymous",
                fields={"": NOT_AUTHENTICATED},
            ),
            Step("GET", "/projects/by_slug?slug={slug}", status=401, actor="anonymous"),
            Step("GET", "/projects/999999999", status=401, actor="anonymous"),
            Step("PATCH", "/projects/{project}", {"name": "x"}, 401, actor="anonymous"),
            Step("GET", "/userstories?project={project}", actor="anonymous", fields={"": []}),
            Step("GET", "/memberships?project={project}", actor="anonymous", fields={"": []}),
        ),
        project="scrum",
    ),
    Case(
        "a stranger gets 403 by number and 404 by slug",
        "project_lifecycle.json 13-14, 19-20, 94",
        (
            Step(
                "GET",
                "/projects/{project}",
                status=403,
                actor="outsider",
                fields={"": FORBIDDEN},
            ),
            Step(
                "GET",
                "/projects/by_slug?slug={slug}",
                status=404,
                actor="outsider",
                fields={"": {"_error_message": ""}},
            ),
            Step("PATCH", "/projects/{project}", {"name": "x"}, 403, actor="outsider"),
            Step("DELETE", "/projects/{project}", status=403, actor="outsider"),
            Step("GET", "/userstories?project={project}", actor="outsider", fields={"": []}),
            Step("GET", "/projects?page_size=1000", actor="outsider", fields={_ROW: ABSENT}),
        ),
        project="scrum",
    ),
    Case(
        "a public project shows to strangers, without membership",
        "project_lifecycle.json 15, 39",
        (
            Step(
                "POST",
                "/projects",
                _NEW | {"is_private": False},
                201,
                fields={"public_permissions": Contains("view_us"), "is_private": False},
                save={"public": "id"},
            ),
            Step(
                "GET",
                "/projects/{public}",
                actor="outsider",
                fields={
                    "i_am_member": False,
                    "i_am_admin": False,
                    "my_permissions": Length(8),
                    "transfer_token": ABSENT,
                },
            ),
            Step("PATCH", "/projects/{public}", {"name": "x"}, 403, actor="outsider"),
        ),
    ),
    Case(
        "stats tell planned, assigned and closed points",
        "stats_notify.json 4",
        (
            Step(
                "GET",
                "/projects/{project}/stats",
                fields={
                    "name": "{unique}",
                    "closed_points": 0,
                    "defined_points": 0,
                    "assigned_points": 0,
                    "total_milestones": None,
                    "speed": 0,
                },
            ),
        ),
        project="scrum",
    ),
)

CHANGES = (
    Case(
        "a rename leaves the slug",
        "project_lifecycle.json 80",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"name": "{unique} renamed"},
                fields={"name": "{unique} renamed", "slug": "{slug}", "tags": []},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a change sets what creation ignored, and ignores slug, owner, dates and version",
        "project_lifecycle.json 81",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {
                    "is_epics_activated": True,
                    "is_looking_for_people": True,
                    "looking_for_people_note": "Back 30 h",
                    "total_milestones": 9,
                    "version": 1,
                    "slug": "hacked",
                    "owner": 1,
                    "created_date": "2000-01-01",
                },
                fields={
                    "is_epics_activated": True,
                    "is_looking_for_people": True,
                    "looking_for_people_note": "Back 30 h",
                    "total_milestones": 9,
                    "slug": "{slug}",
                    "owner.id": "{user_id}",
                    "created_date": Matches("20[2-9]"),
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "changed tags are lower-cased and leave tags_colors alone",
        "project_lifecycle.json 82-83",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"tags": ["crm:1001", "New Tag"]},
                fields={"tags": ["crm:1001", "new tag"], "tags_colors": {}},
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"tags_colors": [["new tag", "#123456"]]},
                fields={"tags": ["crm:1001", "new tag"], "tags_colors": {"new tag": "#123456"}},
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"tags_colors": [["other", None]]},
                fields={"tags_colors": {"other": None}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "tags_colors as an object are refused",
        "project_lifecycle.json 84",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"tags_colors": {"new tag": "#123456"}},
                400,
                fields={
                    "": {
                        "tags_colors": [
                            "Item 1 in the array did not validate: "
                            "List contains 7 items, it should contain no more than 2."
                        ]
                    }
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "name and description cannot be emptied",
        "project_lifecycle.json 86-88",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"description": ""},
                400,
                fields={"": {"description": _BLANK}},
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"description": None},
                400,
                fields={"": {"description": _BLANK}},
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"name": None},
                400,
                fields={"": {"name": _BLANK}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a default must be the project's own",
        "project_lifecycle.json 90",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"default_us_status": 999999999},
                400,
                fields={
                    "": {"default_us_status": ["Invalid pk '999999999' - object does not exist."]}
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "the archived code is not for us to set",
        "project_lifecycle.json 91, project_duplicate_transfer_archive_blocked.json 6",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"archived_code": "archived-by-staff"},
                403,
                fields={"_error_message": "Archived element"},
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"archived_code": "archived"},
                400,
                fields={
                    "": {
                        "archived_code": [
                            "Select a valid choice. archived is not one of the available choices."
                        ]
                    }
                },
            ),
            Step(
                "PATCH",
                "/projects/{project}",
                {"archived_code": None},
                fields={"archived_code": None},
            ),
        ),
        project="scrum",
    ),
    Case(
        "PUT resets what it does not name",
        "project_lifecycle.json 92-93",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {
                    "tags": ["a"],
                    "tags_colors": [["k", None]],
                    "is_looking_for_people": True,
                    "is_epics_activated": True,
                },
            ),
            Step(
                "PUT",
                "/projects/{project}",
                {"name": "{unique} put"},
                400,
                fields={"": {"description": REQUIRED}},
            ),
            Step(
                "PUT",
                "/projects/{project}",
                {"name": "{unique} put", "description": "d2"},
                fields={
                    "tags": [],
                    "tags_colors": {},
                    "is_looking_for_people": False,
                    "is_epics_activated": False,
                    "creation_template": None,
                    "default_us_status": None,
                    "default_points": None,
                    "is_backlog_activated": True,
                },
            ),
            Step("POST", "/userstories", {"project": "{project}", "subject": "x"}, 500),
        ),
        project="scrum",
    ),
    Case(
        "a deleted project is 404 to read and 403 to delete again, and frees its slug",
        "project_lifecycle.json 128-137",
        (
            Step("POST", "/projects", _NEW, 201, save={"gone": "id"}),
            Step("DELETE", "/projects/{gone}", status=204, fields={"": ""}),
            Step("GET", "/projects/{gone}", status=404, fields={"": {"_error_message": ""}}),
            Step("DELETE", "/projects/{gone}", status=403, fields={"": FORBIDDEN}),
            Step("PATCH", "/projects/{gone}", {"name": "x"}, 403),
            Step("POST", "/projects", _NEW, 201, fields={"slug": "{unique}"}),
        ),
    ),
    Case(
        "modules take foreign keys and merge them",
        "project_lifecycle.json 107-109",
        (
            Step(
                "PATCH",
                "/projects/{project}/modules",
                {"crm_sync": {"deal": "1001", "n": [1, {"a": "é🎉"}]}},
                204,
            ),
            Step("PATCH", "/projects/{project}/modules", {"other": 1}, 204),
            Step(
                "GET",
                "/projects/{project}/modules",
                fields={"crm_sync": {"deal": "1001", "n": [1, {"a": "é🎉"}]}, "other": 1},
            ),
            Step("PATCH", "/projects/{project}/modules", [1], 500),
        ),
        project="scrum",
    ),
    Case(
        "a copy has the tags and colours, and so the marker",
        "project_duplicate_transfer_archive_blocked.json 10",
        (
            Step(
                "PATCH",
                "/projects/{project}",
                {"tags": ["a"], "tags_colors": [["crm-key:1", None]]},
            ),
            Step("POST", "/userstories", {"project": "{project}", "subject": "s"}, 201),
            Step(
                "POST",
                "/projects/{project}/duplicate",
                {
                    "name": "{unique} copy",
                    "description": "dd",
                    "is_private": True,
                    "users": [],
                },
                201,
                fields={
                    "tags": ["a"],
                    "tags_colors": {"crm-key:1": None},
                    "slug": "{unique}-copy",
                    "description": "dd",
                    "roles": Length(6),
                    "total_memberships": 1,
                    "total_activity": 1,
                    "i_am_owner": True,
                    "i_am_admin": False,
                },
                save={"copy": "id"},
            ),
            Step("GET", "/userstories?project={copy}", fields={"": []}),
            Step("GET", "/projects/{copy}", fields={"i_am_admin": True}),
        ),
        project="scrum",
    ),
    Case(
        "a copy needs four fields",
        "project_lifecycle.json 118",
        (
            Step(
                "POST",
                "/projects/{project}/duplicate",
                {"name": "{unique} copy"},
                400,
                fields={"": {"description": REQUIRED, "is_private": REQUIRED, "users": REQUIRED}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "tag colours can be made and deleted singly",
        "project_lifecycle.json 99-106",
        (
            Step(
                "POST",
                "/projects/{project}/create_tag",
                {"tag": "hot", "color": "#ff0000"},
                fields={"": ""},
            ),
            Step(
                "POST",
                "/projects/{project}/create_tag",
                {"tag": "hot"},
                400,
                fields={"": {"tag": ["This tag already exists."]}},
            ),
            Step("GET", "/projects/{project}/tags_colors", fields={"": {"hot": "#ff0000"}}),
            Step("POST", "/projects/{project}/delete_tag", {"tag": "hot"}),
            Step(
                "POST",
                "/projects/{project}/delete_tag",
                {"tag": "nope"},
                400,
                fields={"": {"tag": ["The tag doesn't exist."]}},
            ),
        ),
        project="scrum",
    ),
)

_JOIN = Step(
    "POST",
    "/memberships",
    {"project": "{project}", "role": "{role_front}", "username": "{unique}@example.test"},
    201,
)
_FACTS = "project_lifecycle.json 79-91 and facts 12"
DETECTOR = (
    _moves(
        "a rename moves all three",
        _FACTS,
        Step("PATCH", "/projects/{project}", {"name": "{unique} b"}),
        modified=True,
        totals=True,
    ),
    _moves(
        "an empty change moves modified_date alone",
        _FACTS,
        Step("PATCH", "/projects/{project}", {}),
        modified=True,
        totals=False,
    ),
    _moves(
        "a description moves modified_date alone",
        _FACTS,
        Step("PATCH", "/projects/{project}", {"description": "other"}),
        modified=True,
        totals=False,
    ),
    _moves(
        "tag colours move modified_date alone",
        _FACTS,
        Step("PATCH", "/projects/{project}", {"tags_colors": [["k", None]]}),
        modified=True,
        totals=False,
    ),
    _moves(
        "a story moves the totals",
        _FACTS,
        Step("POST", "/userstories", {"project": "{project}", "subject": "s"}, 201),
        modified=False,
        totals=True,
    ),
    _moves(
        "a milestone moves the totals",
        _FACTS,
        Step(
            "POST",
            "/milestones",
            {
                "project": "{project}",
                "name": "m",
                "estimated_start": "2026-01-01",
                "estimated_finish": "2026-01-09",
            },
            201,
        ),
        modified=False,
        totals=True,
    ),
    _moves(
        "a wiki page moves the totals",
        _FACTS,
        Step("POST", "/wiki", {"project": "{project}", "slug": "home", "content": "x"}, 201),
        modified=False,
        totals=True,
    ),
    _moves(
        "an invitation moves nothing",
        "facts 12, checked",
        _JOIN,
        modified=False,
        totals=False,
    ),
    replace(
        _moves(
            "a known person who joins moves the totals",
            "facts 12, checked",
            replace(_JOIN, body={**_JOIN.body, "username": "ana@example.test"}),
            modified=False,
            totals=True,
        ),
        people=True,
    ),
    _moves(
        "a new role moves nothing",
        _FACTS,
        Step("POST", "/roles", {"project": "{project}", "name": "r", "permissions": []}, 201),
        modified=False,
        totals=False,
    ),
    _moves(
        "a changed membership moves nothing",
        _FACTS,
        Step("PATCH", "/memberships/{membership}", {"role": "{role_back}"}),
        modified=False,
        totals=False,
    ),
    _moves(
        "modules move nothing",
        _FACTS,
        Step("PATCH", "/projects/{project}/modules", {"x": 1}, 204),
        modified=False,
        totals=False,
    ),
    _moves(
        "a new tag colour of its own moves nothing",
        _FACTS,
        Step("POST", "/projects/{project}/create_tag", {"tag": "x"}),
        modified=False,
        totals=False,
    ),
)

CASES = (*CREATION, *READING, *CHANGES, *DETECTOR)
