"""Words around a number: a currency, a magnitude, or both in one (``TEUR``, ``mkr``, ``k€``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.values.currencies import currencies_of
from taiga_pipeline.pipeline.values.patterns import pattern

_THOUSAND, _MILLION, _BILLION = Decimal(1_000), Decimal(1_000_000), Decimal(1_000_000_000)

_MAGNITUDES: Final[Mapping[str, Decimal]] = {
    word: factor
    for words, factor in (
        (
            "k tusen tausend tsd tsd. thousand thousands duizend tusind tys тыс "
            "kilo millier milliers mille mila miles tis tisíc tuhatta tysięcy 000s 千 천",
            _THOUSAND,
        ),
        (
            "m mm mn mio mill mln milj million millions millionen miljon miljoner millioner "
            "miljoen millón millones milhão milhões milione milioni млн",
            _MILLION,
        ),
        (
            "b bn bln bil billion billions mrd mdr md mld mlrd mia miljard miljarder milliard "
            "milliards milliarde milliarden milliarder miliardo miliardi млрд",
            _BILLION,
        ),
        ("万 萬 만", Decimal(10_000)),
        ("lakh lakhs lac lacs", Decimal(100_000)),
        ("crore crores cr", Decimal(10_000_000)),
        ("亿 億 억", Decimal(100_000_000)),
    )
    for word in words.split()
}
"""Word, without letter case and final points. ``mil`` is a thousand in Spanish and a million in
English, ``T`` a thousand or a trillion, ``Billion`` differs as well: those are refused, but for
``T`` before a currency (``TEUR``)."""

_BEFORE_CURRENCY: Final = {**_MAGNITUDES, "t": _THOUSAND}
_LONGEST: Final = 40
_WORDS_OF_A_NAME: Final = 5
_WORD = pattern(r"\S+")


@dataclass(frozen=True, slots=True)
class Unit:
    """What stands around a number: it is multiplied by ``factor``; ``currencies`` are the codes
    that it may be in, none if it does not say."""

    factor: Decimal = Decimal(1)
    currencies: tuple[str, ...] = ()


NO_UNIT: Final = Unit()


@lru_cache(maxsize=2048)
def read_unit(text: str) -> Unit:
    """Reads all words around a number.

    :raises InvalidValue: a word is neither a currency nor a magnitude, or two do not fit together.
    """
    whole = _whole(text.strip())
    if whole is not None:
        return whole
    unit = NO_UNIT
    words = [match[0] for match in _WORD.finditer(text)]
    while words:
        found, taken = _beginning(words)
        if found is None:
            raise InvalidValue(f"{words[0][:_LONGEST]!r} is neither a currency nor a magnitude")
        unit, words = join(unit, found), words[taken:]
    return unit


def _beginning(words: Sequence[str]) -> tuple[Unit | None, int]:
    """Returns what the first words say, as many as say something together, and their number."""
    for taken in range(min(len(words), _WORDS_OF_A_NAME), 0, -1):
        found = _whole(" ".join(words[:taken]))
        if found is not None:
            return found, taken
    return None, 0


def join(one: Unit, other: Unit) -> Unit:
    """Returns what two units say together.

    :raises InvalidValue: two magnitudes, or two currencies that exclude each other.
    """
    if one.factor != 1 and other.factor != 1:
        raise InvalidValue("two magnitudes for one number")
    return Unit(one.factor * other.factor, common(one.currencies, other.currencies))


def common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the currencies that both allow; an empty one allows all.

    :raises InvalidValue: they exclude each other.
    """
    if not one or not other:
        return one or other
    both = tuple(code for code in one if code in other)
    if not both:
        raise InvalidValue(f"two currencies: {_named(one)} and {_named(other)}")
    return both


def _named(codes: tuple[str, ...]) -> str:
    return codes[0] if len(codes) == 1 else f"one of {', '.join(codes[:4])}"


def _whole(word: str) -> Unit | None:
    """Returns what one word says, None if it is unknown."""
    plain = word.casefold().strip()
    if not plain:
        return NO_UNIT
    if len(plain) > _LONGEST:
        return None
    if codes := currencies_of(plain):
        return Unit(currencies=codes)
    factor = _MAGNITUDES.get(plain.rstrip(".")) or _MAGNITUDES.get(plain)
    return Unit(factor) if factor else _two_in_one(plain)


def _two_in_one(plain: str) -> Unit | None:
    """Reads ``teur``, ``mkr``, ``k€``, ``€m``, ``usdk``, ``mio.€``."""
    for cut in range(len(plain) - 1, 0, -1):  # "mnkr" is mn kr, not m nkr
        before, after = plain[:cut], plain[cut:]
        if (factor := _BEFORE_CURRENCY.get(before.rstrip("."))) and (codes := currencies_of(after)):
            return Unit(factor, codes)
        if (codes := currencies_of(before)) and (factor := _MAGNITUDES.get(after.rstrip("."))):
            return Unit(factor, codes)
    return None
