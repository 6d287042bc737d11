"""Two at once: two runs on one machine, and a run and a person in the same project."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .interleaving import EDITS, Interleaving


@pytest.fixture(scope="module")
def interleaving() -> Iterator[Interleaving]:
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(dir=place, prefix="races-") as folder:
        world = Interleaving(Path(folder))
        yield world
        world.close()


def test_an_edit_at_any_request_of_an_update_survives_and_is_settled_by_the_next_run(
    interleaving: Interleaving, capsys: pytest.CaptureFixture[str]
):
    began = time.monotonic()
    requests = interleaving.count_requests()
    wrong, merged, reported = [], 0, 0
    for name, edit in EDITS.items():
        for at in range(1, requests + 1):
            raced = interleaving.race(at, edit)
            place = f"somebody {name} before request {at} of {requests}"
            wrong += [f"{place}: {each}" for each in raced.violations]
            if raced.after.applied and raced.edited_before_last_write and not raced.reported:
                wrong.append(f"{place}: the next run had to write, and this one did not say so")
            reported += bool(raced.during.meanwhile)
            merged += not raced.after.applied
    assert not wrong, "\n".join(wrong)
    with capsys.disabled():
        print(
            f"\n  {len(EDITS)} edits x {requests} requests: {len(EDITS) * requests} interleavings, "
            f"{merged} merged at once, {reported} reported as edited meanwhile, "
            f"{time.monotonic() - began:.0f} s"
        )
