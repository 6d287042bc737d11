"""The fault matrix: what may go wrong, with which request, and what a user would call right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from taiga_pipeline.sandbox.faults import PAGE_KINDS, Fault, FaultKind
from tests.reliability.faults_world import FOLLOWING, MAKING, SILENCE_SECONDS, Scenario


class Trouble(StrEnum):
    """What goes wrong."""

    NO_ANSWER_BEFORE = "no answer, no effect"
    NO_ANSWER_AFTER = "no answer, but the effect"
    RESET_BEFORE = "connection reset, no effect"
    RESET_AFTER = "connection reset, but the effect"
    SLOW_DRIP = "answer drips for longer than is waited"
    TRUNCATED = "answer cut in half"
    NOT_JSON = "a web page for an answer"
    JSON_500_BEFORE = "500 in JSON, no effect"
    HTML_500_AFTER = "500 in HTML, but the effect"
    HTML_502_BEFORE = "502 in HTML, no effect"
    JSON_502_AFTER = "502 in JSON, but the effect"
    JSON_503_BEFORE = "503 in JSON, no effect"
    HTML_503_AFTER = "503 in HTML, but the effect"
    HTML_504_BEFORE = "504 in HTML, no effect"
    JSON_504_AFTER = "504 in JSON, but the effect"
    THROTTLED = "429 with a wait"
    TOKEN_EXPIRED = "token expired"
    REFRESH_LOST = "token expired, answer to its renewal lost"
    ARCHIVED = "403, archived"
    BLOCKED = "451, blocked"
    HALF_MADE = "a half-made project"
    SHIFTED_PAGE = "a page shifts while the list is read"
    WRONG_COUNT = "a count that does not match"
    EMPTY_LIST = "an empty list"


class Span(StrEnum):
    """How long it goes wrong."""

    ONCE = "once"
    LASTING = "throughout the run"


class Outcome(StrEnum):
    """How the run ends. The run after it always ends as if nothing had happened."""

    AT_ONCE = "as if nothing had happened"
    NEXT_RUN = "exit code 0; the next run does what is missing"
    ONE_DEAL = "exit code 3 for this deal; all others done"
    WAITING = "exit code 3; nothing is concluded from what was not told"
    UNREAD = "exit code 3; all done, and that it could not be read back is said"
    STOPPED = "exit code 6"


@dataclass(frozen=True, slots=True)
class Ask:
    """A kind of request; ``deal`` is the one that it is made for, "" if it is made for all.

    ``path`` may name the id of a deal's project as in ``{changed}``.
    """

    name: str
    scenario: Scenario
    method: str
    path: str
    deal: str = ""

    @property
    def creates(self) -> bool:
        return self.method == "POST" and self.path != "^/auth$"

    @property
    def changes(self) -> bool:
        return self.method in ("PATCH", "DELETE")

    @property
    def lists(self) -> bool:
        return self.name.startswith("list ")


LOG_IN = Ask("log in", FOLLOWING, "POST", "^/auth$")
ACCOUNT = Ask("ask who this is", FOLLOWING, "GET", "^/users/me$")
TEMPLATES = Ask("list templates", MAKING, "GET", "^/project-templates$", "new")
PROJECTS = Ask("list projects", FOLLOWING, "GET", "^/projects$")
LOOK = Ask("look at a project", FOLLOWING, "GET", "^/projects/{changed}$", "changed")
LOOK_AT_STORY = Ask("look at a story", FOLLOWING, "GET", r"^/userstories/\d+$", "changed")
MAKE_PROJECT = Ask("make a project", MAKING, "POST", "^/projects$", "new")
COMPLETE = Ask("complete a project", MAKING, "PATCH", "^/projects/{new}$", "new")

CHILDREN = ("roles", "memberships", "milestones", "userstories")
OF_ALL = tuple(Ask(f"list all {each}", FOLLOWING, "GET", f"^/{each}$") for each in CHILDREN)
OF_ONE = tuple(Ask(f"list a project's {each}", MAKING, "GET", f"^/{each}$") for each in CHILDREN)
ASKS = (
    LOG_IN,
    ACCOUNT,
    TEMPLATES,
    PROJECTS,
    *OF_ALL,
    *OF_ONE,
    LOOK,
    LOOK_AT_STORY,
    MAKE_PROJECT,
    COMPLETE,
    Ask("make a role", MAKING, "POST", "^/roles$", "new"),
    Ask("make a member", MAKING, "POST", "^/memberships$", "new"),
    Ask("make a milestone", MAKING, "POST", "^/milestones$", "new"),
    Ask("make a story", MAKING, "POST", "^/userstories$", "new"),
    Ask("change a project", FOLLOWING, "PATCH", "^/projects/{changed}$", "changed"),
    Ask("put a project away", FOLLOWING, "PATCH", "^/projects/{lost}$", "lost"),
    Ask("change a member", FOLLOWING, "PATCH", "^/memberships/", "changed"),
    Ask("change a milestone", FOLLOWING, "PATCH", "^/milestones/", "changed"),
    Ask("change a story", FOLLOWING, "PATCH", "^/userstories/", "changed"),
    Ask("remove a member", FOLLOWING, "DELETE", "^/memberships/", "changed"),
)

_SHAPES: Mapping[Trouble, Fault] = {
    Trouble.NO_ANSWER_BEFORE: Fault(FaultKind.NO_ANSWER_BEFORE, seconds=2 * SILENCE_SECONDS),
    Trouble.NO_ANSWER_AFTER: Fault(FaultKind.NO_ANSWER_AFTER, seconds=2 * SILENCE_SECONDS),
    Trouble.RESET_BEFORE: Fault(FaultKind.RESET_BEFORE),
    Trouble.RESET_AFTER: Fault(FaultKind.RESET_AFTER),
    Trouble.SLOW_DRIP: Fault(FaultKind.SLOW_DRIP, seconds=3 * SILENCE_SECONDS),
    Trouble.TRUNCATED: Fault(FaultKind.TRUNCATED_BODY),
    Trouble.NOT_JSON: Fault(FaultKind.NOT_JSON),
    Trouble.JSON_500_BEFORE: Fault(FaultKind.SERVER_ERROR_BEFORE, status=500),
    Trouble.HTML_500_AFTER: Fault(FaultKind.SERVER_ERROR_AFTER, status=500, html=True),
    Trouble.HTML_502_BEFORE: Fault(FaultKind.SERVER_ERROR_BEFORE, status=502, html=True),
    Trouble.JSON_502_AFTER: Fault(FaultKind.SERVER_ERROR_AFTER, status=502),
    Trouble.JSON_503_BEFORE: Fault(FaultKind.SERVER_ERROR_BEFORE, status=503),
    Trouble.HTML_503_AFTER: Fault(FaultKind.SERVER_ERROR_AFTER, status=503, html=True),
    Trouble.HTML_504_BEFORE: Fault(FaultKind.SERVER_ERROR_BEFORE, status=504, html=True),
    Trouble.JSON_504_AFTER: Fault(FaultKind.SERVER_ERROR_AFTER, status=504),
    Trouble.THROTTLED: Fault(FaultKind.THROTTLED, seconds=60),
    Trouble.TOKEN_EXPIRED: Fault(FaultKind.TOKEN_EXPIRED),
    Trouble.REFRESH_LOST: Fault(FaultKind.TOKEN_EXPIRED),
    Trouble.ARCHIVED: Fault(FaultKind.ARCHIVED),
    Trouble.BLOCKED: Fault(FaultKind.BLOCKED),
    Trouble.HALF_MADE: Fault(FaultKind.HALF_MADE_PROJECT),
    Trouble.SHIFTED_PAGE: Fault(FaultKind.SHIFTED_PAGE, occurrence=2, times=2),
    Trouble.WRONG_COUNT: Fault(FaultKind.WRONG_COUNT),
    Trouble.EMPTY_LIST: Fault(FaultKind.EMPTY_LIST),
}

WITHOUT_EFFECT = {
    Trouble.NO_ANSWER_BEFORE,
    Trouble.RESET_BEFORE,
    Trouble.JSON_500_BEFORE,
    Trouble.HTML_502_BEFORE,
    Trouble.JSON_503_BEFORE,
    Trouble.HTML_504_BEFORE,
}
WITH_EFFECT = {
    Trouble.NO_ANSWER_AFTER,
    Trouble.RESET_AFTER,
    Trouble.SLOW_DRIP,
    Trouble.TRUNCATED,
    Trouble.NOT_JSON,
    Trouble.HTML_500_AFTER,
    Trouble.JSON_502_AFTER,
    Trouble.HTML_503_AFTER,
    Trouble.JSON_504_AFTER,
}
AFTER_EFFECT = WITH_EFFECT - {Trouble.SLOW_DRIP, Trouble.TRUNCATED, Trouble.NOT_JSON}
REFUSED = {Trouble.ARCHIVED, Trouble.BLOCKED}
EXPIRED = {Trouble.TOKEN_EXPIRED, Trouble.REFRESH_LOST}
LASTING = {
    Trouble.RESET_BEFORE,
    Trouble.NOT_JSON,
    Trouble.HTML_503_AFTER,
    Trouble.TOKEN_EXPIRED,
    Trouble.ARCHIVED,
    Trouble.WRONG_COUNT,
    Trouble.EMPTY_LIST,
}
"""What is also tried throughout a run; the others differ from one of these in nothing then."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    trouble: Trouble
    ask: Ask
    span: Span

    def __str__(self) -> str:
        return f"{self.ask.name}, {self.span}"

    def faults(self, ids: Mapping[str, int]) -> Iterator[Fault]:
        """Yields the faults that a server has to be told."""
        shape = _SHAPES[self.trouble]
        lasting = self.span is Span.LASTING
        yield Fault(
            shape.kind,
            self.ask.method,
            self.ask.path.format_map(ids) if "{" in self.ask.path else self.ask.path,
            occurrence=1 if lasting else shape.occurrence,
            times=9_999 if lasting else shape.times,
            status=shape.status,
            html=shape.html,
            seconds=shape.seconds,
        )
        if self.trouble is Trouble.REFRESH_LOST:
            yield Fault(FaultKind.REFRESH_ANSWER_LOST)

    @property
    def outcome(self) -> Outcome:
        """What a user would call right."""
        return _once(self.trouble, self.ask) if self.span is Span.ONCE else self._lasting()

    def _lasting(self) -> Outcome:
        trouble, ask = self.trouble, self.ask
        if trouble in WITHOUT_EFFECT | WITH_EFFECT:
            return _broken_throughout(trouble, ask)
        if trouble in EXPIRED:
            return Outcome.NEXT_RUN if ask is COMPLETE else _read_back(ask, Outcome.STOPPED)
        if trouble is Trouble.WRONG_COUNT and ask is TEMPLATES:
            return Outcome.ONE_DEAL  # whoever needs no new project is not concerned
        if trouble is Trouble.WRONG_COUNT:
            return Outcome.WAITING if ask in OF_ONE else Outcome.STOPPED
        return _once(trouble, ask) if trouble in REFUSED else _empty_throughout(ask)


