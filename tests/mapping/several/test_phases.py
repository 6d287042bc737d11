"""A deal with phases: which projects it asks for, when they begin, and who is in which."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records.model import KEPT, Base, DesiredGroup
from taiga_pipeline.mapping.demand import Staffing, deal_demand
from taiga_pipeline.mapping.diff import compare_all
from taiga_pipeline.mapping.errors import JoinedInPhases
from taiga_pipeline.mapping.explain import explain
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.probes import probes
from taiga_pipeline.mapping.several.phase_dates import Dates, dates_of
from taiga_pipeline.mapping.several.phases import keys_of
from taiga_pipeline.people.model import Allocation
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.records import (
    Kind,
    Milestone,
    Project,
    Wiki,
    deal_of,
    is_phase_key,
    phase_key,
    phase_of,
)
from tests.mapping.support import BACK, HEAD, STAGES, TODAY, children, deal, mappings, problems

START = date(2026, 12, 7)
PHASES = """\
[project]
tags = ["sold"]
template = "scrum"
from_sales_page = "tentative"
[[member]]
email = "petra@example.com"
[[milestone]]
name = "Steering"
finish = "+1d"
when = "tentative"
[[phase]]
name = "Discovery"
keeps_project = true
[[phase.role]]
role = "Design"
hours_per_week = 20
weeks = 2
[[phase]]
name = "Build"
after = "discovery"
start = "+1w"
takes_roles = true
template = "kanban"
tags = ["build"]
[[phase.member]]
email = "bo@example.com"
[[phase.role]]
role = "Back"
hours_per_week = 30
weeks = 10
[[phase.milestone]]
name = "Release"
start = "+0w"
finish = "+69d"
when = "tentative"
[[phase]]
name = "Support"
when = "staffed"
after = "Build"
title = "{phase} of {name}"
[[phase.milestone]]
name = "First month"
finish = "+4w"
"""
SUBJECT = deal(start=START)


def groups(
    subject: Deal = SUBJECT,
    rules: MappingSet | None = None,
    *allocations: Allocation,
    dates: dict[str, Dates] | None = None,
) -> dict[str, DesiredGroup]:
    found = (rules or mappings(PHASES)).desired_groups(
        subject, Staffing(allocations), TODAY, dates or {}
    )
    return {group.key: group for group in found}


def starts(found: dict[str, DesiredGroup], name: str) -> str:
    every = [m for group in found.values() for m in children(group, Kind.MILESTONE).items()]
    return str(dict(every)[name].fields[Milestone.START])


def put_on(name: str, role: str, first: date | None, last: date | None) -> Allocation:
    return Allocation("D-1", f"{name}@example.com", role, Decimal(20), first, last)


# --- identity


@given(
    keys=st.sets(st.text(min_size=1, max_size=12), min_size=2, max_size=6),
    ids=st.sets(st.from_regex(r"[a-z0-9][a-z0-9-]{0,9}", fullmatch=True), min_size=2, max_size=4),
)
def test_no_project_of_a_phase_has_the_key_of_another_or_of_a_deal(
    keys: set[str], ids: set[str]
) -> None:
    deals = {key for key in keys if not is_phase_key(key)}
    made = [(key, phase, phase_key(key, phase)) for key in deals for phase in ids]
    assert len({each for _, _, each in made} | deals) == len(made) + len(deals)
    assert all((deal_of(each), phase_of(each)) == (key, phase) for key, phase, each in made)
    assert all(deal_of(key) == key for key in deals)


def test_the_phase_that_keeps_it_has_the_deals_own_project() -> None:
    found = groups()
    assert list(found) == ["D-1", "D-1::build", "D-1::support"]
    assert found["D-1"].root.fields[Project.TITLE] == "Acme: New portal – Discovery"
    assert keys_of(SUBJECT, mappings(PHASES).choose(SUBJECT)) == tuple(found)
    assert len({group.likeness for group in found.values()}) == 3
    alone = mappings().desired_groups(SUBJECT, Staffing(), TODAY)
    assert [group.key for group in alone] == ["D-1"]
    assert alone[0].likeness == found["D-1"].likeness


def test_each_phase_adds_to_what_is_in_every_project() -> None:
    found = groups()
    build = found["D-1::build"]
    assert build.root.fields[Project.TAGS] == {"sold", "build"}
    assert build.root.fields[Project.TEMPLATE] == "kanban"
    assert found["D-1"].root.fields[Project.TEMPLATE] == "scrum"
    assert set(children(build, Kind.MILESTONE)) == {"Steering", "Release"}
    assert set(children(found["D-1"], Kind.MILESTONE)) == {"Steering"}
    assert set(children(build, Kind.MEMBERSHIP)) == {"petra@example.com", "bo@example.com"}
    assert "Phase: Build" in str(build.root.fields[Project.DEAL_FACTS])


def test_a_phase_that_waits_for_the_win_has_no_project_before_and_all_retire_with_the_deal() -> (
    None
):
    assert [group.create for group in groups().values()] == [True, True, False]
    won = groups(deal(start=START, stage="Won", closed_on=TODAY))
    assert [group.create for group in won.values()] == [True, True, True]
    assert all(group.retired for group in groups(deal(start=START, stage="Lost")).values())


def test_the_page_from_sales_tells_of_the_other_phases() -> None:
    page = children(groups()["D-1::build"], Kind.WIKI)["from-sales"].fields[Wiki.FACTS]
    assert "- Discovery: 2026-12-07 – 2026-12-20\n" in str(page)
    assert "- Build: 2026-12-28 – 2027-03-07 (this project)\n" in str(page)
    assert "- Support: 2027-03-08 – 2027-04-05" in str(page)


# --- when


def test_a_phase_begins_after_the_one_before_and_moves_with_the_deal() -> None:
    assert starts(groups(), "Release") == "2026-12-28"
    later = groups(deal(start=START + timedelta(weeks=2)))
    assert starts(later, "Release") == "2027-01-11"


def kept(first: date, last: date, moved_first: date, moved_last: date) -> Dates:
    """The dates of a milestone as the state store has them, with a manager's edit."""
    bases = {
        "Steering": {
            Milestone.START: Base(first.isoformat(), first.isoformat()),
            Milestone.FINISH: Base(last.isoformat(), last.isoformat()),
        }
    }
    edits = [(Milestone.START, first, moved_first), (Milestone.FINISH, last, moved_last)]
    facts = [[Kind.MILESTONE, "Steering", end, str(now)] for end, was, now in edits if was != now]
    return dates_of(bases, {KEPT: facts})


