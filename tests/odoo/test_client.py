"""Both ways of asking Odoo, and what its errors mean: the same behind either."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.errors import (
    Failing,
    NotSent,
    OutcomeUnknown,
    Rejected,
    SyncError,
    Unauthorised,
    Unavailable,
    Unreachable,
    Vanished,
)
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.odoo.addresses import base_addresses
from taiga_pipeline.odoo.client import OdooClient
from tests.odoo.fake import DATABASE, KEY, LOGIN, URL, FakeOdoo, Refused
from tests.targets.support import ManualClock


@pytest.fixture(params=[14, 19], ids=["json-rpc", "json-2"])
def odoo(request: pytest.FixtureRequest) -> Iterator[FakeOdoo]:
    clock = ManualClock()
    fake = FakeOdoo(version=request.param, now=clock.now)
    with fake.answer():
        yield fake


def client(key: str = KEY, username: str = LOGIN) -> OdooClient:
    connection = Connection(URL, "acme", username=username, token=Secret(key))
    return OdooClient(connection, DATABASE, ManualClock())


def failing(odoo: FakeOdoo, *errors: Refused, call: str = "project.tags/create") -> None:
    """Has the next calls of a method fail, one after the other."""
    waiting = list(errors)

    def fail(what: str) -> None:
        if what == call and waiting:
            raise waiting.pop(0)

    odoo.faults = fail


def test_the_log_in_comes_before_the_first_call(odoo: FakeOdoo) -> None:
    asked = client()
    assert asked.read("res.company", "search_count", domain=[]) == 1
    tried_and_language = 2 * (odoo.version == 14)  # JSON-2 is tried first, and tells the language
    assert asked.request_count == 2 + tried_and_language
    assert asked.uid == odoo.robot


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("odoo.exceptions.UserError", Rejected),
        ("odoo.exceptions.ValidationError", Rejected),
        ("odoo.exceptions.AccessError", Rejected),
        ("odoo.exceptions.MissingError", Vanished),
        ("odoo.exceptions.AccessDenied", Unauthorised),
        ("builtins.KeyError", OutcomeUnknown),
        ("psycopg2.errors.SerializationFailure", OutcomeUnknown),
    ],
)
def test_errors_are_told_apart_by_their_names(
    odoo: FakeOdoo, name: str, error: type[SyncError]
) -> None:
    failing(odoo, *[Refused(name, "Why it is so")] * 20)
    with pytest.raises(error):
        client().make("project.tags", "create", vals_list=[{"name": "x"}])


def test_a_refusal_says_what_odoo_says_and_not_its_traceback(odoo: FakeOdoo) -> None:
    failing(odoo, Refused("UserError", "Why it is so"))
    with pytest.raises(Rejected, match="Why it is so") as error:
        client().make("project.tags", "create", vals_list=[{"name": "x"}])
    assert "Traceback" not in str(error.value)
    assert KEY not in str(error.value)


def test_what_may_be_repeated_is_and_what_makes_something_is_not(odoo: FakeOdoo) -> None:
    asked = client()
    (tag,) = asked.make("project.tags", "create", vals_list=[{"name": "x"}])
    failing(odoo, Refused("x", status=502), call="project.tags/write")
    assert asked.change("project.tags", "write", [tag], vals={"name": "y"}) is True
    failing(odoo, Refused("x", status=502), call="project.tags/search_count")
    assert asked.read("project.tags", "search_count", domain=[]) == 1
    failing(odoo, Refused("x", status=502))
    with pytest.raises(OutcomeUnknown):
        asked.make("project.tags", "create", vals_list=[{"name": "z"}])
    assert odoo.calls.count("project.tags/create") == 2


def test_an_argument_that_a_module_of_somebody_else_renamed_is_named_so(odoo: FakeOdoo) -> None:
    odoo.renamed = {
        "project.tags/create": ("vals_list", "values"),
        "project.tags/write": ("vals", "values"),
    }
    asked = client()
    for name in ("x", "y"):
        (tag,) = asked.make("project.tags", "create", vals_list=[{"name": name}])
        assert asked.change("project.tags", "write", [tag], vals={"name": f"{name}{name}"})
    names = [row["name"] for row in odoo.rows["project.tags"].values()]
    assert names == ["xx", "yy"]
    assert odoo.calls.count("project.tags/create") == 2


def test_an_argument_that_does_not_fit_is_refused_once_and_said(odoo: FakeOdoo) -> None:
    def refuse(what: str) -> None:
        if what.endswith("create"):
            raise Refused("UserError", "missing a required argument: 'values'")

    odoo.faults = refuse
    with pytest.raises(Rejected, match="missing a required argument"):
        client().make("project.tags", "create", vals_list=[{"name": "x"}])
    assert odoo.calls.count("project.tags/create") <= 2


def test_names_are_asked_for_in_the_language_of_the_account(odoo: FakeOdoo) -> None:
    stage = odoo.stages["New"]
    odoo.rename("crm.stage", stage, "Nytt", "sv_SE")
    asked = {"domain": [["id", "=", stage]], "fields": ["name"]}
    for language, name in (("en_US", "New"), ("sv_SE", "Nytt"), ("de_DE", "New")):
        odoo.language = language
        assert client().read("crm.stage", "search_read", **asked)[0]["name"] == name


def test_a_server_that_is_away_is_waited_for_and_then_said(odoo: FakeOdoo) -> None:
    asked = client()
    asked.read("res.company", "search_count", domain=[])
    failing(odoo, *[Refused("x", status=503)] * 50, call="res.company/search_count")
    with pytest.raises(Unavailable):
        asked.read("res.company", "search_count", domain=[])
    failing(odoo, *[Refused("builtins.ValueError")] * 50, call="res.company/search_count")
    with pytest.raises(Failing):
        asked.read("res.company", "search_count", domain=[])


def test_nobody_there_is_said_before_anything_was_sent() -> None:
    connection = Connection("http://127.0.0.1:9", "acme", username="x", token=Secret(KEY))
    nobody = OdooClient(connection, DATABASE, ManualClock())
    with pytest.raises((NotSent, Unavailable, Unreachable)):
        nobody.read("res.company", "search_count", domain=[])


@pytest.mark.parametrize("odoo", [14], indirect=True)
def test_a_method_that_returns_nothing_returns_none(odoo: FakeOdoo) -> None:
    odoo._do_nothing = lambda model, ids, uid: None  # type: ignore[attr-defined]
    assert client().change("res.company", "nothing", [1]) is None


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://odoo.example.com/", ["https://odoo.example.com"]),
        ("https://odoo.example.com/web#id=7", ["https://odoo.example.com"]),
        ("https://odoo.example.com/at/web#id=7", ["https://odoo.example.com/at"]),
        ("https://h/odoo/web/login", ["https://h/odoo"]),
        ("https://h/odoo/project/7", ["https://h", "https://h/odoo"]),
        ("http://h:8069/at/odoo/", ["http://h:8069/at/odoo"]),
    ],
)
def test_an_address_from_the_browser_leads_to_the_server(url: str, addresses: list[str]) -> None:
    assert [*base_addresses(url, "target")] == addresses


def test_an_odoo_that_a_proxy_has_under_its_name_is_found(odoo: FakeOdoo) -> None:
    odoo.prefix = "odoo/"
    connection = Connection(f"{URL}/odoo", "acme", username=LOGIN, token=Secret(KEY))
    asked = OdooClient(connection, DATABASE, ManualClock())
    assert asked.read("res.company", "search_count", domain=[]) == 1
    assert asked.server == f"{URL}/odoo"


@pytest.mark.parametrize("url", ["odoo.example.com", "ftp://x", "https://a:b@odoo.example.com"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SyncError, match=r"target\.url"):
        base_addresses(url, "target")
