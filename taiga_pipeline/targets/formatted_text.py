"""Makes texts fit tools that show them as Markdown or Textile: what is a deal's word stays a word.

In both, images are loaded from wherever a text says, and ``{{name}}`` may run a macro; "@name"
mails a person or notifies them. Each is written so that it reads alike and does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from sync.records.composite_text import plain_facts, plain_text
from sync.records.model import Value
from taiga_pipeline.targets.marks import without_lines

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_MENTION: Final = re.compile(r"(?<!\w)@(?=[\w.-])")
_INERT_AT: Final = "＠"
_MACRO: Final = re.compile(r"\{{2,}")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_MARK: Final = re.compile(r"!(?=[\w<=>({\[/.?#])")
"""Begins an image. Textile writes an image ``!address!``, Markdown ``![words](address)``."""

_DOT: Final = re.compile(r" ·(?=\n|$)")
"""Keeps facts apart in a tool that shows no line ends; these tools show them."""

Clean = Callable[[str], str]
Limits = Mapping[str, tuple[Clean, int]]
"""What each field's text is made, and how many characters it may have."""


def line(text: str) -> str:
    """Returns a text on one line."""
    return " ".join(text.split())


def words(text: str) -> str:
    """Returns people's text: without lines that are the connector's, and inert."""
    return _inert(without_lines(plain_text(text)))


def facts(text: str) -> str:
    """Returns the facts of a deal, inert."""
    return _inert(without_lines(_DOT.sub("", plain_facts(text))))


def unmentioned(text: str) -> str:
    """Returns people's text, written so that it reads alike and reaches nobody."""
    return _MENTION.sub(_INERT_AT, words(text))


def _inert(text: str) -> str:
    return _TAG.sub("＜", _MACRO.sub(lambda match: "｛" * len(match[0]), _MARK.sub("！", text)))


_FORMATTED: Final = (words, facts, unmentioned)


def fit_fields(
    fields: Mapping[str, Value], limits: Limits, nowhere: Collection[str] = ()
) -> tuple[dict[str, Value], list[str]]:
    """Returns the fields as they fit, without those in ``nowhere``, and remarks on what changed."""
    fitted: dict[str, Value] = {
        name: value for name, value in fields.items() if name not in nowhere
    }
    notes = []
    for name, (clean, longest) in limits.items():
        value = fitted.get(name)
        if not isinstance(value, str):
            continue
        fitted[name], note = fit_text(value, clean, longest)
        notes += [f"{name} {note}"] if note else []
    return fitted, notes


def fit_text(value: str, clean: Clean, longest: int) -> tuple[str, str]:
    """Returns the value made to fit, and a remark, "" if there is nothing to say."""
    storable = _UNSTORABLE.sub("", value)
    cleaned = clean(storable)
    fitted = cleaned if len(cleaned) <= longest else cleaned[: longest - 1].rstrip() + "…"
    notes = []
    if storable != value:
        notes.append("had characters that cannot be stored; they were left out")
    if clean in _FORMATTED and _inert(storable) != storable:
        notes.append("holds macros, images or tags; written so that they are shown as text")
    if fitted != cleaned:
        notes.append(f"was cut to {len(fitted)} of {len(cleaned)} characters")
    return fitted, "; ".join(notes)
