"""Time off from calendar files, and back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiga_pipeline.people.icalendar import Asked, CalendarReading, read_time_off, write_time_off
from taiga_pipeline.people.model import TimeOff
from taiga_pipeline.problems import ProblemsError

ANA = "ana@example.org"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)


def event(*lines: str, start: str = "DTSTART;VALUE=DATE:20261221") -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1", start, *lines, "END:VEVENT"])


def read(*events: str, email: str = ANA, zone: tzinfo = UTC) -> CalendarReading:
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""])
    return read_time_off(text.encode(), Asked(FIRST, LAST, {ANA}, email, zone))


def days(reading: CalendarReading) -> list[tuple[date, date]]:
    return [(each.first, each.last) for each in reading.time_off]


def test_the_end_of_a_whole_day_event_is_the_day_after_the_last() -> None:
    reading = read(event("DTEND;VALUE=DATE:20261224", "SUMMARY:Skiing\\, far away"))
    assert reading.time_off == (
        TimeOff(ANA, date(2026, 12, 21), date(2026, 12, 23), "Skiing, far away"),
    )


def test_an_event_without_an_end_is_one_day() -> None:
    assert days(read(event())) == [(date(2026, 12, 21), date(2026, 12, 21))]


def test_midnight_to_midnight_is_a_whole_day_in_any_time_zone() -> None:
    whole = event("DTEND:20261223T000000Z", start="DTSTART:20261221T000000Z")
    local = event("DTEND:20261223T000000", start="DTSTART:20261221T000000")
    assert days(read(whole)) == days(read(local)) == [(date(2026, 12, 21), date(2026, 12, 22))]


def test_part_of_a_day_is_left_out_and_said() -> None:
    reading = read(
        event("DTEND:20261221T120000", "SUMMARY:Dentist", start="DTSTART:20261221T080000")
    )
    assert reading.time_off == ()
    assert "'Dentist' on 2026-12-21 08:00 takes part of a day" in reading.left_out[0]


def test_events_that_repeat_are_unfolded_less_their_exceptions() -> None:
    weekly = event("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20261228")
    assert [first for first, _ in days(read(weekly))] == [date(2026, 12, 21), date(2027, 1, 4)]


def test_events_that_repeat_for_ever_end_with_the_time_span() -> None:
    yearly = event("RRULE:FREQ=YEARLY", start="DTSTART;VALUE=DATE:20100501")
    assert [first for first, _ in days(read(yearly))] == [date(2026, 5, 1), date(2027, 5, 1)]


@pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY", "HOURLY"])
def test_events_that_repeat_all_day_are_refused_at_once(frequency: str) -> None:
    reading = read(event(f"RRULE:FREQ={frequency}", "SUMMARY:Bomb"))
    assert reading.left_out == (f"'Bomb' repeats {frequency.lower()}, which is not time off",)


def test_organizer_and_attendees_say_whose_it_is() -> None:
    named = event("ORGANIZER:mailto:boss@example.org", "ATTENDEE:MAILTO:Ana@Example.org")
    assert [each.email for each in read(named, email="").time_off] == [ANA]


def test_an_event_of_nobody_on_the_roster_is_left_out_and_said() -> None:
    reading = read(event("ORGANIZER:mailto:eve@example.org", "SUMMARY:Off"), email="")
    assert reading.time_off == ()
    assert "names eve@example.org, who is not on the roster" in reading.left_out[0]


def test_cancelled_events_are_none() -> None:
    reading = read(event("STATUS:CANCELLED"))
    assert (reading.time_off, reading.left_out) == ((), ())
    assert reading.ignored == {"cancelled": 1}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("STATUS:TENTATIVE",), "tentative: not decided yet"),
        (("TRANSP:TRANSPARENT",), "shown as free"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:FREE",), "shown as free"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",), "tentative: not decided yet"),
        (("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE",), "working elsewhere"),
        (("ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.org",), "declined"),
        (("SUMMARY:Home office",), "working elsewhere"),
        (("SUMMARY:Distansarbete",), "working elsewhere"),
        (("SUMMARY:Vertretung für Bo",), "standing in for someone"),
        (("SUMMARY:Vikarie för Bo",), "standing in for someone"),
        (("SUMMARY:Remplacement de Bo",), "standing in for someone"),
        (("SUMMARY:Substitute for Bo", "TRANSP:TRANSPARENT"), "standing in for someone"),
    ],
)
def test_what_is_no_time_off_by_its_own_word_is_counted(
    lines: tuple[str, ...], reason: str
) -> None:
    reading = read(event(*lines))
    assert (reading.time_off, reading.left_out) == ((), ())
    assert reading.ignored == {reason: 1}


@pytest.mark.parametrize(
    "lines",
    [
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:TRANSPARENT"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY",),
        ("STATUS:CONFIRMED", "TRANSP:OPAQUE"),
        ("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ana@example.org",),
        ("SUMMARY:Holiday, Vertretung: Bo",),
    ],
)
def test_what_is_time_off_is_counted(lines: tuple[str, ...]) -> None:
    assert len(read(event(*lines)).time_off) == 1
    assert len(read(event("ATTENDEE:mailto:ana@example.org", *lines[:1]), email="").time_off) == 1


def test_a_calendar_of_cancellations_cancels() -> None:
    assert read("METHOD:CANCEL", event()).ignored == {"cancelled": 1}


def test_one_occurrence_that_is_cancelled_or_moved_harms_no_other() -> None:
    weekly = event("RRULE:FREQ=WEEKLY;COUNT=4")
    cancelled = event(
        "RECURRENCE-ID;VALUE=DATE:20261228", "STATUS:CANCELLED", start="DTSTART;VALUE=DATE:20261228"
    )
    moved = event("RECURRENCE-ID;VALUE=DATE:20270104", start="DTSTART;VALUE=DATE:20270105")
    half = event(
        "RECURRENCE-ID;VALUE=DATE:20270111",
        "DTEND:20270111T120000",
        start="DTSTART:20270111T080000",
    )
    reading = read(weekly, cancelled, moved, half)
    assert [first for first, _ in days(reading)] == [date(2026, 12, 21), date(2027, 1, 5)]
    assert reading.ignored == {"cancelled": 1}
    assert reading.left_out == ("'an event' on 2027-01-11 08:00 takes part of a day",)


def test_half_days_that_repeat_are_said_with_their_number_and_the_rule() -> None:
    fridays = event(
        "RRULE:FREQ=WEEKLY;COUNT=3",
        "DTEND:20261225T170000",
        "SUMMARY:Friday afternoon",
        start="DTSTART:20261225T130000",
    )
    reading = read(fridays)
    assert len(reading.left_out) == 3
    assert any("part of a day only, 3 times: a day counts as off if" in n for n in reading.notes)


def test_the_newest_version_of_an_event_counts() -> None:
    old = event("SEQUENCE:1")
    new = event("SEQUENCE:2", start="DTSTART;VALUE=DATE:20261222")
    assert days(read(old, new)) == days(read(new, old)) == [(date(2026, 12, 22),) * 2]


def test_events_that_share_an_identity_by_mistake_are_each_read() -> None:
    reading = read(event(), event(start="DTSTART;VALUE=DATE:20270105"))
    assert [first for first, _ in days(reading)] == [date(2026, 12, 21), date(2027, 1, 5)]


def whose(*lines: str) -> CalendarReading:
    text = "\r\n".join(("BEGIN:VCALENDAR", event(*lines, "SUMMARY:Off"), "END:VCALENDAR", ""))
    known = {ANA, "bo@example.org"}
    return read_time_off(text.encode(), Asked(FIRST, LAST, known))


def test_who_is_only_informed_or_stands_in_is_not_off() -> None:
    reading = whose(
        "ATTENDEE:mailto:ana@example.org",
        "ATTENDEE;ROLE=NON-PARTICIPANT:mailto:bo@example.org",
        "ORGANIZER:mailto:noreply@leave.example",
    )
    assert [each.email for each in reading.time_off] == [ANA]


def test_an_organizer_counts_only_if_no_attendee_is_on_the_roster() -> None:
    alone = whose("ORGANIZER:mailto:ana@example.org", "ATTENDEE:mailto:boss@else.example")
    assert [each.email for each in alone.time_off] == [ANA]
    both = whose("ORGANIZER:mailto:bo@example.org", "ATTENDEE:mailto:ana@example.org")
    assert both.time_off == ()
    assert "has bo@example.org for its organizer and ana@example.org" in both.left_out[0]
    assert "--person" in both.left_out[0]


def test_attendees_beside_ones_on_the_roster_are_named() -> None:
    reading = whose("ATTENDEE:mailto:ana@example.org", "ATTENDEE:mailto:eve@else.example")
    assert len(reading.time_off) == 1
    assert "eve@else.example is named by 1 event of others as well" in reading.notes[0]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2", "several times a day"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "on a day that no month has"),
        ("FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2", "by an unusual rule of days and months"),
    ],
)
def test_rules_that_would_never_end_are_refused_at_once(rule: str, message: str) -> None:
    (reason,) = read(event(f"RRULE:{rule}")).left_out
    assert message in reason


def test_a_rule_since_the_year_1_is_refused() -> None:
    (reason,) = read(event("RRULE:FREQ=DAILY", start="DTSTART;VALUE=DATE:00010101")).left_out
    assert "repeats since 0001-01-01" in reason


def test_too_many_events_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.people.icalendar.MAX_EVENTS", 2)
    with pytest.raises(ProblemsError, match="more than 2 events, which is too much"):
        read(*(event().replace("UID:1", f"UID:{n}") for n in range(3)))


def test_too_many_occurrences_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taiga_pipeline.people.icalendar.MAX_OCCURRENCES", 100)
    with pytest.raises(ProblemsError, match="happen more than 100 times"):
        read(event("RRULE:FREQ=DAILY"))


def test_reading_that_takes_too_long_ends_in_an_error() -> None:
    seconds = iter(range(0, 1000, 40))
    text = "\r\n".join(("BEGIN:VCALENDAR", event("RRULE:FREQ=DAILY"), "END:VCALENDAR", ""))
    with pytest.raises(ProblemsError, match="more than 60 s to unfold"):
        read_time_off(text.encode(), Asked(FIRST, LAST, {ANA}, ANA, UTC, lambda: next(seconds)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_calendar_in_any_usual_encoding_is_read(encoding: str) -> None:
    text = "\r\n".join(("BEGIN:VCALENDAR", event("SUMMARY:Älvdalen"), "END:VCALENDAR", ""))
    reading = read_time_off(text.encode(encoding), Asked(FIRST, LAST, {ANA}, ANA))
    assert [each.reason for each in reading.time_off] == ["Älvdalen"]


def test_several_calendars_in_one_file_are_all_read() -> None:
    one = "\r\n".join(("BEGIN:VCALENDAR", event(), "END:VCALENDAR", ""))
    two = one.replace("UID:1", "UID:2").replace("20261221", "20261228")
    reading = read_time_off((one + two).encode(), Asked(FIRST, LAST, {ANA}, ANA))
    assert len(reading.time_off) == 2


def test_the_label_of_a_time_zone_without_its_quotation_marks_is_read() -> None:
    zone = "TZID=(UTC+01:00) Amsterdam\\, Berlin"
    labelled = event(f"DTEND;{zone}:20261222T000000", start=f"DTSTART;{zone}:20261221T000000")
    assert days(read(labelled)) == [(date(2026, 12, 21), date(2026, 12, 21))]


def test_events_outside_the_time_span_are_counted() -> None:
    reading = read(event(start="DTSTART;VALUE=DATE:20190101"))
    assert reading.notes == ("1 event outside of 2026-01-01 to 2027-12-31: skipped",)


@pytest.mark.parametrize(
    "broken",
    [
        event(start="DTSTART:yesterday"),
        event(start="SUMMARY:no start"),
        event("RRULE:FREQ=SOMETIMES"),
        event("DTEND;VALUE=DATE:20261201"),
        event("DTEND;VALUE=DATE:29991201"),
    ],
)
def test_a_broken_event_is_said_and_the_others_are_kept(broken: str) -> None:
    reading = read(broken.replace("UID:1", "UID:2"), event("SUMMARY:fine"))
    assert [each.reason for each in reading.time_off] == ["fine"]
    (reason,) = reading.left_out
    assert not re.search(r"\bv[A-Z]|expected|property|object|Error|dt\b", reason)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VEVENT\r\nEND:VEVENT"])
def test_what_is_no_calendar_is_an_error(content: bytes) -> None:
    with pytest.raises(ProblemsError, match="not an iCalendar file"):
        read_time_off(content, Asked(FIRST, LAST))


dates = st.dates(date(2026, 1, 5), date(2027, 12, 1))
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Z"]), max_size=20)
off = st.tuples(dates, st.integers(0, 30), words).map(
    lambda each: TimeOff(
        ANA, each[0], date.fromordinal(each[0].toordinal() + each[1]), each[2] or "off"
    )
)


@given(st.lists(off, unique_by=lambda each: (each.first, each.last), max_size=5))
def test_what_is_written_is_read_again(time_off: list[TimeOff]) -> None:
    content = write_time_off(time_off, now=NOW)
    reading = read_time_off(content, Asked(FIRST, date(2028, 1, 31), {ANA}))
    assert reading.left_out == ()
    found = {(each.email, each.first, each.last) for each in reading.time_off}
    assert found == {(each.email, each.first, each.last) for each in time_off}


def test_time_off_up_to_the_last_day_of_the_calendar_can_be_written() -> None:
    written = write_time_off([TimeOff("ana@example.org", date.min, date.max)], now=NOW)
    assert b"DTEND;VALUE=DATE:99991231" in written


def test_the_same_time_off_has_the_same_identity_in_every_export() -> None:
    time_off = [TimeOff(ANA, FIRST, LAST)]
    assert write_time_off(time_off, now=NOW) == write_time_off(time_off, now=NOW)
