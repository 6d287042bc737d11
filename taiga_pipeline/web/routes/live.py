"""Server-sent events: pages that are open learn that somebody, or a run, changed something.

What changed is not said: the page asks for itself again, with the rights of whoever looks at it.
The page says as of when it is (`Watch.seen`), so that what changed before it listened, or between
two connections, is not missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import anyio
from anyio import to_thread
from starlette.responses import Response, StreamingResponse

from taiga_pipeline.app.serving import Served
from taiga_pipeline.web.pages import Section, get
from taiga_pipeline.web.visit import Visit

LOOK: Final = 2.0
"""Seconds between two looks."""
QUIET: Final = 7
"""After so many looks without news, a line says that the connection is alive."""
LONGEST: Final = 300
"""So many looks, and the browser has to connect again: whoever lost a role is refused then."""
MOST: Final = 200
"""So many pages of a pipeline listen at once; others are as they were when they were loaded."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def listen(visit: Visit) -> Response:
    """Tells a page each time that something changed."""
    served = visit.served
    if served.listeners >= MOST or served.ended.is_set():
        return Response(status_code=204)  # the browser does not ask again
    seen = visit.request.headers.get("last-event-id") or visit.query.text("seen")
    events = _events(served, seen)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(served: Served, seen: str) -> AsyncIterator[str]:
    served.listeners += 1
    try:
        yield "retry: 5000\n\n"
        known, quiet = seen, 0
        for turn in range(LONGEST):
            await anyio.sleep(LOOK if turn else 0)
            if served.ended.is_set():
                return
            now = await to_thread.run_sync(served.watch.seen)
            if now not in ("", known):
                known, quiet = now, 0
                yield f"event: changed\nid: {now}\ndata: \n\n"
            elif (quiet := quiet + 1) >= QUIET:
                quiet = 0
                yield ": alive\n\n"
    finally:
        served.listeners -= 1


LIVE = Section("Live", "", (get("/live", listen),))
