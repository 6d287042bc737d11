"""What every source does when it reads."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from sync.errors import SyncError, Unauthorised
from taiga_pipeline.cli.errors import exit_code
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.port import Examined
from tests.contract.sources.place import Can, Place, Row, needs

HOSTILE = (
    "=HYPERLINK(1)",
    "'=1+1",
    "<b>bold</b> {customer} %s $HOME",
    "שלום\u200f Ünïcødé 🚀",
    "a; b | c, d\\",
)


def test_every_deal_comes_once_with_all_that_was_typed_in(place: Place) -> None:
    rows = [
        Row(place.key("D-1")),
        Row(place.key("D-2"), name="Zweites", value="0.00", probability="1.0"),
        Row(place.key("D-3"), name="Åtgärd", value="999999999.99", probability="0.0"),
    ]
    place.put(*rows)
    deals, reading = place.read()
    assert deals == {row.key: row.as_deal() for row in rows}
    assert reading.complete
    assert not [bad for bad in reading.quarantined if bad.key.startswith(place.prefix)]


def test_a_place_without_deals_is_read_completely(place: Place) -> None:
    deals, reading = place.read()
    assert (deals, reading.complete) == ({}, True)


def test_text_is_text_whatever_it_looks_like(place: Place) -> None:
    rows = [Row(place.key(f"H-{n}"), name=name) for n, name in enumerate(HOSTILE)]
    place.put(*rows)
    deals, _ = place.read()
    expected = {"'=1+1": "=1+1"} if type(place).__name__ == "CsvPlace" else {}
    assert [deal.name for deal in deals.values()] == [expected.get(n, n) for n in HOSTILE]


def test_what_was_changed_and_added_is_seen_at_the_next_reading(place: Place) -> None:
    place.put(Row(place.key("D-1")))
    place.read()
    place.rename(place.key("D-1"), "Newer portal")
    place.put(Row(place.key("D-2")))
    deals, _ = place.read()
    assert [deal.name for deal in deals.values()] == ["Newer portal", "New portal"]


@needs(Can.REMOVE)
def test_what_was_removed_is_gone_from_a_complete_reading(place: Place) -> None:
    place.put(Row(place.key("D-1")), Row(place.key("D-2")))
    place.remove(place.key("D-1"))
    deals, reading = place.read()
    assert (list(deals), reading.complete) == ([place.key("D-2")], True)


@needs(Can.SPOIL)
def test_a_row_that_is_no_deal_is_put_aside_with_its_key_and_place(place: Place) -> None:
    place.put(Row(place.key("D-1")))
    place.spoil(place.key("D-2"))
    place.put(Row(place.key("D-3")))
    deals, reading = place.read()
    assert list(deals) == [place.key("D-1"), place.key("D-3")]
    (bad,) = [bad for bad in reading.quarantined if bad.key.startswith(place.prefix)]
    assert bad.key == place.key("D-2")
    assert "1001 characters" in bad.reason
    assert any(character.isdigit() for character in bad.place)
    assert reading.complete, "its key is known, so that nothing else is in doubt"


@needs(Can.FORGET_KEYS)
def test_a_row_without_a_key_leaves_it_open_what_is_gone(place: Place) -> None:
    place.put(Row(place.key("D-1")))
    place.forget_key()
    deals, reading = place.read()
    assert list(deals) == [place.key("D-1")]
    assert [bad.key for bad in reading.quarantined] == [""]
    assert not reading.complete


@needs(Can.DOUBLE)
@pytest.mark.parametrize(
    ("first", "second"),
    [("D-1", "D-1"), ("d-1", "D-1"), ("Å-1", "A\u030a-1"), ("straße", "STRASSE")],
)
def test_of_rows_with_the_same_key_the_first_counts(place: Place, first: str, second: str) -> None:
    place.put(Row(place.key(first), name="first"))
    place.put(Row(place.key(second), name="second"))
    deals, reading = place.read()
    assert [deal.name for deal in deals.values()] == ["first"]
    (bad,) = [bad for bad in reading.quarantined if bad.key.startswith(place.prefix)]
    assert "which counts" in bad.reason
    assert reading.complete


@needs(Can.BREAK_OFF)
def test_a_reading_that_ends_in_the_middle_proves_nothing(place: Place) -> None:
    place.put(*(Row(place.key(f"D-{n}")) for n in range(20)))
    place.break_off()
    try:
        _, reading = place.read()
    except (SyncError, ProblemsError):
        return
    assert not reading.complete


@needs(Can.GO_AWAY)
def test_that_nobody_is_there_is_said_with_its_exit_code(place: Place) -> None:
    with pytest.raises(SyncError) as caught:
        place.read(place.go_away())
    assert exit_code(caught.value) is ExitCode.UNREACHABLE
    assert "gone" in str(caught.value) or "127.0.0.1" in str(caught.value)


@needs(Can.LOCK_OUT)
def test_an_account_that_is_turned_away_gets_the_way_out_and_no_secret(place: Place) -> None:
    with pytest.raises(Unauthorised) as caught:
        place.read(place.lock_out())
    assert exit_code(caught.value) is ExitCode.UNREACHABLE
    assert "wrong-secret" not in str(caught.value)
    assert "key" in str(caught.value) or "password" in str(caught.value)


def test_reading_and_examining_write_nothing(place: Place) -> None:
    place.put(Row(place.key("D-1")))
    before = place.image()
    source = place.source()
    place.read(source)
    if isinstance(source, Examined):
        assert source.examine()
    assert place.image() == before


@pytest.mark.whole_only
def test_a_lot_of_deals_come_one_by_one(place: Place) -> None:
    row = Row("")
    place.put(*(replace(row, key=place.key(f"{n:06}")) for n in range(place.many)))
    reading = place.source().read()
    tracemalloc.start()
    count = sum(deal.key.startswith(place.prefix) for deal in reading.deals)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == place.many
    assert reading.complete
    assert peak < 4_000_000  # 5,000 deals that are held take twice as much
