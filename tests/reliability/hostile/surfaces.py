"""Where a deal's text comes out when it is kept in step with Taiga, and what harmless means there.

`Surfaces` runs each command once over the whole hostile pipeline and keeps what came out. Each
function in `SYNC` then looks at one entry of the corpus on one surface; it raises AssertionError
where the entry does harm, or where it cannot be recognised any more.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

import requests

from sync.records.composite_text import END, SEPARATOR
from sync.records.model import Marker
from taiga_pipeline.pipeline.notes import parse_notes
from taiga_pipeline.pipeline.text import block, line
from taiga_pipeline.targets.taiga.identity import decode_markers, decode_reference
from tests.reliability.hostile.checks import (
    HTML,
    LIVE_MENTION,
    Page,
    assert_begins_like,
    assert_no_formula,
    assert_plain,
    assert_terminal_safe,
    commands_in,
    csv_row,
    unguarded,
    visible,
)
from tests.reliability.hostile.commands import InTaiga
from tests.reliability.hostile.for_other_programs import calendar_deals, workbook_deals
from tests.reliability.hostile.world import World, key_of

FACTS: Final = {
    *("Stage", "Probability", "Start", "Roles needed", "Value", "Customer", "Contacts"),
    *("Sales owner", "Team", "Service", "Region", "Margin", "Segment"),
}


class Surfaces(InTaiga):
    """What came out of the hostile pipeline, which was synced twice."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.plan = self.text("plan")
        self.plan_file = world.folder / "plan.json"
        self.plan_json = self.data("plan", "--out", str(self.plan_file))
        self.run = world.run("run", "-vv")
        world.forget_requests()
        self.second = world.run("run", "--full", "-v")
        self.second_writes = [each for each in world.writes() if "user-storage" not in each]

    @cached_property
    def saved_plan(self) -> Mapping[str, Any]:
        """What the plan's file holds."""
        saved = self.plan_file.read_text(encoding="utf-8")
        assert commands_in(saved) == []
        data: Mapping[str, Any] = json.loads(saved)
        return data

    # --- Taiga

    @cached_property
    def projects(self) -> Mapping[str, Mapping[str, Any]]:
        """The projects by the deal's key that their marker names."""
        found: dict[str, Mapping[str, Any]] = {}
        for row in self.listed("projects"):
            (marker,) = decode_markers(row["tags_colors"])
            assert marker.key not in found, "made twice"
            found[marker.key] = row
        return found

    @cached_property
    def _children(self) -> Mapping[str, list[dict[str, Any]]]:
        return {path: self.listed(path) for path in ("milestones", "roles", "memberships", "wiki")}

    def children(self, path: str, key: str) -> list[dict[str, Any]]:
        """Returns what lives in a deal's project."""
        project = self.projects[key]["id"]
        return [row for row in self._children[path] if row["project"] == project]

    def story(self, key: str) -> dict[str, Any]:
        """Returns the one story of a deal's project, with its description."""
        assert self.world.taiga is not None
        project = self.projects[key]["id"]
        (story,) = (row for row in self._stories if row["project"] == project)
        return story

    @cached_property
    def _stories(self) -> list[dict[str, Any]]:
        assert self.world.taiga is not None
        client = self.world.taiga.as_user("admin")
        listed = self.listed("userstories")
        return [client.get(f"/userstories/{row['id']}") for row in listed]

    def page(self, path: str) -> str:
        """Returns a web page of the sandbox."""
        return requests.get(f"{self.world.url}{path}", timeout=120).text

    @cached_property
    def index_page(self) -> Page:
        """The sandbox's first page."""
        return Page(self.page("/"))


def both(name: str) -> tuple[str, str]:
    """Returns the keys of an entry's two deals."""
    return key_of(name), f"W-{name}"


# --- Taiga


