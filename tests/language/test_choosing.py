"""Which language is used."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from taiga_pipeline.language import matching, of_environment, use, used


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, ""),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "POSIX"}, ""),
        ({"LANG": "sv_SE.UTF-8"}, "sv"),
        ({"LANG": "sv_FI@euro"}, "sv"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "fi_FI.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "sv_SE.UTF-8"}, "sv"),
        ({"LANG": "sv_SE.UTF-8", "LC_ALL": "C"}, ""),
        ({"LANG": "sv_SE.UTF-8", "LC_ALL": ""}, "sv"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fi:sv:en"}, "sv"),
        ({"LANG": "sv_SE.UTF-8", "LANGUAGE": "de:fi"}, "en"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_strongest_variable_that_is_set_decides(
    environment: Mapping[str, str], language: str
) -> None:
    assert of_environment(environment) == language


@pytest.mark.parametrize("name", ["sv", "SV", "sv-SE", "sv_SE.UTF-8", " sv "])
def test_a_language_is_known_in_every_form_of_its_name(name: str) -> None:
    assert matching(name) == "sv"


def test_a_language_is_used_within_and_left_again() -> None:
    assert used() == "en"
    with use("sv"):
        with use(""):
            assert used() == "sv"
        with use("en"):
            assert used() == "en"
        assert used() == "sv"
    assert used() == "en"
