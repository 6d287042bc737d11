"""Colours for what a report marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import click

from taiga_pipeline.cli.output import use_colour
from taiga_pipeline.report.plan_text import Paint, Tone, plain

_COLOURS: Final[Mapping[Tone, Callable[[str], str]]] = {
    Tone.ADD: lambda text: click.style(text, fg="green"),
    Tone.CHANGE: lambda text: click.style(text, fg="yellow"),
    Tone.REMOVE: lambda text: click.style(text, fg="red"),
    Tone.WARNING: lambda text: click.style(text, fg="red", bold=True),
    Tone.QUIET: lambda text: click.style(text, dim=True),
    Tone.STRONG: lambda text: click.style(text, bold=True),
}


def painter() -> Paint:
    """Returns what colours text on stdout, or leaves it plain where stdout shows no colour."""
    return (lambda text, tone: _COLOURS[tone](text)) if use_colour() else plain
