"""What Redmine does to those who trust its answers. Each case was first seen on a real one."""

from __future__ import annotations

import logging
from itertools import count

import pytest

from sync.errors import (
    IncompleteRead,
    OutcomeUnknown,
    Rejected,
    Stale,
    Unauthorised,
    Unreachable,
    Vanished,
)
from sync.records.model import Desired, RecordKey, Value
from sync.target import Place
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.records import Kind, Membership, Project, Story
from taiga_pipeline.targets.redmine import create
from taiga_pipeline.targets.redmine.identity import encode_identifier
from taiga_pipeline.targets.redmine.paging import read_all
from tests.contract.targets.account import Work
from tests.targets.redmine.conftest import Bot
from tests.targets.redmine.fake import KEY, URL, FakeRedmine, Refused, custom_field
from tests.targets.support import ManualClock


def story(work: Work, name: str = "call") -> str:
    fields = {"subject": "Call them", "description": "At nine", "milestone": ""}
    return work.add(Kind.STORY, name, **fields, tags=frozenset()).record.id


# --- 204 for what is ignored


def test_a_project_field_that_redmine_leaves_out_is_reported(
    work: Work, redmine: FakeRedmine
) -> None:
    redmine.ignores = frozenset({"name"})
    with pytest.raises(Rejected, match=r"confirmed the change and left out name"):
        work.change(label="(sold)")


def test_a_story_field_that_redmine_leaves_out_is_reported(
    work: Work, redmine: FakeRedmine
) -> None:
    made = story(work)
    redmine.ignores = frozenset({"subject"})
    with pytest.raises(Rejected, match=r"left out subject"):
        work.change_child(work.child(Kind.STORY, made), subject="Visit them")


# --- filters that are not known bring everything


def test_rows_that_were_not_asked_for_are_left_out(bot: Bot, redmine: FakeRedmine) -> None:
    for number in range(3):
        Work(bot, f"D-{number}").make()  # type: ignore[arg-type]
    client = bot.target._client
    wanted = read_all(
        client, "projects", {"identifier": "x"}, belongs=lambda r: r["identifier"] == "x"
    )
    assert list(wanted) == []


def test_a_user_search_that_is_ignored_adds_nobody_else(work: Work, redmine: FakeRedmine) -> None:
    for user in redmine.users.values():
        user["mail"] = f"found+ana@example.invalid.{user['mail']}"
    with pytest.raises(Rejected, match="no user with this address"):
        work.join("Developer")
    assert not redmine.memberships


# --- pages


def test_a_list_of_any_length_comes_whole(bot: Bot, redmine: FakeRedmine) -> None:
    for number in range(205):
        row = {"name": "same", "identifier": f"ps-acme___d-{number}"}
        redmine.projects[number + 1] = {"id": number + 1, "status": 1, "updated_on": "", **row}
    roots = list(bot.target.observe_roots())
    assert len({root.id for root in roots}) == 205
    assert redmine.requests.count("GET /projects.json") == 3


def test_a_list_that_never_comes_whole_is_no_evidence(bot: Bot, redmine: FakeRedmine) -> None:
    numbers = count(1000)
    for number in range(120):
        redmine.projects[number + 1] = _bare(number + 1)

    def grow(what: str) -> None:
        if what == "after GET /projects.json":
            number = next(numbers)
            redmine.projects[number] = _bare(number)

    redmine.faults = grow
    with pytest.raises(IncompleteRead, match=r"of 12\d and 12\d arrived, 3 times"):
        list(bot.target.observe_roots())


def _bare(number: int) -> dict[str, object]:
    return {
        "id": number,
        "name": f"P {number}",
        "identifier": f"p{number}",
        "description": None,
        "status": 1,
        "updated_on": "",
    }


# --- archived and closed projects


def test_an_archived_project_is_not_there_and_cannot_be_written(
    work: Work, redmine: FakeRedmine
) -> None:
    seen = work.observed()
    redmine.archive(int(work.id))
    assert work.target.observe_root(work.id) is None
    assert not list(work.target.observe_roots())
    with pytest.raises(Vanished):
        work.target.update(seen, {"label": "x"}, {**work.agreed, "label": "x"}, work.place)


def test_an_archived_project_in_the_way_is_named(work: Work, redmine: FakeRedmine) -> None:
    redmine.archive(int(work.id))
    with pytest.raises(Rejected, match=r"'ps-acme___d-1' is taken, an archived project has it"):
        Work(work.account, "D-1").make()


