"""A project's name and description hold two fields each: put together, distinguished."""

import pytest

from sync.records.model import Marker, Value
from taiga_pipeline.records import Project
from taiga_pipeline.targets.taiga import projects
from taiga_pipeline.targets.taiga.projects import NO_DESCRIPTION, split_project

ROW = {
    "id": 7,
    "name": "(lost) Acme",
    "slug": "acme",
    "description": "d",
    "tags": ["a", "b"],
    "tags_colors": {"bug": "#ff0000", "pipeline-sync:acme:D-1": None},
    "is_looking_for_people": True,
    "looking_for_people_note": "Back",
    "modified_date": "2026-01-02T00:00:00.000Z",
    "totals_updated_datetime": "2026-01-03T00:00:00.000Z",
    "total_activity": 4,
    "i_am_admin": True,
}
FIELDS: dict[str, Value] = {
    Project.LABEL: "(tentative)",
    Project.TITLE: "Acme",
    Project.TEXT: "Hello",
    Project.DEAL_FACTS: "Value: 1",
    Project.TAGS: frozenset({"b", "a"}),
    Project.LOOKING_FOR_PEOPLE: True,
    Project.LOOKING_FOR_PEOPLE_NOTE: "Back",
}


def test_what_is_written_is_separated_again() -> None:
    body = projects.creation(FIELDS, Marker("acme", "D-1"), 2) | projects.completion(FIELDS)
    colors = dict(body["tags_colors"])
    observed = projects.observed_project({**ROW, **body, "tags_colors": colors}, "https://web")
    assert split_project(observed.fields, [FIELDS]) == FIELDS
    assert observed.markers == (Marker("acme", "D-1"),)


def test_an_observed_project_shows_its_change_token_facts_and_markers() -> None:
    observed = projects.observed_project(ROW, "https://web")
    assert observed.change_token == "2026-01-02T00:00:00.000Z|2026-01-03T00:00:00.000Z|4"
    assert observed.facts == {
        "url": "https://web/project/acme/",
        "title": "(lost) Acme",
        "last_activity": "2026-01-03T00:00:00.000Z",
    }
    assert observed.obstacle == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"archived_code": "archived-by-staff"}, "archived"),
        ({"blocked_code": "blocked-by-nonpayment"}, "blocked-by-nonpayment"),
        ({"i_am_admin": False}, "not an administrator"),
    ],
)
def test_what_cannot_be_written_says_why(changes: dict[str, object], words: str) -> None:
    assert words in projects.observed_project({**ROW, **changes}, "").obstacle


def test_a_title_that_begins_like_a_label_is_recognised_by_what_was_written() -> None:
    hint: dict[str, Value] = {Project.LABEL: "", Project.TITLE: "(lost) Acme"}
    fields = split_project({projects.NAME: "(lost) Acme"}, [{Project.LABEL: "(lost)"}, hint])
    assert fields == hint


def test_without_text_or_facts_the_description_says_so_and_reads_as_empty() -> None:
    body = projects.modification({Project.TEXT: ""}, {Project.TEXT: ""})
    assert body == {"description": NO_DESCRIPTION}
    assert split_project(body, []) == {Project.TEXT: "", Project.DEAL_FACTS: ""}


def test_only_what_changes_is_written() -> None:
    changed: dict[str, Value] = {Project.LABEL: "", Project.STATE: "staffed"}
    assert projects.modification(changed, {**FIELDS, **changed}) == {"name": "Acme"}
    assert projects.modification({Project.TEMPLATE: "kanban", Project.PRIVATE: True}, FIELDS) == {}


def test_a_title_that_people_made_long_gives_way_to_the_label() -> None:
    fields: dict[str, Value] = {Project.LABEL: "(lost)", Project.TITLE: "x" * 248}
    name = projects.modification({Project.LABEL: "(lost)"}, fields)["name"]
    assert len(name) == 250
    assert name.startswith("(lost) xxx")


def test_a_public_project_is_made_only_on_demand() -> None:
    marker = Marker("acme", "D-1")
    assert projects.creation(FIELDS, marker, 2)["is_private"] is True
    assert projects.creation({**FIELDS, Project.PRIVATE: False}, marker, 2)["is_private"] is False


def test_a_marker_joins_the_other_tags_with_their_colours() -> None:
    marker = Marker("acme", "D-2")
    body = projects.marking({"bug": "#ff0000"}, marker, present=True)
    assert body == {"tags_colors": [["bug", "#ff0000"], ["pipeline-sync:acme:D-2", None]]}


def test_marking_what_is_marked_needs_no_request() -> None:
    colors = ROW["tags_colors"]
    assert projects.marking(colors, Marker("acme", "D-1"), present=True) is None
    assert projects.marking(colors, Marker("acme", "D-2"), present=False) is None
    assert projects.marking(colors, Marker("acme", "D-1"), present=False) == {
        "tags_colors": [["bug", "#ff0000"]]
    }


def test_an_edit_since_the_observation_is_noticed_where_it_would_be_overwritten() -> None:
    before = projects.observed_project(ROW, "")
    now = projects.observed_project({**ROW, "name": "Renamed"}, "")
    assert projects.moved(before, now, {"name": "x"}) == ["name"]
    assert projects.moved(before, now, {"description": "x"}) == []
