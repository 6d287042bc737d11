"""Fields of a deal that are named on the command line: ``--set region=North``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from click.shell_completion import CompletionItem

from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.pipeline.deal_text import CLOSE
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.pipeline.columns import check_field
from taiga_pipeline.pipeline.errors import FixedFields, InvalidValue
from taiga_pipeline.pipeline.fields.field import FieldTable
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.problems import ProblemsError


def fields_named(context: CommandContext, option: str, pairs: Sequence[str]) -> Mapping[str, str]:
    """Splits ``field=text``; what is given twice must be the same.

    :raises InvalidValue: there is no such field; names the nearest.
    """
    found: dict[str, str] = {}
    problems: list[str] = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(
                _("{option} {pair!r}: write {option} FIELD=TEXT", option=option, pair=pair)
            )
        try:
            field = check_field(name, context.fields.names)
        except InvalidValue as error:
            problems.append(f"{option} {pair}: {error}")
            continue
        if found.setdefault(field, text.strip()) != text.strip():
            problems.append(
                _(
                    "{option} {pair}: {field} is {found!r} already; leave one out",
                    option=option,
                    pair=pair,
                    field=field,
                    found=found[field],
                )
            )
    if problems:
        raise InvalidValue(*problems)
    return found


def fields_given(context: CommandContext, pairs: Sequence[str]) -> Mapping[str, str]:
    """Returns what fields are set to.

    :raises InvalidValue: there is no such field.
    :raises FixedFields: one has its own way of changing.
    """
    found = fields_named(context, "--set", pairs)
    fixed = [name for name in found if not context.fields[name].is_edited]
    if fixed:
        raise FixedFields(fixed)
    return found


def columns_named(context: CommandContext, texts: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that were asked for: ``key,region``; repeated options add to them.

    :raises InvalidValue: there is no such field; names the nearest.
    """
    asked = [name.strip() for text in texts for name in text.split(",")]
    known = (*context.fields.names, CLOSE)
    problems: list[str] = []
    found: dict[str, None] = {}
    for name in filter(None, asked):
        try:
            found[check_field(name, known)] = None
        except InvalidValue as error:
            problems.append(_("--columns {name}: {error}", name=name, error=translated(str(error))))
    if problems:
        raise InvalidValue(*problems)
    return tuple(found)


def complete_columns(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Completes the last of several names of fields."""
    before, comma, last = begun.rpartition(",")
    names = (*_table(context).names, CLOSE)
    return [CompletionItem(f"{before}{comma}{name}") for name in names if name.startswith(last)]


def complete_fields(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Completes the name of a field, also of one of the user's own where a configuration is."""
    names = (field.name for field in _table(context) if field.is_edited)
    return [CompletionItem(f"{name}=") for name in names if f"{name}=".startswith(begun)]


def _table(context: click.Context) -> FieldTable:
    workspace = context.find_object(CommandContext) or CommandContext()
    path = context.find_root().params.get("config")
    if path:
        workspace.use_config(str(path))
    try:
        return workspace.fields
    except ProblemsError:  # which is reported where a command is run
        return BUILT_IN
