"""What one mistake can do is limited in every direction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.in_memory_target import InMemoryTarget
from sync.plan.counting import count_mails
from sync.plan.limit_settings import Limit
from sync.plan.model import Action, ActionType, Change, GroupPlan
from sync.records.merge import Decision, Verdict
from sync.records.model import Desired, DesiredGroup, Owner, RecordKey, Reference
from sync.run.runner import Outcome
from sync.ways_out import AllowOnce
from tests.sync.world import World, deal

DEALS = 20


class MailingTarget(InMemoryTarget):
    """A target that mails each new member, as Taiga does."""

    def mails(self, desired: Desired) -> str:
        return desired.key.name if desired.key.kind == "membership" else ""


def deals(state: str = "tentative", count: int = DEALS, **rest: object) -> list[DesiredGroup]:
    return [deal(f"D{n:02}", state, **rest) for n in range(count)]  # type: ignore[arg-type]


def from_line(group: DesiredGroup, line: int) -> DesiredGroup:
    origins = {"": f"mappings/default.toml:{line}"}
    children = tuple(replace(child, origins=origins) for child in group.children)
    return replace(group, root=replace(group.root, origins=origins), children=children)


def test_staffing_many_projects_is_refused_with_count_projects_and_the_line(world: World) -> None:
    world.want(*deals())
    world.run()
    world.want(*(from_line(group, 46) for group in deals("staffed")))
    report = world.run()
    assert report.outcome is Outcome.REFUSED
    assert "limit 'staff': 20 planned" in report.refusal
    assert "D00, D01, D02 …" in report.refusal
    assert "requested by mappings/default.toml:46 (20)" in report.refusal
    assert AllowOnce("staff") in report.refusals[0].ways_out
    assert "'rename'" not in report.refusal, "a new state's label is not a rename of its own"
    assert world.run(allow=frozenset({"staff"})).outcome is Outcome.DONE


def test_children_made_in_projects_that_are_there_are_limited(world: World) -> None:
    world.want(*deals())
    world.run()
    world.want(*(from_line(group, 80) for group in deals(stories=("kick-off", "review"))))
    report = world.run()
    assert "limit 'children': 20 projects planned" in report.refusal
    assert "40 x story in 20 projects" in report.refusal
    assert "mappings/default.toml:80" in report.refusal
    assert world.run(allow=frozenset({"children"})).outcome is Outcome.DONE


def test_children_of_new_projects_count_for_nothing_but_the_project(world: World) -> None:
    world.want(*deals(stories=("kick-off", "review")))
    assert world.run().outcome is Outcome.DONE


@pytest.mark.parametrize(("limit", "outcome"), [(9, Outcome.REFUSED), (10, Outcome.DONE)])
def test_a_count_of_children_counts_each_child(world: World, limit: int, outcome: Outcome) -> None:
    world.want(deal("D1"))
    world.run()
    world.want(deal("D1", stories=tuple(f"story {n}" for n in range(10))))
    assert world.run(limits={"children": Limit(limit)}).outcome is outcome


def test_a_few_are_let_through_in_a_small_pipeline(world: World) -> None:
    world.want(*deals(count=5))
    world.run()
    world.want(*deals("staffed", count=5, stories=("kick-off", "review", "closing")))
    assert world.run().outcome is Outcome.DONE


def test_a_new_label_counts_as_a_rename(world: World) -> None:
    world.want(*deals())
    world.run()
    world.want(*deals(label="(maybe)"))
    report = world.run()
    assert "limit 'rename': 20 planned" in report.refusal
    assert "5 (the least of any share; 20% of 20 is 4) allowed" in report.refusal


def test_going_back_to_tentative_counts_as_a_rename(world: World) -> None:
    world.want(*deals("staffed"))
    world.run()
    world.want(*deals("tentative"))
    assert "limit 'rename': 20 planned" in world.run().refusal


def test_bringing_back_what_was_put_away_counts_as_a_rename(world: World) -> None:
    world.want(*deals())
    world.run()
    world.want(*deals("retired"))
    world.run(allow=frozenset({"retire"}))
    world.want(*deals())
    assert "limit 'rename': 20 planned" in world.run().refusal


def test_projects_that_are_found_by_their_markers_are_not_staffed_again(world: World) -> None:
    world.want(*deals("staffed"))
    world.run()
    world.lose_state()
    assert world.run().outcome is Outcome.DONE


def test_whom_the_target_will_mail_is_said_before_and_limited_for_each_person(
    world: World,
) -> None:
    world.target = MailingTarget()
    both = {"petra@example.com": "Owner", "jonas@example.com": "Back"}
    world.want(*deals(count=26, members={"petra@example.com": "Owner"}), deal("X", members=both))
    assert world.plan().mails == {"petra@example.com": 27, "jonas@example.com": 1}
    assert world.plan().mails == {"petra@example.com": 27, "jonas@example.com": 1}
    report = world.run()
    assert "limit 'mails': 27 planned, 25 allowed" in report.refusal
    assert "27 to petra@example.com, 1 to jonas@example.com" in report.refusal
    assert world.run(allow=frozenset({"mails"})).outcome is Outcome.DONE


def test_a_target_that_mails_nobody_has_no_such_limit(world: World) -> None:
    world.want(*deals(count=30, members={"petra@example.com": "Owner"}))
    assert not world.plan().mails
    assert world.run().outcome is Outcome.DONE


def test_a_fact_that_many_projects_lose_at_once_is_limited(world: World) -> None:
    world.want(*deals(deal_facts="Value: 100 ·\nOwner: Maya"))
    world.run()
    world.want(*deals(deal_facts="Owner: Tom"))
    report = world.run()
    assert "limit 'cleared': 20 planned (Value)" in report.refusal
    assert world.run(allow=frozenset({"cleared"})).outcome is Outcome.DONE


def test_a_field_that_many_projects_lose_at_once_is_limited(world: World) -> None:
    world.want(*deals(tags=("incoming",)))
    world.run()
    world.want(*deals(tags=()))
    assert "limit 'cleared': 20 planned (tags)" in world.run().refusal


def test_other_words_for_the_same_facts_clear_nothing(world: World) -> None:
    world.want(*deals(deal_facts="Value: 100 ·\nOwner: Maya"))
    world.run()
    world.want(*deals(deal_facts="Värde: 100 ·\nÄgare: Maya"))
    assert world.run().outcome is Outcome.DONE


def test_a_mail_is_counted_where_a_record_names_someone_anew_and_only_there() -> None:
    key = RecordKey("D1", "card", "build")
    card = Desired(key, {"holder": "ana@example.com"}, refers={"holder": Reference()})
    root = Desired(RecordKey("D1", "project"), {})

    def mails(kind: ActionType, *fields: str) -> dict[str, int]:
        written = Decision(Verdict.WRITE, "x")
        changes = tuple(Change(name, None, "x", None, Owner.SHARED, written) for name in fields)
        action = Action(kind, key, "", desired=card, changes=changes)
        plan = GroupPlan("D1", DesiredGroup(root), None, actions=(action,))
        return count_mails([plan], lambda record: str(record.fields["holder"]))

    assert mails(ActionType.CREATE, "holder") == {"ana@example.com": 1}
    assert mails(ActionType.UPDATE, "holder", "subject") == {"ana@example.com": 1}
    assert mails(ActionType.UPDATE, "subject") == {}
