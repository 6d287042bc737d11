"""Making the source for Odoo from the configuration.

Settings: ``url``, ``database``, ``username``, ``token_env`` or ``token_file`` (an API key),
``password_env`` or ``password_file``, ``model``, ``timeout_seconds``, ``ca_file``; ``only`` (field
= "what has to stand there"); ``cache``, ``complete_hours`` and ``overlap_minutes`` for reading only
what changed; how rows are read (`taiga_pipeline.sources.rows`), where ``columns`` (ours = "field")
goes on top of `taiga_pipeline.sources.odoo.fields.USUAL`; and ``write_back`` (fact = "field", or
``message`` = "fact, fact").
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
from taiga_pipeline.odoo.client import OdooClient
from taiga_pipeline.pipeline.importing.options import ImportOptions
from taiga_pipeline.sources.facts import unknown_facts
from taiga_pipeline.sources.odoo.fields import MODEL, UNNAMED, USUAL, read_for
from taiga_pipeline.sources.odoo.source import OdooSource, Terms
from taiga_pipeline.sources.odoo.write_back import MESSAGE, OdooWriteBack
from taiga_pipeline.sources.rows import ROW_SETTINGS, named_fields, row_options
from taiga_pipeline.sources.settings import SettingsReader
from taiga_pipeline.sources.spool import Cache

KNOWN: Final = (
    "url",
    "database",
    "username",
    "token_env",
    "token_file",
    "password_env",
    "password_file",
    "model",
    "only",
    "timeout_seconds",
    "answer_megabytes",
    "ca_file",
    "cache",
    "complete_hours",
    "overlap_minutes",
    "write_back",
    *(name for name in ROW_SETTINGS if name != "key"),  # records have their ids
)
_NO_WAY_IN: Final = (
    "token_env is missing: the name of the environment variable that holds the account's API key "
    "(or token_file, a file that holds it; or password_env)"
)
_OF_PER_CENT: Final = ("probability", "automated_probability")
_PER_CENT: Final = "percent"


def make(settings: Mapping[str, object], clock: Clock) -> OdooSource:
    """Makes the source from the config's ``[source]`` table; connects to nothing yet.

    :raises ProblemsError: everything that is wrong with it.
    :raises Stop: the address is none.
    """
    reader = SettingsReader("odoo", settings, KNOWN, required=("url", "database"))
    token, password = _secrets(reader)
    options = _options(reader)
    places = reader.table("write_back")
    note_facts = _note_facts(places.pop(MESSAGE, ""))
    for message in unknown_facts([*places, *note_facts]):
        reader.complain(f"write_back: {message}")
    url, database = reader.text("url"), reader.text("database")
    model = reader.text("model", MODEL)
    connection = Connection(
        url,
        pipeline="",
        username=reader.text("username"),
        password=password,
        token=token,
        ca_file=reader.path("ca_file"),
        concurrency=1,
        timeout_seconds=reader.number("timeout_seconds", 60, least=1, most=600),
        answer_megabytes=reader.number("answer_megabytes", ANSWER_MEGABYTES, least=1, most=4096),
    )
    only = reader.table("only")
    read = (*read_for(options.columns), *places.values(), *map(str, only.items()))
    terms = Terms(
        model,
        only,
        options,
        _cache(reader, (url, database, model, *read)),
        timedelta(hours=reader.number("complete_hours", 24)),
        timedelta(minutes=reader.number("overlap_minutes", 10)),
    )
    reader.finish()
    client = OdooClient(connection, database, clock, section="source")
    write_back = OdooWriteBack(client, model, places, note_facts) if places or note_facts else None
    return OdooSource(client, terms, clock, write_back)


def _note_facts(text: str) -> tuple[str, ...]:
    """Returns the facts that a note tells."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _secrets(reader: SettingsReader) -> tuple[Secret | None, Secret | None]:
    """Returns the key and the password, of which one is enough."""
    names = [f"{what}_{how}" for what in ("token", "password") for how in ("env", "file")]
    if not any(reader.text(name) for name in names):
        reader.complain(_NO_WAY_IN)
    password = reader.secret("password")
    if password is not None and not reader.text("username"):
        reader.complain("username is missing: a password needs the login that it is of")
    return reader.secret("token"), password


def _options(reader: SettingsReader) -> ImportOptions:
    """Returns how records are read: the usual fields, and over them those that were named.

    A field without a name (``notes = ""``) is not read.
    """
    options = row_options(reader)
    named = named_fields(reader, options)
    columns = {ours: path for ours, path in {**USUAL, **named}.items() if path}
    scale = options.probability_scale
    if not scale and columns.get("probability") in _OF_PER_CENT:
        scale = _PER_CENT
    return replace(options, columns=columns, name=options.name or UNNAMED, probability_scale=scale)


def _cache(reader: SettingsReader, origin: tuple[str, ...]) -> Cache | None:
    path = reader.path("cache")
    digest = hashlib.sha256(json.dumps(origin).encode()).hexdigest()
    return Cache(path, digest) if path else None
