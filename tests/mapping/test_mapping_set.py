"""Which mapping is for a deal, and what happens to deals that none (or several) are for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from taiga_pipeline.mapping.demand import Staffing
from taiga_pipeline.mapping.errors import MappingTie, NoMapping, NotMapped, UnknownStage
from taiga_pipeline.mapping.load import load_mappings
from taiga_pipeline.mapping.mapping_set import MappingSet

from .support import HEAD, STAGES, TODAY, deal, mappings


@pytest.fixture
def several(tmp_path: Path) -> MappingSet:
    matches = {
        "any": "",
        "team": 'match = { team = ["Consulting", "Ops"] }',
        "service": 'match = { service = ["Audit"] }',
        "urgent": 'match = { owner = ["Zoe"] }\npriority = 1',
        "both": 'match = { team = ["ops"], service = ["Web"] }',
        "prefix": 'match = { key_prefix = ["SE-", "NO-"], currency = "SEK" }',
    }
    for name, match in matches.items():
        text = f'[mapping]\nname = "{name}"\n{match}\n{STAGES}'
        (tmp_path / f"{name}.toml").write_text(text)
    return load_mappings(tmp_path)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"team": "Sales"}, "any"),
        ({}, "team"),
        ({"team": " CONSULTING "}, "team"),
        ({"team": "Ops", "service": "web"}, "both"),
        ({"team": "", "service": "audit"}, "service"),
        ({"owner": "zoe"}, "urgent"),
        ({"team": "Ops", "owner": "Zoe"}, "both"),
        ({"key": "se-7", "currency": "SEK"}, "prefix"),
        ({"key": "DK-SE-7", "currency": "SEK", "team": ""}, "any"),
    ],
)
def test_the_most_specific_mapping_wins(
    several: MappingSet, changes: dict[str, str], expected: str
) -> None:
    rules = several.choose(deal(**changes))
    assert rules is not None
    assert rules.name == expected


def test_a_tie_is_an_error_for_that_deal_and_names_both_files(several: MappingSet) -> None:
    with pytest.raises(MappingTie, match=r'"service" \(.*service.toml\) and "team" \(.*team.toml'):
        several.choose(deal(service="Audit"))
    assert several.choose(deal()) is not None


def test_a_deal_that_no_mapping_is_for_asks_for_nothing() -> None:
    rules = mappings(head=HEAD + 'match = { team = ["Other"] }\n')
    assert rules.choose(deal()) is None
    assert rules.desired(deal(), Staffing(), TODAY) is None
    with pytest.raises(NoMapping, match="no mapping matches"):
        rules.stage_of(deal())


def test_the_stage_of_a_deal_comes_with_its_mapping() -> None:
    rules, stage = mappings('requires = ["a"]\n').stage_of(deal(stage="LOST"))
    assert (rules.name, stage.name, stage.requires) == ("test", "Lost", ("a",))
    assert str(stage.where) == "test.toml:13"


def test_an_unknown_stage_is_reported_with_the_nearest_one_and_the_file() -> None:
    with pytest.raises(UnknownStage) as caught:
        mappings().desired(deal(stage="Propsal"), Staffing(), TODAY)
    assert str(caught.value) == (
        'the stage "Propsal" is not in test.toml; did you mean "Proposal"?; if a stage was '
        'renamed, add the alias "Propsal" to its [[stage]] there; else correct the deal'
    )
    assert caught.value.place == "test.toml"


def test_a_renamed_stage_is_never_taken_for_a_loss() -> None:
    with pytest.raises(UnknownStage) as caught:
        mappings().stage_of(deal(stage="Lost it"))
    assert "did you mean" not in str(caught.value)
    assert 'add the alias "Lost it"' in str(caught.value)


def test_a_stage_near_to_none_is_reported_with_those_there_are() -> None:
    known = "; known are Needs, Proposal, Won, Lost; if a stage was renamed"
    with pytest.raises(NotMapped, match=known):
        mappings().stage_of(deal(stage="Zzz\x1b[2J"))


def test_a_deal_without_a_stage_is_said_to_have_none() -> None:
    with pytest.raises(NotMapped, match=r"^the deal has no stage; test.toml has Needs, Proposal"):
        mappings().stage_of(deal(stage=" "))


def test_many_unknown_stages_do_not_pile_up() -> None:
    rules = mappings()
    for number in range(2500):
        with pytest.raises(UnknownStage, match=f"{number}"):
            rules.stage_of(deal(stage=f"{number}"))
    assert len(rules._unknown_stages) <= 1000


def test_all_labels_that_a_project_may_carry_are_known(several: MappingSet) -> None:
    assert several.labels() == {"(tentative)", "(lost)", "(on hold)", "(gone)"}
    assert "(maybe)" in mappings('[project.tentative]\nlabel = "(maybe)"\n').labels()


def test_the_project_of_a_deal_that_is_gone_is_put_away_and_never_deleted() -> None:
    rules = mappings(
        '[project.tentative]\ntags = ["Maybe"]\n[project.retired]\ntags = ["Away", "x {name}"]\n'
        'how = "delete-if-untouched"\nlabel_gone = "(vanished)"\n'
    )
    base = rules.desired(deal(), Staffing(), date(2026, 1, 1))
    assert base is not None
    fields = dict(base.root.fields) | {"tags": frozenset({"maybe", "kept"})}
    gone = rules.retired("D-1", fields)
    assert gone.retired
    assert not gone.create
    assert not gone.follow_children
    assert gone.when_retired.value == "mark"
    assert gone.root.key == base.root.key
    assert gone.root.fields["label"] == "(vanished)"
    assert gone.root.fields["tags"] == {"kept", "Away"}
    assert gone.root.fields["title"] == "Acme: New portal"
    assert gone.root.fields["looking_for_people"] is False
