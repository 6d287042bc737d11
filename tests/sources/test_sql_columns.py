"""Columns of a query are read as those of a file: by all of their cells, and `check` says how."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sync.clock import SystemClock
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.registry import create
from taiga_pipeline.sources.sql import source as sql_source
from taiga_pipeline.sources.sql.source import SqlSource
from tests.sources.test_sql import execute

COLUMNS = {"key": "id", "name": "title", "probability": "chance", "expected_close": "due"}


def make(folder: Path, rows: list[tuple[object, object]], **settings: object) -> SqlSource:
    path = folder / "crm.db"
    path.unlink(missing_ok=True)
    execute(path, "CREATE TABLE opp (id INTEGER, title TEXT, chance, due)")
    values = ",".join(f"({n}, 'Deal {n}', {c!r}, {d!r})" for n, (c, d) in enumerate(rows))
    execute(path, f"INSERT INTO opp VALUES {values}".replace("None", "NULL"))
    query = "SELECT id, title, chance, due FROM opp ORDER BY id"
    made = create(
        "sql",
        {"url": f"sqlite:///{path}", "query": query, "columns": COLUMNS, **settings},
        SystemClock(),
    )
    assert isinstance(made, SqlSource)
    return made


def chances(source: SqlSource) -> list[Decimal | None]:
    return [deal.probability for deal in source.read().deals]


def left_out(source: SqlSource) -> list[str]:
    reading = source.read()
    list(reading.deals)
    return [row.reason for row in reading.quarantined]


@pytest.mark.parametrize("kept", [20_000, 2])
@pytest.mark.parametrize(
    ("written", "read", "said"),
    [
        ([0.74, 40, 100], ["0.0074", "0.4", "1"], "chance: per cent: 40 is above 1"),
        (["0,74", "40"], ["0.0074", "0.4"], "chance: per cent: 40 is above 1"),
        ([0.74, 0.5, 1], ["0.74", "0.5", "1"], "0.74 is 74 %"),
        ([0, 50], ["0", "0.5"], ""),
        ([None, 0.5], [None, "0.5"], "fractions of one"),
        (["74,5 %", ".745", "0,745"], ["0.745", None, None], ""),
    ],
)
def test_the_column_decides_what_a_chance_is_counted_in(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: list[Any],
    read: list[str | None],
    said: str,
    kept: int,
) -> None:
    monkeypatch.setattr(sql_source, "_KEPT_ROWS", kept)
    source = make(tmp_path, [(chance, None) for chance in written])
    if None in read and None not in written:
        assert all("probability_scale" in reason for reason in left_out(source))
    else:
        assert chances(source) == [None if c is None else Decimal(c) for c in read]
    assert said in "\n".join(source.examine())


def test_nothing_but_ones_is_not_guessed(tmp_path: Path) -> None:
    (reason,) = left_out(make(tmp_path, [(1, None)]))
    assert 'probability_scale = "percent"' in reason
    for scale, chance in (("percent", "0.01"), ("fraction", "1")):
        assert chances(make(tmp_path, [(1, None)], probability_scale=scale)) == [Decimal(chance)]


def test_dates_that_are_text_are_decided_by_their_column(tmp_path: Path) -> None:
    source = make(tmp_path, [(0.5, "03/04/2027"), (0.5, "03/31/2027")])
    assert [str(deal.expected_close) for deal in source.read().deals] == [
        "2027-03-04",
        "2027-03-31",
    ]
    assert any(said.startswith("due: ") for said in source.examine())
    source = make(tmp_path, [(0.5, "03/04/2027")])
    assert "date_format" in left_out(source)[0]


def test_a_query_that_finds_more_rows_than_are_taken_is_refused(tmp_path: Path) -> None:
    rows = [(0.5, None)] * 3
    assert len(chances(make(tmp_path, rows, most_rows=3))) == 3
    with pytest.raises(ProblemsError, match=r"more than 2 rows; .*raise most_rows"):
        chances(make(tmp_path, rows, most_rows=2))
    with pytest.raises(ProblemsError, match="most_rows must be a number from 1"):
        make(tmp_path, rows, most_rows=0)
