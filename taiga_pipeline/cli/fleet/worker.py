"""``worker`` and ``enqueue``: many pipelines, on many machines."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from taiga_pipeline.app.extras import need_extra
from taiga_pipeline.cli.context import CommandContext, pass_context
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import DASH
from taiga_pipeline.cli.memory import look_often
from taiga_pipeline.cli.options import json_option
from taiga_pipeline.cli.output import print_json
from taiga_pipeline.language import plural
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import ProblemsError

if TYPE_CHECKING:
    from taiga_pipeline.workers.decisions import Ending
    from taiga_pipeline.workers.fleet import Fleet, Member

FLEET_VARIABLE: Final = "PIPELINE_SYNC_FLEET"
DEFAULT_FLEET: Final = "workers.toml"

PRELOADED: Final = (
    "requests",
    "taiga_pipeline.cli.fleet.worker_child",
    "taiga_pipeline.mapping.load",
    "taiga_pipeline.people.store",
    "taiga_pipeline.sources.csv_file",
    "taiga_pipeline.sources.mapped",
    "taiga_pipeline.sources.registry",
    "taiga_pipeline.sources.store",
    "taiga_pipeline.targets.registry",
    "taiga_pipeline.targets.taiga.adapter",
)
"""What nearly every run uses: loaded once, before runs are forked."""

fleet_option = click.option(
    "--fleet",
    "fleet_path",
    metavar="FILE",
    help="Which pipelines there are (default: workers.toml here, or $PIPELINE_SYNC_FLEET).",
)
setup_option = click.option(
    "--setup", is_flag=True, help="Make or upgrade the queue's tables, and end."
)


def find_fleet(context: CommandContext, given: str | None) -> Path:
    """Returns the fleet's file: ``--fleet``, else the variable, else ``./workers.toml``."""
    if given == DASH:
        raise click.UsageError(_("--fleet -: the fleet is a file; for that name write './-'"))
    return Path(given or context.environment.get(FLEET_VARIABLE) or DEFAULT_FLEET)


@click.command()
@fleet_option
@setup_option
@click.option("--check", is_flag=True, help="Report what is wrong with the fleet, and end.")
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="N",
    help="How many runs at a time (default: from the fleet).",
)
@pass_context
def worker(
    context: CommandContext,
    fleet_path: str | None,
    setup: bool,
    check: bool,
    once: bool,
    concurrency: int | None,
) -> ExitCode:
    """Run the pipelines of a fleet as they become due, together with other workers.

    Start as many as you like, on as many machines as you like. Two workers never run a pipeline at
    once. If a worker dies, others run its pipelines. SIGTERM and Ctrl-C end it in order: it
    finishes its current actions and leaves the rest to the others.

    With --once, exits with 3 if a run did not finish or left something for a person.
    """
    need_extra("worker", "workers", "procrastinate", "psycopg", "croniter")
    path = find_fleet(context, fleet_path)
    if setup:
        return _set_up(context, path)
    if check:
        return _check(path)
    return _serve(context, path, once=once, concurrency=concurrency)


def _set_up(context: CommandContext, path: Path) -> ExitCode:
    from taiga_pipeline.workers.fleet import read_fleet
    from taiga_pipeline.workers.tables import set_up

    steps = set_up(read_fleet(path).queue.address(context.environment))
    click.echo(
        _("The queue's tables are ready.") if steps else _("The queue's tables were up to date.")
    )
    return ExitCode.DONE


def _check(path: Path) -> ExitCode:
    from taiga_pipeline.workers.fleet import read_fleet

    fleet = read_fleet(path)
    if fleet.problems:
        raise ProblemsError(fleet.problems)
    count, hosts = len(fleet.members), len({member.host for member in fleet.members.values()})
    click.echo(
        plural(
            "{pipelines} on {number} host, no problems found.",
            "{pipelines} on {number} hosts, no problems found.",
            hosts,
            pipelines=_pipelines(count),
        )
    )
    return ExitCode.DONE


def _pipelines(count: int) -> str:
    return plural("{number} pipeline", "{number} pipelines", count)


def _serve(context: CommandContext, path: Path, *, once: bool, concurrency: int | None) -> ExitCode:
    from taiga_pipeline.cli.fleet.worker_child import carry_out
    from taiga_pipeline.workers.children import Children
    from taiga_pipeline.workers.fleet import FleetReader
    from taiga_pipeline.workers.service import Service, wait_for_tables

    _quieten(context)
    look_often()
    reader = FleetReader(path)
    url = reader.read().queue.address(context.environment)
    wait_for_tables(url, context.clock, patient=not once)
    children = Children(
        carry_out,
        PRELOADED,
        context.verbosity,
        context.quiet,
        context.log_format,
    )
    service = Service(
        reader,
        url,
        children,
        random.random,
        f"{socket.gethostname()}:{os.getpid()}",
        concurrency,
        once,
    )
    service.serve()
    return _code(service.ended) if once else ExitCode.DONE


def _quieten(context: CommandContext) -> None:
    """The libraries tell much; it is wanted with ``-vv`` only."""
    import logging

    for name in ("procrastinate", "psycopg"):
        logging.getLogger(name).setLevel(
            logging.DEBUG if context.verbosity > 1 else logging.CRITICAL
        )


def _code(ended: Mapping[Ending, int]) -> ExitCode:
    from taiga_pipeline.workers.decisions import Ending

    fine = {Ending.DONE, Ending.STOPPED, Ending.LOCKED}
    return ExitCode.DONE if set(ended) <= fine else ExitCode.PARTIAL


@click.command()
@click.argument("names", metavar="PIPELINE...", nargs=-1)
@fleet_option
@setup_option
@click.option("--all", "every", is_flag=True, help="All pipelines of the fleet.")
@json_option
@pass_context
def enqueue(
    context: CommandContext,
    names: tuple[str, ...],
    fleet_path: str | None,
    setup: bool,
    every: bool,
    as_json: bool,
) -> ExitCode:
    """Run pipelines on the next free worker, ahead of those that are due by schedule.

    A pipeline that is queued already is not queued twice. One that waits to be tried again runs at
    once. One that is running is run once more afterwards.
    """
    need_extra("enqueue", "workers", "procrastinate", "psycopg", "croniter")
    path = find_fleet(context, fleet_path)
    if setup:
        return _set_up(context, path)
    if bool(names) == every:
        raise click.UsageError(_("Name the pipelines to run, or use --all."))
    from taiga_pipeline.workers.fleet import read_fleet

    _quieten(context)
    fleet = read_fleet(path)
    members = list(fleet.members.values()) if every else fleet.find(names)
    new = _enqueue(context, fleet, members)
    if as_json:
        print_json({"asked": len(members), "queued": new})
    else:
        rest = len(members) - new
        waits = _("; {pipelines} waited already", pipelines=_pipelines(rest)) if rest else ""
        click.echo(_("Queued {pipelines}{waits}.", pipelines=_pipelines(new), waits=waits))
    return ExitCode.DONE


def _enqueue(context: CommandContext, fleet: Fleet, members: list[Member]) -> int:
    from taiga_pipeline.workers.jobs import hurry
    from taiga_pipeline.workers.ledger import Ledger
    from taiga_pipeline.workers.tables import check

    url = fleet.queue.address(context.environment)
    check(url)
    ledger = Ledger(url, fleet.queue.name)
    try:
        return asyncio.run(hurry(url, ledger, members))
    finally:
        ledger.close()
