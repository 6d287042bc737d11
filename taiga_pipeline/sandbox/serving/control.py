"""Directing a sandbox from another process, at /sandbox/… on the same port, only when switched
on.

| request | does |
|---|---|
| `GET /sandbox/state` | everything as JSON |
| `PUT /sandbox/state` | replaces everything |
| `POST /sandbox/reset` | back to the first accounts |
| `POST /sandbox/people` | adds an account; the fields of `client.People.add` |
| `PUT /sandbox/faults` | a list of faults (fields of `faults.Fault`), or {seed, count, requests} |
| `PUT /sandbox/delay` | {seconds} that each request takes longer |
| `PUT /sandbox/rates` | throttles by bucket, such as {"user-write": "5/min"}; {} for none |
| `POST /sandbox/clock` | {advance: seconds} |
| `POST /sandbox/tokens/expire` | lets all access tokens expire |
| `PUT /sandbox/projects/{id}/lock` | {archived_code, blocked_code} |
| `GET /sandbox/requests`, `DELETE /sandbox/requests` | the request log |
"""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from taiga_pipeline.sandbox.faults import Fault, FaultKind, seeded_schedule
from taiga_pipeline.sandbox.persistence import dump, load
from taiga_pipeline.sandbox.seed import Person, add_person, seed
from taiga_pipeline.sandbox.serving.application import Application
from taiga_pipeline.sandbox.serving.wire import Request, Response, empty, json_response, timestamp

PREFIX = "/sandbox/"


class Control:
    """The control API of one application; `password` is what new accounts get unless told
    otherwise.
    """

    def __init__(self, application: Application, password: str) -> None:
        self._application = application
        self._password = password
        self._actions: dict[tuple[str, str], Callable[[Any], Response]] = {
            ("GET", "state"): lambda _: json_response(dump(application.store)),
            ("PUT", "state"): self._load,
            ("POST", "reset"): self._reset,
            ("POST", "people"): self._add_person,
            ("PUT", "faults"): self._set_faults,
            ("PUT", "delay"): self._set_delay,
            ("PUT", "rates"): self._set_rates,
            ("POST", "clock"): self._advance,
            ("POST", "tokens/expire"): self._expire_tokens,
            ("GET", "requests"): lambda _: self._requests(),
            ("DELETE", "requests"): self._clear_requests,
        }

    def handle(self, request: Request) -> Response:
        """Answer a request below /sandbox/; 400 tells what was wrong with it."""
        name = request.path.removeprefix(PREFIX)
        try:
            body = json.loads(request.body) if request.body else None
            if request.method == "PUT" and name.startswith("projects/"):
                return self._lock_project(name, body or {})
            action = self._actions.get((request.method, name))
            if action is None:
                return json_response({"error": f"no {request.method} {request.path}"}, 404)
            return action(body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return json_response({"error": f"{type(error).__name__}: {error}"}, 400)

    def _load(self, body: dict[str, Any]) -> Response:
        load(self._application.store, body)
        return empty(204)

    def _reset(self, _: Any) -> Response:
        application = self._application
        with application.store.lock:
            application.store.clear()
            seed(application.store, self._password)
            application.faults.replace(())
            application.throttle.set_rates({})
            application.delay_seconds = 0.0
            application.log.clear()
        return empty(204)

    def _add_person(self, body: dict[str, Any]) -> Response:
        password = body.pop("password", self._password)
        body.setdefault("full_name", body.get("username", ""))
        user = add_person(self._application.store, Person(**body), password)
        return json_response({"id": user.id, "username": user.username, "email": user.email}, 201)

    def _set_faults(self, body: Any) -> Response:
        self._application.faults.replace(parse_faults(body))
        return empty(204)

    def _set_delay(self, body: dict[str, Any]) -> Response:
        self._application.delay_seconds = float(body["seconds"])
        return empty(204)

    def _set_rates(self, body: dict[str, str]) -> Response:
        with self._application.store.lock:
            self._application.throttle.set_rates(body)
        return empty(204)

    def _advance(self, body: dict[str, Any]) -> Response:
        clock = self._application.store.clock
        clock.advance(float(body["advance"]))
        return json_response({"now": timestamp(clock.now())})

    def _expire_tokens(self, _: Any) -> Response:
        self._application.expire_tokens()
        return empty(204)

    def _lock_project(self, name: str, body: dict[str, Any]) -> Response:
        _, number, action = name.split("/")
        if action != "lock":
            raise KeyError(name)
        self._application.lock_project(
            int(number), body.get("archived_code"), body.get("blocked_code")
        )
        return empty(204)

    def _requests(self) -> Response:
        rows = [
            {
                "method": line.method,
                "path": line.path,
                "query": dict(line.query),
                "status": line.status,
                "when": timestamp(line.when),
                "user": line.user,
                "fault": line.fault,
            }
            for line in list(self._application.log)
        ]
        return json_response(rows)

    def _clear_requests(self, _: Any) -> Response:
        self._application.log.clear()
        return empty(204)


def parse_faults(body: Any) -> list[Fault]:
    """Faults from JSON: a list of objects, or a seed for a schedule.

    Raises:
        ValueError, TypeError, KeyError: unknown kind or field, missing field.
    """
    if isinstance(body, dict):
        return seeded_schedule(int(body["seed"]), int(body["count"]), int(body["requests"]))
    known = {each.name for each in fields(Fault)}
    faults = []
    for item in body:
        unknown = sorted(set(item) - known)
        if unknown:
            raise ValueError(
                f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )
        faults.append(Fault(**{**item, "kind": FaultKind(item["kind"])}))
    return faults
