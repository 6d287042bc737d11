"""config.toml becomes settings, or a list of everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.plan.limit_settings import Limit
from sync.records.model import WhenGone
from taiga_pipeline.adapters import Setting
from taiga_pipeline.config import Settings, load, parse
from taiga_pipeline.credentials import Secret, SecretError
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.targets import registry
from taiga_pipeline.targets.port import TargetAdapter

TARGET = """
[target]
url = "https://taiga.example.com"
username = "pipeline-bot"
password_env = "TAIGA_PASSWORD"
"""
MINIMAL = f'pipeline = "acme"\n{TARGET}'


def settings(text: str, path: Path = Path("/etc/acme/config.toml")) -> Settings:
    return parse(text, path)


def complaints(text: str) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        parse(text, Path("config.toml"))
    return [str(problem) for problem in caught.value.problems]


def test_a_minimal_file_gets_the_documented_defaults() -> None:
    found = settings(MINIMAL)
    assert found.source.kind == "store"
    assert found.target.concurrency == 2
    assert found.target.timeout_seconds == 30
    assert found.sync.when_gone is WhenGone.REPORT
    assert found.limits.by_name()["create"] == Limit(50)
    assert found.limits.by_name()["retire"] == Limit(20, is_share=True)
    assert found.planning.horizon_weeks == 26


def test_relative_paths_start_at_the_folder_of_the_file() -> None:
    found = settings(MINIMAL)
    assert found.source.url == "sqlite:////etc/acme/pipeline.db"
    assert found.sync.state == "sqlite:////etc/acme/state.db"
    assert found.sync.mappings == Path("/etc/acme/mappings")


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///:memory:", "sqlite:////var/a.db", "postgresql+psycopg://db/acme"],
)
def test_urls_without_a_relative_path_stay_as_they_are(url: str) -> None:
    assert settings(f'{MINIMAL}[source]\nurl = "{url}"').source.url == url


def test_limits_are_counts_or_shares() -> None:
    found = settings(f'{MINIMAL}[limits]\ncreate = 7\nrename = "12.5%"').limits
    assert found.create == Limit(7)
    assert found.rename == Limit(12.5, is_share=True)


def test_keys_of_a_source_adapter_are_passed_through() -> None:
    found = settings(f'{MINIMAL}[source]\nkind = "csv"\npath = "deals.csv"').source
    assert found.options == {"path": "deals.csv"}


def test_the_sections_of_a_source_adapter_are_passed_through() -> None:
    text = """
