"""Plans and issues as people read them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.plan.issue_ways import with_usual_ways_out
from sync.plan.limit_settings import Limit
from sync.plan.limits import check_limits
from sync.plan.model import Action, ActionType, Change, GroupPlan, Issue, IssueKind, Plan
from sync.records.merge import Decision, Verdict
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Value
from sync.source import Quarantined
from taiga_pipeline.language import use
from taiga_pipeline.records import Kind, Project
from taiga_pipeline.report.plan_text import (
    LONGEST,
    Tone,
    group_lines,
    issue_lines,
    plan_lines,
    quarantine_line,
    shown,
    summary_line,
)
from taiga_pipeline.report.ways_out import commands

ROOT = RecordKey("D-1", Kind.PROJECT)
STORY = RecordKey("D-1", "story", "x")


def change(field: str, observed: Value, desired: Value, verdict: Verdict = Verdict.WRITE) -> Change:
    return Change(field, observed, desired, observed, Owner.SALES, Decision(verdict, desired))


def action(kind: ActionType, *changes: Change, key: RecordKey = ROOT, reason: str = "") -> Action:
    return Action(kind, key, reason, changes=changes)


def group(*actions: Action, title: str = "Acme: Portal") -> GroupPlan:
    fields = {Project.LABEL: "(tentative)", Project.TITLE: title}
    return GroupPlan("D-1", DesiredGroup(Desired(ROOT, fields)), None, actions)


def lines(*actions: Action, brief: bool = False) -> list[str]:
    return list(group_lines(group(*actions), brief=brief))


def test_a_group_begins_with_what_happens_to_which_deal() -> None:
    (line,) = lines(action(ActionType.RETIRE))
    assert line == "- retire   D-1  (tentative) Acme: Portal"


def test_changes_inside_a_project_are_an_update_of_the_deal() -> None:
    story = RecordKey("D-1", Kind.STORY, "kick-off")
    assert lines(action(ActionType.CREATE, key=story)) == [
        "~ update   D-1  (tentative) Acme: Portal",
        "    + story kick-off",
    ]


def test_a_field_shows_old_and_new_value_and_its_owner() -> None:
    moved = action(ActionType.UPDATE, change("private", True, False))
    assert lines(moved)[1] == "    private: yes -> no  (sales)"


def test_an_edit_that_is_written_over_is_pointed_out() -> None:
    back = action(ActionType.UPDATE, change("state", "a", "b", Verdict.WRITE_BACK))
    assert lines(back)[1] == ("    state: a -> b  (sales decides: an edit there is undone)")


def test_of_a_set_only_the_difference_is_shown() -> None:
    tags = change("tags", frozenset({"web", "tentative"}), frozenset({"web", "won"}))
    assert lines(action(ActionType.UPDATE, tags))[1] == "    tags: +won -tentative  (sales)"


def test_of_a_long_text_only_changed_lines_are_shown() -> None:
    facts = change("deal_facts", "Stage: Proposal\nValue: 1", "Stage: Proposal\nValue: 2")
    assert lines(action(ActionType.UPDATE, facts))[1:] == [
        "    deal_facts:  (sales)",
        "        - Value: 1",
        "        + Value: 2",
    ]


def test_a_new_record_shows_what_it_is_filled_with_once() -> None:
    new = action(
        ActionType.CREATE,
        change(Project.TITLE, None, "Acme: Portal"),
        change("tags", None, frozenset()),
        change("template", None, "kanban"),
    )
    assert lines(new)[1:] == ["    template: kanban"]


def test_in_brief_a_new_project_counts_what_is_in_it() -> None:
    children = [
        action(ActionType.CREATE, key=RecordKey("D-1", kind, name))
        for kind, name in (("story", "a"), ("story", "b"), ("milestone", "c"))
    ]
    filled = action(ActionType.CREATE, change("template", None, "kanban"))
    assert lines(filled, *children, brief=True)[1:] == ["    with 2 stories, 1 milestone"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(nothing)"),
        ("", "(nothing)"),
        (frozenset(), "(nothing)"),
        (True, "yes"),
        (3, "3"),
        ("two\nlines", "two / lines"),
    ],
)
def test_values_are_shown_on_one_line(value: Value, text: str) -> None:
    assert shown(value) == text


def test_a_very_long_value_is_cut_visibly() -> None:
    text = shown("x" * 10_000_000)
    assert len(text) == LONGEST
    assert text.endswith("…")


HOSTILE: Sequence[str] = ("\x1b[2J", "\u202eevil", "a\nb", "\x07", "\ud800", "\x9b31m")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_gets_no_further_than_a_line(text: str) -> None:
    everything = [
        *group_lines(
            group(
                action(ActionType.UPDATE, change(text, text, f"{text}{text}"), reason=text),
                action(ActionType.CREATE, key=RecordKey("D-1", "story", text), reason=text),
                title=text,
            )
        ),
        *issue_lines([Issue(IssueKind.CONFLICT, ROOT, text, text, text, text, text)], "Taiga"),
        quarantine_line(Quarantined(text, text, text)),
    ]
    for line in everything:
        assert line.isprintable(), ascii(line)


class TestIssues:
    def conflict(self, key: RecordKey = ROOT) -> Issue:
        issue = Issue(IssueKind.CONFLICT, key, "both renamed it", "title", "a", "b", "c")
        return with_usual_ways_out(issue)

    def test_a_conflict_shows_all_three_values_and_both_ways_out(self) -> None:
        assert list(issue_lines([self.conflict()], "Taiga")) == [
            "! conflict    D-1 title: both renamed it",
            "    was a; sales: b; Taiga: c",
            "    pipeline-sync resolve D-1 --field title --take sales",
            "    pipeline-sync resolve D-1 --field title --take delivery",
        ]

    def test_a_command_can_be_copied_whatever_the_key_holds(self) -> None:
        key = RecordKey("D 1; rm -rf ~", Kind.PROJECT)
        first, _ = commands(self.conflict(key).ways_out)
        assert first == "pipeline-sync resolve 'D 1; rm -rf ~' --field title --take sales"

    def test_a_deleted_project_can_be_made_again_or_let_go(self) -> None:
        issue = with_usual_ways_out(Issue(IssueKind.DELETED, ROOT, "deleted"))
        assert [line.split("#")[0].strip() for line in commands(issue.ways_out)] == [
            "pipeline-sync resolve D-1 --take sales",
            "pipeline-sync resolve D-1 --take delivery",
        ]

    def test_a_message_does_not_repeat_the_key(self) -> None:
        (line,) = issue_lines([Issue(IssueKind.GONE, ROOT, "D-1: no longer there")], "Taiga")
        assert line == "! gone        D-1: no longer there"

    @pytest.mark.parametrize(
        ("message", "said"),
        [
            ("D-1/story/x: 'hours' stays empty: soon", "'hours' förblir tomt: soon"),
            ("D-1: nothing that is known", "nothing that is known"),
        ],
    )
    def test_a_message_without_its_key_is_in_the_readers_language(
        self, message: str, said: str
    ) -> None:
        with use("sv"):
            (line,) = issue_lines([Issue(IssueKind.GONE, STORY, message)], "Taiga")
        assert line.endswith(f": {said}")

    def test_what_cannot_be_typed_is_said_in_the_line_itself(self) -> None:
        issue = with_usual_ways_out(Issue(IssueKind.MOVED, STORY, "D-1/story/x: people moved it"))
        first, typed = issue_lines([issue], "Taiga")
        assert first == "! moved       D-1 story x: people moved it. Move it back in the target"
        assert typed == (
            "    pipeline-sync resolve D-1/story/x --take delivery    # leave it as it is"
        )


def test_a_left_out_row_names_record_place_and_reason() -> None:
    row = Quarantined("D-9", "deals.csv:17", "the value is not a number")
    assert quarantine_line(row) == "D-9 (deals.csv:17): the value is not a number"
    assert quarantine_line(Quarantined("", "deals.csv:17", "no key")) == "deals.csv:17: no key"


def test_the_summary_counts_what_would_happen() -> None:
    plan = Plan("acme", (group(action(ActionType.CREATE)),), unchanged=40)
    assert summary_line(plan) == "1 to create, 40 unchanged."


def test_a_refused_plan_says_so_above_the_summary() -> None:
    breaches = check_limits({"create": 3}, 0, {"create": Limit(2)})
    plan = Plan("acme", (), breaches=breaches)
    *_, refusal, _ = plan_lines(plan, "Taiga")
    assert refusal.startswith("! refused     limit 'create': 3 planned, 2 allowed")


def test_tones_are_left_to_the_painter() -> None:
    painted = list(
        group_lines(group(action(ActionType.CREATE)), lambda text, tone: f"<{tone.value}>{text}")
    )
    assert painted[0].startswith(f"<{Tone.ADD.value}>+ create   <{Tone.STRONG.value}>D-1")
