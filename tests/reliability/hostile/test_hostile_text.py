"""Hostile text through every way out: surfaces x corpus, each cell looked at by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.figures import Figure
from tests.reliability.hostile.corpus import ALL_STORABLE, STORABLE
from tests.reliability.hostile.table import CELLS, PARTS, TABLE

pytestmark = pytest.mark.sampled(16)

World = Callable[[str], Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Returns what came out of a part's world, which is made when it is first looked at."""
    made: dict[str, Any] = {}
    with ExitStack() as stack:

        def find(part: str) -> Any:
            if part not in made:
                folder = tmp_path_factory.mktemp(part)
                made[part] = stack.enter_context(PARTS[part].world(folder))
            return made[part]

        yield find


@pytest.mark.sampled_inside
def test_the_run_took_everything_in(world: World, figure: Figure) -> None:
    out = world("synced")
    assert out.run.exit_code == 0, out.run.stderr
    assert len(out.projects) == 2 * len(STORABLE)
    figure(f"{len(TABLE)} surfaces x {len(ALL_STORABLE)} texts = {len(CELLS):,} cells")


def test_no_two_parts_have_a_surface_of_the_same_name() -> None:
    assert len(TABLE) == sum(len(part.surfaces) for part in PARTS.values())


def test_the_docs_name_every_surface() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text(encoding="utf-8")
    section = page.partition("## Hostile text")[2].partition("\n## ")[0]
    assert [surface for surface in TABLE if surface not in section] == []
    assert f"{len(TABLE)} surfaces x {len(ALL_STORABLE)} texts = {len(CELLS):,} cells" in section


@pytest.mark.sampled_inside
@pytest.mark.parametrize("surface", TABLE)
def test_every_cell_of_a_surface(world: World, surface: str) -> None:
    part, look = TABLE[surface]
    out, wrong = world(part), []
    for entry, text in STORABLE.items():  # a test for each cell would take twice the time
        try:
            look(out, entry, text)
        except (AssertionError, KeyError, ValueError, StopIteration) as error:
            error.add_note(f"in the cell {surface} x {entry}")
            wrong.append(error)
    if wrong:
        raise ExceptionGroup(f"{surface}: {len(wrong)} of {len(STORABLE)} cells", wrong)