def test_a_closed_project_is_in_the_list_and_says_so_in_its_change_token(
    work: Work, redmine: FakeRedmine
) -> None:
    before = work.observed()
    redmine.projects[int(work.id)]["status"] = 5
    (after,) = work.target.observe_roots()
    assert after.change_token != before.change_token, "although updated_on did not move"
    assert after.obstacle


def test_a_project_that_people_closed_is_left_closed(work: Work, redmine: FakeRedmine) -> None:
    redmine.projects[int(work.id)]["status"] = 5
    with pytest.raises(Rejected, match="people closed it in Redmine"):
        work.change(label="(sold)")
    assert redmine.projects[int(work.id)]["status"] == 5


def test_a_retired_project_that_people_reopened_shows_it(work: Work, redmine: FakeRedmine) -> None:
    work.change(state="retired", label="(lost)")
    redmine.projects[int(work.id)]["status"] = 1
    assert work.fields()[Project.STATE] == "none"


def test_closing_comes_last_and_reopening_first(work: Work, redmine: FakeRedmine) -> None:
    redmine.requests.clear()
    work.change(state="retired", label="(lost)")
    work.change(state="tentative", label="(tentative)")
    one = f"/projects/{work.id}"
    assert redmine.writes() == [
        f"PUT {one}.json",
        f"PUT {one}/close.json",
        f"PUT {one}/reopen.json",
        f"PUT {one}.json",
    ]


def test_the_line_that_says_why_it_is_closed_goes_when_it_is_restored(
    work: Work, redmine: FakeRedmine
) -> None:
    row = redmine.projects[int(work.id)]
    before = row["description"]
    work.change(state="retired")
    assert row["description"].endswith("\npipeline-sync: acme/D-1 (retired)")
    work.change(state="staffed")
    assert row["description"] == before


# --- memberships that lose their roles


def test_a_list_of_roles_is_never_sent_empty(work: Work, redmine: FakeRedmine) -> None:
    written = work.join("Developer")
    redmine.requests.clear()
    work.change_child(written.record, role="")
    assert not redmine.writes()
    assert work.child(Kind.MEMBERSHIP, written.record.id).fields[Membership.ROLE] == "Developer"


def test_an_unknown_role_is_refused_with_those_that_there_are(work: Work) -> None:
    with pytest.raises(Rejected, match=r"no role 'Develper'; did you mean 'Developer'.*Manager"):
        work.join("Develper")


# --- writes that change nothing


def test_what_is_there_already_is_not_written_again(work: Work, redmine: FakeRedmine) -> None:
    made = story(work)
    seen = work.child(Kind.STORY, made)
    redmine.requests.clear()
    work.change_child(seen, subject="Call them")
    work.change(title=work.desired.fields[Project.TITLE])
    assert not redmine.writes()


def test_only_what_differs_is_sent(work: Work, redmine: FakeRedmine) -> None:
    before = redmine.projects[int(work.id)]["description"]
    redmine.ignores = frozenset({"description"})  # it would be missed if it were sent
    work.change(label="(sold)", title=work.desired.fields[Project.TITLE])
    assert redmine.projects[int(work.id)]["description"] == before


# --- races and lost answers


def test_a_project_is_looked_for_right_before_it_is_made(work: Work, redmine: FakeRedmine) -> None:
    redmine.requests.clear()
    again = Work(work.account, "D-1").make()
    assert again.record.id == work.id
    assert not redmine.writes()


def test_of_two_projects_made_at_once_the_older_stays(
    bot: Bot, redmine: FakeRedmine, caplog: pytest.LogCaptureFixture
) -> None:
    def race(what: str) -> None:
        if what == "after POST /projects.json":
            redmine.faults = lambda what: None
            twin = dict(redmine.projects[max(redmine.projects)], id=1)
            redmine.projects[1] = twin

    redmine.faults = race
    redmine._last = 1
    with caplog.at_level(logging.WARNING):
        written = Work(bot, "D-1").make()  # type: ignore[arg-type]
    assert written.record.id == "1"
    assert list(redmine.projects) == [1]
    assert "made twice at once" in caplog.text


def test_of_two_projects_found_the_younger_which_is_about_to_go_is_not_taken(
    work: Work, redmine: FakeRedmine
) -> None:
    younger = int(work.id) + 1
    redmine.projects[younger] = dict(redmine.projects[int(work.id)], id=younger)
    redmine.newest_first = True
    assert Work(work.account, "D-1").make().record.id == work.id
    assert list(redmine.projects) == [int(work.id), younger], "its maker takes it away"


