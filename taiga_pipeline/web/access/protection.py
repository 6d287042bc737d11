"""What holds for every answer: its headers, and by which names this server is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from taiga_pipeline.web.access.door import Door

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_STRICT: Final = "max-age=31536000"


class Protection:
    """Adds the headers, unless an answer has one of its own; refuses names that are not ours."""

    def __init__(self, inner: ASGIApp, door: Door, hosts: tuple[str, ...] = ()) -> None:
        self._inner, self._door, self._hosts = inner, door, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._inner(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        is_secure = self._door.is_secure(connection)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Whoever says by which pages it may be framed means it.
                is_framed = "content-security-policy" in headers
                for name, value in HEADERS.items():
                    if not (is_framed and name == "X-Frame-Options"):
                        headers.setdefault(name, value)
                headers.setdefault("Cache-Control", _caching(scope["path"]))
                if is_secure:
                    headers.setdefault("Strict-Transport-Security", _STRICT)
            await send(message)

        if not self._is_ours(Headers(scope=scope).get("host", "")):
            refusal = PlainTextResponse(
                "This server is not asked by that name; see 'hosts' under [web].\n", 421
            )
            await refusal(scope, receive, with_headers)
            return
        # Addresses that are made of this request are those that the browser knows.
        await self._inner(
            {**scope, "scheme": "https"} if is_secure else scope, receive, with_headers
        )

    def _is_ours(self, host: str) -> bool:
        is_v6 = host.startswith("[")
        name = host[1:].partition("]")[0] if is_v6 else host.partition(":")[0].casefold()
        return not self._hosts or any(
            name == each or (each.startswith("*.") and name.endswith(each[1:]))
            for each in self._hosts
        )


def _caching(path: str) -> str:
    return "no-cache" if "/static/" in path else "no-store"
