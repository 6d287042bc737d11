"""Roles, memberships, invitations."""

from typing import Any

from tests.contract.taiga.case import (
    ABSENT,
    FORBIDDEN,
    REQUIRED,
    SERVER_ERROR,
    Case,
    Kind,
    Length,
    Same,
    Step,
)

_ALREADY = {"username": ["The user yet exists in the project"]}
_NO_CONTACT = {"username": ["The user must be a valid contact"]}
_ON_FILE = {
    "bulk_memberships": ["The user with this email address is already added to the project."]
}
_LAST_ADMIN = {
    "_error_message": (
        "The project must have an owner and at least one of the users must be an active admin"
    ),
    "_error_type": "taiga.base.exceptions.BadRequest",
}


def _join(username: str, status: int = 201, role: Any = "{role_front}", **expected: Any) -> Step:
    body = {"project": "{project}", "role": role, "username": username}
    return Step("POST", "/memberships", body, status, **expected)


def _bulk(items: list[dict[str, Any]], status: int = 200, **expected: Any) -> Step:
    body = {"project_id": "{project}", "bulk_memberships": items}
    return Step("POST", "/memberships/bulk_create", body, status, **expected)


def _item(username: str, role: Any = "{role_front}") -> dict[str, Any]:
    return {"role_id": role, "username": username}


def _role(body: dict[str, Any], status: int = 201, **expected: Any) -> Step:
    return Step("POST", "/roles", {"project": "{project}", **body}, status, **expected)


