"""The one place where an error becomes a message on stderr and an exit code."""

from __future__ import annotations

import logging
import traceback as traceback_module
from typing import Final

import click

from taiga_pipeline.app.trouble import describe, missing_packages, trouble_of
from taiga_pipeline.cli.exit_codes import ExitCode, code_for
from taiga_pipeline.cli.log import is_json
from taiga_pipeline.language import ENGLISH, marked, translated, use
from taiga_pipeline.language import text as _
from taiga_pipeline.report.terminal import safe

_LOG: Final = logging.getLogger(__name__)

INTERRUPTED: Final = marked(
    "Interrupted. What was done is recorded; the next run continues from there."
)
MORE: Final = marked("Run the same command with -v to see where it happened.")


def exit_code(error: BaseException) -> ExitCode | None:
    """Returns the code of an error that was raised on purpose, None for any other."""
    trouble = trouble_of(error)
    return code_for(trouble) if trouble else None


def report(error: Exception, *, traceback: bool = False) -> ExitCode:
    """Says on stderr what went wrong and returns the exit code for it."""
    if isinstance(error, click.Abort):
        click.echo(_(INTERRUPTED), err=True)
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        vars(error)["message"] = translated(error.message)
        error.show()
        return ExitCode.USAGE
    code = exit_code(error)
    if traceback:
        lines = "".join(traceback_module.format_exception(error))
        click.echo(safe(lines, keep_lines=True), err=True, nl=False)
    if code is not None:
        with use(ENGLISH if is_json() else ""):
            report_error(_with_packages(error))
        return code
    click.echo(_("Unexpected error: {describe}", describe=safe(describe(error))), err=True)
    if not traceback:
        click.echo(_(MORE), err=True)
    return ExitCode.UNEXPECTED


def _with_packages(error: Exception) -> str:
    from taiga_pipeline.cli.wording import words

    packages = missing_packages(error)
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
        click.echo(
            _("Error: {message}", message=translated(safe(message, keep_lines=True))), err=True
        )


def report_notice(message: str) -> None:
    """Says something on stderr that a person at the terminal should read, however quiet the log."""
    if is_json():
        _LOG.warning("%s", message)
    else:
        click.echo(translated(message), err=True)
