"""The adapter against a whole server: the sandbox, or a real Taiga with ``--taiga-url``."""

from __future__ import annotations

import re

import pytest

from sync.errors import Rejected, Stale, Vanished
from sync.records.model import Desired, Marker, Observed, RecordKey
from sync.target import Place
from taiga_pipeline.records import Kind, Membership, Milestone, Project, Role, Story
from tests.targets.taiga.account import FACTS, Account

NOWHERE = "99999999"


def requests_for(account: Account, work: object) -> int:
    """How many requests ``work`` takes."""
    before = account.target.request_count
    work()  # type: ignore[operator]
    return account.target.request_count - before


# Projects


def test_a_project_is_made_as_wanted(taiga: Account) -> None:
    project = taiga.project(looking_for_people=True, looking_for_people_note="Back: 30 h")
    assert project.fields() == {
        name: value for name, value in project.desired.fields.items() if name != Project.STATE
    }
    assert project.observed().markers == (project.marker,)
    assert project.observed().obstacle == ""
    assert project.fields()[Project.DEAL_FACTS] == FACTS


def test_the_answer_to_a_creation_is_what_a_reading_shows(taiga: Account) -> None:
    project = taiga.project(looking_for_people=True)
    assert project.written.record == project.observed()


def test_the_change_token_of_a_new_project_is_the_one_in_the_list(taiga: Account) -> None:
    project = taiga.project(looking_for_people=True)
    (listed,) = taiga.target.find_roots(project.marker)
    assert listed.change_token == project.written.record.change_token
    assert listed.fields == project.written.record.fields


def test_a_new_project_brings_its_roles(taiga: Account) -> None:
    project = taiga.project()
    born = {(child.kind, child.identity) for child in project.written.children}
    assert (Kind.ROLE, "back") in born
    assert {child.id for child in project.children(Kind.ROLE)} == {
        child.id for child in project.written.children
    }


@pytest.mark.parametrize("key", ["deal", "DEAL", "a:b/c%d", "Å 陈 🎉", "k" * 400])
def test_any_key_is_found_again_by_its_marker(taiga: Account, key: str) -> None:
    project = taiga.project(key)
    assert [root.id for root in taiga.target.find_roots(project.marker)] == [project.id]
    assert taiga.target.find_roots(Marker("another pipeline", key)) == []


@pytest.mark.parametrize("title", ["庄" * 300, "x" * 300, "\x00\ud800", "<b>&amp;</b> {x} 🎉", " "])
def test_titles_that_taiga_refuses_or_chokes_on_are_fitted(taiga: Account, title: str) -> None:
    for _ in range(2):  # the second one gets a longer address
        project = taiga.project(title=title)
        assert project.fields()[Project.TITLE] == project.desired.fields[Project.TITLE]


def test_a_new_project_takes_one_request_and_one_more_if_people_are_looked_for(
    taiga: Account,
) -> None:
    taiga.project()  # asks for the templates, once per run
    assert requests_for(taiga, taiga.project) == 1
    assert requests_for(taiga, lambda: taiga.project(looking_for_people=True)) == 2


def test_the_address_of_a_project_is_its_titles_where_a_request_follows_anyway(
    taiga: Account,
) -> None:
    project = taiga.project("D-17", title="Acme: Portal", looking_for_people=True)
    url = str(project.observed().facts["url"])
    assert re.search(r"/project/acme-portal(-[0-9]+)?/?$", url)
    assert project.fields()[Project.LABEL] == "(tentative)"
    assert project.fields()[Project.TITLE] == "Acme: Portal"
    assert project.written.record.fields["name"] == "(tentative) Acme: Portal"
    assert project.written.unwritten == frozenset()


def test_an_unknown_template_is_answered_with_the_nearest_name(taiga: Account) -> None:
    with pytest.raises(Rejected, match="'kanbn'; did you mean 'kanban'"):
        taiga.project(template="kanbn")


def test_a_label_is_changed_and_the_title_stays(taiga: Account) -> None:
    project = taiga.project()
    project.change(project.observed(), label="", state="staffed", tags=frozenset({"staffed"}))
    assert project.fields() | {"label": "", "tags": frozenset({"staffed"})} == project.fields()
    assert project.fields()[Project.TITLE] == project.desired.fields[Project.TITLE]