def test_a_500_for_a_creation_is_looked_into_rather_than_repeated(
    bot: Bot, redmine: FakeRedmine
) -> None:
    def fail(what: str) -> None:
        if what == "after POST /projects.json":
            raise Refused(500)

    redmine.faults = fail
    work = Work(bot, "D-1")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        work.make()
    assert len(redmine.writes()) == 1
    assert len(bot.target.find_roots(work.marker)) == 1, "it had been made after all"


def test_a_member_whom_somebody_else_added_meanwhile_is_taken_as_found(
    work: Work, redmine: FakeRedmine
) -> None:
    work.add(Kind.ROLE, "Developer", name="Developer")

    def race(what: str) -> None:
        if what == f"POST /projects/{work.id}/memberships.json":
            redmine.faults = lambda what: None
            Work.join(_same(work), "Manager")

    redmine.faults = race
    fields = {"email": "ana@example.invalid", "role": "Developer", "admin": False}
    written = work.add(Kind.MEMBERSHIP, "ana@example.invalid", **fields)
    assert written.found
    assert written.record.fields[Membership.ROLE] == "Manager"


def _same(work: Work) -> Work:
    other = Work(work.account, work.key)
    other.id = work.id
    return other


def test_an_edit_of_a_story_in_the_last_moment_is_not_written_over(
    work: Work, redmine: FakeRedmine
) -> None:
    seen = work.child(Kind.STORY, story(work))
    redmine.issues[int(seen.id)]["subject"] = "Their own"
    with pytest.raises(Stale, match="people changed subject"):
        work.change_child(seen, subject="Visit them")


# --- issues


def test_line_ends_of_a_web_form_are_no_edit(work: Work, redmine: FakeRedmine) -> None:
    made = story(work)
    redmine.issues[int(made)]["description"] = "one\r\ntwo"
    assert work.child(Kind.STORY, made).fields[Story.DESCRIPTION] == "one\ntwo"


def test_a_reference_goes_into_the_description_where_there_is_no_field(
    work: Work, redmine: FakeRedmine
) -> None:
    redmine.issue_fields.clear()
    made = story(work)
    text = redmine.issues[int(made)]["description"]
    assert text == "At nine\r\n\r\npipeline-sync: acme/D-1/call"
    seen = work.child(Kind.STORY, made)
    assert (seen.identity, seen.fields[Story.DESCRIPTION]) == ("call", "At nine")
    work.change_child(seen, description="At ten")
    assert work.child(Kind.STORY, made).identity == "call"


def test_a_reference_that_a_field_for_all_projects_holds_is_not_in_the_description(
    work: Work, redmine: FakeRedmine
) -> None:
    """No API tells that a field is for all projects: the first issue that has it does."""
    redmine.issue_fields[0]["for_all"] = True
    first = story(work, "first")
    redmine.requests.clear()
    second = story(work, "second")
    assert redmine.writes() == ["POST /issues.json"]
    for made, name in ((first, "first"), (second, "second")):
        assert redmine.issues[int(made)]["description"].strip() == "At nine"
        assert work.child(Kind.STORY, made).identity == name
    later = Work(Bot(work.account.clock), "D-2")  # type: ignore[arg-type]
    later.make()
    redmine.requests.clear()
    third = story(later, "third")
    assert redmine.writes() == ["POST /issues.json"], "it is known from what was made before"
    assert redmine.issues[int(third)]["description"].strip() == "At nine"


def test_an_issue_that_only_lost_its_line_counts_as_untouched(
    work: Work, redmine: FakeRedmine
) -> None:
    redmine.issue_fields[0]["for_all"] = True
    made = work.child(Kind.STORY, story(work))
    assert redmine.journals[int(made.id)]
    assert work.target.untouched_child(made, work.place)
    redmine.issues[int(made.id)]["spent_hours"] = 0.5
    assert not work.target.untouched_child(made, work.place)