def _once(trouble: Trouble, ask: Ask) -> Outcome:
    if trouble in REFUSED:
        return _refused(ask)
    if trouble is Trouble.HALF_MADE or (trouble in WITHOUT_EFFECT and ask.creates):
        return Outcome.ONE_DEAL
    if trouble in WITH_EFFECT and ask is MAKE_PROJECT:
        return Outcome.NEXT_RUN
    if trouble in EXPIRED and ask is LOG_IN:
        return Outcome.STOPPED
    if trouble is Trouble.EMPTY_LIST:
        return _empty_once(ask)
    return Outcome.AT_ONCE


def _refused(ask: Ask) -> Outcome:
    """A refusal concerns a deal, except where no run can do without the answer."""
    if ask is COMPLETE:
        return Outcome.NEXT_RUN
    if ask in OF_ONE:
        return Outcome.WAITING
    return _optional(ask, Outcome.ONE_DEAL if ask.deal else Outcome.STOPPED)


def _optional(ask: Ask, outcome: Outcome) -> Outcome:
    """What is read for the report alone, after the work is done, decides nothing."""
    return Outcome.AT_ONCE if ask is LOOK_AT_STORY else outcome


def _read_back(ask: Ask, outcome: Outcome) -> Outcome:
    """What cannot be read back after the work is done is reported."""
    return Outcome.UNREAD if ask is LOOK_AT_STORY else outcome


