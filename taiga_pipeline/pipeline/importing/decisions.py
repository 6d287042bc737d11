"""What a column "Status" says beside one of stages: open, won or lost. Pure."""

from __future__ import annotations

from typing import Final

from taiga_pipeline.pipeline.model import Category
from taiga_pipeline.pipeline.text import folded, line

_WON: Final = frozenset(
    "won|closed won|closedwon|win|vunnen|vunnet|vundet|gewonnen|ganado|ganada|cerrada ganada|"
    "gagné|gagnée|gagne|ganho|ganha|fechado ganho|vinto|vinta|chiusa vinta|voitettu|wygrana|"
    "wygrany|wygrane|"
    "vyhráno|vyhraný|vyhraná|accepted|signed".split("|")
)
_LOST: Final = frozenset(
    "lost|closed lost|closedlost|loss|förlorad|forlorad|verloren|perdido|perdida|cerrada perdida|"
    "perdu|perdue|tabt|tapt|fechado perdido|perso|persa|chiusa persa|"
    "hävitty|przegrana|przegrany|przegrane|prohráno|prohraný|prohraná|abandoned|canceled|cancelled|"
    "deleted|disqualified|rejected|declined|avbruten|storniert|annulé|annulée|cancelado|cancelada|"
    "geannuleerd|annulleret|avbrutt".split("|")
)
_OPEN: Final = frozenset(
    "open|opened|new|active|in progress|pending|öppen|oppen|offen|aktiv|aktiva|in bearbeitung|"
    "abierto|abierta|en curso|ouvert|ouverte|en cours|aberto|aberta|em andamento|åben|åpen|"
    "avoin|kesken|aperto|aperta|in corso|otwarta|otwarty|w toku|otevřeno|otevřená|"
    "on hold|hold".split("|")
)


def decision(status: str) -> Category | None:
    """Returns `Category.WON` or `Category.LOST`; None where a status decides nothing."""
    word = folded(line(status))
    if word in _WON:
        return Category.WON
    return Category.LOST if word in _LOST else None


def is_known_status(status: str) -> bool:
    """Tells whether a status is a word for open, won or lost, in one of the known languages."""
    word = folded(line(status))
    return not word or word in _OPEN or decision(status) is not None
