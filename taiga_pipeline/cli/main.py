"""The entry point: global options, the table of commands, exit codes."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import Any, Final, TextIO

import click

from taiga_pipeline import __version__
from taiga_pipeline.cli.context import CommandContext
from taiga_pipeline.cli.errors import exit_code, report
from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.file_arguments import DASH
from taiga_pipeline.cli.lazy import Entry, LazyGroup
from taiga_pipeline.cli.memory import look_no_more, look_seldom
from taiga_pipeline.cli.translated_help import click_in_language, follow_language
from taiga_pipeline.files import CannotWrite
from taiga_pipeline.language import begin, marked, used
from taiga_pipeline.language import text as _
from taiga_pipeline.problems import Problem, ProblemsError

_SYNC = marked("Keep in step")
_DATA = marked("Deals, people, rules")
_PLANNING = marked("Look ahead")
_FLEET = marked("Many pipelines")
_SETUP = marked("Set up and try out")

COMMANDS: dict[str, Entry] = {
    "plan": Entry(".sync.plan_and_run:plan", "Show what a run would change.", _SYNC),
    "run": Entry(".sync.plan_and_run:run", "Plan and apply.", _SYNC),
    "status": Entry(".sync.status:status", "Show how the last run went.", _SYNC),
    "history": Entry(".sync.history:history", "Show who changed what, when.", _SYNC),
    "conflicts": Entry(".sync.status:conflicts", "List what waits for you.", _SYNC),
    "digest": Entry(".sync.digest:digest", "Tell what waits for whom.", _SYNC),
    "resolve": Entry(".sync.manual_actions:resolve", "Settle a conflict.", _SYNC),
    "adopt": Entry(".sync.manual_actions:adopt", "Bind a deal to a project.", _SYNC),
    "join": Entry(".pipeline.deals_join:join", "Put deals into one project.", _SYNC),
    "unlink": Entry(".sync.manual_actions:unlink", "Stop following a deal.", _SYNC),
    "state": Entry(".sync.state_move:state", "Move to another server.", _SYNC),
    "backup": Entry(".sync.backup:backup", "Copy the state and the store.", _SYNC),
    "store": Entry(".sync.store_copy:store", "Move to another database.", _SYNC),
    "deals": Entry(".pipeline.deals:deals", "The deals of the pipeline.", _DATA),
    "changes": Entry(".pipeline.changes:changes", "What changed since a day.", _DATA),
    "customers": Entry(".pipeline.customers:customers", "Who buys, what was learnt.", _DATA),
    "people": Entry(".pipeline.people:people", "Who can do the work.", _DATA),
    "calendar": Entry(".pipeline.calendar:calendar", "The days, for calendars.", _DATA),
    "mapping": Entry(".pipeline.mapping:mapping", "The rules, explained.", _DATA),
    "capacity": Entry(".planning.capacity:capacity", "Who is short, when, and why.", _PLANNING),
    "forecast": Entry(".planning.forecast:forecast", "What will be won.", _PLANNING),
    "metrics": Entry(".planning.metrics:metrics", "What the past says.", _PLANNING),
    "report": Entry(".planning.report:report", "Everything on one page.", _PLANNING),
    "scenario": Entry(".planning.scenario:scenario", "What if.", _PLANNING),
    "staff": Entry(".planning.staff:staff", "Who should do what.", _PLANNING),
    "worker": Entry(".fleet.worker:worker", "Run what is due, with others.", _FLEET),
    "enqueue": Entry(".fleet.worker:enqueue", "Run pipelines now.", _FLEET),
    "web": Entry(".setup.web:web", "Serve pages to browsers.", _SETUP),
    "init": Entry(".setup.init:init", "Write a first configuration.", _SETUP),
    "secrets": Entry(".setup.secrets:secrets", "Change passwords and keys.", _SETUP),
    "check": Entry(".setup.check:check", "Find every problem at once.", _SETUP),
    "schedule": Entry(".setup.schedule:schedule", "Print a timer entry.", _SETUP),
    "demo": Entry(".setup.demo:demo", "Show the whole story.", _SETUP),
    "sandbox": Entry(".setup.sandbox:sandbox", "Serve a small Taiga.", _SETUP),
}


def _set_config(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value == DASH:
        raise click.UsageError(
            _("--config -: the configuration is a file; for that name write './-'")
        )
    if value is not None:
        ctx.ensure_object(CommandContext).use_config(value)
        follow_language()


def _set_verbose(ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    if value:
        ctx.ensure_object(CommandContext).be_verbose(value)


def _set_quiet(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(CommandContext).be_quiet()


def _set_log_format(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(CommandContext).use_log_format(value)


_CallBack = Callable[[click.Context, click.Parameter, Any], None]


def _option(callback: _CallBack, *names: str, **settings: Any) -> click.Option:
    return click.Option(names, callback=callback, expose_value=False, is_eager=True, **settings)


CONFIG_HELP = marked("The configuration (default: config.toml here, or $PIPELINE_SYNC_CONFIG).")
SHARED_OPTIONS: tuple[click.Parameter, ...] = (
    _option(_set_config, "--config", metavar="FILE", help=CONFIG_HELP),
    _option(_set_verbose, "--verbose", "-v", count=True, help="Print more on stderr (-vv: all)."),
    _option(_set_quiet, "--quiet", "-q", is_flag=True, help="Print errors only."),
    _option(
        _set_log_format,
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="How stderr looks (default: text, or what the configuration says).",
    ),
)


_OUTPUT: Final = Path("standard output")


class _ReaderGone(Exception):
    """The reader of stdout is gone (``| head``): the output ends, without an error."""


@contextmanager
def _noticing_readers() -> Iterator[None]:
    """Tells a stdout that takes no more from other errors, before click makes a code 1 of it."""
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGone from error
    except OSError as error:
        if _while_printing(error):
            _discard_output()
            raise CannotWrite(_OUTPUT, error) from error
        raise


def _while_printing(error: OSError) -> bool:
    """Whether an error comes from what is printed, rather than from a file."""
    return any(frame.f_code is click.echo.__code__ for frame, _line in walk_tb(error.__traceback__))


def _refused_output() -> CannotWrite | None:
    """Returns why stdout takes nothing (its disk is full), None if it does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        _discard_output()
        return CannotWrite(_OUTPUT, error)
    return None


