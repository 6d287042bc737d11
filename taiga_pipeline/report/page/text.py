"""The one way of a text into the page."""

from __future__ import annotations

from html import escape as escape_html

from taiga_pipeline.report.terminal import safe


def escape(text: str) -> str:
    """Returns ``text`` as text of the page; characters that hide or reorder text are shown."""
    return escape_html(safe(text), quote=True)
