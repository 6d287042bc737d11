"""What became of deals, in fields of the leads and in notes on them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.odoo.source import OdooSource
from tests.odoo.fake import FakeOdoo, Refused
from tests.sources.odoo.conftest import Make

PLACES = {"url": "x_url", "start": "x_project_start", "progress": "x_progress"}


def facts(lead: int, **changes: Any) -> DeliveryFacts:
    return DeliveryFacts(
        str(lead),
        **{
            "url": "https://pm.example/project/7",
            "state": "tentative",
            "progress": Decimal("0.25"),
            "milestones": (("Kick-off", date(2027, 1, 4), date(2027, 1, 8)),),
            **changes,
        },
    )


def write(source: OdooSource, *known: DeliveryFacts) -> WriteBackResult:
    """Reads and writes back, as a run does."""
    list(source.read().deals)
    return source.take_facts(known)


def test_facts_go_into_the_fields_that_are_named_and_only_once(odoo: FakeOdoo, make: Make) -> None:
    lead, other = odoo.lead(), odoo.lead()
    assert write(make(write_back=PLACES), facts(lead)).written == 1
    row = odoo.rows["crm.lead"][lead]
    assert (row["x_url"], row["x_project_start"]) == ("https://pm.example/project/7", "2027-01-04")
    assert row["x_progress"] == 0.25
    assert odoo.writes == ["crm.lead/write"]
    assert write(make(write_back=PLACES), facts(lead)) == WriteBackResult()
    assert odoo.rows["crm.lead"][other]["x_url"] is False
    gone = facts(lead, url="", progress=None, milestones=())
    assert write(make(write_back=PLACES), gone).written == 1
    assert (row["x_url"], row["x_project_start"], row["x_progress"]) == (False, False, 0)


def test_nothing_done_yet_is_written_once_though_odoo_knows_no_other_nothing(
    odoo: FakeOdoo, make: Make
) -> None:
    lead = odoo.lead(x_progress=0.0)
    begun = facts(lead, progress=Decimal(0))
    assert write(make(write_back={"progress": "x_progress"}), begun).written == 0


def test_a_field_of_whole_numbers_holds_per_cent_and_one_of_html_holds_text(
    odoo: FakeOdoo, make: Make
) -> None:
    lead = odoo.lead()
    places = {"progress": "x_percent", "title": "x_about"}
    known = facts(lead, title="A <b> & c")
    assert write(make(write_back=places), known).written == 1
    row = odoo.rows["crm.lead"][lead]
    assert (row["x_percent"], row["x_about"]) == (25, "<p>A &lt;b&gt; &amp; c</p>")
    assert write(make(write_back=places), known).written == 0


def test_a_note_tells_the_facts_when_one_has_changed(odoo: FakeOdoo, make: Make) -> None:
    lead = odoo.lead()
    told = {"message": "url, state"}
    hostile = facts(lead, state="<img src=x>")
    assert write(make(write_back=told), hostile).written == 1
    assert write(make(write_back=told), hostile).written == 0
    (note,) = odoo.rows["mail.message"].values()
    assert (note["model"], note["res_id"]) == ("crm.lead", lead)
    assert "<img" not in note["body"]
    assert "state: &lt;img src=x&gt;" in note["body"]
    assert write(make(write_back=told), facts(lead)).written == 1
    assert len(odoo.rows["mail.message"]) == 2
    assert not odoo.rows["crm.lead"][lead]["x_url"]


def test_a_lead_that_is_refused_is_reported_and_the_others_are_written(
    odoo: FakeOdoo, make: Make
) -> None:
    leads = [odoo.lead() for _ in range(3)]
    met: list[str] = []

    def refuse(what: str) -> None:
        if what == "crm.lead/write":
            met.append(what)
            if len(met) == 2:
                raise Refused("ValidationError", "Not this one")

    odoo.faults = refuse
    result = write(make(write_back=PLACES), *(facts(lead) for lead in leads))
    assert result.written == 2
    (problem,) = result.problems
    assert problem.startswith(f"{leads[1]}: not written back") and "Not this one" in problem


def test_places_that_do_not_fit_are_found_before_anything_is_written(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.lead()
    wrong = {"url": "x_urll", "state": "x_progress"}
    with pytest.raises(ProblemsError) as error:
        make(write_back=wrong).examine()
    assert "did you mean 'x_url'" in str(error.value)
    assert "state does not fit into a field of type float" in str(error.value)
    odoo.may_write = False
    with pytest.raises(ProblemsError, match=r"may not write crm\.lead"):
        make(write_back=PLACES).examine()
    assert not odoo.writes


def test_check_says_where_facts_go(odoo: FakeOdoo, make: Make) -> None:
    said = make(write_back={**PLACES, "message": "state"}).examine()
    assert any("x_url, x_project_start, x_progress, a note on each lead" in line for line in said)
