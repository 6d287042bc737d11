"""A project's life in any target: found, made, adopted, changed, retired and taken up again."""

from __future__ import annotations

import pytest

from sync.errors import Rejected, Stale, Vanished
from sync.records.model import Marker
from taiga_pipeline.records import Kind, Project
from tests.contract.targets.account import Account, Work, needs


@pytest.fixture
def work(account: Account) -> Work:
    """A project that was made."""
    work = Work(account)
    work.make()
    return work


def test_the_target_says_who_is_logged_in(account: Account) -> None:
    assert account.target.connect()
    assert account.target.name


def test_a_project_that_was_made_is_observed_as_it_was_asked_for(work: Work) -> None:
    fields = work.fields()
    wanted = (Project.LABEL, Project.TITLE, Project.TEXT, Project.DEAL_FACTS)
    assert {name: fields[name] for name in wanted} == {
        name: work.desired.fields[name] for name in wanted
    }


def test_the_answer_to_a_creation_is_what_is_there(account: Account) -> None:
    work = Work(account)
    written = work.make()
    parts = account.target.split(written.record, [work.desired.fields])
    assert parts == work.fields()
    assert work.marker in written.record.markers


def test_every_project_is_in_the_list_just_as_by_itself(work: Work) -> None:
    others = [Work(work.account) for _ in range(3)]
    for other in others:
        other.make()
    listed = {root.id: root for root in work.target.observe_roots()}
    for each in (work, *others):
        alone = each.observed()
        assert listed[each.id].fields == alone.fields
        assert listed[each.id].markers == alone.markers
        assert listed[each.id].change_token == alone.change_token


def test_facts_say_where_the_project_is_and_what_it_is_called(work: Work) -> None:
    facts = work.observed().facts
    assert facts["url"]
    assert str(work.desired.fields[Project.TITLE]) in str(facts["title"])


def test_a_project_is_found_by_its_marker_and_by_no_other(work: Work) -> None:
    assert [root.id for root in work.target.find_roots(work.marker)] == [work.id]
    assert not work.target.find_roots(Marker(work.account.pipeline, f"{work.key}x"))
    assert not work.target.find_roots(Marker(f"{work.account.pipeline}x", work.key))


@pytest.mark.parametrize(
    "key", ["D/1: ünï", "汉字-" * 40, "UPPER lower_9.%41", "a__b__2", "released"], ids=ascii
)
def test_any_key_finds_its_project_again(account: Account, key: str) -> None:
    work = Work(account, key)
    work.make()
    assert [root.id for root in account.target.find_roots(work.marker)] == [work.id]
    assert work.marker in work.observed().markers


def test_one_field_is_changed_and_the_others_stay(work: Work) -> None:
    before = work.fields()
    written = work.change(label="(sold)")
    after = work.target.split(written.record, [work.agreed])
    assert after == work.fields()
    assert after == {**before, Project.LABEL: "(sold)"}


def test_the_facts_of_a_deal_change_below_the_words_of_people(work: Work) -> None:
    facts = "Customer: Acme\nValue: 50,000 EUR"
    work.change(deal_facts=facts)
    fields = work.fields()
    assert (fields[Project.TEXT], fields[Project.DEAL_FACTS]) == ("Hello", facts)


def test_a_change_token_stands_still_until_something_moves(work: Work) -> None:
    before = work.observed().change_token
    assert before
    assert work.observed().change_token == before
    work.account.rename(work.id, f"{work.name} 2")
    assert work.observed().change_token != before


def test_writing_what_is_there_already_moves_nothing(work: Work) -> None:
    before = work.observed()
    if work.target.name == "memory":
        pytest.skip("the in-memory target counts every write")
    known = {**work.desired.fields, **work.fields()}
    work.target.update(before, {}, known, work.place)
    assert work.observed() == before


def test_a_persons_rename_is_seen_as_the_title(work: Work) -> None:
    work.account.rename(work.id, "(tentative) Their own words")
    fields = work.fields()
    assert fields[Project.LABEL] == "(tentative)"
    assert fields[Project.TITLE] == "Their own words"


