"""Secrets, read alike by everything that reads them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final

import pytest

from taiga_pipeline.credentials import Secret, SecretError, for_header, from_environment
from taiga_pipeline.workers.run import read_environment
from tests.live.leaving_out import program

VALUES: Final = [
    "plain",
    "two words",
    "$HOME & co; `id` $(id)",
    "a#b #c",
    'say "yes"',
    "back\\slash\\\\",
    "it's",
    """all of ' " \\ $x ` & # ; | < > * ? ~ %""",
    "Grüße=",
    " blanks around ",
]


def written(value: str) -> str:
    """Writes a value as docs/schedulers.md says."""
    if "'" not in value:
        return f"'{value}'"
    for special in '\\"$`':
        value = value.replace(special, f"\\{special}")
    return f'"{value}"'


@pytest.fixture(params=VALUES)
def value(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def secrets(tmp_path: Path, value: str) -> Path:
    path = tmp_path / "secrets.env"
    path.write_text(f"# ours\nTAIGA_PASSWORD={written(value)}\n")
    path.chmod(0o600)
    return path


def test_a_worker_reads_it(secrets: Path, value: str) -> None:
    assert read_environment(secrets) == {"TAIGA_PASSWORD": value}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_it(secrets: Path, value: str, shell: str) -> None:
    command = f"set -a; . {shlex.quote(str(secrets))}; printenv TAIGA_PASSWORD"
    done = subprocess.run(
        [program(shell), "-c", command], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == f"{value}\n"


def test_systemd_reads_it(tmp_path: Path, value: str) -> None:
    """What names the system (os-release) is read by the same function as an EnvironmentFile."""
    tool = program("systemd-tmpfiles")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text(f"ID=x\nVARIANT_ID={written(value)}\n")
    rules = tmp_path / "rules.conf"
    rules.write_text("f+ /out 0644 - - - %W\n")
    subprocess.run(
        [tool, f"--root={tmp_path}", "--create", str(rules)], capture_output=True, check=False
    )
    out = tmp_path / "out"
    if not out.exists():
        pytest.skip("this systemd-tmpfiles does not know the specifier")
    assert out.read_text() == value


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a", "a"),
        ("  a b  ", "a b"),
        ("it's", "it's"),
        ("'a'\"'\"'b'", "a'b"),
        ("'open", "'open"),
        (r"a\b", "ab"),
        ("", ""),
    ],
)
def test_what_is_not_quoted_is_read_as_systemd_does(tmp_path: Path, text: str, means: str) -> None:
    path = tmp_path / "secrets.env"
    path.write_bytes(f"\ufeffA={text}\r\n; a comment\r\n".encode())
    path.chmod(0o600)
    assert read_environment(path) == {"A": means}


@pytest.mark.parametrize(
    ("token", "place"),
    [
        ("abc\ndef", "U+000A, character 4 of 7"),
        ("abc def", "a blank, character 4 of 7"),
        ("abc\u200bdef", "U+200B, character 4 of 7"),
        ("“abc”", "U+201C, character 1 of 5"),
        ("abc\x00", "U+0000, character 4 of 4"),
    ],
)
def test_a_token_that_no_header_can_hold_is_refused_unseen(token: str, place: str) -> None:
    with pytest.raises(SecretError) as caught:
        for_header("target.token_env", Secret(token))
    assert place in str(caught.value)
    assert "abc" not in str(caught.value)


def test_blanks_around_a_token_do_no_harm() -> None:
    assert for_header("target.token_env", Secret(" abc\t\n")) == Secret("abc")


@pytest.mark.parametrize(
    ("value", "message"),
    [("hunter2\r", "Unix line ends"), ("hunter2\udcff", "is not UTF-8 text")],
)
def test_a_variable_that_a_file_spoilt_says_how(value: str, message: str) -> None:
    with pytest.raises(SecretError) as caught:
        from_environment("target.password_env", "TAIGA_PASSWORD", {"TAIGA_PASSWORD": value})
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
