"""``check``: everything that a run needs, looked at in advance; every problem at once."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import click

from taiga_pipeline.app.checking import Finding, check_all
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode, code_for
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json, style
from taiga_pipeline.cli.pipeline.mapping import report_overlooked
from taiga_pipeline.cli.wording import value_way
from taiga_pipeline.report.terminal import safe

YES: Final = "✓"
NO: Final = "✗"


@click.command()
@click.option("--offline", is_flag=True, help="Do not contact the target.")
@json_option
@pass_context
def check(context: CommandContext, offline: bool, as_json: bool) -> ExitCode:
    """Check the configuration, mappings, stores, the connection and the account's rights.

    Nothing is changed. All checks run, even if one fails.
    """
    findings = []
    for finding in check_all(context, offline=offline):
        findings.append(finding)
        report_overlooked(finding.overlooked)
        if not as_json:
            _show(finding)
    if as_json:
        every = all(finding.ok for finding in findings)
        print_json({"ok": every, "checks": [finding.to_json() for finding in findings]})
    return _code({code_for(finding.trouble) for finding in findings if not finding.ok})


def _code(codes: set[ExitCode]) -> ExitCode:
    """Returns the code for several problems: what is to be fixed here comes first."""
    return min(codes, default=ExitCode.DONE)


def _show(finding: Finding) -> None:
    if finding.ok:
        click.echo(f"{style(YES, colour='green')} {finding.name}: {safe(finding.summary)}")
        for each in finding.advice:
            click.echo(f"    {safe(each)}")
        return
    click.echo(f"{style(NO, colour='red')} {finding.name}")
    for problem, value in zip_longest(finding.problems, finding.unreadable):
        way = f": {value_way(value)}" if value else ""
        click.echo(f"    {safe(f'{problem}{way}')}")
