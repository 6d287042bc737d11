"""Mappings match deals by the user's own fields, name them in texts, and show them as facts."""

from __future__ import annotations

from typing import Any

import pytest

from taiga_pipeline.mapping.load import MappingErrors, parse_mapping
from taiga_pipeline.mapping.mapping_set import MappingSet
from taiga_pipeline.mapping.schema import mapping_schema
from taiga_pipeline.pipeline.fields.declared import Declaration, table_with
from taiga_pipeline.records import Project, Story, Wiki
from tests.mapping.support import STAGES, deal, desired
from tests.pipeline.fields.support import TABLE

ALL = {
    "region": "North",
    "score": "1234.5",
    "signed_on": "2026-12-31",
    "segment": "Industry",
    "margin": "1500 EUR",
    "cost": "1200",
    "strategic": "yes",
}


def mappings(match: str = "", extra: str = "", table: Any = TABLE) -> MappingSet:
    head = f'[mapping]\nname = "test"\n{f"match = {{ {match} }}" if match else ""}\n'
    return parse_mapping(f"{head}{STAGES}{extra}", "test.toml", table)


def problems(match: str = "", extra: str = "") -> list[str]:
    with pytest.raises(MappingErrors) as caught:
        mappings(match, extra)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "match",
    [
        'region = "NORTH"',
        'score = ["1", "1.234,50"]',
        "score = 1234.50",
        'signed_on = "31.12.2026"',
        "signed_on = 2026-12-31",
        'segment = ["industry", "public sector"]',
        'margin = "1.500,00 €"',
        "strategic = true",
        'strategic = ["Ja"]',
        'region = "north", team = "consulting"',
    ],
)
def test_each_kind_is_matched_by_what_it_means(match: str) -> None:
    found = mappings(match)
    assert found.choose(deal(own=ALL)) is not None
    others = {"region": "South", "score": "1", "strategic": "no", "segment": "Public sector"}
    if "public sector" not in match and '1"' not in match:
        assert found.choose(deal(own=others)) is None
    assert found.choose(deal()) is None


def test_a_mapping_that_names_one_more_field_wins() -> None:
    both = parse_mapping(
        f'[mapping]\nname = "a"\nmatch = {{ team = "consulting" }}\n{STAGES}', "a.toml", TABLE
    )
    own = mappings('team = "consulting", region = "north"')
    together = MappingSet((*both.rules, *own.rules))
    chosen = together.choose(deal(own=ALL))
    assert chosen is not None and chosen.name == "test"


def test_values_that_no_deal_can_have_are_errors_with_their_place() -> None:
    assert problems('segment = ["Industry", "Industri"]') == [
        "test.toml:3:34: \"segment\": 'Industri' is not one of the choices; did you mean "
        "'Industry'? (choices: Public sector, Industry)"
    ]
    assert problems('score = "many"') == ["test.toml:3:19: \"score\": 'many' is not a number"]
    assert problems('regoin = "x"') == [
        'test.toml:3:11: unknown key "regoin"; did you mean "region"?'
    ]


def test_an_unknown_placeholder_is_told_the_fields_of_ones_own() -> None:
    (near,) = problems(extra='[project]\ntitle = "{regoin}"\n')
    assert 'did you mean "region"?' in near
    (far,) = problems(extra='[project]\ntitle = "{zzz}"\n')
    assert all(name in far for name in ALL)


def test_they_stand_in_titles_tags_stories_and_milestones() -> None:
    found = mappings(
        extra='[project]\ntitle = "{name} {margin} {cost} {score}"\n'
        'tags = ["{segment}", "signed-{signed_on}"]\ndescription = "Strategic: {strategic}"\n'
        '[[story]]\nsubject = "Go to {region}"\nwhen = "tentative"\n'
        '[[milestone]]\nname = "In {region}"\nfinish = "+1w"\nwhen = "tentative"\n'
    )
    group = desired(deal(own=ALL), found)
    fields = group.root.fields
    assert fields[Project.TITLE] == "New portal 1,500 EUR 1,200 EUR 1234.5"
    assert fields[Project.TAGS] == {"Industry", "signed-2026-12-31"}
    assert fields[Project.TEXT] == "Strategic: yes"
    names = {
        str(each.fields.get(Story.SUBJECT) or each.fields.get("name")) for each in group.children
    }
    assert {"Go to North", "In North"} <= names


def test_they_are_facts_but_for_money_which_has_to_be_asked_for() -> None:
    facts = desired(deal(own=ALL), mappings()).root.fields[Project.DEAL_FACTS]
    shown = str(facts).split(" ·\n")
    assert shown[-5:] == [
        "Region: North",
        "Score: 1234.5",
        "Signed: 2026-12-31",
        "Segment: Industry",
        "Strategic account: yes",
    ]
    asked = table_with([Declaration("margin", "money", fact=True)])
    facts = desired(deal(own=ALL), mappings(table=asked)).root.fields[Project.DEAL_FACTS]
    assert str(facts).endswith("Margin: 1,500 EUR")
    hidden = table_with([Declaration("region", "text", fact=False)])
    facts = desired(deal(own=ALL), mappings(table=hidden)).root.fields[Project.DEAL_FACTS]
    assert "North" not in str(facts)


def test_the_page_from_sales_has_them_as_plain_text() -> None:
    found = mappings(extra='[project]\nfrom_sales_page = "tentative"\n')
    group = desired(deal(own={"region": "<b>[x](http://evil)"}), found)
    (page,) = (each for each in group.children if Wiki.FACTS in each.fields)
    assert "- Region: &#60;b&#62;&#91;x&#93;(http://evil)" in str(page.fields[Wiki.FACTS])


def test_their_words_may_be_in_another_language() -> None:
    found = mappings(extra='[words]\nregion = "Område"\nyes = "ja"\n')
    facts = str(desired(deal(own=ALL), found).root.fields[Project.DEAL_FACTS])
    assert "Område: North" in facts and "Strategic account: ja" in facts


def test_text_that_is_none_of_its_kind_is_shown_as_it_is() -> None:
    odd = {"margin": "a lot", "strategic": "perhaps", "score": "many"}
    found = mappings("", '[project]\ntitle = "{margin} {strategic} {score}"\n')
    assert desired(deal(own=odd), found).root.fields[Project.TITLE] == "a lot perhaps many"


@pytest.mark.parametrize("name", ["week", "user", "fact", "class", "member", "names_of_facts"])
def test_a_name_that_is_a_word_of_the_program_does_no_harm(name: str) -> None:
    table = table_with([Declaration(name, "text", label="Mine")])
    found = mappings(f'{name} = "x"', f'[project]\ntitle = "{{{name}}}"\n', table)
    group = desired(deal(own={name: "x"}), found)
    assert group.root.fields[Project.TITLE] == "x"
    assert "Mine: x" in str(group.root.fields[Project.DEAL_FACTS])


def test_the_schema_lists_them() -> None:
    schema = mapping_schema(TABLE)
    properties = schema["definitions"]["MatchTable"]["properties"]
    assert set(ALL) <= set(properties)
    assert "{region}" in schema["description"]
    assert "region" in schema["definitions"]["WordsTable"]["properties"]