@pytest.mark.parametrize(
    ("days", "by"), [((7, 7), 7), ((0, 7), 7), ((7, 0), 7), ((-7, -7), -7), ((0, 0), 0)]
)
def test_what_a_manager_moves_in_a_phase_moves_those_after_it(
    days: tuple[int, int], by: int
) -> None:
    ends = START, START + timedelta(days=13)
    moved = kept(*ends, *(day + timedelta(days=each) for day, each in zip(ends, days, strict=True)))
    found = groups(dates={"D-1": moved})
    assert starts(found, "Release") == str(date(2026, 12, 28) + timedelta(days=by))
    assert starts({"D-1": found["D-1"]}, "Steering") == START.isoformat()


def test_a_phase_whose_start_a_manager_moved_stays_there_and_those_after_it_follow() -> None:
    asked = {"Release": (date(2026, 12, 28), date(2027, 3, 7))}
    seen = {"Release": (date(2027, 1, 11), date(2027, 3, 21))}
    before = kept(START, START, START + timedelta(days=7), START + timedelta(days=7))
    found = groups(
        deal(start=START, stage="Won", closed_on=TODAY),
        dates={"D-1": before, "D-1::build": Dates(asked, seen)},
    )
    assert starts(found, "Release") == "2026-12-28"  # as it was asked for: the edit stays
    assert starts(found, "First month") == "2027-03-22"
    build = found["D-1::build"].root.fields
    [page] = children(found["D-1::build"], Kind.WIKI).values()
    facts = str(build[Project.DEAL_FACTS])
    assert "Start: 2027-01-11" in facts
    for said in (facts, str(build[Project.LOOKING_FOR_PEOPLE_NOTE]), str(page.fields[Wiki.FACTS])):
        assert "2027-01-11" in said
        assert "2026-12-28" not in said


