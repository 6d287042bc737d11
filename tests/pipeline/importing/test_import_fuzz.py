"""Damaged files end with a report or a message, and what is stored is exported and read again.

RELIABILITY_PROFILE=long tries 5,000 files; the number of one that fails makes it again.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from random import Random
from typing import Final

import pytest

from sync.errors import Unreachable
from taiga_pipeline.pipeline.errors import RequestError
from taiga_pipeline.pipeline.files.csv_export import export_deals
from taiga_pipeline.pipeline.importing.csv_import import import_deals
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.problems import ProblemsError
from tests.pipeline.conftest import StandingClock
from tests.pipeline.dialects.damage import damage
from tests.pipeline.dialects.writing import dialects, make, write

CASES: Final = 5_000 if os.environ.get("RELIABILITY_PROFILE") == "long" else 200
TOGETHER: Final = 50
MESSAGES: Final = (ProblemsError, Unreachable, RequestError)
HEADER: Final = "key,name,customer,stage,value,currency,probability,expected_close,roles\n"
OURS: Final = HEADER + "".join(
    f'D-{n},"Deal, {n}",Acme,Proposal,{n * 100}.50,EUR,0.{n},2026-12-0{n},Back:30h x{n}w\n'
    for n in range(1, 7)
)


def file_of(number: int) -> bytes:
    """Returns the damaged file of a number."""
    random = Random(number)
    kinds = dialects()
    dialect = kinds[number % len(kinds)]
    whole = write(dialect, make(dialect, 6, random)) if number % 4 else OURS.encode()
    return damage(whole, random)


def opened(folder: Path, name: str) -> DealStore:
    return DealStore.open(f"sqlite:///{folder / name}", StandingClock(), create=True)


def exported(store: DealStore) -> str:
    stream = io.StringIO(newline="")
    export_deals(store.versions(), stream)
    return stream.getvalue()


@pytest.mark.parametrize("first", range(0, CASES, TOGETHER))
def test_a_damaged_file_costs_rows_and_never_more(first: int, tmp_path: Path) -> None:
    file, again = tmp_path / "deals.csv", tmp_path / "again.csv"
    store, copy = opened(tmp_path, "p.db"), opened(tmp_path, "q.db")
    options = ImportOptions(origin="fuzz")
    for number in range(first, first + TOGETHER):
        file.write_bytes(file_of(number))
        try:
            report = import_deals(store, file, options)
        except MESSAGES as error:
            assert str(error), number
        except Exception as error:
            raise AssertionError(f"file {number}: {error!r}") from error
        else:
            assert all(bad.reason and len(bad.reason) < 4_000 for bad in report.bad_rows), number
    again.write_text(exported(store), encoding="utf-8", newline="")
    unchanged = import_deals(store, again, ImportOptions())
    assert (unchanged.added, unchanged.changed, unchanged.bad_rows) == (0, 0, ()), first
    moved = import_deals(copy, again, ImportOptions())
    assert not moved.bad_rows, first
    assert list(copy.deals()) == list(store.deals()), first
    store.close()
    copy.close()
