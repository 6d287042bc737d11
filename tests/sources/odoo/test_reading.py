"""What is made of Odoo's leads, and of what goes wrong on the way."""

from __future__ import annotations

from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pytest

from sync.errors import IncompleteRead, SyncError, Unauthorised, Unreachable
from taiga_pipeline.problems import ProblemsError
from tests.odoo.fake import FakeOdoo, Refused
from tests.pipeline.fields.support import TABLE
from tests.sources.odoo.conftest import Make, read


def test_an_opportunity_with_all_that_odoo_knows(odoo: FakeOdoo, make: Make) -> None:
    company = odoo.customer("Kunde GmbH")
    person = odoo.customer("Anna Berg", company)
    tags = [odoo.add("crm.tag", name=name) for name in ("Consulting", "Training")]
    reason = odoo.add("crm.lost.reason", name="Too expensive")
    lead = odoo.lead(
        "Qualified",
        name="Portal",
        partner_id=person,
        email_from="anna@kunde.example",
        phone="+46 70 1",
        expected_revenue=1200.5,
        probability=25.0,
        date_deadline="2027-03-31",
        team_id=odoo.add("crm.team", name="Europe"),
        tag_ids=tags,
        source_id=odoo.add("utm.source", name="Newsletter"),
        description="One\nTwo" if odoo.version == 14 else "<p>One</p><p>Two</p>",
        activity_summary="Call them",
        activity_date_deadline="2026-12-01",
        activity_user_id=odoo.admin,
        **{"lost_reason" if odoo.version == 14 else "lost_reason_id": reason},
    )
    (deal,) = read(make()).values()
    assert (deal.key, deal.name, deal.stage) == (str(lead), "Portal", "Qualified")
    assert (deal.customer, deal.owner, deal.team) == ("Kunde GmbH", "Administrator", "Europe")
    assert (deal.value, deal.currency) == (Decimal("1200.5"), "EUR")
    assert (deal.probability, deal.expected_close) == (Decimal("0.25"), date(2027, 3, 31))
    assert (deal.service, deal.lead_source) == ("Consulting, Training", "Newsletter")
    assert deal.lost_reason == "Too expensive"
    assert [note.text.split() for note in deal.notes] == [["One", "Two"]]
    assert (deal.next_step, deal.next_step_on) == ("Call them", date(2026, 12, 1))
    assert deal.next_step_by == "Administrator"
    (contact,) = deal.contacts
    assert (contact.email, contact.phone) == ("anna@kunde.example", "+46 70 1")
    assert "Anna Berg" in contact.name
    assert deal.updated_at is not None and deal.updated_at.tzinfo is UTC
    assert deal.engaged_on == deal.updated_at.date()


class TestDecision:
    def test_won_is_what_stands_in_a_stage_that_is_won_whatever_it_is_called(
        self, odoo: FakeOdoo, make: Make
    ) -> None:
        odoo.change("crm.stage", odoo.stages["Won"], name="Auftrag erteilt")
        lead = odoo.lead()
        odoo.move(lead, "Won")
        (deal,) = read(make()).values()
        assert (deal.stage, deal.closed_on is not None) == ("Won", True)
        (deal,) = read(make(stages={"Auftrag erteilt": "Signed"})).values()
        assert (deal.stage, deal.closed_on is not None) == ("Signed", True)
        (deal,) = read(make(stages={"won": "Order"})).values()
        assert deal.stage == "Order"

    def test_lost_is_what_is_archived_in_whatever_stage_it_stands(
        self, odoo: FakeOdoo, make: Make
    ) -> None:
        lead = odoo.lead("Proposition")
        odoo.lose(lead)
        (deal,) = read(make()).values()
        assert (deal.stage, deal.probability) == ("Lost", 0)
        assert (deal.closed_on is None) is (odoo.version == 14), "which does not note the day"
        assert deal.stage_since is not None
        (deal,) = read(make(stages={"lost": "Declined"})).values()
        assert deal.stage == "Declined"
        odoo.take_up(lead)
        (deal,) = read(make()).values()
        assert (deal.stage, deal.closed_on) == ("Proposition", None)

    def test_what_had_been_won_and_was_put_away_stays_won(self, odoo: FakeOdoo, make: Make) -> None:
        lead = odoo.lead()
        odoo.move(lead, "Won")
        odoo.change("crm.lead", lead, active=False)
        assert [deal.stage for deal in read(make()).values()] == ["Won"]

    def test_a_lead_is_in_no_stage_that_people_see(self, odoo: FakeOdoo, make: Make) -> None:
        lead = odoo.lead("Qualified", type="lead")
        assert [deal.stage for deal in read(make()).values()] == ["Lead"]
        assert [d.stage for d in read(make(stages={"Lead": "Inquiry"})).values()] == ["Inquiry"]
        odoo.lose(lead)
        assert [deal.stage for deal in read(make()).values()] == ["Lost"]
        assert not read(make(only={"type": "opportunity"}))