def _broken_throughout(trouble: Trouble, ask: Ask) -> Outcome:
    if ask is COMPLETE:
        return Outcome.AT_ONCE if trouble in WITH_EFFECT else Outcome.NEXT_RUN
    if ask.creates and trouble in WITH_EFFECT:
        return Outcome.NEXT_RUN if ask is MAKE_PROJECT else Outcome.AT_ONCE
    if trouble is Trouble.NOT_JSON and ask in OF_ONE:
        return Outcome.WAITING  # what is in one project is that project's alone
    outcome = Outcome.ONE_DEAL if ask.deal else Outcome.STOPPED
    # What is not an answer about one story is that story's alone; that none comes at all is the
    # run's.
    return _optional(ask, outcome) if trouble is Trouble.NOT_JSON else _read_back(ask, outcome)


def _empty_once(ask: Ask) -> Outcome:
    if ask is TEMPLATES:
        return Outcome.ONE_DEAL
    return Outcome.WAITING if ask.path == "^/memberships$" and ask in OF_ONE else Outcome.AT_ONCE


def _empty_throughout(ask: Ask) -> Outcome:
    if ask.path == "^/memberships$":
        return Outcome.WAITING
    if ask is TEMPLATES:
        return Outcome.ONE_DEAL
    if ask in OF_ALL and ask.path == "^/roles$":
        return Outcome.WAITING  # a member's role cannot be changed to one that is not listed
    return Outcome.NEXT_RUN if ask in OF_ALL else Outcome.AT_ONCE


def cells(trouble: Trouble) -> list[Cell]:
    """Returns the cells of one fault kind: it meets every request that it can meet."""
    spans = [Span.ONCE, Span.LASTING] if trouble in LASTING else [Span.ONCE]
    return [Cell(trouble, ask, span) for ask in ASKS if _can_meet(trouble, ask) for span in spans]


def _can_meet(trouble: Trouble, ask: Ask) -> bool:
    if trouble is Trouble.HALF_MADE:
        return ask is MAKE_PROJECT
    if trouble in AFTER_EFFECT and ask.method == "GET":
        return False  # a reading has no effect: to the client this is the same as before it
    return ask.lists or _SHAPES[trouble].kind not in PAGE_KINDS
