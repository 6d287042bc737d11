"""From method and path to endpoint."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from taiga_pipeline.sandbox.context import RequestContext
from taiga_pipeline.sandbox.errors import method_not_allowed, unrouted
from taiga_pipeline.sandbox.serving.wire import Response

Endpoint = Callable[[RequestContext], Response]
_METHOD_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: `path` has no /api/v1, and `{name}` where a part varies."""

    method: str
    path: str
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for a path; `allow` lists the methods that it knows."""

    endpoint: Endpoint
    params: dict[str, str]
    allow: str


class Router:
    """A table of routes; a fixed part of a path goes before a variable one."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._paths: dict[tuple[str, ...], dict[str, Endpoint]] = {}
        for route in routes:
            parts = tuple(route.path.strip("/").split("/"))
            self._paths.setdefault(parts, {})[route.method] = route.endpoint
        self._by_length: dict[int, list[tuple[str, ...]]] = {}
        for parts in sorted(
            self._paths, key=lambda parts: [part.startswith("{") for part in parts]
        ):
            self._by_length.setdefault(len(parts), []).append(parts)

    def match(self, method: str, path: str) -> Match:
        """The endpoint for a path below /api/v1.

        Raises:
            ApiError: 404 (HTML) for an unknown path, 405 for an unknown method of a known one.
        """
        found = self._find(path)
        if found is None:
            raise unrouted()
        parts, params = found
        endpoints = self._paths[parts]
        allow = _allow(endpoints)
        endpoint = endpoints.get(method)
        if endpoint is None:
            refusal = method_not_allowed(method)
            refusal.response.headers["Allow"] = allow
            raise refusal
        return Match(endpoint, params, allow)

    def allowed(self, path: str) -> str | None:
        """The methods of a path, or None if there is no such path."""
        found = self._find(path)
        return _allow(self._paths[found[0]]) if found else None

    def _find(self, path: str) -> tuple[tuple[str, ...], dict[str, str]] | None:
        # Unquoted before it is split, as a real server does: an escaped slash separates parts too.
        parts = unquote(path).removeprefix("/").split("/")
        for pattern in self._by_length.get(len(parts), ()):
            params: dict[str, str] = {}
            if all(_part_fits(*pair, params) for pair in zip(pattern, parts, strict=True)):
                return pattern, params
        return None


def _part_fits(pattern: str, part: str, params: dict[str, str]) -> bool:
    if not pattern.startswith("{"):
        return pattern == part
    params[pattern.strip("{}")] = part
    return bool(part)


def _allow(endpoints: dict[str, Endpoint]) -> str:
    methods = [method for method in _METHOD_ORDER if method in endpoints]
    if "GET" in methods:
        methods.append("HEAD")
    return ", ".join([*methods, "OPTIONS"])
