"""Delivery facts in Tryton's fields: by their types, one request for each record that differs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sync.source import WriteBackResult
from taiga_pipeline.pipeline.model import DeliveryFacts
from taiga_pipeline.problems import ProblemsError
from taiga_pipeline.sources.tryton.source import TrytonSource
from tests.sources.tryton.conftest import Make, read
from tests.sources.tryton.fake import MODEL, FakeTryton, Refused

START = date(2027, 1, 4)
URL = "https://taiga.example.test/project/a"
PLACES = {"url": "project_url", "start": "project_start", "progress": "project_progress"}


def facts(key: object, url: str = URL) -> DeliveryFacts:
    milestones = (("Kick-off", START, None),)
    return DeliveryFacts(str(key), url=url, progress=Decimal("0.374"), milestones=milestones)


def write_facts(source: TrytonSource, *reported: DeliveryFacts) -> WriteBackResult:
    """Reads, as a run does, and then tells."""
    read(source)
    return source.take_facts(reported)


@pytest.mark.parametrize(
    ("fact", "field", "stands_there"),
    [
        ("url", "comment", URL),
        ("start", "project_start", START),
        ("start", "reference", "2027-01-04"),
        ("progress", "project_progress", Decimal("0.37")),
        ("progress", "share", 0.37),
        ("progress", "percent", 37),
        ("progress", "project_url", "0.37"),
    ],
)
def test_every_fact_is_kept_as_its_field_keeps_things(
    tryton: FakeTryton, make: Make, fact: str, field: str, stands_there: object
) -> None:
    number = tryton.opportunity()
    source = make(write_back={fact: field})
    assert write_facts(source, facts(number)) == WriteBackResult(written=1)
    assert tryton.rows[number][field] == stands_there
    assert write_facts(source, facts(number)) == WriteBackResult()
    assert len(tryton.writes) == 1


def test_only_fields_that_differ_are_sent(tryton: FakeTryton, make: Make) -> None:
    number = tryton.opportunity(project_url=URL, project_start=START, reference="R-1")
    before = dict(tryton.rows[number])
    assert write_facts(make(write_back=PLACES), facts(number)) == WriteBackResult(written=1)
    changed = {name for name, value in tryton.rows[number].items() if value != before[name]}
    assert changed == {"project_progress", "write_date"}


def test_nothing_is_asked_when_nothing_differs(tryton: FakeTryton, make: Make) -> None:
    number = tryton.opportunity()
    source = make(write_back=PLACES)
    write_facts(source, facts(number))
    tryton.requests.clear()
    write_facts(source, facts(number))
    assert tryton.requests == [f"GET {MODEL}"]


def test_a_write_is_no_news_for_a_reading_of_changes(tryton: FakeTryton, make: Make) -> None:
    number = tryton.opportunity()
    for _ in range(3):
        source = make(write_back=PLACES, cache="cache.db", overlap_minutes=0)
        write_facts(source, facts(number))
        source.keep()
    assert len(tryton.writes) == 1


def test_a_record_that_is_refused_costs_only_itself(tryton: FakeTryton, make: Make) -> None:
    numbers = [tryton.opportunity() for _ in range(3)]

    def stubborn(what: str) -> None:
        if what == f"PUT {MODEL}/{numbers[1]}":
            raise Refused(400, "The record is locked.")

    tryton.faults = stubborn
    reported = write_facts(make(write_back=PLACES), *map(facts, numbers))
    assert reported.written == 2
    (problem,) = reported.problems
    assert problem.startswith(f"{numbers[1]}: not written back: Tryton refuses PUT")
    assert problem.endswith("The record is locked.)")


def test_a_right_that_is_missing_is_not_tried_on_every_record(
    tryton: FakeTryton, make: Make
) -> None:
    numbers = [tryton.opportunity() for _ in range(50)]
    tryton.may_write = False
    reported = write_facts(make(write_back=PLACES), *map(facts, numbers))
    assert reported.written == 0
    assert len(tryton.writes) == 20
    assert "not allowed to modify" in reported.problems[0]


def test_a_server_that_goes_away_is_reported_and_does_not_raise(
    tryton: FakeTryton, make: Make
) -> None:
    number = tryton.opportunity()

    def down(what: str) -> None:
        if what.startswith("PUT"):
            raise Refused(503)

    tryton.faults = down
    reported = write_facts(make(write_back=PLACES), facts(number))
    assert reported.written == 0
    assert "503" in reported.problems[0]


def test_examining_tells_of_fields_types_and_rights(tryton: FakeTryton, make: Make) -> None:
    found = make(write_back=PLACES).examine()
    assert "delivery facts go into project_url, project_start, project_progress" in found[1]
    tryton.may_write = False
    with pytest.raises(ProblemsError, match="may not write") as caught:
        make(write_back=PLACES).examine()
    assert "[source.write_back]" in str(caught.value)
    assert not tryton.writes


def test_fields_that_cannot_hold_a_fact_are_reported_and_nothing_is_written(
    tryton: FakeTryton, make: Make
) -> None:
    number = tryton.opportunity()
    reported = write_facts(make(write_back={"url": "project_url", "start": "state"}), facts(number))
    assert "start does not fit into a field of type selection" in reported.problems[0]
    assert not tryton.writes
