"""Wiki pages, attachments, private storage, notification policies."""

from typing import Any

from tests.contract.taiga.case import (
    REQUIRED,
    Case,
    Kind,
    Length,
    Matches,
    Step,
)

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
_NO_ENTRY = {"_error_message": "No StorageEntry matches the given query."}


def _page(body: dict[str, Any] | None = None, status: int = 201, **more: Any) -> Step:
    body = {"project": "{project}", "slug": "home", "content": "x", **(body or {})}
    if status == 201:
        more["save"] = {"page": "id"}
    return Step("POST", "/wiki", body, status, **more)


def _upload(name: str, content: bytes, status: int = 201, **more: Any) -> Step:
    return Step(
        "POST",
        "/wiki/attachments",
        {"project": "{project}", "object_id": "{page}", "description": "d"},
        status,
        files={"attached_file": (name, content)},
        **more,
    )


CASES = (
    Case(
        "the timeline says who changed a wiki page last",
        "seen on a real server (6.10.0) while a project manager answered on a page",
        (
            _page(),
            Step(
                "PATCH",
                "/wiki/{page}",
                {"content": "y", "version": 1},
                fields={"version": 2, "last_modifier": "{user_id}"},
            ),
            Step(
                "GET",
                "/timeline/project/{project}",
                fields={
                    "0.event_type": "wiki.wikipage.change",
                    "0.data.wikipage.id": "{page}",
                    "0.data.user.id": "{user_id}",
                    "0.data.user.name": Kind("str"),
                },
            ),
        ),
        project="scrum",
    ),
    Case(
        "a wiki page is made with version 1",
        "wiki.json 2",
        (
            _page(
                fields={
                    "slug": "home",
                    "content": "x",
                    "version": 1,
                    "owner": "{user_id}",
                    "last_modifier": "{user_id}",
                    "html": Matches("<p>x</p>"),
                    "editions": 1,
                }
            ),
        ),
        project="scrum",
    ),
    Case(
        "a wiki page is unique by slug",
        "wiki.json 4",
        (
            _page(),
            _page(
                status=400,
                fields={"": {"__all__": ["Wiki page with this Project and Slug already exists."]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a wiki slug has letters, digits, hyphens",
        "wiki.json 5-9",
        (
            _page(
                {"slug": "Bad Slug!"},
                400,
                fields={
                    "": {
                        "slug": [
                            "Enter a valid “slug” consisting of Unicode letters, "
                            "numbers, underscores, or hyphens."
                        ]
                    }
                },
            ),
            _page({"slug": "crm_key-1001", "content": ""}),
            _page({"slug": "проект"}),
            _page(
                {"slug": "x" * 501},
                400,
                fields={
                    "": {"slug": ["Ensure this value has at most 500 characters (it has 501)."]}
                },
            ),
            Step(
                "POST",
                "/wiki",
                {"project": "{project}", "content": "y"},
                400,
                fields={"": {"slug": REQUIRED}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a wiki page changes by version",
        "wiki.json 10-12",
        (
            _page(),
            Step(
                "PATCH",
                "/wiki/{page}",
                {"content": "new", "version": 1},
                fields={"content": "new", "version": 2},
            ),
            Step(
                "PATCH",
                "/wiki/{page}",
                {"content": "stale", "version": 1},
                400,
                fields={"": {"version": "The version doesn't match with the current one"}},
            ),
            Step(
                "PATCH",
                "/wiki/{page}",
                {"content": "none"},
                400,
                fields={"": {"version": "The version parameter is not valid"}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a wiki page is found by slug",
        "wiki.json 1, 13-14",
        (
            _page(),
            Step("GET", "/wiki/by_slug?slug=home&project={project}", fields={"id": "{page}"}),
            Step("GET", "/wiki?project={project}&slug=home", fields={"": Length(1)}),
            Step("GET", "/wiki?project={project}", fields={"0.content": "x"}),
            Step(
                "GET",
                "/wiki/by_slug?slug=none&project={project}",
                status=404,
                fields={"": {"_error_message": "No WikiPage matches the given query."}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "modified_date does not filter wiki pages",
        "lookups.json 36",
        (
            _page(),
            Step(
                "GET",
                "/wiki?project={project}&modified_date__gte=2030-01-01",
                fields={"": Length(1)},
            ),
        ),
        project="scrum",
    ),
    Case(
        "a deleted wiki page is gone",
        "facts 0.10",
        (
            _page(),
            Step("DELETE", "/wiki/{page}", status=204),
            Step("GET", "/wiki/{page}", status=404),
            Step("DELETE", "/wiki/{page}", status=403),
        ),
        project="scrum",
    ),
    Case(
        "a wiki link makes an empty page of its title, and may repeat",
        "wiki.json 15-17",
        (
            Step(
                "POST",
                "/wiki-links",
                {"project": "{project}", "title": "Plan", "href": "home"},
                201,
                fields={"href": "plan", "title": "Plan"},
            ),
            Step(
                "POST",
                "/wiki-links",
                {"project": "{project}", "title": "Plan"},
                201,
                fields={"href": "plan-1"},
            ),
            Step(
                "GET",
                "/wiki/by_slug?slug=plan&project={project}",
                fields={"content": ""},
            ),
            Step("GET", "/wiki-links?project={project}", fields={"": Length(2)}),
        ),
        project="scrum",
    ),
    Case(
        "a PNG is attached and listed with its hash",
        "wiki.json 19, 24-25",
        (
            _page(),
            _upload(
                "a.png",
                _PNG,
                fields={
                    "name": "a.png",
                    "size": len(_PNG),
                    "sha1": Matches("[0-9a-f]{40}$"),
                    "object_id": "{page}",
                    "description": "d",
                    "url": Matches(r"http.*/a\.png#_taiga-refresh=wikipage:\d+"),
                },
                save={"file": "id"},
            ),
            Step(
                "GET",
                "/wiki/attachments?project={project}&object_id={page}",
                fields={"": Length(1), "0.id": "{file}"},
            ),
            Step("DELETE", "/wiki/attachments/{file}", status=204),
            Step("GET", "/wiki/attachments?project={project}&object_id={page}", fields={"": []}),
        ),
        project="scrum",
    ),
    Case(
        "an empty file is 400",
        "wiki.json 22",
        (
            _page(),
            _upload(
                "e.txt",
                b"",
                400,
                fields={"": {"attached_file": ["The submitted file is empty."]}},
            ),
        ),
        project="scrum",
    ),
    Case(
        "an SVG poisons its page",
        "wiki.json 29-32",
        (
            _page(),
            _upload("a.svg", _SVG, 500, headers={"Content-Type": Matches("text/html")}),
            Step("GET", "/wiki/attachments?project={project}&object_id={page}", status=500),
            Step("GET", "/wiki/{page}"),
            Step("PATCH", "/wiki/{page}", {"content": "y", "version": 1}, 500),
        ),
        project="scrum",
    ),
    Case(
        "storage keeps any JSON under a key that is unique",
        "user_storage.json 1-4",
        (
            Step(
                "POST",
                "/user-storage",
                {"key": "{unique}", "value": {"project": 1, "x": [1, "é🎉"]}},
                201,
                fields={"key": "{unique}", "value": {"project": 1, "x": [1, "é🎉"]}},
            ),
            Step(
                "POST",
                "/user-storage",
                {"key": "{unique}", "value": 1},
                400,
                fields={
                    "": {
                        "_error_message": (
                            "Duplicate key value violates unique constraint. "
                            "Key '{unique}' already exists."
                        ),
                        "_error_type": "taiga.base.exceptions.BadRequest",
                    }
                },
            ),
            Step("GET", "/user-storage/{unique}", fields={"value.project": 1}),
            Step(
                "PATCH",
                "/user-storage/{unique}",
                {"value": {"y": 1}},
                fields={"value": {"y": 1}, "modified_date": Kind("str")},
            ),
            Step("DELETE", "/user-storage/{unique}", status=204),
            Step("GET", "/user-storage/{unique}", status=404, fields={"": _NO_ENTRY}),
        ),
    ),
    Case(
        "storage is private",
        "user_storage.json 8-9",
        (
            Step("POST", "/user-storage", {"key": "{unique}", "value": 1}, 201),
            Step(
                "GET",
                "/user-storage/{unique}",
                status=404,
                actor="outsider",
                fields={"": _NO_ENTRY},
            ),
        ),
    ),
    Case(
        "storage PUT makes nothing new and needs the key",
        "user_storage.json 5-6",
        (
            Step("PUT", "/user-storage/{unique}", {"key": "{unique}", "value": 1}, 404),
            Step("POST", "/user-storage", {"key": "{unique}", "value": 1}, 201),
            Step(
                "PUT",
                "/user-storage/{unique}",
                {"value": 2},
                400,
                fields={"": {"key": REQUIRED}},
            ),
        ),
    ),
    Case(
        "storage keys have at most 255 characters",
        "user_storage.json 10",
        (
            Step(
                "POST",
                "/user-storage",
                {"key": "k" * 256, "value": 1},
                400,
                fields={
                    "": {"key": ["Ensure this value has at most 255 characters (it has 256)."]}
                },
            ),
        ),
    ),
    Case(
        "storage does not filter by key",
        "user_storage.json 20",
        (
            Step("POST", "/user-storage", {"key": "{unique}", "value": 1}, 201),
            Step(
                "GET",
                "/user-storage?key=nothing&page_size=1000",
                fields={"[key={unique}].value": 1},
            ),
        ),
    ),
    Case(
        "one's own notification level can be changed",
        "stats_notify.json 0-3",
        (
            Step(
                "GET",
                "/notify-policies?page_size=1000",
                fields={
                    "[project={project}].notify_level": 1,
                    "[project={project}].project_name": "{unique}",
                },
                save={"policy": "[project={project}].id"},
            ),
            Step(
                "PATCH",
                "/notify-policies/{policy}",
                {"notify_level": 3, "live_notify_level": 3, "web_notify_level": False},
                fields={"notify_level": 3, "live_notify_level": 3, "web_notify_level": False},
            ),
        ),
        project="scrum",
    ),
    Case(
        "webhooks are listed",
        "webhooks.json 6",
        (Step("GET", "/webhooks?project={project}", fields={"": []}),),
        project="scrum",
    ),
)