def test_a_phase_that_is_found_just_where_it_follows_was_not_moved_by_anyone() -> None:
    week, first, last = timedelta(days=7), date(2026, 12, 28), date(2027, 3, 7)
    before = kept(START, START, START + week, START + week)
    found_there = {
        Milestone.START: Base(str(first), str(first + week)),
        Milestone.FINISH: Base(str(last), str(last + week)),
    }
    build = dates_of({"Release": found_there}, {})
    found = groups(dates={"D-1": before, "D-1::build": build})
    assert starts(found, "Release") == str(first + week)
    assert "Start: 2027-01-04" in str(found["D-1::build"].root.fields[Project.DEAL_FACTS])
    later = kept(START, START, START + 2 * week, START + 2 * week)
    assert starts(groups(dates={"D-1": later, "D-1::build": build}), "Release") == str(first)


def test_a_deal_without_a_start_has_phases_without_dates() -> None:
    found = groups(deal(expected_close=None))
    assert list(children(found["D-1::build"], Kind.MILESTONE)) == []
    assert {key.name for key in found["D-1::build"].waiting} == {"Steering", "Release"}


# --- who


def test_demand_is_that_of_all_phases_each_from_its_own_start() -> None:
    rules = mappings(PHASES).choose(SUBJECT)
    assert rules is not None
    asked = [(each.role, each.start_week, each.weeks) for each in deal_demand(SUBJECT, rules)]
    assert asked == [("Design", 0, 2), ("Back", 3, 10)]


def test_roles_that_a_deal_states_are_for_the_phase_that_takes_them() -> None:
    stated = deal(start=START, roles=(BACK, BACK))
    found = groups(stated)
    assert "Design" in str(found["D-1"].root.fields[Project.LOOKING_FOR_PEOPLE_NOTE])
    note = str(found["D-1::build"].root.fields[Project.LOOKING_FOR_PEOPLE_NOTE])
    assert note.count("Back 30 h/week") == 2


def test_people_are_in_the_phases_that_need_them_in_the_days_of_their_work() -> None:
    won = deal(start=START, stage="Won", closed_on=TODAY)
    early = put_on("ana", "Design", START, START + timedelta(days=4))
    builder = put_on("bea", "Back", None, None)
    late = put_on("cho", "Data", date(2027, 3, 20), None)
    nowhere = put_on("dan", "Data", date(2026, 1, 1), date(2026, 2, 1))
    found = groups(won, None, early, builder, late, nowhere)
    members = {
        key: {each.partition("@")[0] for each in children(group, Kind.MEMBERSHIP)}
        for key, group in found.items()
    }
    assert members == {
        "D-1": {"petra", "ana", "dan"},
        "D-1::build": {"petra", "bo", "bea"},
        "D-1::support": {"petra", "cho"},
    }