def test_people_keep_their_name_and_their_text_around_what_sales_writes(taiga: Account) -> None:
    project = taiga.project()
    name = f"(tentative) The {project.desired.key.group} rocket"
    description = project.observed().fields["description"]
    project.patch({"name": name, "description": f"{description}\nBelow"})
    project.change(project.observed(), label="(lost)", deal_facts="Value: 7")
    fields = project.fields(label="(lost)")
    assert fields[Project.TITLE] == name.removeprefix("(tentative) ")
    assert fields[Project.TEXT] == "Hello\n\nBelow"
    assert fields[Project.DEAL_FACTS] == "Value: 7"


def test_a_change_of_what_taiga_has_no_place_for_takes_no_request(taiga: Account) -> None:
    project = taiga.project()
    observed = project.observed()
    assert requests_for(taiga, lambda: project.change(observed, state="staffed")) == 0


def test_an_edit_in_the_same_moment_is_not_written_over(taiga: Account) -> None:
    project = taiga.project()
    observed = project.observed()
    project.patch({"name": "Renamed meanwhile"})
    with pytest.raises(Stale, match="name"):
        project.change(observed, label="(lost)")
    assert project.observed().fields["name"] == "Renamed meanwhile"


def test_an_edit_elsewhere_in_the_same_moment_does_no_harm(taiga: Account) -> None:
    project = taiga.project()
    observed = project.observed()
    project.patch({"description": "Rewritten meanwhile"})
    project.change(observed, looking_for_people=True)
    assert project.fields()[Project.TEXT] == "Rewritten meanwhile"


def test_a_marker_can_be_added_and_taken_off(taiga: Account) -> None:
    project = taiga.project()
    project.patch({"tags_colors": [["bug", "#ff0000"]]})
    assert project.observed().markers == ()
    taiga.target.mark(project.id, project.marker)
    assert project.observed().markers == (project.marker,)
    taiga.target.unmark(project.id, project.marker)
    assert project.observed().markers == ()
    assert taiga.call("GET", f"projects/{project.id}")["tags_colors"] == {"bug": "#ff0000"}


def test_what_moves_in_a_project_moves_its_change_token(taiga: Account) -> None:
    project = taiga.project()
    change_tokens = [project.observed().change_token]
    project.patch({"name": "Another"})
    change_tokens.append(project.observed().change_token)
    project.add(Kind.STORY, "s", subject="A story")
    change_tokens.append(project.observed().change_token)
    assert len(set(change_tokens)) == 3
    assert project.observed().change_token == change_tokens[-1]


def test_a_removed_project_is_gone_and_removing_it_again_is_fine(taiga: Account) -> None:
    project = taiga.project()
    taiga.target.remove(Kind.PROJECT, project.id, project.place)
    taiga.target.remove(Kind.PROJECT, project.id, project.place)
    assert taiga.target.observe_root(project.id) is None
    assert taiga.target.observe_children([project.id]) == {}
    taiga.target.unmark(project.id, project.marker)
    with pytest.raises(Vanished):
        taiga.target.mark(project.id, project.marker)
    with pytest.raises(Vanished):
        project.change(project.written.record, label="")
    with pytest.raises(Vanished):
        taiga.target.untouched(project.id)


# Children


def test_a_staffed_project_takes_one_request_per_child(taiga: Account) -> None:
    project = taiga.project()
    name, day = Milestone.NAME, "2026-12-01"

    def staff() -> None:
        project.add(Kind.ROLE, "architect", name="Architect")
        project.add(Kind.MEMBERSHIP, "ana@example.test", email="ana@example.test", role="architect")
        project.add(Kind.MILESTONE, "Kick-off", **{name: "Kick-off", "start": day, "finish": day})
        project.add(Kind.STORY, "k", subject="Kick-off", milestone="Kick-off", description="Go")

    assert requests_for(taiga, staff) == 4
    kinds = [child.kind for child in taiga.target.observe_children([project.id])[project.id]]
    assert kinds.count(Kind.STORY) == kinds.count(Kind.MILESTONE) == 1
    assert kinds.count(Kind.MEMBERSHIP) == 2


