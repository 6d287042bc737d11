"""An API with what every request needs: credentials, waits, and errors that say what to do.

==========================  ===================  =====================  ===========================
what happens                reading              PATCH, PUT, DELETE     POST
==========================  ===================  =====================  ===========================
no connection               again, in budget     again, in budget       again, in budget, `NotSent`
no answer                   again                again                  `OutcomeUnknown`
not what it should be       few: `Malformed`     again, few times       `OutcomeUnknown`
429                         waits as asked       waits as asked         waits as asked, `NotSent`
502, 503, 504               again                again                  `OutcomeUnknown`
500                         few: `Failing`       again, few times       `OutcomeUnknown`
401, token expired          new token, again     new token, again       new token, again
3xx                         `Malformed`          `OutcomeUnknown`       `OutcomeUnknown`
==========================  ===================  =====================  ===========================

Repeating a PATCH, a PUT or a DELETE does no harm: they say how it should be, not what to add. Where
an API knows POST alone, `ApiClient.ask` reads and `ApiClient.apply` writes such things by it. A
write that fails each time is `OutcomeUnknown`: a server or a gateway that fails may have done it
before. A 500 is often an answer to the content, and forever; it is not repeated for long.

Every successful answer is checked for its shape before it is read (`ApiProfile.shape`). What is
wrong with the very first answer is wrong with the address, and ends the run (`Unreachable`); once
the server has answered as it should, a wrong answer concerns what was asked for.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, Protocol

from sync.errors import (
    Failing,
    Interrupted,
    Malformed,
    NotSent,
    OutcomeUnknown,
    SyncError,
    Unauthorised,
    Unavailable,
    Unreachable,
    Vanished,
)
from sync.run.retry import RetryPolicy
from taiga_pipeline.http.answer import JSON, Answer
from taiga_pipeline.http.bounds import ListProgress
from taiga_pipeline.http.shorter import shorter
from taiga_pipeline.http.transport import Params, Transport
from taiga_pipeline.http.upload import Upload

_LOG: Final = logging.getLogger(__name__)
PATIENT: Final = RetryPolicy(attempts=8, base_seconds=0.5, cap_seconds=20, budget_seconds=150)
BRIEF: Final = RetryPolicy(attempts=3, base_seconds=0.5, cap_seconds=5, budget_seconds=60)
_WORTH_TELLING_SECONDS: Final = 5.0
_GATEWAY: Final = (502, 503, 504)


class Credentials(Protocol):
    """What says, in every request, who asks."""

    def headers(self) -> Mapping[str, str]:
        """Returns the headers, logging in if need be."""

    def renew(self, refused: Mapping[str, str]) -> None:
        """Makes new headers, unless another thread already replaced the ``refused`` ones.

        :raises Unauthorised: there is no way to get others.
        """


class Refuse(Protocol):
    """Tells which error an answer (3xx and 5xx aside) that is not a success stands for."""

    def __call__(self, what: str, answer: Answer, *, writes: bool) -> SyncError:
        """Returns the error."""


class ShapeOf(Protocol):
    """Tells what is wrong with the data of a successful answer."""

    def __call__(self, method: str, path: str, data: JSON) -> str:
        """Returns a phrase ("lacks 'name'"), "" if nothing is wrong."""


@dataclass(frozen=True, slots=True)
class ApiProfile:
    """How one tool's API differs from another's.

    ``wrong_address`` says what to fix when a web page answers where data should be. ``shape``
    checks what each address brings. ``folder`` is where the API is below the address that people
    know. ``probe`` is what tells the tool to someone without credentials, and
    ``answers_probe`` whether it did; where there is none, no shorter address is looked for.
    """

    tool: str
    wrong_address: str
    refuse: Refuse
    shape: ShapeOf
    folder: str = ""
    probe: str = ""
    answers_probe: Callable[[Answer], bool] = lambda answer: False


class ApiClient:
    """One account's access to one server. Safe to use from several threads."""

    def __init__(
        self,
        profile: ApiProfile,
        transport: Transport,
        chance: Callable[[], float] = random.random,
        patient: RetryPolicy = PATIENT,
        brief: RetryPolicy = BRIEF,
    ) -> None:
        self._profile = profile
        self._transport = transport
        self._clock = transport.clock
        self._chance = chance
        self._patient = patient
        self._brief = brief
        self._outage = _Outage()
        self._answered = False
        self._made_sense = False
        self._guard: Callable[[], None] = lambda: None
        self.credentials: Credentials = _Nobody()
        """Who asks; to be set before the first request that needs it."""

    @property
    def server(self) -> str:
        """The API's address, for messages."""
        return self._transport.base

    @property
    def request_count(self) -> int:
        """How many requests were sent so far."""
        return self._transport.request_count

    def close(self) -> None:
        """Ends the connections that are kept open."""
        self._transport.close()

    def guarded_by(self, check: Callable[[], None]) -> None:
        """Calls ``check`` right before each request that writes, also when it is sent again."""
        self._guard = check

    def list_progress(self, path: str) -> ListProgress:
        """Returns what holds one reading of a list to its bounds."""
        return ListProgress(f"GET {path}", self._clock, self._transport.silence_seconds)

    def get(
        self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Reads. Returns a successful answer with data. ``headers`` go with it beside the usual.

        :raises Vanished: it is not there, or not visible to this account.
        :raises Unavailable: no answer within the time budget.
        :raises Malformed: the answer is not what was asked for.
        :raises Unreachable: a web page answers, and nothing else ever did.
        """
        return self._perform(_Call("GET", path, params=params, headers=headers or {}))

    def ask(self, path: str, body: JSON) -> Answer:
        """Asks something by a POST that changes nothing; raises as `get`."""
        return self._perform(_Call("POST", path, body, repeatable=True))

    def apply(self, path: str, body: JSON) -> Answer:
        """Changes something by a POST that says how it should be; raises as `patch`.

        For tools that know POST alone: it is repeated as a PATCH would be.
        """
        return self._perform(_Call("POST", path, body, idempotent=True))

    def patch(self, path: str, body: JSON, headers: Mapping[str, str] | None = None) -> Answer:
        """Changes the fields in ``body``. ``headers`` (``If-Match``) go with it beside the usual.

        :raises Refusal: the server does not take them, or this account may not change them.
        :raises Stale: the version in ``body`` is not the present one.
        :raises OutcomeUnknown: no answer within the time budget.
        """
        return self._perform(_Call("PATCH", path, body, headers=headers or {}))

    def put(self, path: str, body: JSON, headers: Mapping[str, str] | None = None) -> Answer:
        """Puts something in its place; raises as `patch`. The answer may have no data."""
        return self._perform(_Call("PUT", path, body, headers=headers or {}))

    def delete(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Deletes; raises as `patch`."""
        return self._perform(_Call("DELETE", path, headers=headers or {}))

    def post(self, path: str, body: JSON, headers: Mapping[str, str] | None = None) -> Answer:
        """Creates: sent again only where it certainly had no effect.

        :raises NotSent: it had no effect.
        :raises OutcomeUnknown: it may have had.
        :raises Refusal: the server does not take it.
        """
        return self._perform(_Call("POST", path, body, headers=headers or {}))

    def command(self, path: str, body: JSON) -> Answer:
        """Has something done to which a server need not say anything; sent and raises as `post`."""
        return self._perform(_Call("POST", path, body, may_be_wordless=True))

    def upload(self, path: str, upload: Upload) -> Answer:
        """Sends a file; raises as `post`."""
        return self._perform(_Call("POST", path, upload))

    def _perform(self, call: _Call) -> Answer:
        """Performs ``call``; where the address seems to be wrong, looks for one that is right."""
        try:
            return self._perform_there(call)
        except (Unreachable, Vanished) as error:
            raise self._with_right_address(call, error) from None

    def _with_right_address(self, call: _Call, error: SyncError) -> SyncError:
        """Returns an error of the very first answers with the shorter address that the tool
        answers at, if there is one."""
        if self._made_sense or not self._answered:
            return error
        if not self._profile.probe:
            return self._nothing_there(call, error)
        for address in shorter(self.server.removesuffix(self._profile.folder)):
            if self._answers_at(address):
                return Unreachable(
                    f"{error}. {self._profile.tool} answers at {address}: write that in target.url"
                )
        return error

    def _nothing_there(self, call: _Call, error: SyncError) -> SyncError:
        """Returns the error for the very first answer: what is not there then is the API."""
        if call.method != "GET" or not isinstance(error, Vanished):
            return error
        tool, where = self._profile.tool, self._transport.where
        return Unreachable(f"{self.server}: {error}; is {where} the address of {tool}?")

    def _answers_at(self, address: str) -> bool:
        """Whether the tool answers at an address, to someone without credentials."""
        with closing(self._transport.at(f"{address}{self._profile.folder}")) as transport:
            try:
                return self._profile.answers_probe(transport.send("GET", self._profile.probe))
            except SyncError:
                return False

    def _perform_there(self, call: _Call) -> Answer:
        """Performs ``call`` with credentials that hold, renewing them once if they do not."""
        headers = self.credentials.headers()
        answer = self._persist(call, headers)
        if answer.status == 401:
            self.credentials.renew(headers)
            answer = self._persist(call, self.credentials.headers())
        if not answer.ok:
            raise self._refused(call, answer)
        self._made_sense = True
        return answer

    def _refused(self, call: _Call, answer: Answer) -> SyncError:
        error = self._profile.refuse(str(call), answer, writes=call.writes)
        if isinstance(error, Malformed) and not self._made_sense:
            return Unreachable(str(error))
        return error

    def _persist(self, call: _Call, headers: Mapping[str, str]) -> Answer:
        """Tries until there is an answer that another attempt would not change."""
        began = self._clock.monotonic()
        failed = 0
        while True:
            trouble = self._attempt(call, headers)
            if isinstance(trouble, Answer):
                return trouble
            failed += 1
            elapsed = self._clock.monotonic() - min(began, self._outage.since(began))
            wait = trouble.policy.wait(failed, elapsed, trouble.asked_seconds, self._chance)
            if wait is None:
                raise trouble.error
            level = logging.INFO if wait >= _WORTH_TELLING_SECONDS else logging.DEBUG
            _LOG.log(level, "%s; trying again in %.1f s", trouble.error, wait)
            self._wait(wait, trouble.error)

    def _wait(self, seconds: float, trouble: SyncError) -> None:
        """Waits before another attempt; a run that is asked to stop makes none."""
        try:
            self._clock.sleep(seconds)
        except Interrupted:
            raise trouble from None

    def _attempt(self, call: _Call, headers: Mapping[str, str]) -> Answer | _Trouble:
        if call.writes:
            self._guard()
        try:
            answer = self._transport.send(
                call.method,
                call.path,
                body=call.body,
                params=call.params,
                credentials={**call.headers, **headers},
            )
        except NotSent as error:
            self._outage.begins(self._clock.monotonic())
            return _Trouble(error if call.writes else Unavailable(str(error)), self._retry_policy)
        except OutcomeUnknown as error:
            self._outage.begins(self._clock.monotonic())
            if call.creates:
                raise
            return _Trouble(error if call.writes else Unavailable(str(error)), self._retry_policy)
        return self._judge(call, answer)

    @property
    def _retry_policy(self) -> RetryPolicy:
        """Short while no server ever answered: then the address is probably wrong."""
        return self._patient if self._answered else self._brief

    def _judge(self, call: _Call, answer: Answer) -> Answer | _Trouble:
        """Tells an answer that stands from one that another attempt may change."""
        if answer.status in _GATEWAY:
            self._outage.begins(self._clock.monotonic())
            return self._unclear(call, answer, self._patient)
        self._outage.ends()
        self._answered = True
        if answer.status == 429:
            return self._throttled(call, answer)
        if answer.status >= 500:
            return self._unclear(call, answer, self._brief)
        if 300 <= answer.status < 400:
            raise self._unusable(call, answer, self._transport.explain_redirect(answer))
        if 200 <= answer.status < 300:
            return self._shaped(call, answer)
        return answer

    def _shaped(self, call: _Call, answer: Answer) -> Answer | _Trouble:
        """Returns an answer that succeeded, if it brings what it should."""
        trouble = answer.trouble or self._misshapen(call, answer)
        if not trouble:
            return answer
        if answer.is_page:
            trouble = f"is a web page; {self._profile.wrong_address}"
        error = self._unusable(call, answer, f"{call}: what the server answered {trouble}")
        if call.creates or answer.excessive:
            raise error
        return _Trouble(error, self._brief)

    def _misshapen(self, call: _Call, answer: Answer) -> str:
        if answer.data is None:
            wordless = call.may_be_wordless or call.method in ("DELETE", "PUT")
            return "" if wordless else "is empty"
        if call.method == "DELETE":
            return ""
        return self._profile.shape(call.method, call.path, answer.data)

    def _unusable(self, call: _Call, answer: Answer, message: str) -> SyncError:
        """Returns the error for an answer of which no use can be made."""
        is_redirect = answer.status >= 300
        if not self._made_sense and (is_redirect or (answer.is_page and not call.writes)):
            return Unreachable(message)
        return OutcomeUnknown(message) if call.writes else Malformed(message)

    def _unclear(self, call: _Call, answer: Answer, policy: RetryPolicy) -> _Trouble:
        """A failure on the server's side: the outcome of a write is unknown."""
        message = f"{call}: the server answered with a failure ({answer.status})"
        if call.creates:
            raise OutcomeUnknown(message)
        wait = answer.wait_seconds
        if call.writes:
            error: SyncError = OutcomeUnknown(message)
        elif answer.status in _GATEWAY:
            error = Unavailable(message, wait)
        else:
            error = Failing(message, wait)
        return _Trouble(error, policy, wait)

    def _throttled(self, call: _Call, answer: Answer) -> _Trouble:
        """Turned away at the door: without effect, whatever the request was."""
        wait = answer.wait_seconds
        message = f"{call}: {self._profile.tool} asks for fewer requests (429)"
        error = NotSent(message, wait) if call.writes else Unavailable(message, wait)
        return _Trouble(error, self._patient, wait)

    def post_openly(self, path: str, body: Mapping[str, object]) -> Answer:
        """Logs in: patient with a busy server, and only once if it is answered.

        :raises Unreachable: what answers has no such log-in.
        """
        answer = self.ask_openly(path, body)
        if answer.is_page or answer.status in (404, 405):
            raise Unreachable(f"{self.server}: {self._profile.wrong_address}")
        return answer

    def ask_openly(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Asks before anyone is logged in, patiently; returns whatever is answered, a refusal too.

        ``headers`` are all that go with it.
        """
        return self._persist(_Call("POST", path, dict(body), repeatable=True), headers or {})

    def post_once(self, path: str, body: Mapping[str, object]) -> Answer:
        """Sends a body without credentials, and not again; returns whatever is answered."""
        return self._transport.send("POST", path, body=dict(body))


class _Nobody:
    """No credentials yet."""

    def headers(self) -> Mapping[str, str]:
        return {}

    def renew(self, refused: Mapping[str, str]) -> None:
        raise Unauthorised("no account is logged in")


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. ``repeatable`` marks a POST that may be repeated like a reading, ``idempotent``
    one that writes, and may be repeated all the same."""

    method: str
    path: str
    body: JSON | Upload = None
    params: Params | None = None
    repeatable: bool = False
    idempotent: bool = False
    may_be_wordless: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.method != "GET" and not self.repeatable

    @property
    def creates(self) -> bool:
        return self.method == "POST" and not self.repeatable and not self.idempotent

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An attempt that failed: what to raise if there is no further one, and when that is."""

    error: SyncError
    policy: RetryPolicy
    asked_seconds: float | None = None


class _Outage:
    """Since when the server does not answer anyone.

    The time budget of a request counts from there: when the server is down, the first request
    waits for it, and the thousands that follow do not wait as long again, each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None

    def begins(self, now: float) -> None:
        with self._lock:
            if self._since is None:
                self._since = now

    def ends(self) -> None:
        with self._lock:
            self._since = None

    def since(self, otherwise: float) -> float:
        """Returns when it began, ``otherwise`` if there is none."""
        since = self._since
        return otherwise if since is None else since
