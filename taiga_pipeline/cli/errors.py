"""The one place where an error becomes a message on stderr and an exit code."""

from __future__ import annotations

import logging
import sys
import traceback as traceback_module
from typing import Final

import click

from taiga_pipeline.cli.exit_codes import ExitCode
from taiga_pipeline.cli.log import is_json
from taiga_pipeline.report.terminal import safe

_LOG: Final = logging.getLogger(__name__)

# Classes are named, not imported: one whose module was never imported cannot have been raised,
# and a mistyped option must not cost the import of a database library. The first match counts.
_CODES: Final[tuple[tuple[str, str, ExitCode], ...]] = (
    ("taiga_pipeline.problems", "ProblemsError", ExitCode.USAGE),
    ("taiga_pipeline.files", "CannotWrite", ExitCode.USAGE),
    ("sync.errors", "Refused", ExitCode.REFUSED),
    ("sync.errors", "Locked", ExitCode.LOCKED),
    ("sync.errors", "StateUnusable", ExitCode.USAGE),
    ("sync.errors", "Unauthorised", ExitCode.UNREACHABLE),
    ("sync.errors", "Unreachable", ExitCode.UNREACHABLE),
    ("sync.errors", "IncompleteRead", ExitCode.UNREACHABLE),
    ("sync.errors", "Interrupted", ExitCode.PARTIAL),
    ("sync.errors", "Unavailable", ExitCode.UNREACHABLE),
    ("sync.errors", "Malformed", ExitCode.UNREACHABLE),
    ("sync.errors", "Stop", ExitCode.USAGE),
    ("sync.errors", "SyncError", ExitCode.PARTIAL),
)

INTERRUPTED: Final = "Interrupted. What was done is on record; the next run goes on from there."
MORE: Final = "Run the same command with -v to see where it happened."


def exit_code(error: BaseException) -> ExitCode | None:
    """Returns the code of an error that was raised on purpose, None for any other."""
    for module_name, class_name, code in _CODES:
        kind = getattr(sys.modules.get(module_name), class_name, None)
        if kind is not None and isinstance(error, kind):
            return code
    return ExitCode.USAGE if _missing_packages(error) else None


def _missing_packages(error: BaseException | None) -> str:
    """Returns how to get what could not be imported, "" where no extra brings it."""
    while error is not None and not isinstance(error, ImportError):
        error = error.__cause__
    if error is None:
        return ""
    from taiga_pipeline.installing import explain_missing

    return explain_missing(error)


def report(error: Exception, *, traceback: bool = False) -> ExitCode:
    """Says on stderr what went wrong and returns the exit code for it."""
    if isinstance(error, click.Abort):
        click.echo(INTERRUPTED, err=True)
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return ExitCode.USAGE
    code = exit_code(error)
    if traceback:
        lines = "".join(traceback_module.format_exception(error))
        click.echo(safe(lines, keep_lines=True), err=True, nl=False)
    if code is not None:
        report_error(_with_packages(error))
        return code
    click.echo(f"Unexpected error: {safe(describe(error))}", err=True)
    if not traceback:
        click.echo(MORE, err=True)
    return ExitCode.UNEXPECTED


def _with_packages(error: Exception) -> str:
    from taiga_pipeline.cli.wording import words

    packages = _missing_packages(error)
    return (
        packages
        if isinstance(error, ImportError)
        else "; ".join(filter(None, [words(error), packages]))
    )


def report_error(message: str) -> None:
    """Says on stderr what went wrong, as the log looks."""
    if is_json():
        _LOG.error("%s", message)
    else:
        click.echo(f"Error: {safe(message, keep_lines=True)}", err=True)


def report_notice(message: str) -> None:
    """Says something on stderr that a person at the terminal should read, however quiet the log."""
    if is_json():
        _LOG.warning("%s", message)
    else:
        click.echo(message, err=True)


def describe(error: Exception) -> str:
    """Returns one line about an error that nobody foresaw."""
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{place}"
    first_line = str(error).strip().partition("\n")[0]
    name = type(error).__name__
    return f"{name}: {first_line}" if first_line else name