def project_name(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        shown = str(out.projects[key]["name"])
        assert_plain(shown)
        assert len(shown) <= 250
        title = shown if key.startswith("W-") else shown.removeprefix("(tentative) ")
        assert_begins_like(title, visible(text))


def project_description(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        rows = str(out.projects[key]["description"]).split("\n")
        assert_plain("".join(rows))
        assert rows.count(SEPARATOR) == rows.count(END) == 1
        assert rows[-1] == END
        facts = rows[rows.index(SEPARATOR) + 1 : -1]
        names = [fact.partition(":")[0] for fact in facts]
        assert len(set(names)) == len(names)
        assert set(names) <= FACTS
        assert facts[names.index("Value")].startswith("Value: 1,000 EUR")
        told = {"Customer", "Region", "Margin", "Segment"}
        if key.startswith("W-"):  # the page beside it has it
            assert "Customer" not in names
            told -= {"Customer"}
        for each in told:
            assert facts[names.index(each)].startswith(f"{each}: {visible(text)}"[:1000])


def project_tags(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        tags = list(out.projects[key]["tags"])
        assert "incoming" in tags
        for tag in tags:
            assert_plain(tag)
            assert len(tag) <= 100
        (other,) = (tag for tag in tags if tag != "incoming")
        assert not HTML.search(other)
        assert_begins_like(_as_written(other), visible(text).lower())


def _as_written(text: str) -> str:
    """Undoes the look-alikes that stand where Taiga would take a character for more."""
    return text.translate(str.maketrans("：＜＆", ":<&"))


def looking_note(out: Surfaces, name: str, text: str) -> None:
    project = out.projects[key_of(name)]
    note = str(project["looking_for_people_note"])
    assert_plain(note)
    assert project["is_looking_for_people"] is True
    assert note.startswith(f"Needs: {visible(text)}"[:1000])


def identity_marker(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        colors = out.projects[key]["tags_colors"]
        (raw,) = (each for each in colors if each.startswith("pipeline-sync:"))
        assert_plain(raw)
        assert decode_markers(out.projects[key]["tags_colors"]) == (Marker("acme", key),)
        assert key == line(key)


def page_from_sales(out: Surfaces, name: str, text: str) -> None:
    (page,) = out.children("wiki", f"W-{name}")
    rows = str(page["content"]).split("\n")
    assert_plain("".join(rows))
    assert rows.count(SEPARATOR) == rows.count(END) == 1
    words = [row for row in rows if row not in (SEPARATOR, END)]
    for fact in ("Customer", "Region", "Margin", "Segment"):
        assert any(f"- {fact}: {visible(text)}"[:1000] in html.unescape(row) for row in words)
    assert not any(LIVE_MENTION.search(row) for row in words)
    assert not any(re.search(r"[<*_`\[\]~|\\]|\w>", row) for row in words)
    titles = re.compile(r"### (Roles needed|Contacts|Agreed|Stages|Notes)")
    begins = re.compile(r"$|- |> |\d{4}-\d\d-\d\d \d\d:\d\d UTC")
    assert all(titles.match(row) or begins.match(row) for row in words)


def story_subject(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        subject = str(out.story(key)["subject"])
        assert_plain(subject)
        assert len(subject) <= 500
        assert not HTML.search(subject)
        assert_begins_like(_as_written(subject), f"{visible(text)} for {visible(text)}")


def story_description(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        description = str(out.story(key)["description"])
        assert_plain(description, lines=True)
        assert not LIVE_MENTION.search(description)
        assert not re.search(r"[<>*_`\[\]~|\\]", description)
        first = html.unescape(description).split("\n")[0]
        assert first == html.unescape(f"Notes: {html.escape(visible(text))}")


def story_reference(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        reference = out.story(key)["external_reference"]
        assert_plain("".join(reference))
        assert decode_reference("acme", reference)[1] == "hand-over"


def milestone_name(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        (milestone,) = out.children("milestones", key)
        assert_plain(milestone["name"])
        assert len(milestone["name"]) <= 200
        assert_begins_like(milestone["name"], f"Kick-off with {visible(text)}")


def role_name(out: Surfaces, name: str, text: str) -> None:
    made = [row["name"] for row in out.children("roles", f"W-{name}")]
    shown = [role for role in made if role not in _TEMPLATE_ROLES]
    assert len(shown) == 1
    assert_plain(shown[0])
    assert len(shown[0]) <= 200
    assert_begins_like(shown[0], visible(text))


_TEMPLATE_ROLES: Final = ("UX", "Design", "Front", "Back", "Product Owner", "Stakeholder")


def membership(out: Surfaces, name: str, text: str) -> None:
    rows = out.children("memberships", f"W-{name}")
    (member,) = (row for row in rows if row["role_name"] not in _TEMPLATE_ROLES)
    assert_begins_like(member["role_name"], visible(text))
    assert len(rows) == 2, "the account and the one who is staffed"


# --- terminal


def terminal_plan(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(_chunk(out.plan, name))


def terminal_run(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(_chunk(out.run.stdout, name))


def log(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(out.run.stderr)
    assert all(re.match("(DEBUG|INFO|WARNING|ERROR) ", row) for row in out.run.stderr.splitlines())


def _chunk(text: str, name: str) -> str:
    """Returns the paragraph (or the lines) about an entry's won deal."""
    rows = text.split("\n")
    at = next(at for at, row in enumerate(rows) if f" W-{name} " in f"{row} ")
    end = next((n for n in range(at + 1, len(rows)) if re.match("[+&~!] ", rows[n])), len(rows))
    return "\n".join(rows[at:end])


def terminal_history(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(out.text("history", f"W-{name}"))


def terminal_deals_list(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(out.rows("deals", "list", about=f"W-{name} "))


def terminal_deals_show(out: Surfaces, name: str, text: str) -> None:
    shown = out.text("deals", "show", f"W-{name}")
    assert_terminal_safe(shown)
    assert f"W-{name}" in shown


def terminal_explain(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(out.text("mapping", "explain", f"W-{name}"))


def terminal_people(out: Surfaces, name: str, text: str) -> None:
    who = f"{name}@example.org"
    for command in (("people", "list"), ("people", "off", "list"), ("people", "history", who)):
        assert_terminal_safe(out.rows(*command, about=who))


def terminal_allocations(out: Surfaces, name: str, text: str) -> None:
    assert_terminal_safe(out.rows("people", "allocations", "list", about=f"W-{name} "))


# --- data


def json_plan(out: Surfaces, name: str, text: str) -> None:
    for key in both(name):
        (action,) = (each for each in out.plan_json["actions"] if each["key"] == key)
        fields = {change["field"]: change["desired"] for change in action["changes"]}
        assert_begins_like(fields["title"], visible(text))


def plan_file(out: Surfaces, name: str, text: str) -> None:
    actions = {action["key"]: action for action in out.saved_plan["actions"]}
    for key in both(name):
        (same,) = (action for action in out.plan_json["actions"] if action["key"] == key)
        assert actions[key] == same


def json_deals(out: Surfaces, name: str, text: str) -> None:
    printed = out.text("deals", "show", f"W-{name}", "--json")
    assert commands_in(printed) == []
    deal = json.loads(printed)
    notes = [each["text"] for each in deal["notes"]]
    assert (deal["name"], deal["customer"], notes) == (line(text), line(text), [block(text)])
    assert {deal[name] for name in ("region", "margin", "segment", "next_step")} == {line(text)}


def json_history(out: Surfaces, name: str, text: str) -> None:
    printed = out.text("history", "--json", "--", key_of(name))
    assert commands_in(printed) == []
    assert json.loads(printed)


def csv_deals(out: Surfaces, name: str, text: str) -> None:
    row = csv_row(out.text("deals", "export"), "key", f"W-{name}")
    own = ("next_step", "region", "margin", "segment")
    for column in ("name", "customer", "owner", "service", "notes", "lost_reason", *own):
        assert_no_formula(row[column])
        read = unguarded(row[column])
        if column == "notes":
            assert parse_notes(read)[0].text == block(text)
        else:
            assert read == line(text)


def csv_people(out: Surfaces, name: str, text: str) -> None:
    row = csv_row(out.text("people", "export"), "email", f"{name}@example.org")
    assert_no_formula(row["name"])
    assert unguarded(row["name"]) == line(text)


# --- HTML


def html_index(out: Surfaces, name: str, text: str) -> None:
    out.index_page.assert_harmless()
    assert out.projects[f"W-{name}"]["name"] in out.index_page.words


def html_project(out: Surfaces, name: str, text: str) -> None:
    project = out.projects[f"W-{name}"]
    page = Page(out.page(f"/project/{project['slug']}"))
    page.assert_harmless()
    assert project["name"] in page.words
    assert "Kick-off with" in page.words


# --- stability


def second_run(out: Surfaces, name: str, text: str) -> None:
    assert out.second.exit_code == 0, out.second.stderr
    assert out.second.stdout == ""
    assert out.second_writes == []


def fit_is_reported_once(out: Surfaces, name: str, text: str) -> None:
    chunk = _chunk(out.run.stdout, name)
    cut = len(visible(text)) > len(str(out.projects[f"W-{name}"]["name"]))
    assert chunk.count("note: title was cut to") == int(cut)
    assert "note:" not in out.second.stdout


SYNC: Final[Mapping[str, Callable[[Surfaces, str, str], None]]] = {
    "Taiga: project name": project_name,
    "Taiga: project description": project_description,
    "Taiga: project tags": project_tags,
    "Taiga: note on people needed": looking_note,
    "Taiga: identity marker": identity_marker,
    'Taiga: page "From sales"': page_from_sales,
    "Taiga: story subject": story_subject,
    "Taiga: story description": story_description,
    "Taiga: story reference": story_reference,
    "Taiga: milestone name": milestone_name,
    "Taiga: role name": role_name,
    "Taiga: membership": membership,
    "terminal: plan": terminal_plan,
    "terminal: run": terminal_run,
    "terminal: history": terminal_history,
    "terminal: deals list": terminal_deals_list,
    "terminal: deals show": terminal_deals_show,
    "terminal: mapping explain": terminal_explain,
    "terminal: people list, off list, history": terminal_people,
    "terminal: allocations list": terminal_allocations,
    "log (-vv)": log,
    "JSON: plan": json_plan,
    "JSON: deals show": json_deals,
    "JSON: history": json_history,
    "plan file": plan_file,
    "CSV: deals": csv_deals,
    "CSV: people": csv_people,
    "workbook: deals": workbook_deals,
    "iCalendar: deals": calendar_deals,
    "HTML: list of projects": html_index,
    "HTML: project": html_project,
    "second run writes nothing": second_run,
    "fit is reported once": fit_is_reported_once,
}
