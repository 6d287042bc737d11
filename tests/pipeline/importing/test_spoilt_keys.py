"""Keys that a spreadsheet or a word processor spoilt in our own export make no second deals."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.store import DealStore

HEADERS = ["key,name,stage", "Deal ID,Deal Name,Deal Stage"]


def imported(store: DealStore, folder: Path, header: str, *rows: str) -> ImportReport:
    file = folder / "deals.csv"
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return import_deals(store, file, ImportOptions())


def keys(store: DealStore) -> list[str]:
    return [deal.key for deal in store.deals()]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("key", "spoilt"),
    [
        ("1001", "1001.0"),
        ("1001", '"1001,0"'),
        ("1234", '"1,234"'),
        ("00123", '="00123"'),
        ("1234", "'1234"),
        ("D-1", "D‑1"),
        ("D-1", "D–1"),
        ("D-1", "\u200bD-1"),
        ("A 1", "A\u00a01"),
        ("0061x00000AbCdE", "0061x00000AbCdEAAU"),
    ],
)
def test_a_spoilt_key_means_the_deal_of_the_store(
    store: DealStore, tmp_path: Path, header: str, key: str, spoilt: str
) -> None:
    imported(store, tmp_path, header, f"{key},A,Lead")
    report = imported(store, tmp_path, header, f"{spoilt},A,Proposal")
    assert (keys(store), report.bad_rows) == ([key], ())
    assert store.get(key).stage == "Proposal"


@pytest.mark.parametrize("header", HEADERS)
def test_two_rows_of_one_deal_are_never_two_deals(
    store: DealStore, tmp_path: Path, header: str
) -> None:
    imported(store, tmp_path, header, "D-1,A,Lead")
    report = imported(store, tmp_path, header, "D-1,A,Lead", "D–1,A,Lead")
    assert keys(store) == ["D-1"]
    (bad,) = report.bad_rows
    assert "'D-1' in another form, which is in another row" in bad.reason


def test_a_key_written_as_text_keeps_its_zeros_in_a_first_import(
    store: DealStore, tmp_path: Path
) -> None:
    imported(store, tmp_path, HEADERS[0], '="00123",A,Lead')
    assert keys(store) == ["00123"]


def test_a_key_that_is_such_a_text_is_exported_and_read_as_it_is(
    store: DealStore, tmp_path: Path
) -> None:
    imported(store, tmp_path, HEADERS[0], '\'="00123",A,Lead')
    assert keys(store) == ['="00123"']
    file = tmp_path / "export.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        export_deals(store.versions(), stream)
    assert import_deals(store, file, ImportOptions()).unchanged == 1