ROLES = (
    Case(
        "roles come by place and name, whatever their project, and all at once if asked to",
        "roles.json 28; tried on 6.10.0",
        (
            _role({"name": "aaa", "order": -7}, save={"first": "id"}),
            _role({"name": "aaa", "order": -8}, save={"earlier": "id"}),
            Step(
                "GET",
                "/roles?page_size=2",
                fields={"": Length(2), "0.id": Same("earlier"), "1.id": Same("first")},
                headers={"X-Pagination-Next": Kind("str")},
            ),
            Step(
                "GET",
                "/roles?page_size=2",
                fields={"0.id": Same("earlier"), "[id={role_ux}].name": "UX"},
                headers={"X-Pagination-Next": ABSENT},
                send={"x-disable-pagination": "True"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "roles are listed with their permissions and holders",
        "roles.json 28",
        (
            Step(
                "GET",
                "/roles?project={project}",
                fields={
                    "": Length(6),
                    "[slug=ux].permissions": Length(33),
                    "[slug=ux].members_count": 0,
                    "[slug=product-owner].members_count": 1,
                    "[slug=product-owner].project": "{project}",
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a new role has no permissions unless given, and its name may repeat",
        "roles.json 29-32",
        (
            _role(
                {"name": "Sales Eng"},
                fields={
                    "slug": "sales-eng",
                    "permissions": [],
                    "computable": True,
                    "order": 10,
                    "members_count": 0,
                },
            ),
            _role(
                {"name": "Sales Eng", "permissions": ["view_project", "view_us"], "order": 70},
                fields={
                    "slug": "sales-eng-1",
                    "permissions": ["view_project", "view_us"],
                    "order": 70,
                },
            ),
            _role(
                {"name": "Sales Eng", "computable": False, "slug": "mine"},
                fields={"slug": "sales-eng-2", "computable": False},
            ),
        ),
        project="scrum",
    ),
    Case(
        "an unknown permission is 400",
        "roles.json 30",
        (
            _role(
                {"name": "r", "permissions": ["view_project", "view_us", "bogus_perm"]},
                400,
                fields={
                    "": {
                        "permissions": [
                            "Item 3 in the array did not validate: "
                            "Value 'bogus_perm' is not a valid choice."
                        ]
                    }
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a role's name has at most 200 characters",
        "roles.json 33",
        (
            _role(
                {"name": "x" * 201},
                400,
                fields={
                    "": {"name": ["Ensure this value has at most 200 characters (it has 201)."]}
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a renamed role keeps its slug",
        "roles.json 35-36",
        (
            _role({"name": "Sales Eng", "permissions": ["view_us"]}, save={"new": "id"}),
            Step(
                "PATCH",
                "/roles/{new}",
                {"name": "Presales"},
                fields={"name": "Presales", "slug": "sales-eng", "permissions": ["view_us"]},
            ),
        ),
        project="scrum",
    ),
    Case(
        "deleting a role removes those who hold it",
        "roles.json 43-47",
        (
            _role({"name": "Third", "permissions": ["view_project"]}, save={"new": "id"}),
            _join("{unique}@example.test", role="{new}", save={"membership": "id"}),
            Step("DELETE", "/roles/{new}", status=204),
            Step(
                "GET",
                "/memberships/{membership}",
                status=404,
                fields={"": {"_error_message": "No Membership matches the given query."}},
            ),
            Step("DELETE", "/roles/{new}", status=403, fields={"": FORBIDDEN}),
        ),
        project="scrum",
    ),
    Case(
        "moveTo keeps those who hold a deleted role",
        "roles.json 52-54",
        (
            _role({"name": "Third", "permissions": ["view_project"]}, save={"new": "id"}),
            _join("{unique}@example.test", role="{new}", save={"membership": "id"}),
            Step(
                "DELETE",
                "/roles/{new}?moveTo=999999999",
                status=404,
                fields={"": {"_error_message": "No Role matches the given query."}},
            ),
            Step("DELETE", "/roles/{new}?moveTo={role_ux}", status=204),
            Step("GET", "/memberships/{membership}", fields={"role": "{role_ux}"}),
        ),
        project="scrum",
    ),
    Case(
        "a role that becomes computable brings an estimate to every story, a new one does not",
        "roles.json 37-40, 51, 56-59",
        (
            Step(
                "POST",
                "/userstories",
                {"project": "{project}", "subject": "s"},
                201,
                fields={"points": Length(4)},
                save={"story": "id"},
            ),
            _role({"name": "Fifth"}, save={"new": "id"}),
            Step("GET", "/userstories/{story}", fields={"points": Length(4)}),
            Step("PATCH", "/roles/{new}", {"computable": False}),
            Step("PATCH", "/roles/{new}", {"computable": True}),
            Step("GET", "/userstories/{story}", fields={"points": Length(5)}),
            Step("PATCH", "/roles/{new}", {"computable": False}),
            Step("GET", "/userstories/{story}", fields={"points": Length(4)}),
        ),
        project="scrum",
    ),
)

MEMBERSHIPS = (
    Case(
        "the owner is a member with administration",
        "memberships.json 1",
        (
            Step(
                "GET",
                "/memberships?project={project}",
                fields={
                    "": Length(1),
                    "0.user": "{user_id}",
                    "0.is_admin": True,
                    "0.is_owner": True,
                    "0.role_name": "Product Owner",
                    "0.email": "{email}",
                    "0.user_email": "{email}",
                    "0.invited_by": None,
                },
                headers={"x-pagination-count": "1"},
            ),
        ),
        project="scrum",
    ),
    Case(
        "an e-mail adds a known person",
        "memberships.json 2",
        (
            _join(
                "ana@example.test",
                fields={
                    "user": Kind("int"),
                    "is_admin": False,
                    "role_name": "Front",
                    "is_user_active": True,
                    "email": "ana@example.test",
                    "user_email": "ana@example.test",
                    "invited_by.username": "{user}",
                    "is_owner": False,
                    "project_slug": "{slug}",
                },
            ),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "adding somebody again is 400",
        "memberships.json 3",
        (
            _join("ana@example.test"),
            _join("ana@example.test", 400, fields={"": _ALREADY}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "is_admin can be given at once",
        "memberships.json 5",
        (
            Step(
                "POST",
                "/memberships",
                {
                    "project": "{project}",
                    "role": "{role_front}",
                    "username": "dora@example.test",
                    "is_admin": True,
                },
                201,
                fields={"is_admin": True},
            ),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "a member's e-mail in capitals crashes the server",
        "memberships.json 6",
        (
            _join("dora@example.test"),
            _join("DORA@EXAMPLE.TEST", 500, fields={"": SERVER_ERROR}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "an unknown e-mail makes an invitation without a user",
        "memberships.json 7-8",
        (
            _join(
                "{unique}@example.test",
                fields={
                    "user": None,
                    "email": "{unique}@example.test",
                    "user_email": None,
                    "full_name": None,
                    "is_user_active": False,
                    "is_owner": None,
                    "color": None,
                },
            ),
            _join("{unique}@example.test", 400, fields={"": _ALREADY}),
        ),
        project="scrum",
    ),
    Case(
        "a user name must be that of a contact",
        "memberships.json 4, 9-10",
        (
            _join("{unique}", 400, fields={"": _NO_CONTACT}),
            _join("not an email", 400, fields={"": _NO_CONTACT}),
        ),
        project="scrum",
    ),
    Case(
        "a contact's user name works, once",
        "memberships.json 13, 25",
        (
            _join("ana@example.test"),
            _join("ana", 400, fields={"": _ALREADY}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "a membership needs a username",
        "memberships.json 11-12, 14",
        (
            Step(
                "POST",
                "/memberships",
                {"project": "{project}", "role": "{role_front}", "email": "x@example.test"},
                400,
                fields={"": {"username": REQUIRED}},
            ),
            _join("", 400, fields={"": {"username": REQUIRED}}),
        ),
        project="scrum",
    ),
    Case(
        "an unknown role is 400",
        "memberships.json 16",
        (
            _join(
                "{unique}@example.test",
                400,
                role=999999999,
                fields={"": {"role": ["Invalid pk '999999999' - object does not exist."]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a role of another project is 400",
        "memberships.json 18",
        (
            Step(
                "POST",
                "/projects",
                {"name": "{unique} other", "description": "d"},
                201,
                save={"foreign": "roles.0.id"},
            ),
            _join(
                "{unique}@example.test",
                400,
                role="{foreign}",
                fields={"": {"role": ["Invalid role for the project"]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "role and administration can change",
        "memberships.json 39-40, 44",
        (
            _join("{unique}@example.test", save={"row": "id"}),
            Step(
                "PATCH",
                "/memberships/{row}",
                {"role": "{role_back}"},
                fields={"role": "{role_back}", "role_name": "Back", "email": ABSENT},
            ),
            Step("PATCH", "/memberships/{row}", {"is_admin": True}, fields={"is_admin": True}),
            Step("PATCH", "/memberships/{row}", {"user": 1}, fields={"user": None}),
        ),
        project="scrum",
    ),
    Case(
        "the owner must stay administrator",
        "memberships.json 41",
        (
            Step(
                "PATCH",
                "/memberships/{membership}",
                {"is_admin": False},
                400,
                fields={"": {"is_admin": ["The project owner must be admin."]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a changed membership must have a role that exists and stays in its project",
        "memberships.json 43, 45",
        (
            Step(
                "PATCH",
                "/memberships/{membership}",
                {"role": 999999999},
                400,
                fields={"": {"role": ["Invalid pk '999999999' - object does not exist."]}},
            ),
            Step(
                "POST",
                "/projects",
                {"name": "{unique} other", "description": "d"},
                201,
                save={"other": "id"},
            ),
            Step(
                "PATCH",
                "/memberships/{membership}",
                {"project": "{other}"},
                400,
                fields={"": {"project": ["Invalid operation"]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "PUT needs username and project",
        "memberships.json 46",
        (
            _join("{unique}@example.test", save={"row": "id"}),
            Step(
                "PUT",
                "/memberships/{row}",
                {"role": "{role_back}"},
                400,
                fields={"": {"username": REQUIRED, "project": REQUIRED}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "the owner cannot be removed",
        "memberships.json 47",
        (
            Step(
                "DELETE",
                "/memberships/{membership}",
                status=400,
                fields={"": _LAST_ADMIN},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a removed membership is 403 to remove again and 404 to read",
        "memberships.json 48-50",
        (
            _join("{unique}@example.test", save={"row": "id"}),
            Step("DELETE", "/memberships/{row}", status=204, fields={"": ""}),
            Step("DELETE", "/memberships/{row}", status=403, fields={"": FORBIDDEN}),
            Step(
                "GET",
                "/memberships/{row}",
                status=404,
                fields={"": {"_error_message": "No Membership matches the given query."}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "an owner cannot leave",
        "checked beside memberships.json 54",
        (
            Step(
                "POST",
                "/projects/{project}/leave",
                status=403,
                fields={
                    "_error_message": (
                        "You can't leave the project if you are the owner "
                        "or there are no more admins"
                    )
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a stranger sees nothing of what is in a project",
        "checked beside project_lifecycle.json 13",
        (
            Step(
                "POST",
                "/userstories",
                {"project": "{project}", "subject": "s"},
                201,
                save={"story": "id"},
            ),
            Step("GET", "/userstories/{story}", status=403, actor="outsider"),
            Step("GET", "/timeline/project/{project}", status=403, actor="outsider"),
            Step("GET", "/history/userstory/{story}", status=403, actor="outsider"),
            Step("GET", "/projects/{project}/stats", status=404, actor="outsider"),
            Step("GET", "/projects/{project}/modules", status=404, actor="outsider"),
            Step("POST", "/projects/{project}/leave", status=404, actor="outsider"),
            Step("GET", "/roles?project={project}", actor="outsider", fields={"": []}),
            Step(
                "POST",
                "/userstories",
                {"project": "{project}", "subject": "x"},
                403,
                actor="outsider",
            ),
        ),
        project="scrum",
    ),
    Case(
        "without a project the list has no e-mails",
        "facts 6",
        (
            Step(
                "GET",
                "/memberships?page_size=1000",
                fields={
                    "[id={membership}].user": "{user_id}",
                    "[id={membership}].email": ABSENT,
                    "[id={membership}].user_email": ABSENT,
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "members appear in the project, invited people do not",
        "memberships.json 7, facts 6",
        (
            _join("{unique}@example.test"),
            Step(
                "GET",
                "/projects/{project}",
                fields={"members": Length(1), "total_memberships": 2},
            ),
        ),
        project="scrum",
    ),
)

BULK = (
    Case(
        "bulk_create answers 200 and a list",
        "memberships.json 25",
        (
            _bulk(
                [_item("ana@example.test"), _item("{unique}@example.test", "{role_back}")],
                fields={
                    "": Length(2),
                    "0.user": Kind("int"),
                    "0.role": "{role_front}",
                    "1.user": None,
                    "1.role": "{role_back}",
                    "1.is_admin": False,
                },
            ),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "bulk_create with a member who came by bulk crashes, and adds nobody",
        "memberships.json 26-27",
        (
            _bulk([_item("ana@example.test")], fields={"0.email": None}),
            _bulk(
                [_item("ana@example.test"), _item("{unique}@example.test")],
                500,
                fields={"": SERVER_ERROR},
            ),
            Step("GET", "/memberships?project={project}", fields={"": Length(2)}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "bulk_create with a member who came by e-mail is 400",
        "checked beside memberships.json 26",
        (
            _join("ana@example.test"),
            _bulk([_item("ana@example.test")], 400, fields={"": _ON_FILE}),
            _bulk([_item("ana")], 500, fields={"": SERVER_ERROR}),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "bulk_create twice the same e-mail is 400",
        "checked beside memberships.json 29",
        (
            _bulk(
                [_item("{unique}@example.test"), _item("{unique}@example.test")],
                400,
                fields={
                    "": {
                        "bulk_memberships": [
                            "You are attempting to invite the same email address multiple times."
                        ]
                    }
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a person's e-mail is found in any case, and kept as typed",
        "checked beside memberships.json 6",
        (
            _join(
                "DORA@EXAMPLE.TEST",
                fields={"user_email": "dora@example.test", "email": "DORA@EXAMPLE.TEST"},
            ),
        ),
        project="scrum",
        people=True,
    ),
    Case(
        "an invitation in other letters is another invitation",
        "checked beside memberships.json 8",
        (
            _join("{unique}@example.test"),
            _join("{unique}@EXAMPLE.test", fields={"user": None}),
        ),
        project="scrum",
    ),
    Case(
        "bulk_create with an invited e-mail is 400",
        "memberships.json 28",
        (
            _join("{unique}@example.test"),
            _bulk(
                [_item("{unique}@example.test")],
                400,
                fields={"": _ON_FILE},
            ),
        ),
        project="scrum",
    ),
    Case(
        "bulk_create says by place what was wrong",
        "memberships.json 30-31, 34",
        (
            _bulk(
                [_item("{unique}@example.test"), _item("{unique}")],
                400,
                fields={"": {"bulk_memberships": [{}, _NO_CONTACT]}},
            ),
            _bulk(
                [{"role_id": "{role_front}"}],
                400,
                fields={"": {"bulk_memberships": [{"username": REQUIRED}]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "bulk_create needs roles of the project",
        "memberships.json 32",
        (
            _bulk(
                [_item("{unique}@example.test", 999999999)],
                400,
                fields={
                    "": {
                        "bulk_memberships": [
                            "Invalid role ids. All roles must belong to the same project."
                        ]
                    }
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "bulk_create of nobody is fine",
        "memberships.json 33",
        (_bulk([], fields={"": []}),),
        project="scrum",
    ),
)

CASES = (*ROLES, *MEMBERSHIPS, *BULK)
