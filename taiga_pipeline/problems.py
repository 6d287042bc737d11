"""Problems in what people wrote (config, mappings, input files): all at once, with places."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person has to fix. Lines and columns count from 1; 0 is not known."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """``file:line:column`` as editors understand it, as far as it is known."""
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers] if self.file else numbers)

    def __str__(self) -> str:
        """One line: a line end in what the message quotes would begin another problem."""
        message = self.message.replace("\n", " ")
        return f"{self.place}: {message}" if self.place else message


class ProblemsError(Exception):
    """Raised once for all problems that were found. ``problems`` is never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns the known name nearest to ``name``, "" if none is near.

    A name that is known itself has none: what is wrong with it is not its spelling.
    """
    names = {candidate.casefold(): candidate for candidate in known}
    if names.get(name.casefold()) == name:
        return ""
    near = difflib.get_close_matches(name.casefold(), names, n=1)
    return names[near[0]] if near else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns ``; did you mean 'x'?`` for the known name `nearest` to ``name``, else ""."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""