# --- mapping files


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[phase]]\nname = "A"\n', "one phase has to say keeps_project = true"),
        (
            '[[phase]]\nname = "A"\nkeeps_project = true\n'
            '[[phase]]\nname = "B"\nkeeps_project = true\n',
            "keeps the project already",
        ),
        (
            '[[phase]]\nname = "A"\nkeeps_project = true\nafter = "Q"\n',
            'there is no phase "Q"',
        ),
        (
            '[[phase]]\nname = "A"\nkeeps_project = true\nafter = "b"\n'
            '[[phase]]\nname = "B"\nafter = "A"\n',
            "would start after itself",
        ),
        ('[[phase]]\nname = "—"\nkeeps_project = true\n', "no id can be made"),
        (
            '[[phase]]\nname = "A"\nkeeps_project = true\n[[phase]]\nname = "a"\n',
            'are both "a"',
        ),
        ('[[phase]]\nname = "A"\nkeeps_project = true\nid = "No: id"\n', '"id"'),
        ('[[phase]]\nname = "A"\nkeeps_project = true\ntitle = "{nam}"\n', "{nam}"),
        ('[[phase]]\nname = "A"\nkeeps_project = true\nfrom = "x"\n', 'unknown key "from"'),
        ('[[phase]]\nname = "{nam}"\nid = "a"\nkeeps_project = true\n', "fixed text"),
        ('[[phase]]\nname = "A"\nkeeps_project = true\nrole = "Back"\n', "its own [[phase.role]]"),
        (
            '[[phase.milestone]]\nname = "M"\nfinish = "+1w"\n'
            '[[phase]]\nname = "A"\nkeeps_project = true\n',
            "is above the [[phase]] that it belongs to: move it below",
        ),
        ('[[phase.milestone]]\nname = "M"\nfinish = "+1w"\n', "below its own [[phase]]"),
        (
            '[[milestone]]\nname = "M"\nfinish = "+1w"\n[[phase]]\nname = "A"\n'
            'keeps_project = true\n[[phase.milestone]]\nname = "M"\nfinish = "+1w"\n',
            "have the same id",
        ),
        (
            '[[phase]]\nname = "A"\nkeeps_project = true\n'
            '[[phase.story]]\nsubject = "S"\nmilestone = "M"\n',
            'there is no milestone "M"',
        ),
    ],
)
def test_what_is_wrong_with_phases_is_said_with_its_place(text: str, said: str) -> None:
    [problem] = problems(f"{HEAD}{STAGES}{text}")
    assert said in problem
    assert problem.startswith("m.toml:")


def test_deals_of_one_project_cannot_have_phases() -> None:
    asked = [(SUBJECT, Staffing()), (deal(key="D-2", part_of="D-1"), Staffing())]
    with pytest.raises(JoinedInPhases, match="D-1 has several projects"):
        mappings(PHASES).desired_together(asked, TODAY)


def test_tools_for_admins_tell_of_every_phase() -> None:
    rules = mappings(PHASES)
    told = "\n".join(explain(rules, SUBJECT, Staffing(), TODAY).lines())
    assert "project D-1::build: " in told
    assert 'the phase "Support" has a project once the deal is won' in told
    asked = {str(each.fields.get(Project.TEMPLATE)) for each in probes(rules.rules[0])}
    assert {"scrum", "kanban"} <= asked
    differences = [
        each
        for each in compare_all([(SUBJECT, Staffing())], mappings(), rules, TODAY, {"D-1"})
        if each
    ]
    assert [(each.deal, each.old_state, each.new_state) for each in differences] == [
        ("D-1", "tentative", "tentative"),
        ("D-1::build", "", "tentative"),
    ]
    back = compare_all([(SUBJECT, Staffing())], rules, mappings(), TODAY, {"D-1", "D-1::build"})
    assert [(each.deal, each.new_state) for each in back if each] == [
        ("D-1", "tentative"),
        ("D-1::build", ""),
    ]


def test_a_phase_is_a_copy_of_its_own_template_project_from_its_own_start() -> None:
    rules = mappings(
        PHASES.replace('template = "scrum"', 'template = "project:1"').replace(
            'template = "kanban"', 'template = "project:2"'
        )
    )
    made = {key: group.root.fields for key, group in groups(SUBJECT, rules).items()}
    copies = {
        key: (each[Project.COPIED_FROM], each[Project.COPY_STARTS]) for key, each in made.items()
    }
    assert copies == {
        "D-1": ("1", "2026-12-07"),
        "D-1::build": ("2", "2026-12-28"),
        "D-1::support": ("1", "2027-03-08"),
    }
