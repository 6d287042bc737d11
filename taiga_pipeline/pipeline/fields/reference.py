"""The page about fields, made from the table.

``python -m taiga_pipeline.pipeline.fields.reference > docs/fields.md``
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from taiga_pipeline.pipeline.fields.field import OWN_KINDS, DealField, Kind
from taiga_pipeline.pipeline.fields.table import BUILT_IN

INTRODUCTION: Final = """\
# Fields of a deal

What a deal holds, and what each field is known by. This page is made from the table of which the
store, files, sources, commands, mappings, facts and reports are made
(`python -m taiga_pipeline.pipeline.fields.reference`).

In a file, the columns of our own format have these names. `deals edit` has an option for each
field that is edited (`--expected-close`), and `--set expected_close=...` means the same. A mapping
may name a field in braces (`{customer}`), match deals by some, and shows some as facts in each
project.

| field | holds | kind | edited | `{...}` | matched | in projects |
|---|---|---|---|---|---|---|
"""
OWN: Final = """\

## Fields of your own

Declare them in `config.toml`, up to 50; see [Add a field of your own](how-to/add-a-field.md).

```toml
[[field]]
name = "region"
kind = "choice"
choices = ["North", "South"]
```

| key | default | means |
|---|---|---|
| `name` | needed | up to 40 lower-case letters, digits and `_`; not a name that is taken |
| `kind` | `"text"` | what it holds, see below |
| `label` | the name | how people read it: in projects, reports, `deals show` |
| `headers` | `[]` | headers of columns that it is known by, beside its name and its label |
| `choices` | `[]` | of a `choice`: what it may be, up to 500; letter case does not matter |
| `currency` | | of `money`: of every value; left out, the one that is written, else the deal's |
| `fact` | all but money | whether projects, cards and reports show it |

| kind | how it is written, and what is kept |
|---|---|
"""
KINDS: Final = {
    Kind.TEXT: "One line, up to 1,000 characters. Kept as it is.",
    Kind.NUMBER: "`1.234,50`, `-5`, `1 000`; a column of a file decides what its points and commas "
    "mean. Kept as `1234.5`.",
    Kind.DATE: "`31.12.2026`, `2026-12-31`, `Dec 31, 2026`, as [other dates](csv.md). Kept as "
    "`2026-12-31`.",
    Kind.CHOICE: "One of `choices`. Another word is an error that names them; in a file, its row "
    "is left out.",
    Kind.MONEY: "`1.234,50 €`, `SEK 1 200`, `(500)` for less than 0. Kept as `1234.5 EUR`. "
    "Projects do not show it unless `fact = true`.",
    Kind.YES_NO: "`yes`, `Ja`, `sí`, `oui`, `TRUE`, `x`, `1`; `no`, `nej`, `FALSCH`, `0`. Kept as "
    "`yes` or `no`; JSON has true and false.",
}
MORE: Final = """\

Words for nothing (`n/a`, `-`, `NULL`) mean that there is no value.

A field of your own is as good as the others: it is imported and exported under its name, merged
with what others changed (`version`), edited with `--set region=North`, found with
`--where region=North`, a column of `deals list --columns key,name,region`, matched on
(`match = { region = ["north"] }`), a placeholder (`{region}`), a fact (`Region: North`; a mapping
may call it otherwise under `[words]`), a group of
`metrics --by region`, and in the history. Every source reads it: by its name or a header, or by
`[source.columns]`.

In `match`, a value is read as the field's kind: `score = 10`, `signed_on = 2026-12-31` and
`strategic = true` are understood.

When a `[[field]]` goes, its values stay in the store, and `check` says so; when it is there again,
so are they. When it gets another kind, what is not a value of that kind is kept and shown as it is,
and `check` names each.

## Headers

A column is taken for a field by its header, whatever its letter case, in English, Swedish, German,
French, Spanish, Portuguese, Dutch, Danish, Norwegian, Finnish, Italian, Polish, Czech, Slovak,
Hungarian, Turkish and Romanian. Of
several in a file, the one that stands first here counts. Headers of your own fields count before
these.

| field | headers |
|---|---|
"""
IMPORTS: Final = """\

These columns are for imports only: they say something about other fields.

| column | says | headers |
|---|---|---|
"""


def lines() -> Iterator[str]:
    """Yields the page, line by line."""
    yield from INTRODUCTION.splitlines()
    yield from (f"| {' | '.join(_row(field))} |" for field in BUILT_IN)
    yield from OWN.splitlines()
    yield from (f"| `{kind}` | {KINDS[kind]} |" for kind in OWN_KINDS)
    yield from MORE.splitlines()
    yield from (f"| `{field.name}` | {_headers(field)} |" for field in BUILT_IN)
    yield from IMPORTS.splitlines()
    yield from (
        f"| `{column.name}` | {column.about} | {_headers(column)} |" for column in BUILT_IN.helpers
    )


def _row(field: DealField) -> Iterator[str]:
    yield f"`{field.name}`"
    yield field.about
    yield field.kind
    for said in (field.is_edited, field.placeholder, field.match):
        yield "yes" if said else ""
    yield field.fact.word if field.fact else ""


def _headers(field: DealField) -> str:
    return ", ".join(field.headers.split("|"))


if __name__ == "__main__":
    print("\n".join(lines()))
