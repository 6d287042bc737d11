"""What a page is handed: who asks, for what, and ways to answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData, QueryParams, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from taiga_pipeline.app.deals.editing import NEVER_SEEN
from taiga_pipeline.app.serving import Served
from taiga_pipeline.app.workspace import Workspace
from taiga_pipeline.language import ENGLISH
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.access.session import Said, Session
from taiga_pipeline.web.templates import templates

if TYPE_CHECKING:
    from starlette.requests import Request

    from taiga_pipeline.web.pages import Section

MAX_TEXT: Final = 200_000
"""Characters of one field of a form; a deal's log of notes is far below."""


UNSEEN: Final = frozenset({
    *("csrf", "once", "version", "seen", "seen_stage", "back", "asked", "at", "opened", "was"),
    *("file", "header", "side", "password"),
})  # fmt: skip
"""Fields of forms that nobody typed, or nobody is to read again."""


class Fields:
    """What a query or a form says, by name."""

    def __init__(self, items: Iterable[tuple[str, object]] = ()) -> None:
        self._texts: dict[str, list[str]] = {}
        self._files: dict[str, UploadFile] = {}
        for name, value in items:
            if isinstance(value, UploadFile):
                self._files[name] = value
            else:
                text = str(value).replace("\r\n", "\n")[:MAX_TEXT]
                self._texts.setdefault(name, []).append(text)

    @classmethod
    def of(cls, data: FormData | QueryParams) -> Fields:
        """Returns what was sent."""
        return cls(data.multi_items())

    def text(self, name: str, default: str = "") -> str:
        """Returns the last text of a name."""
        return self._texts.get(name, [default])[-1]

    def texts(self, name: str) -> tuple[str, ...]:
        """Returns all texts of a name, in their order."""
        return tuple(self._texts.get(name, ()))

    def forget(self, name: str) -> None:
        """Takes a name out, as if it had not been sent."""
        self._texts.pop(name, None)

    def give(self, name: str, old: str, new: str) -> bool:
        """Has a name say something else where it said ``old``; returns whether it did."""
        texts = self._texts.get(name, [])
        if found := any(each.strip() == old for each in texts):
            self._texts[name] = [new if each.strip() == old else each for each in texts]
        return found

    def has(self, name: str) -> bool:
        """Whether the name was sent, be it empty."""
        return name in self._texts

    def number(self, name: str, default: int, most: int = 100_000) -> int:
        """Returns a whole number from 0 to ``most``; the default where it is none."""
        text = self.text(name)
        return min(int(text), most) if text.isdecimal() and len(text) < 10 else default

    def file(self, name: str) -> UploadFile | None:
        """Returns an uploaded file."""
        return self._files.get(name)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Goes through all names with their texts."""
        return ((name, text) for name, texts in self._texts.items() for text in texts)

    def __contains__(self, name: str) -> bool:
        """Whether a text of that name is there that is not empty."""
        return bool(self.text(name))


@dataclass
class Visit:
    """One request of somebody.

    ``base`` is the address of the pipeline, ``path`` what was asked for below it, ``root`` the
    address of all. ``pipelines`` are the addresses of all pipelines by name. ``is_part`` says that
    a script asks, which puts a part of the page in its place. ``session`` may be replaced: the
    answer carries the last one. ``address`` is that of the browser, as far as it can be known.
    ``seen`` is what the page is not older than, for `live`.
    """

    request: Request
    served: Served
    person: Person
    session: Session
    root: str
    base: str
    path: str
    sections: tuple[Section, ...]
    pipelines: Mapping[str, str]
    pipeline: str
    query: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    body: bytes = b""
    language: str = ENGLISH
    is_part: bool = False
    address: str = ""
    seen: str = ""
    _workspace: Workspace | None = None

    @property
    def workspace(self) -> Workspace:
        """The pipeline, for this request alone.

        :raises ProblemsError: its configuration has problems.
        """
        if self._workspace is None:
            self._workspace = self.served.workspace()
        return self._workspace

    def open(self) -> None:
        """Reads the configuration, where it was changed."""
        if self.person.name and not self.is_part:
            self.seen = self.served.watch.seen()  # before anything of the page is read
        self._workspace = self.served.workspace()

    @property
    def is_open(self) -> bool:
        """Whether the configuration could be read."""
        return self._workspace is not None

    @property
    def by(self) -> str:
        """Who changes something, for the history."""
        return self.person.name

    @property
    def version(self) -> str:
        """The version of a deal that a form was made from; where it names none, one that no deal
        ever had, so that nothing is overwritten unseen."""
        return self.form.text("version") or NEVER_SEEN

    def may(self, role: str) -> bool:
        """Whether the person may do what a role is needed for."""
        return self.person.role.allows(Role(role))

    def url(self, path: str, **query: object) -> str:
        """Returns the address of a page; what is None or empty in the query is left out."""
        said = [
            (name, str(each))
            for name, value in query.items()
            for each in (value if isinstance(value, list | tuple) else [value])
            if each not in (None, "")
        ]
        return f"{self.base}{path}{'?' + urlencode(said) if said else ''}"

    def filled_in(self) -> tuple[tuple[str, str], ...]:
        """Returns what somebody typed into the form that was sent: names of fields, and texts."""
        return tuple(
            (name, text)
            for name, text in self.form
            if text and name.partition(".")[0] not in UNSEEN
        )

    def mark_of_form(self) -> str:
        """Returns what makes a form known as the same one where it is sent twice."""
        return token_urlsafe(9)

    @property
    def page_before(self) -> str:
        """The page of this pipeline from which a form was sent, as the browser says, else "/"."""
        parts = urlsplit(self.request.headers.get("referer", ""))
        asked = f"{parts.path}{'?' + parts.query if parts.query else ''}"
        path = asked.removeprefix(self.base)
        is_known = parts.netloc == self.request.url.netloc and asked.startswith(f"{self.base}/")
        return path if is_known and _is_ours(path) else "/"

    def say(self, text: str) -> None:
        """Keeps a message for the next page: what was done."""
        self.session = self.session.saying(text)

    def warn(self, text: str) -> None:
        """Keeps a message for the next page: what was not done, and why."""
        self.session = self.session.saying(text, "wrong")

    def show(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Returns a page, or the part of one, made from a template."""
        said: tuple[Said, ...] = ()
        if not self.is_part:
            said, self.session = self.session.said, _without_said(self.session)
        shown = templates().get_template(template)
        text = shown.render(visit=self, said=said, url=self.url, **context)
        return HTMLResponse(text, status_code=status)

    def go(self, path: str, **query: object) -> Response:
        """Sends the browser to another page of the pipeline, after a change."""
        return self._to(self.url(path, **query))

    def back(self, default: str = "/") -> Response:
        """Sends the browser back to where a form stands: its field ``back``, a path of ours."""
        return self.back_to(self.form.text("back"), default)

    def back_to(self, asked: str, default: str = "/") -> Response:
        """Sends the browser to a path of this pipeline; to the default where it is none."""
        return self._to(f"{self.base}{asked}" if _is_ours(asked) else self.url(default))

    def _to(self, address: str) -> Response:
        if self.is_part:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=303)

    @property
    def here(self) -> str:
        """What a form's field ``back`` says to come back to this page."""
        asked = self.request.url.query
        return f"{self.path}{'?' + asked if asked else ''}"


def _is_ours(path: str) -> bool:
    """Whether a path leads nowhere else: browsers take a backslash for a slash, and ``//x`` for a
    host."""
    if not path.startswith("/") or not path.isprintable() or "\\" in path:
        return False
    try:
        parts = urlsplit(path)
    except ValueError:
        return False
    return not parts.netloc and not parts.scheme and not path.startswith("//")


def _without_said(session: Session) -> Session:
    return Session(session.name, session.proof, session.csrf, session.began)