class RootGroup(LazyGroup):
    """The program. Every error leaves through `report`, every ending through `ExitCode`."""

    entries = COMMANDS
    shared_options = SHARED_OPTIONS

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs a command line; ends the process with the documented exit code."""
        context = extra.pop("obj", None) or CommandContext()
        former = used()
        context.choose_language()
        try:
            with click_in_language():
                return self._main(context, *args, **extra)
        finally:
            begin(former)

    def _main(self, context: CommandContext, *args: Any, **extra: Any) -> Any:
        standalone = extra.pop("standalone_mode", True)
        is_said = False
        run: Callable[..., Any] = super().main
        try:
            result = run(*args, standalone_mode=False, obj=context, **extra)
        except _ReaderGone:
            _discard_output()
            result = ExitCode.DONE
        except Exception as error:
            is_said = isinstance(error, CannotWrite)
            result = _report(_folder_gone() or error, context)
        if (refused := _refused_output()) and not is_said:
            result = _report(refused, context)
        _end_errors()
        code = int(result) if isinstance(result, int) else int(ExitCode.DONE)
        if not standalone:
            return code
        sys.exit(code)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parses a command line; prints help and version."""
        with _noticing_readers():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Invokes a command."""
        with _noticing_readers():
            return super().invoke(ctx)


def _end_errors() -> None:
    """Writes what stderr still holds; where that cannot be, the exit code has to do."""
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def _discard_output() -> None:
    _discard(sys.stdout)


def _discard(stream: TextIO) -> None:
    """Sends what is still buffered nowhere, or the interpreter ends with a code of its own."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@click.command(
    cls=RootGroup,
    params=list(SHARED_OPTIONS),
    context_settings={"help_option_names": ["--help", "-h"]},
)
@click.version_option(__version__, prog_name="pipeline-sync", message="%(prog)s %(version)s")
@click.pass_obj
def cli(context: CommandContext) -> None:
    """Keep a sales pipeline and Taiga in step.

    Deals at the proposal stage become tentative projects, won deals become staffed ones, lost
    deals are retired. People's edits in Taiga survive.
    """
    context.start_logging()


def _folder_gone() -> Exception | None:
    """Returns what is wrong if the folder that the program was started in is there no more."""
    try:
        os.getcwd()  # noqa: PTH109 - it asks the system, whatever else is done with it
    except OSError as error:
        reason = _("the current folder does not exist: {strerror}", strerror=error.strerror)
        return ProblemsError([Problem(reason)])
    return None


def _report(error: Exception, context: CommandContext) -> ExitCode:
    """Says what went wrong; where not even that can be written, the exit code has to do."""
    try:
        return report(error, traceback=context.verbosity > 0)
    except OSError:
        known = ExitCode.USAGE if isinstance(error, click.ClickException) else exit_code(error)
        return known or ExitCode.UNEXPECTED


def _occupy_streams() -> None:
    """Opens what the caller closed (``>&-``), to nowhere.

    The next file that is opened would take its number, and what is printed would go into a store.
    """
    for number, mode in ((0, "r"), (1, "w"), (2, "w")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            name = ("stdin", "stdout", "stderr")[number]
            stream = os.fdopen(number, mode, encoding="utf-8", closefd=False)
            setattr(sys, name, stream)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Writes what an encoding cannot hold as ``\\u00e5``, which JSON reads as well."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


def _print_in_any_encoding() -> None:
    """Lets stdout and stderr take every character, whatever the machine's locale is."""
    codecs.register_error("pipeline-sync-escape", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and "utf" not in stream.encoding.casefold():
            stream.reconfigure(errors="pipeline-sync-escape")


def main() -> None:
    """Runs the program (the console script)."""
    _occupy_streams()
    _print_in_any_encoding()
    look_seldom()
    # Nothing here uses plugins of pydantic, and looking for them reads all installed packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # The matrices of planning are small: other threads would spend processor time on waiting.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        cli(prog_name="pipeline-sync")
    finally:
        look_no_more()
