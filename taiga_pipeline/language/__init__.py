"""Texts for people, in their language: `text` as ``_``, `plural`, `marked`, `translated`.

English is what the code holds, and what a text is known by: a catalogue has the other languages
(gettext: ``catalogues/LANGUAGE/LC_MESSAGES/pipeline_sync.po``, compiled to the ``.mo`` beside it).
What programs read stays English: JSON, keys, logs, what a store or the state keeps.

How to write such a text is described in CONTRIBUTING.md.
"""

from __future__ import annotations

from taiga_pipeline.language.choosing import (
    ENGLISH,
    LANGUAGES,
    begin,
    matching,
    of_environment,
    use,
    used,
)
from taiga_pipeline.language.recognising import translated
from taiga_pipeline.language.texts import counted, figure, marked, meant, plural, text

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "begin",
    "counted",
    "figure",
    "marked",
    "matching",
    "meant",
    "of_environment",
    "plural",
    "text",
    "translated",
    "use",
    "used",
]
