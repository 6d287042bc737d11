"""The catalogues: from an English text to that of another language."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

DOMAIN: Final = "pipeline_sync"
FOLDER: Final = Path(__file__).parent / "catalogues"
SENTENCE: Final = "sentence"
"""The context (msgctxt) of sentences that `translated` recognises: reasons, messages of errors."""


def path_of(language: str) -> Path:
    """Returns where a language's compiled catalogue is kept."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"


@cache
def catalogue(language: str) -> NullTranslations:
    """Returns the catalogue of a language, loaded once; that of English changes nothing."""
    path = path_of(language)
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        return GNUTranslations(file)