def test_a_role_is_made_with_the_rights_of_people_who_work(taiga: Account) -> None:
    project = taiga.project()
    project.add(Kind.ROLE, "architect", name="Architect")
    roles = {role["name"]: role for role in taiga.call("GET", f"roles?project={project.id}")}
    assert set(roles["Architect"]["permissions"]) == set(roles["Back"]["permissions"])
    assert roles["Architect"]["computable"] is False


def test_a_role_is_renamed_but_not_for_letter_case_alone(taiga: Account) -> None:
    project = taiga.project()
    role = project.add(Kind.ROLE, "architect", name="Architect").record
    assert requests_for(taiga, lambda: project.change(role, name="ARCHITECT")) == 0
    assert project.change(role, name="Builder").record.fields == {Role.NAME: "Builder"}


def test_roles_are_never_removed(taiga: Account) -> None:
    project = taiga.project()
    role = project.written.children[0]
    with pytest.raises(Rejected, match="never removed"):
        taiga.target.remove(Kind.ROLE, role.id, project.place)
    assert role in project.children(Kind.ROLE)


def member(project: object, address: str = "ana@example.test", role: str = "back") -> Observed:
    """Adds a member; whether Taiga knows the address makes no difference."""
    return project.add(Kind.MEMBERSHIP, address, email=address, role=role).record  # type: ignore[attr-defined]


def test_a_member_joins_by_a_role_of_the_template(taiga: Account) -> None:
    project = taiga.project()
    member(project)
    (joined,) = [m for m in project.children(Kind.MEMBERSHIP) if m.identity == "ana@example.test"]
    assert joined.fields == {
        Membership.EMAIL: "ana@example.test",
        Membership.ROLE: "Back",
        Membership.ADMIN: False,
    }


def test_an_address_that_nobody_has_is_invited_once(taiga: Account) -> None:
    project = taiga.project()
    first = member(project, "new.person@example.test")
    again = member(project, "new.person@example.test")
    assert first.id == again.id
    assert first.facts["invited"] is True


def test_a_member_who_is_there_by_the_connector_is_returned_as_its_own(taiga: Account) -> None:
    project = taiga.project()
    member(project)
    desired = Desired(
        RecordKey("x", Kind.MEMBERSHIP, "ana@example.test"),
        {Membership.EMAIL: "ana@example.test", Membership.ROLE: "front"},
    )
    written = taiga.target.create_child(desired, project.place)
    assert not written.found
    assert written.record.fields[Membership.ROLE] == "Back"


def test_a_member_who_was_there_before_is_found_and_not_the_connectors(taiga: Account) -> None:
    project = taiga.project()
    (owner,) = project.children(Kind.MEMBERSHIP)
    written = project.add(Kind.MEMBERSHIP, owner.identity, email=owner.identity, role="back")
    assert written.found
    assert written.record.id == owner.id


def test_a_members_role_is_changed(taiga: Account) -> None:
    project = taiga.project()
    joined = member(project)
    assert requests_for(taiga, lambda: project.change(joined, role="BACK")) == 0
    assert project.change(joined, role="front").record.fields[Membership.ROLE] == "Front"


def test_a_role_that_the_project_lacks_is_named(taiga: Account) -> None:
    with pytest.raises(Rejected, match="no role 'bck'"):
        member(taiga.project(), role="bck")


def test_an_address_that_is_none_is_refused_for_good(taiga: Account) -> None:
    with pytest.raises(Rejected, match="400"):
        member(taiga.project(), "not an address")


def test_a_member_is_removed_and_removing_again_is_fine(taiga: Account) -> None:
    project = taiga.project()
    joined = member(project)
    for _ in range(2):
        taiga.target.remove(Kind.MEMBERSHIP, joined.id, project.place)
    assert len(project.children(Kind.MEMBERSHIP)) == 1
    with pytest.raises(Vanished):
        project.change(joined, role="front")


def test_the_owner_cannot_be_removed_and_taiga_says_why(taiga: Account) -> None:
    project = taiga.project()
    (owner,) = project.children(Kind.MEMBERSHIP)
    with pytest.raises(Rejected, match="owner"):
        taiga.target.remove(Kind.MEMBERSHIP, owner.id, project.place)