[source]
kind = "tryton"
url = "https://tryton.example.com"
database = "erp"
token_env = "TRYTON_KEY"
[source.columns]
start = "agreed_start"
[source.write_back]
url = "project_url"
"""
    found = settings(MINIMAL + text).source
    assert found.url == "https://tryton.example.com"
    assert found.options["columns"] == {"start": "agreed_start"}
    assert found.options["write_back"] == {"url": "project_url"}
    assert found.options["token_env"] == "TRYTON_KEY"


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = 'pipeline = "a b"\n[target]\nulr = "x"\nconcurrency = 0\n[sync]\nwhen_gone = "delete"\n'
    lines = complaints(text)
    assert [line.split(": ")[0] for line in lines] == [
        "config.toml:1:1",
        "config.toml:2:2",
        "config.toml:3:1",
        "config.toml:4:1",
        "config.toml:6:1",
    ]
    assert "'target.url' is missing" in lines[1]


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    assert complaints(f"{MINIMAL}concurency = 3\n") == [
        "config.toml:7:1: unknown key 'target.concurency'; did you mean 'concurrency'?"
    ]


@pytest.mark.parametrize(
    ("lines", "way"),
    [
        ("[sync]\nconcurrency = 3", "'concurrency' belongs under [target]"),
        ("[sync]\nconcurency = 3", "'concurrency' belongs under [target]"),
        ('[web]\ntime_zone = "UTC"', "'time_zone' belongs before the first section"),
        ("[sync]\nlimits.create = 4", "it is a section of its own, written [limits]"),
        ("full_compare_hours = 3", "'full_compare_hours' belongs under [sync]"),
        ("[web]\nwhatever = 3", ""),
    ],
)
def test_a_key_below_another_section_is_answered_with_its_own(lines: str, way: str) -> None:
    (line,) = complaints(f"{MINIMAL}{lines}\n")
    assert "unknown key '" in line
    assert line.endswith(f"'; {way}" if way else "'")


def test_an_unknown_section_is_answered_with_the_nearest_one() -> None:
    (line,) = complaints(f"{MINIMAL}[limit]\ncreate = 1\n")
    assert line == "config.toml:7:2: unknown key 'limit'; did you mean 'limits'?"


def test_a_section_that_is_a_value_is_explained() -> None:
    assert complaints('pipeline = "acme"\ntarget = 3') == [
        "config.toml:2:1: target: must be a section, written [target]"
    ]


def test_a_syntax_error_names_its_place() -> None:
    (line,) = complaints('pipeline = "acme"\n[target\n')
    assert line.startswith("config.toml:2:8: ")


def test_a_number_in_quotes_is_not_a_number() -> None:
    (line,) = complaints(f'{MINIMAL}timeout_seconds = "30"\n')
    assert 'target.timeout_seconds: must be a number, without quotes; it is "30"' in line


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("concurrency = 1.5", "must be a whole number, without quotes; it is 1.5"),
        ("concurrency = true", "must be a whole number, without quotes; it is true"),
        ("concurrency = 0", "must be at least 1; it is 0"),
        ("username = 7", "must be text in quotes; it is 7"),
        ("username = []", "must be text in quotes; it is a list"),
        ('password_env = ["hunter2"]', "must be text in quotes; it is something else"),
        ('[sync]\nwhen_gone = "retired"', 'not "retired"; did you mean "retire"?'),
        ('[portfolio]\ntitle = ""', "portfolio.title: must not be empty"),
        (f'[portfolio]\ntitle = "{"x" * 300}"', "at most 200 characters; it has 300"),
        ('[portfolio]\nmembers = "a"', 'must be a list such as ["a", "b"]; it is "a"'),
    ],
)
def test_a_value_of_the_wrong_kind_is_answered_in_plain_words(setting: str, said: str) -> None:
    name = setting.partition(" =")[0]
    lines = MINIMAL.splitlines() if setting.startswith(name) else []
    text = "\n".join(line for line in lines if not line.startswith(f"{name} ="))
    (line,) = complaints(f"{text}\n{setting}\n")
    assert said in line
    assert "hunter2" not in line and "should" not in line


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ('create = "many"', "neither a count (50) nor a share"),
        ('retire = "120%"', "more than 100%"),
    ],
)
def test_an_impossible_limit_is_explained(setting: str, expected: str) -> None:
    (line,) = complaints(f"{MINIMAL}[limits]\n{setting}\n")
    assert expected in line


@pytest.mark.parametrize("url", ["taiga.example.com", "ftp://taiga.example.com", "https://"])
def test_a_target_needs_a_web_address(url: str) -> None:
    text = MINIMAL.replace("https://taiga.example.com", url)
    (line,) = complaints(text)
    assert "is not a web address" in line


class TestSecrets:
    def test_a_password_in_the_file_is_refused_and_not_repeated(self) -> None:
        lines = complaints(f'{MINIMAL}password = "hunter2"\n')
        assert len(lines) == 1
        assert lines[0].startswith("config.toml:7:1: target.password: a secret does not belong")
        assert "hunter2" not in lines[0]

    @pytest.mark.parametrize(
        ("section", "advice"),
        [
            ('[target]\ntoken = "hunter2"', 'token_env = "TAIGA_TOKEN"'),
            ('[target]\nkind = "redmine"\ntoken = "hunter2"', 'token_env = "REDMINE_TOKEN"'),
            ('[source]\nkind = "tryton"\ntoken = "hunter2"', 'token_env = "TRYTON_TOKEN"'),
            ('[source]\nkind = "my-crm"\napi_key = "hunter2"', 'api_key_env = "MY_CRM_API_KEY"'),
            ('[source]\nkind = "sql"\npassword = "hunter2"', 'url_env = "SQL_URL"'),
            ('[source]\npassword = "hunter2"', 'url_env = "STORE_URL"'),
        ],
    )
    def test_the_variable_that_is_proposed_is_named_after_the_tool(
        self, section: str, advice: str
    ) -> None:
        target = 'url = "https://x.example"\ntoken_env = "T"\n'
        text = f'pipeline = "acme"\n{section}\n'
        text += target if section.startswith("[target]") else f"[target]\n{target}"
        (line,) = complaints(text)
        assert advice in line
        assert "hunter2" not in line

    def test_a_secret_where_a_variable_is_named_is_not_repeated(self) -> None:
        text = MINIMAL.replace("TAIGA_PASSWORD", "hunter-2!")
        (line,) = complaints(text)
        assert "hunter" not in line
        assert "target.password_env" in line

    def test_a_password_inside_a_database_url_is_refused(self) -> None:
        text = f'{MINIMAL}[source]\nurl = "postgresql://sales:hunter2@db/crm"\n'
        (line,) = complaints(text)
        assert "hunter2" not in line
        assert "environment variable" in line

    def test_credentials_inside_a_web_address_are_refused(self) -> None:
        (line,) = complaints(MINIMAL.replace("https://", "https://bot:hunter2@"))
        assert "hunter2" not in line

    def test_two_ways_in_are_one_too_many(self) -> None:
        (line,) = complaints(f'{MINIMAL}token_env = "TOKEN"\n')
        assert "there is password_env and token_env" in line

    def test_an_unknown_kind_is_named_not_the_settings_that_are_its_own(self) -> None:
        text = MINIMAL.replace("[target]\n", '[target]\nkind = "tiaga"\nboard = "x"\n')
        (line,) = complaints(text.replace('kind = "taiga"\n', ""))
        assert "target.kind: 'tiaga' is not installed; did you mean 'taiga'?" in line

    def test_a_target_that_takes_no_password_asks_for_no_username(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def make(*_: object) -> Any: ...

        monkeypatch.setattr(
            registry, "find", lambda kind: TargetAdapter("Keys", make, ways_in=("token",))
        )
        text = MINIMAL.replace('username = "pipeline-bot"\n', "")
        assert settings(text).target.password_env, "which is refused where the target is made"

    def test_a_password_needs_a_username(self) -> None:
        (line,) = complaints(MINIMAL.replace('username = "pipeline-bot"\n', ""))
        assert "needs a username" in line

    def test_the_environment_holds_the_password(self) -> None:
        found = settings(MINIMAL).target.credentials({"TAIGA_PASSWORD": "hunter2"})
        assert found.username == "pipeline-bot"
        assert found.password == Secret("hunter2")
        assert "hunter2" not in repr(found)

    def test_a_missing_variable_is_named_with_the_way_out(self) -> None:
        with pytest.raises(SecretError, match="TAIGA_PASSWORD is not set"):
            settings(MINIMAL).target.credentials({})

    def test_a_token_needs_no_username(self) -> None:
        text = 'pipeline = "acme"\n[target]\nurl = "http://localhost"\ntoken_env = "TOKEN"\n'
        assert settings(text).target.credentials({"TOKEN": "abc"}).token == Secret("abc")

    def test_a_whole_database_url_may_come_from_the_environment(self) -> None:
        found = settings(f'{MINIMAL}[sync]\nstate_env = "STATE"\n[source]\nurl_env = "SOURCE"\n')
        environment = {"STATE": "postgresql://a:b@db/s", "SOURCE": "postgresql://a:b@db/p"}
        assert found.sync.state_address(environment) == "postgresql://a:b@db/s"
        assert found.source.address(environment) == "postgresql://a:b@db/p"


class TestPasswordFile:
    def secret(self, folder: Path, mode: int, content: str = "hunter2\n") -> Secret | None:
        file = folder / "password.txt"
        file.write_text(content)
        file.chmod(mode)
        text = MINIMAL.replace('password_env = "TAIGA_PASSWORD"', 'password_file = "password.txt"')
        return settings(text, folder / "config.toml").target.credentials({}).password

    def test_its_line_end_is_not_part_of_the_password(self, tmp_path: Path) -> None:
        assert self.secret(tmp_path, 0o600) == Secret("hunter2")

    def test_one_that_everybody_can_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SecretError, match=r"\(mode 0644\); run 'chmod 600"):
            self.secret(tmp_path, 0o644)

    def test_an_empty_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SecretError, match="is empty"):
            self.secret(tmp_path, 0o600, "\n")

    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        text = MINIMAL.replace('password_env = "TAIGA_PASSWORD"', 'password_file = "none.txt"')
        with pytest.raises(SecretError, match=r"none\.txt: No such file"):
            settings(text, tmp_path / "config.toml").target.credentials({})


def test_a_missing_file_leads_to_init(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="pipeline-sync init"):
        load(tmp_path / "config.toml")


def test_a_file_in_another_encoding_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes('pipeline = "Försäljning"'.encode("latin-1"))
    with pytest.raises(ProblemsError, match="UTF-8"):
        load(file)


class TestSettingsOfAdapters:
    """Settings that only one adapter knows, and targets that need less than others."""

    @pytest.fixture(autouse=True)
    def adapters(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A target with a database, and one that is a file: neither address nor account."""
        database = Setting("database", "acme", own=True)
        size = Setting("size", 10, own=True, optional=True)
        file = Setting("file", "cards.json", own=True)
        found = {
            "erp": TargetAdapter("ERP", NotImplemented, settings=(database, size)),
            "cards": TargetAdapter(
                "Cards", NotImplemented, settings=(file,), ways_in=(), needs_url=False
            ),
        }

        class Point:
            def __init__(self, kind: str) -> None:
                self.load = lambda: found[kind]

        points = {kind: Point(kind) for kind in found}
        monkeypatch.setattr(registry, "installed", lambda group: points)

    def test_they_are_handed_to_the_adapter(self) -> None:
        target = settings(f'{MINIMAL}kind = "erp"\ndatabase = "acme"\nsize = 3\n').target
        assert target.options == {"database": "acme", "size": 3}

    def test_one_that_it_does_not_know_is_answered_with_the_nearest(self) -> None:
        (line,) = complaints(f'{MINIMAL}kind = "erp"\ndatabse = "acme"\n')
        assert "unknown key 'target.databse'; did you mean 'database'?" in line

    def test_one_of_the_wrong_type_is_reported_with_its_line(self) -> None:
        lines = complaints(f'{MINIMAL}kind = "erp"\ndatabase = 3\nsize = "x"\n')
        assert [line.split(": ", 1)[1] for line in lines] == [
            "target.database: must be text",
            "target.size: must be a whole number",
        ]

    def test_a_target_without_address_and_account_needs_neither(self) -> None:
        target = settings('pipeline = "a"\n[target]\nkind = "cards"\nfile = "c.json"\n').target
        assert (target.url, target.options) == ("", {"file": "c.json"})
        assert target.credentials({}).password is None

    def test_the_others_still_do(self) -> None:
        (line,) = complaints('pipeline = "a"\n[target]\nkind = "erp"\n')
        assert "'target.url' is missing" in line
        (line,) = complaints('pipeline = "a"\n[target]\nkind = "erp"\nurl = "https://e.example"\n')
        assert "needs exactly one of password_env, password_file, token_env, token_file;" in line


