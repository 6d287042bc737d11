"""Inquiries of strangers: a form to embed, and an address for form services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from taiga_pipeline.app.deals.editing import add_deal
from taiga_pipeline.app.store_access import deal_store
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.pipeline.model import Contact, Deal
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.application import application
from tests.web.conftest import site_of, text_of

SETTINGS = """
[intake]
enabled = true
fields = ["name", "company", "email", "message", "region"]
origins = ["https://www.example.com"]
owner = "Sara Ek"
per_hour = 3
[[field]]
name = "region"
kind = "choice"
choices = ["North", "South"]
"""
WANTED = {
    "name": "Eva Berg",
    "company": "Berg & Co",
    "email": "eva@berg.example",
    "message": "We need a web shop.\nSoon, please.",
    "region": "North",
}


@pytest.fixture
def stranger(workspace: Workspace) -> Iterator[TestClient]:
    """A browser of somebody whom nobody knows."""
    config = Path("config.toml")
    config.write_text(config.read_text() + SETTINGS)
    with TestClient(_pages(workspace), base_url="http://localhost") as client:
        yield client


def _pages(workspace: Workspace) -> object:
    known = Workspace(clock=workspace.clock, environment={})
    return application(site_of(known, Door(local=Person("sara", Role.ADMIN))))


def deals() -> list[Deal]:
    workspace = Workspace(environment={})
    with deal_store(workspace, create=True) as store:
        return list(store.deals())


def send(stranger: TestClient, **changes: str) -> Response:
    return stranger.post("/intake", data=WANTED | changes)


def test_an_inquiry_is_a_deal_in_the_first_stage_with_its_contact_and_source(
    stranger: TestClient,
) -> None:
    assert "What do you need?" in text_of(stranger.get("/intake"))
    answer = send(stranger)
    assert "Thank you." in text_of(answer)
    [deal] = deals()
    assert (deal.stage, deal.customer, deal.owner) == ("Lead", "Berg & Co", "Sara Ek")
    assert deal.name == "We need a web shop. Soon, please."
    assert deal.contacts == (Contact("Eva Berg", "eva@berg.example"),)
    assert [note.text for note in deal.notes] == ["We need a web shop.\nSoon, please."]
    assert (deal.lead_source, deal.own) == ("Form on the web", {"region": "North"})
    assert "We need a web shop" not in answer.text, "nothing of the pipeline is shown"


def test_a_form_service_posts_json(stranger: TestClient) -> None:
    answer = stranger.post("/intake", json=WANTED | {"other": {"x": 1}})
    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    assert len(deals()) == 1
    wrong = stranger.post("/intake", json=WANTED | {"email": "x"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["email"])
    assert stranger.post("/intake", content=b"[1]", headers=_JSON).status_code == 400
    assert stranger.post("/intake", content=b"[" * 9999, headers=_JSON).status_code == 400


_JSON = {"content-type": "application/json"}


def test_the_same_inquiry_twice_is_one_deal(stranger: TestClient) -> None:
    assert send(stranger).status_code == send(stranger).status_code == 200
    assert len(deals()) == 1


def test_a_person_who_is_known_is_not_joined_but_named(stranger: TestClient) -> None:
    values = {"contacts": (Contact("Eva", "EVA@berg.example"),)}
    for key, stage in (("D-7", "Proposal"), ("D-8", "Lost")):
        add_deal(Workspace(environment={}), key, "Shop", by="test", stage=stage, values=values)
    send(stranger)
    [deal] = [each for each in deals() if each.key not in ("D-7", "D-8")]
    assert deal.notes[0].text.endswith("The same person is a contact of: D-7")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Please fill this in."),
        ({"email": "eva at berg"}, "This is not an e-mail address."),
        ({"message": "x" * 5001}, "At most 5,000 characters"),
        ({"region": "East"}, "East"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_the_rest_stays(
    stranger: TestClient, changes: dict[str, str], said: str
) -> None:
    answer = send(stranger, **changes)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'value="Berg &amp; Co"' in answer.text
    assert deals() == []


def test_programs_that_fill_everything_are_thanked_and_forgotten(stranger: TestClient) -> None:
    assert "Thank you." in text_of(send(stranger, website="https://spam.example"))
    assert deals() == []


def test_only_so_many_come_from_one_address(stranger: TestClient) -> None:
    codes = [send(stranger, message=f"Number {n}").status_code for n in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert len(deals()) == 3


def test_hostile_text_is_text(stranger: TestClient) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}=cmd|' /C calc'!A0"
    answer = send(stranger, name=hostile, email="x")
    assert "<script>" not in answer.text
    assert "49" not in answer.text
    send(stranger, name=hostile)
    assert deals()[0].contacts[0].name == hostile


def test_only_the_companys_own_sites_may_show_the_form(stranger: TestClient) -> None:
    headers = stranger.get("/intake").headers
    assert "frame-ancestors https://www.example.com" in headers["content-security-policy"]
    assert "x-frame-options" not in headers
    assert "set-cookie" not in headers
    assert stranger.get("/log-in").headers["x-frame-options"] == "DENY"


def test_too_much_is_refused(stranger: TestClient) -> None:
    assert send(stranger, message="x" * 70_000).status_code == 413


def test_without_the_setting_there_is_no_form(workspace: Workspace) -> None:
    with TestClient(_pages(workspace), base_url="http://localhost") as client:
        assert client.get("/intake").status_code == 404
        assert client.post("/intake", data=WANTED).status_code == 404
    assert deals() == []


def test_an_unknown_field_is_an_error_with_the_nearest_name(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    config = Path("config.toml")
    config.write_text(config.read_text() + '[intake]\nenabled = true\nfields = ["servise"]\n')
    with TestClient(_pages(workspace), base_url="http://localhost") as client:
        answer = client.get("/intake")
    assert answer.status_code == 503
    assert "servise" not in answer.text, "strangers are not told what is in the configuration"
    assert "did you mean 'service'" in caplog.text


def test_an_inquiry_that_could_not_be_kept_is_taken_when_it_is_sent_again(
    workspace: Workspace,
) -> None:
    config = Path("config.toml")
    config.write_text(config.read_text() + SETTINGS)
    add_deal(workspace, "D-1", "New web shop", by="test")
    site = site_of(workspace, Door(local=Person("sara", Role.ADMIN)))
    site.pipelines["test"].prepare()
    store = Path("pipeline.db")
    with TestClient(application(site), base_url="http://localhost") as client:
        store.rename("away.db")
        answer = send(client)
        assert answer.status_code == 503
        assert "pipeline.db" not in answer.text
        assert not store.exists(), "a server makes no empty store in place of one that is away"
        Path("away.db").rename(store)
        assert "Thank you." in text_of(send(client))
    assert len(deals()) == 2