@pytest.mark.parametrize(
    ("place", "field", "theirs"),
    [
        ("subject", Story.SUBJECT, "Their own"),
        ("description", Story.DESCRIPTION, "Their own"),
        ("estimated_hours", Story.HOURS, "40"),
    ],
)
def test_an_edit_between_the_read_and_the_write_of_a_story_is_put_back_and_merged(
    work: Work, redmine: FakeRedmine, place: str, field: str, theirs: str
) -> None:
    seen = work.child(Kind.STORY, story(work))
    wanted = {Story.SUBJECT: "Visit them", Story.DESCRIPTION: "At ten", Story.HOURS: "20"}

    def edit(what: str) -> None:
        if what == f"PUT /issues/{seen.id}.json":
            redmine.faults = lambda what: None
            work.account.edit_issue(seen.id, **{place: theirs})  # type: ignore[attr-defined]

    redmine.faults = edit
    with pytest.raises(Stale, match=f"people changed {place} at the same moment"):
        work.change_child(seen, **wanted)
    now = work.child(Kind.STORY, seen.id)
    assert now.fields[field] == theirs
    assert now.identity == "call"
    work.change_child(now, **wanted)
    assert work.child(Kind.STORY, seen.id).fields == wanted


def test_what_redmine_has_no_place_for_is_not_promised(bot: Bot) -> None:
    desired = Work(bot, "D-1", looking_for_people=True, looking_for_people_note="x").desired  # type: ignore[arg-type]
    assert desired.fields.keys() == {
        Project.STATE, Project.LABEL, Project.TITLE, Project.TEXT, Project.DEAL_FACTS
    }  # fmt: skip


def test_facts_end_where_their_value_ends(bot: Bot) -> None:
    facts = "Stage: Won ·\nValue: 40 · 2 EUR ·\nCustomer: Acme"
    desired = Work(bot, "D-1", deal_facts=facts).desired  # type: ignore[arg-type]
    assert desired.fields[Project.DEAL_FACTS] == "Stage: Won\nValue: 40 · 2 EUR\nCustomer: Acme"


def test_a_story_with_spent_time_is_not_deleted(work: Work, redmine: FakeRedmine) -> None:
    made = story(work)
    redmine.issues[int(made)]["spent_hours"] = 2.5
    with pytest.raises(Rejected, match="spent time"):
        work.target.remove(Kind.STORY, made, work.place)
    assert int(made) in redmine.issues


def test_delivery_facts_are_read_from_issues_members_and_versions(
    work: Work, redmine: FakeRedmine
) -> None:
    work.join("Developer")
    for number, done in ((1, 50), (2, 0)):
        issue = redmine.issues[int(story(work, f"s{number}"))]
        issue["done_ratio"], issue["spent_hours"] = done, 1.25
    redmine.issues[max(redmine.issues)]["closed_on"] = "2026-11-23T00:00:00Z"
    dates = {"name": "Kick-off", "start": "2027-01-05", "finish": "2027-01-12"}
    work.add(Kind.MILESTONE, "Kick-off", **dates)
    found = work.target.observe_children([work.id])[work.id]
    (facts,) = (child.facts for child in found if child.kind == Kind.PROJECT)
    assert facts["progress"] == 0.75
    assert facts["spent_hours"] == 2.5
    assert facts["team"] == ["Ana Álvarez"]
    assert facts["members"] == ["ana@example.invalid"]
    assert [m["finish"] for m in facts["milestones"]] == ["2027-01-12"]  # type: ignore[attr-defined]


# --- custom fields


def test_facts_of_the_deal_fill_the_custom_fields_that_there_are(
    bot: Bot, redmine: FakeRedmine
) -> None:
    redmine.project_fields += [
        custom_field(2, "Deal stage", "list", possible_values=[{"value": "Proposal"}]),
        custom_field(3, "Win probability", "int"),
        custom_field(4, "Value", "float"),
        custom_field(6, "Expected close", "date"),
        custom_field(7, "Sales owner", "user"),
    ]
    facts = "Stage: proposal ·\nProbability: 50 % ·\nValue: 12,500.50 EUR ·\nSales owner: Eve"
    work = Work(bot, "D-1", deal_facts=facts)  # type: ignore[arg-type]
    work.make()
    values = {f["name"]: f["value"] for f in redmine.projects[int(work.id)]["custom_fields"]}
    assert values == {
        "Deal key": "acme/D-1",
        "Deal stage": "Proposal",
        "Win probability": "50",
        "Value": "12500.50",
        "Expected close": None,
        "Sales owner": None,
    }
    work.change(deal_facts="Probability: 80 %")
    values = {f["name"]: f["value"] for f in redmine.projects[int(work.id)]["custom_fields"]}
    assert values["Win probability"] == "80"


