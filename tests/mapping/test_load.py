"""Every problem of every mapping file is reported at once, at its exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import SyncError
from taiga_pipeline.mapping.load import MappingErrors, load_mappings, parse_mapping, replacing
from taiga_pipeline.problems import ProblemsError

from .support import HEAD, STAGES, problems

BROKEN = """[mapping]
name = "x"
match = { taem = ["a"], service = [] }
priority = "1"
closed_within_days = -1
when_deleted = "recreat"
lead_time_weeks = 1.5
[[stage]]
name = "Proposal"
aliases = ["  offer", "Won"]
category = "proposal"
probabilty = 0.5
probability = 50
requires = [1]
[[stage]]
name = "won"
category = "won"
project = "retired"
[project]
title = "{custmer}: {name"
tags = "{servic}"
private = "yes"
how = "mark"
[project.tentative]
label = " {stage} "
[[milestone]]
name = "Kick"
start = "+2w"
finish = "+1w"
[[story]]
subject = "a {{x}} {bad}"
milestone = "Kik"
"""


def test_all_problems_of_a_file_come_at_once_in_the_order_of_the_file() -> None:
    assert problems(BROKEN) == [
        'm.toml:3:11: unknown key "taem"; did you mean "team"?',
        'm.toml:3:35: "service" accepts no value, so no deal matches; leave it out for any value',
        'm.toml:4:12: "priority" must be a whole number, without quotes; it is "1"',
        'm.toml:5:22: "closed_within_days" must be at least 0; it is -1',
        'm.toml:6:16: "when_deleted" must be one of report, recreate, not "recreat"; '
        'did you mean "recreate"?',
        'm.toml:7:19: "lead_time_weeks" must be a whole number, without quotes; it is 1.5',
        'm.toml:12:1: unknown key "probabilty"; did you mean "probability"?',
        'm.toml:13:15: "probability" must be at most 1; it is 50 (write 0.5 for 50 %)',
        'm.toml:14:13: "requires" (number 1) must be text in quotes; it is 1',
        'm.toml:16:8: the stage "won" exists already, in line 10 ("Won")',
        "m.toml:18:11: a won deal's project is staffed; a stage of another kind has another "
        "category",
        "m.toml:20:10: unknown placeholder '{custmer}'; did you mean \"customer\"?",
        "m.toml:20:21: a single '{': write '{{' for the character itself",
        "m.toml:21:9: unknown placeholder '{servic}'; did you mean \"service\"?",
        'm.toml:22:11: "private" must be true or false, without quotes; it is "yes"',
        'm.toml:23:1: unknown key "how"; known here: title, template, tags, description, '
        "from_sales_page, money_on_page, private, tentative, staffed, retired",
        "m.toml:25:9: a label cannot begin or end with a blank, or contain a line end",
        "m.toml:25:9: a label is fixed text; it has no placeholders",
        'm.toml:29:10: the milestone "Kick" finishes ("+1w") before it starts ("+2w")',
        "m.toml:31:20: unknown placeholder '{bad}'; known are key, name, customer, stage, value, "
        "currency, probability, expected_close, closed_on, start, owner, team, service, "
        "lead_source, lost_reason, next_step, next_step_on, next_step_by, "
        "notes, contact, phase",
        'm.toml:32:13: there is no milestone "Kik"; did you mean "Kick"?',
    ]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ('[[role]]\nrole = ""\nweeks = 1\nhours_per_week = 1', 'm.toml:17:8: "role" must not be'),
        ('[[role]]\nrole = "A"\nweeks = 0\nhours_per_week = 1', 'm.toml:18:9: "weeks" must be at'),
        (
            '[[role]]\nrole = "A"\nweeks = 1\nhours_per_week = 0',
            'm.toml:19:18: "hours_per_week" must be more than 0; it is 0',
        ),
        (
            '[[role]]\nrole = "A"\nweeks = 1\nhours_per_week = "30"',
            'm.toml:19:18: "hours_per_week" must be a number, without quotes; it is "30"',
        ),
        ('[[role]]\nrole = "A"\nweeks = 1', 'm.toml:16:1: "hours_per_week" is missing'),
        (
            '[[role]]\nrole = "A"\nweeks = 1\nhours_per_week = 1\nstart = "+3d"',
            'm.toml:20:9: "start" must be whole weeks',
        ),
        (
            '[[story]]\nsubject = "A"\nid = 1\n[[story]]\nsubject = "a"',
            'm.toml:18:6: "id" must be text in quotes; it is 1',
        ),
        (
            '[[role]]\nrole = "A"\nweeks = 1\nhours_per_week = 1\nstart = "-1w"',
            'm.toml:20:9: "start" must be whole weeks',
        ),
        ('[[milestone]]\nname = "A"\nfinish = "soon"', 'm.toml:18:10: "finish" must be weeks or'),
        (
            '[[milestone]]\nname = "A"\nfinish = "1w"\n[[milestone]]\nname = "a"\nfinish = "1w"',
            'm.toml:19:1: this milestone and the one in line 16 have the same id "a"',
        ),
        (
            '[[story]]\nsubject = "A!"\n[[story]]\nsubject = "a?"',
            'm.toml:18:1: this story and the one in line 16 have the same id "a"',
        ),
        (
            '[[milestone]]\nname = "A"\nfinish = "1w"\n'
            '[[story]]\nsubject = "B"\nmilestone = "A"\nwhen = "tentative"',
            "m.toml:21:13: the milestone is made when the project is staffed",
        ),
        (
            '[[phase]]\nname = "B"\nid = "b::C"\nkeeps_project = true',
            'm.toml:18:6: "id" must be small letters a to z, digits and dashes, forty at most; '
            'it is "b::C"',
        ),
        ('[ownership]\ntitle = "sale"', 'm.toml:17:9: "title" must be one of sales, delivery'),
        ('[words]\nvalue = ""', 'm.toml:17:9: "value" must not be empty'),
        ("[project.gone]", 'm.toml:16:10: unknown key "gone"; known here: title'),
        ("stories = 1", 'm.toml:16:1: unknown key "stories"; known here: name, aliases'),
    ],
)
def test_a_mistake_is_reported_at_its_place(extra: str, expected: str) -> None:
    [problem] = problems(f"{HEAD}{STAGES}{extra}")
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["m.toml:1:1: there is no [mapping] in this file",
              "m.toml:1:1: there is no [[stage]] in this file"]),
        ('[mapping]\nname = "a"\n[stage]\nname = "b"',
         ['m.toml:3:1: "stage" must be written as tables, each below its own [[stage]]']),
        ('stage = []\n[mapping]\nname = "a"', ['m.toml:1:9: "stage" must not be empty']),
        ("mapping = 4\nstage = [1]",
         ['m.toml:1:11: "mapping" must be a table; it is 4',
          'm.toml:2:10: "stage" (number 1) must be a table; it is 1']),
        ("[mapping\n", ["m.toml:1:9: is not TOML: Expected ']' at the end of a table declaration"]),
    ],
)  # fmt: skip
def test_a_file_of_the_wrong_shape_is_described(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_lost_deals_may_not_have_a_living_project() -> None:
    text = f'{HEAD}{STAGES}project = "tentative"\n'
    [problem] = problems(text)
    assert problem.startswith("m.toml:16:11: a lost deal's project is retired (or none)")


def test_a_mapping_that_leads_nowhere_is_refused() -> None:
    text = f'{HEAD}[[stage]]\nname = "Lead"\ncategory = "lead"\n'
    [problem] = problems(text)
    assert problem.startswith("m.toml:3:1: no stage leads to a project")


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def complaints(*paths: Path) -> list[str]:
    with pytest.raises(MappingErrors) as caught:
        load_mappings(paths)
    return [str(problem) for problem in caught.value.problems]


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    folder = write(tmp_path, a="x = 1\n", b="[", c=f"{HEAD}{STAGES}")
    (folder / "d.toml").write_bytes(b"\xff")
    found = complaints(folder)
    assert [Path(line.split(":")[0]).name for line in found] == [
        "a.toml", "a.toml", "a.toml", "b.toml", "d.toml",
    ]  # fmt: skip


def test_two_files_may_not_share_a_name_or_both_be_the_default(tmp_path: Path) -> None:
    folder = write(tmp_path, a=f"{HEAD}{STAGES}", b=f"{HEAD}{STAGES}")
    assert complaints(folder) == [
        f"{folder}/b.toml:1:1: {folder}/a.toml has no match either: only one mapping can be the "
        "default",
        f'{folder}/b.toml:2:8: the mapping "test" is in {folder}/a.toml already',
    ]


def with_match(name: str, match: str) -> str:
    return f'[mapping]\nname = "{name}"\n{match}\n{STAGES}'


@pytest.mark.parametrize(
    ("one", "other", "ties"),
    [
        ('match = {team = ["A", "B"]}', 'match.team = "b"', True),
        ('match = {team = ["A"]}', 'match = {team = ["B"]}', False),
        ('match = {team = ["A"]}', 'match = {team = ["a"]}\npriority = 1', False),
        ('match = {team = ["A"]}', 'match = {team = ["a"], service = ["x"]}', False),
        ('match = {team = ["A"]}', 'match = {service = ["x"]}', False),
        ('match = {key_prefix = ["S"]}', 'match = {key_prefix = ["se-"]}', True),
        ('match = {key_prefix = ["DK"]}', 'match = {key_prefix = ["SE"]}', False),
    ],
)
def test_mappings_that_tie_for_sure_are_refused(
    tmp_path: Path, one: str, other: str, ties: bool
) -> None:
    folder = write(tmp_path, a=with_match("a", one), b=with_match("b", other))
    if ties:
        [problem] = complaints(folder)
        assert f"deals exist that match {folder}/a.toml just as well" in problem
        assert problem.startswith(
            f"{folder}/b.toml:3:1:" if "match." in other else f"{folder}/b.toml:3:9"
        )
    else:
        assert len(load_mappings(folder).rules) == 2


def test_only_toml_files_of_a_folder_count(tmp_path: Path) -> None:
    folder = write(tmp_path, a=f"{HEAD}{STAGES}")
    (folder / "a.toml~").write_text("[")
    (folder / "notes.txt").write_text("[")
    assert [rule.name for rule in load_mappings(folder).rules] == ["test"]


def test_a_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text(HEAD + STAGES)
    assert load_mappings(file).rules == load_mappings(file).rules
    file.write_text(HEAD + STAGES + "\nunknown = 1\n")
    with pytest.raises(MappingErrors):
        load_mappings(file)
    file.write_text(HEAD + STAGES)
    assert load_mappings(file).rules


def test_an_empty_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    assert complaints(tmp_path, tmp_path / "none.toml") == [
        f"{tmp_path}: there is no mapping (*.toml) in this folder; 'pipeline-sync init' writes a "
        "first one",
        f"{tmp_path}/none.toml: cannot be read: No such file or directory",
    ]


def test_mapping_errors_are_both_problems_and_errors_of_the_engine() -> None:
    with pytest.raises(MappingErrors) as caught:
        parse_mapping("")
    assert isinstance(caught.value, SyncError)
    assert isinstance(caught.value, ProblemsError)


def test_a_new_file_takes_the_place_of_the_one_of_its_name(tmp_path: Path) -> None:
    folder = write(tmp_path, a="", b="")
    new = tmp_path / "new"
    new.mkdir()
    assert replacing(folder, new / "b.toml").new == [folder / "a.toml", new / "b.toml"]
    assert replacing(folder, new).new == [new]


NAMED = '[mapping]\nname = "{}"\n{}\n'


@pytest.mark.parametrize(
    ("text", "file", "replaced"),
    [
        (NAMED.format("One", ""), "edited.toml", "a.toml"),
        (NAMED.format("two", ""), "a.toml", "b.toml"),  # the name says more than the file's
        (NAMED.format("three", ""), "b.toml", "b.toml"),
        (NAMED.format("three", ""), "edited.toml", "a.toml"),  # both are for all deals
        (NAMED.format("three", 'match = { team = ["y"] }'), "edited.toml", ""),
    ],
)
def test_an_edited_copy_takes_the_place_of_its_original(
    tmp_path: Path, text: str, file: str, replaced: str
) -> None:
    one, two = NAMED.format("one", ""), NAMED.format("two", 'match = { team = ["x"] }')
    folder = write(tmp_path, a=one, b=two)
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / file
    new.write_text(text)
    place = replacing(folder, new)
    assert [each.name for each in place.replaced] == ([replaced] if replaced else [])
    assert place.new == [*(f for f in place.old if f.name != replaced), new]


def test_an_edited_copy_beside_its_original_is_not_in_force_yet(tmp_path: Path) -> None:
    folder = write(tmp_path, a=NAMED.format("one", ""), copy=NAMED.format("one", ""))
    place = replacing(folder, folder / "copy.toml")
    assert (place.old, place.new) == ([folder / "a.toml"], [folder / "copy.toml"])


def test_members_need_an_address_and_stand_once() -> None:
    text = (
        HEAD + STAGES + '[[member]]\nemail = "petra"\n\n[[member]]\nemail = "a@x.org"\n\n'
        '[[member]]\nemail = "A@x.org"\nadmn = true\n'
    )
    found = problems(text)
    assert any('"email" must be an e-mail address' in problem for problem in found), found
    assert any('unknown key "admn"; did you mean "admin"' in problem for problem in found), found
    (twice,) = problems(text.replace('"petra"', '"petra@x.org"').replace("admn = true\n", ""))
    assert '"a@x.org" is a member already, in line' in twice
