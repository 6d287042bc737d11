"""What is made of Tryton's records, and of what goes wrong on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import IncompleteRead, Stop, Unauthorised, Unavailable, Unreachable
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.tryton.client import PAGE
from taiga_pipeline.sources.tryton.typed import decode, encode
from tests.sources.tryton.conftest import Make, read
from tests.sources.tryton.fake import MODEL, FakeTryton, Refused


@given(
    st.one_of(
        st.decimals(allow_nan=False, allow_infinity=False),
        st.dates(),
        st.datetimes(timezones=st.just(UTC)),
        st.timedeltas(max_value=timedelta(days=10_000), min_value=timedelta()),
        st.text(),
        st.none(),
        st.booleans(),
    )
)
def test_typed_json_comes_back_as_it_went(value: object) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        {"__class__": "Decimal"},
        {"__class__": "Decimal", "decimal": "many"},
        {"__class__": "date", "year": 2026, "month": 13, "day": 1},
        {"__class__": "something new", "x": 1},
        {"name": "no class"},
    ],
)
def test_what_is_of_no_known_class_stays_as_it_is(value: object) -> None:
    assert decode(value) == value


def test_an_opportunity_with_all_that_tryton_knows(tryton: FakeTryton, make: Make) -> None:
    number = tryton.opportunity(
        description="Portal",
        comment="One\nTwo",
        amount=Decimal("1200.50"),
        conversion_probability=0.25,
        end_date=date(2027, 3, 31),
    )
    changed = tryton.rows[number]["create_date"]
    (deal,) = read(make()).values()
    assert (deal.key, deal.name, deal.notes[0].text) == (str(number), "Portal", "One\nTwo")
    assert (deal.customer, deal.owner, deal.stage) == ("Kunde GmbH", "Ana Åberg", "opportunity")
    assert (deal.value, deal.currency) == (Decimal("1200.50"), "EUR")
    assert (deal.probability, deal.expected_close) == (Decimal("0.25"), date(2027, 3, 31))
    assert (deal.engaged_on, deal.start, deal.closed_on) == (date(2026, 11, 1), None, None)
    assert deal.updated_at == changed, "no change yet: when it was made"
    tryton.change(number, description="Portal 2")
    assert read(make())[str(number)].updated_at == tryton.now


@pytest.mark.parametrize("state", ["won", "lost", "cancelled"])
def test_the_end_of_a_closed_opportunity_is_the_day_of_the_decision(
    tryton: FakeTryton, make: Make, state: str
) -> None:
    tryton.opportunity(state=state, end_date=date(2026, 11, 2))
    stages = {state: "Anything at all"}
    for settings in ({}, {"stages": stages}):
        (deal,) = read(make(**settings)).values()
        assert (deal.closed_on, deal.expected_close) == (date(2026, 11, 2), None)
    assert deal.stage == "Anything at all"


def test_one_that_has_no_description_nor_customer_is_called_by_its_number(
    tryton: FakeTryton, make: Make
) -> None:
    number = tryton.opportunity(state="lead", party=None, employee=None)
    (deal,) = read(make()).values()
    assert (deal.name, deal.customer, deal.owner) == (f"Opportunity {number}", "", "")
    (deal,) = read(make(name="Chance {key}")).values()
    assert deal.name == f"Chance {number}"


def test_fields_of_ones_own_are_read_in_place_of_the_usual_and_beside_them(
    tryton: FakeTryton, make: Make
) -> None:
    sales = [tryton.add("sale.sale", number=name) for name in ("S1", "S2")]
    tryton.opportunity(
        agreed_start=date(2027, 1, 4), roles_needed="Back:30h x10w", sales=sales, comment="secret"
    )
    columns = {
        "start": "agreed_start",
        "roles": "roles_needed",
        "service": "sales.number",
        "notes": "",
        "key": "id",
    }
    (deal,) = read(make(columns=columns)).values()
    assert (deal.start, deal.roles[0].role) == (date(2027, 1, 4), "Back")
    assert (deal.service, deal.notes) == ("S1, S2", ())
    assert "comment" not in make(columns=columns).examine()[0]


def test_only_records_in_which_something_stands_are_read(tryton: FakeTryton, make: Make) -> None:
    other = tryton.add("party.party", name="Other")
    tryton.opportunity(party=other)
    kept = tryton.opportunity()
    only = {"party.name": "Kunde GmbH"}
    assert list(read(make(only=only))) == [str(kept)]


def test_a_value_of_the_wrong_type_costs_its_record_with_its_place(
    tryton: FakeTryton, make: Make
) -> None:
    bad = tryton.opportunity(duration=timedelta(hours=3))
    good = tryton.opportunity()
    reading = make(columns={"service": "duration"}).read()
    assert [deal.key for deal in reading.deals] == [str(good)]
    (reported,) = reading.quarantined
    assert (reported.key, reported.place) == (str(bad), f"{MODEL},{bad}")
    assert "duration: '3:00:00' is neither text nor a number nor a date" in reported.reason
    assert reading.complete


# --- whether it is the whole


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
def test_all_pages_are_read_and_none_too_many(tryton: FakeTryton, make: Make, count: int) -> None:
    for _ in range(count):
        tryton.opportunity()
    assert len(read(make())) == count
    assert tryton.readings == max(1, -(-count // PAGE))


def test_a_page_that_lost_a_record_is_no_reading(tryton: FakeTryton, make: Make) -> None:
    tryton.opportunity()
    tryton.opportunity()
    tryton.loses = True
    with pytest.raises(IncompleteRead, match="1 of 2 records came; a partial read is not used"):
        make().read()


def test_a_page_without_a_count_is_no_reading(tryton: FakeTryton, make: Make) -> None:
    tryton.counts = False
    with pytest.raises(IncompleteRead, match="a proxy between here and Tryton"):
        make().read()


def test_what_is_added_and_deleted_meanwhile_moves_nothing_past_the_reader(
    tryton: FakeTryton, make: Make
) -> None:
    numbers = [tryton.opportunity() for _ in range(PAGE + 100)]

    def meanwhile(what: str) -> None:
        if what == f"GET {MODEL}" and tryton.readings == 2:
            del tryton.rows[numbers[0]], tryton.rows[numbers[1]]
            tryton.opportunity(number="new")

    tryton.faults = meanwhile
    found = read(make())
    assert found.keys() >= {str(number) for number in numbers}
    assert "new" in found


# --- what goes wrong


def test_fields_that_may_not_be_read_are_not_taken_for_empty(
    tryton: FakeTryton, make: Make
) -> None:
    tryton.opportunity(amount=Decimal(5))
    tryton.hidden = frozenset({"amount", "party.name"})
    with pytest.raises(
        Unauthorised, match=r"does not show amount, employee\.party\.name, party\.name"
    ):
        make().read()


def test_a_user_without_rights_is_reported_with_the_group_that_it_needs(make: Make) -> None:
    with pytest.raises(Unauthorised, match=r"not allowed to access .* give the application's user"):
        make(token_env="OUTSIDER").read()


def test_a_wrong_key_is_reported_without_it(make: Make) -> None:
    with pytest.raises(Unauthorised, match=r"application key \(401\)") as caught:
        make(token_env="WRONG").read()
    assert "hunter2" not in str(caught.value)


def test_a_key_from_a_file_that_only_its_owner_reads(
    tryton: FakeTryton, make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "key.txt"
    file.write_text(f"{'a' * 64}\n")
    with pytest.raises(ProblemsError, match="chmod 600"):
        file.chmod(0o644)
        make(token_env="", token_file="key.txt")
    file.chmod(0o600)
    tryton.opportunity()
    assert read(make(token_env="", token_file="key.txt"))


def test_an_unknown_database_is_reported_with_the_setting(make: Make) -> None:
    with pytest.raises(Unreachable, match=r"is 'prod' the name of the database"):
        make(database="prod").read()


@pytest.mark.parametrize("count", [0, 1])
def test_unknown_fields_are_reported_at_once_with_the_nearest(
    tryton: FakeTryton, make: Make, count: int
) -> None:
    for _ in range(count):
        tryton.opportunity()
    with pytest.raises(ProblemsError) as caught:
        make(
            columns={"value": "amuont", "customer": "party.nmae", "team": "state.name"},
            only={"sate": "won"} if count else {"company": "x"},
            write_back={"url": "project_ulr", "start": "description", "progress": "project_start"},
        ).read()
    said = str(caught.value)
    assert (
        "value = \"amuont\": sale.opportunity has no field 'amuont'; did you mean 'amount'?" in said
    )
    assert "party.party has no field 'nmae'; did you mean 'name'?" in said
    assert "'name' goes through a field that is not a relation" in said
    assert "no field 'project_ulr'; did you mean 'project_url'?" in said
    assert "progress does not fit into a field of type date" in said
    assert "[source.only]" in said


def test_an_unknown_model_is_reported_with_the_nearest_and_the_module(make: Make) -> None:
    with pytest.raises(ProblemsError, match=r"did you mean 'sale\.opportunity'.*sale_opportunity"):
        make(model="sale.oportunity").read()


def test_a_failure_that_is_nobodys_mistake_stays_one(tryton: FakeTryton, make: Make) -> None:
    tryton.opportunity()

    def broken(what: str) -> None:
        if what == f"GET {MODEL}":
            raise Refused(500, "database is locked")

    tryton.faults = broken
    with pytest.raises(Unavailable, match=r"a failure \(500\)"):
        make().read()


def test_a_server_that_comes_back_is_waited_for(tryton: FakeTryton, make: Make) -> None:
    tryton.opportunity()
    failures = iter([503, 502])

    def at_first(what: str) -> None:
        status = next(failures, None)
        if status:
            raise Refused(status)

    tryton.faults = at_first
    assert len(read(make())) == 1


def test_all_that_is_wrong_with_the_settings_is_reported_at_once(make: Make) -> None:
    with pytest.raises(ProblemsError) as caught:
        make(
            databse="x",
            database="",
            token_env="not a name!",
            complete_hours=-1,
            columns={"valeu": "amount"},
            write_back={"ulr": "x"},
        )
    said = str(caught.value)
    assert "unknown setting databse of a tryton source; did you mean 'database'?" in said
    assert "[source] database is missing" in said
    assert "token_env is the name of an environment variable, not the secret itself" in said
    assert "not a name!" not in said
    assert "complete_hours must be a number from 0" in said
    assert "'valeu' is not a field of a deal; did you mean 'value'?" in said
    assert "'ulr' is not a fact that can be written back; did you mean 'url'?" in said


@pytest.mark.parametrize("url", ["tryton.example.com", "ftp://x", "https://robot:hunter2@x"])
def test_what_is_no_address_is_reported(make: Make, url: str) -> None:
    with pytest.raises(Stop, match=r"\[source\] url") as caught:
        make(url=url)
    assert "hunter2" not in str(caught.value)


def test_a_missing_key_says_where_it_goes(make: Make) -> None:
    with pytest.raises(ProblemsError, match="token_env is missing: the name of the environment"):
        make(token_env="")


def test_moments_are_as_tryton_keeps_them(tryton: FakeTryton, make: Make) -> None:
    tryton.now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    tryton.opportunity()
    (deal,) = read(make(columns={"start": "create_date"}, time_zone="Europe/Stockholm")).values()
    assert deal.start == date(2027, 1, 1)