def milestone(project: object, finish: str = "2026-12-08") -> Observed:
    return project.add(  # type: ignore[attr-defined]
        Kind.MILESTONE, "kick-off", name="Kick-off", start="2026-12-01", finish=finish
    ).record


def test_a_milestone_is_made_once_and_changed(taiga: Account) -> None:
    project = taiga.project()
    first = milestone(project)
    assert milestone(project, "2027-01-01") == first
    changed = project.change(first, start="2026-12-02").record
    assert changed.fields == {"name": "Kick-off", "start": "2026-12-02", "finish": "2026-12-08"}
    assert [m.fields for m in project.children(Kind.MILESTONE)] == [changed.fields]


def test_a_milestone_that_ends_before_it_begins_is_refused(taiga: Account) -> None:
    with pytest.raises(Rejected, match="400"):
        milestone(taiga.project(), finish="2026-01-01")


def story(project: object, **fields: object) -> Observed:
    wanted = {"subject": "Kick-off", "description": "Ask @ana", **fields}
    return project.add(Kind.STORY, "Kick/off", **wanted).record  # type: ignore[attr-defined]


def test_a_story_is_recognised_by_its_reference(taiga: Account) -> None:
    project = taiga.project()
    milestone(project)
    made = story(project, milestone="kick-off", tags=frozenset({"sales"}))
    assert made.fields == {
        Story.SUBJECT: "Kick-off",
        Story.DESCRIPTION: "Ask ＠ana",
        Story.TAGS: frozenset({"sales"}),
        Story.ASSIGNED: None,
    }
    (seen,) = project.children(Kind.STORY)
    assert (seen.id, seen.identity) == (made.id, "kick/off")
    assert taiga.call("GET", f"userstories/{made.id}")["milestone_name"] == "Kick-off"


def test_peoples_own_stories_are_none_of_our_business(taiga: Account) -> None:
    project = taiga.project()
    taiga.call("POST", "userstories", {"project": int(project.id), "subject": "Theirs"})
    assert project.children(Kind.STORY) == []


def test_a_story_that_people_changed_meanwhile_is_stale(taiga: Account) -> None:
    project = taiga.project()
    made = story(project)
    taiga.call("PATCH", f"userstories/{made.id}", {"subject": "Theirs", "version": 1})
    with pytest.raises(Stale):
        project.change(made, subject="Ours")
    (seen,) = project.children(Kind.STORY)
    assert seen.fields[Story.SUBJECT] == "Theirs"
    assert project.change(seen, tags=frozenset({"x"})).record.fields[Story.TAGS] == {"x"}


def test_a_description_that_nobody_read_is_not_written_over(taiga: Account) -> None:
    project = taiga.project()
    made = story(project)
    taiga.call("PATCH", f"userstories/{made.id}", {"description": "Theirs", "version": 1})
    (seen,) = project.children(Kind.STORY)
    assert seen.fields[Story.DESCRIPTION] == "Theirs"
    unread = Observed(
        Kind.STORY, seen.id, {Story.SUBJECT: "Kick-off"}, change_token=seen.change_token
    )
    with pytest.raises(Stale, match="has to be read"):
        project.change(unread, description="Ours")
    assert project.change(seen, description="Ours").record.fields[Story.DESCRIPTION] == "Ours"


LINE = "- Planned hours: 16"


def test_lines_below_a_storys_text_follow_sales_and_the_text_stays_peoples(taiga: Account) -> None:
    project = taiga.project()
    made = story(project, facts=LINE)
    assert made.fields[Story.DESCRIPTION] == "Ask ＠ana"
    shown = taiga.call("GET", f"userstories/{made.id}")
    theirs = shown["description"].replace("Ask ＠ana", "Ask the board.\n\nThen the team.")
    body = {"description": theirs + "\n\nAnd write it down.", "version": shown["version"]}
    taiga.call("PATCH", f"userstories/{made.id}", body)
    (seen,) = project.children(Kind.STORY)
    text = "Ask the board.\n\nThen the team.\n\nAnd write it down."
    assert seen.fields[Story.DESCRIPTION] == text
    changed = project.change(seen, facts="- Planned hours: 24").record
    assert changed.fields[Story.DESCRIPTION] == text
    whole = taiga.call("GET", f"userstories/{made.id}")["description"]
    assert whole.count("Planned hours") == 1
    assert "- Planned hours: 24\n" in whole
    cleared = project.change(changed, facts="").record
    assert cleared.fields[Story.DESCRIPTION] == text
    assert taiga.call("GET", f"userstories/{made.id}")["description"] == text


