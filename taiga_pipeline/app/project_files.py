"""The configuration of a new pipeline, made from the commented template."""

from __future__ import annotations

import json
import re
import unicodedata
from importlib.resources import files
from typing import Final

_DATA: Final = "data"


def config_text(pipeline: str, **values: str) -> str:
    """Returns the commented configuration with these values in place of the examples'.

    ``values`` are keys of the template whose value is text (``url``: the target's).
    """
    text = (files("taiga_pipeline") / _DATA / "config.toml").read_text(encoding="utf-8")
    head, section, target = text.partition("[target]")
    head = _replace(head, "pipeline", pipeline)
    for key, value in values.items():
        target = _replace(target, key, value)
    return head + section + target


def member_table(email: str) -> str:
    """Returns the part of a mapping file that puts somebody into every project."""
    return f"\n[[member]]\nemail = {json.dumps(email)}\n"


def _replace(text: str, key: str, value: str) -> str:
    pattern = re.compile(rf'^({key} = )"[^"]*"( *)', re.MULTILINE)

    def line(match: re.Match[str]) -> str:
        new = match[1] + json.dumps(value, ensure_ascii=False)
        return new.ljust(len(match[0])) if match[2] else new

    changed, count = pattern.subn(line, text, count=1)
    if not count:
        raise LookupError(f"the template has no key {key}")
    return changed


def pipeline_name(folder: str) -> str:
    """Returns a pipeline's name made from a folder's: lower-case ASCII letters, digits, dashes."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "pipeline"
