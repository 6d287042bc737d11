"""What an edited mapping would change."""

from __future__ import annotations

from collections.abc import Container

from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.diff import DealDifference, Tally, compare_all, compare_desired
from taiga_pipeline.mapping.load import parse_mapping
from taiga_pipeline.pipeline.model import Deal

from .support import HEAD, STAGES, TODAY, deal, desired, mappings

NEW_LABEL = '[project.tentative]\nlabel = "(maybe)"\n'


def differences(
    subject: Deal, old: str = "", new: str = "", head: str = HEAD, there: Container[str] = ()
) -> DealDifference | None:
    [found] = compare_all([(subject, Staffing())], mappings(old), mappings(new, head), TODAY, there)
    return found


def lines(found: DealDifference | None) -> list[str]:
    assert found is not None
    return list(found.lines())


def test_equal_mappings_change_nothing() -> None:
    assert differences(deal(), NEW_LABEL, NEW_LABEL) is None


def test_a_changed_text_shows_field_by_field() -> None:
    found = differences(deal(), "", NEW_LABEL + '[project]\ntitle = "{name}"\n')
    assert lines(found) == [
        "D-1",
        '  project: label "(tentative)" -> "(maybe)"',
        '  project: title "Acme: New portal" -> "New portal"',
    ]


def test_what_belongs_to_delivery_changes_new_projects_only() -> None:
    found = differences(deal(), "", '[project]\ndescription = "Hello"\n')
    assert lines(found) == ["D-1", '  project: text nothing -> "Hello"; on new projects only']


def test_new_records_are_added_and_missing_ones_dropped() -> None:
    story = '[[story]]\nsubject = "Begin"\nwhen = "tentative"\n'
    added, dropped = differences(deal(), "", story), differences(deal(), story, "")
    assert lines(added)[1] == '  story begin: subject nothing -> "Begin"'
    assert lines(dropped)[1] == '  story begin: subject "Begin" -> nothing'


def test_a_stage_that_no_longer_leads_to_a_project_is_seen_where_there_is_one() -> None:
    nothing = STAGES.replace("probability = 0.5", 'project = "none"')
    text = f"{HEAD}{nothing}"

    [unknown] = compare_all([(deal(), Staffing())], mappings(), parse_mapping(text), TODAY)
    [known] = compare_all([(deal(), Staffing())], mappings(), parse_mapping(text), TODAY, {"D-1"})
    assert lines(unknown)[0] == "D-1 (tentative -> none)"
    assert lines(known)[0] == "D-1 (tentative -> retired)"
    assert '  project: label "(tentative)" -> "(on hold)"' in lines(known)


def test_deals_that_never_had_a_project_do_not_count() -> None:
    new = '[project.retired]\nlabel = "(dead)"\n'
    assert differences(deal(stage="Lost"), "", new) is None
    assert differences(deal(stage="Lost"), "", new, there={"D-1"}) is not None


def test_old_deals_that_would_flood_the_target_are_seen() -> None:
    old_deal = deal(stage="Won", closed_on=TODAY.replace(year=2020))
    found = differences(old_deal, head=HEAD + "closed_within_days = 9999\n")
    assert lines(found)[0] == "D-1 (none -> staffed)"
    assert not [line for line in lines(found) if "on new projects only" in line]


def test_a_deal_that_can_no_longer_be_mapped_is_reported() -> None:
    new = STAGES.replace("Proposal", "Offer")

    edited = parse_mapping(f"{HEAD}{new}")
    [found] = compare_all([(deal(), Staffing())], mappings(), edited, TODAY)
    assert lines(found)[1].startswith('  can no longer be mapped: the stage "Proposal" is not in')
    [again] = compare_all([(deal(), Staffing())], edited, edited, TODAY)
    assert again is None


def test_a_new_policy_is_a_difference() -> None:
    found = differences(deal(), "", '[project.retired]\nhow = "delete-if-untouched"\n')
    assert lines(found) == ["D-1", '  project: when_retired "mark" -> "delete-if-untouched"']


def test_differences_name_record_field_values_and_owner() -> None:
    [found] = compare_desired(desired(deal()), desired(deal(), mappings(NEW_LABEL)))
    assert found.to_json() == {
        "key": "D-1",
        "kind": "project",
        "effect": "changed",
        "field": "label",
        "old": "(tentative)",
        "new": "(maybe)",
        "owner": "sales",
    }


def test_the_summary_counts_deals_states_and_fields() -> None:
    tally = Tally()
    for number in range(3):
        tally.count(differences(deal(key=f"D-{number}"), "", NEW_LABEL))
    tally.count(None)
    tally.count(DealDifference("X", "tentative", "tentative", problem="gone"))
    assert list(tally.lines()) == [
        "4 of 5 deals get something else.",
        "  1 can no longer be mapped",
        "  3 x project label changed",
    ]
    assert tally.to_json()["fields"] == [
        {"kind": "project", "effect": "changed", "field": "label", "deals": 3}
    ]
