"""Any CSV file becomes deals: updated, never doubled, with a true report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.files.dialects import PLAIN, excel_dialect
from taiga_pipeline.pipeline.files.xlsx_export import export_workbook
from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.options import Funnel, ImportOptions
from taiga_pipeline.pipeline.model import Deal, Note
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.pipeline.text import folded
from taiga_pipeline.problems import ProblemsError
from tests.pipeline.conftest import StandingClock
from tests.pipeline.strategies import OWN, deals
from tests.profiles import examples

Import = Callable[..., ImportReport]

CRM_HEADER = (
    "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
)
CRM_ROWS = (
    "1C1I7A6R,Moses Frase,GTX Plus Basic,Cancity,Won,10/20/2016,3/1/2017,1054\n"
    "Z063OYW0,Darcel Schlecht,GTXPro,Isdom,Lost,10/25/2016,3/11/2017,0\n"
    "EC4QE1BX,Darcel Schlecht,MG Special,Cancity,Won,10/25/2016,3/7/2017,50\n"
    "HAXMC4IX,James Ascencio,GTX Basic,,Engaging,11/3/2016,,\n"
    "6CWZFOHJ,Anna Snelling,GTX Plus Pro,Green-Plus,Prospecting,,,\n"
)
CRM_OPTIONS = ImportOptions(name="{customer}: {service}", date_format="%m/%d/%Y", currency="usd")


@pytest.fixture
def run(store: DealStore, tmp_path: Path) -> Import:
    """Imports a text: ``run("key,name\\n…", stages={…})``."""

    def invoke(text: str, funnel: Funnel | None = None, **options: object) -> ImportReport:
        file = tmp_path / str(options.pop("file", "deals.csv"))
        file.write_text(text, encoding="utf-8", newline="")
        base = options.pop("base", ImportOptions())
        return import_deals(store, file, replace(base, **options), funnel)  # type: ignore[type-var]

    return invoke


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, len(report.bad_rows)


def test_a_crm_export_is_imported_with_its_columns_found(run: Import, store: DealStore) -> None:
    report = run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)

    assert counts(report) == (5, 0, 0, 0)
    assert report.columns["owner"] == "sales_agent"
    assert report.unused_headers == ()
    won = store.get("1C1I7A6R")
    assert (won.name, won.customer, won.owner) == (
        "Cancity: GTX Plus Basic",
        "Cancity",
        "Moses Frase",
    )
    assert (won.engaged_on, won.closed_on, won.expected_close) == (
        date(2016, 10, 20),
        date(2017, 3, 1),
        None,
    )
    assert (won.value, won.currency) == (Decimal(1054), "USD")
    assert won.stage_since == datetime(2017, 3, 1, tzinfo=UTC)


def test_the_flaws_of_an_export_are_reported_truthfully(run: Import) -> None:
    report = run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)

    found = {notice.code: (notice.count, notice.text) for notice in report.notices}
    assert found["no_customer"][0] == 1
    assert found["no_date"][0] == 1
    assert found["no_value"][0] == 2
    count, text = found["spelling"]
    assert count == 1
    assert "'GTXPro' (1 deal) may be 'GTX Pro' without the space" in text
    assert "--value 'service:GTXPro=GTX Pro'" in text


def test_spellings_that_differ_only_in_case_and_punctuation_are_counted(run: Import) -> None:
    report = run("key,name,service\n1,a,GTX Pro\n2,b,gtx-pro\n3,c,GTX Pro\n4,d,MG\n")
    (notice,) = (notice for notice in report.notices if notice.code == "spelling")
    assert notice.count == 1
    assert "service is spelt in 2 ways: 'GTX Pro' (2), 'gtx-pro' (1)" in notice.text


def test_an_open_deals_close_date_is_the_expected_one(run: Import, store: DealStore) -> None:
    run("id,name,stage,close date\n1,a,Proposal,2026-12-01\n2,b,Closed Won,2026-10-01\n")
    assert (store.get("1").expected_close, store.get("1").closed_on) == (date(2026, 12, 1), None)
    assert (store.get("2").expected_close, store.get("2").closed_on) == (None, date(2026, 10, 1))


def test_a_deal_without_a_customer_is_named_without_dangling_signs(
    run: Import, store: DealStore
) -> None:
    run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)
    assert store.get("HAXMC4IX").name == "GTX Basic"


def test_a_second_import_changes_nothing(
    run: Import, store: DealStore, clock: StandingClock
) -> None:
    run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)
    before = list(store.deals())
    clock.forward(days=1)

    assert counts(run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)) == (0, 0, 5, 0)
    assert list(store.deals()) == before
    assert len(list(store.history())) == 5


def test_a_changed_row_changes_its_deal_and_records_the_move(
    run: Import, store: DealStore, clock: StandingClock
) -> None:
    run("key,name,stage,value\n1,a,Proposal,100\n2,b,Proposal,5\n")
    later = clock.forward(days=1)
    report = run("key,name,stage,value\n1,a,Won,150\n2,b,Proposal,5\n", by="nightly")

    assert counts(report) == (0, 1, 1, 0)
    move = list(store.history("1"))[-1]
    assert (move.from_stage, move.to_stage, move.at, move.by) == (
        "Proposal",
        "Won",
        later,
        "nightly",
    )
    change, decided = store.changes("1")
    assert (decided.field, decided.after) == ("closed_on", "2026-11-03")
    assert (change.field, change.before, change.after, change.by) == (
        "value",
        "100",
        "150",
        "nightly",
    )


def test_what_people_typed_in_stays_where_the_file_has_no_column_or_a_blank_cell(
    run: Import, store: DealStore
) -> None:
    text = "key,name,customer\n1,a,\n"
    run(text)
    store.edit("1", {"notes": (Note("call back"),), "customer": "Nordvik"})

    assert counts(run(text)) == (0, 0, 1, 0)
    assert (store.get("1").notes[0].text, store.get("1").customer) == ("call back", "Nordvik")


def test_a_cell_that_became_blank_clears_what_the_import_had_put_there(
    run: Import, store: DealStore
) -> None:
    run("key,name,owner,start\n1,a,Maya,2026-01-01\n2,b,Maya,\n")
    store.edit("2", {"owner": "Tom"})
    report = run("key,name,owner,start\n1,a,,\n2,b,,\n")

    assert counts(report) == (0, 1, 1, 0)
    assert (store.get("1").owner, store.get("1").start) == ("", None)
    assert store.get("2").owner == "Tom"


def test_blank_cells_clear_everything_when_asked(run: Import, store: DealStore) -> None:
    store.add(Deal("1", "a", owner="Tom"))
    run("key,name,owner\n1,a,\n", clear_blank=True)
    assert store.get("1").owner == ""


def test_defaults_fill_blanks_and_never_replace(run: Import, store: DealStore) -> None:
    store.add(Deal("1", "a", team="north"))
    run("key,name,stage\n1,a,\n2,b,\n", defaults={"team": "south", "stage": "Lead"})
    assert (store.get("1").team, store.get("1").stage) == ("north", "Lead")
    assert (store.get("2").team, store.get("2").stage) == ("south", "Lead")


def test_stages_and_texts_are_replaced_as_asked(run: Import, store: DealStore) -> None:
    report = run(
        "key,name,stage,service\n1,a,OFFER out,GTXPro\n",
        stages={"Offer Out": "Proposal", "Typo": "Won"},
        values={("service", "GTXPro"): "GTX Pro"},
    )
    assert (store.get("1").stage, store.get("1").service) == ("Proposal", "GTX Pro")
    texts = " ".join(notice.text for notice in report.notices)
    assert "service 'GTXPro' was replaced in 1 deal" in texts
    assert "no deal is in stage 'Typo'" in texts


@pytest.mark.parametrize("word", ["NULL", r"\N", "#N/A", "N/A", "-"])
def test_a_word_for_nothing_is_no_role_no_contact_and_no_action(
    run: Import, store: DealStore, word: str
) -> None:
    report = run(
        f"id,name,stage,roles,contacts,done\n1,a,Lead,{word},{word},{word}\n2,b,Lead,,Tom,\n"
    )

    assert report.bad_rows == ()
    assert (store.get("1").roles, store.get("1").contacts) == ((), ())
    assert [contact.name for contact in store.get("2").contacts] == ["Tom"]
    assert "roles: 1 cell counts as blank" in " ".join(notice.text for notice in report.notices)


@pytest.mark.parametrize("word", ["NULL", r"\N", "#N/A", "nan", "-", "#REF!"])
def test_a_word_for_nothing_is_no_key(run: Import, store: DealStore, word: str) -> None:
    report = run(f"id,name,stage\n{word},a,Lead\n{word},b,Lead\nNULLER-1,c,Lead\n")

    assert [deal.key for deal in store.deals()] == ["NULLER-1"]
    expected = f"no key in column 'id': {word!r} stands for nothing"
    assert [bad.reason for bad in report.bad_rows] == [expected] * 2


def test_bad_rows_are_reported_with_line_and_reason_and_the_rest_goes_in(
    run: Import, store: DealStore
) -> None:
    report = run(
        "key,name,value,start,probability,roles\n"
        "1,good,5,,,\n"
        "2,bad value,5 pcs,,,\n"
        "3,bad date,5,31/13/2026,,\n"
        "4,several,x,y,7000%,Back:0h x1w\n"
        ",no key,,,,\n"
        "6,,,,,\n"
        "7,negative,-5,,,\n"
        "8,inf,Infinity,,inf,\n"
        "9,short\n"
        "10,good,1 000,2026-12-31,50%,Back:30h x10w\n"
    )

    assert [deal.key for deal in store.deals()] == ["1", "10"]
    reasons = {(bad.line, bad.key): bad.reason for bad in report.bad_rows}
    assert reasons[3, "2"].startswith("value: '5 pcs' is not an amount")
    assert "start: '31/13/2026' is not a date" in reasons[4, "3"]
    assert all(word in reasons[5, "4"] for word in ("value:", "start:", "roles:"))
    assert reasons[6, ""] == "no key in column 'key'"
    assert reasons[7, "6"] == "name: a deal needs a name"
    assert "0 or more" in reasons[8, "7"]
    assert (9, "8") in reasons
    assert reasons[10, "9"] == "only 2 of 6 cells"


def test_rows_that_an_open_quotation_mark_may_have_swallowed_are_named(run: Import) -> None:
    report = run('key,name,notes\n1,a,"open\n2,b,x\n3,c,y"\n4,d,z\n')
    (notice,) = (each for each in report.notices if each.code == "lines_in_a_cell")
    assert notice.count == 1
    assert "(line 3, within the row of line 2)" in notice.text


def test_a_key_that_only_looks_like_another_is_no_second_deal(
    run: Import, store: DealStore
) -> None:
    report = run("Deal ID,Deal Name\nA-1,a\nA–1,b\nA-1\u200b,c\nB 1,d\nB\u20091,e\n---,---\n")
    assert {deal.key: deal.name for deal in store.deals()} == {"A-1": "a", "B 1": "d"}
    assert [bad.line for bad in report.bad_rows] == [3, 4, 6, 7]
    assert "'A-1' in another form, which is in another row: line 2" in report.bad_rows[0].reason
    assert "stands for nothing" in report.bad_rows[-1].reason


def test_letters_that_another_program_spoilt_are_noticed(run: Import) -> None:
    report = run("key,name\n1,MÃ¼ller\n2,Müller\n3,M\ufffdller\n")
    (notice,) = [each for each in report.notices if each.code == "misread"]
    assert (notice.count, "'Müller'" in notice.text) == (2, True)


def test_repeated_keys_are_reported_and_the_first_counts(run: Import, store: DealStore) -> None:
    report = run("key,name\nabc,first\nabc,second\nABC,third\nA\u030a,x\n\u00c5,y\n\u212b,z\n")

    assert {deal.key: deal.name for deal in store.deals()} == {"abc": "first", "Å": "x"}
    assert [(bad.line, bad.key) for bad in report.bad_rows] == [
        (3, "abc"),
        (4, "ABC"),
        (6, "Å"),
        (7, "Å"),
    ]
    assert "is in line 2 already" in report.bad_rows[0].reason
    assert "differs only in case or Unicode form from 'abc'" in report.bad_rows[1].reason


def test_a_key_that_differs_only_in_case_from_one_in_the_store_is_reported(
    run: Import, store: DealStore
) -> None:
    store.add(Deal("ABC", "there before"))
    report = run("key,name\nabc,x\nd,y\n")
    assert counts(report) == (1, 0, 0, 1)
    assert "from 'ABC', which is in the store already" in report.bad_rows[0].reason


def test_what_disappeared_is_reported_once_and_kept(run: Import, store: DealStore) -> None:
    store.add(Deal("own", "typed in by hand"))
    run("key,name\n1,a\n2,b\n3,c\n")
    second = run("key,name\n1,a\n3,\n")  # line 3 is bad, but its key is there
    assert (second.disappeared, second.still_missing) == (("2",), 0)

    third = run("key,name\n1,a\n3,c\n")
    assert (third.disappeared, third.still_missing) == ((), 1)
    back = run("key,name\n1,a\n2,b\n3,c\n")
    assert (back.disappeared, back.still_missing) == ((), 0)
    assert run("key,name\n1,a\n3,c\n").disappeared == ("2",)
    assert store.count() == 4


def test_files_of_other_origin_are_not_compared(run: Import) -> None:
    run("key,name\n1,a\n", file="north.csv")
    assert run("key,name\n2,b\n", file="south.csv").disappeared == ()
    assert run("key,name\n2,b\n", file="other.csv", origin="north.csv").disappeared == ("1",)


@pytest.mark.parametrize("text", ["key,name,x\n1,a,b\n2,", 'key,name\n1,a\n2,"b', "key,name\n,b\n"])
def test_nothing_is_concluded_from_a_file_that_is_cut_off_or_lacks_keys(
    run: Import, text: str
) -> None:
    run("key,name\n1,a\n2,b\n3,c\n")
    report = run(text)
    assert not report.complete
    assert report.disappeared == ()


def test_a_dry_run_reports_the_same_and_stores_nothing(run: Import, store: DealStore) -> None:
    dry = run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS, dry_run=True)
    assert store.count() == 0
    wet = run(CRM_HEADER + CRM_ROWS, base=CRM_OPTIONS)
    assert replace(dry, dry_run=False) == wet


def test_unknown_stages_are_counted(run: Import) -> None:
    funnel = Funnel(is_known=lambda stage: folded(stage) == "proposal")
    report = run("key,name,stage\n1,a,Proposal\n2,b,Propsal\n3,c,Propsal\n4,d,\n", funnel)
    assert report.unknown_stages == {"Propsal": 2}


def test_semicolons_decimal_commas_and_swedish_headers_are_understood(
    run: Import, store: DealStore
) -> None:
    run("AffärsID;Namn;Kund;Steg;Belopp;Valuta;Ägare\r\n7;Webb;Åkers;Förslag;1 200,50;sek;Åsa\r\n")
    deal = store.get("7")
    assert (deal.customer, deal.stage, deal.value) == ("Åkers", "Förslag", Decimal("1200.50"))
    assert (deal.currency, deal.owner) == ("SEK", "Åsa")


def test_a_missing_key_column_names_the_headers_and_the_option(run: Import) -> None:
    with pytest.raises(ProblemsError) as caught:
        run("nummer,titel\n1,a\n")
    assert "--column key=HEADER, or make keys by a rule: --key" in str(caught.value)
    assert "(columns: nummer, titel)" in str(caught.value)


def test_all_wrong_options_are_reported_at_once(run: Import) -> None:
    with pytest.raises(ProblemsError) as caught:
        run(
            "id,title\n1,a\n",
            columns={"ownr": "id", "customer": "acount"},
            defaults={"value": "x"},
            currency="dollars",
            name="{custmer}: {name",
            decimal=";",
        )
    text = str(caught.value)
    for part in (
        "did you mean 'owner'",
        "no column 'acount'",
        "--default value=x",
        "--currency",
        "did you mean 'customer'",
        "braces that do not match",
        "--decimal",
    ):
        assert part in text


def test_named_columns_win_over_guessed_ones_and_headers_may_differ_in_case(
    run: Import, store: DealStore
) -> None:
    report = run("ID,Ref,Title,Name\n1,K1,t,n\n", columns={"key": "ref", "name": "TITLE"})
    assert store.get("K1").name == "t"
    assert report.unused_headers == ("ID", "Name")


def test_hostile_text_is_kept_as_text(run: Import, store: DealStore) -> None:
    text = "{customer} %s \x1b[31m <script>alert(1)</script> '; DROP TABLE deals; -- ../../etc"
    run(f'key,name,customer\n1,"{text}",=cmd|x\n', name="{customer}: {service}")
    assert store.get("1").name == text
    assert store.get("1").customer == "=cmd|x"


def test_a_file_of_bytes_in_another_encoding_loses_only_the_rows_that_do_not_fit(
    store: DealStore, tmp_path: Path
) -> None:
    file = tmp_path / "deals.csv"
    file.write_bytes(b"key,name\n1,good\n2,\xc5sa\n3,good\n")
    report = import_deals(store, file, ImportOptions(encoding="utf-8"))
    assert counts(report) == (2, 0, 0, 1)
    assert "not in the file's encoding" in report.bad_rows[0].reason
    assert counts(import_deals(store, file, ImportOptions(encoding="latin-1"))) == (1, 0, 2, 0)
    assert store.get("2").name == "Åsa"


WAYS = ("csv", "sv", "de-CH", "en", "xlsx")
"""For programs, for Excel in a language, and as a workbook."""


def exported(folder: Path, store: DealStore, way: str) -> Path:
    file = folder / "deals"
    if way == "xlsx":
        with file.open("wb") as workbook:
            export_workbook(store.versions(), workbook, OWN)
        return file
    dialect = PLAIN if way == "csv" else excel_dialect(way)
    with file.open("w", encoding="utf-8", newline="") as stream:
        export_deals(store.versions(), stream, OWN, dialect)
    return file


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(deals, max_size=5, unique_by=lambda deal: folded(deal.key)), st.sampled_from(WAYS))
def test_what_is_exported_is_imported_without_loss(
    tmp_path: Path, clock: StandingClock, originals: list[Deal], way: str
) -> None:
    source, copy = (tmp_path / "source.db", tmp_path / "copy.db")
    for file in tmp_path.glob("*.db*"):
        file.unlink()
    first = DealStore.open(f"sqlite:///{source}", clock, create=True)
    second = DealStore.open(f"sqlite:///{copy}", clock, create=True)
    first.upsert(originals)
    file = exported(tmp_path, first, way)

    options = ImportOptions(fields=OWN)
    assert counts(import_deals(second, file, options)) == (len(originals), 0, 0, 0)
    assert list(second.deals()) == list(first.deals())
    assert counts(import_deals(first, file, options)) == (0, 0, len(originals), 0)
    first.close()
    second.close()


# --- a status beside the stage


PIPEDRIVE = (
    "Deal ID,Title,Stage,Status,Expected close date,Won time,Lost time,Value,Currency\n"
    "11,Alpha,Proposal,open,2027-01-10,,,1000,EUR\n"
    "12,Beta,Proposal,won,2026-11-01,2026-11-02 10:11:12,,2000,EUR\n"
    "13,Gamma,Proposal,lost,2026-11-01,,2026-11-03 08:00:00,3000,EUR\n"
)


def test_a_status_decides_and_the_stage_says_how_far_the_deal_came(
    run: Import, store: DealStore
) -> None:
    run(PIPEDRIVE)
    stages = {deal.key: (deal.stage, str(deal.closed_on)) for deal in store.deals()}
    assert stages == {
        "11": ("Proposal", "None"),
        "12": ("Won", "2026-11-02"),
        "13": ("Lost", "2026-11-03"),
    }
    assert [(move.from_stage, move.to_stage) for move in store.history("13")] == [
        ("", "Proposal"),
        ("Proposal", "Lost"),
    ]
    assert (run(PIPEDRIVE).added, run(PIPEDRIVE).changed) == (0, 0)


def test_a_status_that_decides_nothing_is_counted(run: Import, store: DealStore) -> None:
    report = run("id,name,stage,status\n1,a,Proposal,mystery\n")
    assert store.get("1").stage == "Proposal"
    assert any("'mystery'" in notice.text for notice in report.notices)


@pytest.mark.parametrize("header", ["closed_on", "Close Date", "Won Date"])
def test_a_decision_on_a_day_that_is_still_to_come_is_noted(run: Import, header: str) -> None:
    report = run(f"key,name,stage,{header}\nD-1,A,Won,2127-03-04\nD-2,B,Won,2020-03-04\n")
    (notice,) = (each for each in report.notices if each.code == "future")
    assert "1 won or lost deal decided on a day that is still to come (D-1: 2127-03-04)" in (
        notice.text
    )
    assert repr(header) in notice.text


def test_a_column_that_says_what_is_won_is_named_with_the_way_to_use_it(
    run: Import, store: DealStore
) -> None:
    text = "Opportunity ID,Name,Stage,Is Won\n1,A,Negotiation,1\n2,B,Negotiation,0\n"
    (notice,) = (each for each in run(text).notices if each.code == "columns")
    assert "--column 'status=Is Won' --value status:TRUE=won" in notice.text
    values = {("status", "1"): "won", ("status", "0"): "open"}
    report = run(text, columns={"status": "Is Won"}, values=values)
    assert [deal.stage for deal in store.deals()] == ["Won", "Negotiation"]
    assert not [each for each in report.notices if each.code == "columns"]
