"""A worker's view of its fleet while people edit it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from taiga_pipeline.workers.fleet import Fleet, FleetReader
from taiga_pipeline.workers.service import LivingFleet

from .test_fleet import QUEUE, add


class Ticks:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    add(tmp_path / "acme", "acme")
    (tmp_path / "workers.toml").write_text(QUEUE)
    return tmp_path / "workers.toml"


def test_a_new_pipeline_is_noticed_within_seconds(file: Path) -> None:
    reader, ticks = FleetReader(file), Ticks()
    living = LivingFleet(reader, reader.read(), ticks)
    add(file.parent / "bolt", "bolt")
    assert list(living().members) == ["acme"], "files are not looked at for each job"
    ticks.seconds = 6
    assert list(living().members) == ["acme", "bolt"]


def test_a_file_that_is_broken_for_a_while_changes_nothing(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    reader, ticks = FleetReader(file), Ticks()
    living = LivingFleet(reader, reader.read(), ticks)
    file.write_text(QUEUE + "[workers]\nconcurency = 2\n")
    for ticks.seconds in (6, 12, 18):
        assert list(living().members) == ["acme"]
    assert len(caplog.records) == 1, "it is reported once"
    assert "did you mean 'concurrency'" in caplog.text
    file.unlink()
    ticks.seconds = 24
    assert list(living().members) == ["acme"]
    file.write_text(QUEUE)
    ticks.seconds = 30
    assert list(living().members) == ["acme"]


def test_a_configuration_that_breaks_is_reported_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    reader, ticks = FleetReader(file), Ticks()
    living = LivingFleet(reader, reader.read(), ticks)
    (file.parent / "acme" / "config.toml").write_text("pipeline = 3\n")
    for ticks.seconds in (6, 12):
        assert list(living().members) == []
    assert caplog.text.count("acme/config.toml") == len(caplog.records) > 0


def test_a_fleet_that_takes_long_to_read_is_read_less_often(file: Path) -> None:
    ticks = Ticks()

    class Slow(FleetReader):
        def read(self) -> Fleet:
            ticks.seconds += 2
            return super().read()

    reader = Slow(file)
    living = LivingFleet(reader, reader.read(), ticks)
    ticks.seconds += 6
    living()
    add(file.parent / "bolt", "bolt")
    ticks.seconds += 39
    assert list(living().members) == ["acme"]
    ticks.seconds += 2
    assert list(living().members) == ["acme", "bolt"]
