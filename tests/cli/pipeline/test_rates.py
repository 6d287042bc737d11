"""``people rate``: setting, listing, taking back, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_rates_are_set_listed_and_taken_back_with_their_history(sample: Run) -> None:
    done = sample("people", "rate", "set", "Back", "--cost", "65 EUR", "--from", "2027-01-01")
    assert done.stdout == "added Back: cost 65 EUR an hour from 2027-01-01 on\n"
    again = sample("people", "rate", "set", "back", "--bill", "125", "--currency", "EUR", "--json")
    assert json.loads(again.stdout)["outcome"] == "changed"
    listed = sample("people", "rate", "list").stdout
    assert "2027-01-01" in listed and "ana@example.test" in listed
    gone = sample("people", "rate", "remove", "Back", "--from", "2027-01-01")
    assert gone.stdout.startswith("removed Back: cost 65 EUR")
    history = json.loads(sample("people", "rate", "history", "Back", "--json").stdout)
    assert [each["removed"] for each in history] == [False, False, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "Back"), "needs a cost, a bill rate, or both"),
        (("set", "Back", "--cost", "60"), "needs a currency, such as EUR"),
        (("set", "an@example.test", "--cost", "60 EUR"), "no person has the address"),
        (("set", "Back", "--cost", "sixty"), "'sixty'"),
        (("remove", "Bakc"), "did you mean 'Back'"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    sample: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = sample("people", "rate", *arguments)
    assert result.exit_code == 2 and message in result.stderr


def test_a_role_that_nobody_has_is_pointed_out(sample: Run) -> None:
    result = sample("people", "rate", "set", "Bakc", "--cost", "60 EUR")
    assert result.exit_code == 0 and "did you mean 'Back'" in result.stderr


def test_rates_go_out_and_come_in_as_files(sample: Run, tmp_path: Path) -> None:
    assert sample("people", "rate", "export", "rates.csv").exit_code == 0
    again = sample("people", "rate", "import", "rates.csv")
    assert again.stdout.startswith("0 added, 0 changed, 6 unchanged")
    (tmp_path / "bad.csv").write_text("person,cost\nnobody@example.test,60 EUR\n")
    bad = sample("people", "rate", "import", "bad.csv")
    assert bad.exit_code == 3 and "nobody@example.test" in bad.stdout + bad.stderr
