"""The tables of the state store are described once; older stores come to the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from sync.state.schema import NAME, STEPS, metadata
from tests.schemas import of_a_new_one, of_a_sample, of_an_old_one

SAMPLES: Final = Path(__file__).parents[2] / "reliability" / "state_samples"


@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_steps_lead_to_the_tables_of_a_new_store_from_every_version(
    database_url: str, version: int
) -> None:
    new = of_a_new_one(database_url, NAME, STEPS, metadata)
    assert of_an_old_one(database_url, NAME, STEPS, version) == new


@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_a_sample_of_every_version_comes_to_the_tables_of_a_new_store(
    tmp_path: Path, version: int
) -> None:
    new = of_a_new_one(f"sqlite:///{tmp_path / 'new.db'}", NAME, STEPS, metadata)
    sample = SAMPLES / f"version_{version}.sql"
    assert of_a_sample(sample, tmp_path, NAME, STEPS) == new
