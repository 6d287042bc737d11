"""What every target adapter is given: where the tool is, and who logs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from taiga_pipeline.credentials import Secret
from taiga_pipeline.http.bounds import ANSWER_MEGABYTES
from taiga_pipeline.records import CardField


@dataclass(frozen=True, slots=True)
class Connection:
    """A tool and the account in it.

    ``pipeline`` names the pipeline in everything that is marked. One of ``password``, ``token``
    and ``application_token`` is there. ``web_url`` is where people open the tool, "" where the
    API's address says it. ``concurrency`` is how many requests may be under way at a time.
    ``answer_megabytes`` is how much an answer may hold.
    ``reads_pages`` says that deals' projects hold wiki pages to be kept in step,
    ``board_has_pages`` that the board of deals does; ``pictures`` draws those on pages (PNG), by
    the digest that a page names. ``labels`` are all labels that projects of this pipeline may show
    before their titles, now or since the state store began. ``assigns_stories`` says that mappings
    name who does stories.
    ``card_fields`` are the fields of deals that cards show, and that are read from them, none where
    cards are only shown.
    ``options`` are the settings that are the adapter's alone; ``folder`` is the configuration's,
    against which relative paths in them are resolved.
    """

    url: str
    pipeline: str
    username: str = ""
    password: Secret | None = None
    token: Secret | None = None
    application_token: Secret | None = None
    ca_file: Path | None = None
    web_url: str = ""
    concurrency: int = 2
    timeout_seconds: float = 30.0
    answer_megabytes: float = ANSWER_MEGABYTES
    reads_pages: bool = False
    board_has_pages: bool = False
    pictures: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    assigns_stories: bool = False
    card_fields: tuple[CardField, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    folder: Path = Path()
