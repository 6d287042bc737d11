"""Wiki pages: people's own text, and below it a part that is kept current, with a picture.

::

    What people write.

    ―― From sales (please write above this line) ――

    ![Heat map 3fa9c1d2](address of an attached file)

    Lines of Markdown.

    ―― Kept current by pipeline-sync ――

Markdown wants empty lines around tables and headings; `sync.records.composite_text` knows facts
without empty lines. They are put in when a page is written, and left out when it is read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sync.errors import SyncError, Vanished
from sync.records.composite_text import (
    END,
    NEUTRAL_SEPARATOR,
    SEPARATOR,
    plain_facts,
    plain_text,
    split_block,
)
from sync.records.model import Desired, Observed, Value
from sync.target import Place, Written
from taiga_pipeline.http.upload import Upload
from taiga_pipeline.mapping.page import SLUG as FROM_SALES
from taiga_pipeline.records import Kind, Wiki
from taiga_pipeline.targets.taiga.children import Body, TaigaClientContext
from taiga_pipeline.targets.taiga.paging import Row, read_all
from taiga_pipeline.targets.taiga.refusal import Refusal

_LOG: Final = logging.getLogger(__name__)

CONTENT: Final = "content"
"""Raw field of an observed page, as long as its parts are not distinguished."""

_PICTURE: Final = re.compile(r"!\[Heat map ([0-9a-f]+)\]\(([^()\s]*)\)")
_LINKS: Final = "wiki-links"
FILES: Final = "wiki/attachments"


class Pages:
    """Wiki pages, known by address. `Observed.change_token` carries their version."""

    kind = Kind.WIKI
    path = "wiki"

    def observe(self, row: Row, context: TaigaClientContext) -> Observed:
        """Returns a page; its parts are not distinguished yet."""
        fields: dict[str, Value] = {CONTENT: str(row.get("content") or "")}
        return Observed(
            self.kind,
            str(row["id"]),
            fields,
            identity=str(row["slug"]).casefold(),
            change_token=str(row["version"]),
        )

    def create(self, desired: Desired, place: Place, context: TaigaClientContext) -> Written:
        """Makes a page, shows it in the wiki's navigation, and attaches its picture."""
        _switch_on(place, context)
        content = join_page(desired.fields, "", desired.key.name)
        body: Body = {
            "project": int(place.root_id),
            "slug": desired.key.name,
            "content": content,
        }
        try:
            row = context.client.post(self.path, body).data
        except Refusal as error:
            if error.status != 400 or "__all__" not in error.keys:
                raise
            return self._present(desired.key.name, place, context, error)
        _link(_title(desired), place, context)
        try:
            row = self._with_picture(row, desired.fields, place, context)
        except SyncError as error:
            _LOG.warning("page %s: its picture waits for the next run: %s", row["slug"], error)
            return Written(self.observe(row, context), unwritten=frozenset({Wiki.PICTURE}))
        return Written(self.observe(row, context))

    def _with_picture(
        self, row: Row, fields: Mapping[str, Value], place: Place, context: TaigaClientContext
    ) -> Row:
        """Attaches the picture to a new page and shows it there; returns the page."""
        image = _image(fields, "", str(row["id"]), place, context)
        if not image:
            return row
        body: Body = {
            "content": join_page(fields, image, str(row["slug"])),
            "version": row["version"],
        }
        shown: Row = context.client.patch(f"{self.path}/{row['id']}", body).data
        return shown

    def modification(
        self,
        observed: Observed,
        changes: Mapping[str, Value],
        place: Place,
        context: TaigaClientContext,
    ) -> Body:
        """Writes the page again; ``observed`` holds its parts as they should be, and as it is."""
        if not changes.keys() & {Wiki.TEXT, Wiki.FACTS, Wiki.PICTURE}:
            return {}
        before = str(observed.fields.get(CONTENT, ""))
        image = _image(observed.fields, before, observed.id, place, context)
        content = join_page(observed.fields, image, observed.identity)
        if content == before:
            return {}
        return {"content": content, "version": int(observed.change_token)}

    def _present(
        self, slug: str, place: Place, context: TaigaClientContext, error: SyncError
    ) -> Written:
        for row in read_all(context.client, self.path, {"project": place.root_id}):
            if row["slug"] == slug:
                mine = row.get("owner") == context.account_id
                return Written(self.observe(row, context), found=not mine)
        raise error


