"""A real Odoo, as a source, as a target, and as both: what only a live server can settle.

Left out unless ``--odoo-url`` names a server that was set up by ``.ci/odoo``.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sync.clock import SystemClock
from sync.errors import Rejected, SyncError, Unauthorised
from sync.records.model import STATE, Marker
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.main import cli
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.pipeline.model import Deal, DeliveryFacts
from taiga_pipeline.records import Kind, Project, Status, Story, portfolio_key
from taiga_pipeline.sources.registry import create as create_source
from taiga_pipeline.targets.odoo import create as create_target
from tests.contract.targets.account import Work
from tests.contract.targets.accounts import LABELS, OdooAccount, live_odoo_account, new_pipeline
from tests.live.odoo import OUTSIDER, PLAIN, ROBOT, SWEDE, SWEDISH, OdooOffice

AT_ONCE = 6


def source(office: OdooOffice, **more: object) -> Any:
    """Returns a source that reads what this test made."""
    settings = office.settings(only={"referred": office.marker}, **more)
    return create_source("odoo", settings, SystemClock())


def read(office: OdooOffice, **more: object) -> dict[str, Deal]:
    return {deal.key: deal for deal in source(office, **more).read().deals}


class TestSource:
    def test_every_state_is_read_with_what_odoo_knows(self, live_odoo: OdooOffice) -> None:
        office = live_odoo
        company = office.customer("Kunde GmbH")
        lead = office.lead(type="lead", name="Inquiry")
        text = "First line\nsecond" if office.version < 15 else "<p>First line<br>second</p>"
        opened = office.lead(
            "Qualified",
            partner_id=company,
            expected_revenue=1200.5,
            probability=25,
            date_deadline="2027-03-31",
            description=text,
        )
        office.call(
            "mail.activity",
            "create",
            {
                "res_model_id": office.find("ir.model", ["model", "=", "crm.lead"]),
                "res_id": opened,
                "summary": "Call them",
                "date_deadline": "2027-01-05",
                "activity_type_id": office.find("mail.activity.type"),
                "user_id": office.find("res.users", ["login", "=", PLAIN]),
            },
        )
        won, lost = office.lead(), office.lead("Proposition")
        office.change("crm.lead", won, stage_id=office.stage("Won"))
        office.lose(lost)
        found = read(office)
        stages = {key: found[str(key)].stage for key in (lead, opened, won, lost)}
        assert stages == {lead: "Lead", opened: "Qualified", won: "Won", lost: "Lost"}
        deal = found[str(opened)]
        assert (deal.customer, deal.value, deal.currency) == (
            "Kunde GmbH",
            Decimal("1200.5"),
            "EUR",
        )
        assert (deal.probability, deal.expected_close) == (Decimal("0.25"), date(2027, 3, 31))
        assert (deal.next_step, deal.next_step_on) == ("Call them", date(2027, 1, 5))
        assert deal.next_step_by == "Plain Robot"
        assert [note.text for note in deal.notes] == ["First line\nsecond"]
        assert found[str(won)].closed_on is not None
        assert found[str(lost)].stage_since is not None, "when it was lost, at the latest"
        assert (found[str(won)].probability, found[str(lost)].probability) == (1, 0)

    @pytest.mark.parametrize("login", [ROBOT, PLAIN])
    def test_stage_moves_are_told_to_whoever_may_see_them(
        self, live_odoo: OdooOffice, login: str
    ) -> None:
        office = live_odoo
        lead = office.lead()
        office.change("crm.lead", lead, stage_id=office.stage("Qualified"))
        office.lose(lead)
        office.take_up(lead)
        office.change("crm.lead", lead, stage_id=office.stage("Won"))
        if login == PLAIN and office.version >= 17:
            assert "Administration: Settings" in " ".join(source(office, username=login).examine())
            return
        with source(office, username=login).past(str(lead)) as past:
            assert [(move.from_stage, move.to_stage) for move in past.moves] == [
                ("", "New"),
                ("New", "Qualified"),
                ("Qualified", "Lost"),
                ("Lost", "Qualified"),
                ("Qualified", "Won"),
            ]

    def test_only_what_changed_is_asked_for(self, live_odoo: OdooOffice, tmp_path: Path) -> None:
        office = live_odoo
        first, second = office.lead(name="First"), office.lead(name="Second")
        settings = {"cache": "cache.db", "overlap_minutes": 0, "folder": str(tmp_path)}
        kept = source(office, **settings)
        list(kept.read().deals)
        kept.keep()
        office.change("crm.lead", first, name="First, renamed")
        office.lose(second)
        third = office.lead(name="Third")
        found = read(office, **settings)
        assert {key: deal.stage for key, deal in found.items()} == {
            str(first): "New",
            str(second): "Lost",
            str(third): "New",
        }
        assert found[str(first)].name == "First, renamed"

    def test_a_note_is_left_once_and_is_text(self, live_odoo: OdooOffice) -> None:
        office = live_odoo
        lead = office.lead()
        facts = DeliveryFacts(str(lead), url="https://pm.example/7", state="<img src=x>")
        for written in (1, 0):
            told = source(office, write_back={"message": "url, state"})
            list(told.read().deals)
            assert told.take_facts([facts]).written == written
        notes = office.call(
            "mail.message",
            "search_read",
            [["model", "=", "crm.lead"], ["res_id", "=", lead], ["subject", "!=", False]],
            ["body"],
        )
        (note,) = notes
        assert "state: &lt;img src=x&gt;" in note["body"]

    def test_a_stage_is_called_what_the_account_is_shown_and_may_be_named_in_english(
        self, live_odoo: OdooOffice
    ) -> None:
        office = live_odoo
        stage = office.stage(f"Idea {office.marker}")
        swedish = f"Idé {office.marker}"
        office.call("crm.stage", "write", [stage], {"name": swedish}, context=SWEDISH)
        office.lead(f"Idea {office.marker}")
        for stages, expected in (
            ({}, swedish),
            ({swedish: "Proposal"}, "Proposal"),
            ({f"Idea {office.marker}": "Proposal"}, "Proposal"),
        ):
            (deal,) = read(office, username=SWEDE, stages=stages).values()
            assert deal.stage == expected

    def test_an_account_without_rights_is_refused_with_the_right_that_it_needs(
        self, live_odoo: OdooOffice
    ) -> None:
        with pytest.raises(Unauthorised, match="All Documents"):
            read(live_odoo, username=OUTSIDER)
        with pytest.raises(Unauthorised, match="does not let the account in"):
            read(live_odoo, password_env="WRONG")


@pytest.fixture
def connection(live_odoo: OdooOffice) -> Connection:
    return Connection(
        live_odoo.url,
        new_pipeline(),
        **live_odoo.robot(),
        labels=LABELS,
        options={"database": live_odoo.database},
    )


def as_person(connection: Connection, office: OdooOffice, login: str) -> Connection:
    """Returns a connection of someone else, who has no key."""
    return replace(connection, username=login, token=None, password=Secret(office.password))


@pytest.fixture
def odoo(connection: Connection, live_odoo: OdooOffice) -> Iterator[OdooAccount]:
    account = live_odoo_account(connection, live_odoo)
    yield account
    account.clean_up()


@pytest.fixture
def work(odoo: OdooAccount) -> Work:
    work = Work(odoo)
    work.make()
    return work


def at_once(functions: list[Callable[[], None]]) -> None:
    """Calls all at the same moment, and waits for them."""
    barrier = threading.Barrier(len(functions))

    def after_all_are_ready(function: Callable[[], None]) -> None:
        barrier.wait(300)
        function()

    threads = [threading.Thread(target=after_all_are_ready, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)


class TestTarget:
    def test_six_that_make_a_project_at_once_end_with_one(
        self, odoo: OdooAccount, connection: Connection, live_odoo: OdooOffice
    ) -> None:
        accounts = [live_odoo_account(connection, live_odoo) for _ in range(AT_ONCE)]
        key = Work(odoo).key
        made: list[str] = []
        troubles: list[SyncError] = []

        def make(account: OdooAccount) -> None:
            try:
                made.append(Work(account, key).make().record.id)
            except SyncError as error:
                troubles.append(error)

        at_once([lambda account=account: make(account) for account in accounts])  # type: ignore[misc]
        (found,) = odoo.target.find_roots(Marker(odoo.pipeline, key))
        assert set(made) == {found.id}, troubles
        assert not troubles
        for account in accounts:
            account.target.close()

    def test_six_that_make_a_story_at_once_end_with_one(
        self, odoo: OdooAccount, connection: Connection, work: Work, live_odoo: OdooOffice
    ) -> None:
        accounts = [live_odoo_account(connection, live_odoo) for _ in range(AT_ONCE)]
        works = [Work(account, work.key) for account in accounts]
        for each in works:
            each.id, each.bound = work.id, dict(work.bound)
        fields = {"subject": "Call them", "description": "", "milestone": ""}
        at_once([lambda each=each: each.add(Kind.STORY, "call", **fields) for each in works])  # type: ignore[misc]
        assert len(work.children(Kind.STORY)) == 1
        for account in accounts:
            account.target.close()

    def test_a_rename_is_not_written_over_when_the_project_is_made_again(
        self, odoo: OdooAccount, work: Work
    ) -> None:
        odoo.rename(work.id, "(tentative) Their own words")
        again = Work(odoo, work.key)
        assert again.make().record.id == work.id
        assert work.fields()[Project.TITLE] == "Their own words"

    def test_a_copy_that_people_make_is_theirs(self, odoo: OdooAccount, work: Work) -> None:
        copy = odoo.call("project.project", "copy", [int(work.id)])
        copy = copy[0] if isinstance(copy, list) else copy
        assert [root.id for root in odoo.target.find_roots(work.marker)] == [work.id]
        seen = odoo.target.observe_root(str(copy))
        assert seen is not None and not seen.markers
        odoo.delete(str(copy))

    def test_what_people_archive_is_left_alone_and_what_we_archive_comes_back(
        self, odoo: OdooAccount, work: Work
    ) -> None:
        odoo.call("project.project", "write", [int(work.id)], {"active": False})
        assert "people archived it" in work.observed().obstacle
        with pytest.raises(Rejected, match="people archived it"):
            work.change(label="(sold)")
        odoo.call("project.project", "write", [int(work.id)], {"active": True})
        work.change(state="retired", label="(lost)")
        assert (work.fields()[STATE], work.observed().obstacle) == ("retired", "")
        work.change(state="tentative", label="(tentative)")
        (row,) = odoo.call("project.project", "read", [int(work.id)], ["active"])
        assert row["active"]

    def test_what_people_format_stays_formatted_when_the_facts_change(
        self, odoo: OdooAccount, work: Work
    ) -> None:
        (row,) = odoo.call("project.project", "read", [int(work.id)], ["description"])
        bold = row["description"].replace("<p>Hello</p>", "<p>Hello <b>bold</b> <i>world</i></p>")
        odoo.call("project.project", "write", [int(work.id)], {"description": bold})
        work.change(deal_facts="Customer: <script>alert(1)</script>", text="Hello bold world")
        (row,) = odoo.call("project.project", "read", [int(work.id)], ["description"])
        assert "<b>bold</b> <i>world</i>" in row["description"]
        assert "<script" not in row["description"]
        assert work.fields()[Project.DEAL_FACTS] == "Customer: <script>alert(1)</script>"

    def test_an_assigned_story_and_a_member_mail_nobody(
        self, odoo: OdooAccount, work: Work, live_odoo: OdooOffice
    ) -> None:
        before = live_odoo.call("mail.mail", "search_count", [])
        work.join("Back")
        given = {"subject": "Call", "description": "", "milestone": "", "assigned": odoo.member}
        made = work.add(Kind.STORY, "call", **given).record
        assert made.fields[Story.ASSIGNED] == odoo.member
        assert live_odoo.call("mail.mail", "search_count", []) == before

    def test_a_member_of_a_private_project_sees_it_and_one_who_left_does_not(
        self, odoo: OdooAccount
    ) -> None:
        work = Work(odoo, private=True)
        work.make()

        def sees() -> bool:
            domain = [["id", "=", int(work.id)]]
            return bool(odoo.call("project.project", "search_count", domain, by=odoo.member))

        assert not sees()
        member = work.join("Back").record
        assert sees()
        odoo.target.remove(Kind.MEMBERSHIP, member.id, work.place)
        assert not sees()

    def test_hours_are_read_back(
        self, odoo: OdooAccount, work: Work, live_odoo: OdooOffice
    ) -> None:
        story = work.add(Kind.STORY, "call", subject="Call", description="", milestone="").record
        employee = live_odoo.call("hr.employee", "search", [["user_id", "=", 2]], limit=1)
        line = {"name": "Talked", "unit_amount": 1.5, "employee_id": (employee or [None])[0]}
        where = {"project_id": int(work.id), "task_id": int(story.id)}
        if not employee:
            line["employee_id"] = live_odoo.make("hr.employee", name="Adm", user_id=2)
        entry = live_odoo.make("account.analytic.line", **line, **where)
        found = odoo.target.observe_children([work.id])[work.id]
        facts = next(child.facts for child in found if child.kind == Kind.PROJECT)
        assert facts.get("spent_hours", 1.5) == 1.5, "where the account may see hours"
        with pytest.raises(Rejected, match="deleted with it"):
            odoo.target.remove(Kind.STORY, story.id, work.place)
        live_odoo.remove("account.analytic.line", entry)

    def test_a_task_that_people_close_is_progress(
        self, odoo: OdooAccount, work: Work, live_odoo: OdooOffice
    ) -> None:
        fields = {"description": "", "milestone": ""}
        first, _ = (
            work.add(Kind.STORY, name, subject=name, **fields).record for name in ("call", "visit")
        )
        values: dict[str, object] = {"state": "1_done"}
        if live_odoo.version < 17:
            closing = {"fold": True, **({"is_closed": True} if live_odoo.version < 16 else {})}
            where = {"project_ids": [[6, 0, [int(work.id)]]]}
            values = {
                "stage_id": live_odoo.make("project.task.type", name="Done", **closing, **where)
            }
        live_odoo.change("project.task", int(first.id), **values)
        found = odoo.target.observe_children([work.id])[work.id]
        facts = next(child.facts for child in found if child.kind == Kind.PROJECT)
        assert facts["progress"] == 0.5

    def test_the_portfolio_is_a_project_with_stages(self, odoo: OdooAccount) -> None:
        board = Work(odoo, portfolio_key(odoo.pipeline), title="Portfolio")
        board.make()
        for order, name in enumerate(("Proposal", "Won")):
            board.add(Kind.STATUS, name.casefold(), name=name, order=order, closed=name == "Won")
        card = {"subject": "Acme", "status": "Proposal", "due_date": "2027-01-31"}
        made = board.add(Kind.STORY, "D-1", **card, facts="Value: 1 EUR", tags=frozenset({"x"}))
        assert made.record.fields[Story.STATUS] == "Proposal"
        written = board.change_child(board.child(Kind.STORY, made.record.id), status="Won")
        assert written.record.fields[Story.STATUS] == "Won"
        assert written.record.fields[Story.DUE_DATE] == "2027-01-31"
        columns = {each.fields[Status.NAME]: each.fields for each in board.children(Kind.STATUS)}
        assert [columns[name][Status.CLOSED] for name in ("Proposal", "Won")] == [False, True]

    def test_an_account_without_more_rights_does_all_but_keep_turns(
        self, connection: Connection, live_odoo: OdooOffice
    ) -> None:
        plain = live_odoo_account(as_person(connection, live_odoo, PLAIN), live_odoo)
        target = plain.target
        assert not target.capabilities.leases and not hasattr(target, "leases")
        assert "shared PostgreSQL" in " ".join(target.advice())
        work = Work(plain)
        work.make()
        other = Marker(plain.pipeline, f"{work.key}-b")
        target.reassign(work.id, work.marker, other)
        assert [root.id for root in target.find_roots(other)] == [work.id]
        plain.clean_up()

    def test_names_are_read_and_written_in_the_language_of_the_account(
        self, connection: Connection, live_odoo: OdooOffice
    ) -> None:
        swede = live_odoo_account(as_person(connection, live_odoo, SWEDE), live_odoo)
        work, renamed = Work(swede), Work(swede)
        for each in (work, renamed):
            each.make()

        def names(each: Work) -> list[str]:
            contexts: list[dict[str, str]] = [{}, SWEDISH]
            asked = ("project.project", "read", [int(each.id)], ["name"])
            return [swede.call(*asked, context=context)[0]["name"] for context in contexts]

        number, values = int(renamed.id), {"name": "(tentative) Deras egna"}
        swede.call("project.project", "write", [number], values, context=SWEDISH)
        made = names(renamed)[0]
        for each in (work, renamed):
            each.change(label="(sold)")
        english, swedish = names(work)
        assert english == swedish
        assert english.startswith("(sold)")
        of_all = live_odoo.version < 15  # which keeps one name for all languages
        expected = ["(sold) Deras egna" if of_all else made, "(sold) Deras egna"]
        assert names(renamed) == expected
        swede.clean_up()

    def test_who_may_not_make_projects_is_told_which_right_it_takes(
        self, connection: Connection, live_odoo: OdooOffice
    ) -> None:
        outsider = create_target(as_person(connection, live_odoo, OUTSIDER), SystemClock())
        with pytest.raises(Unauthorised, match="Project: Administrator"):
            outsider.connect()

    def test_a_run_in_which_nothing_moved_asks_for_a_list_of_each_kind(
        self, odoo: OdooAccount
    ) -> None:
        for _ in range(3):
            Work(odoo).make()
        fresh = create_target(odoo.connection, SystemClock())
        fresh.connect()
        at_the_start = fresh.request_count
        list(fresh.observe_roots())
        of_tags = int(odoo.target._context.is_recent)
        assert fresh.request_count - at_the_start == 3 + of_tags
        assert at_the_start == (2 if fresh._client.is_json2 else 4)


CONFIG = """
pipeline = "{pipeline}"
[source]
kind = "odoo"
url = "{url}"
database = "crm"
username = "{robot}"
password_env = "ODOO_PASSWORD"
[source.only]
referred = "{marker}"
[source.write_back]
url = "x_url"
progress = "x_progress"
[target]
kind = "odoo"
url = "{url}"
database = "crm"
username = "{robot}"
password_env = "ODOO_PASSWORD"
[limits]
create = 1000
"""


def test_an_opportunity_becomes_a_project_beside_it_and_knows_it(
    live_odoo: OdooOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odoo: OdooAccount
) -> None:
    office = live_odoo
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        environment = {"ODOO_PASSWORD": office.password}
        result = CliRunner().invoke(cli, arguments, obj=CommandContext(environment=environment))
        assert result.exit_code == 0, (result.stdout, result.stderr, result.exception)
        return result

    run("init", "--target", "odoo", "--target-url", office.url, "--set", "database=crm")
    text = CONFIG.format(pipeline=odoo.pipeline, url=office.url, robot=ROBOT, marker=office.marker)
    Path("config.toml").write_text(text)
    customer = f"Kunde {uuid.uuid4().hex[:6]}"
    lead = office.lead("Proposition", name="Data platform", partner_name=customer)
    stages = '[source.stages]\nProposition = "Proposal"\n'
    Path("config.toml").write_text(text.replace("[source.only]", f"{stages}[source.only]"))
    assert "x_url, x_progress of crm.lead" in run("check").stdout
    run("run")
    (root,) = odoo.target.find_roots(Marker(odoo.pipeline, str(lead)))
    assert root.facts["title"] == f"(tentative) {customer}: Data platform"
    assert office.show("crm.lead", lead, "x_url")["x_url"] == root.facts["url"]
    office.change("crm.lead", lead, stage_id=office.stage("Won"))
    run("run")
    (root,) = odoo.target.find_roots(Marker(odoo.pipeline, str(lead)))
    assert root.facts["title"] == f"{customer}: Data platform"
    again = json.loads(run("run", "--json").stdout)
    assert (again["run"]["applied"], again["run"]["written_back"]) == (0, 0)
    office.change("crm.lead", lead, stage_id=office.stage("Proposition"))
    office.lose(lead)
    run("run")
    (root,) = odoo.target.find_roots(Marker(odoo.pipeline, str(lead)))
    assert odoo.target.split(root, [])[STATE] == "retired"
