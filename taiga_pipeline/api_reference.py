"""The Python API as a page of the docs: ``python -m taiga_pipeline.api_reference``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

from taiga_pipeline import api

INTRODUCTION: Final = """\
# Python API

Whatever the command line can do, a Python program can do too: import it from `taiga_pipeline.api`.
This page is made from the program (`python -m taiga_pipeline.api_reference > docs/python-api.md`).
Types are part of the package (`py.typed`). Other modules may change without notice.

A `Workspace` stands for a folder with a `config.toml`. It is the first argument of each function;
`by` says who does it, for the history. Functions print nothing and end nothing: they return frozen
data, or raise an error that carries its reasons as fields.

```python
from taiga_pipeline.api import GateClosed, Workspace, add_deal, check_off, move_deal, read_fields

workspace = Workspace()
workspace.use_config("config.toml")
values = read_fields({"customer": "Acme", "value": "12 000 EUR"})
added = add_deal(workspace, "W-1", "Web shop", by="ann", stage="Needs analysis", values=values)
print(added.deal.value, added.deal.currency)
try:
    move_deal(workspace, "W-1", "Won", by="ann")
except GateClosed as closed:
    print(f"{closed.deal} waits in {closed.stage}:", *closed.missing, sep="\\n- ")
    check_off(workspace, "W-1", closed.missing, by="ann")
move = move_deal(workspace, "W-1", "Won", by="ann")
print(move.from_stage, "->", move.to_stage)
```

It prints:

```text
{prints}```

When two people edit a deal at once, hand back the version that was looked at
(`edit_deal(..., seen=details.version)`): a field that the form left alone keeps what the other one
wrote, and one that both changed apart raises `EditConflict` with both values.

`trouble_of(error)` says of any error what has to be done about it (`usage`, `partial`, `refused`,
`locked`, `unreachable`); the exit codes of the command line are made from it. Adapters for other
tools use the ports in `sync.target` and `taiga_pipeline.sources.port`; see
[Write an adapter](write-an-adapter.md).
"""
PRINTS: Final = """\
12000 EUR
W-1 waits in Needs analysis:
- needs documented
- decision maker identified
Needs analysis -> Won
"""
_SECTIONS: Final = {
    "Start": (
        "taiga_pipeline.app.workspace",
        "taiga_pipeline.app.trouble",
        "taiga_pipeline.app.starting",
        "taiga_pipeline.app.project_files",
    ),
    "Deals": ("taiga_pipeline.app.deals", "taiga_pipeline.pipeline.importing"),
    "Customers and lessons": (
        "taiga_pipeline.app.customers",
        "taiga_pipeline.pipeline.customers",
        "taiga_pipeline.planning.lessons",
    ),
    "People": ("taiga_pipeline.app.people",),
    "Sync": (
        "taiga_pipeline.app.sync",
        "taiga_pipeline.app.card_changes",
        "taiga_pipeline.app.cards",
        "taiga_pipeline.app.portfolio",
        "sync.ways_out",
    ),
    "Messages": ("taiga_pipeline.app.notify", "taiga_pipeline.notify"),
    "Planning": ("taiga_pipeline.app.planning",),
    "Mappings": ("taiga_pipeline.app.mappings",),
    "Upkeep": (
        "taiga_pipeline.app.checking",
        "taiga_pipeline.app.backup",
        "taiga_pipeline.app.store_copy",
    ),
    "Data": ("taiga_pipeline.pipeline.model", "taiga_pipeline.people.model"),
    "Errors": ("taiga_pipeline.pipeline.errors", "taiga_pipeline.problems", "sync.errors"),
}


def lines() -> Iterator[str]:
    """Yields the page, line by line."""
    yield from INTRODUCTION.replace("{prints}", PRINTS).splitlines()
    for title, places in _SECTIONS.items():
        found = [name for name in api.__all__ if _stands_in(getattr(api, name), places)]
        yield from ("", f"## {title}", "", "| name | |", "|---|---|")
        for name in sorted(found, key=_kind):
            yield f"| `{_heading(name)}` | {_summary(getattr(api, name))} |"


def _stands_in(thing: object, places: tuple[str, ...]) -> bool:
    module = f"{getattr(thing, '__module__', '')}."
    return module.startswith(tuple(f"{place}." for place in places))


def _kind(name: str) -> tuple[bool, str]:
    """Functions come before the data that they return."""
    return inspect.isclass(getattr(api, name)), name


def _heading(name: str) -> str:
    """Returns a name, of a function with the names of what it takes."""
    thing = getattr(api, name)
    if inspect.isclass(thing):
        return name
    parts: list[str] = []
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        parts.append(f"{stars}{parameter.name}")
    return f"{name}({', '.join(parts)})"


def _summary(thing: object) -> str:
    """Returns the first sentence of what is documented, on one line."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return text.replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    print("\n".join(lines()))
