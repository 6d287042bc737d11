"""What is news, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sync.state.outbox import Seen
from taiga_pipeline.notify.events import (
    DealNow,
    Ended,
    Look,
    Shortage,
    Trouble,
    find_events,
    together,
)

TODAY = date(2026, 11, 27)
ALL = ("won", "staffed", "short", "conflict", "run")
DEAL = DealNow("D-1", "Acme: Portal", "proposal", about="It starts on 2026-12-28.")
WON = replace(DEAL, category="won", won_on=TODAY)
SHORT = Shortage("Back", 61, 7, "2027-W04", ("D-6", "D-8"))


def looked(look: Look, seen: dict[str, Seen] | None = None) -> tuple[list[str], dict[str, Seen]]:
    """Returns the titles of a look's events, and what is seen after it."""
    before = seen or {}
    found = find_events(look, before, ALL)
    after = {each.subject: Seen(each.value, each.version) for each in found.sightings}
    return [event.title for event in found.events], before | after


def test_the_first_look_of_all_tells_of_no_deal_or_project() -> None:
    assert looked(Look(TODAY, [WON], {"D-1": "staffed"}))[0] == []


def test_a_deal_that_is_won_is_told_once_and_again_when_it_is_won_again() -> None:
    _, seen = looked(Look(TODAY, [DEAL]))
    titles, seen = looked(Look(TODAY, [WON]), seen)
    assert titles == ["Won: D-1 Acme: Portal"]
    titles, seen = looked(Look(TODAY, [WON]), seen)
    assert titles == []
    _, seen = looked(Look(TODAY, [DEAL]), seen)
    assert looked(Look(TODAY, [WON]), seen)[0] == ["Won: D-1 Acme: Portal"]


def test_a_new_deal_that_was_won_long_ago_is_no_news() -> None:
    _, seen = looked(Look(TODAY))
    old = replace(WON, key="D-2", won_on=TODAY - timedelta(days=30))
    assert looked(Look(TODAY, [WON, old]), seen)[0] == ["Won: D-1 Acme: Portal"]


def test_a_project_that_is_staffed_is_told() -> None:
    _, seen = looked(Look(TODAY, [DEAL], {"D-1": "tentative"}))
    titles, _ = looked(Look(TODAY, [DEAL], {"D-1": "staffed"}), seen)
    assert titles == ["Staffed: the project of D-1 Acme: Portal"]


def test_a_role_is_short_once_until_it_has_had_enough() -> None:
    titles, seen = looked(Look(TODAY, shortages={"Back": SHORT, "UX": None}))
    assert titles == ["Short: Back from 2027-W04 on"]
    titles, seen = looked(Look(TODAY, shortages={"Back": replace(SHORT, hours=80)}), seen)
    assert titles == []
    _, seen = looked(Look(TODAY, shortages={"UX": None}), seen)  # nobody asks for it any more
    assert looked(Look(TODAY, shortages={"Back": SHORT}), seen)[0] == [
        "Short: Back from 2027-W04 on"
    ]


def test_roles_that_nobody_looked_at_are_as_they_were() -> None:
    _, seen = looked(Look(TODAY, shortages={"Back": SHORT}))
    assert looked(Look(TODAY), seen) == ([], seen | {})


def test_a_run_that_fails_in_the_same_way_is_told_once() -> None:
    away, refused = Ended("the target is away", "401"), Ended("a limit held it back", "retire")
    titles, seen = looked(Look(TODAY, run=away))
    assert titles == ["The run was not done: the target is away"]
    titles, seen = looked(Look(TODAY, run=away), seen)
    assert titles == []
    titles, seen = looked(Look(TODAY, run=refused), seen)
    assert titles == ["The run was not done: a limit held it back"]
    titles, seen = looked(Look(TODAY, run=Ended("")), seen)
    assert titles == []
    assert looked(Look(TODAY, run=away), seen)[0] == ["The run was not done: the target is away"]


def test_only_what_is_wanted_is_told_and_all_is_remembered() -> None:
    look = Look(TODAY, shortages={"Back": SHORT}, troubles=[Trouble("a", "Conflict: D-1", "why")])
    found = find_events(look, {}, ("conflict",))
    assert [event.title for event in found.events] == ["Conflict: D-1"]
    assert {each.subject for each in found.sightings} == {"role:Back", "state"}


def test_names_that_hold_lines_cannot_make_lines_of_a_message() -> None:
    forged = replace(WON, title="Portal\nWon: D-9 all of it\x1b[2J")
    _, seen = looked(Look(TODAY, [DEAL]))
    event = find_events(Look(TODAY, [forged]), seen, ALL).events[0]
    assert event.title == "Won: D-1 Portal Won: D-9 all of it[2J"
    assert together([(event.title, event.text)] * 2, "acme")[1].count("\n") == 3
