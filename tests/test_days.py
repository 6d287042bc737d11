"""Which day it is depends on the pipeline's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from taiga_pipeline.config import load
from taiga_pipeline.days import day_of, local_zone, zone_named
from taiga_pipeline.problems import ProblemsError

HALF_PAST_MIDNIGHT = datetime(2027, 3, 31, 22, 30, tzinfo=UTC)
"""In Stockholm it is the first of April."""

CONFIG = """pipeline = "acme"
{line}
[target]
kind = "taiga"
url = "http://127.0.0.1"
username = "bot"
password_env = "PASSWORD"
"""


def configured(folder: Path, line: str) -> Path:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(line=line))
    return path


def test_a_moment_falls_on_the_day_of_the_zone() -> None:
    assert day_of(HALF_PAST_MIDNIGHT, UTC) == date(2027, 3, 31)
    assert day_of(HALF_PAST_MIDNIGHT, zone_named("Europe/Stockholm")) == date(2027, 4, 1)


def test_the_configuration_names_the_zone(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, 'time_zone = "Europe/Stockholm"'))
    assert day_of(HALF_PAST_MIDNIGHT, settings.zone) == date(2027, 4, 1)


def test_without_a_zone_the_machine_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = configured(tmp_path, "")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert day_of(HALF_PAST_MIDNIGHT, load(file).zone) == date(2027, 4, 1)
    monkeypatch.setenv("TZ", "UTC")
    assert day_of(HALF_PAST_MIDNIGHT, load(file).zone) == date(2027, 3, 31)


@pytest.mark.parametrize(
    ("variable", "zone"),
    [
        ("Europe/Stockholm", ZoneInfo("Europe/Stockholm")),
        (":Europe/Stockholm", ZoneInfo("Europe/Stockholm")),
        ("UTC", UTC),
        ("nonsense/../zone", UTC),
    ],
)
def test_the_machines_zone_is_its_variable(variable: str, zone: object) -> None:
    assert local_zone(variable) == zone


def test_an_unknown_zone_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as refused:
        load(configured(tmp_path, 'time_zone = "Europe/Stokholm"'))
    text = str(refused.value)
    assert "unknown time zone 'Europe/Stokholm'; did you mean 'Europe/Stockholm'?" in text
    assert "config.toml:2" in text
