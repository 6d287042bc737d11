"""Every source reads fields of the user's own, each kind, as text or with the type it has there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from sync.clock import SystemClock
from taiga_pipeline.pipeline.model import Deal
from taiga_pipeline.pipeline.store import DealStore
from taiga_pipeline.sources.port import DealReading
from taiga_pipeline.sources.registry import create
from tests.pipeline.fields.support import TABLE

HELD: Final = {
    "region": "North",
    "score": "1234.5",
    "signed_on": "2026-12-31",
    "segment": "Industry",
    "margin": "-500 EUR",
    "cost": "1200",
    "strategic": "yes",
}
CLOCK: Final = SystemClock()


def read(kind: str, **settings: object) -> DealReading:
    reading = create(kind, {"fields": TABLE, "environment": {}, **settings}, CLOCK).read()
    reading.deals = list(reading.deals)
    return reading


def own(reading: DealReading) -> Mapping[str, Mapping[str, str]]:
    return {deal.key: deal.own for deal in reading.deals}


def test_the_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pipeline.db'}"
    with closing(DealStore.open(url, CLOCK.now, create=True)) as store:
        store.upsert([Deal("D-1", "Portal", own=HELD), Deal("D-2", "Audit")])
    assert own(read("store", url=url)) == {"D-1": HELD, "D-2": {}}


def test_a_csv_file(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(
        "Nr;name;Gebiet;score;Signed;segment;margin;cost;Strategic account\n"
        "D-1;Portal;North;1.234,50;31.12.2026;INDUSTRY;-500 €;1200;ja\n"
        "D-2;Audit;;;;;;;\n"
        "D-3;Shop;;;;Retail;;;\n",
        encoding="utf-8",
    )
    reading = read(
        "csv",
        file="deals.csv",
        folder=str(tmp_path),
        columns={"key": "Nr", "region": "Gebiet"},
        defaults={"score": "7"},
    )
    assert own(reading) == {"D-1": HELD, "D-2": {"score": "7"}}
    (bad,) = reading.quarantined
    assert bad.key == "D-3" and "choices: Public sector, Industry" in bad.reason


def test_a_query_whose_columns_have_types(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE deal "
            "(key, name, region, score REAL, signed_on DATE, seg, margin, cost, vip)"
        )
        database.execute(
            "INSERT INTO deal VALUES ('D-1','Portal','North',1234.5,'2026-12-31','Industry',-500,"
            "1200,1), ('D-2','Audit',NULL,NULL,NULL,NULL,NULL,NULL,NULL), "
            "('D-3','Shop',NULL,'many',NULL,NULL,NULL,NULL,NULL)"
        )
    reading = read(
        "sql",
        url=f"sqlite:///{path}",
        query="SELECT key, name, region, score, signed_on, seg, margin, cost, vip FROM deal",
        columns={"segment": "seg", "strategic": "vip"},
    )
    assert own(reading) == {"D-1": HELD, "D-2": {}}
    (bad,) = reading.quarantined
    assert (bad.key, "'many' is not a number" in bad.reason) == ("D-3", True)
