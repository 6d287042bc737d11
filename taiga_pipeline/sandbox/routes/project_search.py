"""The full-text filter `q` of the project list."""

import re

from taiga_pipeline.sandbox.models import Project

_WORD = re.compile(r"\w+")


def matches_query(project: Project, query: str) -> bool:
    """Whether every word of the query begins a word of name, tags or description."""
    text = " ".join((project.name, *project.tags, project.description)).lower()
    words = _WORD.findall(text)
    return all(
        any(word.startswith(part) for word in words) for part in _WORD.findall(query.lower())
    )