def join_page(fields: Mapping[str, Value], image: str, slug: str = FROM_SALES) -> str:
    """Returns the content that shows people's text, and below it ``image`` and the facts.

    A page that is not from sales, by its ``slug``, does not say that it is. Where there is nothing
    to be kept current, nothing says so.
    """
    text = plain_text(str(fields.get(Wiki.TEXT) or ""))
    facts = plain_facts(str(fields.get(Wiki.FACTS) or "")).split("\n")
    if not image and not any(facts):
        return text
    separator = SEPARATOR if slug == FROM_SALES else NEUTRAL_SEPARATOR
    kept = [separator, "", *([image, ""] if image else []), *_spaced(facts), "", END]
    block = "\n".join(kept)
    return f"{text}\n\n{block}" if text else block


def split_page(
    fields: Mapping[str, Value], hints: Sequence[Mapping[str, Value]]
) -> dict[str, Value]:
    """Returns a page's fields with its parts distinguished.

    Headings and tables in the part that is kept current are never people's.
    """
    content = str(fields.get(CONTENT, ""))
    picture = _PICTURE.search(content)
    bare = _PICTURE.sub("", content, count=1) if picture else content
    known = [str(hint[Wiki.FACTS]) for hint in hints if hint.get(Wiki.FACTS)]
    if known and any(mark in bare for mark in (SEPARATOR, NEUTRAL_SEPARATOR)) and END in bare:
        known.append("\n".join(line for line in bare.splitlines() if line.startswith(("|", "#"))))
    text, facts = split_block(bare, known)
    return {
        **fields,
        Wiki.TEXT: text,
        Wiki.FACTS: facts,
        Wiki.PICTURE: picture[1] if picture else "",
    }


def _spaced(lines: Sequence[str]) -> Iterator[str]:
    """Yields the lines with an empty one wherever another kind of block begins."""
    previous = ""
    for line in lines:
        block = line[:1] if line[:1] in ("|", "#", "-", ">") else "text"
        if previous and block != previous:
            yield ""
        previous = block
        yield line


def _switch_on(place: Place, context: TaigaClientContext) -> None:
    """Some templates make projects without a wiki in their menu."""
    if place.root_id in context.without_wiki:
        context.client.patch(f"projects/{place.root_id}", {"is_wiki_activated": True})
        context.without_wiki.discard(place.root_id)


def show_page(desired: Desired, place: Place, context: TaigaClientContext) -> None:
    """Shows a page in the navigation, unless it is there."""
    links = read_all(context.client, _LINKS, {"project": place.root_id})
    if not any(str(link.get("href")) == desired.key.name for link in links):
        _link(_title(desired), place, context)


def _title(desired: Desired) -> str:
    return str(desired.fields.get(Wiki.TITLE) or desired.key.name)


def _link(title: str, place: Place, context: TaigaClientContext) -> None:
    """Shows the page in the navigation; without the link it is found among all pages."""
    try:
        context.client.post(_LINKS, {"project": int(place.root_id), "title": title})
    except SyncError as error:
        _LOG.warning("project %s: no link to the page %r: %s", place.root_id, title, error)


def unlink_page(page_id: str, place: Place, context: TaigaClientContext) -> None:
    """Takes a page that is to be removed out of the navigation.

    :raises Vanished: there is no such page.
    """
    slug = context.client.get(f"{Pages.path}/{page_id}").data["slug"]
    for link in list(read_all(context.client, _LINKS, {"project": place.root_id})):
        if link.get("href") == slug:
            try:
                context.client.delete(f"{_LINKS}/{link['id']}")
            except SyncError as error:
                _LOG.warning("project %s: the link to %r stays: %s", place.root_id, slug, error)


def _image(
    fields: Mapping[str, Value], before: str, page: str, place: Place, context: TaigaClientContext
) -> str:
    """Returns the Markdown of the page's picture, attached if it is not there yet; "" for none."""
    digest = str(fields.get(Wiki.PICTURE) or "")
    shown = _PICTURE.search(before)
    if not digest or (shown and shown[1] == digest):
        return shown[0] if digest and shown else ""
    draw = context.pictures.get(digest)
    if draw is None:
        return ""
    where = {"project": place.root_id, "object_id": page}
    name = f"heat-map-{digest}.png"
    files = list(read_all(context.client, FILES, {**where}))
    urls = [str(file["url"]) for file in files if file["name"] == name]
    if not urls:
        upload = Upload("attached_file", name, draw(), where)
        urls = [str(context.client.upload(FILES, upload).data["url"])]
    _remove_old(files, {name, f"heat-map-{shown[1]}.png" if shown else name}, context)
    return f"![Heat map {digest}]({urls[0]})"


def _remove_old(files: Sequence[Row], keep: set[str], context: TaigaClientContext) -> None:
    """Removes our pictures that no page shows any more."""
    for file in files:
        mine = file.get("owner") == context.account_id and file["name"].startswith("heat-map-")
        if mine and file["name"] not in keep:
            try:
                context.client.delete(f"{FILES}/{file['id']}")
            except Vanished:
                continue
