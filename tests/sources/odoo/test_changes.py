"""Reading only what changed: what is asked for, what is kept, and what may be concluded."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sync.errors import Unreachable
from taiga_pipeline.sources.odoo.source import OdooSource
from tests.odoo.fake import FakeOdoo, Refused
from tests.sources.odoo.conftest import Make, read
from tests.targets.support import ManualClock


@pytest.fixture
def kept(make: Make) -> Make:
    """Makes sources with a cache."""

    def run(**changes: object) -> OdooSource:
        return make(**{"cache": "cache.db", "overlap_minutes": 0, **changes})

    return run


def run(source: OdooSource) -> dict[str, str]:
    """Reads and keeps, as a run does; returns the names by key."""
    names = {key: deal.name for key, deal in read(source).items()}
    source.keep()
    return names


def asked_for(source: OdooSource) -> int:
    """Returns how many records the last reading brought."""
    assert source._reading is not None
    return source._reading.spool.count


@pytest.fixture
def leads(odoo: FakeOdoo, kept: Make, clock: ManualClock) -> list[int]:
    """Leads that were read and kept; time has gone by since."""
    found = [odoo.lead(name="old") for _ in range(5)]
    run(kept())
    clock.sleep(60)
    return found


def test_only_what_was_changed_or_added_is_asked_for(
    odoo: FakeOdoo, kept: Make, clock: ManualClock, leads: list[int]
) -> None:
    odoo.change("crm.lead", leads[1], name="new")
    added = odoo.lead(name="added")
    run(kept())
    clock.sleep(60)
    odoo.change("crm.lead", leads[2], name="newer")
    source = kept()
    names = run(source)
    assert asked_for(source) == 3, "the newest that were known before are among them"
    assert names == {
        **{str(number): "old" for number in leads},
        str(leads[1]): "new",
        str(leads[2]): "newer",
        str(added): "added",
    }


def test_what_a_lead_leads_to_is_part_of_it(odoo: FakeOdoo, kept: Make, clock: ManualClock) -> None:
    company = odoo.customer("Old GmbH")
    odoo.lead(partner_id=odoo.customer("Anna", company))
    run(kept())
    clock.sleep(60)
    odoo.change("res.partner", company, name="New GmbH")
    assert [deal.customer for deal in read(kept()).values()] == ["New GmbH"]


def test_a_next_activity_is_seen_although_the_lead_itself_does_not_move(
    odoo: FakeOdoo, kept: Make, clock: ManualClock, leads: list[int]
) -> None:
    before = odoo.rows["crm.lead"][leads[0]]["write_date"]
    odoo.add("mail.activity", res_model="crm.lead", res_id=leads[0], summary="Call")
    odoo.rows["crm.lead"][leads[0]]["activity_summary"] = "Call"
    assert odoo.rows["crm.lead"][leads[0]]["write_date"] == before
    source = kept()
    assert read(source)[str(leads[0])].next_step == "Call"
    source.keep()
    clock.sleep(60)
    odoo.rows["mail.activity"].clear()
    odoo.rows["crm.lead"][leads[0]]["activity_summary"] = False
    odoo.add("mail.message", model="crm.lead", res_id=leads[0], body="<p>Call done</p>")
    assert read(kept())[str(leads[0])].next_step == "", "its being done is told by a message"


def test_what_is_gone_is_known_after_a_complete_reading_alone(
    odoo: FakeOdoo, kept: Make, clock: ManualClock, leads: list[int]
) -> None:
    odoo.remove("crm.lead", leads[0])
    assert str(leads[0]) in run(kept())
    anew = kept()
    anew.read_anew()
    assert str(leads[0]) not in run(anew)
    odoo.remove("crm.lead", leads[1])
    clock.sleep(25 * 3600)
    assert str(leads[1]) not in run(kept()), "a complete reading was due"


def test_an_archived_one_is_seen_as_a_change(odoo: FakeOdoo, kept: Make, leads: list[int]) -> None:
    odoo.lose(leads[3])
    assert read(kept())[str(leads[3])].stage == "Lost"


def test_other_fields_read_everything_anew(kept: Make, leads: list[int]) -> None:
    source = kept(columns={"start": "x_start"})
    run(source)
    assert asked_for(source) == 5


def test_a_read_that_breaks_off_leaves_the_cache_as_it_was(
    odoo: FakeOdoo, kept: Make, leads: list[int]
) -> None:
    odoo.change("crm.lead", leads[0], name="new")

    def fail(what: str) -> None:
        if what == "crm.lead/search_read":
            raise Refused("UserError", "no")

    odoo.faults = fail
    with pytest.raises(Unreachable):
        run(kept())
    odoo.faults = lambda what: None
    assert run(kept())[str(leads[0])] == "new"


def test_the_file_is_for_its_owner_alone_and_holds_no_key(
    kept: Make, leads: list[int], tmp_path: Path
) -> None:
    file = tmp_path / "cache.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"a" * 40 not in file.read_bytes()
