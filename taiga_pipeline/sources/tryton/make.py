"""Making the source for Tryton from the configuration.

Settings: ``url``, ``database``, ``token_env`` or ``token_file``, ``model``, ``timeout_seconds``,
``ca_file``; ``only`` (field = "what has to stand there"); ``cache``, ``complete_hours`` and
``overlap_minutes`` for reading only what changed; how rows are read
(`taiga_pipeline.sources.rows`), where ``columns`` (ours = "field") goes on top of
`taiga_pipeline.sources.tryton.fields.USUAL`; and ``write_back`` (fact = "field").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sync.clock import Clock
from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.bounds import ANSWER_MEGABYTES
from taiga_pipeline.http.connection import Connection
from taiga_pipeline.pipeline.fields.table import CLOSE_DATE
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.sources.facts import unknown_facts
from taiga_pipeline.sources.rows import ROW_SETTINGS, named_fields, row_options
from taiga_pipeline.sources.settings import SettingsReader
from taiga_pipeline.sources.spool import Cache
from taiga_pipeline.sources.tryton.client import Client
from taiga_pipeline.sources.tryton.fields import MODEL, UNNAMED, USUAL, Fields
from taiga_pipeline.sources.tryton.source import Terms, TrytonSource
from taiga_pipeline.sources.tryton.write_back import TrytonWriteBack

KNOWN: Final = (
    "url",
    "database",
    "token_env",
    "token_file",
    "model",
    "only",
    "timeout_seconds",
    "answer_megabytes",
    "ca_file",
    "cache",
    "complete_hours",
    "overlap_minutes",
    "write_back",
    *(name for name in ROW_SETTINGS if name != "key"),  # opportunities have their own
)
_NO_KEY: Final = (
    "token_env is missing: the name of the environment variable that holds the application key "
    "(or token_file, a file that holds it)"
)


def make(settings: Mapping[str, object], clock: Clock) -> TrytonSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: everything that is wrong with it.
    :raises Stop: the address is none.
    """
    reader = SettingsReader("tryton", settings, KNOWN, required=("url", "database"))
    token = _token(reader)
    options = _options(reader)
    places = reader.table("write_back")
    for message in unknown_facts(places):
        reader.complain(f"write_back: {message}")
    fields = Fields(tuple(options.columns.values()), tuple(places.values()))
    url, database = reader.text("url"), reader.text("database")
    model = reader.text("model", MODEL)
    connection = Connection(
        url,
        pipeline="",
        token=token,
        ca_file=reader.path("ca_file"),
        concurrency=1,
        timeout_seconds=reader.number("timeout_seconds", 30, least=1, most=600),
        answer_megabytes=reader.number("answer_megabytes", ANSWER_MEGABYTES, least=1, most=4096),
    )
    only = reader.table("only")
    terms = Terms(
        model,
        fields,
        only,
        options,
        _cache(reader, (url, database, model, *fields.requested, *map(str, only.items()))),
        timedelta(hours=reader.number("complete_hours", 24)),
        timedelta(minutes=reader.number("overlap_minutes", 10)),
    )
    reader.finish()
    client = Client(connection, database, clock)
    write_back = TrytonWriteBack(client, model, places) if places else None
    return TrytonSource(client, terms, clock, write_back)


def _token(reader: SettingsReader) -> Secret | None:
    if not (reader.text("token_env") or reader.text("token_file")):
        reader.complain(_NO_KEY)
    return reader.secret("token")


def _options(reader: SettingsReader) -> ImportOptions:
    """Returns how records are read: the usual fields, and over them those that were named.

    A field without a name (``notes = ""``) is not read.
    """
    options = row_options(reader)
    named = named_fields(reader, options)
    usual = dict(USUAL)
    if named.keys() & {"expected_close", "closed_on"}:
        usual.pop(CLOSE_DATE)
    columns = {ours: path for ours, path in {**usual, **named}.items() if path}
    return replace(options, columns=columns, name=options.name or UNNAMED)


def _cache(reader: SettingsReader, origin: tuple[str, ...]) -> Cache | None:
    path = reader.path("cache")
    digest = hashlib.sha256(json.dumps(origin).encode()).hexdigest()
    return Cache(path, digest) if path else None