def test_text_and_lines_of_a_story_change_together(taiga: Account) -> None:
    project = taiga.project()
    made = story(project, facts=LINE)
    changed = project.change(made, description="Ours", facts="- Planned hours: 8").record
    assert changed.fields[Story.DESCRIPTION] == "Ours"
    changed = project.change(changed, description="Ours again").record
    whole = taiga.call("GET", f"userstories/{made.id}")["description"]
    assert whole.startswith("Ours again\n")
    assert "- Planned hours: 8\n" in whole


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("Build it.\n\nPlanned hours: 16", "Build it."),
        ("Planned hours: 16", ""),
        ("Planned hours: as many as it takes", "Planned hours: as many as it takes"),
        ("Planned hours: 16\n\nBuild it.", "Planned hours: 16\n\nBuild it."),
    ],
)
def test_hours_at_the_end_of_a_text_of_before_give_way_to_the_line(
    taiga: Account, text: str, stays: str
) -> None:
    project = taiga.project()
    made = story(project, description=text)
    changed = project.change(made, facts="- Planned hours: 24").record
    assert changed.fields[Story.DESCRIPTION] == stays


def test_who_does_a_story_is_read_before_it_is_changed(taiga: Account) -> None:
    project = taiga.project()
    made = story(project)
    unread = Observed(Kind.STORY, made.id, {Story.SUBJECT: "Kick-off"}, change_token="1")
    with pytest.raises(Stale, match="has to be read who does it"):
        project.change(unread, assigned=None)


def test_a_story_that_is_gone_has_vanished(taiga: Account) -> None:
    project = taiga.project()
    made = story(project)
    taiga.call("DELETE", f"userstories/{made.id}")
    with pytest.raises(Vanished):
        project.change(made, subject="x")
    taiga.target.remove(Kind.STORY, made.id, project.place)


def test_a_kind_that_taiga_cannot_hold_is_refused(taiga: Account) -> None:
    desired = Desired(RecordKey("x", "rocket", "r"), {})
    with pytest.raises(Rejected, match="cannot hold a rocket"):
        taiga.target.create_child(desired, Place(NOWHERE, {}))


# Delivery facts


def test_delivery_facts_come_with_the_children(taiga: Account) -> None:
    project = taiga.project()
    member(project, "new.person@example.test")
    milestone(project)
    story(project)
    open_story = {"project": int(project.id), "subject": "Theirs", "is_closed": False}
    taiga.call("POST", "userstories", open_story)
    statuses = taiga.call("GET", f"userstory-statuses?project={project.id}")
    closed = next(status["id"] for status in statuses if status["is_closed"])
    (ours,) = project.children(Kind.STORY)
    taiga.call("PATCH", f"userstories/{ours.id}", {"status": closed, "version": 1})
    (facts,) = [child.facts for child in project.children(Kind.PROJECT)]
    assert facts["progress"] == 0.5
    assert facts["members"] == ["new.person@example.test"]
    assert facts["team"] == []
    assert facts["milestones"] == [
        {"name": "Kick-off", "start": "2026-12-01", "finish": "2026-12-08", "closed": False}
    ]


def test_many_projects_are_read_by_lists_over_all_of_them(taiga: Account) -> None:
    projects = [taiga.project() for _ in range(6)]
    for project in projects:
        story(project)
    ids = [project.id for project in projects]
    assert requests_for(taiga, lambda: taiga.target.observe_children(ids)) == 8
    children = taiga.target.observe_children([*ids, NOWHERE])
    assert set(children) == set(ids)
    for project in projects:
        one_by_one = taiga.target.observe_children([project.id])[project.id]
        names = {(child.kind, child.id) for child in children[project.id]}
        assert names == {(child.kind, child.id) for child in one_by_one}


# Whose doing it was


def test_a_project_that_only_the_connector_worked_in_is_untouched(taiga: Account) -> None:
    project = taiga.project()
    milestone(project)
    made = story(project)
    member(project)
    project.change(made, subject="Another")
    assert taiga.target.untouched(project.id)