def test_an_edit_in_the_last_moment_is_not_written_over(work: Work) -> None:
    seen = work.observed()
    known = {**work.desired.fields, **work.fields(), "label": "(sold)"}
    work.account.rename(work.id, "(tentative) Their own words")
    with pytest.raises(Stale):
        work.target.update(seen, {"label": "(sold)"}, known, work.place)
    assert work.fields()[Project.TITLE] == "Their own words"


@needs(Kind.PROJECT, Project.TAGS)
def test_tags_are_added_and_taken_off_one_by_one(work: Work) -> None:
    work.change(tags=frozenset({"incoming", "theirs"}))
    work.change(tags=frozenset({"theirs"}))
    assert work.fields()[Project.TAGS] == {"theirs"}


def test_a_project_is_retired_and_restored(work: Work) -> None:
    away = {"state": "retired", "label": "(lost)"}
    work.change(**away)
    fields = work.fields()
    assert fields[Project.LABEL] == "(lost)"
    assert fields.get(Project.STATE) == ("retired" if work.account.shows_state else None)
    assert work.id in {root.id for root in work.target.observe_roots()}, "retired is not gone"
    assert not work.observed().obstacle
    work.change(state="tentative", label="(tentative)")
    fields = work.fields()
    assert fields[Project.LABEL] == "(tentative)"
    assert fields.get(Project.STATE) != "retired"
    assert fields[Project.TITLE] == work.desired.fields[Project.TITLE]


def test_a_retired_project_is_kept_current_and_stays_away(work: Work) -> None:
    away = {"state": "retired", "label": "(lost)"}
    work.change(**away)
    work.change(deal_facts="Lost because: price")
    fields = work.fields()
    assert fields[Project.DEAL_FACTS] == "Lost because: price"
    assert fields[Project.LABEL] == "(lost)"
    assert fields.get(Project.STATE) == ("retired" if work.account.shows_state else None)


def test_a_project_is_let_go_and_adopted_again(work: Work) -> None:
    target = work.target
    target.unmark(work.id, work.marker)
    target.unmark(work.id, work.marker)
    assert not target.find_roots(work.marker)
    target.mark(work.id, work.marker)
    target.mark(work.id, work.marker)
    assert [root.id for root in target.find_roots(work.marker)] == [work.id]
    assert work.fields()[Project.TEXT] == "Hello", "people's words are not touched"


def test_a_project_of_another_deal_is_adopted(work: Work) -> None:
    other = Marker(work.account.pipeline, f"{work.key}-b")
    work.target.unmark(work.id, work.marker)
    work.target.mark(work.id, other)
    assert [root.id for root in work.target.find_roots(other)] == [work.id]
    assert not work.target.find_roots(work.marker)


def test_a_deal_that_let_go_of_its_project_gets_a_new_one(work: Work) -> None:
    work.target.unmark(work.id, work.marker)
    again = Work(work.account, work.key)
    again.make()
    assert again.id != work.id
    assert [root.id for root in work.target.find_roots(work.marker)] == [again.id]


def test_a_project_that_people_deleted_is_not_there(work: Work) -> None:
    seen = work.observed()
    known = {**work.desired.fields, **work.fields(), "label": "(sold)"}
    work.account.delete(work.id)
    assert work.target.observe_root(work.id) is None
    assert work.id not in work.target.observe_children([work.id])
    work.target.unmark(work.id, work.marker)
    with pytest.raises((Vanished, Rejected)):
        work.target.update(seen, {"label": "(sold)"}, known, work.place)


def test_removing_a_project_twice_is_fine(work: Work) -> None:
    for _ in range(2):
        work.target.remove("project", work.id, work.place)
    assert work.target.observe_root(work.id) is None


def test_hostile_words_read_as_they_were(account: Account) -> None:
    words = "<script>alert(1)</script> {{include(x)}} %s '; drop table"
    work = Work(account, title=words, text=f"{words}\n* one\n# two")
    work.make()
    fields = work.fields()
    assert fields[Project.TITLE] == words
    alike = str.maketrans("＜｛！", "<{!")
    assert str(fields[Project.TEXT]).translate(alike) == f"{words}\n* one\n# two"
