"""Tryton's fields, by their names, fill fields of the user's own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from taiga_pipeline.problems import ProblemsError
from tests.pipeline.fields.support import TABLE
from tests.sources.test_own_fields import HELD
from tests.sources.tryton.conftest import Make
from tests.sources.tryton.fake import FakeTryton


def test_tryton_by_the_names_of_its_fields(tryton: FakeTryton, make: Make) -> None:
    tryton.opportunity(
        description="Portal",
        x_region="North",
        x_score=Decimal("1234.50"),
        x_signed=date(2026, 12, 31),
        x_segment="industry",
        x_margin=Decimal(-500),
        x_cost=Decimal(1200),
        x_vip=True,
    )
    names = dict(
        zip(HELD, ("region", "score", "signed", "segment", "margin", "cost", "vip"), strict=True)
    )
    columns = {ours: f"x_{theirs}" for ours, theirs in names.items()}
    reading = make(columns=columns, fields=TABLE).read()
    (deal,) = reading.deals
    assert deal.own == HELD
    with pytest.raises(ProblemsError, match="did you mean 'region'"):
        make(columns={"regoin": "x_region"}, fields=TABLE)


def test_a_moment_is_the_day_that_it_is_in_the_pipelines_zone(
    tryton: FakeTryton, make: Make
) -> None:
    tryton.opportunity(x_signed_at=datetime(2026, 12, 31, 12, tzinfo=UTC), x_vip=False)
    columns = {"signed_on": "x_signed_at", "strategic": "x_vip"}
    (deal,) = make(columns=columns, fields=TABLE).read().deals
    assert deal.own == {"signed_on": "2026-12-31", "strategic": "no"}
