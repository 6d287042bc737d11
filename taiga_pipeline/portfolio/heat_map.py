"""Draws a heat map as a PNG: a row for each role, a column for each week. Needs Pillow."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageFont

from taiga_pipeline.language import text as _
from taiga_pipeline.portfolio.plan_page import Heat

_CELL_WIDTH: Final = 58
_CELL_HEIGHT: Final = 30
_HEAD_HEIGHT: Final = 34
_LEGEND_HEIGHT: Final = 34
_LONGEST_ROLE: Final = 24
_FONT_SIZE: Final = 14
_PAPER: Final = "#ffffff"
_INK: Final = "#22272e"
_NOBODY: Final = "#d7d9dd"
_SHADES: Final = (
    (50, "#e4f3e8"),
    (80, "#bfe3c8"),
    (100, "#fdf0b3"),
    (120, "#f9c48a"),
    (150, "#ee8f76"),
)
"""Up to so many per cent of the hours that there are, this colour."""
_OVER: Final = "#d9534f"
_BLENDS: Final = 5
"""So many steps from a colour to the ink around letters: an indexed picture is a small one."""


def draw(heat: Heat) -> bytes:
    """Returns the picture. A cell says how many hours are missing, its colour how full it is."""
    font = ImageFont.load_default(_FONT_SIZE)
    names = [_shortened(role) for role in heat.roles]
    left = 24 + max((int(font.getlength(name)) for name in names), default=0)
    width = max(left + _CELL_WIDTH * len(heat.weeks), left + 520) + 12
    height = _HEAD_HEIGHT + _CELL_HEIGHT * len(names) + _LEGEND_HEIGHT
    image = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(image)
    for column, week in enumerate(heat.weeks):
        middle = left + _CELL_WIDTH * column + _CELL_WIDTH // 2
        pen.text((middle, _HEAD_HEIGHT // 2), week[5:], _INK, font, anchor="mm")
    for row, name in enumerate(names):
        top = _HEAD_HEIGHT + _CELL_HEIGHT * row
        pen.text((12, top + _CELL_HEIGHT // 2), name, _INK, font, anchor="lm")
        for column, load in enumerate(heat.load[row]):
            corner = (left + _CELL_WIDTH * column, top)
            _cell(pen, font, corner, shade(load), heat.short[row][column])
    _legend(pen, font, left, height - _LEGEND_HEIGHT // 2)
    file = BytesIO()
    indexed = image.quantize(palette=_palette(), dither=Image.Dither.NONE)
    indexed.save(file, "PNG", optimize=True)
    return file.getvalue()


def _palette() -> Image.Image:
    """Returns a picture that holds the colours to be used, and nothing else."""
    ink = ImageColor.getrgb(_INK)
    colors: list[int] = []
    for paper in (_PAPER, _NOBODY, _OVER, *(color for _unused, color in _SHADES)):
        for step in range(_BLENDS):
            for under, over in zip(ImageColor.getrgb(paper), ink, strict=True):
                colors.append(under + (over - under) * step // (_BLENDS - 1))
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors)
    return palette


def shade(load: int | None) -> str:
    """Returns the colour for a load in per cent."""
    if load is None:
        return _NOBODY
    return next((color for most, color in _SHADES if load <= most), _OVER)


_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def _cell(
    pen: ImageDraw.ImageDraw, font: _Font, corner: tuple[int, int], color: str, short: int
) -> None:
    x, y = corner
    pen.rectangle((x + 1, y + 1, x + _CELL_WIDTH - 2, y + _CELL_HEIGHT - 2), color)
    if short:
        middle = (x + _CELL_WIDTH // 2, y + _CELL_HEIGHT // 2)
        pen.text(middle, f"-{short}", _INK, font, anchor="mm")


def _legend(pen: ImageDraw.ImageDraw, font: _Font, left: int, middle: int) -> None:
    x = left
    words = [*(_("to {most} %", most=most) for most, _unused in _SHADES), "more", _("no capacity")]
    colors = [*(color for _unused, color in _SHADES), _OVER, _NOBODY]
    for word, color in zip(words, colors, strict=True):
        pen.rectangle((x, middle - 7, x + 14, middle + 7), color)
        pen.text((x + 19, middle), word, _INK, font, anchor="lm")
        x += 27 + int(font.getlength(word))


def _shortened(role: str) -> str:
    return role if len(role) <= _LONGEST_ROLE else role[: _LONGEST_ROLE - 1] + "…"
