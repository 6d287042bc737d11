"""`mapping`, for admins: errors with their places, why a deal looks so, what an edit does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taiga_pipeline.app.workspace import shortest
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.errors import report_notice
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import ReadFile, WrittenFile
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, style, to_json
from taiga_pipeline.cli.pipeline.file_text import write_result
from taiga_pipeline.files import PUBLIC, is_stdout
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.report.terminal import safe

if TYPE_CHECKING:
    from taiga_pipeline.mapping.demand import Staffing
    from taiga_pipeline.mapping.diff import DealDifference, Tally
    from taiga_pipeline.mapping.load import Replacement
    from taiga_pipeline.mapping.mapping_set import MappingSet
    from taiga_pipeline.pipeline.fields.field import FieldTable
    from taiga_pipeline.pipeline.model import Deal
    from taiga_pipeline.sources.port import DealReading

SHOWN: int = 20
"""How many deals `mapping diff` lists when not told otherwise."""


@click.group()
def mapping() -> None:
    """The rules that turn deals into projects: check, explain, compare."""


@mapping.command()
@click.argument("paths", nargs=-1, type=ReadFile())
@json_option
@pass_context
def check(context: CommandContext, paths: tuple[Path, ...], as_json: bool) -> int:
    """Find every problem in the mapping files, each with file, line and column.

    PATHS are files or folders; left out, those of the configuration.
    """
    from taiga_pipeline.mapping.check import shortcomings
    from taiga_pipeline.mapping.load import load_mappings

    places = list(paths) or [shortest(context.settings.sync.mappings)]
    try:
        mappings = load_mappings(places, _fields_of(context))
        lacking = [problem for rules in mappings.rules for problem in shortcomings(rules)]
        if lacking:
            raise ProblemsError(lacking)
    except ProblemsError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": [_problem_json(each) for each in error.problems]})
        return ExitCode.USAGE
    _report_mappings(mappings, as_json=as_json)
    report_overlooked(places)
    return ExitCode.DONE


def _fields_of(context: CommandContext) -> FieldTable:
    """Returns the fields that deals have; without a configuration, the built-in ones."""
    from taiga_pipeline.pipeline.fields.table import BUILT_IN

    return context.fields if context.config_path.exists() else BUILT_IN


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
        click.echo(safe(f"{rule.file}: {rule.name} is valid ({stages})"))


def report_overlooked(places: Iterable[Path]) -> None:
    """Says on stderr which files beside the mappings were probably meant to be some."""
    from taiga_pipeline.mapping.load import SUFFIX, overlooked

    for place in places:
        for file in overlooked(place):
            report_notice(safe(f"{file}: is not read, as its name does not end in {SUFFIX}"))


@mapping.command()
@click.argument("deal")
@json_option
@pass_context
def explain(context: CommandContext, deal: str, as_json: bool) -> None:
    """Show why the project of DEAL looks as it does: file, rule and values of every field."""
    from taiga_pipeline.mapping.demand import Staffing
    from taiga_pipeline.mapping.explain import explain as explain_deal

    mappings = context.load_mappings()
    reading = context.make_deal_source().read()
    found = _find(reading, deal)
    staffing = Staffing(reading.allocations.get(found.key, ()), reading.people)
    explanation = explain_deal(mappings, found, staffing, context.today)
    if as_json:
        print_json(explanation.to_json())
        return
    for line in explanation.lines():
        click.echo(safe(line))


def _find(reading: DealReading, key: str) -> Deal:
    """Returns the deal of a key.

    :raises ProblemsError: there is none, or it cannot be read.
    """
    from taiga_pipeline.sources.port import going_through

    key, alike = key.strip(), ""
    with going_through(reading.deals) as deals:
        for deal in deals:
            if deal.key == key:
                return deal
            if deal.key.casefold() == key.casefold():
                alike = f"; did you mean {deal.key!r}?"
    for row in reading.quarantined:
        if row.key == key:
            raise ProblemsError([Problem(f"{row.place}: {row.reason}")])
    message = f"there is no deal {key!r}{alike or '; see pipeline-sync deals list'}"
    raise ProblemsError([Problem(message)])


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
    """Show what an edited mapping would change, before it is in force.

    NEW is a folder that would take the place of all mapping files, or one file that would take
    the place of the mapping that it names itself after, or of the file of the same name (or be
    added). The target is not asked: conflicts with people's edits are shown by `plan` once the
    mapping is in force. What is big, measured by the limits of a run, is said first.
    """
    from taiga_pipeline.mapping.diff import Tally, compare_all
    from taiga_pipeline.mapping.load import load_mappings, replacing

    folder = shortest(context.settings.sync.mappings)
    place = replacing(folder, new)
    old_rules, new_rules = (load_mappings(each, context.fields) for each in (place.old, place.new))
    reading = context.make_deal_source().read()
    there = _keys_with_project(context)
    differences = compare_all(
        _with_staffing(reading),
        old_rules,
        new_rules,
        context.today,
        there,
    )
    tally = Tally()
    differing = _counted(differences, tally)
    limits = context.settings.limits.by_name()
    if as_json:
        from taiga_pipeline.report.plan_json import breach_json

        deals = [difference.to_json() for difference in differing]
        breaches = tally.size.breaches(len(there), limits)
        summary = {
            **tally.to_json(),
            "limits": [breach_json(breach) for breach in breaches],
            "replaces": [str(file) for file in place.replaced],
        }
        print_json({"summary": summary, "deals": deals})
        return
    shown = list(islice(differing, limit))
    rest = sum(1 for _ in differing)
    report_notice(safe(_what_it_replaces(new, place)))
    big = tally.size.line(tally.size.breaches(len(there), limits))
    if big:
        click.echo(style(safe(big), bold=True))
    _report_differences(shown, rest, tally)


def _what_it_replaces(new: Path, place: Replacement) -> str:
    if new.is_dir():
        return f"{new} replaces all current mappings in this comparison"
    if not place.replaced:
        return f"{new} is added to the current mappings in this comparison"
    why = f", {place.why}" if place.why else ""
    return f"{new} is compared in place of {', '.join(map(str, place.replaced))}{why}"


def _with_staffing(reading: DealReading) -> Iterator[tuple[Deal, Staffing]]:
    from taiga_pipeline.mapping.demand import Staffing

    for deal in reading.deals:
        yield deal, Staffing(reading.allocations.get(deal.key, ()), reading.people)


def _keys_with_project(context: CommandContext) -> frozenset[str]:
    """Returns the keys of deals whose project is kept in step, as far as any run was made."""
    from taiga_pipeline.app.state_access import state_to_read

    with state_to_read(context) as state:
        return frozenset(key for key, row in state.index().items() if row.is_followed)


def _counted(
    differences: Iterable[DealDifference | None], tally: Tally
) -> Iterator[DealDifference]:
    for difference in differences:
        tally.count(difference)
        if difference is not None:
            yield difference


def _report_differences(shown: list[DealDifference], rest: int, tally: Tally) -> None:
    first, *more = tally.lines()
    click.echo(style(first, bold=True))
    for line in more:
        click.echo(line)
    for difference in shown:
        click.echo()
        for line in difference.lines():
            click.echo(safe(line))
    if rest:
        click.echo(f"\nAnd {rest} more; --limit {rest + len(shown)} lists all of them.")


@mapping.command()
@click.option("--out", type=WrittenFile(), help="Write it to this file.")
@pass_context
def schema(context: CommandContext, out: Path | None) -> None:
    """Print the JSON Schema of mapping files, for editors that complete and check by one.

    In editors that use taplo (Even Better TOML), write `#:schema FILE` at the top of a mapping.
    """
    from taiga_pipeline.mapping.schema import mapping_schema

    table = _fields_of(context)
    if out is None:
        print_json(mapping_schema(table))
        return
    write_result(out, to_json(mapping_schema(table)) + "\n", PUBLIC)
    click.echo(f"Wrote: {out}", err=is_stdout(out))
