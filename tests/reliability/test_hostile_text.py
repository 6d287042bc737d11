"""Hostile text through every way out: surfaces x corpus, each cell by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.hostile_corpus import STORABLE
from tests.reliability.hostile_surfaces import CELLS, TABLE, Surfaces
from tests.reliability.hostile_world import hostile_world


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    """Everything that came out of the hostile pipeline, which was synced twice."""
    with hostile_world(tmp_path_factory.mktemp("hostile")) as world:
        yield Surfaces(world)


def test_the_run_took_everything_in(out: Surfaces, capsys: pytest.CaptureFixture[str]) -> None:
    assert out.run.exit_code == 0, out.run.stderr
    assert len(out.projects) == 2 * len(STORABLE)
    with capsys.disabled():
        print(f"\nhostile text: {len(TABLE)} surfaces x {len(STORABLE)} texts = {len(CELLS)} cells")


def test_the_docs_name_every_surface() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")
    section = page.partition("## Hostile text")[2].partition("\n## ")[0]
    assert [surface for surface in TABLE if surface not in section] == []
    assert f"{len(TABLE)} surfaces x {len(STORABLE)} texts = {len(CELLS):,} cells" in section


@pytest.mark.parametrize(("surface", "entry"), CELLS)
def test_cell(out: Surfaces, surface: str, entry: str) -> None:
    TABLE[surface](out, entry, STORABLE[entry])
