"""The catalogues of texts for people: what they lack, and how they are made.

``python -m tests.language.catalogues`` brings every catalogue up to date with the source,
compiles it, and names what is still to be translated.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from sync.plan.model import ActionType, IssueKind
from sync.records.model import Owner
from sync.run.report import Outcome as Ran
from sync.state.outbox import MessageStatus
from taiga_pipeline.cli.main import cli
from taiga_pipeline.cli.translated_help import paragraphs
from taiga_pipeline.language import ENGLISH, LANGUAGES
from taiga_pipeline.language.catalogue import DOMAIN, SENTENCE, path_of
from taiga_pipeline.pipeline.batch import Outcome as Imported
from taiga_pipeline.pipeline.fields.table import BUILT_IN
from taiga_pipeline.pipeline.follow_ups import FollowUp
from taiga_pipeline.pipeline.model import Category, ContactPart
from taiga_pipeline.pipeline.what_changed import What
from taiga_pipeline.planning.hiring.advice import Way
from taiga_pipeline.planning.lessons.experience import Outcome as Past
from taiga_pipeline.planning.money.budget import Alarm
from taiga_pipeline.records import ProjectState
from taiga_pipeline.workers.decisions import Ending
from taiga_pipeline.workers.overview import Now
from tests.language.sentences import (
    ROOT,
    Found,
    all_wrapped,
    counted,
    literal,
    recognised,
)

_MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands in every catalogue, so that the same texts make the same file."""
_CLICK: Final = Path(click.__file__).parent
_WORDS: Final = (
    ActionType,
    Alarm,
    Category,
    ContactPart,
    Ending,
    FollowUp,
    Imported,
    IssueKind,
    MessageStatus,
    Now,
    Owner,
    Past,
    ProjectState,
    Way,
    What,
    Ran,
)
"""Words that the program knows things by, and that are shown."""
_ALONE: Final = ("confirmed", "own role", "Lead source", "Owner", "Team", "Service")
"""Words that are put together, so that no text in the source holds them alone."""
_SHORT: Final = (
    "{numbers} ({any} for 1+)",
    "all {cells} hold {kind}",
    "or one of {formats}",
    "user {number}: {error}",
    "{one} or --{other}",
)
"""Parts of sentences that are short enough to be taken for something else, and are ours alone."""
_NOUNS: Final = ("project", "role", "membership", "milestone", "story", "wiki", "status", "task")
"""The kinds of records."""
_WIDTH: Final = 100
_OF_BABEL: Final = (b'"Generated-By', b'"Report-Msgid', b'"Last-Tr', b'"Language-Team')
"""Lines of a catalogue's head that say nothing."""


def found() -> list[Found]:
    """Returns every text for people, each once, in the order of the source."""
    every: dict[tuple[str, str], Found] = {}
    for each in _all():
        former = every.setdefault((each.context, each.message), each)
        if each.plural and not former.plural:
            every[each.context, each.message] = replace(former, plural=each.plural)
    return list(every.values())


def _all() -> Iterator[Found]:
    yield from _helps(click.Context(cli, info_name="pipeline-sync"))
    yield from all_wrapped()
    yield from _templates()
    yield from _labels()
    yield from _words_of_click()
    for message in _SHORT:
        yield Found(message, context=SENTENCE, place="words")
    for path, message in recognised():
        yield Found(message, context=SENTENCE, place=str(path.relative_to(ROOT)))


