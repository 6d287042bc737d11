"""What was sent with a request, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from anyio import fail_after
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from taiga_pipeline.language import text as _
from taiga_pipeline.web.visit import Fields

MAX_FIELDS: Final = 2_500
"""A list of a thousand columns is matched by two fields each."""
MAX_FILES: Final = 5
PART_SECONDS: Final = 20.0
"""So long the next part of a body may be on its way."""
BODY_SECONDS: Final = 180.0
"""So long all of it may."""
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


class TooLarge(Exception):
    """More was sent than a route takes."""

    status = 413

    def __init__(self, most: int) -> None:
        super().__init__(
            _("This is too much: at most {most} MB can be sent here.", most=round(most / 1e6, 1))
        )


class Unreadable(Exception):
    """Something was sent that is no form."""

    status = 400

    def __init__(self) -> None:
        super().__init__(_("What the browser sent could not be read; nothing was changed."))


class TooSlow(Exception):
    """A body that never comes holds a connection that others need."""

    status = 408

    def __init__(self) -> None:
        super().__init__(_("What was sent came too slowly; nothing was changed. Try again."))


@dataclass
class Sent:
    """What was sent: a form's fields, or the bytes of anything else."""

    fields: Fields = field(default_factory=Fields)
    body: bytes = b""
    _form: FormData | None = None

    async def close(self) -> None:
        """Lets go of uploaded files."""
        if self._form is not None:
            await self._form.close()


async def read_body(request: Request, most: int) -> Sent:
    """Returns what was sent.

    :raises TooLarge: more than ``most`` bytes.
    :raises Unreadable: a form that is none.
    :raises TooSlow: it does not come within a while.
    """
    try:
        with fail_after(BODY_SECONDS):
            return await _read(request, most)
    except TimeoutError:
        raise TooSlow from None


async def _read(request: Request, most: int) -> Sent:
    limited = Request(request.scope, _Bounded(request, most))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _FORMS:
        return Sent(body=await limited.body())
    try:
        form = await limited.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=most)
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise Unreadable from None
    return Sent(Fields.of(form), _form=form)


class _Bounded:
    """Receives what a client sends until it is too much."""

    def __init__(self, request: Request, most: int) -> None:
        self._request, self._most, self._seen = request, most, 0
        length = request.headers.get("content-length", "")
        if length.isdecimal() and len(length) < 20 and int(length) > most:
            raise TooLarge(most)

    async def __call__(self) -> Message:
        with fail_after(PART_SECONDS):
            message = await self._request.receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._most:
            raise TooLarge(self._most)
        return message
