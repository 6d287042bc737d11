"""What goes wrong with deals and people because of what somebody asked for."""

from __future__ import annotations

from taiga_pipeline.problems import Problem, ProblemsError


class RequestError(ProblemsError):
    """A request that cannot be fulfilled as it stands; nothing was changed."""

    def __init__(self, *messages: str) -> None:
        super().__init__([Problem(message) for message in messages])


class UnknownName(RequestError):
    """A deal, person or allocation that does not exist."""


class AlreadyThere(RequestError):
    """A deal or person that exists already."""


class InvalidValue(RequestError):
    """A value that a field cannot hold."""


class GateClosed(RequestError):
    """A deal may not leave its stage: actions are open. ``missing`` lists them."""

    def __init__(self, message: str, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing
