"""How a list is read is kept by its origin: the next import of it needs no options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals, prepare_import
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError

TEXT = "Nr;Titel;Belopp;Vem;Fas\nA-1;Portal;1.234,50;Eva;Offert\nA-2;Audit;2.000;Bo;Lead\n"
FIRST: dict[str, Any] = {
    "columns": {"key": "Nr", "name": "Titel", "owner": "Vem"},
    "stages": {"Offert": "Proposal"},
    "values": {("owner", "Bo"): "Bo Ek"},
    "currency": "SEK",
}
Bring = Callable[..., ImportReport]


@pytest.fixture
def bring(store: DealStore, tmp_path: Path) -> Bring:
    def invoke(text: str = TEXT, file: str = "list.csv", **options: Any) -> ImportReport:
        path = tmp_path / file
        path.write_text(text, encoding="utf-8")
        return import_deals(store, path, replace(ImportOptions(by="maya"), **options))

    return invoke


def said(report: ImportReport) -> str:
    return " ".join(each.text for each in report.notices)


def test_the_second_import_needs_no_options(bring: Bring, store: DealStore) -> None:
    bring(**FIRST)
    report = bring(TEXT + "A-3;Move;7;Bo;Offert\n")
    assert (report.added, report.unchanged, report.bad_rows) == (1, 2, ())
    deal = store.get("A-3")
    assert (deal.stage, deal.owner, deal.currency) == ("Proposal", "Bo Ek", "SEK")
    assert "--stage Offert=Proposal --value 'owner:Bo=Bo Ek' --currency SEK" in said(report)


def test_options_win_over_what_was_kept_and_are_kept_in_their_turn(
    bring: Bring, store: DealStore
) -> None:
    bring(**FIRST)
    changed = TEXT.replace("Vem", "Säljare")
    bring(changed, columns={"owner": "Säljare"}, stages={"Offert": "Needs"})
    assert bring(changed).unchanged == 2
    assert (store.get("A-1").stage, store.get("A-1").owner) == ("Needs", "Eva")


def test_another_way_to_the_keys_replaces_the_one_that_was_kept(
    bring: Bring, store: DealStore
) -> None:
    bring(columns={"name": "Titel"}, key="{name}")
    bring(columns={"key": "Nr"})
    assert bring().unchanged == 2
    assert {"Portal", "A-1"} <= {deal.key for deal in store.deals()}


def test_a_column_that_was_left_out_stays_out_until_it_is_named(
    bring: Bring, store: DealStore
) -> None:
    text = "Nr,Titel,Owner\nA-1,Portal,Ana\n"
    named = {"key": "Nr", "name": "Titel"}
    bring(text, columns=named, ignored=["Owner"])
    assert "--ignore Owner" in said(bring(text.replace("Portal", "Door")))
    assert store.get("A-1").owner == "" and store.get("A-1").name == "Door"
    bring(text.replace("Portal", "Gate"), columns={"owner": "Owner"})
    bring(text.replace("Portal", "Yard").replace("Ana", "Bo"))
    assert store.get("A-1").owner == "Bo"
    bring(text.replace("Portal", "Hall").replace("Ana", "Cid"), ignored=["Owner"])
    assert store.get("A-1").owner == "Bo" and store.get("A-1").name == "Hall"


def test_each_origin_has_its_own(bring: Bring) -> None:
    bring(**FIRST)
    with pytest.raises(ProblemsError, match="no column for the deal's key"):
        bring(file="other.csv")
    assert bring(file="other.csv", origin="list.csv").unchanged == 2


def test_what_was_kept_can_be_forgotten(bring: Bring) -> None:
    bring(**FIRST)
    with pytest.raises(ProblemsError, match="no column for the deal's key"):
        bring(forget=True)
    bring(columns={"key": "Nr", "name": "Titel"}, forget=True)
    assert "Offert=Proposal" not in said(bring())


def test_a_dry_run_and_an_import_of_nothing_keep_nothing(bring: Bring) -> None:
    bring(**FIRST, dry_run=True)
    bring("Nr;Titel\n;x\n", columns={"key": "Nr", "name": "Titel"})
    with pytest.raises(ProblemsError, match="no column for the deal's key"):
        bring()


def test_what_no_longer_fits_the_file_is_refused_with_the_way_out(bring: Bring) -> None:
    bring(**FIRST)
    with pytest.raises(ProblemsError) as caught:
        bring(TEXT.replace("Vem", "Säljare"))
    message = str(caught.value)
    assert "no column 'Vem'" in message
    assert "read as an earlier import of 'list.csv' was told: --column key=Nr" in message
    assert "--forget-columns" in message


def test_what_was_understood_is_known_before_anything_is_stored(
    store: DealStore, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(TEXT + "A-3;Move;x;Bo;Lead\n", encoding="utf-8")
    options = replace(ImportOptions(), **FIRST)
    understood = prepare_import(store, file, options).understanding()
    by_field = {each.field: each for each in understood.columns}
    assert by_field["value"].samples == ("1234.50", "2000")
    assert "decimal separator is the comma" in by_field["value"].decided
    assert (by_field["currency"].header, by_field["currency"].samples) == ("", ("SEK", "SEK"))
    assert {each.name: each.rows for each in understood.stages} == {"Proposal": 1, "Lead": 1}
    assert (understood.rows, understood.bad_rows, understood.is_first) == (3, 1, True)
    assert list(store.deals()) == []
