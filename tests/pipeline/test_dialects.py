"""Made-up deals in the dialects of many places are read back: equal, or refused by name."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Final

import pytest

from taiga_pipeline.pipeline.importing.csv_import import ImportReport, import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from tests.pipeline.conftest import StandingClock
from tests.pipeline.dialects.writing import Dialect, Made, dialects, make, write

DIALECTS: Final = dialects()
DEALS: Final = 25


def bring(
    dialect: Dialect, deals: list[Made], folder: Path
) -> tuple[ImportReport, dict[str, Deal]]:
    file = folder / "deals.csv"
    file.write_bytes(write(dialect, deals))
    store = DealStore.open(f"sqlite:///{folder / 'p.db'}", StandingClock(), create=True)
    try:
        report = import_deals(store, file, ImportOptions())
        return report, {deal.key: deal for deal in store.deals()}
    finally:
        store.close()


def differences(made: Made, deal: Deal) -> dict[str, tuple[object, object]]:
    """Returns the fields in which a deal is not the one that was written: written, read."""
    is_closed = made.stage in ("Won", "Lost")
    expected = {
        "name": made.name,
        "customer": made.customer,
        "stage": made.stage,
        "value": made.value,
        "currency": made.currency,
        "probability": made.probability,
        "closed_on": made.close if is_closed else None,
        "expected_close": None if is_closed else made.close,
        "owner": made.owner,
        "notes": made.notes,
    }
    read = {name: getattr(deal, name) for name in expected}
    read["notes"] = "\n".join(note.text for note in deal.notes)
    if made.value is None:
        read["currency"] = ""
    return {name: (expected[name], read[name]) for name in expected if expected[name] != read[name]}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_deals_in_a_dialect_are_read_back(dialect: Dialect, seed: int, tmp_path: Path) -> None:
    random = Random(f"{dialect} {seed}")
    deals = make(dialect, DEALS, random)
    report, read = bring(dialect, deals, tmp_path)
    assert report.rows == DEALS
    refused = {bad.key: bad.reason for bad in report.bad_rows}
    for made in deals:
        if made.key in refused:
            assert any(header in refused[made.key] for header in report.columns.values()), refused
        else:
            assert not differences(made, read[made.key]), made
    assert len(refused) <= 1, refused


def test_there_are_many_dialects() -> None:
    assert len(DIALECTS) >= 60
    assert len({str(dialect) for dialect in DIALECTS}) == len(DIALECTS)


def test_what_may_be_either_is_refused_by_its_column(tmp_path: Path) -> None:
    dialect = next(each for each in DIALECTS if str(each) == "US English, LibreOffice")
    (deal,) = make(dialect, 1, Random(1))
    both = Made(**{**vars(deal), "close": deal.close.replace(month=4, day=5)})
    report, read = bring(dialect, [both], tmp_path)
    assert not read
    assert report.bad_rows[0].reason.startswith("Close Date: '4/5/")