def fields(*lines: str) -> str:
    return MINIMAL + "".join(f"[[field]]\n{line}\n" for line in lines)


def test_fields_of_ones_own_come_after_the_built_in_ones() -> None:
    found = settings(
        fields(
            'name = "region"',
            'name = "budget_2027"\nkind = "money"\ncurrency = "EUR"\nlabel = "Budget"\nfact = true',
            'name = "segment"\nkind = "choice"\nchoices = ["A", "B"]\nheaders = ["Kundensegment"]',
        )
    ).fields
    assert [field.name for field in found.own] == ["region", "budget_2027", "segment"]
    assert found["region"].label == "Region" and found["region"].fact is not None
    assert (found["budget_2027"].label, found["budget_2027"].currency) == ("Budget", "EUR")
    assert found["segment"].choices == ("A", "B")
    assert found.names == (*BUILT_IN.names, "region", "budget_2027", "segment")
    assert settings(MINIMAL).fields.own == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('name = "Region"', "config.toml:8:1: field 1, name: 'Region': a name has lower-case"),
        ('name = "owner"', "'owner' means something else already"),
        ('name = "close_date"', "'close_date' means something else already"),
        ('name = "version"', "'version' means something else already"),
        ('name = "key_prefix"', "'key_prefix' means something else already"),
        ('name = "json"', "'json' means something else already"),
        ('name = "model_fields"', "'model_fields' means something else already"),
        ('kind = "text"', "'name' in field 1 is missing"),
        (
            'name = "a"\nkind = "nmber"',
            "field \"a\", kind: unknown kind 'nmber'; did you mean 'number'?",
        ),
        ('name = "a"\nknd = "text"', "unknown key 'knd' in field \"a\"; did you mean 'kind'?"),
        ('name = "a"\nkind = "choice"', 'a field of kind "choice" needs choices'),
        ('name = "a"\nchoices = ["x"]', 'choices belong to a field of kind "choice", not "text"'),
        ('name = "a"\nkind = "money"\ncurrency = "euro"', "is not a currency code"),
        (
            'name = "a"\nfact = "yes"',
            'field "a", fact: must be true or false, without quotes; it is "yes"',
        ),
        (
            'name = "a"\nheaders = "x"',
            'field "a", headers: must be a list such as ["a", "b"]; it is "x"',
        ),
        ('name = "a"\nheaders = [" "]', 'field "a", headers 1: is empty'),
        ('name = "a"\nlabel = "x\\u0000"', 'field "a", label: a NUL character'),
        ('name = "a"\nlabel = "Sales owner"', "the label 'Sales owner' stands for 'owner'"),
    ],
)
def test_a_field_that_cannot_be_is_reported_with_its_place(line: str, said: str) -> None:
    (complaint,) = complaints(fields(line))
    assert said in complaint
    assert complaint.startswith("config.toml:")


def test_fields_that_share_something_and_too_many_of_them_are_reported() -> None:
    (complaint,) = complaints(fields('name = "a"', 'name = "a"'))
    assert "the name 'a' is given to two fields" in complaint
    (complaint,) = complaints(fields(*(f'name = "f{number}"' for number in range(51))))
    assert "there are 51 sections [[field]]; there may be at most 50" in complaint
    assert len(complaint) < 100
    (complaint,) = complaints(
        fields('name = "a"\nlabel = "X"', 'name = "b"\nlabel = "x"\nheaders = ["A"]')
    )
    assert complaint.endswith(
        "field: the label 'x' stands for 'a' and for 'b'; the header 'a' stands for 'a' and for 'b'"
    )
    (complaint,) = complaints(MINIMAL + '[field]\nname = "a"\n')
    assert "must be sections, each written [[field]]" in complaint


def test_a_label_is_one_line() -> None:
    (field,) = settings(fields('name = "a"\nlabel = """Customer: x\n  forged"""')).fields.own
    assert field.label == "Customer: x forged"