def test_a_custom_field_that_refuses_its_value_stops_nothing(
    robot: Bot, redmine: FakeRedmine, caplog: pytest.LogCaptureFixture
) -> None:
    redmine.project_fields.append(
        custom_field(2, "Stage", "list", possible_values=[{"value": "Won"}])
    )
    facts = "Stage: Proposal"
    for number in (1, 2):  # the robot learns of the fields from the first project
        work = Work(robot, f"D-{number}", deal_facts=facts)  # type: ignore[arg-type]
        work.make()
        assert work.fields()[Project.DEAL_FACTS] == facts
    assert "custom fields" in caplog.text


def test_only_the_custom_field_that_is_refused_is_left_out(
    robot: Bot, redmine: FakeRedmine
) -> None:
    """To an account that is not an administrator's, every field is a text."""
    redmine.project_fields.append(custom_field(2, "Probability", "int"))
    redmine.project_fields.append(custom_field(3, "Stage", "string"))
    for number in (1, 2, 3):
        facts = "Stage: Proposal\nProbability: 50 %"
        work = Work(robot, f"D-{number}", deal_facts=facts)  # type: ignore[arg-type]
        work.make()
        values = {f["name"]: f["value"] for f in redmine.projects[int(work.id)]["custom_fields"]}
        assert values == {"Deal key": f"acme/D-{number}", "Stage": "Proposal", "Probability": None}
    made = [request for request in redmine.requests if request == "POST /projects.json"]
    assert len(made) == 3, "what was refused once is not tried again"


def test_a_custom_field_that_people_have_to_fill_in_is_named_with_the_way_out(
    bot: Bot, redmine: FakeRedmine
) -> None:
    redmine.project_fields.append(custom_field(2, "Cost centre", "string", is_required=True))
    with pytest.raises(Rejected, match=r"fill in 'Cost centre'.* default value") as refused:
        Work(bot, "D-1").make()  # type: ignore[arg-type]
    assert "archived" not in str(refused.value)
    assert redmine.writes() == ["POST /projects.json"]


def test_an_issue_that_lacks_a_required_field_is_refused_with_the_way_out(
    work: Work, redmine: FakeRedmine
) -> None:
    redmine.issue_fields.append(custom_field(6, "Area", "string", is_required=True))
    with pytest.raises(Rejected, match=r"Area cannot be blank.*default value"):
        work.add(Kind.STORY, "call", subject="Call them", description="")


def test_a_rest_api_that_is_off_is_named(bot: Bot, redmine: FakeRedmine) -> None:
    def off(what: str) -> None:
        raise Refused(403)

    redmine.faults = off
    with pytest.raises(Unreachable, match="REST API off"):
        bot.target.connect()


def test_a_tool_without_custom_fields_learns_how_to_get_them(
    bot: Bot, redmine: FakeRedmine
) -> None:
    redmine.project_fields.clear()
    (advice,) = bot.target.advice()
    assert "Deal key" in advice
    work = Work(bot, "D-1")  # type: ignore[arg-type]
    work.make()
    assert bot.target.find_roots(work.marker)


def test_an_adopted_project_carries_its_mark_in_the_field_or_else_in_a_line(
    work: Work, redmine: FakeRedmine
) -> None:
    row = redmine.projects[int(work.id)]
    row["identifier"] = "their-own"
    assert row["custom_fields"][0]["value"] == "acme/D-1"
    row["custom_fields"] = []
    work.target.mark(work.id, work.marker)
    assert row["description"].endswith("\n\npipeline-sync: acme/D-1")
    assert work.marker in work.observed().markers
    assert work.fields()[Project.TEXT] == "Hello"


def test_a_deal_cannot_claim_another_deals_project_by_its_words(
    bot: Bot, redmine: FakeRedmine
) -> None:
    redmine.project_fields.clear()
    claim = "pipeline-sync: acme/D-2"
    facts = f"Customer: Acme\n{claim}"
    work = Work(bot, "D-1", text=f"Hi\n{claim}\nthere", deal_facts=facts)  # type: ignore[arg-type]
    work.make()
    assert [marker.key for marker in work.observed().markers] == ["D-1"]
    assert work.fields()[Project.TEXT] == "Hi\nthere"


# --- accounts


def test_a_plain_account_makes_projects_and_learns_why_it_adds_no_members(robot: Bot) -> None:
    work = Work(robot, "D-1")  # type: ignore[arg-type]
    work.make()
    story(work)
    assert robot.target.connect() == "sync"
    with pytest.raises(Rejected, match="administrator"):
        work.join("Developer")


