"""Addresses as people write them."""

import pytest

from sync.errors import Unreachable
from taiga_pipeline.targets.taiga.address import api_address, project_page, web_address


@pytest.mark.parametrize(
    "written",
    [
        "https://host",
        "https://host/",
        "https://host/api/v1",
        "https://host/api/v1/",
        " https://host ",
        "https://host/?x=1#y",
    ],
)
def test_the_api_is_found_from_what_people_copy(written: str) -> None:
    assert api_address(written) == "https://host/api/v1"


def test_a_folder_and_a_port_are_kept() -> None:
    assert api_address("http://host:8100/pm/") == "http://host:8100/pm/api/v1"


@pytest.mark.parametrize("written", ["taiga.example.com", "ftp://host", "https://", ""])
def test_what_is_no_web_address_is_refused(written: str) -> None:
    with pytest.raises(Unreachable, match=r"target\.url"):
        api_address(written)


def test_credentials_in_the_address_are_refused_and_not_shown() -> None:
    with pytest.raises(Unreachable) as error:
        api_address("https://bot:hunter2@host")
    assert "hunter2" not in str(error.value)


def test_people_open_taiga_beside_the_api_unless_set_otherwise() -> None:
    assert web_address("https://host/api/v1/", "") == "https://host"
    assert web_address("https://api.host", "https://tree.host/") == "https://tree.host"
    assert project_page("https://host", "a/b") == "https://host/project/a%2Fb/"
