"""Characters that look like others are named, in the configuration and in mappings."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiga_pipeline.config import load, parse
from taiga_pipeline.mapping.load import load_mappings, overlooked, parse_mapping
from taiga_pipeline.problems import ProblemsError

CONFIG = 'pipeline = "acme"\n[target]\nurl = "https://taiga.example.com"\ntoken_env = "T"\n'
MAPPING = """\
[mapping]
name = "default"
[[stage]]
name = "Proposal"
category = "proposal"
probability = 0.5
[[stage]]
name = "Won"
category = "won"
"""


def complaint(text: str) -> str:
    with pytest.raises(ProblemsError) as caught:
        parse(text, Path("config.toml"))
    return str(caught.value)


def mapping_complaint(text: str) -> str:
    with pytest.raises(ProblemsError) as caught:
        parse_mapping(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "name", "meant"),
    [
        ("token_env = “T”", "U+201C, left double quotation mark", 'a plain "'),
        ('token_env = "T”', "U+201D", 'a plain "'),
        ("token_env = ‘T’", "U+2018", "a plain '"),
        ("token_env = «T»", "U+00AB", 'a plain "'),
        ('token_env\u00a0= "T"', "U+00A0, no-break space", "a plain blank"),
        ('token_env = \u200b"T"', "U+200B, zero width space", "delete it"),
        ('token\u2013env = "T"', "U+2013, en dash", "a plain -"),
        ('token_env ＝ "T"', "U+FF1D", "a plain ="),
    ],
)
def test_what_stops_the_file_from_being_read_is_named(line: str, name: str, meant: str) -> None:
    said = complaint(CONFIG.replace('token_env = "T"', line))
    assert said.startswith("config.toml:4:")
    assert name in said
    assert said.endswith(meant)


@pytest.mark.parametrize("character", ["\u200b", "\u2060", "\ufeff"])
def test_what_nobody_sees_in_a_value_is_named_with_its_line(character: str) -> None:
    assert complaint(CONFIG.replace('"acme"', f'"ac{character}me"')).startswith("config.toml:1:12:")
    said = mapping_complaint(MAPPING.replace('"Won"', f'"Won{character}"'))
    assert said.startswith("mapping.toml:8:8:")
    assert "delete it" in said


def test_a_byte_order_mark_at_the_beginning_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8-sig")
    assert load(path).pipeline == "acme"


def test_a_dash_that_is_no_minus_is_named_in_a_mapping() -> None:
    milestone = '[[milestone]]\nname = "Start"\nfinish = "–1w"\n'
    assert "U+2013, en dash" in mapping_complaint(MAPPING + milestone)


def test_typographic_characters_in_texts_are_what_people_want() -> None:
    label = '[project.tentative]\nlabel = "“maybe” – soon"\n'
    assert parse_mapping(MAPPING + label).rules


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("taiga.example.com", "did you mean 'https://taiga.example.com'?"),
        ("https:/taiga.example.com", "did you mean 'https://taiga.example.com'?"),
        ("https//taiga.example.com", "did you mean 'https://taiga.example.com'?"),
        ("https://:8080", "is not a web address"),
        ("https://taiga.example.com:", "has an invalid port"),
        ("https://taiga.example.com:port", "has an invalid port"),
        ("https://taiga.example.com:65536", "has an invalid port"),
        ("https://taiga.example.com/?next=1", "write what stands before the ?"),
        ("https://taiga.example.com/#/login", "write what stands before the #"),
        ("https://taiga–example.com", "U+2013, en dash"),
        ("https://taiga.exam ple.com", "an address cannot contain a blank"),
    ],
)
def test_an_address_that_cannot_be_right_says_why(address: str, words: str) -> None:
    assert words in complaint(CONFIG.replace("https://taiga.example.com", address))


@pytest.mark.parametrize(
    "address", ["https://tåiga.example.se", "http://[::1]:9000/taiga", "HTTPS://TAIGA.example.com/"]
)
def test_an_address_that_can_be_right_is_taken(address: str) -> None:
    text = CONFIG.replace("https://taiga.example.com", address)
    assert parse(text, Path("config.toml")).target.url == address.rstrip("/")


NUMBERS = {
    "sync": ["full_compare_hours", "settle_seconds", "lease_seconds", "history_days"],
    "target": ["timeout_seconds", "concurrency", "answer_megabytes"],
    "planning": ["horizon_weeks", "quantile"],
    "portfolio": ["plan_weeks"],
    "limits": ["create", "retire", "mails"],
}


@pytest.mark.parametrize(
    "value", ["99999999999", "nan", "inf", "-inf", "1e400", "-1", f"1{'0' * 400}"]
)
@pytest.mark.parametrize(
    ("section", "name"), [(section, name) for section, names in NUMBERS.items() for name in names]
)
def test_every_number_has_bounds(section: str, name: str, value: str) -> None:
    text = CONFIG + ("" if section == "target" else f"[{section}]\n") + f"{name} = {value}\n"
    assert f"{section}.{name}: " in complaint(text)


@pytest.mark.parametrize("value", ["99999999999", "nan", "inf", "-99999999999"])
@pytest.mark.parametrize(
    "line",
    [
        "priority = {}",
        "closed_within_days = {}",
        "lead_time_weeks = {}",
        '[[role]]\nrole = "Back"\nhours_per_week = {}\nweeks = 1',
        '[[role]]\nrole = "Back"\nhours_per_week = 1\nweeks = {}',
        '[[stage]]\nname = "X"\ncategory = "lead"\nprobability = {}',
    ],
)
def test_every_number_of_a_mapping_has_bounds(line: str, value: str) -> None:
    key = line.partition(" = {}")[0].rpartition("\n")[2]
    text = MAPPING.replace('name = "default"\n', f'name = "default"\n{line.format(value)}\n')
    assert key in mapping_complaint(text)


@pytest.mark.parametrize("value", ["1e-400", "1e400", "nan", "0"])
def test_what_hours_are_in_proportion_to_has_bounds(value: str) -> None:
    role = f'[[role]]\nrole = "Back"\nhours_per_week = 1\nweeks = 1\nper_value = {value}\n'
    assert "per_value" in mapping_complaint(MAPPING + role)


# --- names of files


def test_a_mapping_in_capitals_is_read(tmp_path: Path) -> None:
    (tmp_path / "DEFAULT.TOML").write_text(MAPPING)
    assert [rules.name for rules in load_mappings(tmp_path).rules] == ["default"]


@pytest.mark.parametrize("name", ["default.toml.txt", "default.tml", "default.TOML.TXT"])
def test_a_folder_without_a_mapping_names_what_may_be_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(MAPPING)
    with pytest.raises(ProblemsError) as caught:
        load_mappings(tmp_path)
    assert f"let {name} end in .toml" in str(caught.value)
    (tmp_path / "other.toml").write_text(MAPPING)
    assert [path.name for path in overlooked(tmp_path)] == [name]


def test_copies_that_editors_keep_are_overlooked_in_silence(tmp_path: Path) -> None:
    for name in ("default.toml", "default.toml~", "default.toml.bak", "#default.toml#"):
        (tmp_path / name).write_text(MAPPING)
    (tmp_path / ".#default.toml").symlink_to("somebody@machine.1234")
    assert overlooked(tmp_path) == []
    assert len(load_mappings(tmp_path).rules) == 1


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_has_a_mappings_name_and_is_no_file_is_reported(tmp_path: Path, kind: str) -> None:
    (tmp_path / "default.toml").write_text(MAPPING)
    odd = tmp_path / "odd.toml"
    odd.mkdir() if kind == "folder" else odd.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ProblemsError, match=r"odd\.toml: cannot be read"):
        load_mappings(tmp_path)


@pytest.mark.parametrize("name", ["config.TOML", "Config.toml", "config.toml.txt"])
def test_a_configuration_of_nearly_the_right_name_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONFIG)
    with pytest.raises(ProblemsError, match=f"there is '{name}'"):
        load(tmp_path / "config.toml")