def test_a_customer_who_is_in_no_address_book_is_called_as_people_wrote_it(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.lead(partner_name="Lone Ranger Ltd", contact_name="Bo", email_from="bo@x.example")
    (deal,) = read(make()).values()
    assert deal.customer == "Lone Ranger Ltd"
    assert [(c.name, c.email) for c in deal.contacts] == [("Bo", "bo@x.example")]


def test_an_archived_seller_still_has_a_name(odoo: FakeOdoo, make: Make) -> None:
    gone = odoo.user("Gone Person", "gone@example.invalid", active=False)
    odoo.lead(user_id=gone)
    assert [deal.owner for deal in read(make()).values()] == ["Gone Person"]


def test_companies_have_their_own_currencies_and_one_of_them_can_be_asked_for(
    odoo: FakeOdoo, make: Make
) -> None:
    swedish = odoo.add("res.company", name="Acme Sverige")
    krona = odoo.add("res.currency", name="SEK")
    odoo.lead(expected_revenue=10.0)
    there = odoo.lead(expected_revenue=100.0, company_id=swedish, company_currency=krona)
    every = read(make())
    assert [(d.value, d.currency) for d in every.values()] == [(10, "EUR"), (100, "SEK")]
    assert list(read(make(only={"company_id": "Acme Sverige"}))) == [str(there)]


def test_fields_of_ones_own_are_read_by_their_names_also_along_relations(
    odoo: FakeOdoo, make: Make
) -> None:
    sweden = odoo.add("res.country", name="Sweden", code="SE")
    company = odoo.customer("Kund AB", country_id=sweden)
    odoo.lead(partner_id=company, x_start="2027-01-04", x_roles="Back:30h x10w")
    columns = {
        "start": "x_start",
        "roles": "x_roles",
        "service": "partner_id.country_id.code",
        "lead_source": "partner_id.country_id",
        "notes": "",
    }
    (deal,) = read(make(columns=columns)).values()
    assert (deal.start, deal.roles[0].role) == (date(2027, 1, 4), "Back")
    assert (deal.service, deal.lead_source) == ("SE", "Sweden")


def test_a_field_of_the_configuration_takes_a_field_of_odoos(odoo: FakeOdoo, make: Make) -> None:
    odoo.lead(x_score=7, x_vip=True, x_segment="industry", x_start="2026-12-31")
    columns = {"score": "x_score", "strategic": "x_vip", "segment": "x_segment"}
    columns["signed_on"] = "x_start"
    (deal,) = read(make(columns=columns, fields=TABLE)).values()
    held = {"score": "7", "strategic": "yes", "segment": "Industry", "signed_on": "2026-12-31"}
    assert deal.own == held


def test_hostile_text_is_text(odoo: FakeOdoo, make: Make) -> None:
    text = "<script>alert(1)</script> {{x}} =HYPERLINK(1)"
    shown = text if odoo.version == 14 else "<p>&lt;b&gt; <script>alert(1)</script>it</p>"
    odoo.lead(name=text, partner_name=text, description=shown)
    (deal,) = read(make()).values()
    assert (deal.name, deal.customer) == (text, text)
    assert deal.notes[0].text == (text if odoo.version == 14 else "<b> it")


class TestPages:
    def test_a_thousand_leads_and_more_come_page_by_page(self, odoo: FakeOdoo, make: Make) -> None:
        ids = [odoo.lead() for _ in range(1203)]
        assert [int(key) for key in read(make())] == ids
        assert odoo.calls.count("crm.lead/search_read") == 3
        assert odoo.calls.count("crm.lead/search_count") == 1
        assert odoo.calls.count("crm.stage/search_read") == 1, "each stage is asked for once"

    def test_a_list_that_is_cut_is_not_used(self, odoo: FakeOdoo, make: Make) -> None:
        for _ in range(5):
            odoo.lead()
        odoo.longest_page = 3
        with pytest.raises(IncompleteRead, match="3 of 5 records came"):
            read(make())


class TestWrong:
    def test_a_wrong_key_says_so_and_is_not_shown(self, odoo: FakeOdoo, make: Make) -> None:
        with pytest.raises(Unauthorised, match="does not let the account in") as error:
            read(make(token_env="WRONG"))
        assert "hunter2" not in str(error.value)
        assert "three months" in str(error.value)

    def test_a_wrong_database_says_which(self, odoo: FakeOdoo, make: Make) -> None:
        with pytest.raises(SyncError, match="'other' the name of the database"):
            read(make(database="other"))

    def test_unknown_fields_are_all_named_with_the_nearest(
        self, odoo: FakeOdoo, make: Make
    ) -> None:
        columns = {"start": "x_strat", "service": "partner_id.countri_id", "team": "name.x"}
        with pytest.raises(ProblemsError) as error:
            read(make(columns=columns, only={"typ": "lead"}))
        text = str(error.value)
        for part in ("x_start", "country_id", "not a relation", 'only] typ = "typ"'):
            assert part in text

    def test_a_model_that_is_not_installed_is_named(self, odoo: FakeOdoo, make: Make) -> None:
        del odoo.models["crm.lead"]
        with pytest.raises(ProblemsError, match="comes with the app CRM"):
            read(make())

    def test_a_field_that_the_account_may_not_read_is_said(
        self, odoo: FakeOdoo, make: Make
    ) -> None:
        def refuse(what: str) -> None:
            if what == "crm.lead/search_read":
                raise Refused("AccessError", "You are not allowed to access 'Lead'")

        odoo.faults = refuse
        with pytest.raises(Unauthorised, match="Give the account a right"):
            read(make())

    def test_settings_are_all_checked_at_once(self, make: Make) -> None:
        wrong: dict[str, Any] = {
            "token_env": "",
            "databse": "x",
            "write_back": {"urll": "x_url", "message": "url, stat"},
        }
        with pytest.raises(ProblemsError) as error:
            make(**wrong)
        text = str(error.value)
        for part in ("token_env is missing", "database", "'urll'", "'stat'"):
            assert part in text

    def test_a_password_needs_a_login(self, make: Make) -> None:
        with pytest.raises(ProblemsError, match="username is missing"):
            make(token_env="", password_env="WRONG", username="")

    @pytest.mark.parametrize("odoo", [14], indirect=True)
    def test_an_older_odoo_needs_the_login_with_the_key(self, odoo: FakeOdoo, make: Make) -> None:
        with pytest.raises(Unauthorised, match=r"this Odoo \(14\.0\).*username"):
            read(make(username=""))

    def test_an_address_at_which_no_odoo_answers_is_wrong(self, odoo: FakeOdoo, make: Make) -> None:
        odoo.version, odoo.has_json_rpc = 14, False
        with pytest.raises(Unreachable, match="no Odoo answers there"):
            read(make())


def test_which_way_of_asking_is_used_is_found_out(odoo: FakeOdoo, make: Make) -> None:
    odoo.lead()
    read(make())
    by_rpc = "common/authenticate" in odoo.calls
    assert by_rpc is (odoo.version == 14)


@pytest.mark.parametrize("odoo", [19], indirect=True)
def test_json2_needs_no_login_and_goes_on_where_json_rpc_is_gone(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.has_json_rpc = False
    odoo.lead()
    assert len(read(make(username=""))) == 1


def test_check_says_what_is_seen_and_warns_of_what_is_not(odoo: FakeOdoo, make: Make) -> None:
    odoo.lose(odoo.lead())
    said = " ".join(make().examine())
    assert "1 records of crm.lead can be seen" in said
    odoo.sees_all = False
    assert "All Documents" in " ".join(make().examine())
    assert not odoo.writes


def test_an_address_that_was_copied_from_the_browser_is_the_servers(
    odoo: FakeOdoo, make: Make
) -> None:
    odoo.lead()
    for end in ("/web#action=120&model=crm.lead", "/odoo/crm/7", "/"):
        assert len(read(make(url=f"http://odoo.example.test{end}"))) == 1
