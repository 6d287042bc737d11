"""What Odoo does that a target has to know, each trap by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from sync.errors import IncompleteRead, OutcomeUnknown, Rejected, Unauthorised
from sync.records.model import Desired, Marker, RecordKey, Value
from sync.target import Place
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.targets.odoo import create
from taiga_pipeline.targets.odoo.adapter import OdooTarget
from taiga_pipeline.targets.odoo.described import text_of, with_text
from tests.odoo.fake import DATABASE, KEY, LOGIN, URL, FakeOdoo, Refused
from tests.targets.support import ManualClock

MARKER = Marker("acme", "D-1")
FIELDS = {
    Project.STATE: "tentative",
    Project.LABEL: "(tentative)",
    Project.TITLE: "Acme",
    Project.TEXT: "Hello",
    Project.DEAL_FACTS: "Value: 1 EUR",
}


@pytest.fixture(params=[14, 19], ids=["14", "19"])
def odoo(request: pytest.FixtureRequest) -> Iterator[FakeOdoo]:
    clock = ManualClock()
    fake = FakeOdoo(version=request.param, now=clock.now, is_admin=True)
    with fake.answer():
        yield fake


def open_target() -> OdooTarget:
    connection = Connection(
        URL,
        "acme",
        username=LOGIN,
        token=Secret(KEY),
        labels=frozenset({"(tentative)"}),
        options={"database": DATABASE},
    )
    target = create(connection, ManualClock())
    target.connect()
    return target


def make(target: OdooTarget, key: str = "D-1", **more: Any) -> str:
    desired = target.fit(Desired(RecordKey(key, Kind.PROJECT), {**FIELDS, **more}))
    return target.create_root(desired, Marker("acme", key)).record.id


def test_a_rename_is_not_written_over_by_a_second_load(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    odoo.change("project.project", int(root), name="Their own words")
    assert make(target) == root
    assert odoo.calls.count("project.project/load") == 1
    assert odoo.rows["project.project"][int(root)]["name"] == "Their own words"


def test_of_two_that_load_at_once_one_makes_the_project_and_both_have_it(odoo: FakeOdoo) -> None:
    target, other = open_target(), open_target()
    raced: list[str] = []

    def race(what: str) -> None:
        if what.startswith("between look and make") and not raced:
            raced.append(what)
            raced.append(make(other))

    odoo.faults = race
    assert make(target) == raced[1]
    assert len(odoo.rows["project.project"]) == 1


def test_an_answer_to_load_that_is_lost_is_not_sent_again(odoo: FakeOdoo) -> None:
    target = open_target()

    def lose(what: str) -> None:
        if what == "after project.project/load":
            odoo.faults = lambda what: None
            raise Refused("x", status=502)

    odoo.faults = lose
    with pytest.raises(OutcomeUnknown):
        make(target)
    assert [root.id for root in target.find_roots(MARKER)] == [make(target)]


def test_why_load_makes_nothing_is_said(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    place = Place(root, {RecordKey("D-1", Kind.MILESTONE, "m"): "999"})
    gone = {"subject": "x", "description": "", "assigned": "ana@example.invalid"}
    odoo.rows["res.users"].pop(target._context.people.user("ana@example.invalid").id)
    with pytest.raises(Rejected, match="No matching record found"):
        target.create_child(Desired(RecordKey("D-1", Kind.STORY, "s"), gone), place)


def test_ids_of_other_models_beside_ours_are_no_projects(odoo: FakeOdoo) -> None:
    target = open_target()
    make(target)
    names = {row["name"] for row in odoo.rows["ir.model.data"].values()}
    assert names == {"acme__D-1", "acme__D-1_mail_alias"}
    assert [root.markers for root in target.observe_roots()] == [(MARKER,)]


def test_a_list_in_which_one_of_ours_is_missing_is_not_used(
    odoo: FakeOdoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = open_target()
    make(target)
    make(target, "D-2")
    show = odoo._do_search_read

    def show_first(model: str, ids: Any, uid: int, **named: Any) -> Any:
        is_whole = model != "project.project" or named["domain"][0][1] == "in"
        return show(model, ids, uid, **named)[: None if is_whole else 1]

    monkeypatch.setattr(odoo, "_do_search_read", show_first)
    with pytest.raises(IncompleteRead, match="not in the list"):
        list(target.observe_roots())


def test_an_external_id_whose_project_is_gone_is_used_again(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    del odoo.rows["project.project"][int(root)]  # as when the database is repaired by hand
    assert not list(target.observe_roots())
    assert make(target) != root
    assert len(odoo.rows["project.project"]) == 1


def test_a_project_that_another_pipeline_makes_meanwhile_stops_nobody(odoo: FakeOdoo) -> None:
    target, other = open_target(), open_target()
    mine = make(target)
    waiting = [lambda: make(other, "D-2")]

    def make_another(what: str) -> None:
        if what == "after project.project/search_read" and waiting:
            waiting.pop()()

    odoo.faults = make_another
    found = {root.id for root in target.observe_roots()}
    assert mine in found
    assert len(found) == 2


def test_a_run_in_which_nothing_moved_takes_three_requests_and_one_a_list(odoo: FakeOdoo) -> None:
    target = open_target()
    for number in range(1000):
        odoo._create("project.project", {"name": f"P {number}"}, odoo.robot)
        name = {"module": "pipeline_sync", "name": f"acme__D-{number}", "res_id": number + 1}
        odoo._create("ir.model.data", {**name, "model": "project.project"}, odoo.robot)
    fresh = open_target()
    assert len(list(fresh.observe_roots())) == 1000
    lists = [call for call in odoo.calls if call.endswith("search_read")]
    lists = [call for call in lists if "apikeys" not in call]
    fresh.expires_on()
    of_json_rpc = 2 * (odoo.version == 14)  # JSON-2 is asked for first, and tells the language
    assert fresh.request_count <= 3 + 3 + of_json_rpc
    assert lists[-3:] == [
        "project.project/search_read",
        "ir.model.data/search_read",
        "project.task/search_read",
    ]
    assert target.request_count == (2 if odoo.version == 19 else 5)


def test_a_new_project_takes_five_requests(odoo: FakeOdoo) -> None:
    target = open_target()
    before = target.request_count
    make(target)
    assert target.request_count - before == 5, "look, load, and the three that show it"


def test_what_was_once_written_by_hand_in_html_stays(odoo: FakeOdoo) -> None:
    html = with_text("<p>Hi <b>there</b></p>", "Hi there\n\nValue: 1")
    assert html.startswith("<p>Hi <b>there</b></p><div")
    assert text_of(html) == "Hi there\n\nValue: 1"
    again = with_text(html, "Hi there\n\nValue: 2", "Hi there")
    assert again.startswith("<p>Hi <b>there</b></p><div")
    assert text_of(with_text(html, "Other\n\nValue: 2", "Other")) == "Other\n\nValue: 2"
    assert text_of(with_text(html, "")) == ""


def test_an_odoo_without_projects_says_which_app_is_missing(odoo: FakeOdoo) -> None:
    for model in ("project.project", "project.task"):
        del odoo.models[model]
    with pytest.raises(Unauthorised, match="Project"):
        list(open_target().observe_roots())


def test_who_may_not_make_projects_is_told_so_at_once(
    odoo: FakeOdoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    odoo.is_admin = False
    monkeypatch.setattr(FakeOdoo, "_may_write", lambda self, model: model != "project.project")
    with pytest.raises(Unauthorised, match="Project: Administrator"):
        open_target()


def test_without_the_right_to_change_settings_no_turns_are_kept(odoo: FakeOdoo) -> None:
    odoo.is_admin = False
    target = open_target()
    assert not target.capabilities.leases
    assert "PostgreSQL" in " ".join(target.advice())
    assert target.identity().proof


@pytest.mark.parametrize("odoo", [19], indirect=True)
def test_the_last_day_of_a_key_is_told(odoo: FakeOdoo) -> None:
    target = open_target()
    assert target.expires_on() is None
    for user, day in ((odoo.robot, "2027-02-01"), (odoo.robot, "2027-01-05"), (odoo.admin, "2026")):
        odoo.add("res.users.apikeys", user_id=user, expiration_date=f"{day} 00:00:00")
    assert target.expires_on() == date(2027, 1, 5), "it is not known which of them logs in"


def test_a_manager_is_the_member_who_administers(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    place = Place(root, {})
    for email, admin in (("ana@example.invalid", False), ("bo@example.invalid", True)):
        fields = {"email": email, "admin": admin}
        target.create_child(Desired(RecordKey("D-1", Kind.MEMBERSHIP, email), fields), place)
    bo = target._context.people.user("bo@example.invalid")
    assert odoo.rows["project.project"][int(root)]["user_id"] == bo.id


def test_a_task_that_went_to_another_deal_is_not_taken_for_the_former_ones(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    key, place = RecordKey("D-1", Kind.STORY, "call"), Place(root, {})
    fields = {"subject": "x", "description": ""}
    given = target.create_child(Desired(key, fields), place).record
    target.reassign(root, MARKER, Marker("acme", "D-2"))
    again = make(target)
    made = target.create_child(Desired(key, fields), Place(again, {})).record
    assert again != root and made.id != given.id
    assert target.create_child(Desired(key, fields), Place(again, {})).record.id == made.id
    (story,) = [c for c in target.observe_children([root])[root] if c.kind == Kind.STORY]
    assert (story.id, story.group) == (given.id, "D-2")


def test_customers_who_follow_a_project_are_no_members(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    customer = odoo.customer("Kunde GmbH")
    odoo.add("mail.followers", res_model="project.project", res_id=int(root), partner_id=customer)
    found = target.observe_children([root])[root]
    assert not [child for child in found if child.kind == Kind.MEMBERSHIP]


def test_a_new_task_takes_six_requests(odoo: FakeOdoo) -> None:
    target = open_target()
    place = Place(make(target), {})
    fields = {"subject": "x", "description": ""}
    for _ in range(2):  # the first one of all asks what tasks hold
        before = target.request_count
        key = RecordKey("D-1", Kind.STORY, f"s{before}")
        target.create_child(Desired(key, fields), place)
    assert target.request_count - before == 6


@pytest.mark.parametrize("odoo", [14, 15, 16, 17, 18, 19], indirect=True)
def test_what_people_close_is_progress_in_every_version(odoo: FakeOdoo) -> None:
    target = open_target()
    root = make(target)
    for name in ("call", "visit"):
        key = RecordKey("D-1", Kind.STORY, name)
        fields: dict[str, Value] = {"subject": name, "description": "", "milestone": ""}
        target.create_child(Desired(key, fields), Place(root, {}))
    (task, _) = odoo.rows["project.task"]
    if odoo.version >= 17:
        odoo.change("project.task", task, state="1_done")
    else:
        closing = {"is_closed" if odoo.version <= 15 else "fold": True}
        odoo.change("project.task", task, stage_id=odoo.add("project.task.type", **closing))
    (facts,) = [
        child.facts for child in target.observe_children([root])[root] if child.kind == Kind.PROJECT
    ]
    assert facts["progress"] == 0.5
