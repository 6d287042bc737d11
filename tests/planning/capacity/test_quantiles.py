"""Several quantiles at once are those that numpy finds one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="the extra 'planning' is not installed")

import numpy as np

from taiga_pipeline.planning.capacity.quantiles import at_places, place_of

hours = st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=60)
shares = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=5)


@given(hours, shares)
def test_they_are_the_same_as_one_by_one(values: list[float], asked: list[float]) -> None:
    drawn = np.array(values)
    found = at_places(drawn, [place_of(len(values), share) for share in asked])
    assert found == np.quantile(drawn, asked, method="inverted_cdf").tolist()
