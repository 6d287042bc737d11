"""Reading only what changed: what is asked for, what is kept, and what may be concluded."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sync.errors import Unreachable
from taiga_pipeline.sources.tryton.source import TrytonSource
from tests.sources.tryton.conftest import Make, read
from tests.sources.tryton.fake import KEY, FakeTryton, Refused
from tests.targets.support import ManualClock


@pytest.fixture
def kept(make: Make, tryton: FakeTryton) -> Make:
    """Makes sources with a cache; each is read and kept like in a run."""

    def run(**changes: object) -> TrytonSource:
        return make(**{"cache": "cache.db", "overlap_minutes": 0, **changes})

    return run


def run(source: TrytonSource) -> dict[str, str]:
    """Reads and keeps, as a run does; returns the names by key."""
    names = {key: deal.name for key, deal in read(source).items()}
    source.keep()
    return names


def asked_for(source: TrytonSource) -> int:
    """Returns how many records the last reading brought."""
    assert source._spool is not None
    return source._spool.count


def test_only_what_was_changed_or_added_is_asked_for(tryton: FakeTryton, kept: Make) -> None:
    numbers = [tryton.opportunity(description="old") for _ in range(5)]
    run(kept())
    tryton.change(numbers[1], description="new")
    added = tryton.opportunity(description="added")
    source = kept()
    names = run(source)
    assert asked_for(source) == 2 + 1, "and the newest that was known before"
    assert names == {
        **{str(number): "old" for number in numbers},
        str(numbers[1]): "new",
        str(added): "added",
    }


def test_deals_come_in_the_order_of_a_complete_reading(tryton: FakeTryton, kept: Make) -> None:
    numbers = [tryton.opportunity() for _ in range(5)]
    run(kept())
    tryton.change(numbers[3])
    tryton.change(numbers[0])
    assert list(run(kept())) == [str(number) for number in numbers]


def test_a_record_follows_what_it_leads_to(tryton: FakeTryton, kept: Make) -> None:
    number = tryton.opportunity()
    tryton.opportunity(party=tryton.add("party.party", name="Other"))
    run(kept())
    tryton.change_other("party.party", tryton.party, name="Kunde AG")
    source = kept()
    deals = read(source)
    assert deals[str(number)].customer == "Kunde AG"
    source.keep()
    later = kept()
    read(later)
    assert asked_for(later) == 1


def test_a_change_that_was_long_in_coming_is_found_within_the_overlap(
    tryton: FakeTryton, kept: Make
) -> None:
    number, other = tryton.opportunity(description="old"), tryton.opportunity()
    run(kept())
    tryton.change(other)
    run(kept())
    late = tryton.rows[other]["write_date"].replace(second=0)
    tryton.rows[number].update(description="late", write_date=late)
    assert run(kept())[str(number)] == "old"
    assert run(kept(overlap_minutes=10))[str(number)] == "late"


def test_what_is_gone_is_known_only_after_a_complete_reading(
    tryton: FakeTryton, kept: Make, clock: ManualClock
) -> None:
    gone, stays = tryton.opportunity(), tryton.opportunity()
    run(kept())
    del tryton.rows[gone]
    assert list(run(kept())) == [str(gone), str(stays)]
    clock.sleep(24 * 3600)
    assert list(run(kept())) == [str(stays)]
    assert list(run(kept())) == [str(stays)]


def test_a_full_run_reads_everything(tryton: FakeTryton, kept: Make) -> None:
    gone, stays = tryton.opportunity(), tryton.opportunity()
    run(kept())
    del tryton.rows[gone]
    source = kept()
    source.read_anew()
    assert list(run(source)) == [str(stays)]
    assert list(run(kept())) == [str(stays)]


def test_a_reading_that_is_not_kept_leaves_no_trace(
    tryton: FakeTryton, kept: Make, tmp_path: Path
) -> None:
    tryton.opportunity()
    read(kept())
    assert list(tmp_path.iterdir()) == []
    run(kept())
    before = (tmp_path / "cache.db").read_bytes()
    tryton.opportunity()
    assert len(read(kept())) == 2
    assert (tmp_path / "cache.db").read_bytes() == before


def test_the_cache_is_its_owners_and_holds_no_key(
    tryton: FakeTryton, kept: Make, tmp_path: Path
) -> None:
    tryton.opportunity()
    run(kept())
    cache = tmp_path / "cache.db"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert KEY.encode() not in cache.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough" * 50])
def test_a_cache_that_is_of_no_use_is_made_anew(
    tryton: FakeTryton, kept: Make, tmp_path: Path, content: bytes
) -> None:
    number = tryton.opportunity()
    (tmp_path / "cache.db").write_bytes(content)
    assert list(run(kept())) == [str(number)]
    source = kept()
    assert list(run(source)) == [str(number)]
    assert source._spool is not None
    assert source._spool.kept is not None


def test_a_cache_of_another_question_is_not_used(tryton: FakeTryton, kept: Make) -> None:
    tryton.opportunity(reference="R-1")
    tryton.opportunity(reference="R-2")
    run(kept())
    for changes in ({"columns": {"key": "reference"}}, {"only": {"reference": "R-1"}}):
        source = kept(**changes)
        run(source)
        assert source._spool is not None
        assert source._spool.kept is None


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tryton: FakeTryton, kept: Make, tmp_path: Path
) -> None:
    number = tryton.opportunity()
    (tmp_path / "cache.db").mkdir()
    assert list(run(kept())) == [str(number)]


def test_a_clock_that_was_set_back_has_everything_read(
    tryton: FakeTryton, kept: Make, clock: ManualClock
) -> None:
    tryton.opportunity()
    clock.sleep(7 * 24 * 3600)
    run(kept())
    clock.sleep(-7 * 24 * 3600)
    source = kept()
    run(source)
    assert source._spool is not None
    assert source._spool.kept is None


def test_two_that_read_at_the_same_time_lose_nothing(
    tryton: FakeTryton, kept: Make, tmp_path: Path
) -> None:
    number = tryton.opportunity(description="old")
    run(kept())
    slow = kept()
    read(slow)
    tryton.change(number, description="new")
    run(kept())
    newer = (tmp_path / "cache.db").read_bytes()
    slow.keep()
    assert (tmp_path / "cache.db").read_bytes() == newer
    assert run(kept()) == {str(number): "new"}


def test_a_reading_that_failed_keeps_nothing(tryton: FakeTryton, kept: Make) -> None:
    number = tryton.opportunity(description="old")
    run(kept())
    tryton.change(number, description="new")

    def down(what: str) -> None:
        raise Refused(404)

    tryton.faults = down
    with pytest.raises(Unreachable):
        read(kept())
    tryton.faults = lambda what: None
    assert run(kept()) == {str(number): "new"}