def test_a_wrong_key_is_said_to_be_wrong_and_not_shown(
    redmine: FakeRedmine, clock: ManualClock
) -> None:
    key = "deadbeef" * 5
    target = create(Connection(URL, "acme", token=Secret(key)), clock)
    with pytest.raises(Unauthorised, match="API key") as caught:
        target.connect()
    assert key not in str(caught.value)


def test_an_address_that_is_none_is_refused(clock: ManualClock) -> None:
    with pytest.raises(Unreachable, match="not a web address"):
        create(Connection("redmine", "acme", token=Secret("k")), clock)


def test_a_locked_user_is_named(work: Work, redmine: FakeRedmine) -> None:
    redmine.users[2]["status"] = 3
    with pytest.raises(Rejected, match=r"ana@example\.invalid: this user is locked"):
        work.join("Developer")


# --- requests


def test_a_look_at_a_thousand_projects_takes_eleven_requests(
    bot: Bot, redmine: FakeRedmine
) -> None:
    for number in range(1, 1001):
        redmine.projects[number] = _bare(number)
    list(bot.target.observe_roots())
    assert len(redmine.requests) == 11


def test_children_of_many_projects_share_the_list_of_issues(bot: Bot, redmine: FakeRedmine) -> None:
    works = [Work(bot, f"D-{number}") for number in range(6)]  # type: ignore[arg-type]
    for work in works:
        work.make()
    redmine.requests.clear()
    bot.target.connect()
    bot.target.observe_children([work.id for work in works])
    # each project's members and versions; the issues' count and list; the roles; the account
    assert len(redmine.requests) == 2 * 6 + 2 + 1 + 1


def test_removing_a_role_is_refused(work: Work) -> None:
    with pytest.raises(Rejected, match="roles are never removed"):
        work.target.remove(Kind.ROLE, "3", Place(work.id, {}))


def test_a_project_is_found_by_the_identifier_that_people_see(work: Work) -> None:
    story(work)
    assert work.target.observe_root("ps-acme___d-1") == work.observed()
    assert work.target.observe_root("../users/current") is None


def test_a_project_never_counts_as_untouched(work: Work) -> None:
    assert not work.target.untouched(work.id)


def test_an_identifier_is_what_redmine_takes(work: Work, redmine: FakeRedmine) -> None:
    assert redmine.projects[int(work.id)]["identifier"] == encode_identifier(work.marker)


def asked(**fields: Value) -> Desired:
    """A story as `check` asks for it."""
    return Desired(RecordKey("any deal", Kind.STORY, "build"), {Story.SUBJECT: "Build", **fields})


def test_fields_that_a_tracker_lacks_are_said_before_they_are_left_out(
    bot: Bot, redmine: FakeRedmine
) -> None:
    wanted = asked(hours="1", assigned="", description="Build it.")
    assert not bot.target.foresee([wanted])
    redmine.tracker_fields = ["description", "due_date"]
    found = bot.target.foresee([wanted])
    assert [each.message.partition(",")[0] for each in found] == [
        "Redmine's tracker Feature has no field Estimated time",
        "Redmine's tracker Feature has no field Assignee",
    ]
    assert not any(each.is_certain for each in found)
    assert not bot.target.foresee([asked(description="Build it.")])


def test_a_story_for_someone_whom_redmine_does_not_know_is_doubtful_and_not_refused(
    bot: Bot,
) -> None:
    (found,) = bot.target.foresee([asked(assigned="carl@example.invalid")])
    assert "no user with this address" in found.message
    assert not found.is_certain


def test_who_has_no_role_for_issues_or_is_locked_is_not_given_any(
    clock: ManualClock, redmine: FakeRedmine
) -> None:
    connection = Connection(URL, "acme", token=Secret(KEY), assigns_stories=True)

    def why() -> str:
        bot = Bot(clock)
        bot.target = create(connection, clock)
        work = Work(bot, "D-1")  # type: ignore[arg-type]
        if not redmine.projects:
            work.make()
            work.join("Developer")
        work.id = str(next(iter(redmine.projects)))
        (member,) = work.children(Kind.MEMBERSHIP)
        return member.unavailable

    assert why() == ""
    redmine.without_work = frozenset({4})
    assert "no role that issues can be assigned to" in why()
    redmine.without_work = frozenset()
    redmine.users[2]["status"] = 3
    assert why() == "is locked in Redmine"
