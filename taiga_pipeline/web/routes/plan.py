"""The plan: people and roles by week, what lacks and is free, and what if."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from taiga_pipeline.app.planning.playing import Played, Wish, play
from taiga_pipeline.app.planning.scenarios import (
    delete_scenario,
    save_scenario,
    saved_scenario,
    saved_scenarios,
)
from taiga_pipeline.language import text as _
from taiga_pipeline.planning.scenario.model import Scenario, written_hire, written_leave
from taiga_pipeline.web.access.people import Role
from taiga_pipeline.web.pages import Section, get, post
from taiga_pipeline.web.seen import mark_of, refuse_unseen
from taiga_pipeline.web.visit import Fields, Visit

MOST_WEEKS: Final = 104
WEEKS: Final = (8, 13, 26, 52)
DELAYS: Final = (-4, -2, 0, 2, 4, 8, 13, 26)
SIZES: Final = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_KINDS: Final = ("fate.", "later.", "size.")
_TYPED: Final = ("win", "lose", "delay", "resize", "hire", "leave")

Supposed = dict[str, list[str]]


def show(visit: Visit) -> Response:
    """Shows the plan, and what it becomes under what the query supposes."""
    query = visit.query
    supposed = supposed_by(query)
    if name := query.text("scenario"):
        supposed = _texts(saved_scenario(visit.workspace, name))
    wish = Wish(
        team=query.text("team"),
        weeks=min(query.number("weeks", 0), MOST_WEEKS) or None,
        role=query.text("role"),
        find=query.text("find"),
        everybody=query.text("people") == "all",
        behind=query.text("behind") == "yes",
    )
    played = play(visit.workspace, wish, supposed)
    return visit.show(
        "plan.html.j2",
        played=played,
        wish=wish,
        supposed=supposed,
        behind=f"{visit.url('/plan')}?{urlencode([*_but_behind(query), ('behind', 'yes')])}",
        asked=_asked(played),
        scenario=name,
        scenarios=saved_scenarios(visit.workspace),
        mark=mark_of,
        choices={"weeks": WEEKS, "delays": _with(DELAYS, played, "weeks"), "sizes": _sizes(played)},
    )


def _but_behind(query: Fields) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in query if name != "behind")


def supposed_by(fields: Fields) -> Supposed:
    """Returns what a form supposes, as texts by change: the fields ``fate.KEY`` (win or lose),
    ``later.KEY`` (weeks) and ``size.KEY`` (a factor), and those of the command line."""
    found: Supposed = {}
    for name, value in fields:
        for change, text in _supposed(name, value.strip()):
            found.setdefault(change, []).append(text)
    return found


def _supposed(name: str, value: str) -> Iterator[tuple[str, str]]:
    kind = next((each for each in _KINDS if name.startswith(each)), "")
    key = name.removeprefix(kind)
    if name in _TYPED and value:
        yield name, value
    elif kind == "fate." and value in ("win", "lose"):
        yield value, key
    elif kind == "later." and value not in ("", "0"):
        yield "delay", f"{key}={value}w"
    elif kind == "size." and value not in ("", "100"):
        yield "resize", f"{key}={value}%"


def _texts(scenario: Scenario) -> Supposed:
    found = {
        "win": list(scenario.win),
        "lose": list(scenario.lose),
        "delay": [f"{key}={weeks}w" for key, weeks in scenario.delay.items()],
        "resize": [f"{key}={100 * size:g}%" for key, size in scenario.resize.items()],
        "hire": [written_hire(each) for each in scenario.hire],
        "leave": [written_leave(each) for each in scenario.leave],
    }
    return {name: texts for name, texts in found.items() if texts}


def _asked(played: Played) -> Supposed:
    return _texts(played.supposed)


def _with(usual: tuple[int, ...], played: Played, name: str) -> list[int]:
    return sorted({*usual, *(getattr(each, name) for each in played.switches)})


def _sizes(played: Played) -> list[float]:
    return sorted({*SIZES, *(each.size for each in played.switches)})


def save(visit: Visit) -> Response:
    """Saves what is supposed as a scenario."""
    supposed, name = supposed_by(visit.form), visit.form.text("name").strip()
    again = visit.form.text("replace") == "yes"
    if again and name == visit.form.text("opened"):
        refuse_unseen(visit, saved_scenarios(visit.workspace).get(name))
    saved = save_scenario(visit.workspace, name, supposed, replace_same=again, by=visit.by)
    visit.say(_("The scenario {name} is saved.", name=saved.name))
    return visit.go("/plan", scenario=saved.name)


def delete(visit: Visit) -> Response:
    """Deletes a scenario."""
    name = visit.form.text("name")
    refuse_unseen(visit, saved_scenario(visit.workspace, name))
    deleted = delete_scenario(visit.workspace, name, by=visit.by)
    visit.say(_("The scenario {name} is deleted.", name=deleted.name))
    return visit.go("/plan")


PLAN = Section(
    "Plan",
    "/plan",
    (
        get("/plan", show),
        post("/plan/scenario", save, Role.PLAN),
        post("/plan/scenario/delete", delete, Role.PLAN),
    ),
)