def _helps(context: click.Context) -> Iterator[Found]:
    """Yields the helps of a command and of those below it."""
    command = context.command
    for text in (command.help, command.short_help, command.epilog):
        yield from (Found(each, place="help") for each in paragraphs(text or "") if each)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help and not parameter.hidden:
            yield Found(parameter.help, place="help")
    yield from _entries(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _helps(click.Context(child, info_name=name, parent=context))


def _entries(command: click.Command) -> Iterator[Found]:
    for entry in getattr(command, "entries", {}).values():
        yield Found(entry.section, place="help")
        yield Found(entry.help, place="help")


def _templates() -> Iterator[Found]:
    """Yields the texts of pages: ``_("...")`` in Jinja's templates."""
    environment = Environment(extensions=["jinja2.ext.i18n"])
    for path in sorted((ROOT / "taiga_pipeline").rglob("*.j2")):
        if "sandbox" in path.parts:
            continue
        for _line, _name, message in environment.extract_translations(
            path.read_text(encoding="utf-8")
        ):
            if isinstance(message, str):
                yield Found(message, place=str(path.relative_to(ROOT)))
            elif message and message[0]:  # a text with fields has None in the place of each
                yield Found(message[0], message[1] or "", place=str(path.relative_to(ROOT)))


def _labels() -> Iterator[Found]:
    """Yields what the fields of a deal are called."""
    for field in BUILT_IN:
        yield Found(field.label, place="fields")
    for word in (str(each.value) for kind in _WORDS for each in kind):
        yield Found(word, place="words")
    for word in _ALONE:
        yield Found(word, place="words")
    for noun in _NOUNS:
        yield Found(noun, place="words")
        yield counted(noun, "words")


def _words_of_click() -> Iterator[Found]:
    """Yields click's own words: usage, options, errors."""
    for path in sorted(_CLICK.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = [literal(each) for each in node.args]
                if node.func.id == "_" and texts and texts[0]:
                    yield Found(texts[0], place="click")
                elif node.func.id == "ngettext" and texts[0] and texts[1]:
                    yield Found(texts[0], texts[1], place="click")


def po_of(language: str) -> Path:
    """Returns where a language's texts are written."""
    return path_of(language).with_suffix(".po")


def read(language: str) -> Catalog:
    """Returns what is translated into a language so far."""
    path = po_of(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def updated(language: str) -> Catalog:
    """Returns the catalogue of a language with the texts of the source, and no others."""
    former, catalogue = read(language), _empty(language)
    for each in found():
        identity = (each.message, each.plural) if each.plural else each.message
        known: Message | None = former.get(each.message, each.context or None)
        translation = known.string if known and isinstance(known.id, type(identity)) else ""
        comments = [each.place] if each.place else []
        catalogue.add(
            identity,
            translation or (("", "") if each.plural else ""),
            auto_comments=comments,
            context=each.context or None,
        )
    return catalogue


def _empty(language: str) -> Catalog:
    return Catalog(
        locale=language,
        domain=DOMAIN,
        project="pipeline-sync",
        header_comment=f"# Texts for people: {language}. Made by: make language",
        version="1",
        creation_date=_MADE,
        revision_date=_MADE,
        last_translator="",
        language_team="",
        fuzzy=False,
    )


def po_text(catalogue: Catalog) -> bytes:
    """Returns a catalogue as text."""
    file = io.BytesIO()
    write_po(file, catalogue, width=_WIDTH, no_location=True)
    lines = file.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_OF_BABEL))


def compiled(catalogue: Catalog) -> bytes:
    """Returns a catalogue as gettext reads it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def missing(catalogue: Catalog) -> list[Message]:
    """Returns the texts that have no translation."""
    return [each for each in catalogue if each.id and not _is_whole(each)]


def _is_whole(message: Message) -> bool:
    parts = [message.string] if isinstance(message.string, str) else message.string
    return bool(parts) and all(parts) and not message.fuzzy


def main() -> int:
    """Brings the catalogues up to date."""
    left = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        catalogue = updated(language)
        po_of(language).parent.mkdir(parents=True, exist_ok=True)
        po_of(language).write_bytes(po_text(catalogue))
        path_of(language).write_bytes(compiled(read(language)))
        for message in missing(catalogue):
            print(f"{language}: not translated: {message.id!r}")
            left += 1
    print(f"{left} to be translated")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
