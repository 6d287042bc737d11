"""`mapping`, for admins: errors with their places, why a deal looks so, what an edit does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app import mappings as use
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.errors import report_notice
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, style, to_json
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.cli.translated_help import TranslatedGroup
from taiga_pipeline.files import PUBLIC, is_stdout
from taiga_pipeline.language import text as _
from taiga_pipeline.language import translated
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.mapping.load import Replacement
    from taiga_pipeline.mapping.mapping_set import MappingSet

SHOWN: int = 20
"""How many deals `mapping diff` lists unless an option says otherwise."""


@click.group(cls=TranslatedGroup)
def mapping() -> None:
    """The rules that turn deals into projects: check, explain, compare."""


@mapping.command()
@click.argument("paths", nargs=-1, type=ReadFile())
@json_option
@pass_context
def check(context: CommandContext, paths: tuple[Path, ...], as_json: bool) -> int:
    """Find every problem in the mapping files, each with file, line and column.

    PATHS are files or folders (default: those of the configuration).
    """
    try:
        checked = use.check_mappings(context, paths)
    except ProblemsError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": [_problem_json(each) for each in error.problems]})
        return ExitCode.USAGE
    _report_mappings(checked.mappings, as_json=as_json)
    report_overlooked(checked.overlooked)
    _report_renamed(checked.renamed)
    return ExitCode.DONE


def _report_renamed(renamed: Sequence[Problem]) -> None:
    for each in renamed:
        report_notice(safe(f"{each.place}: {translated(each.message)}"))


def _problem_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
    }


def _report_mappings(mappings: MappingSet, *, as_json: bool) -> None:
    if as_json:
        found = [
            {"name": rule.name, "file": rule.file, "stages": [each.name for each in rule.stages]}
            for rule in mappings.rules
        ]
        print_json({"ok": True, "mappings": found})
        return
    for rule in mappings.rules:
        stages = ", ".join(stage.name for stage in rule.stages)
        click.echo(
            safe(
                _(
                    "{file}: {name} is valid ({stages})",
                    file=rule.file,
                    name=rule.name,
                    stages=stages,
                )
            )
        )


def report_overlooked(files: Iterable[Path]) -> None:
    """Says on stderr which files beside the mappings were probably meant to be some."""
    from taiga_pipeline.mapping.load import SUFFIX

    for file in files:
        report_notice(
            safe(
                _(
                    "{file}: is not read, as its name does not end in {suffix}",
                    file=file,
                    suffix=SUFFIX,
                )
            )
        )


@mapping.command()
@click.argument("deal")
@json_option
@pass_context
def explain(context: CommandContext, deal: str, as_json: bool) -> None:
    """Show why the project of DEAL looks as it does: file, rule and values of every field."""
    explanation = use.explain_project(context, deal)
    if as_json:
        print_json(explanation.to_json())
        return
    for line in explanation.lines():
        click.echo(safe(line))


@mapping.command()
@click.argument("new", type=ReadFile(exists=True))
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=SHOWN,
    show_default=True,
    help="How many deals to list (the summary counts all of them).",
)
@json_option
@pass_context
def diff(context: CommandContext, new: Path, limit: int, as_json: bool) -> None:
    """Show what an edited mapping would change, before you use it.

    NEW is a folder that replaces all mapping files, or one file that replaces the mapping of the
    same name, or the file of the same name (or is added). The target is not read: `plan` shows
    conflicts with people's edits once the mapping is used. Changes beyond the limits of a run are
    reported first.
    """
    found = use.compare_mappings(context, new, None if as_json else limit)
    if as_json:
        print_json(_compared_json(found))
        return
    report_notice(safe(_what_it_replaces(new, found.place)))
    _report_renamed(found.renamed)
    big = found.tally.size.line(list(found.breaches))
    if big:
        click.echo(style(safe(big), bold=True))
    _report_differences(found)


def _compared_json(found: use.Compared) -> dict[str, object]:
    from taiga_pipeline.report.plan_json import breach_json

    summary = {
        **found.tally.to_json(),
        "limits": [breach_json(breach) for breach in found.breaches],
        "renamed": [str(each) for each in found.renamed],
        "replaces": [str(file) for file in found.place.replaced],
    }
    return {"summary": summary, "deals": [each.to_json() for each in found.differences]}


def _what_it_replaces(new: Path, place: Replacement) -> str:
    if new.is_dir():
        return _("{new} replaces all current mappings in this comparison", new=new)
    if not place.replaced:
        return _("{new} is added to the current mappings in this comparison", new=new)
    why = f", {place.why}" if place.why else ""
    return _(
        "{new} replaces {replaced} in this comparison{why}",
        new=new,
        replaced=", ".join(map(str, place.replaced)),
        why=translated(why),
    )


def _report_differences(found: use.Compared) -> None:
    first, *more = found.tally.lines()
    click.echo(style(first, bold=True))
    for line in more:
        click.echo(line)
    for difference in found.differences:
        click.echo()
        for line in difference.lines():
            click.echo(safe(line))
    if found.rest:
        every = found.rest + len(found.differences)
        click.echo(
            _("\nAnd {rest} more; --limit {every} lists all of them.", rest=found.rest, every=every)
        )


@mapping.command()
@click.option("--out", type=WrittenFile(), help="Write it to this file.")
@pass_context
def schema(context: CommandContext, out: Path | None) -> None:
    """Print the JSON Schema of mapping files, for editors that complete and check files with it.

    In editors that use taplo (Even Better TOML), write `#:schema FILE` at the top of a mapping.
    """
    from taiga_pipeline.mapping.schema import mapping_schema

    table = use.known_fields(context)
    if out is None:
        print_json(mapping_schema(table))
        return
    write_result(out, to_json(mapping_schema(table)) + "\n", PUBLIC)
    click.echo(_("Wrote: {out}", out=out), err=is_stdout(out))
