"""Mapping files as a page of the docs: ``python -m taiga_pipeline.mapping.reference``.

The page is written to stdout; ``docs/mapping.md`` holds it, and a test holds both together.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from taiga_pipeline.mapping.model import mapping_model
from taiga_pipeline.mapping.values import PLACEHOLDERS

INTRODUCTION: Final = """\
# Mapping files

A mapping file says what becomes of a deal at each stage of your funnel: no project, a tentative
one, a staffed one, or one that is retired; and how that project looks. The files are in the
folder that `[sync] mappings` in the configuration names; each is TOML. `pipeline-sync init` writes
a commented one; `mappings/` in the source has three: a default, a consultancy's, and one in
Swedish.

```console
$ pipeline-sync mapping check              # every mistake in every file, with line and column
$ pipeline-sync mapping explain D-1        # which file, which rule, which values made this project
$ pipeline-sync mapping diff new/sale.toml # what an edited sale.toml would change
$ pipeline-sync mapping schema --out mapping.schema.json
```

With the schema, an editor completes and checks the files (Even Better TOML: put
`#:schema mapping.schema.json` on a file's first line).

The smallest useful file:

```toml
[mapping]
name = "small"

[[stage]]
name = "Talking"
category = "lead"

[[stage]]
name = "Offer sent"
aliases = ["Proposal", "Quote"]
category = "proposal"

[[stage]]
name = "Won"
category = "won"

[[stage]]
name = "Lost"
category = "lost"
```

## Gates

A stage's `requires` are actions to be checked off (`pipeline-sync deals done`) before a deal may go
on. One rule holds wherever a deal changes its stage: `deals move`, a card that is moved in the
portfolio, an import.

- A deal may always be lost, moved back, or set aside (moved to a stage with `project = "retired"`).
- A jump forward asks for the actions of every stage that it passes. A deal that comes back from a
  loss, from aside, or from a stage that the mapping does not know passes all stages before the new
  one.
- A deal that is added or imported at a later stage had to get there somehow: what the stages before
  ask for counts as done, and is listed.
- `--force` moves all the same, and is recorded (`pipeline-sync metrics` counts it).

Deals that live elsewhere (a CSV file that is read directly, SQL, Tryton) have no gates here: they
are where their source says.

## Which mapping a deal gets

Every field that `match` names has to match; letter case does not matter. The mapping that names the
most fields wins, then the one with the highest `priority`. A tie is an error for that deal alone.
A mapping without `match` is for every deal that no other is for.

```toml
[mapping]
name = "consultancy"
match = { team = ["Consulting"], service = ["audit", "strategy"] }
closed_within_days = 30

[[stage]]
name = "Proposal"
category = "proposal"
requires = ["needs documented", "decision maker identified"]

[[stage]]
name = "Won"
category = "won"
```

## What people see

A project's name is a label that shows its state, then a title. Sales keep the label, the title is
shared: a project manager may rename the project, and the label still changes when the deal is won.
Its description is people's own text, and below it a block of facts that is kept current. While
roles are open, the project is shown as looking for people, with a note that lists them.

```toml
[mapping]
name = "web"

[[stage]]
name = "Proposal"
category = "proposal"

[[stage]]
name = "Won"
category = "won"

[project]
title = "{customer}: {name}"
tags = ["incoming", "{service}"]

[project.tentative]
label = "(tentative)"

[[member]]
email = "petra@example.com"
role = "Product Owner"

[[role]]
role = "Back"
hours_per_week = 30
weeks = 10
skills = ["python"]

[[milestone]]
name = "Kick-off"
start = "+0w"
finish = "+1w"

[[story]]
subject = "Kick-off with {customer}"
milestone = "Kick-off"

[ownership]
milestone_dates = "delivery"
```

## Phases

With `[[phase]]`, a deal has a project for each phase instead of one
([how to](how-to/phases.md)). What is outside of phases is for all of them: looks, members,
milestones and stories. `[[role]]`, and the roles that a deal states itself, are for the phase that
takes them.

```toml
[mapping]
name = "in phases"

[[stage]]
name = "Proposal"
category = "proposal"

[[stage]]
name = "Won"
category = "won"

[project]
title = "{customer}: {name} – {phase}"

[[phase]]
name = "Discovery"
keeps_project = true

[[phase.role]]
role = "Design"
hours_per_week = 20
weeks = 3

[[phase]]
name = "Build"
after = "Discovery"
start = "+1w"
takes_roles = true
template = "scrum"

[[phase.milestone]]
name = "First release"
finish = "+10w"
when = "tentative"

[[phase]]
name = "Support"
after = "Build"
when = "staffed"
```

The project of the phase that keeps it is the deal's own, known by the deal's key; that of any other
phase has a key such as `D-1::build`. So a mapping may get phases, change them and lose them
again: no project is made twice. A phase ends with its last role or milestone, and with what project
managers made of it: the phases after it follow in the run that finds it. People who are
put on a deal are in the phases that need their role, in the days of their work; where no phase
needs it, the days alone decide.

## Hours of stories

`hours` says how many hours a story is planned to take: a number, or where they come from.

```toml
[mapping]
name = "with hours"

[[stage]]
name = "Won"
category = "won"

[[story]]
subject = "Kick-off with {customer}"
hours = 16

[[story]]
subject = "Build"
hours = "role:Back"

[[story]]
subject = "Lead the project"
hours = "10 % of role:*"
```

`role:Back` are the hours of that role which the deal, or the phase, needs in all its weeks;
`role:*` those of all roles. A part of them is rounded to half an hour. `"{planned_hours}"` takes
them from a [field of your own](fields.md#fields-of-your-own) that is a number. Without such a role
or value, there is no estimate.

Hours are shared: where the deal's change, those of the story follow; an estimate that people
entered or took away stays, and where both changed, it is a conflict until you decide. `story_hours`
under `[ownership]` may say otherwise. They are Odoo's allocated (or planned) hours, Redmine's
estimated time and Kanboard's original estimate. Taiga's stories have points, not hours: there, a
line below the description names them, and is kept current; what people write above it is theirs. In
tools whose adapter can do neither, a line in the description of new stories names them. `check`
says so, and also where the tool would leave hours out without a word: a tracker of Redmine that has
no *Estimated time*, a Kanboard before 1.2.14.

## Who does a story

`assignee` says who does a story.

```toml
[mapping]
name = "with people"

[[stage]]
name = "Won"
category = "won"

[[member]]
email = "petra@example.com"

[[story]]
subject = "Kick-off with {customer}"
assignee = "{manager}"

[[story]]
subject = "Build"
assignee = "role:Back"

[[story]]
subject = "Hand over what was promised"
assignee = "{owner}"

[[story]]
subject = "Write the invoice"
assignee = "bo@example.com"
```

- `"role:Back"` is who is staffed on the deal, or the phase, in this role. Of several, it is whoever
  works the most hours a week in it; then whose work begins first; then by address. If no one is
  staffed, it is the first `[[member]]` with this role.
- `"{manager}"` is the first `[[member]]` who administers the project (`admin`).
- `"{owner}"` and `"{next_step_by}"` are whom that field of the deal names, by address or by the
  name of one of your people. So is a [field of your own](fields.md#fields-of-your-own) that is text
  or a choice.
- `"bo@example.com"` is this person.

Until someone is staffed, the story is for no one; the run that finds someone gives it to them.
When they leave the deal, it goes to who comes after them, or to no one. In a project of several
[joined deals](cli.md#pipeline-sync-join), each deal's stories are for its own people.

Whom people assign a story to stays: where a project manager chose someone else, or took the story
from everyone, no run changes that, and only if the deal's own choice changes as well is it a
conflict until you decide. `story_assignee` under `[ownership]` may say otherwise. Only what the
connector set itself is taken away.

Tools take only members of the project. No one becomes one because of a story: list them under
`[[member]]`, put them on the deal, or add them in the tool. Where it is someone who is no member,
or who cannot be given work (invited and not there yet in Taiga, locked or in a role without issues
in Redmine, a viewer or disabled in Kanboard, archived in Odoo), the story is made for no one,
which the first run reports, and `conflicts` lists as *waiting*. A later run gives it to them: one
that compares the project, or `run --full` at once. Taiga and Redmine mail whoever is given a story;
the [limit](config.md#limits-how-much-one-run-may-change) `mails` counts that.

## New projects from a template

`template` names a template of the tool (`"kanban"` in Taiga). In Taiga and Odoo it may also name a
project that you keep for this: `template = "project:42"`, with its number, its name in addresses
(in Odoo: its name) or its whole address. It may be another one in each [phase](#phase).

```toml
[mapping]
name = "consulting"

[[stage]]
name = "Won"
category = "won"

[project]
template = "project:consulting-template"
```

New projects are copies of it: in Taiga its roles with their permissions, columns, own fields,
modules and tags, and its sprints and stories with text, tags, column and sprint (not tasks, files,
comments, wiki pages or members); in Odoo [what Odoo copies](odoo.md#new-projects-from-a-template).
All dates are moved by the same number of days, so that the first one is the start of the deal or
phase. Title, text, facts and tags are the mapping's, and so are its own milestones and stories,
which are made beside those. What came from the template belongs to people: no later run touches it,
whatever becomes of the template or the deal's start.

In Taiga, the connector's account has to be a member of the template project, in a role that may see
its sprints and stories: it would not belong to the copies otherwise. `check` looks whether it is
there and the account a member, and refuses one that is a deal's own; so do runs, for the deals
concerned, before anything is copied. A copy that cannot be completed is reported with its number;
later runs go on with it, and make no other. Kanboard and Redmine have no API that copies projects:
`check` refuses such a template there.

## Changing a mapping

One word in a mapping can change every project, so look before it is in force: `mapping diff` begins
with what is big about it, `check` asks the server whether it knows the template, the roles and the
members, and `plan` says whom the tool will mail, and how often. A run that would change more than
the [limits](config.md#limits-how-much-one-run-may-change) allow is refused, and names the line.

What a mapping added and no longer asks for is reported, and stays. With
`when_dropped = "remove-if-untouched"` it is removed: milestones, stories and pages that the
connector made and that no one edited, moved, commented on or put work into, and roles that no one
holds. A story that the connector itself gave to someone later is still its own (on Odoo, it stays:
who does a task is noted there like any other change). Members leave in any case. What people
touched stays, and is reported, until a person decides
(`pipeline-sync resolve D-1/milestone/Kick-off --take delivery` leaves it to the project,
`--take sales` has it removed). Milestones of a deal whose dates are not known just now stay as they
are.

A milestone or story is known by its `id`, or else by its name. Without an `id`, a new name is taken
for a rename where all else is the same, or the names are alike; else it is another one. Give an
`id` to what you expect to rename.

## Placeholders

They are in braces; `{{` and `}}` are literal braces. What a deal brings in is text: never markup,
never a placeholder again. An empty one takes the punctuation beside it along: `{customer}: {name}`
is just the name for a deal without a customer; a tag that comes out empty is left out.

Each [field of your own](fields.md#fields-of-your-own) is a placeholder, too. A mapping may match
deals by it (`match = { region = ["north"] }`), and give it another name under `[words]`.

| placeholder | means |
|---|---|
"""


def lines() -> Iterator[str]:
    """Yields the page, line by line."""
    yield from INTRODUCTION.splitlines()
    for name, placeholder in PLACEHOLDERS.items():
        yield f"| `{{{name}}}` | {_cell(placeholder.description)} |"
    yield from ("", "## Every key", "")
    yield "Unknown keys are errors. Required keys must be present."
    for name, field in mapping_model().model_fields.items():
        yield from _table((name,), field)


def _table(path: tuple[str, ...], field: FieldInfo) -> Iterator[str]:
    """Yields the section of a table, then those of the tables in it."""
    model, is_list = _model_of(field)
    if model is None:
        return
    heading = ".".join(path)
    yield from ("", f"### {'[[' if is_list else '['}{heading}{']]' if is_list else ']'}", "")
    yield from (
        " ".join((model.__doc__ or "").split()),
        "",
        "| key | default | means |",
        "|---|---|---|",
    )
    inner = []
    for name, each in model.model_fields.items():
        if _model_of(each)[0] is not None:
            inner.append((name, each))
        if _model_of(each)[0] is None or name == "match":
            yield f"| `{name}` | {_default(each)} | {_cell(each.description or '')} |"
    for name, each in inner:
        yield from _table((*path, name), each)


def _model_of(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Returns the model of a table, and whether there may be several of it."""
    kind: Any = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, False
    for argument in get_args(kind):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument, True
    return None, False


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "needed"
    if value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, StrEnum):
        return f'`"{value.value}"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join(lines()))
